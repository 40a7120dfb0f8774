package shardstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	aim     *claim         // the only outline that is adopted, if not nil; never changes
	proven  []piece.Hash   // the layer's beginning, if it is known for certain; never changes
	ended   chan ended
	over    chan struct{} // closed when the shard is whole or wrong, or something broke here
	check   chan struct{} // a token for each span that is hashed

	sources map[*source]struct{} // owned by fetch.run: started and not heard of
	began   int                  // owned by fetch.run: spans walked when the outline's turn began
	last    int                  // owned by fetch.run: spans walked at the last tick
	ticks   int                  // owned by fetch.run: of this turn; -1 before the first with an outline
	yielded bool                 // owned by fetch.run: it gave way to another outline

	adopting sync.Mutex // held while an outline is compared or adopted; taken before mu

	mu      sync.Mutex
	outline *claim            // guarded by mu: nil until one is adopted
	layer   []piece.Hash      // guarded by mu: of the outline
	had     int               // guarded by mu: spans that were here from the first on when it was adopted
	queue   *queue            // guarded by mu: of the outline
	vouched []peer.ID         // guarded by mu: who sent the outline
	joined  map[*source]bool  // guarded by mu: who is asked for spans
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
	stop    context.CancelFunc
	datanet cid.Cid // whose it says the shard is; set before a span is asked for
	claim   claim   // its outline; set before it ends with errRival

	ticks int  // owned by fetch.run: since it was started
	spans int  // owned by fetch.run: that had come at the last tick
	fresh int  // owned by fetch.run: of these, since the tick before
	off   bool // owned by fetch.run: it was stopped for others to be asked
}

func newRound(t *fetch) *round {
	return &round{
		t: t, refused: maps.Clone(t.refused), aim: t.aim, proven: t.proven, ticks: -1,
		ended: make(chan ended, maxCandidates), over: make(chan struct{}), check: make(chan struct{}, checkers),
		sources: map[*source]struct{}{}, joined: map[*source]bool{}, got: map[*source]int{}, bad: map[*source]error{},
	}
}

// start asks a candidate, after a pause if it failed before.
func (r *round) start(ctx context.Context, c *candidate) {
	ctx, cancel := context.WithCancel(ctx)
	c.state = running
	s := &source{c: c, stop: cancel}
	r.sources[s] = struct{}{}
	pause := time.Duration(0)
	if c.tries > 0 {
		pause = 250 * time.Millisecond << c.tries
	}
	go func() {
		defer cancel()
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

// believe adopts the outline of the first source, or the one that the round is for, and
// compares those of others.
func (r *round) believe(ctx context.Context, s *source, o storage.Outline) (*queue, error) {
	t, this := r.t, claim{o.Piece, o.Size}
	if err := o.Check(storage.DefaultMaxShard); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	if !t.w.is(o.Piece, o.Size) {
		// Who is wrong, the source or who named the piece, is not known.
		return nil, fmt.Errorf("outline of %d bytes, piece root %x, want %d and %x: %w", o.Size, o.Piece, t.w.Size, t.w.Piece, errUseless)
	}
	if n := min(len(o.Layer), len(r.proven)); !slices.Equal(o.Layer[:n], r.proven[:n]) || n < len(r.proven) {
		return nil, fmt.Errorf("outline of %d bytes that leaves out what is the shard's: %w", o.Size, ErrWrong)
	}
	if r.refused[this] {
		return nil, fmt.Errorf("outline of %d bytes, given up before: %w", o.Size, errUseless)
	}
	s.claim = this
	if r.aim != nil && *r.aim != this {
		return nil, fmt.Errorf("outline of %d bytes: %w", o.Size, errRival)
	}
	r.adopting.Lock()
	defer r.adopting.Unlock()
	r.mu.Lock()
	have := r.outline
	r.mu.Unlock()
	if have == nil {
		if err := r.adopt(ctx, o, false); err != nil {
			return nil, err
		}
	} else if *have != this {
		return nil, fmt.Errorf("outline of %d bytes: %w", o.Size, errRival)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.vouched = append(r.vouched, s.c.id)
	r.joined[s] = true
	return r.queue, nil
}

// adopt makes an outline the round's. Room for all of it is reserved here. Where the
// piece root is known, a lack of room ends the fetch; where not, it may be that of a
// lie, and the outline alone is of no use. One that an earlier fetch left is of none
// either where the piece root is unknown and the first span is not here: it may be what that fetch was held up
// with.
func (r *round) adopt(ctx context.Context, o storage.Outline, left bool) error {
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
	had := 0
	for had < n && t.a.Have(had) {
		had++
	}
	if left && had == 0 && t.w.Piece == (piece.Hash{}) {
		return fmt.Errorf("%w: nothing is here that could show it to be true", errUseless)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outline, r.layer, r.had, r.queue = &claim{o.Piece, o.Size}, o.Layer, had, newQueue(n, t.a.Have)
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
