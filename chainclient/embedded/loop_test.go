package embedded_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"io"
	"log/slog"
	"math/big"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"runtime/pprof"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"

	"tally/chainclient/embedded"
	"tally/chainclient/sender"
	"tally/chainclient/watch"
	"tally/internal/kv"
)

// heads is a Sink that remembers the newest block.
type heads struct {
	mu      sync.Mutex
	hashes  map[uint64]common.Hash // guarded by mu
	changed chan struct{}          // capacity 1
}

func (h *heads) Apply(_ context.Context, b watch.Block) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hashes[b.Number] = b.Hash
	select {
	case h.changed <- struct{}{}:
	default:
	}
	return nil
}

func (h *heads) Revert(_ context.Context, to uint64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for n := range h.hashes {
		if n > to {
			delete(h.hashes, n)
		}
	}
	return nil
}

func (h *heads) at(n uint64) common.Hash {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.hashes[n]
}

func dial(t *testing.T, url string) *ethclient.Client {
	t.Helper()
	c, err := ethclient.DialContext(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
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

func background(t *testing.T, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// One process has the chain; sender and watcher use it over HTTP, as another
// process would, through a front that loses one answer in five. The chain
// closes and opens again under them.
func TestSenderAndWatcherOutliveLostAnswersAndTheChainsRestart(t *testing.T) {
	key, to := testKey(t), common.HexToAddress("0xb0b")
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg := embedded.Config{
		DataDir: t.TempDir(), ChainID: 31337, Port: freePort(t), Logger: log,
		Alloc: map[common.Address]*big.Int{crypto.PubkeyToAddress(key.PublicKey): big.NewInt(1e18)},
	}
	chain, err := embedded.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { chain.Close() }()
	front := lossy(t, chain.HTTP())
	s, err := sender.New(sender.Config{
		Key: key, Backend: dial(t, front), DB: memory(t), ChainID: 31337, Logger: log,
		Confirmations: 2, CallTimeout: 2 * time.Second, Rebroadcast: 500 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	w, err := watch.New(watch.Config{Backend: dial(t, front), DB: memory(t), Addresses: []common.Address{to}, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	sink := &heads{hashes: map[uint64]common.Hash{}, changed: make(chan struct{}, 1)}
	background(t, s.Run)
	background(t, func(ctx context.Context) error { return w.Run(ctx, sink) })

	const count = 12
	var sent []common.Hash
	for try := 0; len(sent) < count; try++ {
		h, err := s.Send(t.Context(), to, big.NewInt(1), nil, "pay")
		if err != nil { // an answer to a question was lost: nothing is stored
			if try > 100 {
				t.Fatal(err)
			}
			continue
		}
		sent = append(sent, h)
		if len(sent) == count/2 {
			if err := chain.Close(); err != nil {
				t.Fatal(err)
			}
			if chain, err = embedded.Open(cfg); err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for _, h := range sent {
		r, err := s.Wait(ctx, h)
		for tries := 0; err != nil && tries < 5; tries++ { // the receipt's answer may be lost too
			r, err = s.Wait(ctx, h)
		}
		if err != nil {
			t.Fatal(err)
		}
		for sink.at(r.BlockNumber.Uint64()) != r.BlockHash {
			select {
			case <-sink.changed:
			case <-ctx.Done():
				t.Fatalf("block %s not watched", r.BlockNumber)
			}
		}
	}
	if b, err := chain.Client().BalanceAt(t.Context(), to, nil); err != nil || b.Int64() != count {
		t.Errorf("paid %v times, %v", b, err)
	}
}

func TestLoneTransactionIsFinalWithinSeconds(t *testing.T) {
	key := testKey(t)
	chain, err := embedded.Open(embedded.Config{ChainID: 31337, Alloc: map[common.Address]*big.Int{crypto.PubkeyToAddress(key.PublicKey): big.NewInt(1e18)}})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	s, err := sender.New(sender.Config{Key: key, Backend: chain.Client(), DB: memory(t), ChainID: 31337})
	if err != nil {
		t.Fatal(err)
	}
	background(t, s.Run)
	for range 3 {
		begin := time.Now()
		h, err := s.Send(t.Context(), common.HexToAddress("0xb0b"), big.NewInt(1), nil, "pay")
		if err == nil {
			_, err = s.Wait(t.Context(), h)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Log("final after", time.Since(begin).Round(time.Millisecond))
	}
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	chain, err := embedded.Open(embedded.Config{ChainID: 31337})
	if err != nil {
		t.Fatal(err)
	}
	if err := chain.Close(); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"embedded.(*Chain)", "core.(*BlockChain)", "txpool.(*TxPool)", "rpc.(*Client)"} {
		if bytes.Contains(b.Bytes(), []byte(name)) {
			t.Errorf("%s still runs:\n%s", name, b.String())
		}
	}
}

func testKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// lossy forwards every request and loses one answer in five.
func lossy(t *testing.T, target string) string {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(u)
	proxy.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var mu sync.Mutex
	rnd := rand.New(rand.NewPCG(seed, 3))
	proxy.ModifyResponse = func(r *http.Response) error {
		mu.Lock()
		defer mu.Unlock()
		if rnd.IntN(5) == 0 {
			return io.ErrUnexpectedEOF
		}
		return nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}
