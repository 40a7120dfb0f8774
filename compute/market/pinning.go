package market

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/compute/market/wire"
	"tally/protocol"
)

const (
	maxReplicas = 64
	maxShard    = 1 << 30      // bytes of a CAR file
	maxHold     = 366 * 86_400 // seconds
)

// PinTerms post a pin job. Piece and Size of the spec may be zero: they are then
// computed from the shard, which must be here.
type PinTerms struct {
	Terms
	Spec protocol.PinSpec
}

// PinAnswer is one replica.
type PinAnswer struct {
	Worker   common.Address
	Rank     uint8
	Receipt  cid.Cid // id
	Envelope cid.Cid // of the co-signed receipt
	Value    protocol.Amount
}

// checkPin checks the bounds of a spec.
func checkPin(s protocol.PinSpec) error {
	switch {
	case s.Replicas == 0 || s.Replicas > maxReplicas:
		return fmt.Errorf("%w: %d replicas, want 1 to %d", ErrTerms, s.Replicas, maxReplicas)
	case s.Size == 0 || s.Size > maxShard:
		return fmt.Errorf("%w: a shard of %d bytes, want 1 to %d", ErrTerms, s.Size, maxShard)
	case s.Seconds == 0 || s.Seconds > maxHold:
		return fmt.Errorf("%w: %d seconds, want 1 to %d", ErrTerms, s.Seconds, maxHold)
	}
	return nil
}

// Pin has a shard kept by the first Replicas workers in rank, and by at most two
// further ones where some of those fail. A replica is paid when its holder
// returned a random range of the shard's CAR file that equals ours, never for a
// claim to hold. The answers are in the order of ranks; with fewer of them than
// wanted, ErrNoWorker comes with those that there are.
func (s *Submitter) Pin(ctx context.Context, t PinTerms) ([]PinAnswer, error) {
	piece, size, err := s.Store.Piece(ctx, t.Spec.Root)
	if err != nil {
		return nil, fmt.Errorf("market: read the shard to be pinned: %w", err)
	}
	if t.Spec.Piece == (common.Hash{}) && t.Spec.Size == 0 {
		t.Spec.Piece, t.Spec.Size = piece, size
	}
	if t.Spec.Piece != piece || t.Spec.Size != size {
		return nil, fmt.Errorf("%w: shard %s has %d bytes and piece root %s, the terms say %d and %s", ErrTerms, t.Spec.Root, size, piece, t.Spec.Size, t.Spec.Piece)
	}
	if err := checkPin(t.Spec); err != nil {
		return nil, err
	}
	fee, err := PinFee(t.Spec)
	if err != nil {
		return nil, err
	}
	if err := covers(t.Value, func() (protocol.Amount, error) { return fee.MulDiv(t.Spec.Replicas, 1) }); err != nil {
		return nil, err
	}
	p, err := s.post(ctx, protocol.KindPin, t.Spec, t.Terms)
	if err != nil {
		return nil, err
	}
	job, err := s.rank(ctx, p, PinClass, int(t.Spec.Replicas)+Fallbacks)
	if err != nil {
		return nil, err
	}
	return s.replicate(ctx, job, t.Spec)
}

// replicate has Replicas places, each of which asks the next in rank until one
// holds the shard.
func (s *Submitter) replicate(ctx context.Context, job ranked, spec protocol.PinSpec) ([]PinAnswer, error) {
	var (
		mu    sync.Mutex
		next  int
		out   []PinAnswer
		tried []error
		all   sync.WaitGroup
	)
	for range spec.Replicas {
		all.Go(func() {
			for ctx.Err() == nil {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(job.ranks) {
					return
				}
				rank := job.ranks[i]
				a, err := s.pinAt(ctx, job, spec, rank)
				mu.Lock()
				if err == nil {
					out = append(out, a)
				} else {
					tried = append(tried, err)
				}
				mu.Unlock()
				if err == nil {
					return
				}
				s.metrics.failures.WithLabelValues("pin").Inc()
				s.log.Warn("shard not pinned by this worker", "offer", job.id, "rank", rank, "err", err)
			}
		})
	}
	all.Wait()
	slices.SortFunc(out, func(a, b PinAnswer) int { return int(a.Rank) - int(b.Rank) })
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	if uint64(len(out)) < spec.Replicas {
		return out, fmt.Errorf("%w: %d of %d replicas: %w", ErrNoWorker, len(out), spec.Replicas, errors.Join(tried...))
	}
	return out, nil
}

