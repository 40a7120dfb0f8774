package market

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/compute/market/book"
	"tally/compute/market/wire"
	"tally/protocol"
)

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
// ctx ends, each at most eight times in a process's life. From the first time that
// this fails, the ledger has the receipt as it is: it is left to an audit.
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
				// It can be committed as it is, and is then paid after an audit.
				if err := w.Ledger.Record(ctx, p, nil); err != nil {
					w.log.Warn("receipt without a second signature not recorded yet", "receipt", p.ID(), "err", err)
				}
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
