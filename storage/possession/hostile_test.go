package possession_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/storage/possession"
	"tally/storage/possession/possessiontest"
	"tally/storage/possession/proofset"
)

// shortly is a chain of which only the blocks up to a height were read.
type shortly struct {
	*possessiontest.Chain

	mu      sync.Mutex
	read    uint64        // guarded by mu; all if it is 0
	changed chan struct{} // guarded by mu
}

func (s *shortly) to(n uint64) {
	s.mu.Lock()
	s.read = n
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
	synctest.Wait() // Run has seen it
}

func (s *shortly) Head() (uint64, common.Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, h := s.Chain.Head()
	if s.read == 0 || s.read >= n {
		return n, h
	}
	h, _ = s.Chain.BlockHash(s.read)
	return s.read, h
}

func (s *shortly) BlockHash(n uint64) (common.Hash, error) {
	if head, _ := s.Head(); n > head {
		return common.Hash{}, possessiontest.ErrNotYet
	}
	return s.Chain.BlockHash(n)
}

func (s *shortly) Facts() []protocol.Fact {
	head, _ := s.Head()
	return slices.DeleteFunc(s.Chain.Facts(), func(f protocol.Fact) bool { return f.Block > head })
}

func (s *shortly) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read == 0 {
		return s.Chain.Changed()
	}
	return s.changed
}

// A node that starts reads its chain from the first block on. Regression: at the
// blocks before its pieces were added it added them again, and at those of earlier
// periods it threw the proof away that it had written down.
func TestOldBlocksThatAreReadAgainAreNothingToActOn(t *testing.T) {
	life(t, 30, 40, 4, func(b *bench) {
		b.start()
		b.fill(3, 5000)
		b.nextPeriod()
		b.nextPeriod()
		b.tick() // the leaves are drawn and read
		b.stop()
		head, _ := b.chain.Head()
		adds, reads := b.chain.Tries(b.node, possession.AddPieces{}), b.shelf.Reads()
		c := &shortly{Chain: b.chain, read: 1, changed: make(chan struct{})}
		var current atomic.Bool
		b.tweak = func(cfg *possession.Config) {
			cfg.Chain, cfg.Sets, cfg.Current = c, proofset.Follow(c, b.chain.Params), current.Load
		}
		b.start()
		for n := uint64(2); n < head; n += 3 {
			c.to(n)
		}
		current.Store(true)
		c.to(head)
		c.to(0)
		for range 15 {
			b.tick()
		}
		if n := b.chain.Tries(b.node, possession.AddPieces{}); n != adds {
			t.Errorf("%d additions were sent anew", n-adds)
		}
		if n := b.shelf.Reads(); n != reads {
			t.Errorf("%d leaves were read again: the proof was at hand", n-reads)
		}
		if !b.p.Status().Proved {
			t.Errorf("%+v", b.p.Status())
		}
		b.noMiss()
	})
}

// A node that was down for three periods has missed them, says so, and is a holder
// again with its next proof: nothing was lost, added or removed.
func TestNodeThatWasDownForPeriodsGoesOn(t *testing.T) {
	for _, late := range []uint64{0, 38} { // block of the period in which it is back
		life(t, 31, 40, 4, func(b *bench) {
			b.tweak = func(c *possession.Config) { c.GiveUpAfter = 3 }
			b.start()
			shards := b.fill(3, 5000)
			b.nextPeriod()
			b.ticks(3) // its leaves are drawn, and it stops before it sends them
			b.stop()
			for range 3 {
				b.nextPeriod()
			}
			b.ticks(late)
			b.start()
			if st := b.p.Status(); !st.Suspended || len(st.Closed) != 3 || !slices.ContainsFunc(st.Problems, func(p string) bool { return strings.Contains(p, "3 periods were missed") }) {
				t.Errorf("back after three periods: %+v", st)
			}
			if late > 0 {
				b.nextPeriod()
			}
			b.ticks(12)
			st := b.p.Status()
			if !st.Proved || st.Suspended || len(st.Pieces) != len(shards) {
				t.Errorf("late %d: after the next proof: %+v", late, st)
			}
			if m := b.chain.Missed(b.node); uint64(len(m)) > 4 {
				t.Errorf("late %d: missed %v", late, m)
			}
			good, _ := b.chain.Mined(b.node, possession.RemovePieces{})
			if n := b.chain.Tries(b.node, possession.Forfeit{}); good+n+len(b.shelf.Released()) > 0 {
				t.Errorf("late %d: %d removals, %d periods given up, released %v", late, good, n, b.shelf.Released())
			}
		})
	}
}

