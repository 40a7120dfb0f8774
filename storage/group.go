package storage

import (
	"context"
	"errors"
	"fmt"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/storage/car"
)

// MaxGroup is the most bytes in one group of PutDAG or FetchDAG.
const MaxGroup = 64 << 20

// PutDAG keeps a small DAG as loose blocks, as one group under root: a batch of
// receipts, whose root links to their envelopes. Unlike a shard a group need
// not be closed under links (a receipt links to its job, which is elsewhere), so
// it is exactly the given blocks: root among them, each checked, all of them
// reachable from root through one another. It is durable once it returns; a pin
// of root then keeps them all. Putting a root again adds to its group.
func (s *Store) PutDAG(ctx context.Context, root cid.Cid, bs []blocks.Block) error {
	byCID := make(map[cid.Cid][]byte, len(bs))
	size := 0
	for _, b := range bs {
		if err := car.CheckCID(b.Cid()); err != nil {
			return fmt.Errorf("put DAG: %w", err)
		}
		if err := car.CheckBlock(b.Cid(), b.RawData()); err != nil {
			return fmt.Errorf("put DAG: %w", err)
		}
		byCID[b.Cid()] = b.RawData()
		if size += len(b.RawData()); size > MaxGroup || len(byCID) > car.MaxBlocks {
			return fmt.Errorf("put DAG: more than %d bytes or %d blocks: %w", MaxGroup, car.MaxBlocks, ErrTooLarge)
		}
	}
	order, err := reach(root, byCID)
	if err != nil {
		return fmt.Errorf("put DAG: %w", err)
	}
	if len(order) < len(byCID) {
		return fmt.Errorf("put DAG: %d of %d blocks are not reached from root %s: %w", len(byCID)-len(order), len(byCID), root, ErrOrder)
	}
	return s.putGroup(ctx, root, order, func(c cid.Cid) ([]byte, error) { return byCID[c], nil })
}

// reach returns the given blocks that root leads to.
func reach(root cid.Cid, byCID map[cid.Cid][]byte) (order []cid.Cid, err error) {
	if _, ok := byCID[root]; !ok {
		return nil, fmt.Errorf("root %s is not among the blocks: %w", root, ErrNotFound)
	}
	seen := map[cid.Cid]bool{root: true}
	order = append(order, root)
	for i := 0; i < len(order); i++ {
		links, err := car.Links(order[i], byCID[order[i]])
		if err != nil {
			return nil, err
		}
		for _, l := range links {
			if _, ok := byCID[l]; ok && !seen[l] {
				seen[l] = true
				order = append(order, l)
			}
		}
	}
	return order, nil
}

// putGroup keeps blocks and their membership in bounded transactions, and says
// last that the group is whole. A nil block is here already.
func (k *core) putGroup(ctx context.Context, root cid.Cid, order []cid.Cid, get func(cid.Cid) ([]byte, error)) error {
	k.commit.Lock()
	defer k.commit.Unlock()
	if err := k.writable(); err != nil {
		return err
	}
	k.gen++
	for i := 0; i < len(order); {
		if err := ctx.Err(); err != nil {
			return fail("put DAG", err)
		}
		n, wrote := 0, 0
		done, err := k.metaRoom(batchBytes+car.MaxBlock, false)
		if err != nil {
			return fmt.Errorf("put DAG: %w", err)
		}
		err = k.meta.Update(func(tx *kv.Tx) error {
			n, wrote = 0, 0
			for size := 0; i+n < len(order) && size < batchBytes; n++ {
				c := order[i+n]
				data, err := get(c)
				if err != nil {
					return err
				}
				wrote += len(data) + 200
				if size += len(data) + 200; n > 0 && size > batchBytes {
					break // one large block goes alone: a transaction is limited
				}
				if data != nil {
					if err := setLoose(tx, c, data); err != nil {
						return err
					}
				}
				if err := tx.Set(groupKey(root, c), nil); err != nil {
					return err
				}
			}
			return nil
		})
		done(wrote)
		if err != nil {
			return fail("put DAG", err)
		}
		i += n
	}
	if err := k.meta.Update(func(tx *kv.Tx) error { return tx.Set(key(keyWhole, root.Bytes()), nil) }); err != nil {
		return fail("put DAG", err)
	}
	for _, c := range order {
		k.mend(c)
	}
	return nil
}

func groupKey(root, c cid.Cid) []byte {
	return append(key(keyGroup, root.Bytes()), c.Bytes()...)
}

// HasDAG says whether a group under root is here and whole.
func (s *Store) HasDAG(_ context.Context, root cid.Cid) (bool, error) {
	err := s.meta.View(func(tx *kv.Tx) error {
		_, err := tx.Get(key(keyWhole, root.Bytes()))
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fail("look up DAG", err)
	}
	return true, nil
}

// FetchDAG gets what PutDAG kept on another node: root and what it links to, to
// the given depth (0: root alone; 1: a batch of receipts with its envelopes). It
// is Fetch for loose blocks: each is checked, what arrived is kept, and it is
// one durable group once it returns. The default limit is MaxGroup.
func (s *Store) FetchDAG(ctx context.Context, root cid.Cid, depth int, progress func(done, total uint64), opts ...FetchOption) error {
	o := s.options(opts)
	o.max = min(o.max, MaxGroup)
	if ok, err := s.HasDAG(ctx, root); ok || err != nil {
		return err
	}
	if progress == nil {
		progress = func(uint64, uint64) {}
	}
	var got uint64 // guarded by the walk's lock
	count := func(data []byte) error {
		if got += car.SectionLen(len(data)); got > o.max {
			return fmt.Errorf("more than %d bytes: %w", o.max, ErrTooLarge)
		}
		return nil
	}
	t := s.walk(root, max(depth, 0), o)
	t.Put, t.Count, t.Progress = s.putLoose, count, progress
	t.Have = func(c cid.Cid) ([]byte, bool) {
		data, err := s.here(ctx, c)
		return data, err == nil
	}
	if err := t.Run(ctx); err != nil {
		return fmt.Errorf("fetch DAG %s: %w", root, err)
	}
	// The blocks are put again, in case one was collected or is in a shard that
	// will be.
	err := s.putGroup(ctx, root, t.Met(), func(c cid.Cid) ([]byte, error) { return s.here(ctx, c) })
	if err != nil {
		return fmt.Errorf("fetch DAG %s: %w", root, err)
	}
	return nil
}
