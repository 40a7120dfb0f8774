package shardstream_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tally/storage/shardstream"
)

// seconds checks how long something took in fake time.
func seconds(t *testing.T, begin time.Time, least, most float64) {
	t.Helper()
	if d := time.Since(begin).Seconds(); d < least || d > most {
		t.Errorf("it took %.2f s, want %.2f to %.2f", d, least, most)
	}
}

func TestABudgetHoldsOverAllWhoTakeOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, begin := shardstream.NewBudget(1<<20), time.Now()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 16 {
					if err := b.Take(t.Context(), 256<<10); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		seconds(t, begin, 31.7, 32.1) // 32 MiB, less the chunk that may go at once
	})
}

func TestNoBudgetIsNoBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		for _, b := range []*shardstream.Budget{nil, shardstream.NewBudget(0), shardstream.NewBudget(-1)} {
			if err := b.Take(t.Context(), 256<<10); err != nil {
				t.Fatal(err)
			}
		}
		seconds(t, begin, 0, 0)
	})
}

func TestFetchesKeepWithinTheBudgetsOfBothSides(t *testing.T) {
	for name, c := range map[string]struct{ up, down int64 }{"up": {512 << 10, 0}, "down": {0, 512 << 10}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two, net := open(t, ""), open(t, ""), newNetwork(t)
				want := importFile(t, one, noise(70, 8<<20))
				up := shardstream.NewBudget(c.up)
				for _, name := range []string{"a", "b"} { // both of one node's budget
					net.add(name, server(t, one, func(s *shardstream.ServerConfig) { s.Up = up }).Serve)
				}
				f := fetcher(t, two, net, func(s *shardstream.Config) { s.Down = shardstream.NewBudget(c.down); s.Stall = time.Minute })
				begin := time.Now()
				if got, err := f.Fetch(t.Context(), shardstream.Want{Root: want.Root, Piece: want.Piece}, nil); err != nil || got != want {
					t.Fatal(got, err)
				}
				seconds(t, begin, 15.5, 25) // sixteen, and what two sources were asked for twice at the end
				_ = one.Close()
				_ = two.Close()
			})
		})
	}
}

func TestASourceThatDripsIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two, net := open(t, ""), open(t, ""), newNetwork(t)
		want := importFile(t, one, noise(71, 3<<20))
		drip := net.add("drip", func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error {
			return server(t, one).Serve(ctx, from, filter{c, func(p []byte, to io.Writer) (int, error) {
				for i := range p { // never silent for long, never done
					select {
					case <-time.After(100 * time.Millisecond):
					case <-ctx.Done():
						return i, ctx.Err()
					}
					if _, err := to.Write(p[i : i+1]); err != nil {
						return i, err
					}
				}
				return len(p), nil
			}})
		})
		begin := time.Now()
		f := fetcher(t, two, net, func(c *shardstream.Config) { c.Stall = 10 * time.Second })
		if _, err := f.Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); !errors.Is(err, shardstream.ErrNoSource) {
			t.Fatal(err)
		}
		seconds(t, begin, 9, 12)
		if net.times(drip) != 1 {
			t.Fatalf("asked %d times", net.times(drip))
		}
		_ = one.Close()
		_ = two.Close()
	})
}