// What is not wanted any more, and was deleted before the chain let it go, costs the
// period in which it is drawn. Regression: it was waited for in all periods, or until
// it was given up.
func TestShardThatWentTooEarlyCostsOnePeriod(t *testing.T) {
	life(t, 32, 40, 8, func(b *bench) {
		b.shelf.Others = func(possession.Shard) error { return errors.New("nobody has it") }
		b.start()
		shards := b.fill(2, 4000)
		b.nextPeriod()
		b.ticks(15)
		b.shelf.Delete(shards[0].Root) // by hand
		b.nextPeriod()
		b.drop(shards[0])
		for range 4 {
			b.nextPeriod()
		}
		b.ticks(15)
		st := b.p.Status()
		if m := b.chain.Missed(b.node); len(m) > 1 || !st.Proved || len(st.Pieces) != 1 {
			t.Fatalf("missed %v: %+v", m, st)
		}
	})
}

// While fees are too high nothing is mined, and nothing more is sent: one proof a
// period waits. When they fall, what is stale is refused and the next proof goes through.
func TestFeesThatRiseForPeriodsCostThosePeriodsAndNoMore(t *testing.T) {
	life(t, 33, 40, 4, func(b *bench) {
		var wait atomic.Uint64
		b.chain.SetLatency(wait.Load)
		b.start()
		b.fill(3, 5000)
		b.nextPeriod()
		b.ticks(15)
		b.nextPeriod()
		wait.Store(100) // two and a half periods
		before := b.chain.Tries(b.node, possession.Prove{})
		b.ticks(25)
		if st := b.p.Status(); !slices.ContainsFunc(st.Problems, func(p string) bool {
			return strings.Contains(p, "half") && strings.Contains(p, "not mined yet")
		}) {
			t.Errorf("the operator is told %v", st.Problems)
		}
		b.nextPeriod()
		b.nextPeriod()
		if n := b.chain.Tries(b.node, possession.Prove{}) - before; n > 2 {
			t.Errorf("%d proofs were sent in two periods in which nothing was mined", n)
		}
		wait.Store(0)
		b.ticks(15)
		if st := b.p.Status(); !st.Proved || st.Suspended || len(st.Pieces) != 3 {
			t.Errorf("when fees fell: %+v", st)
		}
		if m := b.chain.Missed(b.node); len(m) != 2 {
			t.Errorf("missed %v", m)
		}
		b.ticks(120)
		if _, bad := b.chain.Mined(b.node, possession.AddPieces{}); bad > 0 {
			t.Errorf("%d additions were refused", bad)
		}
	})
}

// An endpoint that tells of a head far ahead, and then takes it back, costs no
// period: what it made the node believe goes with its blocks.
func TestHeadThatRanAheadAndCameBackCostsNothing(t *testing.T) {
	life(t, 34, 40, 4, func(b *bench) {
		b.tweak = func(c *possession.Config) { c.GiveUpAfter = 2 }
		b.start()
		shards := b.fill(3, 5000)
		b.nextPeriod()
		b.ticks(2)
		head, _ := b.chain.Head()
		lie := &ahead{Chain: b.chain, by: 4 * 40}
		b.stop()
		b.tweak = func(c *possession.Config) {
			c.GiveUpAfter = 2
			c.Chain, c.Sets = lie, proofset.Follow(lie, b.chain.Params)
		}
		b.start()
		for range 6 {
			b.tick() // the lie grows with the chain
		}
		if st := b.p.Status(); st.Head <= head+100 {
			t.Fatalf("the lie was not told: %+v", st)
		}
		lie.end()
		b.tick()
		b.ticks(15)
		if st := b.p.Status(); !st.Proved || st.Suspended || len(st.Closed) > 0 || len(st.Pieces) != len(shards) {
			t.Errorf("after the lie: %+v", st)
		}
		good, _ := b.chain.Mined(b.node, possession.RemovePieces{})
		if n, _ := b.chain.Mined(b.node, possession.Forfeit{}); good+n+len(b.shelf.Released()) > 0 {
			t.Errorf("%d removals, %d periods given up, released %v", good, n, b.shelf.Released())
		}
		b.noMiss()
	})
}

