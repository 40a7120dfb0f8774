// Package ledger keeps a node's receipts and vouchers, and where each ended.
//
// The life of a receipt: the worker (or the payer) calls [Ledger.Record] with
// its envelope and the voucher that pays for it; when that returns, it is on
// disk. Recording it again changes nothing, except that a co-signed envelope
// takes the place of one that is not. After its epoch the committer seals the
// epoch with [Ledger.Seal], so that a batch that was announced is never built
// twice, and as epochs settle [Ledger.Settle] notes each receipt's reason.
//
// Of a channel's vouchers only the latest is kept, for only it counts. Receipts
// are never deleted.
//
// A Ledger is safe for concurrent use. It checks signatures before it stores and
// trusts what it stored. It does not know the chain.
package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
	"tally/rewards/ruleset"
)

var (
	// ErrReceipt says that a receipt or voucher was not recorded since it is not valid.
	ErrReceipt = errors.New("ledger: receipt refused")
	// ErrNotFound says that the ledger holds no such receipt or batch.
	ErrNotFound = errors.New("ledger: not found")
)

// Ledger is an open ledger.
type Ledger struct {
	network protocol.Network
	db      *kv.DB
}

// Open opens or creates the ledger in dir; an empty dir opens one in memory.
func Open(dir string, n protocol.Network) (*Ledger, error) {
	if err := n.Validate(); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	db, err := kv.Open(dir, kv.Options{Sync: true})
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	l := &Ledger{n, db}
	if err := l.claim(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return l, nil
}

// claim marks the directory as this network's, or refuses one of another.
func (l *Ledger) claim() error {
	return l.db.Update(func(tx *kv.Tx) error {
		id, err := tx.Get([]byte("network"))
		if errors.Is(err, kv.ErrNotFound) {
			return tx.Set([]byte("network"), []byte(l.network.ID()))
		}
		if err == nil && string(id) != l.network.ID() {
			return fmt.Errorf("ledger: the directory is of network %s, not %s: choose another directory", id, l.network.ID())
		}
		return err
	})
}

// Close releases the directory.
func (l *Ledger) Close() error { return l.db.Close() }

// record is a receipt as it is stored.
type record struct {
	Envelope []byte `max:"8192"`
	Reason   protocol.Reason
	Settled  uint64 // epoch that gave the reason
	Until    uint64
	Paid     protocol.Amount
	Emission protocol.Amount
	Why      string
	Pin      ruleset.Progress
}

// promise is a channel's latest voucher as it is stored.
type promise struct {
	Voucher []byte `max:"8192"`
}

// sealed is a batch that was announced.
type sealed struct {
	Batch protocol.Batch
	Data  []byte `max:"4000000"`
}

func keyReceipt(digest common.Hash) []byte { return append([]byte("r/"), digest[:]...) }

func keyID(id cid.Cid) []byte { return append([]byte("i/"), id.Bytes()...) }

func keyEpoch(worker common.Address, epoch uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte("e/"), worker[:]...), epoch)
}

func keySealed(worker common.Address, epoch uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte("b/"), worker[:]...), epoch)
}

func keyEnvelope(c cid.Cid) []byte { return append([]byte("d/"), c.Bytes()...) }

func keyVoucher(worker common.Address, channel common.Hash) []byte {
	return append(append([]byte("v/"), worker[:]...), channel[:]...)
}

