package chainclient_test

import (
	"bytes"
	"context"
	"errors"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"

	"tally/chainclient"
	"tally/chainclient/chaintest"
	"tally/protocol"
	"tally/protocol/piece"
)

func TestPiecesAreAddedProvedDemandedAndRemovedAndEveryStepIsAFact(t *testing.T) {
	ctx := t.Context()
	const node, auditor = 1, 2
	c := chaintest.New(t, 3, auditor)
	n, a := c.As(node), c.As(auditor)
	me, them := c.Account(node), c.Account(auditor)
	key := crypto.CompressPubkey(&c.Keys[node].PublicKey)
	done(t, n)(n.Register(ctx, key, me, []string{"pin/1"}))
	digest := common.Hash{31: 7}
	done(t, n)(n.CommitContribution(ctx, digest))

	files := [][]byte{bytes.Repeat([]byte("tally"), 1000), []byte("short")}
	var roots []common.Hash
	var sizes []uint64
	var held []protocol.HeldPiece
	for i, b := range files {
		root, size, err := piece.Sum(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		roots, sizes = append(roots, root), append(sizes, size)
		held = append(held, protocol.HeldPiece{ID: uint64(i), Root: root, Size: size})
	}
	done(t, n)(n.AddPieces(ctx, roots, sizes))
	for _, want := range held {
		if got, ok, err := n.Piece(ctx, me, want.ID); err != nil || !ok || got != want {
			t.Errorf("piece %d is %+v, %v, %v", want.ID, got, ok, err)
		}
	}
	if _, ok, err := n.Piece(ctx, me, 2); ok || err != nil {
		t.Errorf("a piece that nobody added: %v, %v", ok, err)
	}
	begin := func() uint64 {
		head := must(c.BlockNumber(ctx))(t)
		period := c.Book.Params.PeriodAt(head) + 1
		for range c.Book.Params.ChallengeBlock(period) - head {
			c.Backend.Commit()
		}
		return period
	}
	proofOf := func(p protocol.HeldPiece, leaf uint64) protocol.LeafProof {
		return protocol.LeafProof{ID: p.ID, Proof: must(piece.Prove(bytes.NewReader(files[p.ID]), p.Size, leaf))(t)}
	}
	prove := func(period uint64) {
		// The challenge block is the last one: what is sent now is mined in the block after it.
		seed := must(n.Seed(ctx, period))(t)
		set := must(n.ProofSet(ctx, me))(t)
		var proofs []protocol.LeafProof
		for i := range c.Book.Params.ProofLeaves {
			p, leaf, err := protocol.FindLeaf(held, protocol.DrawLeaf(seed, me, period, i, set.Challenged))
			if err != nil {
				t.Fatal(err)
			}
			proofs = append(proofs, proofOf(p, leaf))
		}
		done(t, n)(n.Prove(ctx, period, proofs))
	}
	first := begin()
	prove(first)
	want := protocol.ProofSet{Next: 2, Pieces: 2, Leaves: 21, Period: first, Challenged: 21, Outcome: protocol.ChallengeProved, Proved: 1}
	if got := must(n.ProofSet(ctx, me))(t); got != want {
		t.Errorf("set is %+v, want %+v", got, want)
	}
	if !must(n.Proven(ctx, me, first))(t) || must(n.Proven(ctx, me, first-1))(t) {
		t.Error("another period is proved")
	}

	done(t, a)(a.Demand(ctx, me, 0, 7))
	demands := must(n.Demands(ctx, me))(t)
	by := must(c.BlockNumber(ctx))(t) + c.Book.Params.ProofPeriod
	if w := []protocol.Retrieval{{Auditor: them, By: by, ID: 0, Leaf: 7}}; !slices.Equal(demands, w) {
		t.Errorf("demands are %+v, want %+v", demands, w)
	}
	done(t, n)(n.Answer(ctx, proofOf(held[0], 7)))

	// The node's own word against it.
	said, err := protocol.Sign(c.Book.Network, c.Keys[node], protocol.Retrieved{Node: me, Asker: them, Piece: roots[0], Leaf: 3, Data: common.Hash{1}, Time: c.Now()})
	if err != nil {
		t.Fatal(err)
	}
	right := proofOf(held[0], 3).Proof
	if _, err := a.Accuse(ctx, said, sizes[0], proofOf(held[0], 2).Proof); !errors.Is(err, chainclient.ErrArgument) {
		t.Errorf("another leaf's proof: got %v", err)
	}
	if must(a.Accused(ctx, me, roots[0], 3))(t) {
		t.Error("accused already")
	}
	done(t, a)(a.Accuse(ctx, said, sizes[0], right))
	if !must(a.Accused(ctx, me, roots[0], 3))(t) || must(a.Accused(ctx, me, roots[0], 2))(t) {
		t.Error("another leaf is accused")
	}

	done(t, a)(a.Demand(ctx, me, 1, 0))
	missedBy := must(n.Demands(ctx, me))(t)[0].By
	second := begin()
	if _, err := n.RemovePieces(ctx, []uint64{1}); !chainclient.Reverted(err, "ProveFirst") {
		t.Errorf("got %v", err)
	}
	if period, id, leaf, err := n.Challenge(ctx, me, 0); err == nil {
		t.Errorf("the challenge block's own call has a challenge: %d %d %d", period, id, leaf)
	}
	c.Backend.Commit()
	if period, id, leaf, err := n.Challenge(ctx, me, 0); err != nil || period != second {
		t.Errorf("the challenge is %d %d %d, %v", period, id, leaf, err)
	}
	done(t, n)(n.Forfeit(ctx, second))
	for range c.Book.Params.ProofPeriod {
		c.Backend.Commit()
	}
	done(t, a)(a.Expire(ctx, me, them))
	third := begin()
	done(t, a)(a.Poke(ctx, me))
	prove(third)
	done(t, n)(n.RemovePieces(ctx, []uint64{1}))
	want = protocol.ProofSet{Next: 2, Pieces: 1, Leaves: 20, Period: third, Challenged: 21, Outcome: protocol.ChallengeProved, Proved: 2, Missed: want.Missed + third - first - 1}
	if got := must(n.ProofSet(ctx, me))(t); got != want || got.Suspended() {
		t.Errorf("set is %+v, want %+v", got, want)
	}

	story := []any{
		protocol.NodeRegistered{Node: me, Key: key, Payout: me, Classes: []string{"pin/1"}, Weight: 1_000_000},
		protocol.ContributionCommitted{Account: me, Digest: digest},
		protocol.PieceAdded{Node: me, ID: 0, Root: roots[0], Size: sizes[0]},
		protocol.PieceAdded{Node: me, ID: 1, Root: roots[1], Size: sizes[1]},
		protocol.PossessionProved{Node: me, Period: first, Leaves: 21},
		protocol.RetrievalDemanded{Node: me, Auditor: them, ID: 0, Leaf: 7, By: by},
		protocol.RetrievalAnswered{Node: me, ID: 0, Leaf: 7},
		protocol.DataWrong{Node: me, Piece: roots[0], Leaf: 3},
		protocol.RetrievalDemanded{Node: me, Auditor: them, ID: 1, Leaf: 0, By: missedBy},
		protocol.PeriodsMissed{Node: me, From: second, To: second},
		protocol.RetrievalMissed{Node: me, Auditor: them, ID: 1, Leaf: 0},
		protocol.PeriodsMissed{Node: me, From: second + 1, To: third - 1},
		protocol.PossessionProved{Node: me, Period: third, Leaves: 21},
		protocol.PieceRemoved{Node: me, ID: 1},
	}
	if got := facts(t, c); !reflect.DeepEqual(got, story) {
		t.Errorf("the chain says\n%+v, want\n%+v", got, story)
	}
}

func TestPiecesThatNoCallTakesAreRefusedAtOnce(t *testing.T) {
	ctx := t.Context()
	cl := chaintest.New(t, 1).As(0)
	for name, call := range map[string]func() error{
		"no roots":     func() error { _, err := cl.AddPieces(ctx, nil, nil); return err },
		"a size short": func() error { _, err := cl.AddPieces(ctx, make([]common.Hash, 2), make([]uint64, 1)); return err },
		"65 pieces":    func() error { _, err := cl.AddPieces(ctx, make([]common.Hash, 65), make([]uint64, 65)); return err },
		"no ids":       func() error { _, err := cl.RemovePieces(ctx, nil); return err },
		"65 to remove": func() error { _, err := cl.RemovePieces(ctx, make([]uint64, 65)); return err },
		"unsigned word": func() error {
			_, err := cl.Accuse(ctx, protocol.Signed[protocol.Retrieved]{}, 1, piece.Proof{})
			return err
		},
	} {
		err := call()
		if err == nil || name != "unsigned word" && !errors.Is(err, chainclient.ErrArgument) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestABookNeedsPeriodsThatTheChainRemembers(t *testing.T) {
	good := chaintest.New(t, 1).Book
	for _, c := range []struct {
		period, leaves uint64
		ok             bool
	}{{2, 1, true}, {8000, 32, true}, {1, 5, false}, {0, 5, false}, {8001, 5, false}, {16, 0, false}, {16, 33, false}} {
		b := good
		b.Params.ProofPeriod, b.Params.ProofLeaves = c.period, c.leaves
		if err := b.Validate(); (err == nil) != c.ok || err != nil && !errors.Is(err, chainclient.ErrBook) {
			t.Errorf("%d blocks, %d leaves: %v", c.period, c.leaves, err)
		}
	}
	b := good
	b.Possession = common.Address{}
	if err := b.Validate(); !errors.Is(err, protocol.ErrNetwork) {
		t.Errorf("got %v", err)
	}
}

// forgetful is a chain without the history contract.
type forgetful struct{ *chaintest.Chain }

func (f forgetful) CodeAt(ctx context.Context, a common.Address, block *big.Int) ([]byte, error) {
	if a == params.HistoryStorageAddress {
		return nil, nil
	}
	return f.Chain.CodeAt(ctx, a, block)
}

func TestAPeriodLongerThanTheChainsMemoryIsNotDeployed(t *testing.T) {
	c := chaintest.Bare(t, 1)
	d := chainclient.Deployment{Name: "long", Params: chaintest.Params()}
	d.Params.ProofPeriod = 257
	if _, err := chainclient.Deploy(t.Context(), forgetful{c}, c.Keys[0], d); !errors.Is(err, chainclient.ErrDeploy) || !strings.Contains(err.Error(), "EIP-2935") {
		t.Errorf("got %v", err)
	}
	if _, err := chainclient.Deploy(t.Context(), c, c.Keys[0], d); err != nil {
		t.Error(err)
	}
}
