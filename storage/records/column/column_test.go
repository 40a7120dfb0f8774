package column

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

const longest = 1 << 20

// read is all values of a column; nil stands for null.
func read(b []byte, name string) (out [][]byte, err error) {
	r, err := Open(bytes.NewReader(b), name, longest)
	if err != nil {
		return nil, err
	}
	for {
		v, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		if v != nil {
			v = append([]byte{}, v...)
		}
		out = append(out, v)
	}
}

// The shapes that are written by the independent library.
type plainRow struct {
	ID   int64  `parquet:"id"`
	Text string `parquet:"text"`
	Tail bool   `parquet:"tail"`
}

type optionalRow struct {
	Text *string `parquet:"text,optional"`
	ID   int32   `parquet:"id"`
}

type dictRow struct {
	Text *string `parquet:"text,optional,dict"`
}

type deltaLengthRow struct {
	Text string `parquet:"text,delta"`
}

type nestedRow struct {
	List []string `parquet:"list,list"`
	Meta *struct {
		Deep *struct {
			Text *string `parquet:"text,optional"`
		} `parquet:"deep,optional"`
	} `parquet:"meta,optional"`
	Blob []byte `parquet:"blob"`
}

func write[T any](t testing.TB, rows []T, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, options...)
	for at := 0; at < len(rows); at += 300 {
		if _, err := w.Write(rows[at:min(at+300, len(rows))]); err != nil {
			t.Fatal(err)
		}
		if at%1500 == 1200 {
			if err := w.Flush(); err != nil { // ends a row group
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// texts are n texts of which some come again, some are empty and nil is null.
func texts(seed uint64, n int) []*string {
	r := rand.New(rand.NewPCG(seed, 0))
	var out []*string
	for i := range n {
		s := strings.Repeat(fmt.Sprintf("prefix %d, ", r.IntN(40)), r.IntN(12))
		switch r.IntN(6) {
		case 0:
			out = append(out, nil)
			continue
		case 1:
			s += fmt.Sprint(i)
		case 2:
			if i > 0 && out[i-1] != nil {
				s = *out[i-1]
			}
		}
		out = append(out, &s)
	}
	return out
}

func same(t *testing.T, got [][]byte, want []*string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	for i, w := range want {
		if (w == nil) != (got[i] == nil) || w != nil && string(got[i]) != *w {
			t.Fatalf("value %d is %q, want %v", i, got[i], w)
		}
	}
}

func filled(in []*string) (out []*string) {
	empty := ""
	for _, s := range in {
		if s == nil {
			s = &empty
		}
		out = append(out, s)
	}
	return out
}

func TestFilesOfAnotherWriterAreRead(t *testing.T) {
	codecs := map[string]compress.Codec{"none": &parquet.Uncompressed, "snappy": &parquet.Snappy, "gzip": &parquet.Gzip, "zstd": &parquet.Zstd}
	for name, codec := range codecs {
		for version := 1; version <= 2; version++ {
			for _, page := range []int{1, 400, 1 << 20} {
				n := 4000
				if page == 1 {
					n = 400
				}
				options := []parquet.WriterOption{parquet.Compression(codec), parquet.DataPageVersion(version), parquet.PageBufferSize(page)}
				want := texts(uint64(version), n)
				t.Run(fmt.Sprintf("%s v%d page %d", name, version, page), func(t *testing.T) {
					for shape, file := range map[string]func() []byte{
						"plain": func() []byte {
							var rows []plainRow
							for i, s := range filled(want) {
								rows = append(rows, plainRow{int64(i), *s, i%2 == 0})
							}
							return write(t, rows, options...)
						},
						"optional": func() []byte {
							var rows []optionalRow
							for _, s := range want {
								rows = append(rows, optionalRow{Text: s})
							}
							return write(t, rows, options...)
						},
						"dictionary": func() []byte {
							var rows []dictRow
							for _, s := range want {
								rows = append(rows, dictRow{s})
							}
							return write(t, rows, options...)
						},
						"delta lengths": func() []byte {
							var rows []deltaLengthRow
							for _, s := range filled(want) {
								rows = append(rows, deltaLengthRow{*s})
							}
							return write(t, rows, options...)
						},
						"delta strings": func() []byte {
							schema := parquet.NewSchema("x", parquet.Group{"text": parquet.Encoded(parquet.String(), &parquet.DeltaByteArray)})
							var rows []deltaLengthRow
							for _, s := range filled(want) {
								rows = append(rows, deltaLengthRow{*s})
							}
							return write(t, rows, append(options, schema)...)
						},
					} {
						got, err := read(file(), "text")
						if err != nil {
							t.Fatalf("%s: %v", shape, err)
						}
						if shape == "optional" || shape == "dictionary" {
							same(t, got, want)
						} else {
							same(t, got, filled(want))
						}
					}
				})
			}
		}
	}
}

func nested(t testing.TB) ([]byte, []*string) {
	want := texts(7, 500)
	var rows []nestedRow
	for i, s := range want {
		row := nestedRow{List: []string{"a", "b"}[:i%3%2], Blob: []byte{byte(i)}}
		if s != nil || i%2 == 0 {
			row.Meta = &struct {
				Deep *struct {
					Text *string `parquet:"text,optional"`
				} `parquet:"deep,optional"`
			}{}
			if s != nil || i%4 == 0 {
				row.Meta.Deep = &struct {
					Text *string `parquet:"text,optional"`
				}{s}
			}
		}
		rows = append(rows, row)
	}
	return write(t, rows), want
}

func TestColumnsInGroupsAreNamedByTheirPath(t *testing.T) {
	b, want := nested(t)
	got, err := read(b, "meta.deep.text")
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, want)
	r, err := Open(bytes.NewReader(b), "blob", longest)
	if err != nil {
		t.Fatal(err)
	}
	cols := []Column{{"list.list.element", "repeated string"}, {"meta.deep.text", "string"}, {"blob", "bytes"}}
	for _, c := range cols {
		if !slices.Contains(r.Columns(), c) {
			t.Errorf("columns %v lack %v", r.Columns(), c)
		}
	}
}

func TestWhatIsNoColumnOfStringsIsRefused(t *testing.T) {
	b, _ := nested(t)
	ints := write(t, []plainRow{{1, "a", true}})
	for _, tt := range []struct {
		file       []byte
		name, says string
		want       error
	}{
		{b, "nothing", `no column is named "nothing"; there are`, ErrColumn},
		{b, "list.list.element", "repeated string", ErrColumn},
		{ints, "id", "int64", ErrColumn},
		{ints[:len(ints)-1], "text", "begin and end", ErrFile},
		{nil, "text", "too few", ErrFile},
		{write(t, []plainRow{{1, "a", true}}, parquet.Compression(&parquet.Brotli)), "text", "compression 4", ErrUnsupported},
		{write(t, []plainRow{{1, "a", true}}, parquet.Compression(&parquet.Lz4Raw)), "text", "compression 7", ErrUnsupported},
		{write(t, []plainRow{{1, strings.Repeat("a", longest+1), true}}), "text", "at most", ErrTooLarge},
	} {
		if _, err := read(tt.file, tt.name); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %v saying %q", tt.name, err, tt.want, tt.says)
		}
	}
}

func TestAnEmptyFileHasNoValues(t *testing.T) {
	if got, err := read(write[plainRow](t, nil), "text"); err != nil || len(got) != 0 {
		t.Errorf("%d values, %v", len(got), err)
	}
}
