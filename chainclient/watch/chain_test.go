package watch

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/params"

	"tally/internal/kv"
)

var (
	echo  = common.HexToAddress("0xec40") // logs its first word of calldata
	other = common.HexToAddress("0x07e6") // so does this one
	code  = common.FromHex("60003560005260206000a0")
)

// chain is a simulated chain behind an endpoint whose answers can be bent.
type chain struct {
	simulated.Client
	t   *testing.T
	sim *simulated.Backend
	key *ecdsa.PrivateKey

	mu      sync.Mutex
	id      func(*big.Int) (*big.Int, error)                                              // guarded by mu
	headers func(ctx context.Context, n *big.Int, h *types.Header) (*types.Header, error) // guarded by mu
	filter  func(q ethereum.FilterQuery, logs []types.Log) ([]types.Log, error)           // guarded by mu
}

func newChain(t *testing.T, wealth int64) *chain {
	t.Helper()
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("watch test")))
	if err != nil {
		t.Fatal(err)
	}
	sim := simulated.NewBackend(types.GenesisAlloc{
		crypto.PubkeyToAddress(key.PublicKey): {Balance: new(big.Int).Mul(big.NewInt(wealth), big.NewInt(params.Ether))},
		echo:                                  {Code: code, Balance: new(big.Int)},
		other:                                 {Code: code, Balance: new(big.Int)},
	}, func(_ *node.Config, c *ethconfig.Config) {
		g := *c.Genesis.Config
		g.BogotaTime = nil // Osaka
		c.Genesis.Config = &g
	})
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return &chain{Client: sim.Client(), t: t, sim: sim, key: key}
}

