package ruleset_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/rewards/rewardstest"
	"tally/rewards/ruleset"
)

const shardSize = 4_096

var shard = common.Hash{0x5a}

// promise has a receipt promise the shard for some seconds from now.
func (w *world) promise(j *rewardstest.Job, worker string, seconds uint64) protocol.Cosigned {
	w.t.Helper()
	return w.work(j, worker, func(r *protocol.Receipt) { r.Trace, r.UnitsIn, r.UnitsOut = shard, shardSize, seconds })
}

func (w *world) keep(name string, size uint64) uint64 {
	w.t.Helper()
	id, err := w.chain.As(rewardstest.Addr(name)).AddPiece(shard, size)
	w.ok(err)
	return id
}

// prove goes on to the next period and has nodes prove in it at the time.
func (w *world) prove(now uint64, names ...string) {
	w.t.Helper()
	w.now = now
	w.chain.NextPeriod()
	for _, n := range names {
		_, err := w.chain.As(rewardstest.Addr(n)).Prove(w.t.Context())
		w.ok(err)
	}
}

// quiet lets two periods pass in which only somebody else is heard of.
func (w *world) quiet() {
	w.t.Helper()
	w.chain.NextPeriod()
	w.chain.NextPeriod()
	w.ok(w.chain.Say(protocol.Claimed{}))
}

// pinned has a node keep the shard for ten seconds and prove all of them.
func (w *world) pinned(j *rewardstest.Job, name string) protocol.Cosigned {
	w.t.Helper()
	w.keep(name, shardSize)
	c := w.promise(j, name, 10)
	w.prove(w.now+20, name)
	return c
}

func (w *world) progress(e *ruleset.Epoch, c protocol.Cosigned, r protocol.Reason, proved uint64, split, returned string) ruleset.Outcome {
	w.t.Helper()
	o := w.reason(e, c)
	if o.Reason != r || o.Pin.Proved != proved || o.Pin.Split.String() != split || o.Pin.Returned.String() != returned {
		w.t.Errorf("epoch %d: %s (%s), %d of %d seconds proved, %s split, %s returned; want %s, %d, %s, %s",
			e.Number, o.Reason, o.Why, o.Pin.Proved, o.Pin.Promised, o.Pin.Split, o.Pin.Returned, r, proved, split, returned)
	}
	return o
}

func TestPinIsPaidAsItIsProved(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	c := w.promise(j, p, 200) // of 1000 to 1200, for one token
	w.now = 1_010
	w.keep(p, shardSize)
	w.prove(1_050, p)
	w.prove(1_090, p)
	w.commit(p, 0, c)
	e := w.derive(0)
	o := w.progress(e, c, protocol.ReasonHeldUntil, 80, "400000000000000000", "0")
	if o.Until != 1 || o.Settled.String() != "400000000000000000" || o.Emission.String() != "16000000000000000" {
		t.Errorf("outcome %+v", o)
	}
	if b := balance(e, p); b.Pinner.String() != "352000000000000000" {
		t.Errorf("88 %% of the proved part make %s", b.Pinner)
	}
	if n, ok := ruleset.Next(w.state, nil, w.chain.Params); !ok || n != 1 {
		t.Errorf("the next epoch with something to settle is %d, %t", n, ok)
	}
	w.prove(1_160, p)
	w.prove(1_230, p) // past the promise's end
	w.progress(w.derive(1), c, protocol.ReasonHeldUntil, 190, "950000000000000000", "0")
	e = w.derive(2)
	o = w.progress(e, c, protocol.ReasonRewarded, 190, "950000000000000000", "50000000000000000")
	if o.Pin.Emission.String() != "38000000000000000" || o.Settled.String() != "50000000000000000" || !o.Emission.IsZero() {
		t.Errorf("outcome %+v", o)
	}
	if balance(e, "s").Payer.String() != "50000000000000000" || len(e.State.Pins) != 0 {
		t.Errorf("the payer got %s back, %d pins are open", balance(e, "s").Payer, len(e.State.Pins))
	}
}

