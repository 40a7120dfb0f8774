package join

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

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

// Free is how many bytes the quota and the disk have left.
func (p PinShards) Free() uint64 {
	u, err := p.Store.S.Usage()
	if err != nil {
		return 0 // the disk is not there
	}
	free := uint64(math.MaxUint64)
	taken := u.Used + u.Reserved
	if u.Quota > 0 {
		free = u.Quota - min(u.Quota, taken)
	}
	if u.Free > 0 {
		free = min(free, u.Free-min(u.Free, u.Floor+u.Reserved))
	}
	return free
}

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
// pinned for one, until it ends.
func JobWants(s Store) func(context.Context) ([]pinset.Wanted, error) {
	return func(ctx context.Context) ([]pinset.Wanted, error) {
		var out []pinset.Wanted
		now := uint64(time.Now().Unix())
		for pin, err := range s.S.Pins() {
			if err != nil {
				return nil, err
			}
			if !strings.HasPrefix(pin.Why, "pin/") || pin.Until != 0 && pin.Until <= now {
				continue
			}
			sh, err := s.S.Stat(ctx, pin.Root)
			if err != nil {
				continue // not here: the market fetches it before it promises
			}
			out = append(out, pinset.Wanted{
				Root: sh.Root, Piece: common.Hash(sh.Piece), Size: sh.Size, Target: 1, Why: pin.Why, Until: pin.Until, Mine: true,
			})
		}
		return out, nil
	}
}

const (
	maxOffers    = 4096             // open pin offers known at a time
	offerWithin  = 20 * time.Second // for the specification of one
	offerRetries = 8                // tries to get one

	offersAbreast = 8
)

// OfferWants are the shards of the pin offers on the chain that are still running.
// Run gets their specifications.
type OfferWants struct {
	view  *view.View
	store Store
	log   *slog.Logger

	mu    sync.Mutex
	ready bool                       // guarded by mu; every offer was tried once
	specs map[common.Hash]*offerSpec // guarded by mu; by offer
}

type offerSpec struct {
	spec  protocol.PinSpec
	known bool
	tries int
	next  uint64 // block from which it is tried again
	until uint64
	from  cid.Cid
}

// NewOfferWants starts nothing. Specifications are kept in the store as long as
// their offers run.
func NewOfferWants(v *view.View, s Store, log *slog.Logger) *OfferWants {
	return &OfferWants{view: v, store: s, log: log, specs: map[common.Hash]*offerSpec{}}
}

// Wanted is what running offers want, as far as their specifications are here;
// pinset.ErrNotYet before each was asked for.
func (o *OfferWants) Wanted(context.Context) ([]pinset.Wanted, error) {
	_, now := o.view.Head()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ready {
		return nil, pinset.ErrNotYet
	}
	var out []pinset.Wanted
	for id, s := range o.specs {
		if s.known && s.until > now {
			out = append(out, pinset.Wanted{
				Root: s.spec.Root, Piece: s.spec.Piece, Size: s.spec.Size, Target: int(min(s.spec.Replicas, pinset.MaxTarget)),
				Why: "offer " + id.Hex(), Until: s.until,
			})
		}
	}
	slices.SortFunc(out, func(a, b pinset.Wanted) int { return strings.Compare(a.Why, b.Why) })
	return out, nil
}

// Run reads offers and gets their specifications until ctx ends.
func (o *OfferWants) Run(ctx context.Context) error {
	seen := 0
	var last protocol.Fact
	for {
		changed := o.view.Changed()
		facts := o.view.Facts()
		if seen > len(facts) || seen > 0 && (facts[seen-1].Tx != last.Tx || facts[seen-1].Index != last.Index) {
			seen = 0 // a reorganisation
		}
		for _, f := range facts[seen:] {
			if e, ok := f.Event.(protocol.OfferOpened); ok && e.Offer.Kind == protocol.KindPin {
				o.note(e, f.Time)
			}
		}
		if seen = len(facts); seen > 0 {
			last = facts[seen-1]
		}
		o.learnAll(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if head, _ := o.view.Head(); head > 0 {
			o.mu.Lock()
			o.ready = true
			o.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// maxHold is the longest promise in seconds, as the market takes it.
const maxHold = 366 * 86_400

func (o *OfferWants) note(e protocol.OfferOpened, opened uint64) {
	_, now := o.view.Head()
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, s := range o.specs {
		if s.until <= now {
			delete(o.specs, id)
		}
	}
	if o.specs[e.ID] != nil || len(o.specs) >= maxOffers || opened+maxHold <= now {
		return
	}
	o.specs[e.ID] = &offerSpec{from: e.Offer.Spec, until: opened + maxHold}
}

func (o *OfferWants) missing() []common.Hash {
	head, _ := o.view.Head()
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []common.Hash
	for id, s := range o.specs {
		if !s.known && s.tries < offerRetries && s.next <= head {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b common.Hash) int { return a.Cmp(b) })
	return out
}

// learnAll gets what is missing, a few at a time.
func (o *OfferWants) learnAll(ctx context.Context) {
	slots := make(chan struct{}, offersAbreast)
	var all sync.WaitGroup
	defer all.Wait()
	for _, id := range o.missing() {
		select {
		case <-ctx.Done():
			return
		case slots <- struct{}{}:
		}
		all.Go(func() {
			defer func() { <-slots }()
			o.learn(ctx, id)
		})
	}
}

// learn gets one offer's specification.
func (o *OfferWants) learn(ctx context.Context, id common.Hash) {
	head, _ := o.view.Head()
	o.mu.Lock()
	s := o.specs[id]
	s.tries++
	s.next = head + 4<<s.tries
	from, opened := s.from, s.until-maxHold
	o.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, offerWithin)
	defer cancel()
	b, err := o.store.GetBlock(ctx, from)
	var spec protocol.PinSpec
	if err == nil {
		err = protocol.Decode(b, &spec)
	}
	until := opened + min(spec.Seconds, maxHold)
	if err == nil {
		err = o.store.S.Pin(ctx, from, storage.PinInfo{Why: "pin offer", Until: until})
	}
	if err != nil {
		o.log.Debug("specification of a pin offer is not here yet", "offer", id, "err", err)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	s.known, s.spec, s.until = true, spec, until
}
