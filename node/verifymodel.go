package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tally/compute"
	"tally/node/api"
	"tally/node/models"
	"tally/protocol"
	"tally/rewards/ledger"
)

// VerifyModel implements api.Models: the manifest, the files, and the training: one
// segment of it, where its receipt is known here, or all of it again.
func (n *Node) VerifyModel(ctx context.Context, id string, in api.VerifyModel, say func(api.Event)) (api.ModelCheck, error) {
	k, err := n.model(ctx, id)
	if err != nil {
		return api.ModelCheck{}, err
	}
	if k.Engine != n.engine.Class() {
		return api.ModelCheck{}, fmt.Errorf("%w: %q is a model of engine %s, this node has %s: verify it on a node that has the former", api.ErrBadRequest, k.Name, k.Engine, n.engine.Class())
	}
	v := api.ModelCheck{Model: modelJSON(k), Checks: []string{}, Undone: []string{}}
	ok := func(format string, a ...any) { v.Checks = append(v.Checks, fmt.Sprintf(format, a...)) }
	undone := func(s string) { v.Undone = append(v.Undone, s) }
	wrong := func(format string, a ...any) (api.ModelCheck, error) {
		v.Problem = fmt.Sprintf(format, a...)
		return v, nil
	}
	ok("%s signed its manifest", k.Owner)
	files, err := n.files(ctx, k)
	if err != nil {
		return v, err
	}
	hash, params, err := n.engine.ParamHash(ctx, files)
	switch {
	case errors.Is(err, compute.ErrInput):
		return wrong("its files are no model: %v", err)
	case err != nil:
		return v, err
	case hash != k.ParamHash || params != k.Params:
		return wrong("its files have %d parameters with hash %s, the manifest says %d with %s", params, hash, k.Params, k.ParamHash)
	}
	ok("its files have the %d parameters that it names", params)
	if k.Spec.Defined() {
		problem, err := n.origin(ctx, k.Model)
		if err != nil && ctx.Err() == nil {
			undone("its training was not looked at: " + err.Error())
			v.Valid = true
			return v, nil
		}
		if err != nil {
			return v, err
		}
		if problem != "" {
			return wrong("%s", problem)
		}
		ok("its engine, base and datanet are those of the training that it names")
	}
	switch {
	case !k.Spec.Defined():
		undone("its owner added it: it has no training on this network that could be repeated")
	case in.Whole:
		hash, params, err := n.repeater.Retrain(ctx, k.Spec, told(say))
		if err != nil {
			return v, err
		}
		if hash != k.ParamHash || params != k.Params {
			return wrong("its training, done again here, gives %d parameters with hash %s", params, hash)
		}
		ok("its whole training, done again here, gives the same parameters")
		v.Repeated = "whole"
	default:
		e, found, err := n.trainingReceipt(k.Model)
		if err != nil {
			return v, err
		}
		if !found {
			undone("its training was not repeated: its receipt is not known here; --whole does all of it again")
			break
		}
		problem, err := n.delivered(ctx, e.Receipt, k.Model)
		if err != nil {
			return v, err
		}
		if problem != "" {
			return wrong("%s", problem)
		}
		ok("its parameters are those that the receipt of its training was signed for")
		f, err := n.repeater.VerifyReceipt(ctx, e.Receipt, rand.Uint64())
		if err != nil {
			return v, fmt.Errorf("node: repeat the training: %w", err)
		}
		switch f.Outcome {
		case protocol.OutcomeEqual:
			ok("one segment of its training was done again here: leaf %d is equal", f.Leaf)
			v.Repeated = "segment"
		case protocol.OutcomeNoData:
			undone("its training was not repeated: what it needs could not be had")
		case protocol.OutcomeMismatch:
			return wrong("one segment of its training was done again here, and leaf %d differs", f.Leaf)
		}
	}
	v.Valid = true
	return v, nil
}

// EvaluateModel implements api.Models: on a datanet's newest or named version, or on text.
func (n *Node) EvaluateModel(ctx context.Context, id, dn string, text io.Reader) (api.Evaluation, error) {
	k, err := n.model(ctx, id)
	if err != nil {
		return api.Evaluation{}, err
	}
	var shards []compute.Shard
	if dn != "" {
		shards, err = n.shards(ctx, dn)
	} else {
		var done func()
		shards, done, err = n.uploaded(text)
		if done != nil {
			defer done()
		}
	}
	if err != nil {
		return api.Evaluation{}, err
	}
	if k.Engine != n.engine.Class() {
		return api.Evaluation{}, fmt.Errorf("%w: %q is a model of engine %s, this node has %s", api.ErrBadRequest, k.Name, k.Engine, n.engine.Class())
	}
	files, err := n.files(ctx, k)
	if err != nil {
		return api.Evaluation{}, err
	}
	e, err := n.engine.Evaluate(ctx, files, shards, func(uint64, uint64) error { return nil })
	if errors.Is(err, compute.ErrInput) || errors.Is(err, compute.ErrLimit) {
		err = fmt.Errorf("%w: %w", api.ErrBadRequest, err)
	}
	if err != nil {
		return api.Evaluation{}, err
	}
	return api.Evaluation{
		Model: modelJSON(k), Tokens: e.Tokens, Bytes: e.Bytes, Loss: e.Loss, Unigram: e.Unigram, Perplexity: e.Perplexity, BitsPerByte: e.BitsPerByte,
	}, nil
}

