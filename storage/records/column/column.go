// Package column reads one column of strings out of a Parquet file that nobody
// vouches for.
//
// Open reads the footer and keeps of it the schema and, for the column asked for,
// where its chunks lie; Next then gives the values one by one, a page at a time.
// Source: https://github.com/apache/parquet-format, version 2.11.
//
// It is a reader of its own because memory must be bounded before it is taken: a
// general library trusts the lengths that a file states, in the footer, in page
// headers, in compressed pages and in encodings, and a few bytes can state
// gigabytes. Here every length is held against what is really there:
//
//   - the footer is streamed: at most 64 MiB of it, 1,024 columns, 32,767 row
//     groups, 32 levels;
//   - a page, and a dictionary, has at most 64 MiB uncompressed and 16 million
//     values; decompression gets a buffer of the stated size and must fill it;
//   - values are read lazily where they lie; a value is at most as long as Limits
//     allows;
//   - all that is decoded is at most 64 MiB and 64 times the file, so no file is
//     a bomb.
//
// At most 260 MiB are held (page and dictionary, compressed and not); 3 to 5 MiB
// in files as they are commonly written, with pages of 1 MiB.
//
// Read are byte arrays (strings, JSON, enums, untyped), required or optional, at
// the top or in groups; data pages of both versions; the encodings PLAIN,
// dictionary, DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY; no compression,
// SNAPPY, GZIP and ZSTD; checksums where there are any. Refused, each with its
// reason: repeated columns, encrypted files, chunks in other files, BROTLI, LZO,
// LZ4 and bit-packed levels. Indexes, filters and statistics are skipped.
//
// A Reader is not safe for concurrent use and starts no goroutine. A panic of a
// decompressor is caught and becomes ErrFile.
package column

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Each error says what to do; the message says where.
var (
	ErrFile        = errors.New("column: not a sound Parquet file: write it again")
	ErrUnsupported = errors.New("column: uses a part of Parquet that is not read here: write it with PLAIN or dictionary encoding and SNAPPY or ZSTD")
	ErrColumn      = errors.New("column: no such column of strings")
	ErrTooLarge    = errors.New("column: larger than allowed: write it with smaller pages and row groups")
)

const (
	magic        = "PAR1"
	sealedMagic  = "PARE" // footer encrypted
	tailLen      = 8
	maxFooter    = 64 << 20
	maxPage      = 64 << 20
	maxValues    = 1 << 24 // in a page
	maxColumns   = 1024
	maxGroups    = 1<<15 - 1
	maxDepth     = 32
	maxName      = 256
	expansion    = 64
	valueCost    = 8 // bytes of the budget that a value costs besides its own
	readerBuffer = 64 << 10
)

// Column is one column of the schema.
type Column struct {
	Name string // the path, joined by dots
	Type string // such as "string" or "int64"; "repeated" before it in lists
}

// Reader gives the values of a column.
type Reader struct {
	r       io.ReadSeeker
	buf     *bufio.Reader
	columns []Column
	leaf    leaf
	chunks  []chunk
	longest int
	budget  int64 // bytes that may still be decoded
	data    int64 // where the footer begins
	c       cursor
	err     error // sticky
}

// Open reads the footer of r, from its beginning to its end. longest bounds a
// value's bytes.
func Open(r io.ReadSeeker, name string, longest int) (_ *Reader, err error) {
	defer recovered(&err)
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("column: seek: %w", err)
	}
	if size < int64(2*len(magic)+tailLen) {
		return nil, fmt.Errorf("%w: %d bytes are too few", ErrFile, size)
	}
	f := &Reader{r: r, buf: bufio.NewReaderSize(r, readerBuffer), longest: longest, budget: maxPage + expansion*size}
	var head [4]byte
	if err := f.readAt(head[:], 0); err != nil {
		return nil, err
	}
	var tail [tailLen]byte
	if err := f.readAt(tail[:], size-tailLen); err != nil {
		return nil, err
	}
	if string(head[:]) == sealedMagic || string(tail[4:]) == sealedMagic {
		return nil, fmt.Errorf("%w: it is encrypted", ErrUnsupported)
	}
	if string(head[:]) != magic || string(tail[4:]) != magic {
		return nil, fmt.Errorf("%w: it does not begin and end with %s", ErrFile, magic)
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if n > size-int64(len(magic))-tailLen {
		return nil, fmt.Errorf("%w: a footer of %d bytes in a file of %d", ErrFile, n, size)
	}
	if n > maxFooter {
		return nil, fmt.Errorf("%w: a footer of %d bytes", ErrTooLarge, n)
	}
	f.data = size - tailLen - n
	if err := f.seek(f.data); err != nil {
		return nil, err
	}
	if err := f.footer(n, name); err != nil {
		return nil, err
	}
	return f, nil
}

// Columns are all columns of the file, in its order.
func (f *Reader) Columns() []Column { return f.columns }

// Next is the next value, valid until the next call; nil for null; io.EOF after
// the last.
func (f *Reader) Next() (value []byte, err error) {
	if f.err != nil {
		return nil, f.err
	}
	defer func() { f.err = err }()
	defer recovered(&err)
	return f.next()
}

// recovered, deferred, turns a panic into an error: decompressors are not ours.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", ErrFile, p)
	}
}

func (f *Reader) seek(at int64) error {
	if _, err := f.r.Seek(at, io.SeekStart); err != nil {
		return fmt.Errorf("column: seek: %w", err)
	}
	f.buf.Reset(f.r)
	return nil
}

func (f *Reader) readAt(p []byte, at int64) error {
	if err := f.seek(at); err != nil {
		return err
	}
	return readFull(f.buf, p)
}

func readFull(r io.Reader, p []byte) error {
	_, err := io.ReadFull(r, p)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: it ends too early", ErrFile)
	}
	if err != nil {
		return fmt.Errorf("column: read: %w", err)
	}
	return nil
}

// spend takes n bytes from the budget.
func (f *Reader) spend(n int64) error {
	if f.budget -= n; f.budget < 0 {
		return fmt.Errorf("%w: it decodes to more than %d times its size", ErrTooLarge, expansion)
	}
	return nil
}
