package datanet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"tally/storage"
)

// killed is a store whose node ends as soon as data is in it.
type killed struct {
	*world
	took cid.Cid
}

var errKilled = errors.New("killed")

func (k *killed) ImportFile(ctx context.Context, r io.Reader, of cid.Cid) (storage.Shard, error) {
	sh, err := k.world.ImportFile(ctx, r, of)
	k.took = sh.Root
	return sh, errors.Join(err, errKilled)
}

func (k *killed) ImportCAR(ctx context.Context, r io.Reader, of cid.Cid) (storage.Shard, error) {
	sh, err := k.world.ImportCAR(ctx, r, of)
	k.took = sh.Root
	return sh, errors.Join(err, errKilled)
}

// gives says whether the world's store shows a shard to others.
func (w *world) gives(root cid.Cid) bool {
	w.t.Helper()
	has, err := w.store.Blockstore().Has(w.t.Context(), root)
	if err != nil {
		w.t.Fatal(err)
	}
	return has
}

// carOf is a shard's CAR file, made in another world.
func carOf(t *testing.T, v Version, s *Service, text string) (cid.Cid, []byte) {
	t.Helper()
	far, _ := newWorld(t, 0)
	was := s.c
	s.c.Shards, s.c.Privacy = far, nil
	defer func() { s.c = was }()
	p, err := s.prepare(t.Context(), v, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := far.ExportCAR(t.Context(), p.Root, &b); err != nil {
		t.Fatal(err)
	}
	return p.Root, b.Bytes()
}

func TestNobodySeesAPrivateShardEvenIfItsNodeDiesRightAfterTheImport(t *testing.T) {
	w, s := newWorld(t, 1)
	s[0].c.Privacy = w.store
	v := w.create(s[0], Draft{Private: true})
	_, sealed := carOf(t, v, s[0], "a secret text")
	for name, c := range map[string]struct {
		data io.Reader
		car  bool
	}{"file": {strings.NewReader("another secret"), false}, "CAR": {bytes.NewReader(sealed), true}} {
		k := &killed{world: w}
		s[0].c.Shards = k
		if _, err := s[0].Add(t.Context(), v.CID, c.data, Options{CAR: c.car}); !errors.Is(err, errKilled) {
			t.Fatalf("%s: %v", name, err)
		}
		if of, private := w.store.Private(k.took); !private || !of.Equals(v.Origin) || w.gives(k.took) {
			t.Errorf("%s: private %t, of %s; given %t", name, private, of, w.gives(k.took))
		}
	}
	s[0].c.Shards = w
	added := w.add(s[0], v, "a third")
	if w.gives(added.Shards[0].Root) {
		t.Error("what was added is given")
	}
	a, err := s[0].Add(t.Context(), v.CID, bytes.NewReader(sealed), Options{CAR: true})
	if err != nil || w.gives(a.Shards[0].Root) {
		t.Errorf("what was added as a CAR file: %v", err)
	}
}

func TestACARFileThatIsNotSealedIsNotTakenIntoAPrivateDatanetNorShown(t *testing.T) {
	w, s := newWorld(t, 1)
	s[0].c.Privacy = w.store
	v, public := w.create(s[0], Draft{Private: true}), w.create(s[0], Draft{Name: "public"})
	root, plain := carOf(t, public, s[0], "not encrypted")
	add := func(to Version) error {
		_, err := s[0].Add(t.Context(), to.CID, bytes.NewReader(plain), Options{CAR: true})
		return err
	}
	if err := add(v); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "without --car") {
		t.Fatal(err)
	}
	if w.gives(root) {
		t.Error("what was meant for a private datanet is given")
	}
	if err := add(public); err != nil || !w.gives(root) {
		t.Errorf("added to a public one it is given: %t, %v", w.gives(root), err)
	}
	// What is here and public is not hidden by such a mistake.
	if err := add(v); !errors.Is(err, ErrRefused) || !w.gives(root) {
		t.Errorf("given %t, %v", w.gives(root), err)
	}
}

func TestASealedShardThatWasHereIsHiddenAsItIsAdded(t *testing.T) {
	w, s := newWorld(t, 2)
	s[0].c.Privacy = w.store
	v := w.create(s[0], Draft{Private: true})
	root, sealed := carOf(t, v, s[0], "a secret text")
	if _, err := w.ImportCAR(t.Context(), bytes.NewReader(sealed), cid.Undef); err != nil {
		t.Fatal(err)
	}
	if !w.gives(root) {
		t.Fatal("it is not here and public")
	}
	other := w.create(s[0], Draft{Private: true, Name: "other"})
	if _, err := s[0].Add(t.Context(), other.CID, bytes.NewReader(sealed), Options{CAR: true}); err == nil || !w.gives(root) {
		t.Errorf("sealed for another datanet: %v", err)
	}
	if _, err := s[0].Add(t.Context(), v.CID, bytes.NewReader(sealed), Options{CAR: true}); err != nil || w.gives(root) {
		t.Errorf("given %t, %v", w.gives(root), err)
	}
	if of, _ := w.store.Private(root); !of.Equals(v.Origin) {
		t.Errorf("marked as %s's", of)
	}
	if x, err := s[0].Head(t.Context(), v.CID); err != nil || len(x.Manifest.Shards) != 1 || x.Manifest.Shards[0].Sketch.Defined() {
		t.Errorf("%+v, %v", x.Manifest.Shards, err)
	}
}

func TestOthersListsAreForgottenAndNotThoseOfOurOwnNorOfWhatIsFollowed(t *testing.T) {
	w, s := newWorld(t, 2)
	me, other := s[0], s[1]
	me.c.MaxKnown = 1
	own, followed := w.create(me, Draft{Name: "own"}), w.create(other, Draft{Name: "followed"})
	var strange []Version
	for i, v := range []Version{own, followed} {
		w.add(map[int]*Service{0: me, 1: other}[i], v, prose(10+i, 20))
	}
	for i := range 3 {
		v := w.create(other, Draft{Name: fmt.Sprint("strange ", i)})
		w.add(other, v, prose(20+i, 20))
		strange = append(strange, v)
	}
	if _, err := me.Follow(t.Context(), followed.CID); err != nil {
		t.Fatal(err)
	}
	knows := func(v Version) bool {
		t.Helper()
		h, err := other.Head(t.Context(), v.CID)
		if v.Manifest.Owner == me.me {
			h, err = me.Head(t.Context(), v.CID)
		}
		if err != nil {
			t.Fatal(err)
		}
		ok, err := me.known.Has(h.Manifest.Shards[0].Root, v.Origin)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	for i, v := range strange {
		if _, err := me.Add(t.Context(), v.CID, strings.NewReader(prose(30+i, 20)), Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if !knows(own) || !knows(followed) || knows(strange[0]) || knows(strange[1]) || !knows(strange[2]) {
		t.Errorf("own %t, followed %t, others %t %t %t", knows(own), knows(followed), knows(strange[0]), knows(strange[1]), knows(strange[2]))
	}
	// A datanet that was forgotten is learned again as data is added to it.
	if _, err := me.Add(t.Context(), strange[0].CID, strings.NewReader(prose(20, 20)), Options{}); !errors.Is(err, ErrDuplicate) {
		t.Errorf("a copy of what was forgotten: %v", err)
	}
	if err := me.Unfollow(t.Context(), followed.CID); err != nil {
		t.Fatal(err)
	}
	if !knows(own) || knows(followed) {
		t.Errorf("unfollowed: own %t, followed %t", knows(own), knows(followed))
	}
}
