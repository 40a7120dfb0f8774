package datanet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/node/datanet/history"
	"tally/node/datanet/intake"
	"tally/protocol"
)

func TestThreeContributorsShareOneDatanet(t *testing.T) {
	w, s := newWorld(t, 3)
	ctx := t.Context()
	v := w.create(s[0], Draft{Name: "godoc", Licence: "BSD-3-Clause"})
	for i, n := range s {
		a := w.add(n, v, protocol.JoinRecords([]string{fmt.Sprint("one of ", i), fmt.Sprint("two of ", i)}))
		if len(a.Shards) != 1 || a.Shards[0].Records != 2 || len(a.Shards[0].Preview) != 2 || a.Shards[0].Contributor != n.me {
			t.Errorf("added %+v", a.Shards)
		}
	}
	for _, n := range s {
		h, err := n.Head(ctx, v.CID)
		if err != nil || len(h.Manifest.Shards) != 3 || h.Manifest.Version != 3 {
			t.Fatalf("head %+v, %v", h.Manifest, err)
		}
		if h.Manifest.Shards[1].Contributor != s[1].me || h.Manifest.Shards[1].Records != 2 {
			t.Errorf("shard %+v", h.Manifest.Shards[1])
		}
		log, err := n.Log(ctx, h.CID)
		if err != nil || len(log) != 4 || !log[3].CID.Equals(v.CID) {
			t.Errorf("log of %d, %v", len(log), err)
		}
		k, err := n.Verify(ctx, h.CID, false)
		if err != nil || len(k.Problems) > 0 || len(k.Undone) > 0 || k.Versions != 4 {
			t.Errorf("verified as %+v, %v", k, err)
		}
	}
}

func TestDataIsShownOnlyAfterItsCommitmentIsInAnEarlierBlock(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{})
	a := w.add(s[1], v, "some text")
	if shown := w.pinned[a.Shards[0].Root]; shown <= a.Shards[0].Committed {
		t.Errorf("shown at block %d, committed in %d", shown, a.Shards[0].Committed)
	}
}

// contribution signs one for a root that nobody has.
func contribution(t *testing.T, s *Service, v Version, seed string) (protocol.Contribution, reveal) {
	t.Helper()
	p, err := intake.Read(t.Context(), v.Manifest, strings.NewReader(seed))
	if err != nil {
		t.Fatal(err)
	}
	sh, err := s.c.Shards.ImportFile(t.Context(), strings.NewReader(seed), cid.Undef)
	if err != nil {
		t.Fatal(err)
	}
	in := protocol.Contribution{
		Datanet: v.Origin, Root: sh.Root, Piece: common.Hash(sh.Piece), Size: sh.Size, Records: p.Records, Contributor: s.me, Sketch: protocol.CIDOf(p.Sketch), Salt: common.Hash{1},
	}
	signed, err := protocol.Sign(s.c.Network, s.c.Key, in)
	if err != nil {
		t.Fatal(err)
	}
	return in, reveal{Contribution: signed.Bytes(), Sketch: p.Sketch}
}

func commit(t *testing.T, w *world, in protocol.Contribution, block uint64) {
	t.Helper()
	d, err := in.Commitment()
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commitAt(in.Contributor, d, block)
}

func TestContributionWithoutAnEarlierCommitmentIsRefused(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{})
	in, r := contribution(t, s[1], v, "text")
	if _, err := s[0].accept(t.Context(), r); !errors.Is(err, ErrUncommitted) {
		t.Errorf("never committed: %v", err)
	}
	commit(t, w, in, 20)
	w.head = 20 // no block after it has been read
	if _, err := s[0].accept(t.Context(), r); !errors.Is(err, ErrUncommitted) {
		t.Errorf("committed in this block: %v", err)
	}
	w.head = 21
	if _, err := s[0].accept(t.Context(), r); err != nil {
		t.Error(err)
	}
	other := in
	other.Salt = common.Hash{2}
	signed, err := protocol.Sign(s[1].c.Network, s[1].c.Key, other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s[0].accept(t.Context(), reveal{Contribution: signed.Bytes(), Sketch: r.Sketch}); !errors.Is(err, ErrUncommitted) {
		t.Errorf("another salt: %v", err)
	}
}

