package records

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/parquet-go/parquet-go"

	"tally/protocol"
)

type row struct {
	ID   int64   `parquet:"id"`
	Text *string `parquet:"text,optional,dict,zstd"`
}

func parquetFile(t testing.TB, texts ...any) []byte {
	t.Helper()
	var rows []row
	for i, x := range texts {
		r := row{ID: int64(i)}
		if s, ok := x.(string); ok {
			r.Text = &s
		}
		rows = append(rows, r)
	}
	var b bytes.Buffer
	if err := parquet.Write(&b, rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestParquetGivesTheNamedColumn(t *testing.T) {
	b := parquetFile(t, "one", nil, " ", "two ö", "one", "")
	got, err := collect(t, Parquet, "text", bytes.NewReader(b))
	if want := []string{"one", "two ö", "one"}; err != nil || !slices.Equal(got, want) {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
	s, err := Check(t.Context(), Parquet, "text", io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))))
	if err != nil || s.Records != 3 || s.Empty != 3 || s.Bytes != 12 {
		t.Errorf("summary %+v, %v", s, err)
	}
	if want := []Field{{"id", "int64"}, {"text", "string"}}; !slices.Equal(s.Fields, want) {
		t.Errorf("fields %v, want %v", s.Fields, want)
	}
	if err := iotest.TestReader(Texts(Parquet, "text", bytes.NewReader(b)), []byte(protocol.JoinRecords(got))); err != nil {
		t.Error(err)
	}
}

func TestWrongParquetIsRefusedWithItsRow(t *testing.T) {
	for _, tt := range []struct {
		name, field string
		in          io.Reader
		want        error
		says        string
	}{
		{"a stream", "text", io.MultiReader(bytes.NewReader(parquetFile(t, "a"))), ErrSeek, "not a stream"},
		{"no Parquet", "text", strings.NewReader("just some text, long enough"), ErrSyntax, "PAR1"},
		{"no such column", "txt", bytes.NewReader(parquetFile(t, "a")), ErrField, `"text" (string)`},
		{"no strings", "id", bytes.NewReader(parquetFile(t, "a")), ErrField, "int64"},
		{"not UTF-8", "text", bytes.NewReader(parquetFile(t, "a", nil, "b\xff")), ErrEncoding, "row 3"},
		{"NUL", "text", bytes.NewReader(parquetFile(t, "a\x00")), ErrEncoding, "row 1"},
		{"a text too long", "text", bytes.NewReader(parquetFile(t, "a", strings.Repeat("x", MaxRecord+1))), ErrTooLarge, "row 2"},
		{"cut", "text", bytes.NewReader(parquetFile(t, "a")[:100]), ErrSyntax, "PAR1"},
	} {
		_, err := Check(t.Context(), Parquet, tt.field, tt.in)
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %v saying %q", tt.name, err, tt.want, tt.says)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	var texts []any
	var lines, rows, text strings.Builder
	rows.WriteString("id,text\n")
	for i := range 20_000 {
		s := fmt.Sprintf("%s, and this is number %d", strings.Repeat("some words of a record ", 10), i)
		texts = append(texts, s)
		text.WriteString(s + "\x1e")
		fmt.Fprintf(&lines, "{\"id\":%d,\"text\":%q}\n", i, s)
		fmt.Fprintf(&rows, "%d,%q\n", i, s)
	}
	for _, bm := range []struct{ format, field, in string }{
		{Text, "", text.String()},
		{JSONL, "text", lines.String()},
		{CSV, "text", rows.String()},
		{Parquet, "text", string(parquetFile(b, texts...))},
	} {
		b.Run(bm.format, func(b *testing.B) {
			b.SetBytes(int64(text.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if s, err := Check(b.Context(), bm.format, bm.field, strings.NewReader(bm.in)); err != nil || s.Records != uint64(len(texts)) {
					b.Fatal(s.Records, err)
				}
			}
		})
	}
}
