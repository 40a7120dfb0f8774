package datanet

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/node/datanet/history"
	"tally/storage"
)

// disk is documents of one node, which finds no others' and waits for them as long as it may.
type disk struct {
	mu    sync.Mutex
	docs  map[cid.Cid][]byte // guarded by mu
	world *world
}

func (d *disk) Put(ctx context.Context, b []byte, why string) (cid.Cid, error) {
	c, err := d.world.Put(ctx, b, why)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.docs[c] = b
	return c, err
}

func (d *disk) Local(_ context.Context, c cid.Cid) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if b, ok := d.docs[c]; ok {
		return b, nil
	}
	return nil, fmt.Errorf("document %s: %w", c, storage.ErrNotFound)
}

func (d *disk) Get(ctx context.Context, c cid.Cid) ([]byte, error) {
	if b, err := d.Local(ctx, c); err == nil {
		return b, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (d *disk) lose() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.docs = map[cid.Cid][]byte{}
}

// onDisk gives a node documents of its own, and reopens it as a process that starts does.
func onDisk(w *world, s *Service) (*disk, func() *Service) {
	d := &disk{docs: map[cid.Cid][]byte{}, world: w}
	reopen := func() *Service {
		c := s.c
		c.Documents = d
		again := New(c)
		w.nodes[s.me] = again
		return again
	}
	return d, reopen
}

func TestAnOwnerThatLostItsDataDiskGoesOnWithItsDatanets(t *testing.T) {
	w, s := newWorld(t, 2)
	d, reopen := onDisk(w, s[0])
	owner := reopen()
	first := w.create(owner, Draft{Replicas: 2})
	w.add(owner, first, prose(1, 20))
	before := w.add(owner, first, prose(2, 20))

	d.lose()
	owner = reopen()
	list, err := owner.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Problem != nil || list[0].Manifest.Version != 2 {
		t.Fatalf("listed %+v, %v", list, err)
	}
	if log, err := owner.Log(t.Context(), before.Version.CID); err != nil || len(log) != 3 {
		t.Errorf("%d versions, %v", len(log), err)
	}
	after := w.add(owner, first, prose(3, 20))
	if after.Version.Manifest.Version != 3 || len(after.Version.Manifest.Shards) != 3 {
		t.Errorf("went on with version %d of %d shards", after.Version.Manifest.Version, len(after.Version.Manifest.Shards))
	}
	// Another node, that never saw the sketches, contributes.
	if got := w.add(s[1], first, prose(4, 20)); got.Version.Manifest.Version != 4 {
		t.Errorf("a contributor's version %d", got.Version.Manifest.Version)
	}

	d.lose()
	owner = reopen()
	if err := owner.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	for c := after.Version.CID; c.Defined(); {
		if _, err := d.Local(t.Context(), c); err != nil {
			t.Fatalf("it was not put back: %v", err)
		}
		v, err := owner.Read(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		c = v.Manifest.Parent
	}
}

func TestVersionsPublishedBeforeCopiesWereKeptAreCopiedAtTheStart(t *testing.T) {
	w, s := newWorld(t, 1)
	d, reopen := onDisk(w, s[0])
	owner := reopen()
	v := w.create(owner, Draft{})
	v = w.add(owner, v, prose(1, 20)).Version
	if err := owner.book.Forget(v.Origin); err != nil {
		t.Fatal(err)
	}
	owner = reopen()
	if err := owner.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.lose()
	owner = reopen()
	if log, err := owner.Log(t.Context(), v.CID); err != nil || len(log) != 2 {
		t.Errorf("%d versions, %v", len(log), err)
	}
}

func TestAFollowedDatanetsNewestVersionOutlastsTheDataDisk(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{Replicas: 2})
	w.add(s[0], v, prose(1, 20))
	second := w.add(s[0], v, prose(2, 20))
	d, reopen := onDisk(w, s[1])
	follower := reopen()
	for c, b := range w.docs { // it fetched them before
		d.docs[c] = b
	}
	if _, err := follower.Follow(t.Context(), v.CID); err != nil {
		t.Fatal(err)
	}
	third := w.add(s[0], v, prose(3, 20))
	follower.refresh(t.Context())
	copies, err := follower.book.Copies(v.Origin)
	if err != nil || len(copies) != 2 || !copies[0].CID.Equals(v.CID) || !copies[1].CID.Equals(third.Version.CID) {
		t.Fatalf("copied %+v, %v; version 2 is %s", copies, err, second.Version.CID)
	}
	d.lose()
	follower = reopen()
	if wanted, err := follower.Followed(t.Context()); err != nil || len(wanted) != 3 {
		t.Errorf("%d wanted, %v", len(wanted), err)
	}
	w.add(s[0], v, prose(4, 20))
	if got, err := follower.Head(t.Context(), v.CID); err != nil || got.Manifest.Version != 4 {
		t.Errorf("version %d, %v", got.Manifest.Version, err)
	}
	if err := follower.Unfollow(t.Context(), v.CID); err != nil {
		t.Fatal(err)
	}
	if copies, err := follower.book.Copies(v.Origin); err != nil || len(copies) != 0 {
		t.Errorf("after it is followed no longer %+v are copied, %v", copies, err)
	}
}

func TestAListNamesWhatCannotBeReadAndShowsTheRest(t *testing.T) {
	w, s := newWorld(t, 1)
	d, reopen := onDisk(w, s[0])
	owner := reopen()
	var made []Version
	for i := range 20 {
		made = append(made, w.create(owner, Draft{Name: fmt.Sprint("n", i)}))
	}
	lost := made[:19]
	d.lose()
	for _, v := range lost { // as with datanets of a node from before copies were kept
		if err := owner.book.Forget(v.Origin); err != nil {
			t.Fatal(err)
		}
	}
	owner = reopen()
	owner.listWithin = time.Millisecond // nothing that is here depends on it
	list, err := owner.List(t.Context())
	if err != nil || len(list) != len(made) {
		t.Fatalf("%d listed, %v", len(list), err)
	}
	for _, x := range list {
		bad := slices.ContainsFunc(lost, func(v Version) bool { return v.CID.Equals(x.CID) })
		switch {
		case !bad && (x.Problem != nil || x.Manifest.Name != "n19"):
			t.Errorf("what is here is listed as %+v", x)
		case bad && (x.Problem == nil || !x.Origin.Defined() || !strings.Contains(x.Problem.Error(), "not here")):
			t.Errorf("what is lost is listed as %+v", x)
		}
	}
}

func TestCopiesThatAreTooManyGoFromTheOldestOnButTheFirst(t *testing.T) {
	w, s := newWorld(t, 1)
	v := w.create(s[0], Draft{})
	for i := range uint16(9) {
		var err error
		if v, err = s[0].SetReplicas(t.Context(), v.CID, i+1); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s[0].book.Copies(v.Origin)
	if err != nil || len(all) != 10 {
		t.Fatalf("%d copies, %v", len(all), err)
	}
	one, _ := s[0].book.Copy(v.CID)
	for most, want := range map[int]int{1 << 20: 10, 4 * (len(one) + 2): 5, len(one): 2, 0: 2} {
		db, err := kv.Open("", kv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		c := s[0].c
		c.DB = db
		x := New(c)
		for _, at := range all {
			v, err := s[0].Read(t.Context(), at.CID)
			if err != nil {
				t.Fatal(err)
			}
			if err := x.copyVersion(t.Context(), v); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.book.Trim(v.Origin, most); err != nil {
			t.Fatal(err)
		}
		left, err := x.book.Copies(v.Origin)
		if err != nil || len(left) != want || !left[0].CID.Equals(v.Origin) || !left[len(left)-1].CID.Equals(v.CID) {
			t.Errorf("of %d bytes %d are left, want %d: %v", most, len(left), want, err)
		}
		for _, at := range all {
			_, ok := x.book.Copy(at.CID)
			if listed := slices.ContainsFunc(left, func(l history.Copy) bool { return l.CID.Equals(at.CID) }); ok != listed {
				t.Errorf("copy %s is here: %t, listed: %t", at.CID, ok, listed)
			}
		}
	}
}
