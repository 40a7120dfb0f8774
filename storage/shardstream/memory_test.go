package shardstream_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/p2p/frame"
	"tally/storage"
	"tally/storage/shardstream"
)

var errReset = errors.New("memory: stream was reset")

// pipe is one direction of a stream: bytes in order, with a window.
type pipe struct {
	mu     sync.Mutex
	change *sync.Cond
	buf    []byte // guarded by mu
	total  int    // guarded by mu: written
	end    error  // guarded by mu: what a reader gets after buf
	broken bool   // guarded by mu
}

const window = 256 << 10

func newPipe() *pipe {
	p := &pipe{}
	p.change = sync.NewCond(&p.mu)
	return p
}

func (p *pipe) Write(b []byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(b) > 0 {
		for len(p.buf) >= window && !p.broken {
			p.change.Wait()
		}
		if p.broken || p.end != nil {
			return n, errReset
		}
		k := min(len(b), window-len(p.buf))
		p.buf = append(p.buf, b[:k]...)
		p.total += k
		b, n = b[k:], n+k
		p.change.Broadcast()
	}
	return n, nil
}

func (p *pipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.buf) == 0 && p.end == nil && !p.broken {
		p.change.Wait()
	}
	if p.broken {
		return 0, errReset
	}
	if len(p.buf) == 0 {
		return 0, p.end
	}
	n := copy(b, p.buf)
	p.buf = append(p.buf[:0], p.buf[n:]...)
	p.change.Broadcast()
	return n, nil
}

func (p *pipe) close(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end == nil {
		p.end = err
	}
	p.broken = p.broken || errors.Is(err, errReset)
	p.change.Broadcast()
}

// conn is a stream of frames in memory, as p2p's is over a network.
type conn struct {
	in, out *pipe
	r       *bufio.Reader
	left    int
}

func pair() (a, b *conn) {
	x, y := newPipe(), newPipe()
	return &conn{in: x, out: y, r: bufio.NewReader(x)}, &conn{in: y, out: x, r: bufio.NewReader(y)}
}

func (c *conn) Send(m []byte) error {
	b, err := frame.AppendHeader(nil, frame.Data, len(m))
	if err == nil {
		_, err = c.out.Write(append(b, m...))
	}
	return err
}

func (c *conn) Recv(max int) ([]byte, error) {
	if c.left > 0 {
		return nil, errors.New("memory: recv in the middle of a reader's frame")
	}
	kind, b, err := frame.Read(c.r, max)
	if err == nil && kind == frame.Error {
		return nil, errors.New("memory: peer gave up: " + string(b))
	}
	return b, err
}

func (c *conn) Reader() io.Reader { return reading{c} }
func (c *conn) Writer() io.Writer { return writing{c} }

type reading struct{ c *conn }

