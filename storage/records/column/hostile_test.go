package column

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/parquet-go/parquet-go"
)

// sound says whether an error is one of the four that a file may cause.
func sound(err error) bool {
	for _, class := range []error{ErrFile, ErrUnsupported, ErrColumn, ErrTooLarge} {
		if errors.Is(err, class) {
			return true
		}
	}
	return err == nil
}

// samples are one small file of every shape.
func samples(t testing.TB) [][]byte {
	var plains []plainRow
	var options []optionalRow
	var dicts []dictRow
	var deltas []deltaLengthRow
	for i, s := range texts(3, 60) {
		if s != nil {
			plains = append(plains, plainRow{int64(i), *s, true})
			deltas = append(deltas, deltaLengthRow{*s})
		}
		options = append(options, optionalRow{s, int32(i)})
		dicts = append(dicts, dictRow{s})
	}
	frontCoded := parquet.NewSchema("x", parquet.Group{"text": parquet.Encoded(parquet.String(), &parquet.DeltaByteArray)})
	return [][]byte{
		write(t, plains, parquet.Compression(&parquet.Zstd)),
		write(t, options, parquet.Compression(&parquet.Gzip), parquet.DataPageVersion(1), parquet.PageBufferSize(100)),
		write(t, dicts, parquet.Compression(&parquet.Snappy), parquet.DataPageVersion(1)),
		write(t, dicts),
		write(t, deltas),
		write(t, deltas, frontCoded),
	}
}

func TestDamagedFilesGiveErrorsAndNothingWorse(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, b := range samples(t) {
		if _, err := read(b, "text"); err != nil {
			t.Fatal(err)
		}
		for i := range b {
			if _, err := read(b[:i], "text"); err == nil || !sound(err) {
				t.Fatalf("cut to %d of %d bytes: %v", i, len(b), err)
			}
			bad := bytes.Clone(b)
			bad[i] = byte(r.Uint32())
			if _, err := read(bad, "text"); !sound(err) {
				t.Fatalf("byte %d changed: %v", i, err)
			}
		}
	}
}

// forge is a file whose pages and footer are ours to choose: one column "text",
// required or optional.
type forge struct{ bytes.Buffer }

func (f *forge) varint(v uint64) { f.Write(binary.AppendUvarint(nil, v)) }

func (f *forge) number(v int64) { f.varint(uint64(v)<<1 ^ uint64(v>>63)) }

// pairs writes fields that are numbers: id, value, id, value, rising.
func (f *forge) pairs(kind byte, pairs ...int64) {
	last := int64(0)
	for i := 0; i < len(pairs); i += 2 {
		f.WriteByte(byte(pairs[i]-last)<<4 | kind)
		last = pairs[i]
		f.number(pairs[i+1])
	}
}

// page writes a data page of version 1.
func (f *forge) page(size, values, encoding int64, body []byte) {
	f.pairs(tI32, 1, dataPage, 2, size, 3, int64(len(body)))
	f.WriteByte(2<<4 | tStruct) // field 5
	f.pairs(tI32, 1, values, 2, encoding, 3, rle, 4, rle)
	f.Write([]byte{0, 0})
	f.Write(body)
}

// group is a row group whose only column has codec, values, start and size.
type group struct{ codec, values, start, size int64 }

// finish writes the footer.
func (f *forge) finish(repetition int64, groups []group, times int) []byte {
	at := f.Len()
	f.pairs(tI32, 1, 1)
	f.Write([]byte{1<<4 | tList, 2<<4 | tStruct}) // schema
	f.Write([]byte{4<<4 | tBinary, 1, 'x', 1<<4 | tI32, 2, 0})
	f.Write([]byte{1<<4 | tI32, 2 * byteArray, 2<<4 | tI32, byte(2 * repetition), 1<<4 | tBinary, 4, 't', 'e', 'x', 't', 0})
	f.Write([]byte{2<<4 | tList, 15<<4 | tStruct}) // row groups
	f.varint(uint64(len(groups) * times))
	for range times {
		for _, g := range groups {
			f.Write([]byte{1<<4 | tList, 1<<4 | tStruct, 3<<4 | tStruct})
			f.pairs(tI64, 4, g.codec, 5, g.values, 7, g.size, 9, g.start)
			f.Write([]byte{0, 0, 2<<4 | tI64})
			f.number(g.values)
			f.WriteByte(0)
		}
	}
	f.WriteByte(0)
	n := f.Len() - at
	f.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
	f.WriteString(magic)
	return f.Bytes()
}

