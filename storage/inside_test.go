package storage

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"tally/protocol/piece"
)

func TestTroubleWithTheDiskIsNamed(t *testing.T) {
	for err, want := range map[error]error{
		syscall.ENOSPC: ErrDiskFull,
		syscall.EDQUOT: ErrDiskFull,
		syscall.EIO:    ErrDisk,
		syscall.EROFS:  ErrDisk,
	} {
		got := fail("write shard", &os.PathError{Op: "write", Path: "x", Err: err})
		if !errors.Is(got, want) || !errors.Is(got, err) {
			t.Errorf("%v: %v", err, got)
		}
	}
}

func FuzzFindings(f *testing.F) {
	s, err := Open(Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	sh, err := s.ImportFile(f.Context(), bytes.NewReader(make([]byte, 3<<10)))
	if err != nil {
		f.Fatal(err)
	}
	var whole bytes.Buffer
	if err := s.ExportCAR(f.Context(), sh.Root, &whole); err != nil {
		f.Fatal(err)
	}
	r := s.record(sh.Root)
	f.Add(whole.Bytes())
	f.Add(whole.Bytes()[:100])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		found := &findings{piece: piece.New(true)}
		found.read(bytes.NewReader(b), r)
		same := found.form == nil && found.count == 0 && found.piece.Root() == r.Piece && found.piece.Len() == r.Size
		if same != bytes.Equal(b, whole.Bytes()) {
			t.Fatalf("%+v", found)
		}
	})
}

func FuzzPlaces(f *testing.F) {
	f.Add(appendPlace(appendPlace(nil, place{1, 2, 3}), place{1 << 63, 1 << 20, 300}))
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ps, err := parsePlaces(b)
		if err != nil {
			return
		}
		var again []byte
		for _, p := range ps {
			again = appendPlace(again, p)
		}
		if got, err := parsePlaces(again); err != nil || !slices.Equal(got, ps) {
			t.Fatal(got, ps, err)
		}
	})
}

func TestScrubReadsNoFasterThanItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		p := &paced{t.Context(), bytes.NewReader(make([]byte, 4<<20)), rate.NewLimiter(1<<20, scrubBurst)}
		if n, err := io.Copy(io.Discard, p); n != 4<<20 || err != nil {
			t.Fatal(n, err)
		}
		if took := time.Since(begin); took < 3500*time.Millisecond || took > 5*time.Second {
			t.Fatal(took)
		}
	})
}
