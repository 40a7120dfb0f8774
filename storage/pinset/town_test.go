package pinset_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/storage/pinset"
)

const (
	period  = 60 // blocks
	inChain = 2  // blocks until what was sent is in the chain
)

var errFetch = errors.New("nobody answers")

// town is a network of keepers: a chain that says who holds what, and links that
// take their time.
type town struct {
	t     *testing.T
	seed  uint64
	rng   *rand.Rand // of the test itself
	flaky int        // of a hundred fetches, how many fail

	mu      sync.Mutex
	head    uint64                                 // guarded by mu; as is all that follows
	changed chan struct{}                          // closed at the next block
	holders map[common.Hash]map[common.Address]int // block of the addition
	dead    map[common.Address]uint64              // since block
	pinners []common.Address
	wanted  []pinset.Wanted
	lies    []pinset.Wanted // listed before it
	partly  error           // why that is not all
	ops     []op
	abreast map[common.Hash]int
	most    map[common.Hash]int // concurrent fetches ever
	fetches int
	lowest  map[common.Hash]int // holders, once the target was reached
	nodes   map[common.Address]*house
	size    map[common.Hash]uint64  // of a wanted piece
	fakes   map[common.Address]bool // name pieces and never prove them
}

type op struct {
	due   uint64
	node  common.Address
	piece common.Hash
	add   bool
}

// house is one node: its disk and its promises.
type house struct {
	*town
	me     common.Address
	k      *pinset.Keeper
	stop   func()
	room   uint64
	on     map[cid.Cid]bool            // on disk and pinned
	kept   map[common.Hash]cid.Cid     // promised
	chain  map[common.Hash]bool        // added, as the prover knows
	gone   map[common.Hash]cid.Cid     // leaving
	tries  map[common.Hash][]uint64    // blocks of fetches
	refuse func(w pinset.Wanted) error // instead of a fetch
}

func newTown(t *testing.T, seed uint64, nodes int, room uint64) *town {
	t.Helper()
	t.Logf("seed %d", seed)
	w := &town{
		t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 5)), head: 1, changed: make(chan struct{}),
		holders: map[common.Hash]map[common.Address]int{}, dead: map[common.Address]uint64{}, abreast: map[common.Hash]int{},
		most: map[common.Hash]int{}, lowest: map[common.Hash]int{}, nodes: map[common.Address]*house{},
		size: map[common.Hash]uint64{}, fakes: map[common.Address]bool{},
	}
	for i := range nodes {
		w.settle(common.Address{byte(i + 1), byte(seed)}, room)
	}
	return w
}

// settle opens a house.
func (w *town) settle(a common.Address, room uint64) *house {
	h := &house{
		town: w, me: a, room: room, on: map[cid.Cid]bool{}, kept: map[common.Hash]cid.Cid{}, chain: map[common.Hash]bool{},
		gone: map[common.Hash]cid.Cid{}, tries: map[common.Hash][]uint64{},
	}
	w.mu.Lock()
	w.pinners = append(w.pinners, a)
	w.nodes[a] = h
	w.mu.Unlock()
	h.start()
	return h
}

// luck is what befalls a node with a piece. It does not depend on the order in which
// nodes, which run at once, come to ask for it: a seed is one story, told the same
// each time.
func (h *house) luck(p common.Hash, of int) *rand.Rand {
	sum := crypto.Keccak256(fmt.Appendf(nil, "%d %s %s %d", h.seed, h.me, p, of))
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum), binary.BigEndian.Uint64(sum[8:])))
}

func (h *house) start() {
	k, err := pinset.New(pinset.Config{Me: h.me, Network: h, Wants: h, Store: h, Prover: h, Rules: pinset.RulesFor(period)})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = k.Run(ctx) }()
	h.k, h.stop = k, func() { cancel(); <-done }
	synctest.Wait() // it has looked, and waits for a block: what is wanted next, all see in the next one
}

// die ends a node: two periods later it is suspended.
func (w *town) die(a common.Address) {
	w.nodes[a].stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead[a] = w.head
}

func (w *town) close() {
	for a, h := range w.nodes {
		if w.dead[a] == 0 {
			h.stop()
		}
	}
}

func (w *town) want(n, target int, size uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range n {
		i := len(w.wanted)
		w.wanted = append(w.wanted, pinset.Wanted{
			Root: protocol.CIDOf(fmt.Append(nil, "shard", i)), Piece: common.BytesToHash(fmt.Append(nil, "piece", i)), Size: size, Target: target, Why: "test",
		})
		w.size[w.wanted[i].Piece] = size
	}
}

func (w *town) suspended(a common.Address) bool {
	at := w.dead[a]
	return at > 0 && w.head >= at+2*period
}

// live are the holders of a piece that are not suspended. The caller holds mu.
func (w *town) live(p common.Hash) []common.Address {
	var out []common.Address
	for a := range w.holders[p] {
		if !w.suspended(a) {
			out = append(out, a)
		}
	}
	return out
}

