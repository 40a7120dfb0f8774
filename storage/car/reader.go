package car

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/ipfs/go-cid"
)

// Block is one checked block of a file.
type Block struct {
	CID    cid.Cid
	Data   []byte // valid until the next call of Next
	Offset uint64 // of Data in the file
}

// End returns the offset in the file at which the block ends.
func (b Block) End() uint64 { return b.Offset + uint64(len(b.Data)) }

// Reader streams the blocks of a canonical file, checking as it goes.
type Reader struct {
	r    *bufio.Reader
	root cid.Cid
	off  uint64
	max  uint64
	walk *walk
	buf  []byte
	err  error // what Next ended with
}

// NewReader reads the header. Unless want is cid.Undef the root must be it. No
// more than max bytes are accepted; 0 means no limit but MaxBlocks.
func NewReader(r io.Reader, want cid.Cid, max uint64) (*Reader, error) {
	br, ok := r.(*bufio.Reader)
	if !ok {
		br = bufio.NewReaderSize(r, 64<<10)
	}
	var h [HeaderLen]byte
	if n, err := io.ReadFull(br, h[:]); err != nil {
		return nil, readErr("header", fmt.Sprintf("%d bytes", n), err)
	}
	_, root, err := cid.CidFromBytes(h[14 : 14+cidLen])
	if err != nil || string(header(root)) != string(h[:]) {
		return nil, fmt.Errorf("read header: %w", ErrHeader)
	}
	if err := CheckCID(root); err != nil {
		return nil, fmt.Errorf("read header: %w", err)
	}
	if want.Defined() && !root.Equals(want) {
		return nil, fmt.Errorf("read header: got %s, want %s: %w", root, want, ErrRoot)
	}
	return &Reader{r: br, root: root, off: HeaderLen, max: max, walk: newWalk(root)}, nil
}

// Root returns the root that the header names.
func (r *Reader) Root() cid.Cid { return r.root }

// Offset returns how many bytes of the file were read and found good.
func (r *Reader) Offset() uint64 { return r.off }

// Next returns the next block. After the last block of the DAG, and only
// there, it returns io.EOF; the stream must end there too. Other errors last.
func (r *Reader) Next() (Block, error) {
	if r.err != nil {
		return Block{}, r.err
	}
	b, err := r.next()
	if err != nil {
		r.err = err
	}
	return b, err
}

func (r *Reader) next() (Block, error) {
	want, more := r.walk.next()
	if !more {
		if _, err := r.r.ReadByte(); err == nil {
			return Block{}, fmt.Errorf("read after %d bytes: %w", r.off, ErrTrailing)
		} else if !errors.Is(err, io.EOF) {
			return Block{}, fmt.Errorf("car: read: %w", err)
		}
		return Block{}, io.EOF
	}
	size, n, err := r.varint()
	if err != nil {
		return Block{}, readErr("length of block", want.String(), err)
	}
	if size < cidLen {
		return Block{}, fmt.Errorf("read block %s: section of %d bytes: %w", want, size, ErrCID)
	}
	if size > cidLen+MaxBlock {
		return Block{}, fmt.Errorf("read block %s: %d bytes: %w", want, size-cidLen, ErrBlockSize)
	}
	end := r.off + uint64(n) + size
	if r.max > 0 && end > r.max {
		return Block{}, fmt.Errorf("read block %s: ends at %d, limit %d: %w", want, end, r.max, ErrTooLarge)
	}
	var head [cidLen]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return Block{}, readErr("CID of block", want.String(), err)
	}
	if string(head[:]) != want.KeyString() {
		_, got, err := cid.CidFromBytes(head[:])
		if err != nil || CheckCID(got) != nil {
			return Block{}, fmt.Errorf("read at %d, want block %s: %w", r.off, want, ErrCID)
		}
		return Block{}, fmt.Errorf("read at %d: got block %s, want %s: %w", r.off, got, want, ErrOrder)
	}
	data, err := r.read(int(size - cidLen))
	if err != nil {
		return Block{}, readErr("block", want.String(), err)
	}
	if err := CheckBlock(want, data); err != nil {
		return Block{}, err
	}
	if err := r.walk.visit(want, data); err != nil {
		return Block{}, err
	}
	b := Block{CID: want, Data: data, Offset: end - uint64(len(data))}
	r.off = end
	return b, nil
}

// read fills the buffer with n bytes, growing it no faster than they arrive.
func (r *Reader) read(n int) ([]byte, error) {
	const step = 64 << 10
	for have := 0; have < n; {
		to := min(n, max(have+step, 2*have))
		if to > len(r.buf) {
			r.buf = append(r.buf, make([]byte, to-len(r.buf))...)
		}
		m, err := io.ReadFull(r.r, r.buf[have:to])
		if have += m; err != nil {
			return nil, err
		}
	}
	return r.buf[:n], nil
}

// varint reads a minimal varint of at most four bytes (2^28 is far above
// MaxBlock).
func (r *Reader) varint() (v uint64, n int, err error) {
	for {
		c, err := r.r.ReadByte()
		if err != nil {
			if n > 0 && errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, n, err
		}
		v |= uint64(c&0x7f) << (7 * n)
		n++
		switch {
		case c < 0x80 && c == 0 && n > 1:
			return 0, n, ErrVarint
		case c < 0x80:
			return v, n, nil
		case n == 4:
			return 0, n, ErrVarint
		}
	}
}

// readErr tells an early end from an error of the source.
func readErr(what, which string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read %s %s: %w", what, which, ErrTruncated)
	}
	return fmt.Errorf("car: read %s %s: %w", what, which, err)
}
