package p2p

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/boxo/blockstore"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	"github.com/prometheus/client_golang/prometheus"
)

// ErrConfig is the class of every error of Validate.
var ErrConfig = errors.New("p2p: config")

// Config is everything that a Host depends on.
type Config struct {
	// Key is the node's one key, on curve secp256k1. Required.
	Key *ecdsa.PrivateKey
	// Network names the network, for example "devnet-1a2b3c4d": a name, a dash,
	// and eight hex digits that commit to chain and contracts. Required.
	Network string
	// Listen has the multiaddrs to bind, TCP or QUIC v1. Port 0 takes a free
	// one. None means both transports on free ports of the loopback address.
	Listen []string
	// Bootstrap are the peers to join through. None makes a node that others join.
	Bootstrap []peer.AddrInfo
	// Profile fits limits and behaviour to where the node runs. Required.
	Profile Profile
	// Topics are the names that Join accepts and whose subscribers are
	// remembered, at most 64. Subscriptions of peers to anything else are
	// dropped, which is why the list is known before the first peer connects.
	Topics []string
	// DataDir keeps the provided roots between runs; one process at a time.
	// Empty keeps them in memory.
	DataDir string
	// Logger takes what an operator should know. Nil discards it.
	Logger *slog.Logger
	// Registry takes the metrics of this host; two hosts need two. May be nil.
	Registry prometheus.Registerer
	// Blocks is what bitswap serves from and checks against. Nil means that the
	// host has no Exchange. The host never closes it.
	Blocks blockstore.Blockstore

	options []libp2p.Option // a simulated network, in tests
}

// Profile is where a node runs.
type Profile string

// The profiles. Both make every node a DHT server and advertise private addresses.
const (
	// ProfileLAN is a devnet or a trusted local network: tens of nodes.
	ProfileLAN Profile = "lan"
	// ProfileTest is ProfileLAN with small limits and short intervals.
	ProfileTest Profile = "test"
)

const maxTopics = 64

var (
	networkName  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?-[0-9a-f]{8}$`)
	protocolName = regexp.MustCompile(`^[a-z0-9]([a-z0-9./-]{0,62}[a-z0-9])?$`)
)

// Validate says what is wrong with c and what to do.
func (c Config) Validate() error {
	if c.Key == nil {
		return fmt.Errorf("%w: no key: give the node's secp256k1 key", ErrConfig)
	}
	if c.Key.Curve == nil || c.Key.Curve.Params().Name != crypto.S256().Params().Name || c.Key.D == nil { //nolint:staticcheck // asked only whether it is set; PrivateKey.Bytes knows no secp256k1
		return fmt.Errorf("%w: the key is not on curve secp256k1: peers could not map it to an address", ErrConfig)
	}
	if !networkName.MatchString(c.Network) {
		return fmt.Errorf("%w: network %q: want a name, a dash and eight hex digits, like devnet-1a2b3c4d", ErrConfig, c.Network)
	}
	if c.Profile != ProfileLAN && c.Profile != ProfileTest {
		return fmt.Errorf("%w: profile %q: want %q or %q", ErrConfig, c.Profile, ProfileLAN, ProfileTest)
	}
	if len(c.Topics) > maxTopics {
		return fmt.Errorf("%w: %d topics of at most %d", ErrConfig, len(c.Topics), maxTopics)
	}
	for _, t := range c.Topics {
		if !protocolName.MatchString(t) {
			return fmt.Errorf("%w: topic %q: want lower-case letters, digits, dots, dashes and slashes", ErrConfig, t)
		}
	}
	for _, b := range c.Bootstrap {
		if _, err := AddressOf(b.ID); err != nil {
			return fmt.Errorf("%w: bootstrap peer: %w", ErrConfig, err)
		}
	}
	_, err := c.listen()
	return err
}

// listen parses the addresses to bind and refuses transports that we do not run.
func (c Config) listen() ([]multiaddr.Multiaddr, error) {
	texts := c.Listen
	if len(texts) == 0 {
		texts = []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"}
	}
	out := make([]multiaddr.Multiaddr, 0, len(texts))
	for _, s := range texts {
		a, err := multiaddr.NewMultiaddr(s)
		if err != nil {
			return nil, fmt.Errorf("%w: listen address %q: %w", ErrConfig, s, err)
		}
		var codes []int
		for _, p := range a.Protocols() {
			codes = append(codes, p.Code)
		}
		ip := len(codes) > 0 && (codes[0] == multiaddr.P_IP4 || codes[0] == multiaddr.P_IP6)
		if !ip || !slices.Equal(codes[1:], []int{multiaddr.P_TCP}) && !slices.Equal(codes[1:], []int{multiaddr.P_UDP, multiaddr.P_QUIC_V1}) {
			return nil, fmt.Errorf("%w: listen address %q: want /ip4/…/tcp/… or /ip4/…/udp/…/quic-v1", ErrConfig, s)
		}
		out = append(out, a)
	}
	return out, nil
}
