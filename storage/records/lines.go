package records

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"tally/protocol"
)

// pieces cuts a stream at a byte. A piece is at most MaxRecord bytes.
type pieces struct {
	r      *bufio.Reader
	cut    byte
	buf    []byte
	n      uint64 // pieces read
	offset int64  // of the next one
}

func newPieces(r io.Reader, cut byte) *pieces {
	return &pieces{r: bufio.NewReaderSize(r, bufferSize), cut: cut}
}

// next returns a piece without its cut, valid until the next call, and where it
// begins; io.EOF after the last. What follows the last cut is a piece unless it
// is nothing. more tells that a piece was too long.
func (p *pieces) next() (b []byte, at int64, err error) {
	p.buf = p.buf[:0]
	at = p.offset
	for {
		part, err := p.r.ReadSlice(p.cut)
		p.offset += int64(len(part))
		ended := err == nil
		if ended {
			part = part[:len(part)-1]
		}
		if len(p.buf)+len(part) > MaxRecord {
			return nil, at, fmt.Errorf("%w: more than %d MiB", ErrTooLarge, MaxRecord>>20)
		}
		switch {
		case ended && len(p.buf) == 0:
			p.n++
			return part, at, nil // no copy: it lies whole in the buffer
		case ended:
			p.n++
			p.buf = append(p.buf, part...)
			return p.buf, at, nil
		case errors.Is(err, bufio.ErrBufferFull):
			p.buf = append(p.buf, part...)
		case err == io.EOF:
			if p.buf = append(p.buf, part...); len(p.buf) == 0 {
				return nil, at, io.EOF
			}
			p.n++
			return p.buf, at, nil
		default:
			return nil, at, fmt.Errorf("records: read at byte %d: %w", p.offset, err)
		}
	}
}

type textSource struct{ p *pieces }

func newTextSource(r io.Reader) *textSource {
	return &textSource{newPieces(r, protocol.RecordSeparator)}
}

func (*textSource) fields() []Field { return nil }

func (s *textSource) next() (Record, error) {
	b, at, err := s.p.next()
	if errors.Is(err, io.EOF) {
		return Record{}, io.EOF
	}
	if err != nil {
		return Record{}, fmt.Errorf("record %d, at byte %d: %w: separate records by the byte 0x%02X", s.p.n, at, err, protocol.RecordSeparator)
	}
	if err := checkText(b, func() string { return fmt.Sprintf("record %d, at byte %d,", s.p.n-1, at) }); err != nil {
		return Record{}, err
	}
	return Record{Text: b, Offset: at}, nil
}

type jsonlSource struct {
	field string
	p     *pieces
	seen  []Field
	at    map[string]int // index in seen by name
}

func newJSONLSource(field string, r io.Reader) *jsonlSource {
	return &jsonlSource{field: field, p: newPieces(r, '\n'), at: map[string]int{}}
}

func (s *jsonlSource) fields() []Field { return s.seen }

func (s *jsonlSource) next() (Record, error) {
	for {
		line, at, err := s.p.next()
		if errors.Is(err, io.EOF) {
			return Record{}, io.EOF
		}
		where := func() string { return fmt.Sprintf("line %d", s.p.n) }
		if err != nil {
			return Record{}, fmt.Errorf("line %d: %w: one object a line", s.p.n+1, err)
		}
		if s.p.n == 1 {
			line = bytes.TrimPrefix(line, []byte(byteOrderMark))
		}
		if line = trimJSONSpace(line); len(line) == 0 {
			continue // a blank line is no record
		}
		if !utf8.Valid(line) {
			return Record{}, fmt.Errorf("%w: %s is not UTF-8: convert it, or add another file", ErrEncoding, where())
		}
		if !isObject(line) {
			return Record{}, fmt.Errorf("%w: %s is not one JSON object: write one object a line", ErrSyntax, where())
		}
		text, err := s.member(line)
		if err != nil {
			return Record{}, fmt.Errorf("%w: %s", err, where())
		}
		if err := checkText(text, func() string { return fmt.Sprintf("line %d, field %q,", s.p.n, s.field) }); err != nil {
			return Record{}, err
		}
		return Record{Text: text, Offset: at}, nil
	}
}

