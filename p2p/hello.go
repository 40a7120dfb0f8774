package p2p

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"

	"tally/p2p/frame"
)

// ErrNetwork says that a peer is of another network, or of none.
var ErrNetwork = errors.New("p2p: peer of another network: compare the networks' names and the bootstrap list")

// helloProtocol is the one protocol that does not name the network: on it two
// nodes find out whether they share one. Each side sends one data frame, the
// name of its network; the dialer first.
const (
	helloProtocol protocol.ID = "/tally/hello/1"
	helloTimeout              = 10 * time.Second
	helloMax                  = 64
)

// greeter says hello on every connection and ends those of other networks.
type greeter struct {
	host    host.Host
	network string
	log     *slog.Logger
	ctx     context.Context // ends with close
	cancel  context.CancelFunc
	work    sync.WaitGroup // greetings under way

	mu        sync.Mutex
	closed    bool                 // guarded by mu
	greetings map[string]*greeting // guarded by mu; by connection ID, one each
	refused   []refusal            // guarded by mu; the latest, for dialers who come late
}

// refusal is why a connection ended that may be gone before its dialer asks.
type refusal struct {
	peer peer.ID
	err  error
	at   time.Time
}

const maxRefusals = 64

// greeting is the state of one connection.
type greeting struct {
	conn network.Conn
	done chan struct{} // closed when err is final
	once sync.Once
	err  error // written before done is closed
}

func newGreeter(ctx context.Context, h host.Host, name string, log *slog.Logger) *greeter {
	g := &greeter{host: h, network: name, log: log, greetings: make(map[string]*greeting)}
	g.ctx, g.cancel = context.WithCancel(context.WithoutCancel(ctx))
	h.SetStreamHandler(helloProtocol, g.answer)
	h.Network().Notify(&network.NotifyBundle{
		ConnectedF:    func(_ network.Network, c network.Conn) { g.connected(c) },
		DisconnectedF: func(_ network.Network, c network.Conn) { g.disconnected(c) },
	})
	return g
}

func (g *greeter) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.cancel()
	g.work.Wait()
}

// begin takes part in work unless the greeter is closing.
func (g *greeter) begin() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.work.Add(1)
	return true
}

// of returns the greeting of a connection, making it when the swarm knows of
// the connection before its notification came. Nil means that it is closed.
func (g *greeter) of(c network.Conn) *greeting {
	g.mu.Lock()
	defer g.mu.Unlock()
	gr := g.greetings[c.ID()]
	if gr == nil && !c.IsClosed() { // closed first, notified after: no entry outlives its connection
		gr = &greeting{conn: c, done: make(chan struct{})}
		g.greetings[c.ID()] = gr
	}
	return gr
}

func (g *greeter) connected(c network.Conn) {
	gr := g.of(c)
	if gr == nil || !g.begin() {
		return
	}
	defer g.work.Done()
	if c.Stat().Direction == network.DirOutbound {
		g.work.Go(func() { g.greet(gr) })
		return
	}
	g.work.Go(func() {
		timer := time.NewTimer(helloTimeout)
		defer timer.Stop()
		select {
		case <-gr.done:
		case <-g.ctx.Done():
		case <-timer.C:
			g.finish(gr, fmt.Errorf("%w: it said no hello in %s", ErrNetwork, helloTimeout))
		}
	})
}

func (g *greeter) disconnected(c network.Conn) {
	g.mu.Lock()
	gr := g.greetings[c.ID()]
	delete(g.greetings, c.ID())
	g.mu.Unlock()
	if gr != nil {
		g.finish(gr, fmt.Errorf("%w: connection lost", ErrUnreachable))
	}
}

// finish settles a greeting once; an error ends its connection.
func (g *greeter) finish(gr *greeting, err error) {
	gr.once.Do(func() {
		gr.err = err
		defer close(gr.done)
		if err == nil {
			return
		}
		if errors.Is(err, ErrNetwork) {
			g.remember(gr.conn.RemotePeer(), err)
			g.log.Warn("peer refused", "peer", gr.conn.RemotePeer(), "addr", gr.conn.RemoteMultiaddr(), "err", err)
		}
		_ = gr.conn.CloseWithError(network.ConnGated)
	})
}

func (g *greeter) remember(id peer.ID, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.refused) == maxRefusals {
		g.refused = slices.Delete(g.refused, 0, 1)
	}
	g.refused = append(g.refused, refusal{id, err, time.Now()})
}

// lost says why there is no connection to a peer that was connected a moment ago.
func (g *greeter) lost(id peer.ID) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range slices.Backward(g.refused) {
		if r.peer == id && time.Since(r.at) < helloTimeout {
			return r.err
		}
	}
	return fmt.Errorf("%w: connection lost", ErrUnreachable)
}

