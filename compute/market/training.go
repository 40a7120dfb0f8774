package market

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/compute"
	"tally/compute/market/wire"
	"tally/protocol"
)

// TrainTerms post a training job.
type TrainTerms struct {
	Terms
	Spec protocol.TrainSpec
}

// TrainProgress is how far a training job is.
type TrainProgress struct {
	Worker      common.Address
	Rank        uint8
	Phase       string // "fetch", "prepare", "train", "publish"
	Step        uint64
	Steps       uint64
	Tokens      uint64
	Loss        float64 // nats per token
	Checkpoints int     // committed: here and pinned
}

// TrainAnswer is a finished training job. Files, checkpoints, trace and output
// are here and pinned.
type TrainAnswer struct {
	Offer    common.Hash
	Output   protocol.TrainOutput
	Trace    protocol.TrainTrace
	Receipt  cid.Cid // id
	Envelope cid.Cid // of the co-signed receipt
	Worker   common.Address
	Rank     uint8
	Value    protocol.Amount
}

// trainRun is a training job while it is done, by one worker after another.
type trainRun struct {
	s          *Submitter
	job        ranked
	spec       protocol.TrainSpec
	onProgress func(TrainProgress) error
	sent       uint64 // when it was first asked for, in chain time
	step       uint64 // of the last checkpoint
	trace      protocol.TrainTrace
	last       TrainProgress
}

