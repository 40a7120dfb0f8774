package market_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/compute"
	"tally/compute/market"
	"tally/compute/market/markettest"
	"tally/compute/market/wire"
	"tally/protocol"
)

// shard publishes a datanet of one shard.
func (b *bench) shard() (manifest, root cid.Cid) {
	b.Helper()
	return b.shardOf(strings.Repeat("some text to learn. ", 10_000))
}

func (b *bench) shardOf(text string) (manifest, root cid.Cid) {
	b.Helper()
	ctx := b.Context()
	root, err := b.submitter.Store.ImportFile(ctx, strings.NewReader(text))
	b.must(err)
	piece, size, err := b.submitter.Store.Piece(ctx, root)
	b.must(err)
	first, err := protocol.Sign(b.w.Network, b.submitter.Key, protocol.Manifest{Name: "n", Licence: "MIT", Schema: "text", Owner: b.submitter.Address})
	b.must(err)
	origin, err := b.submitter.Store.PutBlock(ctx, first.Bytes())
	b.must(err)
	given, err := protocol.Sign(b.w.Network, b.submitter.Key, protocol.Contribution{
		Datanet: origin, Root: root, Piece: piece, Size: size, Records: 1, Contributor: b.submitter.Address, Salt: common.Hash{1},
	})
	b.must(err)
	s, err := protocol.ShardOf(b.w.Network, given, 1)
	b.must(err)
	next, err := protocol.Sign(b.w.Network, b.submitter.Key, protocol.Manifest{
		Name: "n", Licence: "MIT", Schema: "text", Owner: b.submitter.Address, Version: 1, Origin: origin, Parent: origin, Shards: []protocol.Shard{s},
	})
	b.must(err)
	manifest, err = b.submitter.Store.PutBlock(ctx, next.Bytes())
	b.must(err)
	return manifest, root
}

func (b *bench) trainTerms() market.TrainTerms {
	manifest, root := b.shard()
	return market.TrainTerms{
		Terms: market.Terms{Value: protocol.NewAmount(100_000), Deadline: b.deadline()},
		Spec: protocol.TrainSpec{
			Name: "small", Datanet: manifest, Shards: []cid.Cid{root}, Engine: markettest.Class,
			Recipe: markettest.Recipe{Steps: 20, Every: 4, Tokens: 100}.JSON(), Rate: protocol.NewAmount(50_000), MaxTokens: 2000,
		},
	}
}

// reference is what an engine that never fails trains.
func (b *bench) reference(t market.TrainTerms) common.Hash {
	b.Helper()
	files, err := b.submitter.Store.FS(b.Context(), t.Spec.Shards[0])
	b.must(err)
	r, err := new(markettest.Engine).Train(b.Context(), compute.TrainJob{Spec: t.Spec, Shards: []compute.Shard{{Root: t.Spec.Shards[0], Files: files}}},
		func(compute.Progress) error { return nil }, func(compute.Checkpoint) error { return nil })
	b.must(err)
	return r.ParamHash
}

// whole fails unless a is the reference's result, kept and paid.
func (b *bench) whole(a market.TrainAnswer, want common.Hash) {
	b.Helper()
	if a.Output.ParamHash != want {
		b.Fatalf("the parameters hash to %s, want %s", a.Output.ParamHash, want)
	}
	if len(a.Trace.Leaves) != 5 || a.Output.Steps != 20 || a.Output.Tokens != 2000 || a.Value != protocol.NewAmount(100_000) {
		b.Fatalf("%d leaves, %d steps, %d tokens for %s", len(a.Trace.Leaves), a.Output.Steps, a.Output.Tokens, a.Value)
	}
	for _, c := range append(a.Trace.Checkpoints, a.Output.Files) {
		if len(b.submitter.Store.Pinned(c)) == 0 {
			b.Fatalf("%s is not pinned by the submitter", c)
		}
	}
}

