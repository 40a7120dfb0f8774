package p2p

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"

	"tally/p2p/frame"
)

var (
	// ErrTimeout says that a peer kept silent, or too slow, for longer than the
	// stream's limits allow.
	ErrTimeout = errors.New("p2p: peer is silent or too slow")
	// ErrReset says that the peer, or the connection, gave the stream up.
	ErrReset = errors.New("p2p: stream was reset")
	// ErrUnsupported says that a peer does not serve a protocol.
	ErrUnsupported = errors.New("p2p: peer does not serve this protocol")
	// ErrBusy is what a RemoteError of a peer over its stream limits matches.
	ErrBusy = errors.New("p2p: peer is busy: try again later or elsewhere")
	// ErrTooLarge says that a frame is past the size that the reader takes.
	ErrTooLarge = frame.ErrTooLarge
	// ErrTruncated says that the stream ended inside a frame.
	ErrTruncated = frame.ErrTruncated
)

// RemoteError is what a peer's handler ended with. The text is the peer's own
// words: printable, at most 512 bytes, and not to be believed.
type RemoteError struct {
	Peer     peer.ID
	Protocol protocol.ID
	Busy     bool // over a stream limit: nothing was done
	Text     string
}

func (e *RemoteError) Error() string {
	return fmt.Sprintf("p2p: peer %s answers: %s", e.Peer, e.Text)
}

// Is makes a busy peer match ErrBusy.
func (e *RemoteError) Is(target error) bool { return e.Busy && target == ErrBusy }

// The codes of error frames.
const (
	codeHandler byte = 1
	codeBusy    byte = 2
)

const (
	defaultFrame   = 1 << 20
	defaultIdle    = 30 * time.Second
	defaultTotal   = time.Hour
	defaultPerPeer = 16
	defaultStreams = 256

	// slowest is the pace, in bytes a second, that a peer may not fall under for
	// longer than the idle time.
	slowest = 16 << 10
	// bulk is the size of the frames of a Writer.
	bulk = 256 << 10
)

// Limits bound one protocol. Zero values take the defaults.
type Limits struct {
	Frame   int           // bytes of one message; 1 MiB, at most 4 MiB
	Idle    time.Duration // silence of a peer before the stream fails; 30 s
	Total   time.Duration // life of a stream; 1 h
	PerPeer int           // streams that one peer may have open to a handler; 16
	Streams int           // streams open to a handler in all; 256
}

func (l Limits) withDefaults() Limits {
	if l.Frame <= 0 {
		l.Frame = defaultFrame
	}
	l.Frame = min(l.Frame, frame.Max)
	if l.Idle <= 0 {
		l.Idle = defaultIdle
	}
	if l.Total <= 0 {
		l.Total = defaultTotal
	}
	if l.PerPeer <= 0 {
		l.PerPeer = defaultPerPeer
	}
	if l.Streams <= 0 {
		l.Streams = defaultStreams
	}
	return l
}

// Stream carries messages to and from one peer. One goroutine may read while
// another writes; Close and Reset may be called from any. Who opened a stream
// must Close or Reset it; a handler's stream ends with the handler.
type Stream struct {
	raw    network.Stream
	ctx    context.Context // ends the stream
	cancel context.CancelFunc
	stop   func() bool // takes back the reset at the end of ctx
	limits Limits

	paced *pacer        // owned by the reader
	in    *bufio.Reader // owned by the reader; over paced
	inErr error         // owned by the reader; what ended reading, kept
	left  int           // owned by the reader; unread bytes of a Reader's frame

	out []byte // owned by the writer; a frame's header

	once sync.Once // guards the end
}

func newStream(ctx context.Context, raw network.Stream, l Limits) *Stream {
	s := &Stream{raw: raw, limits: l, paced: &pacer{raw: raw, idle: l.Idle}}
	s.in = bufio.NewReader(s.paced)
	s.ctx, s.cancel = context.WithTimeout(ctx, l.Total)
	s.stop = context.AfterFunc(s.ctx, func() { _ = raw.Reset() })
	return s
}

// Remote returns the peer at the other end.
func (s *Stream) Remote() peer.ID { return s.raw.Conn().RemotePeer() }

// SetIdle changes how long the peer may keep silent before a Recv fails. The
// reader calls it.
func (s *Stream) SetIdle(d time.Duration) {
	if d > 0 {
		s.paced.idle = d
	}
}

// Send writes one message. It fails with ErrTooLarge over the stream's frame
// limit, and with ErrTimeout when the peer does not take it.
func (s *Stream) Send(message []byte) error {
	if len(message) > s.limits.Frame {
		return s.failed("send", fmt.Errorf("%w: %d bytes of at most %d", ErrTooLarge, len(message), s.limits.Frame))
	}
	return s.send(message)
}

func (s *Stream) send(body []byte) error {
	var err error
	if s.out, err = frame.AppendHeader(s.out[:0], frame.Data, len(body)); err != nil {
		return s.failed("send", err)
	}
	if err = s.raw.SetWriteDeadline(time.Now().Add(s.limits.Idle + pace(len(body)))); err != nil {
		return s.failed("send", err)
	}
	if len(body) <= 4<<10 {
		s.out = append(s.out, body...)
		_, err = s.raw.Write(s.out)
		return s.failed("send", err)
	}
	if _, err = s.raw.Write(s.out); err == nil {
		_, err = s.raw.Write(body)
	}
	return s.failed("send", err)
}

