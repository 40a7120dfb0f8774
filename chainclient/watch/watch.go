// Package watch follows a chain: it hands a Sink every block from a starting
// number on, in order, with the logs of the watched contracts, takes blocks
// back when the chain does, and carries on after a restart where it was.
//
// The life of a block: the watcher polls the head, fetches the headers up to
// it and their logs, checks that they belong together, stores them, and calls
// Sink.Apply for each. When the chain's block at a height is no longer the
// stored one, it searches the newest common ancestor, forgets what is above
// it, calls Sink.Revert and goes on from there. On Run it first replays what
// is stored, without the network, so a Sink may live in memory: Run begins
// with Revert to before the first block.
//
// From the Sink's point of view every block of the present chain is applied
// exactly once, each on its parent; an Apply that fails ends Run, and the next
// Run replays.
//
// The endpoint is not trusted to be consistent, fast or up: hashes are
// computed from headers, links between them checked, logs compared with the
// header's hash and bloom filter, every call has a deadline, and what does not
// fit is asked again with backoff and never reaches the Sink. A wrong answer
// that is consistent in itself cannot be seen; Confirmations and an endpoint
// of one's own help against that. Another chain behind the endpoint ends Run.
//
// Methods are safe for concurrent use; Run may be called once at a time. A
// Watcher owns its database. The package decodes no event.
package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"tally/internal/kv"
)

var (
	// ErrConfig marks a Config that New refused.
	ErrConfig = errors.New("watch: bad configuration")
	// ErrWrongChain says that the endpoint serves another chain than the one
	// configured, or than the one stored.
	ErrWrongChain = errors.New("watch: wrong chain: check the endpoint and the chain id, or use another data directory")
	// ErrNotFound says that a block is not watched, or not yet.
	ErrNotFound = errors.New("watch: block not found")
	// ErrRunning is returned by a second concurrent Run.
	ErrRunning = errors.New("watch: already running")
)

// Backend is what Watcher asks of an endpoint; *ethclient.Client is one. It
// must end a call when its context does.
type Backend interface {
	ChainID(ctx context.Context) (*big.Int, error)
	HeaderByNumber(ctx context.Context, number *big.Int) (*types.Header, error) // nil number: the head
	FilterLogs(ctx context.Context, q ethereum.FilterQuery) ([]types.Log, error)
}

// Header is what is kept of a block besides its logs.
type Header struct {
	Number uint64
	Time   uint64 // unix seconds
	Hash   common.Hash
	Parent common.Hash
}

// Block is a header and the block's logs of the watched addresses, by index.
type Block struct {
	Header
	Logs []types.Log
}

// Sink takes the chain as it becomes known. Calls do not overlap. An error
// ends Run, which returns it.
type Sink interface {
	// Apply adds the block on top of the one applied before.
	Apply(ctx context.Context, b Block) error
	// Revert drops every block with a higher number than to; there may be none.
	Revert(ctx context.Context, to uint64) error
}

// Config is all that New needs. A zero value means the default in brackets.
type Config struct {
	Backend       Backend          // required
	DB            *kv.DB           // required, this Watcher's alone; need not be synced: what is lost is fetched again
	ChainID       uint64           // [what the endpoint says first]
	Addresses     []common.Address // whose logs are wanted; with none, headers alone. Another set starts over
	From          uint64           // first block [1]
	Confirmations uint64           // blocks, its own included, before a block is delivered [1]
	Poll          time.Duration    // between looks at the head [300 ms]
	CallTimeout   time.Duration    // of each call to the endpoint [10 s]
	Batch         uint64           // most blocks fetched together [256]
	Logger        *slog.Logger     // [discards]
}

const maxAddresses = 256

// Validate reports the first fault of c, wrapping ErrConfig.
func (c *Config) Validate() error {
	switch {
	case c.Backend == nil:
		return fmt.Errorf("%w: no backend", ErrConfig)
	case c.DB == nil:
		return fmt.Errorf("%w: no database", ErrConfig)
	case len(c.Addresses) > maxAddresses:
		return fmt.Errorf("%w: more than %d addresses", ErrConfig, maxAddresses)
	case c.Poll < 0 || c.CallTimeout < 0:
		return fmt.Errorf("%w: a duration is negative", ErrConfig)
	}
	return nil
}