func newForge() *forge {
	f := &forge{}
	f.WriteString(magic)
	return f
}

func TestAForgedFileIsReadLikeAnyOther(t *testing.T) {
	f := newForge()
	body := []byte("\x02\x00\x00\x00hi\x03\x00\x00\x00you")
	f.page(int64(len(body)), 2, plainEncoding, body)
	size := int64(f.Len() - 4)
	got, err := read(f.finish(0, []group{{0, 2, 4, size}}, 2), "text")
	if err != nil || string(bytes.Join(got, []byte(","))) != "hi,you,hi,you" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestBombsAreRefusedBeforeTheyCost measures what reading takes: the work by the
// values that come out, the memory by what is allocated.
func TestBombsAreRefusedBeforeTheyCost(t *testing.T) {
	big := bytes.Repeat([]byte("x"), longest)
	var words []byte
	words = append(binary.LittleEndian.AppendUint32(words, uint32(len(big))), big...)
	run := binary.AppendUvarint([]byte{1}, maxValues<<1) // of width 1: one run of zeros
	run = append(run, 0)
	nulls := binary.AppendUvarint(nil, maxValues<<1)
	nulls = append(nulls, 0)
	nulls = append(binary.LittleEndian.AppendUint32(nil, uint32(len(nulls))), nulls...)
	delta := binary.AppendUvarint(nil, 1<<20)
	delta = append(binary.AppendUvarint(delta, 1), binary.AppendUvarint(nil, 1<<62)...)
	delta = append(delta, 0)

	page := func(size, values, encoding int64, body []byte, codec, repetition int64, times int) []byte {
		f := newForge()
		f.page(size, values, encoding, body)
		return f.finish(repetition, []group{{codec, values, 4, int64(f.Len() - 4)}}, times)
	}
	dictionary := func() []byte {
		f := newForge()
		f.pairs(tI32, 1, dictionaryPage, 2, int64(len(words)), 3, int64(len(words)))
		f.WriteByte(4<<4 | tStruct) // field 7
		f.pairs(tI32, 1, 1, 2, plainEncoding)
		f.Write([]byte{0, 0})
		f.Write(words)
		f.page(int64(len(run)), maxValues, dictionaryValues, run)
		return f.finish(0, []group{{0, maxValues, 4, int64(f.Len() - 4)}}, 1)
	}
	var snappy []byte
	snappy = binary.AppendUvarint(snappy, 1<<32-1)
	huge := bytes.Repeat([]byte{0}, 10)
	for _, tt := range []struct {
		name string
		in   []byte
		want error
	}{
		{"one word sixteen million times", dictionary(), ErrTooLarge},
		{"nulls without end", page(int64(len(nulls)), maxValues, plainEncoding, nulls, 0, 1, 100), ErrTooLarge},
		{"one chunk in all row groups", page(int64(len(huge)), 1, plainEncoding, append(binary.LittleEndian.AppendUint32(nil, 6), "123456"...), 0, 0, maxGroups), nil},
		{"more row groups than there may be", page(int64(len(huge)), 1, plainEncoding, huge, 0, 0, maxGroups+1), ErrTooLarge},
		{"a page of 2 GiB", page(1<<31-1, 1, plainEncoding, huge, 1, 0, 1), ErrTooLarge},
		{"snappy that says 4 GiB", page(100, 1, plainEncoding, append(snappy, huge...), 1, 0, 1), ErrFile},
		{"a page of two billion values", page(10, 1<<31-1, plainEncoding, huge, 0, 0, 1), ErrTooLarge},
		{"a delta encoding of too many", page(int64(len(delta)), 5, deltaLength, delta, 0, 0, 1), ErrFile},
		{"negative sizes", page(-1, 1, plainEncoding, huge, 0, 0, 1), ErrFile},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := 0
		r, err := Open(bytes.NewReader(tt.in), "text", longest)
		for err == nil {
			if _, err = r.Next(); err == nil {
				got++
			}
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		runtime.ReadMemStats(&after)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		budget := (maxPage + expansion*len(tt.in)) / valueCost
		if got > budget {
			t.Errorf("%s: %d values of a file of %d bytes", tt.name, got, len(tt.in))
		}
		if spent := after.TotalAlloc - before.TotalAlloc; spent > maxPage+16<<20 {
			t.Errorf("%s: %d MiB allocated", tt.name, spent>>20)
		}
	}
}

func TestAFooterThatStatesTooMuchTakesNoMemory(t *testing.T) {
	deep := bytes.Repeat([]byte{15<<4 | tStruct}, 1000)
	list := append([]byte{15<<4 | tList, 15<<4 | tStruct}, binary.AppendUvarint(nil, 1<<40)...)
	long := append([]byte{15<<4 | tBinary}, binary.AppendUvarint(nil, 1<<62)...)
	pairs := append([]byte{15<<4 | tMap}, binary.AppendUvarint(nil, 1<<62)...)
	names := append([]byte{2<<4 | tList, 1<<4 | tStruct, 4<<4 | tBinary}, binary.AppendUvarint(nil, 1<<30)...)
	for name, footer := range map[string][]byte{"nesting": deep, "a list": list, "a string": long, "a map": append(pairs, tI8<<4|tI8), "a name": names, "nothing": nil} {
		b := append([]byte(magic), footer...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(footer)))
		b = append(b, magic...)
		allocated := testing.AllocsPerRun(1, func() {
			if _, err := read(b, "text"); !errors.Is(err, ErrFile) && !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s: %v", name, err)
			}
		})
		if allocated > 1000 {
			t.Errorf("%s: %.0f allocations", name, allocated)
		}
	}
}

