package shardstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/storage/car"
)

const (
	// lendStall is how long a holder may be silent while a reader waits for a block.
	lendStall = 3 * time.Second
	// lendAsked is how many holders are asked at once whether they have it.
	lendAsked = 6
	// lendSent is how many of them send it at once.
	lendSent = 2
)

// Range gets part of a shard from its holders, at most a block's length: n bytes at off
// of its file, from the first whose bytes are good. It is what storage.Store.WithSource
// takes. Who sends what is not good is named and not asked again. ErrNoSource comes when nobody
// is left to ask. It has no limit of time of its own.
func (f *Fetcher) Range(ctx context.Context, root cid.Cid, off uint64, n int, good func([]byte) error) ([]byte, error) {
	if n <= 0 || n > car.MaxBlock {
		return nil, fmt.Errorf("range of %d bytes of shard %s: %w", n, root, ErrRange)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l := &lending{t: newFetch(f, nil, Want{Root: root}, nil), off: off, n: n, good: good, send: make(chan struct{}, lendSent)}
	found, heard := make(chan peer.ID), make(chan lent)
	go l.t.find(ctx, found)
	asked, active := map[peer.ID]bool{}, 0
	for in := found; in != nil || active > 0; {
		more := in
		if active == lendAsked {
			more = nil
		}
		select {
		case p, ok := <-more:
			switch {
			case !ok:
				in = nil
			case !asked[p] && !f.blamed(p):
				asked[p] = true
				active++
				go func() {
					b, err := l.ask(ctx, p)
					select {
					case heard <- lent{p, b, err}:
					case <-ctx.Done():
					}
				}()
			}
		case a := <-heard:
			if active--; a.err == nil {
				return a.data, nil
			}
			l.t.reason(fmt.Errorf("%s: %w", a.from, a.err))
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, fmt.Errorf("range of shard %s: %w", root, l.t.none())
}

// lending is one call of Range.
type lending struct {
	t    *fetch // for the search and the credential
	off  uint64
	n    int
	good func([]byte) error
	send chan struct{} // a token for each holder that sends
}

// lent is what a holder answered.
type lent struct {
	from peer.ID
	data []byte
	err  error
}

// ask gets the range from one holder. It sends only once it has said that it can and
// few others do.
func (l *lending) ask(ctx context.Context, p peer.ID) ([]byte, error) {
	f := l.t.f
	conn, err := f.c.Network.Open(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	defer conn.Reset()
	defer context.AfterFunc(ctx, conn.Reset)()
	k := &client{conn: conn, stall: min(f.c.Stall, lendStall), down: f.c.Down}
	err = l.fill(ctx, k, nil)
	if errors.Is(err, ErrRefused) {
		if b := l.t.credential(ctx); len(b) > 0 {
			if err = k.show(l.t.w.Root, b); err == nil {
				err = l.fill(ctx, k, nil)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	select {
	case l.send <- struct{}{}:
		defer func() { <-l.send }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	b := make([]byte, l.n)
	if err := l.fill(ctx, k, b); err != nil {
		return nil, err
	}
	if err := l.good(b); err != nil {
		f.blame(p, fmt.Errorf("shard %s: %w: %w", l.t.w.Root, ErrWrong, err))
		return nil, err
	}
	_ = conn.Close()
	return b, nil
}

// fill asks for the beginning of the range.
func (l *lending) fill(ctx context.Context, k *client, b []byte) error {
	if err := k.ask(request{Op: opRange, Root: l.t.w.Root, At: l.off, Count: uint64(len(b))}); err != nil {
		return err
	}
	return k.fill(ctx, b)
}
