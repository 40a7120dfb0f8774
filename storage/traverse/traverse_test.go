package traverse

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ipfs/boxo/ipld/merkledag"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"tally/storage/car"
)

// shelf is blocks, and an exchange with whoever holds them.
type shelf struct {
	mu     sync.Mutex
	blocks map[cid.Cid]blocks.Block // guarded by mu
	asked  []cid.Cid                // guarded by mu
	silent bool
	change func(blocks.Block) blocks.Block // what it sends instead
}

func (s *shelf) GetBlocks(ctx context.Context, cs []cid.Cid) (<-chan blocks.Block, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, cs...)
	out := make(chan blocks.Block, len(cs))
	for _, c := range cs {
		if b := s.blocks[c]; b != nil && !s.silent {
			if s.change != nil {
				b = s.change(b)
			}
			out <- b
		}
	}
	return out, nil
}

func (s *shelf) get(c cid.Cid) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.blocks[c]; b != nil {
		return b.RawData(), true
	}
	return nil, false
}

func (s *shelf) put(c cid.Cid, data []byte) error {
	b, err := blocks.NewBlockWithCid(data, c)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocks[c] = b
	return err
}

// tree is a DAG of three levels: its root, two nodes, and four leaves of which they share one.
func tree(t *testing.T) (root cid.Cid, s *shelf, levels [3][]cid.Cid) {
	t.Helper()
	s = &shelf{blocks: map[cid.Cid]blocks.Block{}}
	node := func(level int, data string, links ...cid.Cid) cid.Cid {
		n := merkledag.NodeWithData([]byte(data))
		if err := n.SetCidBuilder(cid.V1Builder{Codec: cid.DagProtobuf, MhType: 0x12}); err != nil {
			t.Fatal(err)
		}
		for _, c := range links {
			b, ok := s.get(c)
			if !ok {
				t.Fatal("a link to nothing")
			}
			if err := n.AddNodeLink("", merkledag.NewRawNode(b)); err != nil {
				t.Fatal(err)
			}
			ls := n.Links()
			ls[len(ls)-1].Cid = c
		}
		c := n.Cid()
		if err := s.put(c, n.RawData()); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(levels[level], c) {
			levels[level] = append(levels[level], c)
		}
		return c
	}
	a := node(1, "a", node(2, "1"), node(2, "2"), node(2, "shared"))
	b := node(1, "b", node(2, "shared"), node(2, "3"))
	return node(0, "root", a, b), s, levels
}

func walk(root cid.Cid, depth int, from, to *shelf) *Walk {
	return &Walk{Root: root, Depth: depth, From: from, Stall: time.Minute, Most: 1 << 30, Have: to.get, Put: to.put, Progress: func(uint64, uint64) {}}
}

func TestAWalkGathersEachBlockOnceAndOnlySoDeep(t *testing.T) {
	root, far, levels := tree(t)
	for depth, want := range [][]cid.Cid{
		levels[0], slices.Concat(levels[0], levels[1]), slices.Concat(levels[0], levels[1], levels[2]),
	} {
		here := &shelf{blocks: map[cid.Cid]blocks.Block{}}
		far.asked = nil
		w := walk(root, depth, far, here)
		if depth == 2 {
			w.Depth = -1
		}
		if err := w.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(here.blocks) != len(want) || len(far.asked) != len(want) || len(w.Met()) != len(want) {
			t.Fatalf("depth %d: %d blocks came of %d, %d were asked for", depth, len(here.blocks), len(want), len(far.asked))
		}
		for _, c := range want {
			if _, ok := here.get(c); !ok {
				t.Fatal("missing", c)
			}
		}
		// What is here needs nobody.
		again := walk(root, w.Depth, nil, here)
		again.From = nil
		if err := again.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAWalkEndsWhereNobodySendsOrWhatIsSentIsWrong(t *testing.T) {
	root, far, _ := tree(t)
	none := &shelf{blocks: map[cid.Cid]blocks.Block{}}
	alone := walk(root, -1, nil, none)
	alone.From = nil
	if err := alone.Run(t.Context()); !errors.Is(err, ErrNoExchange) {
		t.Fatal(err)
	}
	full := errors.New("full")
	w := walk(root, -1, far, none)
	w.Put = func(cid.Cid, []byte) error { return full }
	if err := w.Run(t.Context()); !errors.Is(err, full) {
		t.Fatal(err)
	}
	far.change = func(b blocks.Block) blocks.Block {
		c, _ := blocks.NewBlockWithCid([]byte("another"), b.Cid())
		return c
	}
	if err := walk(root, -1, far, none).Run(t.Context()); !errors.Is(err, car.ErrCorrupt) || len(none.blocks) > 0 {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		if err := walk(root, -1, &shelf{silent: true}, &shelf{}).Run(t.Context()); !errors.Is(err, ErrStalled) || time.Since(begin) != time.Minute {
			t.Fatal(err, time.Since(begin))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := walk(root, -1, &shelf{silent: true}, &shelf{}).Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	})
}

func FuzzEstimate(f *testing.F) {
	n := merkledag.NodeWithData([]byte("x"))
	if err := n.AddNodeLink("", merkledag.NewRawNode(make([]byte, 3000))); err != nil {
		f.Fatal(err)
	}
	c := cid.NewCidV1(cid.DagProtobuf, n.Cid().Hash())
	if got := estimate(c, n.RawData(), 1<<20); got < 3000 || got > 4000 {
		f.Fatal(got)
	}
	f.Add(n.RawData())
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := estimate(c, b, 1<<20); got > 1<<20 {
			t.Fatal(got)
		}
	})
}
