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
	Aside   int    // broken copies of what is no longer pinned
	Bytes   uint64 // of all of these
}

// Collect removes what no pin keeps and what came in longer than age ago: shards,
// loose blocks, groups, lapsed pins, unfinished fetches and broken copies. The age
// leaves time between an import and its pin. A shard goes in one unlink, before
// anything else is done, so that its space is free at once; blocks that another
// shard holds too stay there.
//
// It works in small steps, between which others make and drop shards and pins, and
// ends soon after ctx does; what it did till then stays done.
func (s *Store) Collect(ctx context.Context, age time.Duration) (c Collected, err error) {
	if err := s.vol.Check(); err != nil {
		return c, fail("collect", err)
	}
	before := time.Now().Add(-age)
	roots, lapsed, err := s.livePins()
	for _, root := range lapsed {
		s.unprovide(ctx, root)
	}
	if err != nil {
		return c, err
	}
	if err := s.collectShards(ctx, roots, before, &c); err != nil {
		return c, err
	}
	if err := s.collectLoose(ctx, before, &c); err != nil {
		return c, err
	}
	if err := s.collectFiles("fetch", before, &c); err != nil {
		return c, err
	}
	if err := s.collectFiles("aside", before, &c); err != nil {
		return c, err
	}
	if err := s.collectPrivate(before); err != nil {
		return c, err
	}
	return c, s.sweep(ctx)
}

// collectShards drops old shards that are not among the pinned roots, looking
// again for a pin when it has the lock.
func (k *core) collectShards(ctx context.Context, roots map[cid.Cid]bool, before time.Time, c *Collected) error {
	k.mu.RLock()
	var old []*record
	for root, r := range k.shards {
		if !roots[root] && !time.Unix(r.Added, 0).After(before) {
			old = append(old, r)
		}
	}
	k.mu.RUnlock()
	for len(old) > 0 {
		if err := ctx.Err(); err != nil {
			return fail("collect", err)
		}
		n := min(dropStep, len(old))
		gone, err := k.dropUnpinned(old[:n])
		for _, r := range gone {
			c.Shards++
			c.Bytes += r.Size
		}
		if err != nil {
			return err
		}
		old = old[n:]
	}
	return nil
}

func (k *core) dropUnpinned(rs []*record) ([]*record, error) {
	k.commit.Lock()
	defer k.commit.Unlock()
	if err := k.writable(); err != nil {
		return nil, err
	}
	var drop []*record
	now := time.Now()
	for _, r := range rs {
		if k.record(r.Root) != r {
			continue // it came in again, or went
		}
		pinned, err := k.isPinned(r.Root.Bytes(), func(p Pin) bool { return p.lapsed(now) })
		if err != nil {
			return nil, fail("collect", err)
		}
		if !pinned {
			drop = append(drop, r)
		}
	}
	gone, err := k.drop(drop)
	for _, r := range gone {
		err = errors.Join(err, k.undamage(r.Root))
	}
	return gone, err
}

