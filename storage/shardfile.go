package storage

import (
	"context"
	"fmt"
	"os"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol/piece"
)

// File is the open file of a shard: what ranges are served from. Its bytes are as
// on disk, and whoever gets them checks them; Check does it here. It stays readable
// when the shard is deleted meanwhile. Close it.
type File struct {
	Shard
	*os.File
	Damaged bool // a block of it was found bad and is not healed yet
	s       *Store
}

// OpenShard opens the file of a shard, or returns ErrNotFound.
func (s *Store) OpenShard(_ context.Context, root cid.Cid) (*File, error) {
	f, r, err := s.openCAR(root)
	if err != nil {
		return nil, fmt.Errorf("open shard: %w", err)
	}
	return &File{r.shard(), f, s.isDamaged(root), s}, nil
}

// Layer returns the nodes of the piece tree over each MiB of the file.
func (f *File) Layer(context.Context) ([]piece.Hash, error) { return f.s.layer(f.Root) }

// Check hashes each MiB that a range touches, and returns ErrCorrupt where one is not
// what it was when the shard came.
func (f *File) Check(ctx context.Context, off, n uint64) error {
	layer, err := f.Layer(ctx)
	if err != nil {
		return err
	}
	if off > f.Size || n > f.Size-off {
		return fmt.Errorf("check %d bytes at %d of %d: %w", n, off, f.Size, ErrRange)
	}
	o := Outline{Piece: f.Piece, Size: f.Size, Layer: layer}
	if err := o.Check(f.Size); err != nil {
		return err
	}
	buf := make([]byte, min(piece.LayerSpan, f.Size))
	for at := off - off%piece.LayerSpan; at < off+n; at += piece.LayerSpan {
		if err := ctx.Err(); err != nil {
			return fail("check shard", err)
		}
		i := int(at / piece.LayerSpan)
		_, k := o.span(i)
		if _, err := f.ReadAt(buf[:k], int64(at)); err != nil {
			return fail("check shard", err)
		}
		if !o.holds(i, buf[:k]) {
			return fmt.Errorf("shard %s at %d: %w", f.Root, at, ErrCorrupt)
		}
	}
	return nil
}

func (k *core) layer(root cid.Cid) (layer []piece.Hash, err error) {
	err = k.index.View(func(tx *kv.Tx) error {
		b, err := tx.Get(key(keyLayer, root.Bytes()))
		for ; len(b) >= 32; b = b[32:] {
			layer = append(layer, piece.Hash(b[:32]))
		}
		return err
	})
	if err != nil {
		return nil, fail("layer of a shard", err)
	}
	return layer, nil
}

// ByPiece returns the shard with a piece root, or ErrNotFound.
func (s *Store) ByPiece(_ context.Context, p piece.Hash) (Shard, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, r := range s.shards {
		if r.Piece == p {
			return r.shard(), nil
		}
	}
	return Shard{}, fmt.Errorf("piece %x: %w", p, ErrNotFound)
}
