package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/storage"
)

func TestDeleteFreesTheDiskAtOnceAndTheIndexAfter(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	b := noise(600, 3<<20)
	kept := importFile(t, s, b)
	var gone []storage.Shard
	for i := range 80 { // more than go in one step
		gone = append(gone, importFile(t, s, append(bytes.Clone(b[:1<<20]), byte(i))))
	}
	if err := s.Pin(t.Context(), kept.Root, storage.PinInfo{Why: "published"}); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Collect(t.Context(), 0); err != nil || c.Shards != len(gone) {
		t.Fatal(c, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "shards", "*")); len(left) != 1 {
		t.Fatal(left)
	}
	mustCat(t, s, kept.Root, b) // shares a leaf with all of them
	if u, err := s.Usage(); err != nil || u.Shards != kept.Size || u.Held != 1 {
		t.Fatalf("%+v %v", u, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := blocksInIndex(t, dir); n != 4 { // three leaves and the node over them
		t.Fatalf("%d blocks in the index", n)
	}
}

func blocksInIndex(t *testing.T, dir string) (n int) {
	t.Helper()
	change(t, filepath.Join(dir, "index"), func(tx *kv.Tx) error {
		for _, err := range tx.Scan([]byte{'b'}) {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n
}

// TestDeleteCutShortIsFinishedLater unlinks shards as a crash in the middle of a
// Collect leaves them.
func TestDeleteCutShortIsFinishedLater(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	b := noise(610, 2<<20)
	kept, gone := importFile(t, s, b), importFile(t, s, b[:1<<20+1])
	for _, sh := range []storage.Shard{kept, gone} {
		if err := s.Pin(t.Context(), sh.Root, storage.PinInfo{Why: "published"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Unpin(t.Context(), gone.Root); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "shards", gone.Root.String()+".car")); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	for c := range allKeys(t, s) {
		if ok, err := s.Has(t.Context(), cid.NewCidV1(cid.Raw, c.Hash())); err != nil || !ok {
			t.Fatal("claims a block that went", c, err)
		}
	}
	mustCat(t, s, kept.Root, b)
	if u, err := s.Usage(); err != nil || u.Shards != kept.Size {
		t.Fatalf("%+v %v", u, err)
	}
	if _, err := s.Collect(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := blocksInIndex(t, dir); n != 3 {
		t.Fatalf("%d blocks in the index", n)
	}
}

func allKeys(t *testing.T, s *storage.Store) map[cid.Cid]bool {
	t.Helper()
	out := map[cid.Cid]bool{}
	ch, err := s.Blockstore().AllKeysChan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for c := range ch {
		out[c] = true
	}
	return out
}

func TestCollectEndsSoonAfterItsContextAndGoesOnLater(t *testing.T) {
	s := open(t, t.TempDir())
	for i := range 3 {
		importFile(t, s, noise(uint64(620+i), 100))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if c, err := s.Collect(ctx, 0); !errors.Is(err, context.Canceled) || c.Shards != 0 {
		t.Fatal(c, err)
	}
	if c, err := s.Collect(t.Context(), 0); err != nil || c.Shards != 3 {
		t.Fatal(c, err)
	}
}

// TestNothingPinnedIsLostWhileOthersCollect lets importers, pinners and readers
// work against collectors that spare nothing young.
func TestNothingPinnedIsLostWhileOthersCollect(t *testing.T) {
	s := open(t, t.TempDir(), quota(1<<30))
	var workers, collectors sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for range 2 {
		collectors.Go(func() {
			for ctx.Err() == nil {
				if _, err := s.Collect(ctx, 0); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	for w := range 4 {
		workers.Go(func() {
			for i := range 8 {
				b := append(noise(630, 1<<18), fmt.Sprint(w, i)...)
				why := fmt.Sprint(w)
				for {
					sh, err := s.ImportFile(t.Context(), bytes.NewReader(b))
					if err == nil {
						err = s.Pin(t.Context(), sh.Root, storage.PinInfo{Why: why})
					}
					if errors.Is(err, storage.ErrNotFound) {
						continue // collected before it was pinned, as it may be
					}
					if err != nil {
						t.Error(err)
						return
					}
					f, err := s.OpenFile(t.Context(), sh.Root)
					if err != nil {
						t.Error("a pinned file is gone", err)
						return
					}
					_ = f.Close()
					break
				}
				c, err := s.PutNode(t.Context(), []byte{0x19, byte(w + 1), byte(i)})
				if err == nil {
					err = s.Pin(t.Context(), c, storage.PinInfo{Why: why})
				}
				if errors.Is(err, storage.ErrNotFound) {
					continue
				}
				if err == nil {
					_, err = s.GetBlock(t.Context(), c)
				}
				if err != nil {
					t.Error("a pinned block is gone", err)
				}
			}
		})
	}
	workers.Wait()
	stop()
	collectors.Wait()
	if h, err := s.Health(t.Context()); err != nil || !h.Sound() {
		t.Fatal(h, err)
	}
	for w := range 4 {
		for i := range 8 {
			b := append(noise(630, 1<<18), fmt.Sprint(w, i)...)
			sh := importFile(t, s, b)
			mustCat(t, s, sh.Root, b)
		}
	}
	if u, err := s.Usage(); err != nil || u.Held != 32 || u.Reserved != 0 {
		t.Fatalf("%+v %v", u, err)
	}
}
