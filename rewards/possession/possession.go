// Package possession reads out of the chain's facts which pieces every node keeps
// in its proof set, and for how long it proved that it has them.
//
// The life of a piece: a node adds it in period p; from p+1 on every proof of the
// node covers it; the node removes it. A stretch is the time between two proofs
// in consecutive periods; the first one begins when the piece is added and ends
// with the proof of period p+1. A period without a proof breaks the stretch: from
// the last proof before it to the first one after it, nothing is proved.
//
// A demand on chain for a leaf of a piece stops its time from counting, until the
// node answers. If it does not answer in time, the piece counts again only from
// the answer to a later demand, or if it is added anew.
//
// A [Sets] is immutable, and everything in it is a function of the facts alone:
// whoever has the chain gets the same. The package does no I/O and decides no
// money.
package possession

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
)

// Sets are the proof sets of all nodes, as of a time.
type Sets struct {
	params protocol.Params
	period uint64 // the newest in which the chain said anything
	block  uint64 // the newest of which it said anything
	nodes  map[common.Address]*set
}

// content is a CAR file: the root binds its length, but a set's size is its
// node's word until it is proved, so both must be what was promised.
type content struct {
	root common.Hash
	size uint64
}

// place is where a fact stands on the chain.
type place struct{ block, index uint64 }

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.block, o.block), cmp.Compare(p.index, o.index))
}

// proof is one period that was proved.
type proof struct {
	period, time uint64
	at           place
	run          uint64 // seconds in all stretches between two proofs, up to this one
}

// stay is a piece in a set, from its addition to its removal.
type stay struct {
	id      uint64
	of      content
	at      place
	added   uint64 // time
	first   uint64 // period that covers it first
	removed place  // block 0 where it was not
	gone    bool
}

type set struct {
	proofs []proof // ascending, each period once
	stays  map[content][]*stay
	byID   map[uint64]*stay
	missed uint64 // the period after the last one that the chain says was missed

	demands map[content][]*demand // in the chain's order
	live    map[content][]*demand // of them, those that an answer may still change
}

// Read takes the facts up to the time, in any order.
func Read(facts []protocol.Fact, p protocol.Params, until uint64) *Sets {
	s := &Sets{params: p, nodes: map[common.Address]*set{}}
	if p.ProofPeriod == 0 {
		return s
	}
	var fs []protocol.Fact
	for _, f := range facts {
		if f.Time > until {
			continue
		}
		s.period, s.block = max(s.period, p.PeriodAt(f.Block)), max(s.block, f.Block)
		switch f.Event.(type) {
		case protocol.PieceAdded, protocol.PieceRemoved, protocol.PossessionProved, protocol.PeriodsMissed,
			protocol.RetrievalDemanded, protocol.RetrievalAnswered:
			fs = append(fs, f)
		}
	}
	slices.SortStableFunc(fs, func(a, b protocol.Fact) int {
		return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Index, b.Index))
	})
	for _, f := range fs {
		s.take(f)
	}
	return s
}

func (s *Sets) of(a common.Address) *set {
	n := s.nodes[a]
	if n == nil {
		n = &set{stays: map[content][]*stay{}, byID: map[uint64]*stay{}, demands: map[content][]*demand{}, live: map[content][]*demand{}}
		s.nodes[a] = n
	}
	return n
}

func (s *Sets) take(f protocol.Fact) {
	at := place{f.Block, f.Index}
	switch e := f.Event.(type) {
	case protocol.PieceAdded:
		n := s.of(e.Node)
		if n.byID[e.ID] != nil {
			return // the same log given twice
		}
		y := &stay{id: e.ID, of: content{e.Root, e.Size}, at: at, added: f.Time, first: s.params.PeriodAt(f.Block) + 1}
		n.byID[e.ID] = y
		n.stays[y.of] = append(n.stays[y.of], y)
	case protocol.PieceRemoved:
		if y := s.of(e.Node).byID[e.ID]; y != nil && !y.gone {
			y.removed, y.gone = at, true
		}
	case protocol.PossessionProved:
		n := s.of(e.Node)
		p := proof{period: e.Period, time: f.Time, at: at}
		if k := len(n.proofs); k > 0 {
			last := n.proofs[k-1]
			if e.Period <= last.period {
				return
			}
			p.run = last.run
			if e.Period == last.period+1 {
				p.run += f.Time - last.time
			}
		}
		n.proofs = append(n.proofs, p)
	case protocol.PeriodsMissed:
		n := s.of(e.Node)
		n.missed = max(n.missed, e.To+1)
	case protocol.RetrievalDemanded:
		s.of(e.Node).demanded(at, f.Time, e)
	case protocol.RetrievalAnswered:
		s.of(e.Node).answer(at, f.Time, e)
	}
}