func (s *Submitter) pinAt(ctx context.Context, job ranked, spec protocol.PinSpec, rank int) (PinAnswer, error) {
	c, err := s.claim(ctx, job, rank)
	if err != nil {
		return PinAnswer{}, err
	}
	defer c.link.close()
	a, err := s.pin(ctx, c, spec)
	if err != nil {
		return a, fmt.Errorf("worker %s at rank %d: %w", c.worker, rank, err)
	}
	return a, nil
}

func (s *Submitter) pin(ctx context.Context, c claimed, spec protocol.PinSpec) (PinAnswer, error) {
	sent, err := s.Board.Now(ctx)
	if err != nil {
		return PinAnswer{}, fmt.Errorf("market: read the time: %w", err)
	}
	if err := c.link.send(&wire.Hold{}); err != nil {
		return PinAnswer{}, err
	}
	held, err := s.awaitHeld(ctx, c)
	if err != nil {
		return PinAnswer{}, err
	}
	if held.Piece != spec.Piece || held.Size != spec.Size {
		return PinAnswer{}, fmt.Errorf("%w: it holds %d bytes with piece root %s", ErrPeer, held.Size, held.Piece)
	}
	n := min(spec.Size, wire.MaxRange)
	at, err := rand.Int(rand.Reader, new(big.Int).SetUint64(spec.Size-n+1))
	if err != nil {
		return PinAnswer{}, fmt.Errorf("market: draw a range: %w", err)
	}
	ours, err := s.Store.Range(ctx, spec.Root, at.Uint64(), n)
	if err != nil {
		return PinAnswer{}, fmt.Errorf("market: read our own range: %w", err)
	}
	if err := c.link.send(&wire.Challenge{Offset: at.Uint64(), Length: n}); err != nil {
		return PinAnswer{}, err
	}
	delivered, err := expect[wire.Delivered](ctx, c.link, s.Times.Train)
	if err != nil {
		return PinAnswer{}, err
	}
	theirs, err := expect[wire.Range](ctx, c.link, s.Times.Train)
	if err != nil {
		return PinAnswer{}, err
	}
	if err := sameBytes(fmt.Sprintf("range of %d bytes at %d", n, at), theirs.Data, ours); err != nil {
		return PinAnswer{}, err
	}
	e, err := s.expectation(c, sent)
	if err != nil {
		return PinAnswer{}, err
	}
	if err := describePin(&e.receipt, spec, c.spec); err != nil {
		return PinAnswer{}, err
	}
	issued, err := s.check(ctx, delivered.Receipt, e)
	if err != nil {
		return PinAnswer{}, err
	}
	st, err := s.cosign(ctx, issued, c.offer.Value, nil)
	if err != nil {
		return PinAnswer{}, err
	}
	if err := s.deliver(ctx, c.link, st); err != nil {
		s.log.Info("settlement waits", "receipt", issued.ID(), "worker", c.worker, "err", err)
		s.wake()
	}
	return PinAnswer{c.worker, c.rank, issued.ID(), st.Receipt.CID(), e.receipt.Value}, nil
}

// awaitHeld waits while the worker fetches, as long as it says that it does and
// the offer lasts.
func (s *Submitter) awaitHeld(ctx context.Context, c claimed) (*wire.Held, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.Times.Fetch, fmt.Errorf("%w: the shard was not fetched in %s", ErrStalled, s.Times.Fetch))
	defer cancel()
	for {
		b, err := c.link.recv(ctx, s.Times.Train)
		if err != nil {
			return nil, cmpErr(ctx, err)
		}
		switch b := b.(type) {
		case *wire.Working:
		case *wire.Held:
			return b, nil
		default:
			return nil, unexpected(b)
		}
	}
}

// describePin fills in what a spec decides of a receipt.
func describePin(r *protocol.Receipt, spec protocol.PinSpec, raw []byte) (err error) {
	r.Input, r.Output, r.Trace = inputOf(raw), spec.Root, spec.Piece
	r.UnitsIn, r.UnitsOut = spec.Size, spec.Seconds
	r.Value, err = PinFee(spec)
	return err
}

