package retrieval

import (
	"context"
	"fmt"
	"sync"

	"tally/protocol"
	"tally/rewards/journal"
)

// Inbox takes reports in for a poster: only from auditors, only about what was
// drawn for them, and only while they can still be published. Anybody registers as
// an auditor: the caller takes reports of those alone that the ledger knows, so that
// nobody fills a poster's disk.
type Inbox struct {
	network protocol.Network
	params  protocol.Params
	chain   Chain
	journal *journal.Journal
	paid    Paid

	mu      sync.Mutex
	rounds  map[uint64]*Round        // guarded by mu; of the two newest epochs
	drawing map[uint64]chan struct{} // guarded by mu; by epoch, closed when who draws its round now is done
}

// NewInbox keeps what it takes in the journal.
func NewInbox(n protocol.Network, p protocol.Params, c Chain, j *journal.Journal) *Inbox {
	return &Inbox{network: n, params: p, chain: c, journal: j, rounds: map[uint64]*Round{}, drawing: map[uint64]chan struct{}{}}
}

// DrawPaid has rounds draw from what is paid for, as the auditors do. It is called
// before the first report comes.
func (b *Inbox) DrawPaid(p Paid) { b.paid = p }

// Take keeps a report: on disk once it returns nil. ErrRefused says that it can
// never be taken; with any other error, it is worth sending again.
func (b *Inbox) Take(ctx context.Context, s protocol.Signed[protocol.RetrievalReport]) error {
	m, err := s.Open(b.network)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	r, err := b.round(ctx, m.Epoch)
	if err != nil {
		return err
	}
	if !r.Admits(m) {
		return fmt.Errorf("%w: %s was not drawn for this check", ErrRefused, m.Auditor)
	}
	return b.journal.AddReport(ctx, s)
}

func (b *Inbox) round(ctx context.Context, epoch uint64) (*Round, error) {
	now, err := b.chain.Now(ctx)
	if err != nil {
		return nil, err
	}
	last, ok := Latest(b.params, now)
	if !ok || epoch > last || epoch+1 < last {
		return nil, fmt.Errorf("%w: epoch %d is not being checked", ErrRefused, epoch)
	}
	for {
		b.mu.Lock()
		r, other := b.rounds[epoch], b.drawing[epoch]
		if r == nil && other == nil {
			break
		}
		b.mu.Unlock()
		if r != nil {
			return r, nil
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, fmt.Errorf("retrieval: draw epoch %d: %w", epoch, ctx.Err())
		}
	}
	done := make(chan struct{})
	b.drawing[epoch] = done
	b.mu.Unlock()
	defer func() { // who waited takes what is there, or draws for itself
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.drawing, epoch)
		close(done)
	}()
	r, err := b.draw(ctx, epoch)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.rounds) > 1 {
		clear(b.rounds)
	}
	b.rounds[epoch] = r
	return r, nil
}

// draw reads, from the network too, what an epoch's round is made of.
func (b *Inbox) draw(ctx context.Context, epoch uint64) (*Round, error) {
	facts, err := b.chain.Facts(ctx)
	if err != nil {
		return nil, err
	}
	block, beacon, err := b.chain.BlockAfter(ctx, b.params.CommitBy(epoch))
	if err != nil {
		return nil, fmt.Errorf("retrieval: beacon of epoch %d: %w", epoch, err)
	}
	due, err := pins(ctx, b.paid, facts, b.params, epoch)
	if err != nil {
		return nil, err
	}
	r := NewRound(facts, b.params, epoch, block, beacon)
	r.Pay(due)
	return r, nil
}
