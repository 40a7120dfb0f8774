package column

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// cursor is where the reader stands.
type cursor struct {
	group      int   // the chunk under way, from 1
	left       int64 // values of it that are in pages not yet read
	end        int64 // bytes of it that are not yet read
	codec      int64
	dictionary *dictionary
	words      []byte // that the dictionary lies in; reused
	raw, page  []byte // of the page under way; reused
	count      int    // values of the page not yet given
	levels     *hybrid
	values     decoder
}

// decoder gives the values of a page that are not null, one by one.
type decoder interface{ value() ([]byte, error) }

func (f *Reader) next() ([]byte, error) {
	for f.c.count == 0 {
		if f.c.left == 0 {
			if f.c.group == len(f.chunks) {
				return nil, io.EOF
			}
			if err := f.chunk(f.chunks[f.c.group]); err != nil {
				return nil, err
			}
			continue
		}
		if err := f.page(); err != nil {
			return nil, fmt.Errorf("%w: row group %d", err, f.c.group)
		}
	}
	f.c.count--
	if f.c.levels != nil {
		level, err := f.c.levels.next()
		if err != nil {
			return nil, err
		}
		if int(level) != f.leaf.definition {
			if int(level) > f.leaf.definition {
				return nil, fmt.Errorf("%w: a definition level of %d, at most %d", ErrFile, level, f.leaf.definition)
			}
			return nil, nil
		}
	}
	v, err := f.c.values.value()
	if err != nil {
		return nil, fmt.Errorf("%w: row group %d", err, f.c.group)
	}
	if len(v) > f.longest {
		return nil, fmt.Errorf("%w: a value of %d bytes, at most %d", ErrTooLarge, len(v), f.longest)
	}
	if err := f.spend(int64(len(v))); err != nil {
		return nil, err
	}
	if v == nil {
		v = []byte{}
	}
	return v, nil
}

func (f *Reader) chunk(c chunk) error {
	f.c = cursor{group: f.c.group + 1, left: c.values, end: c.size, codec: c.codec, raw: f.c.raw, page: f.c.page, words: f.c.words}
	return f.seek(c.start)
}

// header is a PageHeader, as much as matters.
type header struct {
	kind             int64
	size, compressed int64
	checksum         uint32
	checked          bool
	body             bool // the header of its kind is there
	values, encoding int64
	levelEncoding    int64 // version 1
	definitions      int64 // version 2, and what follows
	repetitions      int64
	plain            bool // values are not compressed
}

const (
	dataPage       = 0
	dictionaryPage = 2
	dataPageV2     = 3

	plainEncoding    = 0
	plainDictionary  = 2
	rle              = 3
	deltaLength      = 6
	deltaStrings     = 7
	dictionaryValues = 8
)

func (f *Reader) header() (h header, err error) {
	t := &thrift{r: f.buf, left: f.c.end}
	t.fields(tStruct, func(id int64, kind byte) {
		switch id {
		case 1:
			h.kind = t.number(kind)
		case 2:
			h.size = t.number(kind)
		case 3:
			h.compressed = t.number(kind)
		case 4:
			h.checksum, h.checked = uint32(t.number(kind)), true
		case 5, 7, 8:
			if h.body {
				t.fail("a page of two kinds")
				return
			}
			h.body = true
			t.fields(kind, func(field int64, kind byte) { h.read(t, id, field, kind) })
		default:
			t.skip(kind)
		}
	})
	if t.err != nil {
		return h, t.err
	}
	spent := f.c.end - t.left
	f.c.end = t.left
	switch {
	case h.size < 0 || h.compressed < 0 || h.values < 0 || h.compressed > f.c.end:
		return h, fmt.Errorf("%w: a page of %d bytes where %d are", ErrFile, h.compressed, f.c.end)
	case h.size > maxPage || h.compressed > maxPage || h.values > maxValues:
		return h, fmt.Errorf("%w: a page of %d bytes and %d values, at most %d and %d", ErrTooLarge, max(h.size, h.compressed), h.values, maxPage, maxValues)
	}
	// All that a page costs, since row groups may name the same bytes.
	return h, f.spend(spent + h.compressed + h.size + valueCost*h.values)
}

// read takes one field of the header that belongs to a kind of page.
func (h *header) read(t *thrift, kindOfPage, field int64, kind byte) {
	switch {
	case field == 1:
		h.values = t.number(kind)
	case field == 2 && kindOfPage != 8, field == 4 && kindOfPage == 8:
		h.encoding = t.number(kind)
	case field == 3 && kindOfPage == 5:
		h.levelEncoding = t.number(kind)
	case field == 5 && kindOfPage == 8:
		h.definitions = t.number(kind)
	case field == 6 && kindOfPage == 8:
		h.repetitions = t.number(kind)
	case field == 7 && kindOfPage == 8:
		h.plain = kind == tFalse
	default:
		t.skip(kind)
	}
}

