// Package possessiontest holds the honest in-memory neighbours of a Prover, with
// faults: a chain with the rules of the possession contract, a shelf of shards and
// durable notes.
//
// A Chain mines when it is told to. It checks every leaf of every proof with
// protocol.DrawLeaf and piece.Verify, keeps the contract's rules of adding,
// removing, forfeiting and demanding, and takes blocks back by reorganisation: the
// transactions of those blocks go back to the pool and are executed anew. A
// transaction can fail before or after it was persisted, or vanish.
//
// Everything is safe for concurrent use, and for tests. It keeps the rules that a
// prover depends on, not the contract's storage, gas or error names.
package possessiontest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage/possession"
)

var (
	// ErrRevert is what the contract would answer.
	ErrRevert = errors.New("possessiontest: reverted")
	// ErrFault is an injected failure.
	ErrFault = errors.New("possessiontest: injected fault")
	// ErrNotYet says that there is no such block.
	ErrNotYet = errors.New("possessiontest: not mined yet")
)

// When tells a fault's moment.
type When int

// Moments of a fault.
const (
	Never  When = iota
	Before      // an error, and nothing was done
	After       // an error, and it was done
	Vanish      // no error, and it is lost
)

type tx struct {
	hash common.Hash
	from common.Address
	call possession.Call
	due  uint64 // block from which it is mined
}

type block struct {
	hash  common.Hash
	txs   []tx
	good  []bool
	facts []protocol.Fact
}

// Chain is one chain with the possession contract.
type Chain struct {
	Params protocol.Params

	mu      sync.Mutex
	salt    uint64 // guarded by mu; as is all that follows
	blocks  []block
	pool    []tx
	gone    map[common.Hash]bool
	count   uint64
	state   contract
	changed chan struct{}
	fault   func(from common.Address, c possession.Call) When
	latency func() uint64 // blocks that a transaction waits
	tries   map[string]int
}

// NewChain is a chain with block 0.
func NewChain(p protocol.Params, seed uint64) *Chain {
	c := &Chain{
		Params: p, salt: seed, gone: map[common.Hash]bool{}, changed: make(chan struct{}), tries: map[string]int{},
		state: contract{params: p, sets: map[common.Address]*account{}},
	}
	c.blocks = []block{{hash: c.hash(0)}}
	return c
}

// SetFault chooses what becomes of a transaction that is handed over.
func (c *Chain) SetFault(f func(from common.Address, call possession.Call) When) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = f
}

// SetLatency chooses how many blocks a transaction waits beyond the next.
func (c *Chain) SetLatency(f func() uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latency = f
}

// hash is a new block's. The caller holds mu, or is alone.
func (c *Chain) hash(n uint64) common.Hash {
	c.count++
	var b [24]byte
	binary.BigEndian.PutUint64(b[:], c.salt)
	binary.BigEndian.PutUint64(b[8:], n)
	binary.BigEndian.PutUint64(b[16:], c.count)
	return crypto.Keccak256Hash(b[:])
}

// Head is the newest block.
func (c *Chain) Head() (uint64, common.Hash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.blocks) - 1
	return uint64(n), c.blocks[n].hash
}

// BlockHash is a block's hash.
func (c *Chain) BlockHash(n uint64) (common.Hash, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n >= uint64(len(c.blocks)) {
		return common.Hash{}, ErrNotYet
	}
	return c.blocks[n].hash, nil
}

// Facts are all events so far.
func (c *Chain) Facts() []protocol.Fact {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []protocol.Fact
	for _, b := range c.blocks {
		out = append(out, b.facts...)
	}
	return out
}

// Changed is closed at the next block or reorganisation.
func (c *Chain) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

func (c *Chain) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// Mine adds n blocks and executes what is due.
func (c *Chain) Mine(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		c.mine()
	}
	c.wake()
}

func (c *Chain) mine() {
	n := uint64(len(c.blocks))
	b := block{hash: c.hash(n)}
	rest := c.pool[:0:0]
	for _, t := range c.pool {
		if t.due > n {
			rest = append(rest, t)
			continue
		}
		events, err := c.state.exec(t, n, c.seed)
		b.txs, b.good = append(b.txs, t), append(b.good, err == nil)
		for _, e := range events {
			b.facts = append(b.facts, protocol.Fact{Block: n, Time: 1000 + n, Index: uint64(len(b.facts)), Tx: t.hash, Event: e})
		}
	}
	c.pool = rest
	c.blocks = append(c.blocks, b)
}

