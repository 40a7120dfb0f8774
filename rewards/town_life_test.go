package rewards_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/rewards"
	"tally/rewards/ledger"
	"tally/rewards/retrieval"
	"tally/rewards/rewardstest"
	"tally/rewards/ruleset"
)

// days is the common story: three epochs of work, and time for it to be settled.
func (w *town) days() (all []protocol.Cosigned, deaths int) {
	for e := range uint64(3) {
		all = append(all, w.work(w.infer, "w1", nil), w.work(w.train, "w2", nil), w.work(w.pin, "p1", nil), w.work(w.pin, "p2", nil))
		deaths += w.live(w.chain.Params.End(e) - 5)
		all = append(all, w.work(w.infer, "w1", nil))
		deaths += w.live(w.chain.Params.End(e) + 1)
	}
	return all, deaths + w.live(w.chain.Params.End(6))
}

func TestRolesSettleAndPayWhatWasWorked(t *testing.T) {
	w := newTown(t)
	all, _ := w.days()
	d := w.settled()
	if d.Head.HeldBack.IsZero() != true {
		t.Errorf("%s is held back in the end", d.Head.HeldBack)
	}
	for _, c := range all {
		e, err := w.books["s"].Receipt(c.ID())
		if err != nil || e.Reason != protocol.ReasonRewarded {
			t.Errorf("receipt %s of kind %s ended %s (%s), %v", c.ID(), e.Receipt.Kind, e.Reason, e.Why, err)
		}
	}
	st, err := rewards.Look(t.Context(), rewards.StatusSource{Params: w.chain.Params, Chain: w.chain, Store: w.store, Ledger: w.books["w1"]}, rewardstest.Addr("w1"))
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Roles) != 1 || st.Roles[0].Role != ruleset.RoleWorker || len(st.Reasons) != 1 || st.Reasons[0].Count != 6 {
		t.Errorf("status of w1: %+v", st)
	}
}

func TestRolesThatCrashAnywhereSettleTheSame(t *testing.T) {
	ops := []struct {
		op  string
		max int
	}{{"redeem", 2}, {"publish", 4}, {"commit", 2}, {"send", 2}, {"anchor", 2}, {"claim", 2}}
	var total protocol.Amount
	{
		w := newTown(t)
		w.pace = 3
		w.days()
		total = w.settled().Head.Total
	}
	for _, o := range ops {
		for nth := 1; nth <= o.max; nth++ {
			for _, when := range []rewardstest.When{rewardstest.Before, rewardstest.After} {
				t.Run(fmt.Sprintf("%s %d %d", o.op, nth, when), func(t *testing.T) {
					w := newTown(t)
					w.pace = 3
					var mu sync.Mutex
					n := 0
					fault := func(op string) rewardstest.When {
						mu.Lock()
						defer mu.Unlock()
						if op != o.op {
							return rewardstest.Never
						}
						if n++; n == nth {
							return when
						}
						return rewardstest.Never
					}
					w.chain.SetFault(fault)
					w.store.SetFault(fault)
					w.post.SetFault(fault)
					if _, deaths := w.days(); deaths != 1 {
						t.Fatalf("%d roles died, want one", deaths)
					}
					if got := w.settled().Head.Total; got.Cmp(total) != 0 {
						t.Errorf("the accounts have %s, without the crash %s", got, total)
					}
				})
			}
		}
	}
}

func TestCheatingWorkerIsCaughtAndThePayerGetsItsMoneyBack(t *testing.T) {
	w := newTown(t)
	bad := w.work(w.infer, "w1", func(r *protocol.Receipt) { r.Trace = rewardstest.Wrong() })
	also := w.work(w.infer, "w1", nil)
	good := w.work(w.train, "w2", nil)
	w.live(w.chain.Params.End(6))
	d := w.settled()
	for c, want := range map[string]protocol.Reason{
		bad.ID().String(): protocol.RejectedMismatch, also.ID().String(): protocol.ReasonRefunded, good.ID().String(): protocol.ReasonRewarded,
	} {
		for e, err := range w.books["s"].Receipts(ledger.Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.ID.String() == c && e.Reason != want {
				t.Errorf("receipt ended %s, want %s", e.Reason, want)
			}
		}
	}
	for _, b := range d.State.Balances {
		if b.Account == rewardstest.Addr("s") && b.Payer.Cmp(protocol.Tokens(2)) != 0 {
			t.Errorf("the payer got %s back", b.Payer)
		}
		if b.Account == rewardstest.Addr("w1") {
			t.Errorf("the cheat has %+v", b)
		}
	}
}

