package pinset_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/storage/pinset"
)

const shardSize = 1 << 20

func inTown(t *testing.T, seed uint64, nodes int, f func(w *town)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, seed, nodes, 1<<30)
		defer w.close()
		f(w)
	})
}

// seeds is how many stories a test tells: one where time is short, as the race detector
// makes it ten times longer.
func seeds(n uint64) uint64 {
	if testing.Short() {
		return 1
	}
	return n
}

func TestShardsReachTheirTargetWithoutAHerd(t *testing.T) {
	for _, c := range []struct {
		seed   uint64
		shards int
		herd   int // at most, at a time for one shard
	}{
		{0, 10, 3}, {1, 10, 3}, {2, 10, 3}, // no more than are missing
		{3, 40, 9}, {4, 40, 9}, // more work than slots: those who have time step in after a while
	} {
		if testing.Short() && c.seed%3 != 0 {
			continue
		}
		inTown(t, c.seed, 12, func(w *town) {
			const target = 3
			w.want(c.shards, target, shardSize)
			w.blocks(300)
			counts := w.counts()
			if lo, hi := slices.Min(counts), slices.Max(counts); lo < target || hi > target+1 {
				t.Fatalf("holders after 300 blocks: %v", counts)
			}
			herd := 0
			for _, n := range w.most {
				herd = max(herd, n)
			}
			if herd > c.herd {
				t.Errorf("%d nodes fetched one shard at a time, %d were missing", herd, target)
			}
			if w.fetches > c.shards*target*5/4 {
				t.Errorf("%d fetches for %d replicas", w.fetches, c.shards*target)
			}
			var load []int
			for _, h := range w.nodes {
				load = append(load, len(h.kept))
			}
			slices.Sort(load)
			t.Logf("seed %d: %d fetches for %d replicas, at most %d at a time for one shard; shards by node %v", c.seed, w.fetches, c.shards*target, herd, load)
		})
	}
}

// The place that Decide counts is the one in Order.
func TestPlaceIsTheOneInTheOrder(t *testing.T) {
	nodes := make([]common.Address, 30)
	for i := range nodes {
		nodes[i] = common.Address{byte(i), 9}
	}
	x := pinset.Shard{Wanted: pinset.Wanted{Piece: common.Hash{4}, Size: 1, Target: 5}, Holders: nodes[:3]}
	order := pinset.Order(x.Piece, nodes[3:])
	for _, me := range nodes[3:] {
		c := pinset.Decide(pinset.Situation{Me: me, Pinners: nodes, Free: 1, Shards: []pinset.Shard{x}})[0]
		if order[c.Place] != me {
			t.Fatalf("place %d is %s's, not %s's", c.Place, order[c.Place], me)
		}
	}
}

func TestTargetsHoldThroughChurnAndFailures(t *testing.T) {
	for seed := range seeds(3) {
		inTown(t, 100+seed, 14, func(w *town) {
			w.flaky = 25
			w.want(8, 2, shardSize)
			w.want(8, 4, shardSize)
			next := byte(100)
			for range 12 {
				w.blocks(50)
				switch alive := w.alive(); w.rng.IntN(3) {
				case 0:
					if len(alive) > 8 {
						w.die(alive[w.rng.IntN(len(alive))])
					}
				case 1:
					w.settle(common.Address{next, byte(seed)}, 1<<30)
					next++
				case 2: // a restart
					h := w.nodes[alive[w.rng.IntN(len(alive))]]
					h.stop()
					h.start()
				}
			}
			w.blocks(2*period + 700) // suspensions, and departures by the time of grace
			for i, n := range w.counts() {
				if target := w.wanted[i].Target; n < target || n > target+1 {
					t.Errorf("seed %d: shard %d has %d holders, wants %d", 100+seed, i, n, target)
				}
			}
		})
	}
}

func (w *town) alive() []common.Address {
	var out []common.Address
	for a := range w.nodes {
		if w.dead[a] == 0 {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b common.Address) int { return a.Cmp(b) })
	return out
}

