package shardstream_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"

	"tally/storage"
	"tally/storage/shardstream"
)

// leaves lists the large blocks of a store.
func leaves(t *testing.T, s *storage.Store) (cs []cid.Cid) {
	t.Helper()
	ch, err := s.Blockstore().AllKeysChan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for c := range ch {
		if n, err := s.Blockstore().GetSize(t.Context(), c); err == nil && n == 1<<20 {
			cs = append(cs, c)
		}
	}
	if len(cs) < 4 {
		t.Fatal(len(cs), "large blocks")
	}
	return cs
}

func TestBlocksOfShardsShareTheBudgetOfStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := open(t, "")
		importFile(t, one, noise(170, 8<<20))
		document, err := one.PutNode(t.Context(), []byte{0xa0})
		if err != nil {
			t.Fatal(err)
		}
		up := shardstream.NewBudget(512 << 10)
		b, cs := shardstream.Blocks(one, up), leaves(t, one)
		begin := time.Now()
		for _, c := range cs[:4] {
			if blk, err := b.Get(t.Context(), c); err != nil || len(blk.RawData()) != 1<<20 {
				t.Fatal(err)
			}
		}
		// Four MiB are owed, less what may go at once, and the last may go with its first chunk.
		seconds(t, begin, 5.9, 6.1)
		if err := up.Take(t.Context(), 256<<10); err != nil {
			t.Fatal(err)
		}
		seconds(t, begin, 7.9, 8.1) // a stream pays for blocks
		begin = time.Now()
		if _, err := b.Get(t.Context(), document); err != nil {
			t.Fatal(err)
		}
		if n, err := b.GetSize(t.Context(), cs[0]); err != nil || n != 1<<20 {
			t.Fatal(n, err)
		}
		seconds(t, begin, 0, 0)
		_ = one.Close()
	})
}

func TestABlockThatTheLineHasNoRoomForIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := open(t, "")
		importFile(t, one, noise(171, 5<<20))
		up := shardstream.NewBudget(64 << 10)
		b, cs := shardstream.Blocks(one, up), leaves(t, one)
		begin := time.Now()
		if _, err := b.Get(t.Context(), cs[0]); err != nil {
			t.Fatal(err)
		}
		var others sync.WaitGroup
		others.Go(func() {
			if _, err := b.Get(t.Context(), cs[1]); err != nil {
				t.Error(err)
			}
			seconds(t, begin, 19.9, 20.1)
		})
		synctest.Wait()
		others.Go(func() { // a stream goes before a block that waits
			if err := up.Take(t.Context(), 256<<10); err != nil {
				t.Error(err)
			}
			seconds(t, begin, 15.9, 16.1)
		})
		synctest.Wait()
		for range 100 { // refusals cost nothing
			if _, err := b.Get(t.Context(), cs[2]); !errors.Is(err, shardstream.ErrBusy) || !ipld.IsNotFound(err) {
				t.Fatal(err)
			}
		}
		seconds(t, begin, 0, 0)
		others.Wait()
		if _, err := b.Get(t.Context(), cs[2]); err != nil {
			t.Fatal(err)
		}
		seconds(t, begin, 35.9, 36.1)
		_ = one.Close()
	})
}

func TestBlocksThatWaitLeaveRoomForDocuments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := open(t, "")
		importFile(t, one, noise(174, 5<<20))
		up := shardstream.NewBudget(1 << 20)
		b, cs := shardstream.Blocks(one, up), leaves(t, one)
		if err := up.Take(t.Context(), 256<<10); err != nil {
			t.Fatal(err)
		}
		ended, refused := make(chan error), 0
		for i := range 40 {
			go func() {
				_, err := b.Get(t.Context(), cs[i%4])
				ended <- err
			}()
		}
		for range 40 {
			if err := <-ended; errors.Is(err, shardstream.ErrBusy) {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		}
		if refused != 28 {
			t.Errorf("%d of 40 did not wait, want all but 12", refused)
		}
		_ = one.Close()
	})
}

func TestWhoWaitsForTheBudgetEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := open(t, "")
		importFile(t, one, noise(172, 5<<20))
		up := shardstream.NewBudget(64 << 10)
		b, cs := shardstream.Blocks(one, up), leaves(t, one)
		ctx, cancel := context.WithCancel(t.Context())
		if err := up.Take(ctx, 256<<10); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error)
		go func() {
			_, err := b.Get(ctx, cs[0])
			ended <- err
		}()
		synctest.Wait()
		begin := time.Now()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		seconds(t, begin, 0, 0)
		if err := up.Take(t.Context(), 256<<10); err != nil { // what nobody sends, nobody pays for
			t.Fatal(err)
		}
		seconds(t, begin, 3.9, 4.1)
		_ = one.Close()
	})
}

