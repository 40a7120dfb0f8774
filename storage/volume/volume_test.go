package volume

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func openTest(t *testing.T, c Config) *Volume {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	v, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestConcurrentReservationsNeverExceedTheQuota(t *testing.T) {
	const quota, each = 1 << 20, 10_000
	v := openTest(t, Config{Quota: quota, Floor: -1})
	var mu sync.Mutex
	var granted, refused int // guarded by mu
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range 20 {
				r, err := v.Reserve(each)
				mu.Lock()
				if err == nil {
					granted++
				} else if errors.Is(err, ErrQuota) {
					refused++
				} else {
					t.Error(err)
				}
				mu.Unlock()
				if err == nil {
					r.Keep(Shards, each)
					r.Release()
				}
			}
		})
	}
	wg.Wait()
	if granted != (quota-quota/64)/each || granted+refused != 200 {
		t.Fatalf("%d granted, %d refused", granted, refused)
	}
	if _, err := v.ReserveSpare(each); err != nil {
		t.Fatal("metadata found no room in a full store", err)
	}
	u, err := v.Usage()
	if err != nil || u.Shards != uint64(granted*each) || u.Used > quota {
		t.Fatal(u, err)
	}
}

func TestReservationGrowsShrinksAndComesBackWhole(t *testing.T) {
	v := openTest(t, Config{Quota: 64 << 20, Floor: -1})
	r, err := v.Reserve(10 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Grow(11 << 20); err != nil || r.Size() != 14<<20 {
		t.Fatal("a small step was not rounded up", r.Size(), err)
	}
	if err := r.Grow(63 << 20); err != nil || r.Size() != 63<<20 {
		t.Fatal(r.Size(), err)
	}
	if err := r.Grow(64 << 20); !errors.Is(err, ErrQuota) || r.Size() != 63<<20 {
		t.Fatal(r.Size(), err)
	}
	r.Wrote(60 << 20)
	r.Keep(Shards, 50<<20)
	r.Release()
	r.Release()
	if u, err := v.Usage(); err != nil || u.Used != 50<<20 || u.Reserved != 0 || v.written != 0 {
		t.Fatal(u, v.written, err)
	}
	a, err := v.Adopt(Shards, 50<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Grow(60 << 20); err != nil {
		t.Fatal("bytes that are there already were counted twice", err)
	}
	a.Release()
	if u, err := v.Usage(); err != nil || u.Used+u.Reserved != 0 {
		t.Fatal(u, err)
	}
}

func TestFloorOfTheDiskIsLeftAlone(t *testing.T) {
	v := openTest(t, Config{Floor: 1 << 30})
	free := uint64(3 << 30)
	v.free = func(string) (uint64, error) { return free, nil }
	r, err := v.Reserve(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Reserve(1<<30 + 1); !errors.Is(err, ErrFull) {
		t.Fatal("two writes together were allowed to take the floor", err)
	}
	free -= 1 << 30 // the first has written all it may
	r.Wrote(1 << 30)
	if _, err := v.Reserve(1 << 30); err != nil {
		t.Fatal("what is written was counted twice", err)
	}
	free = 1 << 29 // somebody else fills the disk
	if _, err := v.Reserve(0); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	v.free = func(string) (uint64, error) { return 0, errors.ErrUnsupported }
	if _, err := v.Reserve(1 << 40); err != nil {
		t.Fatal("a system that tells no free space must still work", err)
	}
}

func TestMetadataIsMeasured(t *testing.T) {
	dir := t.TempDir()
	v := openTest(t, Config{Dir: dir, Quota: 10 << 20, Floor: -1, Tracks: map[Class][]string{Meta: {"meta"}}})
	if err := os.Mkdir(filepath.Join(dir, "meta"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "meta", "a"), make([]byte, 6<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	v.Add(Meta, drift+1) // it was told of writes, and so looks
	if _, err := v.Reserve(5 << 20); !errors.Is(err, ErrQuota) {
		t.Fatal("metadata was not counted", err)
	}
	if err := os.Remove(filepath.Join(dir, "meta", "a")); err != nil {
		t.Fatal(err)
	}
	v.Add(Meta, 1)
	if _, err := v.Reserve(5 << 20); err != nil {
		t.Fatal("a refusal did not look again", err)
	}
}

func TestRoomIsWhatWouldBeGranted(t *testing.T) {
	for _, c := range []Config{{Quota: 1 << 20, Floor: -1}, {Quota: 1 << 20, Floor: 1 << 30}, {Floor: 1 << 30}} {
		v := openTest(t, c)
		v.free = func(string) (uint64, error) { return 1<<30 + 500_000, nil }
		v.Add(Shards, 100_000)
		if _, err := v.Reserve(50_000); err != nil {
			t.Fatal(err)
		}
		u, err := v.Usage()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Reserve(u.Room + 1); err == nil {
			t.Errorf("%+v: more than the room was granted", u)
		}
		if _, err := v.Reserve(u.Room); err != nil {
			t.Errorf("%+v: %v", u, err)
		}
		if u, err := v.Usage(); err != nil || u.Room != 0 {
			t.Errorf("%+v %v", u, err)
		}
	}
	v := openTest(t, Config{Floor: -1})
	if u, err := v.Usage(); err != nil || u.Room != math.MaxUint64 {
		t.Errorf("%+v %v", u, err)
	}
}

func TestOnlyTheExpectedVolumeIsEverWrittenTo(t *testing.T) {
	id := strings.Repeat("ab", 16)
	mounted := t.TempDir()
	v := openTest(t, Config{Dir: mounted})
	if again := openTest(t, Config{Dir: mounted, Expect: v.ID()}); again.ID() != v.ID() {
		t.Fatal("the id changed")
	}
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "photo"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fresh := t.TempDir()
	if err := os.Mkdir(filepath.Join(fresh, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		Config
		ok bool
	}{
		{"another disk is mounted", Config{Dir: mounted, Expect: id}, false},
		{"an empty mount point of an expected store", Config{Dir: t.TempDir(), Expect: id}, false},
		{"a missing directory of an expected store", Config{Dir: filepath.Join(t.TempDir(), "x"), Expect: id}, false},
		{"a directory of something else", Config{Dir: foreign}, false},
		{"the same, asked for", Config{Dir: foreign, Create: true}, true},
		{"a new disk", Config{Dir: fresh}, true},
		{"a new directory", Config{Dir: filepath.Join(t.TempDir(), "a", "b")}, true},
	} {
		_, err := Open(c.Config)
		if c.ok && err != nil || !c.ok && !errors.Is(err, ErrMarker) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(mounted, MarkerName)); err != nil {
		t.Fatal(err)
	}
	// The disk goes while the store is open.
	if err := os.Rename(mounted, mounted+"-gone"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(mounted, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Reserve(1); !errors.Is(err, ErrMarker) {
		t.Fatal(err)
	}
	if _, err := v.Usage(); !errors.Is(err, ErrMarker) {
		t.Fatal(err)
	}
	if es, _ := os.ReadDir(mounted); len(es) > 0 {
		t.Fatal("the empty mount point was written to")
	}
}

func TestSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, c := range []Config{{Quota: -1}, {Expect: "x"}, {Expect: strings.Repeat("AB", 16)}} {
		if err := c.Validate(); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func FuzzMarker(f *testing.F) {
	f.Add([]byte(`{"version":1,"id":"00112233445566778899aabbccddeeff"}`))
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := parseMarker(b)
		if err == nil && !validID(id) {
			t.Fatalf("took %q", id)
		}
	})
}

func TestSpareDoesNotDependOnWhetherADatabaseCompacts(t *testing.T) {
	const quota = 16 << 20 // with a spare of 256 KiB
	dir := t.TempDir()
	v := openTest(t, Config{Dir: dir, Quota: quota, Floor: -1, Tracks: map[Class][]string{Meta: {"meta"}}})
	write := func(name string, n int) {
		t.Helper()
		err := errors.Join(os.MkdirAll(filepath.Join(dir, "meta"), 0o700), os.WriteFile(filepath.Join(dir, "meta", name), make([]byte, n), 0o600))
		if err != nil {
			t.Fatal(err)
		}
	}
	write("1.mem", 7<<20) // expected to take as much again for a while
	if _, err := v.Usage(); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Reserve(2 << 20); !errors.Is(err, ErrQuota) {
		t.Fatal(err)
	}
	write("1.sst", 6<<20) // and so it does
	if u, err := v.Usage(); err != nil || u.Used <= quota {
		t.Fatal(u, err)
	}
	const pin = 1 << 10
	granted := 0
	for ; granted < 1000; granted++ {
		r, err := v.ReserveSpare(pin)
		if errors.Is(err, ErrQuota) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		r.Keep(Meta, pin)
		r.Release()
	}
	if granted != quota/64/pin {
		t.Fatalf("%d pins found room while the database compacts", granted)
	}
	if _, err := v.Reserve(1); !errors.Is(err, ErrQuota) {
		t.Fatal("something else than metadata was let in", err)
	}
	if err := os.Remove(filepath.Join(dir, "meta", "1.mem")); err != nil {
		t.Fatal(err)
	}
	if _, err := v.ReserveSpare(pin); err != nil {
		t.Fatal("the spare is not there again after it", err)
	}
}
