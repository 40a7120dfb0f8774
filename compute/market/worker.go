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

// assess checks everything that the chain and the spec say before a claim.
func (w *Worker) assess(ctx context.Context, caller common.Address, o *wire.Open) (taken, error) {
	opened, _, err := w.Board.Offer(ctx, o.Offer)
	if err != nil {
		return taken{}, fmt.Errorf("market: read offer: %w", err)
	}
	if err := checkOffer(w.Network, o.Offer, opened); err != nil {
		return taken{}, err
	}
	now, err := w.Board.Now(ctx)
	if err != nil {
		return taken{}, fmt.Errorf("market: read the time: %w", err)
	}
	t := taken{id: o.Offer, offer: opened.Offer, spent: o.Spent, raw: o.Spec}
	switch {
	case t.offer.Submitter != caller:
		return taken{}, fmt.Errorf("%w: the offer is %s's", ErrRefused, t.offer.Submitter)
	case t.offer.Submitter == w.self:
		return taken{}, fmt.Errorf("%w: a node does not work for itself", ErrRefused)
	case t.offer.Deadline <= now:
		return taken{}, fmt.Errorf("%w: the offer ended at %d", ErrRefused, t.offer.Deadline)
	case !protocol.CIDOf(o.Spec).Equals(t.offer.Spec):
		return taken{}, fmt.Errorf("%w: the spec sent is not the offer's %s", ErrRefused, t.offer.Spec)
	}
	class, most, err := w.read(&t)
	if err != nil {
		return taken{}, err
	}
	workers, origin, err := order(ctx, w.Board, t.id, t.offer, class)
	if err != nil {
		return taken{}, err
	}
	t.origin = origin
	for i, who := range workers[:min(most, len(workers))] {
		if who == w.self {
			t.rank = uint8(i)
			return t, nil
		}
	}
	return taken{}, fmt.Errorf("%w: this worker is not among the first %d for the offer", ErrRefused, most)
}

// read decodes the spec of the offer's kind and checks that it can be done here,
// at its price. It gives the class that is ranked and how many may take it.
func (w *Worker) read(t *taken) (class string, most int, err error) {
	switch t.offer.Kind {
	case protocol.KindInfer:
		if err := protocol.Decode(t.raw, &t.infer); err != nil {
			return "", 0, err
		}
		s := t.infer
		switch {
		case w.generators[s.Engine] == nil:
			return "", 0, fmt.Errorf("%w: engine class %q is not run here", ErrRefused, s.Engine)
		case s.Requests == 0 || s.Requests > book.MaxReceipts || s.MaxTokens == 0 || s.MaxTokens > wire.MaxTokens:
			return "", 0, fmt.Errorf("%w: %d requests of %d tokens", ErrRefused, s.Requests, s.MaxTokens)
		case s.RateIn.Cmp(w.Prices.In) < 0 || s.RateOut.Cmp(w.Prices.Out) < 0:
			return "", 0, fmt.Errorf("%w: the rates are below this worker's prices", ErrRefused)
		}
		return s.Engine, 1 + Fallbacks, nil
	case protocol.KindTrain:
		if err := protocol.Decode(t.raw, &t.train); err != nil {
			return "", 0, err
		}
		s := t.train
		switch {
		case w.trainers[s.Engine] == nil:
			return "", 0, fmt.Errorf("%w: engine class %q does not train here", ErrRefused, s.Engine)
		case len(s.Shards) == 0 || s.MaxTokens == 0:
			return "", 0, fmt.Errorf("%w: nothing to train on", ErrRefused)
		case s.Rate.Cmp(w.Prices.Train) < 0:
			return "", 0, fmt.Errorf("%w: the rate is below this worker's price", ErrRefused)
		}
		if err := covers(t.offer.Value, func() (protocol.Amount, error) { return TrainFee(s, s.MaxTokens) }); err != nil {
			return "", 0, err
		}
		return s.Engine, 1 + Fallbacks, nil
	case protocol.KindPin:
		if err := protocol.Decode(t.raw, &t.pin); err != nil {
			return "", 0, err
		}
		s := t.pin
		if err := checkPin(s); err != nil {
			return "", 0, err
		}
		if s.Rate.Cmp(w.Prices.Pin) < 0 {
			return "", 0, fmt.Errorf("%w: the rate is below this worker's price", ErrRefused)
		}
		if err := covers(t.offer.Value, func() (protocol.Amount, error) { return PinFee(s) }); err != nil {
			return "", 0, err
		}
		return PinClass, int(s.Replicas) + Fallbacks, nil
	case protocol.KindAudit:
	}
	return "", 0, fmt.Errorf("%w: jobs of kind %s are not taken here", ErrRefused, t.offer.Kind)
}

// admit takes a place among the jobs that run. There is one per offer: a new
// stream of its submitter, who alone gets here, takes the place of one before,
// which is lost whether or not this side has noticed.
func (w *Worker) admit(ctx context.Context, t taken, give context.CancelCauseFunc) (leave func(), err error) {
	room := map[protocol.Kind]int{
		protocol.KindInfer: w.Capacity.Sessions, protocol.KindTrain: w.Capacity.Trainings, protocol.KindPin: w.Capacity.Pins,
	}[t.offer.Kind]
	patience := time.NewTimer(w.Times.Claim)
	defer patience.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.busy[t.id] != nil {
		before := w.busy[t.id]
		before.give(fmt.Errorf("%w: another stream took over", ErrLost))
		w.mu.Unlock()
		select {
		case <-before.left:
		case <-patience.C:
			err = fmt.Errorf("%w: the offer is being worked on over another stream", ErrRefused)
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		w.mu.Lock()
		if err != nil {
			return nil, err
		}
	}
	if w.running[t.offer.Kind] >= room {
		return nil, fmt.Errorf("%w: no room: %d jobs of kind %s run", ErrRefused, w.running[t.offer.Kind], t.offer.Kind)
	}
	p := &place{give: give, left: make(chan struct{})}
	w.running[t.offer.Kind]++
	w.busy[t.id] = p
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.running[t.offer.Kind]--
		delete(w.busy, t.id)
		close(p.left)
	}, nil
}