// greet is the dialer's half.
func (g *greeter) greet(gr *greeting) {
	ctx, cancel := context.WithTimeout(g.ctx, helloTimeout)
	defer cancel()
	g.finish(gr, g.sayHello(ctx, gr.conn))
}

func (g *greeter) sayHello(ctx context.Context, c network.Conn) error {
	// A stream of this very connection: another one to the peer proves nothing about it.
	s, err := c.NewStream(ctx)
	if err != nil {
		return fmt.Errorf("%w: hello: %w", ErrUnreachable, err)
	}
	defer func() { _ = s.Reset() }()
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	defer stop()
	if err := s.SetProtocol(helloProtocol); err != nil {
		return fmt.Errorf("%w: hello: %w", ErrUnreachable, err)
	}
	err = multistream.SelectProtoOrFail(helloProtocol, s)
	if errors.Is(err, multistream.ErrNotSupported[protocol.ID]{}) {
		return fmt.Errorf("%w: it does not speak %s: %w", ErrNetwork, helloProtocol, err)
	}
	if err != nil {
		return fmt.Errorf("%w: hello: %w", ErrUnreachable, err)
	}
	if err := g.send(s); err != nil {
		return fmt.Errorf("%w: hello: %w", ErrUnreachable, err)
	}
	name, err := g.receive(s)
	if err != nil {
		return fmt.Errorf("%w: hello: %w", ErrUnreachable, err)
	}
	_ = s.CloseWrite() // lets a refusing peer know that we have read why
	return g.judge(name)
}

// answer is the listener's half.
func (g *greeter) answer(s network.Stream) {
	if !g.begin() {
		_ = s.Reset()
		return
	}
	defer g.work.Done()
	defer func() { _ = s.Reset() }()
	stop := context.AfterFunc(g.ctx, func() { _ = s.Reset() })
	defer stop()
	gr := g.of(s.Conn())
	if gr == nil {
		return
	}
	if err := s.SetDeadline(time.Now().Add(helloTimeout)); err != nil {
		return
	}
	name, err := g.receive(s)
	if err != nil {
		g.finish(gr, fmt.Errorf("%w: bad hello: %w", ErrNetwork, err))
		return
	}
	if err := g.send(s); err != nil {
		return // the timer ends it
	}
	verdict := g.judge(name)
	if verdict == nil {
		g.finish(gr, nil)
		_ = s.CloseWrite()
	}
	// Wait for the dialer to have read our name before the connection goes.
	var one [1]byte
	_, _ = s.Read(one[:])
	g.finish(gr, verdict)
}

func (g *greeter) send(s network.Stream) error {
	b, err := frame.AppendHeader(nil, frame.Data, len(g.network))
	if err != nil {
		return err
	}
	_, err = s.Write(append(b, g.network...))
	return err
}

func (g *greeter) receive(s network.Stream) (string, error) {
	k, name, err := frame.Read(bufio.NewReaderSize(s, helloMax), helloMax)
	if err != nil {
		return "", err
	}
	if k != frame.Data {
		return "", frame.ErrMalformed
	}
	return string(name), nil
}

func (g *greeter) judge(name string) error {
	if name != g.network {
		return fmt.Errorf("%w: it is of %q, this node of %q", ErrNetwork, frame.Clean(name), g.network)
	}
	return nil
}

// peers lists those who said the right hello.
func (g *greeter) peers() []peer.ID {
	g.mu.Lock()
	defer g.mu.Unlock()
	seen := make(map[peer.ID]bool)
	var out []peer.ID
	for _, gr := range g.greetings {
		id := gr.conn.RemotePeer()
		if gr.settled() == nil && !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

var errPending = errors.New("p2p: hello is under way")

func (gr *greeting) settled() error {
	select {
	case <-gr.done:
		return gr.err
	default:
		return errPending
	}
}

// wait returns nil once one connection to a peer has been greeted, or why none was.
func (g *greeter) wait(ctx context.Context, id peer.ID) error {
	var open []*greeting
	for _, c := range g.host.Network().ConnsToPeer(id) {
		if gr := g.of(c); gr != nil {
			open = append(open, gr)
		}
	}
	for _, gr := range open {
		if gr.settled() == nil {
			return nil
		}
	}
	err := g.lost(id)
	for _, gr := range open {
		select {
		case <-gr.done:
			if gr.err == nil {
				return nil
			}
			err = gr.err
		case <-ctx.Done():
			return fmt.Errorf("%w: hello: %w", ErrUnreachable, context.Cause(ctx))
		}
	}
	return err
}