// Watcher follows one chain; New makes one.
type Watcher struct {
	cfg     Config        // immutable
	wake    chan struct{} // capacity 1: look at the head now
	running sync.Mutex    // held by Run

	batch    uint64 // blocks to fetch together; owned by Run
	verified bool   // the endpoint's chain is ours; owned by Run
	behind   bool   // the endpoint's head is below ours, logged; owned by Run

	mu      sync.Mutex
	tip     Header        // newest block delivered; guarded by mu, written by Run
	has     bool          // there is a tip; guarded by mu, written by Run
	current bool          // the tip is the newest that the endpoint had; guarded by mu, written by Run
	caught  chan struct{} // closed once all was delivered; immutable, closed by Run
}

// New starts nothing and reads nothing.
func New(cfg Config) (*Watcher, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.Addresses = slices.Clone(cfg.Addresses)
	slices.SortFunc(cfg.Addresses, common.Address.Cmp)
	cfg.Addresses = slices.Compact(cfg.Addresses)
	cfg.From = max(1, cfg.From) // block 0 has no logs
	cfg.Confirmations = max(1, cfg.Confirmations)
	if cfg.Poll == 0 {
		cfg.Poll = 300 * time.Millisecond
	}
	if cfg.CallTimeout == 0 {
		cfg.CallTimeout = 10 * time.Second
	}
	if cfg.Batch == 0 {
		cfg.Batch = 256
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Watcher{cfg: cfg, wake: make(chan struct{}, 1), batch: cfg.Batch, caught: make(chan struct{})}, nil
}

// Wake makes Run look at the head now instead of at the next poll. It does
// not block.
func (w *Watcher) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Tip is the newest block delivered by the present Run, if there is one.
func (w *Watcher) Tip() (Header, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tip, w.has
}

func (w *Watcher) setTip(h Header, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tip, w.has = h, ok
}

// Current says whether the newest block that the present Run delivers, or is just
// delivering, is the newest that the endpoint had when it was asked last. While stored
// blocks are replayed or many are fetched it is false: then the Sink sees the chain as
// it once was, which is nothing to act on.
func (w *Watcher) Current() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current
}

// CaughtUp is closed once all that the endpoint had has been delivered for the first
// time.
func (w *Watcher) CaughtUp() <-chan struct{} { return w.caught }

func (w *Watcher) setCurrent(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.current = yes
}

// delivered notes that there is nothing more to deliver for now.
func (w *Watcher) delivered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.current = true
	select {
	case <-w.caught:
	default:
		close(w.caught)
	}
}

// HeaderAt returns the stored header of a block, or ErrNotFound. A reorg may
// make it another one later.
func (w *Watcher) HeaderAt(number uint64) (Header, error) {
	b, err := w.stored(number)
	return b.Header, err
}

const maxBackoff = 2 * time.Second

// fatal marks errors that end Run.
type fatal struct{ err error }

func (f fatal) Error() string { return f.err.Error() }
func (f fatal) Unwrap() error { return f.err }

// Run replays what is stored, then follows the chain until ctx ends, and then
// returns nil. It returns the Sink's error, ErrWrongChain, or an error of the
// database; an endpoint that fails is asked again, at least every 2 s.
func (w *Watcher) Run(ctx context.Context, sink Sink) error {
	if !w.running.TryLock() {
		return ErrRunning
	}
	defer w.running.Unlock()
	w.verified, w.behind = false, false
	w.setCurrent(false)
	if err := w.replay(ctx, sink); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	backoff := w.cfg.Poll
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.wake:
		case <-timer.C:
		}
		more, err := w.step(ctx, sink)
		wait := w.cfg.Poll
		if f, ok := errors.AsType[fatal](err); ctx.Err() != nil {
			return nil
		} else if ok {
			return f.err
		} else if err != nil {
			if backoff == w.cfg.Poll { // once for a row of failures
				w.cfg.Logger.Warn("endpoint not usable, will be asked again", "err", err)
			} else {
				w.cfg.Logger.Debug("endpoint still not usable", "err", err)
			}
			wait = backoff
			backoff = min(2*backoff, maxBackoff)
		} else {
			backoff = w.cfg.Poll
			if more {
				wait = 0
			}
		}
		timer.Reset(wait)
	}
}