// afford is what the offer still pays on this channel.
func (w *Worker) afford(t taken) (protocol.Amount, error) {
	c, err := w.book.Channel(t.id, w.self)
	if err != nil {
		return protocol.Amount{}, err
	}
	left, err := t.offer.Value.Sub(t.spent)
	if err == nil {
		left, err = left.Sub(c.Value)
	}
	if err != nil {
		return protocol.Amount{}, fmt.Errorf("%w: nothing is left of the offer", ErrRefused)
	}
	return left, nil
}

// receipt is a receipt of the job with what every kind has in common.
func (w *Worker) receipt(t taken, start, end uint64) protocol.Receipt {
	return protocol.Receipt{
		Offer: t.id, Payer: t.offer.Submitter, Epoch: w.Params.EpochAt(end),
		Kind: t.offer.Kind, Tier: t.offer.Tier, Origin: t.origin, Rank: t.rank,
		Spec: t.offer.Spec, Start: start, End: end,
	}
}

// settle takes a settlement: checks it, has it counted, writes it down, and only
// then acknowledges it.
func (w *Worker) settle(ctx context.Context, l *link, b *wire.Settle) error {
	d, err := w.take(ctx, l.remote(), b)
	if err != nil {
		return l.fail(wire.CodeRefused, err)
	}
	return l.send(&wire.Ack{Receipt: d})
}

func (w *Worker) take(ctx context.Context, caller common.Address, b *wire.Settle) (common.Hash, error) {
	st, err := book.ParseSettlement(w.Network, b.Receipt, b.Voucher)
	if err != nil {
		return common.Hash{}, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	if st.Worker != w.self || st.Payer != caller {
		return common.Hash{}, fmt.Errorf("%w: a settlement between %s and %s", ErrPeer, st.Payer, st.Worker)
	}
	if err := w.book.Match(st); err != nil {
		return common.Hash{}, err
	}
	if err := w.Ledger.Record(ctx, st.Receipt, &st.Voucher); err != nil {
		return common.Hash{}, fmt.Errorf("market: record receipt: %w", err)
	}
	if err := w.book.Settled(st); err != nil {
		return common.Hash{}, err
	}
	w.metrics.settled.Inc()
	w.log.Info("receipt settled", "receipt", st.Receipt.ID(), "payer", st.Payer)
	return st.Digest, nil
}

// awaitSettlement waits for the payment of a receipt that was just delivered.
func (w *Worker) awaitSettlement(ctx context.Context, l *link, within time.Duration) error {
	b, err := expect[wire.Settle](ctx, l, within)
	if err != nil {
		return err
	}
	return w.settle(ctx, l, b)
}

// Run asks the payers of pending receipts for their signature, every Retry until
// ctx ends, each at most eight times in a process's life: a payer that refuses
// leaves the receipt to an audit.
func (w *Worker) Run(ctx context.Context) error {
	t := time.NewTicker(w.Times.Retry)
	defer t.Stop()
	asked := map[cid.Cid]int{} // by receipt id
	for {
		pending, err := w.book.Unsettled(outboxPass)
		if err != nil {
			return err
		}
		seen := make(map[cid.Cid]int, len(pending))
		for _, p := range pending {
			n := asked[p.ID()]
			if seen[p.ID()] = n; n >= 8 || w.isBusy(p) {
				continue
			}
			seen[p.ID()]++
			if err := w.request(ctx, p); err != nil && ctx.Err() == nil {
				w.log.Info("receipt waits for its payer", "receipt", p.ID(), "err", err)
			}
		}
		asked = seen
		if now, err := w.Board.Now(ctx); err == nil {
			if err := w.book.Prune(now); err != nil {
				w.log.Warn("transcripts not pruned", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}

// isBusy reports whether the receipt's job has an open stream that settles it.
func (w *Worker) isBusy(p protocol.Cosigned) bool {
	r, _, err := p.Open(w.Network)
	w.mu.Lock()
	defer w.mu.Unlock()
	return err == nil && w.busy[r.Offer] != nil
}

// request asks one payer for one signature.
func (w *Worker) request(ctx context.Context, p protocol.Cosigned) error {
	r, _, err := p.Open(w.Network)
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, w.Times.Settle)
	defer cancel()
	conn, err := w.Streams.Open(within, r.Payer, StreamSettle)
	if err != nil {
		return fmt.Errorf("%w: open: %w", ErrLost, err)
	}
	l := newLink(ctx, conn)
	defer l.close()
	if l.remote() != r.Payer {
		return fmt.Errorf("%w: the stream leads to %s", ErrPeer, l.remote())
	}
	if err := l.send(&wire.Unsettled{Receipt: p.Bytes()}); err != nil {
		return err
	}
	return w.awaitSettlement(ctx, l, w.Times.Settle)
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