func (c *Chain) seed(n uint64) common.Hash { return c.blocks[n].hash }

// Reorg takes the newest depth blocks back and mines as many others, with what
// was in them in the pool again; keep says which transactions stay there.
func (c *Chain) Reorg(depth int, keep func(possession.Call) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	depth = min(depth, len(c.blocks)-1)
	at := len(c.blocks) - depth
	var back []tx
	for _, b := range c.blocks[at:] {
		for _, t := range b.txs {
			if keep == nil || keep(t.call) {
				t.due = 0
				back = append(back, t)
			} else {
				c.gone[t.hash] = true
			}
		}
	}
	c.blocks = c.blocks[:at]
	c.pool = append(back, c.pool...)
	c.state = contract{params: c.Params, sets: map[common.Address]*account{}}
	for n, b := range c.blocks {
		for _, t := range b.txs {
			_, _ = c.state.exec(t, uint64(n), c.seed)
		}
	}
	for range depth {
		c.mine()
	}
	c.wake()
}

// Tries is how many transactions of a type an account handed over.
func (c *Chain) Tries(from common.Address, call possession.Call) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tries[fmt.Sprintf("%s %T", from, call)]
}

// Mined counts the transactions of an account and a type in the chain, with their
// effect and without.
func (c *Chain) Mined(from common.Address, call possession.Call) (good, bad int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.blocks {
		for i, t := range b.txs {
			if t.from != from || fmt.Sprintf("%T", t.call) != fmt.Sprintf("%T", call) {
				continue
			}
			if b.good[i] {
				good++
			} else {
				bad++
			}
		}
	}
	return good, bad
}

// Challenged is what the contract itself has under challenge.
func (c *Chain) Challenged(node common.Address) (ids []uint64, leaves uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.state.account(node, c.Params.PeriodAt(uint64(len(c.blocks)-1)))
	ids = slices.Sorted(maps.Keys(a.challenged))
	for _, p := range a.challenged {
		leaves += piece.Leaves(p.Size)
	}
	return ids, leaves
}

// Missed lists the periods that a node had something to prove in and did not.
func (c *Chain) Missed(node common.Address) []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.state.account(node, c.Params.PeriodAt(uint64(len(c.blocks)-1))).missed)
}

// Demand asks a node for a leaf, as an auditor.
func (c *Chain) Demand(auditor, node common.Address, id, leaf uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pool = append(c.pool, tx{c.txHash(), auditor, demand{node, id, leaf}, 0})
}

func (c *Chain) txHash() common.Hash { return c.hash(1 << 60) }

// Wallet is an account on the chain.
type Wallet struct {
	C    *Chain
	From common.Address
}

// Submit hands a transaction over. What would revert in the newest block is
// refused, as an estimate of gas does.
func (w Wallet) Submit(_ context.Context, call possession.Call) (common.Hash, error) {
	c := w.C
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries[fmt.Sprintf("%s %T", w.From, call)]++
	when := Never
	if c.fault != nil {
		when = c.fault(w.From, call)
	}
	if when == Before {
		return common.Hash{}, ErrFault
	}
	t := tx{c.txHash(), w.From, call, 0}
	if _, err := c.state.clone(w.From).exec(t, uint64(len(c.blocks)-1), c.seed); err != nil {
		return common.Hash{}, err
	}
	if when == Vanish {
		c.gone[t.hash] = true
		return t.hash, nil
	}
	if c.latency != nil {
		t.due = uint64(len(c.blocks)) + c.latency()
	}
	c.pool = append(c.pool, t)
	if when == After {
		return common.Hash{}, ErrFault
	}
	return t.hash, nil
}

// Outcome is what became of a transaction.
func (w Wallet) Outcome(_ context.Context, h common.Hash) (possession.Outcome, error) {
	c := w.C
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.pool {
		if t.hash == h {
			return possession.Pending, nil
		}
	}
	for _, b := range c.blocks {
		for i, t := range b.txs {
			if t.hash == h && b.good[i] {
				return possession.Mined, nil
			} else if t.hash == h {
				return possession.Reverted, nil
			}
		}
	}
	return possession.Lost, nil
}
