package crashring

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"tally/storage"
)

const (
	childDir = "TALLY_CRASHRING_DIR" // where a child works
	quota    = 20 << 20              // of which a file takes up to 1.2 MiB; all of them do not fit
	files    = 60
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		var seed uint64
		_, err := fmt.Sscan(os.Getenv(childDir+"_SEED"), &seed)
		if err == nil {
			err = (&child{rng: rand.New(rand.NewPCG(seed, 1)), in: bufio.NewReader(os.Stdin)}).run(dir)
		}
		fmt.Fprintln(os.Stderr, "the child ended:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// file returns the bytes of a file by its number; some share their first MiB.
func file(n int) []byte {
	head, tail := make([]byte, 1<<20), make([]byte, n*4_321)
	_, _ = rand.NewChaCha8([32]byte{1, byte(n % 4)}).Read(head)
	_, _ = rand.NewChaCha8([32]byte{2, byte(n)}).Read(tail)
	if n%3 < 2 {
		return tail
	}
	return append(head, tail...)
}

func options(dir string) storage.Config { return storage.Config{Dir: dir, Quota: quota, Floor: -1} }

// child does everything that a store can do until it is killed. Before an act it
// says what it will do, and after it that it is done, a line each.
type child struct {
	rng    *rand.Rand
	in     *bufio.Reader
	s      *storage.Store
	remote *storage.Store // another node, which has the files that rot here, and those that were asked for
	stop   func()         // ends the scrub
	pinned []cid.Cid
}

func (c *child) run(dir string) (err error) {
	if c.s, err = storage.Open(options(dir)); err != nil {
		return err
	}
	if c.remote, err = storage.Open(storage.Config{Floor: -1}); err != nil {
		return err
	}
	c.s = c.s.WithExchange(neighbour{c.remote})
	for p, err := range c.s.Pins() {
		if err != nil {
			return err
		}
		c.pinned = append(c.pinned, p.Root)
	}
	for f := range strings.FieldsSeq(os.Getenv(childDir + "_ROT")) {
		n, err := strconv.Atoi(f)
		if err != nil {
			return err
		}
		if _, err := c.remote.ImportFile(context.Background(), bytes.NewReader(file(n))); err != nil {
			return err
		}
	}
	fmt.Println("open")
	ctx := context.Background()
	for {
		c.scrub(ctx)
		for acts := 0; acts < 12; acts++ {
			err := c.act(ctx)
			if errors.Is(err, storage.ErrQuota) {
				err = c.free(ctx)
			}
			if err != nil {
				return err
			}
		}
		if err := c.last(ctx); err != nil {
			return err
		}
	}
}

// scrub has the store scrub itself beside all else, until stop.
func (c *child) scrub(ctx context.Context) {
	conf := storage.ScrubConfig{Rate: -1, Interval: 20 * time.Millisecond, Retry: time.Millisecond, Notify: func(d storage.Damage) {
		if d.Healed != 0 {
			fmt.Println("healed", 0, d.Root)
		}
	}}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- c.s.Scrub(ctx, conf) }()
	c.stop = func() { cancel(); <-ended }
}

// last is one act alone, before which the parent looks at the database: only so
// does it know what this act wrote.
func (c *child) last(ctx context.Context) error {
	c.stop()
	fmt.Println("hold")
	if _, err := c.in.ReadString('\n'); err != nil {
		return err
	}
	n := c.rng.IntN(files)
	fmt.Println("try", n)
	sh, err := c.s.ImportFile(ctx, bytes.NewReader(file(n)))
	if err = c.pin(ctx, n, sh, err); errors.Is(err, storage.ErrQuota) {
		return c.free(ctx)
	}
	return err
}

func (c *child) act(ctx context.Context) error {
	n := c.rng.IntN(files)
	switch k := c.rng.IntN(20); {
	case k < 6:
		fmt.Println("try", n)
		sh, err := c.s.ImportFile(ctx, bytes.NewReader(file(n)))
		return c.pin(ctx, n, sh, err)
	case k < 9:
		fmt.Println("try", n)
		sh, err := c.remote.ImportFile(ctx, bytes.NewReader(file(n)))
		if err != nil {
			return err
		}
		sh, err = c.s.Fetch(ctx, sh.Root, nil)
		return c.pin(ctx, n, sh, err)
	case k < 13:
		fmt.Println("try", n)
		sh, err := c.spans(ctx, n)
		return c.pin(ctx, n, sh, err)
	case k < 14:
		node, err := c.s.PutNode(ctx, []byte{0x19, byte(1 + c.rng.IntN(200)), 0})
		if err != nil {
			return err
		}
		fmt.Println("try", "node")
		if err := c.s.Pin(ctx, node, storage.PinInfo{Why: "node"}); err != nil {
			return err
		}
		fmt.Println("node", 0, node)
		return nil
	case k < 17 && len(c.pinned) > 6:
		return c.unpin(ctx)
	default:
		_, err := c.s.Collect(ctx, 0)
		return err
	}
}

func (c *child) pin(ctx context.Context, n int, sh storage.Shard, err error) error {
	if err == nil {
		err = c.s.Pin(ctx, sh.Root, storage.PinInfo{Why: fmt.Sprint(n)})
	}
	if err != nil {
		return err
	}
	fmt.Println("pin", n, sh.Root)
	c.pinned = append(c.pinned, sh.Root)
	return nil
}

func (c *child) unpin(ctx context.Context) error {
	i := c.rng.IntN(len(c.pinned))
	fmt.Println("unpin", 0, c.pinned[i])
	if err := c.s.Unpin(ctx, c.pinned[i]); err != nil {
		return err
	}
	c.pinned = append(c.pinned[:i], c.pinned[i+1:]...)
	return nil
}

// free makes room in a full store.
func (c *child) free(ctx context.Context) error {
	fmt.Println("full")
	for range min(3, len(c.pinned)) {
		if err := c.unpin(ctx); err != nil {
			return err
		}
	}
	_, err := c.s.Collect(ctx, 0)
	return err
}

// spans fetches a shard a MiB at a time, in any order.
func (c *child) spans(ctx context.Context, n int) (storage.Shard, error) {
	there, err := c.remote.ImportFile(ctx, bytes.NewReader(file(n)))
	if err != nil {
		return there, err
	}
	f, err := c.remote.OpenShard(ctx, there.Root)
	if err != nil {
		return there, err
	}
	defer f.Close()
	layer, err := f.Layer(ctx)
	if err != nil {
		return there, err
	}
	a, here, err := c.s.Begin(ctx, there.Root)
	if err != nil || a == nil {
		return here, err
	}
	defer a.Close()
	o := storage.Outline{Piece: there.Piece, Size: there.Size, Layer: layer}
	if err := a.Adopt(ctx, o); err != nil {
		return there, err
	}
	for _, i := range c.rng.Perm(len(layer)) {
		off := uint64(i) << 20
		b := make([]byte, min(1<<20, there.Size-off))
		if _, err := f.ReadAt(b, int64(off)); err != nil {
			return there, err
		}
		if _, err := a.Put(i, b); err != nil {
			return there, err
		}
	}
	return a.Finish(ctx)
}

// neighbour is an exchange with one other store.
type neighbour struct{ s *storage.Store }

func (n neighbour) GetBlock(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	return n.s.Blockstore().Get(ctx, c)
}

func (n neighbour) GetBlocks(ctx context.Context, cs []cid.Cid) (<-chan blocks.Block, error) {
	out := make(chan blocks.Block, len(cs))
	defer close(out)
	for _, c := range cs {
		if b, err := n.GetBlock(ctx, c); err == nil {
			out <- b
		}
	}
	return out, nil
}
