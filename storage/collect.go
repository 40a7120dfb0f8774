package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/storage/volume"
)

// Collected is what one Collect removed.
type Collected struct {
	Shards  int
	Blocks  int    // loose ones
	Fetches int    // unfinished ones
	Bytes   uint64 // of all of these
}

// Collect removes what no pin keeps and what came in longer than age ago:
// shards, loose blocks, groups, lapsed pins and unfinished fetches. The age
// leaves time between an import and its pin. A shard goes in one unlink; blocks
// that another shard holds too stay there.
func (s *Store) Collect(ctx context.Context, age time.Duration) (c Collected, err error) {
	s.commit.Lock()
	defer s.commit.Unlock()
	if s.closed {
		return c, ErrClosed
	}
	before := time.Now().Add(-age)
	roots, err := s.livePins()
	if err != nil {
		return c, err
	}
	s.mu.RLock()
	var old []*record
	for root, r := range s.shards {
		if !roots[root] && !time.Unix(r.Added, 0).After(before) {
			old = append(old, r)
		}
	}
	s.mu.RUnlock()
	for _, r := range old {
		if err := ctx.Err(); err != nil {
			return c, fail("collect", err)
		}
		if err := s.drop(r); err != nil {
			return c, err
		}
		c.Shards++
		c.Bytes += r.Size
	}
	if err := s.collectLoose(ctx, roots, before, &c); err != nil {
		return c, err
	}
	return c, s.collectFetches(before, &c)
}

// livePins returns the pinned roots, and drops pins that lapsed.
func (k *core) livePins() (map[cid.Cid]bool, error) {
	roots, now := map[cid.Cid]bool{}, time.Now()
	err := k.meta.Update(func(tx *kv.Tx) error {
		clear(roots)
		var lapsed [][]byte
		for it, err := range tx.Scan([]byte{keyPin}) {
			if err != nil {
				return err
			}
			p, err := parsePin(it)
			if err != nil {
				return err
			}
			if p.lapsed(now) {
				lapsed = append(lapsed, it.Key)
			} else {
				roots[p.Root] = true
			}
		}
		for _, l := range lapsed {
			if err := tx.Delete(l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fail("collect", err)
	}
	return roots, nil
}

func (k *core) collectLoose(ctx context.Context, roots map[cid.Cid]bool, before time.Time, c *Collected) error {
	keep := map[string]bool{} // by multihash
	for root := range roots {
		keep[string(root.Hash())] = true
	}
	groups := map[cid.Cid][][]byte{} // keys of groups that no pin keeps
	var loose [][]byte               // multihashes
	going := map[string]bool{}       // the same
	err := k.meta.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte{keyGroup}) {
			if err != nil {
				return err
			}
			n, root, err := cid.CidFromBytes(it.Key[1:])
			if err != nil {
				return fmt.Errorf("storage: group: %w", err)
			}
			_, member, err := cid.CidFromBytes(it.Key[1+n:])
			if err != nil {
				return fmt.Errorf("storage: group: %w", err)
			}
			if roots[root] {
				keep[string(member.Hash())] = true
			} else {
				groups[root] = append(groups[root], it.Key)
			}
		}
		for it, err := range tx.Scan([]byte{keyStamp}) {
			if err != nil {
				return err
			}
			added, size, err := parseStamp(it.Value)
			if err != nil {
				return err
			}
			if hash := it.Key[1:]; !keep[string(hash)] && !added.After(before) {
				loose = append(loose, hash)
				going[string(hash)] = true
				c.Blocks++
				c.Bytes += uint64(size)
			}
		}
		return nil
	})
	if err != nil {
		return fail("collect", err)
	}
	// A group ends before the first of its blocks goes, so that none that is
	// said to be whole lacks one.
	var ends, members [][]byte
	for root, keys := range groups {
		for _, g := range keys {
			_, member, _ := cid.CidFromBytes(g[1+root.ByteLen():])
			if going[string(member.Hash())] {
				ends = append(ends, key(keyWhole, root.Bytes()))
				members = append(members, keys...)
				break
			}
		}
	}
	if err := k.deleteMeta(ctx, ends, (*kv.Tx).Delete); err != nil {
		return err
	}
	if err := k.deleteMeta(ctx, members, (*kv.Tx).Delete); err != nil {
		return err
	}
	return k.deleteMeta(ctx, loose, dropLoose)
}

// deleteMeta deletes keys in bounded transactions.
func (k *core) deleteMeta(ctx context.Context, keys [][]byte, del func(*kv.Tx, []byte) error) error {
	for len(keys) > 0 {
		if err := ctx.Err(); err != nil {
			return fail("collect", err)
		}
		n := min(1000, len(keys))
		err := k.meta.Update(func(tx *kv.Tx) error {
			for _, b := range keys[:n] {
				if err := del(tx, b); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fail("collect", err)
		}
		keys = keys[n:]
	}
	return nil
}

// collectFetches removes what fetches left behind and nobody took up.
func (k *core) collectFetches(before time.Time, c *Collected) error {
	dir := filepath.Join(k.dir, "fetch")
	es, err := os.ReadDir(dir)
	if err != nil {
		return fail("collect", err)
	}
	for _, e := range es {
		info, err := e.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fail("collect", err)
		}
		root, err := cid.Decode(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())))
		k.mu.RLock()
		busy := err == nil && k.busy[root] != nil
		k.mu.RUnlock()
		if busy || info.ModTime().After(before) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fail("collect", err)
		}
		k.mu.Lock()
		k.left[root] -= min(k.left[root], uint64(info.Size()))
		k.mu.Unlock()
		k.vol.Drop(volume.Partial, uint64(info.Size()))
		c.Fetches++
		c.Bytes += uint64(info.Size())
	}
	return nil
}
