package market

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/compute/market/book"
	"tally/compute/market/wire"
	"tally/protocol"
)

const outboxPass = 256 // settlements sent in one pass over the outbox

// cosign signs a checked receipt and makes both signatures and the voucher
// durable, first in the outbox, then in the ledger.
func (s *Submitter) cosign(ctx context.Context, issued protocol.Cosigned, lock protocol.Amount, kept *book.Kept) (book.Settlement, error) {
	st, err := s.book.Cosign(issued, lock, kept)
	if err != nil {
		return st, err
	}
	if r, _, err := st.Receipt.Open(s.Network); err == nil {
		s.metrics.receipts.WithLabelValues(r.Kind.String()).Inc()
	}
	// From here on it cannot be lost: a ledger that fails now is asked again by
	// deliver, which takes nothing out of the outbox before the ledger has it.
	if err := s.Ledger.Record(ctx, st.Receipt, &st.Voucher); err != nil {
		s.log.Warn("receipt not recorded yet", "receipt", st.Receipt.ID(), "err", err)
	}
	return st, nil
}

// deliver sends a settlement on an open stream and clears it from the outbox
// when it is acknowledged.
func (s *Submitter) deliver(ctx context.Context, l *link, st book.Settlement) error {
	if err := s.Ledger.Record(ctx, st.Receipt, &st.Voucher); err != nil {
		return fmt.Errorf("market: record receipt: %w", err)
	}
	if err := l.send(&wire.Settle{Receipt: st.Receipt.Bytes(), Voucher: st.Voucher.Bytes()}); err != nil {
		return err
	}
	ack, err := expect[wire.Ack](ctx, l, s.Times.Settle)
	if err != nil {
		return err
	}
	if ack.Receipt != st.Digest {
		return fmt.Errorf("%w: it acknowledges %s, %s was sent", ErrPeer, ack.Receipt, st.Digest)
	}
	if err := s.book.Acknowledged(st.Digest); err != nil {
		return err
	}
	s.metrics.settled.Inc()
	return nil
}

// wake makes Run pass over the outbox soon.
func (s *Submitter) wake() {
	select {
	case s.kick <- struct{}{}:
	default: // it is awake already
	}
}

// Run sends what is in the outbox until ctx ends: at once what a run before left
// there, then after every failure, then every Retry.
func (s *Submitter) Run(ctx context.Context) error {
	t := time.NewTicker(s.Times.Retry)
	defer t.Stop()
	for {
		if err := s.Flush(ctx); err != nil && ctx.Err() == nil {
			s.log.Info("settlements wait", "err", err)
		}
		if now, err := s.Board.Now(ctx); err == nil {
			if err := s.book.Prune(now); err != nil {
				s.log.Warn("transcripts not pruned", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		case <-s.kick:
			select { // a worker that has just failed is not asked again at once
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(s.Times.Retry / 8):
			}
		}
	}
}

// Flush passes over the outbox once: one stream to each worker that has not
// acknowledged something. Nil means that nothing is left to send.
func (s *Submitter) Flush(ctx context.Context) error {
	out, err := s.book.Outbox(outboxPass)
	if err != nil {
		return err
	}
	by := map[common.Address][]book.Settlement{}
	var workers []common.Address
	for _, st := range out {
		if by[st.Worker] == nil {
			workers = append(workers, st.Worker)
		}
		by[st.Worker] = append(by[st.Worker], st)
	}
	var errs []error
	for _, w := range workers {
		if err := s.flush(ctx, w, by[w]); err != nil {
			errs = append(errs, fmt.Errorf("worker %s: %w", w, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Submitter) flush(ctx context.Context, worker common.Address, out []book.Settlement) error {
	within, cancel := context.WithTimeout(ctx, s.Times.Settle)
	defer cancel()
	conn, err := s.Streams.Open(within, worker, StreamJob)
	if err != nil {
		return fmt.Errorf("%w: open: %w", ErrLost, err)
	}
	l := newLink(ctx, conn)
	defer l.close()
	if l.remote() != worker {
		return fmt.Errorf("%w: the stream leads to %s", ErrPeer, l.remote())
	}
	for _, st := range out {
		if err := s.deliver(ctx, l, st); err != nil {
			return err
		}
	}
	return nil
}

// Serve answers StreamSettle: a worker asks for the second signature on a
// receipt. It gets the settlement if there is one; what was never accepted is
// not signed now.
func (s *Submitter) Serve(ctx context.Context, conn Conn) error {
	l := newLink(ctx, conn)
	defer l.close()
	u, err := expect[wire.Unsettled](ctx, l, s.Times.Settle)
	if err != nil {
		return err
	}
	c, err := protocol.ParseCosigned(u.Receipt)
	if err != nil {
		return l.fail(wire.CodeRefused, err)
	}
	r, _, err := c.Open(s.Network)
	if err != nil {
		return l.fail(wire.CodeRefused, err)
	}
	if r.Worker != l.remote() || r.Payer != s.self {
		return l.fail(wire.CodeRefused, fmt.Errorf("%w: the receipt is between %s and %s", ErrRefused, r.Worker, r.Payer))
	}
	d, err := protocol.Digest(s.Network, r)
	if err != nil {
		return l.fail(wire.CodeRefused, err)
	}
	st, err := s.book.Find(d)
	if errors.Is(err, book.ErrUnknown) {
		return l.fail(wire.CodeUnknown, fmt.Errorf("%w: this work was not received and accepted here", ErrRefused))
	}
	if err != nil {
		return l.fail(wire.CodeFailed, err)
	}
	return s.deliver(ctx, l, st)
}