func TestCopiedUploadComesSecondWhoeverRevealsFirst(t *testing.T) {
	w, s := newWorld(t, 3)
	v := w.create(s[0], Draft{})
	author, ra := contribution(t, s[1], v, "the text")
	copied, rc := contribution(t, s[2], v, "the text")
	commit(t, w, author, 20)
	commit(t, w, copied, 21)
	first, err := s[0].accept(t.Context(), rc) // the copy is revealed first
	if err != nil || first.Manifest.Shards[0].Contributor != s[2].me {
		t.Fatalf("%+v, %v", first.Manifest, err)
	}
	second, err := s[0].accept(t.Context(), ra)
	if err != nil || len(second.Manifest.Shards) != 1 || second.Manifest.Shards[0].Contributor != s[1].me || second.Manifest.Shards[0].Committed != 20 {
		t.Fatalf("%+v, %v", second.Manifest, err)
	}
	if _, err := s[0].accept(t.Context(), rc); !errors.Is(err, ErrDuplicate) {
		t.Errorf("the copy again: %v", err)
	}
	if _, err := s[1].Head(t.Context(), v.CID); err != nil {
		t.Error(err)
	}
	d, err := s[1].Diff(t.Context(), first.CID, second.CID)
	if err != nil || len(d.Taken) != 1 || len(d.Added) != 0 {
		t.Errorf("diff %+v, %v", d, err)
	}
}

func TestSameTextInAnotherShapeIsACopyToo(t *testing.T) {
	w, s := newWorld(t, 3)
	v := w.create(s[0], Draft{})
	text := prose(1, 50)
	author, ra := contribution(t, s[1], v, text)
	shouted, rs := contribution(t, s[2], v, strings.ToUpper(text))
	if !author.Sketch.Equals(shouted.Sketch) || author.Root.Equals(shouted.Root) {
		t.Fatal("the copy is not what the test is about")
	}
	commit(t, w, author, 20)
	commit(t, w, shouted, 21)
	if _, err := s[0].accept(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	h, err := s[0].accept(t.Context(), ra)
	if err != nil || len(h.Manifest.Shards) != 2 || len(h.Manifest.Withdrawn) != 1 || !h.Manifest.Withdrawn[0].Equals(shouted.Root) {
		t.Errorf("%+v, %v", h.Manifest, err)
	}
	w2 := w.create(s[0], Draft{Name: "other"})
	if _, err := s[2].Add(t.Context(), w2.CID, strings.NewReader(text), Options{}); !errors.Is(err, ErrDuplicate) {
		t.Errorf("a node that knows no shard of that text, where the owner does: %v", err)
	}
	if _, err := s[2].Add(t.Context(), w2.CID, strings.NewReader(text), Options{Accept: true}); err != nil {
		t.Errorf("a copy in another datanet, on purpose: %v", err)
	}
	if _, err := s[2].Add(t.Context(), v.CID, strings.NewReader(strings.ToLower(text)), Options{Accept: true}); !errors.Is(err, ErrDuplicate) {
		t.Errorf("a copy in the same datanet: %v", err)
	}
}

func TestNearDuplicatesAreToldWithTheirOwnerAndMeantOnPurpose(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{Name: "first"})
	w.add(s[0], v, prose(1, 60))
	half := prose(1, 45) + "\x1e" + prose(2, 15)
	_, err := s[1].Add(t.Context(), v.CID, strings.NewReader(half), Options{})
	if !errors.Is(err, ErrDuplicate) || !strings.Contains(err.Error(), s[0].me.Hex()) || !strings.Contains(err.Error(), "first") {
		t.Fatalf("a near-duplicate: %v", err)
	}
	a, err := s[1].Add(t.Context(), v.CID, strings.NewReader(half), Options{Accept: true})
	if err != nil {
		t.Fatal(err)
	}
	if m := a.Shards[0].Matches; len(m) != 1 || m[0].Part() < 0.6 || m[0].Part() > 0.9 || m[0].Exact || m[0].Contributor != s[0].me || m[0].Version != 1 {
		t.Errorf("told %+v", m)
	}
	if a, err = s[1].Add(t.Context(), v.CID, strings.NewReader(prose(7, 30)), Options{}); err != nil || len(a.Shards[0].Matches) != 0 {
		t.Errorf("other text: %+v, %v", a.Shards, err)
	}
}

