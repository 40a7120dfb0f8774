package rewards_test

import (
	"testing"

	"tally/protocol"
	"tally/rewards"
	"tally/rewards/rewardstest"
)

func TestWitnessNamesTheOneAuditorDrawnAndNobodyBefore(t *testing.T) {
	w := newTown(t)
	p := w.chain.Params
	answer, shard := w.work(w.infer, "w1", nil), w.work(w.pin, "p1", nil)
	witness := rewards.NewWitness(rewards.Source{Network: w.chain.Network, Params: p, Rules: w.rules, Chain: w.chain, Store: w.store})
	drawn := func(c protocol.Cosigned) (who []string) {
		t.Helper()
		for _, name := range []string{"a1", "a2", "w2", "s"} {
			yes, err := witness.Drawn(t.Context(), c.ID(), rewardstest.Addr(name))
			w.ok(err)
			if yes {
				who = append(who, name)
			}
		}
		return who
	}
	w.live(p.End(0) + 1)
	if who := drawn(answer); len(who) != 0 {
		t.Errorf("%v may see the transcript before the commitments are fixed", who)
	}
	w.live(p.CommitBy(0) + 3)
	if who := drawn(answer); len(who) != 1 || who[0] != "a1" && who[0] != "a2" {
		t.Errorf("%v may see the transcript of a new worker's answer, want one auditor", who)
	}
	if who := drawn(shard); len(who) != 0 {
		t.Errorf("%v are drawn for a pin", who)
	}
	w.live(p.AuditBy(0) + 10)
	if who := drawn(answer); len(who) != 0 {
		t.Errorf("%v may see the transcript after the epoch is settled", who)
	}
}
