package records

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// csvSource reads RFC 4180 itself, since encoding/csv keeps every cell of a row
// and bounds neither: here only the cell asked for is kept. Blank lines are no
// rows, as in encoding/csv; line ends inside quotes stay as they are.
type csvSource struct {
	r      *bufio.Reader
	field  string
	names  []Field
	column int    // of field; -1 until the header is read
	line   uint64 // under way, from 1
	offset int64  // of the next byte
	row    int64  // where the row under way begins
	cell   []byte
}

func newCSVSource(field string, r io.Reader) *csvSource {
	return &csvSource{r: bufio.NewReaderSize(r, bufferSize), field: field, column: -1, line: 1}
}

func (s *csvSource) fields() []Field { return s.names }

// Why a row is none. The caller adds its line.
var (
	errQuote     = fmt.Errorf("%w: a quote inside a cell: put the cell in quotes and double the quote", ErrSyntax)
	errAfter     = fmt.Errorf("%w: something follows a closing quote: double quotes inside a cell", ErrSyntax)
	errUnclosed  = fmt.Errorf("%w: a quoted cell does not end: close its quote", ErrSyntax)
	errReturn    = fmt.Errorf("%w: a carriage return without a line feed: end rows by LF or CRLF, or put the cell in quotes", ErrSyntax)
	errFewCells  = fmt.Errorf("%w: fewer cells than the header has: give empty ones", ErrSyntax)
	errManyCells = fmt.Errorf("%w: more cells than the header has: put cells that hold a comma in quotes", ErrSyntax)
	errLongRow   = fmt.Errorf("%w: more than %d MiB: is a quote left open?", ErrTooLarge, MaxRecord>>20)
)

func (s *csvSource) next() (Record, error) {
	if s.column < 0 {
		if err := s.header(); err != nil {
			return Record{}, err
		}
	}
	if err := s.begin(); err != nil {
		return Record{}, err
	}
	line := s.line
	if err := s.cells(); err != nil {
		return Record{}, fmt.Errorf("%w: row at line %d", err, line)
	}
	if err := checkText(s.cell, func() string { return fmt.Sprintf("row at line %d, column %q,", line, s.field) }); err != nil {
		return Record{}, err
	}
	return Record{Text: s.cell, Offset: s.row}, nil
}

// begin goes to the first byte of the next row, or returns io.EOF.
func (s *csvSource) begin() error {
	for {
		s.row = s.offset
		b, err := s.r.Peek(2)
		switch {
		case len(b) == 0 && err == io.EOF:
			return io.EOF
		case len(b) == 0:
			return s.broken(err)
		case b[0] == '\n':
			s.skip(1)
		case len(b) == 2 && b[0] == '\r' && b[1] == '\n':
			s.skip(2)
		default:
			return nil
		}
		s.line++
	}
}

func (s *csvSource) skip(n int) {
	m, _ := s.r.Discard(n) // they were peeked at
	s.offset += int64(m)
}

func (s *csvSource) broken(err error) error {
	return fmt.Errorf("records: read at byte %d: %w", s.offset, err)
}

// cells reads a row of as many cells as the header has and keeps the one asked for.
func (s *csvSource) cells() error {
	for i := range s.names {
		how, err := s.read(i == s.column)
		switch {
		case err != nil:
			return err
		case how == comma && i+1 == len(s.names):
			return errManyCells
		case how != comma && i+1 < len(s.names):
			return errFewCells
		}
	}
	return nil
}

// header reads the first row: the names of the columns.
func (s *csvSource) header() error {
	if b, err := s.r.Peek(len(byteOrderMark)); err == nil && string(b) == byteOrderMark {
		s.skip(len(byteOrderMark))
	}
	if err := s.begin(); errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: there is no header row: name the columns in the first", ErrSyntax)
	} else if err != nil {
		return err
	}
	column := -1
	for how := comma; how == comma; {
		var err error
		if how, err = s.read(true); err != nil {
			return fmt.Errorf("%w: header", err)
		}
		if len(s.names) == MaxFields || len(s.cell) > MaxName || !utf8.Valid(s.cell) {
			return fmt.Errorf("%w: header: at most %d columns whose names are UTF-8 of at most %d bytes", ErrTooLarge, MaxFields, MaxName)
		}
		if string(s.cell) == s.field {
			if column >= 0 {
				return fmt.Errorf("%w: two columns are named %q: rename one", ErrField, s.field)
			}
			column = len(s.names)
		}
		s.names = append(s.names, Field{string(s.cell), "string"})
	}
	if column < 0 {
		return fmt.Errorf("%w: no column is named %q; there are %s", ErrField, s.field, listNames(s.names))
	}
	s.column = column
	return nil
}

// ending is what ends a cell.
type ending uint8

const (
	comma ending = iota
	rowEnd
)

var errEnd = errors.New("records: end of the file") // inside a row

func (s *csvSource) byte() (byte, error) {
	c, err := s.r.ReadByte()
	switch {
	case err == io.EOF:
		return 0, errEnd
	case err != nil:
		return 0, s.broken(err)
	case s.offset-s.row >= MaxRecord:
		return 0, errLongRow
	}
	s.offset++
	if c == '\n' {
		s.line++
	}
	return c, nil
}

// read reads a cell and what ends it, and keeps it in s.cell if asked to.
func (s *csvSource) read(keep bool) (ending, error) {
	if keep {
		s.cell = s.cell[:0]
	}
	c, err := s.byte()
	if err == nil && c == '"' {
		return s.quoted(keep)
	}
	for ; err == nil; c, err = s.byte() {
		switch c {
		case ',':
			return comma, nil
		case '\n':
			return rowEnd, nil
		case '\r':
			return s.after(c, errReturn)
		case '"':
			return rowEnd, errQuote
		}
		if keep {
			s.cell = append(s.cell, c)
		}
	}
	if errors.Is(err, errEnd) {
		return rowEnd, nil
	}
	return rowEnd, err
}

// quoted reads a cell after its opening quote.
func (s *csvSource) quoted(keep bool) (ending, error) {
	for {
		c, err := s.byte()
		if errors.Is(err, errEnd) {
			return rowEnd, errUnclosed
		}
		if err != nil {
			return rowEnd, err
		}
		if c == '"' {
			c, err = s.byte()
			if errors.Is(err, errEnd) {
				return rowEnd, nil
			}
			if err != nil {
				return rowEnd, err
			}
			if c != '"' {
				return s.after(c, errAfter)
			}
		}
		if keep {
			s.cell = append(s.cell, c)
		}
	}
}

// after is what c, which follows a cell, ends; wrong if it ends nothing.
func (s *csvSource) after(c byte, wrong error) (ending, error) {
	switch c {
	case ',':
		return comma, nil
	case '\n':
		return rowEnd, nil
	case '\r':
		next, err := s.byte()
		if err != nil && !errors.Is(err, errEnd) {
			return rowEnd, err
		}
		if err == nil && next == '\n' {
			return rowEnd, nil
		}
		return rowEnd, errReturn
	}
	return rowEnd, wrong
}