// blocks mines n blocks.
func (w *town) blocks(n int) {
	for range n {
		<-time.After(time.Second)
		w.mu.Lock()
		w.head++
		rest := w.ops[:0:0]
		for _, o := range w.ops {
			switch {
			case o.due > w.head:
				rest = append(rest, o)
			case w.dead[o.node] > 0:
			case o.add:
				if w.nodes[o.node].kept[o.piece].Defined() {
					if w.holders[o.piece] == nil {
						w.holders[o.piece] = map[common.Address]int{}
					}
					w.holders[o.piece][o.node] = int(w.head)
					w.nodes[o.node].chain[o.piece] = true
				}
			default:
				if h := w.nodes[o.node]; h.gone[o.piece].Defined() {
					delete(w.holders[o.piece], o.node)
					delete(h.on, h.gone[o.piece])
					delete(h.gone, o.piece)
					delete(h.chain, o.piece)
				}
			}
		}
		w.ops = rest
		for _, x := range w.wanted {
			n := len(w.live(x.Piece))
			if low, ok := w.lowest[x.Piece]; ok || n >= x.Target {
				if !ok {
					low = n
				}
				w.lowest[x.Piece] = min(low, n)
			}
		}
		close(w.changed)
		w.changed = make(chan struct{})
		w.mu.Unlock()
		synctest.Wait() // all keepers wait for a block or a fetch
	}
}

// Head, Changed, Pinners and Keepers are the Network.
func (h *house) Head() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.head
}

func (h *house) Changed() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed
}

func (h *house) Pinners() ([]common.Address, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(h.pinners), h.suspended), nil
}

// Keepers hold what they proved: in the period after that of the addition, each
// in a block of its own.
func (h *house) Keepers(p common.Hash, size uint64) (holders, coming []common.Address, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if size != h.size[p] {
		return nil, nil, nil
	}
	for _, a := range h.live(p) {
		if h.proved(p, a) {
			holders = append(holders, a)
		} else if h.head/period <= uint64(h.holders[p][a])/period+1 {
			coming = append(coming, a)
		}
	}
	return holders, coming, nil
}

// proved says whether a node has proved what it added. The caller holds mu.
func (w *town) proved(p common.Hash, a common.Address) bool {
	at := (uint64(w.holders[p][a])/period+1)*period + 1 + uint64(a[0])%(period/4)
	return w.head >= at && !w.fakes[a] && (w.dead[a] == 0 || w.dead[a] >= at)
}

func (h *house) Wanted(context.Context) ([]pinset.Wanted, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append(slices.Clone(h.lies), h.wanted...), h.partly
}

func (h *house) Free() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	used := uint64(len(h.on)) << 20
	return h.room - min(h.room, used)
}

func (h *house) Fetch(ctx context.Context, x pinset.Wanted) error {
	h.mu.Lock()
	h.fetches++
	h.tries[x.Piece] = append(h.tries[x.Piece], h.head)
	h.abreast[x.Piece]++
	h.most[x.Piece] = max(h.most[x.Piece], h.abreast[x.Piece])
	luck := h.luck(x.Piece, len(h.tries[x.Piece]))
	took, fails, refuse := time.Duration(1+luck.IntN(8))*time.Second+300*time.Millisecond, luck.IntN(100) < h.flaky, h.refuse
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		h.abreast[x.Piece]--
		h.mu.Unlock()
	}()
	if refuse != nil {
		if err := refuse(x); err != nil {
			return err
		}
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(took):
	}
	if fails {
		return errFetch
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range h.wanted {
		if w.Root.Equals(x.Root) && (w.Piece != x.Piece || w.Size != x.Size) {
			return fmt.Errorf("it has %d bytes: %w", w.Size, pinset.ErrWrong)
		}
	}
	h.on[x.Root] = true
	return nil
}

func (h *house) Pinned(context.Context) ([]cid.Cid, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []cid.Cid
	for r := range h.on {
		out = append(out, r)
	}
	return out, nil
}

func (h *house) Release(_ context.Context, root cid.Cid) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.kept {
		if r.Equals(root) {
			h.t.Errorf("%s was released though it is promised", root)
		}
	}
	delete(h.on, root)
	return nil
}

// Keep, Drop and Promised are the Prover.
func (h *house) Keep(_ context.Context, x pinset.Wanted) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.on[x.Root] {
		h.t.Errorf("%s is promised and not on disk", x.Root)
	}
	delete(h.gone, x.Piece)
	h.kept[x.Piece] = x.Root
	if !h.chain[x.Piece] {
		h.ops = append(h.ops, op{h.head + inChain, h.me, x.Piece, true})
	}
	return nil
}

func (h *house) Drop(_ context.Context, p common.Hash) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.chain[p] {
		h.gone[p] = h.kept[p]
		h.ops = append(h.ops, op{h.head + 5 + uint64(h.luck(p, -1).IntN(period)), h.me, p, false}) // after the next proof
	} else {
		delete(h.on, h.kept[p])
	}
	delete(h.kept, p)
	return nil
}

func (h *house) Promised() (map[common.Hash]pinset.Promise, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := map[common.Hash]pinset.Promise{}
	for p, r := range h.kept {
		out[p] = pinset.Promise{Root: r, Size: h.size[p], Kept: true, OnChain: h.chain[p]}
	}
	for p, r := range h.gone {
		out[p] = pinset.Promise{Root: r, Size: h.size[p], OnChain: true}
	}
	return out, nil
}

// counts are the holders of each wanted shard that are not suspended.
func (w *town) counts() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []int
	for _, x := range w.wanted {
		out = append(out, len(w.live(x.Piece)))
	}
	return out
}
