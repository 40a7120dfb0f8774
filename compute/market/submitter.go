package market

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"

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

// SubmitterConfig is everything that a Submitter depends on. All but the last
// five fields are required.
type SubmitterConfig struct {
	Key     *ecdsa.PrivateKey
	Network protocol.Network
	Params  protocol.Params
	DB      *kv.DB // opened with Sync; may be shared with a Worker; never closed here
	Board   Board
	Vault   Vault
	Streams Streams
	Store   Store
	Ledger  Ledger

	Audits   Audits                           // who gets transcripts; nil: nobody
	Hashers  map[string]compute.Hasher        // by engine class; models of other classes are paid for unmeasured
	Announce func(protocol.OfferOpened) error // gossips an offer; nil: no gossip is needed to be served
	Times    Times
	Log      *slog.Logger          // nil discards
	Registry prometheus.Registerer // nil: no metrics
}

// Validate says what is missing.
func (c SubmitterConfig) Validate() error {
	switch {
	case c.Key == nil:
		return fmt.Errorf("%w: a submitter needs a key", ErrConfig)
	case c.DB == nil || c.Board == nil || c.Vault == nil || c.Streams == nil || c.Store == nil || c.Ledger == nil:
		return fmt.Errorf("%w: a submitter needs a store of its own, board, vault, streams, storage and a ledger", ErrConfig)
	}
	if err := c.Network.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return c.Times.Validate()
}

// Submitter pays for jobs. Run must be running for settlements to be sent again
// after a failure.
type Submitter struct {
	SubmitterConfig // read only
	self            common.Address
	book            *book.Payer
	log             *slog.Logger
	metrics         *metrics
	kick            chan struct{} // wakes Run; capacity 1
}

