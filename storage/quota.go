package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/ipfs/go-cid"

	"tally/storage/car"
	"tally/storage/volume"
)

// reservation is room on the volume for one import or fetch: for its temporary
// files and the shard that they become. Every byte is reserved before it is
// written: Grow (or writer) where the size is not known from the start.
type reservation struct {
	*volume.Reservation
	k    *core
	root cid.Cid // of a fetch, whose files may stay; else cid.Undef
	of   cid.Cid // whose the shard is, if it is private and new; else cid.Undef

	mu     sync.Mutex // taken before those of the volume
	others uint64     // guarded by mu: bytes of files of the root that another way of fetching it left
	whose  []string   // guarded by mu: their extensions
	beside uint64     // of this way's own small files, which Grow does not name
	yields bool       // guarded by mu: these files go where there is no room for both
}

// reserve sets bytes aside before they are written: ErrQuota, ErrDiskFull or
// ErrMarker say why that cannot be. The caller defers Release.
func (k *core) reserve(bytes uint64) (*reservation, error) {
	r, err := k.vol.Reserve(bytes)
	if err != nil {
		return nil, fail("reserve", err)
	}
	return &reservation{Reservation: r, k: k}, nil
}

// reserveFetch is reserve for a fetch of root, of which the caller holds the
// claim. What earlier fetches of it left on disk is part of the reservation, and
// what this one leaves there stays booked after Release.
//
// There are several ways of fetching, each with files of its own. Those with the
// extensions own belong to this one: bytes and beside, and what Grow is told, are for
// them and the shard. What another way left stays and is counted too. Where there is
// no room for both, but would be in its place, the reservation begins all the same; then
// a Grow that needs the room errs until yield is called.
func (k *core) reserveFetch(root cid.Cid, bytes, beside uint64, own ...string) (*reservation, error) {
	k.mu.Lock()
	left := k.left[root]
	k.mu.Unlock()
	r, err := k.vol.Adopt(volume.Partial, left)
	if err != nil {
		return nil, fail("reserve", err)
	}
	k.mu.Lock()
	delete(k.left, root)
	k.mu.Unlock()
	res := &reservation{Reservation: r, k: k, root: root, beside: beside}
	for _, ext := range fetchExts {
		if !slices.Contains(own, ext) {
			res.whose = append(res.whose, ext)
		}
	}
	// Holes of a file are not on the disk yet, and will take of its free space.
	r.Wrote(min(left, k.leftBy(root, fetchExts, volume.Allocated)))
	res.others = k.leftBy(root, res.whose, apparent)
	if err := res.Grow(bytes); err != nil && r.Grow(bytes+beside) != nil {
		res.Release()
		return nil, err
	}
	return res, nil
}

// yield has the files that another way of fetching left go as soon as there is no
// room for both. The caller has taken of them what it can.
func (r *reservation) yield() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.yields = true
}

// Grow makes the reservation at least to bytes, beside what other ways of fetching
// left. It is cheap enough to be called before every block.
func (r *reservation) Grow(to uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	to += r.beside
	err := r.Reservation.Grow(r.others + to)
	if err == nil {
		return nil
	}
	if err = fail("reserve", err); !r.yields || r.others == 0 || r.Reservation.Grow(to) != nil {
		return err
	}
	r.k.log.Info("what another way of fetching a shard left gives way: there is no room for both", "root", r.root, "bytes", r.others)
	for _, ext := range r.whose {
		if e := os.Remove(r.k.fetchPath(r.root, ext)); e != nil && !errors.Is(e, fs.ErrNotExist) {
			return errors.Join(err, fail("reserve", e))
		}
	}
	r.others = 0
	return nil
}

// Release ends the reservation. Files of a fetch that are still there are booked.
func (r *reservation) Release() {
	if r.root.Defined() {
		if left := r.k.leftBy(r.root, fetchExts, apparent); left > 0 {
			r.Keep(volume.Partial, left)
			r.k.mu.Lock()
			r.k.left[r.root] += left
			r.k.mu.Unlock()
		}
	}
	r.Reservation.Release()
}

// leftBy returns the bytes, as counted by size, of the files with these extensions that fetches of root have now.
func (k *core) leftBy(root cid.Cid, exts []string, size func(fs.FileInfo) uint64) (n uint64) {
	for _, ext := range exts {
		if info, err := os.Lstat(k.fetchPath(root, ext)); err == nil { // else it is not there, or the disk is gone
			n += size(info)
		}
	}
	return n
}

