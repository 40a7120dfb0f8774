package shardstream_test

import (
	"context"
	"iter"
	"os"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/p2p"
	"tally/storage"
	"tally/storage/shardstream"
)

var transports = map[string]string{
	"tcp":  "/ip4/127.0.0.1/tcp/0",
	"quic": "/ip4/127.0.0.1/udp/0/quic-v1",
}

// lan is a network of real hosts.
type lan struct {
	*p2p.Host
	holders []peer.ID
}

func (l lan) Open(ctx context.Context, p peer.ID) (shardstream.Conn, error) {
	return l.Host.Open(ctx, p, shardstream.Name)
}

func (l lan) Holders(context.Context, cid.Cid) iter.Seq2[peer.ID, error] {
	return func(yield func(peer.ID, error) bool) {
		for _, p := range l.holders {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func host(t testing.TB, transport string, blocks *storage.Store) *p2p.Host {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	h, err := p2p.Listen(t.Context(), p2p.Config{
		Key: key, Network: "test-1a2b3c4d", Profile: p2p.ProfileTest, Logger: logger(t), Listen: []string{transports[transport]},
		Blocks: blocks.Blockstore(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// lanOf is a host that reaches one more host for each store, which serves it.
func lanOf(t testing.TB, transport string, stores ...*storage.Store) lan {
	t.Helper()
	l := lan{Host: host(t, transport, open(t, ""))}
	for _, s := range stores {
		h, v := host(t, transport, s), server(t, s)
		err := h.Handle(shardstream.Name, p2p.Limits{}, func(ctx context.Context, id peer.ID, st *p2p.Stream) error {
			return v.Serve(ctx, shardstream.Asker{Peer: id}, st)
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range h.Addrs() {
			at, err := peer.AddrInfoFromP2pAddr(a)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Connect(t.Context(), *at); err != nil {
				t.Fatal(err)
			}
		}
		l.holders = append(l.holders, h.ID())
	}
	return l
}

func TestShardsComeOverRealConnections(t *testing.T) {
	for name := range transports {
		t.Run(name, func(t *testing.T) {
			one, other, two := open(t, ""), open(t, ""), open(t, "")
			b := noise(40, 24<<20)
			want := importFile(t, one, b)
			importFile(t, other, b)
			l := lanOf(t, name, one, other, open(t, ""))
			if got, err := fetcher(t, two, l).Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil || got != want {
				t.Fatal(got, err)
			}
			if err := two.Verify(t.Context(), want.Root); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// BenchmarkFetchShard fetches a shard of 128 MiB between two hosts, from disk to
// disk: checked, fsynced and indexed when it ends. Over streams, and in turn, as a
// measure of the machine, block by block over bitswap.
func BenchmarkFetchShard(b *testing.B) {
	const size = 128 << 20
	one := open(b, b.TempDir())
	want := importFile(b, one, noise(41, size))
	for name := range transports {
		l := lanOf(b, name, one)
		x, err := l.Exchange()
		if err != nil {
			b.Fatal(err)
		}
		for _, way := range []string{"stream", "blocks"} {
			b.Run(way+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(want.Size))
				for b.Loop() {
					b.StopTimer()
					dir, err := os.MkdirTemp(b.TempDir(), "")
					if err != nil {
						b.Fatal(err)
					}
					two := open(b, dir)
					f := fetcher(b, two, l)
					b.StartTimer()
					if way == "stream" {
						_, err = f.Fetch(b.Context(), shardstream.Want{Root: want.Root, Piece: want.Piece}, nil)
					} else {
						_, err = two.Fetch(b.Context(), want.Root, nil, storage.From(x))
					}
					if err != nil {
						b.Fatal(err)
					}
					b.StopTimer()
					_, _ = two.Close(), os.RemoveAll(dir)
					b.StartTimer()
				}
			})
		}
	}
}
