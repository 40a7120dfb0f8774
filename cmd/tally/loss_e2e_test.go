package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"tally/node/api"
	"tally/node/devnet"
	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage/possession/proofset"
)

// Two nodes that each keep a shard that nobody else has.
const (
	careless = 0 // loses a part of it
	honest   = 1
)

// TestLostHundredthIsFoundByTheDrawThatMeetsItAndSuspends runs three processes. A
// loss must be found in the very period whose draw meets it, and nothing else may
// be missed. How often draws meet a loss is measured in chainclient/contracts; here a
// node shows a leaf only if the MiB around it is sound, so that a lost hundredth is
// met in one leaf of eight.
func TestLostHundredthIsFoundByTheDrawThatMeetsItAndSuspends(t *testing.T) {
	if testing.Short() {
		t.Skip("runs three processes")
	}
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Minute)
	defer cancel()
	w := openTown(ctx, t, []devnet.Member{pinner, pinner})
	const size, mib = 8 << 20, 3
	own := map[int]api.Shard{}
	for _, i := range []int{careless, honest} { // with two replicas wanted, neither waits for its turn
		dn := w.publish(t, i, "own", 2, prose(t, uint64(10+i), size-128<<10))
		answer[api.Datanet](t, "--data", w.dirs[i], "datanet", "follow", dn.CID)
		own[i] = dn.Shards[0]
	}
	w.log(t, "two follow what they published")
	for _, s := range own {
		w.await(ctx, t, "its owner proves shard "+s.Root, func() bool { return w.kept(pieceOf(s), 1) })
	}
	w.log(t, "both owners prove what they keep")
	w.await(ctx, t, "the careless node has proved a period that just began", func() bool { return w.set(careless).Proved(w.period()) })
	s := own[careless]
	w.log(t, "a hundredth of a shard is lost")
	w.restart(ctx, t, careless, func() {
		damage(t, w.carFile(careless, s.Root), mib<<20+300<<10, make([]byte, s.Bytes/100))
	})
	first := w.period() + 1 // from here on it must prove, or miss for its loss
	w.await(ctx, t, "the careless node is suspended", func() bool {
		bad, err := w.Sets.Suspended(w.accounts[careless])
		return err == nil && bad
	})
	set, hit := w.set(careless), uint64(0)
	for p := first - 1; hit == 0 && p < w.period(); p++ { // it may have proved the first before its loss
		if w.meets(t, p, s, mib) && (p >= first || !set.Proved(p)) {
			hit = p
		}
	}
	if hit == 0 {
		t.Fatal("suspended, and no draw has met what is lost")
	}
	t.Logf("what was lost in period %d was met in period %d", first-1, hit)
	for p := first; p < w.period(); p++ {
		if set.Proved(p) != (p < hit) {
			t.Errorf("period %d: proved %v; the loss was met in period %d", p, set.Proved(p), hit)
		}
	}
	// Of five leaves a period none is in one MiB of eight once in 10^11 for 40 periods.
	if hit > first+40 {
		t.Errorf("the loss was met after %d periods", hit-first)
	}
	st := w.poll(ctx, t, careless, "it says that it is suspended, and why", func(st api.StorageStatus) bool {
		return st.Proofs != nil && st.Proofs.Suspended && len(st.Proofs.Reasons) > 0
	})
	last := st.Proofs.Reasons[len(st.Proofs.Reasons)-1]
	t.Logf("the careless node says of period %d: %s", last.Period, last.Reason)
	if !slices.ContainsFunc(st.Proofs.Reasons, func(m api.Miss) bool { return m.Period == hit && strings.Contains(m.Reason, "cannot be read") }) {
		t.Errorf("its reasons are %+v", st.Proofs.Reasons)
	}
	if !slices.ContainsFunc(st.Problems, func(p string) bool { return strings.Contains(p, "missed in a row") }) {
		t.Errorf("its problems are %q", st.Problems)
	}
	good := w.set(honest)
	for p := good.Since()[pieceOf(own[honest])]; p < w.period(); p++ {
		if !good.Proved(p) {
			t.Errorf("the honest node missed period %d", p)
		}
	}
	if st := answer[api.StorageStatus](t, "--data", w.dirs[honest], "storage", "status"); st.Proofs.Missed != 0 || st.Proofs.Suspended || len(st.Proofs.Reasons) != 0 {
		t.Errorf("the honest node says %+v", st.Proofs)
	}
}

// meets says whether one of the leaves that a period drew from the careless node's
// shard is in a MiB of it.
func (w *town) meets(t *testing.T, period uint64, s api.Shard, mib uint64) bool {
	t.Helper()
	seed, _, err := w.View.Block(w.Book.Params.ChallengeBlock(period))
	if err != nil {
		t.Fatal(err)
	}
	one := []protocol.HeldPiece{{Root: pieceOf(s), Size: s.Bytes}}
	drawn, err := proofset.Draw(one, piece.Leaves(s.Bytes), seed, w.accounts[careless], period, w.Book.Params.ProofLeaves)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(drawn, func(d proofset.Drawn) bool { return layerOf(d.Leaf) == mib })
}

// layerOf is the MiB of a piece that a leaf is in: to show a leaf, a node reads all
// of it.
func layerOf(leaf uint64) uint64 { return leaf * piece.LeafSize / piece.LayerSpan }
