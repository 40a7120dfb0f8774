package chainclient

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"tally/chainclient/contract/vault"
	"tally/protocol"
)

// Deposit moves tokens into the vault. Where the vault may not take them yet, it
// first approves exactly that much and waits for it: so one at a time per account,
// until the one before is mined.
func (c *Client) Deposit(ctx context.Context, value protocol.Amount) (common.Hash, error) {
	if err := c.allow(ctx, c.book.Vault, value); err != nil {
		return common.Hash{}, err
	}
	data, err := c.vault.TryPackDeposit(value.Big())
	return c.packed(ctx, c.book.Vault, "deposit", data, err)
}

// Withdraw takes tokens that no lock holds out of the vault.
func (c *Client) Withdraw(ctx context.Context, value protocol.Amount) (common.Hash, error) {
	data, err := c.vault.TryPackWithdraw(value.Big())
	return c.packed(ctx, c.book.Vault, "withdraw", data, err)
}

// OpenOffer opens the client's offer, which locks its value; id is the offer's
// EIP-712 digest.
func (c *Client) OpenOffer(ctx context.Context, o protocol.Offer) (id, tx common.Hash, err error) {
	if !o.Spec.Defined() {
		return id, tx, fmt.Errorf("%w: the offer has no specification", ErrArgument)
	}
	if id, err = protocol.Digest(c.book.Network, o); err != nil {
		return id, tx, err
	}
	data, err := c.vault.TryPackOpenOffer(vault.VaultOffer{
		Submitter: o.Submitter,
		Nonce:     o.Nonce,
		Kind:      uint8(o.Kind),
		Spec:      o.Spec.Bytes(),
		Tier:      uint8(o.Tier),
		Direct:    o.Direct,
		Value:     o.Value.Big(),
		Deadline:  o.Deadline,
	})
	tx, err = c.packed(ctx, c.book.Vault, "open offer", data, err)
	return id, tx, err
}

// Redeem hands in a voucher with its payer's signature. One that is worth no more
// than its channel collected moves nothing and is no error.
func (c *Client) Redeem(ctx context.Context, v protocol.Voucher, signature []byte) (common.Hash, error) {
	data, err := c.vault.TryPackRedeem(vault.VaultVoucher{
		Offer:    v.Offer,
		Payer:    v.Payer,
		Worker:   v.Worker,
		Seq:      v.Seq,
		Value:    v.Value.Big(),
		Receipts: v.Receipts,
	}, signature)
	return c.packed(ctx, c.book.Vault, "redeem", data, err)
}

// Available is what an account may withdraw or lock.
func (c *Client) Available(ctx context.Context, account common.Address) (protocol.Amount, error) {
	data, err := c.vault.TryPackAvailable(account)
	return read(ctx, c, c.book.Vault, "available deposit", data, err, amount(c.vault.UnpackAvailable))
}

// Deposited is what an account has in the vault, locked or not.
func (c *Client) Deposited(ctx context.Context, account common.Address) (protocol.Amount, error) {
	data, err := c.vault.TryPackBalanceOf(account)
	return read(ctx, c, c.book.Vault, "deposit", data, err, amount(c.vault.UnpackBalanceOf))
}

// Collected is what was redeemed on a channel.
func (c *Client) Collected(ctx context.Context, channel common.Hash) (protocol.Amount, error) {
	data, err := c.vault.TryPackCollected(channel)
	return read(ctx, c, c.book.Vault, "collected value", data, err, amount(c.vault.UnpackCollected))
}

// OfferNonce is the nonce of a submitter's next offer.
func (c *Client) OfferNonce(ctx context.Context, submitter common.Address) (uint64, error) {
	data, err := c.vault.TryPackNonces(submitter)
	return read(ctx, c, c.book.Vault, "offer nonce", data, err, c.vault.UnpackNonces)
}

// Lock is an open offer's money.
type Lock struct {
	Submitter common.Address
	End       uint64 // the last second at which a voucher can be redeemed
	Value     protocol.Amount
	Spent     protocol.Amount
}

// Lock is an offer's lock; ok is false where there is no such offer.
func (c *Client) Lock(ctx context.Context, offer common.Hash) (l Lock, ok bool, err error) {
	data, err := c.vault.TryPackLockOf(offer)
	v, err := read(ctx, c, c.book.Vault, "lock", data, err, c.vault.UnpackLockOf)
	if err != nil || v.Submitter == (common.Address{}) {
		return Lock{}, false, err
	}
	l = Lock{Submitter: v.Submitter, End: v.End}
	if l.Value, err = protocol.AmountOf(v.Value); err != nil {
		return Lock{}, false, err
	}
	if l.Spent, err = protocol.AmountOf(v.Spent); err != nil {
		return Lock{}, false, err
	}
	return l, true, nil
}
