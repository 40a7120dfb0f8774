package records

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestCSVGivesTheNamedColumn(t *testing.T) {
	in := "\uFEFFid,\"the \"\"text\"\"\",z\r\n" +
		"1,plain,x\n" +
		"\r\n" +
		"2,\"with, comma\nand \"\"quotes\"\"\",\n" +
		"3,,\"\"\n" +
		"\"4\",\"\"\"\",last"
	got, err := collect(t, CSV, `the "text"`, iotest.OneByteReader(strings.NewReader(in)))
	if want := []string{"plain", "with, comma\nand \"quotes\"", `"`}; err != nil || !slices.Equal(got, want) {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
	s, err := Check(t.Context(), CSV, "z", strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	if want := []Field{{"id", "string"}, {`the "text"`, "string"}, {"z", "string"}}; !slices.Equal(s.Fields, want) {
		t.Errorf("fields %v, want %v", s.Fields, want)
	}
	if s.Records != 2 || s.Empty != 2 || s.Bytes != 5 {
		t.Errorf("summary %+v", s)
	}
	for rec, err := range Open(CSV, "z", strings.NewReader(in)) {
		if err != nil || rec.Offset != int64(strings.Index(in, "1,plain")) {
			t.Errorf("first row at %d, %v", rec.Offset, err)
		}
		break
	}
}

func TestWrongCSVIsRefusedWithItsLine(t *testing.T) {
	long := strings.Repeat("x", MaxRecord)
	for _, tt := range []struct {
		name, in string
		want     error
		says     string
	}{
		{"nothing", "", ErrSyntax, "header"},
		{"no such column", "a,b\n", ErrField, `there are "a", "b"`},
		{"the column twice", "t,t\n", ErrField, "two columns"},
		{"too few cells", "t,u\n1,2\n3\n", ErrSyntax, "line 3"},
		{"too many cells", "t,u\n1,2,3\n", ErrSyntax, "line 2"},
		{"a quote inside", "t\na\"b\n", ErrSyntax, "line 2"},
		{"text after a quote", "t\n\"a\"b\n", ErrSyntax, "line 2"},
		{"an open quote", "t\nok\n\"a\n\nb", ErrSyntax, "line 3"},
		{"a lone carriage return", "t\na\rb\n", ErrSyntax, "line 2"},
		{"a lone carriage return after a quote", "t\n\"a\"\rb\n", ErrSyntax, "line 2"},
		{"not UTF-8", "t\n\xff\n", ErrEncoding, "line 2"},
		{"a separator", "t\na\x1eb\n", ErrEncoding, "0x1E"},
		{"a row too long", "t,u\n1,\"" + long + "\"\n", ErrTooLarge, "line 2"},
		{"a header too long", long + long, ErrTooLarge, "header"},
		{"too many columns", strings.Repeat(",", MaxFields) + "t\n", ErrTooLarge, "columns"},
	} {
		_, err := Check(t.Context(), CSV, "t", strings.NewReader(tt.in))
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %v saying %q", tt.name, err, tt.want, tt.says)
		}
	}
	broken := errors.New("disk is gone")
	for _, in := range []string{"", "t\n", "t\na", "t\n\"a", "t\n\"a\"", "t\n\"a\"\r"} {
		_, err := Check(t.Context(), CSV, "t", io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("after %q: %v", in, err)
		}
	}
}

// FuzzCSV compares with encoding/csv, which takes more (a lone carriage return)
// and makes CRLF inside quotes LF.
func FuzzCSV(f *testing.F) {
	f.Add([]byte("t,u\n1,\"a\"\"\n,b\"\r\n\n3,4"))
	f.Add([]byte("t\n\"\"\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		fuzzLines(t, CSV, "t", in)
		got, err := collect(t, CSV, "t", strings.NewReader(string(in)))
		if err != nil {
			return
		}
		var want []string
		r := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(in), byteOrderMark)))
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatalf("taken here, but %v", err)
		}
		at := slices.Index(rows[0], "t")
		for _, row := range rows[1:] {
			if strings.TrimSpace(row[at]) != "" {
				want = append(want, row[at])
			}
		}
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], "\r\n", "\n")
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, encoding/csv %q", got, want)
		}
	})
}
