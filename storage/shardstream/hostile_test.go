package shardstream_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/p2p/frame"
	"tally/protocol"
	"tally/storage"
	"tally/storage/shardstream"
)

// The wire, written down again: what a hostile node has to forge.
type (
	wireAnswer struct {
		Status uint8
		Body   []byte `max:"100000"`
	}
	wireInfo struct {
		Piece common.Hash
		Size  uint64
		Layer []byte `max:"100000"`
	}
)

func encode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := protocol.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// says is a node that answers every request with the same bytes.
func says(answer []byte, more func(c shardstream.Conn)) node {
	return func(_ context.Context, _ shardstream.Asker, c shardstream.Conn) error {
		for {
			if _, err := c.Recv(1 << 10); err != nil {
				return nil
			}
			if err := c.Send(answer); err != nil {
				return nil
			}
			if more != nil {
				more(c)
			}
		}
	}
}

// after lets a sound server answer info, and then takes over.
func after(v *shardstream.Server, then node) node {
	return func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error {
		return v.Serve(ctx, from, &once{Conn: c, then: func() { _ = then(ctx, from, c) }})
	}
}

// once is a stream of which a server gets one request.
type once struct {
	shardstream.Conn
	asked bool
	then  func()
}

func (o *once) Recv(max int) ([]byte, error) {
	if o.asked {
		o.then()
		return nil, io.EOF
	}
	o.asked = true
	return o.Conn.Recv(max)
}

func TestHostileSourcesCostLittleAndAreDropped(t *testing.T) {
	one := open(t, "")
	want := importFile(t, one, noise(60, 9<<20))
	sound := server(t, one)
	layer := func() []byte {
		f, err := one.OpenShard(t.Context(), want.Root)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		hs, err := f.Layer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var b []byte
		for _, h := range hs {
			b = append(b, h[:]...)
		}
		return b
	}()
	lie := func(change func(*wireInfo)) []byte {
		m := wireInfo{common.Hash(want.Piece), want.Size, slices.Clone(layer)}
		change(&m)
		return encode(t, wireAnswer{Body: encode(t, m)})
	}
	good := encode(t, wireAnswer{})
	for name, c := range map[string]struct {
		node  node
		named bool // for sending wrong data; else it just failed
		most  int  // bytes that it gets rid of
	}{
		"another piece":   {says(lie(func(m *wireInfo) { m.Piece[0] ^= 1 }), nil), true, 1 << 10},
		"another size":    {says(lie(func(m *wireInfo) { m.Size++ }), nil), true, 1 << 10},
		"huge size":       {says(lie(func(m *wireInfo) { m.Size = 1 << 62 }), nil), true, 1 << 10},
		"no size":         {says(lie(func(m *wireInfo) { m.Size, m.Layer = 0, nil }), nil), true, 1 << 10},
		"another layer":   {says(lie(func(m *wireInfo) { m.Layer[40] ^= 1 }), nil), true, 1 << 10},
		"short layer":     {says(lie(func(m *wireInfo) { m.Layer = m.Layer[32:] }), nil), true, 1 << 10},
		"odd layer":       {says(lie(func(m *wireInfo) { m.Layer = m.Layer[1:] }), nil), true, 1 << 10},
		"huge layer":      {says(lie(func(m *wireInfo) { m.Layer = make([]byte, 60000) }), nil), false, 300 << 10},
		"no message":      {says([]byte("hello"), nil), true, 1 << 10},
		"empty message":   {says(nil, nil), true, 1 << 10},
		"unknown status":  {says(encode(t, wireAnswer{Status: 77}), nil), true, 1 << 10},
		"broken promise":  {after(sound, says(good, func(c shardstream.Conn) { _ = c.Close() })), false, 4 << 10},
		"truncated":       {after(sound, says(good, func(c shardstream.Conn) { _, _ = c.Writer().Write(make([]byte, 1000)); c.Reset() })), false, 8 << 10},
		"silent":          {func(ctx context.Context, _ shardstream.Asker, c shardstream.Conn) error { <-ctx.Done(); return nil }, false, 0},
		"silent midway":   {after(sound, func(ctx context.Context, _ shardstream.Asker, c shardstream.Conn) error { <-ctx.Done(); return nil }), false, 1 << 10},
		"silent in bytes": {after(sound, says(good, func(c shardstream.Conn) { _, _ = c.Writer().Write(make([]byte, 1000)); _, _ = c.Recv(1) })), false, 8 << 10},
		"zeros":           {after(sound, says(good, func(c shardstream.Conn) { _, _ = c.Writer().Write(make([]byte, 1<<20)) })), true, 4 << 20},
		"endless": {after(sound, says(good, func(c shardstream.Conn) {
			for {
				if _, err := c.Writer().Write(make([]byte, 100_000)); err != nil {
					return
				}
			}
		})), true, 4 << 20},
		"empty frames": {after(sound, says(good, func(c shardstream.Conn) {
			for {
				if _, err := c.Writer().Write(nil); err != nil {
					return
				}
			}
		})), false, 0},
		"range with a body": {after(sound, says(encode(t, wireAnswer{Body: []byte{1}}), nil)), true, 4 << 10},
		"not held":          {says(encode(t, wireAnswer{Status: 1}), nil), false, 1 << 10},
		"refused":           {says(encode(t, wireAnswer{Status: 2}), nil), false, 1 << 10},
		"error":             {func(context.Context, shardstream.Asker, shardstream.Conn) error { return errors.New("go away") }, false, 1 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			two, net := open(t, ""), newNetwork(t)
			bad := net.add("bad", c.node)
			var named blamed
			patience := func(c *shardstream.Config) { c.Stall = 150 * time.Millisecond }
			w := shardstream.Want{Root: want.Root, Piece: want.Piece, Size: want.Size}
			f := fetcher(t, two, net, named.into, patience)
			if _, err := f.Fetch(t.Context(), w, nil); !errors.Is(err, shardstream.ErrNoSource) {
				t.Fatal(err)
			}
			if c.named {
				named.only(t, bad)
			} else {
				named.only(t)
			}
			if n := net.sent(bad) / net.times(bad); c.most > 0 && n > c.most {
				t.Errorf("it got rid of %d bytes", n)
			}
			if net.times(bad) > 3 {
				t.Errorf("asked %d times", net.times(bad))
			}
			// It does not keep an honest one from serving.
			net.add("good", sound.Serve)
			if got, err := f.Fetch(t.Context(), w, nil); err != nil || got != want {
				t.Fatal(got, err)
			}
			if u, err := two.Usage(); err != nil || u.Reserved != 0 || u.Partial != 0 {
				t.Fatal("room is lost", u, err)
			}
		})
	}
}

