package column

import (
	"bufio"
	"fmt"
	"io"
)

// Types of the compact protocol:
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
const (
	tTrue = iota + 1
	tFalse
	tI8
	tI16
	tI32
	tI64
	tDouble
	tBinary
	tList
	tSet
	tMap
	tStruct
	tUUID
)

// thrift reads the compact protocol, never more than left bytes, and keeps
// nothing. An error is sticky and ends every loop; what is read then is zero.
type thrift struct {
	r     *bufio.Reader
	left  int64
	depth int
	err   error
}

func (t *thrift) fail(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf("%w: "+format, append([]any{ErrFile}, args...)...)
	}
}

func (t *thrift) byte() byte {
	if t.err != nil {
		return 0
	}
	if t.left--; t.left < 0 {
		t.fail("metadata goes on after its end")
		return 0
	}
	b, err := t.r.ReadByte()
	if err == io.EOF {
		t.fail("it ends in metadata")
	} else if err != nil {
		t.err = fmt.Errorf("column: read: %w", err)
	}
	return b
}

func (t *thrift) varint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b := t.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	t.fail("a number of more than 64 bits")
	return 0
}

// number reads a signed integer of type kind.
func (t *thrift) number(kind byte) int64 {
	switch kind {
	case tI8:
		return int64(int8(t.byte()))
	case tI16, tI32, tI64:
		v := t.varint()
		return int64(v>>1) ^ -int64(v&1)
	}
	t.fail("metadata of type %d where a number belongs", kind)
	return 0
}

func (t *thrift) discard(n uint64) {
	if t.err != nil {
		return
	}
	if n > uint64(max(t.left, 0)) {
		t.fail("metadata states %d bytes, %d are there", n, t.left)
		return
	}
	t.left -= int64(n)
	if _, err := t.r.Discard(int(n)); err == io.EOF {
		t.fail("it ends in metadata")
	} else if err != nil {
		t.err = fmt.Errorf("column: read: %w", err)
	}
}

// text reads a string of type kind, of at most maxName bytes.
func (t *thrift) text(kind byte) string {
	if kind != tBinary {
		t.fail("metadata of type %d where a string belongs", kind)
		return ""
	}
	n := t.varint()
	if t.err == nil && n > maxName {
		t.err = fmt.Errorf("%w: a name of %d bytes, at most %d are read", ErrTooLarge, n, maxName)
	}
	if t.err != nil {
		return ""
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = t.byte()
	}
	return string(b)
}

// enter and leave bound nesting.
func (t *thrift) enter() bool {
	if t.depth++; t.depth > maxDepth {
		t.fail("metadata is nested more than %d deep", maxDepth)
	}
	return t.err == nil
}

func (t *thrift) leave() { t.depth-- }

// fields calls visit with each field of a struct; visit reads its value.
func (t *thrift) fields(kind byte, visit func(id int64, kind byte)) {
	if kind != tStruct {
		t.fail("metadata of type %d where a struct belongs", kind)
	}
	if !t.enter() {
		return
	}
	defer t.leave()
	id := int64(0)
	for t.err == nil {
		b := t.byte()
		kind := b & 15
		if kind == 0 {
			return
		}
		if b>>4 != 0 {
			id += int64(b >> 4)
		} else {
			id = t.number(tI16)
		}
		if t.err == nil {
			visit(id, kind)
		}
	}
}

// list calls visit for each element, which reads it.
func (t *thrift) list(kind byte, most uint64, what string, visit func(kind byte)) {
	if kind != tList {
		t.fail("metadata of type %d where a list belongs", kind)
		return
	}
	b := t.byte()
	n := uint64(b >> 4)
	if n == 15 {
		n = t.varint()
	}
	if t.err == nil && n > most {
		t.err = fmt.Errorf("%w: %d %s, at most %d are read", ErrTooLarge, n, what, most)
	}
	for i := uint64(0); i < n && t.err == nil; i++ {
		visit(b & 15)
	}
}

// skip passes over a value. Every element of a list takes a byte at least, so
// what is there bounds the work.
func (t *thrift) skip(kind byte) {
	switch kind {
	case tTrue, tFalse:
	case tI8:
		t.byte()
	case tI16, tI32, tI64:
		t.varint()
	case tDouble:
		t.discard(8)
	case tUUID:
		t.discard(16)
	case tBinary:
		t.discard(t.varint())
	case tStruct:
		t.fields(kind, func(_ int64, kind byte) { t.skip(kind) })
	case tList, tSet:
		if t.enter() {
			t.list(tList, uint64(max(t.left, 0)), "elements", t.element)
		}
		t.leave()
	case tMap:
		if t.enter() {
			if n := t.varint(); n > 0 {
				kinds := t.byte()
				for i := uint64(0); i < n && t.err == nil; i++ {
					t.element(kinds >> 4)
					t.element(kinds & 15)
				}
			}
		}
		t.leave()
	default:
		t.fail("metadata of unknown type %d", kind)
	}
}

// element passes over an element of a list or map, where a truth value takes a byte.
func (t *thrift) element(kind byte) {
	if kind == tTrue || kind == tFalse {
		kind = tI8
	}
	t.skip(kind)
}
