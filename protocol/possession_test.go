package protocol

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/protocol/piece"
)

// Other implementations, the contract first, draw the same.
func TestDrawsStandAsTheyAre(t *testing.T) {
	seed := crypto.Keccak256Hash([]byte("seed"))
	node := common.HexToAddress("0x00000000000000000000000000000000000000ff")
	for i, want := range []uint64{3205, 2400, 2031, 2914, 2815} {
		if got := DrawLeaf(seed, node, 7, uint64(i), 4096); got != want {
			t.Errorf("draw %d is %d, want %d", i, got, want)
		}
	}
	if DrawLeaf(seed, node, 7, 0, 1<<40) == DrawLeaf(seed, node, 8, 0, 1<<40) {
		t.Error("two periods draw alike")
	}
	if DrawLeaf(seed, node, 7, 0, 1<<40) == DrawLeaf(seed, common.Address{1}, 7, 0, 1<<40) {
		t.Error("two nodes draw alike")
	}
	if got := DrawLeaf(seed, node, 7, 0, 1); got != 0 {
		t.Errorf("of one leaf, %d was drawn", got)
	}
}

func TestFindLeafCountsThroughThePieces(t *testing.T) {
	set := []HeldPiece{{ID: 2, Size: 1}, {ID: 3, Size: 256}, {ID: 9, Size: 257}, {ID: 10, Size: 1000}}
	for n, want := range map[uint64][2]uint64{0: {2, 0}, 1: {3, 0}, 2: {9, 0}, 3: {9, 1}, 4: {10, 0}, 7: {10, 3}} {
		p, leaf, err := FindLeaf(set, n)
		if err != nil || p.ID != want[0] || leaf != want[1] {
			t.Errorf("leaf %d: piece %d, leaf %d, %v; want %v", n, p.ID, leaf, err, want)
		}
	}
	for _, n := range []uint64{8, math.MaxUint64} {
		if _, _, err := FindLeaf(set, n); !errors.Is(err, ErrPossession) {
			t.Errorf("leaf %d: got %v", n, err)
		}
	}
	if _, _, err := FindLeaf(nil, 0); !errors.Is(err, ErrPossession) {
		t.Errorf("got %v", err)
	}
}

func TestPeriodsTileTheBlocks(t *testing.T) {
	p := Params{ProofPeriod: 30}
	for period := range uint64(5) {
		first := p.ChallengeBlock(period)
		if p.PeriodAt(first) != period || p.PeriodAt(first+29) != period || p.PeriodAt(first+30) != period+1 {
			t.Errorf("period %d begins in block %d", period, first)
		}
	}
	if (Params{}).PeriodAt(7) != 0 {
		t.Error("a network without proofs has periods")
	}
}

// A node that lacks a fraction a of its leaves passes T periods of K draws with
// probability (1-a)^(K·T), whatever pieces the leaves lie in and however the lost
// ones lie: measured over seeds, through the draws that the contract makes.
func TestLostLeavesAreDrawnAsOftenAsPromised(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	var set []HeldPiece
	total := uint64(0)
	for id := range uint64(40) {
		set = append(set, HeldPiece{ID: id, Size: 1 + r.Uint64N(8<<20)})
		total += piece.Leaves(set[id].Size)
	}
	last := set[len(set)-1]
	const seeds, leaves = 4000, 5
	for name, c := range map[string]struct {
		periods uint64
		lost    func(p HeldPiece, leaf uint64) bool
	}{
		"one leaf in a hundred":      {20, func(_ HeldPiece, leaf uint64) bool { return leaf%100 == 7 }},
		"the end of every piece":     {5, func(p HeldPiece, leaf uint64) bool { return leaf >= piece.Leaves(p.Size)*19/20 }},
		"a piece":                    {12, func(p HeldPiece, _ uint64) bool { return p.ID == 17 }},
		"the second half of the set": {1, func(p HeldPiece, _ uint64) bool { return p.ID >= 20 }},
		"one leaf":                   {5, func(p HeldPiece, leaf uint64) bool { return p.ID == last.ID && leaf == 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			gone := 0.0
			for _, p := range set {
				for leaf := range piece.Leaves(p.Size) {
					if c.lost(p, leaf) {
						gone++
					}
				}
			}
			passed := 0.0
			for s := range uint64(seeds) {
				if passes(t, set, total, s, c.periods, leaves, c.lost) {
					passed++
				}
			}
			want := math.Pow(1-gone/float64(total), float64(leaves*c.periods))
			got := passed / seeds
			// Four standard deviations of a share of as many seeds, and a little for shares near 1.
			bound := 4*math.Sqrt(want*(1-want)/seeds) + 1e-3
			t.Logf("lacks %.4f, %d draws: %.4f pass, %.4f were promised (within %.4f)", gone/float64(total), leaves*c.periods, got, want, bound)
			if math.Abs(got-want) > bound {
				t.Errorf("%.4f pass, %.4f were promised", got, want)
			}
		})
	}
}

func passes(t *testing.T, set []HeldPiece, total, s, periods, leaves uint64, lost func(HeldPiece, uint64) bool) bool {
	t.Helper()
	for period := range periods {
		seed := crypto.Keccak256Hash(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, s), period))
		for i := range leaves {
			p, leaf, err := FindLeaf(set, DrawLeaf(seed, common.Address{1}, period, i, total))
			if err != nil {
				t.Fatal(err)
			}
			if lost(p, leaf) {
				return false
			}
		}
	}
	return true
}

func TestANetworkWithoutThePossessionContractIsNone(t *testing.T) {
	n := testNetwork
	id := n.ID()
	n.Possession = common.Address{1}
	if n.ID() == id {
		t.Error("networks with other possession contracts have one id")
	}
	n.Possession = common.Address{}
	if err := n.Validate(); !errors.Is(err, ErrNetwork) {
		t.Errorf("got %v", err)
	}
}

func TestSilenceSuspendsAfterTwoPeriods(t *testing.T) {
	for running, want := range map[uint64]bool{0: false, 1: false, 2: true, 9: true} {
		if got := (ProofSet{Running: running}).Suspended(); got != want {
			t.Errorf("%d periods: %v", running, got)
		}
	}
}