type seeker struct {
	io.Reader
	io.Seeker
}

func TestAnErrorOfTheFileIsPassedOn(t *testing.T) {
	broken := errors.New("disk is gone")
	if _, err := Open(seeker{iotest.ErrReader(broken), strings.NewReader(strings.Repeat("x", 100))}, "text", longest); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, b := range samples(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := read(b, "text"); !sound(err) {
			t.Fatal(err)
		}
	})
}

// FuzzPage gives a page of every encoding to the decoders, which a fuzzer of
// whole files seldom reaches.
func FuzzPage(f *testing.F) {
	for _, encoding := range []byte{plainEncoding, dictionaryValues, deltaLength, deltaStrings} {
		f.Add(encoding, []byte{128, 1, 4, 3, 2, 0, 0, 0, 0, 0, 1, 2, 3})
		f.Add(encoding, []byte{1, 2, 1, 0, 0, 0, 'x'})
	}
	f.Fuzz(func(t *testing.T, encoding byte, b []byte) {
		r := &Reader{longest: 1000, c: cursor{dictionary: &dictionary{[]byte("\x01\x00\x00\x00a\x00\x00\x00\x00"), []uint32{5, 9}}}}
		d, err := r.decoder(int64(encoding), b, 1000)
		for range 1000 {
			if err != nil {
				break
			}
			var v []byte
			if v, err = d.value(); len(v) > max(len(b), 1000) {
				t.Fatalf("a value of %d bytes of %d", len(v), len(b))
			}
		}
		if !sound(err) {
			t.Fatal(err)
		}
	})
}
