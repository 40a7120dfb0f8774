package storage_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/iotest"
	"time"

	"github.com/ipfs/boxo/exchange"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"tally/storage"
)

// swap is the smallest honest exchange: it asks one other store. Faults are
// chosen by its functions.
type swap struct {
	from   *storage.Store
	change func(cid.Cid, []byte) []byte // nil result: never answer
	asked  atomic.Int64
	opened atomic.Int64

	mu  sync.Mutex
	log map[cid.Cid]int // guarded by mu: how often each was asked for
}

func (x *swap) NewSession(context.Context) exchange.Fetcher { x.opened.Add(1); return x }

func (x *swap) GetBlock(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	ch, err := x.GetBlocks(ctx, []cid.Cid{c})
	if err != nil {
		return nil, err
	}
	select {
	case b, ok := <-ch:
		if ok {
			return b, nil
		}
	case <-ctx.Done():
	}
	return nil, errors.New("swap: nothing came")
}

func (x *swap) GetBlocks(ctx context.Context, cs []cid.Cid) (<-chan blocks.Block, error) {
	x.asked.Add(int64(len(cs)))
	out := make(chan blocks.Block)
	go func() {
		defer close(out)
		for _, c := range cs {
			x.mu.Lock()
			if x.log == nil {
				x.log = map[cid.Cid]int{}
			}
			x.log[c]++
			x.mu.Unlock()
			data, err := x.from.GetBlock(ctx, c)
			if err == nil && x.change != nil {
				data = x.change(c, data)
			}
			if err != nil || data == nil {
				<-ctx.Done() // as bitswap does: it hangs until found
				return
			}
			b, err := blocks.NewBlockWithCid(data, c)
			if err != nil {
				return
			}
			select {
			case out <- b:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// provided records what was provided.
type provided struct {
	mu sync.Mutex
	in map[cid.Cid]bool // guarded by mu
}

func (p *provided) set(c cid.Cid, v bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.in == nil {
		p.in = map[cid.Cid]bool{}
	}
	p.in[c] = v
	return nil
}

func (p *provided) Provide(_ context.Context, c cid.Cid) error   { return p.set(c, true) }
func (p *provided) Unprovide(_ context.Context, c cid.Cid) error { return p.set(c, false) }
func (p *provided) has(c cid.Cid) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.in[c]
}

func TestFetchedShardIsTheSameShard(t *testing.T) {
	one, two := open(t, t.TempDir()), open(t, t.TempDir())
	b := noise(10, 7<<20+3)
	dir := fstest.MapFS{"a/b": {Data: b}, "a/c": {Data: b[:100]}, "d": {Data: nil}}
	want, err := one.ImportDir(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	x := &swap{from: one}
	var last, total uint64
	got, err := two.WithExchange(x).Fetch(t.Context(), want.Root, func(d, n uint64) { last, total = d, n })
	if err != nil || got != want {
		t.Fatal(got, err)
	}
	if last != want.Size || total != want.Size || x.opened.Load() != 1 {
		t.Fatal(last, total, x.opened.Load())
	}
	if !bytes.Equal(export(t, one, want.Root), export(t, two, want.Root)) {
		t.Fatal("files differ")
	}
	asked := x.asked.Load()
	if again, err := two.Fetch(t.Context(), want.Root, nil); err != nil || again != want || x.asked.Load() != asked {
		t.Fatal("a shard that is held was fetched again", err)
	}
}

func TestFetchGoesOnWhereItStopped(t *testing.T) {
	dir := t.TempDir()
	one, two := open(t, t.TempDir()), open(t, dir)
	b := noise(11, 40<<20)
	want := importFile(t, one, b)
	ctx, cancel := context.WithCancel(t.Context())
	n := atomic.Int64{}
	x := &swap{from: one, change: func(_ cid.Cid, d []byte) []byte {
		if n.Add(1) == 20 {
			cancel()
		}
		return d
	}}
	if _, err := two.Fetch(ctx, want.Root, nil, storage.From(x)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := two.Close(); err != nil {
		t.Fatal(err)
	}
	// A crash may leave half a block at the end.
	spools, err := filepath.Glob(filepath.Join(dir, "fetch", "*.spool"))
	if err != nil || len(spools) != 1 {
		t.Fatal(spools, err)
	}
	info, err := os.Stat(spools[0])
	if err != nil || info.Size() < 5<<20 {
		t.Fatal("nothing was kept", err)
	}
	if err := os.Truncate(spools[0], info.Size()-10); err != nil {
		t.Fatal(err)
	}
	kept := int64(info.Size()>>20) - 1
	two = open(t, dir)
	y := &swap{from: one}
	if got, err := two.Fetch(t.Context(), want.Root, nil, storage.From(y)); err != nil || got != want {
		t.Fatal(got, err)
	}
	if y.asked.Load() > 41-kept+1 {
		t.Fatalf("asked for %d blocks though %d were here", y.asked.Load(), kept)
	}
	for c, n := range y.log {
		if n > 1 {
			t.Fatalf("%s was asked for %d times", c, n)
		}
	}
	mustCat(t, two, want.Root, b)
	if left, _ := filepath.Glob(filepath.Join(dir, "fetch", "*")); len(left) > 0 {
		t.Fatal("left behind:", left)
	}
}

func TestBlocksOfOtherShardsAreNotFetched(t *testing.T) {
	one, two := open(t, ""), open(t, "")
	b := noise(12, 10<<20)
	importFile(t, two, b[:8<<20])
	want := importFile(t, one, b)
	x := &swap{from: one}
	if got, err := two.Fetch(t.Context(), want.Root, nil, storage.From(x)); err != nil || got != want {
		t.Fatal(got, err)
	}
	if x.asked.Load() != 3 { // the root and two leaves
		t.Fatalf("asked for %d blocks", x.asked.Load())
	}
}

func TestServedFlippedBitIsCaughtAndNamed(t *testing.T) {
	one, two := open(t, ""), open(t, "")
	want := importFile(t, one, noise(13, 3<<20))
	var victim atomic.Value
	x := &swap{from: one, change: func(c cid.Cid, d []byte) []byte {
		if c.Type() == cid.Raw && victim.CompareAndSwap(nil, c) {
			d = bytes.Clone(d)
			d[len(d)/2] ^= 1
		}
		return d
	}}
	_, err := two.Fetch(t.Context(), want.Root, nil, storage.From(x))
	if !errors.Is(err, storage.ErrCorrupt) || !bytes.Contains([]byte(err.Error()), []byte(victim.Load().(cid.Cid).String())) {
		t.Fatal(err)
	}
	if _, err := two.Stat(t.Context(), want.Root); !errors.Is(err, storage.ErrNotFound) {
		t.Fatal("a shard was made of it", err)
	}
	if got, err := two.Fetch(t.Context(), want.Root, nil, storage.From(&swap{from: one})); err != nil || got != want {
		t.Fatal(got, err)
	}
}

func TestFetchIsBoundedInBytesAndTime(t *testing.T) {
	one, two := open(t, ""), open(t, t.TempDir())
	want := importFile(t, one, noise(14, 5<<20))
	if _, err := two.Fetch(t.Context(), want.Root, nil, storage.From(&swap{from: one}), storage.MaxBytes(3<<20)); !errors.Is(err, storage.ErrTooLarge) {
		t.Fatal(err)
	}
	silent := &swap{from: one, change: func(c cid.Cid, d []byte) []byte {
		if c.Type() == cid.Raw {
			return nil
		}
		return d
	}}
	if _, err := two.Fetch(t.Context(), want.Root, nil, storage.From(silent), storage.Stall(20*time.Millisecond)); !errors.Is(err, storage.ErrStalled) {
		t.Fatal(err)
	}
	if _, err := two.Fetch(t.Context(), want.Root, nil); !errors.Is(err, storage.ErrNoExchange) {
		t.Fatal(err)
	}
}

func TestConcurrentFetchesOfOneRootShareTheWork(t *testing.T) {
	one, two := open(t, ""), open(t, "")
	want := importFile(t, one, noise(15, 6<<20))
	x := &swap{from: one}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got, err := two.Fetch(t.Context(), want.Root, nil, storage.From(x)); err != nil || got != want {
				t.Error(got, err)
			}
		})
	}
	wg.Wait()
	if x.asked.Load() != 7 {
		t.Fatalf("asked for %d blocks", x.asked.Load())
	}
}

// serve is a stream of ServeCAR, through f.
func serve(s *storage.Store, root cid.Cid, f func(io.Reader) io.Reader) func(context.Context, uint64) (io.ReadCloser, error) {
	return func(ctx context.Context, off uint64) (io.ReadCloser, error) {
		r, w := io.Pipe()
		go func() { _ = w.CloseWithError(s.ServeCAR(ctx, w, root, off)) }()
		if f == nil {
			return r, nil
		}
		return struct {
			io.Reader
			io.Closer
		}{f(r), r}, nil
	}
}

func TestStreamedShardIsTheSameShard(t *testing.T) {
	one, two := open(t, ""), open(t, t.TempDir())
	b := noise(16, 9<<20)
	want := importFile(t, one, b)
	cut := errors.New("line cut")
	var offsets []uint64
	for at := int64(100_000); at < 100e6; at += 1_500_000 {
		got, err := two.FetchCAR(t.Context(), want.Root, func(ctx context.Context, off uint64) (io.ReadCloser, error) {
			offsets = append(offsets, off)
			return serve(one, want.Root, func(r io.Reader) io.Reader {
				if off+uint64(at) > want.Size {
					return r
				}
				return io.MultiReader(io.LimitReader(r, at), iotest.ErrReader(cut))
			})(ctx, off)
		}, nil)
		if err == nil {
			if got != want {
				t.Fatal(got)
			}
			break
		}
		if !errors.Is(err, cut) {
			t.Fatal(err)
		}
	}
	for i := 1; i < len(offsets); i++ {
		if offsets[i] < offsets[i-1] {
			t.Fatal("went back", offsets)
		}
	}
	if len(offsets) < 3 || offsets[len(offsets)-1] == 0 {
		t.Fatal("did not resume", offsets)
	}
	mustCat(t, two, want.Root, b)
}

func TestStreamedFlippedBitIsCaughtAndDoesNotSpoilTheRest(t *testing.T) {
	one, two := open(t, ""), open(t, t.TempDir())
	want := importFile(t, one, noise(17, 4<<20))
	flip := func(r io.Reader) io.Reader {
		b, _ := io.ReadAll(r)
		b[len(b)-1000] ^= 8
		return bytes.NewReader(b)
	}
	if _, err := two.FetchCAR(t.Context(), want.Root, serve(one, want.Root, flip), nil); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatal(err)
	}
	long := func(r io.Reader) io.Reader { return io.MultiReader(r, bytes.NewReader([]byte("more"))) }
	if _, err := two.FetchCAR(t.Context(), want.Root, serve(one, want.Root, long), nil); !errors.Is(err, storage.ErrTrailing) {
		t.Fatal(err)
	}
	// Damage what is on disk: it is noticed and fetched again in the same call.
	parts, _ := filepath.Glob(filepath.Join(two.Dir(), "fetch", "*.part"))
	if len(parts) != 1 {
		t.Fatal(parts)
	}
	b, err := os.ReadFile(parts[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(parts[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := two.FetchCAR(t.Context(), want.Root, serve(one, want.Root, nil), nil); err != nil || got != want {
		t.Fatal(got, err)
	}
}

func TestSilentOrEndlessStreamIsLeft(t *testing.T) {
	one, two := open(t, ""), open(t, t.TempDir())
	want := importFile(t, one, noise(18, 4<<20))
	silent := func(context.Context, uint64) (io.ReadCloser, error) {
		r, _ := io.Pipe()
		return r, nil
	}
	if _, err := two.FetchCAR(t.Context(), want.Root, silent, nil, storage.Stall(20*time.Millisecond)); !errors.Is(err, storage.ErrStalled) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := two.FetchCAR(ctx, want.Root, silent, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if _, err := two.FetchCAR(t.Context(), want.Root, serve(one, want.Root, nil), nil, storage.MaxBytes(2<<20)); !errors.Is(err, storage.ErrTooLarge) {
		t.Fatal(err)
	}
	if err := one.ServeCAR(t.Context(), io.Discard, want.Root, want.Size+1); !errors.Is(err, storage.ErrRange) {
		t.Fatal(err)
	}
}
