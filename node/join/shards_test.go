package join

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/p2p"
	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage"
	"tally/storage/shardstream"
)

func listenHost(t *testing.T, bootstrap ...*p2p.Host) *p2p.Host {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	c := p2p.Config{Key: key, Network: "test-1a2b3c4d", Profile: p2p.ProfileTest}
	for _, b := range bootstrap {
		for _, a := range b.Addrs() {
			at, err := peer.AddrInfoFromP2pAddr(a)
			if err != nil {
				t.Fatal(err)
			}
			c.Bootstrap = append(c.Bootstrap, *at)
		}
	}
	h, err := p2p.Listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func connect(t *testing.T, here, there *p2p.Host) {
	t.Helper()
	for _, a := range there.Addrs() {
		at, err := peer.AddrInfoFromP2pAddr(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := here.Connect(t.Context(), *at); err != nil {
			t.Fatal(err)
		}
	}
}

func TestShardsAreFetchedFromWhoeverHoldsThem(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	holder, asker := openStore(t).S, openStore(t).S
	first := listenHost(t)
	here := listenHost(t, first)
	data := bytes.Repeat([]byte("a shard of text "), 400_000)
	want, err := holder.ImportFile(ctx, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	askers := make(chan common.Address, 100)
	v, err := shardstream.NewServer(shardstream.ServerConfig{
		Store: holder,
		May: func(_ context.Context, a shardstream.Asker, _ cid.Cid) error {
			askers <- a.Account
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := (Shards{Host: first}).Serve(v); err != nil {
		t.Fatal(err)
	}
	connect(t, here, first)
	f, err := shardstream.NewFetcher(shardstream.Config{Store: asker, Network: Shards{Host: here}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Fetch(ctx, shardstream.Want{Root: want.Root, Piece: want.Piece, Size: want.Size}, nil)
	if err != nil || got != want {
		t.Fatal(got, err)
	}
	if a := <-askers; a != here.Address() {
		t.Fatalf("the holder took us for %s", a)
	}
	if _, err := asker.Stat(ctx, want.Root); err != nil {
		t.Fatal(err)
	}
}

func TestStrangersLeaveStreamsToRegisteredNodes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	holder := openStore(t).S
	want, err := holder.ImportFile(ctx, bytes.NewReader(make([]byte, 1000)))
	if err != nil {
		t.Fatal(err)
	}
	v, err := shardstream.NewServer(shardstream.ServerConfig{
		Store: holder,
		Sign:  func(context.Context, protocol.Retrieved) ([]byte, error) { return []byte{1}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	first := listenHost(t)
	node := listenHost(t, first)
	known := func(a common.Address) bool { return a == node.Address() }
	if err := (Shards{Host: first, Known: known}).Serve(v); err != nil {
		t.Fatal(err)
	}
	prove := func(h *p2p.Host) error {
		c, err := Shards{Host: h}.Open(ctx, first.ID())
		if err != nil {
			return err
		}
		t.Cleanup(c.Reset)
		_, err = shardstream.Prove(ctx, c, want.Root, piece.Hash{}, 0, 10*time.Second)
		return err
	}
	for i := range maxStrangers/shardLimits.PerPeer + 1 {
		h, full := listenHost(t, first), i == maxStrangers/shardLimits.PerPeer
		connect(t, h, first)
		for range shardLimits.PerPeer {
			if err := prove(h); (err != nil) != full {
				t.Fatalf("stranger %d: %v", i, err)
			}
		}
	}
	connect(t, node, first)
	if err := prove(node); err != nil {
		t.Fatal("a registered node was not answered:", err)
	}
}

// exchanging is a host that serves and fetches blocks.
func exchanging(t *testing.T, s *storage.Store, up *shardstream.Budget) (*p2p.Host, storage.Exchange) {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	h, err := p2p.Listen(t.Context(), p2p.Config{Key: key, Network: "test-1a2b3c4d", Profile: p2p.ProfileTest, Blocks: shardstream.Blocks(s, up)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	x, err := h.Exchange()
	if err != nil {
		t.Fatal(err)
	}
	return h, x
}

func TestBitswapKeepsWithinTheUploadBudget(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	holder, asker := openStore(t).S, openStore(t).S
	data := make([]byte, 6<<20)
	rand.NewChaCha8([32]byte{9}).Read(data)
	want, err := holder.ImportFile(ctx, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	const up = 2 << 20
	there, _ := exchanging(t, holder, shardstream.NewBudget(up))
	here, x := exchanging(t, asker, nil)
	connect(t, here, there)
	begin := time.Now()
	if got, err := asker.WithExchange(x).Fetch(ctx, want.Root, nil); err != nil || got != want {
		t.Fatal(got, err)
	}
	// All but what goes at once, and but the rest of the last block, has been waited for.
	if d, least := time.Since(begin), time.Duration(len(data)-1<<20)*time.Second/up; d < least {
		t.Errorf("%d bytes took %s, %s at least", len(data), d, least)
	}
}
