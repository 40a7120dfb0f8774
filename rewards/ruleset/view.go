package ruleset

import (
	"bytes"
	"cmp"
	"math/big"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/rewards/possession"
)

// opened is an offer with the block that opened it.
type opened struct {
	protocol.Offer
	block uint64
}

// entry is a node's registration as it stood from a place on the chain.
type entry struct {
	block, time uint64
	node        *protocol.NodeRegistered // nil: deregistered
}

// view is the chain up to a horizon, as the ruleset sees it.
type view struct {
	offers   map[common.Hash]opened
	redeemed map[common.Hash]protocol.Redeemed // latest, by channel
	received *big.Int
	batches  []protocol.Batch // committed in time, by epoch, then worker
	nodes    map[common.Address][]entry
	wrong    []wrong                 // in the chain's order
	sets     func() *possession.Sets // what nodes prove that they keep; read when first asked for
}

// wrong is a node that the chain saw sign wrong data.
type wrong struct {
	node common.Address
	time uint64
}

// look folds facts until the time, in the chain's order.
func look(facts []protocol.Fact, p protocol.Params, until uint64) *view {
	var fs []protocol.Fact
	for _, f := range facts {
		if f.Time > until {
			continue
		}
		switch f.Event.(type) { // most facts are proofs, which sets reads by itself
		case protocol.NodeRegistered, protocol.NodeDeregistered, protocol.OfferOpened, protocol.Redeemed, protocol.DataWrong, protocol.Committed:
			fs = append(fs, f)
		}
	}
	slices.SortStableFunc(fs, func(a, b protocol.Fact) int {
		return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Index, b.Index))
	})
	v := &view{
		offers: map[common.Hash]opened{}, redeemed: map[common.Hash]protocol.Redeemed{},
		received: new(big.Int), nodes: map[common.Address][]entry{},
		sets: sync.OnceValue(func() *possession.Sets { return possession.Read(facts, p, until) }),
	}
	type slot struct {
		worker common.Address
		epoch  uint64
	}
	once := map[slot]bool{}
	for i, f := range fs {
		if i > 0 && f.Block == fs[i-1].Block && f.Index == fs[i-1].Index {
			continue // the same log given twice
		}
		switch e := f.Event.(type) {
		case protocol.NodeRegistered:
			v.nodes[e.Node] = append(v.nodes[e.Node], entry{f.Block, f.Time, &e})
		case protocol.NodeDeregistered:
			v.nodes[e.Node] = append(v.nodes[e.Node], entry{f.Block, f.Time, nil})
		case protocol.OfferOpened:
			if _, ok := v.offers[e.ID]; !ok {
				v.offers[e.ID] = opened{e.Offer, f.Block}
			}
		case protocol.Redeemed:
			v.redeemed[e.Channel] = e
			v.received.Add(v.received, e.Moved.Big())
		case protocol.DataWrong:
			v.wrong = append(v.wrong, wrong{e.Node, f.Time})
		case protocol.Committed:
			s := slot{e.Batch.Worker, e.Batch.Epoch}
			if !once[s] && e.Batch.Epoch < p.EpochAt(f.Time) && f.Time <= p.CommitBy(e.Batch.Epoch) {
				once[s] = true
				v.batches = append(v.batches, e.Batch)
			}
		}
	}
	slices.SortFunc(v.batches, compareBatches)
	return v
}

func compareBatches(a, b protocol.Batch) int {
	return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), bytes.Compare(a.Worker[:], b.Worker[:]))
}

// at is the node's entry as of the last change that stands; nil if there is none.
func (v *view) at(a common.Address, stands func(entry) bool) *protocol.NodeRegistered {
	var n *protocol.NodeRegistered
	for _, e := range v.nodes[a] {
		if !stands(e) {
			break
		}
		n = e.node
	}
	return n
}

// registered lists the nodes with the class, by address.
func (v *view) registered(class string, stands func(entry) bool) []protocol.NodeRegistered {
	var out []protocol.NodeRegistered
	for a := range v.nodes {
		if n := v.at(a, stands); n != nil && slices.Contains(n.Classes, class) {
			out = append(out, *n)
		}
	}
	slices.SortFunc(out, func(a, b protocol.NodeRegistered) int { return bytes.Compare(a.Node[:], b.Node[:]) })
	return out
}

// payout is where an account's rewards go: who the operator is, as far as the
// chain can tell. An account without an entry is its own.
func (v *view) payout(a common.Address, stands func(entry) bool) common.Address {
	if n := v.at(a, stands); n != nil && n.Payout != (common.Address{}) {
		return n.Payout
	}
	return a
}

func byBlock(b uint64) func(entry) bool { return func(e entry) bool { return e.block <= b } }

func byTime(t uint64) func(entry) bool { return func(e entry) bool { return e.time <= t } }
