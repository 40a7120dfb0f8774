package rewards_test

import (
	"strings"
	"testing"

	"tally/protocol"
	"tally/rewards"
	"tally/rewards/rewardstest"
)

func TestStatusSaysWhatIsEarnedAndWhyNotMore(t *testing.T) {
	w := newTown(t)
	look := func(name string) rewards.Status {
		t.Helper()
		st, err := rewards.Look(t.Context(), rewards.StatusSource{Params: w.chain.Params, Chain: w.chain, Store: w.store, Ledger: w.books[name]}, rewardstest.Addr(name))
		w.ok(err)
		return st
	}
	has := func(st rewards.Status, words string) {
		t.Helper()
		if !strings.Contains(strings.Join(st.Notes, "\n"), words) {
			t.Errorf("notes %q do not say %q", st.Notes, words)
		}
	}
	w.work(w.infer, "w1", nil)
	st := look("w1")
	if st.Epoch != protocol.NoEpoch || !st.Earned.IsZero() {
		t.Errorf("before the first epoch: %+v", st)
	}
	has(st, "no epoch is anchored yet")
	has(st, "1 receipts are in no final epoch yet")

	for len(rewards.Anchors(w.facts())) == 0 {
		w.live(w.clock.Load() + 1)
	}
	st = look("w1")
	if st.Maturing.IsZero() || st.Maturing.Cmp(st.Earned) != 0 || !st.Claimable.IsZero() {
		t.Errorf("within the delay: %+v", st)
	}
	has(st, "can be claimed in")
	has(st, "of emission is held until epoch 2")

	delete(w.roles, "claim")
	w.roles["claim"] = w.roles["post"] // nobody claims
	w.live(w.clock.Load() + w.chain.Params.ClaimDelay + 1)
	st = look("w1")
	if st.Claimable.Cmp(st.Earned) != 0 || st.Claimable.IsZero() || st.Epoch != 0 {
		t.Errorf("after the delay: %+v", st)
	}
	if len(st.Reasons) != 1 || st.Reasons[0].Reason != protocol.ReasonRewarded {
		t.Errorf("reasons %v", st.Reasons)
	}
}

func (w *town) facts() []protocol.Fact {
	w.t.Helper()
	f, err := w.chain.Facts(w.t.Context())
	w.ok(err)
	return f
}
