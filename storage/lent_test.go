package storage_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/storage"
)

// holder lends parts of the shards of another store.
type holder struct {
	*storage.Store
	asked atomic.Int64
}

func (h *holder) Range(ctx context.Context, root cid.Cid, off uint64, n int, good func([]byte) error) ([]byte, error) {
	h.asked.Add(1)
	b, err := h.Store.Range(ctx, root, off, uint64(n))
	if err == nil {
		err = good(b)
	}
	return b, err
}

// credulous lends what it has, whatever is said of it.
type credulous struct{ from *storage.Store }

func (c credulous) Range(ctx context.Context, root cid.Cid, off uint64, n int, _ func([]byte) error) ([]byte, error) {
	return c.from.Range(ctx, root, off, uint64(n))
}

// away lends nothing.
type away struct{ asked atomic.Int64 }

func (a *away) Range(context.Context, cid.Cid, uint64, int, func([]byte) error) ([]byte, error) {
	a.asked.Add(1)
	return nil, errors.New("nobody is there")
}

func TestAReaderOfADamagedShardIsGivenSoundBytesAndTheScrubHealsTheDisk(t *testing.T) {
	far, here := open(t, ""), open(t, t.TempDir())
	b := noise(700, 5<<20)
	sh := importFile(t, far, b)
	importFile(t, here, b)
	want := export(t, here, sh.Root)
	from := &holder{Store: far}
	s := here.WithSource(from)
	path := shardPath(s, sh.Root)
	for _, at := range []int64{30, 300, 1 << 20, 2<<20 + 5, int64(sh.Size) - 1} { // header, root node, leaves
		flip(t, path, at)
		mustCat(t, s, sh.Root, b)
		if got := export(t, s, sh.Root); !bytes.Equal(got, want) {
			t.Fatal("another file was exported")
		}
		if _, err := cat(t, here, sh.Root); at > 100 && !errors.Is(err, storage.ErrCorrupt) {
			t.Fatal("nobody lends, and yet it is read:", err)
		}
		flip(t, path, at)
	}
	asked := from.asked.Load()
	if asked == 0 || asked > 8 {
		t.Fatalf("%d ranges were asked for", asked)
	}

	// All of it is damaged, to the end.
	if err := os.Truncate(path, 1<<20); err != nil {
		t.Fatal(err)
	}
	mustCat(t, s, sh.Root, b)
	if got := export(t, s, sh.Root); !bytes.Equal(got, want) {
		t.Fatal("another file was exported")
	}
	x := &swap{from: far}
	events, stop := scrub(t, s.WithNetwork(x, nil), storage.ScrubConfig{Interval: -1})
	if d := <-events; d.Root != sh.Root || d.Healed != 0 {
		t.Fatalf("%+v", d)
	}
	if d := <-events; d.Root != sh.Root || d.Healed == 0 {
		t.Fatalf("%+v", d)
	}
	stop()
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Fatal("the healed file is another one", err)
	}
	asked = from.asked.Load()
	mustCat(t, s, sh.Root, b)
	if from.asked.Load() != asked {
		t.Fatal("borrowed what is whole again")
	}
}

