// Package frame is the wire of request–response streams: length-prefixed
// messages, each either data or the one final error.
//
// A frame is a header and a body. The header is an unsigned varint (LEB128,
// minimal, at most five bytes) of 2·length + kind, kind 0 for data and 1 for an
// error; the body is that many bytes. The body of an error is one code byte and
// a text of at most MaxText bytes of UTF-8. After an error frame nothing
// follows on that half of the stream.
//
// Read believes nothing: a header is refused before anything is allocated for
// its body, and the body's buffer grows only as bytes arrive, so a peer that
// announces four mebibytes and sends none costs a few kibibytes.
package frame

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// Max is the largest body of any frame, 4 MiB.
	Max = 4 << 20
	// MaxText is the longest text of an error frame in bytes.
	MaxText = 512

	maxHeader = 5
	firstRead = 16 << 10
)

var (
	// ErrTooLarge says that a header announces more than the reader takes, or
	// that a writer was given more than a frame may hold.
	ErrTooLarge = errors.New("frame: too large")
	// ErrTruncated says that the stream ended inside a frame.
	ErrTruncated = errors.New("frame: truncated")
	// ErrMalformed says that a header or an error body is not canonical.
	ErrMalformed = errors.New("frame: malformed")
)

// Reader is what Read needs; *bufio.Reader is one.
type Reader interface {
	io.Reader
	io.ByteReader
}

// Kind tells data from the final error.
type Kind byte

// The two kinds of frame.
const (
	Data  Kind = 0
	Error Kind = 1
)

// Header is a frame's announcement: what follows and how long it is.
type Header struct {
	Kind Kind
	Size int
}

// AppendHeader appends the header of a body of the given kind and size.
func AppendHeader(dst []byte, k Kind, size int) ([]byte, error) {
	if size < 0 || size > Max {
		return dst, fmt.Errorf("%w: %d bytes of at most %d", ErrTooLarge, size, Max)
	}
	h := uint64(size)<<1 | uint64(k&1)
	for h >= 0x80 {
		dst = append(dst, byte(h)|0x80)
		h >>= 7
	}
	return append(dst, byte(h)), nil
}

// ReadHeader reads one header and refuses a data body over max bytes, or an
// error body over MaxText+1. io.EOF means that the stream ended between frames.
func ReadHeader(r io.ByteReader, max int) (Header, error) {
	var h uint64
	for i := range maxHeader {
		b, err := r.ReadByte()
		switch {
		case err == io.EOF && i == 0:
			return Header{}, io.EOF
		case err == io.EOF:
			return Header{}, fmt.Errorf("%w: in a header", ErrTruncated)
		case err != nil:
			return Header{}, err
		}
		h |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if b == 0 && i > 0 {
				return Header{}, fmt.Errorf("%w: length is not minimal", ErrMalformed)
			}
			return checkHeader(h, max)
		}
	}
	return Header{}, fmt.Errorf("%w: length has more than %d bytes", ErrMalformed, maxHeader)
}

func checkHeader(h uint64, max int) (Header, error) {
	k, size := Kind(h&1), h>>1
	limit := uint64(min(max, Max))
	if k == Error {
		if size == 0 {
			return Header{}, fmt.Errorf("%w: an error without a code", ErrMalformed)
		}
		limit = MaxText + 1
	}
	if size > limit {
		return Header{}, fmt.Errorf("%w: peer announces %d bytes of at most %d", ErrTooLarge, size, limit)
	}
	return Header{Kind: k, Size: int(size)}, nil
}

// ReadBody reads the body that h announced.
func ReadBody(r io.Reader, h Header) ([]byte, error) {
	buf := make([]byte, 0, min(h.Size, firstRead))
	for len(buf) < h.Size {
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), min(h.Size, 2*cap(buf)))
			copy(grown, buf)
			buf = grown
		}
		n, err := io.ReadFull(r, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil, fmt.Errorf("%w: %d of %d bytes", ErrTruncated, len(buf), h.Size)
		}
		if err != nil {
			return nil, err
		}
	}
	return buf, nil
}

// Read reads one frame whose data body is at most max bytes.
func Read(r Reader, max int) (Kind, []byte, error) {
	h, err := ReadHeader(r, max)
	if err != nil {
		return 0, nil, err
	}
	body, err := ReadBody(r, h)
	return h.Kind, body, err
}

// AppendError appends a whole error frame; text is made printable and cut to MaxText.
func AppendError(dst []byte, code byte, text string) []byte {
	text = Clean(text)
	dst, _ = AppendHeader(dst, Error, 1+len(text)) // within bounds: Clean cuts
	return append(append(dst, code), text...)
}

// ParseError splits the body of an error frame. The text is cleaned again: what
// a peer wrote ends in logs and on terminals.
func ParseError(body []byte) (code byte, text string, err error) {
	if len(body) == 0 || len(body) > MaxText+1 {
		return 0, "", fmt.Errorf("%w: an error of %d bytes", ErrMalformed, len(body))
	}
	return body[0], Clean(string(body[1:])), nil
}

// Clean returns s as valid UTF-8 without control characters, cut to MaxText bytes.
func Clean(s string) string {
	s = s[:min(len(s), 4*MaxText)]
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) <= MaxText {
		return s
	}
	cut := MaxText
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}
