// Package rewardstest holds the honest in-memory neighbours of the reward roles,
// with faults: a chain that keeps the contracts' rules, a block store, a carrier
// of verdicts, and a workshop that makes signed offers, receipts and vouchers.
//
// A Chain mines one block for each transaction, stamped with its clock. Every
// mutating call can be made to fail before it took effect or after, which is all
// that a crash looks like from outside. Everything is safe for concurrent use.
//
// It is for tests. It keeps the rules that the roles depend on, not the
// contracts' storage, gas or events; the contracts have tests of their own.
package rewardstest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/protocol"
)

var (
	// ErrRevert is what the contracts would answer.
	ErrRevert = errors.New("rewardstest: reverted")
	// ErrFault is an injected failure.
	ErrFault = errors.New("rewardstest: injected fault")
	// ErrNotYet says that there is no such block yet.
	ErrNotYet = errors.New("rewardstest: not mined yet")
)

// When tells a fault's moment.
type When int

// A fault leaves no trace, or strikes after the effect.
const (
	Never When = iota
	Before
	After
)

// Chain is one chain with the contracts' rules.
type Chain struct {
	Network protocol.Network
	Params  protocol.Params
	Ruleset common.Hash
	Clock   func() uint64 // unix seconds

	mu        sync.Mutex
	fault     func(op string) When // guarded by mu
	blocks    []uint64             // guarded by mu; times, by number
	facts     []protocol.Fact      // guarded by mu
	offers    map[common.Hash]protocol.Offer
	spent     map[common.Hash]*big.Int // by offer
	collected map[common.Hash]protocol.Redeemed
	batches   map[slot]bool
	anchors   map[uint64]anchor
	head      uint64
	claimed   map[common.Address]*big.Int
	pool      *big.Int // received + minted - burned
	claims    *big.Int
	votes     map[uint64]map[common.Address]bool
	sets      map[common.Address]*proofSet
	wrong     map[protocol.DataWrong]bool
	struck    map[common.Address]bool // no auditors
}

type slot struct {
	epoch  uint64
	worker common.Address
}

type anchor struct {
	protocol.Anchored
	claimable uint64
	applied   bool
}

// NewChain is an empty chain at block 0.
func NewChain(n protocol.Network, p protocol.Params, ruleset common.Hash, clock func() uint64) *Chain {
	return &Chain{
		Network: n, Params: p, Ruleset: ruleset, Clock: clock,
		blocks: []uint64{p.Start}, offers: map[common.Hash]protocol.Offer{}, spent: map[common.Hash]*big.Int{},
		collected: map[common.Hash]protocol.Redeemed{}, batches: map[slot]bool{}, anchors: map[uint64]anchor{}, head: protocol.NoEpoch,
		claimed: map[common.Address]*big.Int{}, pool: new(big.Int), claims: new(big.Int), votes: map[uint64]map[common.Address]bool{},
		sets: map[common.Address]*proofSet{}, wrong: map[protocol.DataWrong]bool{}, struck: map[common.Address]bool{},
	}
}

// SetFault chooses when calls fail; nil is never.
func (c *Chain) SetFault(f func(op string) When) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = f
}

func (c *Chain) act(op string, f func(now uint64) (any, error)) (common.Hash, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	when := Never
	if c.fault != nil {
		when = c.fault(op)
	}
	if when == Before {
		return common.Hash{}, fmt.Errorf("%s: %w", op, ErrFault)
	}
	now := c.Clock()
	event, err := f(now)
	if err != nil {
		return common.Hash{}, fmt.Errorf("%s: %w", op, err)
	}
	c.mine(now)
	n := uint64(len(c.blocks) - 1)
	tx := hashOf("tx", n)
	events, many := event.([]any)
	if !many && event != nil {
		events = []any{event}
	}
	for i, e := range events {
		c.facts = append(c.facts, protocol.Fact{Block: n, Time: c.blocks[n], Index: uint64(i), Tx: tx, Event: e})
	}
	if when == After {
		return common.Hash{}, fmt.Errorf("%s: %w", op, ErrFault)
	}
	return tx, nil
}

func (c *Chain) mine(now uint64) { c.blocks = append(c.blocks, max(now, c.blocks[len(c.blocks)-1])) }

// Mine adds an empty block, as the heartbeat does.
func (c *Chain) Mine() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mine(c.Clock())
}

