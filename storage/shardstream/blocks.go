package shardstream

import (
	"context"
	"fmt"
	"time"

	"github.com/ipfs/boxo/blockstore"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"

	"tally/storage"
)

const (
	// blockWait is how long a block waits for the budget before it is as if it were not
	// here: two of a MiB at the least budget. Less makes askers give up that ask for
	// several at once and have nobody else to ask.
	blockWait = 32 * time.Second
	// maxWaiting is how many wait at once. An exchange answers from few goroutines, p2p's
	// from 16, and documents need some.
	maxWaiting = 12
)

// Blocks shows a store's blocks to others, as its Blockstore does, within the budget
// that its shard streams share. A shard's block is taken from the budget when it is
// read. One that would wait for more than 32 s, or behind more than twelve others, is not
// held, for the asker, and ErrBusy: streams go first. Loose blocks, which are documents, and questions are not counted.
func Blocks(s *storage.Store, up *Budget) blockstore.Blockstore {
	if up == nil {
		return s.Blockstore()
	}
	return paced{s.Blockstore(), s, up, make(chan struct{}, maxWaiting)}
}

type paced struct {
	blockstore.Blockstore
	s  *storage.Store
	up *Budget

	waiting chan struct{} // a token for each block that waits
}

func (p paced) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	n, err := p.GetSize(ctx, c) // what is not to be seen costs nothing
	if err != nil {
		return nil, err
	}
	loose, err := p.s.Loose(c)
	if err != nil {
		return nil, err
	}
	if !loose {
		if err := p.claim(ctx, n); err != nil {
			return nil, fmt.Errorf("block %s: %w: %w", c, err, ipld.ErrNotFound{Cid: c})
		}
	}
	return p.Blockstore.Get(ctx, c)
}

func (p paced) claim(ctx context.Context, n int) error {
	select {
	case p.waiting <- struct{}{}:
		defer func() { <-p.waiting }()
		return p.up.claim(ctx, n, blockWait)
	default:
		return ErrBusy
	}
}