func TestTrainingWorkerKilledInTheMiddleEndsWithTheSameParameters(t *testing.T) {
	inBubble(t, 2, func(b *bench) {
		b.workers[0].engine.Before(func(ctx context.Context, at uint64) error {
			<-time.After(time.Second) // the bubble's: a step takes its time
			if at == 10 {
				go b.workers[0].Kill()
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		terms := b.trainTerms()
		a, err := b.s.Train(b.Context(), terms, nil)
		b.must(err)
		b.whole(a, b.reference(terms))
		if a.Rank != 1 || b.workers[1].engine.Calls() != 20-8 {
			b.Fatalf("rank %d did %d steps, want 1 and the %d after the second checkpoint", a.Rank, b.workers[1].engine.Calls(), 20-8)
		}
		b.same(b.workers[0], 0)
		b.same(b.workers[1], 1)
	})
}

func TestTrainingGoesOnWithItsOnlyWorkerWhenThatComesBack(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		w := b.workers[0]
		w.engine.Before(func(ctx context.Context, at uint64) error {
			<-time.After(time.Second) // the bubble's: a step takes its time
			if at == 10 {
				w.engine.Before(nil)
				go func() {
					w.Kill()
					<-time.After(5 * time.Second) // the bubble's: a machine that starts again
					w.Revive()
					b.serve(w)
				}()
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		terms := b.trainTerms()
		a, err := b.s.Train(b.Context(), terms, nil)
		b.must(err)
		b.whole(a, b.reference(terms))
		if n := w.engine.Calls(); n != 11+20-8 {
			b.Fatalf("%d steps in all, want 11 before and %d after", n, 20-8)
		}
		b.same(w, 1)
	})
}

func TestSilentTrainerIsLeftAfterItsDeadline(t *testing.T) {
	inBubble(t, 2, func(b *bench) {
		b.workers[0].engine.Before(func(ctx context.Context, at uint64) error {
			if at == 6 {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		terms := b.trainTerms()
		start := time.Now()
		a, err := b.s.Train(b.Context(), terms, nil)
		b.must(err)
		b.whole(a, b.reference(terms))
		if took := time.Since(start); took != time.Minute {
			b.Fatalf("it took %s, the limit is one minute", took)
		}
	})
}

func TestFinishedTrainingWhoseResultWasLostIsDeliveredAgain(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.breakOnce(b.workers[0].Address, func(f wire.Body) bool { _, is := f.(*wire.Trained); return is })
		terms := b.trainTerms()
		a, err := b.s.Train(b.Context(), terms, nil)
		b.must(err)
		b.whole(a, b.reference(terms))
		if n := b.workers[0].engine.Calls(); n != 20 {
			b.Fatalf("%d steps, want 20: nothing twice", n)
		}
		b.same(b.workers[0], 1)
	})
}

// liar is a trainer that changes what an honest one says.
type liar struct {
	*markettest.Engine
	checkpoint func(*compute.Checkpoint)
	result     func(*compute.TrainResult)
}

func (l liar) Train(ctx context.Context, job compute.TrainJob, p func(compute.Progress) error, c func(compute.Checkpoint) error) (compute.TrainResult, error) {
	r, err := l.Engine.Train(ctx, job, p, func(x compute.Checkpoint) error {
		if l.checkpoint != nil {
			l.checkpoint(&x)
		}
		return c(x)
	})
	if l.result != nil {
		l.result(&r)
	}
	return r, err
}

func TestFallbackThatDoubtsACheckpointTrainsFromTheStart(t *testing.T) {
	inBubble(t, 2, func(b *bench) {
		w := b.workers[0]
		w.engine.Before(func(ctx context.Context, at uint64) error {
			if at == 10 {
				return errors.New("out of memory")
			}
			return nil
		})
		b.serve(w, func(c *market.WorkerConfig) {
			c.Trainers = []compute.Trainer{liar{Engine: w.engine, checkpoint: func(x *compute.Checkpoint) { x.Leaf[0] ^= 1 }}}
		})
		terms := b.trainTerms()
		a, err := b.s.Train(b.Context(), terms, nil)
		b.must(err)
		b.whole(a, b.reference(terms))
		if n := b.workers[1].engine.Calls(); a.Rank != 1 || n != 20 {
			b.Fatalf("rank %d did %d steps, want all 20", a.Rank, n)
		}
	})
}

func TestWrongParameterHashIsCaughtAndNotPaid(t *testing.T) {
	inBubble(t, 2, func(b *bench) {
		w := b.workers[0]
		b.serve(w, func(c *market.WorkerConfig) {
			c.Trainers = []compute.Trainer{liar{Engine: w.engine, result: func(r *compute.TrainResult) {
				r.Files = fstest.MapFS{"model.bin": {Data: []byte("cheap")}}
			}}}
		})
		terms := b.trainTerms()
		a, err := b.s.Train(b.Context(), terms, nil)
		b.must(err)
		b.whole(a, b.reference(terms))
		if a.Rank != 1 {
			b.Fatalf("rank %d was paid", a.Rank)
		}
		b.same(w, 0)
	})
}

func TestTrainingOnAShardOutsideTheDatanetIsRefused(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		terms := b.trainTerms()
		other, err := b.submitter.Store.ImportFile(b.Context(), strings.NewReader("stolen"))
		b.must(err)
		terms.Spec.Shards = []cid.Cid{other}
		_, err = b.s.Train(b.Context(), terms, nil)
		if !errors.Is(err, market.ErrNoWorker) || !strings.Contains(err.Error(), "not in the datanet's manifest") {
			b.Fatalf("got %v", err)
		}
	})
}

func TestTrainingReportsProgressInOrder(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		var last market.TrainProgress
		b.workers[0].engine.Before(func(context.Context, uint64) error {
			<-time.After(time.Second) // the bubble's: a step takes its time
			return nil
		})
		terms := b.trainTerms()
		_, err := b.s.Train(b.Context(), terms, func(p market.TrainProgress) error {
			if p.Phase == "train" && (p.Step < last.Step || p.Checkpoints < last.Checkpoints) {
				return fmt.Errorf("step %d after %d", p.Step, last.Step)
			}
			if p.Phase == "train" {
				last = p
			}
			return nil
		})
		b.must(err)
		if last.Step != 20 || last.Checkpoints != 5 || last.Tokens != 2000 || last.Loss != 1./20 {
			b.Fatalf("last progress is %+v", last)
		}
		_, err = b.s.Train(b.Context(), terms, func(market.TrainProgress) error { return io.ErrUnexpectedEOF })
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			b.Fatalf("a callback's error came out as %v", err)
		}
	})
}

