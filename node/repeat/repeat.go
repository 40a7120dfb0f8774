// Package repeat does a receipt's work again on the auditor's node and compares.
//
// The life of an audit: for an answer, the transcript is asked from the payer
// and, failing that, from the worker, checked against the receipt's hashes, and
// repeated at the speed of reading. For a training, the public trace is fetched
// and checked against the receipt's root, the model is compared with its last checkpoint, one of its
// segments is picked, the checkpoint before it is fetched, and the segment and the last one
// are trained again. What cannot
// be had is said to be so; it is never held against the worker here.
//
// A Repeater is safe for concurrent use, but audits one piece of work at a time,
// so that an audit does not starve the node's own jobs of memory. It signs and
// pays nothing.
package repeat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/compute"
	"tally/compute/market"
	"tally/protocol"
	"tally/rewards"
)

var (
	// ErrKind says that work of this kind cannot be repeated.
	ErrKind = errors.New("repeat: work of this kind is not repeated")
	// ErrBusy says that another training is being repeated.
	ErrBusy = errors.New("repeat: this node does another whole training again: try when it is done")
)

// Asking for a transcript: of each side, so long, so often. Who holds it may not
// have read the chain as far as the auditor has.
const (
	askFor   = 10 * time.Second
	askTimes = 4
	askAgain = time.Second
)

// Store finds documents and files.
type Store interface {
	Get(ctx context.Context, c cid.Cid) ([]byte, error)
	Fetch(ctx context.Context, c cid.Cid) error
	FS(ctx context.Context, c cid.Cid) (fs.FS, error)
	// Texts is a shard of a datanet as protocol text.
	Texts(ctx context.Context, c cid.Cid, schema, field string) (fs.FS, error)
	OpenFile(ctx context.Context, c cid.Cid) (io.ReadCloser, error)
}

// Datanets say what the records of a datanet's version are.
type Datanets interface {
	Schema(ctx context.Context, datanet cid.Cid) (schema, field string, err error)
}

// Models finds a model's manifest.
type Models interface {
	Manifest(ctx context.Context, c cid.Cid) (protocol.Model, error)
}

// Config is what a Repeater depends on.
type Config struct {
	Store     Store
	Datanets  Datanets
	Models    Models
	Streams   market.Streams
	Own       func(receipt cid.Cid) (protocol.Transcript, error) // what this node paid for itself
	Verifiers map[string]compute.Verifier                        // by engine class
	Trainers  map[string]compute.Trainer                         // by engine class
	Hashers   map[string]compute.Hasher                          // by engine class
}

// Repeater repeats work.
type Repeater struct {
	c  Config
	mu sync.Mutex // held while work is repeated

	whole sync.Mutex // held while a whole training is done again, which makes no audit wait
}

// New starts nothing.
func New(c Config) *Repeater { return &Repeater{c: c} }

// absent marks what could not be had.
type absent struct{ error }

// VerifyReceipt implements rewards.Verifier.
func (p *Repeater) VerifyReceipt(ctx context.Context, r protocol.Receipt, pick uint64) (rewards.Finding, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var f rewards.Finding
	var err error
	switch r.Kind {
	case protocol.KindInfer:
		f, err = p.answer(ctx, r)
	case protocol.KindTrain:
		f, err = p.training(ctx, r, pick)
	default:
		return f, fmt.Errorf("%w: %s", ErrKind, r.Kind)
	}
	var a absent
	if errors.As(err, &a) && ctx.Err() == nil {
		return rewards.Finding{Outcome: protocol.OutcomeNoData}, nil
	}
	return f, err
}

func document[T any](ctx context.Context, s Store, c cid.Cid) (T, error) {
	var v T
	b, err := s.Get(ctx, c)
	if err != nil {
		return v, absent{err}
	}
	return v, protocol.Decode(b, &v)
}

func mismatch(leaf uint64, computed common.Hash) rewards.Finding {
	return rewards.Finding{Outcome: protocol.OutcomeMismatch, Leaf: leaf, Computed: computed}
}

func (p *Repeater) answer(ctx context.Context, r protocol.Receipt) (rewards.Finding, error) {
	spec, err := document[protocol.InferSpec](ctx, p.c.Store, r.Spec)
	if err != nil {
		return rewards.Finding{}, err
	}
	v, ok := p.c.Verifiers[spec.Engine]
	if !ok {
		return rewards.Finding{}, absent{fmt.Errorf("repeat: no engine of class %q here", spec.Engine)}
	}
	t, err := p.transcript(ctx, r)
	if err != nil {
		return rewards.Finding{}, absent{err}
	}
	m, err := p.model(ctx, spec.Model)
	if err != nil {
		return rewards.Finding{}, absent{err}
	}
	f, err := v.VerifyTranscript(ctx, m, t)
	if err != nil {
		return rewards.Finding{}, fmt.Errorf("repeat: answer: %w", err)
	}
	if !f.Equal {
		return mismatch(f.Leaf, f.Computed), nil
	}
	return rewards.Finding{Outcome: protocol.OutcomeEqual, Leaf: f.Leaf, Computed: f.Computed}, nil
}

