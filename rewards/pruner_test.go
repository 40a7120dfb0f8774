package rewards_test

import (
	"errors"
	"testing"

	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/rewards"
	"tally/rewards/journal"
	"tally/rewards/rewardstest"
)

func (w *town) pruner(of ...rewards.Prunable) *rewards.Pruner {
	w.t.Helper()
	p, err := rewards.NewPruner(rewards.PrunerConfig{Params: w.chain.Params, Chain: w.chain, Store: w.store, Of: of})
	w.ok(err)
	return p
}

// oldest is the first epoch that a journal has verdicts about, and how many it has.
func (w *town) oldest(j *journal.Journal) (epoch uint64, all int) {
	w.t.Helper()
	vs, err := j.Verdicts(w.t.Context(), 0)
	w.ok(err)
	epoch = protocol.NoEpoch
	for _, s := range vs {
		v, err := s.Open(w.chain.Network)
		w.ok(err)
		epoch = min(epoch, v.Epoch)
	}
	return epoch, len(vs)
}

// Whatever is dropped as soon as it may go, every epoch is settled as if nothing was,
// and derived again from what is published.
func TestPrunedJournalsSettleTheSame(t *testing.T) {
	story := func(prune bool) (protocol.Amount, *town) {
		w := newTown(t)
		var all []*rewards.Pruner
		for _, n := range []string{"inbox", "a1", "a2"} {
			all = append(all, w.pruner(w.journals[n]))
		}
		for e := range uint64(8) {
			if e < 3 {
				w.work(w.infer, "w1", nil)
				w.work(w.train, "w2", nil)
			}
			for w.clock.Load() < w.chain.Params.End(e) {
				w.live(w.clock.Load() + 1)
				for _, p := range all {
					if prune {
						w.ok(p.Step(t.Context()))
					}
				}
			}
		}
		return w.settled().Head.Total, w
	}
	want, kept := story(false)
	got, pruned := story(true)
	if got.Cmp(want) != 0 {
		t.Errorf("the accounts have %s, unpruned %s", got, want)
	}
	if _, n := kept.oldest(kept.journals["inbox"]); n < 6 {
		t.Fatalf("the poster was told %d verdicts", n)
	}
	for n, j := range pruned.journals {
		if first, n2 := pruned.oldest(j); first < 2 {
			t.Errorf("%s has %d verdicts, from epoch %d on", n, n2, first)
		}
	}
}

// An anchor that can still be disputed settles nothing, and of one that is final what
// waits for data that could not be had may still need its verdicts.
func TestVerdictsStayUntilWhatTheyJudgeIsSettled(t *testing.T) {
	w := newTown(t)
	p := w.chain.Params
	w.work(w.infer, "w1", nil)
	v, err := protocol.Sign(w.chain.Network, rewardstest.Key("a1"), protocol.Verdict{
		Receipt: protocol.CIDOf([]byte("some")), Auditor: rewardstest.Addr("a1"), Outcome: protocol.OutcomeEqual,
	})
	w.ok(err)
	j := w.journals["inbox"]
	w.ok(j.AddVerdict(t.Context(), v))
	pruner := w.pruner(j)
	there := func(want bool, when string) {
		t.Helper()
		w.ok(pruner.Step(t.Context()))
		if first, n := w.oldest(j); (first == 0) != want {
			t.Fatalf("%s: %d verdicts from epoch %d on", when, n, first)
		}
	}
	w.live(p.End(0) + 3)
	facts, err := w.chain.Facts(t.Context())
	w.ok(err)
	var batch []cid.Cid
	for _, f := range facts {
		if b, ok := f.Event.(protocol.Committed); ok {
			batch = append(batch, b.Batch.Data)
		}
	}
	if len(batch) != 1 {
		t.Fatalf("%d batches are committed", len(batch))
	}
	w.store.Hide(true, batch[0])
	there(true, "before the anchor")
	for w.anchors() == 0 {
		w.live(w.clock.Load() + 1)
	}
	there(true, "while the anchor can be disputed")
	w.live(p.AuditBy(2) + p.ClaimDelay + 3)
	if w.anchors() < 3 {
		t.Fatalf("%d anchors", w.anchors())
	}
	there(true, "while the batch is carried over")
	w.store.Hide(false, batch[0])
	w.live(p.End(7))
	there(false, "when all is settled")
	w.settled()
}

func (w *town) anchors() int {
	w.t.Helper()
	facts, err := w.chain.Facts(w.t.Context())
	w.ok(err)
	return len(rewards.Anchors(facts))
}

// stuck is something that cannot be pruned.
type stuck struct{ err error }

func (s stuck) Prune(uint64) (int, error) { return 0, s.err }

func TestNothingIsPrunedWithoutTheLastFinalEpochsData(t *testing.T) {
	w := newTown(t)
	w.work(w.infer, "w1", nil)
	w.live(w.chain.Params.End(4))
	facts, err := w.chain.Facts(t.Context())
	w.ok(err)
	last := rewards.Anchors(facts)[w.anchors()-1].Data
	broken := errors.New("the disk is full")
	w.store.Hide(true, last)
	if err := w.pruner(stuck{broken}).Step(t.Context()); err == nil || errors.Is(err, broken) {
		t.Errorf("without the data: %v", err)
	}
	w.store.Hide(false, last)
	if err := w.pruner(stuck{broken}).Step(t.Context()); !errors.Is(err, broken) {
		t.Errorf("with it: %v", err)
	}
	if _, err := rewards.NewPruner(rewards.PrunerConfig{Params: w.chain.Params, Chain: w.chain, Store: w.store}); !errors.Is(err, rewards.ErrConfig) {
		t.Errorf("with nothing to prune: %v", err)
	}
}
