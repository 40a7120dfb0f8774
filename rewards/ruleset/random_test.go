package ruleset_test

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/rewards/possession"
	"tally/rewards/rewardstest"
	"tally/rewards/ruleset"
)

// play runs random epochs: good and bad receipts of all kinds, late vouchers,
// lost batches, silent and harsh auditors, proofs that come and do not, pieces
// that leave and come back, data that is wrong.
func play(t *testing.T, seed uint64, epochs uint64, each func(ruleset.Input, *ruleset.Epoch)) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 1))
	w := newWorld(t)
	if seed%2 == 1 { // where places are few and promises soon forgotten
		w.rules.MaxPins, w.rules.MaxKept, w.rules.PinLate = 5, 3, 1
	}
	jobs := []*rewardstest.Job{w.infer(), w.train(), w.pin()}
	workers := []string{"w1", "w2", "p1", "p2"}
	for _, n := range workers[1:] {
		w.keep(n, shardSize)
	}
	var hidden []protocol.Batch
	for n := range epochs {
		if start := w.chain.Params.End(n) - w.chain.Params.EpochLength; w.now < start {
			w.now = start
		}
		w.now = max(w.now, w.chain.Params.End(n)-40)
		made := map[string][]protocol.Cosigned{}
		for range 1 + rnd.IntN(8) {
			name := workers[rnd.IntN(len(workers))]
			j := jobs[rnd.IntN(len(jobs))]
			if name[0] == 'p' && rnd.IntN(4) > 0 {
				j = jobs[2]
			}
			c, v, err := j.Work(name, protocol.NewAmount(rnd.Uint64N(1e18)), w.now, func(r *protocol.Receipt) {
				if r.Kind == protocol.KindPin {
					r.Trace, r.UnitsIn, r.UnitsOut, r.Start = shard, shardSize, rnd.Uint64N(400), r.End-rnd.Uint64N(150)
				}
				switch rnd.IntN(12) {
				case 0:
					r.Epoch++
				case 1:
					r.Seq = 1 + rnd.Uint64N(r.Seq)
				case 2:
					r.Origin = protocol.OriginDirect
				case 3:
					r.Value = protocol.Tokens(1_000)
				}
			})
			w.ok(err)
			if rnd.IntN(6) > 0 {
				if _, err := w.chain.As(rewardstest.Addr(name)).Redeem(t.Context(), v); err != nil && !errors.Is(err, rewardstest.ErrRevert) {
					t.Fatal(err)
				}
			}
			if rnd.IntN(10) == 0 {
				b := c.Bytes()
				b[len(b)-40] ^= 8
				c, err = protocol.ParseCosigned(b)
				w.ok(err)
			}
			made[name] = append(made[name], c)
			if rnd.IntN(10) == 0 {
				made[name] = append(made[name], c)
			}
		}
		for _, name := range workers {
			if len(made[name]) == 0 {
				continue
			}
			b := w.batch(name, n, made[name]...)
			if rnd.IntN(8) == 0 {
				w.store.Hide(true, b.Data)
				hidden = append(hidden, b)
			}
			w.commitBatch(name, b)
		}
		w.periods(rnd, workers[1:])
		w.audit(n, func(ruleset.Drawn) protocol.Outcome {
			return []protocol.Outcome{protocol.OutcomeEqual, protocol.OutcomeEqual, protocol.OutcomeEqual, protocol.OutcomeEqual, protocol.OutcomeNoData, 0, protocol.OutcomeMismatch}[rnd.IntN(7)]
		})
		in := w.input(n)
		e, err := ruleset.Derive(in)
		if err != nil {
			t.Fatalf("seed %d, epoch %d: %v", seed, n, err)
		}
		if each != nil {
			each(in, e)
		}
		w.state = e.State
		if len(hidden) > 0 && rnd.IntN(2) == 0 {
			w.store.Hide(false, hidden[0].Data)
			hidden = hidden[1:]
		}
	}
}