func TestPinWhoseWholePromiseIsProvedEndsAtOnce(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	w.keep(p, shardSize)
	w.now = 1_020
	c := w.promise(j, p, 30)
	w.prove(1_060, p)
	w.commit(p, 0, c)
	e := w.derive(0)
	w.progress(e, c, protocol.ReasonRewarded, 30, "1000000000000000000", "0")
	if len(e.State.Pins) != 0 {
		t.Error("the pin stays open")
	}
}

func TestMissedTimeGoesBackToThePayerAfterTheGrace(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	w.keep(p, shardSize)
	c := w.promise(j, p, 100) // to 1100
	w.prove(1_020, p)
	w.prove(1_040)    // by nobody
	w.prove(1_060, p) // from 1020 to here nothing is proved
	w.prove(1_080, p)
	w.commit(p, 0, c)
	w.progress(w.derive(0), c, protocol.ReasonHeldUntil, 40, "400000000000000000", "0")
	w.quiet()
	e := w.derive(1) // cut 1250, grace until 1200
	o := w.progress(e, c, protocol.ReasonRewarded, 40, "400000000000000000", "600000000000000000")
	if o.Settled.String() != "600000000000000000" || !strings.Contains(o.Why, "40 of 100 seconds") {
		t.Errorf("outcome %+v", o)
	}
}

// Epochs may be shorter than proof periods: then an honest pinner's last proof
// comes after the grace, and it did nothing wrong.
func TestProofThatMayStillComeIsWaitedForBeyondTheGrace(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	w.keep(p, shardSize)
	c := w.promise(j, p, 100) // to 1100
	w.prove(1_020, p)
	w.commit(p, 0, c)
	w.derive(0)
	w.progress(w.derive(1), c, protocol.ReasonHeldUntil, 20, "200000000000000000", "0") // cut 1250, grace until 1200
	w.prove(1_260, p)
	w.progress(w.derive(2), c, protocol.ReasonRewarded, 100, "1000000000000000000", "0")
}

func TestPinThatNobodyProvedIsRefunded(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	w.keep(p, shardSize/2) // another file, as far as the chain can tell
	c := w.promise(j, p, 100)
	w.prove(1_050, p)
	w.commit(p, 0, c)
	w.progress(w.derive(0), c, protocol.ReasonHeldUntil, 0, "0", "0")
	e := w.derive(1)
	w.progress(e, c, protocol.ReasonRefunded, 0, "0", "1000000000000000000")
	if e.Root.Sum.Cmp(protocol.Tokens(1)) != 0 || balance(e, "s").Payer.Cmp(protocol.Tokens(1)) != 0 {
		t.Errorf("the payer got %s of %s back", balance(e, "s").Payer, e.Root.Sum)
	}
}

func TestPinThatPromisesNoProvableTimeIsRefunded(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	w.keep(p, shardSize)
	bad := []protocol.Cosigned{w.promise(j, p, 0), w.promise(j, p, w.rules.PinLimit+1), w.promise(j, p, 1<<64-1)}
	bad = append(bad, w.work(j, p, func(r *protocol.Receipt) { r.Trace, r.UnitsIn, r.Start = shard, shardSize, r.End+1 }))
	w.prove(1_050, p)
	w.commit(p, 0, bad...)
	e := w.derive(0)
	for _, c := range bad {
		w.want(e, c, protocol.ReasonRefunded)
	}
	if balance(e, "s").Payer.Cmp(protocol.Tokens(4)) != 0 || len(e.State.Pins) != 0 {
		t.Errorf("the payer got %s back, %d pins are open", balance(e, "s").Payer, len(e.State.Pins))
	}
}

