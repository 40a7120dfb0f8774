package market_test

import (
	"context"
	"errors"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/compute/market"
	"tally/compute/market/wire"
	"tally/protocol"
)

func (b *bench) pinTerms(root cid.Cid) market.PinTerms {
	return market.PinTerms{
		Terms: market.Terms{Value: protocol.NewAmount(10_000_000), Deadline: b.deadline()},
		Spec:  protocol.PinSpec{Root: root, Replicas: 2, Seconds: 3600, Rate: protocol.NewAmount(1_000_000)},
	}
}

func TestFirstInRankHoldTheShardAndArePaidForARange(t *testing.T) {
	inBubble(t, 4, func(b *bench) {
		_, root := b.shard()
		got, err := b.s.Pin(b.Context(), b.pinTerms(root))
		b.must(err)
		if len(got) != 2 || got[0].Rank != 0 || got[1].Rank != 1 {
			b.Fatalf("got %+v", got)
		}
		for _, a := range got {
			for _, w := range b.workers {
				if w.Address != a.Worker {
					continue
				}
				b.same(w, 1)
				if len(w.Store.Pinned(root)) == 0 {
					b.Fatalf("%s was paid and has not pinned the shard", w.Address)
				}
			}
			// 200,000 bytes for an hour at 1,000,000 a MiB and hour.
			if a.Value != protocol.NewAmount(190_734) {
				b.Fatalf("the fee is %s", a.Value)
			}
		}
	})
}

func TestHolderThatReturnsOtherBytesIsNotPaidAndAnotherIs(t *testing.T) {
	inBubble(t, 3, func(b *bench) {
		bad := b.workers[0]
		b.rewrite(bad.Address, func(f wire.Body) {
			if r, is := f.(*wire.Range); is {
				r.Data[len(r.Data)-1] ^= 1
			}
		})
		_, root := b.shard()
		got, err := b.s.Pin(b.Context(), b.pinTerms(root))
		b.must(err)
		if len(got) != 2 || got[0].Rank != 1 || got[1].Rank != 2 {
			b.Fatalf("got %+v", got)
		}
		b.same(bad, 0)
	})
}

func TestPinWithTooFewHoldersSaysHowManyThereAre(t *testing.T) {
	inBubble(t, 2, func(b *bench) {
		b.workers[1].Kill()
		_, root := b.shard()
		got, err := b.s.Pin(b.Context(), b.pinTerms(root))
		if !errors.Is(err, market.ErrNoWorker) || len(got) != 1 {
			b.Fatalf("got %d replicas and %v", len(got), err)
		}
	})
}

// audits draws one auditor.
type audits struct{ auditor common.Address }

func (a audits) Drawn(_ context.Context, _ cid.Cid, who common.Address) (bool, error) {
	return who == a.auditor, nil
}

func TestTranscriptIsDisclosedToTheDrawnAuditorAlone(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		auditor, stranger := b.join("auditor"), b.join("stranger")
		drawn := audits{auditor.Address}
		b.serve(b.workers[0], func(c *market.WorkerConfig) { c.Audits = drawn })
		b.newSubmitter(func(c *market.SubmitterConfig) { c.Audits = drawn })
		x := b.openSession()
		a, err := x.Infer(b.Context(), request("a private question", 40), nil)
		b.must(err)
		receipt := b.submitter.Ledger.Receipts()[0]
		for _, from := range []common.Address{b.submitter.Address, b.workers[0].Address} {
			got, err := market.RequestTranscript(b.Context(), auditor.Streams(), from, a.Receipt, receipt, 10e9)
			b.must(err)
			if got.Output.Text != a.Transcript.Output.Text || got.Request.Prompt != "a private question" {
				b.Fatalf("got %+v", got)
			}
			_, err = market.RequestTranscript(b.Context(), stranger.Streams(), from, a.Receipt, receipt, 10e9)
			if f, is := errors.AsType[*market.Failure](err); !is || f.Code != wire.CodeUnknown {
				b.Fatalf("a stranger got %v", err)
			}
		}
		b.rewrite(b.workers[0].Address, func(f wire.Body) {
			if d, is := f.(*wire.Disclosed); is {
				d.Transcript.Output.Tokens[3] ^= 1
			}
		})
		_, err = market.RequestTranscript(b.Context(), auditor.Streams(), b.workers[0].Address, a.Receipt, receipt, 10e9)
		if !errors.Is(err, market.ErrReceipt) {
			b.Fatalf("a changed transcript gave %v", err)
		}
	})
}

func TestSessionThatDoesNotDiscloseKeepsItsTranscript(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		auditor := b.join("auditor")
		b.serve(b.workers[0], func(c *market.WorkerConfig) { c.Audits = audits{auditor.Address} })
		terms := b.sessionTerms()
		terms.Spec.Disclose = false
		x, err := b.s.OpenSession(b.Context(), terms)
		b.must(err)
		defer func() { _ = x.Close() }()
		a, err := x.Infer(b.Context(), request("secret", 5), nil)
		b.must(err)
		_, err = market.RequestTranscript(b.Context(), auditor.Streams(), b.workers[0].Address, a.Receipt, b.submitter.Ledger.Receipts()[0], 10e9)
		if f, is := errors.AsType[*market.Failure](err); !is || f.Code != wire.CodeUnknown {
			b.Fatalf("got %v", err)
		}
	})
}
