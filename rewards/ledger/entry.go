package ledger

import (
	"errors"
	"fmt"
	"iter"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
	"tally/rewards/ruleset"
)

// Entry is a receipt with where it stands.
type Entry struct {
	ID       cid.Cid
	Envelope protocol.Cosigned
	Receipt  protocol.Receipt
	Cosigned bool
	Reason   protocol.Reason // 0 until an epoch settles it
	Settled  uint64          // epoch that gave the reason
	Until    uint64          // epoch that looks again, where the reason is not final
	Paid     protocol.Amount // of the fee: split, or returned to the payer
	Emission protocol.Amount
	Why      string
	Pin      ruleset.Progress // of a pin that is paid as it is proved
}

// Filter chooses receipts; zero fields choose all.
type Filter struct {
	Worker    common.Address
	Payer     common.Address
	Offer     common.Hash
	Epoch     *uint64 // of the receipt
	Reason    protocol.Reason
	Unsettled bool // without a reason, or with one that is not final
}

// Pending reports a reason that is not final.
func Pending(r protocol.Reason) bool {
	return r == 0 || r == protocol.ReasonHeldUntil || r == protocol.ReasonAuditPending || r == protocol.ReasonCarriedOver
}

func (f Filter) takes(e Entry) bool {
	r, none := e.Receipt, common.Address{}
	return (f.Worker == none || f.Worker == r.Worker) && (f.Payer == none || f.Payer == r.Payer) &&
		(f.Offer == common.Hash{} || f.Offer == r.Offer) && (f.Epoch == nil || *f.Epoch == r.Epoch) &&
		(f.Reason == 0 || f.Reason == e.Reason) && (!f.Unsettled || Pending(e.Reason))
}

func (l *Ledger) entry(raw []byte) (Entry, error) {
	var r record
	if err := protocol.Decode(raw, &r); err != nil {
		return Entry{}, err
	}
	c, err := protocol.ParseCosigned(r.Envelope)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{ID: c.ID(), Envelope: c, Reason: r.Reason, Settled: r.Settled, Until: r.Until, Paid: r.Paid, Emission: r.Emission, Why: r.Why, Pin: r.Pin}
	e.Receipt, e.Cosigned, err = c.Open(l.network)
	return e, err
}

// Receipts yields what the filter chooses, ordered by digest, from one snapshot.
func (l *Ledger) Receipts(f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		err := l.db.View(func(tx *kv.Tx) error {
			for it, err := range tx.Scan([]byte("r/")) {
				if err != nil {
					return err
				}
				e, err := l.entry(it.Value)
				if err != nil {
					return err
				}
				if f.takes(e) && !yield(e, nil) {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			yield(Entry{}, fmt.Errorf("ledger: list receipts: %w", err))
		}
	}
}

// Receipt is the one with the id, or ErrNotFound.
func (l *Ledger) Receipt(id cid.Cid) (Entry, error) {
	var e Entry
	err := l.db.View(func(tx *kv.Tx) error {
		digest, err := tx.Get(keyID(id))
		if err != nil {
			return err
		}
		raw, err := tx.Get(append([]byte("r/"), digest...))
		if err != nil {
			return err
		}
		e, err = l.entry(raw)
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return e, fmt.Errorf("%w: receipt %s", ErrNotFound, id)
	}
	return e, err
}

// Of yields a worker's receipts of one epoch, ordered by digest.
func (l *Ledger) Of(worker common.Address, epoch uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		prefix := keyEpoch(worker, epoch)
		err := l.db.View(func(tx *kv.Tx) error {
			for it, err := range tx.Scan(prefix) {
				if err != nil {
					return err
				}
				raw, err := tx.Get(append([]byte("r/"), it.Key[len(prefix):]...))
				if err != nil {
					return err
				}
				e, err := l.entry(raw)
				if err != nil {
					return err
				}
				if !yield(e, nil) {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			yield(Entry{}, fmt.Errorf("ledger: receipts of epoch %d: %w", epoch, err))
		}
	}
}

// Voucher is a channel's latest.
type Voucher struct {
	Channel common.Hash
	Signed  protocol.Signed[protocol.Voucher]
	Voucher protocol.Voucher
}

// Vouchers yields the latest voucher of each of the worker's channels.
func (l *Ledger) Vouchers(worker common.Address) iter.Seq2[Voucher, error] {
	return func(yield func(Voucher, error) bool) {
		prefix := append([]byte("v/"), worker[:]...)
		err := l.db.View(func(tx *kv.Tx) error {
			for it, err := range tx.Scan(prefix) {
				if err != nil {
					return err
				}
				var p promise
				if err := protocol.Decode(it.Value, &p); err != nil {
					return err
				}
				s, err := protocol.ParseSigned[protocol.Voucher](p.Voucher)
				if err != nil {
					return err
				}
				m, err := s.Open(l.network)
				if err != nil {
					return err
				}
				if !yield(Voucher{common.BytesToHash(it.Key[len(prefix):]), s, m}, nil) {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			yield(Voucher{}, fmt.Errorf("ledger: vouchers: %w", err))
		}
	}
}

// Unredeemed yields the vouchers that promise more than collected says was
// redeemed of their channel.
func (l *Ledger) Unredeemed(worker common.Address, collected func(channel common.Hash) protocol.Amount) iter.Seq2[Voucher, error] {
	return func(yield func(Voucher, error) bool) {
		for v, err := range l.Vouchers(worker) {
			if err == nil && v.Voucher.Value.Cmp(collected(v.Channel)) <= 0 {
				continue
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}
