package storage_test

import (
	"testing"
	"time"

	"github.com/ipfs/boxo/bitswap"
	"github.com/ipfs/boxo/bitswap/network/bsnet"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"

	"tally/storage"
)

// swapping runs bitswap over a store, on a host of its own on loopback.
func swapping(t *testing.T, s *storage.Store) (host.Host, *bitswap.Bitswap) {
	t.Helper()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.Transport(tcp.NewTCPTransport), libp2p.DisableRelay())
	if err != nil {
		t.Fatal(err)
	}
	x := bitswap.New(t.Context(), bsnet.NewFromIpfsHost(h), nil, s.Blockstore())
	t.Cleanup(func() {
		_ = x.Close()
		_ = h.Close()
	})
	return h, x
}

func TestRottenPinnedShardHealsOverBitswap(t *testing.T) {
	far, s := open(t, t.TempDir()), open(t, t.TempDir())
	b := noise(460, 6<<20)
	want := importFile(t, s, b)
	importFile(t, far, b)
	if err := s.Pin(t.Context(), want.Root, storage.PinInfo{Why: "published"}); err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{1 << 20, 3 << 20, int64(want.Size) - 1} {
		flip(t, shardPath(s, want.Root), at)
	}
	farHost, _ := swapping(t, far)
	nearHost, x := swapping(t, s)
	if err := nearHost.Connect(t.Context(), peer.AddrInfo{ID: farHost.ID(), Addrs: farHost.Addrs()}); err != nil {
		t.Fatal(err)
	}
	events, stop := scrub(t, s.WithExchange(x), storage.ScrubConfig{Interval: time.Hour})
	if d := <-events; d.Root != want.Root || d.Bad != 3 {
		t.Fatalf("%+v", d)
	}
	if d := <-events; d.Healed == 0 {
		t.Fatalf("%+v", d)
	}
	stop()
	mustCat(t, s, want.Root, b)
	if err := s.Verify(t.Context(), want.Root); err != nil {
		t.Fatal(err)
	}
	if h, err := s.Health(t.Context()); err != nil || !h.Sound() {
		t.Fatal(h, err)
	}
}
