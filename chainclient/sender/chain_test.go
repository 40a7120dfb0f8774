package sender

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"log/slog"
	"math/big"
	"sync"
	"testing"
	"time"

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
	alice = common.HexToAddress("0xa11ce")
	once  = common.HexToAddress("0x0ce") // reverts with 0xdeadbeef from the second call on
)

// if (sload(0) != 0) revert(0xdeadbeef); sstore(0, 1)
var onceCode = common.FromHex("6000541560145763deadbeef6000526004601cfd5b600160005500")

func testKey() *ecdsa.PrivateKey {
	k, err := crypto.ToECDSA(crypto.Keccak256([]byte("sender test")))
	if err != nil {
		panic(err)
	}
	return k
}

// chain is a simulated chain behind an endpoint with faults.
type chain struct {
	simulated.Client
	t    *testing.T
	sim  *simulated.Backend
	sent chan *types.Transaction // every SendTransaction, before its fault
	seen chan *types.Receipt     // every receipt answered

	mu   sync.Mutex
	send func(ctx context.Context, tx *types.Transaction) error // replaces SendTransaction; guarded by mu
	lie  uint64                                                 // PendingNonceAt, when not 0; guarded by mu
}

func newChain(t *testing.T, wealth int64) *chain {
	t.Helper()
	alloc := types.GenesisAlloc{
		crypto.PubkeyToAddress(testKey().PublicKey): {Balance: new(big.Int).Mul(big.NewInt(wealth), big.NewInt(params.Ether))},
		once: {Code: onceCode, Balance: new(big.Int)},
	}
	sim := simulated.NewBackend(alloc, func(_ *node.Config, c *ethconfig.Config) {
		g := *c.Genesis.Config
		g.BogotaTime = nil // Osaka
		c.Genesis.Config = &g
	})
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return &chain{Client: sim.Client(), t: t, sim: sim, sent: make(chan *types.Transaction, 4096), seen: make(chan *types.Receipt, 4096)}
}

func (c *chain) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	c.sent <- tx
	c.mu.Lock()
	f := c.send
	c.mu.Unlock()
	if f != nil {
		return f(ctx, tx)
	}
	return c.Client.SendTransaction(ctx, tx)
}

func (c *chain) TransactionReceipt(ctx context.Context, h common.Hash) (*types.Receipt, error) {
	r, err := c.Client.TransactionReceipt(ctx, h)
	if err == nil {
		c.seen <- r
	}
	return r, err
}

func (c *chain) PendingNonceAt(ctx context.Context, a common.Address) (uint64, error) {
	c.mu.Lock()
	lie := c.lie
	c.mu.Unlock()
	if lie != 0 {
		return lie, nil
	}
	return c.Client.PendingNonceAt(ctx, a)
}

func (c *chain) fault(f func(ctx context.Context, tx *types.Transaction) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.send = f
}

var errLost = errors.New("connection reset")

func (c *chain) drop(context.Context, *types.Transaction) error { return errLost }

func (c *chain) deliverAndFail(ctx context.Context, tx *types.Transaction) error {
	return errors.Join(errLost, c.Client.SendTransaction(ctx, tx))
}

func (c *chain) hang(ctx context.Context, _ *types.Transaction) error {
	<-ctx.Done()
	return ctx.Err()
}

// mine commits blocks, one every 20 ms, until the test ends or stop is called.
func (c *chain) mine() (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				c.sim.Commit()
			}
		}
	}()
	stop = sync.OnceFunc(func() { close(quit); <-done })
	c.t.Cleanup(stop)
	return stop
}

func (c *chain) head() common.Hash {
	h, err := c.HeaderByNumber(c.t.Context(), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return h.Hash()
}

func (c *chain) balance(a common.Address) int64 {
	b, err := c.BalanceAt(c.t.Context(), a, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return b.Int64()
}

func await[T any](t *testing.T, ch <-chan T, ok func(T) bool) T {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case v := <-ch:
			if ok == nil || ok(v) {
				return v
			}
		case <-limit:
			t.Fatal("waited 20 s in vain")
		}
	}
}

func memory(t *testing.T) *kv.DB {
	t.Helper()
	db, err := kv.Open("", kv.Options{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// life is a Sender with quick settings over c and db.
func life(t *testing.T, c Backend, db *kv.DB, tweak func(*Config)) *Sender {
	t.Helper()
	cfg := Config{
		Key: testKey(), Backend: c, DB: db, ChainID: 1337,
		CallTimeout: 5 * time.Second, Poll: 5 * time.Millisecond, Rebroadcast: 50 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	if tweak != nil {
		tweak(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs s until the test ends or stop is called.
func run(t *testing.T, s *Sender) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func send(t *testing.T, s *Sender, to common.Address, wei int64, label string) common.Hash {
	t.Helper()
	h, err := s.Send(t.Context(), to, big.NewInt(wei), nil, label)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func wait(t *testing.T, s *Sender, h common.Hash) *types.Receipt {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := s.Wait(ctx, h)
	if err != nil {
		t.Fatalf("wait %s: %v", h, err)
	}
	return r
}