// liar changes what a poster anchors.
type liar struct {
	rewards.Anchorer
	lie func(*protocol.Anchored)
}

func (l liar) Anchor(ctx context.Context, a protocol.Anchored) (common.Hash, error) {
	l.lie(&a)
	return l.Anchorer.Anchor(ctx, a)
}

func TestWrongRootIsDisabledByTheAuditorsAndAnHonestOneFollows(t *testing.T) {
	for name, lie := range map[string]func(*protocol.Anchored){
		"root":  func(a *protocol.Anchored) { a.Root[3] ^= 1 },
		"total": func(a *protocol.Anchored) { a.Total, _ = a.Total.Sub(protocol.NewAmount(1)) },
		"data":  func(a *protocol.Anchored) { a.Data = protocol.CIDOf([]byte("nothing")) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			n, lies := 0, 0
			p, err := rewards.NewPoster(rewards.PosterConfig{
				Network: w.chain.Network, Params: w.chain.Params, Rules: w.rules, Chain: w.chain, Store: w.store, Evidence: w.journals["inbox"],
				Anchorer: liar{w.chain.As(rewardstest.Addr("p1")), func(a *protocol.Anchored) {
					if n++; n == 1 {
						lie(a)
						lies++
					}
				}},
			})
			w.ok(err)
			w.roles["post"] = p
			w.work(w.infer, "w1", nil)
			w.live(w.chain.Params.End(6))
			facts, err := w.chain.Facts(t.Context())
			w.ok(err)
			disabled := 0
			for _, f := range facts {
				if _, ok := f.Event.(protocol.Disabled); ok {
					disabled++
				}
			}
			if lies != 1 || disabled != 1 {
				t.Errorf("%d lies, %d disabled anchors", lies, disabled)
			}
			w.settled()
		})
	}
}

func TestPinnerThatStopsIsPaidForWhatItProved(t *testing.T) {
	w := newTown(t)
	long := func(r *protocol.Receipt) { r.UnitsOut = 60 }
	lost, kept := w.work(w.pin, "p1", long), w.work(w.pin, "p2", long)
	w.live(w.chain.Params.End(0))
	w.lazy["p1"] = true
	w.live(w.chain.Params.AuditBy(0) + 3)
	st, err := rewards.Look(t.Context(), rewards.StatusSource{Params: w.chain.Params, Chain: w.chain, Store: w.store}, rewardstest.Addr("p2"))
	w.ok(err)
	if st.Earned.IsZero() || st.Unproved.IsZero() || st.Unproved.Cmp(protocol.Tokens(1)) >= 0 {
		t.Errorf("after one of two epochs p2 earned %s, %s is not proved yet", st.Earned, st.Unproved)
	}
	for _, c := range []protocol.Cosigned{lost, kept} {
		e, err := w.books["s"].Receipt(c.ID())
		w.ok(err)
		if e.Reason != 0 && e.Reason != protocol.ReasonHeldUntil {
			t.Errorf("in between, a receipt ended %s", e.Reason)
		}
	}
	w.live(w.chain.Params.End(7))
	d := w.settled()
	var proved [2]uint64
	for i, c := range []protocol.Cosigned{lost, kept} {
		e, err := w.books["s"].Receipt(c.ID())
		w.ok(err)
		all, err := e.Pin.Split.Add(e.Pin.Returned)
		w.ok(err)
		if proved[i] = e.Pin.Proved; e.Reason != protocol.ReasonRewarded || e.Pin.Promised != 60 || all.Cmp(e.Receipt.Value) != 0 || e.Paid.Cmp(all) != 0 || e.Emission.IsZero() {
			t.Errorf("receipt %+v", e)
		}
	}
	if proved[0] == 0 || proved[0] >= 40 || proved[1] < 55 {
		t.Errorf("%d seconds were proved by who stopped, %d by who did not", proved[0], proved[1])
	}
	for _, b := range d.State.Balances {
		if b.Account == rewardstest.Addr("s") && b.Payer.IsZero() {
			t.Error("nothing went back to the payer")
		}
	}
}

