package join

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"tally/chainclient/watch"
	"tally/compute/market"
	"tally/compute/market/markettest"
	"tally/node/view"
	"tally/p2p"
	"tally/protocol"
	"tally/rewards/ledger"
	"tally/storage"
)

// pair is two real nodes' hosts and stores, connected on loopback, and a chain
// on which both are registered.
type pair struct {
	keys    [2]*ecdsa.PrivateKey
	hosts   [2]*p2p.Host
	stores  [2]Store
	streams [2]Streams
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{}
	for i := range p.keys {
		k, err := crypto.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		p.keys[i] = k
	}
	v := view.New(func(l types.Log) (protocol.Fact, bool, error) {
		k := p.keys[l.Index]
		return protocol.Fact{Event: protocol.NodeRegistered{Node: crypto.PubkeyToAddress(k.PublicKey), Key: crypto.CompressPubkey(&k.PublicKey)}}, true, nil
	})
	if err := v.Apply(t.Context(), watch.Block{Header: watch.Header{Number: 1, Time: 5}, Logs: []types.Log{{Index: 0}, {Index: 1}}}); err != nil {
		t.Fatal(err)
	}
	for i := range p.hosts {
		s := openStore(t)
		h, err := p2p.Listen(t.Context(), p2p.Config{Key: p.keys[i], Network: "test-00000001", Profile: p2p.ProfileTest, Blocks: s.S.Blockstore()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { h.Close() })
		x, err := h.Exchange()
		if err != nil {
			t.Fatal(err)
		}
		p.hosts[i], p.stores[i], p.streams[i] = h, Store{S: s.S.WithNetwork(x, nil)}, Streams{h, v}
	}
	if err := p.hosts[0].Connect(t.Context(), peer.AddrInfo{ID: p.hosts[1].ID(), Addrs: bare(p.hosts[1])}); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pair) account(i int) common.Address { return crypto.PubkeyToAddress(p.keys[i].PublicKey) }

func TestStreamsKeepTheMarketsContract(t *testing.T) {
	p := newPair(t)
	n := 0
	markettest.ConnContract(t, func(t *testing.T) (a, b market.Conn) {
		t.Helper()
		n++
		name := fmt.Sprintf("job%d", n)
		far := make(chan market.Conn, 1)
		release := make(chan struct{})
		t.Cleanup(func() { close(release) })
		err := p.streams[1].Handle(name, func(_ context.Context, c market.Conn) error {
			far <- c
			<-release
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		a, err = p.streams[0].Open(ctx, p.account(1), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Send([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		b = <-far
		if m, err := b.Recv(16); err != nil || string(m) != "hello" {
			t.Fatalf("%q %v", m, err)
		}
		if a.Remote() != p.account(1) || b.Remote() != p.account(0) {
			t.Fatalf("the ends are %s and %s", a.Remote(), b.Remote())
		}
		return a, b
	})
}

func TestStoresKeepTheMarketsContract(t *testing.T) {
	p := newPair(t)
	markettest.StoreContract(t, p.stores[0], p.stores[1])
}

func TestLedgerKeepsTheMarketsContract(t *testing.T) {
	n := protocol.Network{Name: "test", ChainID: 1, Token: common.Address{1}, Registry: common.Address{2}, Vault: common.Address{3}, Ledger: common.Address{4}, Possession: common.Address{5}}
	l, err := ledger.Open("", n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	markettest.LedgerContract(t, n, l, func() (count int) {
		for e, err := range l.Receipts(ledger.Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Cosigned {
				count++
			}
		}
		return count
	})
}

func TestOneAnswerForOneRequest(t *testing.T) {
	p := newPair(t)
	err := p.streams[1].Answer("echo", 8, func(_ context.Context, from common.Address, b []byte) ([]byte, error) {
		return append(from.Bytes()[:1], b...), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.streams[0].Call(t.Context(), p.account(1), "echo", []byte("12345678"), 16)
	if err != nil || string(got) != string(p.account(0).Bytes()[:1])+"12345678" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := p.streams[0].Call(t.Context(), p.account(1), "echo", []byte("123456789"), 16); err == nil {
		t.Error("a request over the bound was answered")
	}
	if _, err := p.streams[0].Call(t.Context(), common.Address{9}, "echo", nil, 16); err == nil {
		t.Error("an account without a node answered")
	}
}

func TestFlippedBitOnTheServersDiskNeverArrives(t *testing.T) {
	p := newPair(t)
	sh, err := p.stores[0].Import(t.Context(), &letters{n: 3 << 20}, "test")
	if err != nil {
		t.Fatal(err)
	}
	flip(t, p.stores[0].S, sh)
	_, err = p.stores[1].S.Fetch(t.Context(), sh.Root, nil, storage.Stall(3*time.Second))
	if err == nil {
		t.Fatal("a block with a flipped bit arrived")
	}
	t.Log(err)
	if _, err := p.stores[1].S.Stat(t.Context(), sh.Root); err == nil {
		t.Error("the broken shard is held")
	}
	h, err := p.stores[0].S.Health(t.Context())
	if err != nil || h.Sound() {
		t.Errorf("the server does not know of its broken block: %+v, %v", h, err)
	}
}

// bare are a host's addresses without the peer.
func bare(h *p2p.Host) []multiaddr.Multiaddr {
	var out []multiaddr.Multiaddr
	for _, a := range h.Addrs() {
		t, _ := peer.SplitAddr(a)
		out = append(out, t)
	}
	return out
}

// letters is n bytes of changing text.
type letters struct{ n, at int }

func (l *letters) Read(b []byte) (int, error) {
	if l.at >= l.n {
		return 0, io.EOF
	}
	b = b[:min(len(b), l.n-l.at)]
	for i := range b {
		b[i] = 'a' + byte((l.at+i)*(l.at+i)/977%26)
	}
	l.at += len(b)
	return len(b), nil
}

// flip changes one bit in the middle of a shard's file.
func flip(t *testing.T, s *storage.Store, sh storage.Shard) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.Dir(), "shards", "*"+sh.Root.String()+"*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	f, err := os.OpenFile(files[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	at := int64(sh.Size / 2)
	if _, err := f.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 4
	if _, err := f.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
}
