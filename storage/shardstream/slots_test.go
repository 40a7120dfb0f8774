package shardstream_test

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"tally/protocol"
	"tally/storage"
	"tally/storage/shardstream"
)

const (
	good   = 0
	busy   = 3
	broken = 5
)

// status asks for a range and reads how the answer begins.
func status(t *testing.T, c *conn, sh storage.Shard, at, n uint64) uint8 {
	t.Helper()
	if err := c.Send(request(t, 2, sh, at, n)); err != nil {
		t.Error(err)
		return 255
	}
	b, err := c.Recv(100)
	var a wireAnswer
	if err == nil {
		err = protocol.Decode(b, &a)
	}
	if err != nil {
		t.Error(err)
		return 255
	}
	return a.Status
}

// take reads the bytes of a range.
func take(t *testing.T, c *conn, n int64) {
	t.Helper()
	if _, err := io.CopyN(io.Discard, c.Reader(), n); err != nil {
		t.Error(err)
	}
}

func TestIdleStreamsEndNoServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := open(t, "")
		want := importFile(t, one, noise(160, 3<<20))
		v := server(t, one, func(c *shardstream.ServerConfig) { c.Streams = 2 })
		begin := time.Now()
		for i := range 64 {
			c, _ := talk(t, v, peer.ID(fmt.Sprint("idle", i%8)))
			if s := status(t, c, want, 0, 1); s != good {
				t.Fatalf("stream %d: status %d", i, s)
			}
			take(t, c, 1)
		}
		c, ended := talk(t, v, "reader")
		if s := status(t, c, want, 0, 1<<20); s != good {
			t.Fatalf("status %d behind 64 idle streams", s)
		}
		take(t, c, 1<<20)
		seconds(t, begin, 0, 0)
		_ = c.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = one.Close()
	})
}

func TestPeersThatDoNotReadLoseTheirSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := open(t, "")
		want := importFile(t, one, noise(161, 5<<20))
		v := server(t, one, func(c *shardstream.ServerConfig) { c.Streams = 2 })
		var deaf []*conn
		for i := range 3 { // one of them waits
			c, _ := talk(t, v, peer.ID(fmt.Sprint("deaf", i)))
			if err := c.Send(request(t, 2, want, 0, 4<<20)); err != nil {
				t.Fatal(err)
			}
			deaf = append(deaf, c)
		}
		synctest.Wait()
		begin := time.Now()
		c, _ := talk(t, v, "reader")
		if s := status(t, c, want, 0, 1<<20); s != good {
			t.Fatalf("status %d behind peers that do not read", s)
		}
		take(t, c, 1<<20)
		seconds(t, begin, 4.9, 5.1)
		for _, d := range deaf { // they are served to the end as soon as they read
			if _, err := d.Recv(100); err != nil {
				t.Error(err)
			}
			take(t, d, 4<<20)
		}
		_ = one.Close()
	})
}

func TestOnePeerHasAQuarterOfTheSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := open(t, "")
		want := importFile(t, one, noise(162, 5<<20))
		v := server(t, one, func(c *shardstream.ServerConfig) { c.Up = shardstream.NewBudget(128 << 10) }) // four
		greedy := make(chan uint8, 8)
		var all sync.WaitGroup
		for range 8 {
			c, _ := talk(t, v, "greedy")
			all.Go(func() {
				s := status(t, c, want, 0, 4<<20)
				greedy <- s
				if s == good {
					take(t, c, 4<<20)
				}
			})
		}
		synctest.Wait()
		c, _ := talk(t, v, "reader")
		begin := time.Now()
		if s := status(t, c, want, 0, 10); s != good {
			t.Fatalf("status %d behind one peer", s)
		}
		take(t, c, 10)
		seconds(t, begin, 0, 5)
		var got []uint8
		for range 8 {
			got = append(got, <-greedy)
		}
		slices.Sort(got)
		if string(got) != "\x00\x03\x03\x03\x03\x03\x03\x03" {
			t.Error(got)
		}
		seconds(t, begin, 9, 11)
		all.Wait()
		_ = one.Close()
	})
}

func TestAServerRefusesMoreReadersThanItsBudgetFeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := open(t, "")
		want := importFile(t, one, noise(86, 3<<20))
		v := server(t, one, func(c *shardstream.ServerConfig) { c.Up = shardstream.NewBudget(100 << 10) }) // three at 32 KiB/s
		answers := make(chan uint8)
		for i := range 5 {
			c, _ := talk(t, v, peer.ID(fmt.Sprint("p", i)))
			go func() {
				s := status(t, c, want, 0, 2<<20)
				answers <- s
				if s == good {
					take(t, c, 2<<20)
					answers <- s
				}
			}()
		}
		var all []uint8
		for range 8 {
			all = append(all, <-answers)
		}
		if string(all) != "\x00\x00\x00\x03\x03\x00\x00\x00" {
			t.Fatal(all)
		}
		_ = one.Close()
	})
}

func TestInfosAreTakenFromTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := open(t, "")
		want := importFile(t, one, noise(163, 3<<20))
		const rate = 64 << 10
		c, _ := talk(t, server(t, one, func(c *shardstream.ServerConfig) { c.Up = shardstream.NewBudget(rate) }), "x")
		begin, got := time.Now(), 0
		for range 4000 {
			if err := c.Send(request(t, 1, want, 0, 0)); err != nil {
				t.Fatal(err)
			}
			b, err := c.Recv(1000)
			if err != nil {
				t.Fatal(err)
			}
			got += len(b)
		}
		least := float64(got-256<<10) / rate // what may go at once, less
		seconds(t, begin, least, least+5)
		_ = one.Close()
	})
}

func TestALookAtDamageIsTakenFromTheBudget(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		one := open(t, dir)
		want := importFile(t, one, noise(164, 5<<20))
		spoil(t, one, want, 2<<20)
		if err := one.Verify(t.Context(), want.Root); err == nil {
			t.Fatal("not found")
		}
		c, _ := talk(t, server(t, one, func(c *shardstream.ServerConfig) { c.Up = shardstream.NewBudget(64 << 10) }), "x")
		begin := time.Now()
		for range 40 {
			if s := status(t, c, want, 2<<20, 1); s != broken {
				t.Fatalf("status %d of a damaged span", s)
			}
		}
		seconds(t, begin, 5.9, 6.1) // 40 times 16 KiB, less the 256 that may go at once
		_ = one.Close()
	})
}
