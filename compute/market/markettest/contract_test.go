package markettest_test

import (
	"context"
	"testing"

	"tally/compute/market"
	"tally/compute/market/markettest"
)

func two(t *testing.T) (a, b *markettest.Node) {
	w := markettest.NewWorld(context.WithoutCancel(t.Context()))
	a, err := w.Join("a", nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err = w.Join("b", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Kill)
	t.Cleanup(b.Kill)
	return a, b
}

func TestStreamsKeepTheContract(t *testing.T) {
	markettest.ConnContract(t, func(t *testing.T) (market.Conn, market.Conn) {
		a, b := two(t)
		other := make(chan market.Conn, 1)
		b.Handle("x", func(ctx context.Context, c market.Conn) error {
			other <- c
			<-ctx.Done()
			return nil
		})
		c, err := a.Streams().Open(t.Context(), b.Address, "x")
		if err != nil {
			t.Fatal(err)
		}
		return c, <-other
	})
}

func TestStoreKeepsTheContract(t *testing.T) {
	a, b := two(t)
	markettest.StoreContract(t, a.Store, b.Store)
}

func TestLedgerKeepsTheContract(t *testing.T) {
	w := markettest.NewWorld(t.Context())
	l := markettest.NewLedger(w.Network)
	markettest.LedgerContract(t, w.Network, l, func() int { return len(l.Receipts()) })
}
