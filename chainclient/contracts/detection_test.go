package contracts_test

import (
	"math"
	"testing"

	"tally/chainclient/contract/possession"
	"tally/protocol"
	"tally/protocol/piece"
)

// A node that deleted one leaf in a hundred, and kept all paths, answers what it
// can: it fails within the periods that the draws promise, while an honest node
// beside it proves every one of them. Package protocol measures the share over
// seeds; this is one run on the contract.
func TestANodeThatDeletedOneInAHundredFails(t *testing.T) {
	w := newWorld(t)
	const period, leaves = 4, 5
	w.Book.Possession = w.create(&possession.PossessionMetaData, pos.PackConstructor(w.Book.Registry, w.Book.Ledger, period, leaves))
	w.Book.Params.ProofPeriod, w.Book.Params.ProofLeaves = period, leaves
	honest, thief := w.holder(worker), w.holder(stranger)
	f := fileOf(t, 1, 1<<20)
	honest.add(f)
	thief.add(f)
	n := piece.Leaves(f.size)
	lost := func(leaf uint64) bool { return leaf%100 == 31 }
	gone := 0.0
	for leaf := range n {
		if lost(leaf) {
			gone++
		}
	}
	// One run in a million passes as many periods.
	last := int(math.Ceil(math.Log(1e-6) / math.Log(1-gone/float64(n)) / leaves))
	for passed := range last {
		p := w.begin()
		answer := thief.proofs(p)
		missing := -1
		for i := range answer {
			if lost(answer[i].Leaf) {
				clear(answer[i].Data)
				if missing < 0 {
					missing = i
				}
			}
		}
		honest.prove()
		if w.period() != p {
			t.Fatal("the period is over")
		}
		data := pos.PackProve(thief.addr(), p, answer)
		if missing < 0 {
			w.Do(thief.i, &w.Book.Possession, data)
			continue
		}
		w.refused("WrongRoot", thief.i, w.Book.Possession, data)
		// Nor does a leaf that it has stand in for the one that it has not.
		answer[missing] = thief.proof(0, (answer[missing].Leaf+1)%n)
		w.refused("WrongLeaf", thief.i, w.Book.Possession, pos.PackProve(thief.addr(), p, answer))
		w.begin()
		w.says(w.Do(auditor1, &w.Book.Possession, pos.PackPoke(thief.addr())), protocol.PeriodsMissed{Node: thief.addr(), From: p, To: p})
		if s := thief.set(); int(s.Proved) != passed || s.Missed != 1 {
			t.Errorf("its set is %+v after %d proofs", s, passed)
		}
		honest.prove()
		if s := honest.set(); s.Missed != 0 || int(s.Proved) != passed+2 {
			t.Errorf("the honest node's set is %+v", s)
		}
		t.Logf("failed after %d periods", passed)
		return
	}
	t.Errorf("passed %d periods of %d draws without %.0f of %d leaves", last, leaves, gone, n)
}
