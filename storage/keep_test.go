package storage_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"tally/storage"
)

func block(codec uint64, data []byte) blocks.Block {
	d := sha256.Sum256(data)
	h, err := multihash.Encode(d[:], multihash.SHA2_256)
	if err != nil {
		panic(err)
	}
	b, err := blocks.NewBlockWithCid(data, cid.NewCidV1(codec, h))
	if err != nil {
		panic(err)
	}
	return b
}

// links is a dag-cbor list of links.
func links(cs ...cid.Cid) blocks.Block {
	b := []byte{0x80 | byte(len(cs))}
	for _, c := range cs {
		b = append(b, 0xd8, 0x2a, 0x58, byte(1+c.ByteLen()), 0)
		b = append(b, c.Bytes()...)
	}
	return block(cid.DagCBOR, b)
}

func flip(t testing.TB, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
}

func TestCollectDropsWhatIsNotPinnedAndOrphansNothing(t *testing.T) {
	s := open(t, t.TempDir())
	p := new(provided)
	s = s.WithNetwork(nil, p)
	b := noise(20, 4<<20)
	kept, gone := importFile(t, s, b[:3<<20]), importFile(t, s, b) // three leaves in common
	if err := s.Pin(t.Context(), kept.Root, storage.PinInfo{Why: "published"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Pin(t.Context(), gone.Root, storage.PinInfo{Why: "job 1", Until: uint64(time.Now().Unix()) - 1}); err != nil {
		t.Fatal(err)
	}
	if !p.has(kept.Root) {
		t.Fatal("a pinned root was not provided")
	}
	if c, err := s.Collect(t.Context(), time.Hour); err != nil || c.Shards != 0 {
		t.Fatal("young shards were collected", c, err)
	}
	c, err := s.Collect(t.Context(), 0)
	if err != nil || c.Shards != 1 || c.Bytes != gone.Size {
		t.Fatal(c, err)
	}
	if p.has(gone.Root) || !p.has(kept.Root) {
		t.Fatal("a root is still provided though its pin lapsed, or no longer though it is pinned")
	}
	mustCat(t, s, kept.Root, b[:3<<20])
	if _, err := cat(t, s, gone.Root); !errors.Is(err, storage.ErrNotFound) {
		t.Fatal(err)
	}
	if ok, _ := s.Has(t.Context(), block(cid.Raw, b[3<<20:]).Cid()); ok {
		t.Fatal("a dropped block is still claimed")
	}
	if err := s.Unpin(t.Context(), kept.Root); err != nil || p.has(kept.Root) {
		t.Fatal(err)
	}
	if c, err := s.Collect(t.Context(), 0); err != nil || c.Shards != 1 {
		t.Fatal(c, err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir(), "shards", "*")); len(left) > 0 {
		t.Fatal(left)
	}
	if err := s.Pin(t.Context(), kept.Root, storage.PinInfo{}); !errors.Is(err, storage.ErrNotFound) {
		t.Fatal(err)
	}
}

func TestEachReasonIsAPinOfItsOwn(t *testing.T) {
	s := open(t, "")
	sh := importFile(t, s, []byte("x"))
	for _, why := range []string{"published", "job 1"} {
		if err := s.Pin(t.Context(), sh.Root, storage.PinInfo{Why: why}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Unpin(t.Context(), sh.Root, "job 1"); err != nil {
		t.Fatal(err)
	}
	var got []storage.Pin
	for p, err := range s.Pins() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p)
	}
	if len(got) != 1 || got[0].Why != "published" || got[0].Root != sh.Root {
		t.Fatal(got)
	}
}

func TestGroupOfReceiptsIsKeptAndFetchedAsOne(t *testing.T) {
	one, two := open(t, t.TempDir()), open(t, t.TempDir())
	elsewhere := block(cid.Raw, []byte("a job that is elsewhere")).Cid()
	r1, r2 := links(elsewhere), links(elsewhere, elsewhere)
	root := links(r1.Cid(), r2.Cid())
	if err := one.PutDAG(t.Context(), root.Cid(), []blocks.Block{root, r1, r2, block(cid.Raw, []byte("stray"))}); !errors.Is(err, storage.ErrOrder) {
		t.Fatal("a block that the root does not reach was taken", err)
	}
	bad, err := blocks.NewBlockWithCid([]byte{0x80}, r1.Cid())
	if err != nil {
		t.Fatal(err)
	}
	if err := one.PutDAG(t.Context(), root.Cid(), []blocks.Block{root, bad}); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatal(err)
	}
	if err := one.PutDAG(t.Context(), root.Cid(), []blocks.Block{root, r1, r2}); err != nil {
		t.Fatal(err)
	}
	if err := two.FetchDAG(t.Context(), root.Cid(), 1, nil, storage.From(&swap{from: one})); err != nil {
		t.Fatal(err)
	}
	if err := two.Pin(t.Context(), root.Cid(), storage.PinInfo{Why: "epoch 1"}); err != nil {
		t.Fatal(err)
	}
	stray, err := two.PutNode(t.Context(), []byte{0x01})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := two.Collect(t.Context(), 0); err != nil || c.Blocks != 1 {
		t.Fatal(c, err)
	}
	if _, err := two.GetBlock(t.Context(), stray); !errors.Is(err, storage.ErrNotFound) {
		t.Fatal(err)
	}
	for _, b := range []blocks.Block{root, r1, r2} {
		if got, err := two.GetBlock(t.Context(), b.Cid()); err != nil || !bytes.Equal(got, b.RawData()) {
			t.Fatal(err)
		}
	}
	if err := two.Unpin(t.Context(), root.Cid()); err != nil {
		t.Fatal(err)
	}
	if c, err := two.Collect(t.Context(), 0); err != nil || c.Blocks != 3 {
		t.Fatal(c, err)
	}
	if ok, err := two.HasDAG(t.Context(), root.Cid()); ok || err != nil {
		t.Fatal("a collected group is still whole", err)
	}
}

func TestBigGroupGoesInInBoundedTransactions(t *testing.T) {
	s := open(t, "")
	var all []blocks.Block
	var mids []cid.Cid
	for i := range 20 {
		var leaves []cid.Cid
		for j := range 23 {
			b := block(cid.Raw, noise(uint64(i*100+j), 30_000))
			all, leaves = append(all, b), append(leaves, b.Cid())
		}
		b := links(leaves...)
		all, mids = append(all, b), append(mids, b.Cid())
	}
	big := block(cid.Raw, noise(99, 2<<20))
	root := links(append(mids, big.Cid())...)
	if err := s.PutDAG(t.Context(), root.Cid(), append(all, big, root)); err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		if _, err := s.GetBlock(t.Context(), b.Cid()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFlippedBitOnDiskIsNeverServedAndCanBeRepaired(t *testing.T) {
	good, s := open(t, ""), open(t, t.TempDir())
	b := noise(21, 3<<20)
	sh := importFile(t, s, b)
	importFile(t, good, b)
	if err := s.Pin(t.Context(), sh.Root, storage.PinInfo{Why: "published"}); err != nil {
		t.Fatal(err)
	}
	flip(t, filepath.Join(s.Dir(), "shards", sh.Root.String()+".car"), int64(sh.Size)-100)
	victim := block(cid.Raw, b[2<<20:]).Cid()
	if _, err := s.GetBlock(t.Context(), victim); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatal(err)
	}
	if _, err := s.Blockstore().Get(t.Context(), victim); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatal(err)
	}
	if _, err := cat(t, s, sh.Root); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatal(err)
	}
	if h, err := s.Health(t.Context()); err != nil || len(h.Corrupt) != 1 || h.Corrupt[0] != victim {
		t.Fatal(h, err)
	}
	if err := s.Verify(t.Context(), sh.Root); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatal(err)
	}
	if h, err := s.Health(t.Context()); err != nil || len(h.Damaged) != 1 || h.Damaged[0].Bad != 1 || len(h.Missing) != 0 {
		t.Fatal(h, err)
	}
	if got, err := s.GetBlock(t.Context(), block(cid.Raw, b[:1<<20]).Cid()); err != nil || !bytes.Equal(got, b[:1<<20]) {
		t.Fatal("a good block of a damaged shard was not served", err)
	}
	x := &swap{from: good}
	if got, err := s.Fetch(t.Context(), sh.Root, nil, storage.From(x)); err != nil || got != sh {
		t.Fatal(got, err)
	}
	if x.asked.Load() != 1 {
		t.Fatalf("the repair of one block asked for %d", x.asked.Load())
	}
	mustCat(t, s, sh.Root, b)
	if h, err := s.Health(t.Context()); err != nil || !h.Sound() || len(h.Healed) != 1 {
		t.Fatal(h, err)
	}
}

