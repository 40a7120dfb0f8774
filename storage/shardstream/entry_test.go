package shardstream_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage"
	"tally/storage/shardstream"
)

var datanet = protocol.CIDOf([]byte("a datanet"))

// guarded holds a private shard, which those read who show the pass.
func guarded(t testing.TB, s *storage.Store, pass *atomic.Pointer[[]byte]) *shardstream.Server {
	t.Helper()
	sign, _ := signing(t)
	return server(t, s, sign, func(c *shardstream.ServerConfig) {
		c.May = func(_ context.Context, _ shardstream.Asker, root cid.Cid) error {
			if _, private := s.Private(root); private {
				return errors.New("private")
			}
			return nil
		}
		c.Show = func(_ context.Context, _ shardstream.Asker, root cid.Cid, b []byte) error {
			if _, private := s.Private(root); !private || !bytes.Equal(b, *pass.Load()) {
				return errors.New("wrong pass")
			}
			return nil
		}
	})
}

func TestACredentialOpensAPrivateShardAndTheReaderHidesItToo(t *testing.T) {
	one, net := open(t, ""), newNetwork(t)
	secret, public := importFile(t, one, noise(90, 5<<20)), importFile(t, one, noise(91, 1<<20))
	if err := one.SetPrivate(t.Context(), secret.Root, datanet); err != nil {
		t.Fatal(err)
	}
	var pass atomic.Pointer[[]byte]
	pass.Store(&[]byte{1, 2, 3})
	net.add("a", guarded(t, one, &pass).Serve)
	net.add("b", guarded(t, one, &pass).Serve)
	for name, show := range map[string]func(context.Context, cid.Cid) ([]byte, error){
		"nothing to show": nil,
		"another's":       func(context.Context, cid.Cid) ([]byte, error) { return []byte{1, 2}, nil },
		"none":            func(context.Context, cid.Cid) ([]byte, error) { return nil, nil },
		"too long":        func(context.Context, cid.Cid) ([]byte, error) { return make([]byte, shardstream.MaxCredential+1), nil },
		"lost":            func(context.Context, cid.Cid) ([]byte, error) { return nil, errors.New("lost") },
	} {
		f := fetcher(t, open(t, ""), net, func(c *shardstream.Config) { c.Credential = show })
		if _, err := f.Fetch(t.Context(), shardstream.Want{Root: secret.Root}, nil); !errors.Is(err, shardstream.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	asked := 0
	two := open(t, "")
	f := fetcher(t, two, net, func(c *shardstream.Config) {
		c.Credential = func(_ context.Context, root cid.Cid) ([]byte, error) {
			if asked++; !root.Equals(secret.Root) {
				t.Errorf("asked for a credential for %s", root)
			}
			return *pass.Load(), nil
		}
	})
	for _, want := range []storage.Shard{secret, public} {
		if got, err := f.Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil || got != want {
			t.Fatal(got, err)
		}
	}
	if of, private := two.Private(secret.Root); !private || !of.Equals(datanet) || asked != 1 {
		t.Fatalf("private %t of %s, asked %d times", private, of, asked)
	}
	if _, private := two.Private(public.Root); private {
		t.Fatal("a public shard is hidden")
	}
	if has, err := two.Blockstore().Has(t.Context(), secret.Root); has || err != nil {
		t.Fatal("what was read is shown to others", err)
	}
}

func TestNobodyWaitsForACredentialThatDoesNotCome(t *testing.T) {
	one, net := open(t, ""), newNetwork(t)
	want := importFile(t, one, noise(99, 3<<20))
	asked := make(chan struct{})
	net.add("closed", server(t, one, func(c *shardstream.ServerConfig) {
		c.May = func(context.Context, shardstream.Asker, cid.Cid) error { return errors.New("private") }
	}).Serve)
	there := server(t, one)
	net.add("open", func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error {
		<-asked
		return there.Serve(ctx, from, c)
	})
	var once sync.Once
	f := fetcher(t, open(t, ""), net, func(c *shardstream.Config) {
		c.Credential = func(ctx context.Context, _ cid.Cid) ([]byte, error) {
			once.Do(func() { close(asked) })
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(time.Minute):
				t.Error("the fetch waits for what lets it in elsewhere")
				return nil, errors.New("lost")
			}
		}
	})
	if got, err := f.Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil || got != want {
		t.Fatal(got, err)
	}
}

func TestAHoldersWordThatAShardIsPrivateIsCheckedOnce(t *testing.T) {
	one, net := open(t, ""), newNetwork(t)
	want := importFile(t, one, noise(92, 3<<20))
	if err := one.SetPrivate(t.Context(), want.Root, datanet); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		net.add(name, server(t, one).Serve)
	}
	two := open(t, "")
	var looked atomic.Int32
	f := fetcher(t, two, net, func(c *shardstream.Config) {
		c.Believe = func(_ context.Context, root, of cid.Cid) bool {
			looked.Add(1)
			return !of.Equals(datanet)
		}
	})
	if _, err := f.Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil {
		t.Fatal(err)
	}
	if _, private := two.Private(want.Root); private || looked.Load() != 1 {
		t.Fatalf("private %t, looked %d times", private, looked.Load())
	}
}

