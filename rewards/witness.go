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
// It is safe for concurrent use. Draws are remembered until the chain moves on.
type Witness struct {
	from Source

	mu    sync.Mutex      // held while the draw is repeated
	read  *reader         // guarded by mu
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
	if s.now != w.at {
		w.read.forget()
		drawn, err := draws(ctx, w.read, s, w.from)
		if err != nil {
			return false, err
		}
		w.at, w.drawn = s.now, drawn
	}
	for _, d := range w.drawn {
		if who, ok := d.Auditor(); ok && d.ID.Equals(receipt) && who == auditor {
			return true, nil
		}
	}
	return false, nil
}
