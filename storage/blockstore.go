package storage

import (
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/boxo/blockstore"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/storage/car"
)

// Blockstore shows shards and loose blocks as one blockstore, for others: bitswap and
// gateways. A block that is in private shards only (SetPrivate) is not held, for it; what a
// public shard holds too, or came in loose, is.
//
// Blocks are found by multihash. Get hashes what it reads: a flipped bit on disk
// is ErrCorrupt. Put checks the block and keeps it loose, unless a shard holds
// it. DeleteBlock removes loose blocks only: ErrShardBlock for others.
// AllKeysChan gives codec raw, as boxo's own store does.
func (s *Store) Blockstore() blockstore.Blockstore { return blockView{s.core} }

// Loose says whether a block is held by itself, as documents are; a shard may hold it too.
func (s *Store) Loose(c cid.Cid) (bool, error) {
	_, err := s.getMeta(keyStamp, c)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

type blockView struct{ k *core }

func (b blockView) Has(ctx context.Context, c cid.Cid) (bool, error) {
	_, err := b.GetSize(ctx, c)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (b blockView) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if err := b.k.visible(c); err != nil {
		return nil, err
	}
	data, err := b.k.here(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := b.k.visible(c); err != nil { // a private shard may have come in between: its mark is older than it
		return nil, err
	}
	return blocks.NewBlockWithCid(data, c)
}

func (b blockView) GetSize(_ context.Context, c cid.Cid) (int, error) {
	if err := b.k.visible(c); err != nil {
		return -1, err
	}
	n, err := b.k.size(c)
	if err == nil {
		err = b.k.visible(c) // as in Get
	}
	if err != nil {
		return -1, err
	}
	return n, nil
}

func (b blockView) Put(ctx context.Context, blk blocks.Block) error {
	if err := car.CheckBlock(blk.Cid(), blk.RawData()); err != nil {
		return fmt.Errorf("put: %w", err)
	}
	if ok, err := b.Has(ctx, blk.Cid()); ok || err != nil {
		return err
	}
	return b.k.putLoose(blk.Cid(), blk.RawData())
}

func (b blockView) PutMany(ctx context.Context, bs []blocks.Block) error {
	for _, blk := range bs {
		if err := b.Put(ctx, blk); err != nil {
			return err
		}
	}
	return nil
}

func (b blockView) DeleteBlock(ctx context.Context, c cid.Cid) error {
	b.k.commit.Lock()
	defer b.k.commit.Unlock()
	if err := b.k.writable(); err != nil {
		return err
	}
	if err := b.k.meta.Update(func(tx *kv.Tx) error { return dropLoose(tx, c.Hash()) }); err != nil {
		return fail("delete block", err)
	}
	if ok, err := (&Store{core: b.k}).Has(ctx, c); err != nil {
		return err
	} else if ok {
		return fmt.Errorf("delete %s: %w", c, ErrShardBlock)
	}
	return nil
}

func (b blockView) AllKeysChan(ctx context.Context) (<-chan cid.Cid, error) {
	ch, _, err := b.AllKeysChanWithErr(ctx)
	return ch, err
}

// AllKeysChanWithErr is AllKeysChan and a function that, after the channel is
// drained, says whether it was complete.
func (b blockView) AllKeysChanWithErr(ctx context.Context) (<-chan cid.Cid, func() error, error) {
	out := make(chan cid.Cid)
	done := make(chan error, 1)
	go func() {
		defer close(out)
		err := keys(ctx, b.k.index, keyBlock, out, b.k.showsPlaces)
		if err == nil {
			err = keys(ctx, b.k.meta, keyStamp, out, func([]byte) bool { return true })
		}
		done <- err
	}()
	return out, func() error { return <-done }, nil
}

func keys(ctx context.Context, db *kv.DB, kind byte, out chan<- cid.Cid, held func(value []byte) bool) error {
	return db.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte{kind}) {
			if err != nil {
				return err
			}
			if !held(it.Value) {
				continue
			}
			select {
			case out <- cid.NewCidV1(cid.Raw, it.Key[1:]):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
}
