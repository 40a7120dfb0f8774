package watch

import (
	"context"
	"errors"
	"math/big"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"tally/internal/kv"
)

func TestEveryBlockIsAppliedOnceWithTheWatchedLogs(t *testing.T) {
	c, l := newChain(t, 1), newLedger()
	c.block(1, 2)
	c.block()
	w := watcher(t, c, memory(t), nil)
	run(t, w, l)
	h := c.block(3)
	l.reach(t, h.Hash())
	l.equals(t, c, echo)
	if _, n, reverts := l.tip(); n != 3 || reverts != 0 || len(l.blocks[0].Logs) != 2 || len(l.blocks[2].Logs) != 1 {
		t.Errorf("%d blocks, %d reverts, %d and %d logs", n, reverts, len(l.blocks[0].Logs), len(l.blocks[2].Logs))
	}
	got, err := w.HeaderAt(2)
	if err != nil || got != c.truth(2).Header {
		t.Errorf("header %+v, %v", got, err)
	}
	if _, err := w.HeaderAt(4); !errors.Is(err, ErrNotFound) {
		t.Errorf("block 4: %v", err)
	}
	if tip, ok := w.Tip(); !ok || tip.Hash != h.Hash() {
		t.Errorf("tip %+v", tip)
	}
}

func TestReorgRevertsToTheCommonAncestor(t *testing.T) {
	for name, back := range map[string]uint64{"one block": 1, "five": 5, "all": 12} {
		t.Run(name, func(t *testing.T) {
			c, l := newChain(t, 1), newLedger()
			var h *types.Header
			for i := range 12 {
				h = c.block(byte(i))
			}
			run(t, watcher(t, c, memory(t), nil), l)
			l.reach(t, h.Hash())
			c.fork(12 - back)
			for range back + 1 {
				h = c.block(0xff)
			}
			l.reach(t, h.Hash())
			l.equals(t, c, echo)
			if _, n, reverts := l.tip(); n != 13 || reverts < int(back) {
				t.Errorf("%d blocks, %d reverted, want at least %d", n, reverts, back)
			}
		})
	}
}

func TestConfirmationsDelayBlocks(t *testing.T) {
	c, l := newChain(t, 1), newLedger()
	c.block(1)
	c.block(2)
	third := c.block(3)
	c.block(4)
	c.block(5)
	run(t, watcher(t, c, memory(t), func(c *Config) { c.Confirmations = 3 }), l)
	l.reach(t, third.Hash())
	fourth := c.truth(4).Hash
	c.block()
	l.reach(t, fourth)
	l.equals(t, c, echo)
}

func TestRestartReplaysWithoutTheNetwork(t *testing.T) {
	c, db, l := newChain(t, 1), memory(t), newLedger()
	c.block(1)
	h := c.block(2)
	stop := run(t, watcher(t, c, db, nil), l)
	l.reach(t, h.Hash())
	stop()

	down := errors.New("endpoint down")
	c.bend(func() { c.id = func(*big.Int) (*big.Int, error) { return nil, down } })
	again := newLedger()
	stop = run(t, watcher(t, c, db, nil), again)
	again.reach(t, h.Hash())
	if !reflect.DeepEqual(l.blocks[0].Logs[0], again.blocks[0].Logs[0]) {
		t.Errorf("replayed %+v, want %+v", again.blocks[0].Logs[0], l.blocks[0].Logs[0])
	}
	again.equals(t, c, echo)

	c.bend(func() { c.id = nil })
	again.reach(t, c.block(3).Hash()) // and goes on
	again.equals(t, c, echo)
	stop()

	// A reorg while nobody watched.
	c.fork(1)
	c.block(7)
	c.block(8)
	h = c.block(9)
	third := newLedger()
	run(t, watcher(t, c, db, nil), third)
	third.reach(t, h.Hash())
	third.equals(t, c, echo)
}

// seen notes at each call whether the watcher says that it is current.
type seen struct {
	*ledger
	w       *Watcher
	applied []bool // by block; owned by Run, read once it ended
	back    []bool // at each Revert that removed something; the same
}

