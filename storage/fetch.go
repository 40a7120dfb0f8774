package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ipfs/go-cid"

	"tally/storage/car"
	"tally/storage/spool"
	"tally/storage/traverse"
)

// DefaultStall is how long a fetch waits for one valid block.
const DefaultStall = time.Minute

// FetchOption bounds or directs one fetch.
type FetchOption func(*fetchOptions)

type fetchOptions struct {
	max   uint64
	stall time.Duration
	from  Exchange
	size  uint64 // of the shard's file, where it is known
	pace  func(ctx context.Context, bytes int) error
}

// Size says how large the shard's file is, where that is known (a manifest and a
// pin offer say it): room for it is reserved before anything is asked for.
func Size(bytes uint64) FetchOption { return func(o *fetchOptions) { o.size = bytes } }

// MaxBytes ends a fetch that would take more than n bytes in ErrTooLarge. The
// default is the store's largest shard.
func MaxBytes(n uint64) FetchOption { return func(o *fetchOptions) { o.max = min(o.max, n) } }

// Stall ends a fetch in ErrStalled when no valid block came for d.
func Stall(d time.Duration) FetchOption { return func(o *fetchOptions) { o.stall = d } }

// From fetches through x instead of the store's exchange.
func From(x Exchange) FetchOption { return func(o *fetchOptions) { o.from = x } }

// Pace calls f for each block that came, with its length, before it is checked and
// more are asked for: f waits as long as a bandwidth wants. It may be called by several
// goroutines at once. The time that it takes is not counted by Stall.
func Pace(f func(ctx context.Context, bytes int) error) FetchOption {
	return func(o *fetchOptions) { o.pace = f }
}

func (s *Store) options(opts []FetchOption) fetchOptions {
	o := fetchOptions{max: s.max, stall: DefaultStall, from: s.exchange}
	for _, f := range opts {
		f(&o)
	}
	return o
}

