package possession_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/rewards/possession"
)

// Ten blocks of one second a period: block and time are the same number here.
func params() protocol.Params { return protocol.Params{EpochLength: 100, ProofPeriod: 10} }

var node, root = common.Address{1}, common.Hash{2}

func at(block uint64, e any) protocol.Fact { return protocol.Fact{Block: block, Time: block, Event: e} }

func add(block, id uint64) protocol.Fact {
	return at(block, protocol.PieceAdded{Node: node, ID: id, Root: root, Size: 7})
}

func remove(block, id uint64) protocol.Fact {
	return at(block, protocol.PieceRemoved{Node: node, ID: id})
}

func prove(blocks ...uint64) (out []protocol.Fact) {
	for _, b := range blocks {
		out = append(out, at(b, protocol.PossessionProved{Node: node, Period: b / 10, Leaves: 1}))
	}
	return out
}

// demand asks for a leaf; an answer counts within ten blocks.
func demand(block, id, leaf uint64) protocol.Fact {
	return at(block, protocol.RetrievalDemanded{Node: node, ID: id, Leaf: leaf, By: block + 10})
}

func answer(block, id, leaf uint64) protocol.Fact {
	return at(block, protocol.RetrievalAnswered{Node: node, ID: id, Leaf: leaf})
}

func TestOnlyUnbrokenStretchesCount(t *testing.T) {
	for _, c := range []struct {
		name     string
		facts    []protocol.Fact
		from, to uint64
		want     uint64
	}{
		{"nothing is proved without a proof", []protocol.Fact{add(3, 1)}, 0, 1000, 0},
		{"the first stretch begins with the addition", append(prove(14), add(3, 1)), 0, 1000, 11},
		{"the first stretch begins with the promise", append(prove(14), add(3, 1)), 5, 1000, 9},
		{"a proof in the period of the addition covers nothing", append(prove(8), add(3, 1)), 0, 1000, 0},
		{"consecutive periods are unbroken", append(prove(14, 29, 30), add(3, 1)), 0, 1000, 27},
		{"a stretch ends with the promise", append(prove(14, 29, 30), add(3, 1)), 0, 21, 18},
		{"a missed period is not paid, nor the time around it", append(prove(14, 34, 45), add(3, 1)), 0, 1000, 11 + 11},
		{"the first period missed leaves nothing before the second", append(prove(24, 31), add(3, 1)), 0, 1000, 7},
		{"a removed piece counts to its last proof", append(prove(14, 24, 34), add(3, 1), remove(27, 1)), 0, 1000, 21},
		{"a piece removed before its first proof never counted", append(prove(14, 24), add(3, 1), remove(12, 1)), 0, 1000, 0},
		{"a piece that comes back starts anew", append(prove(14, 24, 34, 44), add(3, 1), remove(25, 1), add(31, 2)), 0, 1000, 21 + 13},
		{"a second id of the same piece is not paid twice", append(prove(14, 24, 34), add(3, 1), add(4, 2)), 0, 1000, 31},
		{"a second id goes on where the first one ends", append(prove(14, 24, 34), add(3, 1), add(12, 2), remove(25, 1)), 0, 1000, 31},
		{"a promise that is over before anything is proved", append(prove(14, 24), add(3, 1)), 0, 3, 0},
		{"a demand that nobody answers ends it", append(prove(14, 24, 34, 44), add(3, 1), demand(20, 1, 0)), 0, 1000, 17},
		{"nothing counts while a demand is open", append(prove(14, 24), add(3, 1), demand(20, 1, 0)), 0, 1000, 17},
		{"an answer in time makes all of it count", append(prove(14, 24, 34, 44), add(3, 1), demand(20, 1, 0), answer(30, 1, 0)), 0, 1000, 41},
		{"an answer that is late is none", append(prove(14, 24, 34, 44), add(3, 1), demand(20, 1, 0), answer(31, 1, 0)), 0, 1000, 17},
		{"an answer with another leaf is none", append(prove(14, 24, 34, 44), add(3, 1), demand(20, 1, 0), answer(30, 1, 1)), 0, 1000, 17},
		{"an answer for another piece is none", append(prove(14, 24, 34, 44), add(3, 1), at(3, protocol.PieceAdded{Node: node, ID: 2}), demand(20, 1, 0), answer(30, 2, 0)), 0, 1000, 17},
		{"a later demand that is answered lets it count again", append(prove(14, 24, 34, 44, 54), add(3, 1), demand(20, 1, 0), demand(32, 1, 5), answer(40, 1, 5)), 0, 1000, 17 + 14},
		{"an earlier demand that is answered does not", append(prove(14, 24, 34, 44), add(3, 1), demand(18, 1, 5), demand(20, 1, 0), answer(22, 1, 5)), 0, 1000, 17},
		{"a piece that is added anew counts again", append(prove(14, 24, 34, 44, 54), add(3, 1), demand(20, 1, 0), add(36, 2)), 0, 1000, 17 + 18},
		{"an id that was there before the demand does not", append(prove(14, 24, 34, 44, 54), add(3, 1), add(5, 2), demand(20, 1, 0), remove(25, 1)), 0, 1000, 17},
		{"a demand for another piece touches nothing", append(prove(14, 24, 34), add(3, 1), at(3, protocol.PieceAdded{Node: node, ID: 2}), demand(20, 2, 0)), 0, 1000, 31},
		{"a promise between two proofs", append(prove(14, 24), add(3, 1)), 16, 19, 3},
	} {
		s := possession.Read(c.facts, params(), 1000)
		if got := s.Proved(node, root, 7, c.from, c.to); got != c.want {
			t.Errorf("%s: %d seconds, want %d", c.name, got, c.want)
		}
		if s.Proved(node, root, 8, c.from, c.to) != 0 || s.Proved(common.Address{9}, root, 7, c.from, c.to) != 0 {
			t.Errorf("%s: another size or node counts too", c.name)
		}
	}
}

