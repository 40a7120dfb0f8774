package ruleset_test

import (
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/rewards/rewardstest"
)

// worth has a receipt promise, for a value, a piece of its own that nobody has.
func (w *world) worth(j *rewardstest.Job, worker string, value, seconds, size uint64) protocol.Cosigned {
	w.t.Helper()
	c, v, err := j.Work(worker, protocol.NewAmount(value), w.now, func(r *protocol.Receipt) {
		r.Trace, r.UnitsIn, r.UnitsOut = common.Hash{byte(r.Seq), r.Worker[0]}, size, seconds
	})
	w.ok(err)
	_, err = w.chain.As(rewardstest.Addr(worker)).Redeem(w.t.Context(), v)
	w.ok(err)
	return c
}

// An open pin is in every epoch's document until it ends, so one that pays nothing
// would let anybody fill all of them for a year.
func TestPinOfNoOrDustValueIsRefundedAtOnce(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	const year, rate, mib = 366 * 86_400, 10_000_000_000, 1 << 20
	first := w.worth(j, p, 1, year, shardSize)
	none := w.worth(j, p, 0, year, shardSize)
	dust := w.worth(j, p, 2*rate*year-1, year, mib)
	large := w.worth(j, p, 3*rate*year-1, year, mib+1)
	least := w.worth(j, p, 3*rate*year, year, mib+1)
	w.commit(p, 0, first, none, dust, large, least)
	e := w.derive(0)
	for _, c := range []protocol.Cosigned{first, none, dust, large} {
		if o := w.reason(e, c); o.Reason != protocol.ReasonRefunded || o.Settled != o.Value || !strings.Contains(o.Why, "below the least") {
			t.Errorf("a pin of %s: %s (%s), settled %s", o.Value, o.Reason, o.Why, o.Settled)
		}
	}
	w.want(e, least, protocol.ReasonHeldUntil)
	if len(e.State.Pins) != 1 || len(e.State.Promises) != 1 {
		t.Errorf("%d pins and %d promises stay in the state", len(e.State.Pins), len(e.State.Promises))
	}
}

// What the devnet asks (0.1 tokens for a MiB and an hour, less for tiny shards and
// short times) is no dust.
func TestDevnetPricesAreAboveTheLeast(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	const price = 100_000_000_000_000_000 / (1 << 20) // for a byte and an hour
	var pins []protocol.Cosigned
	for _, size := range []uint64{1 << 10, 200 << 10, 1 << 20} {
		pins = append(pins, w.worth(j, p, price*size/3_600*25, 25, size))
	}
	w.commit(p, 0, pins...)
	e := w.derive(0)
	for _, c := range pins {
		if o := w.reason(e, c); o.Pin.Promised != 25 { // it was opened
			t.Errorf("a pin of %s: %s (%s)", o.Value, o.Reason, o.Why)
		}
	}
}

func TestPlacesForPinsGoToThoseThatPayMost(t *testing.T) {
	w := newWorld(t)
	w.rules.MaxPins, w.rules.MaxKept = 3, 2
	j := w.pin()
	p, q := w.ranked(j, 0, "p1", "p2", "p3"), w.ranked(j, 1, "p1", "p2", "p3")
	cheap, dear, fair := w.worth(j, p, 4e15, 2_000, 1), w.worth(j, p, 9e15, 1_000, 1), w.worth(j, p, 5e15, 1_000, 1)
	other, last := w.worth(j, q, 3e15, 1_000, 1), w.worth(j, q, 2e15, 1_000, 1)
	w.commit(p, 0, cheap, dear, fair)
	w.commit(q, 0, other, last)
	e := w.derive(0)
	for _, c := range []protocol.Cosigned{dear, fair, other} {
		w.want(e, c, protocol.ReasonHeldUntil)
	}
	w.want(e, cheap, protocol.ReasonRefunded)
	w.want(e, last, protocol.ReasonRefunded)
	if why := w.reason(e, cheap).Why; !strings.Contains(why, "its worker") {
		t.Errorf("why: %s", why)
	}
	// Who has a place keeps it: a dearer one that comes later finds none.
	w.now = 1_150
	again := w.worth(j, q, 1e18, 10, 1)
	w.commit(q, 1, again)
	e = w.derive(1)
	if o := w.reason(e, again); o.Reason != protocol.ReasonRefunded || len(e.State.Pins) != 3 {
		t.Errorf("%s (%s), %d pins are open", o.Reason, o.Why, len(e.State.Pins))
	}
}

func TestPromiseIsForgottenOnceNoReceiptIsPaidForItsTime(t *testing.T) {
	w := newWorld(t)
	w.rules.PinLate = 1
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	w.keep(p, shardSize)
	first := w.promise(j, p, 60) // 1000 to 1060
	w.prove(1_070, p)
	w.commit(p, 0, first)
	w.progress(w.derive(0), first, protocol.ReasonRewarded, 60, "1000000000000000000", "0")
	if n := len(w.state.Promises); n != 1 {
		t.Fatalf("%d promises after epoch 0", n)
	}
	for n := uint64(1); n < 4; n++ {
		w.now = w.chain.Params.End(n) - 20
		c := w.work(j, p, func(r *protocol.Receipt) { // again of what was paid, and of nothing later
			r.Trace, r.UnitsIn, r.UnitsOut, r.Start = shard, shardSize, 60, 1_000
		})
		w.commit(p, n, c)
		w.progress(w.derive(n), c, protocol.ReasonRefunded, 0, "0", "1000000000000000000")
	}
	if n := len(w.state.Promises); n != 0 {
		t.Errorf("%d promises are still remembered", n)
	}
}
