package unixfs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

// bulk is memory that is read ahead.
type bulk struct {
	memory
	wide int

	mu    sync.Mutex
	fail  map[cid.Cid]error // guarded by mu
	asked []int             // guarded by mu: blocks of each call
	given int               // guarded by mu: calls of Ahead that are not done
}

func (b *bulk) GetBlocks(ctx context.Context, cs []cid.Cid, buf []byte) (data [][]byte, grown []byte, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, len(cs))
	buf = buf[:0]
	var ends []int
	for _, c := range cs {
		if err := errors.Join(ctx.Err(), b.fail[c]); err != nil {
			return nil, buf, err
		}
		buf = append(buf, b.memory[c]...)
		ends = append(ends, len(buf))
	}
	from := 0
	for _, end := range ends {
		data, from = append(data, buf[from:end]), end
	}
	return data, buf, nil
}

func (b *bulk) Ahead() (int, func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.given++
	return b.wide, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.given--
	}
}

func newBulk(t *testing.T, data []byte) (*bulk, cid.Cid) {
	t.Helper()
	b := &bulk{memory: memory{}, wide: 4, fail: map[cid.Cid]error{}}
	root, err := ImportFile(t.Context(), b.memory, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return b, root
}

func TestReadingInOrderReadsMoreAndMoreAhead(t *testing.T) {
	data := pattern(12<<20 + 77)
	b, root := newBulk(t, data)
	f, err := OpenFile(t.Context(), b, root)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if n, err := f.WriteTo(&got); n != int64(len(data)) || err != nil || !bytes.Equal(got.Bytes(), data) {
		t.Fatal(n, err)
	}
	if n, err := f.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Fatal(n, err)
	}
	// Two are asked at once, so in any order.
	if want := []int{1, 2, 2, 4, 4}; !slices.Equal(slices.Sorted(slices.Values(b.asked)), want) {
		t.Errorf("asked for %v blocks, want %v in some order", b.asked, want)
	}
	if err := f.Close(); err != nil || b.given != 0 {
		t.Fatal("what Ahead gave was kept", b.given, err)
	}
	if _, err := f.Read(make([]byte, 1)); !errors.Is(err, errClosed) {
		t.Fatal(err)
	}
}

func TestReaderWhoJumpsReadsOneLeafForEachJump(t *testing.T) {
	data := pattern(8 << 20)
	b, root := newBulk(t, data)
	f, err := OpenFile(t.Context(), b, root)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, at := range []int{6, 3, 7, 1, 0} {
		if _, err := f.Seek(int64(at)<<20+5, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 1000)
		if _, err := io.ReadFull(f, got); err != nil || !bytes.Equal(got, data[at<<20+5:][:1000]) {
			t.Fatal(at, err)
		}
	}
	if want := []int{1, 1, 1, 1, 1}; !slices.Equal(b.asked, want) {
		t.Errorf("asked for %v blocks, want %v", b.asked, want)
	}
}

func TestRandomSeeksAndReadsGiveTheFilesBytes(t *testing.T) {
	data := pattern(9<<20 + 12345)
	b, root := newBulk(t, data)
	f, err := OpenFile(t.Context(), b, root)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	pos := 0
	for range 60 {
		if rng.IntN(3) == 0 {
			pos = rng.IntN(len(data) + 10)
			var n int64
			switch rng.IntN(2) {
			case 0:
				n, err = f.Seek(int64(pos), io.SeekStart)
			default:
				n, err = f.Seek(int64(pos-len(data)), io.SeekEnd)
			}
			if n != int64(pos) || err != nil {
				t.Fatal(n, pos, err)
			}
		}
		got := make([]byte, rng.IntN(3<<20))
		n, err := io.ReadFull(f, got)
		want := data[min(pos, len(data)):min(pos+len(got), len(data))]
		if n != len(want) || !bytes.Equal(got[:n], want) || (err == nil) != (n == len(got)) {
			t.Fatalf("%d of %d bytes at %d: %v", n, len(got), pos, err)
		}
		pos += n
	}
}

func TestLeafThatFailsIsAskedForAgain(t *testing.T) {
	data := pattern(9 << 20)
	b, root := newBulk(t, data)
	f, err := OpenFile(t.Context(), b, root)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	broken := errors.New("the disk broke")
	leaves, _ := leavesOf(mustNode(t, b, root))
	b.fail[leaves[5].c] = broken
	var got bytes.Buffer
	if _, err := f.WriteTo(&got); !errors.Is(err, broken) || got.Len() > 5<<20 {
		t.Fatal(got.Len(), err)
	}
	delete(b.fail, leaves[5].c)
	if _, err := f.WriteTo(&got); err != nil || !bytes.Equal(got.Bytes(), data) {
		t.Fatal(got.Len(), err)
	}
	b.memory[leaves[2].c] = []byte("short")
	if _, err := f.Seek(2<<20, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(make([]byte, 1)); !errors.Is(err, ErrNotUnixFS) {
		t.Fatal("a leaf of another length was read", err)
	}
}

func TestFileNodeIsWhatAnImportPuts(t *testing.T) {
	for _, n := range []int{1<<20 + 1, 2 << 20, 5<<20 - 1, 40 << 20} {
		b, root := newBulk(t, make([]byte, n))
		leaves, ok := leavesOf(mustNode(t, b, root))
		if !ok || uint64(len(leaves)) != Leaves(uint64(n)) {
			t.Fatal(n, len(leaves))
		}
		cs := make([]cid.Cid, len(leaves))
		for i := range leaves {
			cs[i] = leaves[i].c
		}
		c, data, err := FileNode(cs, uint64(n))
		if err != nil || c != root || !bytes.Equal(data, b.memory[root]) {
			t.Fatal(n, c, root, err)
		}
		if _, _, err := FileNode(cs[1:], uint64(n)); !errors.Is(err, ErrNotUnixFS) {
			t.Fatal(err)
		}
	}
}

func mustNode(t *testing.T, g Getter, c cid.Cid) ipld.Node {
	t.Helper()
	n, err := service{get: g}.Get(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
