package storage

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ipfs/go-cid"

	"tally/protocol/piece"
	"tally/storage/car"
)

func (k *core) path(root cid.Cid) string {
	return filepath.Join(k.dir, "shards", root.String()+".car")
}

func (k *core) temporary() (*os.File, error) {
	f, err := os.CreateTemp(filepath.Join(k.dir, "tmp"), "shard-*.car")
	if err != nil {
		return nil, fail("create shard", err)
	}
	return f, nil
}

func newRecord(root cid.Cid) *record {
	var id [8]byte
	_, _ = rand.Read(id[:])
	return &record{ID: binary.BigEndian.Uint64(id[:]), Root: root}
}

func (r *record) add(b car.Block) {
	r.entries = append(r.entries, entry{string(b.CID.Hash()), b.Offset, len(b.Data)})
	r.Blocks++
}

func (r *record) finish(h *piece.Hasher) {
	r.Piece, r.Size, r.layer = h.Root(), h.Len(), h.Layer()
}

// write makes a shard, of at most max bytes, of the DAG under root, whose
// blocks get returns. res has base bytes of other files in it.
func (k *core) write(ctx context.Context, root cid.Cid, max uint64, res *reservation, base uint64, get func(context.Context, cid.Cid) ([]byte, error)) (Shard, error) {
	f, err := k.temporary()
	if err != nil {
		return Shard{}, err
	}
	defer func() { _ = f.Close(); _ = os.Remove(f.Name()) }()
	r, h := newRecord(root), piece.New(true)
	w := bufio.NewWriterSize(io.MultiWriter(res.writer(f, base), h), 64<<10)
	if _, err := car.Write(ctx, w, root, max, get, r.add); err != nil {
		return Shard{}, fail("write shard", err)
	}
	if err := w.Flush(); err != nil {
		return Shard{}, fail("write shard", err)
	}
	r.finish(h)
	if err := res.Grow(base + r.cost()); err != nil {
		return Shard{}, err
	}
	return k.settle(f, r, res)
}

// copyCAR makes a shard of a stream in canonical form, private if of is defined.
func (k *core) copyCAR(ctx context.Context, src io.Reader, want cid.Cid, max uint64, of cid.Cid) (Shard, error) {
	res, err := k.reserve(0)
	if err != nil {
		return Shard{}, err
	}
	defer res.Release()
	res.of = of
	f, err := k.temporary()
	if err != nil {
		return Shard{}, err
	}
	defer func() { _ = f.Close(); _ = os.Remove(f.Name()) }()
	r, err := k.check(ctx, src, res.writer(f, 0), want, max, nil)
	if err != nil {
		return Shard{}, err
	}
	return k.settle(f, r, res)
}

// check reads a canonical file to its end, copying what is good to dst. good, if
// not nil, is told where each good block ends, once it is with dst.
func (k *core) check(ctx context.Context, src io.Reader, dst io.Writer, want cid.Cid, max uint64, good func(off uint64)) (*record, error) {
	cr, err := car.NewReader(bufio.NewReaderSize(src, 256<<10), want, max)
	if err != nil {
		return nil, err
	}
	r, h := newRecord(cr.Root()), piece.New(true)
	w := bufio.NewWriterSize(io.MultiWriter(dst, h), 64<<10)
	if err := car.WriteHeader(w, cr.Root()); err != nil {
		return nil, fail("write shard", err)
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, fail("read CAR", err)
		}
		b, err := cr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if _, err := car.WriteBlock(w, b.CID, b.Data); err != nil {
			return nil, fail("write shard", err)
		}
		r.add(b)
		if good != nil {
			if err := w.Flush(); err != nil {
				return nil, fail("write shard", err)
			}
			good(b.End())
		}
	}
	if err := w.Flush(); err != nil {
		return nil, fail("write shard", err)
	}
	r.finish(h)
	return r, nil
}

