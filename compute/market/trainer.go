package market

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/compute"
	"tally/compute/market/wire"
	"tally/protocol"
)

// trainJob does one training job for a submitter.
func (w *Worker) trainJob(ctx context.Context, l *link, t taken) error {
	from, err := expect[wire.Train](ctx, l, w.Times.Settle)
	if err != nil {
		return err
	}
	if len(from.Leaves) != len(from.Checkpoints) || len(from.Leaves) > 0 && t.offer.Tier != protocol.TierExact {
		return l.fail(wire.CodeRefused, fmt.Errorf("%w: %d leaves and %d checkpoints to go on from", ErrRefused, len(from.Leaves), len(from.Checkpoints)))
	}
	c, err := w.book.Channel(t.id, w.self)
	if err != nil {
		return l.fail(wire.CodeFailed, err)
	}
	if len(c.Pending) > 0 {
		return w.trainedBefore(ctx, l, c.Pending, from)
	}
	if c.Seq > 0 {
		return l.fail(wire.CodeRefused, fmt.Errorf("%w: the job is done and paid", ErrRefused))
	}
	start, err := w.Board.Now(ctx)
	if err != nil {
		return l.fail(wire.CodeFailed, fmt.Errorf("market: read the time: %w", err))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(t.offer.Deadline-min(start, t.offer.Deadline))*time.Second, fmt.Errorf("%w: the offer's deadline passed", ErrRefused))
	defer cancel()
	run := &training{w: w, l: l, t: t, start: start, leaves: slices.Clone(from.Leaves), checkpoints: slices.Clone(from.Checkpoints)}
	if err := run.do(ctx, from.Step); err != nil {
		code := wire.CodeFailed
		if errors.Is(err, compute.ErrCommitted) {
			code = wire.CodeCommitted
		}
		return l.fail(code, cmpErr(ctx, err))
	}
	return w.awaitSettlement(ctx, l, w.Times.Fetch+w.Times.Settle)
}

// training is a run while the engine does it.
type training struct {
	w     *Worker
	l     *link
	t     taken
	start uint64

	leaves      []common.Hash
	checkpoints []cid.Cid
	stepped     bool // the engine has begun to train
	quiet       func()
	spoken      time.Time // when progress was last sent
}

// do fetches, trains, publishes, and delivers.
func (r *training) do(ctx context.Context, step uint64) error {
	job, done, err := r.prepare(ctx, step)
	if err != nil {
		return err
	}
	defer done()
	r.quiet = r.heartbeat("prepare")
	out, err := r.w.trainers[r.t.train.Engine].Train(ctx, job, r.progress, func(c compute.Checkpoint) error { return r.checkpoint(ctx, c) })
	r.quiet()
	if err != nil {
		return err
	}
	result, err := r.publish(ctx, out)
	if out.Release != nil {
		if rerr := out.Release(); rerr != nil {
			r.w.log.Warn("training files not released", "err", rerr)
		}
	}
	if err != nil {
		return err
	}
	return r.deliver(ctx, result)
}

// heartbeat says that the worker lives while nothing else says so. Only phases
// without progress of their own have one; the returned func ends it.
func (r *training) heartbeat(phase string) (stop func()) {
	return r.l.heartbeat(&wire.Working{Phase: phase}, r.w.Times.Train/3)
}

// prepare brings here what the spec names.
func (r *training) prepare(ctx context.Context, step uint64) (job compute.TrainJob, done func(), err error) {
	defer r.heartbeat("fetch")()
	spec, store := r.t.train, r.w.Store
	job.Spec = spec
	done = func() {}
	m, listed, err := r.checkShards(ctx)
	if err != nil {
		return job, done, err
	}
	for _, c := range spec.Shards {
		if err := r.fetch(ctx, c); err != nil {
			return job, done, fmt.Errorf("market: fetch shard %s: %w", c, err)
		}
		if err := r.measure(ctx, listed[c]); err != nil {
			return job, done, err
		}
		files, err := store.Texts(ctx, c, m.Schema, m.Field)
		if err != nil {
			return job, done, fmt.Errorf("market: open shard %s: %w", c, err)
		}
		job.Shards = append(job.Shards, compute.Shard{Root: c, Files: files})
	}
	if spec.Base.Defined() {
		if job.Base, err = r.base(ctx); err != nil {
			return job, done, err
		}
	}
	if n := len(r.leaves); n > 0 {
		c := r.checkpoints[n-1]
		if err := r.fetch(ctx, c); err != nil {
			return job, done, fmt.Errorf("market: fetch checkpoint: %w", err)
		}
		if err := store.Pin(ctx, c, jobPin(r.t.id), r.until()); err != nil {
			return job, done, fmt.Errorf("market: pin checkpoint: %w", err)
		}
		f, err := store.OpenFile(ctx, c)
		if err != nil {
			return job, done, fmt.Errorf("market: open checkpoint: %w", err)
		}
		done = func() { _ = f.Close() }
		job.From = &compute.Checkpoint{Index: uint64(n - 1), Step: step, Leaf: r.leaves[n-1], Data: f}
	}
	return job, done, nil
}

