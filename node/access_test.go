package node

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/chainclient"
	"tally/chainclient/watch"
	"tally/node/datanet"
	"tally/node/datanet/readers"
	"tally/node/gateway"
	"tally/node/home"
	"tally/node/join"
	"tally/node/view"
	"tally/p2p"
	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage"
	"tally/storage/sealed"
	"tally/storage/shardstream"
)

// dated is a chain on which everything was committed in block 1.
type dated struct{}

func (dated) Commit(context.Context, common.Hash) (uint64, error)                { return 1, nil }
func (dated) Committed(common.Address, common.Hash) (uint64, bool)               { return 1, true }
func (dated) Await(context.Context, common.Address, common.Hash) (uint64, error) { return 1, nil }

// accessNode opens the parts of a node that shards and datanets need, as open does.
func accessNode(t *testing.T, h *home.Home, v *view.View) *Node {
	t.Helper()
	n := &Node{
		home: h, log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})), me: h.Address(), view: v,
		book: chainclient.Book{Network: protocol.Network{
			Name: "access", ChainID: 1, Token: common.Address{1}, Registry: common.Address{2}, Vault: common.Address{3}, Ledger: common.Address{4}, Possession: common.Address{5},
		}},
	}
	t.Cleanup(func() { _ = n.shut() })
	for _, step := range []func(context.Context) error{n.openStorage, n.openNetwork} {
		if err := step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	n.datanets = datanet.New(datanet.Config{
		Network: n.book.Network, Key: h.Key, Documents: n.store, Shards: shardStore{n.store}, Data: shardStore{n.store}, Peers: n.streams,
		Chain: dated{}, DB: n.db, Now: func() uint64 { return 1 }, Temp: t.TempDir(), Logger: n.log, Privacy: n.store.S,
	})
	err := errors.Join(join.Shards{Host: n.host}.Serve(n.serving), n.streams.Answer(datanet.Protocol, datanet.MaxRequest, n.datanets.Serve))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// shut closes a node once.
func (n *Node) shut() error {
	defer func() { n.closers = nil }()
	return n.close()
}

// accessTown is nodes on loopback, each connected to each, and registered with these classes.
func accessTown(t *testing.T, classes ...string) []*Node {
	t.Helper()
	var homes []*home.Home
	for range classes {
		h, err := home.Init(t.TempDir(), home.Config{Network: "access", Profile: p2p.ProfileTest, Floor: -1, Gateway: home.Off}, nil)
		if err != nil {
			t.Fatal(err)
		}
		homes = append(homes, h)
	}
	v := view.New(func(l types.Log) (protocol.Fact, bool, error) {
		h := homes[l.Index]
		return protocol.Fact{Event: protocol.NodeRegistered{Node: h.Address(), Key: crypto.CompressPubkey(&h.Key.PublicKey), Classes: []string{classes[l.Index]}}}, true, nil
	})
	b := watch.Block{Header: watch.Header{Number: 1, Time: 5}}
	for i := range homes {
		b.Logs = append(b.Logs, types.Log{Index: uint(i)})
	}
	if err := v.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	var out []*Node
	for _, h := range homes {
		n := accessNode(t, h, v)
		for _, o := range out {
			meet(t, n, o)
		}
		out = append(out, n)
	}
	return out
}

func meet(t *testing.T, a, b *Node) {
	t.Helper()
	for _, at := range b.host.Addrs() {
		info, err := peer.AddrInfoFromP2pAddr(at)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.host.Connect(t.Context(), *info); err != nil {
			t.Fatal(err)
		}
	}
}

// fetchByStream gets a shard by stream alone, from one holder or from whoever is connected.
func (n *Node) fetchByStream(t *testing.T, root cid.Cid, from ...*Node) error {
	t.Helper()
	f, err := shardstream.NewFetcher(shardstream.Config{
		Store: n.store.S, Network: join.Shards{Host: n.host}, Credential: n.grantFor, Believe: n.believePrivate, Sealed: n.canBePrivate, NoBlocks: true, Logger: n.log,
	})
	if err != nil {
		t.Fatal(err)
	}
	w := shardstream.Want{Root: root}
	for _, o := range from {
		w.From = append(w.From, o.host.ID())
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = f.Fetch(ctx, w, nil)
	return err
}

// outside says whether a block is given to anybody by bitswap and by the gateway of holders, which must agree.
func outside(t *testing.T, stranger *Node, c cid.Cid, holders ...*Node) bool {
	t.Helper()
	found := 0
	for _, o := range holders {
		h, err := gateway.Handler(gateway.Config{Blocks: o.store.S.Blockstore()})
		if err != nil {
			t.Fatal(err)
		}
		block, err := o.store.S.GetBlock(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		for _, as := range []string{"raw", "car"} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/ipfs/"+c.String()+"?format="+as, nil))
			if bytes.Contains(w.Body.Bytes(), block) {
				found++
			}
		}
	}
	if found != 0 && found != 2*len(holders) {
		t.Fatalf("%s: %d of %d answers of gateways have it", c, found, 2*len(holders))
	}
	x, err := stranger.host.Exchange()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	if found == 0 {
		ctx, cancel = context.WithTimeout(t.Context(), time.Second) // a refusal is silence
	}
	defer cancel()
	_, err = x.GetBlock(ctx, c)
	if (err == nil) != (found > 0) {
		t.Fatalf("%s: gateways give it: %t; bitswap: %v", c, found > 0, err)
	}
	return found > 0
}

func TestAPrivateShardGoesToReadersAndPinnersAlone(t *testing.T) {
	town := accessTown(t, "none/1", home.ClassPin, "none/1", "none/1", home.ClassAudit)
	owner, pinner, reader, stranger, auditor := town[0], town[1], town[2], town[3], town[4]
	ctx := t.Context()
	v, err := owner.datanets.Create(ctx, datanet.Draft{Name: "letters", Licence: "MIT", Private: true})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for r := rand.New(rand.NewPCG(1, 2)); text.Len() < 5<<20; {
		text.WriteString("line ")
		text.WriteByte('a' + byte(r.IntN(26)))
	}
	added, err := owner.datanets.Add(ctx, v.CID, strings.NewReader(text.String()), datanet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	secret := added.Shards[0].Root
	public := halfOf(t, owner, secret)

	// A stranger gets the public shard, which has blocks of the private one in it, and nothing else.
	if !outside(t, stranger, public.Root, owner) {
		t.Fatal("the public shard is not given")
	}
	if outside(t, stranger, secret, owner) {
		t.Fatal("the private shard is given")
	}
	if err := stranger.fetchByStream(t, secret, owner); !errors.Is(err, shardstream.ErrRefused) {
		t.Fatal(err)
	}
	if err := stranger.fetchByStream(t, public.Root, owner); err != nil {
		t.Fatal(err)
	}
	prove := func(n, at *Node) error {
		c, err := join.Shards{Host: n.host}.Open(ctx, at.host.ID())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Reset()
		_, err = shardstream.Prove(ctx, c, cid.Undef, piece.Hash(added.Shards[0].Piece), 3, 20*time.Second)
		return err
	}
	if err := prove(stranger, owner); !errors.Is(err, shardstream.ErrRefused) {
		t.Fatal("a stranger is shown a leaf", err)
	}
	if err := prove(auditor, owner); err != nil {
		t.Fatal("an auditor", err)
	}

	// A pinner that knows only the root replicates it, and hides it too, also after a restart.
	if err := pinner.fetchByStream(t, secret); err != nil {
		t.Fatal(err)
	}
	if err := pinner.store.S.Pin(ctx, secret, storage.PinInfo{Why: "test"}); err != nil {
		t.Fatal(err)
	}
	hides := func(when string) {
		t.Helper()
		if of, private := pinner.store.S.Private(secret); !private || !of.Equals(v.Origin) {
			t.Fatalf("%s: private %t, of %s", when, private, of)
		}
		if outside(t, stranger, secret, pinner, owner) {
			t.Fatalf("%s: it is given", when)
		}
		if err := stranger.fetchByStream(t, secret, pinner, owner); !errors.Is(err, shardstream.ErrRefused) {
			t.Fatal(when, err)
		}
	}
	hides("replicated")
	if err := pinner.shut(); err != nil {
		t.Fatal(err)
	}
	pinner = accessNode(t, pinner.home, pinner.view)
	for _, o := range []*Node{owner, reader, stranger} {
		meet(t, pinner, o)
	}
	hides("restarted")

	// Who was granted it reads it from the pinner, when the owner has gone.
	if err := reader.fetchByStream(t, secret); !errors.Is(err, shardstream.ErrRefused) {
		t.Fatal("before the grant", err)
	}
	g, err := owner.datanets.Grant(ctx, v.CID, reader.me.Hex())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.datanets.AcceptGrant(ctx, g.Bytes()); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.datanets.Head(ctx, v.CID); err != nil {
		t.Fatal(err)
	}
	if err := owner.shut(); err != nil {
		t.Fatal(err)
	}
	f, err := reader.datanets.Open(ctx, added.Version, secret)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := io.ReadAll(f)
	if err != nil || string(got) != text.String() {
		t.Fatalf("%d bytes of %d, %v", len(got), text.Len(), err)
	}
	// What rots with the reader is healed from the pinner.
	flipByte(t, reader.store.S, secret)
	if err := reader.store.S.Verify(ctx, secret); err == nil {
		t.Fatal("it is not broken")
	}
	if err := (repairer{reader.store}).Repair(ctx, secret); err != nil {
		t.Fatal(err)
	}
	if err := reader.store.S.Verify(ctx, secret); err != nil {
		t.Fatal(err)
	}
	if outside(t, stranger, secret, pinner, reader) {
		t.Fatal("the reader gives it to everybody")
	}
}

// flipByte changes one byte of a shard on disk.
func flipByte(t *testing.T, s *storage.Store, root cid.Cid) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(s.Dir(), "shards", root.String()+".car"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], 3<<20); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b[:], 3<<20); err != nil {
		t.Fatal(err)
	}
}