func (s *seen) Apply(ctx context.Context, b Block) error {
	s.applied = append(s.applied, s.w.Current())
	return s.ledger.Apply(ctx, b)
}

func (s *seen) Revert(ctx context.Context, to uint64) error {
	if _, n, _ := s.tip(); uint64(n) > to {
		s.back = append(s.back, s.w.Current())
	}
	return s.ledger.Revert(ctx, to)
}

// Who acts on the chain must know whether it is the present one that a Sink sees:
// old blocks that are read again, or for the first time after a while, are not.
func TestOnlyTheNewestBlockIsCurrent(t *testing.T) {
	c, db := newChain(t, 1), memory(t)
	for i := range 5 {
		c.block(byte(i))
	}
	w := watcher(t, c, db, func(c *Config) { c.Batch = 2 })
	first := &seen{ledger: newLedger(), w: w}
	select {
	case <-w.CaughtUp():
		t.Fatal("caught up before it ran")
	default:
	}
	stop := run(t, w, first)
	<-w.CaughtUp()
	if !w.Current() {
		t.Error("caught up, and not current")
	}
	first.reach(t, c.block(5).Hash())
	c.fork(4)
	c.block(0xfe)
	c.block(0xfe)
	first.reach(t, c.block(0xfe).Hash())
	stop()
	if want := []bool{false, false, false, false, true, true}; !reflect.DeepEqual(first.applied[:6], want) {
		t.Errorf("current at the first blocks: %v, want %v", first.applied[:6], want)
	}
	if len(first.back) == 0 || first.back[0] {
		t.Errorf("current while blocks are taken back: %v", first.back)
	}

	w = watcher(t, c, db, nil) // restarted, with nothing new
	again := &seen{ledger: newLedger(), w: w}
	stop = run(t, w, again)
	<-w.CaughtUp()
	current := w.Current()
	stop()
	if want := make([]bool, 7); !reflect.DeepEqual(again.applied, want) || !current {
		t.Errorf("current while old blocks are replayed: %v, and after: %t", again.applied, current)
	}
}

func TestSinkThatBreaksGetsEverythingOnTheNextRun(t *testing.T) {
	c, db, l := newChain(t, 1), memory(t), newLedger()
	for i := range 5 {
		c.block(byte(i))
	}
	l.breakAt = 3
	w := watcher(t, c, db, nil)
	if err := w.Run(t.Context(), l); !errors.Is(err, errSink) {
		t.Fatalf("Run: %v", err)
	}
	if _, n, _ := l.tip(); n != 2 {
		t.Errorf("%d blocks before the fault", n)
	}
	l.breakAt = 0 // the same sink and watcher again: what it has is taken back first
	run(t, w, l)
	l.reach(t, c.block(6).Hash())
	l.equals(t, c, echo)
}

func TestOtherContractsStartOver(t *testing.T) {
	c, db, l := newChain(t, 1), memory(t), newLedger()
	h := c.block(1)
	stop := run(t, watcher(t, c, db, nil), l)
	l.reach(t, h.Hash())
	stop()
	both := newLedger()
	run(t, watcher(t, c, db, func(c *Config) { c.Addresses = []common.Address{echo, other, echo} }), both)
	both.reach(t, h.Hash())
	both.equals(t, c, echo, other)
	if len(both.blocks[0].Logs) != 2 {
		t.Errorf("logs %+v", both.blocks[0].Logs)
	}
}

func TestWrongChainEndsRun(t *testing.T) {
	c, db, l := newChain(t, 1), memory(t), newLedger()
	h := c.block(1)
	if err := watcher(t, c, db, func(c *Config) { c.ChainID = 5 }).Run(t.Context(), l); !errors.Is(err, ErrWrongChain) {
		t.Errorf("configured otherwise: %v", err)
	}
	w := watcher(t, c, db, nil)
	done := make(chan error, 1)
	go func() { done <- w.Run(t.Context(), l) }()
	l.reach(t, h.Hash())
	// The endpoint is replaced by another chain's, which shows as a reorg.
	c.bend(func() {
		c.id = func(*big.Int) (*big.Int, error) { return big.NewInt(9), nil }
		c.headers = func(_ context.Context, _ *big.Int, h *types.Header) (*types.Header, error) {
			h = types.CopyHeader(h)
			h.Extra = []byte("other")
			return h, nil
		}
	})
	if err := <-done; !errors.Is(err, ErrWrongChain) {
		t.Errorf("changed: %v", err)
	}
	if err := watcher(t, newChain(t, 2), db, nil).Run(t.Context(), newLedger()); !errors.Is(err, ErrWrongChain) {
		t.Errorf("wiped: %v", err)
	}
}