// claims is a holder that says a shard is a private datanet's.
func claims(t testing.TB, s *storage.Store, of cid.Cid) node {
	t.Helper()
	v := server(t, s)
	return func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error {
		return v.Serve(ctx, from, claiming{c, of})
	}
}

type claiming struct {
	shardstream.Conn
	of cid.Cid
}

func (c claiming) Send(m []byte) error {
	var a wireAnswer
	var i wireInfo
	if protocol.Decode(m, &a) != nil || protocol.Decode(a.Body, &i) != nil {
		return c.Conn.Send(m)
	}
	i.Datanet = c.of
	body, err := protocol.Encode(i)
	if err != nil {
		return err
	}
	if m, err = protocol.Encode(wireAnswer{a.Status, body}); err != nil {
		return err
	}
	return c.Conn.Send(m)
}

func TestWhoOnlyClaimsThatAShardIsPrivateHidesNothing(t *testing.T) {
	one, net := open(t, ""), newNetwork(t)
	want := importFile(t, one, noise(96, 4<<20))
	// One names a datanet and sends rubbish; one says nothing and sends the shard.
	liar := claims(t, one, datanet)
	net.add("a", func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error {
		return liar(ctx, from, filter{Conn: c, write: func(b []byte, w io.Writer) (int, error) { return w.Write(make([]byte, len(b))) }})
	})
	honest := server(t, one)
	heard := make(chan struct{})
	net.add("b", func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error {
		select {
		case <-heard:
		case <-ctx.Done():
		}
		return honest.Serve(ctx, from, c)
	})
	two := open(t, "")
	f := fetcher(t, two, net, func(c *shardstream.Config) {
		c.Believe = func(context.Context, cid.Cid, cid.Cid) bool { t.Error("listened to"); return true }
		c.Wrong = func(peer.ID, error) { close(heard) }
	})
	if _, err := f.Fetch(t.Context(), shardstream.Want{Root: want.Root, Piece: want.Piece, Size: want.Size}, nil); err != nil {
		t.Fatal(err)
	}
	if _, private := two.Private(want.Root); private {
		t.Fatal("hidden")
	}
}