func TestPinnerThatSignedWrongDataLosesWhatWasHeld(t *testing.T) {
	w := newTown(t)
	w.work(w.pin, "p1", func(r *protocol.Receipt) { r.UnitsOut = 60 })
	w.live(w.chain.Params.AuditBy(0) + 3)
	st, err := rewards.Look(t.Context(), rewards.StatusSource{Params: w.chain.Params, Chain: w.chain, Store: w.store}, rewardstest.Addr("p1"))
	w.ok(err)
	if st.Held.IsZero() {
		t.Fatal("no emission is held")
	}
	w.ok(w.chain.Say(protocol.DataWrong{Node: rewardstest.Addr("p1"), Piece: shard, Leaf: 3}))
	w.live(w.chain.Params.End(6))
	d := w.settled()
	if d.State.Burned.Cmp(st.Held) < 0 || len(d.State.Pins) != 0 {
		t.Errorf("burned %s in all, %s were held; open pins %v", d.State.Burned, st.Held, d.State.Pins)
	}
	for _, b := range d.State.Balances {
		if b.Account == rewardstest.Addr("p1") && b.Pinner.Cmp(st.Earned) != 0 {
			t.Errorf("p1 has %s, before its lie it had earned %s", b.Pinner, st.Earned)
		}
	}
}

func TestRetrievalReportsArePublishedWithTheEpochAfter(t *testing.T) {
	w := newTown(t)
	w.work(w.pin, "p1", func(r *protocol.Receipt) { r.UnitsOut = 60 })
	w.live(w.chain.Params.CommitBy(0) + 1)
	facts, err := w.chain.Facts(t.Context())
	w.ok(err)
	block, beacon, err := w.chain.BlockAfter(t.Context(), w.chain.Params.CommitBy(0))
	w.ok(err)
	drawn := retrieval.NewRound(facts, w.chain.Params, 0, block, beacon).Draw(rewardstest.Addr("a1"), 2)
	if len(drawn) != 2 {
		t.Fatalf("%d checks are drawn", len(drawn))
	}
	for i, k := range drawn {
		r := protocol.RetrievalReport{Auditor: rewardstest.Addr("a1"), Node: k.Node, Piece: k.Piece, Leaf: k.Leaf, Outcome: protocol.RetrievalGood, Millis: 12}
		if i == 1 {
			r.Leaf += 1_000 // nobody drew that
		}
		s, err := protocol.Sign(w.chain.Network, rewardstest.Key("a1"), r)
		w.ok(err)
		w.ok(w.journals["inbox"].AddReport(t.Context(), s))
	}
	w.live(w.chain.Params.End(6))
	w.settled() // derives every epoch again, to the byte
	for epoch, want := range map[uint64]int{0: 0, 1: 1, 2: 0} {
		r, err := rewards.Rederive(t.Context(), w.source(), epoch)
		w.ok(err)
		if len(r.Data.Reports) != want {
			t.Errorf("%d reports are published with epoch %d, want %d", len(r.Data.Reports), epoch, want)
		}
	}
}

func TestOneAuditorAloneDisablesNothing(t *testing.T) {
	w := newTown(t)
	a := w.chain.As(rewardstest.Addr("a1"))
	w.work(w.pin, "p1", nil)
	for w.clock.Load() < w.chain.Params.End(3) {
		w.live(w.clock.Load() + 1)
		_, _ = a.Disable(t.Context(), 0, common.Hash{})
	}
	if w.chain.Votes(0) != 1 {
		t.Fatalf("%d votes, want one", w.chain.Votes(0))
	}
	w.live(w.chain.Params.End(5))
	w.settled()
}

