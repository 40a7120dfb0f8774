package rewards

import (
	"context"
	"fmt"
	"log/slog"

	"tally/protocol"
	"tally/rewards/ledger"
)

// BookkeeperConfig is what a Bookkeeper needs.
type BookkeeperConfig struct {
	Params protocol.Params
	Ledger *ledger.Ledger
	Chain  Chain
	Store  Store
	Timing Timing
	Log    *slog.Logger // nil discards
}

// Validate says what is missing.
func (c BookkeeperConfig) Validate() error {
	return missing("bookkeeper", map[string]bool{
		"a ledger": c.Ledger == nil, "a chain": c.Chain == nil, "a store": c.Store == nil, "an epoch length": c.Params.EpochLength == 0,
	})
}

// Bookkeeper notes in a node's ledger what each final epoch decided about its
// receipts.
type Bookkeeper struct {
	cfg  BookkeeperConfig
	log  *slog.Logger
	read *reader // owned by Step
}

// NewBookkeeper starts nothing.
func NewBookkeeper(c BookkeeperConfig) (*Bookkeeper, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.Timing = c.Timing.filled()
	return &Bookkeeper{c, logger(c.Log, "bookkeeper"), newReader(c.Chain, c.Store, c.Timing.Fetch)}, nil
}

// Run steps until ctx ends.
func (b *Bookkeeper) Run(ctx context.Context) error {
	return repeat(ctx, b.cfg.Timing.Every, b.log, b.Step)
}

// Step notes every epoch that became final since the last.
func (b *Bookkeeper) Step(ctx context.Context) error {
	s, err := look(ctx, b.cfg.Chain)
	if err != nil {
		return err
	}
	last, err := b.cfg.Ledger.Settled()
	if err != nil {
		return err
	}
	for _, a := range s.anchors {
		if last != protocol.NoEpoch && a.Epoch <= last {
			continue
		}
		if s.now < a.Final(b.cfg.Params) {
			return nil
		}
		d, err := b.read.load(ctx, a.Data)
		if err != nil {
			return fmt.Errorf("rewards: data of epoch %d: %w", a.Epoch, err)
		}
		if err := b.cfg.Ledger.Settle(a.Epoch, d.Outcomes); err != nil {
			return err
		}
		last = a.Epoch
		b.log.Info("noted epoch", "epoch", a.Epoch, "receipts", len(d.Outcomes))
	}
	return nil
}
