package storage

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/ipfs/go-cid"

	"tally/storage/car"
)

// ServeCAR writes the CAR file of a shard to w from byte off to its end: the
// serving side of a bulk stream. It does not hash (whoever fetches does), and
// ends soon after ctx. ErrRange says that off is past the end.
func (s *Store) ServeCAR(ctx context.Context, w io.Writer, root cid.Cid, off uint64) error {
	f, r, err := s.openCAR(root)
	if err != nil {
		return fmt.Errorf("serve CAR: %w", err)
	}
	defer func() { _ = f.Close() }()
	if off > r.Size {
		return fmt.Errorf("serve CAR from %d of %d: %w", off, r.Size, ErrRange)
	}
	buf := make([]byte, 256<<10)
	for off < r.Size {
		if err := ctx.Err(); err != nil {
			return fail("serve CAR", err)
		}
		n, err := f.ReadAt(buf[:min(uint64(len(buf)), r.Size-off)], int64(off))
		if err != nil {
			return fail("serve CAR", err)
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return fail("serve CAR", err)
		}
		off += uint64(n)
	}
	return nil
}

// FetchCAR is Fetch over an ordered stream: from opens, at a byte offset, what
// ServeCAR writes elsewhere. Every block is checked as it arrives. After a broken
// stream another FetchCAR, from the same node or another, goes on from the last
// bytes on disk. Closing the reader must end a Read under way; FetchCAR closes
// it, also when ctx ends or nothing arrives for the time set by Stall.
// progress gets a total of 0: a stream does not say how long it is.
func (s *Store) FetchCAR(ctx context.Context, root cid.Cid, from func(ctx context.Context, off uint64) (io.ReadCloser, error), progress func(done, total uint64), opts ...FetchOption) (Shard, error) {
	o := s.options(opts)
	if err := car.CheckCID(root); err != nil {
		return Shard{}, fmt.Errorf("fetch CAR: %w", err)
	}
	if progress == nil {
		progress = func(uint64, uint64) {}
	}
	r, release, err := s.claim(ctx, root)
	if err != nil {
		return Shard{}, err
	}
	if r != nil {
		progress(r.Size, r.Size)
		return r.shard(), nil
	}
	defer release()
	res, err := s.reserveFetch(root, min(o.size, o.max), 0, extPart)
	if err != nil {
		return Shard{}, fmt.Errorf("fetch CAR %s: %w", root, err)
	}
	defer res.Release()
	res.yield()
	f, err := os.OpenFile(s.fetchPath(root, extPart), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return Shard{}, fail("fetch CAR", err)
	}
	defer func() { _ = f.Close() }()
	for {
		sh, had, good, err := s.stream(ctx, f, root, from, progress, o, res)
		if err == nil {
			s.clearFetch(root)
			progress(sh.Size, sh.Size)
			return sh, nil
		}
		if !malformed(err) {
			return Shard{}, fmt.Errorf("fetch CAR %s: %w", root, err)
		}
		// What follows the last good block is no use to another try.
		if e := f.Truncate(int64(good)); e != nil {
			return Shard{}, fail("fetch CAR", errors.Join(err, e))
		}
		if good >= had {
			return Shard{}, fmt.Errorf("fetch CAR %s: %w", root, err)
		}
		s.log.Warn("part of a fetch on disk was bad and is fetched again", "root", root, "from", good, "err", err)
	}
}

// stream runs one attempt: it reads what f holds, then the stream, and keeps in
// f what was checked. It returns how much f held and how much of all was good.
func (s *Store) stream(ctx context.Context, f *os.File, root cid.Cid, from func(context.Context, uint64) (io.ReadCloser, error), progress func(done, total uint64), o fetchOptions, res *reservation) (sh Shard, had, good uint64, err error) {
	info, err := f.Stat()
	if err != nil {
		return Shard{}, 0, 0, fail("fetch CAR", err)
	}
	had = uint64(info.Size())
	rc, err := from(ctx, had)
	if err != nil {
		return Shard{}, had, had, fmt.Errorf("storage: open stream: %w", err)
	}
	w := watch(ctx, rc, o.stall)
	src := io.MultiReader(io.NewSectionReader(f, 0, int64(had)), w)
	r, err := s.check(ctx, src, res.writer(&appender{f: f, skip: had}, 0), root, o.max, func(off uint64) {
		if good = off; off > had {
			progress(off, 0)
		}
	})
	if e := w.Close(); err != nil {
		return Shard{}, had, good, errors.Join(e, err)
	}
	sh, err = s.settle(f, r, res)
	return sh, had, good, err
}

// malformed says that the bytes, not the way they came, are at fault.
func malformed(err error) bool {
	for _, e := range []error{ErrCorrupt, ErrHeader, ErrRoot, ErrOrder, ErrTrailing, ErrVarint} {
		if errors.Is(err, e) {
			return true
		}
	}
	return hopeless(err)
}

// appender writes a stream to f whose first skip bytes f has already.
type appender struct {
	f    *os.File
	skip uint64
	off  uint64
}

func (a *appender) Write(p []byte) (int, error) {
	n := len(p)
	start := a.off
	a.off += uint64(n)
	if a.off <= a.skip {
		return n, nil
	}
	if start < a.skip {
		p, start = p[a.skip-start:], a.skip
	}
	if _, err := a.f.WriteAt(p, int64(start)); err != nil {
		return 0, err
	}
	return n, nil
}

// watcher closes a reader when its context ends or it is silent for too long.
type watcher struct {
	rc      io.ReadCloser
	ctx     context.Context
	stall   time.Duration
	timer   *time.Timer
	stop    func() bool
	stalled atomic.Bool
	closed  atomic.Bool
}

func watch(ctx context.Context, rc io.ReadCloser, stall time.Duration) *watcher {
	w := &watcher{rc: rc, ctx: ctx, stall: stall}
	w.stop = context.AfterFunc(ctx, func() { _ = w.shut() })
	w.timer = time.AfterFunc(stall, func() { w.stalled.Store(true); _ = w.shut() })
	return w
}

func (w *watcher) shut() error {
	if w.closed.Swap(true) {
		return nil
	}
	return w.rc.Close()
}

func (w *watcher) Read(p []byte) (int, error) {
	n, err := w.rc.Read(p)
	if n > 0 {
		w.timer.Reset(w.stall)
	}
	switch {
	case n > 0 || err == nil:
		return n, nil
	case w.stalled.Load():
		return n, fmt.Errorf("nothing for %s: %w", w.stall, ErrStalled)
	case w.ctx.Err() != nil:
		return n, w.ctx.Err()
	}
	return n, err
}

// Close ends the watch. An error of closing what was read to its end is none.
func (w *watcher) Close() error {
	w.stop()
	w.timer.Stop()
	_ = w.shut()
	return nil
}

// blocksOf reads a canonical file to its end for what is in it, without hashing it
// as a piece.
func (k *core) blocksOf(src io.Reader, root cid.Cid, max uint64) (*record, error) {
	cr, err := car.NewReader(bufio.NewReaderSize(src, 256<<10), root, max)
	if err != nil {
		return nil, err
	}
	r := newRecord(root)
	for {
		b, err := cr.Next()
		if errors.Is(err, io.EOF) {
			return r, nil
		}
		if err != nil {
			return nil, err
		}
		r.add(b)
	}
}
