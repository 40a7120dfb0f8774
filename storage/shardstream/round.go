package shardstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/protocol/piece"
	"tally/storage"
)

const (
	// maxAhead is how many spans a source is asked for ahead of its answers. It
	// begins with one and gets one more with each span, so that a slow source
	// holds up little.
	maxAhead = 8
	// checkers is how many spans are hashed at once, over all sources of a fetch.
	checkers = 3
)

var (
	// errRival says that a source's outline is another than the round's.
	errRival = errors.New("shardstream: another outline")
	// errUseless says that a source's outline cannot be adopted.
	errUseless = errors.New("shardstream: this outline is of no use")
)

// round is the part of a fetch that believes one outline.
type round struct {
	t       *fetch
	refused map[claim]bool // never changes
	ended   chan ended
	over    chan struct{} // closed when the shard is whole or wrong, or something broke here
	check   chan struct{} // a token for each span that is hashed

	active int // owned by fetch.run: sources started and not heard of

	adopting sync.Mutex // held while an outline is compared or adopted; taken before mu

	mu      sync.Mutex
	outline *claim            // guarded by mu: nil until one is adopted
	queue   *queue            // guarded by mu: of the outline
	vouched []peer.ID         // guarded by mu: who sent the outline
	got     map[*source]int   // guarded by mu: spans that came from a source
	bad     map[*source]error // guarded by mu: sources that sent wrong data
	fatal   error             // guarded by mu: what broke here
	done    bool              // guarded by mu: the assembly is whole, or wrong
	closed  bool              // guarded by mu: over is closed

	waiter sync.WaitGroup // the goroutine that waits for the assembly
}

// source is a candidate that is asked.
type source struct {
	c       *candidate
	datanet cid.Cid // whose it says the shard is; set before a span is asked for
}

func newRound(t *fetch) *round {
	return &round{
		t: t, refused: maps.Clone(t.refused),
		ended: make(chan ended, maxCandidates), over: make(chan struct{}), check: make(chan struct{}, checkers),
		got: map[*source]int{}, bad: map[*source]error{},
	}
}

// start asks a candidate, after a pause if it failed before.
func (r *round) start(ctx context.Context, c *candidate) {
	c.state = running
	r.active++
	s := &source{c: c}
	pause := time.Duration(0)
	if c.tries > 0 {
		pause = 250 * time.Millisecond << c.tries
	}
	go func() {
		select {
		case <-time.After(pause):
			r.ended <- ended{s, r.ask(ctx, s)}
		case <-ctx.Done():
			r.ended <- ended{s, ctx.Err()}
		}
	}()
}

// ask reads from a source until nothing is wanted or it fails.
func (r *round) ask(ctx context.Context, s *source) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := r.t.f.c.Network.Open(ctx, s.c.id)
	if err != nil {
		return fmt.Errorf("open stream: %w", err)
	}
	defer conn.Reset()
	stop := context.AfterFunc(ctx, conn.Reset)
	defer stop()
	k := &client{conn: conn, stall: r.t.f.c.Stall, down: r.t.f.c.Down}
	o, datanet, err := r.t.enter(ctx, k)
	if err != nil {
		return fmt.Errorf("ask what the shard is: %w", err)
	}
	s.datanet = datanet
	q, err := r.believe(ctx, s, o)
	if err != nil {
		return err
	}
	defer q.lost(s)
	if err := r.read(ctx, s, k, q); err != nil {
		return err
	}
	_ = conn.Close()
	return nil
}

