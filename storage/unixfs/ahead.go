package unixfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/boxo/ipld/unixfs"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

// Bulk is a Getter that reads and checks several blocks faster than one by one.
// Files are read through it where the Getter is one.
type Bulk interface {
	Getter
	// GetBlocks returns the bytes of blocks, each checked, in buf as far as it has
	// room, and buf or what took its place. All may be overwritten once the buffer
	// is given again.
	GetBlocks(ctx context.Context, cs []cid.Cid, buf []byte) (data [][]byte, grown []byte, err error)
	// Ahead returns how many blocks a reader may ask for at once, twice over, until
	// it calls done: what all readers hold is bounded by it.
	Ahead() (blocks int, done func())
}

// fewBlocks is how many blocks are read at once without asking.
const fewBlocks = 2

// leaf is a part of a file.
type leaf struct {
	c        cid.Cid
	off, end uint64
}

// leavesOf returns the leaves of a file whose node links to nothing else, or
// false: it is for boxo to read.
func leavesOf(n ipld.Node) ([]leaf, bool) {
	p, ok := n.(*merkledag.ProtoNode)
	if !ok {
		return nil, false
	}
	f, err := unixfs.FSNodeFromBytes(p.Data())
	if err != nil || f.Type() != unixfs.TFile || len(f.Data()) > 0 {
		return nil, false
	}
	links, sizes := p.Links(), f.BlockSizes()
	if len(links) == 0 || len(links) != len(sizes) {
		return nil, false
	}
	leaves := make([]leaf, len(links))
	off := uint64(0)
	for i, l := range links {
		if l.Cid.Type() != cid.Raw || sizes[i] == 0 || sizes[i] > maxLeaf {
			return nil, false
		}
		leaves[i] = leaf{l.Cid, off, off + sizes[i]}
		off += sizes[i]
	}
	return leaves, off == f.FileSize()
}

// maxLeaf is the largest leaf that is read ahead: the largest block there is.
const maxLeaf = 2 << 20

// load is some leaves that are being read.
type load struct {
	first int // of the leaves
	n     int
	done  chan struct{} // closed when data, buf and err are there
	data  [][]byte
	buf   []byte
	err   error
}

// ahead reads a file leaf by leaf, and while it is read in order the next ones
// before they are asked for, on another processor. It begins with one leaf, so
// that a reader who jumps about pays for no more, and doubles.
type ahead struct {
	ctx    context.Context
	cancel context.CancelFunc
	b      Bulk
	leaves []leaf
	pos    uint64

	queue  []*load // what pos is in, then the next
	next   int     // the leaf after those in queue
	step   int     // how many leaves the last load was of
	order  bool    // reading went from one load on to the next
	wide   int     // the most of one load; 0 before Ahead was asked
	leave  func()  // gives back what Ahead gave
	spare  [][]byte
	closed bool
}

func newAhead(ctx context.Context, b Bulk, leaves []leaf) *ahead {
	ctx, cancel := context.WithCancel(ctx)
	return &ahead{ctx: ctx, cancel: cancel, b: b, leaves: leaves, leave: func() {}}
}

func (r *ahead) Size() uint64 { return r.leaves[len(r.leaves)-1].end }

// start begins the next load.
func (r *ahead) start() {
	switch {
	case len(r.queue) == 0 && r.step == 0:
		r.step = 1
	case r.step < fewBlocks:
		r.step = fewBlocks
	default:
		if r.wide == 0 {
			r.wide, r.leave = r.b.Ahead()
			r.wide = max(r.wide, fewBlocks)
		}
		r.step = min(2*r.step, r.wide)
	}
	l := &load{first: r.next, n: min(r.step, len(r.leaves)-r.next), done: make(chan struct{})}
	if n := len(r.spare); n > 0 {
		l.buf, r.spare = r.spare[n-1], r.spare[:n-1]
	}
	r.next += l.n
	r.queue = append(r.queue, l)
	go r.run(l, r.leaves[l.first:][:l.n])
}

// run is a goroutine of its own; it ends with the load.
func (r *ahead) run(l *load, leaves []leaf) {
	defer close(l.done)
	cs := make([]cid.Cid, len(leaves))
	for i := range leaves {
		cs[i] = leaves[i].c
	}
	if l.data, l.buf, l.err = r.b.GetBlocks(r.ctx, cs, l.buf); l.err != nil {
		return
	}
	for i, x := range leaves {
		if uint64(len(l.data[i])) != x.end-x.off {
			l.err = fmt.Errorf("leaf %s of %d bytes, not %d as its file says: %w", x.c, len(l.data[i]), x.end-x.off, ErrNotUnixFS)
			return
		}
	}
}

// pop forgets the first load, once it ended.
func (r *ahead) pop() {
	l := r.queue[0]
	<-l.done
	if len(r.spare) < 2 {
		r.spare = append(r.spare, l.buf)
	}
	r.queue = slices.Delete(r.queue, 0, 1)
}

// drop forgets all that was read ahead.
func (r *ahead) drop() {
	for len(r.queue) > 0 {
		r.pop()
	}
	r.leave()
	r.step, r.order, r.wide, r.leave, r.spare = 0, false, 0, func() {}, nil
}

// data returns bytes at pos, at least one, or io.EOF.
func (r *ahead) data() ([]byte, error) {
	if r.closed {
		return nil, errClosed
	}
	if r.pos >= r.Size() {
		return nil, io.EOF
	}
	at, _ := slices.BinarySearchFunc(r.leaves, r.pos, func(l leaf, pos uint64) int {
		switch {
		case l.end <= pos:
			return -1
		case l.off > pos:
			return 1
		}
		return 0
	})
	for len(r.queue) > 0 && at >= r.queue[0].first+r.queue[0].n {
		r.pop()
		r.order = true
	}
	if len(r.queue) > 0 && at < r.queue[0].first || len(r.queue) == 0 && at != r.next {
		r.drop()
		r.next = at
	}
	for (len(r.queue) == 0 || len(r.queue) == 1 && r.order) && r.next < len(r.leaves) {
		r.start()
	}
	l := r.queue[0]
	<-l.done
	if l.err != nil {
		r.drop() // another try reads it again
		r.next = at
		return nil, l.err
	}
	x := r.leaves[at]
	return l.data[at-l.first][r.pos-x.off:], nil
}

func (r *ahead) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := r.data()
	n := copy(p, b)
	r.pos += uint64(n)
	return n, err
}

// WriteTo writes the rest of the file, without a copy.
func (r *ahead) WriteTo(w io.Writer) (int64, error) {
	sum := int64(0)
	for {
		b, err := r.data()
		if errors.Is(err, io.EOF) {
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
		n, err := w.Write(b)
		r.pos += uint64(n)
		sum += int64(n)
		if err != nil {
			return sum, err
		}
		if n < len(b) {
			return sum, io.ErrShortWrite
		}
	}
}

func (r *ahead) Seek(off int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		off += int64(r.pos)
	case io.SeekEnd:
		off += int64(r.Size())
	default:
		return 0, fmt.Errorf("unixfs: seek: whence %d", whence)
	}
	if off < 0 {
		return 0, errors.New("unixfs: seek before the beginning")
	}
	r.pos = uint64(off)
	return off, nil
}

var errClosed = errors.New("unixfs: file is closed")

// Close ends all reading ahead.
func (r *ahead) Close() error {
	r.closed = true
	r.cancel()
	r.drop()
	return nil
}
