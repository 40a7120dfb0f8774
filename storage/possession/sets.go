package possession

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/protocol/piece"
)

// SuspendAfter is how many periods missed in a row suspend a node: it is no
// holder until it proves again.
const SuspendAfter = 2

// keptProved bounds how many proved periods of a node are remembered.
const keptProved = 64

// ErrMoving says that the chain changed while it was read: ask again.
var ErrMoving = errors.New("possession: the chain moved while it was read: ask again at its next change")

// Chain is what the chain said, as far as this node has read it.
type Chain interface {
	// Head is the newest block read.
	Head() (number uint64, hash common.Hash)
	// BlockHash is the hash of a block that was read, or an error.
	BlockHash(number uint64) (common.Hash, error)
	// Facts are all facts so far in the chain's order: a snapshot.
	Facts() []protocol.Fact
	// Changed is closed at the next change of any of the above.
	Changed() <-chan struct{}
}

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

// Since is the first period in which a piece is drawn from.
func (s *Set) Since(id uint64) uint64 {
	for _, p := range s.pieces {
		if p.ID == id {
			return p.from
		}
	}
	return 0
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

func (s *Set) remove(id, period uint64) (root common.Hash, ok bool) {
	for i := range s.pieces {
		if p := &s.pieces[i]; p.ID == id && p.gone == live {
			if s.count == 1 {
				s.missed = s.Missed(period)
			}
			s.count--
			p.gone = period
			s.demands = slices.DeleteFunc(s.demands, func(d Demand) bool { return d.ID == id })
			return p.Root, true
		}
	}
	return common.Hash{}, false
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

// Follower folds the chain's facts into the sets of all nodes, and folds again
// after a reorganisation.
type Follower struct {
	chain  Chain
	params protocol.Params

	mu      sync.Mutex
	done    int                                    // guarded by mu; facts folded
	at      uint64                                 // guarded by mu; head then
	hash    common.Hash                            // guarded by mu; of that head
	sets    map[common.Address]*Set                // guarded by mu
	holders map[common.Hash]map[common.Address]int // guarded by mu; live copies by piece root
}

// Follow starts nothing; the facts are read when something is asked.
func Follow(c Chain, p protocol.Params) *Follower {
	f := &Follower{chain: c, params: p}
	f.reset()
	return f
}

func (f *Follower) reset() {
	f.done, f.at, f.hash = 0, 0, common.Hash{}
	f.sets, f.holders = map[common.Address]*Set{}, map[common.Hash]map[common.Address]int{}
}

// Head is the newest block folded.
type Head struct {
	Block  uint64
	Hash   common.Hash
	Period uint64
}

// catchUp folds what is new. The caller holds mu.
func (f *Follower) catchUp() (Head, error) {
	for range 8 {
		n, h := f.chain.Head()
		facts := f.chain.Facts()
		if n2, h2 := f.chain.Head(); n2 != n || h2 != h {
			continue
		}
		if f.at != n || f.hash != h {
			if old, err := f.chain.BlockHash(f.at); f.at > n || err != nil || old != f.hash || len(facts) < f.done {
				f.reset()
			}
			for _, x := range facts[f.done:] {
				f.fold(x)
			}
			f.done, f.at, f.hash = len(facts), n, h
		}
		return Head{n, h, f.params.PeriodAt(n)}, nil
	}
	return Head{}, ErrMoving
}

func (f *Follower) set(n common.Address, period uint64) *Set {
	s := f.sets[n]
	if s == nil {
		s = &Set{}
		f.sets[n] = s
	}
	s.prune(period)
	return s
}

func (f *Follower) fold(x protocol.Fact) {
	period := f.params.PeriodAt(x.Block)
	switch e := x.Event.(type) {
	case protocol.PieceAdded:
		f.set(e.Node, period).add(e, period)
		if f.holders[e.Root] == nil {
			f.holders[e.Root] = map[common.Address]int{}
		}
		f.holders[e.Root][e.Node]++
	case protocol.PieceRemoved:
		if root, ok := f.set(e.Node, period).remove(e.ID, period); ok {
			if f.holders[root][e.Node]--; f.holders[root][e.Node] == 0 {
				delete(f.holders[root], e.Node)
			}
			if len(f.holders[root]) == 0 {
				delete(f.holders, root)
			}
		}
	case protocol.PossessionProved:
		f.set(e.Node, period).prove(e.Period)
	case protocol.PeriodsMissed:
		s := f.set(e.Node, period)
		s.gaveUp = max(s.gaveUp, e.To+1)
	case protocol.RetrievalDemanded:
		f.set(e.Node, period).ask(Demand{e.Auditor, e.ID, e.Leaf, e.By})
	case protocol.RetrievalAnswered:
		f.set(e.Node, period).answer(e.ID, e.Leaf)
	case protocol.RetrievalMissed:
		f.set(e.Node, period).miss(e.Auditor, e.ID, e.Leaf)
	case protocol.NodeRegistered:
		if s := f.sets[e.Node]; s != nil {
			s.left = false
		}
	case protocol.NodeDeregistered:
		if s := f.sets[e.Node]; s != nil {
			s.left = true
		}
	}
}

// Set is a copy of a node's set at the head, or ErrMoving.
func (f *Follower) Set(n common.Address) (Head, *Set, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.catchUp()
	if err != nil {
		return h, nil, err
	}
	if s := f.sets[n]; s != nil {
		c := s.clone()
		c.prune(h.Period)
		return h, c, nil
	}
	return h, &Set{}, nil
}

// Holders are the nodes whose set includes the piece and that are not suspended,
// in the order of their addresses.
func (f *Follower) Holders(root common.Hash) ([]common.Address, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.catchUp()
	if err != nil {
		return nil, err
	}
	out := make([]common.Address, 0, len(f.holders[root]))
	for n := range f.holders[root] {
		if !f.sets[n].Suspended(h.Period) {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b common.Address) int { return a.Cmp(b) })
	return out, nil
}

// Suspended says whether a node missed its last periods or left. A node that
// never had a set is not suspended.
func (f *Follower) Suspended(n common.Address) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.catchUp()
	if err != nil {
		return false, err
	}
	s := f.sets[n]
	return s != nil && s.Suspended(h.Period), nil
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
			return nil, fmt.Errorf("possession: draw: %w", err)
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
