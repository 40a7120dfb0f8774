package book

import (
	"crypto/ecdsa"
	"fmt"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"tally/internal/kv"
	"tally/protocol"
)

// Payer is a submitter's side.
type Payer struct {
	rows
	key *ecdsa.PrivateKey
	mu  sync.Mutex // held while the sum over an offer's channels is judged
}

// NewPayer keeps a payer's book in db, which it never closes.
func NewPayer(db *kv.DB, n protocol.Network, key *ecdsa.PrivateKey) *Payer {
	return &Payer{rows: rows{db, "p/", n}, key: key}
}

// Spent is what was promised on all channels of an offer.
func (p *Payer) Spent(offer common.Hash) (sum protocol.Amount, err error) {
	err = p.db.View(func(tx *kv.Tx) error {
		sum, err = p.spent(tx, offer)
		return err
	})
	return sum, err
}

func (p *Payer) spent(tx *kv.Tx, offer common.Hash) (sum protocol.Amount, err error) {
	for it, err := range tx.Scan(append([]byte(p.side+"c/"), offer[:]...)) {
		if err != nil {
			return sum, err
		}
		var c Channel
		if err := protocol.Decode(it.Value, &c); err != nil {
			return sum, err
		}
		if sum, err = sum.Add(c.Value); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// Cosign signs a receipt that the worker signed, and the voucher that covers it,
// and puts both into the outbox. The caller has checked what the receipt says of
// the work; Cosign checks that it is the channel's next and within lock, all that
// the offer may cost. A receipt that was co-signed before gives what it gave.
// kept, if any, is stored under the receipt's id.
func (p *Payer) Cosign(issued protocol.Cosigned, lock protocol.Amount, kept *Kept) (s Settlement, err error) {
	r, _, err := issued.Open(p.network)
	if err != nil {
		return Settlement{}, err
	}
	digest, err := protocol.Digest(p.network, r)
	if err != nil {
		return Settlement{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	err = p.db.Update(func(tx *kv.Tx) error {
		old, found, err := p.settlement(tx, digest)
		if err != nil || found {
			s = old
			return err
		}
		c, err := p.channel(tx, r.Offer, r.Worker)
		if err != nil {
			return err
		}
		if r.Seq != c.Seq+1 || !r.Previous.Equals(c.Previous) {
			return fmt.Errorf("%w: number %d after %s, want number %d after %s", ErrChain, r.Seq, r.Previous, c.Seq+1, c.Previous)
		}
		spent, err := p.spent(tx, r.Offer)
		if err != nil {
			return err
		}
		if spent, err = spent.Add(r.Value); err != nil || spent.Cmp(lock) > 0 {
			return fmt.Errorf("%w: %s would be owed in all, %s is locked", ErrLock, spent, lock)
		}
		if s, err = p.sign(tx, issued, r, digest, c); err != nil {
			return err
		}
		c.Seq, c.Previous = r.Seq, issued.ID()
		if c.Value, err = c.Value.Add(r.Value); err != nil {
			return err
		}
		if err := save(tx, p.channelKey(r.Offer, r.Worker), c); err != nil {
			return err
		}
		if err := tx.Set(p.digestKey(r.Offer, r.Worker, r.Seq), digest[:]); err != nil {
			return err
		}
		if err := p.putSettlement(tx, s); err != nil {
			return err
		}
		if kept != nil {
			if err := save(tx, p.keptKey(issued.ID()), *kept); err != nil {
				return err
			}
		}
		return tx.Set(p.outboxKey(digest), nil)
	})
	if err != nil {
		return Settlement{}, fmt.Errorf("book: co-sign: %w", err)
	}
	return s, nil
}

func (p *Payer) sign(tx *kv.Tx, issued protocol.Cosigned, r protocol.Receipt, digest common.Hash, c Channel) (Settlement, error) {
	both, err := issued.Cosign(p.network, p.key)
	if err != nil {
		return Settlement{}, err
	}
	root, err := p.root(tx, r.Offer, r.Worker, r.Seq, digest)
	if err != nil {
		return Settlement{}, err
	}
	value, err := c.Value.Add(r.Value)
	if err != nil {
		return Settlement{}, err
	}
	v, err := protocol.Sign(p.network, p.key, protocol.Voucher{
		Offer: r.Offer, Payer: r.Payer, Worker: r.Worker, Seq: r.Seq, Value: value, Receipts: root,
	})
	if err != nil {
		return Settlement{}, err
	}
	return Settlement{r.Worker, r.Payer, digest, both, v}, nil
}

// Outbox lists what no worker has acknowledged yet, at most max of them.
func (p *Payer) Outbox(max int) (out []Settlement, err error) {
	prefix := p.outboxKey(common.Hash{})[:len(p.side)+2]
	err = p.db.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan(prefix) {
			if err != nil {
				return err
			}
			if len(out) == max {
				return nil
			}
			s, found, err := p.settlement(tx, common.BytesToHash(it.Key[len(prefix):]))
			if err != nil {
				return err
			}
			if found {
				out = append(out, s)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("book: read outbox: %w", err)
	}
	return out, nil
}

// Acknowledged takes a settlement out of the outbox. It stays to be found.
func (p *Payer) Acknowledged(digest common.Hash) error {
	if err := p.db.Update(func(tx *kv.Tx) error { return tx.Delete(p.outboxKey(digest)) }); err != nil {
		return fmt.Errorf("book: clear outbox: %w", err)
	}
	return nil
}
