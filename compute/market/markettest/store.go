package markettest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"testing/fstest"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"tally/protocol"
	"tally/protocol/piece"
)

// ErrMissing says that no living node holds a block.
var ErrMissing = errors.New("markettest: no living node holds it")

// Store keeps blocks by CID: a file is one raw block, a directory a dag-cbor
// list of its files, and the CAR file of a DAG stands for its file's bytes.
type Store struct {
	n *Node

	mu     sync.Mutex
	blocks map[cid.Cid][]byte   // guarded by mu
	pins   map[cid.Cid][]string // guarded by mu; reasons
}

func newStore(n *Node) *Store {
	return &Store{n: n, blocks: map[cid.Cid][]byte{}, pins: map[cid.Cid][]string{}}
}

type entry struct {
	Name string
	File cid.Cid
}

type directory struct {
	Entries []entry
}

func rawCID(b []byte) (cid.Cid, error) {
	h, err := multihash.Sum(b, multihash.SHA2_256, -1)
	if err != nil {
		return cid.Undef, err
	}
	return cid.NewCidV1(cid.Raw, h), nil
}

func (s *Store) put(c cid.Cid, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocks[c] = bytes.Clone(b)
}

// Lose removes a block, as a broken disk would.
func (s *Store) Lose(c cid.Cid) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.blocks, c)
}

// Pinned lists why c is pinned.
func (s *Store) Pinned(c cid.Cid) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.pins[c])
}

func (s *Store) local(c cid.Cid) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.blocks[c]
	return b, ok
}

// PutBlock keeps a document.
func (s *Store) PutBlock(_ context.Context, b []byte) (cid.Cid, error) {
	c := protocol.CIDOf(b)
	s.put(c, b)
	return c, nil
}

// GetBlock copies the block from a living node where it is not here.
func (s *Store) GetBlock(ctx context.Context, c cid.Cid) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if b, ok := s.local(c); ok {
		return bytes.Clone(b), nil
	}
	for _, n := range s.n.w.living(s.n) {
		if b, ok := n.Store.local(c); ok {
			s.put(c, b)
			return bytes.Clone(b), nil
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrMissing, c)
}

// ImportFile keeps a file.
func (s *Store) ImportFile(_ context.Context, r io.Reader) (cid.Cid, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return cid.Undef, err
	}
	c, err := rawCID(b)
	if err == nil {
		s.put(c, b)
	}
	return c, err
}

// ImportFS keeps the files of one directory.
func (s *Store) ImportFS(ctx context.Context, files fs.FS) (cid.Cid, error) {
	list, err := fs.ReadDir(files, ".")
	if err != nil {
		return cid.Undef, err
	}
	var d directory
	for _, e := range list {
		b, err := fs.ReadFile(files, e.Name())
		if err != nil {
			return cid.Undef, err
		}
		c, err := s.ImportFile(ctx, bytes.NewReader(b))
		if err != nil {
			return cid.Undef, err
		}
		d.Entries = append(d.Entries, entry{e.Name(), c})
	}
	raw, err := protocol.Encode(d)
	if err != nil {
		return cid.Undef, err
	}
	return s.PutBlock(ctx, raw)
}

// OpenFile reads a file that is here.
func (s *Store) OpenFile(_ context.Context, c cid.Cid) (io.ReadCloser, error) {
	b, ok := s.local(c)
	if !ok {
		return nil, fmt.Errorf("%w: %s is not here: fetch it", ErrMissing, c)
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// Texts knows one schema, text.
func (s *Store) Texts(ctx context.Context, c cid.Cid, schema, field string) (fs.FS, error) {
	if schema != "text" || field != "" {
		return nil, fmt.Errorf("%w: schema %q, field %q", ErrMissing, schema, field)
	}
	return s.FS(ctx, c)
}

// FS opens a directory that is here, or a file as a directory of one.
func (s *Store) FS(_ context.Context, c cid.Cid) (fs.FS, error) {
	b, ok := s.local(c)
	if !ok {
		return nil, fmt.Errorf("%w: %s is not here: fetch it", ErrMissing, c)
	}
	if c.Type() == cid.Raw {
		return fstest.MapFS{"data": {Data: b}}, nil
	}
	var d directory
	if err := protocol.Decode(b, &d); err != nil {
		return nil, err
	}
	out := fstest.MapFS{}
	for _, e := range d.Entries {
		b, ok := s.local(e.File)
		if !ok {
			return nil, fmt.Errorf("%w: %s is not here: fetch it", ErrMissing, e.Name)
		}
		out[e.Name] = &fstest.MapFile{Data: b}
	}
	return out, nil
}

// Fetch copies a DAG here.
func (s *Store) Fetch(ctx context.Context, c cid.Cid) error {
	b, err := s.GetBlock(ctx, c)
	if err != nil || c.Type() == cid.Raw {
		return err
	}
	var d directory
	if protocol.Decode(b, &d) != nil {
		return nil // a document
	}
	for _, e := range d.Entries {
		if err := s.Fetch(ctx, e.File); err != nil {
			return err
		}
	}
	return nil
}

// Pin remembers why.
func (s *Store) Pin(_ context.Context, c cid.Cid, why string, _ uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.blocks[c]; !ok {
		return fmt.Errorf("%w: %s is not here: fetch it", ErrMissing, c)
	}
	if !slices.Contains(s.pins[c], why) {
		s.pins[c] = append(s.pins[c], why)
	}
	return nil
}

// Piece is the piece root of a file's bytes.
func (s *Store) Piece(_ context.Context, root cid.Cid) (common.Hash, uint64, error) {
	b, ok := s.local(root)
	if !ok {
		return common.Hash{}, 0, fmt.Errorf("%w: %s", ErrMissing, root)
	}
	h := piece.New(false)
	if _, err := h.Write(b); err != nil {
		return common.Hash{}, 0, err
	}
	return common.Hash(h.Root()), uint64(len(b)), nil
}

// Range reads part of a file.
func (s *Store) Range(_ context.Context, root cid.Cid, off, n uint64) ([]byte, error) {
	b, ok := s.local(root)
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrMissing, root)
	}
	if off > uint64(len(b)) || n > uint64(len(b))-off {
		return nil, fmt.Errorf("markettest: range %d+%d of %d bytes", off, n, len(b))
	}
	return bytes.Clone(b[off : off+n]), nil
}
