package p2p

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/p2p/frame"
)

const (
	// linger and lingerBytes bound how long a failed handler's stream is drained,
	// so that a peer in the middle of sending gets to read why it was refused.
	linger      = 2 * time.Second
	lingerBytes = 2 * frame.Max
)

// handler is one protocol that a host serves.
type handler struct {
	name   string
	limits Limits
	serve  func(context.Context, peer.ID, *Stream) error

	mu    sync.Mutex
	total int             // guarded by mu; streams open
	peers map[peer.ID]int // guarded by mu; streams open by peer, no zeros
}

// Handle serves the protocol /tally/<network>/<name>/1 with fn, which runs once
// for each stream that a peer opens, in a goroutine of its own. ctx ends with
// the host, or when the stream's time is over; the stream then fails, and fn
// must return. What fn returns, if not nil, reaches the peer as a *RemoteError
// (its text, so fn says what a stranger may read). Streams over the limits are
// answered with ErrBusy and never reach fn. A name is served once.
func (h *Host) Handle(name string, l Limits, fn func(context.Context, peer.ID, *Stream) error) error {
	if !protocolName.MatchString(name) {
		return fmt.Errorf("p2p: handle %q: want lower-case letters, digits, dots, dashes and slashes", name)
	}
	p := &handler{name: name, limits: l.withDefaults(), serve: fn, peers: make(map[peer.ID]int)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return fmt.Errorf("p2p: handle %q: %w", name, ErrClosed)
	}
	if h.handlers[name] != nil {
		return fmt.Errorf("p2p: handle %q: it is served already", name)
	}
	h.handlers[name] = p
	h.host.SetStreamHandler(h.protocolID(name), func(raw network.Stream) { h.serve(p, raw) })
	return nil
}

func (h *Host) serve(p *handler, raw network.Stream) {
	if !h.begin() {
		_ = raw.Reset()
		return
	}
	defer h.work.Done()
	s := newStream(h.ctx, raw, p.limits)
	defer s.Reset()
	id := s.Remote()
	if err := p.admit(id); err != nil {
		h.metrics.refused.WithLabelValues(p.name).Inc()
		s.refuse(codeBusy, err)
		return
	}
	defer p.release(id)
	if err := p.serve(s.ctx, id, s); err != nil {
		h.metrics.streams.WithLabelValues(p.name, "error").Inc()
		h.log.Debug("stream failed", "protocol", p.name, "peer", id, "err", err)
		s.refuse(codeHandler, err)
		return
	}
	h.metrics.streams.WithLabelValues(p.name, "ok").Inc()
	_ = s.Close()
}

func (p *handler) admit(id peer.ID) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.peers[id] >= p.limits.PerPeer {
		return fmt.Errorf("at most %d streams of one peer to %s", p.limits.PerPeer, p.name)
	}
	if p.total >= p.limits.Streams {
		return fmt.Errorf("at most %d streams to %s", p.limits.Streams, p.name)
	}
	p.total++
	p.peers[id]++
	return nil
}

func (p *handler) release(id peer.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total--
	if p.peers[id]--; p.peers[id] == 0 {
		delete(p.peers, id)
	}
}

// refuse sends the final error and gives the peer a moment to read it.
func (s *Stream) refuse(code byte, why error) {
	if remote, ok := errors.AsType[*RemoteError](why); ok && remote.Peer == s.Remote() {
		return // the peer gave up itself: nothing to tell it
	}
	deadline := time.Now().Add(linger)
	if s.raw.SetDeadline(deadline) != nil {
		return
	}
	if _, err := s.raw.Write(frame.AppendError(nil, code, why.Error())); err != nil {
		return
	}
	if s.raw.CloseWrite() != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, s.raw, lingerBytes)
	_ = s.Close()
}

// Open starts a stream of protocol /tally/<network>/<name>/1 with a peer,
// connecting first if need be. The stream lives at most as long as ctx. That a
// peer does not serve the protocol may show only at the first Recv.
func (h *Host) Open(ctx context.Context, id peer.ID, name string) (*Stream, error) {
	return h.OpenWith(ctx, id, name, Limits{})
}

// OpenWith is Open with limits of one's own; PerPeer and Streams are the
// handler's business.
func (h *Host) OpenWith(ctx context.Context, id peer.ID, name string, l Limits) (*Stream, error) {
	s, err := h.open(ctx, id, name, l.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("open %s with %s: %w", name, id, err)
	}
	return s, nil
}

func (h *Host) open(ctx context.Context, id peer.ID, name string, l Limits) (*Stream, error) {
	if !protocolName.MatchString(name) {
		return nil, fmt.Errorf("%w: no such name", ErrUnsupported)
	}
	if err := h.connect(ctx, peer.AddrInfo{ID: id}); err != nil {
		return nil, err
	}
	dial, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	raw, err := h.host.NewStream(dial, id, h.protocolID(name))
	if err != nil {
		return nil, classify(err)
	}
	// The caller's context governs; the host's own end closes the connection.
	return newStream(ctx, raw, l), nil
}

// Call sends one request and returns the one answer, of at most max bytes; max
// 0 stands for 4 MiB. It waits for the answer until the deadline of ctx, or for
// 30 s if ctx has none.
func (h *Host) Call(ctx context.Context, id peer.ID, name string, request []byte, max int) ([]byte, error) {
	l := Limits{Frame: frame.Max}
	if deadline, ok := ctx.Deadline(); ok {
		l.Idle = time.Until(deadline)
	}
	s, err := h.OpenWith(ctx, id, name, l)
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	sent := s.Send(request)
	if sent == nil {
		sent = s.CloseWrite()
	}
	if sent != nil {
		// A peer that refuses stops reading, but may have said why.
		s.SetIdle(time.Second)
		if _, err := s.Recv(max); err != nil {
			if remote, ok := errors.AsType[*RemoteError](err); ok {
				return nil, remote
			}
		}
		return nil, sent
	}
	answer, err := s.Recv(max)
	if err == io.EOF {
		return nil, fmt.Errorf("p2p: call %s of %s: %w: no answer", name, id, ErrTruncated)
	}
	if err != nil {
		return nil, err
	}
	_ = s.Close()
	return answer, nil
}
