package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"tally/protocol/piece"
	"tally/protocol/piece/lanes"
	"tally/storage/car"
	"tally/storage/unixfs"
)

// batchLeaves is how many leaves are read and hashed together: as many as the
// widest processor has lanes. Two batches are in memory.
const batchLeaves = 16

// errLength says that a source is not as long as it said.
var errLength = errors.New("storage: source is not of the length that it said")

// sizeOf returns how many bytes r has left, for sources that can tell and be read
// again. What says that it is empty may be a device.
func sizeOf(r io.Reader) (s io.ReadSeeker, at, size int64) {
	s, ok := r.(io.ReadSeeker)
	if !ok {
		return nil, 0, 0
	}
	at, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, 0, 0
	}
	end, err := s.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, 0
	}
	if _, err := s.Seek(at, io.SeekStart); err != nil || end <= at {
		return nil, 0, 0
	}
	return s, at, end - at
}

// inplace is a file of known size on its way into a shard in one write. Where
// everything goes is known before the file is read: the header, the node over the
// leaves, the leaves. So leaves are written where they stay while they are hashed,
// and what precedes them last. The piece root is made of the layer: of the spans
// that follow the first, hashed in passing, and of the first, which is kept until
// what precedes the leaves is known.
//
// See docs/RATIONALE.md#why-is-a-car-file-written-twice-on-import for the imports
// that cannot go this way.
type inplace struct {
	k    *core
	size uint64  // of the source
	of   cid.Cid // whose the shard is, if it is private
	gap  uint64  // where the first leaf's section begins
	most uint64  // bytes of the file if no leaf comes twice

	front  []byte // what of the first span is known; the gap comes last
	end    uint64 // where the next section goes
	leaves []cid.Cid
	places []entry // of the blocks that are written, a leaf once
	seen   map[cid.Cid]struct{}
	tail   *piece.Hasher // of what follows the first span; owned by run's goroutine until it ends
}

// newInplace returns nil for a file that has more leaves than one node, or does not
// fit a shard unless leaves come twice.
func (k *core) newInplace(size uint64) (*inplace, error) {
	n := unixfs.Leaves(size)
	if n > unixfs.MaxLeaves {
		return nil, nil
	}
	p := &inplace{k: k, size: size, gap: car.HeaderLen, seen: make(map[cid.Cid]struct{}, n), tail: piece.New(true)}
	if n > 1 {
		some := make([]cid.Cid, n)
		for i := range some {
			some[i] = leafCID(piece.Hash{})
		}
		_, node, err := unixfs.FileNode(some, size)
		if err != nil {
			return nil, err
		}
		p.gap += car.SectionLen(len(node))
	}
	last := size - (n-1)*unixfs.LeafSize
	p.most = p.gap + (n-1)*car.SectionLen(unixfs.LeafSize) + car.SectionLen(int(last))
	if p.most > k.max || p.gap > piece.LayerSpan {
		return nil, nil
	}
	p.end = p.gap
	p.front = make([]byte, p.gap, min(piece.LayerSpan, p.most))
	return p, nil
}

// importInplace reads size bytes of r. errLength says that r has another length.
func (k *core) importInplace(ctx context.Context, r io.Reader, p *inplace) (Shard, error) {
	res, err := k.reserve(p.most + indexCost(int(unixfs.Leaves(p.size))+1, p.most))
	if err != nil {
		return Shard{}, err
	}
	defer res.Release()
	res.of = p.of
	f, err := k.temporary()
	if err != nil {
		return Shard{}, err
	}
	defer func() { _ = f.Close(); _ = os.Remove(f.Name()) }()
	if err := p.run(ctx, r, f, res); err != nil {
		return Shard{}, err
	}
	rec, err := p.close(f)
	if err != nil {
		return Shard{}, err
	}
	return k.settle(f, rec, res)
}

// batch is sections of the file that follow each other.
type batch struct {
	b    []byte
	skip int // of them that are in front
}

