package storage_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"tally/storage"
)

// left begins the fetch of a shard by spans, of which all but the first come, and ends it.
func left(t *testing.T, s, far *storage.Store, sh storage.Shard) {
	t.Helper()
	o, file := outline(t, far, sh)
	a := begin(t, s, sh)
	if err := a.Adopt(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	n, _ := a.Spans()
	for i := 1; i < n; i++ {
		if err := put(t, a, file, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

func files(t *testing.T, s *storage.Store, ext string) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(s.Dir(), "fetch", "*"+ext))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

func TestQuotaHoldsWhenSpansEndAndBlocksGoOn(t *testing.T) {
	const limit = 30 << 20
	far := open(t, "")
	sh := importFile(t, far, noise(700, 12<<20))
	for _, known := range []uint64{0, sh.Size} {
		s := open(t, t.TempDir(), quota(limit))
		left(t, s, far, sh)
		var spool, most uint64
		_, err := s.Fetch(t.Context(), sh.Root, func(done, _ uint64) {
			spool, most = done, max(most, onDisk(t, s.Dir()))
			if n := onDisk(t, s.Dir()); done >= sh.Size-1<<20 && n+sh.Size > limit {
				t.Errorf("%d bytes on the disk when the shard of %d is to be written, %d allowed", n, sh.Size, limit)
			}
		}, storage.From(&swap{from: far}), storage.Size(known))
		if err != nil || most > limit || spool < sh.Size-1<<20 {
			t.Fatalf("%d bytes on the disk, %d came: %v", most, spool, err)
		}
		if u, err := s.Usage(); err != nil || u.Reserved+u.Partial != 0 || files(t, s, ".*") != 0 {
			t.Fatalf("%+v %v", u, err)
		}
	}
}

func TestQuotaHoldsWhenBlocksEndAndAnotherWayGoesOn(t *testing.T) {
	const limit = 20 << 20
	far := open(t, "")
	sh := importFile(t, far, noise(701, 12<<20))
	o, file := outline(t, far, sh)
	begun := func() *storage.Store {
		s := open(t, t.TempDir(), quota(limit))
		_, err := s.Fetch(t.Context(), sh.Root, nil, storage.From(&swap{from: far})) // twice the shard does not fit
		if !errors.Is(err, storage.ErrQuota) || files(t, s, ".spool") != 1 {
			t.Fatal(err)
		}
		return s
	}
	check := func(s *storage.Store) {
		t.Helper()
		if n := onDisk(t, s.Dir()); n > limit {
			t.Errorf("%d bytes on the disk, %d allowed", n, limit)
		}
	}
	s := begun()
	a := begin(t, s, sh)
	if err := a.Adopt(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	n, _ := a.Spans()
	for i := range n {
		if err := put(t, a, file, i); err != nil {
			t.Fatal(err)
		}
		check(s)
	}
	if _, err := a.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	s = begun()
	from := func(_ context.Context, off uint64) (io.ReadCloser, error) {
		return serve(far, sh.Root, nil)(t.Context(), off)
	}
	if _, err := s.FetchCAR(t.Context(), sh.Root, from, func(uint64, uint64) { check(s) }); err != nil {
		t.Fatal(err)
	}
	check(s)
}

func TestWhatAnotherWayLeftStaysWhileThereIsRoom(t *testing.T) {
	far := open(t, "")
	sh := importFile(t, far, noise(702, 4<<20))
	s := open(t, t.TempDir(), quota(64<<20))
	left(t, s, far, sh)
	silent := &swap{from: open(t, "")}
	if _, err := s.Fetch(t.Context(), sh.Root, nil, storage.From(silent), storage.Stall(time.Millisecond)); !errors.Is(err, storage.ErrStalled) {
		t.Fatal(err)
	}
	if files(t, s, ".spans") != 1 {
		t.Fatal("spans that came were thrown away, though there is room")
	}
	a := begin(t, s, sh)
	o, _ := outline(t, far, sh)
	if err := a.Adopt(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if n, bytes := a.Spans(); bytes != sh.Size-1<<20 {
		t.Fatalf("%d bytes of %d spans are left", bytes, n)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}
