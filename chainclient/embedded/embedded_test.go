package embedded

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
)

func testKey() (*ecdsa.PrivateKey, common.Address) {
	k, err := crypto.ToECDSA(crypto.Keccak256([]byte("embedded test")))
	if err != nil {
		panic(err)
	}
	return k, crypto.PubkeyToAddress(k.PublicKey)
}

func testConfig(dir string) Config {
	_, a := testKey()
	return Config{
		DataDir: dir, ChainID: 31337, Heartbeat: -1,
		Alloc: map[common.Address]*big.Int{a: new(big.Int).Lsh(big.NewInt(1), 100)},
	}
}

func open(t *testing.T, cfg Config) *Chain {
	t.Helper()
	c, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func transfer(ctx context.Context, c *ethclient.Client, chainID, nonce uint64) (*types.Transaction, error) {
	k, a := testKey()
	id := new(big.Int).SetUint64(chainID)
	tx, err := types.SignNewTx(k, types.LatestSignerForChainID(id), &types.DynamicFeeTx{
		ChainID: id, Nonce: nonce, To: &a, Value: big.NewInt(1), Gas: 21000,
		GasFeeCap: big.NewInt(3e9), GasTipCap: big.NewInt(1),
	})
	if err != nil {
		return nil, err
	}
	return tx, c.SendTransaction(ctx, tx)
}

// awaitHead returns the first header at or above number, waiting by
// subscription.
func awaitHead(t *testing.T, c *ethclient.Client, number uint64) *types.Header {
	t.Helper()
	heads := make(chan *types.Header, 16)
	sub, err := c.SubscribeNewHead(t.Context(), heads)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Unsubscribe()
	h, err := c.HeaderByNumber(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	limit := time.After(30 * time.Second)
	for h.Number.Uint64() < number {
		select {
		case h = <-heads:
		case err := <-sub.Err():
			t.Fatal(err)
		case <-limit:
			t.Fatalf("no block %d in 30 s", number)
		}
	}
	return h
}

func TestTransactionIsMinedAndServedOverHTTPAndWS(t *testing.T) {
	before := slog.Default()
	c := open(t, testConfig(""))
	if slog.Default() != before {
		t.Error("opening a chain replaced slog's default")
	}
	tx, err := transfer(t.Context(), c.Client(), 31337, 0)
	if err != nil {
		t.Fatal(err)
	}
	awaitHead(t, c.Client(), 2)
	for _, url := range []string{c.HTTP(), c.WS()} {
		cl, err := ethclient.DialContext(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer cl.Close()
		r, err := cl.TransactionReceipt(t.Context(), tx.Hash())
		if err != nil || r.Status != types.ReceiptStatusSuccessful {
			t.Errorf("%s: receipt %v, %v", url, r, err)
		}
		id, err := cl.ChainID(t.Context())
		if err != nil || id.Uint64() != 31337 {
			t.Errorf("%s: chain id %v, %v", url, id, err)
		}
	}
}

func TestBlocksNeverRunAheadOfTheClockNorShareASecond(t *testing.T) {
	cfg := testConfig("")
	cfg.Pace = time.Millisecond // rounded up: the EVM counts in seconds
	c := open(t, cfg)
	heads := make(chan *types.Header, 16)
	sub, err := c.Client().SubscribeNewHead(t.Context(), heads)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Unsubscribe()
	last, err := c.Client().HeaderByNumber(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(3) {
		if _, err := transfer(t.Context(), c.Client(), 31337, n); err != nil {
			t.Fatal(err)
		}
		h := <-heads
		for h.Number.Cmp(last.Number) <= 0 { // news of the first block may come late
			h = <-heads
		}
		now := uint64(time.Now().Unix())
		if h.Time > now || h.Time <= last.Time || h.ParentHash != last.Hash() {
			t.Errorf("block %v at %d after %d, now %d", h.Number, h.Time, last.Time, now)
		}
		last = h
	}
}

func TestHeartbeatAndWakeMineEmptyBlocksAtThePresentTime(t *testing.T) {
	cfg := testConfig("")
	c := open(t, cfg)
	if h := awaitHead(t, c.Client(), 1); time.Since(time.Unix(int64(h.Time), 0)) > time.Minute {
		t.Errorf("first block at %d", h.Time)
	}
	c.Wake()
	if h := awaitHead(t, c.Client(), 2); time.Since(time.Unix(int64(h.Time), 0)) > time.Minute {
		t.Errorf("woken block at %d", h.Time)
	}
	cfg.Heartbeat = time.Second
	awaitHead(t, open(t, cfg).Client(), 2)
}

func TestReopenedChainGoesOnWhereItWas(t *testing.T) {
	cfg := testConfig(filepath.Join(t.TempDir(), "chain"))
	if Exists(cfg.DataDir) {
		t.Error("a chain before Open")
	}
	c, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := transfer(t.Context(), c.Client(), 31337, 0)
	if err != nil {
		t.Fatal(err)
	}
	awaitHead(t, c.Client(), 2)
	if _, err := Open(cfg); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), cfg.DataDir) {
		t.Errorf("second open: %v", err)
	}
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Fatal(err)
	}
	if !Exists(cfg.DataDir) {
		t.Error("no chain after Close")
	}

	other := cfg
	other.ChainID = 5
	if _, err := Open(other); !errors.Is(err, ErrOtherChain) || !strings.Contains(err.Error(), "31337") {
		t.Errorf("other id: %v", err)
	}
	other = cfg
	other.Alloc = map[common.Address]*big.Int{}
	if _, err := Open(other); !errors.Is(err, ErrOtherChain) {
		t.Errorf("other allocation: %v", err)
	}

	cfg.Alloc = nil
	c = open(t, cfg)
	r, err := c.Client().TransactionReceipt(t.Context(), tx.Hash())
	if err != nil || r.BlockNumber.Uint64() != 2 {
		t.Fatalf("receipt after reopening: %v, %v", r, err)
	}
	_, a := testKey()
	if n, err := c.Client().NonceAt(t.Context(), a, nil); err != nil || n != 1 {
		t.Errorf("nonce %d, %v", n, err)
	}
}

func TestOccupiedPortIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cfg := testConfig("")
	cfg.Port = l.Addr().(*net.TCPAddr).Port
	_, err = Open(cfg)
	if !errors.Is(err, ErrPortInUse) || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("got %v", err)
	}
}