// Five nodes, three replicas of each shard, two nodes die: the others fill their
// places.
func TestTwoOfFiveDieAndTheirPlacesAreFilled(t *testing.T) {
	for seed := range seeds(5) {
		inTown(t, seed, 5, func(w *town) {
			w.want(20, 3, shardSize)
			w.blocks(200)
			for i, n := range w.counts() {
				if n < 3 {
					t.Fatalf("shard %d has %d holders before anybody died", i, n)
				}
			}
			alive := w.alive()
			w.die(alive[0])
			w.die(alive[1])
			died := w.head
			w.blocks(2 * period)
			if lo := slices.Min(w.counts()); lo >= 3 {
				t.Fatal("nobody missed the dead")
			}
			for slices.Min(w.counts()) < 3 && w.head < died+1000 {
				w.blocks(1)
			}
			if counts := w.counts(); slices.Min(counts) != 3 || slices.Max(counts) != 3 {
				t.Fatalf("holders: %v", counts)
			}
			t.Logf("seed %d: back at 3 of 3 %d blocks after the deaths, %d after the suspension", seed, w.head-died, w.head-died-2*period)
		})
	}
}

func TestTooManyHoldersLeaveOneAtATimeAndNeverTooMany(t *testing.T) {
	for seed := range seeds(3) {
		inTown(t, 50+seed, 9, func(w *town) {
			w.want(6, 6, shardSize)
			w.blocks(150)
			w.mu.Lock()
			for i := range w.wanted { // now fewer are wanted
				w.wanted[i].Target = 2
			}
			clear(w.lowest)
			w.mu.Unlock()
			last, at := slices.Clone(w.counts()), make([]uint64, 6)
			for range 1500 {
				w.blocks(1)
				for i, n := range w.counts() {
					if n < last[i] {
						if n < last[i]-1 || at[i] > 0 && w.head-at[i] < period {
							t.Errorf("shard %d went from %d to %d holders %d blocks after the last departure", i, last[i], n, w.head-at[i])
						}
						at[i] = w.head
					}
					last[i] = n
				}
			}
			for p, n := range w.lowest {
				if n < 2 {
					t.Errorf("%s had %d holders for a while", p, n)
				}
			}
			if slices.Max(last) > 3 {
				t.Errorf("holders in the end: %v", last)
			}
		})
	}
}

func TestRefusalForWantOfRoomIsRememberedUntilThereIsMore(t *testing.T) {
	inTown(t, 1, 1, func(w *town) {
		h := w.nodes[w.alive()[0]]
		h.refuse = func(pinset.Wanted) error { return fmt.Errorf("the disk says no: %w", pinset.ErrRoom) }
		w.want(1, 1, shardSize)
		w.blocks(200)
		if n := len(h.tries[w.wanted[0].Piece]); n != 1 {
			t.Fatalf("%d tries against a disk that said no", n)
		}
		if st := h.k.Status(); len(st) != 1 || !strings.Contains(st[0].Reason, "the disk says no") {
			t.Fatalf("the reason is not shown: %+v", st)
		}
		w.mu.Lock()
		h.refuse, h.room = nil, h.room+shardSize
		w.mu.Unlock()
		w.blocks(20)
		if w.counts()[0] != 1 {
			t.Fatal("not fetched when there was room")
		}
	})
}

func TestFailedFetchesAreTriedAgainAfterGrowingWaits(t *testing.T) {
	inTown(t, 2, 1, func(w *town) {
		h := w.nodes[w.alive()[0]]
		h.refuse = func(pinset.Wanted) error { return errFetch }
		w.want(1, 1, shardSize)
		w.blocks(600)
		tries := h.tries[w.wanted[0].Piece]
		if len(tries) < 5 || len(tries) > 9 {
			t.Fatalf("tries at blocks %v", tries)
		}
		for i := 2; i < len(tries); i++ {
			if tries[i]-tries[i-1] < tries[i-1]-tries[i-2] {
				t.Fatalf("waits shrink: tries at blocks %v", tries)
			}
		}
	})
}

