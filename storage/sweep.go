package storage

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/multiformats/go-multihash"

	"tally/internal/kv"
	"tally/storage/volume"
)

// dropStep is how many shards go in one step.
const dropStep = 32

// drop unlinks shards. The unlink is the deletion: the disk is free at once,
// whatever the shards' size, and a crash after it leaves records that Open
// forgets. Blocks that other shards hold too stay there. The caller holds commit.
func (k *core) drop(rs []*record) (dropped []*record, err error) {
	for _, r := range rs {
		err := os.Remove(k.path(r.Root))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return dropped, errors.Join(fail("drop shard", err), k.forget(dropped...))
		}
		k.vol.Drop(volume.Shards, r.Size)
		dropped = append(dropped, r)
	}
	return dropped, errors.Join(k.syncDir("shards"), k.forget(dropped...))
}

// forget removes shards, whose files are gone, from the index: in one transaction,
// whatever their size. Their places now point nowhere, which does no harm; sweep
// removes them in its own time. The caller holds commit.
func (k *core) forget(rs ...*record) error {
	if len(rs) == 0 {
		return nil
	}
	k.mu.Lock()
	for _, r := range rs {
		delete(k.shards, r.Root)
		delete(k.byID, r.ID)
	}
	k.mu.Unlock()
	k.forgot++
	err := k.index.Update(func(tx *kv.Tx) error {
		for _, r := range rs {
			if err := tx.Delete(key(keyLayer, r.Root.Bytes())); err != nil {
				return err
			}
			if err := tx.Delete(key(keyShard, r.Root.Bytes())); err != nil {
				return err
			}
		}
		return tx.Set([]byte{keySweep}, nil)
	})
	if err != nil {
		return fail("drop shard", err)
	}
	return nil
}

// sweep removes every place that points to no shard, if a shard was forgotten
// since the last sweep. It reads the whole index, in steps, and holds commit only
// while it removes; a sweep that was interrupted starts again.
func (k *core) sweep(ctx context.Context) error {
	k.commit.Lock()
	forgot := k.forgot
	k.commit.Unlock()
	err := k.index.View(func(tx *kv.Tx) error {
		_, err := tx.Get([]byte{keySweep})
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return nil
	}
	for part := 0; err == nil && part < 256; part++ {
		if err = ctx.Err(); err == nil {
			err = k.sweepPart(byte(part))
		}
	}
	if err != nil {
		return fail("sweep index", err)
	}
	k.commit.Lock()
	defer k.commit.Unlock()
	if err := k.writable(); err != nil {
		return err
	}
	if k.forgot != forgot {
		return nil // a shard was forgotten meanwhile: the next sweep is for it
	}
	if err := k.index.Update(func(tx *kv.Tx) error { return tx.Delete([]byte{keySweep}) }); err != nil {
		return fail("sweep index", err)
	}
	return nil
}

// sweepPart sweeps the blocks whose hash begins with a byte.
func (k *core) sweepPart(first byte) error {
	var stale [][]byte
	err := k.index.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte{keyBlock, multihash.SHA2_256, 32, first}) {
			if err != nil {
				return err
			}
			if _, gone := k.live(it.Value); gone {
				stale = append(stale, it.Key)
			}
		}
		return nil
	})
	const step = batchBytes / 64
	for ; err == nil && len(stale) > 0; stale = stale[min(step, len(stale)):] {
		err = k.sweepKeys(stale[:min(step, len(stale))])
	}
	return err
}

func (k *core) sweepKeys(keys [][]byte) error {
	k.commit.Lock()
	defer k.commit.Unlock()
	if err := k.writable(); err != nil {
		return err
	}
	defer k.vol.Add(volume.Index, uint64(len(keys))*64) // until it compacts
	return k.index.Update(func(tx *kv.Tx) error {
		for _, kb := range keys {
			old, err := tx.Get(kb)
			if errors.Is(err, kv.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			v, _ := k.live(old)
			if err := setOrDelete(tx, kb, v); err != nil {
				return err
			}
		}
		return nil
	})
}

// live returns the places that point to a shard. gone says that there were others.
func (k *core) live(v []byte) (out []byte, gone bool) {
	ps, err := parsePlaces(v)
	if err != nil {
		k.log.Warn("index entry dropped", "err", err)
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, p := range ps {
		if k.byID[p.id] != nil {
			out = appendPlace(out, p)
		} else {
			gone = true
		}
	}
	return out, gone || err != nil
}

func setOrDelete(tx *kv.Tx, key, value []byte) error {
	if len(value) == 0 {
		return tx.Delete(key)
	}
	return tx.Set(key, value)
}

// isPinned says whether a pin that has not lapsed keeps a root.
func (k *core) isPinned(root []byte, lapsed func(Pin) bool) (pinned bool, err error) {
	err = k.meta.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan(key(keyPin, root)) {
			if err != nil {
				return err
			}
			p, err := parsePin(it)
			if err != nil {
				return fmt.Errorf("storage: %w", err)
			}
			if !lapsed(p) {
				pinned = true
				return nil
			}
		}
		return nil
	})
	return pinned, err
}
