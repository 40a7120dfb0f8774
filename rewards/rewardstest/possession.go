package rewardstest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/protocol/piece"
)

// proofSet is what a node keeps, as the possession contract has it; no leaves are
// drawn and no paths checked.
type proofSet struct {
	pieces  map[uint64]uint64 // period that covers the piece first, by id
	ids     uint64
	demands map[common.Address]bool // open, by auditor
	next    uint64                  // the period that is neither proved nor recorded as missed
}

// covered reports whether anything was in the set when the period began.
func (s *proofSet) covered(period uint64) bool {
	for _, first := range s.pieces {
		if first <= period {
			return true
		}
	}
	return false
}

func (c *Chain) set(a common.Address) *proofSet {
	if c.sets[a] == nil {
		c.sets[a] = &proofSet{pieces: map[uint64]uint64{}, demands: map[common.Address]bool{}}
	}
	return c.sets[a]
}

// period is that of the block which the next transaction is in.
func (c *Chain) period() uint64 { return c.Params.PeriodAt(uint64(len(c.blocks))) }

// NextPeriod mines until a transaction would be the first in a new proof period
// that can prove.
func (c *Chain) NextPeriod() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for p := c.period(); c.period() == p; {
		c.mine(c.Clock())
	}
	c.mine(c.Clock()) // the challenge block itself
}

// AddPiece puts a piece in the account's set and gives its id.
func (a *Account) AddPiece(root common.Hash, size uint64) (id uint64, err error) {
	c := a.Chain
	_, err = c.act("piece", func(uint64) (any, error) {
		s := c.set(a.addr)
		var out []any
		if len(s.pieces) > 0 {
			out = c.missed(a.addr, c.period())
		} else {
			s.next = c.period() + 1
		}
		id = s.ids
		s.ids++
		s.pieces[id] = c.period() + 1
		return append(out, protocol.PieceAdded{Node: a.addr, ID: id, Root: root, Size: size}), nil
	})
	return id, err
}

// missed records the periods before the given one that were not proved.
func (c *Chain) missed(a common.Address, before uint64) []any {
	s := c.set(a)
	var out []any
	for p := s.next; p < before; p++ {
		if !s.covered(p) {
			continue
		}
		if k := len(out); k > 0 {
			m, _ := out[k-1].(protocol.PeriodsMissed)
			m.To = p
			out[k-1] = m
		} else {
			out = append(out, protocol.PeriodsMissed{Node: a, From: p, To: p})
		}
	}
	s.next = max(s.next, before)
	return out
}

// Prove proves the account's set in the current period.
func (a *Account) Prove(context.Context) (common.Hash, error) {
	c := a.Chain
	return c.act("prove", func(uint64) (any, error) {
		s, p := c.set(a.addr), c.period()
		if !s.covered(p) || s.next > p || c.Params.ChallengeBlock(p) == uint64(len(c.blocks)) {
			return nil, fmt.Errorf("%w: nothing to prove in period %d", ErrRevert, p)
		}
		out := c.missed(a.addr, p)
		s.next = p + 1
		return append(out, protocol.PossessionProved{Node: a.addr, Period: p, Leaves: 1}), nil
	})
}

// RemovePiece takes a piece out. The period must be proved, or is given up.
func (a *Account) RemovePiece(id uint64, giveUp bool) error {
	c := a.Chain
	_, err := c.act("remove", func(uint64) (any, error) {
		s, p := c.set(a.addr), c.period()
		if _, ok := s.pieces[id]; !ok {
			return nil, fmt.Errorf("%w: no piece %d", ErrRevert, id)
		}
		before := p
		if s.covered(p) && s.next <= p {
			if !giveUp {
				return nil, fmt.Errorf("%w: period %d is not proved", ErrRevert, p)
			}
			before = p + 1
		}
		out := c.missed(a.addr, before)
		delete(s.pieces, id)
		return append(out, protocol.PieceRemoved{Node: a.addr, ID: id}), nil
	})
	return err
}

// IsAuditor reports whether an account may demand. Here everybody may that was not
// struck off.
func (a *Account) IsAuditor(_ context.Context, account common.Address) (bool, error) {
	a.Chain.mu.Lock()
	defer a.Chain.mu.Unlock()
	return !a.Chain.struck[account], nil
}

// Strike takes an account off the auditors.
func (c *Chain) Strike(account common.Address) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.struck[account] = true
}

// Demand asks a node for a leaf, as an auditor does; one open demand for each.
func (a *Account) Demand(_ context.Context, node common.Address, id, leaf uint64) (common.Hash, error) {
	c := a.Chain
	return c.act("demand", func(uint64) (any, error) {
		s := c.set(node)
		if c.struck[a.addr] {
			return nil, fmt.Errorf("%w: %s is no auditor", ErrRevert, a.addr)
		}
		if _, ok := s.pieces[id]; !ok || s.demands[a.addr] {
			return nil, fmt.Errorf("%w: no piece %d, or one demand is open", ErrRevert, id)
		}
		s.demands[a.addr] = true
		by := uint64(len(c.blocks)) + c.Params.ProofPeriod
		return protocol.RetrievalDemanded{Node: node, Auditor: a.addr, ID: id, Leaf: leaf, By: by}, nil
	})
}

// Accuse shows that a node signed wrong data, once for each leaf.
func (a *Account) Accuse(_ context.Context, said protocol.Signed[protocol.Retrieved], size uint64, right piece.Proof) (common.Hash, error) {
	c := a.Chain
	return c.act("accuse", func(uint64) (any, error) {
		m, err := said.Open(c.Network)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRevert, err)
		}
		if err := piece.Verify(m.Piece, size, right); err != nil || right.Index != m.Leaf {
			return nil, fmt.Errorf("%w: the right leaf is not: %w", ErrRevert, err)
		}
		if m.Data == sha256.Sum256(append([]byte{0}, right.Leaf...)) {
			return nil, fmt.Errorf("%w: the data is right", ErrRevert)
		}
		e := protocol.DataWrong{Node: m.Node, Piece: m.Piece, Leaf: m.Leaf}
		if c.wrong[e] {
			return nil, fmt.Errorf("%w: accused already", ErrRevert)
		}
		c.wrong[e] = true
		return e, nil
	})
}

// Poke records what a node missed, as anybody may.
func (c *Chain) Poke(node common.Address) error {
	_, err := c.act("poke", func(uint64) (any, error) { return c.missed(node, c.period()), nil })
	return err
}

// Say puts any other fact of the contracts on the chain.
func (c *Chain) Say(event any) error {
	_, err := c.act("say", func(uint64) (any, error) { return event, nil })
	return err
}

// Kept lists the ids in an account's set.
func (a *Account) Kept() []uint64 {
	c := a.Chain
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []uint64
	for id := range c.set(a.addr).pieces {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}