func TestUnwantedShardIsDroppedAndAFetchOfItEnds(t *testing.T) {
	inTown(t, 3, 2, func(w *town) {
		w.want(4, 2, shardSize)
		w.blocks(3) // the first two are on their way
		w.mu.Lock()
		w.wanted = w.wanted[3:]
		w.mu.Unlock()
		w.blocks(150)
		for a, h := range w.nodes {
			if len(h.on) != 1 || len(h.kept) != 1 {
				t.Errorf("%s holds %d shards and promises %d, want one", a, len(h.on), len(h.kept))
			}
		}
	})
}

func TestOwnWordIsKeptWhateverOthersDo(t *testing.T) {
	inTown(t, 4, 6, func(w *town) {
		w.want(1, 2, shardSize)
		w.blocks(100)
		var me common.Address
		for _, a := range w.alive() {
			if _, ok := w.holders[w.wanted[0].Piece][a]; !ok {
				me = a
			}
		}
		h := w.nodes[me]
		own := w.wanted[0]
		own.Mine = true
		s := pinset.Situation{Me: me, Head: 500, Free: 1 << 30, Shards: []pinset.Shard{{Wanted: own, Holders: w.live(own.Piece)}}}
		if c := pinset.Decide(s)[0]; c.Action != pinset.Fetch {
			t.Fatalf("a shard promised to somebody is not fetched: %+v", c)
		}
		s.Shards[0].Phase, s.Shards[0].Holders = pinset.Kept, append(s.Shards[0].Holders, me)
		s.Head = 1 << 40
		if c := pinset.Decide(s)[0]; c.Action != pinset.Hold {
			t.Fatalf("a shard promised to somebody is left: %+v", c)
		}
		if len(h.kept) != 0 {
			t.Fatal("the town changed")
		}
	})
}

// Every candidate that sees the same decides for itself, and together they take
// as many as are missing, wave by wave.
func TestAsManyActAsAreMissingWaveByWave(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		n, target := 2+rng.IntN(20), 1+rng.IntN(6)
		nodes := make([]common.Address, n)
		for i := range nodes {
			nodes[i] = common.BigToAddress(common.BytesToHash([]byte{byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32()), byte(i)}).Big())
		}
		holders := nodes[:rng.IntN(min(n, target+3))]
		var piece common.Hash
		for i := range piece {
			piece[i] = byte(rng.Uint32())
		}
		x := pinset.Shard{Wanted: pinset.Wanted{Piece: piece, Size: 40 << 20, Target: target}, Holders: holders, Since: 1000}
		r := pinset.Rules{}.Defaults()
		lack := target - len(holders)
		for wave := range uint64(4) {
			acting := 0
			for _, me := range nodes[len(holders):] {
				shuffled := slices.Clone(nodes)
				rng.Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
				s := pinset.Situation{Me: me, Head: 1000 + wave*r.Wait(x.Size), Pinners: shuffled, Free: 1 << 40, Shards: []pinset.Shard{x}}
				if pinset.Decide(s)[0].Action == pinset.Fetch {
					acting++
				}
			}
			if want := min(n-len(holders), max(0, lack)*int(wave+1)); acting != want {
				t.Fatalf("wave %d: %d of %d act, %d are missing", wave, acting, n-len(holders), lack)
			}
		}
	}
}

func TestMostUrgentShardsAreFetchedFirstWithinTheRoom(t *testing.T) {
	me := common.Address{1}
	shard := func(id byte, target, holders int, size uint64) pinset.Shard {
		x := pinset.Shard{Wanted: pinset.Wanted{Piece: common.Hash{id}, Size: size, Target: target}}
		for i := range holders {
			x.Holders = append(x.Holders, common.Address{2, byte(i)})
		}
		return x
	}
	s := pinset.Situation{Me: me, Head: 10, Pinners: []common.Address{me}, Free: 100, Shards: []pinset.Shard{
		shard(1, 4, 3, 10), shard(2, 2, 1, 10), shard(3, 3, 0, 90), shard(4, 3, 3, 10), shard(5, 10, 1, 10),
	}}
	got := pinset.Decide(s)
	var order []byte
	for _, c := range got {
		if c.Action == pinset.Fetch {
			order = append(order, c.Shard.Piece[0])
		}
	}
	if !bytes.Equal(order, []byte{3, 5}) { // 3 of 3 missing, 9 of 10; then the room is used up
		t.Fatalf("fetched in the order %v", order)
	}
	for _, c := range got {
		if id := c.Shard.Piece[0]; (id == 1 || id == 2) && !strings.Contains(c.Why, "no room") {
			t.Errorf("shard %d: %s", id, c.Why)
		}
		if c.Shard.Piece[0] == 4 && !strings.Contains(c.Why, "enough") {
			t.Errorf("shard 4: %s", c.Why)
		}
	}
}