func TestOwnerChecksWhatAContributorsNodeDoesNot(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{})
	w.add(s[0], v, prose(1, 60))
	in, r := contribution(t, s[1], v, prose(1, 58))
	commit(t, w, in, 100)
	r.Accept = true
	if _, err := s[0].accept(t.Context(), r); !errors.Is(err, ErrDuplicate) {
		t.Errorf("a copy of an earlier contributor's shard: %v", err)
	}
	in, r = contribution(t, s[1], v, prose(3, 5))
	commit(t, w, in, 101)
	_, wrong := contribution(t, s[1], v, prose(4, 5))
	for name, sketch := range map[string][]byte{"another's": wrong.Sketch, "none": nil, "rubbish": {1, 2, 3}} {
		if _, err := s[0].accept(t.Context(), reveal{Contribution: r.Contribution, Sketch: sketch}); !errors.Is(err, ErrRefused) {
			t.Errorf("sketch %s: %v", name, err)
		}
	}
	if _, err := s[0].accept(t.Context(), r); err != nil {
		t.Error(err)
	}
}

func TestASketchWithoutItsDataKeepsNobodyOut(t *testing.T) {
	w, s := newWorld(t, 4) // owner, liar, honest, another
	v := w.create(s[0], Draft{})
	text := prose(5, 60)
	// The liar knows the text, and names what nobody has by its sketch.
	lie := func(i int, who *Service) (root cid.Cid) {
		t.Helper()
		in, r := contribution(t, who, v, text)
		in.Root = protocol.CIDOf([]byte{byte(i)})
		con, err := protocol.Sign(who.c.Network, who.c.Key, in)
		if err != nil {
			t.Fatal(err)
		}
		commit(t, w, in, uint64(i))
		if _, err := s[0].accept(t.Context(), reveal{Contribution: con.Bytes(), Sketch: r.Sketch, Accept: true}); err != nil {
			t.Fatal(err)
		}
		return in.Root
	}
	first := lie(5, s[1])
	if _, err := s[2].Add(t.Context(), v.CID, strings.NewReader(text), Options{}); !errors.Is(err, ErrDuplicate) {
		t.Fatal("it is not told", err)
	}
	a, err := s[2].Add(t.Context(), v.CID, strings.NewReader(text), Options{Accept: true})
	if err != nil {
		t.Fatal(err)
	}
	// One that was committed before it, and has no data either, does not push it out.
	lie(4, s[3])
	h, err := s[0].Head(t.Context(), v.CID)
	if err != nil || len(h.Manifest.Shards) != 3 || len(h.Manifest.Withdrawn) != 0 {
		t.Fatalf("%d shards, %d withdrawn, %v", len(h.Manifest.Shards), len(h.Manifest.Withdrawn), err)
	}
	// What is true keeps copies out.
	if _, err := s[3].Add(t.Context(), v.CID, strings.NewReader(strings.ToUpper(text)), Options{Accept: true}); !errors.Is(err, ErrDuplicate) || !strings.Contains(err.Error(), a.Shards[0].Root.String()) {
		t.Fatal("a copy of what is there", err)
	}
	// What was withdrawn blocks nobody, not even those who did not say that it is meant.
	for _, root := range []cid.Cid{first, protocol.CIDOf([]byte{4}), a.Shards[0].Root} {
		if _, err := s[0].Withdraw(t.Context(), v.CID, root); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s[3].Add(t.Context(), v.CID, strings.NewReader(strings.ToUpper(text)), Options{}); err != nil {
		t.Error(err)
	}
}

func TestStrangersTogetherLeaveTheOwnerPlaces(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{})
	in, _ := contribution(t, s[1], v, "text")
	for i := range maxStrangers {
		v.Manifest.Shards = append(v.Manifest.Shards, protocol.Shard{Root: protocol.CIDOf([]byte(fmt.Sprint(i))), Contributor: common.BigToAddress(big.NewInt(int64(i + 1)))})
	}
	_, err := s[0].list(t.Context(), v, protocol.Shard{Root: in.Root, Contributor: s[1].me}, reveal{})
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "others than the owner") {
		t.Error(err)
	}
	v.Manifest.Shards = v.Manifest.Shards[1:]
	_, err = s[0].list(t.Context(), v, protocol.Shard{Root: in.Root, Contributor: s[1].me}, reveal{})
	if err == nil || strings.Contains(err.Error(), "others than the owner") {
		t.Error(err)
	}
}