func trimJSONSpace(b []byte) []byte { return bytes.Trim(b, " \t\r\n") }

func isObject(line []byte) bool { return len(line) > 0 && line[0] == '{' && json.Valid(line) }

// member is the text of the field in a valid object; nil if it is null.
func (s *jsonlSource) member(object []byte) ([]byte, error) {
	var text []byte
	found := false
	for key, value := range members(object) {
		name, err := unquote(key)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		kind := kindOf(value)
		s.note(name, kind)
		if string(name) != s.field {
			continue
		}
		if found {
			return nil, fmt.Errorf("%w: field %q stands twice in an object: keep one", ErrSyntax, s.field)
		}
		found = true
		switch kind {
		case "string":
			if text, err = unquote(value); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
			}
		case "null":
		default:
			return nil, fmt.Errorf("%w: %q is of type %s, want a string: name another field", ErrField, s.field, kind)
		}
	}
	if !found {
		return nil, fmt.Errorf("%w: an object has no %q; fields so far: %s: name another, or give it to every object (null for none)", ErrField, s.field, s.names())
	}
	return text, nil
}

// note records a member for the summary, within bounds.
func (s *jsonlSource) note(name []byte, kind string) {
	if i, ok := s.at[string(name)]; ok {
		switch have := s.seen[i].Type; {
		case have == kind || have == "mixed" || kind == "null":
		case have == "null":
			s.seen[i].Type = kind
		default:
			s.seen[i].Type = "mixed"
		}
		return
	}
	if len(s.seen) >= MaxFields || len(name) > MaxName {
		return
	}
	s.at[string(name)] = len(s.seen)
	s.seen = append(s.seen, Field{string(name), kind})
}

func (s *jsonlSource) names() string { return listNames(s.seen) }

// listNames is a few names for a message.
func listNames(fields []Field) string {
	const most = 12
	var b strings.Builder
	for i, f := range fields {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(fields)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", f.Name)
	}
	if len(fields) == 0 {
		return "none"
	}
	return b.String()
}

// members yields the quoted names and the raw values of an object that json.Valid
// accepts: so only strings and depth need be followed.
func members(object []byte) func(yield func(key, value []byte) bool) {
	return func(yield func(key, value []byte) bool) {
		b := object[1 : len(object)-1]
		for {
			b = trimLeft(b)
			if len(b) == 0 {
				return
			}
			n := valueLen(b)
			key := b[:n]
			b = trimLeft(b[n:])
			b = trimLeft(b[1:]) // the colon
			n = valueLen(b)
			if !yield(key, b[:n]) {
				return
			}
			b = trimLeft(b[n:])
			if len(b) > 0 {
				b = b[1:] // the comma
			}
		}
	}
}

func trimLeft(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

// valueLen is the length of the value at the beginning of b.
func valueLen(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i += stringLen(b[i:]) - 1
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

// stringLen is the length of the quoted string at the beginning of b.
func stringLen(b []byte) int {
	for i := 1; i < len(b); {
		j := bytes.IndexByte(b[i:], '"')
		if j < 0 {
			break
		}
		back := 0
		for k := i + j - 1; k >= 1 && b[k] == '\\'; k-- {
			back++
		}
		i += j + 1
		if back%2 == 0 {
			return i
		}
	}
	return len(b)
}

// unquote is the text of a quoted string.
func unquote(quoted []byte) ([]byte, error) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1], nil
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return nil, err
	}
	return []byte(s), nil
}

func kindOf(value []byte) string {
	switch value[0] {
	case '"':
		return "string"
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		return "number"
	}
}
