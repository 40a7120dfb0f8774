package markettest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"tally/compute/market"
)

// ErrDown says that a node cannot be reached.
var ErrDown = errors.New("markettest: peer is down")

// pipe is one direction of a stream.
type pipe struct {
	messages chan []byte
	closed   chan struct{} // no more will be sent; what was sent still arrives
	once     sync.Once
}

func newPipe() *pipe { return &pipe{messages: make(chan []byte, 64), closed: make(chan struct{})} }

func (p *pipe) close() { p.once.Do(func() { close(p.closed) }) }

// conn is one end of a stream.
type conn struct {
	w             *World
	local, remote common.Address
	in, out       *pipe
	gone          chan struct{} // closed by Close of this end, or when a node dies
	once          sync.Once
	untrack       func()
}

func (c *conn) Remote() common.Address { return c.remote }

func (c *conn) Send(message []byte) error {
	message, ok := c.w.tampered(c.local, c.remote, append([]byte(nil), message...))
	if !ok {
		_ = c.Close()
		return io.ErrClosedPipe
	}
	select {
	case <-c.gone:
		return io.ErrClosedPipe
	case <-c.in.closed: // the peer has closed both directions
		return io.ErrClosedPipe
	default:
	}
	select {
	case c.out.messages <- message:
		return nil
	case <-c.gone:
		return io.ErrClosedPipe
	case <-c.in.closed:
		return io.ErrClosedPipe
	}
}

func (c *conn) Recv(max int) ([]byte, error) {
	select {
	case <-c.gone:
		return nil, io.ErrClosedPipe
	default:
	}
	select {
	case m := <-c.in.messages:
		return sized(m, max)
	case <-c.gone:
		return nil, io.ErrClosedPipe
	case <-c.in.closed:
		select {
		case m := <-c.in.messages:
			return sized(m, max)
		default:
			return nil, io.EOF
		}
	}
}

func sized(m []byte, max int) ([]byte, error) {
	if len(m) > max {
		return nil, fmt.Errorf("markettest: a message of %d bytes, at most %d", len(m), max)
	}
	return m, nil
}

func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.gone)
		c.out.close()
		c.untrack()
	})
	return nil
}

// Handler serves one stream, as market's Serve methods do.
type Handler func(context.Context, market.Conn) error

// Streams opens streams in the name of a node.
type Streams struct{ n *Node }

// Open connects to a living peer that serves name.
func (s Streams) Open(ctx context.Context, peer common.Address, name string) (market.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w := s.n.w
	w.mu.Lock()
	other := w.nodes[peer]
	w.mu.Unlock()
	if other == nil || other == s.n {
		return nil, ErrDown
	}
	a, b := newPipe(), newPipe()
	mine := &conn{w: w, local: s.n.Address, remote: peer, in: a, out: b, gone: make(chan struct{})}
	theirs := &conn{w: w, local: peer, remote: s.n.Address, in: b, out: a, gone: make(chan struct{})}
	if !s.n.track(mine) {
		return nil, ErrDown
	}
	if !other.serve(name, theirs) {
		_ = mine.Close()
		return nil, ErrDown
	}
	return mine, nil
}
