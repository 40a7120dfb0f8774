package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/ipfs/go-cid"

	"tally/protocol/piece"
	"tally/storage/car"
)

// aheadSpans is how many spans are kept in memory for the one who reads the blocks
// in order; what comes further ahead is read from the disk again.
const aheadSpans = 12

// Assembly is a shard under way whose file comes in spans of a MiB, in any order
// and from anywhere. Begin starts one; Adopt says what the file must be; Put takes
// spans; Finish makes the shard; Close ends it in any case.
//
// Every span is checked against the outline before it counts, and every block
// against its CID as soon as all that precede it are here, so that in the common
// case nothing is read from the disk. What came is kept across restarts. An
// outline is only somebody's claim until Finish: blocks that are not those of the
// root show as an error of Finish and at Done, and another outline may be adopted,
// for which the spans that it shares are kept.
//
// Between Adopt and Finish, Put, Buffer, Drop, Have, Span and Spans may be called
// from many goroutines; Adopt, Finish, Discard and Close by one, while none of these
// is under way. Memory is bounded by twice aheadSpans MiB and one for each Put.
type Assembly struct {
	s       *Store
	root    cid.Cid
	release func() // of the claim on the root

	res     *reservation // owned by the caller of Adopt; nil before
	outline Outline      // owned by the caller of Adopt
	f       *os.File
	bitmap  *os.File
	walked  chan struct{} // closed when the reader of blocks ended
	record  *record       // owned by the reader of blocks until walked

	mu      sync.Mutex
	change  *sync.Cond     // on mu: have, ended, walkErr
	have    []bool         // guarded by mu: checked, and in f
	bytes   uint64         // guarded by mu: of spans that are here
	ahead   map[int][]byte // guarded by mu: spans that the reader of blocks will want
	cursor  int            // guarded by mu: the span that it reads
	free    [][]byte       // guarded by mu: spare buffers
	ended   bool           // guarded by mu: the reader of blocks must stop
	walkErr error          // guarded by mu: why it stopped
	done    chan struct{}  // closed when all is here and read, or reading failed
}

// Begin claims the fetch of a shard, waiting for another that runs. If the shard is
// here it is returned, and no assembly.
func (s *Store) Begin(ctx context.Context, root cid.Cid) (*Assembly, Shard, error) {
	if err := car.CheckCID(root); err != nil {
		return nil, Shard{}, fmt.Errorf("fetch: %w", err)
	}
	r, release, err := s.claim(ctx, root)
	if err != nil {
		return nil, Shard{}, err
	}
	if r != nil {
		return nil, r.shard(), nil
	}
	return &Assembly{s: s, root: root, release: release}, Shard{}, nil
}

func (a *Assembly) path() string    { return a.s.fetchPath(a.root, extSpans) }
func (a *Assembly) mapPath() string { return a.s.fetchPath(a.root, extMap) }

// Left returns the outline with which an earlier run went on, or that of the shard
// itself if it is here and damaged.
func (a *Assembly) Left() (Outline, bool) {
	o, _, err := a.load()
	if err == nil {
		return o, true
	}
	r := a.s.record(a.root)
	if r == nil {
		return Outline{}, false
	}
	layer, err := a.s.layer(a.root)
	o = Outline{Piece: r.Piece, Size: r.Size, Layer: layer}
	return o, err == nil && o.Check(a.s.max) == nil
}

func (a *Assembly) load() (Outline, []bool, error) {
	f, err := os.Open(a.mapPath())
	if err != nil {
		return Outline{}, nil, err
	}
	defer func() { _ = f.Close() }()
	max := int64(mapHead) + 33*int64(piece.Spans(a.s.max))
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return Outline{}, nil, err
	}
	return parseMap(b, a.s.max)
}

