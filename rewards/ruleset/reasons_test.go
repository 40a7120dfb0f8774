package ruleset_test

import (
	"testing"

	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/rewards/rewardstest"
	"tally/rewards/ruleset"
)

func balance(e *ruleset.Epoch, name string) ruleset.Balance {
	for _, b := range e.State.Balances {
		if b.Account == rewardstest.Addr(name) {
			return b
		}
	}
	return ruleset.Balance{}
}

func TestAssignedWorkOfEveryKindIsRewarded(t *testing.T) {
	w := newWorld(t)
	ji, jt, jp := w.infer(), w.train(), w.pin()
	ci, ct := w.work(ji, "w1", nil), w.work(jt, "w1", nil)
	pinner := w.ranked(jp, 0, "p1", "p2", "p3")
	cp := w.pinned(jp, pinner)
	w.commit("w1", 0, ci, ct)
	w.commit(pinner, 0, cp)
	if ds := w.audit(0, equal); len(ds) != 2 {
		t.Fatalf("%d receipts drawn, want both of the new worker's exact ones", len(ds))
	}
	e := w.derive(0)
	for _, c := range []protocol.Cosigned{ci, ct, cp} {
		w.want(e, c, protocol.ReasonRewarded)
	}
	if got := balance(e, pinner).Pinner; got.String() != "880000000000000000" {
		t.Errorf("the pinner earned %s", got)
	}
	if got := balance(e, "c2").Contributor; got.String() != "66666666666666666" {
		t.Errorf("the second contributor earned %s", got)
	}
	if e.Minted.IsZero() || e.HeldBack.Cmp(e.Minted) != 0 {
		t.Errorf("minted %s, held back %s: emission is held at first", e.Minted, e.HeldBack)
	}
	before := e.Root.Sum
	e = w.derive(2)
	if got, _ := e.Root.Sum.Sub(before); got.Cmp(e.State.Minted) != 0 || !e.HeldBack.IsZero() {
		t.Errorf("two epochs later %s was released of %s, %s is held back", got, e.State.Minted, e.HeldBack)
	}
}

func TestWrongSignatureIsRejected(t *testing.T) {
	w := newWorld(t)
	j := w.infer()
	good := w.work(j, "w1", nil)
	b := good.Bytes()
	b[len(b)-20] ^= 1 // in the payer's signature
	bad, err := protocol.ParseCosigned(b)
	w.ok(err)
	w.commit("w1", 0, bad)
	e := w.derive(0)
	w.want(e, bad, protocol.RejectedSignature)
}

func TestDuplicateInsideAndAcrossEpochsIsRejected(t *testing.T) {
	w := newWorld(t)
	j := w.infer()
	a := w.work(j, "w1", nil)
	w.commit("w1", 0, a, a)
	w.audit(0, equal)
	e := w.derive(0)
	if e.Outcomes[0].Reason != protocol.ReasonRewarded || e.Outcomes[1].Reason != protocol.RejectedDuplicate {
		t.Errorf("the same receipt twice ended %s and %s", e.Outcomes[0].Reason, e.Outcomes[1].Reason)
	}
	w.now = w.chain.Params.End(0) + 50
	again := w.work(j, "w1", func(r *protocol.Receipt) { r.Seq = 1 })
	w.commit("w1", 1, again)
	w.audit(1, equal)
	w.want(w.derive(1), again, protocol.RejectedDuplicate)
}

func TestReceiptOfAnotherEpochIsLate(t *testing.T) {
	w := newWorld(t)
	j := w.infer()
	a := w.work(j, "w1", nil)
	w.now = w.chain.Params.End(0) + 1
	w.commit("w1", 1, a)
	w.want(w.derive(1), a, protocol.RejectedLate)
}

func TestWorkOutsideTheRankingIsUnassigned(t *testing.T) {
	w := newWorld(t)
	j := w.infer()
	a := w.work(j, "p1", nil) // has no such engine
	d := w.work(j, "w1", func(r *protocol.Receipt) { r.Origin = protocol.OriginDirect })
	w.commit("p1", 0, a)
	w.commit("w1", 0, d)
	e := w.derive(0)
	w.want(e, a, protocol.RejectedUnassigned)
	w.want(e, d, protocol.RejectedUnassigned)
}