// step compares the chain with what is stored once, and delivers one batch.
// It reports whether there is more.
func (w *Watcher) step(ctx context.Context, sink Sink) (more bool, err error) {
	if err := w.verify(ctx); err != nil {
		return false, err
	}
	head, err := w.header(ctx, nil)
	if err != nil {
		return false, err
	}
	n := head.Number.Uint64()
	if n+1 < w.cfg.From+w.cfg.Confirmations { // also before the first block
		return false, w.fellBack(ctx, head)
	}
	target := n + 1 - w.cfg.Confirmations
	tip, has := w.Tip()
	next := w.cfg.From
	if has {
		if target == tip.Number+1 && head.Number.Uint64() == target && head.ParentHash == tip.Hash {
			// the usual case: one block more
		} else if moved, err := w.compare(ctx, sink, head, min(tip.Number, target)); err != nil || moved {
			return moved, err
		}
		if target <= tip.Number {
			if target < tip.Number && !w.behind {
				w.cfg.Logger.Warn("the endpoint is behind what it served before", "head", n, "watched", tip.Number)
			}
			w.behind = target < tip.Number
			w.delivered()
			return false, nil
		}
		next = tip.Number + 1
	}
	w.behind = false
	last := min(target, next+w.batch-1)
	blocks, err := w.fetch(ctx, next, last, head)
	if err != nil {
		if last > next && ctx.Err() == nil { // it may be too much at a time
			w.batch = (last - next + 1) / 2
			w.cfg.Logger.Debug("fetching fewer blocks at a time", "batch", w.batch, "err", err)
			return true, nil
		}
		return false, err
	}
	if has && blocks[0].Parent != tip.Hash {
		return false, fmt.Errorf("watch: block %d is not on top of block %s", next, tip.Hash)
	}
	w.batch = min(w.cfg.Batch, w.batch+w.batch/4+1)
	if err := w.store(blocks); err != nil {
		return false, fatal{err}
	}
	for _, b := range blocks {
		w.setCurrent(b.Number == target)
		if err := w.apply(ctx, sink, b); err != nil {
			return false, err
		}
	}
	if last == target {
		w.delivered()
	}
	return last < target, nil
}

func (w *Watcher) apply(ctx context.Context, sink Sink, b Block) error {
	if err := sink.Apply(ctx, b); err != nil {
		return fatal{fmt.Errorf("watch: apply block %d: %w", b.Number, err)}
	}
	w.setTip(b.Header, true)
	return nil
}

// fellBack handles a head before the first block: nothing is wrong, unless
// something is stored.
func (w *Watcher) fellBack(ctx context.Context, head *types.Header) error {
	if tip, has := w.Tip(); has && !w.behind {
		w.behind = true
		w.cfg.Logger.Warn("the endpoint is behind what it served before", "head", head.Number, "watched", tip.Number)
	}
	return ctx.Err()
}

// compare checks that the chain's block at a height is the stored one, and if
// it is not, goes back to the newest that is.
func (w *Watcher) compare(ctx context.Context, sink Sink, head *types.Header, at uint64) (moved bool, err error) {
	same, err := w.same(ctx, head, at)
	if err != nil || same {
		return false, err
	}
	w.verified = false // a reorg, or another chain?
	if err := w.verify(ctx); err != nil {
		return false, err
	}
	// Blocks hang together, so sameness is monotone: gallop down, then halve.
	low, high := w.cfg.From-1, at // low is common or the start, high differs
	for d := uint64(1); high > low+1; d *= 2 {
		n := max(low+1, high-min(high, d))
		if same, err = w.same(ctx, head, n); err != nil {
			return false, err
		}
		if same {
			low = n
			break
		}
		high = n
	}
	for high > low+1 {
		n := low + (high-low)/2
		if same, err = w.same(ctx, head, n); err != nil {
			return false, err
		}
		if same {
			low = n
		} else {
			high = n
		}
	}
	tip, _ := w.Tip()
	w.cfg.Logger.Warn("reorg", "from", tip.Number, "to", low)
	return true, w.revert(ctx, sink, tip.Number, low)
}

// same reports whether the chain's block at a height is the stored one.
func (w *Watcher) same(ctx context.Context, head *types.Header, at uint64) (bool, error) {
	ours, err := w.HeaderAt(at)
	if err != nil {
		return false, fatal{err}
	}
	if head.Number.Uint64() == at {
		return head.Hash() == ours.Hash, nil
	}
	h, err := w.header(ctx, new(big.Int).SetUint64(at))
	if err != nil {
		return false, err
	}
	return h.Hash() == ours.Hash, nil
}

// revert forgets the blocks above to, in the store first: a crash in between
// is a shorter replay.
func (w *Watcher) revert(ctx context.Context, sink Sink, tip, to uint64) error {
	if err := w.cut(tip, to); err != nil {
		return fatal{err}
	}
	w.setCurrent(false) // there is more to come in the place of what goes
	if err := sink.Revert(ctx, to); err != nil {
		return fatal{fmt.Errorf("watch: revert to block %d: %w", to, err)}
	}
	h, err := w.HeaderAt(to)
	if errors.Is(err, ErrNotFound) {
		w.setTip(Header{}, false)
		return nil
	} else if err != nil {
		return fatal{err}
	}
	w.setTip(h, true)
	return nil
}