func TestRemovedPieceEarnsUpToItsLastProof(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	id := w.keep(p, shardSize)
	c := w.promise(j, p, 100)
	w.prove(1_030, p)
	w.ok(w.chain.As(rewardstest.Addr(p)).RemovePiece(id, false))
	w.commit(p, 0, c)
	w.derive(0)
	w.progress(w.derive(1), c, protocol.ReasonRewarded, 30, "300000000000000000", "700000000000000000")
}

func TestOnePieceIsPaidOnceByOnePayerAndAgainByAnother(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	other, err := rewardstest.Open(w.chain, w.store, "c1", protocol.Offer{Nonce: 3, Value: protocol.Tokens(100)}, protocol.PinSpec{Root: protocol.CIDOf([]byte("r")), Replicas: 3})
	w.ok(err)
	again, err := rewardstest.Open(w.chain, w.store, "s", protocol.Offer{Nonce: 4, Value: protocol.Tokens(100)}, protocol.PinSpec{Root: protocol.CIDOf([]byte("r")), Replicas: 3})
	w.ok(err)
	p := w.ranked(j, 0, "p1", "p2", "p3")
	w.keep(p, shardSize)
	first, stranger := w.promise(j, p, 100), w.promise(other, p, 100) // 1000 to 1100
	w.now = 1_040
	second := w.promise(again, p, 100) // 1040 to 1140
	inside := w.promise(j, p, 50)      // 1040 to 1090
	w.prove(1_060, p)
	w.prove(1_095, p)
	w.commit(p, 0, first, inside, stranger, second)
	e := w.derive(0)
	w.progress(e, first, protocol.ReasonHeldUntil, 95, "950000000000000000", "0")
	w.progress(e, stranger, protocol.ReasonHeldUntil, 95, "950000000000000000", "0")
	w.progress(e, second, protocol.ReasonHeldUntil, 0, "0", "0")
	if o := w.progress(e, inside, protocol.ReasonRefunded, 0, "0", "1000000000000000000"); !strings.Contains(o.Why, "an earlier promise") {
		t.Errorf("why: %s", o.Why)
	}
	w.prove(1_160, p)
	e = w.derive(1)
	w.progress(e, first, protocol.ReasonRewarded, 100, "1000000000000000000", "0")
	w.progress(e, second, protocol.ReasonRewarded, 40, "400000000000000000", "600000000000000000")
	// A promise of time that is over was paid, whoever remembers it.
	w.now = 1_290
	late := w.work(again, p, func(r *protocol.Receipt) {
		r.Trace, r.UnitsIn, r.UnitsOut, r.Start = shard, shardSize, 300, 1_000
	})
	w.commit(p, 2, late)
	w.progress(w.derive(2), late, protocol.ReasonHeldUntil, 20, "66666666666666666", "0") // 1140 to 1160
}

func TestSilenceCostsTheTimeAndNothingElse(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	w.keep(p, shardSize)
	c := w.promise(j, p, 1_000)
	w.prove(1_050, p)
	w.commit(p, 0, c)
	held := w.derive(0).State.Holds
	for range 4 { // far beyond suspension
		w.prove(w.now + 10) // by nobody
	}
	w.ok(w.chain.Poke(rewardstest.Addr(p)))
	e := w.derive(1)
	w.progress(e, c, protocol.ReasonHeldUntil, 50, "50000000000000000", "0")
	if len(held) != 1 || len(e.State.Holds) != 1 || e.State.Holds[0] != held[0] || !e.Burned.IsZero() {
		t.Errorf("holds %v, before %v, burned %s", e.State.Holds, held, e.Burned)
	}
	w.prove(w.now+10, p)
	w.prove(w.now+30, p) // it is back: from here on it earns again
	e = w.derive(2)
	w.progress(e, c, protocol.ReasonHeldUntil, 80, "80000000000000000", "0")
}

