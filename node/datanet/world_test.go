package datanet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
	"tally/storage"
)

// world is the rest of the network, honest and in memory: documents that everybody
// finds, nodes by account, a chain, and one real store for all shards.
type world struct {
	t     testing.TB
	store *storage.Store
	nodes map[common.Address]*Service

	mu     sync.Mutex
	docs   map[cid.Cid][]byte                        // guarded by mu
	head   uint64                                    // guarded by mu
	blocks map[common.Address]map[string]uint64      // guarded by mu: commitments
	answer func(b []byte, err error) ([]byte, error) // what the network makes of an answer; nil passes it on
	pinned map[cid.Cid]uint64                        // guarded by mu: head when a shard was shown
}

func (w *world) Put(_ context.Context, b []byte, _ string) (cid.Cid, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := protocol.CIDOf(b)
	w.docs[c] = b
	return c, nil
}

func (w *world) Get(_ context.Context, c cid.Cid) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, ok := w.docs[c]
	if !ok {
		return nil, fmt.Errorf("no block %s", c)
	}
	return b, nil
}

func (w *world) ImportFile(ctx context.Context, r io.Reader, of cid.Cid) (storage.Shard, error) {
	return w.store.ImportPrivateFile(ctx, r, of)
}

func (w *world) ImportCAR(ctx context.Context, r io.Reader, of cid.Cid) (storage.Shard, error) {
	return w.store.ImportPrivateCAR(ctx, r, cid.Undef, of)
}

func (w *world) Pin(ctx context.Context, root cid.Cid, why string) error {
	w.mu.Lock()
	w.pinned[root] = w.head
	w.mu.Unlock()
	return w.store.Pin(ctx, root, storage.PinInfo{Why: why})
}

func (w *world) Pinned(_ context.Context, root cid.Cid, why string) (bool, error) {
	for p, err := range w.store.Pins() {
		if err != nil || p.Root.Equals(root) && p.Why == why {
			return err == nil, err
		}
	}
	return false, nil
}

func (w *world) Unpin(ctx context.Context, root cid.Cid, why string) error {
	return w.store.Unpin(ctx, root, why)
}

func (w *world) Stat(ctx context.Context, root cid.Cid) (storage.Shard, error) {
	return w.store.Stat(ctx, root)
}

func (w *world) OpenFile(ctx context.Context, root cid.Cid) (io.ReadSeekCloser, error) {
	return w.store.OpenFile(ctx, root)
}

func (w *world) Fetch(ctx context.Context, root cid.Cid) error {
	_, err := w.store.Stat(ctx, root)
	return err
}

func (w *world) ExportCAR(ctx context.Context, root cid.Cid, out io.Writer) error {
	return w.store.ExportCAR(ctx, root, out)
}

// caller is one node's way to the others.
type caller struct {
	*world
	me common.Address
}

func (c caller) Call(ctx context.Context, to common.Address, name string, b []byte, max int) ([]byte, error) {
	n, ok := c.nodes[to]
	if !ok || name != Protocol {
		return nil, errors.New("nobody there")
	}
	out, err := n.Serve(ctx, c.me, b)
	if c.answer != nil {
		out, err = c.answer(out, err)
	}
	if len(out) > max {
		return nil, errors.New("too long an answer")
	}
	return out, err
}

// ledger is one account's way to the chain.
type ledger struct {
	*world
	me common.Address
}

func (l ledger) Commit(_ context.Context, digest common.Hash) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b, ok := l.blocks[l.me][digest.Hex()]; ok {
		return b, nil
	}
	return l.commitAt(l.me, digest, l.head+1), nil
}

// commitAt puts a commitment into a block, and another block on top; the caller holds mu.
func (w *world) commitAt(who common.Address, digest common.Hash, block uint64) uint64 {
	if w.blocks[who] == nil {
		w.blocks[who] = map[string]uint64{}
	}
	w.blocks[who][digest.Hex()] = block
	w.head = max(w.head, block+1)
	return block
}

func (w *world) Committed(who common.Address, digest common.Hash) (block uint64, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	block, ok = w.blocks[who][digest.Hex()]
	return block, ok
}

// Await does not wait: no block comes by itself.
func (w *world) Await(_ context.Context, who common.Address, digest common.Hash) (uint64, error) {
	block, ok := w.Committed(who, digest)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !ok || w.head <= block {
		return 0, context.DeadlineExceeded
	}
	return block, nil
}

func newWorld(t testing.TB, n int) (*world, []*Service) {
	t.Helper()
	store, err := storage.Open(storage.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := &world{
		t: t, store: store, nodes: map[common.Address]*Service{}, docs: map[cid.Cid][]byte{}, blocks: map[common.Address]map[string]uint64{},
		pinned: map[cid.Cid]uint64{}, head: 10,
	}
	var out []*Service
	for range n {
		out = append(out, w.join())
	}
	return w, out
}

func (w *world) join() *Service {
	w.t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		w.t.Fatal(err)
	}
	db, err := kv.Open("", kv.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { db.Close() })
	me := crypto.PubkeyToAddress(key.PublicKey)
	s := New(Config{
		Network: protocol.Network{Name: "t", ChainID: 1, Registry: common.Address{1}}, Key: key, Documents: w, Shards: w, Data: w,
		Peers: caller{w, me}, Chain: ledger{w, me}, DB: db, Now: func() uint64 { return 1 }, Temp: w.t.TempDir(),
	})
	w.nodes[me] = s
	return s
}

// create makes a datanet or ends the test.
func (w *world) create(s *Service, d Draft) Version {
	w.t.Helper()
	if d.Name == "" {
		d.Name = "n"
	}
	if d.Licence == "" {
		d.Licence = "MIT"
	}
	v, err := s.Create(w.t.Context(), d)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// add contributes or ends the test.
func (w *world) add(s *Service, v Version, text string) Added {
	w.t.Helper()
	a, err := s.Add(w.t.Context(), v.CID, strings.NewReader(text), Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// prose is n records of made-up text, others for another seed.
func prose(seed, n int) string {
	var out []string
	for i := range n {
		var b strings.Builder
		for j := range 40 {
			fmt.Fprintf(&b, "w%d ", (seed*1_000_003+i*7919+j*j*31)%100_003)
		}
		out = append(out, b.String())
	}
	return protocol.JoinRecords(out)
}
