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

// owe takes n bytes that go at once, and for which others wait: until the time that it
// returns if nobody else takes any.
func (b *Budget) owe(n int) (paid time.Time) {
	paid = time.Now()
	if b == nil {
		return paid
	}
	for ; n > 0; n -= chunk {
		now := time.Now()
		paid = now.Add(b.limiter.ReserveN(now, min(n, chunk)).DelayFrom(now))
	}
	return paid
}

// ahead says how long n bytes would wait that were taken now; it may be less than 0.
func (b *Budget) ahead(n int) time.Duration {
	short := float64(n) - b.limiter.TokensAt(time.Now())
	return time.Duration(short / float64(b.limiter.Limit()) * float64(time.Second))
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
