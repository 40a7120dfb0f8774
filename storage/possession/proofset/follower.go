package proofset

import (
	"errors"
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
