package column

import (
	"encoding/binary"
	"fmt"
)

// decoder returns the decoder of an encoding over a page of most values. All of them
// read what is there as it is asked for and allocate nothing of a stated size.
func (f *Reader) decoder(encoding int64, b []byte, most uint64) (decoder, error) {
	switch encoding {
	case plainEncoding:
		return &plain{b}, nil
	case plainDictionary, dictionaryValues:
		if f.c.dictionary == nil {
			return nil, fmt.Errorf("%w: values of a dictionary that is not there", ErrFile)
		}
		if len(b) == 0 {
			return &indexed{&hybrid{}, f.c.dictionary}, nil
		}
		if b[0] > 32 {
			return nil, fmt.Errorf("%w: indexes of %d bits", ErrFile, b[0])
		}
		return &indexed{&hybrid{b: b[1:], width: int(b[0])}, f.c.dictionary}, nil
	case deltaLength:
		return newLengths(b, most)
	case deltaStrings:
		return newFronts(b, f.longest, most)
	}
	return nil, fmt.Errorf("%w: values of encoding %d", ErrUnsupported, encoding)
}

// plain: each value after its length in four bytes.
type plain struct{ b []byte }

func (p *plain) value() (v []byte, err error) {
	v, p.b, err = prefixed(p.b)
	return v, err
}

// dictionary is the words of a chunk, as they lie in its page: each after its
// length in four bytes.
type dictionary struct {
	b    []byte
	ends []uint32
}

// indexed: numbers of words in a dictionary.
type indexed struct {
	at    *hybrid
	words *dictionary
}

func (d *indexed) value() ([]byte, error) {
	i, err := d.at.next()
	if err != nil {
		return nil, err
	}
	ends := d.words.ends
	if uint64(i) >= uint64(len(ends)) {
		return nil, fmt.Errorf("%w: word %d of a dictionary of %d", ErrFile, i, len(ends))
	}
	from := uint32(4)
	if i > 0 {
		from += ends[i-1]
	}
	return d.words.b[from:ends[i]:ends[i]], nil
}

// hybrid gives the numbers of the RLE and bit-packing hybrid.
type hybrid struct {
	b      []byte
	width  int    // bits of a number, at most 32
	same   uint64 // how often value comes yet
	value  uint32
	packed uint64 // how many bit-packed numbers come yet
	bit    int    // of b where the next of them begins
}

func (h *hybrid) next() (uint32, error) {
	for h.same == 0 && h.packed == 0 {
		if h.bit > 0 { // the padding of a packed run
			h.b, h.bit = h.b[(h.bit+7)/8:], 0
		}
		head, n := binary.Uvarint(h.b)
		if n <= 0 {
			return 0, fmt.Errorf("%w: a page ends before its values do", ErrFile)
		}
		h.b = h.b[n:]
		if head&1 == 1 {
			// The last run may be cut to what is needed: reading checks what is there.
			h.packed = min(head>>1, 1<<40) * 8
			continue
		}
		size := (h.width + 7) / 8
		if len(h.b) < size {
			return 0, fmt.Errorf("%w: a page ends inside a run", ErrFile)
		}
		h.same, h.value = head>>1, 0
		for i := range size {
			h.value |= uint32(h.b[i]) << (8 * i)
		}
		h.b = h.b[size:]
	}
	if h.same > 0 {
		h.same--
		return h.value, nil
	}
	h.packed--
	v, ok := bitsAt(h.b, h.bit, h.width)
	if !ok {
		return 0, fmt.Errorf("%w: a page ends inside a run", ErrFile)
	}
	h.bit += h.width
	if h.bit >= 1<<20 {
		h.b, h.bit = h.b[h.bit/8:], h.bit%8
	}
	return uint32(v), nil
}

// bitsAt is the number of width bits, at most 64, that begins at a bit of b,
// least bit first; false if b ends before.
func bitsAt(b []byte, bit, width int) (v uint64, ok bool) {
	if (bit+width+7)/8 > len(b) {
		return 0, false
	}
	for got := 0; got < width; {
		at := bit + got
		v |= uint64(b[at/8]>>(at%8)) << got
		got += 8 - at%8
	}
	if width < 64 {
		v &= 1<<width - 1
	}
	return v, true
}

// deltas gives the numbers of DELTA_BINARY_PACKED.
type deltas struct {
	b       []byte
	block   uint64 // numbers in a block
	mini    uint64 // numbers in one of its parts
	left    uint64 // numbers not yet given
	value   int64  // the next
	floor   int64  // the least difference in the block
	widths  []byte // of the parts of the block not yet begun
	width   int    // of the part under way
	in      uint64 // numbers of the part not yet read
	bit     int
	started bool
}

