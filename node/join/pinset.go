package join

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/compute/market"
	"tally/node/view"
	"tally/protocol"
	"tally/storage"
	"tally/storage/pinset"
	"tally/storage/possession"
	"tally/storage/possession/proofset"
)

// PinNetwork is what everybody can know about who keeps what.
type PinNetwork struct {
	View  *view.View
	Sets  *proofset.Follower // over ProofChain of the same View
	Class string             // that pinners register for
}

// Head is the newest block read.
func (n PinNetwork) Head() uint64 { h, _ := n.View.Head(); return h }

// Changed is closed at the next change.
func (n PinNetwork) Changed() <-chan struct{} { return n.View.Changed() }

// Pinners are the nodes registered with the class that are not suspended, and those
// that have nothing left to prove.
func (n PinNetwork) Pinners() ([]common.Address, error) {
	var out []common.Address
	for a, e := range n.View.Nodes() {
		if !slices.Contains(e.Classes, n.Class) {
			continue
		}
		may, err := n.Sets.MayTake(a)
		if err != nil {
			return nil, err
		}
		if may {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b common.Address) int { return a.Cmp(b) })
	return out, nil
}

// Keepers are the nodes that prove a piece of this size, and those who are about
// to.
func (n PinNetwork) Keepers(root common.Hash, size uint64) (holders, coming []common.Address, err error) {
	return n.Sets.Keepers(root, size)
}

// PinShards is the store as the pin set knows it.
type PinShards struct {
	Store Store
	// Get fetches a shard from other nodes, within the node's bandwidth; nil is the
	// store's Fetch, through its exchange.
	Get func(ctx context.Context, w pinset.Wanted) error
}

// Free is the size of the largest shard that there is room for: what the store would
// reserve now, less what the shard takes beside its file.
func (p PinShards) Free() uint64 {
	u, err := p.Store.S.Usage()
	if err != nil {
		return 0 // the disk is not there
	}
	return u.Room - min(u.Room, beside+u.Room/besidePart)
}

// A shard of n bytes takes beside its file, in the index and while it comes, at most
// beside + n/besidePart bytes, if its blocks have 100 KiB or more, as those that are made here do.
const (
	beside     = 4 << 10
	besidePart = 512
)

// Fetch gets a shard, checks that it is the one meant, and pins it.
func (p PinShards) Fetch(ctx context.Context, w pinset.Wanted) error {
	s, err := p.Store.S.Stat(ctx, w.Root)
	if errors.Is(err, storage.ErrNotFound) {
		if p.Get != nil {
			err = p.Get(ctx, w)
		} else {
			_, err = p.Store.S.Fetch(ctx, w.Root, nil, storage.MaxBytes(w.Size))
		}
		if err == nil {
			s, err = p.Store.S.Stat(ctx, w.Root)
		}
	}
	if errors.Is(err, storage.ErrQuota) || errors.Is(err, storage.ErrDiskFull) {
		return fmt.Errorf("%w: %w", pinset.ErrRoom, err)
	}
	if err != nil {
		return err
	}
	if common.Hash(s.Piece) != w.Piece || s.Size != w.Size {
		return fmt.Errorf("%w: %s has %d bytes and piece root %x, who wants it says %d and %s", pinset.ErrWrong, w.Root, s.Size, s.Piece, w.Size, w.Piece)
	}
	return p.Store.S.Pin(ctx, w.Root, storage.PinInfo{Why: ReasonPinSet})
}

// Pinned are the roots pinned for the pin set.
func (p PinShards) Pinned(context.Context) ([]cid.Cid, error) {
	var out []cid.Cid
	for pin, err := range p.Store.S.Pins() {
		if err != nil {
			return nil, err
		}
		if pin.Why == ReasonPinSet {
			out = append(out, pin.Root)
		}
	}
	return out, nil
}

// Release takes the pin set's pin away.
func (p PinShards) Release(ctx context.Context, root cid.Cid) error {
	return p.Store.S.Unpin(ctx, root, ReasonPinSet)
}

// Promises is a prover as the pin set knows it.
type Promises struct{ P *possession.Prover }

// Keep promises a shard.
func (p Promises) Keep(ctx context.Context, w pinset.Wanted) error {
	return p.P.Keep(ctx, possession.Shard{Root: w.Root, Piece: w.Piece, Size: w.Size})
}

// Drop takes a promise back.
func (p Promises) Drop(ctx context.Context, piece common.Hash) error { return p.P.Drop(ctx, piece) }

// Promised are all pieces of the prover's.
func (p Promises) Promised() (map[common.Hash]pinset.Promise, error) {
	if p.P.Head() == 0 {
		return nil, pinset.ErrNotYet // since the node started
	}
	out := map[common.Hash]pinset.Promise{}
	for _, s := range p.P.Pieces() {
		lost := s.State == possession.LostNow || s.State == possession.Healing
		out[s.Piece] = pinset.Promise{Root: s.Root, Size: s.Size, Kept: s.Wanted, OnChain: s.OnSet, Lost: lost && !s.Wanted}
	}
	return out, nil
}

// Wants joins what is wanted for several reasons.
type Wants []func(ctx context.Context) ([]pinset.Wanted, error)

// Wanted is all of it, as far as each source can say. What one cannot say now is an
// error, and does not keep the others from being heard.
func (w Wants) Wanted(ctx context.Context) ([]pinset.Wanted, error) {
	var out []pinset.Wanted
	var errs []error
	for _, f := range w {
		more, err := f(ctx)
		out, errs = append(out, more...), append(errs, err)
	}
	return out, errors.Join(errs...)
}

// ManifestWants are the shards that a datanet's version wants kept.
func ManifestWants(m protocol.Manifest) []pinset.Wanted {
	var out []pinset.Wanted
	for _, s := range m.Shards {
		if m.Replicas == 0 || slices.ContainsFunc(m.Withdrawn, s.Root.Equals) {
			continue
		}
		out = append(out, pinset.Wanted{Root: s.Root, Piece: s.Piece, Size: s.Size, Target: int(m.Replicas), Why: "datanet " + m.Name})
	}
	return out
}

// JobWants are the shards of pin jobs that this node took: those that the market
// pinned for one. A job's last stretch of time is paid when it is proved, which can
// only be after its end: over says of an end whether that was done. Nobody pays for
// proofs after it.
func JobWants(s Store, over func(end uint64) bool) func(context.Context) ([]pinset.Wanted, error) {
	return func(ctx context.Context) ([]pinset.Wanted, error) {
		var out []pinset.Wanted
		now := uint64(time.Now().Unix())
		for pin, err := range s.S.Pins() {
			if err != nil {
				return nil, err
			}
			if !strings.HasPrefix(pin.Why, market.PinReason) || pin.Until != 0 && pin.Until <= now {
				continue
			}
			end := pin.Until - min(pin.Until, market.KeepPinned)
			if pin.Until != 0 && end <= now && over(end) {
				continue
			}
			sh, err := s.S.Stat(ctx, pin.Root)
			if err != nil {
				continue // not here: the market fetches it before it promises
			}
			out = append(out, pinset.Wanted{
				Root: sh.Root, Piece: common.Hash(sh.Piece), Size: sh.Size, Target: 1, Why: pin.Why, Until: end, Mine: true,
			})
		}
		return out, nil
	}
}
