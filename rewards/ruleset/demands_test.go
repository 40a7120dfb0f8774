package ruleset_test

import (
	"testing"

	"tally/protocol"
	"tally/rewards/rewardstest"
)

func (w *world) demand(name string, id uint64) {
	w.t.Helper()
	_, err := w.chain.As(rewardstest.Addr("a1")).Demand(w.t.Context(), rewardstest.Addr(name), id, 3)
	w.ok(err)
}

// Filler hides a piece that is gone from the draws of the proofs, but not from an
// auditor that asks for it.
func TestPinIsNotPaidOnAfterAMissedDemandWhateverIsProved(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	id := w.keep(p, shardSize)
	c := w.promise(j, p, 200) // 1000 to 1200
	w.prove(1_040, p)
	w.now = 1_060
	w.demand(p, id)
	w.prove(1_080, p)
	w.commit(p, 0, c)
	w.progress(w.derive(0), c, protocol.ReasonHeldUntil, 60, "300000000000000000", "0")
	for _, t := range []uint64{1_160, 1_190, 1_230} {
		w.prove(t, p) // what is drawn it has
	}
	w.progress(w.derive(1), c, protocol.ReasonHeldUntil, 60, "300000000000000000", "0")
	w.quiet()
	w.progress(w.derive(2), c, protocol.ReasonRewarded, 60, "300000000000000000", "700000000000000000")
}

func TestPinWhoseDemandWasAnsweredIsPaidInFull(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	id := w.keep(p, shardSize)
	c := w.promise(j, p, 100)
	w.prove(1_040, p)
	for range 6 {
		w.ok(w.chain.Say(protocol.Claimed{}))
	}
	w.demand(p, id)
	w.prove(1_110, p)
	w.commit(p, 0, c)
	w.progress(w.derive(0), c, protocol.ReasonHeldUntil, 40, "400000000000000000", "0")
	w.now = 1_160
	w.ok(w.chain.Say(protocol.RetrievalAnswered{Node: rewardstest.Addr(p), ID: id, Leaf: 3}))
	w.progress(w.derive(1), c, protocol.ReasonRewarded, 100, "1000000000000000000", "0")
}

// The end of a promise waits for an answer that may still come.
func TestPinWithAnOpenDemandIsNotEnded(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	id := w.keep(p, shardSize)
	c := w.promise(j, p, 100) // 1000 to 1100
	w.prove(1_040, p)
	w.prove(1_090, p)
	w.demand(p, id)
	w.prove(1_110, p)
	w.commit(p, 0, c)
	w.derive(0)
	w.progress(w.derive(1), c, protocol.ReasonHeldUntil, 90, "900000000000000000", "0") // beyond the grace
	w.quiet()
	w.progress(w.derive(2), c, protocol.ReasonRewarded, 90, "900000000000000000", "100000000000000000")
}