func TestBadConfigIsRefused(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no id":        {},
		"huge id":      {ChainID: 1 << 60},
		"port":         {ChainID: 1, Port: 70000},
		"pace":         {ChainID: 1, Pace: -1},
		"negative wei": {ChainID: 1, Alloc: map[common.Address]*big.Int{{}: big.NewInt(-1)}},
		"nil wei":      {ChainID: 1, Alloc: map[common.Address]*big.Int{{}: nil}},
	} {
		if _, err := Open(cfg); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDamagedMarkerIsAnError(t *testing.T) {
	cfg := testConfig(t.TempDir())
	for _, s := range []string{"", "{", `{"version":9,"chainId":31337}`} {
		if err := os.WriteFile(filepath.Join(cfg.DataDir, markerName), []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := Open(cfg); err == nil {
			c.Close()
			t.Errorf("marker %q accepted", s)
		}
	}
}

func FuzzParseMarker(f *testing.F) {
	f.Add([]byte(`{"version":1,"chainId":31337,"alloc":{"0x0000000000000000000000000000000000000001":5}}`))
	f.Add([]byte(`{"alloc":{"0x0000000000000000000000000000000000000001":null}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMarker(b)
		if err == nil && !sameAlloc(m.Alloc, m.Alloc) {
			t.Error("an allocation differs from itself")
		}
	})
}