// periods lets a few proof periods pass, in which some do as they should.
func (w *world) periods(rnd *rand.Rand, names []string) {
	w.t.Helper()
	for range rnd.IntN(5) {
		w.now += rnd.Uint64N(12)
		w.chain.NextPeriod()
		for _, n := range names {
			a := w.chain.As(rewardstest.Addr(n))
			if rnd.IntN(5) > 0 {
				if _, err := a.Prove(w.t.Context()); err != nil && !errors.Is(err, rewardstest.ErrRevert) {
					w.t.Fatal(err)
				}
			}
			switch ids := a.Kept(); {
			case len(ids) == 0:
				w.keep(n, shardSize)
			case rnd.IntN(12) == 0:
				w.ok(a.RemovePiece(ids[0], true))
			case rnd.IntN(8) == 0:
				ask, leaf := w.chain.As(rewardstest.Addr([]string{"a1", "w2"}[rnd.IntN(2)])), rnd.Uint64()
				if _, err := ask.Demand(w.t.Context(), a.Address(), ids[0], leaf); err != nil && !errors.Is(err, rewardstest.ErrRevert) {
					w.t.Fatal(err)
				} else if err == nil && rnd.IntN(2) == 0 {
					w.ok(w.chain.Say(protocol.RetrievalAnswered{Node: a.Address(), ID: ids[0], Leaf: leaf}))
				}
			case rnd.IntN(40) == 0:
				w.ok(w.chain.Say(protocol.DataWrong{Node: a.Address(), Piece: shard}))
			}
		}
	}
}

// Whatever is promised how often: a second that was proved is paid once by a payer.
func TestProvedTimeIsPaidOnceForRandomEpochs(t *testing.T) {
	earned := 0
	for range 8 {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		paid := map[string]ruleset.Outcome{}
		ended := map[string]bool{}
		play(t, seed, 8, func(in ruleset.Input, e *ruleset.Epoch) {
			for _, o := range e.Outcomes {
				if o.Pin.Promised == 0 {
					continue
				}
				id := o.Receipt.String()
				before := paid[id]
				if ended[id] {
					t.Fatalf("seed %d: receipt %s goes on after its end", seed, id)
				}
				ended[id] = o.Reason != protocol.ReasonHeldUntil
				if o.Pin.Proved < before.Pin.Proved || o.Pin.Split.Cmp(before.Pin.Split) < 0 || o.Pin.Emission.Cmp(before.Pin.Emission) < 0 {
					t.Fatalf("seed %d: receipt %s loses what it had: %+v, before %+v", seed, id, o.Pin, before.Pin)
				}
				if all, err := o.Pin.Split.Add(o.Pin.Returned); err != nil || ended[id] && all.Cmp(o.Value) != 0 {
					t.Fatalf("seed %d: receipt %s ended %s with %s of %s, %v", seed, id, o.Reason, all, o.Value, err)
				}
				paid[id] = o
			}
			sets := possession.Read(in.Facts, in.Params, in.Params.AuditBy(in.Epoch))
			by := map[common.Address]uint64{}
			for _, o := range paid {
				by[o.Worker] += o.Pin.Proved
			}
			for a, sum := range by {
				if most := sets.Proved(a, shard, shardSize, 0, 1<<40); sum > most {
					t.Fatalf("seed %d, epoch %d: %s is paid for %d seconds, it proved %d", seed, e.Number, a, sum, most)
				}
			}
		})
		for _, o := range paid {
			if o.Pin.Proved > 0 {
				earned++
			}
		}
	}
	t.Logf("%d pins earned something", earned)
	if earned == 0 {
		t.Error("no pin earned anything: nothing was shown")
	}
}

