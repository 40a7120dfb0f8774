package book

import (
	"crypto/ecdsa"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/internal/kv"
	"tally/protocol"
)

// Earner is a worker's side.
type Earner struct {
	rows
	key *ecdsa.PrivateKey
}

// NewEarner keeps a worker's book in db, which it never closes.
func NewEarner(db *kv.DB, n protocol.Network, key *ecdsa.PrivateKey) *Earner {
	return &Earner{rows{db, "e/", n}, key}
}

// Issue completes r (channel, worker, number, previous receipt), signs it, and
// writes it down as the channel's pending receipt together with kept, if any.
// request is the number of the session's request that it answers. ErrUnsettled
// if another receipt is pending.
func (e *Earner) Issue(r protocol.Receipt, request uint64, kept *Kept) (issued protocol.Cosigned, err error) {
	r.Worker = crypto.PubkeyToAddress(e.key.PublicKey)
	r.Channel = protocol.Channel(r.Offer, r.Worker)
	err = e.db.Update(func(tx *kv.Tx) error {
		c, err := e.channel(tx, r.Offer, r.Worker)
		if err != nil {
			return err
		}
		if len(c.Pending) > 0 {
			return ErrUnsettled
		}
		if c.Seq == MaxReceipts {
			return fmt.Errorf("%w: more than %d receipts: open another offer", ErrChain, MaxReceipts)
		}
		r.Seq, r.Previous = c.Seq+1, c.Previous
		if issued, err = protocol.IssueReceipt(e.network, e.key, r); err != nil {
			return err
		}
		c.Pending, c.Request = issued.Bytes(), request
		if kept != nil {
			if err := save(tx, e.keptKey(issued.ID()), *kept); err != nil {
				return err
			}
		}
		return save(tx, e.channelKey(r.Offer, r.Worker), c)
	})
	if err != nil {
		return protocol.Cosigned{}, fmt.Errorf("book: issue: %w", err)
	}
	return issued, nil
}

// Match checks that s settles the channel's pending receipt, or is what settled
// one before. It changes nothing: the caller makes s durable where receipts are
// counted, and then calls Settled.
func (e *Earner) Match(s Settlement) error {
	err := e.db.View(func(tx *kv.Tx) error {
		_, _, err := e.match(tx, s)
		return err
	})
	if err != nil {
		return fmt.Errorf("book: settle: %w", err)
	}
	return nil
}

// Settled writes s down and clears the pending receipt. Repeating it is harmless.
func (e *Earner) Settled(s Settlement) error {
	err := e.db.Update(func(tx *kv.Tx) error {
		r, again, err := e.match(tx, s)
		if err != nil || again {
			return err
		}
		c, err := e.channel(tx, r.Offer, r.Worker)
		if err != nil {
			return err
		}
		if c.Value, err = c.Value.Add(r.Value); err != nil {
			return err
		}
		c.Seq, c.Previous, c.Pending = r.Seq, s.Receipt.ID(), nil
		if err := tx.Set(e.digestKey(r.Offer, r.Worker, r.Seq), s.Digest[:]); err != nil {
			return err
		}
		if err := e.putSettlement(tx, s); err != nil {
			return err
		}
		return save(tx, e.channelKey(r.Offer, r.Worker), c)
	})
	if err != nil {
		return fmt.Errorf("book: settle: %w", err)
	}
	return nil
}

// match also says whether s was settled before.
func (e *Earner) match(tx *kv.Tx, s Settlement) (r protocol.Receipt, again bool, err error) {
	r, both, err := s.Receipt.Open(e.network)
	if err != nil {
		return r, false, err
	}
	if !both {
		return r, false, fmt.Errorf("%w: the payer's is missing", protocol.ErrSignature)
	}
	v, err := s.Voucher.Open(e.network)
	if err != nil {
		return r, false, err
	}
	if old, found, err := e.settlement(tx, s.Digest); err != nil {
		return r, false, err
	} else if found {
		was, err := old.Voucher.Open(e.network)
		if err != nil {
			return r, false, err
		}
		if was != v {
			return r, false, fmt.Errorf("%w: receipt %d was settled with another one", ErrVoucher, r.Seq)
		}
		return r, true, nil
	}
	c, err := e.channel(tx, r.Offer, r.Worker)
	if err != nil {
		return r, false, err
	}
	pending, err := e.pending(c)
	if err != nil {
		return r, false, err
	}
	if !pending.ID().Equals(s.Receipt.ID()) {
		return r, false, fmt.Errorf("%w: %s was never issued here", ErrChain, s.Receipt.ID())
	}
	sum, err := c.Value.Add(r.Value)
	if err != nil {
		return r, false, err
	}
	root, err := e.root(tx, r.Offer, r.Worker, r.Seq, s.Digest)
	if err != nil {
		return r, false, err
	}
	want := protocol.Voucher{Offer: r.Offer, Payer: r.Payer, Worker: r.Worker, Seq: r.Seq, Value: sum, Receipts: root}
	if v != want {
		return r, false, fmt.Errorf("%w: it promises %s up to receipt %d, want %s up to %d and the root %s", ErrVoucher, v.Value, v.Seq, sum, r.Seq, root)
	}
	return r, false, nil
}

func (e *Earner) pending(c Channel) (protocol.Cosigned, error) {
	if len(c.Pending) == 0 {
		return protocol.Cosigned{}, fmt.Errorf("%w: no receipt of the channel is pending", ErrUnknown)
	}
	return protocol.ParseCosigned(c.Pending)
}

// Pending is the channel's receipt that waits for its second signature;
// ErrUnknown if none does.
func (e *Earner) Pending(offer common.Hash, worker common.Address) (protocol.Cosigned, error) {
	c, err := e.Channel(offer, worker)
	if err != nil {
		return protocol.Cosigned{}, err
	}
	return e.pending(c)
}

// Unsettled lists pending receipts of all channels, at most max of them.
func (e *Earner) Unsettled(max int) (out []protocol.Cosigned, err error) {
	err = e.db.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte(e.side + "c/")) {
			if err != nil {
				return err
			}
			var c Channel
			if err := protocol.Decode(it.Value, &c); err != nil {
				return err
			}
			if len(c.Pending) == 0 {
				continue
			}
			if len(out) == max {
				return nil
			}
			p, err := protocol.ParseCosigned(c.Pending)
			if err != nil {
				return err
			}
			out = append(out, p)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("book: read channels: %w", err)
	}
	return out, nil
}
