package chainclient

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"tally/chainclient/contract/ledger"
	"tally/protocol"
)

// Commit puts the client's batch of an epoch that is over on chain.
func (c *Client) Commit(ctx context.Context, b protocol.Batch) (common.Hash, error) {
	if !b.Data.Defined() {
		return common.Hash{}, fmt.Errorf("%w: the batch names no data", ErrArgument)
	}
	data, err := c.ledger.TryPackCommit(ledger.LedgerBatch{
		Worker: b.Worker,
		Epoch:  b.Epoch,
		Root:   b.Root,
		Count:  b.Count,
		Data:   b.Data.Bytes(),
	})
	return c.packed(ctx, c.book.Ledger, "commit", data, err)
}

// PostBond puts up the poster's bond. Where the ledger may not take it yet, it
// first approves exactly that much and waits for it.
func (c *Client) PostBond(ctx context.Context) (common.Hash, error) {
	if err := c.allow(ctx, c.book.Ledger, c.book.Params.Bond); err != nil {
		return common.Hash{}, err
	}
	data, err := c.ledger.TryPackPostBond()
	return c.packed(ctx, c.book.Ledger, "post bond", data, err)
}

// WithdrawBond takes the bond back once no anchor of the client can be disputed.
func (c *Client) WithdrawBond(ctx context.Context) (common.Hash, error) {
	data, err := c.ledger.TryPackWithdrawBond()
	return c.packed(ctx, c.book.Ledger, "withdraw bond", data, err)
}

// Anchor anchors an epoch's result. The poster is the client's account, whatever
// the argument says.
func (c *Client) Anchor(ctx context.Context, a protocol.Anchored) (common.Hash, error) {
	if !a.Data.Defined() {
		return common.Hash{}, fmt.Errorf("%w: the anchor names no data", ErrArgument)
	}
	data, err := c.ledger.TryPackAnchor(ledger.LedgerAnchor{
		Epoch:       a.Epoch,
		Previous:    a.Previous,
		Root:        a.Root,
		Commitments: a.Commitments,
		Total:       a.Total.Big(),
		Minted:      a.Minted.Big(),
		Burned:      a.Burned.Big(),
		Ruleset:     a.Ruleset,
		Data:        a.Data.Bytes(),
	})
	return c.packed(ctx, c.book.Ledger, "anchor", data, err)
}

// Disable votes against an anchored root, as an auditor.
func (c *Client) Disable(ctx context.Context, epoch uint64, reason common.Hash) (common.Hash, error) {
	data, err := c.ledger.TryPackDisable(epoch, reason)
	return c.packed(ctx, c.book.Ledger, "disable", data, err)
}

// Claim has an account's payout address paid what the epoch's root grants it
// beyond what it claimed; leaf, index and path are its proof. A leaf that grants
// no more pays nothing and is no error.
func (c *Client) Claim(ctx context.Context, epoch uint64, leaf protocol.SumLeaf, index uint64, path []protocol.SumNode) (common.Hash, error) {
	hashes := make([][32]byte, len(path))
	sums := make([]*big.Int, len(path))
	for i, n := range path {
		if !n.Sum.Fits128() {
			return common.Hash{}, fmt.Errorf("%w: claim: a sum passes 2^128-1", ErrArgument)
		}
		hashes[i], sums[i] = n.Hash, n.Sum.Big()
	}
	if !leaf.Value.Fits128() {
		return common.Hash{}, fmt.Errorf("%w: claim: the value passes 2^128-1", ErrArgument)
	}
	data, err := c.ledger.TryPackClaim(epoch, leaf.Account, leaf.Value.Big(), new(big.Int).SetUint64(index), hashes, sums)
	return c.packed(ctx, c.book.Ledger, "claim", data, err)
}

// SetAuditor gives an account a vote or takes it; for the ledger's owner.
func (c *Client) SetAuditor(ctx context.Context, auditor common.Address, yes bool) (common.Hash, error) {
	data, err := c.ledger.TryPackSetAuditor(auditor, yes)
	return c.packed(ctx, c.book.Ledger, "set auditor", data, err)
}

// ScheduleRuleset changes the ruleset from a future epoch on; for the ledger's owner.
func (c *Client) ScheduleRuleset(ctx context.Context, ruleset common.Hash, from uint64) (common.Hash, error) {
	data, err := c.ledger.TryPackScheduleRuleset(ruleset, from)
	return c.packed(ctx, c.book.Ledger, "schedule ruleset", data, err)
}