func TestUnredeemedWorkIsHeldOnceThenCapped(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	a, _, err := j.Work(p, protocol.Tokens(1), w.now, nil)
	w.ok(err)
	w.commit(p, 0, a)
	e := w.derive(0)
	w.want(e, a, protocol.ReasonHeldUntil)
	if w.reason(e, a).Until != 1 {
		t.Errorf("held until %d, want 1", w.reason(e, a).Until)
	}
	e = w.derive(1)
	w.want(e, a, protocol.RejectedCap)
	if n, ok := ruleset.Next(w.state, nil, w.chain.Params); ok {
		t.Errorf("something still waits for epoch %d", n)
	}
}

func TestHeldWorkIsPaidOnceItsVoucherIsRedeemed(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	w.keep(p, shardSize)
	a, v, err := j.Work(p, protocol.Tokens(1), w.now, func(r *protocol.Receipt) { r.Trace, r.UnitsIn, r.UnitsOut = shard, shardSize, 10 })
	w.ok(err)
	w.commit(p, 0, a)
	w.want(w.derive(0), a, protocol.ReasonHeldUntil)
	w.prove(w.now, p) // it waits for its voucher, and is proved meanwhile
	_, err = w.chain.As(rewardstest.Addr(p)).Redeem(t.Context(), v)
	w.ok(err)
	w.want(w.derive(1), a, protocol.ReasonRewarded)
}

func TestMissingBatchIsCarriedOverNotLost(t *testing.T) {
	w := newWorld(t)
	j := w.infer()
	a := w.work(j, "w1", nil)
	b := w.batch("w1", 0, a)
	w.commitBatch("w1", b)
	w.store.Hide(true, b.Data)
	e := w.derive(0)
	if len(e.Tallies) != 1 || e.Tallies[0].Reason != protocol.ReasonCarriedOver || e.Tallies[0].Count != 1 {
		t.Fatalf("tallies %v, want one carried over", e.Tallies)
	}
	w.store.Hide(false, b.Data)
	w.audit(1, equal)
	w.want(w.derive(1), a, protocol.ReasonRewarded)
}

func TestBatchWhoseDataNeverComesEndsLate(t *testing.T) {
	w := newWorld(t)
	b := w.batch("w1", 0, w.work(w.infer(), "w1", nil))
	w.commitBatch("w1", b)
	w.store.Hide(true, b.Data)
	for n := range w.rules.MaxCarry {
		if e := w.derive(n); e.Tallies[0].Reason != protocol.ReasonCarriedOver {
			t.Fatalf("epoch %d: %v", n, e.Tallies)
		}
	}
	if e := w.derive(w.rules.MaxCarry); e.Tallies[0].Reason != protocol.RejectedLate || len(e.State.Carried) != 0 {
		t.Fatalf("in the end %v, %d still carried", e.Tallies, len(e.State.Carried))
	}
}

func TestFlippedBitInACommittedBatchIsCaught(t *testing.T) {
	w := newWorld(t)
	j := w.infer()
	a, b := w.work(j, "w1", nil), w.work(j, "w1", nil)
	batch := w.batch("w1", 0, a, b)
	batch.Root[7] ^= 4
	w.commitBatch("w1", batch)
	e := w.derive(0)
	if len(e.Tallies) != 1 || e.Tallies[0].Reason != protocol.RejectedSignature || e.Tallies[0].Count != 2 {
		t.Fatalf("tallies %v, want both receipts rejected", e.Tallies)
	}
}

func TestDrawnWorkWaitsForItsVerdictAndTheNextAuditorIsAsked(t *testing.T) {
	w := newWorld(t)
	w.register("a2", ruleset.ClassAudit)
	j := w.infer()
	a := w.work(j, "w1", nil)
	w.commit("w1", 0, a)
	ds := w.audit(0, func(ruleset.Drawn) protocol.Outcome { return 0 })
	first, _ := ds[0].Auditor()
	e := w.derive(0)
	w.want(e, a, protocol.ReasonAuditPending)
	ds = w.audit(1, equal)
	if second, ok := ds[0].Auditor(); !ok || second == first {
		t.Errorf("%s was asked twice", second)
	}
	w.want(w.derive(1), a, protocol.ReasonRewarded)
}

func TestSilentAuditorsDoNotCostTheWorker(t *testing.T) {
	w := newWorld(t)
	a := w.work(w.infer(), "w1", nil)
	w.commit("w1", 0, a)
	w.want(w.derive(0), a, protocol.ReasonAuditPending)
	w.want(w.derive(1), a, protocol.ReasonRewarded)
}

func TestWorkWhoseDataIsWithheldEarnsNoEmission(t *testing.T) {
	w := newWorld(t)
	a := w.work(w.infer(), "w1", nil)
	w.commit("w1", 0, a)
	none := func(ruleset.Drawn) protocol.Outcome { return protocol.OutcomeNoData }
	w.audit(0, none)
	w.want(w.derive(0), a, protocol.ReasonAuditPending)
	w.audit(1, none)
	w.want(w.derive(1), a, protocol.ReasonFeeOnly)
}

