package market_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/compute/market"
	"tally/compute/market/markettest"
	"tally/protocol"
)

// TestRandomFaultsNeverPartTheBooks runs requests while streams break, nodes die
// and come back, ledgers fail before and after they have written, and the
// submitter starts again. When everything is well once more, both sides have
// recorded the same receipts, the vouchers cover them, no offer is overspent, and
// every answer was right.
func TestRandomFaultsNeverPartTheBooks(t *testing.T) {
	seeds := 6
	if testing.Short() {
		seeds = 2
	}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			inBubble(t, 3, func(b *bench) { b.chaos(rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func (b *bench) chaos(r *rand.Rand) {
	b.w.Chain.Favour(common.Address{})
	// Drawn outside of the streams' goroutines, so that a seed means one schedule
	// as far as the scheduler allows.
	faults := make([]byte, 1<<14)
	for i := range faults {
		faults[i] = byte(r.UintN(256))
	}
	at := make(chan int, 1)
	at <- 0
	breaking := func(_, _ common.Address, m []byte) ([]byte, bool) {
		i := <-at
		at <- i + 1
		return m, faults[i%len(faults)] >= 2 // about one message in a hundred breaks its stream
	}
	answers := 0
	for range 6 {
		b.w.Tamper(nil)
		terms := b.sessionTerms()
		x, err := b.s.OpenSession(b.Context(), terms)
		if errors.Is(err, market.ErrNoWorker) {
			b.heal()
			continue
		}
		b.must(err)
		b.w.Tamper(breaking)
		for range 6 {
			b.misfortune(r)
			n := 1 + r.Uint64N(80)
			ctx, cancel := context.WithTimeout(b.Context(), time.Duration(1+r.IntN(120))*time.Second)
			a, err := x.Infer(ctx, request("chaos", n), nil)
			cancel()
			if err != nil {
				continue
			}
			answers++
			if want := b.want("chaos", n); a.Transcript.Output.Text != want {
				b.Fatalf("got %q, want %q", a.Transcript.Output.Text, want)
			}
		}
		b.must(x.Close())
		if r.IntN(2) == 0 {
			b.newSubmitter()
		}
	}
	b.heal()
	b.agree(answers)
	b.Logf("%d answers of 36, %d receipts", answers, len(b.submitter.Ledger.Receipts()))
}

// misfortune does one harm, or none.
func (b *bench) misfortune(r *rand.Rand) {
	w := b.workers[r.IntN(len(b.workers))]
	switch r.IntN(8) {
	case 0:
		w.Kill()
	case 1, 2:
		if !w.Alive() {
			w.Revive()
			b.serve(w)
		}
	case 3:
		w.Ledger.Inject(markettest.Fault(1 + r.IntN(2)))
	case 4:
		b.submitter.Ledger.Inject(markettest.Fault(1 + r.IntN(2)))
	}
}

// heal ends all harm and lets the outboxes run.
func (b *bench) heal() {
	b.w.Tamper(nil)
	for _, w := range b.workers {
		if !w.Alive() {
			w.Revive()
			b.serve(w)
		}
	}
	synctest.Wait() // handlers whose streams are closed end
	stops := []func(){b.run(b.s.Run)}
	for _, w := range b.workers {
		stops = append(stops, b.run(w.w.Run))
	}
	<-time.After(150 * time.Second) // the bubble's
	for _, stop := range stops {
		stop()
	}
	b.must(b.s.Flush(b.Context()))
}

// agree compares what all sides have recorded.
func (b *bench) agree(answers int) {
	theirs := map[common.Hash]protocol.Receipt{}
	perOffer := map[common.Hash]protocol.Amount{}
	for _, w := range b.workers {
		last := map[common.Hash]protocol.Voucher{}
		for _, v := range w.Ledger.Vouchers() {
			if v.Seq > last[v.Offer].Seq {
				last[v.Offer] = v
			}
		}
		sums := map[common.Hash]protocol.Amount{}
		for _, r := range w.Ledger.Receipts() {
			d, err := protocol.Digest(b.w.Network, r)
			b.must(err)
			theirs[d] = r
			sums[r.Offer], err = sums[r.Offer].Add(r.Value)
			b.must(err)
		}
		for offer, sum := range sums {
			if last[offer].Value != sum {
				b.Fatalf("worker %s: the last voucher promises %s, its receipts sum to %s", w.Address, last[offer].Value, sum)
			}
			var err error
			perOffer[offer], err = perOffer[offer].Add(sum)
			b.must(err)
		}
	}
	ours := b.submitter.Ledger.Receipts()
	if len(ours) != len(theirs) || len(ours) < answers {
		b.Fatalf("the submitter recorded %d receipts for %d answers, the workers %d", len(ours), answers, len(theirs))
	}
	for _, r := range ours {
		d, err := protocol.Digest(b.w.Network, r)
		b.must(err)
		if theirs[d] != r {
			b.Fatalf("receipt %d of worker %s is not in its ledger", r.Seq, r.Worker)
		}
	}
	for offer, sum := range perOffer {
		if sum.Cmp(b.sessionTerms().Value) > 0 {
			b.Fatalf("offer %s owes %s", offer, sum)
		}
	}
}