func TestBlocksOfAStrangerKeepNobodyFromProvingOrReading(t *testing.T) {
	for _, rate := range []int64{64 << 10, 256 << 10, 1 << 20} {
		synctest.Test(t, func(t *testing.T) {
			one := open(t, "")
			want := importFile(t, one, noise(175, 16<<20))
			up := shardstream.NewBudget(rate)
			b, cs := shardstream.Blocks(one, up), leaves(t, one)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var stranger sync.WaitGroup
			for i := range 12 {
				stranger.Go(func() {
					for ctx.Err() == nil { // as soon as it has one, another
						if _, err := b.Get(ctx, cs[i%len(cs)]); errors.Is(err, shardstream.ErrBusy) {
							<-time.After(time.Second)
						}
					}
				})
			}
			<-time.After(time.Minute)
			sign, _ := signing(t)
			v := server(t, one, sign, func(c *shardstream.ServerConfig) { c.Up = up })
			auditor, _ := talk(t, v, "auditor")
			begin := time.Now()
			for leaf := range uint64(8) {
				if _, err := shardstream.Prove(ctx, auditor, cid.Undef, want.Piece, leaf, 20*time.Second); err != nil {
					t.Errorf("%d KiB/s: leaf %d: %v", rate>>10, leaf, err)
				}
			}
			seconds(t, begin, 0, 0)
			reader, _ := talk(t, v, "reader")
			if err := reader.Send(request(t, 2, want, 0, 256<<10)); err != nil {
				t.Fatal(err)
			}
			if _, err := reader.Recv(100); err != nil {
				t.Fatal(err)
			}
			if _, err := io.CopyN(io.Discard, reader.Reader(), 256<<10); err != nil {
				t.Fatal(err)
			}
			// A block that began, the proofs, and the chunk itself.
			seconds(t, begin, 0, float64(1<<20+8*16<<10+256<<10)/float64(rate)+0.1)
			cancel()
			stranger.Wait()
			_ = one.Close()
		})
	}
}

func TestWhoAsksForProofsWithoutEndLeavesOthersTheirsAndHalfOfTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := open(t, "")
		want := importFile(t, one, noise(176, 2<<20))
		up := shardstream.NewBudget(64 << 10)
		sign, _ := signing(t)
		v := server(t, one, sign, func(c *shardstream.ServerConfig) { c.Up = up })
		ctx, cancel := context.WithCancel(t.Context())
		var flood sync.WaitGroup
		for range 8 {
			c, _ := talk(t, v, "stranger")
			flood.Go(func() {
				for ctx.Err() == nil {
					if _, err := shardstream.Prove(ctx, c, want.Root, want.Piece, 1, time.Minute); err != nil && !errors.Is(err, shardstream.ErrBusy) {
						t.Error(err)
					}
				}
			})
		}
		<-time.After(30 * time.Second)
		c, _ := talk(t, v, "auditor")
		asked := time.Now()
		if _, err := shardstream.Prove(ctx, c, want.Root, want.Piece, 2, 20*time.Second); err != nil {
			t.Error(err)
		}
		seconds(t, asked, 0, 1.6) // behind two of the stranger's
		for range 12 {
			if err := up.Take(ctx, 256<<10); err != nil {
				t.Error(err)
			}
		}
		// 3 MiB at half of the budget, and what went at once when it began.
		seconds(t, asked, 80, 110)
		cancel()
		flood.Wait()
		_ = one.Close()
	})
}

func TestAFetchBlockByBlockKeepsWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := open(t, ""), open(t, "")
		want := importFile(t, one, noise(173, 8<<20))
		f := fetcher(t, two.WithExchange(swap{one}), newNetwork(t), func(c *shardstream.Config) {
			c.NoBlocks, c.Down = false, shardstream.NewBudget(64<<10)
		})
		begin := time.Now()
		// Between two blocks of a worker there is more time than a fetch waits for a block.
		if got, err := f.Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil || got != want {
			t.Fatal(got, err)
		}
		seconds(t, begin, 123, 125)
		_ = one.Close()
		_ = two.Close()
	})
}