// checkShards checks that the spec's shards are the datanet's, and gives what the
// datanet says of itself and of each.
func (r *training) checkShards(ctx context.Context) (m protocol.Manifest, listed map[cid.Cid]protocol.Shard, err error) {
	raw, err := r.w.Store.GetBlock(ctx, r.t.train.Datanet)
	if err != nil {
		return m, nil, fmt.Errorf("market: fetch the datanet's manifest: %w", err)
	}
	if m, err = open[protocol.Manifest](r.w.Network, raw); err != nil {
		return m, nil, err
	}
	if err := m.Validate(r.w.Network, m.Origin); err != nil {
		return m, nil, err
	}
	if m.Reader != "" {
		return m, nil, fmt.Errorf("%w: datanet %q is private: a worker cannot read it", ErrRefused, m.Name)
	}
	listed = map[cid.Cid]protocol.Shard{}
	for _, s := range m.Offered() {
		listed[s.Root] = s
	}
	for _, c := range r.t.train.Shards {
		if _, ok := listed[c]; !ok {
			return m, nil, fmt.Errorf("%w: shard %s is not in the datanet's manifest", ErrRefused, c)
		}
	}
	return m, listed, nil
}

// measure compares a shard that is here with what its contributor claims: sizes
// decide who is paid how much for a model.
func (r *training) measure(ctx context.Context, s protocol.Shard) error {
	piece, size, err := r.w.Store.Piece(ctx, s.Root)
	if err != nil {
		return fmt.Errorf("market: measure shard %s: %w", s.Root, err)
	}
	if piece != s.Piece || size != s.Size {
		return fmt.Errorf("%w: shard %s has %d bytes and piece root %s, the datanet says %d and %s", ErrRefused, s.Root, size, piece, s.Size, s.Piece)
	}
	return nil
}

func (r *training) base(ctx context.Context) (*compute.Model, error) {
	m, err := r.w.base(ctx, r.t.train.Base, r.t.train.Engine)
	if err != nil {
		return nil, err
	}
	if err := r.fetch(ctx, m.Files); err != nil {
		return nil, fmt.Errorf("market: fetch the base model: %w", err)
	}
	files, err := r.w.Store.FS(ctx, m.Files)
	if err != nil {
		return nil, fmt.Errorf("market: open the base model: %w", err)
	}
	return &compute.Model{ID: m.Files, Files: files}, nil
}

func (r *training) fetch(ctx context.Context, c cid.Cid) error {
	ctx, cancel := context.WithTimeout(ctx, r.w.Times.Fetch)
	defer cancel()
	return r.w.Store.Fetch(ctx, c)
}

// progress passes on at most five frames a second, and the last.
func (r *training) progress(p compute.Progress) error {
	if !r.stepped {
		r.stepped = true
		r.quiet() // from here on only steps prove that it goes on
	}
	if p.Tokens > r.t.train.MaxTokens {
		return fmt.Errorf("%w: %d tokens trained, %d are paid for", compute.ErrLimit, p.Tokens, r.t.train.MaxTokens)
	}
	if math.IsNaN(p.Loss) || math.IsInf(p.Loss, 0) {
		return fmt.Errorf("%w: the loss is not finite", compute.ErrInput)
	}
	if now := time.Now(); p.Step == p.Steps || now.Sub(r.spoken) >= 200*time.Millisecond {
		r.spoken = now
		return r.l.send(&wire.Working{Phase: "train", Step: p.Step, Steps: p.Steps, Tokens: p.Tokens, Loss: math.Float64bits(p.Loss)})
	}
	return nil
}

// until is how long a worker keeps what a training made: for audits, and for a
// payer who comes late. Who wants it longer pins it.
func (r *training) until() uint64 { return r.t.offer.Deadline + KeepTrained }

func (r *training) checkpoint(ctx context.Context, c compute.Checkpoint) error {
	if c.Index != uint64(len(r.leaves)) || len(r.leaves) == wire.MaxLeaves {
		return fmt.Errorf("%w: checkpoint %d, %d are there, at most %d", compute.ErrLimit, c.Index, len(r.leaves), wire.MaxLeaves)
	}
	data, err := r.w.Store.ImportFile(ctx, c.Data)
	if err != nil {
		return fmt.Errorf("market: keep checkpoint: %w", err)
	}
	if err := r.w.Store.Pin(ctx, data, jobPin(r.t.id), r.until()); err != nil {
		return fmt.Errorf("market: pin checkpoint: %w", err)
	}
	r.leaves, r.checkpoints = append(r.leaves, c.Leaf), append(r.checkpoints, data)
	return r.l.send(&wire.Saved{Index: c.Index, Step: c.Step, Leaf: c.Leaf, Data: data})
}

