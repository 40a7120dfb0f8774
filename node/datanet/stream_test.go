package datanet

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"tally/protocol"
)

// sign has a service sign a manifest that no honest one would.
func (w *world) sign(s *Service, m protocol.Manifest) Version {
	w.t.Helper()
	m.Owner = s.me
	signed, err := protocol.Sign(s.c.Network, s.c.Key, m)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := w.Put(w.t.Context(), signed.Bytes(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	return Version{CID: c, Origin: m.Origin, Manifest: m}
}

func TestOwnerThatLiesAboutTheHeadIsFoundOut(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{Name: "one"})
	other := w.create(s[0], Draft{Name: "two", Licence: "CC0-1.0"})
	w.add(s[0], v, "first")
	two := w.add(s[0], v, "second").Version
	if _, err := s[1].Head(t.Context(), v.CID); err != nil { // version 2 is seen
		t.Fatal(err)
	}
	lie := func(change func(*protocol.Manifest)) Version {
		m := two.Manifest
		m.Version, m.Parent = 3, two.CID
		m.Shards = slices.Clone(m.Shards)
		change(&m)
		return w.sign(s[0], m)
	}
	for name, head := range map[string]cid.Cid{
		"another datanet":      other.CID,
		"an older version":     v.CID,
		"a second version 2":   lie(func(m *protocol.Manifest) { m.Version, m.Parent, m.Created = 2, two.Manifest.Parent, 9 }).CID,
		"a dropped shard":      lie(func(m *protocol.Manifest) { m.Shards = m.Shards[:1] }).CID,
		"another order":        lie(func(m *protocol.Manifest) { slices.Reverse(m.Shards) }).CID,
		"another licence":      lie(func(m *protocol.Manifest) { m.Licence = "CC0-1.0" }).CID,
		"another's identity":   lie(func(m *protocol.Manifest) { m.Origin = other.CID }).CID,
		"a changed count":      lie(func(m *protocol.Manifest) { m.Shards[0].Records++ }).CID,
		"an unlisted withdraw": lie(func(m *protocol.Manifest) { m.Withdrawn = []cid.Cid{v.CID} }).CID,
	} {
		w.answer = func([]byte, error) ([]byte, error) { b, err := w.Get(t.Context(), head); return b, err }
		if got, err := s[1].Head(t.Context(), v.CID); err == nil {
			t.Errorf("%s came back as %+v", name, got.Manifest)
		}
	}
	w.answer = func([]byte, error) ([]byte, error) { return bytes.Repeat([]byte{0x82}, maxManifest), nil }
	if _, err := s[1].Head(t.Context(), v.CID); err == nil {
		t.Error("rubbish is taken for a version")
	}
	w.answer = nil
	if h, err := s[1].Head(t.Context(), v.CID); err != nil || h.Manifest.Version != 2 {
		t.Errorf("the truth after the lies: %+v, %v", h.Manifest, err)
	}
}

func TestVersionThatClaimsAnothersIdentityIsRefused(t *testing.T) {
	w, s := newWorld(t, 3)
	v := w.create(s[0], Draft{})
	foreign := w.sign(s[1], protocol.Manifest{Name: "n", Licence: "MIT", Schema: "text", Version: 7, Origin: v.CID, Parent: v.CID})
	if _, err := s[2].Read(t.Context(), foreign.CID); !errors.Is(err, ErrDatanet) {
		t.Errorf("read: %v", err)
	}
	if _, err := s[2].Head(t.Context(), v.CID); err != nil {
		t.Errorf("the true one after it: %v", err)
	}
	if _, err := s[2].Read(t.Context(), w.sign(s[1], protocol.Manifest{Name: "n", Licence: "MIT", Schema: "text", Version: 7, Origin: foreign.CID, Parent: v.CID}).CID); err == nil {
		t.Error("an identity that is no version 0")
	}
}

func TestBrokenHistoryIsFoundByTheWalk(t *testing.T) {
	w, s := newWorld(t, 1)
	v := w.create(s[0], Draft{})
	one := w.add(s[0], v, "first").Version
	m := one.Manifest
	m.Version, m.Parent = 3, one.CID // version 2 is left out
	skips := w.sign(s[0], m)
	if _, err := s[0].Log(t.Context(), skips.CID); !errors.Is(err, protocol.ErrDocument) {
		t.Errorf("a version left out: %v", err)
	}
	if k, err := s[0].Verify(t.Context(), skips.CID, false); err != nil || len(k.Problems) != 1 || !strings.Contains(k.Problems[0], "history breaks") {
		t.Errorf("%+v, %v", k, err)
	}
	m.Parent = protocol.CIDOf([]byte("nobody has it"))
	if k, err := s[0].Verify(t.Context(), w.sign(s[0], m).CID, false); err != nil || len(k.Problems) != 0 || len(k.Undone) != 1 {
		t.Errorf("a version that nobody has: %+v, %v", k, err)
	}
}

func TestHostileContributionsAreRefused(t *testing.T) {
	w, s := newWorld(t, 3)
	v, other := w.create(s[0], Draft{}), w.create(s[0], Draft{Name: "other"})
	theirs := w.create(s[1], Draft{Name: "theirs"})
	in, r := contribution(t, s[1], v, prose(1, 3))
	commit(t, w, in, 20)
	ask := func(op uint8, v any) error {
		t.Helper()
		body, err := protocol.Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		b, err := protocol.Encode(request{Op: op, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s[0].Serve(t.Context(), s[2].me, b)
		return err
	}
	// A contribution to one datanet is no contribution to another, and a signature covers it all.
	moved := in
	moved.Datanet = other.CID
	body, err := protocol.Encode(moved)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := protocol.ParseSigned[protocol.Contribution](r.Contribution)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := protocol.Encode(struct {
		Payload []byte `max:"1024"`
		Sig     []byte
	}{body, signed.Signature()})
	if err != nil {
		t.Fatal(err)
	}
	if err := ask(opContribute, reveal{Contribution: forged, Sketch: r.Sketch}); !errors.Is(err, protocol.ErrSignature) {
		t.Errorf("replayed into another datanet: %v", err)
	}
	foreign, rf := contribution(t, s[1], theirs, prose(2, 3))
	commit(t, w, foreign, 21)
	if err := ask(opContribute, rf); !errors.Is(err, ErrNotOwner) {
		t.Errorf("to a datanet of somebody else: %v", err)
	}
	for range 2 { // a replay of a good one changes nothing
		if err := ask(opContribute, r); err != nil {
			t.Error(err)
		}
	}
	if h, err := s[0].Head(t.Context(), v.CID); err != nil || h.Manifest.Version != 1 {
		t.Errorf("version %d, %v", h.Manifest.Version, err)
	}
	huge := in
	huge.Size, huge.Root = protocol.MaxShard+1, protocol.CIDOf([]byte("huge"))
	hs, err := protocol.Sign(s[1].c.Network, s[1].c.Key, huge)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, w, huge, 22)
	if err := ask(opContribute, reveal{Contribution: hs.Bytes(), Sketch: r.Sketch}); err == nil {
		t.Error("a shard past the bound")
	}
	if _, err := s[0].Serve(t.Context(), s[2].me, make([]byte, MaxRequest+1)); !errors.Is(err, ErrDatanet) {
		t.Errorf("a huge request: %v", err)
	}
	if err := ask(99, sketchesFrom{Datanet: v.CID}); !errors.Is(err, ErrDatanet) {
		t.Errorf("an unknown request: %v", err)
	}
	if err := ask(opSketches, sketchesFrom{Datanet: v.CID, From: 1 << 31}); err != nil {
		t.Errorf("sketches past the end: %v", err)
	}
}

func TestFollowerLearnsSketchesOfManyShards(t *testing.T) {
	w, s := newWorld(t, 2)
	v := w.create(s[0], Draft{})
	var lines []string
	for i := range 200 {
		lines = append(lines, prose(i, 1))
	}
	a, err := s[0].Add(t.Context(), v.CID, strings.NewReader(strings.Join(lines, "\x1e")), Options{ShardSize: 1024, Accept: true})
	if err != nil || len(a.Shards) < 64 {
		t.Fatalf("%d shards, %v", len(a.Shards), err)
	}
	if _, err := s[1].Follow(t.Context(), v.CID); err != nil {
		t.Fatal(err)
	}
	mine := w.create(s[1], Draft{Name: "mine"})
	for _, i := range []int{0, len(lines) - 1} {
		if _, err := s[1].Add(t.Context(), mine.CID, strings.NewReader(strings.ToUpper(lines[i])), Options{}); !errors.Is(err, ErrDuplicate) {
			t.Errorf("record %d of a followed datanet: %v", i, err)
		}
	}
}

func FuzzServe(f *testing.F) {
	f.Add([]byte{0x82, 0x01, 0x40})
	for op := range uint8(8) {
		b, err := protocol.Encode(request{Op: op, Body: []byte{0x83, 0x40, 0x40, 0xf5}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	w, s := newWorld(f, 1)
	w.create(s[0], Draft{})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = s[0].Serve(t.Context(), s[0].me, b)
	})
}

func FuzzBodies(f *testing.F) {
	for _, v := range []any{reveal{Contribution: []byte{1}, Sketch: []byte{2}}, sketchesFrom{From: 3}} {
		b, err := protocol.Encode(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, v := range []any{new(reveal), new(sketchesFrom)} {
			if protocol.Decode(b, v) != nil {
				continue
			}
			if again, err := protocol.Encode(v); err != nil || !bytes.Equal(again, b) {
				t.Fatalf("%x encodes again to %x (%v)", b, again, err)
			}
		}
	})
}