// ahead is a chain with empty blocks that do not exist on top.
type ahead struct {
	*possessiontest.Chain

	mu sync.Mutex
	by uint64 // guarded by mu
}

func (a *ahead) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.by = 0
}

func (a *ahead) Head() (uint64, common.Hash) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, h := a.Chain.Head()
	if a.by > 0 {
		h = common.Hash{0xff, byte(n), byte(n >> 8)}
	}
	return n + a.by, h
}

func (a *ahead) BlockHash(n uint64) (common.Hash, error) {
	if head, h := a.Head(); n == head {
		return h, nil
	}
	if h, err := a.Chain.BlockHash(n); err == nil {
		return h, nil
	}
	if head, _ := a.Head(); n < head {
		return common.Hash{0xfe, byte(n), byte(n >> 8)}, nil
	}
	return common.Hash{}, possessiontest.ErrNotYet
}

// Two processes with one key and the same shards, a copied home: the set comes to hold
// each piece once, every period is proved, and no data goes.
func TestTwoProversWithOneKeyAndTheSameShardsProveOneSet(t *testing.T) {
	life(t, 35, 60, 4, func(b *bench) {
		b.start()
		shards := b.fill(3, 5000)
		first, stop := b.p, b.stop
		defer stop()
		b.notes = possessiontest.NewNotes()
		b.start()
		for _, s := range shards {
			if err := b.p.Keep(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait() // both have seen it
		for range 4 {
			b.nextPeriod()
		}
		b.ticks(30)
		if ids, _ := b.chain.Challenged(b.node); len(ids) != len(shards) {
			t.Errorf("pieces %v are challenged, want each of %d once", ids, len(shards))
		}
		for _, p := range []*possession.Prover{first, b.p} {
			if st := p.Status(); !st.Proved || len(st.Pieces) != len(shards) {
				t.Errorf("%+v", st)
			}
		}
		if r := b.shelf.Released(); len(r) > 0 {
			t.Errorf("released %v", r)
		}
		b.noMiss()
	})
}

// Two processes with one key and different shards cannot both be right. Neither loses
// data, and both say what is wrong.
func TestTwoProversWithOneKeyAndOtherShardsSaySo(t *testing.T) {
	life(t, 36, 40, 6, func(b *bench) {
		b.tweak = func(c *possession.Config) { c.GiveUpAfter = 3 }
		b.start()
		b.fill(2, 5000)
		first, stop, shelf := b.p, b.stop, b.shelf
		defer stop()
		b.notes, b.shelf = possessiontest.NewNotes(), possessiontest.NewShelf()
		b.start()
		b.fill(2, 5000)
		told := 0
		for range 4 * 40 {
			b.tick()
			for _, p := range []*possession.Prover{first, b.p} {
				if slices.ContainsFunc(p.Status().Problems, func(s string) bool { return strings.Contains(s, "with this node's key") }) {
					told++
				}
			}
		}
		if told < 100 {
			t.Errorf("only at %d looks was it told what is wrong", told)
		}
		for _, s := range []*possessiontest.Shelf{shelf, b.shelf} {
			if r := s.Released(); len(r) > 0 {
				t.Errorf("released %v", r)
			}
		}
		for _, p := range []*possession.Prover{first, b.p} {
			wanted := 0
			for _, x := range p.Status().Pieces {
				if x.Wanted {
					wanted++
				}
			}
			if wanted != 2 {
				t.Errorf("%d shards are still promised, want 2: %+v", wanted, p.Status().Pieces)
			}
		}
	})
}
