package market

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/compute/market/book"
	"tally/compute/market/wire"
	"tally/protocol"
)

// assess checks everything that the chain and the spec say before a claim.
func (w *Worker) assess(ctx context.Context, caller common.Address, o *wire.Open) (taken, error) {
	ctx, cancel := context.WithTimeout(ctx, w.Times.Claim) // the chain may wait for an offer that never comes
	defer cancel()
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
