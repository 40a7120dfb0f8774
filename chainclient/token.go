package chainclient

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
)

// TransferToken sends tokens to an account.
func (c *Client) TransferToken(ctx context.Context, to common.Address, value protocol.Amount) (common.Hash, error) {
	data, err := c.token.TryPackTransfer(to, value.Big())
	return c.packed(ctx, c.book.Token, "transfer tokens", data, err)
}

// TransferGas sends the chain's own coin, in wei, to an account: its gas money.
func (c *Client) TransferGas(ctx context.Context, to common.Address, wei *big.Int) (common.Hash, error) {
	return c.send(ctx, to, wei, nil, "transfer gas money")
}

// TokenBalance is what an account holds outside the vault.
func (c *Client) TokenBalance(ctx context.Context, account common.Address) (protocol.Amount, error) {
	data, err := c.token.TryPackBalanceOf(account)
	return read(ctx, c, c.book.Token, "token balance", data, err, amount(c.token.UnpackBalanceOf))
}

// TokenSupply is how many tokens there are.
func (c *Client) TokenSupply(ctx context.Context) (protocol.Amount, error) {
	data, err := c.token.TryPackTotalSupply()
	return read(ctx, c, c.book.Token, "token supply", data, err, amount(c.token.UnpackTotalSupply))
}

// allow lets a contract take value from the client's account: it raises the
// allowance to exactly that where it is lower, and waits until it is.
func (c *Client) allow(ctx context.Context, spender common.Address, value protocol.Amount) error {
	data, err := c.token.TryPackAllowance(c.from, spender)
	have, err := read(ctx, c, c.book.Token, "allowance", data, err, amount(c.token.UnpackAllowance))
	if err != nil || have.Cmp(value) >= 0 {
		return err
	}
	data, err = c.token.TryPackApprove(spender, value.Big())
	h, err := c.packed(ctx, c.book.Token, "approve", data, err)
	if err != nil {
		return err
	}
	_, err = c.Wait(ctx, h)
	return err
}

// amount makes an unpacker of amounts of one of integers.
func amount(unpack func([]byte) (*big.Int, error)) func([]byte) (protocol.Amount, error) {
	return func(b []byte) (protocol.Amount, error) {
		v, err := unpack(b)
		if err != nil {
			return protocol.Amount{}, err
		}
		return protocol.AmountOf(v)
	}
}
