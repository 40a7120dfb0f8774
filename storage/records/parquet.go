package records

import (
	"errors"
	"fmt"
	"io"

	"tally/storage/records/column"
)

// parquetSource gives package column's errors their class here.
type parquetSource struct {
	field string
	r     *column.Reader
	row   uint64 // under way, from 1
}

func newParquetSource(field string, r io.Reader) (*parquetSource, error) {
	at, ok := r.(io.ReadSeeker)
	if !ok {
		return nil, ErrSeek
	}
	f, err := column.Open(at, field, MaxRecord)
	if err != nil {
		return nil, classed(err)
	}
	return &parquetSource{field: field, r: f}, nil
}

func classed(err error) error {
	for from, to := range map[error]error{column.ErrFile: ErrSyntax, column.ErrUnsupported: ErrSyntax, column.ErrColumn: ErrField, column.ErrTooLarge: ErrTooLarge} {
		if errors.Is(err, from) {
			return fmt.Errorf("%w: %w", to, err)
		}
	}
	return fmt.Errorf("records: %w", err)
}

func (s *parquetSource) fields() []Field {
	var out []Field
	for _, c := range s.r.Columns() {
		out = append(out, Field(c))
	}
	return out
}

func (s *parquetSource) next() (Record, error) {
	s.row++
	text, err := s.r.Next()
	if errors.Is(err, io.EOF) {
		return Record{}, io.EOF
	}
	if err != nil {
		return Record{}, fmt.Errorf("%w: row %d", classed(err), s.row)
	}
	if err := checkText(text, func() string { return fmt.Sprintf("row %d, column %q,", s.row, s.field) }); err != nil {
		return Record{}, err
	}
	return Record{Text: text, Offset: -1}, nil
}
