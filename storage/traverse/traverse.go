// Package traverse gets the blocks of a DAG from other nodes.
//
// A Walk begins with the root. What is here already is walked through; what is not is
// asked of an exchange, a few batches at once, by a few workers. A block that comes is
// checked against its CID and kept, and its links are met: they are here, or wanted too.
// So neither order matters nor which worker waits, and the walk ends when nothing is wanted.
//
// Whoever sends blocks is taken to be hostile: links are bounded in number, blocks in
// length and, by Put and Count, in sum; nothing recurses; an exchange that sends nothing valid
// for a while ends the walk in ErrStalled. At most 48 blocks are asked for at once, 96 MiB.
package traverse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ipfs/boxo/exchange"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"google.golang.org/protobuf/encoding/protowire"

	"tally/storage/car"
)

var (
	// ErrStalled says that no node sent a valid block for too long.
	ErrStalled = errors.New("traverse: no node sent a valid copy in time: try again when more holders are reachable; what arrived is kept")
	// ErrNoExchange says that there is no way to other nodes.
	ErrNoExchange = errors.New("traverse: not connected to other nodes: give the store an exchange")
)

// Exchange gets blocks from other nodes; boxo's bitswap is one. If it also has
// NewSession(ctx) exchange.Fetcher, a walk uses one session.
type Exchange interface {
	// GetBlocks sends blocks as they arrive and closes the channel after the
	// last or when ctx ends.
	GetBlocks(context.Context, []cid.Cid) (<-chan blocks.Block, error)
}

const (
	// workers times batchBlocks blocks are asked for at once: at most 96 MiB
	// are under way, 48 in shards of ours.
	workers     = 3
	batchBlocks = 16
)

// Walk is one way through a DAG. Its exported fields are set before Run.
type Walk struct {
	Root  cid.Cid
	Depth int           // how far from the root to go; negative is to the end
	From  Exchange      // may be nil: then all must be here
	Stall time.Duration // how long no valid block may come
	// Most bounds the estimate that Progress is told, in bytes.
	Most uint64
	// Have returns a block that is here; of a raw one, which has no links, nil will do.
	Have func(cid.Cid) ([]byte, bool)
	// Put keeps a block that came, which matches its CID. Several may be put at once.
	Put func(cid.Cid, []byte) error
	// Pace waits as long as a bandwidth wants for a block that came. It may be nil.
	Pace func(ctx context.Context, bytes int) error
	// Count is called for every block, one at a time, and ends the walk by an error. It may be nil.
	Count func([]byte) error
	// Progress is told, one call at a time, the bytes here and an estimate of all, or 0.
	Progress func(done, total uint64)
	// Done is the bytes that are here when the walk begins.
	Done uint64

	mu     sync.Mutex
	idle   *sync.Cond
	want   []cid.Cid       // guarded by mu: to be asked for
	seen   map[cid.Cid]int // guarded by mu: the least depth at which each was met
	active int             // guarded by mu: workers with a batch
	done   uint64          // guarded by mu: bytes here
	total  uint64          // guarded by mu: estimate
	err    error           // guarded by mu: the first
}

// Run walks until all is here. It is called once.
func (t *Walk) Run(ctx context.Context) error {
	t.idle, t.seen, t.done = sync.NewCond(&t.mu), map[cid.Cid]int{}, t.Done
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t.mu.Lock()
	err := t.meet([]cid.Cid{t.Root}, 0)
	left := len(t.want)
	t.Progress(t.done, t.total)
	t.mu.Unlock()
	if err != nil || left == 0 {
		return err
	}
	x := t.From
	if t.From == nil {
		return ErrNoExchange
	}
	if s, ok := t.From.(interface {
		NewSession(context.Context) exchange.Fetcher
	}); ok {
		x = s.NewSession(ctx)
	}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { t.work(ctx, cancel, x) })
	}
	wg.Wait()
	return t.err
}

// Met returns every block of the walk, in no order. It is called after Run.
func (t *Walk) Met() []cid.Cid {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.seen))
}