// transcript asks both sides; each answer is checked against the receipt.
func (p *Repeater) transcript(ctx context.Context, r protocol.Receipt) (protocol.Transcript, error) {
	raw, err := protocol.Encode(r)
	if err != nil {
		return protocol.Transcript{}, err
	}
	receipt := protocol.CIDOf(raw)
	if t, err := p.c.Own(receipt); err == nil {
		return t, market.CheckTranscript(r, t)
	}
	var tried error
	for try := range askTimes {
		if try > 0 {
			select {
			case <-ctx.Done():
				return protocol.Transcript{}, ctx.Err()
			case <-time.After(askAgain):
			}
		}
		tried = nil
		for _, side := range []common.Address{r.Payer, r.Worker} {
			t, err := market.RequestTranscript(ctx, p.c.Streams, side, receipt, r, askFor)
			if err == nil {
				return t, nil
			}
			tried = errors.Join(tried, fmt.Errorf("from %s: %w", side, err))
		}
	}
	return protocol.Transcript{}, tried
}

// model brings a model here, and the one that it is based on.
func (p *Repeater) model(ctx context.Context, c cid.Cid) (compute.Model, error) {
	m, err := p.c.Models.Manifest(ctx, c)
	if err != nil {
		return compute.Model{}, err
	}
	files, err := p.files(ctx, m.Files)
	if err != nil {
		return compute.Model{}, err
	}
	out := compute.Model{ID: m.Files, Files: files}
	if !m.Base.Defined() {
		return out, nil
	}
	base, err := p.c.Models.Manifest(ctx, m.Base)
	if err != nil {
		return compute.Model{}, err
	}
	if files, err = p.files(ctx, base.Files); err != nil {
		return compute.Model{}, err
	}
	out.Base = &compute.Model{ID: base.Files, Files: files}
	return out, nil
}

func (p *Repeater) files(ctx context.Context, root cid.Cid) (fs.FS, error) {
	if err := p.c.Store.Fetch(ctx, root); err != nil {
		return nil, err
	}
	return p.c.Store.FS(ctx, root)
}

func (p *Repeater) training(ctx context.Context, r protocol.Receipt, pick uint64) (rewards.Finding, error) {
	spec, err := document[protocol.TrainSpec](ctx, p.c.Store, r.Spec)
	if err != nil {
		return rewards.Finding{}, err
	}
	out, err := document[protocol.TrainOutput](ctx, p.c.Store, r.Output)
	if err != nil {
		return rewards.Finding{}, err
	}
	trace, err := document[protocol.TrainTrace](ctx, p.c.Store, out.Trace)
	if err != nil {
		return rewards.Finding{}, err
	}
	n := uint64(len(trace.Leaves))
	if n == 0 || len(trace.Checkpoints) != len(trace.Leaves) || protocol.MerkleRoot(trace.Leaves) != r.Trace || !trace.Spec.Equals(r.Spec) {
		return mismatch(0, common.Hash{}), nil // the worker published another trace than it signed
	}
	v, ok := p.c.Verifiers[spec.Engine]
	if !ok {
		return rewards.Finding{}, absent{fmt.Errorf("repeat: no engine of class %q here", spec.Engine)}
	}
	if f, ok, err := p.result(ctx, spec, out, n-1); err != nil || !ok {
		return f, err
	}
	index := pick % n
	job, err := p.job(ctx, spec)
	if err != nil {
		return rewards.Finding{}, err
	}
	job.Leaves = n
	if f, ok, err := p.outcome(ctx, v, job, trace, out); err != nil || !ok {
		return f, err
	}
	// The last segment is always repeated: it is where the model comes from, and a forged end would
	// otherwise be found as seldom as any other segment.
	f, err := p.segment(ctx, v, job, trace, index)
	if err == nil && f.Outcome == protocol.OutcomeEqual && index != n-1 {
		var end rewards.Finding
		if end, err = p.segment(ctx, v, job, trace, n-1); err == nil && end.Outcome != protocol.OutcomeEqual {
			f = end
		}
	}
	return f, err
}

// segment trains one segment of a trace again.
func (p *Repeater) segment(ctx context.Context, v compute.Verifier, job compute.TrainJob, trace protocol.TrainTrace, index uint64) (rewards.Finding, error) {
	if index > 0 {
		c, err := p.checkpoint(ctx, trace, index-1)
		if err != nil {
			return rewards.Finding{}, absent{err}
		}
		defer c.Close()
		job.From = &compute.Checkpoint{Index: index - 1, Leaf: trace.Leaves[index-1], Data: c}
	}
	f, err := v.VerifySegment(ctx, job, trace.Leaves[index])
	if err != nil {
		return rewards.Finding{}, fmt.Errorf("repeat: segment %d: %w", index, err)
	}
	if !f.Equal {
		return mismatch(f.Leaf, f.Computed), nil
	}
	return rewards.Finding{Outcome: protocol.OutcomeEqual, Leaf: f.Leaf, Computed: f.Computed}, nil
}