// Each lie is told until the watcher has been seen to ask again, then the
// truth: the sink must only ever have seen the truth.
func TestLiesNeverReachTheSink(t *testing.T) {
	type lie struct {
		headers func(context.Context, *big.Int, *types.Header) (*types.Header, error)
		filter  func(ethereum.FilterQuery, []types.Log) ([]types.Log, error)
	}
	change := func(f func(*types.Log)) lie {
		return lie{filter: func(_ ethereum.FilterQuery, logs []types.Log) ([]types.Log, error) {
			if len(logs) > 0 {
				f(&logs[0])
			}
			return logs, nil
		}}
	}
	lies := map[string]lie{
		"another block's number": {headers: func(_ context.Context, n *big.Int, h *types.Header) (*types.Header, error) {
			if n != nil && n.Sign() > 0 {
				h = types.CopyHeader(h)
				h.Number.Add(h.Number, common.Big1)
			}
			return h, nil
		}},
		"a broken link": {headers: func(_ context.Context, n *big.Int, h *types.Header) (*types.Header, error) {
			if n != nil && n.Uint64() == 2 {
				h = types.CopyHeader(h)
				h.ParentHash = common.Hash{1}
			}
			return h, nil
		}},
		"a log twice": {filter: func(_ ethereum.FilterQuery, logs []types.Log) ([]types.Log, error) {
			return append(logs, logs...), nil
		}},
		"logs of nobody asked for": change(func(l *types.Log) { l.Address = other }),
		"logs of another block":    change(func(l *types.Log) { l.BlockHash = common.Hash{1} }),
		"logs out of range":        change(func(l *types.Log) { l.BlockNumber += 100 }),
		"five topics":              change(func(l *types.Log) { l.Topics = make([]common.Hash, 5) }),
		"no logs, though the bloom filter says so": {filter: func(q ethereum.FilterQuery, logs []types.Log) ([]types.Log, error) {
			if q.BlockHash != nil {
				return nil, errors.New("unknown block")
			}
			return nil, nil
		}},
	}
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			c, l := newChain(t, 1), newLedger()
			c.block(1)
			c.block(2)
			h := c.block(3)
			asked := make(chan struct{}, 1024)
			c.headers = func(ctx context.Context, n *big.Int, h *types.Header) (*types.Header, error) {
				if n == nil {
					asked <- struct{}{}
				}
				if lie.headers != nil {
					return lie.headers(ctx, n, h)
				}
				return h, nil
			}
			c.filter = lie.filter
			run(t, watcher(t, c, memory(t), nil), l)
			for range 5 {
				<-asked
			}
			if _, n, _ := l.tip(); n > 1 {
				t.Errorf("%d blocks applied from a liar", n)
			}
			c.bend(func() { c.headers, c.filter = nil, nil })
			l.reach(t, h.Hash())
			l.equals(t, c, echo)
		})
	}
}

func TestLaggingReplicaCannotHideLogs(t *testing.T) {
	c, l := newChain(t, 1), newLedger()
	c.bend(func() {
		c.filter = func(q ethereum.FilterQuery, logs []types.Log) ([]types.Log, error) {
			if q.BlockHash == nil {
				return nil, nil
			}
			return logs, nil
		}
	})
	run(t, watcher(t, c, memory(t), nil), l)
	l.reach(t, c.block(1).Hash())
	l.equals(t, c, echo)
}

