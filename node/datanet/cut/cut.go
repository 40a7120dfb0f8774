// Package cut takes a stream of records apart into parts that fit a shard each.
//
// The life of a stream: Parts reads it once and yields one reader after the other. A part
// ends at the first end of a record after it has grown close to the bound, so that
// no record is cut; the parts put together are the stream, except that every part of
// a CSV begins with the stream's header. What cannot be cut, such as Parquet, is one part
// and refused past the bound.
//
// It holds one buffer, and a CSV's header. A part must be read to its end before the next is asked for. Nothing here is
// safe for concurrent use.
package cut

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"tally/protocol"
)

// ErrTooLarge says that a stream cannot be cut so that its parts are in bounds.
var ErrTooLarge = errors.New("cut: too large for one shard")

const (
	maxHeader = 1 << 20 // bytes of a CSV's header
	buffer    = 64 << 10
)

// Parts cuts a stream of records in a format ("text", "jsonl", "csv"; anything else is
// not cut) into parts of at most max bytes. Parts are filled to at least half of max
// but for the last. A stream of nothing has no parts. An error is the last thing
// yielded; errors of r come out of the part's reader.
func Parts(format string, r io.Reader, max int64) iter.Seq2[io.Reader, error] {
	return func(yield func(io.Reader, error) bool) {
		s := &stream{r: bufio.NewReaderSize(r, buffer), max: max}
		switch format {
		case "text":
			s.end, s.cuts = protocol.RecordSeparator, true
		case "jsonl":
			s.end, s.cuts = '\n', true
		case "csv":
			s.end, s.cuts, s.csv = '\n', true, true
		}
		for {
			if _, err := s.r.Peek(1); err != nil {
				if err != io.EOF {
					yield(nil, err)
				}
				return
			}
			p := &part{s: s}
			if s.csv && s.header != nil {
				p.prefix, p.n = s.header, int64(len(s.header))
			}
			if !yield(p, nil) {
				return
			}
			if !p.over {
				yield(nil, errors.New("cut: the part before was not read to its end"))
				return
			}
		}
	}
}

type stream struct {
	r      *bufio.Reader
	max    int64
	end    byte // that ends a record
	cuts   bool
	csv    bool
	quoted bool   // inside a quoted CSV cell
	first  []byte // the CSV header as far as it was read
	header []byte // whole
}

// soft is the length from which a part ends at the next end of a record.
func (s *stream) soft() int64 { return s.max - min(s.max/2, 16<<20) }

// stop is the length of the prefix of b that belongs to the part that has n bytes
// already, and whether the part ends there.
func (s *stream) stop(b []byte, n int64) (int, bool) {
	if !s.cuts {
		return len(b), false
	}
	for at := 0; at < len(b); {
		i := bytes.IndexByte(b[at:], s.end)
		till := len(b)
		if i >= 0 {
			till = at + i
		}
		if s.csv && bytes.Count(b[at:till], []byte{'"'})%2 == 1 {
			s.quoted = !s.quoted
		}
		if i < 0 {
			return len(b), false
		}
		at = till + 1
		if s.quoted {
			continue
		}
		if s.csv && s.header == nil {
			s.header = append(s.first, b[:at]...)
			s.first = nil
			continue
		}
		if n+int64(at) >= s.soft() {
			return at, true
		}
	}
	return len(b), false
}

// part reads one part.
type part struct {
	s      *stream
	prefix []byte
	n      int64 // bytes of the part so far
	end    bool  // no more than what is pending
	over   bool
	left   int // bytes at the front of the buffer that are the part's
	err    error
}

// Read implements io.Reader.
func (p *part) Read(b []byte) (int, error) {
	if len(p.prefix) > 0 {
		n := copy(b, p.prefix)
		p.prefix = p.prefix[n:]
		return n, nil
	}
	if p.err != nil {
		return 0, p.err
	}
	if p.left == 0 {
		if p.end {
			p.over = true
			return 0, io.EOF
		}
		if err := p.fill(); err != nil {
			p.over = errors.Is(err, io.EOF)
			p.err = err
			return 0, err
		}
	}
	n := min(len(b), p.left)
	n, err := p.s.r.Read(b[:n])
	p.left -= n
	return n, err
}

// fill looks at what is in the buffer next.
func (p *part) fill() error {
	if _, err := p.s.r.Peek(1); err != nil {
		return err
	}
	b, err := p.s.r.Peek(p.s.r.Buffered())
	if err != nil {
		return err
	}
	n, end := p.s.stop(b, p.n)
	if p.s.csv && p.s.header == nil {
		if len(p.s.first)+n > maxHeader {
			return fmt.Errorf("%w: the header of the CSV has more than %d bytes", ErrTooLarge, maxHeader)
		}
		p.s.first = append(p.s.first, b[:n]...)
	}
	p.left, p.end, p.n = n, end, p.n+int64(n)
	if p.n > p.s.max {
		if !p.s.cuts {
			return fmt.Errorf("%w: more than %d bytes, and this format is not cut: add it as several files", ErrTooLarge, p.s.max)
		}
		return fmt.Errorf("%w: no record ends within %d bytes: separate the records", ErrTooLarge, p.s.max)
	}
	return nil
}