// Proved is for how many seconds from from to to the node proved that it has the
// CAR file with this piece root and size.
func (s *Sets) Proved(node common.Address, root common.Hash, size, from, to uint64) uint64 {
	n := s.nodes[node]
	if n == nil {
		return 0
	}
	var sum uint64
	left := []span{{from, to}} // what no id before this one stands for
	for _, y := range n.stays[content{root, size}] {
		i, j, ok := n.cover(y)
		if !ok {
			continue
		}
		end := n.proofs[j].time
		all, missed := s.gaps(n, y)
		var next []span
		for _, w := range left {
			for _, g := range w.without(all) {
				sum += n.count(y, i, j, g.from, g.to)
			}
			// A second id of the same piece goes on where this one ends, or was missed.
			next = append(next, span{w.from, min(w.to, end)}.within(missed)...)
			if lo := max(w.from, end); lo < w.to {
				next = append(next, span{lo, w.to})
			}
		}
		left = next
	}
	return sum
}

// count is the time from from to to in the stretches of a piece, which proofs i to
// j cover.
func (n *set) count(y *stay, i, j int, from, to uint64) (sum uint64) {
	begin, end := n.proofs[i].time, n.proofs[j].time
	if n.proofs[i].period == y.first {
		if lo, hi := max(from, y.added), min(to, begin); lo < hi {
			sum += hi - lo
		}
	}
	if lo, hi := max(from, begin), min(to, end); lo < hi {
		sum += n.run(i, j, hi) - n.run(i, j, lo)
	}
	return sum
}

// Awaits reports whether a proof may still come that makes more of the time before
// to proved: the piece is in the set, and as far as the facts go, the period that
// goes on with its last stretch is not over; or a demand may still be answered.
func (s *Sets) Awaits(node common.Address, root common.Hash, size, to uint64) bool {
	n := s.nodes[node]
	if n == nil {
		return false
	}
	for _, y := range n.stays[content{root, size}] {
		next, from := y.first, y.added
		if _, j, ok := n.cover(y); ok {
			next, from = n.proofs[j].period+1, n.proofs[j].time
		}
		if !y.gone && from < to && next >= s.period || s.open(n, y, to) {
			return true
		}
	}
	return false
}

// cover is the first and the last of the proofs that cover a piece.
func (n *set) cover(y *stay) (i, j int, ok bool) {
	i, _ = slices.BinarySearchFunc(n.proofs, y.first, func(p proof, first uint64) int { return cmp.Compare(p.period, first) })
	j = len(n.proofs)
	if y.gone {
		j, _ = slices.BinarySearchFunc(n.proofs, y.removed, func(p proof, at place) int { return p.at.compare(at) })
	}
	return i, j - 1, i < j
}

// run is the time in stretches up to t, a time between those of proofs i and j.
func (n *set) run(i, j int, t uint64) uint64 {
	k, _ := slices.BinarySearchFunc(n.proofs[i:j+1], t, func(p proof, t uint64) int {
		if p.time <= t {
			return -1
		}
		return 1
	})
	p := n.proofs[i+k-1] // the last one not later than t
	if i+k <= j && n.proofs[i+k].period == p.period+1 {
		return p.run + t - p.time
	}
	return p.run
}

// Holder is a node with what is in its set, in the order of ids.
type Holder struct {
	Node   common.Address
	Pieces []protocol.HeldPiece
}

// Holders are the nodes that keep something and are not suspended when the given
// period runs, by address.
func (s *Sets) Holders(period uint64) []Holder {
	var out []Holder
	for _, a := range slices.SortedFunc(maps.Keys(s.nodes), func(a, b common.Address) int { return bytes.Compare(a[:], b[:]) }) {
		n := s.nodes[a]
		h := Holder{Node: a}
		since := uint64(1<<64 - 1)
		for _, id := range slices.Sorted(maps.Keys(n.byID)) {
			y := n.byID[id]
			if y.gone {
				continue
			}
			since = min(since, y.first)
			h.Pieces = append(h.Pieces, protocol.HeldPiece{ID: id, Root: y.of.root, Size: y.of.size})
		}
		if k := len(n.proofs); k > 0 {
			since = max(since, n.proofs[k-1].period+1)
		}
		if len(h.Pieces) > 0 && max(period, n.missed) < since+protocol.SuspendedAfter {
			out = append(out, h)
		}
	}
	return out
}

// Has reports whether a piece is in the node's set.
func (s *Sets) Has(node common.Address, id uint64) bool {
	n := s.nodes[node]
	return n != nil && n.byID[id] != nil && !n.byID[id].gone
}