func TestSameShardTwiceIsOneAndAnothersIsRefused(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{})
	for i := range 2 {
		if a := w.add(s[1], v, "same text"); len(a.Version.Manifest.Shards) != 1 || a.Shards[0].Again != (i == 1) {
			t.Fatalf("%+v", a)
		}
	}
	if _, err := s[0].Add(t.Context(), v.CID, strings.NewReader("same text"), Options{Accept: true}); !errors.Is(err, ErrDuplicate) {
		t.Errorf("a copied upload: %v", err)
	}
}

func TestAddGoesOnAfterAFailureWithWhatWasCommitted(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{})
	if _, err := s[1].Head(t.Context(), v.CID); err != nil {
		t.Fatal(err)
	}
	lost := errors.New("the answer was lost")
	calls := 0
	w.answer = func(b []byte, err error) ([]byte, error) {
		if calls++; calls == 2 { // the head is told, the contribution's answer is not
			return nil, lost
		}
		return b, err
	}
	if _, err := s[1].Add(t.Context(), v.CID, strings.NewReader("text"), Options{}); !errors.Is(err, lost) {
		t.Fatal(err)
	}
	w.answer = nil
	a := w.add(s[1], v, "text")
	if a.Version.Manifest.Version != 1 || len(w.blocks[s[1].me]) != 1 {
		t.Errorf("version %d after %d commitments", a.Version.Manifest.Version, len(w.blocks[s[1].me]))
	}
}

func TestLargeFileBecomesSeveralShardsAndComesBackWhole(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{Schema: "jsonl", Field: "text"})
	var all strings.Builder
	for i := range 400 {
		fmt.Fprintf(&all, "{\"id\":%d,\"text\":\"record number %d of some length\"}\n", i, i)
	}
	a, err := s[1].Add(t.Context(), v.CID, strings.NewReader(all.String()), Options{ShardSize: 4096, Accept: true})
	if err != nil || len(a.Shards) < 5 {
		t.Fatalf("%d shards, %v", len(a.Shards), err)
	}
	var back bytes.Buffer
	records := uint64(0)
	for _, x := range a.Version.Manifest.Shards {
		f, err := s[0].Open(t.Context(), a.Version, x.Root)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&back, f); err != nil {
			t.Fatal(err)
		}
		f.Close()
		records += x.Records
	}
	if back.String() != all.String() || records != 400 {
		t.Errorf("%d bytes and %d records came back", back.Len(), records)
	}
}

func TestShardIsTakenAsACARFile(t *testing.T) {
	w, s := newWorld(t, 1)
	v := w.create(s[0], Draft{})
	sh, err := w.store.ImportFile(t.Context(), strings.NewReader("one\x1etwo"))
	if err != nil {
		t.Fatal(err)
	}
	var car bytes.Buffer
	if err := w.ExportCAR(t.Context(), sh.Root, &car); err != nil {
		t.Fatal(err)
	}
	a, err := s[0].Add(t.Context(), v.CID, bytes.NewReader(car.Bytes()), Options{CAR: true})
	if err != nil || !a.Shards[0].Root.Equals(sh.Root) || a.Shards[0].Records != 2 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := s[0].Add(t.Context(), v.CID, strings.NewReader("no CAR"), Options{CAR: true}); !errors.Is(err, ErrText) {
		t.Errorf("no CAR: %v", err)
	}
}

func TestDataThatDoesNotFitTheSchemaIsRefusedAndNotStored(t *testing.T) {
	w, s := newWorld(t, 1)
	for _, c := range []struct {
		d    Draft
		data string
	}{
		{Draft{}, "\xff\xfe\x00"},
		{Draft{}, ""},
		{Draft{}, " \x1e\n"},
		{Draft{Schema: "jsonl", Field: "text"}, "{\"text\": 3}\n"},
		{Draft{Schema: "jsonl", Field: "text"}, "not json\n"},
		{Draft{Schema: "csv", Field: "text"}, "a,b\n1,2\n"},
		{Draft{Schema: "parquet", Field: "text"}, "PAR1 but no more"},
	} {
		v := w.create(s[0], c.d)
		if _, err := s[0].Add(t.Context(), v.CID, strings.NewReader(c.data), Options{}); !errors.Is(err, ErrText) {
			t.Errorf("%s %q: %v", c.d.Schema, c.data, err)
		}
	}
	for root, err := range w.store.Roots() {
		t.Errorf("%s was stored (%v)", root, err)
	}
	for _, d := range []Draft{{Name: "n", Licence: "free"}, {Name: "n", Licence: "MIT", Schema: "xml"}, {Name: "n", Licence: "MIT", Schema: "csv"}, {Name: " ", Licence: "MIT"}} {
		if _, err := s[0].Create(t.Context(), d); !errors.Is(err, ErrText) && !errors.Is(err, protocol.ErrDocument) {
			t.Errorf("%+v: %v", d, err)
		}
	}
}

