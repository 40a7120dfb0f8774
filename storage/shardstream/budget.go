package shardstream

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// chunk is how many bytes are moved, and taken from a budget, at a time.
const chunk = 256 << 10

// Budget is a bandwidth that all streams of one direction, and blocks, share. After silence at
// most one chunk of 256 KiB goes at once. Nil is no bound.
type Budget struct{ limiter *rate.Limiter }

// NewBudget returns a budget of so many bytes a second; zero or less is nil, no bound.
func NewBudget(bytesPerSecond int64) *Budget {
	if bytesPerSecond <= 0 {
		return nil
	}
	return &Budget{rate.NewLimiter(rate.Limit(bytesPerSecond), chunk)}
}

// Rate is the bytes a second of the budget; 0 is no bound.
func (b *Budget) Rate() int64 {
	if b == nil {
		return 0
	}
	return int64(b.limiter.Limit())
}

// Take waits until n bytes may be moved.
func (b *Budget) Take(ctx context.Context, n int) error {
	if b == nil {
		return ctx.Err()
	}
	for ; n > chunk; n -= chunk {
		if err := b.limiter.WaitN(ctx, chunk); err != nil {
			return err
		}
	}
	return b.limiter.WaitN(ctx, n)
}

// claim takes n bytes that go in one piece: it waits until the first chunk of them may
// be moved, and others wait for the rest. If that is longer than patience, it takes
// nothing, and is ErrBusy.
func (b *Budget) claim(ctx context.Context, n int, patience time.Duration) error {
	if b == nil {
		return ctx.Err()
	}
	now := time.Now()
	first := b.limiter.ReserveN(now, min(n, chunk))
	wait := first.DelayFrom(now)
	if wait > patience {
		first.CancelAt(now)
		return ErrBusy
	}
	for n -= chunk; n > 0; n -= chunk {
		b.limiter.ReserveN(now, min(n, chunk))
	}
	if wait == 0 {
		return ctx.Err()
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// streams is how many streams may share the budget at a pace that peers find
// worth waiting for; without a budget it is most.
func (b *Budget) streams(most int) int {
	if b == nil {
		return most
	}
	return max(1, min(most, int(float64(b.limiter.Limit())/fairPace)))
}

// fairPace is the pace, in bytes a second, below which a node rather refuses a
// stream than serve it.
const fairPace = 32 << 10
