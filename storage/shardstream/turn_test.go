package shardstream_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage/shardstream"
)

// drips sends what v does, but so many bytes a second, in small pieces, from the start of each range.
func drips(v node, pace int) node {
	return func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error {
		return v(ctx, from, filter{c, func(p []byte, to io.Writer) (int, error) {
			const part = 8 << 10
			for sent := 0; sent < len(p); sent += part {
				select {
				case <-time.After(part * time.Second / time.Duration(pace)):
				case <-ctx.Done():
					return sent, ctx.Err()
				}
				if _, err := to.Write(p[sent:min(sent+part, len(p))]); err != nil {
					return sent, err
				}
			}
			return len(p), nil
		}})
	}
}

// late answers as v does, after a while.
func late(v node, d time.Duration) node {
	return func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
		return v(ctx, from, c)
	}
}

// forged serves bytes that are no shard, as one.
func forged(t testing.TB, b []byte) node {
	t.Helper()
	h := piece.New(true)
	_, _ = h.Write(b)
	m := wireInfo{Piece: common.Hash(h.Root()), Size: uint64(len(b))}
	for _, n := range h.Layer() {
		m.Layer = append(m.Layer, n[:]...)
	}
	info, good := encode(t, wireAnswer{Body: encode(t, m)}), encode(t, wireAnswer{})
	return func(_ context.Context, _ shardstream.Asker, c shardstream.Conn) error {
		for {
			q, err := c.Recv(1 << 10)
			if err != nil {
				return nil
			}
			var r wireRequest
			if err := protocol.Decode(q, &r); err != nil {
				return err
			}
			if r.Op == 1 {
				if err := c.Send(info); err != nil {
					return nil
				}
				continue
			}
			if err := c.Send(good); err != nil {
				return nil
			}
			if _, err := c.Writer().Write(b[r.At : r.At+r.Count]); err != nil {
				return nil
			}
		}
	}
}

// lies are files that are sound in themselves, and not the shard's.
func lies(all []byte) map[string][]byte {
	at := func(i int) []byte {
		b := bytes.Clone(all)
		binary.LittleEndian.PutUint64(b[i:], binary.LittleEndian.Uint64(b[i:])+1)
		return b
	}
	return map[string][]byte{
		"all of it": noise(99, len(all)), "larger": noise(98, len(all)+20<<20), "from the middle on": append(bytes.Clone(all[:len(all)/2]), noise(97, len(all)/2)...),
		"one byte at the end": at(len(all) - 9), "one byte in the first span": at(1 << 19),
	}
}

func TestASlowLiarThatAnswersFirstHoldsUpNobodyForLong(t *testing.T) {
	source := open(t, "")
	want := importFile(t, source, noise(70, 24<<20))
	honest := server(t, source).Serve
	for name, lie := range lies(file(t, source, want.Root)) {
		for _, liars := range []int{1, 4} {
			if liars > 1 && testing.Short() {
				break
			}
			t.Run(fmt.Sprintf("%d of %s", liars, name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					two, net := open(t, ""), newNetwork(t)
					for i := range liars {
						net.add(fmt.Sprint("liar ", i), drips(forged(t, lie), 20<<10))
					}
					net.add("good", late(drips(honest, 3<<20), 100*time.Millisecond))
					began := time.Now()
					if got, err := fetcher(t, two, net).Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil || got != want {
						t.Fatal(got, err)
					}
					if d := time.Since(began); d > 60*time.Second { // 8 s alone
						t.Errorf("it took %s", d)
					}
					_ = two.Close()
				})
			})
		}
	}
}

func TestEveryLiarWithALieOfItsOwnHasOneTurn(t *testing.T) {
	source := open(t, "")
	want := importFile(t, source, noise(71, 24<<20))
	all := file(t, source, want.Root)
	synctest.Test(t, func(t *testing.T) {
		two, net := open(t, ""), newNetwork(t)
		for i := range 9 {
			b := bytes.Clone(all)
			b[len(b)-1-i] ^= 1
			net.add(fmt.Sprint("liar ", i), drips(forged(t, b), 20<<10))
		}
		// No faster than somebody at home: it may not be told from a liar by its pace alone.
		net.add("good", late(drips(server(t, source).Serve, 300<<10), 100*time.Millisecond))
		began := time.Now()
		if got, err := fetcher(t, two, net).Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil || got != want {
			t.Fatal(got, err)
		}
		if d := time.Since(began); d > 6*time.Minute { // 82 s alone
			t.Errorf("it took %s", d)
		}
		_ = two.Close()
	})
}

