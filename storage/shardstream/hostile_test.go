package shardstream_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
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
		Piece   common.Hash
		Size    uint64
		Layer   []byte `max:"100000"`
		Datanet cid.Cid
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

// truth is a sound holder, whose words a hostile one changes.
type truth struct {
	server *shardstream.Server
	info   wireInfo
}

// lie is a node that answers every request with a changed info.
func lie(change func(*wireInfo)) func(testing.TB, truth) node {
	return func(t testing.TB, s truth) node {
		m := s.info
		m.Layer = slices.Clone(m.Layer)
		change(&m)
		return says(encode(t, wireAnswer{Body: encode(t, m)}), nil)
	}
}

// word is a node that answers every request with the same status and body.
func word(status uint8, body []byte) func(testing.TB, truth) node {
	return func(t testing.TB, _ truth) node { return says(encode(t, wireAnswer{status, body}), nil) }
}

// turns is a node that answers info well, promises every range, and then does this.
func turns(then func(c shardstream.Conn)) func(testing.TB, truth) node {
	return func(t testing.TB, s truth) node { return after(s.server, says(encode(t, wireAnswer{}), then)) }
}

func zeros(n int) func(shardstream.Conn) {
	return func(c shardstream.Conn) { _, _ = c.Writer().Write(make([]byte, n)) }
}

// hostile is a way to be, and what comes of it.
type hostile struct {
	node  func(testing.TB, truth) node
	named bool // for sending wrong data; else it just failed
	most  int  // bytes that one stream of it gets rid of; 0 is not looked at
}

var hostiles = map[string]hostile{
	"another piece":  {lie(func(m *wireInfo) { m.Piece[0] ^= 1 }), true, 1 << 10},
	"another size":   {lie(func(m *wireInfo) { m.Size++ }), true, 1 << 10},
	"huge size":      {lie(func(m *wireInfo) { m.Size = 1 << 62 }), true, 1 << 10},
	"no size":        {lie(func(m *wireInfo) { m.Size, m.Layer = 0, nil }), true, 1 << 10},
	"endless owner":  {lie(func(m *wireInfo) { m.Datanet = cid.NewCidV1(cid.Raw, append([]byte{0, 100}, make([]byte, 100)...)) }), true, 1 << 10},
	"another layer":  {lie(func(m *wireInfo) { m.Layer[40] ^= 1 }), true, 1 << 10},
	"short layer":    {lie(func(m *wireInfo) { m.Layer = m.Layer[32:] }), true, 1 << 10},
	"odd layer":      {lie(func(m *wireInfo) { m.Layer = m.Layer[1:] }), true, 1 << 10},
	"huge layer":     {lie(func(m *wireInfo) { m.Layer = make([]byte, 60000) }), false, 64 << 10},
	"unknown status": {word(77, nil), true, 1 << 10},
	"not held":       {word(1, nil), false, 1 << 10},
	"refused":        {word(2, nil), false, 1 << 10},
	"busy":           {word(3, nil), false, 1 << 10},
	"no message":     {func(testing.TB, truth) node { return says([]byte("hello"), nil) }, true, 1 << 10},
	"empty message":  {func(testing.TB, truth) node { return says(nil, nil) }, true, 1 << 10},
	"error": {func(testing.TB, truth) node {
		return func(context.Context, shardstream.Asker, shardstream.Conn) error { return errors.New("go away") }
	}, false, 1 << 10},
	"silent": {func(testing.TB, truth) node {
		return func(ctx context.Context, _ shardstream.Asker, _ shardstream.Conn) error { <-ctx.Done(); return nil }
	}, false, 1},
	"silent midway": {func(_ testing.TB, s truth) node {
		return after(s.server, func(ctx context.Context, _ shardstream.Asker, _ shardstream.Conn) error { <-ctx.Done(); return nil })
	}, false, 1 << 10},
	"range with a body": {func(t testing.TB, s truth) node {
		return after(s.server, says(encode(t, wireAnswer{Body: []byte{1}}), nil))
	}, true, 4 << 10},
	"broken promise":  {turns(func(c shardstream.Conn) { _ = c.Close() }), false, 4 << 10},
	"truncated":       {turns(func(c shardstream.Conn) { zeros(1000)(c); c.Reset() }), false, 8 << 10},
	"silent in bytes": {turns(func(c shardstream.Conn) { zeros(1000)(c); _, _ = c.Recv(1) }), false, 8 << 10},
	"zeros":           {turns(zeros(1 << 20)), true, 3 << 20},
	"endless": {turns(func(c shardstream.Conn) {
		for {
			if _, err := c.Writer().Write(make([]byte, 100_000)); err != nil {
				return
			}
		}
	}), true, 3 << 20},
	"empty frames": {turns(func(c shardstream.Conn) {
		for {
			if _, err := c.Writer().Write(nil); err != nil {
				return
			}
			<-time.After(time.Millisecond)
		}
	}), false, 100 << 10},
}

func TestHostileSourcesCostLittleAndAreDropped(t *testing.T) {
	for name, h := range hostiles {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { meet(t, h) }) })
	}
}

// meet fetches a shard from a hostile node, and then from an honest one too.
func meet(t *testing.T, h hostile) {
	one, two, net := open(t, ""), open(t, ""), newNetwork(t)
	want := importFile(t, one, noise(60, 3<<20))
	f, err := one.OpenShard(t.Context(), want.Root)
	if err != nil {
		t.Fatal(err)
	}
	layer, err := f.Layer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	s := truth{server(t, one), wireInfo{Piece: common.Hash(want.Piece), Size: want.Size}}
	for _, h := range layer {
		s.info.Layer = append(s.info.Layer, h[:]...)
	}
	bad := net.add("bad", h.node(t, s))
	var named blamed
	asker := fetcher(t, two, net, named.into, func(c *shardstream.Config) { c.Stall = 10 * time.Second })
	w := shardstream.Want{Root: want.Root, Piece: want.Piece, Size: want.Size}
	if _, err := asker.Fetch(t.Context(), w, nil); !errors.Is(err, shardstream.ErrNoSource) {
		t.Fatal(err)
	}
	if h.named {
		named.only(t, bad)
	} else {
		named.only(t)
	}
	if n := net.sent(bad) / net.times(bad); h.most > 0 && n > h.most {
		t.Errorf("it got rid of %d bytes", n)
	}
	if net.times(bad) > 3 {
		t.Errorf("asked %d times", net.times(bad))
	}
	// It does not keep an honest one from serving.
	net.add("good", s.server.Serve)
	if got, err := asker.Fetch(t.Context(), w, nil); err != nil || got != want {
		t.Fatal(got, err)
	}
	if u, err := two.Usage(); err != nil || u.Reserved != 0 || u.Partial != 0 {
		t.Fatal("room is lost", u, err)
	}
	_ = one.Close()
	_ = two.Close()
}

func TestManyHostileSourcesEndAndAnHonestOneIsFound(t *testing.T) {
	one, two, net := open(t, ""), open(t, ""), newNetwork(t)
	want := importFile(t, one, noise(61, 5<<20))
	for i := range 40 {
		net.add("bad "+string(rune('A'+i)), says(encode(t, wireAnswer{Body: encode(t, wireInfo{common.Hash{byte(i)}, 1000, make([]byte, 32), cid.Undef})}), nil))
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
