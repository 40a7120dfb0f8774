package storage_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"tally/protocol/piece"
	"tally/storage"
)

// outline returns what a store says of a shard, and the shard's file.
func outline(t testing.TB, s *storage.Store, sh storage.Shard) (storage.Outline, []byte) {
	t.Helper()
	f, err := s.OpenShard(t.Context(), sh.Root)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	layer, err := f.Layer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return storage.Outline{Piece: sh.Piece, Size: sh.Size, Layer: layer}, export(t, s, sh.Root)
}

func begin(t testing.TB, s *storage.Store, sh storage.Shard) *storage.Assembly {
	t.Helper()
	a, _, err := s.Begin(t.Context(), sh.Root)
	if err != nil || a == nil {
		t.Fatal(a, err)
	}
	return a
}

// put gives an assembly one span of a file.
func put(t testing.TB, a *storage.Assembly, file []byte, i int) error {
	t.Helper()
	off, n := a.Span(i)
	b := a.Buffer()[:n]
	copy(b, file[off:])
	_, err := a.Put(i, b)
	return err
}

func TestSpansInAnyOrderMakeTheShard(t *testing.T) {
	one := open(t, "")
	for _, n := range []int{0, 10, 1 << 20, 3<<20 + 5, 30 << 20} {
		want := importFile(t, one, noise(100, n))
		o, file := outline(t, one, want)
		two := open(t, t.TempDir())
		a := begin(t, two, want)
		if err := a.Adopt(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		spans, _ := a.Spans()
		var wg sync.WaitGroup
		order := rand.Perm(spans)
		for k := range 3 { // three at once, some of them twice
			wg.Go(func() {
				for j, i := range order {
					if j%3 == k || j%5 == k {
						if err := put(t, a, file, i); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
		got, err := a.Finish(t.Context())
		if err != nil || got != want {
			t.Fatalf("%d bytes: %v %v", n, got, err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(export(t, two, want.Root), file) {
			t.Fatal("files differ")
		}
		if err := two.Verify(t.Context(), want.Root); err != nil {
			t.Fatal(err)
		}
		if _, err := two.PieceProof(t.Context(), want.Root, 0); err != nil {
			t.Fatal(err)
		}
		if left, _ := filepath.Glob(filepath.Join(two.Dir(), "fetch", "*")); len(left) > 0 {
			t.Fatal("left behind:", left)
		}
		if a, sh, err := two.Begin(t.Context(), want.Root); a != nil || sh != want || err != nil {
			t.Fatal("a shard that is held is fetched again", err)
		}
	}
}

func TestAWrongSpanIsRefusedAndTheRestGoesOn(t *testing.T) {
	one, two := open(t, ""), open(t, "")
	want := importFile(t, one, noise(101, 3<<20))
	o, file := outline(t, one, want)
	a := begin(t, two, want)
	defer a.Close()
	if err := a.Adopt(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for i := range o.Layer {
		bad := bytes.Clone(file)
		off, n := a.Span(i)
		bad[off+uint64(n)-1] ^= 1
		if err := put(t, a, bad, i); !errors.Is(err, storage.ErrCorrupt) || a.Have(i) {
			t.Fatal(i, err)
		}
		if _, err := a.Put(i, file[off:off+uint64(n)-1]); !errors.Is(err, storage.ErrCorrupt) {
			t.Fatal("a short span counts", err)
		}
		if err := put(t, a, file, i); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := a.Finish(t.Context()); err != nil || got != want {
		t.Fatal(got, err)
	}
}

func TestAnAssemblyGoesOnAfterARestart(t *testing.T) {
	one, dir := open(t, ""), t.TempDir()
	want := importFile(t, one, noise(102, 9<<20))
	o, file := outline(t, one, want)
	two := open(t, dir)
	a := begin(t, two, want)
	if err := a.Adopt(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 3, 4, 8} {
		if err := put(t, a, file, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.Close(), two.Close()); err != nil {
		t.Fatal(err)
	}
	// What the map promises is not believed: a crash may have lost a span.
	spans := filepath.Join(dir, "fetch", want.Root.String()+".spans")
	f, err := os.OpenFile(spans, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 100), 3<<20); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	two = open(t, dir)
	a = begin(t, two, want)
	defer a.Close()
	left, ok := a.Left()
	if !ok || left.Piece != o.Piece || left.Size != o.Size || len(left.Layer) != len(o.Layer) {
		t.Fatal("the outline is forgotten")
	}
	if err := a.Adopt(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	for i := range o.Layer {
		if a.Have(i) != (i == 0 || i == 4 || i == 8) {
			t.Fatal("span", i, a.Have(i))
		}
		if err := put(t, a, file, i); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := a.Finish(t.Context()); err != nil || got != want {
		t.Fatal(got, err)
	}
}

func TestAShardSetAsideIsHealedBySpans(t *testing.T) {
	one, two := open(t, ""), open(t, t.TempDir())
	b := noise(103, 6<<20)
	want := importFile(t, one, b)
	importFile(t, two, b)
	o, file := outline(t, one, want)
	path := filepath.Join(two.Dir(), "shards", want.Root.String()+".car")
	bad := bytes.Clone(file)
	bad[3<<20] ^= 1
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := two.Verify(t.Context(), want.Root); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatal(err)
	}
	a := begin(t, two, want)
	defer a.Close()
	if err := a.Adopt(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for i := range o.Layer {
		if a.Have(i) != (i != 3) {
			t.Fatal("span", i, a.Have(i))
		}
	}
	if err := put(t, a, file, 3); err != nil {
		t.Fatal(err)
	}
	if got, err := a.Finish(t.Context()); err != nil || got != want {
		t.Fatal(got, err)
	}
}

func TestAnOutlineOfOtherBlocksIsFoundOut(t *testing.T) {
	one, two := open(t, ""), open(t, t.TempDir())
	b := noise(104, 5<<20)
	want := importFile(t, one, b)
	o, file := outline(t, one, want)
	lie := bytes.Clone(file)
	lie[2<<20] ^= 1
	h := piece.New(true)
	_, _ = h.Write(lie)
	a := begin(t, two, want)
	defer a.Close()
	if err := a.Adopt(t.Context(), storage.Outline{Piece: h.Root(), Size: h.Len(), Layer: h.Layer()}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 { // found out with the third, before the rest is here
		if err := put(t, a, lie, i); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Finish(t.Context()); !errors.Is(err, storage.ErrCorrupt) || !storage.Malformed(err) {
		t.Fatal(err)
	}
	if err := a.Adopt(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if !a.Have(0) || !a.Have(1) || a.Have(2) {
		t.Fatal("what both outlines share is not kept")
	}
	for i := range o.Layer {
		if err := put(t, a, file, i); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := a.Finish(t.Context()); err != nil || got != want {
		t.Fatal(got, err)
	}
}

func TestAnOutlineIsCheckedBeforeAnythingIsReserved(t *testing.T) {
	one, two := open(t, ""), open(t, "")
	want := importFile(t, one, noise(105, 3<<20))
	o, _ := outline(t, one, want)
	a := begin(t, two, want)
	defer a.Close()
	for name, f := range map[string]func(*storage.Outline){
		"huge":  func(o *storage.Outline) { o.Size = storage.DefaultMaxShard + 1 },
		"empty": func(o *storage.Outline) { o.Size, o.Layer = 0, nil },
		"layer": func(o *storage.Outline) { o.Layer = append([]piece.Hash{{1}}, o.Layer[1:]...) },
		"short": func(o *storage.Outline) { o.Layer = o.Layer[1:] },
		"size":  func(o *storage.Outline) { o.Size-- },
		"piece": func(o *storage.Outline) { o.Piece[0] ^= 1 },
	} {
		bad := o
		f(&bad)
		if err := a.Adopt(t.Context(), bad); !errors.Is(err, storage.ErrOutline) && !errors.Is(err, storage.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Adopt(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := a.Adopt(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

func TestAnAssemblyReservesAllBeforeItBegins(t *testing.T) {
	one := open(t, "")
	want := importFile(t, one, noise(106, 5<<20))
	o, _ := outline(t, one, want)
	two, err := storage.Open(storage.Config{Dir: t.TempDir(), Quota: 4 << 20, Floor: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = two.Close() })
	a := begin(t, two, want)
	if err := a.Adopt(t.Context(), o); !errors.Is(err, storage.ErrQuota) {
		t.Fatal(err)
	}
	_ = a.Close()
	small := importFile(t, one, noise(107, 2<<20))
	o, file := outline(t, one, small)
	a = begin(t, two, small)
	defer a.Close()
	if err := a.Adopt(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if u, err := two.Usage(); err != nil || u.Reserved < small.Size {
		t.Fatal(u, err)
	}
	for i := range o.Layer {
		if err := put(t, a, file, i); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := a.Finish(t.Context()); err != nil || got != small {
		t.Fatal(got, err)
	}
}

func TestBlocksGoOnFromWhatSpansLeft(t *testing.T) {
	one, two := open(t, ""), open(t, t.TempDir())
	want := importFile(t, one, noise(108, 8<<20))
	o, file := outline(t, one, want)
	a := begin(t, two, want)
	if err := a.Adopt(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 1, 2, 3, 6} {
		if err := put(t, a, file, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	x := &swap{from: one}
	if got, err := two.Fetch(t.Context(), want.Root, nil, storage.From(x)); err != nil || got != want {
		t.Fatal(got, err)
	}
	if n := x.asked.Load(); n == 0 || n > 5 { // of nine; three leaves and the root are in the first four MiB
		t.Fatalf("asked for %d blocks", n)
	}
	if left, _ := filepath.Glob(filepath.Join(two.Dir(), "fetch", "*")); len(left) > 0 {
		t.Fatal("left behind:", left)
	}
	if u, err := two.Usage(); err != nil || u.Partial != 0 || u.Reserved != 0 {
		t.Fatal(u, err)
	}
}
