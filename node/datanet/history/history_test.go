package history

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
)

// shelf is documents in memory, which counts how often it is asked.
type shelf struct {
	docs  map[cid.Cid][]byte
	asked int
}

func (s *shelf) Get(_ context.Context, c cid.Cid) ([]byte, error) {
	s.asked++
	b, ok := s.docs[c]
	if !ok {
		return nil, errors.New("no such document")
	}
	return b, nil
}

func TestVersionsAreReadOnceWalkedAndComparedAndForgedOnesRefused(t *testing.T) {
	network := protocol.Network{Name: "t", ChainID: 1, Registry: common.Address{1}}
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	other, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	db, err := kv.Open("", kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := &shelf{docs: map[cid.Cid][]byte{}}
	b := New(network, s, db)
	sign := func(m protocol.Manifest, k int) cid.Cid {
		t.Helper()
		by := key
		if k == 1 {
			by = other
		}
		m.Owner = crypto.PubkeyToAddress(by.PublicKey)
		signed, err := protocol.Sign(network, by, m)
		if err != nil {
			t.Fatal(err)
		}
		s.docs[signed.CID()] = signed.Bytes()
		return signed.CID()
	}
	first := protocol.Manifest{Name: "n", Licence: "MIT", Schema: "text", Created: 1}
	origin := sign(first, 0)
	next := first
	next.Version, next.Origin, next.Parent, next.Replicas = 1, origin, origin, 3
	second := sign(next, 0)
	for range 2 {
		if v, err := b.Read(t.Context(), second); err != nil || !v.Origin.Equals(origin) || v.Manifest.Replicas != 3 {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	if s.asked != 2 {
		t.Errorf("asked %d times for a version and its first", s.asked)
	}
	if log, err := b.Log(t.Context(), second); err != nil || len(log) != 2 || !log[1].CID.Equals(origin) {
		t.Errorf("%+v, %v", log, err)
	}
	if d, err := b.Diff(t.Context(), second, origin); err != nil || d.From.Manifest.Version != 0 || d.To.Manifest.Replicas != 3 {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := b.Read(t.Context(), sign(next, 1)); !errors.Is(err, ErrDatanet) || !strings.Contains(err.Error(), "says it is a version") {
		t.Errorf("another's version: %v", err)
	}
	first.Name = "other"
	if _, err := b.Diff(t.Context(), sign(first, 0), second); !errors.Is(err, ErrTwo) {
		t.Errorf("two datanets: %v", err)
	}
	if _, err := b.Parse(make([]byte, MaxManifest+1)); !errors.Is(err, ErrDatanet) {
		t.Errorf("endless: %v", err)
	}
	if _, err := b.Read(t.Context(), protocol.CIDOf([]byte("nowhere"))); err == nil {
		t.Error("one that is nowhere is read")
	}
	lost := next
	lost.Version, lost.Parent = 2, protocol.CIDOf([]byte("gone"))
	if log, err := b.Log(t.Context(), sign(lost, 0)); err == nil || len(log) != 1 {
		t.Errorf("walked past a gap: %d, %v", len(log), err)
	}
}