func TestALieThatHeldUpAFetchIsNotBelievedByTheNext(t *testing.T) {
	source := open(t, "")
	want := importFile(t, source, noise(72, 12<<20))
	synctest.Test(t, func(t *testing.T) {
		two, net := open(t, t.TempDir()), newNetwork(t)
		liar := net.add("liar", drips(forged(t, noise(96, 30<<20)), 20<<10))
		f := fetcher(t, two, net)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := f.Fetch(ctx, shardstream.Want{Root: want.Root}, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		net.nodes[liar] = late(net.nodes[liar], 5*time.Second) // only the disk has its outline at once
		net.add("good", server(t, source).Serve)
		got, err := f.Fetch(t.Context(), shardstream.Want{Root: want.Root}, func(_, n uint64) {
			if n != want.Size {
				t.Errorf("an outline of %d bytes is believed", n)
			}
		})
		if err != nil || got != want {
			t.Fatal(got, err)
		}
		_ = two.Close()
	})
}

func TestSourcesThatDripDoNotKeepOthersFromBeingAsked(t *testing.T) {
	source := open(t, "")
	want := importFile(t, source, noise(73, 40<<20))
	honest := server(t, source).Serve
	for _, pace := range []int{20 << 10, 150 << 10} {
		synctest.Test(t, func(t *testing.T) {
			two, net := open(t, ""), newNetwork(t)
			for i := range 12 {
				net.add(fmt.Sprint("slow ", i), drips(honest, pace))
			}
			net.add("fast", drips(honest, 3<<20))
			began := time.Now()
			w := shardstream.Want{Root: want.Root, Piece: want.Piece, Size: want.Size}
			if got, err := fetcher(t, two, net).Fetch(t.Context(), w, nil); err != nil || got != want {
				t.Fatal(got, err)
			}
			if d := time.Since(began); d > 100*time.Second { // 13 s alone
				t.Errorf("%d bytes a second: it took %s", pace, d)
			}
			_ = two.Close()
		})
	}
}

func TestWhoIsOnlySlowIsReadFromToTheEnd(t *testing.T) {
	source := open(t, "")
	want := importFile(t, source, noise(74, 5<<20))
	synctest.Test(t, func(t *testing.T) {
		two, net := open(t, ""), newNetwork(t)
		// Below a span a turn, beside a liar of the same pace: turns grow until a span fits.
		net.add("liar", drips(forged(t, noise(95, 9<<20)), 40<<10))
		net.add("slow", late(drips(server(t, source).Serve, 40<<10), time.Second))
		if got, err := fetcher(t, two, net).Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil || got != want {
			t.Fatal(got, err)
		}
		_ = two.Close()
	})
}

func TestWhoDripsWhatIsWantedFirstIsOvertaken(t *testing.T) {
	source := open(t, "")
	want := importFile(t, source, noise(75, 24<<20))
	all := file(t, source, want.Root)
	honest := server(t, source).Serve
	synctest.Test(t, func(t *testing.T) {
		two, net := open(t, ""), newNetwork(t)
		net.add("helper", drips(honest, 17<<10)) // of the liar: it makes the truth look slow
		net.add("liar", late(drips(forged(t, append(all[:1<<20:1<<20], noise(94, 23<<20)...)), 17<<10), 10*time.Millisecond))
		net.add("good", late(drips(honest, 2<<20), 20*time.Millisecond))
		began := time.Now()
		if got, err := fetcher(t, two, net).Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil || got != want {
			t.Fatal(got, err)
		}
		if d := time.Since(began); d > 90*time.Second { // 12 s alone
			t.Errorf("it took %s", d)
		}
		_ = two.Close()
	})
}
