// Package view keeps what the chain has said so far where the rest of the node
// can ask for it.
//
// The life of a fact: the event watcher delivers a block; its logs are decoded
// into protocol facts and appended; whoever waits for a block, an offer or an
// anchor wakes up. When a reorganisation takes blocks back, their facts are
// dropped and the watcher delivers the new ones. The view holds no state of its
// own on disk: the watcher replays what it stored when the node starts.
//
// A View is safe for concurrent use. What it returns is a snapshot and must not
// be written to. It asks the chain nothing.
package view

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sort"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"tally/chainclient/watch"
	"tally/protocol"
)

// ErrUnknown says that the chain has not said that, as far as this node has read.
var ErrUnknown = errors.New("view: not on the chain as far as this node has read it")

// Decoder turns a log into a fact; ok is false for logs
// that say nothing to us.
type Decoder func(types.Log) (f protocol.Fact, ok bool, err error)

type header struct {
	hash common.Hash
	time uint64
}

// Offer is an opened offer and where it was opened.
type Offer struct {
	protocol.OfferOpened
	Block uint64
	Time  uint64
}

// View is the chain's facts in order.
type View struct {
	decode Decoder

	mu      sync.Mutex
	facts   []protocol.Fact                            // guarded by mu; replaced, never overwritten, on Revert
	headers map[uint64]header                          // guarded by mu
	offers  map[common.Hash]Offer                      // guarded by mu
	nodes   map[common.Address]protocol.NodeRegistered // guarded by mu; replaced, never written to
	commits map[protocol.ContributionCommitted]uint64  // guarded by mu; the first block of each
	first   uint64                                     // guarded by mu; the lowest block with a header
	head    uint64                                     // guarded by mu
	changed chan struct{}                              // guarded by mu; closed and replaced at every change
}

// New returns an empty view.
func New(decode Decoder) *View {
	return &View{decode: decode, headers: map[uint64]header{}, offers: map[common.Hash]Offer{}, nodes: map[common.Address]protocol.NodeRegistered{}, commits: map[protocol.ContributionCommitted]uint64{}, changed: make(chan struct{})}
}

// Apply appends a block's facts. It is the watcher's to call.
func (v *View) Apply(_ context.Context, b watch.Block) error {
	var fresh []protocol.Fact
	for _, l := range b.Logs {
		f, ok, err := v.decode(l)
		if err != nil {
			return fmt.Errorf("view: block %d: %w", b.Number, err)
		}
		if ok {
			f.Time = b.Time // not every endpoint puts the time into a log
			fresh = append(fresh, f)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, f := range fresh {
		switch e := f.Event.(type) {
		case protocol.OfferOpened:
			v.offers[e.ID] = Offer{e, f.Block, f.Time}
		case protocol.ContributionCommitted:
			if _, again := v.commits[e]; !again {
				v.commits[e] = f.Block
			}
		}
	}
	v.facts = append(v.facts, fresh...)
	v.nodes = enter(v.nodes, fresh)
	if len(v.headers) == 0 {
		v.first = b.Number
	}
	v.headers[b.Number] = header{b.Hash, b.Time}
	v.head = b.Number
	v.wake()
	return nil
}

// Revert drops every block above to. It is the watcher's to call.
func (v *View) Revert(_ context.Context, to uint64) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	kept := make([]protocol.Fact, 0, len(v.facts))
	clear(v.offers)
	for _, f := range v.facts {
		if f.Block > to {
			continue
		}
		kept = append(kept, f)
		if o, ok := f.Event.(protocol.OfferOpened); ok {
			v.offers[o.ID] = Offer{o, f.Block, f.Time}
		}
	}
	v.facts = kept
	maps.DeleteFunc(v.commits, func(_ protocol.ContributionCommitted, first uint64) bool { return first > to })
	v.nodes = enter(map[common.Address]protocol.NodeRegistered{}, kept)
	for n := range v.headers {
		if n > to {
			delete(v.headers, n)
		}
	}
	v.head = min(v.head, to)
	v.wake()
	return nil
}

func (v *View) wake() {
	close(v.changed)
	v.changed = make(chan struct{})
}

// Changed is closed at the next change.
func (v *View) Changed() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.changed
}

