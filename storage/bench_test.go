package storage_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"testing/fstest"

	"tally/storage"
)

const benchSize = 128 << 20

// fresh opens a store on disk for one round and removes it after.
func fresh(b *testing.B) (*storage.Store, func()) {
	b.Helper()
	dir, err := os.MkdirTemp(b.TempDir(), "")
	if err != nil {
		b.Fatal(err)
	}
	s := open(b, dir)
	return s, func() { _, _ = s.Close(), os.RemoveAll(dir) }
}

func BenchmarkImportFile(b *testing.B) {
	data := noise(40, benchSize)
	b.SetBytes(benchSize)
	for b.Loop() {
		b.StopTimer()
		s, done := fresh(b)
		b.StartTimer()
		importFile(b, s, data)
		b.StopTimer()
		done()
		b.StartTimer()
	}
}

func BenchmarkImportStream(b *testing.B) {
	data := noise(40, benchSize)
	b.SetBytes(benchSize)
	for b.Loop() {
		b.StopTimer()
		s, done := fresh(b)
		b.StartTimer()
		if _, err := s.ImportFile(b.Context(), stream{bytes.NewReader(data)}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		done()
		b.StartTimer()
	}
}

func BenchmarkImportCAR(b *testing.B) {
	src := open(b, "")
	sh := importFile(b, src, noise(40, benchSize))
	file := export(b, src, sh.Root)
	b.SetBytes(int64(sh.Size))
	for b.Loop() {
		b.StopTimer()
		s, done := fresh(b)
		b.StartTimer()
		if _, err := s.ImportCAR(b.Context(), bytes.NewReader(file), sh.Root); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		done()
		b.StartTimer()
	}
}

func BenchmarkCat(b *testing.B) {
	s := open(b, b.TempDir())
	sh := importFile(b, s, noise(40, benchSize))
	b.SetBytes(benchSize)
	for b.Loop() {
		f, err := s.OpenFile(b.Context(), sh.Root)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, f); n != benchSize || err != nil {
			b.Fatal(n, err)
		}
		_ = f.Close()
	}
}

func BenchmarkSeek(b *testing.B) {
	s := open(b, b.TempDir())
	sh := importFile(b, s, noise(40, benchSize))
	f, err := s.OpenFile(b.Context(), sh.Root)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rng := rand.New(rand.NewPCG(1, 2))
	buf := make([]byte, 1<<10)
	for b.Loop() {
		if _, err := f.Seek(rng.Int64N(benchSize-1<<10), io.SeekStart); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(f, buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDelete(b *testing.B) {
	s, data := open(b, b.TempDir()), noise(40, benchSize)
	b.SetBytes(benchSize)
	for b.Loop() {
		b.StopTimer()
		importFile(b, s, data)
		b.StartTimer()
		if got, err := s.Collect(b.Context(), 0); err != nil || got.Shards != 1 {
			b.Fatal(got, err)
		}
	}
}

func BenchmarkFetchBlocks(b *testing.B) {
	src := open(b, b.TempDir())
	sh := importFile(b, src, noise(40, benchSize))
	b.SetBytes(int64(sh.Size))
	for b.Loop() {
		b.StopTimer()
		s, done := fresh(b)
		b.StartTimer()
		if _, err := s.Fetch(b.Context(), sh.Root, nil, storage.From(&swap{from: src})); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		done()
		b.StartTimer()
	}
}

func BenchmarkFetchCAR(b *testing.B) {
	src := open(b, b.TempDir())
	sh := importFile(b, src, noise(40, benchSize))
	b.SetBytes(int64(sh.Size))
	for b.Loop() {
		b.StopTimer()
		s, done := fresh(b)
		b.StartTimer()
		if _, err := s.FetchCAR(b.Context(), sh.Root, serve(src, sh.Root, nil), nil); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		done()
		b.StartTimer()
	}
}

func BenchmarkPieceProof(b *testing.B) {
	s := open(b, b.TempDir())
	sh, err := s.ImportDir(b.Context(), fstest.MapFS{"a": {Data: noise(40, 64<<20)}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.PieceProof(b.Context(), sh.Root, 12345); err != nil {
			b.Fatal(err)
		}
	}
}
