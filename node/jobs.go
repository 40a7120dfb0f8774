package node

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/compute/exact/engine"
	"tally/compute/exact/model"
	"tally/compute/exact/train"
	"tally/compute/market"
	"tally/node/api"
	"tally/node/datanet"
	"tally/node/home"
	"tally/node/models"
	"tally/node/workbench"
	"tally/protocol"
)

// Deadlines of jobs: a lock lasts until then and the vault's window.
const (
	pinFor   = time.Hour
	trainFor = 24 * time.Hour
)

// Policy is how a new model's fees are split, in basis points.
var Policy = protocol.Policy{Worker: 5500, Owners: 1000, Contributors: 2500, Auditors: 300, Treasury: 200, Burn: 500}

// Pin implements api.Jobs.
func (n *Node) Pin(ctx context.Context, in api.PinShard) (api.Pin, error) {
	dn, err := parseCID("datanet", in.Datanet)
	if err != nil {
		return api.Pin{}, err
	}
	root, err := parseCID("shard", in.Shard)
	if err != nil {
		return api.Pin{}, err
	}
	v, err := n.datanets.Read(ctx, dn)
	if err != nil {
		return api.Pin{}, mend(err)
	}
	shard, ok := find(v.Manifest, root)
	if !ok {
		return api.Pin{}, fmt.Errorf("%w: datanet version %s lists no shard %s", api.ErrBadRequest, dn, root)
	}
	now, err := n.board.Now(ctx)
	if err != nil {
		return api.Pin{}, err
	}
	spec := protocol.PinSpec{Root: root, Piece: shard.Piece, Size: shard.Size, Replicas: in.Replicas, Seconds: in.Seconds, Rate: n.home.Config.Prices.Pin}
	if err := n.anybody(home.ClassPin, int(min(in.Replicas, 1<<16))); err != nil {
		return api.Pin{}, err
	}
	fee, err := market.PinFee(spec)
	if err != nil {
		return api.Pin{}, err
	}
	value, err := fee.MulDiv(in.Replicas, 1)
	if err != nil {
		return api.Pin{}, err
	}
	answers, err := n.submitter.Pin(ctx, market.PinTerms{
		Terms: market.Terms{Value: value, Deadline: now + uint64(pinFor/time.Second)}, Spec: spec,
	})
	out := api.Pin{Shard: root.String(), Holders: []string{}, Receipts: []string{}}
	for _, a := range answers {
		out.Holders, out.Receipts = append(out.Holders, a.Worker.Hex()), append(out.Receipts, a.Receipt.String())
		if e, err := n.ledger.Receipt(a.Receipt); err == nil {
			out.Offer = e.Receipt.Offer.Hex()
		}
	}
	return out, err
}

func find(m protocol.Manifest, root cid.Cid) (protocol.Shard, bool) {
	for _, s := range m.Shards {
		if s.Root.Equals(root) {
			return s, true
		}
	}
	return protocol.Shard{}, false
}

// recipe is the one asked for, checked.
func recipe(in api.Train) (train.Recipe, error) {
	if len(in.Recipe) > 0 {
		r, err := engine.ParseRecipe(in.Recipe)
		if err != nil {
			return r, fmt.Errorf("%w: %w", api.ErrBadRequest, err)
		}
		return r, nil
	}
	r, err := train.NewRecipe(in.Preset, in.Seed)
	if err != nil {
		return r, fmt.Errorf("%w: %w", api.ErrBadRequest, err)
	}
	if in.Steps > 0 {
		r.Steps = in.Steps
		r.Warmup = min(r.Warmup, in.Steps/2)
		r.CheckpointEvery = min(r.CheckpointEvery, in.Steps)
	}
	if in.Lora != nil {
		r.Config = model.Config{} // the base's
		r.Preset += "-lora"
		r.Lora = train.Lora{Rank: in.Lora.Rank, Alpha: in.Lora.Alpha, Targets: in.Lora.Targets}
		if r.Lora.Alpha == 0 {
			r.Lora.Alpha = 2 * float64(in.Lora.Rank)
		}
	}
	if err := r.Validate(); err != nil {
		return r, fmt.Errorf("%w: %w", api.ErrBadRequest, err)
	}
	return r, nil
}

