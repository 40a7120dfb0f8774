package markettest

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/compute/market"
	"tally/internal/kv"
	"tally/protocol"
)

// World is what nodes share.
type World struct {
	Network protocol.Network
	Params  protocol.Params
	Chain   *Chain

	ctx    context.Context // what the nodes do ends with it
	mu     sync.Mutex
	nodes  map[common.Address]*Node                               // guarded by mu
	tamper func(from, to common.Address, m []byte) ([]byte, bool) // guarded by mu
}

// NewWorld is a world without nodes, on a network made up for it. What its nodes
// serve ends with ctx.
func NewWorld(ctx context.Context) *World {
	n := protocol.Network{
		Name: "market", ChainID: 31337,
		Token: common.Address{19: 1}, Registry: common.Address{19: 2}, Vault: common.Address{19: 3}, Ledger: common.Address{19: 4}, Possession: common.Address{19: 5},
	}
	return &World{
		ctx: ctx, Network: n, Params: protocol.Params{Start: 1, EpochLength: 30}, Chain: NewChain(n),
		nodes: map[common.Address]*Node{},
	}
}

// Tamper lets f change every message on its way, or break its stream by saying
// false. Nil ends it.
func (w *World) Tamper(f func(from, to common.Address, m []byte) ([]byte, bool)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tamper = f
}

func (w *World) tampered(from, to common.Address, m []byte) ([]byte, bool) {
	w.mu.Lock()
	f := w.tamper
	w.mu.Unlock()
	if f == nil {
		return m, true
	}
	return f(from, to, m)
}

// Node is one node of a World.
type Node struct {
	Key     *ecdsa.PrivateKey
	Address common.Address
	DB      *kv.DB
	Store   *Store
	Ledger  *Ledger
	w       *World

	mu       sync.Mutex
	handlers map[string]Handler // guarded by mu
	conns    map[*conn]bool     // guarded by mu
	alive    context.Context    // guarded by mu; of the streams it serves
	kill     context.CancelFunc // guarded by mu
	work     sync.WaitGroup     // handlers under way
}

// Join adds a node whose key is made from name, with books in db.
func (w *World) Join(name string, db *kv.DB) (*Node, error) {
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("markettest " + name)))
	if err != nil {
		return nil, fmt.Errorf("markettest: key: %w", err)
	}
	n := &Node{
		Key: key, Address: crypto.PubkeyToAddress(key.PublicKey), DB: db, Ledger: NewLedger(w.Network),
		w: w, handlers: map[string]Handler{}, conns: map[*conn]bool{},
	}
	n.Store = newStore(n)
	n.Revive()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes[n.Address] = n
	return n, nil
}

// Streams opens streams as this node.
func (n *Node) Streams() market.Streams { return Streams{n} }

// Handle serves a name from now on.
func (n *Node) Handle(name string, h Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.handlers[name] = h
}

// Kill ends the node's streams and whatever it was serving, and returns when
// that is over. Nobody reaches it, or its blocks, until Revive.
func (n *Node) Kill() {
	n.mu.Lock()
	n.kill()
	var all []*conn
	for c := range n.conns {
		all = append(all, c)
	}
	n.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
	n.work.Wait()
}

// Revive lets the node be reached again.
func (n *Node) Revive() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.alive, n.kill = context.WithCancel(n.w.ctx)
}

// Alive reports whether others can reach it.
func (n *Node) Alive() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.alive.Err() == nil
}

func (n *Node) track(c *conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.alive.Err() != nil {
		return false
	}
	n.conns[c] = true
	c.untrack = func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.conns, c)
	}
	return true
}

func (n *Node) serve(name string, c *conn) bool {
	if !n.track(c) {
		return false
	}
	n.mu.Lock()
	h, ctx := n.handlers[name], n.alive
	if h != nil {
		n.work.Add(1)
	}
	n.mu.Unlock()
	if h == nil {
		_ = c.Close()
		return false
	}
	go func() {
		defer n.work.Done()
		defer func() { _ = c.Close() }()
		_ = h(ctx, c) // a handler tells its peer itself
	}()
	return true
}

// living lists the nodes that can be reached, but for one.
func (w *World) living(but *Node) []*Node {
	w.mu.Lock()
	all := make([]*Node, 0, len(w.nodes))
	for _, n := range w.nodes {
		all = append(all, n)
	}
	w.mu.Unlock()
	var out []*Node
	for _, n := range all {
		if n != but && n.Alive() {
			out = append(out, n)
		}
	}
	return out
}