// settle makes a finished temporary file a shard: fsync, rename, fsync of the
// directory, index. A crash between these leaves a temporary file, or a shard
// that Open indexes. The shard is booked out of res, which is grown to what the
// shard takes if it was not.
func (k *core) settle(f *os.File, r *record, res *reservation) (Shard, error) {
	if err := res.Grow(r.cost()); err != nil {
		return Shard{}, err
	}
	if err := k.syncFile(f); err != nil {
		return Shard{}, err
	}
	k.commit.Lock()
	defer k.commit.Unlock()
	if err := k.writable(); err != nil {
		return Shard{}, err
	}
	old := k.record(r.Root)
	if old != nil && !k.isDamaged(r.Root) {
		return old.shard(), k.touch(old)
	}
	if old == nil {
		if err := k.bornPrivate(r.Root, res.of); err != nil {
			return Shard{}, err
		}
	}
	_, alone := os.Lstat(k.path(r.Root))
	if err := os.Rename(f.Name(), k.path(r.Root)); err != nil {
		return Shard{}, fail("rename shard", err)
	}
	if err := k.syncDir("shards"); err != nil {
		if alone != nil { // another try makes the entry anew; what took the place of a file is better than that
			err = errors.Join(err, os.Remove(k.path(r.Root)))
		}
		return Shard{}, err
	}
	res.keep(r)
	if old != nil {
		return r.shard(), k.replaced(old, r)
	}
	if err := k.indexShard(r); err != nil {
		return Shard{}, err
	}
	if k.removeAside(r.Root) {
		k.log.Info("shard that was set aside is whole again", "root", r.Root)
	}
	return r.shard(), nil
}

// errUnsynced says that the disk did not take what a file holds.
var errUnsynced = errors.New("storage: the disk did not take a file, which is begun anew")

// syncFile makes what a file holds durable. Where the disk did not take it the file is
// removed: the system tells of such an error once, keeps what it could not write in
// memory, and would read it back and call it durable the next time.
func (k *core) syncFile(f *os.File) error {
	if k.temp {
		return nil
	}
	err := k.sync(f)
	if err == nil {
		return nil
	}
	err = fail("sync shard", fmt.Errorf("%w: %w", errUnsynced, err))
	if e := os.Remove(f.Name()); e != nil && !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}

func (k *core) syncDir(name string) error {
	if k.temp {
		return nil
	}
	d, err := os.Open(filepath.Join(k.dir, name))
	if err != nil {
		return fail("sync directory", err)
	}
	if err := errors.Join(k.sync(d), d.Close()); err != nil {
		return fail("sync directory", err)
	}
	return nil
}

func (k *core) record(root cid.Cid) *record {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.shards[root]
}

// held returns the record of a shard, or ErrNotFound.
func (k *core) held(root cid.Cid) (*record, error) {
	if r := k.record(root); r != nil {
		return r, nil
	}
	k.mu.RLock()
	why := k.aside[root]
	k.mu.RUnlock()
	if why != "" {
		return nil, fmt.Errorf("shard %s was set aside (%s): %w", root, why, ErrNotFound)
	}
	return nil, fmt.Errorf("shard %s: %w", root, ErrNotFound)
}

// scan yields where the blocks of a file in canonical form are, without reading
// or checking their data; at the first length or CID that makes no sense it ends
// with an error.
func scan(f io.ReaderAt, size uint64, yield func(c cid.Cid, off uint64, n int) error) error {
	var head [40]byte
	for off := uint64(car.HeaderLen); off < size; {
		n, err := f.ReadAt(head[:], int64(off))
		if err != nil && !errors.Is(err, io.EOF) {
			return fail("scan shard", err)
		}
		l, m := binary.Uvarint(head[:n])
		if m <= 0 || m > 4 || l < 36 || l > 36+car.MaxBlock || n < m+36 {
			return fmt.Errorf("scan shard at %d: %w", off, ErrVarint)
		}
		_, c, err := cid.CidFromBytes(head[m : m+36])
		if err != nil {
			return fmt.Errorf("scan shard at %d: %w: %w", off, err, ErrCID)
		}
		if err := yield(c, off+uint64(m)+36, int(l-36)); err != nil {
			return err
		}
		off += uint64(m) + l
	}
	return nil
}