// adapt makes a recipe one for the base that is named, if one is: it has the base here and
// sees to it that an adapter can be trained on it, before money is locked.
func (n *Node) adapt(ctx context.Context, in api.Train, r train.Recipe) (_ train.Recipe, base cid.Cid, err error) {
	if in.Base == "" {
		if r.Lora.Rank > 0 {
			return r, base, fmt.Errorf("%w: an adapter changes a model: name its base", api.ErrBadRequest)
		}
		return r, base, nil
	}
	k, err := n.held(ctx, in.Base)
	base = k.CID
	switch {
	case err != nil:
		return r, base, err
	case k.Base.Defined():
		return r, base, fmt.Errorf("%w: %q is an adapter itself: train on its base %s", api.ErrBadRequest, k.Name, k.Base)
	case k.Engine != n.engine.Class():
		return r, base, fmt.Errorf("%w: %q is a model of engine %s, adapters are trained by %s", api.ErrBadRequest, k.Name, k.Engine, n.engine.Class())
	}
	m, err := n.ownFiles(ctx, k)
	if err != nil {
		return r, base, err
	}
	m, done, err := n.shelf.Lay(ctx, m)
	if err != nil {
		return r, base, err
	}
	defer done()
	if r, err = workbench.Adapt(m, r, len(in.Recipe) == 0); err != nil {
		return r, base, fmt.Errorf("%w: %w", api.ErrBadRequest, err)
	}
	return r, base, nil
}

// Train implements api.Jobs. The job goes on if the caller goes away, since it is
// paid for; it does not survive the node's own end.
func (n *Node) Train(ctx context.Context, in api.Train, say func(api.Event)) (api.Model, error) {
	dn, err := parseCID("datanet", in.Datanet)
	if err != nil {
		return api.Model{}, err
	}
	v, err := n.datanets.Read(ctx, dn)
	if err != nil {
		return api.Model{}, mend(err)
	}
	if v.Manifest.Version == 0 { // the datanet's identity: its newest version is meant
		if v, err = n.datanets.Head(ctx, dn); err != nil {
			return api.Model{}, mend(err)
		}
	}
	if v.Manifest.Reader != "" {
		return api.Model{}, private(v)
	}
	if len(v.Manifest.Offered()) == 0 {
		return api.Model{}, fmt.Errorf("%w: version %d of datanet %q has no shards", api.ErrBadRequest, v.Manifest.Version, v.Manifest.Name)
	}
	r, err := recipe(in)
	if err != nil {
		return api.Model{}, err
	}
	r, base, err := n.adapt(ctx, in, r)
	if err != nil {
		return api.Model{}, err
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return api.Model{}, fmt.Errorf("node: %w", err)
	}
	if in.Name == "" {
		in.Name = v.Manifest.Name + "-" + r.Preset
	}
	now, err := n.board.Now(ctx)
	if err != nil {
		return api.Model{}, err
	}
	spec := protocol.TrainSpec{
		Name: in.Name, Datanet: v.CID, Engine: n.engine.Class(), Recipe: raw, Rate: n.home.Config.Prices.Train,
		MaxTokens: uint64(r.Steps) * uint64(r.BatchSize) * uint64(r.Context), Base: base,
	}
	for _, s := range v.Manifest.Offered() {
		spec.Shards = append(spec.Shards, s.Root)
	}
	value, err := market.TrainFee(spec, spec.MaxTokens)
	if err != nil {
		return api.Model{}, err
	}
	if err := n.anybody(spec.Engine, 1); err != nil {
		return api.Model{}, err
	}
	return follow(ctx, n.ctx, n.jobs.Go, say, func(ctx context.Context, say func(api.Event)) (api.Model, error) {
		f := &follower{say: say}
		a, err := n.submitter.Train(ctx, market.TrainTerms{
			Terms: market.Terms{Value: value, Deadline: now + uint64(trainFor/time.Second)}, Spec: spec,
		}, f.progress)
		if err != nil {
			return api.Model{}, err
		}
		k, err := n.publishModel(ctx, v, spec, a)
		if err != nil {
			return api.Model{}, fmt.Errorf("node: the model is trained and paid for (receipt %s) but not published: %w", a.Receipt, err)
		}
		n.log.Info("model published", "model", k.CID, "receipt", a.Receipt)
		m := modelJSON(k)
		m.Worker, m.Receipt, m.Figures = a.Worker.Hex(), a.Receipt.String(), a.Output.Summary
		return m, nil
	})
}

// private says why a sealed datanet is not trained on.
func private(v datanet.Version) error {
	return fmt.Errorf("%w: datanet %q is private: workers and auditors cannot read it; train on a public one", api.ErrBadRequest, v.Manifest.Name)
}

// anybody says whether enough others are registered for a class, before money is
// locked for a job that nobody could take.
func (n *Node) anybody(class string, want int) error {
	have := 0
	for account, e := range n.view.Nodes() {
		if account != n.me && slices.Contains(e.Classes, class) {
			have++
		}
	}
	if have < want {
		return fmt.Errorf("%w: %d other nodes are registered for %s, the job needs %d: wait for more, or ask for less", api.ErrBadRequest, have, class, want)
	}
	return nil
}