func TestValueIsConservedForRandomEpochs(t *testing.T) {
	for range 12 {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		reasons := map[protocol.Reason]uint64{}
		play(t, seed, 6, func(in ruleset.Input, e *ruleset.Epoch) {
			for _, x := range e.Tallies {
				reasons[x.Reason] += x.Count
			}
			// The ledger, counted anew from the chain's own events.
			pool := new(big.Int)
			for _, f := range in.Facts {
				if r, ok := f.Event.(protocol.Redeemed); ok && f.Time <= in.Params.AuditBy(in.Epoch) {
					pool.Add(pool, r.Moved.Big())
				}
			}
			pool.Sub(pool, e.State.Burned.Big()).Add(pool, e.State.Minted.Big()).Sub(pool, e.HeldBack.Big())
			claimable := new(big.Int)
			for _, b := range e.State.Balances {
				sum, err := b.Total()
				if err != nil {
					t.Fatal(err)
				}
				claimable.Add(claimable, sum.Big())
				if sum.IsZero() {
					continue
				}
				value, index, path, err := e.Tree.Prove(b.Account)
				if err != nil {
					t.Fatal(err)
				}
				if err := protocol.VerifySum(e.Root, protocol.SumLeaf{Account: b.Account, Value: value}, index, path); err != nil {
					t.Fatalf("seed %d: proof of %s: %v", seed, b.Account, err)
				}
			}
			if claimable.Cmp(pool) != 0 {
				t.Fatalf("seed %d, epoch %d: claimable %s, ledger %s", seed, e.Number, claimable, pool)
			}
		})
		t.Logf("reasons %v", reasons)
	}
}

func TestOrderOfInputDoesNotMatter(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 2))
	play(t, seed, 4, func(in ruleset.Input, e *ruleset.Epoch) {
		for range 3 {
			in.Facts, in.Verdicts, in.Adverts = slices.Clone(in.Facts), slices.Clone(in.Verdicts), slices.Clone(in.Adverts)
			rnd.Shuffle(len(in.Facts), func(i, j int) { in.Facts[i], in.Facts[j] = in.Facts[j], in.Facts[i] })
			rnd.Shuffle(len(in.Verdicts), func(i, j int) { in.Verdicts[i], in.Verdicts[j] = in.Verdicts[j], in.Verdicts[i] })
			rnd.Shuffle(len(in.Adverts), func(i, j int) { in.Adverts[i], in.Adverts[j] = in.Adverts[j], in.Adverts[i] })
			again, err := ruleset.Derive(in)
			if err != nil {
				t.Fatal(err)
			}
			if again.Root != e.Root || again.Commitments != e.Commitments || fmt.Sprint(again.State) != fmt.Sprint(e.State) || fmt.Sprint(again.Outcomes) != fmt.Sprint(e.Outcomes) {
				t.Fatalf("seed %d, epoch %d: another order gives another epoch", seed, e.Number)
			}
		}
	})
}

func TestAnyFlippedBitOfAReceiptIsCaught(t *testing.T) {
	w := newWorld(t)
	j := w.pin()
	p := w.ranked(j, 0, "p1", "p2", "p3")
	good := w.pinned(j, p)
	w.commit(p, 0, good)
	in := w.input(0)
	e, err := ruleset.Derive(in)
	w.ok(err)
	w.want(e, good, protocol.ReasonRewarded)
	raw := good.Bytes()
	for bit := 0; bit < len(raw)*8; bit += 7 {
		bad := slices.Clone(raw)
		bad[bit/8] ^= 1 << (bit % 8)
		// Whoever serves it cannot pass it off under the receipt's CID.
		served := in
		served.Blocks = ruleset.Blocks{}
		for c, b := range in.Blocks {
			served.Blocks[c] = b
		}
		served.Blocks[good.CID()] = bad
		e, err := ruleset.Derive(served)
		w.ok(err)
		if len(e.Tallies) != 1 || e.Tallies[0].Reason != protocol.ReasonCarriedOver {
			t.Fatalf("bit %d: a corrupt block was taken: %v", bit, e.Tallies)
		}
	}
	for bit := 0; bit < len(raw)*8; bit += 23 {
		// And whoever commits to it is not paid.
		bad := slices.Clone(raw)
		bad[bit/8] ^= 1 << (bit % 8)
		lied := in
		lied.Blocks = ruleset.Blocks{}
		for _, b := range in.Blocks {
			lied.Blocks.Add(b)
		}
		data := protocol.BatchData{Worker: rewardstest.Addr(p), Receipts: nil}
		data.Receipts = append(data.Receipts, lied.Blocks.Add(bad))
		enc, err := protocol.Encode(data)
		w.ok(err)
		lied.Facts = slices.Clone(in.Facts)
		for i, f := range lied.Facts {
			if c, ok := f.Event.(protocol.Committed); ok {
				c.Batch.Data = lied.Blocks.Add(enc)
				lied.Facts[i].Event = c
			}
		}
		e, err := ruleset.Derive(lied)
		w.ok(err)
		if len(e.Tallies) != 1 || e.Tallies[0].Reason != protocol.RejectedSignature {
			t.Fatalf("bit %d: a changed receipt ended %v", bit, e.Tallies)
		}
	}
}

