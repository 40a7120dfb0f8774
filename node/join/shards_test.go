package join

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/p2p"
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
	if maxStrangers >= shardLimits.Streams {
		t.Fatal("strangers may have all streams")
	}
	node := common.Address{1}
	d := door{known: func(a common.Address) bool { return a == node }, most: maxStrangers}
	var leave func()
	for i := range maxStrangers {
		var err error
		if leave, err = d.enter(common.Address{2, byte(i)}); err != nil {
			t.Fatalf("stranger %d: %v", i, err)
		}
	}
	for range 2 {
		if _, err := d.enter(common.Address{3}); !errors.Is(err, errStrangers) {
			t.Fatal(err)
		}
	}
	if _, err := d.enter(node); err != nil {
		t.Fatal("a registered node was not let in:", err)
	}
	leave()
	if _, err := d.enter(common.Address{3}); err != nil {
		t.Fatal("no place came free:", err)
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
	_, _ = rand.NewChaCha8([32]byte{9}).Read(data)
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