// follow runs a job for as long as the node runs, since it is paid for, and lets
// the caller follow it for as long as it stays.
func follow(caller, node context.Context, start func(func()), say func(api.Event), job func(context.Context, func(api.Event)) (api.Model, error)) (api.Model, error) {
	type end struct {
		m   api.Model
		err error
	}
	events, ended := make(chan api.Event), make(chan end, 1)
	start(func() {
		m, err := job(node, func(e api.Event) {
			select {
			case events <- e:
			case <-caller.Done():
			}
		})
		ended <- end{m, err}
	})
	for {
		select {
		case e := <-events:
			say(e)
		case x := <-ended:
			return x.m, x.err
		case <-caller.Done():
			return api.Model{}, fmt.Errorf("node: nobody follows the job any more; it goes on: %w", context.Cause(caller))
		}
	}
}

// publishModel signs and announces what a training gave.
func (n *Node) publishModel(ctx context.Context, v datanet.Version, spec protocol.TrainSpec, a market.TrainAnswer) (models.Known, error) {
	e, err := n.ledger.Receipt(a.Receipt)
	if err != nil {
		return models.Known{}, err
	}
	now, err := n.board.Now(ctx)
	if err != nil {
		return models.Known{}, err
	}
	var base models.Known
	if spec.Base.Defined() {
		if base, err = n.models.Read(ctx, spec.Base); err != nil {
			return models.Known{}, err
		}
	}
	m := protocol.Model{
		Name: spec.Name, Owner: n.me, Files: a.Output.Files, Base: spec.Base, Spec: e.Receipt.Spec, Offer: a.Offer,
		Datanets: []cid.Cid{v.CID}, Engine: spec.Engine, Params: a.Output.Params, ParamHash: a.Output.ParamHash, Trace: e.Receipt.Trace,
		Owners: []protocol.Share{{Account: n.me, Weight: 1}}, Contributors: shares(v.Manifest, spec.Shards), Policy: Policy,
		RateIn: n.home.Config.Prices.In, RateOut: n.home.Config.Prices.Out, Created: now,
	}
	return n.models.Publish(ctx, based(m, base.Model))
}

// based gives those to whom a model owes its base their parts: the base's owners and
// contributors stand beside its own, by the same weights, and it costs no less.
func based(m, base protocol.Model) protocol.Model {
	join := func(own, others []protocol.Share) []protocol.Share {
		out := slices.Clone(own)
		for _, o := range others {
			i := slices.IndexFunc(out, func(s protocol.Share) bool { return s.Account == o.Account })
			if i < 0 {
				i = len(out)
				out = append(out, protocol.Share{Account: o.Account})
			}
			out[i].Weight += o.Weight
		}
		return out
	}
	m.Owners, m.Contributors = join(m.Owners, base.Owners), join(m.Contributors, base.Contributors)
	if m.RateIn.Cmp(base.RateIn) < 0 {
		m.RateIn = base.RateIn
	}
	if m.RateOut.Cmp(base.RateOut) < 0 {
		m.RateOut = base.RateOut
	}
	return m
}

// shares are the contributors' parts, by the bytes of the shards that were used.
func shares(m protocol.Manifest, used []cid.Cid) []protocol.Share {
	var out []protocol.Share
	at := map[common.Address]int{}
	for _, c := range used {
		s, ok := find(m, c)
		if !ok {
			continue
		}
		i, ok := at[s.Contributor]
		if !ok {
			i = len(out)
			at[s.Contributor] = i
			out = append(out, protocol.Share{Account: s.Contributor})
		}
		out[i].Weight += s.Size
	}
	return out
}

// follower turns a training's progress into events. It is called one call at a time.
type follower struct {
	say  func(api.Event)
	last market.TrainProgress
	at   time.Time // of the last step that was told
}

func (f *follower) progress(p market.TrainProgress) error {
	if p.Worker != f.last.Worker {
		note := fmt.Sprintf("Worker %s, rank %d, takes the job.", p.Worker.Hex(), p.Rank)
		state := "claimed"
		if f.last.Worker != (common.Address{}) {
			state = "resumed"
			note = fmt.Sprintf("Worker %s failed; %s, rank %d, resumes after %d checkpoints.", f.last.Worker.Hex(), p.Worker.Hex(), p.Rank, p.Checkpoints)
		}
		f.say(api.Event{State: state, Worker: p.Worker.Hex(), Rank: int(p.Rank), Note: note})
	}
	if p.Checkpoints > f.last.Checkpoints {
		f.say(api.Event{State: "checkpoint", Worker: p.Worker.Hex(), Step: p.Step, Steps: p.Steps, Loss: p.Loss})
	}
	if p.Step != f.last.Step && p.Steps > 0 {
		e := api.Event{State: "running", Worker: p.Worker.Hex(), Rank: int(p.Rank), Step: p.Step, Steps: p.Steps, Loss: p.Loss}
		if s := time.Since(f.at).Seconds(); !f.at.IsZero() && s > 0 && p.Tokens > f.last.Tokens {
			e.TokensPerSecond = float64(p.Tokens-f.last.Tokens) / s
		}
		f.at = time.Now()
		f.say(e)
	}
	f.last = p
	return nil
}
