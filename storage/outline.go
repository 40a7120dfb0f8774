package storage

import (
	"encoding/binary"
	"errors"
	"fmt"

	"tally/protocol/piece"
)

// ErrOutline says that the parts of an outline contradict one another.
var ErrOutline = errors.New("storage: piece root, size and layer of a shard do not belong together: ask another node")

// Outline says what the file of a shard is, without its bytes: enough to check
// each MiB of it as it comes.
type Outline struct {
	Piece piece.Hash   // piece root of the file
	Size  uint64       // bytes of the file
	Layer []piece.Hash // nodes over each MiB; see package piece
}

// Check returns ErrOutline unless the layer leads to the piece root, and
// ErrTooLarge over max bytes. Up to one MiB there is nothing to check yet: such a
// file is one span, and that is checked against the piece root itself.
func (o Outline) Check(max uint64) error {
	if o.Size > max {
		return fmt.Errorf("outline of %d bytes of at most %d: %w", o.Size, max, ErrTooLarge)
	}
	if o.Size == 0 || uint64(len(o.Layer)) != piece.Spans(o.Size) {
		return fmt.Errorf("%d bytes with a layer of %d nodes: %w", o.Size, len(o.Layer), ErrOutline)
	}
	if o.Size <= piece.LayerSpan {
		return nil
	}
	root, err := piece.RootOf(o.Size, o.Layer)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOutline, err)
	}
	if root != o.Piece {
		return fmt.Errorf("the layer leads to piece root %x, not to %x: %w", root, o.Piece, ErrOutline)
	}
	return nil
}

// spans returns how many spans of a MiB the file has; the last may be shorter.
func (o Outline) spans() int { return int(piece.Spans(o.Size)) }

// span returns where span i is.
func (o Outline) span(i int) (off uint64, n int) {
	off = uint64(i) * piece.LayerSpan
	return off, int(min(piece.LayerSpan, o.Size-off))
}

// holds says whether b is span i of the file.
func (o Outline) holds(i int, b []byte) bool {
	if _, n := o.span(i); len(b) != n {
		return false
	}
	if o.Size <= piece.LayerSpan {
		var h piece.Hasher
		_, _ = h.Write(b)
		return h.Root() == o.Piece
	}
	node, err := piece.SpanNode(b)
	return err == nil && node == o.Layer[i]
}

// An assembly's map is its outline and, a bit a span, what is on the disk: the
// magic, the piece root, the size (8 bytes, big-endian), the layer, the bits.
// The bits are a hint, written before the bytes are safe: who reads them hashes
// the spans again.
const mapMagic = "tally spans 1\n"

const mapHead = len(mapMagic) + 32 + 8

func (o Outline) bitsAt() int { return mapHead + 32*len(o.Layer) }

func (o Outline) encode(have []bool) []byte {
	b := make([]byte, 0, o.bitsAt()+(len(have)+7)/8)
	b = append(b, mapMagic...)
	b = append(b, o.Piece[:]...)
	b = binary.BigEndian.AppendUint64(b, o.Size)
	for _, h := range o.Layer {
		b = append(b, h[:]...)
	}
	for i := 0; i < len(have); i += 8 {
		b = append(b, bits(have, i))
	}
	return b
}

// bits returns the byte of the eight spans from i on.
func bits(have []bool, i int) (c byte) {
	for j := range min(8, len(have)-i) {
		if have[i+j] {
			c |= 1 << j
		}
	}
	return c
}

// parseMap reads what encode wrote, of a shard of at most max bytes.
func parseMap(b []byte, max uint64) (o Outline, have []bool, err error) {
	if len(b) < mapHead || string(b[:len(mapMagic)]) != mapMagic {
		return Outline{}, nil, fmt.Errorf("not the map of a fetch: %w", ErrOutline)
	}
	o.Piece = piece.Hash(b[len(mapMagic):])
	o.Size = binary.BigEndian.Uint64(b[len(mapMagic)+32:])
	if o.Size == 0 || o.Size > max {
		return Outline{}, nil, fmt.Errorf("map of %d bytes of at most %d: %w", o.Size, max, ErrOutline)
	}
	n := o.spans()
	if len(b) != mapHead+32*n+(n+7)/8 {
		return Outline{}, nil, fmt.Errorf("map of %d spans in %d bytes: %w", n, len(b), ErrOutline)
	}
	o.Layer, have = make([]piece.Hash, n), make([]bool, n)
	for i := range n {
		o.Layer[i] = piece.Hash(b[mapHead+32*i:])
		have[i] = b[mapHead+32*n+i/8]>>(i%8)&1 == 1
	}
	return o, have, o.Check(max)
}
