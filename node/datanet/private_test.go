package datanet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/storage/sealed"
)

// text opens a shard and reads it all.
func text(t *testing.T, s *Service, a Added) (string, error) {
	t.Helper()
	f, err := s.Open(t.Context(), a.Version, a.Shards[0].Root)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}

func TestPrivateDatanetIsReadByThoseWhoWereGrantedIt(t *testing.T) {
	w, s := newWorld(t, 4) // owner, contributor, reader, stranger
	v := w.create(s[0], Draft{Private: true})
	a := w.add(s[1], v, "a secret text")
	var car bytes.Buffer
	if err := w.ExportCAR(t.Context(), a.Shards[0].Root, &car); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(car.Bytes(), []byte("secret")) || a.Shards[0].Sketch.Defined() {
		t.Error("what is pinned shows the text, or a sketch of it")
	}
	if got, err := text(t, s[0], a); got != "a secret text" || err != nil {
		t.Errorf("the owner reads %q, %v", got, err)
	}
	if _, err := text(t, s[2], a); !errors.Is(err, ErrPrivate) {
		t.Errorf("before the grant: %v", err)
	}
	if _, err := s[1].Grant(t.Context(), v.CID, s[2].me.Hex()); !errors.Is(err, ErrNotOwner) {
		t.Errorf("granted by a contributor: %v", err)
	}
	g, err := s[0].Grant(t.Context(), v.CID, s[2].me.Hex())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := text(t, s[2], a); got != "a secret text" || err != nil {
		t.Errorf("the reader reads %q, %v", got, err)
	}
	if _, err := text(t, s[3], a); !errors.Is(err, ErrPrivate) {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := s[3].AcceptGrant(t.Context(), g.Bytes()); !errors.Is(err, sealed.ErrKey) {
		t.Errorf("another's grant: %v", err)
	}
	if k, err := s[3].Verify(t.Context(), a.Version.CID, false); err != nil || len(k.Problems) != 0 || len(k.Undone) != 1 {
		t.Errorf("a stranger verifies %+v, %v", k, err)
	}
	if k, err := s[2].Verify(t.Context(), a.Version.CID, false); err != nil || len(k.Problems) != 0 || len(k.Undone) != 0 {
		t.Errorf("the reader verifies %+v, %v", k, err)
	}
}

func TestRevokedReaderOpensNothingThatIsAddedLater(t *testing.T) {
	w, s := newWorld(t, 4) // owner, revoked, stays, stays by a file
	v := w.create(s[0], Draft{Private: true})
	old := w.add(s[0], v, "old")
	handed, err := s[3].Recipient()
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{s[1].me.Hex(), s[2].me.Hex(), handed} {
		if _, err := s[0].Grant(t.Context(), v.CID, to); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := text(t, s[1], old); err != nil {
		t.Fatal(err)
	}
	h, again, err := s[0].Revoke(t.Context(), v.CID, strings.ToLower(s[1].me.Hex()))
	if err != nil || len(again) != 1 || again[0].Recipient != handed || h.Manifest.Reader == v.Manifest.Reader {
		t.Fatalf("%+v, %v", again, err)
	}
	fresh := w.add(s[0], v, "fresh")
	if got, err := text(t, s[1], fresh); err == nil {
		t.Errorf("the revoked reader reads %q", got)
	}
	if got, err := text(t, s[1], old); err != nil || got != "old" {
		t.Errorf("what was readable stays so: %q, %v", got, err)
	}
	for _, a := range []Added{old, fresh} {
		a.Version = fresh.Version
		if _, err := text(t, s[2], a); err != nil {
			t.Errorf("who stays: %v", err)
		}
		if _, err := text(t, s[0], a); err != nil {
			t.Errorf("the owner: %v", err)
		}
	}
	if _, err := text(t, s[3], fresh); !errors.Is(err, ErrPrivate) {
		t.Errorf("a grant that nobody fetches came by itself: %v", err)
	}
	g, err := s[0].Grant(t.Context(), v.CID, handed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s[3].AcceptGrant(t.Context(), g.Bytes()); err != nil {
		t.Fatal(err)
	}
	if _, err := text(t, s[3], fresh); err != nil {
		t.Error(err)
	}
	if list, err := s[0].Grants(t.Context(), v.CID); err != nil || len(list) != 2 {
		t.Errorf("%d grants, %v", len(list), err)
	}
	if _, _, err := s[0].Revoke(t.Context(), v.CID, s[1].me.Hex()); !errors.Is(err, ErrRefused) {
		t.Errorf("revoked twice: %v", err)
	}
	if k, err := s[2].Verify(t.Context(), fresh.Version.CID, false); err != nil || len(k.Problems) != 0 {
		t.Errorf("%+v, %v", k, err)
	}
}

// failing are documents of which the next few are not kept.
type failing struct {
	Documents
	left int
}

func (f *failing) Put(ctx context.Context, b []byte, why string) (cid.Cid, error) {
	if f.left--; f.left >= 0 {
		return cid.Undef, errors.New("disk full")
	}
	return f.Documents.Put(ctx, b, why)
}

func TestARevocationThatFailsHalfWayIsSaidAgain(t *testing.T) {
	w, s := newWorld(t, 3) // owner, revoked, stays
	v := w.create(s[0], Draft{Private: true})
	for _, x := range s[1:] {
		if _, err := s[0].Grant(t.Context(), v.CID, x.me.Hex()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := text(t, s[1], w.add(s[0], v, "old")); err != nil {
		t.Fatal(err)
	}
	s[0].c.Documents = &failing{w, 2}
	for range 2 {
		_, _, err := s[0].Revoke(t.Context(), v.CID, s[1].me.Hex())
		if err == nil || errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "revoke it again") {
			t.Fatal(err)
		}
		if list, err := s[0].Grants(t.Context(), v.CID); err != nil || len(list) != 2 {
			t.Fatalf("%d grants listed, %v", len(list), err)
		}
		if _, err := s[1].ask(t.Context(), s[0].me, opGrant, v.Origin.Bytes()); !errors.Is(err, ErrPrivate) {
			t.Fatal("it is given the keys meanwhile", err)
		}
		if err := s[0].MayRead(t.Context(), v.Origin, s[1].me); !errors.Is(err, ErrPrivate) {
			t.Fatal("it is given shards meanwhile", err)
		}
	}
	h, _, err := s[0].Revoke(t.Context(), v.CID, s[1].me.Hex())
	if err != nil || h.Manifest.Reader == v.Manifest.Reader {
		t.Fatal(err)
	}
	if ids, err := s[0].ring.Identities(v.Origin, h.Manifest.Reader); err != nil || len(ids) != 2 {
		t.Errorf("%d keys were drawn, %v", len(ids), err)
	}
	fresh := w.add(s[0], v, "fresh")
	if got, err := text(t, s[1], fresh); err == nil {
		t.Errorf("the revoked reader reads %q", got)
	}
	if got, err := text(t, s[2], fresh); err != nil || got != "fresh" {
		t.Errorf("who stays reads %q, %v", got, err)
	}
	// It can be granted again, and is held back no more.
	if _, err := s[0].Grant(t.Context(), v.CID, s[1].me.Hex()); err != nil {
		t.Fatal(err)
	}
	if got, err := text(t, s[1], fresh); err != nil || got != "fresh" {
		t.Errorf("granted again it reads %q, %v", got, err)
	}
}

func TestARevocationWhoseGrantWasNotDroppedRotatesNoSecondTime(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{Private: true})
	g, err := s[0].Grant(t.Context(), v.CID, s[1].me.Hex())
	if err != nil {
		t.Fatal(err)
	}
	m, err := g.Open(s[0].c.Network)
	if err != nil {
		t.Fatal(err)
	}
	// What is left when the node ends between the new version and the end of the grant.
	if err := s[0].ring.Hold(m); err != nil {
		t.Fatal(err)
	}
	half, err := s[0].rotate(t.Context(), v, []protocol.Grant{m})
	if err != nil {
		t.Fatal(err)
	}
	h, _, err := s[0].Revoke(t.Context(), v.CID, s[1].me.Hex())
	if err != nil || !h.CID.Equals(half.CID) {
		t.Fatalf("version %d, %v", h.Manifest.Version, err)
	}
	if list, err := s[0].Grants(t.Context(), v.CID); err != nil || len(list) != 0 {
		t.Errorf("%d grants, %v", len(list), err)
	}
}

func TestGrantsThatAreNotTheOwnersAreRefused(t *testing.T) {
	w, s := newWorld(t, 3)
	v := w.create(s[0], Draft{Private: true})
	to, err := s[2].Recipient()
	if err != nil {
		t.Fatal(err)
	}
	id, err := sealed.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	b, err := sealed.Grant(id, to)
	if err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]protocol.Grant{
		"another's datanet": {Datanet: v.Origin, Owner: s[1].me, Recipient: to, Keys: []protocol.GrantedKey{{Reader: id.Recipient(), Wrapped: b}}},
		"no keys":           {Datanet: v.Origin, Owner: s[1].me, Recipient: to},
		"wrong key":         {Datanet: v.Origin, Owner: s[1].me, Recipient: to, Keys: []protocol.GrantedKey{{Reader: to, Wrapped: b}}},
	} {
		signed, err := protocol.Sign(s[1].c.Network, s[1].c.Key, g)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s[2].AcceptGrant(t.Context(), signed.Bytes()); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := s[0].Grant(t.Context(), v.CID, "somebody"); !errors.Is(err, ErrRefused) {
		t.Errorf("to nobody: %v", err)
	}
	if _, err := s[0].Grant(t.Context(), v.CID, common.Address{9}.Hex()); err == nil {
		t.Error("to an account without a node")
	}
	if _, err := s[0].Grant(t.Context(), w.create(s[0], Draft{Name: "public"}).CID, to); !errors.Is(err, ErrRefused) {
		t.Errorf("to a public datanet: %v", err)
	}
}

func TestSealedShardsAreGivenToReadersAlone(t *testing.T) {
	w, s := newWorld(t, 4) // owner, contributor, reader, stranger
	v := w.create(s[0], Draft{Private: true})
	w.add(s[1], v, "a secret text")
	g, err := s[0].Grant(t.Context(), v.CID, s[2].me.Hex())
	if err != nil {
		t.Fatal(err)
	}
	for i, ok := range []bool{true, true, true, false} {
		if err := s[0].MayRead(t.Context(), v.Origin, s[i].me); (err == nil) != ok || !ok && !errors.Is(err, ErrPrivate) {
			t.Errorf("node %d at the owner: %v", i, err)
		}
		if err := s[1].ShowsGrant(t.Context(), v.Origin, s[i].me, g.Bytes()); (err == nil) != (i == 2) {
			t.Errorf("node %d with the reader's grant: %v", i, err)
		}
	}
	if err := s[1].MayRead(t.Context(), v.Origin, s[2].me); !errors.Is(err, ErrPrivate) {
		t.Errorf("a reader whom a contributor does not know: %v", err)
	}
	self, err := protocol.Sign(s[3].c.Network, s[3].c.Key, protocol.Grant{Datanet: v.Origin, Owner: s[3].me, Account: s[3].me})
	if err != nil {
		t.Fatal(err)
	}
	if err := s[1].ShowsGrant(t.Context(), v.Origin, s[3].me, self.Bytes()); !errors.Is(err, ErrPrivate) {
		t.Errorf("a grant to oneself: %v", err)
	}
	if err := s[0].MayRead(t.Context(), w.create(s[0], Draft{Name: "public"}).Origin, s[3].me); err != nil {
		t.Errorf("a public datanet: %v", err)
	}
}
