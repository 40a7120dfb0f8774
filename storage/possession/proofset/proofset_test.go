package proofset_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage/possession/proofset"
)

const period = 10

var (
	ann, bob = common.Address{1}, common.Address{2}
	book     = common.Hash{7}
)

// tape is a chain that says what the test writes on it.
type tape struct {
	hashes []common.Hash
	facts  []protocol.Fact
	salt   byte
}

func (t *tape) Head() (uint64, common.Hash) {
	n := len(t.hashes) - 1
	return uint64(n), t.hashes[n]
}

func (t *tape) BlockHash(n uint64) (common.Hash, error) {
	if n >= uint64(len(t.hashes)) {
		return common.Hash{}, proofset.ErrMoving
	}
	return t.hashes[n], nil
}
func (t *tape) Facts() []protocol.Fact   { return slices.Clone(t.facts) }
func (t *tape) Changed() <-chan struct{} { return nil }

// to mines up to a block, which has the events.
func (t *tape) to(block uint64, events ...any) {
	for uint64(len(t.hashes)) <= block {
		t.hashes = append(t.hashes, common.Hash{t.salt, byte(len(t.hashes) >> 8), byte(len(t.hashes)), 1})
	}
	for _, e := range events {
		t.facts = append(t.facts, protocol.Fact{Block: block, Index: uint64(len(t.facts)), Event: e})
	}
}

// back takes blocks from n on away.
func (t *tape) back(n uint64) {
	t.salt++
	t.hashes = t.hashes[:n]
	t.facts = slices.DeleteFunc(t.facts, func(f protocol.Fact) bool { return f.Block >= n })
}

func follow(t *tape) *proofset.Follower {
	return proofset.Follow(t, protocol.Params{ProofPeriod: period, ProofLeaves: 3})
}

func add(n common.Address, id uint64) any {
	return protocol.PieceAdded{Node: n, ID: id, Root: book, Size: 1000}
}

func TestHolderIsSuspendedAfterTwoMissesAndBackAfterAProof(t *testing.T) {
	c := &tape{}
	f := follow(c)
	for _, step := range []struct {
		block  uint64
		event  any
		missed uint64
		holds  bool
	}{
		{5, add(ann, 0), 0, false}, // period 0: counts from 1
		{9, protocol.PossessionProved{Node: ann, Period: 0, Leaves: 4}, 0, false}, // covers an older piece
		{15, protocol.PossessionProved{Node: ann, Period: 1, Leaves: 4}, 0, true},
		{25, nil, 0, true}, // period 2 can still be proved
		{30, nil, 1, true}, // period 2 was missed
		{39, nil, 1, true},
		{40, nil, 2, false},
		{43, protocol.PeriodsMissed{Node: ann, From: 2, To: 3}, 2, false}, // recorded: nothing new
		{45, protocol.PossessionProved{Node: ann, Period: 4, Leaves: 4}, 0, true},
		{55, protocol.PeriodsMissed{Node: ann, From: 5, To: 5}, 1, true}, // given up before its end
		{56, protocol.PieceRemoved{Node: ann, ID: 0}, 1, false},
		{85, add(ann, 1), 1, false}, // an empty set misses nothing, and forgives nothing
		{100, nil, 2, false},        // period 9
		{101, protocol.PossessionProved{Node: ann, Period: 10, Leaves: 4}, 0, true},
		{102, protocol.NodeDeregistered{Node: ann}, 0, false},
		{103, protocol.NodeRegistered{Node: ann}, 0, true},
	} {
		if step.event != nil {
			c.to(step.block, step.event)
		} else {
			c.to(step.block)
		}
		h, s, err := f.Set(ann)
		if err != nil {
			t.Fatal(err)
		}
		if n := s.Missed(h.Period); n != step.missed {
			t.Errorf("block %d: %d periods missed in a row, want %d", step.block, n, step.missed)
		}
		holders, err := f.Holders(book)
		if err != nil || slices.Contains(holders, ann) != step.holds {
			t.Errorf("block %d: holders %v, %v", step.block, holders, err)
		}
	}
}