// Adopt says what the file is, and checks what is on the disk against it: spans of
// an earlier outline or run, and those of the shard if it is damaged or was set aside. It fails
// with ErrOutline, ErrTooLarge, or where the quota has no room for all of the
// file; nothing is downloaded before that is known.
func (a *Assembly) Adopt(ctx context.Context, o Outline) error {
	if err := o.Check(a.s.max); err != nil {
		return fmt.Errorf("fetch %s: %w", a.root, err)
	}
	a.stop()
	had := a.have
	if a.f == nil {
		had = nil
		if old, bits, err := a.load(); err == nil && len(old.Layer) > 0 {
			had = bits
		}
	}
	if a.res != nil {
		a.res.Release() // a claim of another size may be less
		a.res = nil
	}
	res, err := a.s.reserveFetch(a.root, o.Size, uint64(o.bitsAt()+(len(o.Layer)+7)/8), extSpans, extMap)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", a.root, err)
	}
	a.res = res
	res.yield() // its spans come in any order: there is room for all of them, or for none
	if err := res.Grow(o.Size); err != nil {
		return fmt.Errorf("fetch %s: %w", a.root, err)
	}
	if err := a.files(o); err != nil {
		return err
	}
	a.outline, a.have, a.bytes = o, make([]bool, o.spans()), 0
	a.ahead, a.cursor, a.ended, a.walkErr = map[int][]byte{}, 0, false, nil
	a.change = sync.NewCond(&a.mu)
	a.walked, a.done = make(chan struct{}), make(chan struct{})
	if err := a.recover(ctx, had); err != nil {
		close(a.walked)
		return err
	}
	go a.walk()
	return nil
}

// files opens the files of a new outline and writes its map.
func (a *Assembly) files(o Outline) error {
	for _, x := range []struct {
		f    **os.File
		path string
	}{{&a.f, a.path()}, {&a.bitmap, a.mapPath()}} {
		if *x.f != nil {
			continue
		}
		f, err := os.OpenFile(x.path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return fail("fetch", err)
		}
		*x.f = f
	}
	if at, err := a.f.Seek(0, io.SeekEnd); err != nil || uint64(at) > o.Size {
		if err = errors.Join(err, a.f.Truncate(int64(o.Size))); err != nil {
			return fail("fetch", err)
		}
	}
	b := o.encode(make([]bool, o.spans()))
	if _, err := a.bitmap.WriteAt(b, 0); err != nil {
		return fail("fetch", err)
	}
	if err := a.bitmap.Truncate(int64(len(b))); err != nil {
		return fail("fetch", err)
	}
	return nil
}

// recover takes what is sound of earlier runs and of a broken shard.
func (a *Assembly) recover(ctx context.Context, had []bool) error {
	broken, err := a.s.openBroken(a.root)
	if err == nil {
		defer func() { _ = broken.Close() }()
	}
	buf, kept := make([]byte, piece.LayerSpan), 0
	for i := range a.have {
		if err := ctx.Err(); err != nil {
			return fail("fetch", err)
		}
		off, n := a.outline.span(i)
		switch {
		case i < len(had) && had[i] && read(a.f, buf[:n], off) && a.outline.holds(i, buf[:n]):
		case broken != nil && read(broken, buf[:n], off) && a.outline.holds(i, buf[:n]):
			if _, err := a.f.WriteAt(buf[:n], int64(off)); err != nil {
				return fail("fetch", err)
			}
		default:
			continue
		}
		kept++
		if _, err := a.mark(i, n); err != nil {
			return err
		}
	}
	if kept > 0 {
		a.s.log.Info("going on with a fetch", "root", a.root, "kept", kept, "spans", len(a.have))
	}
	return nil
}

func read(f *os.File, b []byte, off uint64) bool {
	_, err := f.ReadAt(b, int64(off))
	return err == nil
}

// mark notes a span that is in the file; it reports whether it was not before.
func (a *Assembly) mark(i, n int) (bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.have[i] {
		return false, nil
	}
	a.have[i] = true
	a.bytes += uint64(n)
	a.res.Wrote(a.bytes)
	if _, err := a.bitmap.WriteAt([]byte{bits(a.have, i&^7)}, int64(a.outline.bitsAt()+i/8)); err != nil {
		return false, fail("fetch", err)
	}
	a.change.Broadcast()
	return true, nil
}

// Spans returns how many spans the file has, and how many bytes of it are here.
func (a *Assembly) Spans() (n int, bytes uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.have), a.bytes
}

// Have says whether a span is here.
func (a *Assembly) Have(i int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.have[i]
}

// Walked returns how many spans, from the first on, the reader of blocks is through
// with. All their blocks are known to be the root's but for the last three MiB, of which
// some may still wait for the rest of a block.
func (a *Assembly) Walked() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.cursor
}

// Span returns where in the file a span is.
func (a *Assembly) Span(i int) (off uint64, n int) { return a.outline.span(i) }

