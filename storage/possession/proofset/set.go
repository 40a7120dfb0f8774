// Package proofset says who proves what, from the chain's facts alone: the set of
// pieces of each node, what of it is under challenge in a period, what was missed,
// which demands are open, and who holds a piece. Every node that read the same
// blocks finds the same.
//
// The life of a fact: a Follower is asked, takes the facts that are new since it
// was last asked, and folds them into the sets; where the chain took blocks back it
// folds all of them anew. A Set that it returns is a copy.
//
// A Follower is safe for concurrent use. It asks the chain nothing that was not
// read already, keeps nothing on disk, and judges nobody: a node that is suspended
// is one that is not counted.
package proofset

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/protocol/piece"
)

// SuspendAfter is how many periods missed in a row suspend a node: it is no
// holder until it proves again.
const SuspendAfter = 2

// keptProved bounds how many proved periods of a node are remembered.
const keptProved = 64

// Demand is an auditor's question on chain that waits for its answer.
type Demand struct {
	Auditor  common.Address
	ID, Leaf uint64 // piece in the set, leaf in it
	By       uint64 // last block in which an answer counts
}

type held struct {
	protocol.HeldPiece
	from uint64 // first period under challenge
	gone uint64 // period of its removal, or live
}

const live = 1<<64 - 1

// Set is one node's set as the facts have it. A Set that Follower returns is a
// copy.
type Set struct {
	pieces  []held // in the order of ids
	proved  []uint64
	gaveUp  uint64 // the latest period said to be missed, plus one; 0 is none
	since   uint64 // the first period of the present stretch with something to prove
	count   int    // live pieces
	missed  uint64 // periods missed in a row before that stretch
	demands []Demand
	left    bool // the node's registration ended
}

// Pieces are the pieces that are in the set now.
func (s *Set) Pieces() []protocol.HeldPiece {
	var out []protocol.HeldPiece
	for _, p := range s.pieces {
		if p.gone == live {
			out = append(out, p.HeldPiece)
		}
	}
	return out
}

// Challenged are the pieces that a period's leaves are drawn from, and their
// number of leaves: those in the set when the period began. It knows the period
// of the newest fact and later ones.
func (s *Set) Challenged(period uint64) (pieces []protocol.HeldPiece, leaves uint64) {
	for _, p := range s.pieces {
		if p.from <= period && (p.gone == live || p.gone >= period) {
			pieces = append(pieces, p.HeldPiece)
			leaves += piece.Leaves(p.Size)
		}
	}
	return pieces, leaves
}

// Since says in which period each piece root was, or will be, drawn from first.
func (s *Set) Since() map[common.Hash]uint64 {
	out := make(map[common.Hash]uint64, len(s.pieces))
	for _, p := range s.pieces {
		if at, ok := out[p.Root]; p.gone == live && (!ok || p.from < at) {
			out[p.Root] = p.from
		}
	}
	return out
}

// Proved says whether the chain has a proof of the period, one of the newest 64.
func (s *Set) Proved(period uint64) bool { return slices.Contains(s.proved, period) }

// LastProved is the newest period proved.
func (s *Set) LastProved() (uint64, bool) {
	if len(s.proved) == 0 {
		return 0, false
	}
	return s.proved[len(s.proved)-1], true
}

// GaveUp says whether the chain has recorded the period as missed.
func (s *Set) GaveUp(period uint64) bool { return s.gaveUp == period+1 }

// Demands are the open ones, the most urgent first.
func (s *Set) Demands() []Demand { return s.demands }

// Due says whether the node had something to prove in a past period of the
// present stretch.
func (s *Set) Due(period uint64) bool { return s.count > 0 && period >= s.since }

// Missed is how many periods before this one (or up to it, if it was given up)
// were missed in a row: those with something to prove and no proof, since the
// last proof.
func (s *Set) Missed(period uint64) uint64 {
	n := s.missed
	if s.count == 0 {
		return n
	}
	from, end := s.since, period
	if last, ok := s.LastProved(); ok {
		from = max(from, last+1)
	}
	if s.GaveUp(period) {
		end++
	}
	if end > from {
		n += end - from
	}
	return n
}

// Suspended says whether the node is no holder in this period.
func (s *Set) Suspended(period uint64) bool { return s.left || s.Missed(period) >= SuspendAfter }

func (s *Set) clone() *Set {
	c := *s
	c.pieces, c.proved, c.demands = slices.Clone(s.pieces), slices.Clone(s.proved), slices.Clone(s.demands)
	return &c
}

// prune forgets what no later period needs.
func (s *Set) prune(period uint64) {
	s.pieces = slices.DeleteFunc(s.pieces, func(p held) bool { return p.gone < period })
}

func (s *Set) add(e protocol.PieceAdded, period uint64) {
	if s.count == 0 {
		s.since = period + 1
	}
	s.count++
	h := held{protocol.HeldPiece{ID: e.ID, Root: e.Root, Size: e.Size}, period + 1, live}
	at, _ := slices.BinarySearchFunc(s.pieces, e.ID, func(p held, id uint64) int { return cmp.Compare(p.ID, id) })
	s.pieces = slices.Insert(s.pieces, at, h)
}

func (s *Set) remove(id, period uint64) (h protocol.HeldPiece, ok bool) {
	for i := range s.pieces {
		if p := &s.pieces[i]; p.ID == id && p.gone == live {
			if s.count == 1 {
				s.missed = s.Missed(period)
			}
			s.count--
			p.gone = period
			s.demands = slices.DeleteFunc(s.demands, func(d Demand) bool { return d.ID == id })
			return p.HeldPiece, true
		}
	}
	return h, false
}

func (s *Set) prove(period uint64) {
	if last, ok := s.LastProved(); ok && last >= period {
		return
	}
	s.missed = 0
	s.proved = append(s.proved, period)
	if len(s.proved) > keptProved {
		s.proved = s.proved[1:]
	}
}

func (s *Set) ask(d Demand) {
	s.miss(d.Auditor, d.ID, d.Leaf)
	s.demands = append(s.demands, d)
	slices.SortStableFunc(s.demands, func(a, b Demand) int { return cmp.Compare(a.By, b.By) })
}

func (s *Set) answer(id, leaf uint64) {
	s.demands = slices.DeleteFunc(s.demands, func(d Demand) bool { return d.ID == id && d.Leaf == leaf })
}

func (s *Set) miss(auditor common.Address, id, leaf uint64) {
	s.demands = slices.DeleteFunc(s.demands, func(d Demand) bool { return d.Auditor == auditor && d.ID == id && d.Leaf == leaf })
}

// Draw is the leaves that a node must show in a period.
func Draw(pieces []protocol.HeldPiece, leaves uint64, seed common.Hash, node common.Address, period, k uint64) ([]Drawn, error) {
	if leaves == 0 || k > MaxLeaves {
		return nil, fmt.Errorf("%w: %d leaves drawn of %d", protocol.ErrPossession, k, leaves)
	}
	out := make([]Drawn, 0, k)
	for i := range k {
		h, at, err := protocol.FindLeaf(pieces, protocol.DrawLeaf(seed, node, period, i, leaves))
		if err != nil {
			return nil, fmt.Errorf("proofset: draw: %w", err)
		}
		out = append(out, Drawn{h, at})
	}
	return out, nil
}

// MaxLeaves bounds the leaves drawn a period, as the contract does.
const MaxLeaves = 32

// Drawn is one leaf to show.
type Drawn struct {
	protocol.HeldPiece
	Leaf uint64
}
