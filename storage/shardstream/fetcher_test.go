package shardstream_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"tally/storage"
	"tally/storage/shardstream"
)

func TestAFetchedShardIsTheSameShard(t *testing.T) {
	one := open(t, "")
	for _, n := range []int{0, 5, 1 << 20, 7<<20 + 3} {
		want := importFile(t, one, noise(1, n))
		for _, w := range []shardstream.Want{{Root: want.Root}, {Root: want.Root, Piece: want.Piece}, {Root: want.Root, Piece: want.Piece, Size: want.Size}} {
			two, net := open(t, t.TempDir()), newNetwork(t)
			net.add("a", server(t, one).Serve)
			var last, total uint64
			f := fetcher(t, two, net)
			got, err := f.Fetch(t.Context(), w, func(d, n uint64) { last, total = d, n })
			if err != nil || got != want || last != want.Size || total != want.Size {
				t.Fatal(got, err, last, total)
			}
			if !bytes.Equal(file(t, one, want.Root), file(t, two, want.Root)) {
				t.Fatal("files differ")
			}
			if again, err := f.Fetch(t.Context(), w, nil); err != nil || again != want || net.times("a") != 1 {
				t.Fatal("a shard that is held was fetched again", err)
			}
		}
	}
}

func TestSeveralSourcesShareTheWork(t *testing.T) {
	one, two, net := open(t, ""), open(t, ""), newNetwork(t)
	want := importFile(t, one, noise(2, 60<<20))
	for _, name := range []string{"a", "b", "c"} {
		net.add(name, server(t, one).Serve)
	}
	if got, err := fetcher(t, two, net).Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil || got != want {
		t.Fatal(got, err)
	}
	sum := 0
	for _, p := range net.holders {
		if net.sent(p) < 2<<20 {
			t.Errorf("%s sent %d bytes", p, net.sent(p))
		}
		sum += net.sent(p)
	}
	if sum > int(want.Size)+20<<20 {
		t.Errorf("%d bytes were sent for a shard of %d", sum, want.Size)
	}
}

func TestASourceThatSendsWrongDataIsNamedAndNotAskedAgain(t *testing.T) {
	one, net := open(t, ""), newNetwork(t)
	want := importFile(t, one, noise(3, 20<<20))
	bad := net.add("bad", flips(server(t, one), 3))
	net.add("good", server(t, one).Serve)
	two := open(t, "")
	var named blamed
	f := fetcher(t, two, net, named.into)
	for _, w := range []shardstream.Want{{Root: want.Root, Piece: want.Piece}, {Root: importFile(t, one, noise(4, 5<<20)).Root}} {
		if _, err := f.Fetch(t.Context(), w, nil); err != nil {
			t.Fatal(err)
		}
		named.only(t, bad)
	}
	if net.times(bad) != 1 {
		t.Fatalf("asked %d times", net.times(bad))
	}
}

func TestALieAboutTheShardIsFoundOutWhereNobodyKnowsThePiece(t *testing.T) {
	one, liar, net := open(t, ""), open(t, ""), newNetwork(t)
	want := importFile(t, one, noise(5, 12<<20))
	other := importFile(t, liar, noise(6, 30<<20))
	// It serves another shard under the root: consistent in itself.
	bad := net.add("bad", func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error {
		return server(t, liar).Serve(ctx, from, renamed{c, want, other})
	})
	two := open(t, "")
	var named blamed
	f := fetcher(t, two, net, named.into)
	if _, err := f.Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); !errors.Is(err, shardstream.ErrNoSource) {
		t.Fatal(err)
	}
	named.only(t, bad)
	// Its outline is on the disk now, and must not keep the truth out.
	net.add("good", server(t, one).Serve)
	if got, err := fetcher(t, two, net, named.into).Fetch(t.Context(), shardstream.Want{Root: want.Root, From: []peer.ID{bad}}, nil); err != nil || got != want {
		t.Fatal(got, err)
	}
}