func TestWorkerWhoseBatchCannotBeHadIsPaidLater(t *testing.T) {
	w := newTown(t)
	c := w.work(w.pin, "p1", nil)
	w.live(w.chain.Params.End(0) + 3)
	facts, err := w.chain.Facts(t.Context())
	w.ok(err)
	for _, f := range facts {
		if b, ok := f.Event.(protocol.Committed); ok {
			w.store.Hide(true, b.Batch.Data)
			defer w.store.Hide(false, b.Batch.Data)
		}
	}
	w.live(w.chain.Params.End(1) + 2)
	r, err := rewards.Rederive(t.Context(), w.source(), 0)
	w.ok(err)
	if !r.Equal() || len(r.Data.Head.Tallies) != 1 || r.Data.Head.Tallies[0].Reason != protocol.ReasonCarriedOver {
		t.Errorf("epoch 0: %v, %v", r.Differences, r.Data.Head.Tallies)
	}
	for _, f := range facts {
		if b, ok := f.Event.(protocol.Committed); ok {
			w.store.Hide(false, b.Batch.Data)
		}
	}
	w.live(w.chain.Params.End(6))
	w.settled()
	if e, err := w.books["s"].Receipt(c.ID()); err != nil || e.Reason != protocol.ReasonRewarded {
		t.Errorf("the receipt ended %s, %v", e.Reason, err)
	}
}

func TestFlippedBitInThePinnedDataIsNoticed(t *testing.T) {
	w := newTown(t)
	w.work(w.pin, "p1", nil)
	w.live(w.chain.Params.End(1))
	if _, err := rewards.Rederive(t.Context(), w.source(), 5); !errors.Is(err, rewards.ErrNoAnchor) {
		t.Errorf("an epoch without anchor: %v", err)
	}
	facts, err := w.chain.Facts(t.Context())
	w.ok(err)
	w.store.Corrupt(rewards.Anchors(facts)[0].Data)
	r, err := rewards.Rederive(t.Context(), w.source(), 0)
	w.ok(err)
	if r.Equal() {
		t.Error("a corrupt document passed for the anchored one")
	}
}

func TestRolesRunUntilTheirContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		start := time.Now()
		w.chain.Clock = func() uint64 { return 1_000 + uint64(time.Since(start)/time.Second) }
		w.clock.Store(1_001)
		w.work(w.infer, "w1", nil)
		w.work(w.pin, "p1", nil)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, n := range w.names() {
			wg.Go(func() {
				if err := w.roles[n].Run(ctx); err != nil {
					t.Errorf("%s ended with %v", n, err)
				}
			})
		}
		wg.Go(func() {
			beat := time.NewTicker(time.Second)
			defer beat.Stop()
			for ctx.Err() == nil {
				w.prove()
				select {
				case <-beat.C:
				case <-ctx.Done():
				}
			}
		})
		// The roles are blocked on their tickers; the bubble's clock moves on.
		timer := time.NewTimer(200 * time.Second)
		<-timer.C
		cancel()
		wg.Wait()
		w.settled()
	})
}

func TestIncompleteConfigurationsAreRefused(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	_, e1 := rewards.NewCommitter(rewards.CommitterConfig{Log: log})
	_, e2 := rewards.NewAuditor(rewards.AuditorConfig{})
	_, e3 := rewards.NewPoster(rewards.PosterConfig{})
	_, e4 := rewards.NewClaimer(rewards.ClaimerConfig{})
	_, e5 := rewards.NewBookkeeper(rewards.BookkeeperConfig{})
	for i, err := range []error{e1, e2, e3, e4, e5} {
		if !errors.Is(err, rewards.ErrConfig) {
			t.Errorf("%d: %v", i, err)
		}
	}
}
