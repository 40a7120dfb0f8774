package market

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/compute/market/wire"
)

// sendLimit is how long a peer may leave a frame unread before it is given up.
const sendLimit = time.Minute

// link is a Conn on which one goroutine reads ahead, so that a wait can have a
// deadline and work ends when the peer goes away.
type link struct {
	conn   Conn
	mu     sync.Mutex      // held while sending: a heartbeat may speak beside the work
	ctx    context.Context // ends when reading does; its cause says why
	frames chan wire.Body  // filled by read, which ends ctx after the last
	ended  chan struct{}   // closed when read returns
	quit   context.CancelCauseFunc
}

// newLink takes conn over. Reading ends with ctx.
func newLink(ctx context.Context, conn Conn) *link {
	l := &link{conn: conn, frames: make(chan wire.Body, 2), ended: make(chan struct{})}
	l.ctx, l.quit = context.WithCancelCause(ctx)
	context.AfterFunc(l.ctx, func() { _ = conn.Close() })
	go l.read()
	return l
}

func (l *link) read() {
	defer close(l.ended)
	for {
		b, err := l.conn.Recv(wire.MaxFrame)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("the peer closed the stream")
			}
			l.quit(fmt.Errorf("%w: %w", ErrLost, err))
			return
		}
		body, err := wire.Unmarshal(b)
		if err != nil {
			l.quit(fmt.Errorf("%w: %w", ErrPeer, err))
			return
		}
		if _, is := body.(*wire.Alive); is {
			continue
		}
		select {
		case l.frames <- body:
		case <-l.ctx.Done():
			return
		}
	}
}

// close ends the stream and waits for the reader.
func (l *link) close() {
	l.quit(ErrClosed)
	_ = l.conn.Close()
	<-l.ended
}

func (l *link) remote() common.Address { return l.conn.Remote() }

func (l *link) send(b wire.Body) error {
	raw, err := wire.Marshal(b)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t := time.AfterFunc(sendLimit, func() { l.quit(fmt.Errorf("%w: the peer does not read", ErrStalled)) })
	defer t.Stop()
	if err := l.conn.Send(raw); err != nil {
		return fmt.Errorf("%w: send: %w", ErrLost, err)
	}
	return nil
}

// recv waits at most d for the next frame.
func (l *link) recv(ctx context.Context, d time.Duration) (wire.Body, error) {
	select {
	case b := <-l.frames: // what has arrived counts, whatever else has happened
		return b, nil
	default:
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case b := <-l.frames:
		return b, nil
	case <-l.ctx.Done():
		select {
		case b := <-l.frames: // read before the stream ended
			return b, nil
		default:
			return nil, context.Cause(l.ctx)
		}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-t.C:
		return nil, fmt.Errorf("%w: nothing for %s", ErrStalled, d)
	}
}

// Failure is what a peer said when it gave up.
type Failure struct {
	Code    wire.Code
	Reason  string
	Receipt []byte // of CodeUnsettled
}

func (f *Failure) Error() string { return fmt.Sprintf("market: peer: %s: %s", f.Code, f.Reason) }

// expect waits for a frame of one type; a Fail comes out as a *Failure.
func expect[T any, P interface {
	*T
	wire.Body
}](ctx context.Context, l *link, d time.Duration) (P, error) {
	b, err := l.recv(ctx, d)
	if err != nil {
		return nil, err
	}
	if p, ok := b.(P); ok {
		return p, nil
	}
	return nil, unexpected(b)
}

func unexpected(b wire.Body) error {
	if f, ok := b.(*wire.Fail); ok {
		return &Failure{f.Code, f.Reason, f.Receipt}
	}
	return fmt.Errorf("%w: a frame %T out of turn", ErrPeer, b)
}

// fail tells the peer why this side gives up, and returns the reason.
func (l *link) fail(code wire.Code, err error) error {
	// The peer may be gone already; then it needs no reason.
	_ = l.send(&wire.Fail{Code: code, Reason: clip(err.Error(), 1024)})
	return err
}

// heartbeat sends b now and then every so often, until the returned func is
// called or the stream is lost. stop returns when nothing more is sent; it is
// called by one goroutine, as often as that likes.
func (l *link) heartbeat(b wire.Body, every time.Duration) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(every)
		defer t.Stop()
		for l.send(b) == nil {
			select {
			case <-t.C:
			case <-end:
				return
			}
		}
	}()
	var stopped bool
	return func() {
		if !stopped {
			stopped = true
			close(end)
			<-ended
		}
	}
}

// clip shortens s to at most n bytes of UTF-8, at a rune.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