func TestProofThatMayStillComeIsAwaited(t *testing.T) {
	said := func(block uint64) protocol.Fact { return at(block, protocol.Claimed{}) }
	for _, c := range []struct {
		name  string
		facts []protocol.Fact
		want  bool
	}{
		{"its first period is not over", []protocol.Fact{add(3, 1), said(19)}, true},
		{"its first period passed", []protocol.Fact{add(3, 1), said(20)}, false},
		{"the period after its last proof is not over", append(prove(14, 25), add(3, 1), said(39)), true},
		{"the period after its last proof passed", append(prove(14, 25), add(3, 1), said(40)), false},
		{"a proof came after the time", append(prove(14, 25, 50), add(3, 1)), false},
		{"it was added after the time", []protocol.Fact{add(50, 1)}, false},
		{"it left", append(prove(14, 25), add(3, 1), remove(26, 1)), false},
		{"it came back", append(prove(14, 25), add(3, 1), remove(26, 1), add(27, 2)), true},
		{"nothing is there", prove(14), false},
		{"an open demand may be answered", append(prove(14, 24, 34), add(3, 1), demand(49, 1, 0), said(59)), true},
		{"a missed one may not", append(prove(14, 24, 34), add(3, 1), demand(49, 1, 0), said(60)), false},
		{"a demand after the time takes nothing from it", append(prove(14, 24, 34, 44, 54), add(3, 1), demand(56, 1, 0), said(57)), false},
	} {
		if got := possession.Read(c.facts, params(), 1000).Awaits(node, root, 7, 50); got != c.want {
			t.Errorf("%s: awaited %t", c.name, got)
		}
	}
}

// slow is the definition, second by second.
func slow(facts []protocol.Fact, from, to uint64) (sum uint64) {
	proofs := map[uint64]uint64{}
	for _, f := range facts {
		if e, ok := f.Event.(protocol.PossessionProved); ok {
			proofs[e.Period] = f.Time
		}
	}
	blocked := func(a protocol.Fact, second uint64) bool { // by a demand while that piece was there
		for _, f := range facts {
			d, ok := f.Event.(protocol.RetrievalDemanded)
			if !ok || f.Block <= a.Block || second < f.Time {
				continue
			}
			good := false
			lifted := uint64(1 << 60)
			for _, g := range facts {
				w, ok := g.Event.(protocol.RetrievalAnswered)
				if !ok || g.Block <= f.Block {
					continue
				}
				good = good || w.ID == d.ID && w.Leaf == d.Leaf && g.Block <= d.By
				for _, h := range facts { // which other demand it answers
					e, ok := h.Event.(protocol.RetrievalDemanded)
					if ok && h.Block > f.Block && h.Block < g.Block && e.ID == w.ID && e.Leaf == w.Leaf && g.Block <= e.By {
						lifted = min(lifted, g.Time)
					}
				}
			}
			if !good && second < lifted {
				return true
			}
		}
		return false
	}
	for second := from; second < to; second++ {
		paid := false
		for _, f := range facts {
			a, ok := f.Event.(protocol.PieceAdded)
			if !ok {
				continue
			}
			gone := uint64(1 << 60)
			for _, g := range facts {
				if r, ok := g.Event.(protocol.PieceRemoved); ok && r.ID == a.ID {
					gone = g.Time
				}
			}
			for period, end := range proofs {
				first := f.Block/10 + 1
				begin, before := proofs[period-1]
				if period == first {
					begin, before = f.Time, true
				}
				if period >= first && before && end < gone && begin <= second && second < end && !blocked(f, second) {
					paid = true
				}
			}
		}
		if paid {
			sum++
		}
	}
	return sum
}

