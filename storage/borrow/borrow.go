// Package borrow gets other nodes' copies of blocks that are damaged here.
//
// A reader met a block whose copy on the disk is not what it was. The shard heals, in
// its own time: it is read in full, what is bad is fetched, and a new file takes the place
// of the old one. The reader needs not wait for that, nor be turned away. Somebody else
// lends the block; it is checked, given to the reader, and kept in memory for the next
// ones until the shard is whole again.
//
// All who wait for one block share one loan, which ends with the last of them, or
// after ten seconds. No more than eight loans run and eight blocks are kept, 32 MiB in
// all. Where nobody lent for a shard, readers of it are refused at once for half a minute:
// nobody should wait ten seconds for each block of a file that only this disk had.
//
// A Desk is safe for concurrent use, and touches no disk.
package borrow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
)

const (
	// Within is how long a reader waits for a block at most.
	Within = 10 * time.Second
	// Pause is for how long nothing is borrowed for a shard for which nobody lent.
	Pause = 30 * time.Second

	maxLoans   = 8
	maxKept    = 8
	maxRefused = 256
)

var (
	// ErrNobody says that no node lent the block.
	ErrNobody = errors.New("borrow: no other node lent a sound copy: try again when its holders are reachable")
	// ErrBusy says that many blocks are being borrowed.
	ErrBusy = errors.New("borrow: many blocks are being borrowed: try again soon")
)

// Lend gets a block from other nodes and has checked it. It ends soon after ctx.
type Lend func(ctx context.Context) ([]byte, error)

// Desk lends blocks to readers. Its zero value is ready.
type Desk struct {
	mu      sync.Mutex
	loans   map[cid.Cid]*loan     // guarded by mu
	kept    []keep                // guarded by mu: the last used comes last
	refused map[cid.Cid]time.Time // guarded by mu: until when nothing is borrowed for a shard
}

// loan is a block that is asked for.
type loan struct {
	done   chan struct{} // closed when data and err are there
	data   []byte
	err    error
	cancel context.CancelFunc
	wait   int // guarded by Desk.mu: readers
}

// keep is a block that was lent.
type keep struct {
	of, c cid.Cid
	data  []byte
}

// Block returns a block of a shard, which the caller then owns: a kept one, or what lend
// gets. ErrNobody and ErrBusy say that there is none now; other errors are of ctx.
func (d *Desk) Block(ctx context.Context, of, c cid.Cid, lend Lend) ([]byte, error) {
	l, data, err := d.enter(ctx, of, c, lend)
	if l == nil {
		return data, err
	}
	select {
	case <-l.done:
		return bytes.Clone(l.data), l.err
	case <-ctx.Done():
		d.leave(c, l)
		return nil, fmt.Errorf("borrow: %w", ctx.Err())
	}
}

// enter returns a kept block, or the loan to wait for.
func (d *Desk) enter(ctx context.Context, of, c cid.Cid, lend Lend) (*loan, []byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, k := range d.kept {
		if k.c == c {
			d.kept = append(append(d.kept[:i:i], d.kept[i+1:]...), k)
			return nil, bytes.Clone(k.data), nil
		}
	}
	if l := d.loans[c]; l != nil {
		l.wait++
		return l, nil, nil
	}
	if time.Now().Before(d.refused[of]) {
		return nil, nil, ErrNobody
	}
	if len(d.loans) == maxLoans {
		return nil, nil, ErrBusy
	}
	if d.loans == nil {
		d.loans, d.refused = map[cid.Cid]*loan{}, map[cid.Cid]time.Time{}
	}
	// It ends with the last who waits for it, who may not be the first.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Within)
	l := &loan{done: make(chan struct{}), cancel: cancel, wait: 1}
	d.loans[c] = l
	go d.run(ctx, of, c, l, lend)
	return l, nil, nil
}

// leave ends a loan that nobody waits for any more.
func (d *Desk) leave(c cid.Cid, l *loan) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l.wait--; l.wait > 0 {
		return
	}
	l.cancel()
	if d.loans[c] == l {
		delete(d.loans, c)
	}
}

func (d *Desk) run(ctx context.Context, of, c cid.Cid, l *loan, lend Lend) {
	defer l.cancel()
	data, err := lend(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.loans[c] == l {
		delete(d.loans, c)
	}
	switch {
	case err == nil:
		delete(d.refused, of)
		if len(d.kept) == maxKept {
			d.kept = append(d.kept[:0:0], d.kept[1:]...)
		}
		d.kept = append(d.kept, keep{of, c, data})
	case !errors.Is(ctx.Err(), context.Canceled):
		d.refuse(of)
	}
	if l.data = data; err != nil {
		l.data, l.err = nil, fmt.Errorf("%w: %w", ErrNobody, err)
	}
	close(l.done)
}

// refuse has nothing borrowed for a shard for a while. The caller holds mu.
func (d *Desk) refuse(of cid.Cid) {
	now := time.Now()
	for c, until := range d.refused {
		if len(d.refused) >= maxRefused || !now.Before(until) {
			delete(d.refused, c)
		}
	}
	d.refused[of] = now.Add(Pause)
}

// Forget drops what is kept of a shard, and that nobody lent for it: it is whole again.
func (d *Desk) Forget(of cid.Cid) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.refused, of)
	var kept []keep
	for _, k := range d.kept {
		if k.of != of {
			kept = append(kept, k)
		}
	}
	d.kept = kept
}
