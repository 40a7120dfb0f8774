// Package embedded runs a whole EVM chain inside the process, so that a new
// user needs no endpoint, no wallet and no faucet: go-ethereum's node, its
// eth service and the simulated beacon that "geth --dev" uses, kept in a data
// directory and served as JSON-RPC over HTTP and WebSocket on loopback.
//
// The life of a block: a transaction enters the pool, the miner goroutine
// wakes, waits until the wall clock has passed the parent's timestamp, seals
// one block with everything that waits, and flushes the database. At rest a
// heartbeat seals an empty block every Config.Heartbeat, so that deadlines
// pass and block hashes used as beacons keep coming; two minutes after the
// last transaction it slows down to Config.Idle, to spare the disk. Chain.Wake
// asks for a block at once.
//
// Time: block.timestamp is max(parent+1, now) in whole seconds, and two
// blocks never share a second, so the chain's clock is the wall clock, never
// ahead of it. (Only if the machine's clock was set back do blocks go on one
// second apart, ahead of it, until it has caught up.) This is why a lone
// transaction waits 0 to 1 s and why no Pace under a second exists: the EVM
// wants timestamps that strictly grow.
//
// Durability: with a DataDir, a block is on disk as soon as Chain.Synced has
// reached its number, which is about a millisecond after it can first be
// seen. A SIGKILL in that millisecond takes the block back, as a reorg would;
// what the pool held is always lost. Senders that store and rebroadcast (see
// chainclient/sender) lose nothing. Every state is kept (archive): an empty
// block takes 3.3 kB of disk, which is 14 MB a day at the default Idle and
// 140 MB at the default Heartbeat.
//
// Rules: Osaka. One transaction may use at most 16,777,216 gas (EIP-7825).
//
// All methods are safe for concurrent use. Opening a chain sets go-ethereum's
// process-wide logger: it is silenced, except that a fatal error reaches
// Config.Logger before go-ethereum exits the process. slog's own default is
// left alone. It is one development chain for one machine: there is no
// consensus, no peer and no protection against whoever can reach the port.
package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/ethclient"
	gethlog "github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/rpc"
)

var (
	// ErrInUse says that another process, or another Chain of this one, has
	// the data directory open.
	ErrInUse = errors.New("embedded: data directory in use: stop the other process or choose another directory")
	// ErrOtherChain says that the data directory holds a chain with another
	// id, another genesis or a newer format.
	ErrOtherChain = errors.New("embedded: the data directory holds another chain")
	// ErrPortInUse says that something listens on the configured port.
	ErrPortInUse = errors.New("embedded: port in use")
	// ErrConfig marks a Config that Validate refused.
	ErrConfig = errors.New("embedded: bad configuration")
)

// The longest times between blocks, while something happens and when nothing
// has for two minutes.
const (
	DefaultHeartbeat = 2 * time.Second
	DefaultIdle      = 20 * time.Second
)

// Config is all that Open needs.
type Config struct {
	DataDir string // "" keeps the chain in memory
	ChainID uint64 // EIP-155 id, required, under 2^53
	Port    int    // HTTP and WebSocket on 127.0.0.1; 0 takes any free port
	// Heartbeat is the longest time between blocks; 0 means DefaultHeartbeat,
	// a negative value mines only for transactions and Wake.
	Heartbeat time.Duration
	// Idle is the same two minutes after the last transaction or Wake; 0
	// means DefaultIdle, and never less than Heartbeat. Reads at the head see
	// its timestamp, so a time-gated call looks early for up to this long.
	Idle time.Duration
	// Pace is the least time between blocks, rounded up to whole seconds; 0
	// means one second.
	Pace time.Duration
	// Alloc is the wealth in wei at block 0. It is fixed when a data
	// directory is made: on reopening, nil means whatever is stored, and
	// anything else must be equal to it.
	Alloc  map[common.Address]*big.Int
	Logger *slog.Logger // nil discards
}

// Validate reports the first fault of c, wrapping ErrConfig.
func (c *Config) Validate() error {
	switch {
	case c.ChainID == 0 || c.ChainID >= 1<<53: // JSON numbers, wallets
		return fmt.Errorf("%w: chain id %d: choose 1 to 2^53-1", ErrConfig, c.ChainID)
	case c.Port < 0 || c.Port > 65535:
		return fmt.Errorf("%w: port %d: choose 0 to 65535", ErrConfig, c.Port)
	case c.Idle < 0:
		return fmt.Errorf("%w: idle %v is negative", ErrConfig, c.Idle)
	case c.Pace < 0 || c.Pace > time.Hour:
		return fmt.Errorf("%w: pace %v: choose 0 to 1h", ErrConfig, c.Pace)
	}
	for a, v := range c.Alloc {
		if v == nil || v.Sign() < 0 || v.BitLen() > 256 {
			return fmt.Errorf("%w: allocation of %s is not a uint256", ErrConfig, a)
		}
	}
	return nil
}

// Chain is an open chain; Open makes one, Close ends it.
type Chain struct {
	log       *slog.Logger
	pace      time.Duration // immutable, whole seconds
	heartbeat time.Duration // immutable, < 0: none
	idle      time.Duration // immutable
	stack     *node.Node
	eth       *eth.Ethereum
	beacon    *catalyst.SimulatedBeacon // owned by mine once Open has returned
	client    *ethclient.Client
	wake      chan struct{} // capacity 1: a block is wanted
	quit      chan struct{} // closed by Close
	running   sync.WaitGroup
	synced    atomic.Uint64 // written by mine
	once      sync.Once
	closeErr  error // written inside once
}