func hashOf(what string, n uint64) common.Hash {
	return crypto.Keccak256Hash([]byte(what), binary.BigEndian.AppendUint64(nil, n))
}

// Now is the time of the chain: of its clock, since an empty block could be
// mined at any moment.
func (c *Chain) Now(context.Context) (uint64, error) { return c.Clock(), nil }

// Facts are all so far.
func (c *Chain) Facts(ctx context.Context) ([]protocol.Fact, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.facts), ctx.Err()
}

// BlockHash is the hash of a block; blocks up to the asked one are mined, as the
// embedded chain does while one is awaited.
func (c *Chain) BlockHash(_ context.Context, number uint64) (common.Hash, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for uint64(len(c.blocks)) <= number {
		c.mine(c.Clock())
	}
	return hashOf("block", number), nil
}

// BlockAfter is the first block later than the time.
func (c *Chain) BlockAfter(_ context.Context, t uint64) (uint64, common.Hash, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.Clock(); now > t && c.blocks[len(c.blocks)-1] <= t {
		c.mine(now)
	}
	for n, at := range c.blocks {
		if at > t {
			return uint64(n), hashOf("block", uint64(n)), nil
		}
	}
	return 0, common.Hash{}, ErrNotYet
}

// Register writes a node's entry.
func (c *Chain) Register(n protocol.NodeRegistered) error {
	_, err := c.act("register", func(uint64) (any, error) { return n, nil })
	return err
}

// Open opens an offer and returns its id.
func (c *Chain) Open(o protocol.Offer) (common.Hash, error) {
	id, err := protocol.Digest(c.Network, o)
	if err != nil {
		return id, err
	}
	_, err = c.act("open", func(uint64) (any, error) {
		c.offers[id] = o
		return protocol.OfferOpened{ID: id, Offer: o}, nil
	})
	return id, err
}

// As is the chain to one account.
func (c *Chain) As(a common.Address) *Account { return &Account{c, a} }

// Account sends one account's transactions.
type Account struct {
	*Chain
	addr common.Address
}

// Address is the account's.
func (a *Account) Address() common.Address { return a.addr }

// Redeem moves what a voucher promises, up to the offer's lock.
func (a *Account) Redeem(_ context.Context, s protocol.Signed[protocol.Voucher]) (common.Hash, error) {
	c := a.Chain
	return c.act("redeem", func(uint64) (any, error) {
		v, err := s.Open(c.Network)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRevert, err)
		}
		o, ok := c.offers[v.Offer]
		if !ok || o.Submitter != v.Payer {
			return nil, fmt.Errorf("%w: no such offer", ErrRevert)
		}
		ch := protocol.Channel(v.Offer, v.Worker)
		old := c.collected[ch]
		moved := new(big.Int).Sub(v.Value.Big(), old.Collected.Big())
		if moved.Sign() <= 0 {
			return nil, nil //nolint:nilnil // redeemed before: no event, no error
		}
		if c.spent[v.Offer] == nil {
			c.spent[v.Offer] = new(big.Int)
		}
		if total := new(big.Int).Add(c.spent[v.Offer], moved); total.Cmp(o.Value.Big()) > 0 {
			return nil, fmt.Errorf("%w: past the lock", ErrRevert)
		}
		c.spent[v.Offer].Add(c.spent[v.Offer], moved)
		c.pool.Add(c.pool, moved)
		m, err := protocol.AmountOf(moved)
		if err != nil {
			return nil, err
		}
		r := protocol.Redeemed{Offer: v.Offer, Channel: ch, Payer: v.Payer, Worker: v.Worker, Seq: v.Seq, Moved: m, Collected: v.Value, Receipts: v.Receipts}
		c.collected[ch] = r
		return r, nil
	})
}

// Commit puts a batch on chain, once and in its window.
func (a *Account) Commit(_ context.Context, b protocol.Batch) (common.Hash, error) {
	c := a.Chain
	return c.act("commit", func(now uint64) (any, error) {
		s := slot{b.Epoch, b.Worker}
		if b.Worker != a.addr || c.batches[s] || now < c.Params.End(b.Epoch) || now > c.Params.CommitBy(b.Epoch) {
			return nil, fmt.Errorf("%w: not the worker, not the time, or not the first", ErrRevert)
		}
		c.batches[s] = true
		return protocol.Committed{Batch: b}, nil
	})
}