func TestWrongDataForfeitsWhatIsHeldAndEndsWhatRuns(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p, q := w.ranked(j, 0, "p1", "p2", "p3"), w.ranked(j, 1, "p1", "p2", "p3")
	w.keep(p, shardSize)
	w.keep(q, shardSize)
	c, d := w.promise(j, p, 500), w.promise(j, q, 500)
	w.prove(1_050, p, q)
	w.commit(p, 0, c)
	w.commit(q, 0, d)
	held := w.reason(w.derive(0), c).Emission
	if held.IsZero() {
		t.Fatal("no emission is held")
	}
	w.now = 1_180
	other := w.promise(j, p, 40)
	w.ok(w.chain.Say(protocol.DataWrong{Node: rewardstest.Addr(p), Piece: shard}))
	w.prove(1_190, p)
	w.commit(p, 1, other)
	e := w.derive(1)
	o := w.progress(e, c, protocol.ReasonRewarded, 50, "100000000000000000", "900000000000000000") // what was paid is paid
	if !strings.Contains(o.Why, "not the piece's") {
		t.Errorf("why: %s", o.Why)
	}
	w.want(e, other, protocol.ReasonRefunded)
	if o := w.reason(e, d); o.Reason != protocol.ReasonHeldUntil {
		t.Errorf("the other pinner's receipt ended %s", o.Reason)
	}
	if e.Burned.Cmp(held) != 0 || len(e.State.Holds) != 1 || e.State.Holds[0].Account != rewardstest.Addr(q) {
		t.Errorf("%s of %s was burned, holds %v", e.Burned, held, e.State.Holds)
	}
	// It counts once: a promise made after it is paid again.
	w.now = 1_260
	fresh := w.promise(j, p, 20)
	w.prove(1_270, p)
	w.prove(1_280, p)
	w.commit(p, 2, fresh)
	if e = w.derive(2); w.reason(e, fresh).Pin.Proved != 20 || e.Burned.Cmp(protocol.NewAmount(1e15)) < 0 {
		t.Errorf("the promise after it: %+v, burned %s", w.reason(e, fresh), e.Burned)
	}
}

func TestEmissionOfAPinIsThatOfItsFee(t *testing.T) {
	for _, steps := range [][]uint64{{60}, {7, 13, 20, 33, 41, 58, 60}} {
		w := newWorld(t)
		w.rules.PinRate = 1 // so little is no pin under the first rules
		j := w.pin()
		p := w.ranked(j, 0, "p1", "p2", "p3")
		w.keep(p, shardSize)
		c, v, err := j.Work(p, protocol.NewAmount(1_000_003), w.now, func(r *protocol.Receipt) { r.Trace, r.UnitsIn, r.UnitsOut = shard, shardSize, 60*100 })
		w.ok(err)
		_, err = w.chain.As(rewardstest.Addr(p)).Redeem(t.Context(), v)
		w.ok(err)
		w.commit(p, 0, c)
		minted, split := new(big.Int), new(big.Int)
		var last ruleset.Outcome
		for _, s := range steps {
			for w.now < 1_000+s*100 {
				w.prove(w.now+50, p)
			}
			e := w.derive(w.chain.Params.EpochAt(w.now))
			last = w.reason(e, c)
			minted.Add(minted, e.Minted.Big())
			split.Add(split, last.Settled.Big())
		}
		if last.Reason != protocol.ReasonRewarded || last.Pin.Proved != 6_000 || last.Pin.Split.String() != "1000003" || split.Cmp(last.Pin.Split.Big()) != 0 {
			t.Errorf("%d epochs: %+v", len(steps), last)
		}
		whole := w.rules.Pin.Burn
		limit := int64(1_000_003) * int64(whole) / 10_000 * int64(w.rules.BetaNum) / int64(w.rules.BetaDen)
		if minted.Int64() > limit || minted.Int64() < limit-int64(2*len(steps)+2) {
			t.Errorf("%d epochs: minted %s, one rounding down gives %d", len(steps), minted, limit)
		}
	}
}