func TestRendezvousMovesOnlyWhatALeaverHeld(t *testing.T) {
	nodes := make([]common.Address, 20)
	for i := range nodes {
		nodes[i] = common.Address{byte(i), 1}
	}
	first := map[common.Address]int{}
	for i := range 2000 {
		piece := common.BytesToHash(fmt.Append(nil, i))
		o := pinset.Order(piece, nodes)
		first[o[0]]++
		less := pinset.Order(piece, slices.DeleteFunc(slices.Clone(nodes), func(n common.Address) bool { return n == nodes[7] }))
		if want := slices.DeleteFunc(o, func(n common.Address) bool { return n == nodes[7] }); !slices.Equal(less, want) {
			t.Fatal("the order of those who stay changed")
		}
	}
	for n, c := range first {
		if c < 50 || c > 160 { // 100 expected
			t.Errorf("%s is first for %d of 2000 pieces", n, c)
		}
	}
}

func TestWantThatIsAwayForAMomentDropsNothing(t *testing.T) {
	inTown(t, 6, 1, func(w *town) {
		h := w.nodes[w.alive()[0]]
		w.want(3, 1, shardSize)
		w.blocks(100)
		w.mu.Lock()
		all := w.wanted
		w.wanted = nil
		w.mu.Unlock()
		w.blocks(10)
		w.mu.Lock()
		w.wanted = all
		w.mu.Unlock()
		w.blocks(60)
		w.mu.Lock()
		w.wanted = nil
		w.mu.Unlock()
		w.blocks(10)
		if len(h.kept) != 3 {
			t.Fatalf("%d shards are promised, want 3", len(h.kept))
		}
		w.blocks(100)
		if len(h.kept)+len(h.on) != 0 {
			t.Fatalf("%d shards are promised and %d on disk, none is wanted", len(h.kept), len(h.on))
		}
	})
}

// Regression: a prover that had not looked at the chain since its piece got there
// made the node leave at once, since enough nodes held it: itself included.
func TestPieceThatJustGotOnChainIsNotLeft(t *testing.T) {
	me, other := common.Address{1}, common.Address{2}
	x := pinset.Shard{Wanted: pinset.Wanted{Piece: common.Hash{1}, Size: 1, Target: 2}, Holders: []common.Address{me, other}, Phase: pinset.Ready}
	s := pinset.Situation{Me: me, Head: 1 << 40, Pinners: []common.Address{me, other}, Shards: []pinset.Shard{x}}
	if c := pinset.Decide(s)[0]; c.Action != pinset.Hold {
		t.Fatalf("%+v", c)
	}
	s.Shards[0].Holders = []common.Address{other, {3}}
	if c := pinset.Decide(s)[0]; c.Action != pinset.Leave {
		t.Fatalf("others were faster: %+v", c)
	}
}

