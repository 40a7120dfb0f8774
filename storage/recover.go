package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
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

// openMeta opens the database of pins and loose blocks. One that is broken, or is
// missing though there are shards, is set aside and begun anew with a pin on every
// shard: what was pinned is not known any more, so nothing may be collected until
// the owner has looked. What was private is not known either, so that every shard is,
// and nobody's, until it is marked again or published. Only ErrBroken, which a panic of the
// engine is too, says that a database is broken; after any other error it may be sound.
func (k *core) openMeta() (err error) {
	dir, fresh := filepath.Join(k.dir, "meta"), filepath.Join(k.dir, "meta.new")
	_, err = os.Stat(dir)
	missing := errors.Is(err, os.ErrNotExist)
	if missing {
		// A crash in recoverMeta, just before its end.
		if err := os.Rename(fresh, dir); err == nil {
			missing = false
		}
	}
	roots, err := k.shardNames()
	if err != nil {
		return err
	}
	if !missing || len(roots) == 0 {
		if k.meta, err = tryOpen(dir, !k.temp); err == nil || errors.Is(err, kv.ErrInUse) {
			return wrap("open", errors.Join(err, os.RemoveAll(fresh))) // of a crash in recoverMeta
		}
		if !errors.Is(err, kv.ErrBroken) {
			return fail("open", err)
		}
	}
	return k.recoverMeta(dir, fresh, roots, err)
}

func (k *core) recoverMeta(dir, fresh string, roots []cid.Cid, why error) error {
	part := filepath.Join(k.dir, "meta.part") // fresh is its name only when all is in it
	if err := errors.Join(os.RemoveAll(fresh), os.RemoveAll(part)); err != nil {
		return fail("open", err)
	}
	if err := k.pinAndHideAll(part, roots); err != nil {
		return fail("open", err)
	}
	if err := os.Rename(part, fresh); err != nil {
		return fail("open", err)
	}
	if err := k.syncDir("."); err != nil {
		return err
	}
	broken := filepath.Join(k.dir, "aside", fmt.Sprintf("meta-%d", time.Now().UnixNano()))
	if err := os.Rename(dir, broken); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fail("open", err)
	}
	if err := os.Rename(fresh, dir); err != nil {
		return fail("open", err)
	}
	if err := errors.Join(k.syncDir("aside"), k.syncDir(".")); err != nil {
		return err
	}
	k.warn("pins, loose blocks and what is private did not read and were set aside as "+broken+
		"; every shard is pinned as \"recovered\" and shown to nobody: publish what is public with `tally storage publish`, unpin what is not wanted, "+
		"fetch manifests and receipts again", "err", why)
	db, err := kv.Open(dir, kv.Options{Sync: !k.temp})
	k.meta = db
	return wrap("open", err)
}

