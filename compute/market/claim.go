package market

import (
	"context"
	"errors"
	"fmt"

	"tally/compute/market/wire"
	"tally/protocol"
)

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