func (c *chain) bend(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func (c *chain) ChainID(ctx context.Context) (*big.Int, error) {
	id, err := c.Client.ChainID(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && c.id != nil {
		return c.id(id)
	}
	return id, err
}

func (c *chain) HeaderByNumber(ctx context.Context, n *big.Int) (*types.Header, error) {
	h, err := c.Client.HeaderByNumber(ctx, n)
	c.mu.Lock()
	f := c.headers
	c.mu.Unlock()
	if err == nil && f != nil {
		return f(ctx, n, h)
	}
	return h, err
}

func (c *chain) FilterLogs(ctx context.Context, q ethereum.FilterQuery) ([]types.Log, error) {
	logs, err := c.Client.FilterLogs(ctx, q)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && c.filter != nil {
		return c.filter(q, logs)
	}
	return logs, err
}

// block mines one block in which echo and other log the words.
func (c *chain) block(words ...byte) *types.Header {
	c.t.Helper()
	// After a fork the pool takes back, in its own time, what the old blocks held;
	// it may come between our look at the nonce and our transaction.
	err := c.log(words)
	for range 50 {
		if err == nil {
			break
		}
		c.sim.Rollback()
		err = c.log(words)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.sim.Commit()
	h, err := c.Client.HeaderByNumber(c.t.Context(), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return h
}

// log sends the transactions of a block.
func (c *chain) log(words []byte) error {
	n, err := c.PendingNonceAt(c.t.Context(), crypto.PubkeyToAddress(c.key.PublicKey))
	if err != nil {
		return err
	}
	id := big.NewInt(1337)
	for _, word := range words {
		for _, to := range []common.Address{echo, other} {
			tx, err := types.SignNewTx(c.key, types.LatestSignerForChainID(id), &types.DynamicFeeTx{
				ChainID: id, Nonce: n, To: &to, Gas: 100_000, GasFeeCap: big.NewInt(1e11), GasTipCap: big.NewInt(1e9),
				Data: common.LeftPadBytes([]byte{word}, 32),
			})
			if err == nil {
				err = c.Client.SendTransaction(c.t.Context(), tx)
			}
			if err != nil {
				return err
			}
			n++
		}
	}
	for range 10_000 { // the pool makes them ready to be mined in its own time
		have, err := c.PendingNonceAt(c.t.Context(), crypto.PubkeyToAddress(c.key.PublicKey))
		if err != nil || have >= n {
			return err
		}
	}
	return errors.New("the pool keeps the transactions back")
}

// fork makes the next block the child of the block at number.
func (c *chain) fork(number uint64) {
	c.t.Helper()
	h, err := c.Client.HeaderByNumber(c.t.Context(), new(big.Int).SetUint64(number))
	if err == nil {
		c.sim.Rollback()
		err = c.sim.Fork(h.Hash())
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.sim.Rollback() // what was taken back is not mined again by itself
}

// truth is the chain's own account of block n.
func (c *chain) truth(n uint64, addresses ...common.Address) Block {
	c.t.Helper()
	h, err := c.Client.HeaderByNumber(c.t.Context(), new(big.Int).SetUint64(n))
	if err != nil {
		c.t.Fatal(err)
	}
	hash := h.Hash()
	logs, err := c.Client.FilterLogs(c.t.Context(), ethereum.FilterQuery{BlockHash: &hash, Addresses: addresses})
	if err != nil {
		c.t.Fatal(err)
	}
	return Block{Header{n, h.Time, hash, h.ParentHash}, logs}
}

var errSink = errors.New("sink broke")

// ledger is a Sink that checks the promise: each block on its parent.
type ledger struct {
	from    uint64
	changed chan struct{} // capacity 1

	mu      sync.Mutex
	blocks  []Block // guarded by mu
	reverts int     // that removed something; guarded by mu
	breakAt uint64  // Apply of this block fails; guarded by mu
}

func newLedger() *ledger { return &ledger{from: 1, changed: make(chan struct{}, 1)} }

func (l *ledger) Apply(_ context.Context, b Block) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.Number == l.breakAt {
		return errSink
	}
	next := l.from + uint64(len(l.blocks))
	if b.Number != next || (len(l.blocks) > 0 && b.Parent != l.blocks[len(l.blocks)-1].Hash) {
		return fmt.Errorf("block %d applied as %d", b.Number, next)
	}
	l.blocks = append(l.blocks, b)
	l.poke()
	return nil
}

func (l *ledger) Revert(_ context.Context, to uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.blocks) > 0 && l.blocks[len(l.blocks)-1].Number > to {
		l.blocks = l.blocks[:len(l.blocks)-1]
		l.reverts++
	}
	l.poke()
	return nil
}

func (l *ledger) poke() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

func (l *ledger) tip() (common.Hash, int, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.blocks) == 0 {
		return common.Hash{}, 0, l.reverts
	}
	return l.blocks[len(l.blocks)-1].Hash, len(l.blocks), l.reverts
}

// reach waits until the newest block applied is h.
func (l *ledger) reach(t *testing.T, h common.Hash) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		if got, _, _ := l.tip(); got == h {
			return
		}
		select {
		case <-l.changed:
		case <-limit:
			t.Fatalf("block %s not reached in 20 s", h)
		}
	}
}

// equals compares the ledger with the chain, block by block, log by log.
func (l *ledger) equals(t *testing.T, c *chain, addresses ...common.Address) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.blocks {
		want := c.truth(b.Number, addresses...)
		if fmt.Sprint(b) != fmt.Sprint(want) {
			t.Fatalf("block %d\ngot  %+v\nwant %+v", b.Number, b, want)
		}
	}
}

func memory(t *testing.T) *kv.DB {
	t.Helper()
	db, err := kv.Open("", kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func watcher(t *testing.T, c Backend, db *kv.DB, tweak func(*Config)) *Watcher {
	t.Helper()
	cfg := Config{
		Backend: c, DB: db, Addresses: []common.Address{echo}, Poll: 2 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	if tweak != nil {
		tweak(&cfg)
	}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// run runs w into sink until the test ends or stop is called.
func run(t *testing.T, w *Watcher, sink Sink) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, sink) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}
