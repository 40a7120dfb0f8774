package protocol

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// Bounds of one encoded document, and of its fields where no `max` tag says
// otherwise.
const (
	MaxDocument    = 4 << 20 // bytes of one encoded message or document
	defaultString  = 256     // bytes
	defaultBytes   = 1024
	defaultElement = 1024 // elements of a list
	maxCID         = 128  // bytes of a binary CID
)

var (
	// ErrEncoding says that bytes are not the canonical dag-cbor of the wanted type.
	ErrEncoding = errors.New("protocol: not the canonical encoding")
	// ErrTooLarge says that a value is past its bound.
	ErrTooLarge = errors.New("protocol: too large")
)

// NoCID stands where a document has no link: the identity CID of nothing. The
// zero cid.Cid is written as it, and it is read back as the zero cid.Cid.
var NoCID = cid.NewCidV1(cid.Raw, mustIdentity())

func mustIdentity() multihash.Multihash { return multihash.Multihash{0x00, 0x00} }

// CIDOf is the CID under which encoded dag-cbor is stored: version 1, sha2-256.
func CIDOf(encoded []byte) cid.Cid {
	h, err := multihash.Sum(encoded, multihash.SHA2_256, -1)
	if err != nil {
		panic("protocol: sha2-256 is always there: " + err.Error())
	}
	return cid.NewCidV1(cid.DagCBOR, h)
}

// Encode writes a struct as canonical dag-cbor: an array of its fields in order.
func Encode(v any) ([]byte, error) {
	rv := reflect.Indirect(reflect.ValueOf(v))
	if rv.Kind() != reflect.Struct {
		return nil, fmt.Errorf("protocol: encode %T: only structs are documents", v)
	}
	b, err := appendValue(nil, rv, "")
	if err != nil {
		return nil, fmt.Errorf("protocol: encode %s: %w", rv.Type().Name(), err)
	}
	if len(b) > MaxDocument {
		return nil, fmt.Errorf("protocol: encode %s: %w: %d bytes, at most %d", rv.Type().Name(), ErrTooLarge, len(b), MaxDocument)
	}
	return b, nil
}

// Decode reads what Encode wrote into the struct that v points to, and refuses
// every other byte string.
func Decode(b []byte, v any) error {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("protocol: decode into %T: want a pointer to a struct", v)
	}
	rv = rv.Elem()
	if len(b) > MaxDocument {
		return fmt.Errorf("protocol: decode %s: %w: %d bytes, at most %d", rv.Type().Name(), ErrTooLarge, len(b), MaxDocument)
	}
	r := &reader{b: b}
	if err := r.value(rv, ""); err != nil {
		return fmt.Errorf("protocol: decode %s at byte %d: %w", rv.Type().Name(), r.at, err)
	}
	if r.at != len(b) {
		return fmt.Errorf("protocol: decode %s: %w: %d bytes follow the document", rv.Type().Name(), ErrEncoding, len(b)-r.at)
	}
	return nil
}

var (
	typeAddress = reflect.TypeFor[common.Address]()
	typeHash    = reflect.TypeFor[common.Hash]()
	typeAmount  = reflect.TypeFor[Amount]()
	typeCID     = reflect.TypeFor[cid.Cid]()
	typeBytes   = reflect.TypeFor[[]byte]()
)

// CBOR major types, RFC 8949.
const (
	majorUint  = 0
	majorBytes = 2
	majorText  = 3
	majorArray = 4
	majorTag   = 6
	tagCID     = 42
	simpleTrue = 0xf5
	simpleNo   = 0xf4
)

func appendHead(b []byte, major byte, n uint64) []byte {
	m := major << 5
	switch {
	case n < 24:
		return append(b, m|byte(n))
	case n <= math.MaxUint8:
		return append(b, m|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, m|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, m|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, m|27), n)
}

// bound is the limit that a field's `max` tag gives, or the default.
func bound(tag reflect.StructTag, byDefault int) int {
	if s := tag.Get("max"); s != "" {
		if n, err := strconv.Atoi(s); err == nil {
			return n
		}
	}
	return byDefault
}

func checkSize(n uint64, tag reflect.StructTag, byDefault int) error {
	if m := bound(tag, byDefault); n > uint64(m) {
		return fmt.Errorf("%w: %d, at most %d", ErrTooLarge, n, m)
	}
	return nil
}

