package proofset

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
)

// ErrMoving says that the chain changed while it was read: ask again.
var ErrMoving = errors.New("proofset: the chain moved while it was read: ask again at its next change")

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

// Follower folds the chain's facts into the sets of all nodes, and folds again
// after a reorganisation.
type Follower struct {
	chain  Chain
	params protocol.Params

	mu      sync.Mutex
	done    int                                // guarded by mu; facts folded
	at      uint64                             // guarded by mu; head then
	hash    common.Hash                        // guarded by mu; of that head
	sets    map[common.Address]*Set            // guarded by mu
	holders map[common.Hash]map[uint64]sayings // guarded by mu; by piece root and size
}

// sayings are who says that it keeps a piece: the first period under challenge of
// each live copy, by id.
type sayings map[common.Address]map[uint64]uint64

// Follow starts nothing; the facts are read when something is asked.
func Follow(c Chain, p protocol.Params) *Follower {
	f := &Follower{chain: c, params: p}
	f.reset()
	return f
}

func (f *Follower) reset() {
	f.done, f.at, f.hash = 0, 0, common.Hash{}
	f.sets, f.holders = map[common.Address]*Set{}, map[common.Hash]map[uint64]sayings{}
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
		f.said(e, period+1)
	case protocol.PieceRemoved:
		if h, ok := f.set(e.Node, period).remove(e.ID, period); ok {
			f.unsaid(e.Node, h)
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

// said notes a piece of a node's set.
func (f *Follower) said(e protocol.PieceAdded, from uint64) {
	if f.holders[e.Root] == nil {
		f.holders[e.Root] = map[uint64]sayings{}
	}
	by := f.holders[e.Root][e.Size]
	if by == nil {
		by = sayings{}
		f.holders[e.Root][e.Size] = by
	}
	if by[e.Node] == nil {
		by[e.Node] = map[uint64]uint64{}
	}
	by[e.Node][e.ID] = from
}

func (f *Follower) unsaid(n common.Address, h protocol.HeldPiece) {
	sizes := f.holders[h.Root]
	delete(sizes[h.Size][n], h.ID)
	if len(sizes[h.Size][n]) == 0 {
		delete(sizes[h.Size], n)
	}
	if len(sizes[h.Size]) == 0 {
		delete(sizes, h.Size)
	}
	if len(sizes) == 0 {
		delete(f.holders, h.Root)
	}
}

// Keepers are the nodes, not suspended, with a piece of this root and this size in
// their sets, by address. The set's size is its node's word, and a smaller one
// would hardly ever be drawn: so another size is another piece. holders proved a
// period that covers the piece; coming have yet to, and the first such period is
// not over.
func (f *Follower) Keepers(root common.Hash, size uint64) (holders, coming []common.Address, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.catchUp()
	if err != nil {
		return nil, nil, err
	}
	for n, copies := range f.holders[root][size] {
		s := f.sets[n]
		if s.Suspended(h.Period) {
			continue
		}
		first := slices.Min(slices.Collect(maps.Values(copies)))
		switch last, ok := s.LastProved(); {
		case ok && last >= first:
			holders = append(holders, n)
		case first >= h.Period && !s.GaveUp(first):
			coming = append(coming, n)
		}
	}
	slices.SortFunc(holders, common.Address.Cmp)
	slices.SortFunc(coming, common.Address.Cmp)
	return holders, coming, nil
}

// Holders are the holders that Keepers finds under a piece root, of whatever size:
// to be shown, not to decide by.
func (f *Follower) Holders(root common.Hash) ([]common.Address, error) {
	f.mu.Lock()
	_, err := f.catchUp()
	sizes := slices.Collect(maps.Keys(f.holders[root]))
	f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	var out []common.Address
	for _, size := range sizes {
		at, _, err := f.Keepers(root, size)
		if err != nil {
			return nil, err
		}
		out = append(out, at...)
	}
	slices.SortFunc(out, common.Address.Cmp)
	return slices.Compact(out), nil
}

// MayTake says whether a node may take further pieces: it is not suspended, or it
// has nothing left to prove, so that only a new piece can end its suspension.
func (f *Follower) MayTake(n common.Address) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.catchUp()
	if err != nil {
		return false, err
	}
	s := f.sets[n]
	return s == nil || !s.Suspended(h.Period) || s.count == 0 && !s.left, nil
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