func TestHeadGoingBackwardsIsWaitedOut(t *testing.T) {
	c, l := newChain(t, 1), newLedger()
	c.block(1)
	h := c.block(2)
	run(t, watcher(t, c, memory(t), nil), l)
	l.reach(t, h.Hash())
	old, err := c.Client.HeaderByNumber(t.Context(), common.Big1)
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{}, 1024)
	c.bend(func() {
		c.headers = func(_ context.Context, n *big.Int, h *types.Header) (*types.Header, error) {
			if n != nil {
				return h, nil
			}
			asked <- struct{}{}
			return old, nil
		}
	})
	for range 3 {
		<-asked
	}
	c.bend(func() { c.headers = nil })
	l.reach(t, c.block(3).Hash())
	l.equals(t, c, echo)
	if _, _, reverts := l.tip(); reverts != 0 {
		t.Errorf("%d blocks reverted", reverts)
	}
}

func TestRangeIsSplitAndHangIsCutOff(t *testing.T) {
	c, l := newChain(t, 1), newLedger()
	var h *types.Header
	for i := range 20 {
		h = c.block(byte(i))
	}
	c.filter = func(q ethereum.FilterQuery, logs []types.Log) ([]types.Log, error) {
		if q.FromBlock != nil && new(big.Int).Sub(q.ToBlock, q.FromBlock).Uint64() >= 3 {
			return nil, errors.New("query returned more than 3 results")
		}
		return logs, nil
	}
	hung := 0
	c.headers = func(ctx context.Context, _ *big.Int, h *types.Header) (*types.Header, error) {
		c.mu.Lock()
		hung++
		first := hung <= 2
		c.mu.Unlock()
		if first {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return h, nil
	}
	run(t, watcher(t, c, memory(t), func(c *Config) { c.CallTimeout = 200 * time.Millisecond }), l)
	l.reach(t, h.Hash())
	l.equals(t, c, echo)
}

func TestDamagedStoreIsFetchedAgain(t *testing.T) {
	c, db, l := newChain(t, 1), memory(t), newLedger()
	c.block(1)
	c.block(2)
	h := c.block(3)
	stop := run(t, watcher(t, c, db, nil), l)
	l.reach(t, h.Hash())
	stop()
	err := db.Update(func(tx *kv.Tx) error { return tx.Set(blockKey(2), []byte("rot")) })
	if err != nil {
		t.Fatal(err)
	}
	again := newLedger()
	run(t, watcher(t, c, db, nil), again)
	again.reach(t, h.Hash())
	again.equals(t, c, echo)
}

// After any schedule of blocks, forks and restarts the sink equals the chain.
func TestSinkEqualsTheChainAfterRandomForks(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 2))
	c, db, l := newChain(t, 1), memory(t), newLedger()
	tweak := func(cfg *Config) { cfg.Batch = 1 + rnd.Uint64N(8) }
	stop := run(t, watcher(t, c, db, tweak), l)
	defer func() { stop() }()
	var head *types.Header
	grow := func(n uint64) {
		for range n {
			words := make([]byte, rnd.IntN(4))
			for i := range words {
				words[i] = byte(rnd.Uint32())
			}
			head = c.block(words...)
		}
	}
	grow(1)
	rounds := 60
	if testing.Short() {
		rounds = 15
	}
	for range rounds {
		switch rnd.IntN(5) {
		case 0, 1:
			grow(1 + rnd.Uint64N(3))
		case 2: // sometimes no longer than what it replaces
			back := rnd.Uint64N(min(8, head.Number.Uint64()+1))
			c.fork(head.Number.Uint64() - back)
			grow(1 + rnd.Uint64N(back+2))
		case 3:
			stop()
			l = newLedger()
			stop = run(t, watcher(t, c, db, tweak), l)
		case 4:
			grow(1)
			l.reach(t, head.Hash())
		}
	}
	grow(1)
	l.reach(t, head.Hash())
	l.equals(t, c, echo)
}

func FuzzDecodeBlock(f *testing.F) {
	b, err := encodeBlock(Block{Header{7, 9, common.Hash{1}, common.Hash{2}}, []types.Log{{Address: echo, Topics: []common.Hash{{3}}, Data: []byte{4}, Index: 5}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, v []byte) {
		b, err := decodeBlock(7, v)
		if err != nil {
			return
		}
		again, err := encodeBlock(b)
		if err != nil || string(again) != string(v) {
			t.Errorf("%x became %x, %v", v, again, err)
		}
	})
}
