package frame

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
)

func encode(t testing.TB, k Kind, body []byte) []byte {
	t.Helper()
	b, err := AppendHeader(nil, k, len(body))
	if err != nil {
		t.Fatal(err)
	}
	return append(b, body...)
}

func TestFramesRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 127, 8191, firstRead, firstRead + 1, 1 << 20, Max} {
		want := bytes.Repeat([]byte{7}, n)
		r := bufio.NewReader(bytes.NewReader(encode(t, Data, want)))
		k, got, err := Read(r, Max)
		if err != nil || k != Data || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: kind %d, %d bytes, %v", n, k, len(got), err)
		}
		if _, _, err := Read(r, Max); err != io.EOF {
			t.Fatalf("after the frame: %v, want EOF", err)
		}
	}
}

func TestBadFramesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"over the reader's limit":    {encode(t, Data, make([]byte, 101)), ErrTooLarge},
		"over any limit":             {[]byte{0xff, 0xff, 0xff, 0xff, 0x7f}, ErrTooLarge},
		"ends in the header":         {[]byte{0x80}, ErrTruncated},
		"ends in the body":           {encode(t, Data, make([]byte, 100))[:50], ErrTruncated},
		"a header that is too long":  {[]byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x01}, ErrMalformed},
		"a padded header":            {[]byte{0x82, 0x00}, ErrMalformed},
		"an error without a code":    {[]byte{0x01}, ErrMalformed},
		"an error with a long story": {encode(t, Error, make([]byte, MaxText+2)), ErrTooLarge},
	} {
		if _, _, err := Read(bufio.NewReader(bytes.NewReader(c.in)), 100); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := AppendHeader(nil, Data, Max+1); !errors.Is(err, ErrTooLarge) {
		t.Errorf("writing too much: %v", err)
	}
}

func TestAnAnnouncedBodyCostsNothingUntilItArrives(t *testing.T) {
	in, _ := AppendHeader(nil, Data, Max)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := Read(bufio.NewReader(bytes.NewReader(in)), Max)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrTruncated) || after.TotalAlloc-before.TotalAlloc > 64<<10 {
		t.Fatalf("%d bytes allocated for a body that never came (%v)", after.TotalAlloc-before.TotalAlloc, err)
	}
}

func TestErrorTextIsBoundedAndPrintable(t *testing.T) {
	in := AppendError(nil, 3, "bad\x1b[31m\n\xff"+strings.Repeat("é", 4000))
	k, body, err := Read(bufio.NewReader(bytes.NewReader(in)), 0)
	if err != nil || k != Error {
		t.Fatal(k, err)
	}
	code, text, err := ParseError(body)
	if err != nil || code != 3 || len(text) > MaxText || strings.ContainsAny(text, "\x1b\n") || !strings.HasPrefix(text, "bad ") {
		t.Fatalf("%d %q %v", code, text, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x80, 0x00})
	f.Add(AppendError(nil, 1, "no"))
	b, _ := AppendHeader(nil, Data, 3)
	f.Add(append(b, "abc"...))
	f.Fuzz(func(t *testing.T, in []byte) {
		src := bytes.NewReader(in)
		r := bufio.NewReader(src)
		for {
			k, body, err := Read(r, 1<<16)
			if err != nil {
				return
			}
			if k == Error {
				if _, text, err := ParseError(body); err != nil || len(text) > MaxText {
					t.Fatal(text, err)
				}
			}
			// What was read is what it would be written as: one form for each frame.
			used := len(in) - src.Len() - r.Buffered()
			again := encode(t, k, body)
			if !bytes.HasSuffix(in[:used], again) {
				t.Fatalf("%x read as %x", in[:used], again)
			}
		}
	})
}
