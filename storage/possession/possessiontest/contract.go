package possessiontest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage/possession"
)

// contract is the possession contract's state, written down plainly: what is under
// challenge is a copy of the set, taken when the period began.
type contract struct {
	params protocol.Params
	sets   map[common.Address]*account
}

type account struct {
	next       uint64
	pieces     map[uint64]protocol.HeldPiece
	period     uint64
	challenged map[uint64]protocol.HeldPiece
	over       bool // proved or given up
	missed     []uint64
	demands    []asked
}

type asked struct {
	demand
	auditor common.Address
	by      uint64
}

// demand is an auditor's call.
type demand struct {
	node     common.Address
	id, leaf uint64
}

// account is a node's set, moved to the period.
func (k *contract) account(n common.Address, period uint64) *account {
	a := k.sets[n]
	if a == nil {
		a = &account{pieces: map[uint64]protocol.HeldPiece{}, challenged: map[uint64]protocol.HeldPiece{}, period: period, over: true}
		k.sets[n] = a
	}
	for ; a.period < period; a.period++ {
		if len(a.challenged) > 0 && !a.over {
			a.missed = append(a.missed, a.period)
		}
		a.challenged, a.over = maps.Clone(a.pieces), len(a.pieces) == 0
	}
	return a
}

// clone is a contract with a copy of one account, to try a call on.
func (k *contract) clone(n common.Address) *contract {
	c := &contract{k.params, map[common.Address]*account{}}
	if a := k.sets[n]; a != nil {
		b := *a
		b.pieces, b.missed, b.demands = maps.Clone(a.pieces), slices.Clone(a.missed), slices.Clone(a.demands)
		c.sets[n] = &b
	}
	return c
}

// announce returns the misses that moving to the period found, as an event.
func (k *contract) announce(n common.Address, period uint64) (*account, []any) {
	var before int
	if a := k.sets[n]; a != nil {
		before = len(a.missed)
	}
	a := k.account(n, period)
	if fresh := a.missed[before:]; len(fresh) > 0 {
		return a, []any{protocol.PeriodsMissed{Node: n, From: fresh[0], To: fresh[len(fresh)-1]}}
	}
	return a, nil
}

func revert(format string, args ...any) ([]any, error) {
	return nil, fmt.Errorf("%w: %s", ErrRevert, fmt.Sprintf(format, args...))
}

// exec executes a transaction in a block. A call that reverts changes nothing that
// a later call could see.
func (k *contract) exec(t tx, n uint64, seed func(uint64) common.Hash) ([]any, error) {
	period := k.params.PeriodAt(n)
	if d, ok := t.call.(demand); ok {
		a, events := k.announce(d.node, period)
		if _, ok := a.pieces[d.id]; !ok {
			return revert("no such piece")
		}
		x := asked{d, t.from, n + k.params.ProofPeriod}
		a.demands = append(a.demands, x)
		return append(events, protocol.RetrievalDemanded{Node: d.node, Auditor: t.from, ID: d.id, Leaf: d.leaf, By: x.by}), nil
	}
	if p, ok := t.call.(possession.Prove); ok && p.Period != period {
		return revert("a proof of period %d in period %d", p.Period, period)
	}
	if f, ok := t.call.(possession.Forfeit); ok && f.Period != period {
		return revert("period %d given up in period %d", f.Period, period)
	}
	trial := k.clone(t.from)
	a, events := trial.announce(t.from, period)
	for _, d := range a.demands {
		if n > d.by {
			events = append(events, protocol.RetrievalMissed{Node: t.from, Auditor: d.auditor, ID: d.id, Leaf: d.leaf})
		}
	}
	a.demands = slices.DeleteFunc(a.demands, func(d asked) bool { return n > d.by })
	more, err := a.call(t, n, k.params, seed)
	if err != nil {
		return nil, err
	}
	k.sets[t.from] = a
	return append(events, more...), nil
}

func (a *account) call(t tx, n uint64, params protocol.Params, seed func(uint64) common.Hash) ([]any, error) {
	var events []any
	switch c := t.call.(type) {
	case possession.AddPieces:
		if len(c.Shards) == 0 || len(c.Shards) > 64 {
			return revert("batch of %d", len(c.Shards))
		}
		for _, s := range c.Shards {
			a.pieces[a.next] = protocol.HeldPiece{ID: a.next, Root: s.Piece, Size: s.Size}
			events = append(events, protocol.PieceAdded{Node: t.from, ID: a.next, Root: s.Piece, Size: s.Size})
			a.next++
		}
	case possession.RemovePieces:
		if !a.over && len(a.challenged) > 0 {
			return revert("prove first")
		}
		for _, id := range c.IDs {
			if _, ok := a.pieces[id]; !ok {
				return revert("no piece %d", id)
			}
			if slices.ContainsFunc(a.demands, func(d asked) bool { return d.id == id }) {
				return revert("demand open for piece %d", id)
			}
			delete(a.pieces, id)
			events = append(events, protocol.PieceRemoved{Node: t.from, ID: id})
		}
	case possession.Prove, possession.Forfeit:
		if len(a.challenged) == 0 || a.over {
			return revert("nothing to prove, or over")
		}
		if _, ok := c.(possession.Prove); ok && n <= params.ChallengeBlock(a.period) {
			return revert("the seed is not there before the block after it")
		}
		a.over = true
		if _, ok := c.(possession.Forfeit); ok {
			a.missed = append(a.missed, a.period)
			return []any{protocol.PeriodsMissed{Node: t.from, From: a.period, To: a.period}}, nil
		}
		return a.check(c.(possession.Prove), t.from, params, seed(params.ChallengeBlock(a.period)))
	case possession.Answer:
		before := len(a.demands)
		for _, d := range a.demands {
			if d.id == c.Leaf.ID && d.leaf == c.Leaf.Proof.Index {
				p := a.pieces[d.id]
				if err := piece.Verify(p.Root, p.Size, c.Leaf.Proof); err != nil {
					return revert("%s", err)
				}
			}
		}
		a.demands = slices.DeleteFunc(a.demands, func(d asked) bool { return d.id == c.Leaf.ID && d.leaf == c.Leaf.Proof.Index })
		if len(a.demands) == before {
			return revert("no such demand")
		}
		events = append(events, protocol.RetrievalAnswered{Node: t.from, ID: c.Leaf.ID, Leaf: c.Leaf.Proof.Index})
	default:
		return revert("no such call %T", t.call)
	}
	return events, nil
}

func (a *account) check(c possession.Prove, from common.Address, params protocol.Params, seed common.Hash) ([]any, error) {
	var list []protocol.HeldPiece
	var total uint64
	for _, id := range slices.Sorted(maps.Keys(a.challenged)) {
		list = append(list, a.challenged[id])
		total += piece.Leaves(a.challenged[id].Size)
	}
	if uint64(len(c.Leaves)) != params.ProofLeaves {
		return revert("%d leaves", len(c.Leaves))
	}
	for i, l := range c.Leaves {
		p, leaf, err := protocol.FindLeaf(list, protocol.DrawLeaf(seed, from, c.Period, uint64(i), total))
		if err != nil {
			return nil, err
		}
		if l.ID != p.ID || l.Proof.Index != leaf {
			return revert("draw %d is leaf %d of piece %d", i, leaf, p.ID)
		}
		if err := piece.Verify(p.Root, p.Size, l.Proof); err != nil {
			return revert("%s", err)
		}
	}
	return []any{protocol.PossessionProved{Node: from, Period: c.Period, Leaves: total}}, nil
}