// pinJob keeps a shard for a submitter: it is fetched, checked and pinned before
// the challenge, and a receipt goes out before the range that answers it.
func (w *Worker) pinJob(ctx context.Context, l *link, t taken) error {
	if _, err := expect[wire.Hold](ctx, l, w.Times.Settle); err != nil {
		return err
	}
	start, err := w.Board.Now(ctx)
	if err != nil {
		return l.fail(wire.CodeFailed, fmt.Errorf("market: read the time: %w", err))
	}
	if err := w.hold(ctx, l, t, start+t.pin.Seconds+KeepPinned); err != nil {
		return l.fail(wire.CodeFailed, err)
	}
	if err := l.send(&wire.Held{Piece: t.pin.Piece, Size: t.pin.Size}); err != nil {
		return err
	}
	ch, err := expect[wire.Challenge](ctx, l, w.Times.Settle)
	if err != nil {
		return err
	}
	if ch.Length == 0 || ch.Length > wire.MaxRange || ch.Length > t.pin.Size || ch.Offset > t.pin.Size-ch.Length {
		return l.fail(wire.CodeRefused, fmt.Errorf("%w: a range of %d bytes at %d", ErrRefused, ch.Length, ch.Offset))
	}
	data, err := w.Store.Range(ctx, t.pin.Root, ch.Offset, ch.Length)
	if err != nil {
		return l.fail(wire.CodeFailed, fmt.Errorf("market: read range: %w", err))
	}
	issued, err := w.pinReceipt(ctx, t, start)
	if err != nil {
		return l.fail(wire.CodeFailed, err)
	}
	if err := l.send(&wire.Delivered{Receipt: issued.Bytes()}); err != nil {
		return err
	}
	if err := l.send(&wire.Range{Data: data}); err != nil {
		return err
	}
	return w.awaitSettlement(ctx, l, w.Times.Settle)
}

// PinReason begins the reasons that a Store is given for the shards of pin jobs; the
// offer's id follows.
const PinReason = "pin/"

// pinReason is the reason for which a pin job's shard is kept.
func pinReason(offer common.Hash) string { return PinReason + offer.Hex() }

// hold fetches the shard, checks that its CAR file is the spec's, and pins it.
func (w *Worker) hold(ctx context.Context, l *link, t taken, until uint64) error {
	defer l.heartbeat(&wire.Working{Phase: "fetch"}, w.Times.Train/3)()
	ctx, cancel := context.WithTimeout(ctx, w.Times.Fetch)
	defer cancel()
	if err := w.Store.Fetch(ctx, t.pin.Root); err != nil {
		return fmt.Errorf("market: fetch shard: %w", err)
	}
	piece, size, err := w.Store.Piece(ctx, t.pin.Root)
	if err != nil {
		return fmt.Errorf("market: read shard: %w", err)
	}
	if piece != t.pin.Piece || size != t.pin.Size {
		return fmt.Errorf("%w: the shard has %d bytes and piece root %s, the spec says %d and %s", ErrRefused, size, piece, t.pin.Size, t.pin.Piece)
	}
	if err := w.Store.Pin(ctx, t.pin.Root, pinReason(t.id), until); err != nil {
		return fmt.Errorf("market: pin shard: %w", err)
	}
	return nil
}

// pinReceipt is the job's one receipt: new, or the one that still waits.
func (w *Worker) pinReceipt(ctx context.Context, t taken, start uint64) (protocol.Cosigned, error) {
	c, err := w.book.Channel(t.id, w.self)
	if err != nil {
		return protocol.Cosigned{}, err
	}
	if len(c.Pending) > 0 {
		return protocol.ParseCosigned(c.Pending)
	}
	if c.Seq > 0 {
		return protocol.Cosigned{}, fmt.Errorf("%w: the job is done and paid", ErrRefused)
	}
	end, err := w.Board.Now(ctx)
	if err != nil {
		return protocol.Cosigned{}, fmt.Errorf("market: read the time: %w", err)
	}
	r := w.receipt(t, start, max(start, end))
	if err := describePin(&r, t.pin, t.raw); err != nil {
		return protocol.Cosigned{}, err
	}
	left, err := w.afford(t)
	if err != nil {
		return protocol.Cosigned{}, err
	}
	if r.Value.Cmp(left) > 0 {
		return protocol.Cosigned{}, fmt.Errorf("%w: it costs %s, %s is left of the offer", ErrRefused, r.Value, left)
	}
	issued, err := w.book.Issue(r, 1, nil)
	if err == nil {
		w.metrics.receipts.WithLabelValues("pin").Inc()
	}
	return issued, err
}