// Buffer returns room for one span, to be given to Put or Drop.
func (a *Assembly) Buffer() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.buffer()
}

func (a *Assembly) buffer() []byte {
	if n := len(a.free); n > 0 {
		b := a.free[n-1]
		a.free = a.free[:n-1]
		return b
	}
	return make([]byte, piece.LayerSpan)
}

// Drop gives back a buffer that is of no use.
func (a *Assembly) Drop(b []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.spare(b)
}

func (a *Assembly) spare(b []byte) {
	if cap(b) == piece.LayerSpan && len(a.free) < aheadSpans {
		a.free = append(a.free, b[:piece.LayerSpan])
	}
}

// Put takes span i, which is the caller's no more. ErrCorrupt says that it is not
// what the outline says; other errors are of the disk. It reports whether the span
// was wanted still.
func (a *Assembly) Put(i int, b []byte) (fresh bool, err error) {
	if a.Have(i) {
		a.Drop(b)
		return false, nil
	}
	if !a.outline.holds(i, b) {
		a.Drop(b)
		return false, fmt.Errorf("span %d of shard %s: %w", i, a.root, ErrCorrupt)
	}
	if err := a.s.vol.Check(); err != nil {
		a.Drop(b)
		return false, fail("fetch", err)
	}
	off, n := a.outline.span(i)
	if _, err := a.f.WriteAt(b, int64(off)); err != nil {
		a.Drop(b)
		return false, fail("fetch", err)
	}
	if !a.s.temp {
		startWriting(a.f, int64(off), int64(n))
	}
	a.mu.Lock()
	if !a.have[i] && i >= a.cursor && len(a.ahead) < aheadSpans {
		a.ahead[i] = b
	} else {
		a.spare(b)
	}
	a.mu.Unlock()
	return a.mark(i, n)
}

// walk reads the blocks in order while the spans come in.
func (a *Assembly) walk() {
	defer close(a.walked)
	r, err := a.s.blocksOf(&spanReader{a: a}, a.root, a.outline.Size)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return
	}
	a.record, a.walkErr = r, err
	close(a.done)
}

// Done is closed when every span is here and every block was checked, or when a
// block was wrong: Finish says which.
func (a *Assembly) Done() <-chan struct{} { return a.done }

// Finish makes the shard once Done is closed. An error that Malformed knows says
// that the adopted outline is not that of the root.
func (a *Assembly) Finish(ctx context.Context) (Shard, error) {
	select {
	case <-a.done:
	case <-ctx.Done():
		return Shard{}, fail("fetch", ctx.Err())
	}
	<-a.walked
	if a.walkErr != nil {
		return Shard{}, fmt.Errorf("fetch %s: %w", a.root, a.walkErr)
	}
	r := a.record
	r.Piece, r.Size, r.layer = a.outline.Piece, a.outline.Size, a.outline.Layer
	sh, err := a.s.settle(a.f, r, a.res)
	if errors.Is(err, errUnsynced) {
		err = errors.Join(err, a.anew())
	}
	if err != nil {
		return Shard{}, fmt.Errorf("fetch %s: %w", a.root, err)
	}
	a.Discard()
	return sh, nil
}

// anew forgets the files: another Adopt begins with none.
func (a *Assembly) anew() error {
	errs := []error{a.f.Close(), a.bitmap.Close()}
	a.f, a.bitmap = nil, nil
	for _, path := range []string{a.path(), a.mapPath()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fail("fetch", err))
		}
	}
	return errors.Join(errs...)
}

// Discard removes what is on the disk of an assembly that nobody will go on with.
func (a *Assembly) Discard() { a.s.clearFetch(a.root) }

// stop ends the reader of blocks.
func (a *Assembly) stop() {
	if a.walked == nil {
		return
	}
	a.mu.Lock()
	a.ended = true
	a.change.Broadcast()
	a.mu.Unlock()
	<-a.walked
}

// Close ends the assembly. What is on the disk stays for the next.
func (a *Assembly) Close() error {
	a.stop()
	var errs []error
	for _, f := range []*os.File{a.f, a.bitmap} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	if a.res != nil {
		a.res.Release()
	}
	a.release()
	return errors.Join(errs...)
}

// Malformed says that the bytes of a shard, not the way they came, are at fault.
func Malformed(err error) bool { return malformed(err) || errors.Is(err, ErrTruncated) }