// Anchor anchors an epoch.
func (a *Account) Anchor(_ context.Context, x protocol.Anchored) (common.Hash, error) {
	c := a.Chain
	return c.act("anchor", func(now uint64) (any, error) {
		last, any := c.anchors[c.head]
		switch {
		case now <= c.Params.AuditBy(x.Epoch):
			return nil, fmt.Errorf("%w: audit window open", ErrRevert)
		case c.head != x.Previous || any && (x.Epoch <= c.head || now < last.claimable):
			return nil, fmt.Errorf("%w: previous %d, head %d", ErrRevert, x.Previous, c.head)
		case x.Ruleset != c.Ruleset || x.Minted.Cmp(c.Params.MintCap) > 0 || x.Total.Cmp(last.Total) < 0:
			return nil, fmt.Errorf("%w: ruleset, mint or total", ErrRevert)
		}
		c.finalize(now)
		room := new(big.Int).Add(c.pool, x.Minted.Big())
		if room.Sub(room, x.Burned.Big()).Cmp(x.Total.Big()) < 0 {
			return nil, fmt.Errorf("%w: total above the pool", ErrRevert)
		}
		x.Poster = a.addr
		c.anchors[x.Epoch] = anchor{Anchored: x, claimable: now + c.Params.ClaimDelay}
		c.head = x.Epoch
		return x, nil
	})
}

func (c *Chain) finalize(now uint64) {
	h, ok := c.anchors[c.head]
	if !ok || h.applied || now < h.claimable {
		return
	}
	h.applied = true
	c.pool.Add(c.pool, h.Minted.Big()).Sub(c.pool, h.Burned.Big())
	c.anchors[c.head] = h
}

// Disable votes against an anchor.
func (a *Account) Disable(_ context.Context, epoch uint64, _ common.Hash) (common.Hash, error) {
	c := a.Chain
	return c.act("disable", func(now uint64) (any, error) {
		h, ok := c.anchors[epoch]
		if !ok || now >= h.claimable || c.votes[epoch][a.addr] {
			return nil, fmt.Errorf("%w: nothing to vote against", ErrRevert)
		}
		if c.votes[epoch] == nil {
			c.votes[epoch] = map[common.Address]bool{}
		}
		c.votes[epoch][a.addr] = true
		if len(c.votes[epoch]) < int(c.Params.Quorum) {
			return nil, nil //nolint:nilnil // a vote below the quorum states no fact
		}
		delete(c.anchors, epoch)
		delete(c.votes, epoch)
		c.head = h.Previous
		return protocol.Disabled{Epoch: epoch}, nil
	})
}

// Votes counts the votes against an epoch's anchor.
func (c *Chain) Votes(epoch uint64) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.votes[epoch])
}

// Claim pays an account what a claimable root grants it.
func (a *Account) Claim(_ context.Context, epoch uint64, leaf protocol.SumLeaf, index uint64, path []protocol.SumNode) (common.Hash, error) {
	c := a.Chain
	return c.act("claim", func(now uint64) (any, error) {
		h, ok := c.anchors[epoch]
		if !ok || now < h.claimable {
			return nil, fmt.Errorf("%w: not claimable", ErrRevert)
		}
		if err := protocol.VerifySum(protocol.SumNode{Hash: h.Root, Sum: h.Total}, leaf, index, path); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRevert, err)
		}
		c.finalize(now)
		if c.claimed[leaf.Account] == nil {
			c.claimed[leaf.Account] = new(big.Int)
		}
		paid := new(big.Int).Sub(leaf.Value.Big(), c.claimed[leaf.Account])
		if paid.Sign() <= 0 {
			return nil, nil //nolint:nilnil // nothing more to pay
		}
		c.claims.Add(c.claims, paid)
		if c.claims.Cmp(c.pool) > 0 {
			return nil, fmt.Errorf("%w: claims above the pool", ErrRevert)
		}
		c.claimed[leaf.Account] = leaf.Value.Big()
		p, err := protocol.AmountOf(paid)
		if err != nil {
			return nil, err
		}
		return protocol.Claimed{Epoch: epoch, Account: leaf.Account, Payout: leaf.Account, Paid: p, Cumulative: leaf.Value}, nil
	})
}

// Pool is received + minted − burned, and the sum of all claims.
func (c *Chain) Pool() (pool, claimed *big.Int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finalize(c.Clock())
	return new(big.Int).Set(c.pool), new(big.Int).Set(c.claims)
}
