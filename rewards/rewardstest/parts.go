package rewardstest

import (
	"context"
	"fmt"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
)

// Wrong is the trace of work that does not repeat; Gone of work whose data is lost.
func Wrong() common.Hash { return common.Hash{0xba, 0xd0} }

// Gone is the trace of work whose data nobody serves.
func Gone() common.Hash { return common.Hash{0x60, 0x0e} }

// Outcome is what a repeat of the receipt's work gives.
func Outcome(r protocol.Receipt) protocol.Outcome {
	switch r.Trace {
	case Wrong():
		return protocol.OutcomeMismatch
	case Gone():
		return protocol.OutcomeNoData
	}
	return protocol.OutcomeEqual
}

// Post carries verdicts to an inbox, with faults.
type Post struct {
	Deliver func(context.Context, protocol.Signed[protocol.Verdict]) error

	mu    sync.Mutex
	fault func(op string) When // guarded by mu
}

// SetFault chooses when calls fail; nil is never.
func (p *Post) SetFault(f func(op string) When) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}

// SendVerdict delivers.
func (p *Post) SendVerdict(ctx context.Context, v protocol.Signed[protocol.Verdict]) error {
	p.mu.Lock()
	when := Never
	if p.fault != nil {
		when = p.fault("send")
	}
	p.mu.Unlock()
	if when == Before {
		return fmt.Errorf("send: %w", ErrFault)
	}
	if err := p.Deliver(ctx, v); err != nil {
		return err
	}
	if when == After {
		return fmt.Errorf("send: %w", ErrFault)
	}
	return nil
}
