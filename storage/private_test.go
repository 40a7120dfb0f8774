package storage_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"

	"tally/storage"
	"tally/storage/car"
)

// blocksOf are the blocks of a shard, read from its file.
func blocksOf(t testing.TB, s *storage.Store, root cid.Cid) []cid.Cid {
	t.Helper()
	r, err := car.NewReader(bytes.NewReader(export(t, s, root)), root, storage.DefaultMaxShard)
	if err != nil {
		t.Fatal(err)
	}
	var out []cid.Cid
	for {
		b, err := r.Next()
		if err != nil {
			return out
		}
		out = append(out, b.CID)
	}
}

// shown counts the blocks that outsiders get in each way, which must agree.
func shown(t testing.TB, s *storage.Store, cs []cid.Cid) (n int) {
	t.Helper()
	ctx, b := context.Background(), s.Blockstore()
	keys := map[string]bool{}
	ch, err := b.AllKeysChan(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for c := range ch {
		keys[string(c.Hash())] = true
	}
	for _, c := range cs {
		has, err := b.Has(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		_, errGet := b.Get(ctx, c)
		_, errSize := b.GetSize(ctx, c)
		if has != (errGet == nil) || has != (errSize == nil) || has != keys[string(c.Hash())] {
			t.Fatalf("%s: has %t, get %v, size %v, listed %t", c, has, errGet, errSize, keys[string(c.Hash())])
		}
		if has {
			n++
			continue
		}
		if !ipld.IsNotFound(errGet) || !errors.Is(errGet, storage.ErrNotFound) || !ipld.IsNotFound(errSize) {
			t.Fatalf("hidden, but not as what is not held: %v, %v", errGet, errSize)
		}
		if _, err := s.GetBlock(ctx, c); err != nil {
			t.Fatalf("not read here: %v", err)
		}
	}
	return n
}

var datanet = cid.MustParse("bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy")

func TestOutsidersSeeOfAPrivateShardWhatIsPublicElsewhere(t *testing.T) {
	s := open(t, t.TempDir())
	common := noise(1, 2<<20)
	secret := importFile(t, s, append(bytes.Clone(common), noise(2, 3<<20)...))
	all := blocksOf(t, s, secret.Root)
	if n := shown(t, s, all); n != len(all) {
		t.Fatalf("before: %d of %d", n, len(all))
	}
	if err := s.SetPrivate(t.Context(), secret.Root, datanet); err != nil {
		t.Fatal(err)
	}
	if of, private := s.Private(secret.Root); !private || !of.Equals(datanet) {
		t.Fatal(of, private)
	}
	if n := shown(t, s, all); n != 0 {
		t.Fatalf("%d blocks are shown", n)
	}
	mustCat(t, s, secret.Root, append(bytes.Clone(common), noise(2, 3<<20)...))
	if err := s.Verify(t.Context(), secret.Root); err != nil {
		t.Fatal(err)
	}
	public := importFile(t, s, common)
	rest := blocksOf(t, s, public.Root)
	if n := shown(t, s, rest); n != len(rest) {
		t.Fatalf("of the public shard %d of %d blocks are shown", n, len(rest))
	}
	if n := shown(t, s, all); n != 2 {
		t.Fatalf("of the private one %d, not the 2 in common", n)
	}
	// A block that is put by itself is public too.
	b, err := s.GetBlock(t.Context(), all[len(all)-1])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutBlock(t.Context(), all[len(all)-1].Type(), b); err != nil {
		t.Fatal(err)
	}
	if n := shown(t, s, all); n != 3 {
		t.Fatal(n)
	}
	if err := s.SetPrivate(t.Context(), secret.Root, cid.Undef); err != nil {
		t.Fatal(err)
	}
	if n := shown(t, s, all); n != len(all) {
		t.Fatalf("public again: %d", n)
	}
}

func TestAShardIsPrivateFromBeforeItComesUntilItGoes(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	b := noise(3, 3<<20)
	root := importFile(t, open(t, ""), b).Root
	if err := s.SetPrivate(t.Context(), root, datanet); err != nil {
		t.Fatal(err)
	}
	importFile(t, s, b)
	all := blocksOf(t, s, root)
	if err := s.Pin(t.Context(), root, storage.PinInfo{Why: "test"}); err != nil {
		t.Fatal(err)
	}
	hidden := func(when string) {
		t.Helper()
		if n := shown(t, s, all); n != 0 {
			t.Fatalf("%s: %d blocks are shown", when, n)
		}
	}
	hidden("as it came")
	for _, lose := range []string{"", "index"} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if lose != "" {
			if err := os.RemoveAll(filepath.Join(dir, lose)); err != nil {
				t.Fatal(err)
			}
		}
		s = open(t, dir)
		hidden("opened again without " + lose)
	}
	if _, err := s.Collect(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	hidden("collected while pinned")
	if err := s.Unpin(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Collect(t.Context(), 0); err != nil || c.Shards != 1 {
		t.Fatal(c, err)
	}
	if _, private := s.Private(root); private {
		t.Fatal("the mark stays when the shard is gone")
	}
	importFile(t, s, b)
	if n := shown(t, s, all); n != len(all) {
		t.Fatal("what comes again is hidden")
	}
}

func TestMarksAreKeptOnlyForShards(t *testing.T) {
	s := open(t, t.TempDir())
	sh := importFile(t, open(t, ""), noise(4, 10))
	for name, bad := range map[string]cid.Cid{"none": cid.Undef, "not sha-256": cid.MustParse("bafkqaaa")} {
		if err := s.SetPrivate(t.Context(), bad, datanet); err == nil {
			t.Errorf("%s is marked", name)
		}
	}
	if err := s.SetPrivate(t.Context(), sh.Root, datanet); err != nil {
		t.Fatal(err)
	}
	a, _, err := s.Begin(t.Context(), sh.Root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Collect(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, private := s.Private(sh.Root); !private {
		t.Fatal("the mark went while its shard was being fetched")
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Collect(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, private := s.Private(sh.Root); private {
		t.Fatal("the mark of what nobody has stays")
	}
}

func TestImportsOfHiddenBlocksAreWhole(t *testing.T) {
	s := open(t, t.TempDir())
	b := noise(5, 4<<20)
	secret := importFile(t, s, b)
	if err := s.SetPrivate(t.Context(), secret.Root, datanet); err != nil {
		t.Fatal(err)
	}
	if again := importFile(t, s, b); again != secret {
		t.Fatal(again)
	}
	for _, c := range blocksOf(t, s, secret.Root) {
		if has, err := s.Has(t.Context(), c); !has || err != nil {
			t.Fatal("not held here", err)
		}
		if err := s.Blockstore().DeleteBlock(t.Context(), c); !errors.Is(err, storage.ErrShardBlock) {
			t.Fatal(err)
		}
	}
	// What an outsider's blockstore is given, it gives back.
	blk := blocksOf(t, s, secret.Root)
	for _, c := range blk[:2] {
		data, err := s.GetBlock(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		b, err := blocks.NewBlockWithCid(data, c)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Blockstore().Put(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if n := shown(t, s, blk); n != 2 {
		t.Fatal(n)
	}
}

func TestWhatIsPrivateStaysSoWhenThatIsLost(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	far := open(t, "")
	coming := importFile(t, far, noise(810, 3<<20))
	o, file := outline(t, far, coming)
	s := open(t, dir)
	private, public := importFile(t, s, noise(811, 2<<20)), importFile(t, s, noise(812, 2<<20))
	of := block(cid.Raw, []byte("a datanet")).Cid()
	for _, root := range []cid.Cid{private.Root, coming.Root} {
		if err := s.SetPrivate(ctx, root, of); err != nil {
			t.Fatal(err)
		}
	}
	a := begin(t, s, coming)
	if err := a.Adopt(ctx, o); err != nil {
		t.Fatal(err)
	}
	if err := put(t, a, file, 0); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.Close(), s.Close(), os.Remove(filepath.Join(dir, "meta", "MANIFEST"))); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and the next start knows no more
		s = open(t, dir)
		for _, sh := range []storage.Shard{private, public, coming} {
			if whose, is := s.Private(sh.Root); !is || whose.Defined() {
				t.Fatalf("%s may be private (%t, %s)", sh.Root, is, whose)
			}
		}
		if n := shown(t, s, []cid.Cid{private.Root, public.Root}); n != 0 {
			t.Fatalf("%d shards that may be private are shown", n)
		}
		h, err := s.Health(ctx)
		if err != nil || len(h.Hidden) != 2 || h.Sound() || !strings.Contains(strings.Join(h.Problems(), "\n"), "tally storage publish "+public.Root.String()) {
			t.Fatal(h.Problems(), err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, dir)
	if err := s.SetPrivate(ctx, private.Root, of); err != nil { // its datanet is read again
		t.Fatal(err)
	}
	if err := s.Publish(ctx, private.Root); !errors.Is(err, storage.ErrOwned) {
		t.Fatal("a shard that is known to be private was published", err)
	}
	if err := s.Publish(ctx, public.Root); err != nil {
		t.Fatal(err)
	}
	if h, err := s.Health(ctx); err != nil || !h.Sound() {
		t.Fatal(h, err)
	}
	if n := shown(t, s, []cid.Cid{private.Root, public.Root}); n != 1 {
		t.Fatalf("%d of them shown", n)
	}
}