func TestAManifestThatNamesTheWrongPieceIsFoundOut(t *testing.T) {
	one, liar, two, net := open(t, ""), open(t, ""), open(t, t.TempDir()), newNetwork(t)
	want := importFile(t, one, noise(7, 6<<20))
	other := importFile(t, liar, noise(8, 6<<20))
	net.add("follows", func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error {
		return server(t, liar).Serve(ctx, from, renamed{c, want, other})
	})
	f := fetcher(t, two, net)
	w := shardstream.Want{Root: want.Root, Piece: other.Piece, Size: other.Size}
	if _, err := f.Fetch(t.Context(), w, nil); !errors.Is(err, shardstream.ErrPiece) {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(two.Dir(), "fetch", "*")); len(left) > 0 {
		t.Fatal("left behind:", left)
	}
	if _, err := two.Stat(t.Context(), want.Root); !errors.Is(err, storage.ErrNotFound) {
		t.Fatal(err)
	}
	importFile(t, two, noise(7, 6<<20))
	if _, err := f.Fetch(t.Context(), w, nil); !errors.Is(err, shardstream.ErrPiece) {
		t.Fatal("a shard that is held hides the lie", err)
	}
}

// cut ends a stream after so many bytes.
func cut(v *shardstream.Server, after func() int64) node {
	return func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error {
		left := after()
		return v.Serve(ctx, from, filter{c, func(p []byte, to io.Writer) (int, error) {
			if left -= int64(len(p)); left < 0 {
				_, _ = to.Write(p[:len(p)/2])
				c.Reset()
				return 0, errReset
			}
			return to.Write(p)
		}})
	}
}

func TestAFetchThatIsCutAnywhereEndsTheSame(t *testing.T) {
	synctest.Test(t, cutAnywhere)
}

func cutAnywhere(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var mu sync.Mutex
	some := func(n int64) func() int64 {
		return func() int64 { mu.Lock(); defer mu.Unlock(); return rng.Int64N(n) }
	}
	one, dir := open(t, ""), t.TempDir()
	want := importFile(t, one, noise(9, 33<<20))
	two := open(t, dir)
	before := uint64(0)
	for try := 0; ; try++ {
		if try == 60 {
			t.Fatal("it never ends")
		}
		// Other sources each time, that all break off; and the asker stops too.
		net := newNetwork(t)
		for i := range 1 + some(3)() {
			net.add(string(rune('a'+i)), cut(server(t, one), some(6<<20)))
		}
		ctx, cancel := context.WithCancel(t.Context())
		stop := uint64(some(30<<20)()) + before
		begun := false
		got, err := fetcher(t, two, net).Fetch(ctx, shardstream.Want{Root: want.Root, Piece: want.Piece}, func(d, _ uint64) {
			if !begun && d+1<<20 < before {
				t.Errorf("went back from %d to %d", before, d)
			}
			if begun = true; d > stop {
				cancel()
			}
			before = max(before, d)
		})
		cancel()
		if err == nil {
			if got != want || !bytes.Equal(file(t, one, want.Root), file(t, two, want.Root)) {
				t.Fatal("another shard", got)
			}
			_ = one.Close()
			_ = two.Close()
			return
		}
		if !errors.Is(err, context.Canceled) && !errors.Is(err, shardstream.ErrNoSource) {
			t.Fatal(err)
		}
		if try%2 == 0 {
			if err := two.Close(); err != nil {
				t.Fatal(err)
			}
			two = open(t, dir)
		}
	}
}

