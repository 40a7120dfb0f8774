package storage

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol/piece"
	"tally/storage/unixfs"
)

// MaxRange is the most bytes that one Range returns.
const MaxRange = 4 << 20

// OpenFile opens the UnixFS file under root, which may be inside any shard.
// Blocks are checked as they are read; ctx ends all reading.
func (s *Store) OpenFile(ctx context.Context, root cid.Cid) (io.ReadSeekCloser, error) {
	f, err := unixfs.OpenFile(ctx, reader{s}, root)
	if err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	return f, nil
}

// FS returns the UnixFS directory under root as a file system; ctx ends all
// reading.
func (s *Store) FS(ctx context.Context, root cid.Cid) (fs.FS, error) {
	f, err := unixfs.NewFS(ctx, reader{s}, root)
	if err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	return f, nil
}

// Dir returns the directory of the store: that of Config, or the temporary one.
func (s *Store) Dir() string { return s.dir }

// Stat returns what is known of a shard, or ErrNotFound.
func (s *Store) Stat(_ context.Context, root cid.Cid) (Shard, error) {
	r, err := s.held(root)
	if err != nil {
		return Shard{}, err
	}
	return r.shard(), nil
}

func (k *core) openCAR(root cid.Cid) (*os.File, *record, error) {
	r, err := k.held(root)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.Open(k.path(root))
	if err != nil {
		return nil, nil, k.unopened(r, err)
	}
	return f, r, nil
}

// Range returns n bytes of a shard's CAR file from off: what a retrieval is
// asked for and both sides sign. The bytes are as on disk; the asker checks them
// against the piece root (PieceProof) or the CIDs. At most MaxRange.
func (s *Store) Range(_ context.Context, root cid.Cid, off, n uint64) ([]byte, error) {
	f, r, err := s.openCAR(root)
	if err != nil {
		return nil, fmt.Errorf("range: %w", err)
	}
	defer func() { _ = f.Close() }()
	if n > MaxRange || off > r.Size || n > r.Size-off {
		return nil, fmt.Errorf("range of %d bytes at %d of %d: %w", n, off, r.Size, ErrRange)
	}
	b := make([]byte, n)
	if _, err := f.ReadAt(b, int64(off)); err != nil {
		return nil, fail("range", err)
	}
	return b, nil
}

// PieceProof returns the proof for one 256-byte leaf of a shard's CAR file;
// piece.Verify checks it against Shard.Piece and Shard.Size. It reads 1 MiB. An
// error that is piece.ErrProof says that the file changed on disk.
func (s *Store) PieceProof(_ context.Context, root cid.Cid, leaf uint64) (piece.Proof, error) {
	f, r, err := s.openCAR(root)
	if err != nil {
		return piece.Proof{}, fmt.Errorf("piece proof: %w", err)
	}
	defer func() { _ = f.Close() }()
	if leaf >= piece.Leaves(r.Size) {
		return piece.Proof{}, fmt.Errorf("piece proof of leaf %d of %d: %w", leaf, piece.Leaves(r.Size), ErrRange)
	}
	var layer []piece.Hash
	err = s.index.View(func(tx *kv.Tx) error {
		b, err := tx.Get(key(keyLayer, root.Bytes()))
		for ; len(b) >= 32; b = b[32:] {
			layer = append(layer, piece.Hash(b[:32]))
		}
		return err
	})
	if err != nil {
		return piece.Proof{}, fail("piece proof", err)
	}
	p, err := piece.ProveFrom(f, r.Size, leaf, layer)
	if err != nil {
		return piece.Proof{}, fmt.Errorf("piece proof of %s: %w", root, err)
	}
	return p, nil
}