// pinAndHideAll writes a database in dir that keeps every shard and shows none.
func (k *core) pinAndHideAll(dir string, roots []cid.Cid) error {
	coming, err := k.comingNames()
	if err != nil {
		return err
	}
	db, err := kv.Open(dir, kv.Options{Sync: true})
	if err != nil {
		return err
	}
	why := PinInfo{Why: "recovered"}
	pin, err := json.Marshal(why)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	nobody := mark{at: time.Now().Unix()}.encode()
	var rows [][2][]byte
	for _, root := range append(coming, roots...) {
		rows = append(rows, [2][]byte{key(keyPrivate, root.Bytes()), nobody})
	}
	for _, root := range roots {
		rows = append(rows, [2][]byte{pinKey(root, why.Why), pin})
	}
	for some := range slices.Chunk(rows, 256) {
		err = errors.Join(err, db.Update(func(tx *kv.Tx) error {
			for _, r := range some {
				if err := tx.Set(r[0], r[1]); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return errors.Join(err, db.Close())
}

// comingNames returns the roots of fetches under way.
func (k *core) comingNames() (roots []cid.Cid, err error) {
	es, err := os.ReadDir(filepath.Join(k.dir, "fetch"))
	if err != nil {
		return nil, fail("open", err)
	}
	for _, e := range es {
		if root, err := cid.Decode(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name()))); err == nil {
			roots = append(roots, root)
		}
	}
	return roots, nil
}

// shardNames returns the roots of all shard files, broken ones too.
func (k *core) shardNames() (roots []cid.Cid, err error) {
	for _, d := range []string{"shards", "aside"} {
		es, err := os.ReadDir(filepath.Join(k.dir, d))
		if err != nil {
			return nil, fail("open", err)
		}
		for _, e := range es {
			if name, ok := strings.CutSuffix(e.Name(), ".car"); ok {
				if root, err := cid.Decode(name); err == nil && root.String() == name {
					roots = append(roots, root)
				}
			}
		}
	}
	return roots, nil
}

// adoptAtOpen bounds the bytes of unknown shards that Open reads before it
// returns: enough for what a crash leaves. The rest, after the loss of a whole
// index, waits for a Scrub.
const adoptAtOpen = 4 * DefaultMaxShard

// reconcile makes the index agree with the files in shards/. It runs at every
// Open; after a clean stop it only compares names and sizes.
func (k *core) reconcile() error {
	es, err := os.ReadDir(filepath.Join(k.dir, "shards"))
	if err != nil {
		return fail("open", err)
	}
	files := map[cid.Cid]bool{}
	whole := k.index.Whole() // then a read of the index for each shard would find each, and make most of it resident
	budget := int64(adoptAtOpen)
	for _, e := range es {
		info, err := e.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		root, bad := cid.Decode(strings.TrimSuffix(e.Name(), ".car"))
		if bad != nil || root.String()+".car" != e.Name() || err == nil && !info.Mode().IsRegular() {
			k.log.Warn("unknown file among the shards is left alone", "name", e.Name())
			if err == nil && info.Mode().IsRegular() {
				k.stray += uint64(info.Size())
			}
			continue
		}
		if err != nil {
			k.unreadable(root, err)
			continue
		}
		r := k.shards[root]
		if r != nil && uint64(info.Size()) == r.Size && (whole || k.rooted(r)) {
			files[root] = true
			continue
		}
		if budget -= info.Size(); budget < 0 {
			k.waiting[root] = info.Size()
			k.stray += uint64(info.Size())
			continue
		}
		files[root], err = k.adopt(root, info.Size())
		if err != nil {
			return err
		}
	}
	var lost []*record
	for root, r := range k.shards {
		if files[root] {
			continue
		}
		if _, why := k.aside[root]; !why && k.waiting[root] == 0 {
			k.log.Warn("shard is gone from the disk", "root", root)
		}
		lost = append(lost, r)
	}
	for len(lost) > 0 {
		n := min(dropStep, len(lost))
		if err := k.forget(lost[:n]...); err != nil {
			return err
		}
		lost = lost[n:]
	}
	return nil
}

// rooted says whether the index has the place of a shard's root. It was the first
// to be written, before the record, so that where a file of the index is lost with
// what was written last before the record, it is missing.
func (k *core) rooted(r *record) bool {
	ps, err := k.places(r.Root.Hash())
	return err == nil && slices.ContainsFunc(ps, func(p place) bool { return p.id == r.ID })
}

// adopt verifies a shard file that the index does not know, or knows with
// another size, and indexes it or sets it aside.
func (k *core) adopt(root cid.Cid, size int64) (bool, error) {
	k.log.Info("indexing shard from its file", "root", root, "bytes", size)
	if r := k.record(root); r != nil {
		if err := k.forget(r); err != nil {
			return false, err
		}
	}
	r, err := k.recheck(context.Background(), root, nil) //nolint:forbidigo // Open takes no context: what the index lacks is always read
	if err == nil {
		return true, k.indexShard(r)
	}
	if !k.outOfTheWay(root, err) {
		k.stray += uint64(size)
	}
	return false, nil
}

// outOfTheWay sets a file aside that is no shard, and says so; one that could not be
// read stays.
func (k *core) outOfTheWay(root cid.Cid, why error) bool {
	if malformed(why) || errors.Is(why, ErrTruncated) {
		k.setAside(root, why)
		return true
	}
	k.unreadable(root, why)
	return false
}

// unreadable remembers a shard whose file is there and cannot be read. It stays
// where it is: the disk, not the file, may be at fault.
func (k *core) unreadable(root cid.Cid, why error) {
	k.log.Error("shard file cannot be read; the rest is served", "root", root, "err", why)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.aside[root] = "its file cannot be read: " + why.Error()
}

// adoptWaiting indexes one shard that Open left waiting, and says whether there was
// one. Its file is read without a lock, as fast as the disk gives it, because nothing
// of it is served until then; under the lock it must still be the same file.
func (k *core) adoptWaiting(ctx context.Context) (bool, error) {
	root := cid.Undef
	k.mu.RLock()
	for root = range k.waiting {
		break
	}
	k.mu.RUnlock()
	if !root.Defined() {
		return false, nil
	}
	var r *record
	var read os.FileInfo
	f, err := os.Open(k.path(root))
	if err == nil {
		defer func() { _ = f.Close() }()
		read, err = f.Stat()
	}
	if err == nil {
		k.log.Info("indexing shard from its file", "root", root, "bytes", read.Size())
		r, err = k.check(ctx, &paced{ctx: ctx, r: f}, io.Discard, root, DefaultMaxShard, nil)
	}
	if ctx.Err() != nil {
		return false, fail("index shard", ctx.Err())
	}
	k.commit.Lock()
	defer k.commit.Unlock()
	if err := k.writable(); err != nil {
		return false, err
	}
	if k.record(root) != nil { // it was fetched meanwhile, and booked anew
		k.vol.Drop(volume.Shards, uint64(k.adopted(root)))
		return true, nil
	}
	if read != nil && !sameFile(k.path(root), read) {
		return true, nil // it is looked at again
	}
	if err == nil {
		if err := k.indexShard(r); err != nil {
			return false, err // it waits on
		}
	} else {
		k.outOfTheWay(root, err)
	}
	k.adopted(root)
	return true, nil
}

// adopted ends the waiting of a shard and returns the size of its file.
func (k *core) adopted(root cid.Cid) (size int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	size = k.waiting[root]
	delete(k.waiting, root)
	return size
}

// sameFile says whether a path still has the file that was read, unchanged.
func sameFile(path string, read os.FileInfo) bool {
	now, err := os.Stat(path)
	return err == nil && os.SameFile(read, now) && now.Size() == read.Size() && now.ModTime().Equal(read.ModTime())
}

// setAside moves a broken shard out of the way, keeping its bytes.
func (k *core) setAside(root cid.Cid, why error) {
	k.log.Error("shard is broken and was set aside; fetch it again to repair", "root", root, "err", why)
	err := os.Rename(k.path(root), k.asidePath(root))
	if err = errors.Join(err, k.syncDir("shards"), k.syncDir("aside")); err != nil {
		k.log.Error("broken shard stays where it is", "root", root, "err", err)
	}
	if info, err := os.Stat(k.asidePath(root)); err == nil {
		k.vol.Drop(volume.Shards, uint64(info.Size()))
		k.vol.Add(volume.Aside, uint64(info.Size()))
	}
	k.mu.Lock()
	k.aside[root] = why.Error()
	k.mu.Unlock()
}

func (k *core) asidePath(root cid.Cid) string {
	return filepath.Join(k.dir, "aside", root.String()+".car")
}

// openBroken opens what is left of a shard that is set aside or damaged, for its
// sound parts.
func (k *core) openBroken(root cid.Cid) (*os.File, error) {
	f, err := os.Open(k.asidePath(root))
	if errors.Is(err, os.ErrNotExist) {
		f, err = os.Open(k.path(root))
	}
	return f, err
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
