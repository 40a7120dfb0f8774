package storage_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/storage"
)

// ends is a log that tells of every pass that ended.
type ends struct {
	slog.Handler
	pass chan struct{}
}

func (e ends) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "scrub ended a pass" {
		select {
		case e.pass <- struct{}{}:
		case <-ctx.Done():
		}
	}
	return e.Handler.Handle(ctx, r)
}

// scrub runs until the test calls the function that it returns.
func scrub(t *testing.T, s *storage.Store, c storage.ScrubConfig) (found chan storage.Damage, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	found, done := make(chan storage.Damage, 16), make(chan error, 1)
	c.Rate = -1
	c.Notify = func(d storage.Damage) { found <- d }
	go func() { done <- s.Scrub(ctx, c) }()
	return found, func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func shardPath(s *storage.Store, root cid.Cid) string {
	return filepath.Join(s.Dir(), "shards", root.String()+".car")
}

func logPasses() (func(*storage.Config), chan struct{}) {
	pass := make(chan struct{}, 8)
	return func(c *storage.Config) { c.Logger = slog.New(ends{c.Logger.Handler(), pass}) }, pass
}

func TestScrubFindsAFlippedByteAndHealsItFromAnotherStore(t *testing.T) {
	far := open(t, "")
	watch, pass := logPasses()
	s := open(t, t.TempDir(), watch)
	b := noise(400, 5<<20)
	want := importFile(t, s, b)
	importFile(t, far, b)
	x := &swap{from: far}
	s = s.WithNetwork(x, nil)
	if err := s.Pin(t.Context(), want.Root, storage.PinInfo{Why: "published"}); err != nil {
		t.Fatal(err)
	}
	file := export(t, s, want.Root)
	flip(t, shardPath(s, want.Root), 3<<20)
	events, stop := scrub(t, s, storage.ScrubConfig{Interval: time.Hour})
	if d := <-events; d.Root != want.Root || d.Bad != 1 || d.Healed != 0 || d.Found == 0 {
		t.Fatalf("%+v", d)
	}
	if d := <-events; d.Root != want.Root || d.Healed == 0 {
		t.Fatalf("%+v", d)
	}
	<-pass
	if got, err := os.ReadFile(shardPath(s, want.Root)); err != nil || !bytes.Equal(got, file) {
		t.Fatal("the healed file is another one", err)
	}
	if x.asked.Load() != 1 {
		t.Fatalf("healing one block asked for %d", x.asked.Load())
	}
	mustCat(t, s, want.Root, b)
	if _, err := s.PieceProof(t.Context(), want.Root, 100); err != nil {
		t.Fatal(err)
	}
	// Between two passes a reader that meets a bad block calls the scrub.
	flip(t, shardPath(s, want.Root), 1<<20)
	mustCat(t, s, want.Root, b) // who is lent another node's block meanwhile
	if d := <-events; d.Bad != 1 {
		t.Fatalf("%+v", d)
	}
	if d := <-events; d.Healed == 0 {
		t.Fatalf("%+v", d)
	}
	mustCat(t, s, want.Root, b)
	stop()
	h, err := s.Health(t.Context())
	if err != nil || !h.Sound() || len(h.Healed) != 1 {
		t.Fatal(h, err)
	}
	if st := s.ScrubStatus(); st.Bad != 2 || st.Healed != 2 || st.Pass != 1 || st.LastPass == 0 || st.Running {
		t.Fatalf("%+v", st)
	}
	for st, err := range s.Status() {
		if err != nil || st.Root != want.Root || st.State != storage.Have || st.Size != want.Size {
			t.Fatal(st, err)
		}
	}
	if u, err := s.Usage(); err != nil || u.Shards != want.Size || u.Partial+u.Reserved != 0 {
		t.Fatalf("%+v %v", u, err)
	}
}

func TestDamageIsKnownAfterARestartAndHealsWhenAHolderIsThere(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	b := noise(410, 3<<20)
	want := importFile(t, s, b)
	if err := s.Pin(t.Context(), want.Root, storage.PinInfo{Why: "published"}); err != nil {
		t.Fatal(err)
	}
	flip(t, shardPath(s, want.Root), 2<<20)
	events, stop := scrub(t, s, storage.ScrubConfig{}) // alone: nobody to heal from
	if d := <-events; d.Root != want.Root {
		t.Fatal(d)
	}
	stop()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	far := open(t, "")
	importFile(t, far, b)
	s = open(t, dir)
	if h, err := s.Health(t.Context()); err != nil || len(h.Damaged) != 1 || len(h.Problems()) != 1 {
		t.Fatal(h, err)
	}
	for st, err := range s.Status() {
		if err != nil || st.State != storage.Damaged {
			t.Fatal(st, err)
		}
	}
	if _, err := s.GetBlock(t.Context(), block(cid.Raw, b[:1<<20]).Cid()); err != nil {
		t.Fatal("a good block of a damaged shard was not served", err)
	}
	events, stop = scrub(t, s.WithNetwork(&swap{from: far}, nil), storage.ScrubConfig{Retry: time.Nanosecond})
	if d := <-events; d.Healed == 0 {
		t.Fatal(d)
	}
	stop()
	mustCat(t, s, want.Root, b)
	if h, err := s.Health(t.Context()); err != nil || !h.Sound() {
		t.Fatal(h, err)
	}
}

func TestScrubGoesOnWhereItWasAfterARestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	var roots []cid.Cid
	for i := range 6 {
		roots = append(roots, importFile(t, s, noise(uint64(420+i), 1<<20+i)).Root)
	}
	slices.SortFunc(roots, func(a, b cid.Cid) int { return strings.Compare(a.KeyString(), b.KeyString()) })
	flip(t, shardPath(s, roots[3]), 5000)
	events, stop := scrub(t, s, storage.ScrubConfig{})
	if d := <-events; d.Root != roots[3] {
		t.Fatal(d)
	}
	stop()
	st := s.ScrubStatus()
	if !st.Running || st.Shards < 3 {
		t.Fatalf("%+v", st)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	flip(t, filepath.Join(dir, "shards", roots[0].String()+".car"), 5000) // behind the cursor
	watch, pass := logPasses()
	s = open(t, dir, watch)
	if again := s.ScrubStatus(); again.Pass != st.Pass || !bytes.Equal(again.Cursor, st.Cursor) {
		t.Fatalf("%+v, before %+v", again, st)
	}
	_, stop = scrub(t, s, storage.ScrubConfig{Interval: time.Hour})
	<-pass
	stop()
	end := s.ScrubStatus()
	if end.Pass != 1 || end.Shards != 6 || end.Running || end.LastPass == 0 || end.Bad != 1 {
		t.Fatalf("%+v", end)
	}
	// The next pass finds it.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	events, stop = scrub(t, s, storage.ScrubConfig{Interval: 1})
	if d := <-events; d.Root != roots[0] {
		t.Fatal(d)
	}
	stop()
}

func TestScrubBringsBackWhatWasSetAside(t *testing.T) {
	dir := t.TempDir()
	far, s := open(t, ""), open(t, dir)
	b := noise(430, 3<<20)
	want := importFile(t, s, b)
	importFile(t, far, b)
	if err := s.Pin(t.Context(), want.Root, storage.PinInfo{Why: "published"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "shards", want.Root.String()+".car"), 2<<20); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	x := &swap{from: far}
	events, stop := scrub(t, s.WithNetwork(x, nil), storage.ScrubConfig{})
	if d := <-events; d.Root != want.Root || d.Healed == 0 {
		t.Fatal(d)
	}
	stop()
	mustCat(t, s, want.Root, b)
	if u, err := s.Usage(); err != nil || u.Aside != 0 || u.Shards != want.Size {
		t.Fatalf("%+v %v", u, err)
	}
}

func TestScrubHealsLooseBlocks(t *testing.T) {
	dir := t.TempDir()
	s, far := open(t, dir), open(t, "")
	want := []byte{0x82, 1, 2}
	c, err := s.PutNode(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := far.PutNode(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	change(t, filepath.Join(dir, "meta"), func(tx *kv.Tx) error { return tx.Set(append([]byte{'l'}, c.Hash()...), []byte("x")) })
	watch, pass := logPasses()
	s = open(t, dir, watch)
	_, stop := scrub(t, s.WithExchange(&swap{from: far}), storage.ScrubConfig{Interval: time.Hour})
	<-pass
	stop()
	if got, err := s.GetBlock(t.Context(), c); err != nil || !bytes.Equal(got, want) {
		t.Fatal(got, err)
	}
	if h, err := s.Health(t.Context()); err != nil || !h.Sound() {
		t.Fatal(h, err)
	}
}

// TestLargeStoreWithoutAnIndexOpensAndIsIndexedByTheScrub has more bytes in shards
// than Open reads.
func TestLargeStoreWithoutAnIndexOpensAndIsIndexedByTheScrub(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	b := noise(450, 2<<20)
	sh := importFile(t, s, b)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "index")); err != nil {
		t.Fatal(err)
	}
	// Four files of 1 GiB, all holes, that come first by name.
	for i, n := uint64(0), 0; n < 4; i++ {
		c := block(cid.Raw, noise(i, 8)).Cid()
		if c.String() > sh.Root.String() {
			continue
		}
		path := filepath.Join(dir, "shards", c.String()+".car")
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, storage.DefaultMaxShard)); err != nil {
			t.Fatal(err)
		}
		n++
	}
	watch, pass := logPasses()
	s = open(t, dir, watch)
	if h, err := s.Health(t.Context()); err != nil || h.Waiting != 1 || len(h.Aside) != 4 {
		t.Fatal(h, err)
	}
	before, err := s.Usage()
	if err != nil {
		t.Fatal(err)
	}
	_, stop := scrub(t, s, storage.ScrubConfig{Interval: time.Hour})
	<-pass
	stop()
	mustCat(t, s, sh.Root, b)
	if u, err := s.Usage(); err != nil || u.Shards != before.Shards || u.Shards != sh.Size {
		t.Fatalf("%+v, before %+v %v", u, before, err)
	}
}

