package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"tally/storage"
)

// stream hides that a source can tell its length, so that it goes the long way.
type stream struct{ io.Reader }

// sources are files of every shape that an import knows: of no byte, of one leaf,
// of leaves that come again, of a last leaf that is short, of several batches.
func sources() map[string][]byte {
	const mib = 1 << 20
	leaf, other := noise(70, mib), noise(71, mib)
	m := map[string][]byte{
		"empty":                   nil,
		"one byte":                {7},
		"short of a leaf":         noise(1, mib-1),
		"one leaf":                leaf,
		"one byte over a leaf":    append(bytes.Clone(leaf), 1),
		"short of 255":            noise(2, 2*mib-255),
		"sixteen leaves":          noise(3, 16*mib),
		"one over sixteen":        noise(4, 16*mib+1),
		"three batches":           noise(5, 40*mib+12345),
		"zeroes":                  make([]byte, 20*mib+17),
		"twice the same":          append(bytes.Clone(leaf), leaf...),
		"again in another batch":  append(append(bytes.Clone(leaf), noise(6, 17*mib)...), leaf...),
		"again between others":    bytes.Join([][]byte{leaf, other, leaf, noise(7, mib), other, noise(8, 100)}, nil),
		"the last one is another": append(bytes.Repeat(leaf, 3), leaf[:1000]...),
	}
	more := 6
	if testing.Short() {
		more = 1
		delete(m, "three batches")
	}
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range more {
		var b []byte
		for range rng.IntN(24) {
			b = append(b, [][]byte{leaf, other, noise(rng.Uint64(), mib)}[rng.IntN(3)]...)
		}
		b = append(b, noise(rng.Uint64(), rng.IntN(mib))...)
		m[fmt.Sprintf("random, seed %d, %d bytes", seed, len(b))] = b
	}
	return m
}

func TestFileOfKnownSizeBecomesTheSameShardInOneWrite(t *testing.T) {
	for name, data := range sources() {
		t.Run(name, func(t *testing.T) {
			long, short := open(t, ""), open(t, "")
			want, err := long.ImportFile(t.Context(), stream{bytes.NewReader(data)})
			if err != nil {
				t.Fatal(err)
			}
			got, err := short.ImportFile(t.Context(), bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Fatalf("got %+v, want %+v", got, want)
			}
			if !bytes.Equal(export(t, short, got.Root), export(t, long, want.Root)) {
				t.Fatal("the files differ")
			}
			if err := short.Verify(t.Context(), got.Root); err != nil {
				t.Fatal(err)
			}
			f, err := short.OpenFile(t.Context(), got.Root)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			if back, err := io.ReadAll(f); err != nil || !bytes.Equal(back, data) {
				t.Fatal("the file does not read back", err)
			}
			leaf := got.Size / 256 / 2
			a, err := short.PieceProof(t.Context(), got.Root, leaf)
			if err != nil {
				t.Fatal(err)
			}
			b, err := long.PieceProof(t.Context(), want.Root, leaf)
			if err != nil || fmt.Sprint(a) != fmt.Sprint(b) {
				t.Fatal("proofs differ", err)
			}
		})
	}
}

func TestRestOfAnOpenFileIsImported(t *testing.T) {
	data := noise(9, 3<<20)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(1000, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	s := open(t, t.TempDir())
	got, err := s.ImportFile(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	want, err := open(t, "").ImportFile(t.Context(), stream{bytes.NewReader(data[1000:])})
	if err != nil || got != want {
		t.Fatal(got, want, err)
	}
}

// moving is a source whose length changes once it was asked.
type moving struct {
	*bytes.Reader
	now []byte
}

func (m *moving) Seek(off int64, whence int) (int64, error) {
	n, err := m.Reader.Seek(off, whence)
	if whence == io.SeekStart && m.now != nil {
		m.Reader, m.now = bytes.NewReader(m.now), nil
	}
	return n, err
}

func TestSourceThatGrowsOrShrinksIsTakenAsItReads(t *testing.T) {
	before := noise(10, 5<<20)
	for _, now := range [][]byte{append(bytes.Clone(before), 1, 2, 3), before[:4<<20-7], before[:1]} {
		s := open(t, "")
		got, err := s.ImportFile(t.Context(), &moving{bytes.NewReader(before), now})
		if err != nil {
			t.Fatal(err)
		}
		want, err := open(t, "").ImportFile(t.Context(), stream{bytes.NewReader(now)})
		if err != nil || got != want {
			t.Fatal(got, want, err)
		}
	}
}

// failing fails after some bytes.
type failing struct {
	*bytes.Reader
	left int
}

var errSource = errors.New("the source broke")

func (f *failing) Read(p []byte) (int, error) {
	if f.left <= 0 {
		return 0, errSource
	}
	n, err := f.Reader.Read(p[:min(len(p), f.left)])
	f.left -= n
	return n, err
}

func TestSourceThatBreaksLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for _, left := range []int{0, 100, 17 << 20, 20 << 20} {
		_, err := s.ImportFile(t.Context(), &failing{bytes.NewReader(noise(11, 20<<20)), left})
		if !errors.Is(err, errSource) {
			t.Fatal(err)
		}
		es, err := os.ReadDir(filepath.Join(dir, "tmp"))
		if err != nil || len(es) > 0 {
			t.Fatal(es, err)
		}
	}
}

func TestFileThatMayNotFitGoesTheLongWay(t *testing.T) {
	s, err := storage.Open(storage.Config{MaxShard: 3 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.ImportFile(t.Context(), bytes.NewReader(noise(12, 4<<20))); !errors.Is(err, storage.ErrTooLarge) {
		t.Fatal(err)
	}
	// Its leaves are all the same: the shard is small.
	if _, err := s.ImportFile(t.Context(), bytes.NewReader(make([]byte, 30<<20))); err != nil {
		t.Fatal(err)
	}
}
