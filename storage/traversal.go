package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ipfs/boxo/exchange"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"google.golang.org/protobuf/encoding/protowire"

	"tally/storage/car"
)

const (
	// fetchWorkers times fetchBatch blocks are asked for at once: at most 96 MiB
	// are under way, 48 in shards of ours.
	fetchWorkers = 3
	fetchBatch   = 16
)

// traversal walks a DAG from its root, asking an exchange for what is not here.
// Links are followed as soon as their block is, by a few workers, so order does
// not matter and neither does which worker waits.
type traversal struct {
	opts     fetchOptions
	root     cid.Cid
	depth    int // how far from the root to go; negative is to the end
	have     func(cid.Cid) ([]byte, bool)
	put      func(cid.Cid, []byte) error
	count    func([]byte) error // called with mu for every block, if not nil
	progress func(done, total uint64)

	mu     sync.Mutex
	idle   *sync.Cond
	want   []cid.Cid       // guarded by mu: to be asked for
	seen   map[cid.Cid]int // guarded by mu: the least depth at which each was met
	active int             // guarded by mu: workers with a batch
	done   uint64          // guarded by mu: bytes here
	total  uint64          // guarded by mu: estimate
	err    error           // guarded by mu: the first
}

func (t *traversal) run(ctx context.Context) error {
	t.idle = sync.NewCond(&t.mu)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t.mu.Lock()
	err := t.meet([]cid.Cid{t.root}, 0)
	left := len(t.want)
	t.progress(t.done, t.total)
	t.mu.Unlock()
	if err != nil || left == 0 {
		return err
	}
	var x fetcher = t.opts.from
	if t.opts.from == nil {
		return ErrNoExchange
	}
	if s, ok := t.opts.from.(interface {
		NewSession(context.Context) exchange.Fetcher
	}); ok {
		x = s.NewSession(ctx)
	}
	var wg sync.WaitGroup
	for range fetchWorkers {
		wg.Go(func() { t.work(ctx, cancel, x) })
	}
	wg.Wait()
	return t.err
}

// fetcher is the part of an Exchange that a traversal uses.
type fetcher interface {
	GetBlocks(context.Context, []cid.Cid) (<-chan blocks.Block, error)
}

func (t *traversal) work(ctx context.Context, cancel func(), x fetcher) {
	for {
		t.mu.Lock()
		for len(t.want) == 0 && t.active > 0 && t.err == nil {
			t.idle.Wait()
		}
		if t.err != nil || len(t.want) == 0 {
			t.mu.Unlock()
			return
		}
		n := min(fetchBatch, len(t.want))
		batch := append([]cid.Cid(nil), t.want[:n]...)
		t.want = t.want[n:]
		t.active++
		t.mu.Unlock()

		err := t.batch(ctx, x, batch)

		t.mu.Lock()
		t.active--
		if err != nil && t.err == nil {
			t.err = err
			cancel()
		}
		t.idle.Broadcast()
		t.mu.Unlock()
	}
}

func (t *traversal) batch(ctx context.Context, x fetcher, keys []cid.Cid) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in, err := x.GetBlocks(ctx, keys)
	if err != nil {
		return fmt.Errorf("storage: ask for block %s: %w", keys[0], err)
	}
	left := map[cid.Cid]bool{}
	for _, c := range keys {
		left[c] = true
	}
	timer := time.NewTimer(t.opts.stall)
	defer timer.Stop()
	for len(left) > 0 {
		select {
		case b, ok := <-in:
			if !ok {
				if ctx.Err() != nil {
					return fail("fetch", ctx.Err())
				}
				return fmt.Errorf("block %s: exchange gave up: %w", one(left), ErrStalled)
			}
			if !left[b.Cid()] {
				continue
			}
			delete(left, b.Cid())
			if t.opts.pace != nil {
				if err := t.opts.pace(ctx, len(b.RawData())); err != nil {
					return fail("fetch", err)
				}
			}
			if err := t.take(b); err != nil {
				return err
			}
			timer.Reset(t.opts.stall)
		case <-timer.C:
			return fmt.Errorf("block %s: nothing for %s: %w", one(left), t.opts.stall, ErrStalled)
		case <-ctx.Done():
			return fail("fetch", ctx.Err())
		}
	}
	return nil
}

