package rewards

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/rewards/epochdata"
	"tally/rewards/retrieval"
	"tally/rewards/ruleset"
)

// PosterConfig is what a Poster needs.
type PosterConfig struct {
	Network  protocol.Network
	Params   protocol.Params
	Rules    ruleset.Rules
	Chain    Chain
	Anchorer Anchorer
	Store    Store
	Evidence Evidence
	Grace    uint64 // seconds after the audit window in which missing documents are still asked for
	Timing   Timing
	Log      *slog.Logger // nil discards
}

// Validate says what is missing.
func (c PosterConfig) Validate() error {
	return missing("poster", map[string]bool{
		"rules": c.Rules.Version == 0, "a chain": c.Chain == nil, "an anchorer": c.Anchorer == nil,
		"a store": c.Store == nil, "evidence": c.Evidence == nil, "an epoch length": c.Params.EpochLength == 0,
	})
}

// Poster closes epochs: it collects, derives, publishes and anchors. It decides
// nothing: whoever has the data it publishes derives the same.
type Poster struct {
	cfg  PosterConfig
	log  *slog.Logger
	read *reader // owned by Step
	sent sent    // owned by Step
}

// NewPoster starts nothing.
func NewPoster(c PosterConfig) (*Poster, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.Timing = c.Timing.filled()
	return &Poster{c, logger(c.Log, "poster"), newReader(c.Chain, c.Store, c.Timing.Fetch), sent{}}, nil
}

// Run steps until ctx ends.
func (p *Poster) Run(ctx context.Context) error {
	return repeat(ctx, p.cfg.Timing.Every, p.log, p.Step)
}

// Step anchors the next epoch that is due, if the chain would take it.
func (p *Poster) Step(ctx context.Context) error {
	s, err := look(ctx, p.cfg.Chain)
	if err != nil {
		return err
	}
	head, anchored := s.head()
	state, err := p.read.state(ctx, head, anchored)
	if err != nil {
		return err
	}
	epoch, ok := p.due(state, s)
	if !ok {
		return nil
	}
	in := ruleset.Input{
		Rules: p.cfg.Rules, Network: p.cfg.Network, Params: p.cfg.Params, Epoch: epoch, Previous: state, Facts: s.facts, Blocks: p.read.blocks,
	}
	absent, err := p.read.complete(ctx, &in, true) // begins in the audit window, so that nothing is left to fetch after it
	if err != nil {
		return err
	}
	switch by := p.cfg.Params.AuditBy(epoch); {
	case s.now <= by, anchored && s.now < head.Final(p.cfg.Params):
		return nil
	case len(absent) > 0 && s.now <= by+p.cfg.Grace:
		p.log.Info("waiting for documents", "epoch", epoch, "missing", len(absent))
		return nil
	}
	return p.anchor(ctx, in, head, anchored, s.now)
}

// due is the epoch to anchor next, once its commit window has closed. A poster
// far behind takes the last one: it settles all before it.
func (p *Poster) due(state ruleset.State, s scene) (uint64, bool) {
	epoch, ok := ruleset.Next(state, s.facts, p.cfg.Params)
	if !ok || s.now <= p.cfg.Params.CommitBy(epoch) {
		return 0, false
	}
	const behind = 3
	last := p.cfg.Params.EpochAt(s.now)
	for last > epoch+behind && s.now <= p.cfg.Params.AuditBy(last) {
		last--
	}
	if last > epoch+behind {
		return last, true
	}
	return epoch, true
}