func TestVerifyMendsTheIndexFromTheFile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	b := noise(440, 4<<20)
	sh := importFile(t, s, b)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	lost := block(cid.Raw, b[1<<20:2<<20]).Cid()
	change(t, filepath.Join(dir, "index"), func(tx *kv.Tx) error {
		if err := tx.Set(append([]byte{'p'}, sh.Root.Bytes()...), noise(1, 64)); err != nil {
			return err
		}
		return tx.Delete(append([]byte{'b'}, lost.Hash()...))
	})
	s = open(t, dir)
	if _, err := s.GetBlock(t.Context(), lost); !errors.Is(err, storage.ErrNotFound) {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context(), sh.Root); err != nil {
		t.Fatal(err)
	}
	mustCat(t, s, sh.Root, b)
	if _, err := s.PieceProof(t.Context(), sh.Root, 9000); err != nil {
		t.Fatal(err)
	}
}

// change edits a database of a closed store.
func change(t *testing.T, dir string, f func(*kv.Tx) error) {
	t.Helper()
	db, err := kv.Open(dir, kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	// As if a process had died: one that closed would have left what it knows in there.
	if err := errors.Join(db.Update(f), db.Close(), os.Remove(filepath.Join(dir, "CLOSED"))); err != nil {
		t.Fatal(err)
	}
}

func TestOneScrubIsEnough(t *testing.T) {
	s := open(t, "")
	importFile(t, s, []byte("x"))
	flip(t, shardPath(s, importFile(t, s, []byte("x")).Root), 60)
	events, stop := scrub(t, s, storage.ScrubConfig{})
	<-events // it runs
	if err := s.Scrub(t.Context(), storage.ScrubConfig{}); !errors.Is(err, storage.ErrScrubbing) {
		t.Fatal(err)
	}
	stop()
	if err := s.Scrub(t.Context(), storage.ScrubConfig{Retry: -1}); !errors.Is(err, storage.ErrConfig) {
		t.Fatal(err)
	}
}