func TestWhereNobodyLendsAReaderIsToldWhatIsWrongAndDoesNotWaitAgain(t *testing.T) {
	s := open(t, "")
	b := noise(701, 5<<20)
	sh := importFile(t, s, b)
	nobody := &away{}
	s = s.WithSource(nobody)
	flip(t, shardPath(s, sh.Root), 1<<20)
	flip(t, shardPath(s, sh.Root), 3<<20)
	for range 3 {
		if _, err := cat(t, s, sh.Root); !errors.Is(err, storage.ErrCorrupt) {
			t.Fatal(err)
		}
		if err := s.ExportCAR(t.Context(), sh.Root, io.Discard); !errors.Is(err, storage.ErrCorrupt) {
			t.Fatal(err)
		}
	}
	if n := nobody.asked.Load(); n == 0 || n == 6 {
		t.Fatalf("asked %d times by six readers", n)
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := s.GetBlock(ctx, sh.Root); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestALenderIsNotBelieved(t *testing.T) {
	far := open(t, "")
	b := noise(702, 3<<20)
	sh := importFile(t, far, b)
	x := &swap{from: far, change: func(cid.Cid, []byte) []byte { return []byte("x") }}
	flip(t, shardPath(far, sh.Root), 1<<20+1)
	for _, lent := range []func(*storage.Store) *storage.Store{
		func(s *storage.Store) *storage.Store { return s.WithSource(credulous{far}) },
		func(s *storage.Store) *storage.Store { return s.WithExchange(x) },
	} {
		here := open(t, "")
		importFile(t, here, b)
		flip(t, shardPath(here, sh.Root), 1<<20)
		if _, err := cat(t, lent(here), sh.Root); !errors.Is(err, storage.ErrCorrupt) {
			t.Fatal("a wrong block was given to a reader:", err)
		}
	}
	if x.asked.Load() == 0 {
		t.Fatal("nobody was asked")
	}
}

func TestFilesOfADamagedDirectoryAreRead(t *testing.T) {
	far, here := open(t, ""), open(t, "")
	files := fstest.MapFS{"a/b": {Data: noise(703, 2<<20)}, "c": {Data: noise(704, 100)}}
	sh, err := far.ImportDir(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := here.ImportDir(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	for at := int64(120); at < int64(sh.Size); at += 300 << 10 {
		flip(t, shardPath(here, sh.Root), at)
	}
	// Nodes of directories too are asked of the exchange alone here.
	fsys, err := here.WithExchange(&swap{from: far}).FS(t.Context(), sh.Root)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range files {
		if got, err := fs.ReadFile(fsys, name); err != nil || !bytes.Equal(got, f.Data) {
			t.Fatal(name, err)
		}
	}
}

func TestPrivateBlocksAreNotAskedOfTheExchange(t *testing.T) {
	far, here := open(t, ""), open(t, "")
	b := noise(705, 3<<20)
	sh := importFile(t, far, b)
	importFile(t, here, b)
	if err := here.SetPrivate(t.Context(), sh.Root, datanet); err != nil {
		t.Fatal(err)
	}
	flip(t, shardPath(here, sh.Root), 1<<20)
	x := &swap{from: far}
	if _, err := cat(t, here.WithExchange(x), sh.Root); !errors.Is(err, storage.ErrCorrupt) || x.asked.Load() != 0 {
		t.Fatal("everybody was told what private block is here", err)
	}
}

func TestALooseBlockThatRottedIsPutRightByItsReader(t *testing.T) {
	far, dir := open(t, ""), t.TempDir()
	s := open(t, dir)
	data := []byte{0x82, 5, 6}
	c, err := far.PutNode(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutNode(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	change(t, filepath.Join(dir, "meta"), func(tx *kv.Tx) error { return tx.Set(append([]byte{'l'}, c.Hash()...), []byte("x")) })
	s = open(t, dir)
	if _, err := s.GetBlock(t.Context(), c); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatal(err)
	}
	if got, err := s.WithExchange(&swap{from: far}).GetBlock(t.Context(), c); err != nil || !bytes.Equal(got, data) {
		t.Fatal(got, err)
	}
	if got, err := s.GetBlock(t.Context(), c); err != nil || !bytes.Equal(got, data) {
		t.Fatal("it was not put right:", got, err)
	}
}

// slow lends after a while.
type slow struct {
	*holder
	begun chan struct{}
	end   chan struct{}
}

func (s slow) Range(ctx context.Context, root cid.Cid, off uint64, n int, good func([]byte) error) ([]byte, error) {
	s.begun <- struct{}{}
	select {
	case <-s.end:
		return s.holder.Range(ctx, root, off, n, good)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestAReaderWhoLeavesDoesNotWaitForALender(t *testing.T) {
	far, s := open(t, ""), open(t, "")
	b := noise(706, 3<<20)
	sh := importFile(t, far, b)
	importFile(t, s, b)
	flip(t, shardPath(s, sh.Root), 120)
	from := slow{&holder{Store: far}, make(chan struct{}, 2), make(chan struct{})}
	s = s.WithSource(from)
	ctx, leave := context.WithTimeout(t.Context(), time.Hour)
	left := make(chan error, 1)
	go func() {
		_, err := s.GetBlock(ctx, sh.Root)
		left <- err
	}()
	<-from.begun
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	close(from.end)
	mustCat(t, s, sh.Root, b)
}