func TestTrainerThatIsAliveAndDoesNothingIsLeft(t *testing.T) {
	inBubble(t, 2, func(b *bench) {
		b.workers[0].engine.Before(func(ctx context.Context, at uint64) error {
			<-ctx.Done() // before the first step: heartbeats go on
			return ctx.Err()
		})
		terms := b.trainTerms()
		start := time.Now()
		a, err := b.s.Train(b.Context(), terms, nil)
		b.must(err)
		b.whole(a, b.reference(terms))
		if took := time.Since(start); a.Rank != 1 || took < 15*time.Minute || took > 16*time.Minute {
			b.Fatalf("rank %d ended after %s", a.Rank, took)
		}
	})
}

func TestTrainingEndsWithItsOffer(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.workers[0].engine.Before(func(context.Context, uint64) error {
			<-time.After(50 * time.Second) // the bubble's: alive, but far too slow
			return nil
		})
		terms := b.trainTerms()
		terms.Deadline = uint64(time.Now().Add(5 * time.Minute).Unix())
		start := time.Now()
		_, err := b.s.Train(b.Context(), terms, nil)
		if took := time.Since(start); !errors.Is(err, market.ErrNoWorker) && !errors.Is(err, market.ErrStalled) || took > 6*time.Minute {
			b.Fatalf("after %s: %v", took, err)
		}
	})
}