// shards brings the text of a datanet's version here.
func (n *Node) shards(ctx context.Context, dn string) ([]compute.Shard, error) {
	c, err := parseCID("datanet", dn)
	if err != nil {
		return nil, err
	}
	v, err := n.datanets.Read(ctx, c)
	if err == nil && v.Manifest.Version == 0 {
		v, err = n.datanets.Head(ctx, c)
	}
	if err != nil {
		return nil, mend(err)
	}
	var out []compute.Shard
	if v.Manifest.Reader != "" {
		return nil, private(v)
	}
	for _, s := range v.Manifest.Offered() {
		if err := n.datanets.HideComing(ctx, v, s.Root); err != nil {
			return nil, err
		}
		if err := n.store.FetchShard(ctx, s.Root, s.Piece, s.Size); err != nil {
			return nil, fmt.Errorf("node: fetch shard %s: %w", s.Root, err)
		}
		files, err := n.store.Texts(ctx, s.Root, v.Manifest.Schema, v.Manifest.Field)
		if err != nil {
			return nil, fmt.Errorf("node: open shard %s: %w", s.Root, err)
		}
		out = append(out, compute.Shard{Root: s.Root, Files: files})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: version %d of datanet %q has no shards", api.ErrBadRequest, v.Manifest.Version, v.Manifest.Name)
	}
	return out, nil
}

// uploaded lays text that came with a request out as a shard, until done is called.
func (n *Node) uploaded(text io.Reader) (_ []compute.Shard, done func(), err error) {
	dir, err := os.MkdirTemp(n.home.Path("models"), "eval-*.new")
	if err != nil {
		return nil, nil, fmt.Errorf("node: %w", err)
	}
	done = func() { _ = os.RemoveAll(dir) }
	f, err := os.Create(filepath.Join(dir, "text"))
	if err != nil {
		return nil, done, fmt.Errorf("node: %w", err)
	}
	_, err = io.Copy(f, text)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, done, fmt.Errorf("node: keep the text: %w", err)
	}
	return []compute.Shard{{Files: os.DirFS(dir)}}, done, nil
}

// files has a model's files here, what it is based on too, and opens them.
func (n *Node) files(ctx context.Context, k models.Known) (compute.Model, error) {
	m, err := n.ownFiles(ctx, k)
	if err != nil || !k.Base.Defined() {
		return m, err
	}
	b, err := n.models.Read(ctx, k.Base)
	if err != nil {
		return m, err
	}
	base, err := n.ownFiles(ctx, b)
	m.Base = &base
	return m, err
}

func (n *Node) ownFiles(ctx context.Context, k models.Known) (compute.Model, error) {
	if err := n.store.Fetch(ctx, k.Files); err != nil {
		return compute.Model{}, fmt.Errorf("node: fetch the files of %q: %w", k.Name, err)
	}
	files, err := n.store.FS(ctx, k.Files)
	if err != nil {
		return compute.Model{}, fmt.Errorf("node: open the files of %q: %w", k.Name, err)
	}
	return compute.Model{ID: k.Files, Files: files}, nil
}

// origin says what of a manifest is not as in the spec of the training that it names.
func (n *Node) origin(ctx context.Context, m protocol.Model) (problem string, err error) {
	b, err := n.store.GetBlock(ctx, m.Spec)
	if err != nil {
		return "", fmt.Errorf("node: fetch the spec of the training: %w", err)
	}
	var spec protocol.TrainSpec
	if err := protocol.Decode(b, &spec); err != nil {
		return fmt.Sprintf("what it names as the spec of its training is none: %v", err), nil
	}
	switch {
	case spec.Engine != m.Engine:
		return fmt.Sprintf("it is of engine %s, its training was ordered from %s", m.Engine, spec.Engine), nil
	case spec.Base != m.Base:
		return "it was trained on another base than it names", nil
	case !slices.ContainsFunc(m.Datanets, spec.Datanet.Equals):
		return fmt.Sprintf("it was trained on datanet %s, which it does not name", spec.Datanet), nil
	}
	return "", nil
}

// delivered says what of a manifest is not what its training's receipt was signed for.
func (n *Node) delivered(ctx context.Context, r protocol.Receipt, m protocol.Model) (problem string, err error) {
	b, err := n.store.GetBlock(ctx, r.Output)
	if err != nil {
		return "", fmt.Errorf("node: fetch the training's output: %w", err)
	}
	var out protocol.TrainOutput
	if err := protocol.Decode(b, &out); err != nil {
		return fmt.Sprintf("the receipt of its training names no output: %v", err), nil
	}
	switch {
	case r.Spec != m.Spec:
		return "the receipt of its training is for another spec", nil
	case out.ParamHash != m.ParamHash || out.Params != m.Params || out.Files != m.Files:
		return fmt.Sprintf("its training gave %d parameters with hash %s in %s, the manifest says %d with %s in %s",
			out.Params, out.ParamHash, out.Files, m.Params, m.ParamHash, m.Files), nil
	}
	return "", nil
}

// trainingReceipt finds the receipt of a model's training among those known here.
func (n *Node) trainingReceipt(m protocol.Model) (ledger.Entry, bool, error) {
	for e, err := range n.ledger.Receipts(ledger.Filter{}) {
		if err != nil {
			return e, false, err
		}
		if e.Receipt.Kind == protocol.KindTrain && e.Receipt.Offer == m.Offer && e.Receipt.Trace == m.Trace {
			return e, true, nil
		}
	}
	return ledger.Entry{}, false, nil
}

// told passes progress on as events, at most five a second.
func told(say func(api.Event)) func(compute.Progress) error {
	var last time.Time
	return func(p compute.Progress) error {
		if now := time.Now(); p.Step == p.Steps || now.Sub(last) >= 200*time.Millisecond {
			last = now
			say(api.Event{State: "running", Step: p.Step, Steps: p.Steps, Loss: p.Loss})
		}
		return nil
	}
}
