package market

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"
	"github.com/prometheus/client_golang/prometheus"

	"tally/compute"
	"tally/compute/market/book"
	"tally/compute/market/wire"
	"tally/internal/kv"
	"tally/protocol"
)

// Prices are the least a worker takes. Zero takes anything.
type Prices struct {
	In    protocol.Amount // per 1000 tokens read
	Out   protocol.Amount // per 1000 tokens written
	Train protocol.Amount // per 1000 tokens trained
	Pin   protocol.Amount // per MiB and hour
}

// Capacity is how many jobs run at once. Zero takes none of the kind.
type Capacity struct {
	Sessions  int
	Trainings int
	Pins      int
}

// WorkerConfig is everything that a Worker depends on. The first eight fields
// are required.
type WorkerConfig struct {
	Key     *ecdsa.PrivateKey
	Network protocol.Network
	Params  protocol.Params
	DB      *kv.DB // opened with Sync; may be shared with a Submitter; never closed here
	Board   Board
	Streams Streams
	Store   Store
	Ledger  Ledger

	Generators []compute.Generator // one per class
	Trainers   []compute.Trainer   // one per class
	Models     []cid.Cid           // what adverts say is held
	Capacity   Capacity
	Prices     Prices
	Audits     Audits // who gets transcripts; nil: nobody
	Times      Times
	Log        *slog.Logger          // nil discards
	Registry   prometheus.Registerer // nil: no metrics
}

// Validate says what is missing.
func (c WorkerConfig) Validate() error {
	switch {
	case c.Key == nil:
		return fmt.Errorf("%w: a worker needs a key", ErrConfig)
	case c.DB == nil || c.Board == nil || c.Streams == nil || c.Store == nil || c.Ledger == nil:
		return fmt.Errorf("%w: a worker needs a store of its own, board, streams, storage and a ledger", ErrConfig)
	case c.Capacity.Sessions < 0 || c.Capacity.Trainings < 0 || c.Capacity.Pins < 0:
		return fmt.Errorf("%w: a capacity is negative", ErrConfig)
	}
	if err := c.Network.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return c.Times.Validate()
}

// Worker runs jobs for others. Serve answers what they open; Run asks for
// signatures that are missing.
type Worker struct {
	WorkerConfig // read only
	self         common.Address
	book         *book.Earner
	log          *slog.Logger
	metrics      *metrics
	generators   map[string]compute.Generator // read only
	trainers     map[string]compute.Trainer   // read only

	mu      sync.Mutex
	running map[protocol.Kind]int  // guarded by mu; jobs under way
	busy    map[common.Hash]*place // guarded by mu; offers under way
}

// place is what an offer under way occupies.
type place struct {
	give context.CancelCauseFunc // ends the work
	left chan struct{}           // closed when it has ended
}

