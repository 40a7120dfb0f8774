package rewards

import (
	"context"
	"sync"
	"time"

	"github.com/ipfs/go-cid"

	"tally/rewards/ruleset"
)

// OpenPins reads the open pins out of published epochs, for retrieval checks. It is
// safe for concurrent use.
type OpenPins struct {
	mu   sync.Mutex
	read *reader // guarded by mu
}

// NewOpenPins fetches from the store; a document may take so long, zero is five
// seconds.
func NewOpenPins(s Store, fetch time.Duration) *OpenPins {
	return &OpenPins{read: newReader(nil, s, Timing{Fetch: fetch}.filled().Fetch)}
}

// Pins implements retrieval.Paid.
func (o *OpenPins) Pins(ctx context.Context, data cid.Cid) ([]ruleset.Pin, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	d, err := o.read.load(ctx, data)
	if err != nil {
		return nil, err
	}
	return d.State.Pins, nil
}
