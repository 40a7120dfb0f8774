package chainclient

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
)

// Register enters the client's account as a node: key is its 33-byte compressed
// public key, payout where its rewards go, classes what it can do, such as
// "exact/dk-1" or "pin/1" (at most 16, of at most 32 bytes, each once).
func (c *Client) Register(ctx context.Context, key []byte, payout common.Address, classes []string) (common.Hash, error) {
	words, err := classWords(classes)
	if err != nil {
		return common.Hash{}, err
	}
	data, err := c.registry.TryPackRegister(key, payout, words)
	return c.packed(ctx, c.book.Registry, "register", data, err)
}

// SetPayout changes where the node's rewards go.
func (c *Client) SetPayout(ctx context.Context, payout common.Address) (common.Hash, error) {
	data, err := c.registry.TryPackSetPayout(payout)
	return c.packed(ctx, c.book.Registry, "set payout", data, err)
}

// SetClasses replaces what the node can do.
func (c *Client) SetClasses(ctx context.Context, classes []string) (common.Hash, error) {
	words, err := classWords(classes)
	if err != nil {
		return common.Hash{}, err
	}
	data, err := c.registry.TryPackSetClasses(words)
	return c.packed(ctx, c.book.Registry, "set classes", data, err)
}

// Deregister takes the node out.
func (c *Client) Deregister(ctx context.Context) (common.Hash, error) {
	data, err := c.registry.TryPackDeregister()
	return c.packed(ctx, c.book.Registry, "deregister", data, err)
}

// SetWeight sets a node's weight, 1,000,000 for 1.0; for the registry's owner.
func (c *Client) SetWeight(ctx context.Context, node common.Address, weight uint64) (common.Hash, error) {
	data, err := c.registry.TryPackSetWeight(node, weight)
	return c.packed(ctx, c.book.Registry, "set weight", data, err)
}

// CommitContribution dates a contribution before its data is shown: the digest
// stands in a block with the client's account.
func (c *Client) CommitContribution(ctx context.Context, digest common.Hash) (common.Hash, error) {
	data, err := c.registry.TryPackCommit(digest)
	return c.packed(ctx, c.book.Registry, "commit to a contribution", data, err)
}

// Node is a node's entry; ok is false where it is not registered.
func (c *Client) Node(ctx context.Context, node common.Address) (n protocol.NodeRegistered, ok bool, err error) {
	data, err := c.registry.TryPackNodeOf(node)
	v, err := read(ctx, c, c.book.Registry, "node", data, err, c.registry.UnpackNodeOf)
	if err != nil || len(v.Key) == 0 {
		return protocol.NodeRegistered{}, false, err
	}
	return protocol.NodeRegistered{Node: node, Key: v.Key, Payout: v.Payout, Classes: classNames(v.Classes), Weight: v.Weight}, true, nil
}

// PayoutOf is where an account's rewards go: itself where it is no node.
func (c *Client) PayoutOf(ctx context.Context, account common.Address) (common.Address, error) {
	data, err := c.registry.TryPackPayoutOf(account)
	return read(ctx, c, c.book.Registry, "payout address", data, err, c.registry.UnpackPayoutOf)
}

// classWords pads names to 32 bytes.
func classWords(names []string) ([][32]byte, error) {
	words := make([][32]byte, len(names))
	for i, n := range names {
		if len(n) == 0 || len(n) > 32 || n[len(n)-1] == 0 {
			return nil, fmt.Errorf("%w: class %q: use 1 to 32 bytes", ErrArgument, n)
		}
		copy(words[i][:], n)
	}
	return words, nil
}

func classNames(words [][32]byte) []string {
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = string(bytes.TrimRight(w[:], "\x00"))
	}
	return names
}
