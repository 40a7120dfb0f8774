package borrow_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"tally/storage/borrow"
)

func named(s string) (cid.Cid, []byte) {
	b := blocks.NewBlock([]byte(s))
	return b.Cid(), b.RawData()
}

// lender counts how often it is asked.
type lender struct {
	mu   sync.Mutex
	n    int // guarded by mu
	data []byte
	err  error
	wait chan struct{} // if not nil: until it is closed nothing is lent
}

func (l *lender) lend(ctx context.Context) ([]byte, error) {
	l.mu.Lock()
	l.n++
	l.mu.Unlock()
	if l.wait != nil {
		select {
		case <-l.wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return l.data, l.err
}

func (l *lender) asked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}

func TestManyReadersOfOneBlockShareOneLoan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d borrow.Desk
		of, _ := named("shard")
		c, data := named("block")
		l := &lender{data: data, wait: make(chan struct{})}
		first, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := d.Block(first, of, c, l.lend); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		for range 50 {
			wg.Go(func() {
				got, err := d.Block(t.Context(), of, c, l.lend)
				if err != nil || !bytes.Equal(got, data) {
					t.Error(got, err)
				}
				clear(got) // it is the reader's own
			})
		}
		synctest.Wait()
		leave() // the others wait on
		synctest.Wait()
		close(l.wait)
		wg.Wait()
		if got, err := d.Block(t.Context(), of, c, l.lend); err != nil || !bytes.Equal(got, data) || l.asked() != 1 {
			t.Fatal(got, err, l.asked())
		}
		d.Forget(of)
		if _, err := d.Block(t.Context(), of, c, l.lend); err != nil || l.asked() != 2 {
			t.Fatal("kept of a shard that is whole", err, l.asked())
		}
	})
}

func TestALoanEndsWithTheLastWhoWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d borrow.Desk
		of, _ := named("shard")
		c, data := named("block")
		l := &lender{data: data, wait: make(chan struct{})}
		ctx, leave := context.WithCancel(t.Context())
		go leave()
		if _, err := d.Block(ctx, of, c, l.lend); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		synctest.Wait()
		// That a reader left says nothing about who lends.
		close(l.wait)
		if got, err := d.Block(t.Context(), of, c, l.lend); err != nil || !bytes.Equal(got, data) {
			t.Fatal(got, err)
		}
	})
}

func TestAReaderWaitsOnlySoLongAndTheNextNotAtAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d borrow.Desk
		of, _ := named("shard")
		other, _ := named("another shard")
		c, data := named("block")
		c2, _ := named("another block")
		l := &lender{wait: make(chan struct{})}
		refused := func(of, c cid.Cid, within time.Duration, asked int) {
			t.Helper()
			begin := time.Now()
			if _, err := d.Block(t.Context(), of, c, l.lend); !errors.Is(err, borrow.ErrNobody) || time.Since(begin) != within || l.asked() != asked {
				t.Fatal(err, time.Since(begin), l.asked())
			}
		}
		refused(of, c, borrow.Within, 1)
		refused(of, c, 0, 1)
		refused(of, c2, 0, 1)
		refused(other, c2, borrow.Within, 2)
		<-time.After(borrow.Pause)
		l.data = data
		close(l.wait)
		if got, err := d.Block(t.Context(), of, c, l.lend); err != nil || !bytes.Equal(got, data) {
			t.Fatal(got, err)
		}
	})
}

func TestOnlySoManyLoansRunAndBlocksAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d borrow.Desk
		of, _ := named("shard")
		l := &lender{data: []byte("x"), wait: make(chan struct{})}
		var wg sync.WaitGroup
		busy := make(chan struct{}, 20)
		for i := range 20 {
			c, _ := named(fmt.Sprint(i))
			wg.Go(func() {
				if _, err := d.Block(t.Context(), of, c, l.lend); errors.Is(err, borrow.ErrBusy) {
					busy <- struct{}{}
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(l.wait)
		wg.Wait()
		if l.asked() != 8 || len(busy) != 12 {
			t.Fatal(l.asked(), len(busy))
		}
		for i := range 20 {
			c, _ := named(fmt.Sprint("later", i))
			for range 2 {
				if _, err := d.Block(t.Context(), of, c, l.lend); err != nil {
					t.Fatal(err)
				}
			}
		}
		if l.asked() != 28 {
			t.Fatal(l.asked())
		}
		first, _ := named("later0")
		if _, err := d.Block(t.Context(), of, first, l.lend); err != nil || l.asked() != 29 {
			t.Fatal("more blocks are kept than there is room for", err, l.asked())
		}
	})
}
