package ruleset_test

import (
	"math/big"
	"testing"

	"tally/protocol"
	"tally/rewards/ruleset"
)

// The numbers of the worked example in docs/spec/epochs.md.
func TestWorkedExample(t *testing.T) {
	w := newWorld(t)
	j := w.infer()
	first := w.ranked(j, 0, "w1", "w2")
	w.commit(first, 0, w.work(j, first, nil))
	w.audit(0, equal)
	e := w.derive(0)
	sums := map[ruleset.Role]string{}
	for _, r := range ruleset.Roles() {
		sum := new(big.Int)
		for _, b := range e.State.Balances {
			sum.Add(sum, b.Of(r).Big())
		}
		sums[r] = sum.String()
	}
	for r, want := range map[ruleset.Role]string{
		ruleset.RoleWorker: "700000000000000000", ruleset.RoleOwner: "100000000000000000", ruleset.RoleContributor: "99999999999999999",
		ruleset.RoleAuditor: "30000000000000000", ruleset.RoleTreasury: "20000000000000001", ruleset.RolePayer: "0", ruleset.RolePinner: "0",
	} {
		if sums[r] != want {
			t.Errorf("%s: %s, want %s", r, sums[r], want)
		}
	}
	if got := balance(e, "c1").Contributor.String(); got != "33333333333333333" {
		t.Errorf("c1: %s", got)
	}
	for what, c := range map[string][2]protocol.Amount{
		"burned":    {e.Burned, protocol.NewAmount(5e16)},
		"minted":    {e.Minted, protocol.NewAmount(4e16)},
		"held back": {e.HeldBack, protocol.NewAmount(4e16)},
		"total":     {e.Root.Sum, protocol.NewAmount(95e16)},
	} {
		if c[0].Cmp(c[1]) != 0 {
			t.Errorf("%s: %s, want %s", what, c[0], c[1])
		}
	}
	if p := w.rules.Rate(ruleset.Stats{Unsettled: big.NewInt(1e18), Held: big.NewInt(4e16)}); p != 4238454568 {
		t.Errorf("the next rate is %d", p)
	}
	if e = w.derive(2); e.Root.Sum.Cmp(protocol.NewAmount(99e16)) != 0 || !e.HeldBack.IsZero() {
		t.Errorf("epoch 2: total %s, held back %s", e.Root.Sum, e.HeldBack)
	}
	if got := balance(e, first).Worker.String(); got != "740000000000000000" {
		t.Errorf("the worker has %s", got)
	}
}