// Facts are all facts so far, in the chain's order.
func (v *View) Facts() []protocol.Fact {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.facts[:len(v.facts):len(v.facts)]
}

// Head is the newest block read, and its time.
func (v *View) Head() (number, time uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.head, v.headers[v.head].time
}

// Block is the hash and time of a block.
func (v *View) Block(number uint64) (common.Hash, uint64, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	h, ok := v.headers[number]
	if !ok {
		return common.Hash{}, 0, fmt.Errorf("%w: block %d (head is %d)", ErrUnknown, number, v.head)
	}
	return h.hash, h.time, nil
}

// BlockAfter is the first block later than the time.
func (v *View) BlockAfter(time uint64) (number uint64, hash common.Hash, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.headers[v.head].time <= time {
		return 0, common.Hash{}, fmt.Errorf("%w: a block after second %d", ErrUnknown, time)
	}
	lo, hi := v.first, v.head // times ascend: hi is later than time
	for lo < hi {
		if mid := lo + (hi-lo)/2; v.headers[mid].time > time {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return hi, v.headers[hi].hash, nil
}

// Offer is an offer by its id.
func (v *View) Offer(id common.Hash) (Offer, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	o, ok := v.offers[id]
	if !ok {
		return Offer{}, fmt.Errorf("%w: offer %s", ErrUnknown, id)
	}
	return o, nil
}

// Committed is the first block in which an account committed to a digest, and
// whether it has. An account that repeats itself costs no memory but its facts.
func (v *View) Committed(account common.Address, digest common.Hash) (block uint64, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	block, ok = v.commits[protocol.ContributionCommitted{Account: account, Digest: digest}]
	return block, ok
}

// Await blocks until ready is true of the view, or ctx ends. ready is called
// without a lock held, after every change.
func (v *View) Await(ctx context.Context, ready func() bool) error {
	for {
		c := v.Changed()
		if ready() {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("view: wait for the chain: %w", context.Cause(ctx))
		case <-c:
		}
	}
}

// AwaitOffer waits until the offer is on the chain as read.
func (v *View) AwaitOffer(ctx context.Context, id common.Hash) (Offer, error) {
	var o Offer
	err := v.Await(ctx, func() bool {
		var err error
		o, err = v.Offer(id)
		return err == nil
	})
	return o, err
}

// AwaitBlock waits for a block and returns its hash.
func (v *View) AwaitBlock(ctx context.Context, number uint64) (common.Hash, error) {
	var h common.Hash
	err := v.Await(ctx, func() bool {
		var err error
		h, _, err = v.Block(number)
		return err == nil
	})
	return h, err
}

// NodesAt are the nodes registered at the end of a block, by account.
func (v *View) NodesAt(block uint64) map[common.Address]protocol.NodeRegistered {
	facts := v.Facts()
	n := sort.Search(len(facts), func(i int) bool { return facts[i].Block > block })
	return enter(map[common.Address]protocol.NodeRegistered{}, facts[:n])
}

// Nodes are the nodes registered now. The map must not be written to.
func (v *View) Nodes() map[common.Address]protocol.NodeRegistered {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.nodes
}

// enter applies facts to a copy of the registry, if there are any of its kind:
// maps that were given out stay as they were.
func enter(nodes map[common.Address]protocol.NodeRegistered, facts []protocol.Fact) map[common.Address]protocol.NodeRegistered {
	copied := false
	for _, f := range facts {
		switch e := f.Event.(type) {
		case protocol.NodeRegistered, protocol.NodeDeregistered:
			if !copied {
				nodes, copied = maps.Clone(nodes), true
			}
			if r, ok := e.(protocol.NodeRegistered); ok {
				nodes[r.Node] = r
			} else {
				delete(nodes, e.(protocol.NodeDeregistered).Node)
			}
		}
	}
	return nodes
}
