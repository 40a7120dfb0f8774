package rewards

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/rewards/epochdata"
)

// ClaimerConfig is what a Claimer needs.
type ClaimerConfig struct {
	Accounts []common.Address
	Params   protocol.Params
	Chain    Chain
	Cashier  Cashier
	Store    Store
	Least    protocol.Amount // a claim waits until it is worth this much
	Timing   Timing
	Log      *slog.Logger // nil discards
}

// Validate says what is missing.
func (c ClaimerConfig) Validate() error {
	return missing("claimer", map[string]bool{
		"an account": len(c.Accounts) == 0, "a chain": c.Chain == nil, "a cashier": c.Cashier == nil,
		"a store": c.Store == nil, "an epoch length": c.Params.EpochLength == 0,
	})
}

// Claimer claims what accounts earned as soon as it is theirs.
type Claimer struct {
	cfg  ClaimerConfig
	log  *slog.Logger
	read *reader // owned by Step
	sent sent    // owned by Step
}

// NewClaimer starts nothing.
func NewClaimer(c ClaimerConfig) (*Claimer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.Timing = c.Timing.filled()
	return &Claimer{c, logger(c.Log, "claimer"), newReader(c.Chain, c.Store, c.Timing.Fetch), sent{}}, nil
}

// Run steps until ctx ends.
func (c *Claimer) Run(ctx context.Context) error {
	return repeat(ctx, c.cfg.Timing.Every, c.log, c.Step)
}

// Step claims what is due.
func (c *Claimer) Step(ctx context.Context) error {
	s, err := look(ctx, c.cfg.Chain)
	if err != nil {
		return err
	}
	a, ok := s.final(c.cfg.Params)
	if !ok {
		return nil
	}
	d, err := c.read.load(ctx, a.Data)
	if err != nil {
		return fmt.Errorf("rewards: data of epoch %d: %w", a.Epoch, err)
	}
	var errs error
	for _, account := range c.cfg.Accounts {
		what := fmt.Sprintf("claim %s %d", account, a.Epoch)
		if !c.sent.due(what, s.now, c.cfg.Timing.Resend) {
			continue
		}
		p, err := Prove(d, a, account)
		if errors.Is(err, protocol.ErrTree) {
			continue // nothing earned yet
		}
		if err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		due, err := p.Leaf.Value.Sub(s.claimed(account))
		if err != nil || due.IsZero() || due.Cmp(c.cfg.Least) < 0 {
			continue // claimed already
		}
		tx, err := c.cfg.Cashier.Claim(ctx, a.Epoch, p.Leaf, p.Index, p.Path)
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("rewards: claim for %s: %w", account, err))
			continue
		}
		c.sent[what] = s.now
		c.log.Info("claimed rewards", "account", account, "epoch", a.Epoch, "amount", due, "tx", tx)
	}
	return errs
}

// Proof is what a claim needs.
type Proof struct {
	Epoch uint64
	Leaf  protocol.SumLeaf
	Index uint64
	Path  []protocol.SumNode
}

// Prove proves an account's cumulative reward under an anchored root from the
// epoch's data. protocol.ErrTree: the account has earned nothing.
func Prove(d *epochdata.Data, a Anchor, account common.Address) (Proof, error) {
	tree, err := d.Tree()
	if err != nil {
		return Proof{}, err
	}
	if tree.Root() != (protocol.SumNode{Hash: a.Root, Sum: a.Total}) {
		return Proof{}, fmt.Errorf("%w: the balances of epoch %d do not give its anchored root", epochdata.ErrData, a.Epoch)
	}
	value, index, path, err := tree.Prove(account)
	if err != nil {
		return Proof{}, err
	}
	return Proof{a.Epoch, protocol.SumLeaf{Account: account, Value: value}, index, path}, nil
}
