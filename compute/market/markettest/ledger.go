package markettest

import (
	"context"
	"errors"
	"sync"

	"github.com/ipfs/go-cid"

	"tally/protocol"
)

// ErrFault is what an injected fault returns.
var ErrFault = errors.New("markettest: injected fault")

// Fault is what goes wrong with one call.
type Fault int

// The faults.
const (
	FailBefore Fault = iota + 1 // an error, and nothing was done
	FailAfter                   // an error, and it was done
)

// Ledger keeps receipts; its memory is its disk.
type Ledger struct {
	network protocol.Network

	mu       sync.Mutex
	receipts map[cid.Cid]protocol.Cosigned // guarded by mu; by id
	vouchers []protocol.Voucher            // guarded by mu; in the order they came
	faults   []Fault                       // guarded by mu; of the next calls
}

// NewLedger is an empty ledger.
func NewLedger(n protocol.Network) *Ledger {
	return &Ledger{network: n, receipts: map[cid.Cid]protocol.Cosigned{}}
}

// Inject makes the next calls of Record go wrong, one fault each.
func (l *Ledger) Inject(f ...Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, f...)
}

// Record keeps a receipt and its voucher; the same again changes nothing.
func (l *Ledger) Record(ctx context.Context, c protocol.Cosigned, v *protocol.Signed[protocol.Voucher]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var f Fault
	if len(l.faults) > 0 {
		f, l.faults = l.faults[0], l.faults[1:]
	}
	if f == FailBefore {
		return ErrFault
	}
	_, both, err := c.Open(l.network)
	if err != nil || both != (v != nil) {
		return errors.Join(errors.New("markettest: a voucher belongs to two signatures"), err)
	}
	old, ok := l.receipts[c.ID()]
	if ok {
		_, ok, err = old.Open(l.network) // one signature gives way to two
		if err != nil {
			return err
		}
	}
	if !ok {
		l.receipts[c.ID()] = c
		if v != nil {
			vo, err := v.Open(l.network)
			if err != nil {
				return err
			}
			l.vouchers = append(l.vouchers, vo)
		}
	}
	if f == FailAfter {
		return ErrFault
	}
	return nil
}

// Receipts are those recorded with both signatures, opened, in no order.
func (l *Ledger) Receipts() []protocol.Receipt { return l.opened(true) }

// Unsettled are those recorded with the worker's signature alone.
func (l *Ledger) Unsettled() []protocol.Receipt { return l.opened(false) }

func (l *Ledger) opened(both bool) []protocol.Receipt {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]protocol.Receipt, 0, len(l.receipts))
	for _, c := range l.receipts {
		if r, has, err := c.Open(l.network); err == nil && has == both {
			out = append(out, r)
		}
	}
	return out
}

// Vouchers are what was recorded, in order.
func (l *Ledger) Vouchers() []protocol.Voucher {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]protocol.Voucher(nil), l.vouchers...)
}
