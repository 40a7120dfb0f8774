package storage

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"tally/protocol/piece"
)

// untaken is a store whose disk does not take the next file, or directory, and says so
// once, as a system does.
func untaken(t *testing.T, dir bool) *Store {
	t.Helper()
	s, err := Open(Config{Dir: t.TempDir(), Floor: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	told := false
	s.sync = func(f *os.File) error {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		if info.IsDir() == dir && !told {
			told = true
			return os.ErrInvalid
		}
		return f.Sync()
	}
	return s
}

// farShard is a shard of another store, with its file.
func farShard(t *testing.T) (Shard, Outline, []byte) {
	t.Helper()
	s, err := Open(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b := make([]byte, 5<<19)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(b)
	sh, err := s.ImportFile(t.Context(), bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := s.layer(sh.Root)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := s.ExportCAR(t.Context(), sh.Root, &file); err != nil {
		t.Fatal(err)
	}
	return sh, Outline{Piece: sh.Piece, Size: sh.Size, Layer: layer}, file.Bytes()
}

// nothingLeft fails the test if a fetch left a file, or one is booked.
func nothingLeft(t *testing.T, s *Store) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(s.dir, "fetch", "*"))
	if err != nil || len(left) > 0 {
		t.Fatal("left behind:", left, err)
	}
	if u, err := s.Usage(); err != nil || u.Partial+u.Reserved+u.Shards != 0 {
		t.Fatalf("booked: %+v %v", u, err)
	}
}

func TestAStreamThatTheDiskDidNotTakeIsFetchedFromItsBeginning(t *testing.T) {
	s := untaken(t, false)
	sh, _, file := farShard(t)
	var from []uint64
	fetch := func() (Shard, error) {
		return s.FetchCAR(t.Context(), sh.Root, func(_ context.Context, off uint64) (io.ReadCloser, error) {
			from = append(from, off)
			return io.NopCloser(bytes.NewReader(file[off:])), nil
		}, nil)
	}
	if _, err := fetch(); !errors.Is(err, errUnsynced) {
		t.Fatal("acknowledged:", err)
	}
	nothingLeft(t, s)
	if got, err := fetch(); err != nil || got != sh || len(from) != 2 || from[1] != 0 {
		t.Fatal(got, err, from)
	}
	if err := s.Verify(t.Context(), sh.Root); err != nil {
		t.Fatal(err)
	}
}

func TestSpansThatTheDiskDidNotTakeAreFetchedAgain(t *testing.T) {
	s := untaken(t, false)
	sh, o, file := farShard(t)
	a, _, err := s.Begin(t.Context(), sh.Root)
	if err != nil {
		t.Fatal(err)
	}
	all := func() {
		t.Helper()
		if err := a.Adopt(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		n, bytes := a.Spans()
		if bytes != 0 {
			t.Fatalf("%d bytes count that the disk did not take", bytes)
		}
		for i := range n {
			off, m := a.Span(i)
			if fresh, err := a.Put(i, append(a.Buffer()[:0], file[off:off+uint64(m)]...)); !fresh || err != nil {
				t.Fatal(fresh, err)
			}
		}
	}
	all()
	if _, err := a.Finish(t.Context()); !errors.Is(err, errUnsynced) {
		t.Fatal("acknowledged:", err)
	}
	all() // by the same assembly
	if got, err := a.Finish(t.Context()); err != nil || got != sh {
		t.Fatal(got, err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}

	// And by the next one.
	s = untaken(t, false)
	if a, _, err = s.Begin(t.Context(), sh.Root); err != nil {
		t.Fatal(err)
	}
	all()
	if _, err := a.Finish(t.Context()); !errors.Is(err, errUnsynced) {
		t.Fatal("acknowledged:", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, s)
	if a, _, err = s.Begin(t.Context(), sh.Root); err != nil {
		t.Fatal(err)
	}
	if left, ok := a.Left(); ok {
		t.Fatal("an outline is left:", left.Size, piece.Spans(left.Size))
	}
	all()
	if got, err := a.Finish(t.Context()); err != nil || got != sh {
		t.Fatal(got, err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAShardWhoseDirectoryTheDiskDidNotTakeIsNotThere(t *testing.T) {
	s := untaken(t, true)
	b := make([]byte, 3<<20)
	if _, err := s.ImportFile(t.Context(), bytes.NewReader(b)); !errors.Is(err, os.ErrInvalid) {
		t.Fatal("acknowledged:", err)
	}
	nothingLeft(t, s)
	if es, err := os.ReadDir(filepath.Join(s.dir, "shards")); err != nil || len(es) > 0 {
		t.Fatal(es, err)
	}
	sh, err := s.ImportFile(t.Context(), bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if u, err := s.Usage(); err != nil || u.Shards != sh.Size {
		t.Fatalf("%+v %v", u, err)
	}
}