// run reads and writes the leaves while the piece tree grows beside it: the work
// of two processors.
func (p *inplace) run(ctx context.Context, r io.Reader, f *os.File, res *reservation) error {
	n := int(unixfs.Leaves(p.size))
	free := make(chan []byte, 2)
	for range min(2, (n+batchLeaves-1)/batchLeaves) {
		free <- make([]byte, min(batchLeaves*car.SectionLen(unixfs.LeafSize), p.most-p.gap))
	}
	work, done := make(chan batch, 1), make(chan struct{})
	go func() {
		defer close(done)
		for w := range work {
			_, _ = p.tail.Write(w.b[w.skip:])
			free <- w.b[:cap(w.b)]
		}
	}()
	defer func() { close(work); <-done }()
	for left := p.size; left > 0; {
		some := min(left, batchLeaves*unixfs.LeafSize)
		b, err := p.batch(ctx, r, <-free, int(some))
		if err != nil {
			return err
		}
		left -= some
		had := len(p.front)
		p.front = append(p.front, b[:min(len(b), cap(p.front)-had)]...)
		work <- batch{b, len(p.front) - had}
		if _, err := f.WriteAt(b, int64(p.end)); err != nil {
			return fail("write shard", err)
		}
		if !p.k.temp {
			startWriting(f, int64(p.end), int64(len(b)))
		}
		p.end += uint64(len(b))
		res.Wrote(p.end)
	}
	var more [1]byte
	if _, err := io.ReadFull(r, more[:]); err == nil {
		return errLength
	} else if !errors.Is(err, io.EOF) {
		return fail("import", err)
	}
	return nil
}

// batch reads the next size bytes of r into b as sections, and leaves those out
// whose leaf was there before.
func (p *inplace) batch(ctx context.Context, r io.Reader, b []byte, size int) ([]byte, error) {
	var at []int // where the data of each leaf begins
	var data [][]byte
	for end := 0; size > 0; {
		if err := ctx.Err(); err != nil {
			return nil, fail("import", err)
		}
		n := min(size, unixfs.LeafSize)
		from := end + int(car.SectionLen(n)) - n
		end = from + n
		if _, err := io.ReadFull(r, b[from:end]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errLength
		} else if err != nil {
			return nil, fail("import", err)
		}
		at, data = append(at, from), append(data, b[from:end])
		size -= n
	}
	sums := make([]piece.Hash, len(data))
	lanes.Plain(sums, data)
	end := 0
	for i, d := range data {
		c := leafCID(sums[i])
		p.leaves = append(p.leaves, c)
		if _, ok := p.seen[c]; ok {
			continue
		}
		p.seen[c] = struct{}{}
		head := car.AppendHead(b[end:end], c, len(d))
		end += len(head)
		if end != at[i] {
			copy(b[end:], d)
		}
		p.places = append(p.places, entry{string(c.Hash()), p.end + uint64(end), len(d)})
		end += len(d)
	}
	return b[:end], nil
}

// close writes what precedes the leaves and returns what the shard is.
func (p *inplace) close(f *os.File) (*record, error) {
	root := p.leaves[0]
	head := make([]byte, 0, p.gap)
	if len(p.leaves) > 1 {
		c, node, err := unixfs.FileNode(p.leaves, p.size)
		if err != nil {
			return nil, err
		}
		root = c
		head = car.AppendHeader(head, root)
		head = append(car.AppendHead(head, root, len(node)), node...)
		p.places = append([]entry{{string(c.Hash()), p.gap - uint64(len(node)), len(node)}}, p.places...)
	} else {
		head = car.AppendHeader(head, root)
	}
	if uint64(len(head)) != p.gap {
		return nil, fmt.Errorf("storage: import: %d bytes precede the leaves of a file of %d, not %d", len(head), p.size, p.gap)
	}
	copy(p.front, head)
	if _, err := f.WriteAt(head, 0); err != nil {
		return nil, fail("write shard", err)
	}
	rec := newRecord(root)
	rec.entries, rec.Blocks = p.places, len(p.places)
	if p.end <= piece.LayerSpan {
		h := piece.New(true)
		_, _ = h.Write(p.front)
		rec.finish(h)
		return rec, nil
	}
	first, err := piece.SpanNode(p.front)
	if err != nil {
		return nil, fail("import", err)
	}
	rec.Size, rec.layer = p.end, append([]piece.Hash{first}, p.tail.Layer()...)
	if rec.Piece, err = piece.RootOf(rec.Size, rec.layer); err != nil {
		return nil, fail("import", err)
	}
	return rec, nil
}

// leafCID returns the CID of a raw leaf with this digest.
func leafCID(sum piece.Hash) cid.Cid {
	h := make(multihash.Multihash, 0, 34)
	h = append(h, multihash.SHA2_256, byte(len(sum)))
	return cid.NewCidV1(cid.Raw, append(h, sum[:]...))
}
