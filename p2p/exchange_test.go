package p2p

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/ipfs/boxo/blockservice"
	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/boxo/chunker"
	"github.com/ipfs/boxo/exchange/offline"
	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/boxo/ipld/unixfs/importer/balanced"
	"github.com/ipfs/boxo/ipld/unixfs/importer/helpers"
	unixfs "github.com/ipfs/boxo/ipld/unixfs/io"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	"github.com/libp2p/go-libp2p/core/peer"
)

func memory() blockstore.Blockstore {
	return blockstore.NewBlockstore(dssync.MutexWrap(datastore.NewMapDatastore()))
}

func withBlocks(store blockstore.Blockstore) func(*Config) {
	return func(c *Config) { c.Blocks = store }
}

// publish puts a file of n random bytes into a store, in leaves of 256 KiB.
func publish(t testing.TB, store blockstore.Blockstore, n int) (cid.Cid, []byte) {
	t.Helper()
	data := make([]byte, n)
	if _, err := rand.Read(data); err != nil {
		t.Fatal(err)
	}
	prefix, err := merkledag.PrefixForCidVersion(1)
	if err != nil {
		t.Fatal(err)
	}
	params := helpers.DagBuilderParams{
		Dagserv: merkledag.NewDAGService(blockservice.New(store, offline.Exchange(store))), RawLeaves: true,
		Maxlinks: helpers.DefaultLinksPerBlock, CidBuilder: &prefix,
	}
	b, err := params.New(chunk.NewSizeSplitter(bytes.NewReader(data), 256<<10))
	if err != nil {
		t.Fatal(err)
	}
	node, err := balanced.Layout(b)
	if err != nil {
		t.Fatal(err)
	}
	return node.Cid(), data
}

// read fetches a file through a host's exchange, in one session.
func read(ctx context.Context, h *Host, store blockstore.Blockstore, c cid.Cid) ([]byte, error) {
	x, err := h.Exchange()
	if err != nil {
		return nil, err
	}
	session := merkledag.NewSession(ctx, merkledag.NewDAGService(blockservice.New(store, x)))
	node, err := session.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	file, err := unixfs.NewDagReader(ctx, node, merkledag.NewReadOnlyDagService(session))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(file)
}

func TestBitswapFetchesADAG(t *testing.T) {
	for name := range transports {
		t.Run(name, func(t *testing.T) {
			from, to := memory(), memory()
			a, b := listen(t, on(name), withBlocks(from)), listen(t, on(name), withBlocks(to))
			c, want := publish(t, from, 4<<20)
			connect(t, b, a)
			got, err := read(within(t, 20*time.Second), b, to, c)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d of %d bytes: %v", len(got), len(want), err)
			}
		})
	}
}

func TestBitswapFindsAProviderItIsNotConnectedTo(t *testing.T) {
	stores := make([]blockstore.Blockstore, 4)
	hosts := cluster(t, 4, func(i int, c *Config) {
		stores[i] = memory()
		c.Blocks = stores[i]
	})
	c, want := publish(t, stores[3], 1<<20)
	if err := hosts[3].Provide(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	found(t, hosts[1], c, hosts[3].ID())
	_ = hosts[1].host.Network().ClosePeer(hosts[3].ID())
	got, err := read(within(t, 20*time.Second), hosts[1], stores[1], c)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d of %d bytes: %v", len(got), len(want), err)
	}
}

// forger serves other bytes than a CID stands for.
type forger struct{ blockstore.Blockstore }

func (f forger) Get(_ context.Context, c cid.Cid) (blocks.Block, error) {
	return blocks.NewBlockWithCid([]byte("forged"), c)
}

func (f forger) Has(context.Context, cid.Cid) (bool, error)    { return true, nil }
func (f forger) GetSize(context.Context, cid.Cid) (int, error) { return len("forged"), nil }

func TestAForgedBlockIsNotTaken(t *testing.T) {
	a, b := listen(t, withBlocks(forger{memory()})), listen(t, withBlocks(memory()))
	connect(t, b, a)
	x, err := b.Exchange()
	if err != nil {
		t.Fatal(err)
	}
	ctx := within(t, time.Second)
	if blk, err := x.NewSession(ctx).GetBlock(ctx, root(t, "true")); err == nil {
		t.Fatalf("%q was taken for %s", blk.RawData(), blk.Cid())
	}
}

func TestAnExchangeNeedsBlocksAndAnOpenHost(t *testing.T) {
	if _, err := listen(t).Exchange(); !errors.Is(err, ErrNoBlocks) {
		t.Error(err)
	}
	h := listen(t, withBlocks(memory()))
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Exchange(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// BenchmarkFetch moves 32 MiB between two hosts, hashed with SHA-256 on arrival:
// as a DAG through bitswap into a store in memory, and as bytes over one stream.
func BenchmarkFetch(b *testing.B) {
	const size = 32 << 20
	for name := range transports {
		b.Run(fmt.Sprintf("bitswap/%s", name), func(b *testing.B) {
			from, to := memory(), memory()
			server, client := listen(b, on(name), withBlocks(from)), listen(b, on(name), withBlocks(to))
			c, want := publish(b, from, size)
			connect(b, client, server)
			b.SetBytes(size)
			for b.Loop() {
				got, err := read(b.Context(), client, to, c)
				if err != nil || len(got) != len(want) {
					b.Fatal(len(got), err)
				}
				b.StopTimer()
				empty(b, to)
				b.StartTimer()
			}
		})
		b.Run(fmt.Sprintf("stream/%s", name), func(b *testing.B) {
			client, server := pair(b, name)
			data := make([]byte, size)
			handle(b, server, "shard", Limits{}, func(_ context.Context, _ peer.ID, s *Stream) error {
				_, err := s.Writer().Write(data)
				return err
			})
			buf := make([]byte, 256<<10)
			b.SetBytes(size)
			for b.Loop() {
				s, err := client.Open(b.Context(), server.ID(), "shard")
				if err != nil {
					b.Fatal(err)
				}
				n, err := io.CopyBuffer(sha256.New(), s.Reader(), buf)
				if err != nil || n != size {
					b.Fatal(n, err)
				}
				_ = s.Close()
			}
		})
	}
}

func empty(b *testing.B, store blockstore.Blockstore) {
	b.Helper()
	keys, err := store.AllKeysChan(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for c := range keys {
		if err := store.DeleteBlock(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}
