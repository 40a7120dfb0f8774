package datanet

import (
	"errors"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/storage"
)

// hiding gives a service a real store's marks, which it alone uses.
func hiding(t *testing.T, s *Service) *storage.Store {
	t.Helper()
	store, err := storage.Open(storage.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	s.c.Privacy = store
	return store
}

func TestShardsOfPrivateDatanetsAreHiddenByWhoeverAddsReadsOrFollowsThem(t *testing.T) {
	w, s := newWorld(t, 4) // contributor, reader, follower, owner
	marks := []*storage.Store{hiding(t, s[0]), hiding(t, s[1]), hiding(t, s[2])}
	v, public := w.create(s[3], Draft{Private: true}), w.create(s[3], Draft{Name: "public"})
	a, b := w.add(s[0], v, "a secret text"), w.add(s[0], public, "a public text")
	secret, open := a.Shards[0].Root, b.Shards[0].Root
	is := func(m *storage.Store, when string) {
		t.Helper()
		if of, private := m.Private(secret); !private || !of.Equals(v.Origin) {
			t.Errorf("%s: private %t, of %s", when, private, of)
		}
		if _, private := m.Private(open); private {
			t.Errorf("%s: the public shard is hidden", when)
		}
	}
	is(marks[0], "added")
	if _, err := s[2].Follow(t.Context(), v.CID); err != nil {
		t.Fatal(err)
	}
	is(marks[2], "followed") // all nodes of this world hold all shards
	for _, root := range []cid.Cid{secret, open} {
		if err := s[2].HideWanted(t.Context(), root); err != nil {
			t.Fatal(err)
		}
	}
	is(marks[2], "wanted")
	// What a reader holds already stays as it is: nobody hides what is public by listing it.
	if _, err := text(t, s[1], a); !errors.Is(err, ErrPrivate) {
		t.Fatal(err)
	}
	if _, private := marks[1].Private(secret); private {
		t.Error("held before it was read, and hidden")
	}
	// A reader that does not hold it marks it before it comes.
	if err := s[1].Hide(t.Context(), a.Version, secret); err != nil {
		t.Fatal(err)
	}
	is(marks[1], "fetched")
}

func TestAGrantIsShownWhereTheOwnerIsNotAndEndsWhenItIsTakenBack(t *testing.T) {
	w, s := newWorld(t, 4) // owner, holder, reader by account, reader by recipient
	holder, reader, handed := s[1], s[2], s[3]
	marks := hiding(t, reader)
	v := w.create(s[0], Draft{Private: true})
	a := w.add(s[0], v, "a secret text")
	root := a.Shards[0].Root
	if _, err := holder.Follow(t.Context(), v.CID); err != nil {
		t.Fatal(err)
	}
	if b, err := reader.Credential(t.Context(), root); b != nil || err != nil {
		t.Fatal("a credential for what is not known to be private", err)
	}
	if err := marks.SetPrivate(t.Context(), root, v.Origin); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Credential(t.Context(), root); !errors.Is(err, ErrPrivate) {
		t.Fatal("a credential without a grant", err)
	}
	if err := s[0].MayRead(t.Context(), v.Origin, reader.me); !errors.Is(err, ErrPrivate) {
		t.Fatal("before the grant", err)
	}
	if _, err := s[0].Grant(t.Context(), v.CID, reader.me.Hex()); err != nil {
		t.Fatal(err)
	}
	if err := s[0].MayRead(t.Context(), v.Origin, reader.me); err != nil {
		t.Fatal("granted, and the owner refuses", err)
	}
	first, err := reader.Credential(t.Context(), root)
	if err != nil || len(first) == 0 {
		t.Fatal(err)
	}
	to, err := handed.Recipient()
	if err != nil {
		t.Fatal(err)
	}
	free, err := s[0].Grant(t.Context(), v.CID, to)
	if err != nil {
		t.Fatal(err)
	}
	other := w.create(s[0], Draft{Private: true, Name: "other"})
	shows := func(account common.Address, b []byte, ok bool, what string) {
		t.Helper()
		if err := holder.ShowsGrant(t.Context(), v.Origin, account, b); (err == nil) != ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	shows(reader.me, first, true, "the reader's")
	shows(handed.me, first, false, "another's")
	shows(handed.me, free.Bytes(), true, "one to a recipient")
	shows(reader.me, first[1:], false, "cut")
	if err := holder.ShowsGrant(t.Context(), other.Origin, reader.me, first); err == nil {
		t.Error("a grant to one datanet opens another")
	}
	// The owner answers no more: what was kept is shown.
	delete(w.nodes, s[0].me)
	if b, err := reader.Credential(t.Context(), root); err != nil || string(b) != string(first) {
		t.Error("the grant is lost with the owner", err)
	}
	w.nodes[s[0].me] = s[0]
	if _, _, err := s[0].Revoke(t.Context(), v.CID, strings.ToLower(reader.me.Hex())); err != nil {
		t.Fatal(err)
	}
	if err := s[0].MayRead(t.Context(), v.Origin, reader.me); !errors.Is(err, ErrPrivate) {
		t.Error("taken back, and the owner gives", err)
	}
	shows(reader.me, first, true, "taken back, and the holder does not know yet")
	holder.refresh(t.Context())
	shows(reader.me, first, false, "taken back")
	shows(handed.me, free.Bytes(), false, "before the new key")
	again, err := s[0].Grant(t.Context(), v.CID, to)
	if err != nil {
		t.Fatal(err)
	}
	shows(handed.me, again.Bytes(), true, "given again")
	// A holder that knows only an older version takes a newer grant too.
	late := w.join()
	if err := late.ShowsGrant(t.Context(), v.Origin, handed.me, again.Bytes()); err != nil {
		t.Error(err)
	}
}

func TestAWordThatAShardIsPrivateIsBelievedOnlyWhenItIsProved(t *testing.T) {
	w, s := newWorld(t, 3)
	v, public := w.create(s[0], Draft{Private: true}), w.create(s[0], Draft{Name: "public"})
	secret, open := w.add(s[0], v, "secret").Shards[0].Root, w.add(s[0], public, "open").Shards[0].Root
	lists := func(name string, of, root cid.Cid, want bool) {
		t.Helper()
		if got := s[1].Lists(t.Context(), of, root); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
	lists("listed", v.Origin, secret, true)
	lists("not listed", v.Origin, open, false)
	lists("public", public.Origin, open, false)
	lists("nobody's datanet", open, open, false)
	delete(w.nodes, s[0].me)
	lists("the owner is away, and a version that lists it was seen", v.Origin, secret, true)
	lists("the owner is away, and none was", v.Origin, open, false)
	if s[2].Lists(t.Context(), v.Origin, secret) {
		t.Error("believed although no version that lists it was ever seen")
	}
}

// contributed is what a hostile contributor reveals of any root: nobody looks at data.
func (w *world) contributed(s *Service, v Version, root cid.Cid) reveal {
	w.t.Helper()
	in := protocol.Contribution{
		Datanet: v.Origin, Root: root, Piece: common.Hash{1}, Size: 100, Records: 1, Contributor: s.me, Salt: common.Hash{2},
	}
	digest, err := in.Commitment()
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := (ledger{w, s.me}).Commit(w.t.Context(), digest); err != nil {
		w.t.Fatal(err)
	}
	con, err := protocol.Sign(s.c.Network, s.c.Key, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return reveal{Contribution: con.Bytes()}
}

func TestListingAPublicShardInAPrivateDatanetHidesNothing(t *testing.T) {
	w, s := newWorld(t, 4) // owner, stranger, follower, reader
	marks := []*storage.Store{hiding(t, s[0]), nil, hiding(t, s[2]), hiding(t, s[3])}
	v, public := w.create(s[0], Draft{Private: true}), w.create(s[0], Draft{Name: "public"})
	open := w.add(s[0], public, "a public text").Shards[0].Root
	secret := w.add(s[0], v, "a secret text").Shards[0].Root
	// Sealed, but not for this datanet: its readers see that.
	other := w.add(s[1], w.create(s[1], Draft{Name: "other", Private: true}), "another's secret").Shards[0].Root
	for _, root := range []cid.Cid{open, other} {
		if _, err := s[0].accept(t.Context(), w.contributed(s[1], v, root)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s[0].Grant(t.Context(), v.CID, s[3].me.Hex()); err != nil {
		t.Fatal(err)
	}
	if b, err := s[3].ask(t.Context(), s[0].me, opGrant, v.Origin.Bytes()); err != nil {
		t.Fatal(err)
	} else if _, err := s[3].AcceptGrant(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{2, 3} {
		if _, err := s[i].Follow(t.Context(), v.CID); err != nil {
			t.Fatal(err)
		}
		s[i].refresh(t.Context())
		if err := s[i].HideWanted(t.Context(), open); err != nil { // to heal it, for example
			t.Fatal(err)
		}
	}
	s[0].hideOwn(t.Context())
	for _, i := range []int{0, 2, 3} {
		if _, private := marks[i].Private(open); private {
			t.Errorf("node %d hides the public shard", i)
		}
		if of, private := marks[i].Private(secret); !private || !of.Equals(v.Origin) {
			t.Errorf("node %d does not hide the secret: %t, %s", i, private, of)
		}
		if _, private := marks[i].Private(other); private != (i == 2) {
			t.Errorf("node %d: another's sealed shard is private %t", i, private)
		}
	}
	// A mark that was made by mistake, or whose datanet was lost, goes when the node starts.
	for root, of := range map[cid.Cid]cid.Cid{open: v.Origin, secret: v.Origin} {
		if err := marks[2].SetPrivate(t.Context(), root, of); err != nil {
			t.Fatal(err)
		}
	}
	s[2].hideOwn(t.Context())
	if _, private := marks[2].Private(open); private {
		t.Error("a mistake stays")
	}
	if _, private := marks[2].Private(secret); !private {
		t.Error("the secret is shown")
	}
}
