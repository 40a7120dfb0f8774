package storage

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ipfs/go-cid"

	"tally/protocol/piece"
	"tally/storage/car"
)

// Source brings parts of shards from nodes that hold them: a shardstream.Fetcher is one.
type Source interface {
	// Range returns n bytes at off of the file of a shard, as some holder sent them for
	// which good returned nil. It ends soon after ctx does.
	Range(ctx context.Context, root cid.Cid, off uint64, n int, good func([]byte) error) ([]byte, error)
}

// WithSource returns a view of the same store whose readers are given other nodes'
// blocks in place of those that are damaged here: see GetBlock. src may be nil, and then
// only the exchange is asked, for blocks that are not of private shards alone.
func (s *Store) WithSource(src Source) *Store {
	view := *s
	view.source = src
	return &view
}

// reader reads for the users of this node: a unixfs.Bulk.
type reader struct{ s *Store }

func (r reader) Ahead() (blocks int, done func()) { return r.s.Ahead() }

func (r reader) GetBlock(ctx context.Context, c cid.Cid) ([]byte, error) {
	return r.s.GetBlock(ctx, c)
}

func (r reader) GetBlocks(ctx context.Context, cs []cid.Cid, buf []byte) (data [][]byte, grown []byte, err error) {
	return r.s.getBlocks(ctx, cs, buf, r.s.GetBlock)
}

// borrow gets a block from other nodes of which every copy here is bad.
func (s *Store) borrow(ctx context.Context, c cid.Cid) ([]byte, error) {
	ps, err := s.places(c.Hash())
	if err != nil {
		return nil, err
	}
	of := c // a loose block stands for itself
	var in []lentPlace
	for _, p := range ps {
		if r := s.byPlace(p); r != nil {
			of = r.Root
			in = append(in, lentPlace{p, r.Root})
		}
	}
	return s.desk.Block(ctx, of, c, func(ctx context.Context) ([]byte, error) {
		data, err := s.lend(ctx, c, in)
		if err == nil && len(in) == 0 {
			err = s.putLoose(c, data) // which makes it whole
		}
		return data, err
	})
}

// lentPlace is a place of a block in a shard that others may hold.
type lentPlace struct {
	place
	root cid.Cid
}

// errNoSource says that there is nobody to ask.
var errNoSource = errors.New("storage: nobody to ask")

// lend asks other nodes for a block, and checks it.
func (s *Store) lend(ctx context.Context, c cid.Cid, in []lentPlace) ([]byte, error) {
	err := errNoSource
	for _, p := range in {
		if s.source == nil {
			break
		}
		data, e := s.source.Range(ctx, p.root, p.off, int(p.len), func(b []byte) error { return car.CheckBlock(c, b) })
		if e == nil {
			e = car.CheckBlock(c, data)
		}
		if e == nil {
			return data, nil
		}
		err = errors.Join(err, e)
	}
	// Who asks an exchange tells everybody what it holds.
	if s.exchange == nil || s.visible(c) != nil {
		return nil, err
	}
	b, e := s.exchange.GetBlock(ctx, c)
	if e == nil {
		e = car.CheckBlock(c, b.RawData())
	}
	if e != nil {
		return nil, errors.Join(err, e)
	}
	return b.RawData(), nil
}

// lends says whether there is anybody to borrow from.
func (s *Store) lends() bool { return s.source != nil || s.exchange != nil }

// ExportCAR writes the file of a shard to w, checking every block. What is damaged
// here is borrowed, as GetBlock does: what is written is the shard as it should be, or an
// error comes.
func (s *Store) ExportCAR(ctx context.Context, root cid.Cid, w io.Writer) error {
	f, r, err := s.openCAR(root)
	if err != nil {
		return fmt.Errorf("export CAR: %w", err)
	}
	defer func() { _ = f.Close() }()
	out := &counted{w: w}
	_, err = s.check(ctx, f, out, root, 0, nil)
	if err != nil && out.err == nil && ctx.Err() == nil {
		s.suspect(root)
		if s.lends() {
			err = s.exportLent(ctx, r, out)
		}
	}
	if err != nil {
		return fmt.Errorf("export CAR %s: %w", root, err)
	}
	return nil
}

// exportLent goes on with an export whose file proved damaged. A file in canonical form
// follows from its blocks, so that it can be written again from them, past what was
// written already.
func (s *Store) exportLent(ctx context.Context, r *record, out *counted) error {
	h := piece.New(false)
	rest := &counted{w: out.w, skip: out.n}
	_, err := car.Write(ctx, io.MultiWriter(rest, h), r.Root, r.Size, s.GetBlock, nil)
	if err == nil && h.Root() != r.Piece {
		err = fmt.Errorf("its blocks make another file than its piece root says: %w", ErrCorrupt)
	}
	return err
}

// counted counts what was written to w, leaving out the first skip bytes.
type counted struct {
	w    io.Writer
	skip uint64
	n    uint64
	err  error // of w
}

func (c *counted) Write(p []byte) (int, error) {
	past := min(c.skip, uint64(len(p)))
	c.skip -= past
	n, err := c.w.Write(p[past:])
	c.n += uint64(n)
	if err != nil {
		c.err = err
	}
	return int(past) + n, err
}
