package retrieval

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/rewards/possession"
	"tally/rewards/ruleset"
)

// Paid reads which pins run.
type Paid interface {
	// Pins are those that are open in the state of an anchored epoch's data.
	Pins(ctx context.Context, data cid.Cid) ([]ruleset.Pin, error)
}

// paid is a pin that a round may draw: its value is its weight.
type paid struct {
	node  common.Address
	held  protocol.HeldPiece
	value *big.Int
}

// Settled is the data of the last anchor that was final at the epoch's CommitBy, and
// had not been disabled; false if there was none. It depends on the chain alone, so
// auditors and posters mean the same.
func Settled(facts []protocol.Fact, p protocol.Params, epoch uint64) (data cid.Cid, ok bool) {
	until := p.CommitBy(epoch)
	type anchor struct {
		data cid.Cid
		at   protocol.Fact
	}
	var last anchor
	good := map[uint64]anchor{}
	fs := slices.DeleteFunc(slices.Clone(facts), func(f protocol.Fact) bool {
		switch f.Event.(type) {
		case protocol.Anchored, protocol.Disabled:
			return f.Time > until
		}
		return true
	})
	slices.SortStableFunc(fs, func(a, b protocol.Fact) int {
		return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Index, b.Index))
	})
	for _, f := range fs {
		switch e := f.Event.(type) {
		case protocol.Anchored:
			good[e.Epoch] = anchor{e.Data, f}
		case protocol.Disabled:
			delete(good, e.Epoch)
		}
	}
	for _, a := range good {
		if a.at.Time+p.ClaimDelay <= until && (!ok || a.at.Block > last.at.Block || a.at.Block == last.at.Block && a.at.Index > last.at.Index) {
			last, ok = a, true
		}
	}
	return last.data, ok
}

// pins reads what is paid for a round; nothing where the node was not given a way.
func pins(ctx context.Context, from Paid, facts []protocol.Fact, p protocol.Params, epoch uint64) ([]ruleset.Pin, error) {
	data, ok := Settled(facts, p, epoch)
	if !ok || from == nil {
		return nil, nil
	}
	out, err := from.Pins(ctx, data)
	if err != nil {
		return nil, fmt.Errorf("retrieval: the pins that epoch %d checks: %w", epoch, err)
	}
	return out, nil
}

// Pay tells the round which pins are open. From then on every other check, the first
// one included, is drawn from those that their worker has in its set, by value.
func (r *Round) Pay(pins []ruleset.Pin) {
	by := map[common.Address]possession.Holder{}
	for _, h := range r.holders {
		by[h.Node] = h
	}
	r.paid = nil
	r.mu.Lock()
	clear(r.drawn)
	r.mu.Unlock()
	for _, p := range pins {
		ps := by[p.Worker].Pieces
		i := slices.IndexFunc(ps, func(h protocol.HeldPiece) bool { return h.Root == p.Piece && h.Size == p.Size })
		if i >= 0 && !p.Value.IsZero() {
			r.paid = append(r.paid, paid{p.Worker, ps[i], p.Value.Big()})
		}
	}
	slices.SortStableFunc(r.paid, func(a, b paid) int {
		return cmp.Or(bytes.Compare(a.node[:], b.node[:]), cmp.Compare(a.held.ID, b.held.ID))
	})
}

// lots are pins with the sums of the values up to each.
type lots struct {
	of   []paid
	upto []*big.Int
}

func newLots(of []paid) lots {
	l, sum := lots{of: of}, new(big.Int)
	for _, p := range of {
		sum = new(big.Int).Add(sum, p.value)
		l.upto = append(l.upto, sum)
	}
	return l
}

// pick is the pin that a number falls on; false if nothing is paid.
func (l lots) pick(w []byte) (paid, bool) {
	if len(l.of) == 0 {
		return paid{}, false
	}
	at := new(big.Int).SetBytes(w)
	at.Mod(at, l.upto[len(l.upto)-1])
	i, _ := slices.BinarySearchFunc(l.upto, at, func(s, at *big.Int) int {
		if s.Cmp(at) <= 0 {
			return -1
		}
		return 1
	})
	return l.of[i], true
}