// apparent is what a file takes once its holes are filled.
func apparent(i fs.FileInfo) uint64 { return uint64(i.Size()) }

// keep books a shard that is in place. Its caller reserved cost bytes.
func (r *reservation) keep(rec *record) {
	r.Keep(volume.Shards, rec.Size)
	r.Keep(volume.Index, indexCost(len(rec.entries), rec.Size))
}

// cost is what a shard takes in the end: its file and its part of the index.
func (r *record) cost() uint64 { return r.Size + indexCost(len(r.entries), r.Size) }

// replaced books that the file of a damaged shard gave way to a whole one. Almost
// always it is the same file but for the damage, so that the index fits. The caller
// holds commit.
func (k *core) replaced(old, now *record) error {
	k.vol.Drop(volume.Shards, old.Size)
	k.mu.Lock()
	for _, e := range now.entries {
		delete(k.bad, e.hash)
	}
	k.mu.Unlock()
	if old.Piece != now.Piece || old.Size != now.Size {
		if err := k.replaceRecord(old, now); err != nil {
			return err
		}
	}
	return k.healed(now.Root)
}

// indexCost is what a shard's places, layer and record take in the index.
func indexCost(blocks int, size uint64) uint64 {
	return uint64(blocks)*100 + size>>15 + 1<<10
}

// writer returns w behind the reservation, which covers base bytes of other files
// and those that go through.
func (r *reservation) writer(w io.Writer, base uint64) io.Writer { return &reserved{w, r, base} }

type reserved struct {
	w io.Writer
	r *reservation
	n uint64
}

func (w *reserved) Write(p []byte) (int, error) {
	if err := w.r.Grow(w.n + uint64(len(p))); err != nil {
		return 0, err
	}
	n, err := w.w.Write(p)
	w.n += uint64(n)
	w.r.Wrote(w.n)
	return n, err
}

// metaRoom reserves for a write to the meta database of at most n bytes. spare is
// for what a full store must still take. done books what was written.
func (k *core) metaRoom(n int, spare bool) (done func(wrote int), err error) {
	reserve := k.vol.Reserve
	if spare {
		reserve = k.vol.ReserveSpare
	}
	r, err := reserve(metaCost(n))
	if err != nil {
		return nil, fail("reserve", err)
	}
	return func(wrote int) { r.Keep(volume.Meta, metaCost(wrote)); r.Release() }, nil
}

// metaCost is what n bytes take in the meta database: in its log and its table.
func metaCost(n int) uint64 { return uint64(n)*2 + 256 }

// Usage says where the bytes of the store are and how many it may have.
type Usage struct {
	volume.Usage
	Held int // shards
}

// Usage measures the databases' directories, a few dozen files, and reads no
// data.
func (s *Store) Usage() (Usage, error) {
	u, err := s.vol.Usage()
	if err != nil {
		return Usage{}, fail("usage", err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return Usage{u, len(s.shards)}, nil
}

// ID returns the id in the marker file of the store's directory: what to give as
// Config.Expect from now on.
func (s *Store) ID() string { return s.vol.ID() }

// countFiles books what is in fetch/ and aside/ when the store opens.
func (k *core) countFiles() error {
	for name, class := range map[string]volume.Class{"fetch": volume.Partial, "aside": volume.Aside} {
		es, err := os.ReadDir(filepath.Join(k.dir, name))
		if err != nil {
			return fail("open", err)
		}
		sum := uint64(0)
		for _, e := range es {
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return fail("open", err)
			}
			if info.IsDir() { // a broken database that was set aside
				sum += k.flat(filepath.Join(k.dir, name, e.Name()))
				continue
			}
			sum += uint64(info.Size())
			root, err := cid.Decode(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())))
			if err == nil && class == volume.Partial {
				k.left[root] += uint64(info.Size())
			}
		}
		k.vol.Set(class, sum)
	}
	sum := k.stray
	for _, r := range k.shards {
		sum += r.Size
	}
	k.vol.Set(volume.Shards, sum)
	return nil
}

// flat returns the bytes of the files in a directory.
func (k *core) flat(dir string) (n uint64) {
	es, err := os.ReadDir(dir)
	if err != nil {
		k.log.Warn("directory does not read and is not counted", "dir", dir, "err", err)
	}
	for _, e := range es {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			n += volume.Allocated(info)
		}
	}
	return n
}

// sectionCost is what one more block takes of a spool.
func sectionCost(data []byte) uint64 { return car.SectionLen(len(data)) }
