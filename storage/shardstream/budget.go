package shardstream

import (
	"context"

	"golang.org/x/time/rate"
)

// chunk is how many bytes are moved, and taken from a budget, at a time.
const chunk = 256 << 10

// Budget is a bandwidth that all streams of one direction share. After silence at
// most one chunk of 256 KiB goes at once. Nil is no bound.
type Budget struct{ limiter *rate.Limiter }

// NewBudget returns a budget of so many bytes a second; zero or less is nil, no bound.
func NewBudget(bytesPerSecond int64) *Budget {
	if bytesPerSecond <= 0 {
		return nil
	}
	return &Budget{rate.NewLimiter(rate.Limit(bytesPerSecond), chunk)}
}

// Take waits until n bytes, at most 256 KiB, may be moved.
func (b *Budget) Take(ctx context.Context, n int) error {
	if b == nil {
		return ctx.Err()
	}
	return b.limiter.WaitN(ctx, n)
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
