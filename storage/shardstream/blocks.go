package shardstream

import (
	"context"
	"fmt"
	"sync/atomic"
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
	p := &paced{Blockstore: s.Blockstore(), s: s, up: up, waiting: make(chan struct{}, maxWaiting), turn: make(chan time.Time, 1)}
	p.turn <- time.Time{}
	return p
}

type paced struct {
	blockstore.Blockstore
	s  *storage.Store
	up *Budget

	waiting chan struct{}  // a token for each block that waits
	turn    chan time.Time // when the block before is paid for; who took it out takes from the budget
	queued  atomic.Int64   // bytes of blocks that wait, and are not taken from the budget yet
}

func (p *paced) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
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

// claim takes n bytes that go in one piece: it waits until the first chunk of them may
// be moved, and others wait for the rest. Who gives up, or is refused, has taken nothing.
func (p *paced) claim(ctx context.Context, n int) error {
	select {
	case p.waiting <- struct{}{}:
		defer func() { <-p.waiting }()
	default:
		return ErrBusy
	}
	first, left := min(n, chunk), int64(n)
	before := p.queued.Add(left) - left
	defer func() { p.queued.Add(-left) }()
	if p.up.ahead(int(before)+first) > blockWait {
		return ErrBusy
	}
	late, cancel := context.WithTimeout(ctx, blockWait)
	defer cancel()
	busy := func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return ErrBusy
	}
	var paid time.Time
	select {
	case paid = <-p.turn:
		defer func() { p.turn <- paid }()
	case <-late.Done():
		return busy()
	}
	t := time.NewTimer(time.Until(paid))
	defer t.Stop()
	select {
	case <-t.C:
	case <-late.Done():
		return busy()
	}
	p.queued.Add(-int64(first)) // the budget knows of it from here on
	left -= int64(first)
	if err := p.up.Take(late, first); err != nil {
		return busy()
	}
	paid = p.up.owe(n - first)
	return nil
}
