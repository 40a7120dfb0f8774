package join

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/node/view"
	"tally/protocol"
	"tally/storage"
	"tally/storage/pinset"
)

const (
	maxOffers     = 4096             // open pin offers known at a time: those of most value
	offerWithin   = 20 * time.Second // for the specification of one
	offerRetries  = 8                // tries to get one
	offersAbreast = 8

	maxHold = 366 * 86_400 // the longest promise in seconds, as the market takes it
)

// OfferWants are the shards of the pin offers on the chain that are open. An offer
// whose specification is not here is open until its deadline; with it, until the
// time that the specification names is over. Nobody waits for a specification that
// does not come: Run asks for a few at a time, those of most value first.
type OfferWants struct {
	view  *view.View
	store Store
	log   *slog.Logger

	mu      sync.Mutex
	ready   bool                      // guarded by mu; the chain was read once
	offers  map[common.Hash]*pinOffer // guarded by mu; at most maxOffers
	crowded bool                      // guarded by mu; some were left out for want of places
	least   *pinOffer                 // guarded by mu; the last in order, or nil where that is to be looked for

	seen int           // owned by Run; facts read
	last protocol.Fact // owned by Run; the newest of them
}

// pinOffer is guarded by OfferWants.mu.
type pinOffer struct {
	id     common.Hash
	value  protocol.Amount
	from   cid.Cid // of the specification
	opened uint64
	until  uint64
	spec   protocol.PinSpec
	known  bool // spec is here
	asking bool
	tries  int
	next   uint64 // block from which it is asked for again
}

// order is by value, the most first.
func (p *pinOffer) order(q *pinOffer) int {
	return cmp.Or(q.value.Cmp(p.value), bytes.Compare(p.id[:], q.id[:]))
}

// take notes the specification.
func (p *pinOffer) take(spec protocol.PinSpec) {
	p.known, p.spec, p.until = true, spec, p.opened+min(spec.Seconds, maxHold)
}

// NewOfferWants starts nothing. Specifications are kept in the store as long as
// their offers run.
func NewOfferWants(v *view.View, s Store, log *slog.Logger) *OfferWants {
	return &OfferWants{view: v, store: s, log: log, offers: map[common.Hash]*pinOffer{}}
}

// Wanted is what open offers want, as far as their specifications are here, those
// of most value first; pinset.ErrNotYet before the chain was read.
func (o *OfferWants) Wanted(context.Context) ([]pinset.Wanted, error) {
	_, now := o.view.Head()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ready {
		return nil, pinset.ErrNotYet
	}
	var list []*pinOffer
	for _, p := range o.offers {
		if p.known && p.until > now {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, (*pinOffer).order)
	out := make([]pinset.Wanted, len(list))
	for i, p := range list {
		out[i] = pinset.Wanted{
			Root: p.spec.Root, Piece: p.spec.Piece, Size: p.spec.Size, Target: int(min(p.spec.Replicas, pinset.MaxTarget)),
			Why: "offer " + p.id.Hex(), Until: p.until,
		}
	}
	return out, nil
}

// Run reads offers and gets their specifications until ctx ends.
func (o *OfferWants) Run(ctx context.Context) error {
	done, busy := make(chan struct{}, offersAbreast), 0
	defer func() {
		for range busy {
			<-done
		}
	}()
	for {
		changed := o.view.Changed()
		o.read(ctx)
		for busy < offersAbreast {
			p := o.next()
			if p == nil {
				break
			}
			busy++
			go func() {
				o.learn(ctx, p)
				done <- struct{}{}
			}()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-done:
			busy--
		}
	}
}

// read takes the facts that are new; all of them after a reorganisation, or when
// there are places again for what was left out.
func (o *OfferWants) read(ctx context.Context) {
	head, now := o.view.Head()
	if head == 0 {
		return
	}
	facts := o.view.Facts()
	again := o.expire(now) || o.seen > len(facts) || o.seen > 0 && (facts[o.seen-1].Tx != o.last.Tx || facts[o.seen-1].Index != o.last.Index)
	if again {
		o.seen = 0
	}
	there := map[common.Hash]bool{}
	for _, f := range facts[o.seen:] {
		if e, ok := f.Event.(protocol.OfferOpened); ok && e.Offer.Kind == protocol.KindPin {
			there[e.ID] = true
			o.note(ctx, e, f.Time, now)
		}
	}
	if o.seen = len(facts); o.seen > 0 {
		o.last = facts[o.seen-1]
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ready = ctx.Err() == nil
	for id := range o.offers {
		if again && !there[id] {
			o.drop(id) // a reorganisation took it back
		}
	}
}

// expire forgets what is over, and says whether others may have its place.
func (o *OfferWants) expire(now uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, p := range o.offers {
		if p.until <= now {
			o.drop(id)
		}
	}
	if o.crowded && len(o.offers) < maxOffers*3/4 {
		o.crowded = false
		return true
	}
	return false
}

// note takes an offer, with its specification if that is here from an earlier run.
func (o *OfferWants) note(ctx context.Context, e protocol.OfferOpened, opened, now uint64) {
	p := &pinOffer{id: e.ID, value: e.Offer.Value, from: e.Offer.Spec, opened: opened, until: min(e.Offer.Deadline, opened+maxHold)}
	if opened+maxHold <= now || !o.place(p, false) {
		return
	}
	if b, err := o.store.Local(ctx, p.from); err == nil {
		var spec protocol.PinSpec
		if protocol.Decode(b, &spec) == nil {
			p.take(spec)
		}
	}
	if p.until > now {
		o.place(p, true)
	}
}

// place says whether there is a place for an offer, and if it is to be taken, takes
// it: from the one of least value if need be.
func (o *OfferWants) place(p *pinOffer, take bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.offers[p.id] != nil {
		return false
	}
	if len(o.offers) >= maxOffers {
		if o.least == nil {
			for _, q := range o.offers {
				if o.least == nil || o.least.order(q) < 0 {
					o.least = q
				}
			}
		}
		o.crowded = true
		if o.least.order(p) <= 0 {
			return false
		}
		if take {
			o.drop(o.least.id)
		}
	}
	if take {
		o.offers[p.id], o.least = p, nil
	}
	return true
}

// drop forgets an offer. The caller holds mu.
func (o *OfferWants) drop(id common.Hash) {
	delete(o.offers, id)
	o.least = nil
}

// next is the offer whose specification is to be asked for, or nil.
func (o *OfferWants) next() *pinOffer {
	head, _ := o.view.Head()
	o.mu.Lock()
	defer o.mu.Unlock()
	var best *pinOffer
	for _, p := range o.offers {
		if !p.known && !p.asking && p.tries < offerRetries && p.next <= head && (best == nil || p.order(best) < 0) {
			best = p
		}
	}
	if best != nil {
		best.asking = true
		best.tries++
		best.next = head + 4<<best.tries
	}
	return best
}

// learn gets one offer's specification.
func (o *OfferWants) learn(ctx context.Context, p *pinOffer) {
	ctx, cancel := context.WithTimeout(ctx, offerWithin)
	defer cancel()
	b, err := o.store.GetBlock(ctx, p.from)
	var spec protocol.PinSpec
	if err == nil {
		err = protocol.Decode(b, &spec)
	}
	if err == nil {
		err = o.store.S.Pin(ctx, p.from, storage.PinInfo{Why: "pin offer", Until: p.opened + min(spec.Seconds, maxHold)})
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	p.asking = false
	if err != nil {
		o.log.Debug("specification of a pin offer is not here yet", "offer", p.id, "err", err)
		return
	}
	p.take(spec)
}