func TestAShardThatOneSourceServesAsPublicIsPublic(t *testing.T) {
	for name, first := range map[string]bool{"claimed first": true, "claimed last": false} {
		one, net := open(t, ""), newNetwork(t)
		want := importFile(t, one, noise(97, 12<<20))
		liar, honest := claims(t, one, datanet), server(t, one)
		looked := make(chan struct{})
		gate := func(c <-chan struct{}, n node) node {
			return func(ctx context.Context, from shardstream.Asker, conn shardstream.Conn) error {
				select {
				case <-c:
				case <-ctx.Done():
				}
				return n(ctx, from, conn)
			}
		}
		two := open(t, "")
		var once sync.Once
		// The liar gives one span and then nothing, so that both are heard.
		some := func(ctx context.Context, from shardstream.Asker, c shardstream.Conn) error {
			return liar(ctx, from, &few{Conn: c, left: 2})
		}
		if first {
			net.add("a", some)
			net.add("b", gate(looked, honest.Serve))
		} else {
			net.add("a", honest.Serve)
			net.add("b", liar)
		}
		f := fetcher(t, two, net, func(c *shardstream.Config) {
			c.Believe = func(context.Context, cid.Cid, cid.Cid) bool { once.Do(func() { close(looked) }); return true }
		})
		if _, err := f.Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil {
			t.Fatal(name, err)
		}
		if _, private := two.Private(want.Root); private {
			t.Errorf("%s: hidden", name)
		}
		if has, err := two.Blockstore().Has(t.Context(), want.Root); !has || err != nil {
			t.Errorf("%s: not shown, %v", name, err)
		}
	}
}

// few is a stream on which a server hears a few requests, and waits for more in vain.
type few struct {
	shardstream.Conn
	left int
}

func (f *few) Recv(max int) ([]byte, error) {
	if f.left--; f.left < 0 {
		return nil, io.EOF
	}
	return f.Conn.Recv(max)
}

func TestWhatIsHereAndPublicStaysPublicWhenItIsHealed(t *testing.T) {
	one, two, net := open(t, ""), open(t, t.TempDir()), newNetwork(t)
	b := noise(98, 3<<20)
	want := importFile(t, one, b)
	importFile(t, two, b)
	spoil(t, two, want, 1<<20)
	if err := two.Verify(t.Context(), want.Root); err == nil {
		t.Fatal("it is not broken")
	}
	net.add("a", claims(t, one, datanet))
	f := fetcher(t, two, net, func(c *shardstream.Config) {
		c.Believe = func(context.Context, cid.Cid, cid.Cid) bool { t.Error("listened to"); return true }
	})
	if _, err := f.Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); err != nil {
		t.Fatal(err)
	}
	if _, private := two.Private(want.Root); private || !two.Shown(want.Root) {
		t.Fatal("hidden")
	}
}

