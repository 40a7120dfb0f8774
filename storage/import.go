package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ipfs/go-cid"

	"tally/storage/car"
	"tally/storage/spool"
	"tally/storage/unixfs"
)

// ImportFile makes a shard of the bytes of r, as a UnixFS file of profile
// unixfs-v1-2025. The same bytes give the same shard, everywhere. ErrTooLarge
// says that the file does not fit one shard.
//
// A source that is an io.Seeker, as an open file, is written to the disk once;
// another one twice, because its length is known too late.
func (s *Store) ImportFile(ctx context.Context, r io.Reader) (Shard, error) {
	return s.importFile(ctx, r, cid.Undef)
}

// importFile is ImportFile, private if of is defined.
func (s *Store) importFile(ctx context.Context, r io.Reader, of cid.Cid) (Shard, error) {
	if src, at, size := sizeOf(r); src != nil {
		p, err := s.newInplace(uint64(size))
		if err != nil {
			return Shard{}, fail("import", err)
		}
		if p != nil {
			p.of = of
			sh, err := s.importInplace(ctx, src, p)
			if !errors.Is(err, errLength) {
				return sh, err
			}
			// It grew or shrank while it was read: take it as a stream.
			if _, err := src.Seek(at, io.SeekStart); err != nil {
				return Shard{}, fail("import", err)
			}
		}
	}
	return s.importDAG(ctx, of, func(b unixfs.Blocks) (cid.Cid, error) { return unixfs.ImportFile(ctx, b, r) })
}

// ImportDir is ImportFile for a directory: a Hugging Face model, say. Modes and
// times are not kept. Links to files are followed; other things are refused.
// Pass os.Root's FS for a directory that somebody else filled.
func (s *Store) ImportDir(ctx context.Context, f fs.FS) (Shard, error) {
	return s.importDAG(ctx, cid.Undef, func(b unixfs.Blocks) (cid.Cid, error) { return unixfs.ImportDir(ctx, b, f) })
}

func (s *Store) importDAG(ctx context.Context, of cid.Cid, build func(unixfs.Blocks) (cid.Cid, error)) (sh Shard, err error) {
	res, err := s.reserve(0)
	if err != nil {
		return Shard{}, fail("import", err)
	}
	defer res.Release()
	res.of = of
	dir, err := os.MkdirTemp(filepath.Join(s.dir, "tmp"), "import-")
	if err != nil {
		return Shard{}, fail("import", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	sp, err := spool.Open(filepath.Join(dir, "blocks"), s.max)
	if err != nil {
		return Shard{}, fail("import", err)
	}
	defer func() { _ = sp.Close() }()
	root, err := build(spooled{sp, res})
	if err != nil {
		return Shard{}, fail("import", err)
	}
	return s.seal(ctx, root, sp, res)
}

// seal writes the canonical file of a DAG whose blocks are all in a spool: see
// docs/RATIONALE.md#why-is-a-car-file-written-twice-on-import.
func (k *core) seal(ctx context.Context, root cid.Cid, sp *spool.Spool, res *reservation) (Shard, error) {
	buf := make([]byte, car.MaxBlock)
	return k.write(ctx, root, k.max, res, sp.Size(), func(_ context.Context, c cid.Cid) ([]byte, error) { return sp.Get(c, buf) })
}

// spooled is where an import puts its blocks.
type spooled struct {
	*spool.Spool
	res *reservation
}

func (s spooled) PutBlock(_ context.Context, c cid.Cid, data []byte) error {
	if err := s.res.Grow(s.Size() + sectionCost(data)); err != nil {
		return err
	}
	return s.Put(c, data)
}

func (s spooled) GetBlock(_ context.Context, c cid.Cid) ([]byte, error) { return s.Get(c, nil) }

// ImportCAR makes a shard of a CAR file in canonical form (see package car),
// checking every block as it streams. Unless want is cid.Undef the root must be
// it. Each way in which a file can be wrong has its own error, and then nothing
// is kept.
func (s *Store) ImportCAR(ctx context.Context, r io.Reader, want cid.Cid) (Shard, error) {
	return s.importCAR(ctx, r, want, cid.Undef)
}

// importCAR is ImportCAR, private if of is defined.
func (s *Store) importCAR(ctx context.Context, r io.Reader, want, of cid.Cid) (Shard, error) {
	sh, err := s.copyCAR(ctx, r, want, s.max, of)
	if err != nil {
		return Shard{}, fmt.Errorf("import CAR: %w", err)
	}
	return sh, nil
}