func TestASlowSourceDoesNotHoldTheOthersUp(t *testing.T) {
	one, two, net := open(t, ""), open(t, ""), newNetwork(t)
	want := importFile(t, one, noise(10, 12<<20))
	block := make(chan struct{})
	var asked atomic.Bool
	slow := net.add("slow", func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error {
		return server(t, one).Serve(ctx, from, filter{c, func(p []byte, to io.Writer) (int, error) {
			if asked.Swap(true) {
				select {
				case <-block:
				case <-ctx.Done():
				}
			}
			return to.Write(p)
		}})
	})
	net.add("fast", server(t, one).Serve)
	// No patience ends here: the others take over what the slow one owes.
	f := fetcher(t, two, net, func(c *shardstream.Config) { c.Stall = time.Hour })
	if got, err := f.Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil || got != want {
		t.Fatal(got, err)
	}
	close(block)
	if net.sent(slow) > 3<<20 {
		t.Fatal(net.sent(slow))
	}
}

func TestRoomForAllOfAShardIsReservedBeforeItIsAskedFor(t *testing.T) {
	one, net := open(t, ""), newNetwork(t)
	two := open(t, t.TempDir(), func(c *storage.Config) { c.Quota = 6 << 20 })
	want := importFile(t, one, noise(11, 10<<20))
	a := net.add("a", server(t, one).Serve)
	for _, w := range []shardstream.Want{{Root: want.Root}, {Root: want.Root, Piece: want.Piece, Size: want.Size}} {
		if _, err := fetcher(t, two, net).Fetch(t.Context(), w, nil); !errors.Is(err, storage.ErrQuota) {
			t.Fatal(err)
		}
	}
	if net.sent(a) > 8<<10 {
		t.Fatalf("%d bytes came for nothing", net.sent(a))
	}
	if u, err := two.Usage(); err != nil || u.Reserved != 0 {
		t.Fatal("the reservation stays", u, err)
	}
}

func TestBlocksAreFetchedWhereNobodyServesStreams(t *testing.T) {
	one, net := open(t, ""), newNetwork(t)
	want := importFile(t, one, noise(12, 5<<20))
	two := open(t, t.TempDir()).WithExchange(swap{one})
	f := fetcher(t, two, net, func(c *shardstream.Config) { c.NoBlocks = false })
	if got, err := f.Fetch(t.Context(), shardstream.Want{Root: want.Root, Piece: want.Piece, Size: want.Size}, nil); err != nil || got != want {
		t.Fatal(got, err)
	}
	if _, err := fetcher(t, open(t, ""), net).Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); !errors.Is(err, shardstream.ErrNoSource) {
		t.Fatal(err)
	}
}

func TestConcurrentFetchesShareTheWork(t *testing.T) {
	one, two, net := open(t, ""), open(t, ""), newNetwork(t)
	want := importFile(t, one, noise(13, 9<<20))
	a := net.add("a", server(t, one).Serve)
	f := fetcher(t, two, net)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if got, err := f.Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil || got != want {
				t.Error(got, err)
			}
		})
	}
	wg.Wait()
	if net.times(a) != 1 || net.sent(a) > int(want.Size)+1<<20 {
		t.Fatal(net.times(a), net.sent(a))
	}
}

func TestOneBrokenMiBIsAllThatARepairAsksFor(t *testing.T) {
	one, two, net := open(t, ""), open(t, t.TempDir()), newNetwork(t)
	b := noise(14, 16<<20)
	want := importFile(t, one, b)
	importFile(t, two, b)
	spoil(t, two, want, 5<<20)
	if err := two.Verify(t.Context(), want.Root); err == nil {
		t.Fatal("not broken")
	}
	a := net.add("a", server(t, one).Serve)
	if got, err := fetcher(t, two, net).Fetch(t.Context(), shardstream.Want{Root: want.Root, Piece: want.Piece}, nil); err != nil || got != want {
		t.Fatal(got, err)
	}
	if net.sent(a) > 2<<20 {
		t.Fatalf("%d bytes were sent", net.sent(a))
	}
}

// spoil changes one byte of a shard on disk.
func spoil(t testing.TB, s *storage.Store, sh storage.Shard, at int64) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(s.Dir(), "shards", sh.Root.String()+".car"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}