func TestBrokenShardIsSetAsideAndTheRestIsServed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	b := noise(22, 3<<20)
	sound, cut := importFile(t, s, b), importFile(t, s, b[:2<<20+5])
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "shards", cut.Root.String()+".car"), int64(cut.Size)/2); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it is an old story
		s = open(t, dir)
		mustCat(t, s, sound.Root, b)
		if _, err := s.Stat(t.Context(), cut.Root); !errors.Is(err, storage.ErrNotFound) {
			t.Fatal(err)
		}
		if h, err := s.Health(t.Context()); err != nil || len(h.Aside) != 1 {
			t.Fatal(h, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVanishedShardIsNotClaimed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	sh := importFile(t, s, noise(23, 2<<20))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "shards", sh.Root.String()+".car")); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if ok, err := s.Has(t.Context(), sh.Root); ok || err != nil {
		t.Fatal(ok, err)
	}
}

func TestTooLargeInputLeavesNothingBehind(t *testing.T) {
	s := open(t, t.TempDir(), func(c *storage.Config) { c.MaxShard = 2 << 20 })
	if _, err := s.ImportFile(t.Context(), bytes.NewReader(noise(24, 3<<20))); !errors.Is(err, storage.ErrTooLarge) {
		t.Fatal(err)
	}
	big := open(t, "")
	file := export(t, big, importFile(t, big, noise(24, 3<<20)).Root)
	if _, err := s.ImportCAR(t.Context(), bytes.NewReader(file), cid.Undef); !errors.Is(err, storage.ErrTooLarge) {
		t.Fatal(err)
	}
	if _, err := s.ImportCAR(t.Context(), bytes.NewReader(file[:1<<20]), cid.Undef); !errors.Is(err, storage.ErrTruncated) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.ImportDir(ctx, fstest.MapFS{"a": {Data: []byte("x")}}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for _, d := range []string{"tmp", "shards"} {
		if left, _ := filepath.Glob(filepath.Join(s.Dir(), d, "*")); len(left) > 0 {
			t.Fatal(left)
		}
	}
}