func TestStrangersAndFloodsAreRefused(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{})
	stranger := errors.New("stranger")
	s[0].c.May = func(common.Address) error { return stranger }
	if _, err := s[1].Add(t.Context(), v.CID, strings.NewReader("x"), Options{}); !errors.Is(err, stranger) {
		t.Errorf("a stranger: %v", err)
	}
	s[0].c.May = nil
	full, err := s[0].next(t.Context(), v, func(m *protocol.Manifest) {
		for i := range maxContributed {
			in, r := contribution(t, s[1], v, fmt.Sprint("text ", i))
			con, err := protocol.ParseSigned[protocol.Contribution](r.Contribution)
			if err != nil {
				t.Fatal(err)
			}
			commit(t, w, in, uint64(20+i))
			shard, err := protocol.ShardOf(s[1].c.Network, con, uint64(20+i))
			if err != nil {
				t.Fatal(err)
			}
			m.Shards = append(m.Shards, shard)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	in, r := contribution(t, s[1], full, "one more")
	commit(t, w, in, 900)
	if _, err := s[0].accept(t.Context(), r); !errors.Is(err, ErrRefused) {
		t.Errorf("shard %d of one contributor: %v", maxContributed+1, err)
	}
	in, r = contribution(t, s[0], full, "the owner's")
	commit(t, w, in, 901)
	if _, err := s[0].accept(t.Context(), r); err != nil {
		t.Errorf("the owner: %v", err)
	}
}

func TestWithdrawnShardIsOfferedNoLongerAndStaysInTheHistory(t *testing.T) {
	w, s := newWorld(t, 3)
	v := w.create(s[0], Draft{})
	a := w.add(s[1], v, "mine")
	b := w.add(s[2], v, "another's")
	root := a.Shards[0].Root
	if _, err := s[2].Withdraw(t.Context(), v.CID, root); !errors.Is(err, ErrRefused) {
		t.Errorf("somebody else's: %v", err)
	}
	forged, err := protocol.Sign(s[2].c.Network, s[2].c.Key, protocol.Withdrawal{Datanet: v.Origin, Root: root, Account: s[2].me})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s[0].takeBack(t.Context(), forged); !errors.Is(err, ErrRefused) {
		t.Errorf("somebody else's, past its node: %v", err)
	}
	for range 2 { // saying it again changes nothing
		h, err := s[1].Withdraw(t.Context(), v.CID, root)
		if err != nil || h.Manifest.Version != 3 || len(h.Manifest.Shards) != 2 || len(h.Manifest.Offered()) != 1 {
			t.Fatalf("%+v, %v", h.Manifest, err)
		}
	}
	h, err := s[0].Withdraw(t.Context(), v.CID, b.Shards[0].Root) // the owner may
	if err != nil || len(h.Manifest.Offered()) != 0 {
		t.Fatalf("%+v, %v", h.Manifest, err)
	}
	d, err := s[0].Diff(t.Context(), h.CID, b.Version.CID)
	if err != nil || len(d.Withdrawn) != 2 || d.Records != -2 || d.To.Manifest.Version != 4 {
		t.Errorf("diff %+v, %v", d, err)
	}
	if _, err := s[0].Withdraw(t.Context(), v.CID, protocol.CIDOf([]byte("x"))); !errors.Is(err, ErrShard) {
		t.Errorf("an unknown shard: %v", err)
	}
}

func TestFollowedDatanetsWantWhatTheirNewestVersionOffers(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{Replicas: 3})
	a := w.add(s[0], v, "one")
	if _, err := s[1].Follow(t.Context(), v.CID); err != nil {
		t.Fatal(err)
	}
	w.add(s[0], v, "two")
	if _, err := s[0].SetReplicas(t.Context(), v.CID, 5); err != nil {
		t.Fatal(err)
	}
	if _, err := s[0].Withdraw(t.Context(), v.CID, a.Shards[0].Root); err != nil {
		t.Fatal(err)
	}
	s[1].refresh(t.Context())
	got, err := s[1].Followed(t.Context())
	if err != nil || len(got) != 1 || got[0].Target != 5 || got[0].Size == 0 || got[0].Root.Equals(a.Shards[0].Root) {
		t.Errorf("wanted %+v, %v", got, err)
	}
	if _, err := s[1].SetReplicas(t.Context(), v.CID, 1); !errors.Is(err, ErrNotOwner) {
		t.Errorf("another's replicas: %v", err)
	}
	if err := s[1].Unfollow(t.Context(), v.CID); err != nil {
		t.Fatal(err)
	}
	if got, err = s[1].Followed(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("wanted %+v, %v", got, err)
	}
	if list, err := s[1].List(t.Context()); err != nil || len(list) != 1 || list[0].Manifest.Version != 4 {
		t.Errorf("list %+v, %v", list, err)
	}
}

func TestADatanetThatIsNotReadableHidesNoOtherFromWhoFollows(t *testing.T) {
	w, s := newWorld(t, 2)
	lost, good := w.create(s[0], Draft{Name: "lost"}), w.create(s[0], Draft{Name: "good"})
	w.add(s[0], lost, "lost")
	root := w.add(s[0], good, "good").Shards[0].Root
	for _, v := range []Version{lost, good} {
		if _, err := s[1].Follow(t.Context(), v.CID); err != nil {
			t.Fatal(err)
		}
	}
	h, err := s[1].Head(t.Context(), lost.CID)
	if err != nil {
		t.Fatal(err)
	}
	delete(w.docs, h.CID)
	if err := s[1].book.Forget(lost.Origin); err != nil {
		t.Fatal(err)
	}
	s[1].book = history.New(s[1].c.Network, w, s[1].c.DB)
	got, err := s[1].Followed(t.Context())
	if err == nil || !strings.Contains(err.Error(), lost.Origin.String()) {
		t.Error("it is not said", err)
	}
	if len(got) != 1 || !got[0].Root.Equals(root) {
		t.Errorf("wanted %+v", got)
	}
}

func TestRunAsksOwnersUntilItsContextEnds(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{})
	if _, err := s[1].Follow(t.Context(), v.CID); err != nil {
		t.Fatal(err)
	}
	w.add(s[0], v, "one")
	asked := make(chan struct{}, 8)
	w.answer = func(b []byte, err error) ([]byte, error) {
		asked <- struct{}{}
		return b, err
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s[1].Run(ctx) }()
	<-asked // the head
	<-asked // its sketches
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got, err := s[1].Followed(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("wanted %+v, %v", got, err)
	}
}

