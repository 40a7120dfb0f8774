package p2p

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/libp2p/go-libp2p"
	lcrypto "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	"github.com/prometheus/client_golang/prometheus"
)

const testNetwork = "test-1a2b3c4d"

var transports = map[string]string{
	"tcp":  "/ip4/127.0.0.1/tcp/0",
	"quic": "/ip4/127.0.0.1/udp/0/quic-v1",
}

// config is a valid configuration that tests change.
func config(t testing.TB) Config {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	return Config{Key: key, Network: testNetwork, Profile: ProfileTest, Logger: log}
}

func listen(t testing.TB, change ...func(*Config)) *Host {
	t.Helper()
	c := config(t)
	for _, f := range change {
		f(&c)
	}
	h, err := Listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func on(transport string) func(*Config) {
	return func(c *Config) { c.Listen = []string{transports[transport]} }
}

func info(h *Host) peer.AddrInfo { return peer.AddrInfo{ID: h.ID(), Addrs: h.host.Addrs()} }

func connect(t testing.TB, from, to *Host) {
	t.Helper()
	if err := from.Connect(t.Context(), info(to)); err != nil {
		t.Fatal(err)
	}
}

// within bounds a test that would otherwise hang.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// stranger is a libp2p host that is no node of ours.
func stranger(t testing.TB, kind int) host.Host {
	t.Helper()
	key, _, err := lcrypto.GenerateKeyPairWithReader(kind, 0, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h, err := libp2p.New(libp2p.Identity(key), libp2p.DisableMetrics(), libp2p.ListenAddrStrings(transports["tcp"], transports["quic"]))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func TestHostsConnectOverEachTransport(t *testing.T) {
	for name := range transports {
		t.Run(name, func(t *testing.T) {
			a, b := listen(t, on(name)), listen(t, on(name))
			connect(t, a, b)
			if got := a.Peers(); len(got) != 1 || got[0] != b.ID() {
				t.Fatalf("peers of a: %v", got)
			}
			if err := b.Connect(t.Context(), info(a)); err != nil { // waits for its own half of the hello
				t.Fatal(err)
			}
			if got := b.Peers(); len(got) != 1 || got[0] != a.ID() {
				t.Fatalf("peers of b: %v", got)
			}
		})
	}
}

func TestAddressesCanBeDialedAsTheyArePrinted(t *testing.T) {
	a, b := listen(t), listen(t)
	if len(a.Addrs()) != 2 {
		t.Fatalf("addresses %v, want one of each transport", a.Addrs())
	}
	for _, addr := range a.Addrs() {
		p, err := peer.AddrInfoFromString(addr.String())
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Connect(t.Context(), *p); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTCPIsPreferredAndQUICWillDo(t *testing.T) {
	a, b := listen(t), listen(t)
	connect(t, a, b)
	for _, c := range a.host.Network().Conns() {
		if _, err := c.RemoteMultiaddr().ValueForProtocol(multiaddr.P_TCP); err != nil {
			t.Errorf("connected over %s", c.RemoteMultiaddr())
		}
	}
	// A TCP address that nobody answers, and a QUIC address that works.
	gone := listen(t, on("tcp"))
	dead := gone.host.Addrs()
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	quic := listen(t, on("quic"))
	p := info(quic)
	p.Addrs = append(p.Addrs, dead...)
	if err := a.Connect(within(t, 30*time.Second), p); err != nil {
		t.Error(err)
	}
}

func TestOneKeyIsPeerAndAddress(t *testing.T) {
	c := config(t)
	h, err := Listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	want := crypto.PubkeyToAddress(c.Key.PublicKey)
	got, err := AddressOf(h.ID())
	if err != nil || got != want || h.Address() != want {
		t.Fatalf("%s and %s, want %s (%v)", got, h.Address(), want, err)
	}
	id, err := PeerOf(crypto.CompressPubkey(&c.Key.PublicKey))
	if err != nil || id != h.ID() {
		t.Fatalf("%s, want %s (%v)", id, h.ID(), err)
	}
}

func TestKeysThatAreNotOursAreRefused(t *testing.T) {
	for _, key := range [][]byte{nil, make([]byte, 33), make([]byte, 65), append([]byte{5}, make([]byte, 32)...)} {
		if _, err := PeerOf(key); !errors.Is(err, ErrIdentity) {
			t.Errorf("key %x: %v", key, err)
		}
	}
	for _, id := range []peer.ID{"", "nonsense"} {
		if _, err := AddressOf(id); !errors.Is(err, ErrIdentity) {
			t.Errorf("peer %q: %v", string(id), err)
		}
	}
}

func FuzzPeerOf(f *testing.F) {
	key, err := crypto.GenerateKey()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(crypto.CompressPubkey(&key.PublicKey))
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := PeerOf(b)
		if err != nil {
			return
		}
		if _, err := AddressOf(id); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzAddressOf(f *testing.F) {
	f.Add("nonsense")
	f.Fuzz(func(_ *testing.T, id string) { _, _ = AddressOf(peer.ID(id)) })
}

func TestAnotherNetworkIsRefusedOnBothSides(t *testing.T) {
	for name := range transports {
		t.Run(name, func(t *testing.T) {
			a := listen(t, on(name))
			b := listen(t, on(name), func(c *Config) { c.Network = "other-99999999" })
			err := a.Connect(within(t, 30*time.Second), info(b))
			if !errors.Is(err, ErrNetwork) || !strings.Contains(err.Error(), "other-99999999") || !strings.Contains(err.Error(), testNetwork) {
				t.Fatalf("the dialer learns %v", err)
			}
			if len(a.Peers()) != 0 || len(b.Peers()) != 0 {
				t.Fatal("a peer of another network counts as a peer")
			}
			if _, err := a.Open(within(t, 30*time.Second), b.ID(), "ask"); !errors.Is(err, ErrNetwork) {
				t.Fatalf("opening a stream: %v", err)
			}
		})
	}
}

func TestAPeerThatIsNoNodeIsRefused(t *testing.T) {
	h, s := listen(t), stranger(t, lcrypto.Secp256k1)
	err := h.Connect(within(t, 30*time.Second), peer.AddrInfo{ID: s.ID(), Addrs: s.Addrs()})
	if !errors.Is(err, ErrNetwork) {
		t.Fatal(err)
	}
}

func TestAnEd25519PeerIsRefused(t *testing.T) {
	h, s := listen(t), stranger(t, lcrypto.Ed25519)
	if err := h.Connect(t.Context(), peer.AddrInfo{ID: s.ID(), Addrs: s.Addrs()}); !errors.Is(err, ErrIdentity) {
		t.Fatalf("dialing it: %v", err)
	}
	for name, addr := range map[string]int{"tcp": 0, "quic": 1} {
		err := s.Connect(within(t, 30*time.Second), peer.AddrInfo{ID: h.ID(), Addrs: h.host.Addrs()[addr : addr+1]})
		if err != nil {
			continue
		}
		// QUIC tells the dialer after its own handshake: no stream gets through.
		if st, err := s.NewStream(within(t, 30*time.Second), h.ID(), helloProtocol); err == nil {
			if _, err = st.Read(make([]byte, 1)); err == nil {
				t.Errorf("%s: an ed25519 peer was served", name)
			}
		}
	}
	if len(h.Peers()) != 0 {
		t.Error("an ed25519 peer counts as a peer")
	}
}

func TestAPeerThatLiesInItsHelloIsRefused(t *testing.T) {
	h, s := listen(t), stranger(t, lcrypto.Secp256k1)
	for name, hello := range map[string]string{
		"an endless name":  strings.Repeat("\xff", 100),
		"control letters":  "\x08\x1b[2J",
		"an error instead": "\x05\x01x",
		"nothing":          "",
	} {
		gone := make(chan struct{}, 8)
		s.Network().Notify(&network.NotifyBundle{DisconnectedF: func(network.Network, network.Conn) { gone <- struct{}{} }})
		if err := s.Connect(t.Context(), peer.AddrInfo{ID: h.ID(), Addrs: h.host.Addrs()}); err != nil {
			t.Fatal(err)
		}
		st, err := s.NewStream(t.Context(), h.ID(), helloProtocol)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = st.Write([]byte(hello))
		_ = st.CloseWrite()
		select {
		case <-gone:
		case <-within(t, 30*time.Second).Done():
			t.Errorf("%s: still connected", name)
		}
	}
}

func TestAnOccupiedPortSaysWhatToDo(t *testing.T) {
	for name := range transports {
		t.Run(name, func(t *testing.T) {
			a := listen(t, on(name))
			taken := a.host.Addrs()[0].String()
			c := config(t)
			c.Listen = []string{transports["tcp"], taken}
			_, err := Listen(t.Context(), c)
			if !errors.Is(err, ErrAddressInUse) || !strings.Contains(err.Error(), taken) {
				t.Fatal(err)
			}
		})
	}
}

func TestClosedHostsSaySo(t *testing.T) {
	h, b := listen(t), listen(t)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.Connect(t.Context(), info(b)); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := h.Handle("x", Limits{}, nil); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestConfigSaysWhatIsWrong(t *testing.T) {
	ed := stranger(t, lcrypto.Ed25519).ID()
	for name, change := range map[string]func(*Config){
		"key": func(c *Config) { c.Key = nil },
		"curve": func(c *Config) {
			c.Key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		},
		"network":   func(c *Config) { c.Network = "devnet" },
		"profile":   func(c *Config) { c.Profile = "" },
		"topic":     func(c *Config) { c.Topics = []string{"Bad Topic"} },
		"topics":    func(c *Config) { c.Topics = make([]string, maxTopics+1) },
		"bootstrap": func(c *Config) { c.Bootstrap = []peer.AddrInfo{{ID: ed}} },
		"listen":    func(c *Config) { c.Listen = []string{"127.0.0.1:4001"} },
		"websocket": func(c *Config) { c.Listen = []string{"/ip4/127.0.0.1/tcp/0/ws"} },
		"name":      func(c *Config) { c.Listen = []string{"/dns4/example.org/tcp/1"} },
	} {
		c := config(t)
		change(&c)
		if _, err := Listen(t.Context(), c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEachHostHasARegistryOfItsOwn(t *testing.T) {
	registry := prometheus.NewRegistry()
	with := func(c *Config) { c.Registry = registry; c.Blocks = memory() }
	h := listen(t, with)
	connect(t, h, listen(t))
	c := config(t)
	with(&c)
	if other, err := Listen(t.Context(), c); err == nil {
		_ = other.Close()
		t.Error("two hosts share a registry")
	}
	got, err := registry.Gather()
	if err != nil || len(got) == 0 {
		t.Errorf("%d metrics: %v", len(got), err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	listen(t, with) // a restart within the process
}

func TestCallWaitsUntilItsDeadline(t *testing.T) {
	client, server := pair(t, "tcp")
	handle(t, server, "slow", Limits{}, func(ctx context.Context, _ peer.ID, _ *Stream) error {
		<-ctx.Done()
		return nil
	})
	ctx := within(t, time.Second)
	if _, err := client.Call(ctx, server.ID(), "slow", nil, 1); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrTimeout) {
		t.Fatal(err)
	}
}
