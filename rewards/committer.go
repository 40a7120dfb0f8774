package rewards

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/rewards/ledger"
)

// maxReceipts is how many receipts a committer puts into one batch: its document
// stays under a mebibyte.
const maxReceipts = 16_384

// CommitterConfig is what a Committer needs.
type CommitterConfig struct {
	Worker  common.Address
	Network protocol.Network
	Params  protocol.Params
	Ledger  *ledger.Ledger
	Chain   Chain
	Teller  Teller
	Store   Store
	Grace   uint64 // seconds after an epoch's end in which a co-signature may still come; at most half the window
	Timing  Timing
	Log     *slog.Logger // nil discards
}

// Validate says what is missing.
func (c CommitterConfig) Validate() error {
	return missing("committer", map[string]bool{
		"a worker": c.Worker == common.Address{}, "a ledger": c.Ledger == nil, "a chain": c.Chain == nil,
		"a teller": c.Teller == nil, "a store": c.Store == nil, "an epoch length": c.Params.EpochLength == 0,
	})
}

// Committer closes a worker's epochs: it redeems the latest vouchers and commits
// to the receipts, so that both are on chain before the windows close.
type Committer struct {
	cfg  CommitterConfig
	log  *slog.Logger
	sent sent   // owned by Step
	done uint64 // owned by Step; epoch in which all vouchers were seen redeemed
}

// NewCommitter starts nothing.
func NewCommitter(c CommitterConfig) (*Committer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.Timing = c.Timing.filled()
	c.Grace = min(c.Grace, c.Params.CommitWindow/2)
	return &Committer{cfg: c, log: logger(c.Log, "committer"), sent: sent{}}, nil
}

// Run steps until ctx ends.
func (c *Committer) Run(ctx context.Context) error {
	return repeat(ctx, c.cfg.Timing.Every, c.log, c.Step)
}

// Step redeems and commits what is due.
func (c *Committer) Step(ctx context.Context) error {
	s, err := look(ctx, c.cfg.Chain)
	if err != nil {
		return err
	}
	current := c.cfg.Params.EpochAt(s.now)
	if current == 0 {
		return nil
	}
	err = c.redeem(ctx, s, current)
	for e := current - 1; c.cfg.Params.CommitBy(e) >= s.now; e-- {
		if s.now >= c.cfg.Params.End(e)+c.cfg.Grace && !s.committed(c.cfg.Worker, e) {
			err = errors.Join(err, c.commit(ctx, s.now, e))
		}
		if e == 0 {
			break
		}
	}
	return err
}

// redeem turns in each channel's latest voucher, once an epoch.
func (c *Committer) redeem(ctx context.Context, s scene, current uint64) error {
	if c.done == current && s.now > c.cfg.Params.CommitBy(current-1) {
		return nil // what came since is turned in when this epoch is over
	}
	collected := s.collected()
	var due []ledger.Voucher
	for v, err := range c.cfg.Ledger.Unredeemed(c.cfg.Worker, func(ch common.Hash) protocol.Amount { return collected[ch] }) {
		if err != nil {
			return err
		}
		due = append(due, v)
	}
	if len(due) == 0 {
		c.done = current
	}
	var errs error
	for _, v := range due {
		what := fmt.Sprintf("redeem %s %d", v.Channel, current)
		if !c.sent.due(what, s.now, c.cfg.Timing.Resend) {
			continue
		}
		tx, err := c.cfg.Teller.Redeem(ctx, v.Signed)
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("rewards: redeem channel %s: %w", v.Channel, err))
			continue
		}
		c.sent[what] = s.now
		c.log.Info("redeemed voucher", "channel", v.Channel, "value", v.Voucher.Value, "tx", tx)
	}
	return errs
}

// commit seals, publishes and commits one epoch's batch.
func (c *Committer) commit(ctx context.Context, now, epoch uint64) error {
	what := fmt.Sprintf("commit %d", epoch)
	if !c.sent.due(what, now, c.cfg.Timing.Resend) {
		return nil
	}
	batch, data, err := c.cfg.Ledger.Sealed(c.cfg.Worker, epoch)
	if errors.Is(err, ledger.ErrNotFound) {
		batch, data, err = c.seal(epoch)
	}
	if err != nil || batch.Count == 0 {
		return err
	}
	blocks, err := c.cfg.Ledger.Documents(batch, data)
	if err != nil {
		return err
	}
	if err := c.cfg.Store.Publish(ctx, batch.Data, blocks); err != nil {
		return fmt.Errorf("rewards: publish batch of epoch %d: %w", epoch, err)
	}
	tx, err := c.cfg.Teller.Commit(ctx, batch)
	if err != nil {
		return fmt.Errorf("rewards: commit epoch %d: %w", epoch, err)
	}
	c.sent[what] = now
	c.log.Info("committed batch", "epoch", epoch, "receipts", batch.Count, "data", batch.Data, "tx", tx)
	return nil
}

// seal builds the batch of an epoch and fixes it, with its receipts, on disk.
func (c *Committer) seal(epoch uint64) (protocol.Batch, []byte, error) {
	var entries []ledger.Entry
	for e, err := range c.cfg.Ledger.Of(c.cfg.Worker, epoch) {
		if err != nil {
			return protocol.Batch{}, nil, err
		}
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		return protocol.Batch{}, nil, nil
	}
	slices.SortFunc(entries, func(a, b ledger.Entry) int {
		return cmp.Or(bytes.Compare(a.Receipt.Channel[:], b.Receipt.Channel[:]), cmp.Compare(a.Receipt.Seq, b.Receipt.Seq))
	})
	if n := len(entries); n > maxReceipts {
		c.log.Error("an epoch has more receipts than a batch may hold; the rest will not be paid", "epoch", epoch, "receipts", n, "limit", maxReceipts)
		entries = entries[:maxReceipts]
	}
	data := protocol.BatchData{Worker: c.cfg.Worker, Epoch: epoch}
	leaves := make([]common.Hash, len(entries))
	envelopes := make([][]byte, len(entries))
	for i, e := range entries {
		d, err := protocol.Digest(c.cfg.Network, e.Receipt)
		if err != nil {
			return protocol.Batch{}, nil, err
		}
		leaves[i], envelopes[i] = d, e.Envelope.Bytes()
		data.Receipts = append(data.Receipts, e.Envelope.CID())
	}
	b, err := protocol.Encode(data)
	if err != nil {
		return protocol.Batch{}, nil, err
	}
	return c.cfg.Ledger.Seal(protocol.Batch{
		Worker: c.cfg.Worker, Epoch: epoch, Root: protocol.MerkleRoot(leaves), Count: uint64(len(entries)), Data: protocol.CIDOf(b),
	}, b, envelopes)
}
