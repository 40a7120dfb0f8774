package join

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/storage"
	"tally/storage/records"
	"tally/storage/shardstream"
)

// Bounds of what is fetched on somebody's word.
const (
	maxDocument  = protocol.MaxDocument
	fetchTimeout = 5 * time.Minute

	documentStall = 10 * time.Second // without a valid copy of a document
)

// Store keeps documents and data, and gets from others what is not here.
type Store struct {
	S      *storage.Store
	Shards *shardstream.Fetcher // nil fetches block by block
	Down   *shardstream.Budget  // of what is fetched block by block without Shards; nil is no bound
}

// PutBlock keeps a document, pins it and lets others find it.
func (s Store) PutBlock(ctx context.Context, b []byte) (cid.Cid, error) {
	return s.Put(ctx, b, "document")
}

// Put is PutBlock with a reason that a list of pins shows.
func (s Store) Put(ctx context.Context, b []byte, why string) (cid.Cid, error) {
	c, err := s.S.PutNode(ctx, b)
	if err != nil {
		return cid.Undef, err
	}
	return c, s.S.Pin(ctx, c, storage.PinInfo{Why: why})
}

// GetBlock finds a document here or with other nodes.
func (s Store) GetBlock(ctx context.Context, c cid.Cid) ([]byte, error) {
	b, err := s.S.GetBlock(ctx, c)
	if err == nil || !errors.Is(err, storage.ErrNotFound) && !errors.Is(err, storage.ErrCorrupt) {
		return b, err
	}
	if err := s.S.FetchDAG(ctx, c, 0, nil, storage.MaxBytes(maxDocument), storage.Stall(documentStall)); err != nil {
		return nil, err
	}
	return s.S.GetBlock(ctx, c)
}

// Local is a document that is here.
func (s Store) Local(ctx context.Context, c cid.Cid) ([]byte, error) { return s.S.GetBlock(ctx, c) }

// Get is GetBlock.
func (s Store) Get(ctx context.Context, c cid.Cid) ([]byte, error) { return s.GetBlock(ctx, c) }

// ImportFile makes a shard of a file.
func (s Store) ImportFile(ctx context.Context, r io.Reader) (cid.Cid, error) {
	sh, err := s.S.ImportFile(ctx, r)
	return sh.Root, err
}

// Import makes a shard of a file, pins it and lets others find it.
func (s Store) Import(ctx context.Context, r io.Reader, why string) (storage.Shard, error) {
	sh, err := s.S.ImportFile(ctx, r)
	if err != nil {
		return storage.Shard{}, err
	}
	return sh, s.S.Pin(ctx, sh.Root, storage.PinInfo{Why: why})
}

// ImportFS makes a shard of a directory.
func (s Store) ImportFS(ctx context.Context, files fs.FS) (cid.Cid, error) {
	sh, err := s.S.ImportDir(ctx, files)
	return sh.Root, err
}

// OpenFile opens a file that is here.
func (s Store) OpenFile(ctx context.Context, c cid.Cid) (io.ReadCloser, error) {
	return s.S.OpenFile(ctx, c)
}

// FS opens a directory that is here; a single file is shown as a directory with
// that file in it.
func (s Store) FS(ctx context.Context, c cid.Cid) (fs.FS, error) {
	f, err := s.S.FS(ctx, c)
	if err == nil {
		return f, nil
	}
	one, err2 := newOneFile(ctx, s.S, c)
	if err2 != nil {
		return nil, errors.Join(err, err2)
	}
	return one, nil
}

// Texts is FS of a datanet's shard, which is a file, as protocol text.
func (s Store) Texts(ctx context.Context, c cid.Cid, schema, field string) (fs.FS, error) {
	if schema == records.Text {
		return s.FS(ctx, c)
	}
	if err := records.Validate(schema, field); err != nil {
		return nil, err
	}
	f, err := newOneFile(ctx, s.S, c)
	if err != nil {
		return nil, err
	}
	o := f.(oneFile)
	o.schema, o.field = schema, field
	return o, nil
}

// Fetch gets a DAG from other nodes unless it is here. Of a shard whose piece root is known: FetchShard.
func (s Store) Fetch(ctx context.Context, c cid.Cid) error {
	if _, err := s.S.Stat(ctx, c); err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	return s.get(ctx, shardstream.Want{Root: c})
}

// Pin keeps a DAG until a time, 0 for good, and lets others find it.
func (s Store) Pin(ctx context.Context, c cid.Cid, why string, until uint64) error {
	return s.S.Pin(ctx, c, storage.PinInfo{Why: why, Until: until})
}

// Piece is the piece root and length of a DAG's CAR file.
func (s Store) Piece(ctx context.Context, root cid.Cid) (common.Hash, uint64, error) {
	sh, err := s.S.Stat(ctx, root)
	if err != nil {
		return common.Hash{}, 0, err
	}
	return common.Hash(sh.Piece), sh.Size, nil
}

// Range reads part of a DAG's CAR file.
func (s Store) Range(ctx context.Context, root cid.Cid, off, n uint64) ([]byte, error) {
	return s.S.Range(ctx, root, off, n)
}