// NewSubmitter starts nothing.
func NewSubmitter(c SubmitterConfig) (*Submitter, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.Times = c.Times.withDefaults()
	s := &Submitter{
		SubmitterConfig: c,
		self:            crypto.PubkeyToAddress(c.Key.PublicKey),
		book:            book.NewPayer(c.DB, c.Network, c.Key),
		log:             c.Log,
		kick:            make(chan struct{}, 1),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if s.metrics, err = newMetrics(c.Registry, "submitter"); err != nil {
		return nil, err
	}
	return s, nil
}

// Terms are what every job has.
type Terms struct {
	Tier     protocol.Tier   // 0 is TierExact
	Direct   common.Address  // the one worker, or zero for a ranked job
	Value    protocol.Amount // the most that the job can cost: locked
	Deadline uint64          // unix seconds
}

// posted is an offer that is on the chain.
type posted struct {
	id    common.Hash
	offer protocol.Offer
	spec  []byte
}

// ranked is an offer whose workers are known, in order.
type ranked struct {
	posted
	workers []common.Address
	origin  protocol.Origin
}

// claimed is an offer that a worker has taken, and the stream to it.
type claimed struct {
	ranked
	worker common.Address
	rank   uint8
	link   *link
}

// post publishes the spec and opens the offer.
func (s *Submitter) post(ctx context.Context, kind protocol.Kind, spec any, t Terms) (posted, error) {
	if t.Tier == 0 {
		t.Tier = protocol.TierExact
	}
	if t.Value.IsZero() {
		return posted{}, fmt.Errorf("%w: the value is zero: lock what the job may cost", ErrTerms)
	}
	now, err := s.Board.Now(ctx)
	if err != nil {
		return posted{}, fmt.Errorf("market: post: %w", err)
	}
	if t.Deadline <= now {
		return posted{}, fmt.Errorf("%w: the deadline %d is not after the chain's time %d", ErrTerms, t.Deadline, now)
	}
	raw, err := protocol.Encode(spec)
	if err != nil {
		return posted{}, fmt.Errorf("%w: %w", ErrTerms, err)
	}
	c, err := s.Store.PutBlock(ctx, raw)
	if err != nil {
		return posted{}, fmt.Errorf("market: publish spec: %w", err)
	}
	want := protocol.Offer{
		Submitter: s.self, Kind: kind, Spec: c, Tier: t.Tier, Direct: t.Direct, Value: t.Value, Deadline: t.Deadline,
	}
	id, err := s.Vault.OpenOffer(ctx, want)
	if err != nil {
		return posted{}, fmt.Errorf("market: open offer: %w", err)
	}
	opened, _, err := s.Board.Offer(ctx, id)
	if err != nil {
		return posted{}, fmt.Errorf("market: read offer back: %w", err)
	}
	want.Nonce = opened.Offer.Nonce
	if err := checkOffer(s.Network, id, opened); err != nil {
		return posted{}, err
	}
	if opened.Offer != want {
		return posted{}, fmt.Errorf("%w: the chain holds another offer under %s than the one sent", ErrTerms, id)
	}
	if s.Announce != nil {
		if err := s.Announce(opened); err != nil {
			s.log.Warn("offer not announced", "offer", id, "err", err)
		}
	}
	s.log.Info("offer opened", "offer", id, "kind", kind.String(), "value", want.Value.String())
	return posted{id, want, raw}, nil
}

// checkOffer checks that an offer's id is its digest.
func checkOffer(n protocol.Network, id common.Hash, o protocol.OfferOpened) error {
	d, err := protocol.Digest(n, o.Offer)
	if err != nil {
		return err
	}
	if d != id || o.ID != id {
		return fmt.Errorf("%w: offer %s has digest %s on this network", ErrTerms, id, d)
	}
	return nil
}

// rank waits for the beacon and orders the candidates; at most most of them are
// of use.
func (s *Submitter) rank(ctx context.Context, p posted, class string, most int) (ranked, error) {
	workers, origin, err := order(ctx, s.Board, p.id, p.offer, class)
	if err != nil {
		return ranked{}, err
	}
	if len(workers) == 0 {
		return ranked{}, fmt.Errorf("%w: nobody was registered for %s when offer %s was opened", ErrNoWorker, class, p.id)
	}
	return ranked{p, workers[:min(most, len(workers))], origin}, nil
}

// order is the order in which workers may take an offer. Submitter and worker
// compute it alike. The submitter's own node is no candidate.
func order(ctx context.Context, b Board, id common.Hash, o protocol.Offer, class string) ([]common.Address, protocol.Origin, error) {
	if o.Direct != (common.Address{}) {
		return []common.Address{o.Direct}, protocol.OriginDirect, nil
	}
	beacon, err := b.Beacon(ctx, id)
	if err != nil {
		return nil, 0, fmt.Errorf("market: wait for the beacon: %w", err)
	}
	all, err := b.Candidates(ctx, id, class)
	if err != nil {
		return nil, 0, fmt.Errorf("market: read candidates: %w", err)
	}
	others := make([]protocol.Candidate, 0, len(all))
	for _, c := range all {
		if c.Worker != o.Submitter {
			others = append(others, c)
		}
	}
	return protocol.Rank(beacon, id, others), protocol.OriginAssigned, nil
}

// claim asks the worker at a rank to take the offer.
func (s *Submitter) claim(ctx context.Context, r ranked, rank int) (claimed, error) {
	worker := r.workers[rank]
	c, err := s.claimOf(ctx, r, rank)
	if err != nil {
		s.metrics.claims.WithLabelValues("failed").Inc()
		return claimed{}, fmt.Errorf("worker %s at rank %d: %w", worker, rank, err)
	}
	s.metrics.claims.WithLabelValues("claimed").Inc()
	s.log.Info("offer claimed", "offer", r.id, "worker", worker, "rank", rank)
	return c, nil
}

func (s *Submitter) claimOf(ctx context.Context, r ranked, rank int) (claimed, error) {
	worker := r.workers[rank]
	spent, err := s.book.Spent(r.id)
	if err != nil {
		return claimed{}, err
	}
	own, err := s.book.Channel(r.id, worker)
	if err != nil {
		return claimed{}, err
	}
	if spent, err = spent.Sub(own.Value); err != nil {
		return claimed{}, err
	}
	within, cancel := context.WithTimeoutCause(ctx, s.Times.Claim, fmt.Errorf("%w: no claim in %s", ErrStalled, s.Times.Claim))
	defer cancel()
	conn, err := s.Streams.Open(within, worker, StreamJob)
	if err != nil {
		return claimed{}, fmt.Errorf("%w: open: %w", ErrLost, cmpErr(within, err))
	}
	l := newLink(context.WithoutCancel(ctx), conn) // lives until it is closed: a session outlasts the call that opened it
	if err := s.askClaim(within, l, r, rank, spent); err != nil {
		l.close()
		return claimed{}, cmpErr(within, err)
	}
	return claimed{r, worker, uint8(rank), l}, nil
}

// cmpErr gives a deadline's own words where it is what ended the wait.
func cmpErr(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (s *Submitter) askClaim(ctx context.Context, l *link, r ranked, rank int, spent protocol.Amount) error {
	worker := r.workers[rank]
	if l.remote() != worker {
		return fmt.Errorf("%w: the stream leads to %s", ErrPeer, l.remote())
	}
	if err := l.send(&wire.Open{Offer: r.id, Spec: r.spec, Spent: spent}); err != nil {
		return err
	}
	b, err := l.recv(ctx, s.Times.Claim)
	if err != nil {
		return err
	}
	switch b := b.(type) {
	case *wire.Claimed:
		return s.checkClaim(ctx, b.Claim, r, rank)
	case *wire.Declined:
		d, err := open[protocol.Decline](s.Network, b.Decline)
		if err != nil {
			return err
		}
		if d.Worker != worker || d.Offer != r.id {
			return fmt.Errorf("%w: a decline of another offer or worker", ErrPeer)
		}
		return fmt.Errorf("%w: %s", ErrDeclined, d.Reason)
	}
	return unexpected(b)
}

func (s *Submitter) checkClaim(ctx context.Context, raw []byte, r ranked, rank int) error {
	c, err := open[protocol.Claim](s.Network, raw)
	if err != nil {
		return err
	}
	now, err := s.Board.Now(ctx)
	if err != nil {
		return fmt.Errorf("market: read the time: %w", err)
	}
	switch {
	case c.Worker != r.workers[rank] || c.Offer != r.id:
		return fmt.Errorf("%w: a claim of another offer or worker", ErrPeer)
	case int(c.Rank) != rank:
		return fmt.Errorf("%w: it claims rank %d, the beacon says %d", ErrPeer, c.Rank, rank)
	case c.Price.Cmp(r.offer.Value) > 0:
		return fmt.Errorf("%w: it asks %s, the offer locks %s", ErrPeer, c.Price, r.offer.Value)
	case c.Until+s.skew() < now:
		return fmt.Errorf("%w: its claim ended at %d, it is %d", ErrPeer, c.Until, now)
	}
	return nil
}

// open reads and opens a signed message from a peer.
func open[T protocol.Message](n protocol.Network, raw []byte) (T, error) {
	var none T
	signed, err := protocol.ParseSigned[T](raw)
	if err != nil {
		return none, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	m, err := signed.Open(n)
	if err != nil {
		return none, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	return m, nil
}

func (s *Submitter) skew() uint64 { return uint64(s.Times.Skew.Seconds()) }

// expectation is what the submitter knows a receipt must say.
type expectation struct {
	receipt protocol.Receipt // all but Epoch, Start and End
	sent    uint64           // when the work was asked for
}

func (s *Submitter) expectation(c claimed, sent uint64) (expectation, error) {
	ch, err := s.book.Channel(c.id, c.worker)
	if err != nil {
		return expectation{}, err
	}
	return expectation{protocol.Receipt{
		Offer:    c.id,
		Channel:  protocol.Channel(c.id, c.worker),
		Payer:    s.self,
		Worker:   c.worker,
		Seq:      ch.Seq + 1,
		Kind:     c.offer.Kind,
		Tier:     c.offer.Tier,
		Origin:   c.origin,
		Rank:     c.rank,
		Spec:     c.offer.Spec,
		Previous: ch.Previous,
	}, sent}, nil
}

// check opens a receipt and compares every field.
func (s *Submitter) check(ctx context.Context, raw []byte, e expectation) (protocol.Cosigned, error) {
	issued, err := protocol.ParseCosigned(raw)
	if err != nil {
		return issued, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	got, _, err := issued.Open(s.Network)
	if err != nil {
		return issued, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	now, err := s.Board.Now(ctx)
	if err != nil {
		return issued, fmt.Errorf("market: read the time: %w", err)
	}
	if got.Start+s.skew() < e.sent || got.Start > got.End || got.End > now+s.skew() {
		return issued, fmt.Errorf("%w: %w: it says the work took from %d to %d, it was asked for at %d and it is %d", ErrPeer, ErrReceipt, got.Start, got.End, e.sent, now)
	}
	want := e.receipt
	want.Start, want.End, want.Epoch = got.Start, got.End, s.Params.EpochAt(got.End)
	if got == want {
		return issued, nil
	}
	return issued, fmt.Errorf("%w: %w: %s", ErrPeer, ErrReceipt, difference(got, want))
}

// difference names the first field in which two receipts differ.
func difference(got, want protocol.Receipt) string {
	for _, f := range []struct {
		name      string
		got, want any
	}{
		{"offer", got.Offer, want.Offer},
		{"channel", got.Channel, want.Channel},
		{"payer", got.Payer, want.Payer},
		{"worker", got.Worker, want.Worker},
		{"epoch", got.Epoch, want.Epoch},
		{"number", got.Seq, want.Seq},
		{"kind", got.Kind, want.Kind},
		{"tier", got.Tier, want.Tier},
		{"origin", got.Origin, want.Origin},
		{"rank", got.Rank, want.Rank},
		{"spec", got.Spec, want.Spec},
		{"input", got.Input, want.Input},
		{"output", got.Output, want.Output},
		{"trace", got.Trace, want.Trace},
		{"attribution", got.Attribution, want.Attribution},
		{"units in", got.UnitsIn, want.UnitsIn},
		{"units out", got.UnitsOut, want.UnitsOut},
		{"value", got.Value, want.Value},
		{"previous receipt", got.Previous, want.Previous},
	} {
		if f.got != f.want {
			return fmt.Sprintf("%s is %v, want %v", f.name, f.got, f.want)
		}
	}
	return "a field differs"
}

// documentOf fetches a document under a CID and decodes it.
func documentOf[T any](ctx context.Context, b Blocks, c cid.Cid) (T, error) {
	var v T
	raw, err := b.GetBlock(ctx, c)
	if err != nil {
		return v, err
	}
	if !protocol.CIDOf(raw).Equals(c) {
		return v, fmt.Errorf("%w: block %s holds other bytes", ErrPeer, c)
	}
	return v, protocol.Decode(raw, &v)
}

// sameBytes is bytes.Equal, by a name that says what differs.
func sameBytes(what string, got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	return fmt.Errorf("%w: %s: %d bytes differ from ours", ErrPeer, what, len(got))
}
