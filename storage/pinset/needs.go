package pinset

import (
	"context"
	"errors"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
)

// ErrRoom is what Store.Fetch wraps when the quota or the disk has no room.
var ErrRoom = errors.New("pinset: no room for the shard: raise the limit or free some")

// ErrWrong is what Store.Fetch wraps where the shard that is here shows that there
// is none with that root, piece root and size.
var ErrWrong = errors.New("pinset: the shard is not what was said: whoever wants it should look at its piece root and size")

// ErrNotYet is what a source wraps that has not read enough to answer.
var ErrNotYet = errors.New("pinset: not known yet: wait for the chain to be read")

// Network is what everybody can know.
type Network interface {
	// Head is the newest block read, and Changed is closed at its next change.
	Head() uint64
	Changed() <-chan struct{}
	// Pinners are the nodes registered for pins that are not suspended, or have
	// nothing left to prove.
	Pinners() ([]common.Address, error)
	// Keepers are the nodes, not suspended, whose sets have a piece with this root
	// and this size: holders proved a period that covers it, coming have yet to,
	// and may still do so in time.
	Keepers(piece common.Hash, size uint64) (holders, coming []common.Address, err error)
}

// Wants says what should be kept, as far as this node is concerned, the most
// important first: what has lapsed is not among it. With an error it says what it
// knows all the same: that is fetched, and nothing is let go.
type Wants interface {
	Wanted(ctx context.Context) ([]Wanted, error)
}

// Store is the node's disk. Its methods may be called at the same time.
type Store interface {
	// Free is how many bytes may still be fetched; what is reserved for fetches
	// under way is not free.
	Free() uint64
	// Fetch gets a shard, checks it against root, piece root and size, and pins
	// it for this package's reason. A shard that is here is only pinned. It wraps
	// ErrRoom where there is no room, and ErrWrong where no node can have the shard.
	Fetch(ctx context.Context, w Wanted) error
	// Pinned are the roots that Fetch pinned and Release did not let go.
	Pinned(ctx context.Context) ([]cid.Cid, error)
	// Release takes that pin away.
	Release(ctx context.Context, root cid.Cid) error
}

// Prover promises on the chain. It releases a shard itself once that is over.
type Prover interface {
	// Keep promises a shard that is pinned; durable once it returns.
	Keep(ctx context.Context, w Wanted) error
	// Drop takes the promise back; the data is needed until Release.
	Drop(ctx context.Context, piece common.Hash) error
	// Promised are all pieces that are promised or still on the chain, or an error
	// while that is not known yet.
	Promised() (map[common.Hash]Promise, error)
}

// Promise is a piece of the prover's.
type Promise struct {
	Root    cid.Cid // none if its shard is not here
	Size    uint64  // bytes
	Kept    bool    // promised; else it is leaving
	OnChain bool
	Lost    bool // its data is gone and was not found elsewhere
}

// of says whether it is the promise of what is wanted. At most one want of a piece
// root is true: the piece root binds the bytes.
func (p Promise) of(w Wanted) bool {
	return p.Size == w.Size && (!p.Root.Defined() || p.Root.Equals(w.Root))
}

func (p Promise) phase() Phase {
	switch {
	case p.Kept && p.OnChain:
		return Kept
	case p.Kept:
		return Ready
	case p.Lost:
		return Lost
	}
	return Leaving
}