// Record keeps a receipt and, if one is given, the voucher that pays for it.
// Both are on disk once it returns nil. ErrReceipt refuses what is not valid on
// this network, or a voucher of another channel.
func (l *Ledger) Record(ctx context.Context, c protocol.Cosigned, v *protocol.Signed[protocol.Voucher]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, cosigned, err := c.Open(l.network)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	if r.Channel != protocol.Channel(r.Offer, r.Worker) {
		return fmt.Errorf("%w: its channel is not its offer's and worker's", ErrReceipt)
	}
	digest, err := protocol.Digest(l.network, r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	var pay protocol.Voucher
	if v != nil {
		if pay, err = v.Open(l.network); err != nil {
			return fmt.Errorf("%w: its voucher: %w", ErrReceipt, err)
		}
		if pay.Offer != r.Offer || pay.Worker != r.Worker || pay.Payer != r.Payer {
			return fmt.Errorf("%w: its voucher is of another channel", ErrReceipt)
		}
	}
	err = l.db.Update(func(tx *kv.Tx) error {
		if err := l.keep(tx, c, r, cosigned, digest); err != nil || v == nil {
			return err
		}
		return l.promise(tx, *v, pay)
	})
	if err != nil {
		return fmt.Errorf("ledger: record %s: %w", c.ID(), err)
	}
	return nil
}

func (l *Ledger) keep(tx *kv.Tx, c protocol.Cosigned, r protocol.Receipt, cosigned bool, digest common.Hash) error {
	var old record
	err := get(tx, keyReceipt(digest), &old)
	switch {
	case errors.Is(err, kv.ErrNotFound):
		if err := tx.Set(keyID(c.ID()), digest[:]); err != nil {
			return err
		}
		if err := tx.Set(append(keyEpoch(r.Worker, r.Epoch), digest[:]...), nil); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		was, err := protocol.ParseCosigned(old.Envelope)
		if err != nil {
			return err
		}
		if _, had, err := was.Open(l.network); err != nil || had || !cosigned {
			return err // what is there is as good
		}
	}
	old.Envelope = c.Bytes()
	return set(tx, keyReceipt(digest), old)
}

// promise keeps the voucher if it promises more than the one before.
func (l *Ledger) promise(tx *kv.Tx, v protocol.Signed[protocol.Voucher], m protocol.Voucher) error {
	key := keyVoucher(m.Worker, protocol.Channel(m.Offer, m.Worker))
	var p promise
	err := get(tx, key, &p)
	if err != nil && !errors.Is(err, kv.ErrNotFound) {
		return err
	}
	if err == nil {
		old, err := l.voucher(p.Voucher)
		if err != nil {
			return err
		}
		if c := m.Value.Cmp(old.Value); c < 0 || c == 0 && m.Seq <= old.Seq {
			return nil
		}
	}
	return set(tx, key, promise{v.Bytes()})
}

func (l *Ledger) voucher(b []byte) (protocol.Voucher, error) {
	s, err := protocol.ParseSigned[protocol.Voucher](b)
	if err != nil {
		return protocol.Voucher{}, err
	}
	return s.Open(l.network)
}

func get(tx *kv.Tx, key []byte, v any) error {
	b, err := tx.Get(key)
	if err != nil {
		return err
	}
	return protocol.Decode(b, v)
}

func set(tx *kv.Tx, key []byte, v any) error {
	b, err := protocol.Encode(v)
	if err != nil {
		return err
	}
	return tx.Set(key, b)
}

// Seal fixes a worker's batch of an epoch: its encoded BatchData and the
// envelopes as they are in it, which a later co-signature must not change. The
// first call wins: what stands is returned, on disk.
func (l *Ledger) Seal(b protocol.Batch, data []byte, envelopes [][]byte) (protocol.Batch, []byte, error) {
	const some = 32 // envelopes in one transaction, of at most 8 KiB each
	for i := 0; i < len(envelopes); i += some {
		err := l.db.Update(func(tx *kv.Tx) error {
			for _, e := range envelopes[i:min(i+some, len(envelopes))] {
				if err := tx.Set(keyEnvelope(protocol.CIDOf(e)), e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return protocol.Batch{}, nil, fmt.Errorf("ledger: seal epoch %d: %w", b.Epoch, err)
		}
	}
	s := sealed{b, data}
	err := l.db.Update(func(tx *kv.Tx) error {
		var old sealed
		err := get(tx, keySealed(b.Worker, b.Epoch), &old)
		if errors.Is(err, kv.ErrNotFound) {
			s = sealed{b, data}
			return set(tx, keySealed(b.Worker, b.Epoch), s)
		}
		s = old
		return err
	})
	if err != nil {
		return protocol.Batch{}, nil, fmt.Errorf("ledger: seal epoch %d: %w", b.Epoch, err)
	}
	return s.Batch, s.Data, nil
}

// Documents are a sealed batch's blocks, its BatchData last.
func (l *Ledger) Documents(b protocol.Batch, data []byte) ([][]byte, error) {
	var d protocol.BatchData
	if err := protocol.Decode(data, &d); err != nil {
		return nil, fmt.Errorf("ledger: batch of epoch %d: %w", b.Epoch, err)
	}
	out := make([][]byte, 0, len(d.Receipts)+1)
	err := l.db.View(func(tx *kv.Tx) error {
		for _, c := range d.Receipts {
			e, err := tx.Get(keyEnvelope(c))
			if err != nil {
				return err
			}
			out = append(out, e)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: batch of epoch %d: %w", b.Epoch, err)
	}
	return append(out, data), nil
}

// Sealed is the batch that a worker announced for an epoch, or ErrNotFound.
func (l *Ledger) Sealed(worker common.Address, epoch uint64) (protocol.Batch, []byte, error) {
	var s sealed
	err := l.db.View(func(tx *kv.Tx) error { return get(tx, keySealed(worker, epoch), &s) })
	if errors.Is(err, kv.ErrNotFound) {
		err = fmt.Errorf("%w: no batch of epoch %d", ErrNotFound, epoch)
	}
	return s.Batch, s.Data, err
}

// Settle notes what an epoch decided about the receipts that the ledger holds,
// and that the epoch has been noted.
func (l *Ledger) Settle(epoch uint64, outcomes []ruleset.Outcome) error {
	const some = 32 // receipts in one transaction, of at most 8 KiB each
	for len(outcomes) > 0 {
		n := min(some, len(outcomes))
		err := l.db.Update(func(tx *kv.Tx) error {
			for _, o := range outcomes[:n] {
				var r record
				if err := get(tx, keyReceipt(o.Digest), &r); errors.Is(err, kv.ErrNotFound) {
					continue
				} else if err != nil {
					return err
				}
				if o.Reason == protocol.RejectedDuplicate && r.Reason != 0 {
					continue // its twin has the better reason
				}
				r.Reason, r.Settled, r.Until, r.Paid, r.Emission, r.Why, r.Pin = o.Reason, epoch, o.Until, o.Settled, o.Emission, o.Why, o.Pin
				if o.Pin.Promised > 0 { // paid over many epochs: the whole of it is noted
					paid, err := o.Pin.Split.Add(o.Pin.Returned)
					if err != nil {
						return err
					}
					r.Paid, r.Emission = paid, o.Pin.Emission
				}
				if err := set(tx, keyReceipt(o.Digest), r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("ledger: settle epoch %d: %w", epoch, err)
		}
		outcomes = outcomes[n:]
	}
	return l.db.Update(func(tx *kv.Tx) error {
		return tx.Set([]byte("settled"), binary.BigEndian.AppendUint64(nil, epoch))
	})
}

// Settled is the last epoch that was noted, or protocol.NoEpoch.
func (l *Ledger) Settled() (uint64, error) {
	epoch := uint64(protocol.NoEpoch)
	err := l.db.View(func(tx *kv.Tx) error {
		b, err := tx.Get([]byte("settled"))
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		if err == nil && len(b) == 8 {
			epoch = binary.BigEndian.Uint64(b)
		}
		return err
	})
	return epoch, err
}
