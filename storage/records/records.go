// Package records reads the formats of a datanet: "text", "jsonl", "csv" and
// "parquet". Whatever the format, a record is a piece of text that models learn
// from, and the rest of the system needs no other view: Texts gives any format
// as protocol text.
//
// The life of a file: Detect guesses its format from its name and first bytes;
// Check reads it once before it is published, counts its records and says with
// the line or row what is wrong and what to do; Open yields the records one by
// one, for duplicate detection and previews; Texts feeds training and tokenizer.
//
// What a record is:
//
//   - text: UTF-8 without NUL, separated by protocol.RecordSeparator, as
//     protocol.SplitRecords says. No field.
//   - jsonl: one JSON object (RFC 8259) a line of UTF-8; the member that field
//     names is a string, or null for no text. Members of other types are free.
//     An escape of half a surrogate pair reads as U+FFFD. A byte order mark
//     before the first line is skipped.
//   - csv: RFC 4180 in UTF-8 with a header row, LF taken for CRLF; field names
//     the column. Every row has as many cells as the header. A byte order mark
//     before the header is skipped.
//   - parquet: the column that field names, strings or bytes, not repeated; its
//     path is joined by dots. See parquet.go for what is read and what refused.
//
// In every format a record of nothing but white space is no record and is not
// counted; and since training text knows neither, a text that holds NUL or the
// record separator is refused.
//
// Input is hostile. A record is at most MaxRecord bytes; reading holds one
// record (line formats) or one page and one dictionary (parquet, about 100 MB at
// worst); columns, nesting and names are bounded; no input panics. Nothing here
// is safe for concurrent use, starts a goroutine or opens a file.
package records

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"tally/protocol"
)

// The formats, as they stand in a manifest's schema.
const (
	Text    = "text"
	JSONL   = "jsonl"
	CSV     = "csv"
	Parquet = "parquet"
)

const (
	// MaxRecord bounds one record, and one line or row that holds it: 16 MiB.
	MaxRecord = 16 << 20
	// MaxFields bounds the columns of a CSV or Parquet file, and the members of
	// JSON objects that a Summary lists.
	MaxFields = 1024
	// MaxName bounds the bytes of a field's name.
	MaxName = 256

	bufferSize = 64 << 10
)

// Each error says which rule a file breaks; the message says where.
var (
	ErrFormat   = errors.New("records: unknown format: use text, jsonl, csv or parquet")
	ErrField    = errors.New("records: no such field of text")
	ErrEncoding = errors.New("records: not text")
	ErrSyntax   = errors.New("records: not in the format")
	ErrTooLarge = errors.New("records: too large")
	ErrSeek     = errors.New("records: parquet is read from its end: give a file, not a stream")
)

// Record is one piece of text that models learn from.
type Record struct {
	Index  uint64 // among the records that hold something, from 0
	Text   []byte // valid until the next record is asked for
	Offset int64  // byte at which it, its line or row begins; -1 in parquet
}

// Formats lists the formats, the simplest first.
func Formats() []string { return []string{Text, JSONL, CSV, Parquet} }

// Validate checks a format and its field by themselves: text has no field, every
// other format needs one.
func Validate(format, field string) error {
	switch {
	case !slices.Contains(Formats(), format):
		return fmt.Errorf("%w: got %q", ErrFormat, format)
	case format == Text && field != "":
		return fmt.Errorf("%w: a text has no fields: leave out %q", ErrField, field)
	case format != Text && field == "":
		return fmt.Errorf("%w: %s needs the name of the field that holds the text", ErrField, format)
	case len(field) > MaxName || !utf8.ValidString(field):
		return fmt.Errorf("%w: a name is UTF-8 of at most %d bytes", ErrField, MaxName)
	}
	return nil
}

// source is a format's reader. next returns io.EOF at the end; a text of nothing
// but white space is returned and the caller skips it. Index is the caller's.
type source interface {
	next() (Record, error)
	fields() []Field
}

func open(format, field string, r io.Reader) (source, error) {
	if err := Validate(format, field); err != nil {
		return nil, err
	}
	switch format {
	case Text:
		return newTextSource(r), nil
	case JSONL:
		return newJSONLSource(field, r), nil
	case CSV:
		return newCSVSource(field, r), nil
	default:
		return newParquetSource(field, r)
	}
}

// Open yields the records of r. An error is the last thing yielded; it names the
// record, line or row. For Parquet r must be an io.Seeker too and be at its
// beginning: an os.File, a bytes.Reader, an io.SectionReader.
func Open(format, field string, r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		src, err := open(format, field, r)
		if err != nil {
			yield(Record{}, err)
			return
		}
		for index := uint64(0); ; {
			rec, err := src.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Record{}, err)
				return
			}
			if len(bytes.TrimSpace(rec.Text)) == 0 {
				continue
			}
			rec.Index = index
			if !yield(rec, nil) {
				return
			}
			index++
		}
	}
}

