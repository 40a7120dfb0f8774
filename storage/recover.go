package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/storage/volume"
)

func (k *core) clearTemp() error {
	dir := filepath.Join(k.dir, "tmp")
	es, err := os.ReadDir(dir)
	if err != nil {
		return fail("open", err)
	}
	for _, e := range es {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fail("open", err)
		}
	}
	return nil
}

// reconcile makes the index agree with the files in shards/. It runs at every
// Open; after a clean stop it only compares names and sizes.
func (k *core) reconcile() error {
	es, err := os.ReadDir(filepath.Join(k.dir, "shards"))
	if err != nil {
		return fail("open", err)
	}
	files := map[cid.Cid]bool{}
	for _, e := range es {
		root, err := cid.Decode(strings.TrimSuffix(e.Name(), ".car"))
		if err != nil || root.String()+".car" != e.Name() || !e.Type().IsRegular() {
			k.log.Warn("unknown file among the shards is left alone", "name", e.Name())
			continue
		}
		info, err := e.Info()
		if err != nil {
			return fail("open", err)
		}
		r := k.shards[root]
		if r != nil && uint64(info.Size()) == r.Size {
			files[root] = true
			continue
		}
		ok, err := k.adopt(root, info.Size())
		if err != nil {
			return err
		}
		files[root] = ok
	}
	lost := false
	for root, r := range k.shards {
		if files[root] {
			continue
		}
		lost = true
		if _, why := k.aside[root]; !why {
			k.log.Warn("shard is gone from the disk", "root", root)
		}
		if err := k.forget(r, nil); err != nil {
			return err
		}
	}
	if lost {
		return k.sweep()
	}
	return nil
}

// adopt verifies a shard file that the index does not know, or knows with
// another size, and indexes it or sets it aside.
func (k *core) adopt(root cid.Cid, size int64) (bool, error) {
	k.log.Info("indexing shard from its file", "root", root, "bytes", size)
	if r := k.shards[root]; r != nil {
		if err := k.forget(r, nil); err != nil {
			return false, err
		}
	}
	f, err := os.Open(k.path(root))
	if err != nil {
		return false, fail("open", err)
	}
	defer func() { _ = f.Close() }()
	r, err := k.check(context.Background(), f, io.Discard, root, DefaultMaxShard, nil) //nolint:forbidigo // Open takes no context: what the index lacks is always read
	if err == nil {
		return true, k.indexShard(r)
	}
	return false, k.setAside(root, err)
}

// setAside moves a broken shard out of the way, keeping its bytes.
func (k *core) setAside(root cid.Cid, why error) error {
	k.log.Error("shard is broken and was set aside; fetch it again to repair", "root", root, "err", why)
	if err := os.Rename(k.path(root), k.asidePath(root)); err != nil {
		return fail("set shard aside", err)
	}
	if info, err := os.Stat(k.asidePath(root)); err == nil {
		k.vol.Drop(volume.Shards, uint64(info.Size()))
		k.vol.Add(volume.Aside, uint64(info.Size()))
	}
	k.mu.Lock()
	k.aside[root] = why.Error()
	k.mu.Unlock()
	return errors.Join(k.syncDir("shards"), k.syncDir("aside"))
}

func (k *core) asidePath(root cid.Cid) string {
	return filepath.Join(k.dir, "aside", root.String()+".car")
}

// removeAside says whether there was a broken copy of a shard, and removes it.
func (k *core) removeAside(root cid.Cid) bool {
	info, err := os.Stat(k.asidePath(root))
	if err != nil || os.Remove(k.asidePath(root)) != nil {
		return false
	}
	k.vol.Drop(volume.Aside, uint64(info.Size()))
	return true
}

// loadAside remembers what earlier runs set aside.
func (k *core) loadAside() error {
	es, err := os.ReadDir(filepath.Join(k.dir, "aside"))
	if err != nil {
		return fail("open", err)
	}
	for _, e := range es {
		root, err := cid.Decode(strings.TrimSuffix(e.Name(), ".car"))
		if err == nil && k.shards[root] == nil && k.aside[root] == "" {
			k.aside[root] = "found broken by an earlier run"
		}
	}
	return nil
}

// touch renews the age of a shard that came in again, so that Collect leaves it
// for its caller to pin. The caller holds commit.
func (k *core) touch(old *record) error {
	r := *old
	r.Added = time.Now().Unix()
	j, err := json.Marshal(&r)
	if err != nil {
		return fail("index shard", err)
	}
	if err := k.index.Update(func(tx *kv.Tx) error { return tx.Set(key(keyShard, r.Root.Bytes()), j) }); err != nil {
		return fail("index shard", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.shards[r.Root], k.byID[r.ID] = &r, &r
	return nil
}

// Health is what a store cannot serve as it should.
type Health struct {
	Aside   map[cid.Cid]string // shards set aside, with the reason
	Corrupt []cid.Cid          // blocks read since Open that no copy here matches
	Missing []cid.Cid          // pinned roots that are not held
}

// Sound says that nothing is wrong.
func (h Health) Sound() bool { return len(h.Aside)+len(h.Corrupt)+len(h.Missing) == 0 }

// Health reports what was found broken so far. It reads no data.
func (s *Store) Health(ctx context.Context) (Health, error) {
	h := Health{Aside: map[cid.Cid]string{}}
	s.mu.RLock()
	for c, why := range s.aside {
		h.Aside[c] = why
	}
	for _, c := range s.bad {
		h.Corrupt = append(h.Corrupt, c)
	}
	s.mu.RUnlock()
	seen := map[cid.Cid]bool{}
	for p, err := range s.Pins() {
		if err != nil {
			return h, err
		}
		if seen[p.Root] {
			continue
		}
		seen[p.Root] = true
		ok, err := s.Has(ctx, p.Root)
		if err != nil {
			return h, fmt.Errorf("health: %w", err)
		}
		if !ok {
			h.Missing = append(h.Missing, p.Root)
		}
	}
	return h, nil
}
