package markettest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/protocol"
)

// ErrNoOffer says that the chain knows no such offer.
var ErrNoOffer = errors.New("markettest: no such offer")

// Chain is a chain of which only offers and registrations are seen. Its time is
// the wall clock's, which in a bubble is the bubble's.
type Chain struct {
	network protocol.Network

	mu       sync.Mutex
	offers   map[common.Hash]protocol.OfferOpened // guarded by mu
	opened   map[common.Hash]uint64               // guarded by mu; block
	nonces   map[common.Address]uint64            // guarded by mu
	classes  map[string][]protocol.Candidate      // guarded by mu
	block    uint64                               // guarded by mu
	ordering map[common.Hash]common.Hash          // guarded by mu; beacons chosen by Favour
	favoured common.Address                       // guarded by mu
}

// NewChain is an empty chain.
func NewChain(n protocol.Network) *Chain {
	return &Chain{
		network: n, offers: map[common.Hash]protocol.OfferOpened{}, opened: map[common.Hash]uint64{},
		nonces: map[common.Address]uint64{}, classes: map[string][]protocol.Candidate{}, ordering: map[common.Hash]common.Hash{},
	}
}

// Register adds a worker to a class with weight one.
func (c *Chain) Register(worker common.Address, class string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.classes[class] = append(c.classes[class], protocol.Candidate{Worker: worker, Weight: 1_000_000})
}

// Favour makes worker the primary of every offer opened from now on that it is
// registered for, by looking for a beacon that says so. The zero address ends it.
func (c *Chain) Favour(worker common.Address) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.favoured = worker
}

// OpenOffer takes the offer's submitter for the caller.
func (c *Chain) OpenOffer(ctx context.Context, o protocol.Offer) (common.Hash, error) {
	if err := ctx.Err(); err != nil {
		return common.Hash{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	o.Nonce = c.nonces[o.Submitter]
	id, err := protocol.Digest(c.network, o)
	if err != nil {
		return common.Hash{}, err
	}
	c.nonces[o.Submitter]++
	c.block++
	c.offers[id], c.opened[id] = protocol.OfferOpened{ID: id, Offer: o}, c.block
	for i := uint64(0); ; i++ {
		beacon := crypto.Keccak256Hash(id[:], []byte(fmt.Sprint(i)))
		c.ordering[id] = beacon
		if c.favoured == (common.Address{}) || c.isFirst(beacon, id) {
			return id, nil
		}
	}
}

// isFirst holds mu.
func (c *Chain) isFirst(beacon, id common.Hash) bool {
	for _, all := range c.classes {
		in := slices.ContainsFunc(all, func(x protocol.Candidate) bool { return x.Worker == c.favoured })
		if in && protocol.Rank(beacon, id, all)[0] != c.favoured {
			return false
		}
	}
	return true
}

// Offer is an offer that was opened.
func (c *Chain) Offer(_ context.Context, id common.Hash) (protocol.OfferOpened, uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o, ok := c.offers[id]
	if !ok {
		return o, 0, ErrNoOffer
	}
	return o, c.opened[id], nil
}

// Candidates are those registered with the class.
func (c *Chain) Candidates(_ context.Context, id common.Hash, class string) ([]protocol.Candidate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.offers[id]; !ok {
		return nil, ErrNoOffer
	}
	return append([]protocol.Candidate(nil), c.classes[class]...), nil
}

// Beacon is a hash of the offer.
func (c *Chain) Beacon(_ context.Context, id common.Hash) (common.Hash, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, ok := c.ordering[id]
	if !ok {
		return b, ErrNoOffer
	}
	return b, nil
}

// Now is the time.
func (c *Chain) Now(context.Context) (uint64, error) { return uint64(time.Now().Unix()), nil }