// Train posts a training job and sees it through: it pulls and pins every
// checkpoint as it is committed, so that where a worker fails the next one goes
// on from there and, in tier exact, ends with the same parameters. When all have
// failed, those that were lost are asked once more after Retry. onProgress, which
// may be nil, is called in order; its error ends the job.
func (s *Submitter) Train(ctx context.Context, t TrainTerms, onProgress func(TrainProgress) error) (TrainAnswer, error) {
	if len(t.Spec.Shards) == 0 || t.Spec.MaxTokens == 0 {
		return TrainAnswer{}, fmt.Errorf("%w: nothing to train on: name shards and a number of tokens", ErrTerms)
	}
	if err := covers(t.Value, func() (protocol.Amount, error) { return TrainFee(t.Spec, t.Spec.MaxTokens) }); err != nil {
		return TrainAnswer{}, err
	}
	p, err := s.post(ctx, protocol.KindTrain, t.Spec, t.Terms)
	if err != nil {
		return TrainAnswer{}, err
	}
	job, err := s.rank(ctx, p, t.Spec.Engine, 1+Fallbacks)
	if err != nil {
		return TrainAnswer{}, err
	}
	r := &trainRun{s: s, job: job, spec: t.Spec, onProgress: onProgress, trace: protocol.TrainTrace{Offer: p.id, Spec: p.offer.Spec}}
	now, err := s.Board.Now(ctx)
	if err != nil {
		return TrainAnswer{}, fmt.Errorf("market: read the time: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(t.Deadline-min(now, t.Deadline))*time.Second, fmt.Errorf("%w: the offer's deadline has passed", ErrStalled))
	defer cancel()
	var tried []error
	ranks := job.ranks
	for pass := range 2 {
		if pass > 0 {
			select {
			case <-ctx.Done():
				return TrainAnswer{}, context.Cause(ctx)
			case <-time.After(s.Times.Retry):
			}
		}
		var lost []int
		for _, rank := range ranks {
			a, err := r.by(ctx, rank)
			var caller *callerError
			switch {
			case err == nil:
				return a, nil
			case errors.As(err, &caller):
				return TrainAnswer{}, caller.err
			case ctx.Err() != nil:
				return TrainAnswer{}, context.Cause(ctx)
			case errors.Is(err, ErrLost) || errors.Is(err, ErrStalled):
				lost = append(lost, rank)
			}
			s.metrics.failures.WithLabelValues("train").Inc()
			s.log.Warn("training not finished by this worker", "offer", job.id, "rank", rank, "checkpoints", len(r.trace.Leaves), "err", err)
			tried = append(tried, err)
		}
		if ranks = lost; len(lost) == 0 {
			break
		}
	}
	return TrainAnswer{}, fmt.Errorf("%w: offer %s: %w", ErrNoWorker, job.id, errors.Join(tried...))
}

// by has one worker go on with the run; twice, if it doubts the checkpoint of
// the one before.
func (r *trainRun) by(ctx context.Context, rank int) (TrainAnswer, error) {
	for restarted := false; ; restarted = true {
		c, err := r.s.claim(ctx, r.job, rank)
		if err != nil {
			return TrainAnswer{}, err
		}
		a, err := r.run(ctx, c)
		c.link.close()
		if f, ok := errors.AsType[*Failure](err); ok && f.Code == wire.CodeCommitted && !restarted && len(r.trace.Leaves) > 0 {
			r.s.log.Warn("a checkpoint is doubted by the fallback: training starts again", "offer", r.job.id, "rank", rank)
			r.step, r.trace.Leaves, r.trace.Checkpoints = 0, nil, nil
			continue
		}
		if err != nil {
			err = fmt.Errorf("worker %s at rank %d: %w", c.worker, rank, err)
		}
		return a, err
	}
}

func (r *trainRun) run(ctx context.Context, c claimed) (TrainAnswer, error) {
	s := r.s
	if r.sent == 0 {
		now, err := s.Board.Now(ctx)
		if err != nil {
			return TrainAnswer{}, fmt.Errorf("market: read the time: %w", err)
		}
		r.sent = now
	}
	if err := c.link.send(&wire.Train{Step: r.step, Leaves: r.trace.Leaves, Checkpoints: r.trace.Checkpoints}); err != nil {
		return TrainAnswer{}, err
	}
	// The worker hears nothing else from here until it is paid, perhaps for hours.
	defer c.link.heartbeat(&wire.Alive{}, s.Times.Train/3)()
	advanced, step := time.Now(), r.step
	var delivered *wire.Delivered
	for {
		b, err := c.link.recv(ctx, s.Times.Train)
		if err != nil {
			return TrainAnswer{}, err
		}
		switch b := b.(type) {
		case *wire.Working:
			if b.Step > step {
				advanced, step = time.Now(), b.Step
			} else if time.Since(advanced) > s.Times.Advance {
				return TrainAnswer{}, fmt.Errorf("%w: alive, but no step for %s", ErrStalled, s.Times.Advance)
			}
			err = r.working(c, b)
		case *wire.Saved:
			err = r.saved(ctx, c, b)
		case *wire.Delivered:
			if delivered != nil {
				return TrainAnswer{}, unexpected(b)
			}
			delivered = b
		case *wire.Trained:
			if delivered == nil {
				return TrainAnswer{}, fmt.Errorf("%w: the receipt comes before the result", ErrPeer)
			}
			return r.accept(ctx, c, delivered, b.Output)
		default:
			err = unexpected(b)
		}
		if err != nil {
			return TrainAnswer{}, err
		}
	}
}

func (r *trainRun) working(c claimed, b *wire.Working) error {
	loss := math.Float64frombits(b.Loss)
	if math.IsNaN(loss) || math.IsInf(loss, 0) || b.Tokens > r.spec.MaxTokens || b.Step > b.Steps {
		return fmt.Errorf("%w: progress makes no sense: step %d of %d, %d tokens, loss %g", ErrPeer, b.Step, b.Steps, b.Tokens, loss)
	}
	if r.last.Phase = b.Phase; b.Steps > 0 { // a heartbeat has no numbers
		r.last = TrainProgress{Phase: b.Phase, Step: b.Step, Steps: b.Steps, Tokens: b.Tokens, Loss: loss}
	}
	return r.report(c)
}

func (r *trainRun) report(c claimed) error {
	if r.onProgress == nil {
		return nil
	}
	p := r.last
	p.Worker, p.Rank, p.Checkpoints = c.worker, c.rank, len(r.trace.Leaves)
	if err := r.onProgress(p); err != nil {
		return &callerError{err}
	}
	return nil
}

// saved commits a checkpoint: it counts once it is here and pinned.
func (r *trainRun) saved(ctx context.Context, c claimed, b *wire.Saved) error {
	if b.Index != uint64(len(r.trace.Leaves)) || b.Step <= r.step || len(r.trace.Leaves) == wire.MaxLeaves {
		return fmt.Errorf("%w: checkpoint %d at step %d follows checkpoint %d at step %d", ErrPeer, b.Index, b.Step, len(r.trace.Leaves), r.step)
	}
	if err := r.s.keep(ctx, c, b.Data); err != nil {
		return fmt.Errorf("checkpoint %d: %w", b.Index, err)
	}
	r.step = b.Step
	r.trace.Leaves = append(r.trace.Leaves, b.Leaf)
	r.trace.Checkpoints = append(r.trace.Checkpoints, b.Data)
	return r.report(c)
}

// keep fetches what a worker offers and pins it under the job. It gives up when
// the worker goes away: nobody else may have it.
func (s *Submitter) keep(ctx context.Context, c claimed, root cid.Cid) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.Times.Fetch, fmt.Errorf("%w: fetch took more than %s", ErrStalled, s.Times.Fetch))
	defer cancel()
	gone := context.AfterFunc(c.link.ctx, cancel)
	defer gone()
	if err := s.Store.Fetch(ctx, root); err != nil {
		if c.link.ctx.Err() != nil {
			return fmt.Errorf("%w: %w", context.Cause(c.link.ctx), err)
		}
		return fmt.Errorf("market: fetch %s: %w", root, cmpErr(ctx, err))
	}
	if err := s.Store.Pin(context.WithoutCancel(ctx), root, jobPin(c.id), 0); err != nil {
		return fmt.Errorf("market: pin %s: %w", root, err)
	}
	return nil
}

// jobPin is the reason under which a job's data is pinned on both sides.
func jobPin(offer common.Hash) string { return "job/" + offer.Hex() }

