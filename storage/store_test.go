package storage_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol/piece"
	"tally/storage"
)

// noise returns n bytes that depend on the seed only.
func noise(seed uint64, n int) []byte {
	var key [32]byte
	key[0], key[1], key[2] = byte(seed), byte(seed>>8), byte(seed>>16)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

func open(t testing.TB, dir string, opts ...func(*storage.Config)) *storage.Store {
	t.Helper()
	c := storage.Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	for _, o := range opts {
		o(&c)
	}
	s, err := storage.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func importFile(t testing.TB, s *storage.Store, b []byte) storage.Shard {
	t.Helper()
	sh, err := s.ImportFile(context.Background(), bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return sh
}

func cat(t testing.TB, s *storage.Store, root cid.Cid) ([]byte, error) {
	t.Helper()
	f, err := s.OpenFile(context.Background(), root)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(f)
}

func mustCat(t testing.TB, s *storage.Store, root cid.Cid, want []byte) {
	t.Helper()
	got, err := cat(t, s, root)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("read %d bytes, want %d, and they differ", len(got), len(want))
	}
}

func export(t testing.TB, s *storage.Store, root cid.Cid) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.ExportCAR(context.Background(), root, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFileComesBackAndItsCARIsTheSameEverywhere(t *testing.T) {
	for _, n := range []int{0, 1, 1 << 20, 1<<20 + 1, 5<<20 - 7} {
		b := noise(1, n)
		one, two := open(t, t.TempDir()), open(t, "")
		sh := importFile(t, one, b)
		if other := importFile(t, two, b); other != sh {
			t.Fatalf("%d bytes: two stores disagree: %v %v", n, sh, other)
		}
		mustCat(t, one, sh.Root, b)
		file := export(t, one, sh.Root)
		if !bytes.Equal(file, export(t, two, sh.Root)) {
			t.Fatal("CAR bytes differ")
		}
		root, length, err := piece.Sum(bytes.NewReader(file))
		if err != nil || root != sh.Piece || length != sh.Size {
			t.Fatal("piece root is not that of the file", err)
		}
		three := open(t, "")
		if again, err := three.ImportCAR(t.Context(), bytes.NewReader(file), sh.Root); err != nil || again != sh {
			t.Fatal(again, err)
		}
		mustCat(t, three, sh.Root, b)
	}
}

func TestDirectoryComesBack(t *testing.T) {
	dir := fstest.MapFS{
		"config.json":       {Data: []byte(`{"model_type":"llama"}`)},
		"model.safetensors": {Data: noise(2, 3<<20)},
		"sub/tokenizer":     {Data: []byte("x")},
		"sub/empty":         {},
	}
	s := open(t, t.TempDir())
	sh, err := s.ImportDir(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.FS(t.Context(), sh.Root)
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(f, "config.json", "model.safetensors", "sub/tokenizer", "sub/empty"); err != nil {
		t.Fatal(err)
	}
	got, err := fs.ReadFile(f, "model.safetensors")
	if err != nil || !bytes.Equal(got, dir["model.safetensors"].Data) {
		t.Fatal("model differs", err)
	}
	if _, err := f.Open("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

func TestReopenedStoreServesWhatItHeld(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	b := noise(3, 3<<20)
	sh := importFile(t, s, b)
	node, err := s.PutNode(t.Context(), []byte{0x81, 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Pin(t.Context(), sh.Root, storage.PinInfo{Why: "published"}); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Open(storage.Config{Dir: dir}); !errors.Is(err, kv.ErrInUse) {
		t.Fatalf("a directory in use: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ImportFile(t.Context(), bytes.NewReader(b)); err == nil {
		t.Fatal("a closed store took a file")
	}
	for _, how := range []string{"clean", "index lost", "index broken"} {
		switch how {
		case "index lost":
			if err := os.RemoveAll(filepath.Join(dir, "index")); err != nil {
				t.Fatal(err)
			}
		case "index broken":
			es, err := os.ReadDir(filepath.Join(dir, "index"))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range es {
				if err := os.WriteFile(filepath.Join(dir, "index", e.Name()), noise(9, 4096), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		s = open(t, dir)
		mustCat(t, s, sh.Root, b)
		if got, err := s.GetBlock(t.Context(), node); err != nil || !bytes.Equal(got, []byte{0x81, 1}) {
			t.Fatal(how, got, err)
		}
		if got, err := s.Stat(t.Context(), sh.Root); err != nil || got != sh {
			t.Fatal(how, got, err)
		}
		var roots []cid.Cid
		for r, err := range s.Roots() {
			if err != nil {
				t.Fatal(err)
			}
			roots = append(roots, r)
		}
		if len(roots) != 1 || roots[0] != sh.Root {
			t.Fatal(how, roots)
		}
		p, err := s.PieceProof(t.Context(), sh.Root, 9000)
		if err != nil {
			t.Fatal(how, err)
		}
		if err := piece.Verify(sh.Piece, sh.Size, p); err != nil {
			t.Fatal(how, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRangeIsThatOfTheCARFile(t *testing.T) {
	s := open(t, t.TempDir())
	sh := importFile(t, s, noise(4, 2<<20))
	file := export(t, s, sh.Root)
	got, err := s.Range(t.Context(), sh.Root, 1000, 777)
	if err != nil || sha256.Sum256(got) != sha256.Sum256(file[1000:1777]) {
		t.Fatal(err)
	}
	for _, r := range [][2]uint64{{sh.Size, 1}, {1 << 63, 1 << 63}, {0, storage.MaxRange + 1}, {sh.Size - 1, 2}} {
		if _, err := s.Range(t.Context(), sh.Root, r[0], r[1]); !errors.Is(err, storage.ErrRange) {
			t.Errorf("%v: %v", r, err)
		}
	}
	if _, err := s.PieceProof(t.Context(), sh.Root, piece.Leaves(sh.Size)); !errors.Is(err, storage.ErrRange) {
		t.Error(err)
	}
}
