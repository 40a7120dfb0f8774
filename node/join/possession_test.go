package join

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/chainclient"
	"tally/chainclient/chaintest"
	"tally/chainclient/sender"
	"tally/chainclient/watch"
	"tally/internal/kv"
	"tally/node/view"
	"tally/protocol"
	"tally/storage"
	"tally/storage/pinset"
	"tally/storage/possession"
	"tally/storage/possession/proofset"
)

// mint is a chain with the real contracts that mines by itself and tells a view.
type mint struct {
	t     *testing.T
	chain *chaintest.Chain
	view  *view.View
	read  uint64 // owned by run; the last block that the view has
}

func newMint(t *testing.T, accounts int) *mint {
	t.Helper()
	c := chaintest.New(t, accounts)
	m := &mint{t: t, chain: c, view: view.New(c.Book.Decode)}
	for i := 1; i < accounts; i++ {
		if _, err := c.As(i).Register(t.Context(), crypto.CompressPubkey(&c.Keys[i].PublicKey), c.Account(i), []string{"pin/1"}); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// run mines a block each tick until the test ends.
func (m *mint) run() {
	tick := time.NewTicker(15 * time.Millisecond)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			m.chain.Backend.Commit()
			if err := m.tell(); err != nil {
				m.t.Error(err)
				return
			}
		}
	}()
	m.t.Cleanup(func() { close(quit); <-done })
}

// tell brings the view up to the head.
func (m *mint) tell() error {
	ctx := context.WithoutCancel(m.t.Context())
	head, err := m.chain.HeaderByNumber(ctx, nil)
	if err != nil {
		return err
	}
	for ; m.read < head.Number.Uint64(); m.read++ {
		n := new(big.Int).SetUint64(m.read + 1)
		h, err := m.chain.HeaderByNumber(ctx, n)
		if err != nil {
			return err
		}
		logs, err := m.chain.FilterLogs(ctx, ethereum.FilterQuery{FromBlock: n, ToBlock: n, Addresses: m.chain.Book.Contracts()})
		if err != nil {
			return err
		}
		if err := m.view.Apply(ctx, watch.Block{Header: watch.Header{Number: m.read + 1, Hash: h.Hash(), Time: h.Time}, Logs: logs}); err != nil {
			return err
		}
	}
	return nil
}

// client is an account's client with a durable sender, as a node has it.
func (m *mint) client(ctx context.Context, i int) *chainclient.Client {
	m.t.Helper()
	db, err := kv.Open("", kv.Options{Sync: true})
	if err != nil {
		m.t.Fatal(err)
	}
	s, err := sender.New(sender.Config{
		Key: m.chain.Keys[i], Backend: m.chain.Client, DB: db, ChainID: m.chain.Book.ChainID, Poll: 5 * time.Millisecond, Rebroadcast: 50 * time.Millisecond,
	})
	if err != nil {
		m.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	m.t.Cleanup(func() {
		if err := errors.Join(<-done, db.Close()); err != nil {
			m.t.Error(err)
		}
	})
	c, err := chainclient.New(chainclient.Config{Book: m.chain.Book, Backend: m.chain.Client, Sender: s, From: m.chain.Account(i)})
	if err != nil {
		m.t.Fatal(err)
	}
	return c
}

// pinner is a node's store, prover and keeper over the mint.
type pinner struct {
	store  Store
	prover *possession.Prover
	keeper *pinset.Keeper
	sets   *proofset.Follower
	me     common.Address
}

func (m *mint) pinner(i int, get func(context.Context, pinset.Wanted) error, s Store, wants Wants) *pinner {
	m.t.Helper()
	db, err := kv.Open("", kv.Options{Sync: true})
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = db.Close() })
	ctx, cancel := context.WithCancel(context.WithoutCancel(m.t.Context()))
	chain := ProofChain{m.view}
	p := &pinner{store: s, sets: proofset.Follow(chain, m.chain.Book.Params), me: m.chain.Account(i)}
	log := slog.New(slog.NewTextHandler(m.t.Output(), nil))
	p.prover, err = possession.New(possession.Config{
		Node: p.me, Params: m.chain.Book.Params, Chain: chain, Sets: p.sets, Wallet: &ProofWallet{Chain: m.client(ctx, i), Life: ctx},
		Pieces: ProofShards{Store: s}, Notes: possession.OnDisk(db, "possession/"), Logger: log,
	})
	if err != nil {
		m.t.Fatal(err)
	}
	p.keeper, err = pinset.New(pinset.Config{
		Me: p.me, Network: PinNetwork{m.view, p.sets, "pin/1"}, Wants: wants, Store: PinShards{s, get}, Prover: Promises{p.prover},
		Rules: pinset.RulesFor(m.chain.Book.Params.ProofPeriod), Logger: log,
	})
	if err != nil {
		m.t.Fatal(err)
	}
	var all sync.WaitGroup
	for _, run := range []func(context.Context) error{p.prover.Run, p.keeper.Run} {
		all.Go(func() {
			if err := run(ctx); err != nil {
				m.t.Error(err)
			}
		})
	}
	m.t.Cleanup(func() { cancel(); all.Wait() })
	return p
}