func TestMismatchVoidsEverythingUnsettledAndForfeitsWhatIsHeld(t *testing.T) {
	w := newWorld(t)
	j := w.infer()
	first := w.work(j, "w1", nil)
	w.commit("w1", 0, first)
	w.audit(0, equal)
	held := w.derive(0).State.Holds
	if len(held) != 1 {
		t.Fatalf("%d holds, want one", len(held))
	}
	w.now = w.chain.Params.End(0) + 60
	bad, other := w.work(j, "w1", nil), w.work(j, "w1", nil)
	w.commit("w1", 1, bad, other)
	w.audit(1, func(d ruleset.Drawn) protocol.Outcome {
		if d.ID.Equals(bad.ID()) {
			return protocol.OutcomeMismatch
		}
		return protocol.OutcomeEqual
	})
	e := w.derive(1)
	w.want(e, bad, protocol.RejectedMismatch)
	w.want(e, other, protocol.ReasonRefunded)
	if got := balance(e, "s").Payer; got.Cmp(protocol.Tokens(2)) != 0 {
		t.Errorf("the payer got %s back, want two tokens", got)
	}
	if len(e.State.Holds) != 0 || e.Burned.Cmp(held[0].Amount) != 0 {
		t.Errorf("%d holds left, burned %s of %s", len(e.State.Holds), e.Burned, held[0].Amount)
	}
}

func TestUncosignedWorkIsPaidOnlyAfterAnEqualVerdict(t *testing.T) {
	w := newWorld(t)
	j := w.infer()
	_ = w.work(j, "w1", nil)
	var r protocol.Receipt
	signed := w.work(j, "w1", func(x *protocol.Receipt) { r = *x })
	bare, err := protocol.IssueReceipt(w.chain.Network, rewardstest.Key("w1"), r)
	w.ok(err)
	if !bare.ID().Equals(signed.ID()) {
		t.Fatal("both signatures do not meet on one id")
	}
	w.commit("w1", 0, bare)
	w.want(w.derive(0), bare, protocol.ReasonAuditPending)
	w.audit(1, equal)
	w.want(w.derive(1), bare, protocol.ReasonRewarded)
}

func TestUncosignedWorkThatNobodyVouchesForIsRejected(t *testing.T) {
	w := newWorld(t)
	j, jp := w.infer(), w.pin()
	p := w.ranked(jp, 0, "p1", "p2", "p3")
	var r, rp protocol.Receipt
	w.work(j, "w1", func(x *protocol.Receipt) { r = *x })
	w.work(jp, p, func(x *protocol.Receipt) { rp = *x })
	a, err := protocol.IssueReceipt(w.chain.Network, rewardstest.Key("w1"), r)
	w.ok(err)
	b, err := protocol.IssueReceipt(w.chain.Network, rewardstest.Key(p), rp)
	w.ok(err)
	w.commit("w1", 0, a)
	w.commit(p, 0, b)
	e := w.derive(0)
	w.want(e, a, protocol.ReasonAuditPending)
	w.want(e, b, protocol.RejectedSignature)
	w.want(w.derive(1), a, protocol.RejectedSignature)
}

func TestDirectWorkAndOwnWorkEarnFeesOnly(t *testing.T) {
	w := newWorld(t)
	j, err := rewardstest.Open(w.chain, w.store, "s", protocol.Offer{Value: protocol.Tokens(10), Direct: rewardstest.Addr("w1")},
		protocol.InferSpec{Model: w.model, Engine: engine, Disclose: true})
	w.ok(err)
	own, err := rewardstest.Open(w.chain, w.store, "w1", protocol.Offer{Value: protocol.Tokens(10)},
		protocol.InferSpec{Model: w.model, Engine: engine, Disclose: true})
	w.ok(err)
	secret, err := rewardstest.Open(w.chain, w.store, "s", protocol.Offer{Value: protocol.Tokens(10), Nonce: 9},
		protocol.InferSpec{Model: w.model, Engine: engine})
	w.ok(err)
	a, b, c := w.work(j, "w1", nil), w.work(own, "w1", nil), w.work(secret, "w1", nil)
	w.commit("w1", 0, a, b, c)
	w.audit(0, equal)
	e := w.derive(0)
	for _, x := range []protocol.Cosigned{a, b, c} {
		w.want(e, x, protocol.ReasonFeeOnly)
	}
	if !e.Minted.IsZero() {
		t.Errorf("minted %s", e.Minted)
	}
}