func TestProvedTimeIsThatOfTheDefinition(t *testing.T) {
	for range 300 {
		seed := rand.Uint64()
		rnd := rand.New(rand.NewPCG(seed, 1))
		var facts []protocol.Fact
		in := false
		id := uint64(0)
		for period := range uint64(20) {
			block := period*10 + 1 + rnd.Uint64N(8)
			proved := rnd.IntN(4) > 0
			if proved {
				facts = append(facts, prove(block)...)
			}
			switch {
			case !in && rnd.IntN(2) == 0:
				id++
				facts = append(facts, add(period*10+rnd.Uint64N(10), id))
				if block == facts[len(facts)-1].Block { // one block holds one of the facts here
					facts[len(facts)-1] = add(period*10+9, id)
				}
				in = true
			case in && proved && rnd.IntN(4) == 0:
				facts = append(facts, remove(block+1, id))
				in = false
			}
		}
		if len(facts) == 0 {
			continue
		}
		facts = append(facts, demands(rnd, facts)...)
		from := rnd.Uint64N(150)
		to := from + rnd.Uint64N(100)
		want := slow(facts, from, to)
		rnd.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
		s := possession.Read(facts, params(), 1000)
		if got := s.Proved(node, root, 7, from, to); got != want {
			t.Fatalf("seed %d: %d seconds from %d to %d, the definition gives %d: %v", seed, got, from, to, want, facts)
		}
		if mid := from + (to-from)/2; s.Proved(node, root, 7, from, mid)+s.Proved(node, root, 7, mid, to) != want {
			t.Fatalf("seed %d: two halves are not the whole", seed)
		}
		var last uint64
		for cut := range uint64(200) { // what was proved stays proved, whatever comes later
			now := possession.Read(facts, params(), cut).Proved(node, root, 7, from, to)
			if now < last {
				t.Fatalf("seed %d: at %d, %d seconds are proved, before %d", seed, cut, now, last)
			}
			last = now
		}
	}
}

// demands are some that are answered in time, late or never, in blocks of their own.
func demands(rnd *rand.Rand, facts []protocol.Fact) (out []protocol.Fact) {
	free := func(b uint64) bool {
		return !slices.ContainsFunc(slices.Concat(facts, out), func(f protocol.Fact) bool { return f.Block == b })
	}
	for leaf := range rnd.Uint64N(6) {
		b, id := rnd.Uint64N(200), uint64(0)
		for _, f := range facts {
			if e, ok := f.Event.(protocol.PieceAdded); ok && f.Block < b {
				id = max(id, e.ID)
			}
		}
		gone := slices.ContainsFunc(facts, func(f protocol.Fact) bool {
			e, ok := f.Event.(protocol.PieceRemoved)
			return ok && e.ID == id && f.Block < b
		})
		if id == 0 || gone || !free(b) {
			continue
		}
		out = append(out, demand(b, id, leaf))
		if a := b + 1 + rnd.Uint64N(14); free(a) && rnd.IntN(3) > 0 {
			out = append(out, answer(a, id, leaf))
		}
	}
	return out
}

func TestHoldersKeepSomethingAndAreNotSuspended(t *testing.T) {
	other := common.Address{2}
	facts := append(prove(14, 24), add(3, 1), add(4, 2), remove(25, 2),
		at(5, protocol.PieceAdded{Node: other, ID: 1, Root: common.Hash{8}, Size: 9}))
	s := possession.Read(facts, params(), 1000)
	for period, want := range map[uint64][]common.Address{2: {node, other}, 3: {node}, 4: {node}, 5: nil} {
		var got []common.Address
		for _, h := range s.Holders(period) {
			got = append(got, h.Node)
		}
		if !slices.Equal(got, want) {
			t.Errorf("in period %d, %v hold, want %v", period, got, want)
		}
	}
	if h := s.Holders(2); fmt.Sprint(h[0].Pieces) != fmt.Sprint([]protocol.HeldPiece{{ID: 1, Root: root, Size: 7}}) {
		t.Errorf("it holds %v", h[0].Pieces)
	}
	if !s.Has(node, 1) || s.Has(node, 2) || s.Has(other, 7) {
		t.Error("what is in the sets is not what was put there")
	}
	facts = append(facts, at(26, protocol.PeriodsMissed{Node: node, From: 3, To: 4}))
	if h := possession.Read(facts, params(), 1000).Holders(3); len(h) != 0 {
		t.Errorf("who gave two periods up is suspended, but %v hold", h)
	}
}

func BenchmarkProvedOverAYear(b *testing.B) {
	facts := []protocol.Fact{add(3, 1)}
	for p := uint64(1); p < 17_520; p++ { // half an hour a period
		facts = append(facts, prove(p*10+2)...)
	}
	s := possession.Read(facts, params(), 1<<40)
	for b.Loop() {
		s.Proved(node, root, 7, 50_000, 150_000)
	}
}
