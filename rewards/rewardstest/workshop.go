package rewardstest

import (
	"context"
	"crypto/ecdsa"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"

	"tally/protocol"
)

// ErrAbsent says that nobody serves a block.
var ErrAbsent = errors.New("rewardstest: nobody has the block")

// Network is a network for tests.
func Network() protocol.Network {
	return protocol.Network{
		Name: "test", ChainID: 31_337, Token: common.Address{1}, Registry: common.Address{2}, Vault: common.Address{3}, Ledger: common.Address{4}, Possession: common.Address{5},
	}
}

// Key is the same key for the same name.
func Key(name string) *ecdsa.PrivateKey {
	h := crypto.Keccak256([]byte(name))
	k, err := crypto.ToECDSA(h)
	for err != nil { // one in 2^128
		h = crypto.Keccak256(h)
		k, err = crypto.ToECDSA(h)
	}
	return k
}

// Addr is the address of Key(name).
func Addr(name string) common.Address { return crypto.PubkeyToAddress(Key(name).PublicKey) }

// Store is a block store that everybody shares, with blocks that can be hidden.
type Store struct {
	mu     sync.Mutex
	blocks map[cid.Cid][]byte    // guarded by mu
	hidden map[cid.Cid]bool      // guarded by mu
	under  map[cid.Cid][]cid.Cid // guarded by mu; blocks by root
	fault  func(op string) When  // guarded by mu
}

// NewStore is an empty store.
func NewStore() *Store {
	return &Store{blocks: map[cid.Cid][]byte{}, hidden: map[cid.Cid]bool{}, under: map[cid.Cid][]cid.Cid{}}
}

// SetFault chooses when calls fail; nil is never.
func (s *Store) SetFault(f func(op string) When) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

func (s *Store) act(op string, f func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	when := Never
	if s.fault != nil {
		when = s.fault(op)
	}
	if when == Before {
		return fmt.Errorf("%s: %w", op, ErrFault)
	}
	f()
	if when == After {
		return fmt.Errorf("%s: %w", op, ErrFault)
	}
	return nil
}

// Put keeps one document.
func (s *Store) Put(ctx context.Context, data []byte) (cid.Cid, error) {
	c := protocol.CIDOf(data)
	return c, s.Publish(ctx, c, [][]byte{data})
}

// Publish keeps a DAG and makes its root findable.
func (s *Store) Publish(_ context.Context, root cid.Cid, blocks [][]byte) error {
	has := false
	err := s.act("publish", func() {
		for _, b := range blocks {
			c := protocol.CIDOf(b)
			s.blocks[c] = slices.Clone(b)
			s.under[root] = append(s.under[root], c)
			has = has || c.Equals(root)
		}
	})
	if err == nil && !has {
		return fmt.Errorf("%w: root %s", ErrAbsent, root)
	}
	return err
}

// Get gives a block of the DAG under a published root.
func (s *Store) Get(ctx context.Context, root, c cid.Cid) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.blocks[c]
	if !ok || s.hidden[c] || !slices.ContainsFunc(s.under[root], c.Equals) {
		return nil, fmt.Errorf("%w: %s", ErrAbsent, c)
	}
	return slices.Clone(b), nil
}

// Corrupt flips a bit of a block that is served.
func (s *Store) Corrupt(c cid.Cid) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := slices.Clone(s.blocks[c]); len(b) > 0 {
		b[len(b)/2] ^= 1
		s.blocks[c] = b
	}
}

// Hide makes blocks unavailable, or available again.
func (s *Store) Hide(yes bool, cs ...cid.Cid) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range cs {
		s.hidden[c] = yes
	}
}

// Job is an offer with its documents, opened on a chain.
type Job struct {
	ID     common.Hash
	Offer  protocol.Offer
	Engine string
	Model  cid.Cid
	chain  *Chain
	payer  *ecdsa.PrivateKey
	links  map[common.Address]*link
}

type link struct {
	seq      uint64
	value    protocol.Amount
	previous cid.Cid
}