// livePins returns the pinned roots, and drops pins that lapsed. It returns the
// roots that have no other pin, too.
func (k *core) livePins() (roots map[cid.Cid]bool, gone []cid.Cid, err error) {
	roots = map[cid.Cid]bool{}
	ended, now := map[cid.Cid]bool{}, time.Now()
	k.commit.Lock()
	defer k.commit.Unlock()
	if err := k.writable(); err != nil {
		return nil, nil, err
	}
	err = k.meta.Update(func(tx *kv.Tx) error {
		clear(roots)
		clear(ended)
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
				ended[p.Root] = true
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
		return nil, nil, fail("collect", err)
	}
	for root := range ended {
		if !roots[root] {
			gone = append(gone, root)
		}
	}
	return roots, gone, nil
}

// doomed is a key of the meta database that Collect removes.
type doomed struct {
	key   []byte // of a loose block: its multihash
	loose bool
	size  int
}

// replans is how often a collection of loose blocks starts again because pins and
// blocks came in meanwhile, before it keeps them waiting.
const replans = 3

// collectLoose removes loose blocks and ends groups. What is to go is found
// without a lock and removed in steps; if a pin, a block or a group came in between,
// it is found anew.
func (k *core) collectLoose(ctx context.Context, before time.Time, c *Collected) error {
	for try := 0; ; try++ {
		done, err := k.tryLoose(ctx, before, c, try >= replans)
		if err != nil {
			return fail("collect", err)
		}
		if done {
			return nil
		}
	}
}

func (k *core) tryLoose(ctx context.Context, before time.Time, c *Collected, hold bool) (done bool, err error) {
	k.commit.Lock()
	gen := k.gen
	if hold {
		defer k.commit.Unlock()
	} else {
		k.commit.Unlock()
	}
	plan, err := k.planLoose(before)
	for err == nil && len(plan) > 0 {
		if err = ctx.Err(); err != nil {
			break
		}
		n := min(1000, len(plan))
		if !hold {
			k.commit.Lock()
		}
		same := k.gen == gen
		if err = k.writable(); err == nil && same {
			err = k.removeMeta(plan[:n])
		}
		if !hold {
			k.commit.Unlock()
		}
		if err != nil || !same {
			return false, err
		}
		for _, d := range plan[:n] {
			if d.loose {
				c.Blocks++
				c.Bytes += uint64(d.size)
			}
		}
		plan = plan[n:]
	}
	return err == nil, err
}

// removeMeta removes keys in one transaction. The caller holds commit.
func (k *core) removeMeta(ds []doomed) error {
	return k.meta.Update(func(tx *kv.Tx) error {
		for _, d := range ds {
			del := (*kv.Tx).Delete
			if d.loose {
				del = dropLoose
			}
			if err := del(tx, d.key); err != nil {
				return err
			}
		}
		return nil
	})
}

// planLoose returns what no pin keeps, in the order in which it is to go: a group
// ends before the first of its blocks goes, so that none that is said to be whole
// lacks one.
func (k *core) planLoose(before time.Time) (plan []doomed, err error) {
	now := time.Now()
	err = k.meta.View(func(tx *kv.Tx) error {
		roots := map[cid.Cid]bool{}
		keep := map[string]bool{} // by multihash
		for it, err := range tx.Scan([]byte{keyPin}) {
			if err != nil {
				return err
			}
			p, err := parsePin(it)
			if err != nil {
				return err
			}
			if !p.lapsed(now) {
				roots[p.Root] = true
				keep[string(p.Root.Hash())] = true
			}
		}
		groups := map[cid.Cid][]cid.Cid{} // members of groups that no pin keeps
		for it, err := range tx.Scan([]byte{keyGroup}) {
			if err != nil {
				return err
			}
			n, root, err := cid.CidFromBytes(it.Key[1:])
			if err != nil {
				return fmt.Errorf("group: %w", err)
			}
			_, member, err := cid.CidFromBytes(it.Key[1+n:])
			if err != nil {
				return fmt.Errorf("group: %w", err)
			}
			if roots[root] {
				keep[string(member.Hash())] = true
			} else {
				groups[root] = append(groups[root], member)
			}
		}
		going := map[string]bool{}
		var loose []doomed
		for it, err := range tx.Scan([]byte{keyStamp}) {
			if err != nil {
				return err
			}
			added, size, err := parseStamp(it.Value)
			if err != nil {
				added, size = time.Time{}, 0 // a stamp that does not read is as old as can be
			}
			if hash := it.Key[1:]; !keep[string(hash)] && !added.After(before) {
				loose = append(loose, doomed{hash, true, size})
				going[string(hash)] = true
			}
		}
		for root, members := range groups {
			for _, m := range members {
				if going[string(m.Hash())] {
					plan = append(plan, doomed{key: key(keyWhole, root.Bytes())})
					break
				}
			}
		}
		ended := len(plan)
		for _, d := range plan[:ended] {
			_, root, err := cid.CidFromBytes(d.key[1:])
			if err != nil {
				return fmt.Errorf("group: %w", err)
			}
			for _, m := range groups[root] {
				plan = append(plan, doomed{key: groupKey(root, m)})
			}
		}
		plan = append(plan, loose...)
		return nil
	})
	return plan, err
}

// collectFiles removes what fetches left behind and nobody took up, or broken
// copies of shards that no pin wants back.
func (k *core) collectFiles(name string, before time.Time, c *Collected) error {
	dir := filepath.Join(k.dir, name)
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
		if info.ModTime().After(before) || !info.Mode().IsRegular() {
			continue
		}
		root, err := cid.Decode(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())))
		if err != nil {
			root = cid.Undef
		}
		gone, err := k.collectFile(name, e.Name(), root, uint64(info.Size()))
		if err != nil {
			return fail("collect", err)
		}
		switch {
		case !gone:
			continue
		case name == "aside":
			c.Aside++
		default:
			c.Fetches++
		}
		c.Bytes += uint64(info.Size())
	}
	return nil
}

func (k *core) collectFile(dir, name string, root cid.Cid, size uint64) (gone bool, err error) {
	k.commit.Lock()
	defer k.commit.Unlock()
	if err := k.writable(); err != nil {
		return false, err
	}
	if dir == "aside" && root.Defined() {
		now := time.Now()
		if pinned, err := k.isPinned(root.Bytes(), func(p Pin) bool { return p.lapsed(now) }); pinned || err != nil {
			return false, err
		}
	}
	// With mu held no fetch begins, so that none finds its file taken away.
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.busy[root] != nil {
		return false, nil
	}
	if err := os.Remove(filepath.Join(k.dir, dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	if dir == "aside" {
		delete(k.aside, root)
		k.vol.Drop(volume.Aside, size)
		return true, nil
	}
	k.left[root] -= min(k.left[root], size)
	k.vol.Drop(volume.Partial, size)
	return true, nil
}
