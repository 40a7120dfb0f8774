package p2p

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/boxo/bitswap"
	"github.com/libp2p/go-libp2p"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	lcrypto "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/multiformats/go-multiaddr"
)

var (
	// ErrAddressInUse says that another process holds an address of Config.Listen.
	ErrAddressInUse = errors.New("p2p: address in use: stop the process that holds it, or listen elsewhere")
	// ErrClosed is returned by a host after Close.
	ErrClosed = errors.New("p2p: host is closed")
	// ErrUnreachable says that no connection to a peer could be made.
	ErrUnreachable = errors.New("p2p: peer is unreachable")
)

const (
	userAgent   = "tally/0.1"
	dialTimeout = 15 * time.Second
)

// Host is a listening node. Close ends it.
type Host struct {
	host    host.Host
	network string
	prefix  string // "/tally/<network>"
	address common.Address
	log     *slog.Logger
	metrics *metrics
	greeter *greeter
	finder  *finder
	gossip  *pubsub.PubSub

	exchange   *bitswap.Bitswap // nil without Config.Blocks
	topicNames []string

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // handlers and loops of this host

	mu       sync.Mutex
	closed   bool                // guarded by mu
	handlers map[string]*handler // guarded by mu; by protocol name
}

// Listen binds the addresses of c and starts to join the network. It returns
// once the host can be dialed; joining goes on behind it. ctx bounds the start
// only. The caller owns the host and must Close it.
func Listen(ctx context.Context, c Config) (*Host, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	log := c.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	h := &Host{
		network:  c.Network,
		prefix:   "/tally/" + c.Network,
		address:  crypto.PubkeyToAddress(c.Key.PublicKey),
		log:      log,
		handlers: make(map[string]*handler),

		topicNames: slices.Clone(c.Topics),
	}
	h.ctx, h.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := h.start(ctx, c); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// start builds the parts in the order in which they need one another. What was
// built before an error is ended by Close.
func (h *Host) start(ctx context.Context, c Config) error {
	var err error
	if h.metrics, err = newMetrics(c.Registry); err != nil {
		return err
	}
	if h.host, err = newHost(c); err != nil {
		return err
	}
	h.greeter = newGreeter(h.ctx, h.host, h.network, h.log)
	p := c.Profile.limits()
	if h.finder, err = newFinder(h.host, h.prefix, c.DataDir, p, h.log); err != nil {
		return err
	}
	if h.gossip, err = newGossip(h.ctx, h.host, h.prefix, c, h.log); err != nil {
		return err
	}
	if c.Blocks != nil {
		h.exchange = newExchange(h.ctx, h.host, h.prefix, h.finder.dht, c.Blocks)
	}
	if err := h.bind(c); err != nil {
		return err
	}
	h.work.Go(func() { h.finder.run(h.ctx) })
	for _, b := range c.Bootstrap {
		if b.ID != h.ID() { // one list may serve all nodes
			h.work.Go(func() { h.join(h.ctx, b, p) })
		}
	}
	return ctx.Err()
}

// newHost makes a libp2p host that does not listen yet: nothing may be asked
// of it before every protocol has its handler.
func newHost(c Config) (host.Host, error) {
	key, err := hostKey(c.Key)
	if err != nil {
		return nil, err
	}
	p := c.Profile.limits()
	conns, err := connmgr.NewConnManager(p.connsLow, p.connsHigh, connmgr.WithGracePeriod(p.grace))
	if err != nil {
		return nil, fmt.Errorf("p2p: connection manager: %w", err)
	}
	resources, err := p.resources(c.Registry != nil)
	if err != nil {
		return nil, err
	}
	options := []libp2p.Option{
		libp2p.Identity(key),
		libp2p.NoListenAddrs,
		libp2p.UserAgent(userAgent),
		libp2p.ProtocolVersion("/tally/" + c.Network),
		libp2p.ConnectionGater(gater{}),
		libp2p.ConnectionManager(conns),
		libp2p.ResourceManager(resources),
		libp2p.DisableRelay(),
		libp2p.NonPublicAddrPublishing(true),
		libp2p.SwarmOpts(swarm.WithDialRanker(rankTCPFirst)),
		libp2p.Transport(libp2pquic.NewTransport),
	}
	if c.options == nil {
		// Without reuseport a second process cannot silently share our TCP port.
		options = append(options, libp2p.Transport(tcp.NewTCPTransport, tcp.DisableReuseport()))
	}
	if c.Registry == nil {
		options = append(options, libp2p.DisableMetrics())
	} else {
		options = append(options, libp2p.PrometheusRegisterer(c.Registry))
	}
	h, err := libp2p.New(append(options, c.options...)...)
	if err != nil {
		return nil, fmt.Errorf("p2p: host: %w", err)
	}
	return h, nil
}

// rankTCPFirst tries TCP, and QUIC a moment later or where there is no TCP: on
// links without loss TCP moves the same bytes with half the work.
func rankTCPFirst(addrs []multiaddr.Multiaddr) []network.AddrDelay {
	isTCP := func(a multiaddr.Multiaddr) bool {
		_, err := a.ValueForProtocol(multiaddr.P_TCP)
		return err == nil
	}
	later := time.Duration(0)
	if slices.ContainsFunc(addrs, isTCP) {
		later = 250 * time.Millisecond
	}
	out := make([]network.AddrDelay, 0, len(addrs))
	for _, a := range addrs {
		d := network.AddrDelay{Addr: a, Delay: later}
		if isTCP(a) {
			d.Delay = 0
		}
		out = append(out, d)
	}
	return out
}

func hostKey(k *ecdsa.PrivateKey) (lcrypto.PrivKey, error) {
	key, err := lcrypto.UnmarshalSecp256k1PrivateKey(crypto.FromECDSA(k))
	if err != nil {
		return nil, fmt.Errorf("p2p: key: %w", err)
	}
	return key, nil
}

// bind listens on every address; one that cannot be had is an error, where
// libp2p itself would be content with any.
func (h *Host) bind(c Config) error {
	addrs, err := c.listen()
	if err != nil {
		return err
	}
	// The swarm's Listen reports in words only, and is content with any success.
	swarm, ok := h.host.Network().(interface {
		AddListenAddr(multiaddr.Multiaddr) error
	})
	if !ok {
		return errors.New("p2p: this libp2p network cannot listen")
	}
	for _, a := range addrs {
		err := swarm.AddListenAddr(a)
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("%w: %s: %w", ErrAddressInUse, a, err)
		}
		if err != nil {
			return fmt.Errorf("p2p: listen on %s: %w", a, err)
		}
	}
	return nil
}