// CurrentEpoch is the epoch of the last block.
func (c *Client) CurrentEpoch(ctx context.Context) (uint64, error) {
	data, err := c.ledger.TryPackCurrentEpoch()
	return read(ctx, c, c.book.Ledger, "current epoch", data, err, c.ledger.UnpackCurrentEpoch)
}

// Ruleset is the hash of the ruleset that holds for an epoch.
func (c *Client) Ruleset(ctx context.Context, epoch uint64) (common.Hash, error) {
	data, err := c.ledger.TryPackRulesetAt(epoch)
	return read(ctx, c, c.book.Ledger, "ruleset", data, err, hash(c.ledger.UnpackRulesetAt))
}

// Commitment is the EIP-712 digest of a worker's batch of an epoch; zero where
// it committed to none.
func (c *Client) Commitment(ctx context.Context, epoch uint64, worker common.Address) (common.Hash, error) {
	data, err := c.ledger.TryPackCommitmentOf(epoch, worker)
	return read(ctx, c, c.book.Ledger, "commitment", data, err, hash(c.ledger.UnpackCommitmentOf))
}

// Head is the last anchored epoch that is not disabled, final or not;
// protocol.NoEpoch before the first.
func (c *Client) Head(ctx context.Context) (uint64, error) {
	data, err := c.ledger.TryPackHead()
	return read(ctx, c, c.book.Ledger, "last anchored epoch", data, err, c.ledger.UnpackHead)
}

// Anchor is what the ledger keeps of an anchored epoch.
type Anchor struct {
	Root        common.Hash
	Poster      common.Address
	ClaimableAt uint64 // unix seconds; auditors can disable it before
	Applied     bool   // its minting and burning happened
	Total       protocol.Amount
	Previous    uint64
}

// AnchorOf is an epoch's anchor; ok is false where there is none or it was disabled.
func (c *Client) AnchorOf(ctx context.Context, epoch uint64) (a Anchor, ok bool, err error) {
	data, err := c.ledger.TryPackAnchorOf(epoch)
	v, err := read(ctx, c, c.book.Ledger, "anchor", data, err, c.ledger.UnpackAnchorOf)
	if err != nil || v.Poster == (common.Address{}) {
		return Anchor{}, false, err
	}
	a = Anchor{Root: v.Root, Poster: v.Poster, ClaimableAt: v.ClaimableAt, Applied: v.Applied, Previous: v.Previous}
	if a.Total, err = protocol.AmountOf(v.Total); err != nil {
		return Anchor{}, false, err
	}
	return a, true, nil
}

// Claimed is what an account claimed in all.
func (c *Client) Claimed(ctx context.Context, account common.Address) (protocol.Amount, error) {
	data, err := c.ledger.TryPackClaimed(account)
	return read(ctx, c, c.book.Ledger, "claimed value", data, err, amount(c.ledger.UnpackClaimed))
}

// ClaimedTotal is what all accounts claimed.
func (c *Client) ClaimedTotal(ctx context.Context) (protocol.Amount, error) {
	data, err := c.ledger.TryPackClaimedTotal()
	return read(ctx, c, c.book.Ledger, "claimed total", data, err, amount(c.ledger.UnpackClaimedTotal))
}

// Pool is what the ledger received and minted and did not burn, claimed or not.
func (c *Client) Pool(ctx context.Context) (protocol.Amount, error) {
	data, err := c.ledger.TryPackPool()
	return read(ctx, c, c.book.Ledger, "pool", data, err, amount(c.ledger.UnpackPool))
}

// Bond is what a poster has put up; zero where it has not.
func (c *Client) Bond(ctx context.Context, poster common.Address) (protocol.Amount, error) {
	data, err := c.ledger.TryPackBondOf(poster)
	return read(ctx, c, c.book.Ledger, "bond", data, err, amount(c.ledger.UnpackBondOf))
}

// IsAuditor reports whether an account has a vote against roots.
func (c *Client) IsAuditor(ctx context.Context, account common.Address) (bool, error) {
	data, err := c.ledger.TryPackIsAuditor(account)
	return read(ctx, c, c.book.Ledger, "auditor", data, err, c.ledger.UnpackIsAuditor)
}

// hash makes an unpacker of hashes of one of words.
func hash(unpack func([]byte) ([32]byte, error)) func([]byte) (common.Hash, error) {
	return func(b []byte) (common.Hash, error) { return unpack(b) }
}
