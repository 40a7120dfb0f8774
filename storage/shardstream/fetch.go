package shardstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/protocol/piece"
	"tally/storage"
)

// fetch is one call of Fetch. It runs in rounds: a round believes one outline, and
// one is enough where the piece root is known. All of it is owned by run.
type fetch struct {
	f        *Fetcher
	a        *storage.Assembly
	w        Want
	progress func(done, total uint64)

	candidates map[peer.ID]*candidate
	order      []*candidate   // as found
	found      <-chan peer.ID // nil when the search is over
	refused    map[claim]bool // outlines that are not believed
	standings  map[claim]*standing
	aim        *claim       // the outline that the next round is for; nil is any
	proven     []piece.Hash // the beginning of the true layer, as far as it is known for certain
	reasons    []error      // the last few

	entry entry
}

// candidate is a node that may hold the shard.
type candidate struct {
	id    peer.ID
	state state
	tries int
	turns int   // that it let go by without bringing enough
	claim claim // where it is a rival
}

type state int

const (
	waiting  state = iota // to be asked
	running               // it is asked now, or will be in a moment
	rival                 // its outline is another than the round's
	hopeless              // it will not be asked again
)

// claim names an outline.
type claim struct {
	piece piece.Hash
	size  uint64
}

func newFetch(f *Fetcher, a *storage.Assembly, w Want, progress func(done, total uint64)) *fetch {
	return &fetch{f: f, a: a, w: w, progress: progress, candidates: map[peer.ID]*candidate{}, refused: map[claim]bool{}, standings: map[claim]*standing{}}
}

func (t *fetch) add(p peer.ID) {
	if t.candidates[p] != nil || len(t.order) == maxCandidates || t.f.blamed(p) {
		return
	}
	c := &candidate{id: p}
	if t.f.isSlow(p) {
		c.turns = 1
	}
	t.candidates[p] = c
	t.order = append(t.order, c)
}

func (t *fetch) reason(err error) {
	if len(t.reasons) == maxReasons {
		t.reasons = t.reasons[1:]
	}
	t.reasons = append(t.reasons, err)
}

// find searches for holders until ctx ends.
func (t *fetch) find(ctx context.Context, found chan<- peer.ID) {
	defer close(found)
	ctx, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	n := 0
	for p, err := range t.f.c.Network.Holders(ctx, t.w.Root) {
		if err != nil {
			return // who was found so far will do
		}
		select {
		case found <- p:
		case <-ctx.Done():
			return
		}
		if n++; n == maxCandidates {
			return
		}
	}
}

func (t *fetch) run(ctx context.Context) (storage.Shard, error) {
	ctx, cancel := context.WithCancel(ctx)
	var finder sync.WaitGroup
	defer finder.Wait()
	defer t.entry.looks.Wait()
	defer cancel()
	t.entry.look = func(datanet cid.Cid) { t.believe(ctx, datanet) }
	for _, p := range t.w.From {
		t.add(p)
	}
	found := make(chan peer.ID)
	finder.Go(func() { t.find(ctx, found) })
	t.found = found
	// Each round but the last refuses an outline, of which a candidate has one, or gives way
	// to another, in turns that get longer.
	for range maxRounds {
		sh, again, err := t.round(ctx)
		if !again {
			return sh, err
		}
	}
	return storage.Shard{}, t.none()
}

func (t *fetch) none() error {
	return fmt.Errorf("%w: %w", ErrNoSource, errors.Join(t.reasons...))
}