func (p *Poster) anchor(ctx context.Context, in ruleset.Input, head Anchor, anchored bool, now uint64) error {
	what := fmt.Sprintf("anchor %d after %s", in.Epoch, head.Tx)
	if !p.sent.due(what, now, p.cfg.Timing.Resend) {
		return nil
	}
	drawn, err := ruleset.Draws(in)
	if err != nil {
		return err
	}
	if in.Verdicts, in.Adverts, err = p.evidence(ctx, in, drawn); err != nil {
		return err
	}
	if in.Reports, err = p.reports(ctx, in); err != nil {
		return err
	}
	e, err := ruleset.Derive(in)
	if err != nil {
		return fmt.Errorf("rewards: derive epoch %d: %w", in.Epoch, err)
	}
	previous := cid.Undef
	if anchored {
		previous = head.Data
	}
	blocks, err := epochdata.New(in, e, previous).Blocks()
	if err != nil {
		return err
	}
	root := blocks[len(blocks)-1].CID
	raw := make([][]byte, len(blocks))
	for i, b := range blocks {
		raw[i] = b.Data
	}
	if err := p.cfg.Store.Publish(ctx, root, raw); err != nil {
		return fmt.Errorf("rewards: publish epoch %d: %w", e.Number, err)
	}
	tx, err := p.cfg.Anchorer.Anchor(ctx, protocol.Anchored{
		Epoch: e.Number, Previous: e.Previous, Root: e.Root.Hash, Commitments: e.Commitments, Total: e.Root.Sum,
		Minted: e.Minted, Burned: e.Burned, Ruleset: e.Ruleset, Data: root,
	})
	if err != nil {
		return fmt.Errorf("rewards: anchor epoch %d: %w", e.Number, err)
	}
	p.sent[what] = now
	p.read.forget()
	p.log.Info("anchored epoch", "epoch", e.Number, "root", e.Root.Hash, "total", e.Root.Sum, "receipts", len(e.Outcomes), "data", root, "tx", tx)
	return nil
}

// evidence keeps what can matter: verdicts of those that may audit a drawn
// receipt, and adverts of registered nodes; each signed, each once.
func (p *Poster) evidence(ctx context.Context, in ruleset.Input, drawn []ruleset.Drawn) ([]protocol.Signed[protocol.Verdict], []protocol.Signed[protocol.Advert], error) {
	from := in.Epoch
	for _, d := range drawn {
		from = min(from, d.Batch)
	}
	all, err := p.cfg.Evidence.Verdicts(ctx, from)
	if err != nil {
		return nil, nil, fmt.Errorf("rewards: verdicts: %w", err)
	}
	seen := map[cid.Cid]bool{}
	var vs []protocol.Signed[protocol.Verdict]
	for _, v := range all {
		if m, err := v.Open(in.Network); err == nil && !seen[v.CID()] && mayJudge(drawn, m) {
			seen[v.CID()] = true
			vs = append(vs, v)
		}
	}
	adverts, err := p.cfg.Evidence.Adverts(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("rewards: adverts: %w", err)
	}
	nodes := map[[20]byte]bool{}
	for _, f := range in.Facts {
		if r, ok := f.Event.(protocol.NodeRegistered); ok {
			nodes[r.Node] = true
		}
	}
	var as []protocol.Signed[protocol.Advert]
	for _, a := range adverts {
		if m, err := a.Open(in.Network); err == nil && nodes[m.Worker] && len(m.Models) > 0 && !seen[a.CID()] {
			seen[a.CID()] = true
			as = append(as, a)
		}
	}
	return vs, as, nil
}

// reports keeps those on the checks of the epoch before: drawn for who signed
// them, each once. There was a whole epoch for them to come in.
func (p *Poster) reports(ctx context.Context, in ruleset.Input) ([]protocol.Signed[protocol.RetrievalReport], error) {
	if in.Epoch == 0 || in.Params.ProofPeriod == 0 {
		return nil, nil
	}
	checked := in.Epoch - 1
	all, err := p.cfg.Evidence.Reports(ctx, checked)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	block, beacon, err := p.cfg.Chain.BlockAfter(ctx, in.Params.CommitBy(checked))
	if err != nil {
		return nil, fmt.Errorf("rewards: beacon of epoch %d: %w", checked, err)
	}
	round := retrieval.NewRound(in.Facts, in.Params, checked, block, beacon)
	if data, ok := retrieval.Settled(in.Facts, in.Params, checked); ok {
		d, err := p.read.load(ctx, data)
		if err != nil { // they only inform: no epoch waits for them
			p.log.Warn("cannot tell which retrieval reports were drawn; publishing none", "epoch", checked, "err", err)
			return nil, nil
		}
		round.Pay(d.State.Pins)
	}
	seen := map[cid.Cid]bool{}
	var out []protocol.Signed[protocol.RetrievalReport]
	for _, s := range all {
		if m, err := s.Open(in.Network); err == nil && !seen[s.ID()] && round.Admits(m) {
			seen[s.ID()] = true
			out = append(out, s)
		}
	}
	return out, nil
}

func mayJudge(drawn []ruleset.Drawn, v protocol.Verdict) bool {
	for _, d := range drawn {
		if !d.ID.Equals(v.Receipt) {
			continue
		}
		for _, a := range d.Auditors {
			if a == v.Auditor {
				return true
			}
		}
	}
	return false
}