// halfOf imports a part of a shard's ciphertext as a public shard.
func halfOf(t *testing.T, n *Node, root cid.Cid) storage.Shard {
	t.Helper()
	f, err := n.store.S.OpenFile(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 2<<20)
	if _, err := io.ReadFull(f, b); err != nil {
		t.Fatal(err)
	}
	sh, err := n.store.S.ImportFile(t.Context(), bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return sh
}

func TestTheLargestGrantIsNoLargerThanAStreamTakes(t *testing.T) {
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	me, err := sealed.ReaderIdentity(key)
	if err != nil {
		t.Fatal(err)
	}
	g := protocol.Grant{
		Datanet: protocol.CIDOf(nil), Owner: crypto.PubkeyToAddress(key.PublicKey), Account: common.Address{1}, Recipient: me.Recipient(), Created: 1 << 40,
	}
	for range readers.MaxKeys {
		b, err := sealed.Grant(me, me.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		g.Keys = append(g.Keys, protocol.GrantedKey{Reader: me.Recipient(), Wrapped: b})
	}
	signed, err := protocol.Sign(protocol.Network{Name: "access", ChainID: 1, Registry: common.Address{2}}, key, g)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(signed.Bytes()); n > shardstream.MaxCredential || n < shardstream.MaxCredential/4 {
		t.Errorf("%d bytes, a stream takes %d", n, shardstream.MaxCredential)
	}
}