// A root with another size is another piece, and a piece counts from the first
// proof that covers it: until then its node is coming, while it may be in time.
func TestHolderIsWhoProvedThePieceWithItsSize(t *testing.T) {
	c := &tape{}
	f := follow(c)
	look := func(size uint64, holders, coming int) {
		t.Helper()
		h, o, err := f.Keepers(book, size)
		if err != nil || len(h) != holders || len(o) != coming {
			n, _ := c.Head()
			t.Errorf("block %d, %d bytes: holders %v, coming %v, %v", n, size, h, o, err)
		}
	}
	c.to(5, add(ann, 0), protocol.PieceAdded{Node: bob, ID: 0, Root: book, Size: 1})
	look(1000, 0, 1)
	c.to(15, protocol.PossessionProved{Node: ann, Period: 1, Leaves: 4}, protocol.PossessionProved{Node: bob, Period: 1, Leaves: 1})
	look(1000, 1, 0)
	look(1, 1, 0)
	look(2, 0, 0)
	c.to(16, protocol.PieceAdded{Node: bob, ID: 1, Root: book, Size: 1000}, protocol.PieceRemoved{Node: bob, ID: 0})
	look(1000, 1, 1) // its proof of period 1 did not cover it
	look(1, 0, 0)
	c.to(29)
	look(1000, 1, 1)
	c.to(30)
	look(1000, 1, 0) // its first period is over
	c.to(31, protocol.PossessionProved{Node: bob, Period: 3, Leaves: 4})
	look(1000, 2, 0)
	c.to(32, protocol.PieceRemoved{Node: bob, ID: 1}, protocol.PieceAdded{Node: bob, ID: 2, Root: book, Size: 1000})
	look(1000, 1, 1) // who takes it out and puts it back begins anew
}

// Who gave up the last of its pieces could otherwise never prove again.
func TestSuspendedNodeMayTakePiecesOnceItHasNone(t *testing.T) {
	c := &tape{}
	f := follow(c)
	for _, step := range []struct {
		block     uint64
		event     any
		may, hold bool
	}{
		{5, add(ann, 0), true, false},
		{30, nil, false, false}, // missed 1 and 2
		{31, protocol.PeriodsMissed{Node: ann, From: 3, To: 3}, false, false},
		{32, protocol.PieceRemoved{Node: ann, ID: 0}, true, false},
		{45, add(ann, 1), false, false}, // no holder before it proves
		{52, protocol.PossessionProved{Node: ann, Period: 5, Leaves: 4}, true, true},
		{53, protocol.PieceRemoved{Node: ann, ID: 1}, true, false},
		{54, protocol.NodeDeregistered{Node: ann}, false, false},
	} {
		if step.event != nil {
			c.to(step.block, step.event)
		} else {
			c.to(step.block)
		}
		may, err := f.MayTake(ann)
		holders, err2 := f.Holders(book)
		if err != nil || err2 != nil || may != step.may || slices.Contains(holders, ann) != step.hold {
			t.Errorf("block %d: may take %v, holders %v, %v, %v", step.block, may, holders, err, err2)
		}
	}
}

func TestPieceIsChallengedFromThePeriodAfterItsAdditionToThatOfItsRemoval(t *testing.T) {
	c := &tape{}
	f := follow(c)
	c.to(10, add(ann, 0)) // the first block of period 1
	c.to(25, add(ann, 1))
	c.to(36, protocol.PossessionProved{Node: ann, Period: 3, Leaves: 8}, protocol.PieceRemoved{Node: ann, ID: 0})
	_, s, err := f.Set(ann)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[uint64][]uint64{3: {0, 1}, 4: {1}} {
		got, leaves := s.Challenged(p)
		var ids []uint64
		for _, h := range got {
			ids = append(ids, h.ID)
		}
		if !slices.Equal(ids, want) || leaves != uint64(len(want))*piece.Leaves(1000) {
			t.Errorf("period %d: %v with %d leaves", p, ids, leaves)
		}
	}
	if len(s.Pieces()) != 1 || s.Since()[book] != 3 {
		t.Errorf("pieces %v since %v", s.Pieces(), s.Since())
	}
}

