package storage_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ipfs/go-cid"

	"tally/storage"
	"tally/storage/volume"
)

// onDisk returns what the files of a store take on the disk.
func onDisk(t testing.TB, dir string) (n uint64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || e.IsDir() {
			return err
		}
		if info, err := e.Info(); err == nil {
			n += allocated(info)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return n
}

// watched tells of every MiB that is read.
type watched struct {
	io.Reader
	n    int
	look func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if w.n += n; w.n >= 1<<20 {
		w.n = 0
		w.look()
	}
	return n, err
}

func quota(n int64) func(*storage.Config) {
	return func(c *storage.Config) { c.Quota, c.Floor = n, -1 }
}

func TestQuotaHoldsWhileTenImportsRun(t *testing.T) {
	const limit = 40 << 20
	s := open(t, t.TempDir(), quota(limit))
	var most uint64 // guarded by mu
	var mu sync.Mutex
	look := func() {
		n := onDisk(t, s.Dir())
		mu.Lock()
		defer mu.Unlock()
		most = max(most, n)
	}
	var wg sync.WaitGroup
	kept := make([]storage.Shard, 10)
	for i := range kept {
		wg.Go(func() {
			sh, err := s.ImportFile(t.Context(), &watched{bytes.NewReader(noise(uint64(200+i), 8<<20)), 0, look})
			if err == nil {
				kept[i] = sh
			} else if !errors.Is(err, storage.ErrQuota) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	look()
	if most > limit {
		t.Fatalf("%d bytes on the disk, %d allowed", most, limit)
	}
	// Whatever the race left, one after the other they fill the quota and no more.
	n := 0
	for i := range kept {
		if !kept[i].Root.Defined() {
			sh, err := s.ImportFile(t.Context(), bytes.NewReader(noise(uint64(200+i), 8<<20)))
			if err != nil && !errors.Is(err, storage.ErrQuota) {
				t.Fatal(err)
			}
			kept[i] = sh
		}
		if kept[i].Root.Defined() {
			n++
			mustCat(t, s, kept[i].Root, noise(uint64(200+i), 8<<20))
		}
	}
	u, err := s.Usage()
	if err != nil || n < 3 || n > 4 || u.Held != n || u.Reserved != 0 || u.Used > limit || u.Quota != limit {
		t.Fatalf("%d kept; %+v %v", n, u, err)
	}
	if real := onDisk(t, s.Dir()); real > limit {
		t.Fatalf("%d bytes on the disk, %d allowed", real, limit)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir(), "tmp", "*")); len(left) > 0 {
		t.Fatal(left)
	}
	if _, err := s.Collect(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ImportFile(t.Context(), bytes.NewReader(noise(300, 12<<20))); err != nil {
		t.Fatal("what was collected is not free again", err)
	}
}

func TestQuotaHoldsWhileTenFetchesRun(t *testing.T) {
	const limit = 40 << 20
	far := open(t, "")
	roots := make([]storage.Shard, 10)
	for i := range roots {
		roots[i] = importFile(t, far, noise(uint64(310+i), 6<<20))
	}
	dir := t.TempDir()
	s := open(t, dir, quota(limit))
	var mu sync.Mutex
	var most uint64 // guarded by mu
	var wg sync.WaitGroup
	for _, sh := range roots {
		wg.Go(func() {
			_, err := s.Fetch(t.Context(), sh.Root, func(uint64, uint64) {
				n := onDisk(t, dir)
				mu.Lock()
				defer mu.Unlock()
				most = max(most, n)
			}, storage.From(&swap{from: far}))
			if err != nil && !errors.Is(err, storage.ErrQuota) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	u, err := s.Usage()
	if err != nil || u.Reserved != 0 || most > limit || u.Used > limit {
		t.Fatalf("%d bytes on the disk; %+v %v", most, u, err)
	}
	// What fetches left behind is counted, over a restart too, until it is
	// collected.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, quota(limit))
	again, err := s.Usage()
	if err != nil || again.Partial != u.Partial || again.Shards != u.Shards || again.Held != u.Held {
		t.Fatalf("%+v, before %+v %v", again, u, err)
	}
	if _, err := s.Collect(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if u, err := s.Usage(); err != nil || u.Shards+u.Partial != 0 {
		t.Fatalf("%+v %v", u, err)
	}
	for _, sh := range roots[:2] {
		if _, err := s.Fetch(t.Context(), sh.Root, nil, storage.From(&swap{from: far})); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDownloadThatDoesNotFitIsNotStarted(t *testing.T) {
	far := open(t, "")
	sh := importFile(t, far, noise(320, 8<<20))
	s := open(t, t.TempDir(), quota(10<<20))
	x := &swap{from: far}
	_, err := s.Fetch(t.Context(), sh.Root, nil, storage.From(x), storage.Size(sh.Size))
	if !errors.Is(err, storage.ErrQuota) || x.asked.Load() > 0 {
		t.Fatal(x.asked.Load(), err)
	}
	opened := false
	_, err = s.FetchCAR(t.Context(), sh.Root, func(context.Context, uint64) (io.ReadCloser, error) {
		opened = true
		return nil, io.EOF
	}, nil, storage.Size(sh.Size+4<<20))
	if !errors.Is(err, storage.ErrQuota) || opened {
		t.Fatal(opened, err)
	}
	if u, err := s.Usage(); err != nil || u.Reserved+u.Partial != 0 {
		t.Fatalf("%+v %v", u, err)
	}
}

func TestFullStoreStillTakesPins(t *testing.T) {
	s := open(t, t.TempDir(), quota(16<<20))
	sh := importFile(t, s, noise(330, 6<<20))
	for i := uint64(0); ; i++ {
		if _, err := s.PutBlock(t.Context(), cid.Raw, noise(1000+i, 200<<10)); errors.Is(err, storage.ErrQuota) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if i > 200 {
			t.Fatal("loose blocks are not counted")
		}
	}
	if n := onDisk(t, s.Dir()); n > 16<<20 {
		t.Fatalf("%d bytes on the disk", n)
	}
	if err := s.Pin(t.Context(), sh.Root, storage.PinInfo{Why: "published"}); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Collect(t.Context(), 0); err != nil || c.Blocks == 0 || c.Shards != 0 {
		t.Fatal(c, err)
	}
}

func TestFloorOfTheDiskIsNotTouched(t *testing.T) {
	s := open(t, t.TempDir(), func(c *storage.Config) { c.Floor = math.MaxInt64 })
	if _, err := s.ImportFile(t.Context(), bytes.NewReader([]byte("x"))); !errors.Is(err, storage.ErrDiskFull) {
		t.Fatal(err)
	}
	if _, err := s.PutNode(t.Context(), []byte{0x01}); !errors.Is(err, storage.ErrDiskFull) {
		t.Fatal(err)
	}
	if u, err := s.Usage(); err != nil || u.Floor != math.MaxInt64 || u.Free == 0 {
		t.Fatalf("%+v %v", u, err)
	}
}

func TestDiskThatIsNotMountedIsNeverWrittenTo(t *testing.T) {
	mount := filepath.Join(t.TempDir(), "disk")
	s := open(t, mount)
	b := noise(340, 4<<20)
	sh := importFile(t, s, b)
	if err := s.Pin(t.Context(), sh.Root, storage.PinInfo{Why: "published"}); err != nil {
		t.Fatal(err)
	}
	id := s.ID()
	unplug := func() {
		if err := os.Rename(mount, mount+".away"); err != nil {
			t.Error(err)
		}
		if err := os.Mkdir(mount, 0o700); err != nil {
			t.Error(err)
		}
	}
	// While it runs, in the middle of an import.
	var once sync.Once
	_, err := s.ImportFile(t.Context(), &watched{bytes.NewReader(noise(341, 16<<20)), 0, func() { once.Do(unplug) }})
	if !errors.Is(err, storage.ErrMarker) {
		t.Fatal("an import went on without its disk", err)
	}
	if _, err := s.PutNode(t.Context(), []byte{0x01}); !errors.Is(err, storage.ErrMarker) {
		t.Fatal(err)
	}
	if err := s.Pin(t.Context(), sh.Root, storage.PinInfo{Why: "x"}); !errors.Is(err, storage.ErrMarker) {
		t.Fatal(err)
	}
	if _, err := s.Collect(t.Context(), 0); !errors.Is(err, storage.ErrMarker) {
		t.Fatal(err)
	}
	if _, err := cat(t, s, sh.Root); !errors.Is(err, storage.ErrMarker) {
		t.Fatal("a read did not say that the disk is away", err)
	}
	if _, err := s.Range(t.Context(), sh.Root, 0, 1); !errors.Is(err, storage.ErrMarker) {
		t.Fatal(err)
	}
	if _, err := s.Health(t.Context()); !errors.Is(err, storage.ErrMarker) {
		t.Fatal(err)
	}
	if es, _ := os.ReadDir(mount); len(es) > 0 {
		t.Fatal("the empty mount point was written to", es)
	}
	// A start finds it still away.
	if _, err := storage.Open(storage.Config{Dir: mount, Expect: id}); !errors.Is(err, storage.ErrMarker) {
		t.Fatal(err)
	}
	if es, _ := os.ReadDir(mount); len(es) > 0 {
		t.Fatal("Open wrote to an empty mount point", es)
	}
	// It comes back: nothing is lost.
	if err := os.Remove(mount); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(mount+".away", mount); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, mount, func(c *storage.Config) { c.Expect = id })
	mustCat(t, s, sh.Root, b)
	if h, err := s.Health(t.Context()); err != nil || !h.Sound() {
		t.Fatal(h, err)
	}
}

func TestStoreWhoseDiskIsAwayCloses(t *testing.T) {
	mount := filepath.Join(t.TempDir(), "disk")
	s := open(t, mount)
	if _, err := s.PutNode(t.Context(), []byte{0x01}); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(mount, mount+".away"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); !errors.Is(err, storage.ErrMarker) {
		t.Fatal(err)
	}
}

func TestStoreOfAnOlderVersionIsAdoptedOnlyWhenAsked(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	sh := importFile(t, s, noise(350, 1<<20))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, volume.MarkerName)); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Open(storage.Config{Dir: dir}); !errors.Is(err, storage.ErrMarker) {
		t.Fatal(err)
	}
	s = open(t, dir, func(c *storage.Config) { c.Create = true })
	mustCat(t, s, sh.Root, noise(350, 1<<20))
}
