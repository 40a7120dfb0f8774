package join

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ipfs/go-cid"

	"tally/protocol"
)

// slowHost announces like a network in which somebody has died.
type slowHost struct {
	provided, unprovided chan cid.Cid
	delay                time.Duration
}

func (h slowHost) Provide(ctx context.Context, c cid.Cid) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(h.delay):
	}
	h.provided <- c
	return nil
}

func (h slowHost) Unprovide(c cid.Cid) error { h.unprovided <- c; return nil }

func TestKeepingNeverWaitsForTheNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := slowHost{make(chan cid.Cid, 10), make(chan cid.Cid, 10), 20 * time.Second}
		a := NewAnnouncer(h, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx) }()
		start := time.Now()
		one, two := protocol.CIDOf([]byte("1")), protocol.CIDOf([]byte("2"))
		for _, c := range []cid.Cid{one, two, one} {
			if err := a.Provide(ctx, c); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("Provide waited %s", d)
		}
		got := map[cid.Cid]bool{<-h.provided: true, <-h.provided: true}
		if !got[one] || !got[two] {
			t.Errorf("announced %v", got)
		}
		if err := a.Unprovide(ctx, one); err != nil {
			t.Fatal(err)
		}
		if c := <-h.unprovided; !c.Equals(one) {
			t.Errorf("took back %s", c)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}