// accept checks the result and the receipt against what was seen, keeps the
// data, co-signs and settles.
func (r *trainRun) accept(ctx context.Context, c claimed, d *wire.Delivered, out protocol.TrainOutput) (TrainAnswer, error) {
	s := r.s
	if out.Steps != r.step || out.Tokens > r.spec.MaxTokens {
		return TrainAnswer{}, fmt.Errorf("%w: the result is of step %d and %d tokens, the last checkpoint of step %d", ErrPeer, out.Steps, out.Tokens, r.step)
	}
	raw, err := protocol.Encode(out)
	if err != nil {
		return TrainAnswer{}, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	e, err := s.expectation(c, r.sent)
	if err != nil {
		return TrainAnswer{}, err
	}
	if err := describeTraining(&e.receipt, r.spec, c.spec, out, r.trace.Leaves); err != nil {
		return TrainAnswer{}, err
	}
	issued, err := s.check(ctx, d.Receipt, e)
	if err != nil {
		return TrainAnswer{}, err
	}
	if err := r.collect(ctx, c, out); err != nil {
		return TrainAnswer{}, err
	}
	if _, err := s.Store.PutBlock(ctx, raw); err != nil {
		return TrainAnswer{}, fmt.Errorf("market: keep the result: %w", err)
	}
	st, err := s.cosign(ctx, issued, c.offer.Value, nil)
	if err != nil {
		return TrainAnswer{}, err
	}
	if err := s.deliver(ctx, c.link, st); err != nil {
		s.log.Info("settlement waits", "receipt", issued.ID(), "worker", c.worker, "err", err)
		s.wake()
	}
	return TrainAnswer{c.id, out, r.trace, issued.ID(), st.Receipt.CID(), c.worker, c.rank, e.receipt.Value}, nil
}

// collect brings trace and model here and checks that they are what the worker
// showed and says.
func (r *trainRun) collect(ctx context.Context, c claimed, out protocol.TrainOutput) error {
	s := r.s
	// The trace needs no fetching: it is what was shown, or it is wrong.
	raw, err := protocol.Encode(r.trace)
	if err != nil {
		return fmt.Errorf("market: write the trace: %w", err)
	}
	if !protocol.CIDOf(raw).Equals(out.Trace) {
		return fmt.Errorf("%w: the trace published is not the one shown", ErrPeer)
	}
	if _, err := s.Store.PutBlock(ctx, raw); err != nil {
		return fmt.Errorf("market: keep the trace: %w", err)
	}
	if err := s.keep(ctx, c, out.Files); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	h := s.Hashers[r.spec.Engine]
	if h == nil {
		return nil
	}
	files, err := s.Store.FS(ctx, out.Files)
	if err != nil {
		return fmt.Errorf("market: open the model: %w", err)
	}
	hash, params, err := h.ParamHash(ctx, compute.Model{ID: out.Files, Files: files})
	if err != nil {
		return fmt.Errorf("%w: measure the model: %w", ErrPeer, err)
	}
	if hash != out.ParamHash || params != out.Params {
		return fmt.Errorf("%w: the model has %d parameters with hash %s, the result says %d with %s", ErrPeer, params, hash, out.Params, out.ParamHash)
	}
	if v, ok := h.(compute.Verifier); ok && !r.spec.Base.Defined() { // a base may not be here; audits bring it
		return r.compare(ctx, v, out)
	}
	return nil
}

// compare sees to it that the model delivered is what the last checkpoint holds. It costs
// no training.
func (r *trainRun) compare(ctx context.Context, v compute.Verifier, out protocol.TrainOutput) error {
	last := len(r.trace.Leaves) - 1
	if last < 0 {
		return fmt.Errorf("%w: a result without a checkpoint", ErrPeer)
	}
	data, err := r.s.Store.OpenFile(ctx, r.trace.Checkpoints[last])
	if err != nil {
		return fmt.Errorf("market: open the last checkpoint: %w", err)
	}
	defer data.Close()
	o, err := v.Outcome(ctx, compute.TrainJob{Spec: r.spec, From: &compute.Checkpoint{Index: uint64(last), Leaf: r.trace.Leaves[last], Data: data}})
	if err != nil {
		return fmt.Errorf("%w: the last checkpoint: %w", ErrPeer, err)
	}
	if o.ParamHash != out.ParamHash || o.Params != out.Params || o.Steps != out.Steps || !o.Last {
		return fmt.Errorf("%w: the model is not what its training ended with: its last checkpoint, of step %d, gives hash %s", ErrPeer, o.Steps, o.ParamHash)
	}
	return nil
}

// describeTraining fills in what a result decides of a receipt. Submitter and
// worker compute it alike.
func describeTraining(r *protocol.Receipt, spec protocol.TrainSpec, raw []byte, out protocol.TrainOutput, leaves []common.Hash) error {
	b, err := protocol.Encode(out)
	if err != nil {
		return err
	}
	r.Input, r.Output, r.Trace = inputOf(raw), protocol.CIDOf(b), protocol.MerkleRoot(leaves)
	r.UnitsIn, r.UnitsOut = out.Tokens, out.Steps
	r.Value, err = TrainFee(spec, out.Tokens)
	return err
}