func newDeltas(b []byte, most uint64) (*deltas, error) {
	d := &deltas{b: b}
	block, parts, total := d.uvarint(), d.uvarint(), d.uvarint()
	first := d.uvarint()
	if d.b == nil || block == 0 || block > 1<<20 || parts == 0 || parts > block || block%parts != 0 || (block/parts)%8 != 0 || total > most {
		return nil, fmt.Errorf("%w: a delta encoding in blocks of %d in %d parts", ErrFile, block, parts)
	}
	d.block, d.mini, d.left = block, block/parts, total
	d.value = int64(first>>1) ^ -int64(first&1)
	return d, nil
}

// uvarint reads a number; the input is nil after one that is none.
func (d *deltas) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.b = nil
		return 0
	}
	d.b = d.b[n:]
	if d.b == nil {
		d.b = []byte{}
	}
	return v
}

// next is the next number; what is after the last of them is rest's.
func (d *deltas) next() (int64, error) {
	short := func() (int64, error) { return 0, fmt.Errorf("%w: a delta encoding ends too early", ErrFile) }
	if d.left == 0 {
		return short()
	}
	d.left--
	if !d.started {
		d.started = true
		return d.value, nil
	}
	for d.in == 0 {
		d.endPart()
		if len(d.widths) == 0 {
			floor := d.uvarint()
			parts := int(d.block / d.mini)
			if d.b == nil || len(d.b) < parts {
				return short()
			}
			d.floor = int64(floor>>1) ^ -int64(floor&1)
			d.widths, d.b = d.b[:parts], d.b[parts:]
		}
		d.width, d.widths, d.in = int(d.widths[0]), d.widths[1:], d.mini
		if d.width > 64 {
			return 0, fmt.Errorf("%w: differences of %d bits", ErrFile, d.width)
		}
	}
	v, ok := bitsAt(d.b, d.bit, d.width)
	if !ok {
		return short()
	}
	d.in--
	d.bit += d.width
	d.value += d.floor + int64(v)
	return d.value, nil
}

// endPart goes over the part under way, padding and all.
func (d *deltas) endPart() {
	whole := int(d.mini) * d.width / 8
	if d.bit > 0 || d.width > 0 {
		d.b = d.b[min(whole, len(d.b)):]
	}
	d.bit, d.width = 0, 0
}

// rest goes to the end of the numbers and returns what follows.
func (d *deltas) rest() ([]byte, error) {
	for d.left > 0 {
		if _, err := d.next(); err != nil {
			return nil, err
		}
	}
	d.endPart()
	return d.b, nil
}

// lengths: all lengths, then all values.
type lengths struct {
	n *deltas
	b []byte
}

func newLengths(b []byte, most uint64) (*lengths, error) {
	n, err := newDeltas(b, most)
	if err != nil {
		return nil, err
	}
	ahead := *n
	rest, err := ahead.rest()
	return &lengths{n, rest}, err
}

func (l *lengths) value() ([]byte, error) {
	n, err := l.n.next()
	if err != nil {
		return nil, err
	}
	if n < 0 || n > int64(len(l.b)) {
		return nil, fmt.Errorf("%w: a value of %d bytes where %d are", ErrFile, n, len(l.b))
	}
	v := l.b[:n:n]
	l.b = l.b[n:]
	return v, nil
}

// fronts: how much of the value before each value begins with, then what follows.
type fronts struct {
	n       *deltas
	tails   *lengths
	last    []byte
	longest int
}

func newFronts(b []byte, longest int, most uint64) (*fronts, error) {
	n, err := newDeltas(b, most)
	if err != nil {
		return nil, err
	}
	ahead := *n
	rest, err := ahead.rest()
	if err != nil {
		return nil, err
	}
	tails, err := newLengths(rest, most)
	return &fronts{n, tails, nil, longest}, err
}

func (f *fronts) value() ([]byte, error) {
	n, err := f.n.next()
	if err != nil {
		return nil, err
	}
	tail, err := f.tails.value()
	if err != nil {
		return nil, err
	}
	if n < 0 || n > int64(len(f.last)) {
		return nil, fmt.Errorf("%w: %d bytes of a value of %d", ErrFile, n, len(f.last))
	}
	if int(n)+len(tail) > f.longest {
		return nil, fmt.Errorf("%w: a value of %d bytes, at most %d", ErrTooLarge, int(n)+len(tail), f.longest)
	}
	f.last = append(f.last[:n], tail...)
	return f.last, nil
}
