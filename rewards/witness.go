package rewards

import (
	"context"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/rewards/ruleset"
)

// Witness tells a node that keeps private transcripts who was drawn to see them:
// it repeats the draw from the chain and the workers' public data.
//
// It is safe for concurrent use. A draw is
// remembered until the next epoch is anchored.
type Witness struct {
	from Source

	mu    sync.Mutex      // held while the draw is repeated
	read  *reader         // guarded by mu
	head  common.Hash     // guarded by mu; transaction of the last anchor seen
	at    uint64          // guarded by mu; the chain's time of drawn
	drawn []ruleset.Drawn // guarded by mu
}

// NewWitness fetches nothing yet.
func NewWitness(from Source) *Witness {
	return &Witness{from: from, read: newReader(from.Chain, from.Store, Timing{Fetch: from.Fetch}.filled().Fetch)}
}

// Drawn reports whether it is the account's turn to audit the receipt.
func (w *Witness) Drawn(ctx context.Context, receipt cid.Cid, auditor common.Address) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, err := look(ctx, w.from.Chain)
	if err != nil {
		return false, err
	}
	head, _ := s.head()
	if head.Tx != w.head {
		w.head, w.drawn = head.Tx, nil // what was drawn is settled, or is drawn anew
		w.read.forget()
	}
	if has(w.drawn, receipt, auditor) {
		return true, nil
	}
	if w.at == s.now {
		return false, nil
	}
	if w.drawn, err = draws(ctx, w.read, s, w.from); err != nil {
		return false, err
	}
	w.at = s.now
	return has(w.drawn, receipt, auditor), nil
}

func has(drawn []ruleset.Drawn, receipt cid.Cid, auditor common.Address) bool {
	for _, d := range drawn {
		if who, ok := d.Auditor(); ok && d.ID.Equals(receipt) && who == auditor {
			return true
		}
	}
	return false
}