// until waits for the chain to say so.
func (m *mint) until(what string, ready func() bool) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 90*time.Second)
	defer cancel()
	if err := m.view.Await(ctx, ready); err != nil {
		m.t.Fatalf("%s: %v", what, err)
	}
}

// A shard that a datanet wants twice is published by one node; two pinners fetch it
// into real stores and prove it to the real contract, period after period, until it
// is withdrawn.
func TestPinnersProveToTheContractWhatADatanetWants(t *testing.T) {
	m := newMint(t, 3)
	source := openStore(t)
	var manifest protocol.Manifest
	manifest.Name, manifest.Replicas = "poems", 2
	for i := range 3 {
		sh, err := source.Import(t.Context(), strings.NewReader(strings.Repeat(fmt.Sprint("verse ", i, "\n"), 200_000)), "published")
		if err != nil {
			t.Fatal(err)
		}
		manifest.Shards = append(manifest.Shards, protocol.Shard{Root: sh.Root, Piece: common.Hash(sh.Piece), Size: sh.Size})
	}
	var mu sync.Mutex
	wants := Wants{func(context.Context) ([]pinset.Wanted, error) {
		mu.Lock()
		defer mu.Unlock()
		return ManifestWants(manifest), nil
	}}
	m.run()
	var ps []*pinner
	for i := 1; i <= 2; i++ {
		s := openStore(t)
		get := func(ctx context.Context, w pinset.Wanted) error {
			_, err := s.S.FetchCAR(ctx, w.Root, func(ctx context.Context, off uint64) (io.ReadCloser, error) {
				r, to := io.Pipe()
				go func() { _ = to.CloseWithError(source.S.ServeCAR(ctx, to, w.Root, off)) }()
				return r, nil
			}, nil, storage.MaxBytes(w.Size))
			return err
		}
		ps = append(ps, m.pinner(i, get, s, wants))
	}
	proved := func(a common.Address) (n int) {
		for _, f := range m.view.Facts() {
			if e, ok := f.Event.(protocol.PossessionProved); ok && e.Node == a {
				n++
			}
		}
		return n
	}
	m.until("two holders of three shards", func() bool {
		for _, s := range manifest.Shards {
			if h, err := ps[0].sets.Holders(s.Piece); err != nil || len(h) != 2 {
				return false
			}
		}
		return true
	})
	m.until("three proofs of each", func() bool { return proved(ps[0].me) >= 3 && proved(ps[1].me) >= 3 })
	for _, p := range ps {
		c := m.chain.As(0)
		set, err := c.ProofSet(t.Context(), p.me)
		if err != nil || set.Pieces != 3 {
			t.Fatalf("the contract has %+v, %v", set, err)
		}
	}
	for _, st := range ps[0].keeper.Status() {
		if st.State != "kept" || !st.Holds || st.Holders != 2 {
			t.Errorf("status: %+v", st)
		}
	}

	mu.Lock()
	gone := manifest.Shards[1].Root
	manifest.Withdrawn = append(manifest.Withdrawn, gone)
	mu.Unlock()
	pinned := func(p *pinner) bool {
		roots, err := PinShards{Store: p.store}.Pinned(t.Context())
		return err != nil || slices.ContainsFunc(roots, gone.Equals)
	}
	m.until("the withdrawn shard is let go", func() bool { return !pinned(ps[0]) && !pinned(ps[1]) })
	set, err := m.chain.As(0).ProofSet(t.Context(), ps[0].me)
	if err != nil || set.Pieces != 2 {
		t.Fatalf("the contract has %+v, %v", set, err)
	}
	m.until("proofs go on", func() bool { return proved(ps[0].me) >= 5 })
}