// Field is a column or member and the type of its values as the format names it;
// "mixed" where JSON members differ.
type Field struct {
	Name string
	Type string
}

// Summary is what Check found.
type Summary struct {
	Records uint64   // records that hold something
	Bytes   uint64   // of their texts
	Empty   uint64   // records left out: no text, or nothing but white space
	Fields  []Field  // none in text; at most MaxFields
	Preview []string // the first records: at most 5, each at most 200 characters, printable
}

// previews and previewRunes bound a Summary's Preview.
const (
	previews     = 5
	previewRunes = 200
)

// Check reads all of r and returns what it holds, or the first thing that is
// wrong with it. ctx ends it between records.
func Check(ctx context.Context, format, field string, r io.Reader) (Summary, error) {
	src, err := open(format, field, r)
	if err != nil {
		return Summary{}, err
	}
	var s Summary
	for {
		if err := ctx.Err(); err != nil {
			return Summary{}, fmt.Errorf("records: check: %w", err)
		}
		rec, err := src.next()
		if errors.Is(err, io.EOF) {
			s.Fields = src.fields()
			return s, nil
		}
		if err != nil {
			return Summary{}, err
		}
		if len(bytes.TrimSpace(rec.Text)) == 0 {
			s.Empty++
			continue
		}
		s.Records++
		s.Bytes += uint64(len(rec.Text))
		if len(s.Preview) < previews {
			s.Preview = append(s.Preview, Preview(rec.Text))
		}
	}
}

// Texts gives the records of r as protocol text: separated by
// protocol.RecordSeparator, the empty ones left out. Errors are those of Open.
func Texts(format, field string, r io.Reader) io.Reader {
	src, err := open(format, field, r)
	return &texts{src: src, err: err}
}

type texts struct {
	src  source
	rest []byte // of the record under way
	some bool   // a record was given: the next needs a separator
	sep  bool   // and it is due now
	err  error  // sticky
}

func (t *texts) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for t.err == nil && len(t.rest) == 0 {
		rec, err := t.src.next()
		if err != nil {
			t.err = err
			break
		}
		if len(bytes.TrimSpace(rec.Text)) == 0 {
			continue
		}
		t.rest, t.sep, t.some = rec.Text, t.some, true
	}
	if t.err != nil {
		return 0, t.err
	}
	n := 0
	if t.sep {
		p[0], n, t.sep = protocol.RecordSeparator, 1, false
	}
	m := copy(p[n:], t.rest)
	t.rest = t.rest[m:]
	return n + m, nil
}

// checkText holds a text to what training text can carry. where names it.
func checkText(b []byte, where func() string) error {
	if len(b) > MaxRecord {
		return fmt.Errorf("%w: %s holds more than %d MiB: cut it into several", ErrTooLarge, where(), MaxRecord>>20)
	}
	if !utf8.Valid(b) {
		return fmt.Errorf("%w: %s is not UTF-8: convert it, or add another file", ErrEncoding, where())
	}
	if i := bytes.IndexAny(b, "\x00"+string(protocol.RecordSeparator)); i >= 0 {
		return fmt.Errorf("%w: %s holds the byte 0x%02X, which training text cannot: remove it", ErrEncoding, where(), b[i])
	}
	return nil
}

// Detect guesses the format of a file from its name and first bytes (a few KiB
// are enough), or returns "". The name decides only where the bytes do not.
func Detect(name string, first []byte) string {
	if bytes.HasPrefix(first, []byte(parquetMagic)) {
		return Parquet
	}
	name = strings.ToLower(name)
	line, _, whole := bytes.Cut(bytes.TrimPrefix(first, []byte(byteOrderMark)), []byte("\n"))
	for suffix, format := range map[string]string{".jsonl": JSONL, ".ndjson": JSONL, ".csv": CSV, ".parquet": Parquet} {
		if strings.HasSuffix(name, suffix) {
			return format
		}
	}
	switch {
	case !utf8.Valid(trimCutRune(first)) || bytes.IndexByte(first, 0) >= 0:
		return ""
	case whole && isObject(bytes.TrimSpace(line)):
		return JSONL
	default:
		return Text
	}
}

const (
	parquetMagic  = "PAR1"
	byteOrderMark = "\uFEFF"
)

// trimCutRune drops a rune that the end of b cuts.
func trimCutRune(b []byte) []byte {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return b[:i]
			}
			break
		}
	}
	return b
}