func (t *Walk) work(ctx context.Context, cancel func(), x Exchange) {
	for {
		t.mu.Lock()
		for len(t.want) == 0 && t.active > 0 && t.err == nil {
			t.idle.Wait()
		}
		if t.err != nil || len(t.want) == 0 {
			t.mu.Unlock()
			return
		}
		n := min(batchBlocks, len(t.want))
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

func (t *Walk) batch(ctx context.Context, x Exchange, keys []cid.Cid) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in, err := x.GetBlocks(ctx, keys)
	if err != nil {
		return fmt.Errorf("traverse: ask for block %s: %w", keys[0], err)
	}
	left := map[cid.Cid]bool{}
	for _, c := range keys {
		left[c] = true
	}
	timer := time.NewTimer(t.Stall)
	defer timer.Stop()
	for len(left) > 0 {
		select {
		case b, ok := <-in:
			if !ok {
				if ctx.Err() != nil {
					return fmt.Errorf("traverse: %w", ctx.Err())
				}
				return fmt.Errorf("block %s: exchange gave up: %w", one(left), ErrStalled)
			}
			if !left[b.Cid()] {
				continue
			}
			delete(left, b.Cid())
			if t.Pace != nil {
				if err := t.Pace(ctx, len(b.RawData())); err != nil {
					return fmt.Errorf("traverse: %w", err)
				}
			}
			if err := t.take(b); err != nil {
				return err
			}
			timer.Reset(t.Stall)
		case <-timer.C:
			return fmt.Errorf("block %s: nothing for %s: %w", one(left), t.Stall, ErrStalled)
		case <-ctx.Done():
			return fmt.Errorf("traverse: %w", ctx.Err())
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
func (t *Walk) take(b blocks.Block) error {
	c, data := b.Cid(), b.RawData()
	if len(data) > car.MaxBlock {
		return fmt.Errorf("block %s: %d bytes: %w", c, len(data), car.ErrBlockSize)
	}
	if err := car.CheckBlock(c, data); err != nil {
		return fmt.Errorf("a node served a changed %w", err)
	}
	if err := t.Put(c, data); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done += car.SectionLen(len(data))
	if t.Count != nil {
		if err := t.Count(data); err != nil {
			return err
		}
	}
	err := t.follow(c, data)
	t.Progress(t.done, t.total)
	t.idle.Broadcast()
	return err
}

// follow meets the links of a block that is here. The caller holds mu.
func (t *Walk) follow(c cid.Cid, data []byte) error {
	links, err := car.Links(c, data)
	if err != nil {
		return err
	}
	if c == t.Root {
		t.total = max(t.done, estimate(c, data, t.Most))
	}
	if d := t.seen[c]; t.Depth < 0 || d < t.Depth {
		return t.meet(links, d+1)
	}
	return nil
}

// meet notes blocks to get, walking through those that are here already
// without recursion. The caller holds mu.
func (t *Walk) meet(cs []cid.Cid, depth int) error {
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
			if again && (t.Depth < 0 || d <= depth) {
				continue
			}
			if len(t.seen) >= car.MaxBlocks {
				return fmt.Errorf("block %s: %w", c, car.ErrTooMany)
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
		data, ok := t.Have(m.c)
		if !ok {
			t.want = append(t.want, m.c)
			continue
		}
		links, err := car.Links(m.c, data)
		if err == nil && t.Count != nil {
			err = t.Count(data)
		}
		if err == nil && (t.Depth < 0 || m.depth < t.Depth) {
			err = add(links, m.depth+1)
		}
		if m.c == t.Root {
			t.total = max(t.done, estimate(m.c, data, t.Most))
		}
		errs = errors.Join(errs, err)
	}
	return errs
}

// estimate returns what the root of a UnixFS DAG says that all of it takes; 0
// where it does not say. It is shown, never relied on.
func estimate(c cid.Cid, b []byte, most uint64) uint64 {
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
				sum += min(size, most)
			}
			m := protowire.ConsumeFieldValue(num, typ, link[n:])
			if m < 0 {
				return 0
			}
			link = link[n+m:]
		}
	}
	return min(sum, most)
}
