package shardstream_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage"
	"tally/storage/shardstream"
)

type wireRequest struct {
	Op    uint8
	Root  cid.Cid
	Piece common.Hash
	At    uint64
	Count uint64
}

// signing lets a server prove as an account.
func signing(t testing.TB) (func(*shardstream.ServerConfig), common.Address) {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	a := crypto.PubkeyToAddress(key.PublicKey)
	return func(c *shardstream.ServerConfig) {
		c.Node = a
		c.Sign = func(_ context.Context, m protocol.Retrieved) ([]byte, error) {
			s, err := protocol.Sign(testNetwork, key, m)
			return s.Bytes(), err
		}
	}, a
}

var testNetwork = protocol.Network{ChainID: 7, Possession: common.Address{1}}

func TestAHolderSignsForALeaf(t *testing.T) {
	one := open(t, "")
	want := importFile(t, one, noise(80, 3<<20))
	sign, node := signing(t)
	v := server(t, one, sign)
	here, there := pair()
	go func() {
		_ = v.Serve(t.Context(), shardstream.Asker{Peer: "x", Account: common.Address{9}}, there)
		there.Reset()
	}()
	defer here.Reset()
	leaves := piece.Leaves(want.Size)
	for _, leaf := range []uint64{0, 4097, leaves - 1} {
		for _, root := range []cid.Cid{want.Root, cid.Undef} {
			a, err := shardstream.Prove(t.Context(), here, root, want.Piece, leaf, 5*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Check(testNetwork, node, common.Address{9}, want.Piece, want.Size, leaf); err != nil {
				t.Fatal(err)
			}
			for name, err := range map[string]error{
				"another asker":   a.Check(testNetwork, node, common.Address{8}, want.Piece, want.Size, leaf),
				"another node":    a.Check(testNetwork, common.Address{8}, common.Address{9}, want.Piece, want.Size, leaf),
				"another leaf":    a.Check(testNetwork, node, common.Address{9}, want.Piece, want.Size, leaf^1),
				"another network": a.Check(protocol.Network{ChainID: 8}, node, common.Address{9}, want.Piece, want.Size, leaf),
			} {
				if !errors.Is(err, shardstream.ErrUnsigned) {
					t.Errorf("%s: %v", name, err)
				}
			}
			a.Proof.Leaf[0] ^= 1
			if err := a.Check(testNetwork, node, common.Address{9}, want.Piece, want.Size, leaf); !errors.Is(err, shardstream.ErrUnsigned) {
				t.Error("a leaf that was not signed for counts against the holder", err)
			}
		}
	}
	if _, err := shardstream.Prove(t.Context(), here, want.Root, piece.Hash{}, leaves, time.Second); !errors.Is(err, shardstream.ErrRange) {
		t.Fatal(err)
	}
	if _, err := shardstream.Prove(t.Context(), here, cid.Undef, piece.Hash{3}, 0, time.Second); !errors.Is(err, shardstream.ErrNotHeld) {
		t.Fatal(err)
	}
}

func TestASignedWrongLeafShowsItself(t *testing.T) {
	one, liar := open(t, ""), open(t, "")
	want, other := importFile(t, one, noise(81, 3<<20)), importFile(t, liar, noise(82, 3<<20))
	sign, node := signing(t)
	// It signs for the piece that it was asked for, with leaves of another.
	v := server(t, liar, sign, func(c *shardstream.ServerConfig) {
		inner := c.Sign
		c.Sign = func(ctx context.Context, m protocol.Retrieved) ([]byte, error) {
			m.Piece = common.Hash(want.Piece)
			return inner(ctx, m)
		}
	})
	here, there := pair()
	go func() {
		_ = v.Serve(t.Context(), shardstream.Asker{}, renamed{there, want, other})
		there.Reset()
	}()
	defer here.Reset()
	a, err := shardstream.Prove(t.Context(), here, want.Root, piece.Hash{}, 5, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Check(testNetwork, node, common.Address{}, want.Piece, want.Size, 5); !errors.Is(err, shardstream.ErrWrong) {
		t.Fatal(err)
	}
}

func TestAServerWithoutAKeyDoesNotProve(t *testing.T) {
	one := open(t, "")
	want := importFile(t, one, noise(83, 100))
	c, _ := talk(t, server(t, one), "x")
	if _, err := shardstream.Prove(t.Context(), c, want.Root, piece.Hash{}, 0, time.Second); !errors.Is(err, shardstream.ErrRefused) {
		t.Fatal(err)
	}
}

func TestPrivateShardsGoToReadersOnly(t *testing.T) {
	one, net := open(t, ""), newNetwork(t)
	secret, public := importFile(t, one, noise(84, 2<<20)), importFile(t, one, noise(85, 2<<20))
	sign, _ := signing(t)
	v := server(t, one, sign, func(c *shardstream.ServerConfig) {
		c.May = func(_ context.Context, a shardstream.Asker, root cid.Cid) error {
			if root.Equals(secret.Root) && a.Account != (common.Address{5}) {
				return errors.New("no grant")
			}
			return nil
		}
	})
	as := func(account common.Address) node {
		return func(ctx context.Context, a shardstream.Asker, c shardstream.Conn) error {
			a.Account = account
			return v.Serve(ctx, a, c)
		}
	}
	a := net.add("a", as(common.Address{6}))
	f := fetcher(t, open(t, ""), net)
	if _, err := f.Fetch(t.Context(), shardstream.Want{Root: secret.Root}, nil); !errors.Is(err, shardstream.ErrRefused) {
		t.Fatal(err)
	}
	if _, err := f.Fetch(t.Context(), shardstream.Want{Root: public.Root}, nil); err != nil {
		t.Fatal(err)
	}
	// Neither by its leaves, nor by a range without asking what it is, nor after a public one.
	c, _ := talk(t, v, "x")
	for _, root := range []cid.Cid{secret.Root, cid.Undef} {
		if _, err := shardstream.Prove(t.Context(), c, root, secret.Piece, 0, time.Second); !errors.Is(err, shardstream.ErrRefused) {
			t.Fatal(err)
		}
	}
	for _, sh := range []storage.Shard{public, secret} {
		if err := c.Send(request(t, 2, sh, 0, 100)); err != nil {
			t.Fatal(err)
		}
		b, err := c.Recv(100)
		if err != nil {
			t.Fatal(err)
		}
		var got wireAnswer
		if err := protocol.Decode(b, &got); err != nil || (got.Status == 0) != (sh == public) {
			t.Fatal(got, err)
		}
		if got.Status == 0 {
			if _, err := io.CopyN(io.Discard, c.Reader(), 100); err != nil {
				t.Fatal(err)
			}
		}
	}
	net.nodes[a] = as(common.Address{5})
	if got, err := f.Fetch(t.Context(), shardstream.Want{Root: secret.Root}, nil); err != nil || got != secret {
		t.Fatal(got, err)
	}
}

func TestACopyThatChangedOnDiskIsNotSignedFor(t *testing.T) {
	one := open(t, t.TempDir())
	want := importFile(t, one, noise(87, 3<<20))
	sign, _ := signing(t)
	c, _ := talk(t, server(t, one, sign), "x")
	spoil(t, one, want, 2<<20)
	leaf := uint64(2<<20) / piece.LeafSize
	if _, err := shardstream.Prove(t.Context(), c, want.Root, piece.Hash{}, leaf, time.Second); !errors.Is(err, shardstream.ErrBroken) {
		t.Fatal(err)
	}
}

func TestAPeerThatDoesNotReadIsHeldBackAndCostsOneBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := open(t, "")
		want := importFile(t, one, noise(88, 5<<20))
		c, ended := talk(t, server(t, one), "x")
		for range 200 {
			if err := c.Send(request(t, 2, want, 0, 4<<20)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait() // the server waits for the peer to read
		c.in.mu.Lock()
		sent := c.in.total
		c.in.mu.Unlock()
		if sent > window {
			t.Errorf("%d bytes were pushed at a peer that takes none", sent)
		}
		c.Reset()
		if err := <-ended; err == nil {
			t.Error("it served to the end")
		}
		_ = one.Close()
	})
}

func TestADamagedCopyIsServedAsFarAsItIsSoundAndNobodyIsBlamed(t *testing.T) {
	one, rotten, net := open(t, ""), open(t, t.TempDir()), newNetwork(t)
	b := noise(89, 9<<20)
	want := importFile(t, one, b)
	importFile(t, rotten, b)
	spoil(t, rotten, want, 5<<20)
	if err := rotten.Verify(t.Context(), want.Root); err == nil {
		t.Fatal("not found")
	}
	bad := net.add("rotten", server(t, rotten).Serve)
	var named blamed
	two := open(t, t.TempDir())
	w := shardstream.Want{Root: want.Root, Piece: want.Piece}
	var got uint64
	_, err := fetcher(t, two, net, named.into).Fetch(t.Context(), w, func(d, _ uint64) { got = d })
	if !errors.Is(err, shardstream.ErrNoSource) || !errors.Is(err, shardstream.ErrBroken) || got < 2<<20 {
		t.Fatal(got, err)
	}
	named.only(t)
	net.add("sound", server(t, one).Serve)
	if sh, err := fetcher(t, two, net, named.into).Fetch(t.Context(), w, nil); err != nil || sh != want {
		t.Fatal(sh, err)
	}
	named.only(t)
	if net.sent(bad) > 9<<20 {
		t.Fatal(net.sent(bad))
	}
}