func TestAMarkGoesFromWhatIsNotSealed(t *testing.T) {
	one, two, net := open(t, ""), open(t, ""), newNetwork(t)
	proved, plain := importFile(t, one, noise(99, 2<<20)), importFile(t, one, noise(100, 2<<20))
	net.add("a", claims(t, one, datanet))
	f := fetcher(t, two, net, func(c *shardstream.Config) {
		c.Sealed = func(_ context.Context, root, of cid.Cid) bool {
			if _, err := two.Stat(t.Context(), root); err != nil || !of.Equals(datanet) {
				t.Errorf("looked at before it came: %v", err)
			}
			return root.Equals(proved.Root)
		}
	})
	for _, sh := range []storage.Shard{proved, plain} {
		if _, err := f.Fetch(t.Context(), shardstream.Want{Root: sh.Root}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := two.PrivateShards(); len(got) != 1 || !got[0].Equals(proved.Root) {
		t.Fatalf("marked are %s", got)
	}
}

func TestACredentialIsForOneShardOfOneStreamAndCanBeTakenBack(t *testing.T) {
	one := open(t, "")
	secret, other := importFile(t, one, noise(93, 2<<20)), importFile(t, one, noise(94, 2<<20))
	for _, sh := range []storage.Shard{secret, other} {
		if err := one.SetPrivate(t.Context(), sh.Root, datanet); err != nil {
			t.Fatal(err)
		}
	}
	var pass atomic.Pointer[[]byte]
	pass.Store(&[]byte{7})
	v := guarded(t, one, &pass)
	c, _ := talk(t, v, "x")
	refused := func(root cid.Cid, of storage.Shard, want error) {
		t.Helper()
		if _, err := shardstream.Prove(t.Context(), c, root, of.Piece, 0, time.Second); !errors.Is(err, want) {
			t.Fatalf("%v, want %v", err, want)
		}
	}
	refused(secret.Root, secret, shardstream.ErrRefused)
	if err := show(t, c, secret, []byte{7}); err != 0 {
		t.Fatal(err)
	}
	refused(secret.Root, secret, nil)
	refused(cid.Undef, secret, nil)
	refused(other.Root, other, shardstream.ErrRefused)
	pass.Store(&[]byte{8})
	refused(secret.Root, secret, shardstream.ErrRefused)
	if err := show(t, c, secret, []byte{7}); err != 2 {
		t.Fatal(err)
	}
	pass.Store(&[]byte{7})
	c2, _ := talk(t, v, "x")
	if _, err := shardstream.Prove(t.Context(), c2, secret.Root, piece.Hash{}, 0, time.Second); !errors.Is(err, shardstream.ErrRefused) {
		t.Fatal("another stream is let in", err)
	}
}

func TestCredentialsWithoutEndEndTheStream(t *testing.T) {
	one := open(t, "")
	secret := importFile(t, one, noise(95, 100))
	if err := one.SetPrivate(t.Context(), secret.Root, datanet); err != nil {
		t.Fatal(err)
	}
	var pass atomic.Pointer[[]byte]
	pass.Store(&[]byte{7})
	for name, send := range map[string]func(c *conn) error{
		"many": func(c *conn) error {
			for range 8 {
				if err := show(t, c, secret, []byte{6}); err != 2 {
					t.Fatal(err)
				}
			}
			return c.Send(request(t, 4, secret, 0, 1)) // its end does not wait for the credential
		},
		"shorter than said": func(c *conn) error { return errors.Join(c.Send(request(t, 4, secret, 0, 9)), c.Send([]byte{6})) },
		"longer than said":  func(c *conn) error { return errors.Join(c.Send(request(t, 4, secret, 0, 1)), c.Send([]byte{6, 6})) },
		"huge":              func(c *conn) error { return c.Send(request(t, 4, secret, 0, 1<<40)) },
		"empty":             func(c *conn) error { return c.Send(request(t, 4, secret, 0, 0)) },
		"for no shard":      func(c *conn) error { return c.Send(encode(t, wireRequest{Op: 4, Piece: common.Hash{1}, Count: 1})) },
	} {
		c, ended := talk(t, guarded(t, one, &pass), "x")
		if err := send(c); err != nil {
			t.Fatal(name, err)
		}
		if err := <-ended; err == nil {
			t.Errorf("%s: it goes on", name)
		}
	}
}

// show sends a credential and returns the status.
func show(t testing.TB, c *conn, sh storage.Shard, b []byte) uint8 {
	t.Helper()
	if err := errors.Join(c.Send(request(t, 4, sh, 0, uint64(len(b)))), c.Send(b)); err != nil {
		t.Fatal(err)
	}
	m, err := c.Recv(100)
	if err != nil {
		t.Fatal(err)
	}
	var a wireAnswer
	if err := protocol.Decode(m, &a); err != nil {
		t.Fatal(err)
	}
	return a.Status
}

func TestWhoLostWhoseAShardIsDoesNotSayThatItIsPublic(t *testing.T) {
	dir := t.TempDir()
	one := open(t, dir)
	want := importFile(t, one, noise(101, 1<<20))
	if err := errors.Join(one.SetPrivate(t.Context(), want.Root, datanet), one.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "meta", "MANIFEST")); err != nil {
		t.Fatal(err)
	}
	one = open(t, dir)
	if of, private := one.Private(want.Root); !private || of.Defined() {
		t.Fatalf("private %t, of %s", private, of)
	}
	net := newNetwork(t)
	net.add("a", server(t, one).Serve)
	f := fetcher(t, open(t, ""), net)
	if _, err := f.Fetch(t.Context(), shardstream.Want{Root: want.Root}, nil); !errors.Is(err, shardstream.ErrRefused) {
		t.Fatal(err)
	}
}
