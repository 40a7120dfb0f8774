package rewards

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"tally/protocol"
	"tally/rewards/retrieval"
	"tally/rewards/ruleset"
)

// Prunable is kept by epochs: a journal, or what posters were told.
type Prunable interface {
	// Prune drops what is about epochs before the given one, a bounded part of it at
	// a time, and says how much: with 0 nothing is left.
	Prune(before uint64) (dropped int, err error)
}

// PrunerConfig is what a Pruner needs.
type PrunerConfig struct {
	Params protocol.Params
	Chain  Chain
	Store  Store
	Of     []Prunable
	Timing Timing       // Every: zero is one minute
	Log    *slog.Logger // nil discards
}

// Validate says what is missing.
func (c PrunerConfig) Validate() error {
	return missing("pruner", map[string]bool{
		"a chain": c.Chain == nil, "a store": c.Store == nil, "an epoch length": c.Params.EpochLength == 0, "something to prune": len(c.Of) == 0,
	})
}

// Pruner drops what no epoch needs any more that is still to be settled. What an
// epoch was settled by is in its published data, which stays: so a settled epoch is
// derived again without what a Pruner dropped.
type Pruner struct {
	cfg  PrunerConfig
	log  *slog.Logger
	read *reader // owned by Step
	done uint64  // owned by Step; all before it is dropped
}

// NewPruner starts nothing.
func NewPruner(c PrunerConfig) (*Pruner, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Timing.Every <= 0 {
		c.Timing.Every = time.Minute
	}
	c.Timing = c.Timing.filled()
	return &Pruner{cfg: c, log: logger(c.Log, "pruner"), read: newReader(c.Chain, c.Store, c.Timing.Fetch)}, nil
}

// Run steps until ctx ends.
func (p *Pruner) Run(ctx context.Context) error {
	return repeat(ctx, p.cfg.Timing.Every, p.log, p.Step)
}

// Step drops what may go. Where the last final epoch's data cannot be had, nothing
// may.
func (p *Pruner) Step(ctx context.Context) error {
	s, err := look(ctx, p.cfg.Chain)
	if err != nil {
		return err
	}
	last, ok := s.final(p.cfg.Params)
	if !ok {
		return nil
	}
	state, err := p.read.state(ctx, last, true)
	if err != nil {
		return err
	}
	from := needed(state, p.cfg.Params, s.now)
	if from <= p.done {
		return nil
	}
	dropped := 0
	for _, of := range p.cfg.Of {
		for {
			n, err := of.Prune(from)
			if err != nil {
				return fmt.Errorf("rewards: prune: %w", err)
			}
			if dropped += n; n == 0 {
				break
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	if p.done = from; dropped > 0 {
		p.log.Info("dropped what settled epochs leave behind", "before epoch", from, "records", dropped)
	}
	return nil
}

// needed is the first epoch about which something is still wanted, after the last
// final one. Verdicts are about the epochs of batches: those after it, and those of
// receipts that wait and of batches that were carried over. Reports on an epoch's
// checks are published with the next one. Auditors ask, demand and accuse for the two
// newest epochs that have a beacon.
func needed(final ruleset.State, p protocol.Params, now uint64) uint64 {
	from := final.Epoch
	for _, w := range final.Pending {
		from = min(from, w.Batch)
	}
	for _, c := range final.Carried {
		from = min(from, c.Batch.Epoch)
	}
	checked, ok := retrieval.Latest(p, now)
	if !ok || checked == 0 {
		return 0
	}
	return min(from, checked-1)
}
