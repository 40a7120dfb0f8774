package spool

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"tally/storage/car"
)

func raw(t testing.TB, data []byte) cid.Cid {
	t.Helper()
	d := sha256.Sum256(data)
	h, err := multihash.Encode(d[:], multihash.SHA2_256)
	if err != nil {
		t.Fatal(err)
	}
	return cid.NewCidV1(cid.Raw, h)
}

func TestTornEndIsCutOffAndTheRestIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool")
	s, err := Open(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, b := []byte("aaa"), bytes.Repeat([]byte("b"), 5000)
	for _, d := range [][]byte{a, b, a} {
		if err := s.Put(raw(t, d), d); err != nil {
			t.Fatal(err)
		}
	}
	if want := car.SectionLen(len(a)) + car.SectionLen(len(b)); s.Size() != want {
		t.Fatal(s.Size(), want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(car.SectionLen(len(a))+100)); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(path, 200); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(raw(t, a), nil); err != nil || !bytes.Equal(got, a) {
		t.Fatal(got, err)
	}
	if _, err := s.Get(raw(t, b), nil); !errors.Is(err, ErrNotFound) || s.Has(raw(t, b)) {
		t.Fatal(err)
	}
	if err := s.Put(raw(t, b), b); !errors.Is(err, car.ErrTooLarge) {
		t.Fatal(err)
	}
	if err := s.Remove(); err != nil {
		t.Fatal(err)
	}
}

func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "spool")
	s, err := Open(path, 0)
	if err != nil {
		f.Fatal(err)
	}
	for _, d := range []string{"a", "bb", ""} {
		if err := s.Put(raw(f, []byte(d)), []byte(d)); err != nil {
			f.Fatal(err)
		}
	}
	_ = s.Close()
	log, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(log)
	f.Add(log[:50])
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(path, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		for c := range s.at {
			if got, err := s.Get(c, nil); err != nil || car.CheckBlock(c, got) != nil {
				t.Fatal("a bad block was kept", err)
			}
		}
	})
}