// checkpoint opens a checkpoint of a trace.
func (p *Repeater) checkpoint(ctx context.Context, trace protocol.TrainTrace, index uint64) (io.ReadCloser, error) {
	c := trace.Checkpoints[index]
	if err := p.c.Store.Fetch(ctx, c); err != nil {
		return nil, err
	}
	return p.c.Store.OpenFile(ctx, c)
}

// outcome checks that what was delivered is what the trace ends with: the audited
// segments say nothing of a model that was put in its place.
func (p *Repeater) outcome(ctx context.Context, v compute.Verifier, job compute.TrainJob, trace protocol.TrainTrace, out protocol.TrainOutput) (rewards.Finding, bool, error) {
	last := uint64(len(trace.Leaves) - 1)
	c, err := p.checkpoint(ctx, trace, last)
	if err != nil {
		return rewards.Finding{}, false, absent{err}
	}
	defer c.Close()
	job.From = &compute.Checkpoint{Index: last, Leaf: trace.Leaves[last], Data: c}
	o, err := v.Outcome(ctx, job)
	if errors.Is(err, compute.ErrCommitted) || err == nil && (o.ParamHash != out.ParamHash || o.Params != out.Params || o.Steps != out.Steps || !o.Last) {
		return mismatch(last, o.ParamHash), false, nil
	}
	if err != nil {
		return rewards.Finding{}, false, fmt.Errorf("repeat: outcome: %w", err)
	}
	return rewards.Finding{}, true, nil
}

// job gathers what a training needs.
func (p *Repeater) job(ctx context.Context, spec protocol.TrainSpec) (compute.TrainJob, error) {
	job := compute.TrainJob{Spec: spec}
	schema, field, err := p.c.Datanets.Schema(ctx, spec.Datanet)
	if err != nil {
		return job, absent{err}
	}
	for _, c := range spec.Shards {
		s, err := p.shard(ctx, c, schema, field)
		if err != nil {
			return job, absent{err}
		}
		job.Shards = append(job.Shards, s)
	}
	if spec.Base.Defined() {
		m, err := p.model(ctx, spec.Base)
		if err != nil {
			return job, absent{err}
		}
		job.Base = &m
	}
	return job, nil
}

// Retrain does a whole training again, from its spec and its data, and returns the
// name and number of the parameters that come out. It does one at a time and refuses a second.
func (p *Repeater) Retrain(ctx context.Context, spec cid.Cid, progress func(compute.Progress) error) (common.Hash, uint64, error) {
	if !p.whole.TryLock() {
		return common.Hash{}, 0, ErrBusy
	}
	defer p.whole.Unlock()
	sp, err := document[protocol.TrainSpec](ctx, p.c.Store, spec)
	if err != nil {
		return common.Hash{}, 0, err
	}
	t, ok := p.c.Trainers[sp.Engine]
	if !ok {
		return common.Hash{}, 0, fmt.Errorf("%w: no engine of class %q here", ErrKind, sp.Engine)
	}
	job, err := p.job(ctx, sp)
	if err != nil {
		return common.Hash{}, 0, err
	}
	out, err := t.Train(ctx, job, progress, func(compute.Checkpoint) error { return nil })
	if err != nil {
		return common.Hash{}, 0, fmt.Errorf("repeat: training: %w", err)
	}
	return out.ParamHash, out.Params, out.Release()
}

// result checks that the files delivered have the parameters that were claimed.
func (p *Repeater) result(ctx context.Context, spec protocol.TrainSpec, out protocol.TrainOutput, last uint64) (rewards.Finding, bool, error) {
	h, ok := p.c.Hashers[spec.Engine]
	if !ok {
		return rewards.Finding{}, true, nil
	}
	files, err := p.files(ctx, out.Files)
	if err != nil {
		return rewards.Finding{}, false, absent{err}
	}
	hash, params, err := h.ParamHash(ctx, compute.Model{ID: out.Files, Files: files})
	if errors.Is(err, compute.ErrInput) || err == nil && (hash != out.ParamHash || params != out.Params) {
		return mismatch(last, hash), false, nil
	}
	return rewards.Finding{}, err == nil, err
}

// shard opens a shard's text; a shard is one file or a directory.
func (p *Repeater) shard(ctx context.Context, root cid.Cid, schema, field string) (compute.Shard, error) {
	if err := p.c.Store.Fetch(ctx, root); err != nil {
		return compute.Shard{}, err
	}
	files, err := p.c.Store.Texts(ctx, root, schema, field)
	return compute.Shard{Root: root, Files: files}, err
}