func TestVerifyFindsWhatIsWrongAndSaysWhatItCouldNotCheck(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{})
	a := w.add(s[0], v, "some text\x1eand more")
	lie := func(change func(*protocol.Contribution), block uint64) Version {
		t.Helper()
		in := a.Shards[0].Contribution(v.Origin)
		in.Salt[0]++
		change(&in)
		con, err := protocol.Sign(s[0].c.Network, s[0].c.Key, in)
		if err != nil {
			t.Fatal(err)
		}
		shard, err := protocol.ShardOf(s[0].c.Network, con, block)
		if err != nil {
			t.Fatal(err)
		}
		out, err := s[0].next(t.Context(), v, func(m *protocol.Manifest) { m.Shards = []protocol.Shard{shard} })
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, c := range map[string]struct {
		change func(*protocol.Contribution)
		want   string
	}{
		"records": {func(c *protocol.Contribution) { c.Records++ }, "2 records, the manifest says 3"},
		"piece":   {func(c *protocol.Contribution) { c.Piece[0]++ }, "piece root"},
		"size":    {func(c *protocol.Contribution) { c.Size++ }, "bytes with piece root"},
		"sketch":  {func(c *protocol.Contribution) { c.Sketch = cid.Undef; c.Sketch = protocol.CIDOf([]byte("x")) }, "sketch"},
	} {
		k, err := s[0].Verify(t.Context(), lie(c.change, 11).CID, false)
		if err != nil || len(k.Problems) != 2 || !strings.Contains(k.Problems[0], "no commitment") || !strings.Contains(k.Problems[1], c.want) {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
	}
	away := lie(func(c *protocol.Contribution) { c.Root = protocol.CIDOf([]byte("away")) }, 11)
	k, err := s[0].Verify(t.Context(), away.CID, false)
	if err != nil || len(k.Undone) != 1 || !strings.Contains(k.Undone[0], "not here") {
		t.Errorf("data elsewhere: %+v, %v", k, err)
	}
}