// Open opens or creates the chain and serves it. The first block after Open
// carries the present time and is there when Open returns, so that a read of
// block.timestamp never sees the genesis or last week.
func Open(cfg Config) (*Chain, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := checkPort(cfg.Port); err != nil {
		return nil, err
	}
	quiet := quietLog(cfg.Logger)
	gethlog.SetDefault(quiet) // before node.New, which already logs
	stack, err := node.New(nodeConfig(cfg, quiet))
	if errors.Is(err, node.ErrDatadirUsed) {
		return nil, fmt.Errorf("%w: %s", ErrInUse, cfg.DataDir)
	} else if err != nil {
		return nil, fmt.Errorf("embedded: open %s: %w", cfg.DataDir, err)
	}
	c, err := assemble(cfg, stack)
	if err != nil {
		_ = stack.Close() // returns an error when Start has already closed it
		return nil, err
	}
	return c, nil
}

func assemble(cfg Config, stack *node.Node) (*Chain, error) {
	alloc := cfg.Alloc
	if cfg.DataDir != "" { // under the lock that node.New took
		var err error
		if alloc, err = checkMarker(filepath.Join(cfg.DataDir, markerName), cfg.ChainID, cfg.Alloc); err != nil {
			return nil, err
		}
	}
	ec := ethConfig(cfg.ChainID, alloc)
	service, err := eth.New(stack, ec)
	if err != nil {
		return nil, fmt.Errorf("embedded: open chain: %w", err)
	}
	fs := filters.NewFilterSystem(service.APIBackend, filters.Config{
		LogCacheSize: ec.FilterLogCacheSize, LogQueryLimit: ec.LogQueryLimit,
	})
	stack.RegisterAPIs([]rpc.API{{Namespace: "eth", Service: filters.NewFilterAPI(fs)}})
	beacon, err := catalyst.NewSimulatedBeacon(0, common.Address{}, service)
	if err != nil {
		return nil, fmt.Errorf("embedded: open beacon: %w", err)
	}
	if err := stack.Start(); err != nil {
		if errors.Is(err, syscall.EADDRINUSE) { // lost the race after checkPort
			return nil, portError(cfg.Port)
		}
		return nil, fmt.Errorf("embedded: serve: %w", err)
	}
	c := &Chain{
		log: cfg.Logger, stack: stack, eth: service, beacon: beacon,
		client: ethclient.NewClient(stack.Attach()),
		wake:   make(chan struct{}, 1), quit: make(chan struct{}),
		pace:      max(time.Second, (cfg.Pace + time.Second - 1).Truncate(time.Second)),
		heartbeat: cfg.Heartbeat, idle: cfg.Idle,
	}
	if c.heartbeat == 0 {
		c.heartbeat = DefaultHeartbeat
	}
	if c.idle == 0 {
		c.idle = DefaultIdle
	}
	c.idle = max(c.idle, c.heartbeat)
	head := service.BlockChain().CurrentBlock()
	c.synced.Store(head.Number.Uint64())
	if time.Now().Unix() > int64(head.Time) {
		c.seal()
	}
	c.run()
	cfg.Logger.Info("embedded chain open", "chain", cfg.ChainID, "block", c.Synced(), "http", c.HTTP())
	return c, nil
}

// HTTP is the JSON-RPC URL for other processes and wallets.
func (c *Chain) HTTP() string { return c.stack.HTTPEndpoint() }

// WS is the JSON-RPC URL with subscriptions.
func (c *Chain) WS() string { return c.stack.WSEndpoint() }

// Client talks to the chain inside the process, without a socket. It is the
// Chain's: do not close it.
func (c *Chain) Client() *ethclient.Client { return c.client }

// Synced is the number of the newest block that a SIGKILL cannot take back.
func (c *Chain) Synced() uint64 { return c.synced.Load() }

// Wake asks for one block as soon as Pace allows, even an empty one. It does
// not block. Who awaits a block's hash or a deadline calls it instead of
// waiting for the heartbeat.
func (c *Chain) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Close ends mining, the servers and the database; further calls return the
// first result.
func (c *Chain) Close() error {
	c.once.Do(func() {
		close(c.quit)
		c.running.Wait()
		c.client.Close()
		if err := c.stack.Close(); err != nil {
			c.closeErr = fmt.Errorf("embedded: close: %w", err)
		}
	})
	return c.closeErr
}

// checkPort fails early, before a database is open: an eth service that was
// never started cannot be stopped (its Stop dereferences nil), so a failure of
// stack.Start leaves goroutines behind.
func checkPort(port int) error {
	if port == 0 {
		return nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return portError(port)
	} else if err != nil {
		return fmt.Errorf("embedded: listen on port %d: %w", port, err)
	}
	return l.Close()
}

func portError(port int) error {
	return fmt.Errorf("%w: 127.0.0.1:%d: stop the program that listens there, or configure another port (0 takes any free one)", ErrPortInUse, port)
}

// Exists reports whether dir holds a chain, without opening it.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, markerName))
	return !errors.Is(err, fs.ErrNotExist)
}