// Open opens a job of the kind: spec is written to the store.
func Open(c *Chain, s *Store, payer string, o protocol.Offer, spec any) (*Job, error) {
	b, err := protocol.Encode(spec)
	if err != nil {
		return nil, err
	}
	if o.Spec, err = s.Put(context.Background(), b); err != nil {
		return nil, err
	}
	o.Submitter = Addr(payer)
	if o.Tier == 0 {
		o.Tier = protocol.TierExact
	}
	j := &Job{chain: c, payer: Key(payer), links: map[common.Address]*link{}}
	switch x := spec.(type) {
	case protocol.InferSpec:
		j.Engine, j.Model, o.Kind = x.Engine, x.Model, protocol.KindInfer
	case protocol.TrainSpec:
		j.Engine, o.Kind = x.Engine, protocol.KindTrain
	case protocol.PinSpec:
		j.Engine, o.Kind = "pin/1", protocol.KindPin
	}
	j.Offer = o
	j.ID, err = c.Open(o)
	return j, err
}

// Ranking is the order of workers that the beacon gives.
func (j *Job) Ranking() ([]common.Address, error) {
	facts, err := j.chain.Facts(context.Background())
	if err != nil {
		return nil, err
	}
	var at uint64
	nodes := map[common.Address]protocol.NodeRegistered{}
	for _, f := range facts {
		switch e := f.Event.(type) {
		case protocol.NodeRegistered:
			if at == 0 {
				nodes[e.Node] = e
			}
		case protocol.OfferOpened:
			if e.ID == j.ID {
				at = f.Block
			}
		}
	}
	beacon, err := j.chain.BlockHash(context.Background(), at+2)
	if err != nil {
		return nil, err
	}
	var cs []protocol.Candidate
	for a, n := range nodes {
		if slices.Contains(n.Classes, j.Engine) {
			cs = append(cs, protocol.Candidate{Worker: a, Weight: n.Weight})
		}
	}
	return protocol.Rank(beacon, j.ID, cs), nil
}

// Work makes the next receipt of a worker, ended at the time, and the voucher
// that pays for it. edit may change the receipt before it is signed.
func (j *Job) Work(worker string, value protocol.Amount, end uint64, edit func(*protocol.Receipt)) (protocol.Cosigned, protocol.Signed[protocol.Voucher], error) {
	var none protocol.Signed[protocol.Voucher]
	w := Addr(worker)
	l := j.links[w]
	if l == nil {
		l = &link{}
		j.links[w] = l
	}
	l.seq++
	var err error
	if l.value, err = l.value.Add(value); err != nil {
		return protocol.Cosigned{}, none, err
	}
	origin := protocol.OriginAssigned
	if j.Offer.Direct != (common.Address{}) {
		origin = protocol.OriginDirect
	}
	r := protocol.Receipt{
		Offer: j.ID, Channel: protocol.Channel(j.ID, w), Payer: j.Offer.Submitter, Worker: w,
		Epoch: j.chain.Params.EpochAt(end), Seq: l.seq, Kind: j.Offer.Kind, Tier: j.Offer.Tier, Origin: origin, Spec: j.Offer.Spec,
		Input: crypto.Keccak256Hash(binary.BigEndian.AppendUint64(nil, l.seq)), Trace: common.Hash{1}, UnitsIn: 10, UnitsOut: 20, Value: value,
		Start: end, End: end, Previous: l.previous,
	}
	if edit != nil {
		edit(&r)
	}
	c, err := protocol.IssueReceipt(j.chain.Network, Key(worker), r)
	if err != nil {
		return c, none, err
	}
	l.previous = c.ID()
	if c, err = c.Cosign(j.chain.Network, j.payer); err != nil {
		return c, none, err
	}
	v, err := protocol.Sign(j.chain.Network, j.payer, protocol.Voucher{Offer: j.ID, Payer: r.Payer, Worker: w, Seq: l.seq, Value: l.value})
	return c, v, err
}