// Fetch gets the DAG under root from other nodes and makes it a shard. Every
// block is checked: one that was changed on its way ends the fetch in
// ErrCorrupt with its CID, where the exchange passes it on; bitswap drops it, so
// that without another holder the fetch ends in ErrStalled, naming the block.
//
// What arrived is kept, across restarts too: another Fetch goes on from there,
// and blocks of other shards are not asked for again. Concurrent fetches of one
// root share the work of the first. progress, if not nil, is called from one
// goroutine at a time with the bytes that are here and an estimate of all (0:
// unknown); it must be quick.
func (s *Store) Fetch(ctx context.Context, root cid.Cid, progress func(done, total uint64), opts ...FetchOption) (Shard, error) {
	o := s.options(opts)
	if err := car.CheckCID(root); err != nil {
		return Shard{}, fmt.Errorf("fetch: %w", err)
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
	res, err := s.reserveFetch(root, 2*min(o.size, o.max), 0, extSpool) // the spool and the shard
	if err != nil {
		return Shard{}, fmt.Errorf("fetch %s: %w", root, err)
	}
	defer res.Release()

	path := s.fetchPath(root, extSpool)
	sp, err := spool.Open(path, o.max)
	if err != nil {
		return Shard{}, fail("fetch", err)
	}
	sh, err := s.fetchInto(ctx, root, sp, o, res, progress)
	if err == nil || hopeless(err) {
		if e := sp.Remove(); e != nil {
			s.log.Warn("spool of a fetch stays on disk until collected", "root", root, "err", e)
		}
	} else {
		_ = sp.Close()
	}
	if err != nil {
		return Shard{}, fmt.Errorf("fetch %s: %w", root, err)
	}
	s.clearFetch(root)
	progress(sh.Size, sh.Size)
	return sh, nil
}

func (s *Store) fetchInto(ctx context.Context, root cid.Cid, sp *spool.Spool, o fetchOptions, res *reservation, progress func(done, total uint64)) (Shard, error) {
	put := func(c cid.Cid, data []byte) error {
		if err := res.Grow(2 * (sp.Size() + sectionCost(data))); err != nil {
			return err
		}
		return sp.Put(c, data)
	}
	if sp.Size() == 0 {
		s.salvage(root, put)
	}
	res.yield()
	buf := make([]byte, car.MaxBlock)
	t := s.walk(root, -1, o)
	t.Done, t.Put, t.Progress = sp.Size(), put, progress
	t.Have = func(c cid.Cid) ([]byte, bool) {
		if c.Type() == cid.Raw && sp.Has(c) {
			return nil, true // no links to read
		}
		if data, err := sp.Get(c, nil); err == nil {
			return data, true
		}
		data, err := s.here(ctx, c)
		return data, err == nil
	}
	if err := t.Run(ctx); err != nil {
		return Shard{}, err
	}
	return s.write(ctx, root, o.max, res, sp.Size(), func(ctx context.Context, c cid.Cid) ([]byte, error) {
		if sp.Has(c) {
			return sp.Get(c, buf)
		}
		return s.here(ctx, c)
	})
}

// walk is the way of a fetch through a DAG.
func (s *Store) walk(root cid.Cid, depth int, o fetchOptions) *traverse.Walk {
	return &traverse.Walk{Root: root, Depth: depth, From: o.from, Stall: o.stall, Pace: o.pace, Most: DefaultMaxShard}
}

// salvage takes the sound blocks of a shard that was set aside, so that a repair
// fetches only the bad ones, and those that an assembly or a stream left in order.
func (s *Store) salvage(root cid.Cid, put func(cid.Cid, []byte) error) {
	for _, path := range []string{s.asidePath(root), s.fetchPath(root, extSpans), s.fetchPath(root, extPart)} {
		s.salvageFile(root, path, put)
	}
}

func (s *Store) salvageFile(root cid.Cid, path string, put func(cid.Cid, []byte) error) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return
	}
	kept, buf := 0, make([]byte, car.MaxBlock)
	err = scan(f, uint64(info.Size()), func(c cid.Cid, off uint64, n int) error {
		if _, err := f.ReadAt(buf[:n], int64(off)); err != nil {
			return err
		}
		if car.CheckCID(c) != nil || car.CheckBlock(c, buf[:n]) != nil {
			return nil
		}
		kept++
		return put(c, buf[:n])
	})
	s.log.Info("going on with what is here of a shard", "root", root, "file", filepath.Base(path), "blocks", kept, "err", err)
}

// Extensions of the files of a fetch.
const (
	extSpool = ".spool" // blocks in any order
	extPart  = ".part"  // the beginning of the file
	extSpans = ".spans" // an assembly's file, with holes
	extMap   = ".map"   // what is in it
)

// fetchExts are all of them.
var fetchExts = []string{extSpool, extPart, extSpans, extMap}

// clearFetch removes what other ways of fetching a shard that is here now left.
func (k *core) clearFetch(root cid.Cid) {
	for _, ext := range []string{extPart, extSpans, extMap} {
		if err := os.Remove(k.fetchPath(root, ext)); err != nil && !errors.Is(err, os.ErrNotExist) {
			k.log.Warn("file of a fetch stays on disk until collected", "root", root, "err", err)
		}
	}
}

// hopeless says that trying the same root again cannot help.
func hopeless(err error) bool {
	for _, e := range []error{ErrTooLarge, ErrTooMany, ErrCID, ErrBlock, ErrBlockSize} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (k *core) fetchPath(root cid.Cid, ext string) string {
	return filepath.Join(k.dir, "fetch", root.String()+ext)
}

// claim waits until no other fetch of root runs and returns its shard, if it is
// there now and not known to be damaged, or the right to fetch it.
func (k *core) claim(ctx context.Context, root cid.Cid) (*record, func(), error) {
	for {
		k.mu.Lock()
		if r := k.shards[root]; r != nil && k.damage[root] == nil {
			k.mu.Unlock()
			return r, nil, nil
		}
		other := k.busy[root]
		if other == nil {
			mine := make(chan struct{})
			k.busy[root] = mine
			k.mu.Unlock()
			return nil, func() {
				k.mu.Lock()
				defer k.mu.Unlock()
				delete(k.busy, root)
				close(mine)
			}, nil
		}
		k.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, nil, fail("fetch", ctx.Err())
		}
	}
}