// page reads pages until one holds values.
func (f *Reader) page() error {
	h, err := f.header()
	if err != nil {
		return err
	}
	f.c.raw = grow(f.c.raw, int(h.compressed))
	if err := readFull(f.buf, f.c.raw); err != nil {
		return err
	}
	f.c.end -= h.compressed
	if h.checked && crc32.ChecksumIEEE(f.c.raw) != h.checksum {
		return fmt.Errorf("%w: a page's checksum is wrong", ErrFile)
	}
	switch h.kind {
	case dataPage, dataPageV2, dictionaryPage:
		if !h.body {
			return fmt.Errorf("%w: a page without the header of its kind", ErrFile)
		}
	default:
		return nil // an index page, or what later versions bring
	}
	if h.kind == dictionaryPage {
		return f.readDictionary(h)
	}
	if h.values > f.c.left {
		return fmt.Errorf("%w: pages hold more values than their chunk", ErrFile)
	}
	f.c.left -= h.values
	body, levels := []byte(nil), []byte(nil)
	if h.kind == dataPageV2 {
		if h.definitions < 0 || h.repetitions != 0 || h.definitions > int64(min(len(f.c.raw), int(h.size))) {
			return fmt.Errorf("%w: levels of %d and %d bytes in a page of %d", ErrFile, h.definitions, h.repetitions, h.size)
		}
		levels, body = f.c.raw[:h.definitions], f.c.raw[h.definitions:]
		codec := f.c.codec
		if h.plain {
			codec = 0
		}
		if body, err = f.inflate(codec, body, int(h.size-h.definitions), &f.c.page); err != nil {
			return err
		}
	} else {
		if body, err = f.inflate(f.c.codec, f.c.raw, int(h.size), &f.c.page); err != nil {
			return err
		}
		if f.leaf.definition > 0 {
			if h.levelEncoding != rle {
				return fmt.Errorf("%w: definition levels of encoding %d", ErrUnsupported, h.levelEncoding)
			}
			if levels, body, err = prefixed(body); err != nil {
				return err
			}
		}
	}
	f.c.levels = nil
	if f.leaf.definition > 0 {
		f.c.levels = &hybrid{b: levels, width: bits.Len(uint(f.leaf.definition))}
	}
	f.c.count = int(h.values)
	f.c.values, err = f.decoder(h.encoding, body, uint64(h.values))
	return err
}

func grow(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// prefixed splits what a length of four bytes begins.
func prefixed(b []byte) (head, rest []byte, err error) {
	if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
		return nil, nil, fmt.Errorf("%w: a length goes beyond its page", ErrFile)
	}
	n := int(binary.LittleEndian.Uint32(b))
	return b[4 : 4+n], b[4+n:], nil
}

// inflate decompresses b, which must give exactly size bytes, into *to.
func (f *Reader) inflate(codec int64, b []byte, size int, to *[]byte) ([]byte, error) {
	wrong := func(err error) error {
		return fmt.Errorf("%w: a page does not decompress to its %d bytes: %w", ErrFile, size, err)
	}
	if codec == 0 {
		if len(b) != size {
			return nil, wrong(errSize)
		}
		return b, nil
	}
	if size == 0 && len(b) == 0 {
		return nil, nil
	}
	*to = grow(*to, size)
	out := *to
	switch codec {
	case 1:
		if n, err := snappy.DecodedLen(b); err != nil || n != size {
			return nil, wrong(errors.Join(err, errSize))
		}
		out, err := snappy.Decode(out, b)
		if err != nil || len(out) != size {
			return nil, wrong(errors.Join(err, errSize))
		}
		return out, nil
	case 2:
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, wrong(err)
		}
		if _, err := io.ReadFull(z, out); err != nil {
			return nil, wrong(err)
		}
		if n, err := z.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
			return nil, wrong(errors.Join(err, errSize))
		}
		return out, nil
	case 6:
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPage), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, fmt.Errorf("column: zstd: %w", err)
		}
		defer z.Close()
		out, err := z.DecodeAll(b, out[:0])
		if err != nil || len(out) != size {
			return nil, wrong(errors.Join(err, errSize))
		}
		return out, nil
	}
	return nil, fmt.Errorf("%w: compression %d", ErrUnsupported, codec)
}

var errSize = errors.New("its sizes do not agree")

// readDictionary reads the words that the values of later pages name.
func (f *Reader) readDictionary(h header) error {
	if f.c.dictionary != nil {
		return fmt.Errorf("%w: a chunk with two dictionaries", ErrFile)
	}
	if h.encoding != plainEncoding && h.encoding != plainDictionary {
		return fmt.Errorf("%w: a dictionary of encoding %d", ErrUnsupported, h.encoding)
	}
	b, err := f.inflate(f.c.codec, f.c.raw, int(h.size), &f.c.words)
	if err != nil {
		return err
	}
	if f.c.codec == 0 {
		f.c.words, f.c.raw = f.c.raw, nil // the next page must not overwrite it
	}
	if h.values > int64(len(b)/4) {
		return fmt.Errorf("%w: a dictionary of %d words in %d bytes", ErrFile, h.values, len(b))
	}
	d := &dictionary{b: b, ends: make([]uint32, h.values)}
	words := plain{b}
	for i := range d.ends {
		if _, err := words.value(); err != nil {
			return err
		}
		d.ends[i] = uint32(len(b) - len(words.b))
	}
	f.c.dictionary = d
	return nil
}