func appendValue(b []byte, v reflect.Value, tag reflect.StructTag) ([]byte, error) {
	switch v.Type() {
	case typeAddress, typeHash:
		n := v.Len()
		b = appendHead(b, majorBytes, uint64(n))
		for i := range n {
			b = append(b, byte(v.Index(i).Uint()))
		}
		return b, nil
	case typeAmount:
		raw := v.Interface().(Amount).bytes()
		return append(appendHead(b, majorBytes, uint64(len(raw))), raw...), nil
	case typeCID:
		raw := cidBytes(v.Interface().(cid.Cid))
		if len(raw) > maxCID {
			return nil, fmt.Errorf("%w: CID of %d bytes", ErrTooLarge, len(raw))
		}
		b = appendHead(b, majorTag, tagCID)
		b = appendHead(b, majorBytes, uint64(len(raw)+1))
		return append(append(b, 0), raw...), nil
	case typeBytes:
		if err := checkSize(uint64(v.Len()), tag, defaultBytes); err != nil {
			return nil, err
		}
		return append(appendHead(b, majorBytes, uint64(v.Len())), v.Bytes()...), nil
	}
	switch v.Kind() {
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return appendHead(b, majorUint, v.Uint()), nil
	case reflect.Bool:
		if v.Bool() {
			return append(b, simpleTrue), nil
		}
		return append(b, simpleNo), nil
	case reflect.String:
		if err := checkSize(uint64(v.Len()), tag, defaultString); err != nil {
			return nil, err
		}
		if !utf8.ValidString(v.String()) {
			return nil, fmt.Errorf("%w: text is not UTF-8", ErrEncoding)
		}
		return append(appendHead(b, majorText, uint64(v.Len())), v.String()...), nil
	case reflect.Slice:
		if err := checkSize(uint64(v.Len()), tag, defaultElement); err != nil {
			return nil, err
		}
		b = appendHead(b, majorArray, uint64(v.Len()))
		var err error
		for i := range v.Len() {
			if b, err = appendValue(b, v.Index(i), ""); err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return b, nil
	case reflect.Struct:
		t := v.Type()
		b = appendHead(b, majorArray, uint64(t.NumField()))
		var err error
		for i := range t.NumField() {
			if b, err = appendValue(b, v.Field(i), t.Field(i).Tag); err != nil {
				return nil, fmt.Errorf("%s: %w", t.Field(i).Name, err)
			}
		}
		return b, nil
	}
	return nil, fmt.Errorf("type %s has no encoding", v.Type())
}

func cidBytes(c cid.Cid) []byte {
	if !c.Defined() {
		c = NoCID
	}
	return c.Bytes()
}

// reader takes a document apart; at is how far it is.
type reader struct {
	b  []byte
	at int
}

// head reads one CBOR head in its shortest form.
func (r *reader) head(major byte) (uint64, error) {
	if r.at >= len(r.b) {
		return 0, fmt.Errorf("%w: it ends early", ErrEncoding)
	}
	c := r.b[r.at]
	if c>>5 != major {
		return 0, fmt.Errorf("%w: CBOR type %d where %d belongs", ErrEncoding, c>>5, major)
	}
	info := c & 31
	if info < 24 {
		r.at++
		return uint64(info), nil
	}
	if info > 27 {
		return 0, fmt.Errorf("%w: length form %d", ErrEncoding, info)
	}
	size := 1 << (info - 24)
	if len(r.b)-r.at-1 < size {
		return 0, fmt.Errorf("%w: it ends early", ErrEncoding)
	}
	var n uint64
	for _, x := range r.b[r.at+1 : r.at+1+size] {
		n = n<<8 | uint64(x)
	}
	least := [4]uint64{24, 1 << 8, 1 << 16, 1 << 32}[info-24]
	if n < least {
		return 0, fmt.Errorf("%w: a number in a longer form than it needs", ErrEncoding)
	}
	r.at += 1 + size
	return n, nil
}

func (r *reader) take(n uint64) ([]byte, error) {
	if n > uint64(len(r.b)-r.at) {
		return nil, fmt.Errorf("%w: it ends early", ErrEncoding)
	}
	s := r.b[r.at : r.at+int(n)]
	r.at += int(n)
	return s, nil
}

func (r *reader) string(major byte) ([]byte, error) {
	n, err := r.head(major)
	if err != nil {
		return nil, err
	}
	return r.take(n)
}

func (r *reader) value(v reflect.Value, tag reflect.StructTag) error {
	switch v.Type() {
	case typeAddress, typeHash:
		s, err := r.string(majorBytes)
		if err != nil {
			return err
		}
		if len(s) != v.Len() {
			return fmt.Errorf("%w: %d bytes where %d belong", ErrEncoding, len(s), v.Len())
		}
		reflect.Copy(v, reflect.ValueOf(s))
		return nil
	case typeAmount:
		s, err := r.string(majorBytes)
		if err != nil {
			return err
		}
		if len(s) > 32 || len(s) > 0 && s[0] == 0 {
			return fmt.Errorf("%w: an amount is at most 32 bytes without leading zeros", ErrEncoding)
		}
		var a Amount
		a.u.SetBytes(s)
		v.Set(reflect.ValueOf(a))
		return nil
	case typeCID:
		return r.link(v)
	case typeBytes:
		s, err := r.string(majorBytes)
		if err != nil {
			return err
		}
		if err := checkSize(uint64(len(s)), tag, defaultBytes); err != nil {
			return err
		}
		if len(s) > 0 {
			v.SetBytes(append([]byte(nil), s...))
		} else {
			v.SetZero()
		}
		return nil
	}
	switch v.Kind() {
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := r.head(majorUint)
		if err != nil {
			return err
		}
		if v.OverflowUint(n) {
			return fmt.Errorf("%w: %d does not fit %s", ErrEncoding, n, v.Kind())
		}
		v.SetUint(n)
		return nil
	case reflect.Bool:
		s, err := r.take(1)
		if err != nil {
			return err
		}
		if s[0] != simpleTrue && s[0] != simpleNo {
			return fmt.Errorf("%w: 0x%02x is no boolean", ErrEncoding, s[0])
		}
		v.SetBool(s[0] == simpleTrue)
		return nil
	case reflect.String:
		s, err := r.string(majorText)
		if err != nil {
			return err
		}
		if err := checkSize(uint64(len(s)), tag, defaultString); err != nil {
			return err
		}
		if !utf8.Valid(s) {
			return fmt.Errorf("%w: text is not UTF-8", ErrEncoding)
		}
		v.SetString(string(s))
		return nil
	case reflect.Slice:
		return r.list(v, tag)
	case reflect.Struct:
		t := v.Type()
		n, err := r.head(majorArray)
		if err != nil {
			return err
		}
		if n != uint64(t.NumField()) {
			return fmt.Errorf("%w: %d fields where %s has %d", ErrEncoding, n, t.Name(), t.NumField())
		}
		for i := range t.NumField() {
			if err := r.value(v.Field(i), t.Field(i).Tag); err != nil {
				return fmt.Errorf("%s: %w", t.Field(i).Name, err)
			}
		}
		return nil
	}
	return fmt.Errorf("type %s has no encoding", v.Type())
}

func (r *reader) link(v reflect.Value) error {
	t, err := r.head(majorTag)
	if err != nil {
		return err
	}
	if t != tagCID {
		return fmt.Errorf("%w: tag %d where a link belongs", ErrEncoding, t)
	}
	s, err := r.string(majorBytes)
	if err != nil {
		return err
	}
	if len(s) < 1 || len(s) > maxCID+1 || s[0] != 0 {
		return fmt.Errorf("%w: malformed link", ErrEncoding)
	}
	c, err := cid.Cast(s[1:])
	if err != nil {
		return fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	if string(c.Bytes()) != string(s[1:]) {
		return fmt.Errorf("%w: a CID in a longer form than it needs", ErrEncoding)
	}
	if c.Equals(NoCID) {
		c = cid.Undef
	}
	v.Set(reflect.ValueOf(c))
	return nil
}

func (r *reader) list(v reflect.Value, tag reflect.StructTag) error {
	n, err := r.head(majorArray)
	if err != nil {
		return err
	}
	if err := checkSize(n, tag, defaultElement); err != nil {
		return err
	}
	if n > uint64(len(r.b)-r.at) { // every element takes a byte at least
		return fmt.Errorf("%w: it ends early", ErrEncoding)
	}
	if n == 0 {
		v.SetZero()
		return nil
	}
	out := reflect.MakeSlice(v.Type(), 0, int(min(n, 64))) // grows with what really arrives
	for i := range n {
		e := reflect.New(v.Type().Elem()).Elem()
		if err := r.value(e, ""); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
		out = reflect.Append(out, e)
	}
	v.Set(out)
	return nil
}
