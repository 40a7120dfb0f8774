package shardstream_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/storage"
	"tally/storage/car"
	"tally/storage/shardstream"
)

// rot changes a byte of a shard's file.
func rot(t testing.TB, s *storage.Store, root cid.Cid, at int64) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(s.Dir(), "shards", root.String()+".car"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := []byte{0}
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// read reads the file under a root to its end.
func read(t testing.TB, s *storage.Store, root cid.Cid) ([]byte, error) {
	t.Helper()
	f, err := s.OpenFile(t.Context(), root)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

func TestAPrivateBlockIsLentToWhoShowsAGrantAndToNobodyElse(t *testing.T) {
	b := noise(70, 5<<20)
	one, two, net := open(t, ""), open(t, ""), newNetwork(t)
	sh := importFile(t, one, b)
	importFile(t, two, b)
	want := file(t, two, sh.Root)
	of := importFile(t, open(t, ""), []byte("a datanet")).Root
	if err := two.SetPrivate(t.Context(), sh.Root, of); err != nil {
		t.Fatal(err)
	}
	rot(t, two, sh.Root, 3<<20+99)
	net.add("knows nothing", server(t, open(t, "")).Serve)
	holder := net.add("holder", server(t, one, func(c *shardstream.ServerConfig) {
		c.May = func(context.Context, shardstream.Asker, cid.Cid) error { return shardstream.ErrRefused }
		c.Show = func(_ context.Context, _ shardstream.Asker, _ cid.Cid, credential []byte) error {
			if string(credential) != "let me in" {
				return shardstream.ErrRefused
			}
			return nil
		}
	}).Serve)

	stranger := two.WithSource(fetcher(t, two, net))
	if _, err := read(t, stranger, sh.Root); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatal("lent to who has no grant:", err)
	}
	f := fetcher(t, two, net, func(c *shardstream.Config) {
		c.Credential = func(context.Context, cid.Cid) ([]byte, error) { return []byte("let me in"), nil }
	})
	const at = 3 << 20
	got, err := f.Range(t.Context(), sh.Root, at, 1<<20, func(b []byte) error {
		if !bytes.Equal(b, want[at:at+1<<20]) {
			return errors.New("another range")
		}
		return nil
	})
	if err != nil || len(got) != 1<<20 {
		t.Fatal(len(got), err)
	}
	if net.times(holder) != 2 {
		t.Fatalf("the holder was asked %d times", net.times(holder))
	}
}

func TestABlockIsLentByTheHonestHolderOfMany(t *testing.T) {
	b := noise(71, 6<<20)
	one, two, net := open(t, ""), open(t, ""), newNetwork(t)
	sh := importFile(t, one, b)
	importFile(t, two, b)
	rot(t, two, sh.Root, 4<<20)
	bad := net.add("bad", flips(server(t, one), 1))
	net.add("away", func(context.Context, shardstream.Asker, shardstream.Conn) error { return errors.New("away") })
	silent := net.add("silent", func(ctx context.Context, _ shardstream.Asker, _ shardstream.Conn) error {
		<-ctx.Done()
		return ctx.Err()
	})
	for range 4 {
		net.holders = append(net.holders, silent, bad) // named more than once
	}
	good := net.add("good", server(t, one).Serve)
	var named blamed
	reader := two.WithSource(fetcher(t, two, net, named.into))
	if got, err := read(t, reader, sh.Root); err != nil || !bytes.Equal(got, b) {
		t.Fatal("another file was read", err)
	}
	if net.sent(good) > car.MaxBlock {
		t.Errorf("%d bytes came for one block", net.sent(good))
	}
	if n := net.times(silent); n > 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestWhoSendsAWrongBlockIsNamedAndNotAskedForAnother(t *testing.T) {
	one, two, net := open(t, ""), open(t, ""), newNetwork(t)
	sh := importFile(t, one, noise(72, 3<<20))
	bad := net.add("bad", flips(server(t, one), 1))
	var named blamed
	f := fetcher(t, two, net, named.into)
	wrong := errors.New("wrong")
	for range 2 {
		_, err := f.Range(t.Context(), sh.Root, 100, 1000, func([]byte) error { return wrong })
		if !errors.Is(err, shardstream.ErrNoSource) {
			t.Fatal(err)
		}
	}
	named.only(t, bad)
	if net.times(bad) != 1 {
		t.Fatalf("asked %d times", net.times(bad))
	}
	for _, n := range []int{0, -1, car.MaxBlock + 1} {
		if _, err := f.Range(t.Context(), sh.Root, 0, n, nil); !errors.Is(err, shardstream.ErrRange) {
			t.Fatal(n, err)
		}
	}
	if _, err := f.Range(t.Context(), sh.Root, 1<<40, 10, nil); !errors.Is(err, shardstream.ErrNoSource) {
		t.Fatal(err)
	}
}

func TestAReaderWhoLeavesEndsTheSearchForALender(t *testing.T) {
	two, net := open(t, ""), newNetwork(t)
	asked := make(chan peer.ID, 1)
	net.add("silent", func(ctx context.Context, _ shardstream.Asker, _ shardstream.Conn) error {
		asked <- "silent"
		<-ctx.Done()
		return ctx.Err()
	})
	ctx, leave := context.WithCancel(t.Context())
	go func() { <-asked; leave() }()
	root := importFile(t, open(t, ""), noise(73, 100)).Root
	if _, err := fetcher(t, two, net).Range(ctx, root, 0, 100, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}
