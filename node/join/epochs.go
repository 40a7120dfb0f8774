package join

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"tally/chainclient"
	"tally/node/view"
	"tally/protocol"
	"tally/storage"
)

// EpochChain is what the roles of epochs read of the chain.
type EpochChain struct{ View *view.View }

// Now is the newest block's time.
func (c EpochChain) Now(ctx context.Context) (uint64, error) { return Board(c).Now(ctx) }

// Facts are all facts so far.
func (c EpochChain) Facts(context.Context) ([]protocol.Fact, error) { return c.View.Facts(), nil }

// BlockHash is a block's hash.
func (c EpochChain) BlockHash(_ context.Context, number uint64) (common.Hash, error) {
	h, _, err := c.View.Block(number)
	return h, err
}

// BlockAfter is the first block later than the time.
func (c EpochChain) BlockAfter(_ context.Context, time uint64) (uint64, common.Hash, error) {
	return c.View.BlockAfter(time)
}

// Epochs keeps the documents of epochs: DAGs of small blocks, found by their root.
// See docs/RATIONALE.md#why-is-an-epochs-data-one-dag-found-by-its-root.
type Epochs struct{ Store }

// Publish keeps a DAG and lets others find it.
func (e Epochs) Publish(ctx context.Context, root cid.Cid, docs [][]byte) error {
	bs := make([]blocks.Block, 0, len(docs))
	for _, d := range docs {
		b, err := blocks.NewBlockWithCid(d, protocol.CIDOf(d))
		if err != nil {
			return fmt.Errorf("join: publish: %w", err)
		}
		bs = append(bs, b)
	}
	if err := e.S.PutDAG(ctx, root, bs); err != nil {
		return err
	}
	return e.S.Pin(ctx, root, storage.PinInfo{Why: "epoch"})
}

// Get finds a block of the DAG under root. Only the root can be found in the
// network: whoever sends it is asked for the rest.
func (e Epochs) Get(ctx context.Context, root, c cid.Cid) ([]byte, error) {
	if b, err := e.S.GetBlock(ctx, c); err == nil {
		return b, nil
	}
	if root.Defined() && !root.Equals(c) {
		if _, err := e.GetBlock(ctx, root); err != nil {
			return nil, err
		}
	}
	return e.GetBlock(ctx, c)
}

// Sends are an account's transactions of epochs.
type Sends struct {
	*chainclient.Client
	Network protocol.Network
}

// Redeem turns a voucher in.
func (s Sends) Redeem(ctx context.Context, v protocol.Signed[protocol.Voucher]) (common.Hash, error) {
	m, err := v.Open(s.Network)
	if err != nil {
		return common.Hash{}, err
	}
	return s.Client.Redeem(ctx, m, v.Signature())
}