// round reads from sources until the shard is whole, nobody is left to ask, or the
// outline proves wrong; in the last two cases there may be another round.
func (t *fetch) round(ctx context.Context) (sh storage.Shard, again bool, err error) {
	inner, cancel := context.WithCancel(ctx)
	r := newRound(t)
	if o, ok := t.a.Left(); ok && t.w.is(o.Piece, o.Size) && !t.refused[claim{o.Piece, o.Size}] && (t.aim == nil || *t.aim == claim{o.Piece, o.Size}) {
		err = r.adopt(inner, o, true) // an earlier fetch, or round, went on with it
	}
	if err == nil || errors.Is(err, errUseless) {
		err = t.loop(inner, r)
	}
	cancel()
	r.close()
	for len(r.sources) > 0 { // soon: their streams were reset
		t.heard(r, <-r.ended, true)
	}
	r.waiter.Wait()
	switch {
	case ctx.Err() != nil:
		return storage.Shard{}, false, ctx.Err()
	case r.fatal != nil:
		return storage.Shard{}, false, r.fatal
	case err != nil:
		return storage.Shard{}, false, err
	case !r.done:
		return storage.Shard{}, t.another(r), t.none()
	}
	if err := t.settle(); err != nil {
		return storage.Shard{}, false, err
	}
	sh, err = t.a.Finish(ctx)
	if err == nil || !storage.Malformed(err) {
		return sh, false, err
	}
	// The spans are what the outline says, but not the blocks of the root.
	r.yielded = false
	if err := t.forget(ctx); err != nil {
		return storage.Shard{}, false, err
	}
	if t.w.Piece != (piece.Hash{}) {
		t.a.Discard()
		return storage.Shard{}, false, fmt.Errorf("%w: %w", ErrPiece, err)
	}
	for _, p := range r.vouched {
		t.candidates[p].state = hopeless
		t.f.blame(p, fmt.Errorf("shard %s: %w: %w", t.w.Root, ErrWrong, err))
	}
	t.reason(err)
	return storage.Shard{}, t.another(r), t.none()
}

// another gives the outline of a round up, unless it gave way only for now, and says whether
// there is somebody to ask in another: those whose outline was not believed are
// candidates again.
func (t *fetch) another(r *round) bool {
	this := r.outline
	if this == nil {
		this = r.aim
	}
	if this == nil {
		return false
	}
	if !r.yielded {
		t.refused[*this], t.aim = true, nil
		if others := t.rivals(); len(others) > 0 {
			t.aim = &others[0]
		}
	}
	some := t.found != nil
	for _, c := range t.order {
		if c.state == rival {
			c.state = waiting
		}
		some = some || c.state == waiting
	}
	return some
}

// loop starts sources and hears of their ends. It returns nil when the round is
// over: the shard is whole or wrong, nobody is left, or something broke here.
func (t *fetch) loop(ctx context.Context, r *round) error {
	tick := time.NewTicker(t.tick())
	defer tick.Stop()
	for {
		for len(r.sources) < t.f.c.MaxSources && !r.complete() {
			c := t.next()
			if c == nil {
				break
			}
			r.start(ctx, c)
		}
		if t.found == nil && !r.complete() && len(r.sources) == 0 && t.next() == nil {
			return nil
		}
		select {
		case p, ok := <-t.found:
			if ok {
				t.add(p)
			} else {
				t.found = nil
			}
		case e := <-r.ended:
			t.heard(r, e, e.s.off)
		case <-tick.C:
			if r.yielded = t.yields(r); r.yielded {
				return nil
			}
			t.rotate(r)
		case <-r.over:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// next returns who is to be asked next: of those that wait, the first who let the fewest turns go by.
func (t *fetch) next() (next *candidate) {
	for _, c := range t.order {
		if c.state == waiting && (next == nil || c.turns < next.turns) {
			next = c
		}
	}
	return next
}

// heard decides whether a source that ended is asked again. stopped says that it was
// not its fault, unless it sent wrong data.
func (t *fetch) heard(r *round, e ended, stopped bool) {
	delete(r.sources, e.s)
	c := e.s.c
	came, wrong := r.of(e.s)
	if came > 0 {
		c.tries = 0
	}
	err := e.err
	if wrong != nil {
		err = wrong
	}
	switch {
	case err == nil:
		c.state = waiting // all that it was asked for is here
		return
	case errors.Is(err, errRival):
		c.state, c.claim = rival, e.s.claim
	case errors.Is(err, ErrWrong), errors.Is(err, ErrMalformed):
		c.state = hopeless
		t.f.blame(c.id, fmt.Errorf("shard %s: %w", t.w.Root, err))
	case stopped:
		c.state = waiting
		return
	case errors.Is(err, ErrNotHeld), errors.Is(err, ErrRefused), errors.Is(err, ErrBroken), errors.Is(err, ErrRange), errors.Is(err, errUseless):
		c.state = hopeless
	default:
		c.state = waiting
		if c.tries++; c.tries == maxTries || came == 0 && errors.Is(err, errSilent) {
			c.state = hopeless
		}
	}
	t.reason(fmt.Errorf("%s: %w", c.id, err))
}

// ended is what a source tells when it is done.
type ended struct {
	s   *source
	err error
}