// Close disconnects from everybody, waits for handlers and loops to end, and
// releases the data directory. It may be called again.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	h.mu.Unlock()

	h.cancel()
	var errs []error
	if h.greeter != nil {
		h.greeter.close()
	}
	if h.exchange != nil {
		errs = append(errs, h.exchange.Close())
	}
	if h.host != nil {
		errs = append(errs, h.host.Close())
	}
	h.work.Wait()
	if h.finder != nil {
		errs = append(errs, h.finder.close())
	}
	if h.metrics != nil {
		h.metrics.unregister()
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("p2p: close: %w", err)
	}
	return nil
}

// begin takes part in work unless the host is closing.
func (h *Host) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.work.Add(1)
	return true
}

// ID returns the host's own peer ID.
func (h *Host) ID() peer.ID { return h.host.ID() }

// Address returns the host's own account.
func (h *Host) Address() common.Address { return h.address }

// Network returns the network's name.
func (h *Host) Network() string { return h.network }

// Addrs returns what others can dial, each ending in /p2p/<peer ID>.
func (h *Host) Addrs() []multiaddr.Multiaddr {
	addrs, err := peer.AddrInfoToP2pAddrs(&peer.AddrInfo{ID: h.host.ID(), Addrs: h.host.Addrs()})
	if err != nil {
		return nil // cannot happen: the ID is our own
	}
	return addrs
}

// Peers returns the connected peers of the same network.
func (h *Host) Peers() []peer.ID { return h.greeter.peers() }

// Connect dials a peer, or uses the connection there is, and returns once the
// peer has proved that it is of this network. Without addresses it uses those
// known, then asks the network. Errors: ErrIdentity, ErrNetwork, ErrUnreachable.
func (h *Host) Connect(ctx context.Context, p peer.AddrInfo) error {
	if err := h.connect(ctx, p); err != nil {
		return fmt.Errorf("connect to %s: %w", p.ID, err)
	}
	return nil
}

func (h *Host) connect(ctx context.Context, p peer.AddrInfo) error {
	if h.ctx.Err() != nil {
		return ErrClosed
	}
	if p.ID == h.ID() {
		return fmt.Errorf("%w: it is this node itself", ErrUnreachable)
	}
	if _, err := AddressOf(p.ID); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if len(p.Addrs) == 0 && len(h.host.Network().ConnsToPeer(p.ID)) == 0 && len(h.host.Peerstore().Addrs(p.ID)) == 0 {
		found, err := h.findPeer(ctx, p.ID)
		if refused := h.greeter.lost(p.ID); err != nil && errors.Is(refused, ErrNetwork) {
			return refused // we hung up on it a moment ago, and forgot where it is
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnreachable, err)
		}
		p = found
	}
	if err := h.host.Connect(ctx, p); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return h.greeter.wait(ctx, p.ID)
}

// protocolID names a protocol of this network.
func (h *Host) protocolID(name string) protocol.ID {
	return protocol.ID(h.prefix + "/" + name + "/1")
}

// limits is what a profile allows.
type limits struct {
	connsLow, connsHigh int
	grace               time.Duration // a new connection is not trimmed before this
	memory              int64         // bytes of buffers for connections and streams
	files               int
	reprovide           time.Duration // between two announcements of a root
	retryFirst          time.Duration // between attempts to reach a bootstrap peer, doubling
	retryMost           time.Duration
}

func (p Profile) limits() limits {
	l := limits{
		connsLow: 64, connsHigh: 128, grace: 20 * time.Second,
		memory: 256 << 20, files: 512, reprovide: 10 * time.Minute,
		retryFirst: time.Second, retryMost: 30 * time.Second,
	}
	if p == ProfileTest {
		l.memory, l.files = 128<<20, 128
		l.retryFirst, l.retryMost = 50*time.Millisecond, time.Second
	}
	return l
}

// resources scales libp2p's own limits to the profile. Connections stay at
// twice the high water, so that the connection manager trims before the
// resource manager refuses.
func (l limits) resources(measured bool) (network.ResourceManager, error) {
	scaling := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&scaling)
	some := rcmgr.PartialLimitConfig{
		System: rcmgr.ResourceLimits{
			Conns:         rcmgr.LimitVal(2 * l.connsHigh),
			ConnsInbound:  rcmgr.LimitVal(2 * l.connsHigh),
			ConnsOutbound: rcmgr.LimitVal(2 * l.connsHigh),
			Memory:        rcmgr.LimitVal64(l.memory),
			FD:            rcmgr.LimitVal(l.files),
		},
	}
	var options []rcmgr.Option
	if !measured {
		options = append(options, rcmgr.WithMetricsDisabled())
	}
	m, err := rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(some.Build(scaling.Scale(l.memory, l.files))), options...)
	if err != nil {
		return nil, fmt.Errorf("p2p: resource manager: %w", err)
	}
	return m, nil
}