// Who lists the piece of a true shard under another root, or with another size,
// hides it from nobody, and what a fetch showed wrong is not fetched again.
func TestFalseWantsHideNoTrueOne(t *testing.T) {
	inTown(t, 8, 3, func(w *town) {
		w.want(3, 2, shardSize)
		w.mu.Lock()
		for i, x := range w.wanted {
			switch x.Target = pinset.MaxTarget; i {
			case 0:
				x.Size++
			case 1:
				x.Piece = common.Hash{9}
			default:
				x.Root = protocol.CIDOf([]byte("nobody has it"))
				for _, h := range w.nodes {
					h.refuse = func(w pinset.Wanted) error {
						if w.Root.Equals(x.Root) {
							return errFetch
						}
						return nil
					}
				}
			}
			w.lies = append(w.lies, x)
		}
		w.mu.Unlock()
		w.blocks(400)
		if n := w.counts(); slices.Min(n) < 2 {
			t.Fatalf("holders of the true shards: %v", n)
		}
		for a, h := range w.nodes {
			if n := len(h.tries[common.Hash{9}]); n > 1 {
				t.Errorf("%s fetched %d times what the first fetch showed wrong", a, n)
			}
			wrong := 0
			for _, st := range h.k.Status() {
				if strings.Contains(st.Reason, "not fetched again") {
					wrong++
				}
			}
			if wrong < 2 {
				t.Errorf("%s shows %d false wants: %+v", a, wrong, h.k.Status())
			}
		}
		w.mu.Lock()
		w.wanted = w.wanted[:0] // the lies alone keep nothing
		w.mu.Unlock()
		w.blocks(3 * period)
		for a, h := range w.nodes {
			if len(h.kept) > 0 {
				t.Errorf("%s keeps %d shards that only lies want", a, len(h.kept))
			}
		}
	})
}

// A source that cannot answer holds nobody up: what the others want is fetched, and
// nothing is let go until it can.
func TestSourceThatCannotAnswerOnlyKeepsThingsFromBeingLetGo(t *testing.T) {
	inTown(t, 9, 2, func(w *town) {
		w.want(2, 1, shardSize)
		w.mu.Lock()
		w.partly = pinset.ErrNotYet
		w.mu.Unlock()
		w.blocks(100)
		if n := w.counts(); slices.Min(n) < 1 {
			t.Fatalf("holders: %v", n)
		}
		w.mu.Lock()
		all := w.wanted
		w.wanted = nil
		w.mu.Unlock()
		kept := func() (n int) {
			for _, h := range w.nodes {
				n += len(h.kept)
			}
			return n
		}
		before := kept()
		w.blocks(100)
		if kept() != before {
			t.Fatalf("%d of %d promises are left while not all that is wanted was known", kept(), before)
		}
		w.mu.Lock()
		w.wanted, w.partly = all[:1], nil
		w.mu.Unlock()
		w.blocks(100)
		if n := w.counts(); n[0] < 1 || kept() != n[0] {
			t.Fatalf("holders %v, %d promises, when one is wanted", n, kept())
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := pinset.New(pinset.Config{}); !errors.Is(err, pinset.ErrConfig) {
		t.Fatal(err)
	}
}

// Nodes that name a wanted piece and never prove it delay the others, and then are
// nothing to them: each shard gets its holders, and none of those leaves.
func TestNamesWithoutProofKeepNobodyFromFetchingForGood(t *testing.T) {
	inTown(t, 7, 6, func(w *town) {
		w.want(3, 2, shardSize)
		w.mu.Lock()
		for i := range byte(4) { // more than are wanted
			fake := common.Address{200 + i}
			w.fakes[fake] = true
			for _, x := range w.wanted {
				if w.holders[x.Piece] == nil {
					w.holders[x.Piece] = map[common.Address]int{}
				}
			}
		}
		w.mu.Unlock()
		name := func() { // anew in each period, by which they never seem to be late
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, x := range w.wanted {
				for fake := range w.fakes {
					w.holders[x.Piece][fake] = int(w.head)
				}
			}
		}
		real := func() (n []int) {
			for _, x := range w.wanted {
				holders, _, err := w.nodes[w.alive()[0]].Keepers(x.Piece, x.Size)
				if err != nil {
					t.Fatal(err)
				}
				n = append(n, len(holders))
			}
			return n
		}
		name()
		w.blocks(period)
		if w.fetches > 0 {
			t.Fatalf("%d fetches while those who named the pieces could still prove them", w.fetches)
		}
		for range 8 {
			name()
			w.blocks(period)
		}
		if n := real(); slices.Min(n) < 2 {
			t.Fatalf("holders that proved it: %v, want 2", n)
		}
		for range 10 {
			name()
			w.blocks(period)
		}
		if n := real(); slices.Min(n) < 2 {
			t.Fatalf("holders left for those who only name it: %v", n)
		}
	})
}