// publish keeps model and trace where others can fetch them.
func (r *training) publish(ctx context.Context, out compute.TrainResult) (protocol.TrainOutput, error) {
	defer r.heartbeat("publish")()
	var none protocol.TrainOutput
	if out.Tokens > r.t.train.MaxTokens {
		return none, fmt.Errorf("%w: %d tokens trained, %d are paid for", compute.ErrLimit, out.Tokens, r.t.train.MaxTokens)
	}
	files, err := r.w.Store.ImportFS(ctx, out.Files)
	if err != nil {
		return none, fmt.Errorf("market: keep the model: %w", err)
	}
	if err := r.w.Store.Pin(ctx, files, jobPin(r.t.id), r.until()); err != nil {
		return none, fmt.Errorf("market: pin the model: %w", err)
	}
	trace, err := r.put(ctx, protocol.TrainTrace{Offer: r.t.id, Spec: r.t.offer.Spec, Leaves: r.leaves, Checkpoints: r.checkpoints})
	if err != nil {
		return none, err
	}
	result := protocol.TrainOutput{
		Files: files, ParamHash: out.ParamHash, Params: out.Params, Trace: trace,
		Tokens: out.Tokens, Steps: out.Steps, Summary: bytes.Clone(out.Summary),
	}
	_, err = r.put(ctx, result)
	return result, err
}

func (r *training) put(ctx context.Context, doc any) (cid.Cid, error) {
	raw, err := protocol.Encode(doc)
	if err != nil {
		return cid.Undef, err
	}
	c, err := r.w.Store.PutBlock(ctx, raw)
	if err != nil {
		return c, fmt.Errorf("market: keep %T: %w", doc, err)
	}
	return c, nil
}

func (r *training) deliver(ctx context.Context, result protocol.TrainOutput) error {
	end, err := r.w.Board.Now(ctx)
	if err != nil {
		return fmt.Errorf("market: read the time: %w", err)
	}
	receipt := r.w.receipt(r.t, r.start, max(r.start, end))
	if err := describeTraining(&receipt, r.t.train, r.t.raw, result, r.leaves); err != nil {
		return err
	}
	left, err := r.w.afford(r.t)
	if err != nil {
		return err
	}
	if receipt.Value.Cmp(left) > 0 {
		return fmt.Errorf("%w: it costs %s, %s is left of the offer", ErrRefused, receipt.Value, left)
	}
	issued, err := r.w.book.Issue(receipt, 1, nil)
	if err != nil {
		return err
	}
	r.w.metrics.receipts.WithLabelValues("train").Inc()
	if err := r.l.send(&wire.Delivered{Receipt: issued.Bytes()}); err != nil {
		return err
	}
	return r.l.send(&wire.Trained{Output: result})
}

// trainedBefore delivers a run that was finished before its stream was lost.
func (w *Worker) trainedBefore(ctx context.Context, l *link, pending []byte, from *wire.Train) error {
	issued, err := protocol.ParseCosigned(pending)
	if err != nil {
		return l.fail(wire.CodeFailed, err)
	}
	r, _, err := issued.Open(w.Network)
	if err != nil {
		return l.fail(wire.CodeFailed, err)
	}
	out, err := documentOf[protocol.TrainOutput](ctx, w.Store, r.Output)
	if err != nil {
		return l.fail(wire.CodeFailed, err)
	}
	trace, err := documentOf[protocol.TrainTrace](ctx, w.Store, out.Trace)
	if err != nil {
		return l.fail(wire.CodeFailed, err)
	}
	n := len(from.Leaves)
	if n > len(trace.Leaves) || !slices.Equal(trace.Leaves[:n], from.Leaves) || !slices.Equal(trace.Checkpoints[:n], from.Checkpoints) {
		return l.fail(wire.CodeCommitted, compute.ErrCommitted)
	}
	// The steps between are not kept; they rise to the last, which is known.
	step := from.Step
	for i := n; i < len(trace.Leaves); i++ {
		step += (out.Steps - step) / uint64(len(trace.Leaves)-i)
		if err := l.send(&wire.Saved{Index: uint64(i), Step: step, Leaf: trace.Leaves[i], Data: trace.Checkpoints[i]}); err != nil {
			return err
		}
	}
	if err := l.send(&wire.Delivered{Receipt: issued.Bytes()}); err != nil {
		return err
	}
	if err := l.send(&wire.Trained{Output: out}); err != nil {
		return err
	}
	return w.awaitSettlement(ctx, l, w.Times.Fetch+w.Times.Settle)
}