func TestManyHostileSourcesEndAndAnHonestOneIsFound(t *testing.T) {
	one, two, net := open(t, ""), open(t, ""), newNetwork(t)
	want := importFile(t, one, noise(61, 5<<20))
	for i := range 40 {
		net.add("bad "+string(rune('A'+i)), says(encode(t, wireAnswer{Body: encode(t, wireInfo{common.Hash{byte(i)}, 1000, make([]byte, 32)})}), nil))
	}
	net.add("good", server(t, one).Serve)
	if got, err := fetcher(t, two, net).Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil || got != want {
		t.Fatal(got, err)
	}
}

func TestAHugeClaimDoesNotKeepTheShardOut(t *testing.T) {
	one, liar, net := open(t, ""), open(t, ""), newNetwork(t)
	two := open(t, t.TempDir(), func(c *storage.Config) { c.Quota = 20 << 20 })
	want, huge := importFile(t, one, noise(62, 5<<20)), importFile(t, liar, noise(63, 40<<20))
	v := server(t, liar)
	net.add("liar", func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error {
		return v.Serve(ctx, from, renamed{c, want, huge})
	})
	net.add("good", server(t, one).Serve)
	if got, err := fetcher(t, two, net).Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil || got != want {
		t.Fatal(got, err)
	}
}

// talk starts a server's stream and returns the asker's end of it.
func talk(t testing.TB, v *shardstream.Server, from peer.ID) (*conn, <-chan error) {
	t.Helper()
	here, there := pair()
	ended := make(chan error, 1)
	go func() {
		err := v.Serve(t.Context(), shardstream.Asker{Peer: from}, there)
		there.Reset()
		ended <- err
	}()
	t.Cleanup(here.Reset)
	return here, ended
}

func TestAServerRefusesWhatIsNoRequest(t *testing.T) {
	one := open(t, "")
	want := importFile(t, one, noise(64, 2<<20))
	type short struct {
		Op    uint8
		Piece common.Hash
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "text": []byte("hello"), "another shape": encode(t, short{Op: 1}),
		"long": make([]byte, 200), "trailing": append(request(t, 1, want, 0, 0), 0),
		"operation": request(t, 9, want, 0, 0), "no root": request(t, 2, storage.Shard{}, 0, 0),
	} {
		c, ended := talk(t, server(t, one), "x")
		if err := c.Send(b); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, shardstream.ErrMalformed) && !errors.Is(err, frame.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAServerBoundsRanges(t *testing.T) {
	one := open(t, "")
	want := importFile(t, one, noise(65, 6<<20))
	all := file(t, one, want.Root)
	c, ended := talk(t, server(t, one), "x")
	ask := func(at, n uint64) (uint8, []byte) {
		t.Helper()
		if err := c.Send(request(t, 2, want, at, n)); err != nil {
			t.Fatal(err)
		}
		b, err := c.Recv(1 << 10)
		if err != nil {
			t.Fatal(err)
		}
		var a wireAnswer
		if err := protocol.Decode(b, &a); err != nil {
			t.Fatal(err)
		}
		if a.Status != 0 {
			return a.Status, nil
		}
		data := make([]byte, n)
		if _, err := io.ReadFull(c.Reader(), data); err != nil {
			t.Fatal(err)
		}
		return 0, data
	}
	for _, r := range [][2]uint64{{0, 0}, {0, 1}, {want.Size, 0}, {want.Size - 5, 5}, {77, 300_000}, {1 << 20, 4 << 20}} {
		if s, b := ask(r[0], r[1]); s != 0 || !bytes.Equal(b, all[r[0]:r[0]+r[1]]) {
			t.Fatal(r, s)
		}
	}
	for _, r := range [][2]uint64{{want.Size, 1}, {want.Size + 1, 0}, {^uint64(0), 2}, {2, ^uint64(0)}, {0, 4<<20 + 1}} {
		if s, _ := ask(r[0], r[1]); s != 4 {
			t.Fatal(r, s)
		}
	}
	_ = c.Close()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func request(t testing.TB, op uint8, sh storage.Shard, at, n uint64) []byte {
	t.Helper()
	return encode(t, wireRequest{Op: op, Root: sh.Root, At: at, Count: n})
}