func TestDemandEndsForTheAuditorWhoMissedAndForAllWhoWereAnswered(t *testing.T) {
	c := &tape{}
	f := follow(c)
	ask := func(a common.Address, leaf, by uint64) any {
		return protocol.RetrievalDemanded{Node: ann, Auditor: a, ID: 0, Leaf: leaf, By: by}
	}
	c.to(5, add(ann, 0), ask(bob, 1, 40), ask(common.Address{3}, 1, 30), ask(bob, 2, 20))
	demands := func() (by []uint64) {
		_, s, err := f.Set(ann)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range s.Demands() {
			by = append(by, d.By)
		}
		return by
	}
	if got := demands(); !slices.Equal(got, []uint64{20, 30, 40}) {
		t.Fatalf("demands by %v: the most urgent comes first", got)
	}
	c.to(6, protocol.RetrievalMissed{Node: ann, Auditor: common.Address{3}, ID: 0, Leaf: 1})
	if got := demands(); !slices.Equal(got, []uint64{20, 40}) {
		t.Fatalf("demands by %v", got)
	}
	c.to(7, ask(common.Address{3}, 1, 50), protocol.RetrievalAnswered{Node: ann, ID: 0, Leaf: 1})
	if got := demands(); !slices.Equal(got, []uint64{20}) {
		t.Fatalf("demands by %v", got)
	}
}

// Whatever is added, removed, proved and taken back, a follower that was asked all
// the time says what one says that reads everything at the end.
func TestFoldingStepByStepEqualsFoldingAtOnce(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 30 {
		c := &tape{}
		c.to(0)
		f := follow(c)
		next := map[common.Address]uint64{}
		for range 120 {
			at := uint64(len(c.hashes))
			who := []common.Address{ann, bob}[rng.IntN(2)]
			switch rng.IntN(7) {
			case 0, 1:
				c.to(at, protocol.PieceAdded{Node: who, ID: next[who], Root: common.Hash{byte(rng.IntN(5))}, Size: 7 + rng.Uint64N(3)})
				next[who]++
			case 2:
				if next[who] > 0 {
					c.to(at, protocol.PieceRemoved{Node: who, ID: rng.Uint64N(next[who])})
				}
			case 3:
				c.to(at, protocol.PossessionProved{Node: who, Period: at / period})
			case 4:
				c.to(at, protocol.PeriodsMissed{Node: who, From: at / period, To: at / period})
			case 5:
				c.to(at + rng.Uint64N(9))
			case 6:
				if at > 12 {
					c.back(at - 1 - rng.Uint64N(10))
					c.to(uint64(len(c.hashes)))
				}
			}
			fresh := follow(c)
			for _, n := range []common.Address{ann, bob} {
				h, a, err := f.Set(n)
				_, b, err2 := fresh.Set(n)
				if err != nil || err2 != nil {
					t.Fatal(err, err2)
				}
				pa, la := a.Challenged(h.Period)
				pb, lb := b.Challenged(h.Period)
				if !slices.Equal(pa, pb) || la != lb || !slices.Equal(a.Pieces(), b.Pieces()) || a.Missed(h.Period) != b.Missed(h.Period) {
					t.Fatalf("block %d: %+v, read at once %+v", at, a, b)
				}
			}
			for i := range 5 {
				h1, c1, err1 := f.Keepers(common.Hash{byte(i)}, 7)
				h2, c2, err3 := fresh.Keepers(common.Hash{byte(i)}, 7)
				if err1 != nil || err3 != nil || !slices.Equal(h1, h2) || !slices.Equal(c1, c2) {
					t.Fatalf("keepers %v and %v, read at once %v and %v", h1, c1, h2, c2)
				}
				a, err := f.Holders(common.Hash{byte(i)})
				b, err2 := fresh.Holders(common.Hash{byte(i)})
				if err != nil || err2 != nil || !slices.Equal(a, b) {
					t.Fatalf("holders %v, read at once %v", a, b)
				}
			}
		}
	}
}

func TestDrawRefusesAnEmptySetAndTooManyLeaves(t *testing.T) {
	if _, err := proofset.Draw(nil, 0, common.Hash{}, ann, 1, 3); err == nil {
		t.Error("leaves were drawn from nothing")
	}
	p := []protocol.HeldPiece{{ID: 0, Root: book, Size: 1000}}
	if _, err := proofset.Draw(p, 4, common.Hash{}, ann, 1, proofset.MaxLeaves+1); err == nil {
		t.Error("more leaves than the contract draws")
	}
	if d, err := proofset.Draw(p, 4, common.Hash{1}, ann, 1, 3); err != nil || len(d) != 3 {
		t.Error(d, err)
	}
}