// NewWorker starts nothing.
func NewWorker(c WorkerConfig) (*Worker, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.Times = c.Times.withDefaults()
	w := &Worker{
		WorkerConfig: c,
		self:         crypto.PubkeyToAddress(c.Key.PublicKey),
		book:         book.NewEarner(c.DB, c.Network, c.Key),
		log:          c.Log,
		generators:   make(map[string]compute.Generator),
		trainers:     make(map[string]compute.Trainer),
		running:      make(map[protocol.Kind]int),
		busy:         make(map[common.Hash]*place),
	}
	for _, g := range c.Generators {
		w.generators[g.Class()] = g
	}
	for _, t := range c.Trainers {
		w.trainers[t.Class()] = t
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if w.metrics, err = newMetrics(c.Registry, "worker"); err != nil {
		return nil, err
	}
	return w, nil
}

// taken is an offer that this worker has checked and claimed. Exactly one of the
// specs belongs to its kind.
type taken struct {
	id     common.Hash
	offer  protocol.Offer
	rank   uint8
	origin protocol.Origin
	spent  protocol.Amount // on other channels, as the submitter says
	infer  protocol.InferSpec
	train  protocol.TrainSpec
	pin    protocol.PinSpec
	raw    []byte // the spec's bytes
}

// Serve answers one stream of StreamJob: a job from its claim to its end, or
// settlements of jobs before. It returns when the job is over or ctx ends, and
// closes conn.
func (w *Worker) Serve(ctx context.Context, conn Conn) error {
	l := newLink(ctx, conn)
	defer l.close()
	for {
		b, err := l.recv(ctx, w.Times.Settle)
		if err != nil {
			if errors.Is(err, ErrLost) {
				return nil // the submitter has sent what it had
			}
			return err
		}
		switch b := b.(type) {
		case *wire.Settle:
			if err := w.settle(ctx, l, b); err != nil {
				return err
			}
		case *wire.Open:
			return w.serve(ctx, l, b)
		default:
			return l.fail(wire.CodeRefused, unexpected(b))
		}
	}
}

func (w *Worker) serve(ctx context.Context, l *link, o *wire.Open) error {
	t, err := w.assess(ctx, l.remote(), o)
	if err != nil {
		return w.decline(l, o.Offer, err)
	}
	// Work ends when the stream does: nobody would take its result.
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	leave, err := w.admit(ctx, t, cancel)
	if err != nil {
		return w.decline(l, o.Offer, err)
	}
	defer leave()
	// Whoever judges the receipts will want the spec, whether or not its author is there.
	if _, err := w.Store.PutBlock(ctx, t.raw); err != nil {
		return w.decline(l, o.Offer, fmt.Errorf("market: keep spec: %w", err))
	}
	left, err := t.offer.Value.Sub(t.spent)
	if err != nil {
		return w.decline(l, o.Offer, fmt.Errorf("%w: nothing is left of the offer", ErrRefused))
	}
	c, err := protocol.Sign(w.Network, w.Key, protocol.Claim{
		Offer: t.id, Worker: w.self, Rank: t.rank, Price: left, Until: t.offer.Deadline,
	})
	if err != nil {
		return err
	}
	if err := l.send(&wire.Claimed{Claim: c.Bytes()}); err != nil {
		return err
	}
	w.metrics.claims.WithLabelValues("claimed").Inc()
	w.log.Info("offer claimed", "offer", t.id, "kind", t.offer.Kind.String(), "rank", t.rank)
	defer context.AfterFunc(l.ctx, func() { cancel(context.Cause(l.ctx)) })()
	switch t.offer.Kind {
	case protocol.KindInfer:
		err = w.inferSession(work, l, t)
	case protocol.KindTrain:
		err = w.trainJob(work, l, t)
	case protocol.KindPin:
		err = w.pinJob(work, l, t)
	case protocol.KindAudit: // assess has refused it
	}
	if err != nil && !errors.Is(err, ErrLost) {
		w.metrics.failures.WithLabelValues(t.offer.Kind.String()).Inc()
	}
	return err
}

// decline refuses with a signature, so that the next in rank need not wait.
func (w *Worker) decline(l *link, offer common.Hash, why error) error {
	w.metrics.claims.WithLabelValues("declined").Inc()
	w.log.Info("offer declined", "offer", offer, "err", why)
	d, err := protocol.Sign(w.Network, w.Key, protocol.Decline{Offer: offer, Worker: w.self, Reason: clip(why.Error(), 256)})
	if err != nil {
		return err
	}
	if err := l.send(&wire.Declined{Decline: d.Bytes()}); err != nil {
		return err
	}
	return nil
}

// receipt is a receipt of the job with what every kind has in common.
func (w *Worker) receipt(t taken, start, end uint64) protocol.Receipt {
	return protocol.Receipt{
		Offer: t.id, Payer: t.offer.Submitter, Epoch: w.Params.EpochAt(end),
		Kind: t.offer.Kind, Tier: t.offer.Tier, Origin: t.origin, Rank: t.rank,
		Spec: t.offer.Spec, Start: start, End: end,
	}
}

// Advert is what this worker offers now, signed, to be gossiped.
func (w *Worker) Advert(ctx context.Context, valid time.Duration) (protocol.Signed[protocol.Advert], error) {
	now, err := w.Board.Now(ctx)
	if err != nil {
		return protocol.Signed[protocol.Advert]{}, fmt.Errorf("market: read the time: %w", err)
	}
	a := protocol.Advert{
		Worker: w.self, Models: w.Models, PriceIn: w.Prices.In, PriceOut: w.Prices.Out,
		PriceTrain: w.Prices.Train, PricePin: w.Prices.Pin, Since: now, Until: now + uint64(valid/time.Second),
	}
	seen := map[string]bool{}
	for _, g := range w.Generators {
		seen[g.Class()] = true
		a.Engines = append(a.Engines, g.Class())
	}
	for _, t := range w.Trainers {
		if !seen[t.Class()] {
			a.Engines = append(a.Engines, t.Class())
		}
	}
	if w.Capacity.Pins > 0 {
		a.Engines = append(a.Engines, PinClass)
	}
	w.mu.Lock()
	all := w.Capacity.Sessions + w.Capacity.Trainings + w.Capacity.Pins
	for _, n := range w.running {
		all -= n
	}
	w.mu.Unlock()
	a.Capacity = uint64(max(all, 0))
	return protocol.Sign(w.Network, w.Key, a)
}
