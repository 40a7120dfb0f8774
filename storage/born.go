package storage

import (
	"context"
	"io"

	"github.com/ipfs/go-cid"
)

// ImportPrivateFile is ImportFile for a shard that is marked as SetPrivate marks it
// before it is a shard: at no moment, and after no crash, does Blockstore show it. A shard
// that was here keeps the mark that it has, or none: its caller decides.
func (s *Store) ImportPrivateFile(ctx context.Context, r io.Reader, of cid.Cid) (Shard, error) {
	if err := checkOf(of); err != nil {
		return Shard{}, err
	}
	return s.importFile(ctx, r, of)
}

// ImportPrivateCAR is ImportCAR as ImportPrivateFile is ImportFile.
func (s *Store) ImportPrivateCAR(ctx context.Context, r io.Reader, want, of cid.Cid) (Shard, error) {
	if err := checkOf(of); err != nil {
		return Shard{}, err
	}
	return s.importCAR(ctx, r, want, of)
}

// bornPrivate marks what is about to become a shard, unless it is known whose it is. A
// crash between leaves a mark without a shard, which Collect removes. The caller holds
// commit.
func (k *core) bornPrivate(root, of cid.Cid) error {
	if !of.Defined() {
		return nil
	}
	if m, ok := k.private.get(root); ok && m.of.Defined() {
		return nil
	}
	return k.mark(root, of)
}