func (r reading) Read(p []byte) (int, error) {
	c := r.c
	for c.left == 0 {
		h, err := frame.ReadHeader(c.r, frame.Max)
		if err != nil {
			return 0, err
		}
		if h.Kind == frame.Error {
			return 0, errReset
		}
		c.left = h.Size
	}
	n, err := c.r.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

type writing struct{ c *conn }

func (w writing) Write(p []byte) (int, error) { return len(p), w.c.Send(p) }

func (c *conn) Close() error { c.out.close(io.EOF); return nil }
func (c *conn) Reset()       { c.out.close(errReset); c.in.close(errReset) }

// node serves streams of others.
type node func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error

// network is a network in memory: nodes by their names.
type network struct {
	t       testing.TB
	nodes   map[peer.ID]node
	holders []peer.ID

	mu     sync.Mutex
	opened map[peer.ID]int     // guarded by mu
	lines  map[peer.ID][]*pipe // guarded by mu: what a node wrote
	work   sync.WaitGroup
}

func newNetwork(t testing.TB) *network {
	n := &network{t: t, nodes: map[peer.ID]node{}, opened: map[peer.ID]int{}, lines: map[peer.ID][]*pipe{}}
	t.Cleanup(n.work.Wait)
	return n
}

// add makes a node that holders name.
func (n *network) add(name string, serve node) peer.ID {
	id := peer.ID(name)
	n.nodes[id] = serve
	n.holders = append(n.holders, id)
	return id
}

func (n *network) Holders(context.Context, cid.Cid) iter.Seq2[peer.ID, error] {
	return func(yield func(peer.ID, error) bool) {
		for _, p := range n.holders {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (n *network) Open(ctx context.Context, p peer.ID) (shardstream.Conn, error) {
	serve := n.nodes[p]
	if serve == nil {
		return nil, fmt.Errorf("memory: no node %s", p)
	}
	here, there := pair()
	n.mu.Lock()
	n.opened[p]++
	n.lines[p] = append(n.lines[p], there.out)
	n.mu.Unlock()
	stop := context.AfterFunc(ctx, there.Reset)
	n.work.Go(func() {
		defer stop()
		defer there.Reset()
		if err := serve(ctx, shardstream.Asker{Peer: "asker"}, there); err != nil {
			_, _ = there.out.Write(frame.AppendError(nil, 1, err.Error()))
		}
		_ = there.Close()
		_, _ = io.Copy(io.Discard, there.in) // until the asker has read the end
	})
	return here, nil
}

// times is how often a node's stream was opened.
func (n *network) times(p peer.ID) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.opened[p]
}

// sent is how many bytes a node wrote.
func (n *network) sent(p peer.ID) (sum int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.lines[p] {
		l.mu.Lock()
		sum += l.total
		l.mu.Unlock()
	}
	return sum
}

func noise(seed uint64, n int) []byte {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

func logger(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

func open(t testing.TB, dir string, change ...func(*storage.Config)) *storage.Store {
	t.Helper()
	c := storage.Config{Dir: dir, Logger: logger(t), Floor: -1}
	for _, f := range change {
		f(&c)
	}
	s, err := storage.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func importFile(t testing.TB, s *storage.Store, b []byte) storage.Shard {
	t.Helper()
	sh, err := s.ImportFile(t.Context(), bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return sh
}

func file(t testing.TB, s *storage.Store, root cid.Cid) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.ExportCAR(t.Context(), root, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func server(t testing.TB, s *storage.Store, change ...func(*shardstream.ServerConfig)) *shardstream.Server {
	t.Helper()
	c := shardstream.ServerConfig{Store: s, Logger: logger(t)}
	for _, f := range change {
		f(&c)
	}
	v, err := shardstream.NewServer(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func fetcher(t testing.TB, s *storage.Store, n shardstream.Network, change ...func(*shardstream.Config)) *shardstream.Fetcher {
	t.Helper()
	c := shardstream.Config{Store: s, Network: n, Logger: logger(t), Stall: time.Minute, NoBlocks: true}
	for _, f := range change {
		f(&c)
	}
	f, err := shardstream.NewFetcher(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// blamed counts who was named for wrong data.
type blamed struct {
	mu sync.Mutex
	n  map[peer.ID]int // guarded by mu
}

func (b *blamed) into(c *shardstream.Config) {
	b.n = map[peer.ID]int{}
	c.Wrong = func(p peer.ID, _ error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.n[p]++
	}
}

func (b *blamed) only(t *testing.T, ps ...peer.ID) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range ps {
		if b.n[p] != 1 {
			t.Errorf("%s was named %d times", p, b.n[p])
		}
	}
	if len(b.n) != len(ps) {
		t.Errorf("named: %v, want %v", b.n, ps)
	}
}

// filter changes what a node writes as raw bytes.
type filter struct {
	shardstream.Conn
	write func(p []byte, to io.Writer) (int, error)
}

func (f filter) Writer() io.Writer { return f }

func (f filter) Write(p []byte) (int, error) { return f.write(p, f.Conn.Writer()) }

// flips serves as v does, but one bit of each byte range from the n-th write on.
func flips(v *shardstream.Server, n int64) node {
	var writes atomic.Int64
	return func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error {
		return v.Serve(ctx, from, filter{c, func(p []byte, to io.Writer) (int, error) {
			if writes.Add(1) >= n {
				p = bytes.Clone(p)
				p[len(p)/2] ^= 4
			}
			return to.Write(p)
		}})
	}
}

// renamed is a stream on which who asks for one shard is served another.
type renamed struct {
	shardstream.Conn
	asked, served storage.Shard
}

func (r renamed) Recv(max int) ([]byte, error) {
	b, err := r.Conn.Recv(max)
	return bytes.ReplaceAll(b, r.asked.Root.Bytes(), r.served.Root.Bytes()), err
}

// swap is an exchange with one other store.
type swap struct{ from *storage.Store }

func (x swap) GetBlock(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	b, err := x.from.GetBlock(ctx, c)
	if err != nil {
		return nil, err
	}
	return blocks.NewBlockWithCid(b, c)
}

func (x swap) GetBlocks(ctx context.Context, cs []cid.Cid) (<-chan blocks.Block, error) {
	out := make(chan blocks.Block, len(cs))
	defer close(out)
	for _, c := range cs {
		b, err := x.GetBlock(ctx, c)
		if err != nil {
			return nil, err
		}
		out <- b
	}
	return out, nil
}
