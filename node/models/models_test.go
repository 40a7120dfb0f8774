package models

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"

	"tally/compute"
	"tally/internal/kv"
	"tally/protocol"
)

type store struct {
	blocks map[cid.Cid][]byte
	pins   map[cid.Cid]string
}

func (s store) Put(_ context.Context, b []byte, _ string) (cid.Cid, error) {
	c := protocol.CIDOf(b)
	s.blocks[c] = b
	return c, nil
}

func (s store) Get(_ context.Context, c cid.Cid) ([]byte, error) {
	if b, ok := s.blocks[c]; ok {
		return b, nil
	}
	return nil, fmt.Errorf("no block %s", c)
}
func (s store) Local(ctx context.Context, c cid.Cid) ([]byte, error) { return s.Get(ctx, c) }
func (s store) Fetch(context.Context, cid.Cid) error                 { return nil }
func (s store) FS(context.Context, cid.Cid) (fs.FS, error)           { return fstest.MapFS{}, nil }
func (s store) Pin(_ context.Context, c cid.Cid, why string, _ uint64) error {
	s.pins[c] = why
	return nil
}

type hasher common.Hash

func (h hasher) ParamHash(context.Context, compute.Model) (common.Hash, uint64, error) {
	return common.Hash(h), 5, nil
}

func library(t *testing.T, s store, h common.Hash, sent *[][]byte) (*Library, common.Address) {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	db, err := kv.Open("", kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return New(Config{
		Network: protocol.Network{Name: "t", ChainID: 1, Registry: common.Address{1}}, Key: key, Store: s, Keeper: s, DB: db,
		Hashers: map[string]compute.Hasher{"exact/dk-1": hasher(h)},
		Gossip:  func(_ context.Context, b []byte) error { *sent = append(*sent, b); return nil },
	}), crypto.PubkeyToAddress(key.PublicKey)
}

func TestPublishedModelIsLearnedHeldAndListed(t *testing.T) {
	s := store{map[cid.Cid][]byte{}, map[cid.Cid]string{}}
	var sent [][]byte
	hash := common.Hash{7}
	a, me := library(t, s, hash, &sent)
	b, _ := library(t, s, hash, &sent)
	liar, _ := library(t, s, common.Hash{8}, &sent)
	m := protocol.Model{Name: "m", Owner: me, Files: protocol.CIDOf([]byte("files")), Engine: "exact/dk-1", Params: 5, ParamHash: hash, Policy: protocol.Policy{Worker: 10_000}, Created: 3}
	k, err := a.Publish(t.Context(), m)
	if err != nil || len(sent) != 1 {
		t.Fatal(err, len(sent))
	}
	if err := b.Learn(t.Context(), sent[0]); err != nil {
		t.Fatal(err)
	}
	list, err := b.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Held || list[0].Name != "m" {
		t.Fatalf("%+v %v", list, err)
	}
	if k, err = b.Hold(t.Context(), k.CID); err != nil || !k.Held || s.pins[m.Files] == "" {
		t.Fatalf("%+v %v", k, err)
	}
	if k, err := b.Read(t.Context(), k.CID); err != nil || !k.Held {
		t.Errorf("%+v %v", k, err)
	}
	if _, err := liar.Hold(t.Context(), k.CID); !errors.Is(err, ErrFiles) {
		t.Errorf("files with another hash: %v", err)
	}
	bad := append([]byte(nil), sent[0]...)
	bad[20] ^= 1
	if _, err := b.Check(bad); err == nil {
		t.Error("a flipped bit in a manifest was not noticed")
	}
	if _, err := b.Read(t.Context(), protocol.CIDOf([]byte("nothing"))); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown: %v", err)
	}
}