func one(m map[cid.Cid]bool) cid.Cid {
	for c := range m {
		return c
	}
	return cid.Undef
}

// take checks and keeps one block and follows its links.
func (t *traversal) take(b blocks.Block) error {
	c, data := b.Cid(), b.RawData()
	if len(data) > car.MaxBlock {
		return fmt.Errorf("block %s: %d bytes: %w", c, len(data), ErrBlockSize)
	}
	if err := car.CheckBlock(c, data); err != nil {
		return fmt.Errorf("a node served a changed %w", err)
	}
	if err := t.put(c, data); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done += car.SectionLen(len(data))
	if t.count != nil {
		if err := t.count(data); err != nil {
			return err
		}
	}
	err := t.follow(c, data)
	t.progress(t.done, t.total)
	t.idle.Broadcast()
	return err
}

// follow meets the links of a block that is here. The caller holds mu.
func (t *traversal) follow(c cid.Cid, data []byte) error {
	links, err := car.Links(c, data)
	if err != nil {
		return err
	}
	if c == t.root {
		t.total = max(t.done, estimate(c, data))
	}
	if d := t.seen[c]; t.depth < 0 || d < t.depth {
		return t.meet(links, d+1)
	}
	return nil
}

// meet notes blocks to get, walking through those that are here already
// without recursion. The caller holds mu.
func (t *traversal) meet(cs []cid.Cid, depth int) error {
	type met struct {
		c     cid.Cid
		depth int
	}
	todo := make([]met, 0, len(cs))
	add := func(cs []cid.Cid, depth int) error {
		for _, c := range cs {
			if err := car.CheckCID(c); err != nil {
				return err
			}
			d, again := t.seen[c]
			if again && (t.depth < 0 || d <= depth) {
				continue
			}
			if len(t.seen) >= car.MaxBlocks {
				return fmt.Errorf("block %s: %w", c, ErrTooMany)
			}
			t.seen[c] = depth
			todo = append(todo, met{c, depth})
		}
		return nil
	}
	if err := add(cs, depth); err != nil {
		return err
	}
	var errs error
	for len(todo) > 0 && errs == nil {
		m := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		data, ok := t.have(m.c)
		if !ok {
			t.want = append(t.want, m.c)
			continue
		}
		links, err := car.Links(m.c, data)
		if err == nil && t.count != nil {
			err = t.count(data)
		}
		if err == nil && (t.depth < 0 || m.depth < t.depth) {
			err = add(links, m.depth+1)
		}
		if m.c == t.root {
			t.total = max(t.done, estimate(m.c, data))
		}
		errs = errors.Join(errs, err)
	}
	return errs
}

// estimate returns what the root of a UnixFS DAG says that all of it takes; 0
// where it does not say. It is shown, never relied on.
func estimate(c cid.Cid, b []byte) uint64 {
	if c.Type() != cid.DagProtobuf {
		return 0
	}
	sum := uint64(len(b))
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 || typ != protowire.BytesType {
			return 0
		}
		link, m := protowire.ConsumeBytes(b[n:])
		if m < 0 {
			return 0
		}
		b = b[n+m:]
		for num == 2 && len(link) > 0 {
			num, typ, n := protowire.ConsumeTag(link)
			if n < 0 {
				return 0
			}
			if num == 3 && typ == protowire.VarintType {
				size, _ := protowire.ConsumeVarint(link[n:])
				sum += min(size, DefaultMaxShard)
			}
			m := protowire.ConsumeFieldValue(num, typ, link[n:])
			if m < 0 {
				return 0
			}
			link = link[n+m:]
		}
	}
	return min(sum, DefaultMaxShard)
}