// believe adopts the outline of the first source, and compares those of others.
func (r *round) believe(ctx context.Context, s *source, o storage.Outline) (*queue, error) {
	t, this := r.t, claim{o.Piece, o.Size}
	if err := o.Check(storage.DefaultMaxShard); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	if !t.w.is(o.Piece, o.Size) {
		if t.w.Piece == (piece.Hash{}) {
			return nil, fmt.Errorf("outline of %d bytes, want %d: %w", o.Size, t.w.Size, errUseless)
		}
		return nil, fmt.Errorf("outline of %d bytes, piece root %x: %w", o.Size, o.Piece, ErrWrong)
	}
	if r.refused[this] {
		return nil, fmt.Errorf("outline of %d bytes, given up before: %w", o.Size, errUseless)
	}
	r.adopting.Lock()
	defer r.adopting.Unlock()
	r.mu.Lock()
	have := r.outline
	r.mu.Unlock()
	if have == nil {
		if err := r.adopt(ctx, o); err != nil {
			return nil, err
		}
	} else if *have != this {
		return nil, fmt.Errorf("outline of %d bytes: %w", o.Size, errRival)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.vouched = append(r.vouched, s.c.id)
	return r.queue, nil
}

// adopt makes an outline the round's. Room for all of it is reserved here. Where the
// piece root is known, a lack of room ends the fetch; where not, it may be that of a
// lie, and the outline alone is of no use.
func (r *round) adopt(ctx context.Context, o storage.Outline) error {
	t := r.t
	err := t.a.Adopt(ctx, o)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return ctx.Err()
	case t.w.Piece == (piece.Hash{}) && (noRoom(err) || errors.Is(err, storage.ErrTooLarge)):
		return fmt.Errorf("%w: %w", errUseless, err)
	default:
		r.fail(err)
		return err
	}
	n, bytes := t.a.Spans()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outline, r.queue = &claim{o.Piece, o.Size}, newQueue(n, t.a.Have)
	t.progress(bytes, o.Size)
	done := t.a.Done()
	r.waiter.Go(func() {
		select {
		case <-done:
			r.mu.Lock()
			r.done = true
			r.mu.Unlock()
			r.close()
		case <-r.over:
		}
	})
	return nil
}

// read takes spans from a source until none is wanted.
func (r *round) read(ctx context.Context, s *source, k *client, q *queue) error {
	var checks sync.WaitGroup
	defer checks.Wait()
	a := r.t.a
	var asked []int
	for came := 0; ; came++ {
		for len(asked) < min(maxAhead, 1+came) {
			i, ok := q.next(s, len(asked) == 0)
			if !ok {
				break
			}
			off, n := a.Span(i)
			if err := k.ask(request{Op: opRange, Root: r.t.w.Root, At: off, Count: uint64(n)}); err != nil {
				return err
			}
			asked = append(asked, i)
		}
		if len(asked) == 0 {
			return nil
		}
		i := asked[0]
		asked = asked[1:]
		_, n := a.Span(i)
		buf := a.Buffer()[:n]
		if err := k.fill(ctx, buf); err != nil {
			a.Drop(buf)
			return err
		}
		select {
		case r.check <- struct{}{}:
		case <-ctx.Done():
			a.Drop(buf)
			return ctx.Err()
		}
		checks.Go(func() {
			defer func() { <-r.check }()
			r.deliver(ctx, s, k.conn, q, i, buf)
		})
	}
}

// deliver checks and keeps a span that came from a source.
func (r *round) deliver(ctx context.Context, s *source, conn Conn, q *queue, i int, buf []byte) {
	_, err := r.t.a.Put(i, buf)
	switch {
	case errors.Is(err, storage.ErrCorrupt):
		r.mu.Lock()
		r.bad[s] = fmt.Errorf("%w: %w", ErrWrong, err)
		r.mu.Unlock()
		conn.Reset()
		return
	case err != nil:
		r.fail(err)
		return
	}
	if spans, _ := r.of(s); spans == 0 {
		r.t.told(ctx, s.datanet)
	}
	q.came(i)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got[s]++
	_, bytes := r.t.a.Spans()
	r.t.progress(bytes, r.outline.size)
}

// fail ends the round by what broke on this side.
func (r *round) fail(err error) {
	r.mu.Lock()
	if r.fatal == nil {
		r.fatal = err
	}
	r.mu.Unlock()
	r.close()
}

// close ends the round. It may be called again.
func (r *round) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		close(r.over)
	}
	if r.queue != nil {
		r.queue.end()
	}
}

// complete says that every span is here, if not yet every block read.
func (r *round) complete() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.queue != nil && r.queue.none()
}

// of returns what came from a source.
func (r *round) of(s *source) (spans int, wrong error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got[s], r.bad[s]
}
