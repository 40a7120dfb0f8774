package datanet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
	"tally/storage"
)

// world is the honest in-memory rest: one shared block space, nodes by account.
type world struct {
	blocks map[cid.Cid][]byte
	nodes  map[common.Address]*Service
}

func (w *world) Put(_ context.Context, b []byte, _ string) (cid.Cid, error) {
	c := protocol.CIDOf(b)
	w.blocks[c] = b
	return c, nil
}

func (w *world) Get(_ context.Context, c cid.Cid) ([]byte, error) {
	b, ok := w.blocks[c]
	if !ok {
		return nil, fmt.Errorf("no block %s", c)
	}
	return b, nil
}

func (w *world) Import(ctx context.Context, r io.Reader, why string) (storage.Shard, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return storage.Shard{}, err
	}
	c, err := w.Put(ctx, b, why)
	return storage.Shard{Root: c, Size: uint64(len(b))}, err
}

func (w *world) Call(ctx context.Context, to common.Address, _ string, b []byte, _ int) ([]byte, error) {
	return w.nodes[to].Serve(ctx, b)
}

func newWorld(t *testing.T, n int) (*world, []*Service) {
	t.Helper()
	w := &world{blocks: map[cid.Cid][]byte{}, nodes: map[common.Address]*Service{}}
	var out []*Service
	for range n {
		key, err := crypto.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		db, err := kv.Open("", kv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		s := New(Config{Network: protocol.Network{Name: "t", ChainID: 1, Registry: common.Address{1}}, Key: key, Documents: w, Shards: w, Peers: w, DB: db, Now: func() uint64 { return 1 }})
		w.nodes[s.me] = s
		out = append(out, s)
	}
	return w, out
}

func TestThreeContributorsShareOneDatanet(t *testing.T) {
	_, s := newWorld(t, 3)
	ctx := t.Context()
	v, err := s[0].Create(ctx, "godoc", "BSD-3-Clause", SchemaText)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range s {
		if _, _, err := n.Add(ctx, v.CID, strings.NewReader(protocol.JoinRecords([]string{fmt.Sprint("one of ", i), "two"}))); err != nil {
			t.Fatal(err)
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
	}
}

func TestSameShardTwiceIsOneAndAnothersIsRefused(t *testing.T) {
	_, s := newWorld(t, 2)
	v, err := s[0].Create(t.Context(), "n", "MIT", SchemaText)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		h, _, err := s[1].Add(t.Context(), v.CID, strings.NewReader("same text"))
		if err != nil || len(h.Manifest.Shards) != 1 {
			t.Fatalf("%+v %v", h, err)
		}
	}
	if _, _, err := s[0].Add(t.Context(), v.CID, strings.NewReader("same text")); !errors.Is(err, ErrDatanet) {
		t.Errorf("a copied upload: %v", err)
	}
}

func TestStrangersAndFloodsAreRefused(t *testing.T) {
	_, s := newWorld(t, 2)
	v, err := s[0].Create(t.Context(), "n", "MIT", SchemaText)
	if err != nil {
		t.Fatal(err)
	}
	stranger := errors.New("stranger")
	s[0].c.May = func(common.Address) error { return stranger }
	if _, _, err := s[1].Add(t.Context(), v.CID, strings.NewReader("x")); !errors.Is(err, stranger) {
		t.Errorf("a stranger: %v", err)
	}
	s[0].c.May = nil
	m := v.Manifest
	m.Version, m.Origin, m.Parent = 1, v.CID, v.CID
	for i := range maxContributed {
		con, err := protocol.Sign(s[1].c.Network, s[1].c.Key, protocol.Contribution{
			Datanet: v.CID, Root: protocol.CIDOf(fmt.Append(nil, i)), Size: 1, Contributor: s[1].me,
		})
		if err != nil {
			t.Fatal(err)
		}
		shard, err := protocol.ShardOf(s[1].c.Network, con)
		if err != nil {
			t.Fatal(err)
		}
		m.Shards = append(m.Shards, shard)
	}
	full, err := s[0].publish(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if err := s[0].setHead(v.CID, full); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s[1].Add(t.Context(), v.CID, strings.NewReader("one more")); !errors.Is(err, ErrDatanet) {
		t.Errorf("shard %d of one contributor: %v", maxContributed+1, err)
	}
	if _, _, err := s[0].Add(t.Context(), v.CID, strings.NewReader("the owner's")); err != nil {
		t.Errorf("the owner: %v", err)
	}
}

func TestOwnerCannotAnswerWithAnotherDatanet(t *testing.T) {
	_, s := newWorld(t, 2)
	v, err := s[0].Create(t.Context(), "one", "MIT", SchemaText)
	if err != nil {
		t.Fatal(err)
	}
	other, err := s[0].Create(t.Context(), "two", "CC0-1.0", SchemaText)
	if err != nil {
		t.Fatal(err)
	}
	if err := s[0].setHead(v.CID, other.CID); err != nil { // the owner lies about the head
		t.Fatal(err)
	}
	if got, err := s[1].Head(t.Context(), v.CID); !errors.Is(err, ErrDatanet) {
		t.Errorf("came back as %q, %v", got.Manifest.Name, err)
	}
}

func TestDatanetWithoutLicenceOrWithBinaryDataIsRefused(t *testing.T) {
	_, s := newWorld(t, 1)
	if _, err := s[0].Create(t.Context(), "n", "", SchemaText); !errors.Is(err, protocol.ErrDocument) {
		t.Errorf("no licence: %v", err)
	}
	v, err := s[0].Create(t.Context(), "n", "MIT", SchemaText)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s[0].Add(t.Context(), v.CID, strings.NewReader("\xff\xfe\x00")); !errors.Is(err, ErrText) {
		t.Errorf("binary: %v", err)
	}
}

func TestRecordsAreCountedWhereverReadsCutThem(t *testing.T) {
	text := protocol.JoinRecords([]string{"äöü", "", "  ", "日本語 text", "x"})
	for name, r := range map[string]io.Reader{
		"whole": strings.NewReader(text), "bytes": iotest.OneByteReader(strings.NewReader(text)), "halves": iotest.HalfReader(strings.NewReader(text)),
	} {
		c := &recordCounter{r: r}
		b, err := io.ReadAll(c)
		if err != nil || string(b) != text || c.records() != 3 {
			t.Errorf("%s: %d records, %v", name, c.records(), err)
		}
	}
	if got := protocol.SplitRecords(text); len(got) != 3 {
		t.Errorf("split gives %q", got)
	}
}

func FuzzServe(f *testing.F) {
	f.Add([]byte{0x82, 0x01, 0x40})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, s := newWorld(t, 1)
		_, _ = s[0].Serve(t.Context(), b)
	})
}