// Recv reads one message of at most max bytes; max 0 stands for the stream's
// frame limit. io.EOF says that the peer closed its half after its last
// message, a *RemoteError that it gave up. After an error every Recv fails
// with it.
func (s *Stream) Recv(max int) ([]byte, error) {
	if max <= 0 {
		max = s.limits.Frame
	}
	if s.inErr != nil {
		return nil, s.inErr
	}
	if s.left > 0 {
		return nil, s.ended(fmt.Errorf("p2p: recv in the middle of a reader's frame"))
	}
	s.paced.between()
	h, err := frame.ReadHeader(firstByte{s}, min(max, s.limits.Frame))
	if err != nil {
		return nil, s.ended(err)
	}
	s.paced.within()
	body, err := frame.ReadBody(s.in, h)
	if err != nil {
		return nil, s.ended(err)
	}
	if h.Kind == frame.Error {
		return nil, s.ended(s.remoteError(body))
	}
	return body, nil
}

// firstByte reads headers, and counts the peer's time from the first byte.
type firstByte struct{ s *Stream }

func (f firstByte) ReadByte() (byte, error) {
	b, err := f.s.in.ReadByte()
	f.s.paced.within()
	return b, err
}

func (s *Stream) remoteError(body []byte) error {
	code, text, err := frame.ParseError(body)
	if err != nil {
		return err
	}
	return &RemoteError{Peer: s.Remote(), Protocol: s.raw.Protocol(), Busy: code == codeBusy, Text: text}
}

// ended keeps what ended reading.
func (s *Stream) ended(err error) error {
	s.inErr = s.failed("recv", err)
	return s.inErr
}

// failed gives an error of the transport the name that callers know it by.
func (s *Stream) failed(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if remote, ok := errors.AsType[*RemoteError](err); ok {
		return remote
	}
	if s.ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(s.ctx), err)
	} else {
		err = classify(err)
	}
	return fmt.Errorf("p2p: %s %s with %s: %w", op, s.raw.Protocol(), s.Remote(), err)
}

func classify(err error) error {
	timeout, isNet := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, multistream.ErrNotSupported[protocol.ID]{}):
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	case errors.Is(err, network.ErrReset):
		return fmt.Errorf("%w: %w", ErrReset, err)
	case errors.Is(err, os.ErrDeadlineExceeded), isNet && timeout.Timeout():
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return err
}

// Reader reads a peer's data frames as one run of bytes, up to the peer's
// CloseWrite. A peer that gives up halfway is a *RemoteError or ErrReset, never
// io.EOF. The reader shares the stream's reading side.
func (s *Stream) Reader() io.Reader { return (*bulkReader)(s) }

// Writer writes bytes as data frames of up to 256 KiB. It does not close: call
// CloseWrite after the last byte.
func (s *Stream) Writer() io.Writer { return (*bulkWriter)(s) }

type bulkReader Stream

func (r *bulkReader) Read(p []byte) (int, error) {
	s := (*Stream)(r)
	if len(p) == 0 || s.inErr != nil {
		return 0, s.inErr
	}
	for s.left == 0 {
		h, err := frame.ReadHeader(s.in, frame.Max)
		if err != nil {
			return 0, s.ended(err)
		}
		if h.Kind == frame.Error {
			body, err := frame.ReadBody(s.in, h)
			if err == nil {
				err = s.remoteError(body)
			}
			return 0, s.ended(err)
		}
		s.left = h.Size
	}
	n, err := s.in.Read(p[:min(len(p), s.left)])
	s.left -= n
	switch {
	case err == io.EOF && s.left == 0:
		err = nil // the next header finds the end, in its place
	case err == io.EOF:
		err = fmt.Errorf("%w: %d bytes are missing", ErrTruncated, s.left)
	}
	if err != nil {
		err = s.ended(err)
	}
	return n, err
}

type bulkWriter Stream

func (w *bulkWriter) Write(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		part := p[n:min(len(p), n+bulk)]
		if err := (*Stream)(w).send(part); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

// CloseWrite says that nothing more will be sent; reading goes on.
func (s *Stream) CloseWrite() error { return s.failed("close", s.raw.CloseWrite()) }

// Close ends both halves; what was sent still arrives.
func (s *Stream) Close() error {
	var err error
	s.once.Do(func() {
		s.stop()
		s.cancel()
		err = s.raw.Close()
	})
	if err != nil {
		return fmt.Errorf("p2p: close stream: %w", err)
	}
	return nil
}

// Reset gives the stream up at once, on both sides.
func (s *Stream) Reset() {
	s.once.Do(func() {
		s.stop()
		s.cancel()
		_ = s.raw.Reset()
	})
}

// pace is how long n bytes may take at the slowest pace.
func pace(n int) time.Duration { return time.Duration(n) * time.Second / slowest }

// pacer reads from a peer and runs out of patience: between messages after the
// idle time, within one as soon as the peer has made us wait for longer than the
// idle time plus what its bytes may take at the slowest pace. Only time spent in
// Read counts: a slow reader is not the peer's fault.
type pacer struct {
	raw    network.Stream
	idle   time.Duration
	strict bool          // within a message
	waited time.Duration // within this message
	got    int           // bytes of this message
}

func (p *pacer) between() { p.strict, p.waited, p.got = false, 0, 0 }
func (p *pacer) within()  { p.strict = true }

func (p *pacer) Read(b []byte) (int, error) {
	start, patience := time.Now(), p.idle
	if p.strict {
		patience = min(patience, p.idle+pace(p.got)-p.waited)
	}
	if err := p.raw.SetReadDeadline(start.Add(patience)); err != nil {
		return 0, err
	}
	n, err := p.raw.Read(b)
	p.got += n
	if p.strict {
		p.waited += time.Since(start)
	}
	return n, err
}
