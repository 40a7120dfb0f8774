package storage

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
)

// from repairs one store from another.
type from struct{ here, far *Store }

func (f from) Repair(ctx context.Context, root cid.Cid) error {
	var file bytes.Buffer
	if err := f.far.ExportCAR(ctx, root, &file); err != nil {
		return err
	}
	_, err := f.here.FetchCAR(ctx, root, func(_ context.Context, off uint64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(file.Bytes()[off:])), nil
	}, nil)
	return err
}

func TestWithoutPassesWhatIsKnownToBeBadStillHealsAndWhatWaitsIsIndexed(t *testing.T) {
	noise := make([]byte, 4<<20)
	_, _ = rand.NewChaCha8([32]byte{9}).Read(noise)
	imported := func(s *Store, b []byte) Shard {
		sh, err := s.ImportFile(t.Context(), bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return sh
	}
	opened := func() *Store {
		s, err := Open(Config{Dir: t.TempDir(), Floor: -1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	s, far := opened(), opened()
	waits, rots := imported(s, noise[:2<<20]), imported(s, noise)
	imported(far, noise)

	// One shard waits since its index was lost; the file of another one rots.
	if err := s.forget(s.record(waits.Root)); err != nil {
		t.Fatal(err)
	}
	s.waiting[waits.Root] = int64(waits.Size)
	f, err := os.OpenFile(s.path(rots.Root), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 100), int64(rots.Size)-200); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	s.suspect(rots.Root) // as a reader does that gets one of its bad blocks

	healed := 0
	l := &scrubber{Store: s, tried: map[cid.Cid]time.Time{}, began: time.Now().Unix(), ScrubConfig: ScrubConfig{
		Interval: -1, Retry: time.Hour, Repairer: from{s, far}, Notify: func(d Damage) {
			if d.Healed != 0 {
				healed++
			}
		},
	}}
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := l.step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if healed != 1 || s.record(waits.Root) == nil || s.Verify(t.Context(), rots.Root) != nil {
		t.Fatal("what was bad stays bad", healed, s.record(waits.Root))
	}
	if st := s.ScrubStatus(); st.Pass != 0 || st.Running || st.Shards != 0 {
		t.Fatalf("a pass began that nobody wanted: %+v", st)
	}
}