func TestModelThatTooFewHoldEarnsNoEmission(t *testing.T) {
	w := newWorld(t)
	w.adverts = w.adverts[:2]
	w.adverts = append(w.adverts, w.adverts[0]) // the same operator again
	a := w.work(w.infer(), "w1", nil)
	w.commit("w1", 0, a)
	w.audit(0, equal)
	w.want(w.derive(0), a, protocol.ReasonFeeOnly)
}

func TestMissingDocumentsHoldOnceThenEarnTheFee(t *testing.T) {
	w := newWorld(t)
	j := w.infer()
	a := w.work(j, "w1", nil)
	w.commit("w1", 0, a)
	w.store.Hide(true, j.Offer.Spec)
	w.want(w.derive(0), a, protocol.ReasonHeldUntil)
	w.want(w.derive(1), a, protocol.ReasonFeeOnly)
}

func TestDocumentsThatComeInTimeLoseNothing(t *testing.T) {
	w := newWorld(t)
	a := w.work(w.infer(), "w1", nil)
	w.commit("w1", 0, a)
	w.store.Hide(true, w.model)
	w.want(w.derive(0), a, protocol.ReasonHeldUntil)
	w.store.Hide(false, w.model)
	w.audit(1, equal)
	w.want(w.derive(1), a, protocol.ReasonRewarded)
}

func TestFallbackEarnsHalfTheEmission(t *testing.T) {
	w := newWorld(t)
	j := w.infer()
	first, second := w.ranked(j, 0, "w1", "w2"), w.ranked(j, 1, "w1", "w2")
	a := w.work(j, first, nil)
	b := w.work(j, second, nil)
	w.commit(first, 0, a)
	w.commit(second, 0, b)
	w.audit(0, equal)
	e := w.derive(0)
	half, _ := w.reason(e, a).Emission.MulDiv(1, 2)
	if w.reason(e, b).Emission.Cmp(half) != 0 || half.IsZero() {
		t.Errorf("emission %s and %s", w.reason(e, a).Emission, w.reason(e, b).Emission)
	}
}

func TestEmissionStaysUnderTheEpochsCap(t *testing.T) {
	w := newWorld(t)
	w.chain.Params.MintCap = protocol.NewAmount(1_001)
	j := w.pin()
	p, q := w.ranked(j, 0, "p1", "p2", "p3"), w.ranked(j, 1, "p1", "p2", "p3")
	a, b := w.pinned(j, p), w.pinned(j, q)
	w.commit(p, 0, a)
	w.commit(q, 0, b)
	if e := w.derive(0); e.Minted.String() != "1000" {
		t.Errorf("minted %s, want 500 each", e.Minted)
	}
}

func TestAuditorNeverAuditsItsOwnWork(t *testing.T) {
	w := newWorld(t)
	j := w.infer()
	w.commit("w2", 0, w.work(j, "w2", nil))
	for _, d := range w.audit(0, equal) {
		for _, a := range d.Auditors {
			if a == rewardstest.Addr("w2") {
				t.Error("w2 may audit itself")
			}
		}
	}
}

func TestBatchThatNamesNoDocumentIsRejected(t *testing.T) {
	w := newWorld(t)
	b := w.batch("w1", 0, w.work(w.infer(), "w1", nil))
	b.Data = cid.Undef
	w.commitBatch("w1", b)
	if e := w.derive(0); e.Tallies[0].Reason != protocol.RejectedSignature {
		t.Errorf("tallies %v", e.Tallies)
	}
}

func TestBatchesPastTheEpochsBoundAreReadInTheNext(t *testing.T) {
	w := newWorld(t)
	w.rules.MaxReceipts = 3
	j, jp := w.infer(), w.pin()
	p := w.ranked(jp, 0, "p1", "p2", "p3")
	a, b, c, d := w.work(j, "w1", nil), w.work(j, "w1", nil), w.work(jp, p, nil), w.work(jp, p, nil)
	w.commit("w1", 0, a, b)
	w.commit(p, 0, c, d)
	w.audit(0, equal)
	if e := w.derive(0); len(e.Outcomes) != 2 || len(e.State.Carried) != 1 {
		t.Fatalf("%d receipts read, %d batches carried over", len(e.Outcomes), len(e.State.Carried))
	}
	w.audit(1, equal)
	if e := w.derive(1); len(e.Outcomes) != 2 || len(e.State.Carried) != 0 {
		t.Fatalf("then %d receipts read, %d batches carried over", len(e.Outcomes), len(e.State.Carried))
	}
}