func TestAuditRateFollowsWhatIsAtStake(t *testing.T) {
	r := ruleset.First()
	for _, c := range []struct {
		unsettled, held int64
		want            uint64
	}{
		{1, 0, 1 << 32}, {0, 0, 1 << 32}, {1, 3, 1 << 31}, {0, 5, r.AuditFloor}, {1, 1 << 40, r.AuditFloor}, {100, 100, 3 << 30},
	} {
		if got := r.Rate(ruleset.Stats{Unsettled: big.NewInt(c.unsettled), Held: big.NewInt(c.held)}); got != c.want {
			t.Errorf("R %d, S %d: rate %d, want %d", c.unsettled, c.held, got, c.want)
		}
	}
}

func TestRulesHaveOneHash(t *testing.T) {
	h, err := ruleset.First().Hash()
	if err != nil {
		t.Fatal(err)
	}
	if want := common.HexToHash("0x5fab64c2100afebc70128114479fa10720f528fd3a954f4262432e1a911522c8"); h != want {
		t.Errorf("the first ruleset's hash is %s, want %s: a change is a new version", h, want)
	}
}

func FuzzReceiptsFromStrangers(f *testing.F) {
	seed := newWorld(f)
	f.Add(seed.work(seed.infer(), "w1", nil).Bytes())
	f.Add(seed.work(seed.pin(), "w1", func(r *protocol.Receipt) { r.Seq = 1 << 63 }).Bytes())
	base := seed.input(0)
	f.Fuzz(func(t *testing.T, envelope []byte) {
		if len(envelope) == 0 || len(envelope) > 8_192 {
			return
		}
		in := base
		in.Blocks = ruleset.Blocks{}
		data, err := protocol.Encode(protocol.BatchData{Worker: rewardstest.Addr("w1"), Receipts: append(protocol.BatchData{}.Receipts, in.Blocks.Add(envelope))})
		if err != nil {
			t.Fatal(err)
		}
		b := protocol.Batch{Worker: rewardstest.Addr("w1"), Count: 1, Data: in.Blocks.Add(data)}
		if c, err := protocol.ParseCosigned(envelope); err == nil {
			if r, _, err := c.Open(in.Network); err == nil { // the batch's root is right where there is one
				if b.Root, err = protocol.Digest(in.Network, r); err != nil {
					t.Fatal(err)
				}
			}
		}
		in.Facts = append(slices.Clone(in.Facts), protocol.Fact{Block: 1_000, Time: 1_101, Event: protocol.Committed{Batch: b}})
		if _, err := ruleset.Derive(in); err != nil && !errors.Is(err, ruleset.ErrIncomplete) {
			t.Fatal(err)
		}
	})
}

func BenchmarkDerive(b *testing.B) {
	for _, memo := range []bool{false, true} {
		b.Run(fmt.Sprintf("receipts=1000/memo=%v", memo), func(b *testing.B) {
			w := newWorld(b)
			j := w.pin()
			p := w.ranked(j, 0, "p1", "p2", "p3")
			var rs []protocol.Cosigned
			for range 1000 {
				c, _, err := j.Work(p, protocol.NewAmount(1), w.now, nil)
				w.ok(err)
				rs = append(rs, c)
			}
			w.commit(p, 0, rs...)
			in := w.input(0)
			if memo {
				in.Memo = &ruleset.Memo{}
			}
			for b.Loop() {
				if _, err := ruleset.Derive(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
