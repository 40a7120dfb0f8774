package storage_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/ipfs/boxo/blockstore"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ds "github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	ipld "github.com/ipfs/go-ipld-format"

	"tally/storage"
)

// contract is what bitswap may expect of a blockstore; held are blocks that the
// store has before.
func contract(t *testing.T, bs blockstore.Blockstore, held []blocks.Block) {
	ctx := t.Context()
	a, b := block(cid.Raw, []byte("loose")), links()
	if err := bs.Put(ctx, a); err != nil {
		t.Fatal(err)
	}
	if err := bs.Put(ctx, a); err != nil {
		t.Fatal("a second time:", err)
	}
	if err := bs.PutMany(ctx, []blocks.Block{a, b}); err != nil {
		t.Fatal(err)
	}
	all := append([]blocks.Block{a, b}, held...)
	for _, want := range all {
		for _, c := range []cid.Cid{want.Cid(), cid.NewCidV1(cid.Raw, want.Cid().Hash())} { // found by multihash
			got, err := bs.Get(ctx, c)
			if err != nil || !bytes.Equal(got.RawData(), want.RawData()) || got.Cid() != c {
				t.Fatal(err)
			}
			if n, err := bs.GetSize(ctx, c); err != nil || n != len(want.RawData()) {
				t.Fatal(n, err)
			}
			if ok, err := bs.Has(ctx, c); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
	}
	keys, err := bs.AllKeysChan(ctx)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for c := range keys {
		seen[string(c.Hash())] = true
	}
	if len(seen) != len(all) {
		t.Fatalf("%d keys, want %d", len(seen), len(all))
	}
	none := block(cid.Raw, []byte("none")).Cid()
	if err := bs.DeleteBlock(ctx, a.Cid()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []cid.Cid{none, a.Cid()} {
		if _, err := bs.Get(ctx, c); !ipld.IsNotFound(err) {
			t.Fatal(err)
		}
		if _, err := bs.GetSize(ctx, c); !ipld.IsNotFound(err) {
			t.Fatal(err)
		}
		if ok, err := bs.Has(ctx, c); ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if err := bs.DeleteBlock(ctx, none); err != nil {
		t.Fatal("deleting what is not there:", err)
	}
}

func TestBlockstoreKeepsTheContract(t *testing.T) {
	t.Run("boxo", func(t *testing.T) {
		contract(t, blockstore.NewBlockstore(dssync.MutexWrap(ds.NewMapDatastore())), nil)
	})
	t.Run("ours", func(t *testing.T) {
		s := open(t, t.TempDir())
		b := noise(30, 2<<20)
		sh := importFile(t, s, b)
		root, err := s.GetBlock(t.Context(), sh.Root)
		if err != nil {
			t.Fatal(err)
		}
		contract(t, s.Blockstore(), []blocks.Block{block(cid.DagProtobuf, root), block(cid.Raw, b[:1<<20]), block(cid.Raw, b[1<<20:])})
		if err := s.Blockstore().DeleteBlock(t.Context(), sh.Root); !errors.Is(err, storage.ErrShardBlock) {
			t.Fatal(err)
		}
		forged, err := blocks.NewBlockWithCid([]byte("forged"), block(cid.Raw, []byte("real")).Cid())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Blockstore().Put(t.Context(), forged); !errors.Is(err, storage.ErrCorrupt) {
			t.Fatal(err)
		}
	})
}
