package shardstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/protocol/piece"
	"tally/storage"
)

const (
	// maxCandidates is how many nodes one fetch asks at most.
	maxCandidates = 64
	// maxTries is how often a source that sent nothing is tried.
	maxTries = 3
	// maxWrong is how many sources are remembered for what they sent.
	maxWrong = 1024
	// wrongTime is for how long.
	wrongTime = time.Hour
	// slowTime is for how long a source is asked last that brought nothing in its turn.
	slowTime = 10 * time.Minute
	// maxRounds bounds a fetch that never ends by itself: for days, as turns get longer.
	maxRounds = 32 * maxCandidates
	// findTime bounds the search for holders.
	findTime = 30 * time.Second
	// maxReasons is how many failures an error tells.
	maxReasons = 8
)

var (
	// ErrNoSource says that no node serves the shard over streams.
	ErrNoSource = errors.New("shardstream: no node serves this shard now: try again when more holders are reachable; what arrived is kept")
	// ErrPiece says that the shard is another than the caller's piece root says.
	ErrPiece = errors.New("shardstream: the shard under this root has another piece root: who named the two together is wrong")
)

// Want is what to fetch.
type Want struct {
	Root  cid.Cid
	Piece piece.Hash // zero: unknown
	Size  uint64     // bytes of the file; 0: unknown
	From  []peer.ID  // asked first; others are searched for too
}

// Config is what a Fetcher depends on.
type Config struct {
	// Store is where shards go.
	Store *storage.Store
	// Network reaches their holders.
	Network Network
	// Down bounds what is received by all fetches, block by block too. Nil is no bound.
	Down *Budget
	// MaxSources is how many nodes one fetch reads from at once; 0 is 6.
	MaxSources int
	// Stall is how long a source may be silent; 0 is 30 s.
	Stall time.Duration
	// Wrong is told of each source that sent data that is not the shard's. May be nil.
	Wrong func(p peer.ID, err error)
	// Credential is what shows a holder that refuses a shard that this node may read it;
	// empty if there is none. It is asked for once a fetch. May be nil.
	Credential func(ctx context.Context, root cid.Cid) ([]byte, error)
	// Believe says whether it is proved that a shard is a private datanet's, as a holder
	// that sent sound data of it says, and so to hide it here too: see
	// storage.Store.SetPrivate. It may take its time, but ends with ctx. Nil takes the word.
	Believe func(ctx context.Context, root, datanet cid.Cid) bool
	// Sealed says of a hidden shard that came whether its content can be the private
	// datanet's, and true where that cannot be found out. What cannot is made public
	// again. Nil looks at none.
	Sealed func(ctx context.Context, root, datanet cid.Cid) bool
	// NoBlocks leaves out the store's exchange where no node serves streams.
	NoBlocks bool
	// Logger takes what an operator should know. Nil discards it.
	Logger *slog.Logger
}

// Validate says what is wrong with c.
func (c Config) Validate() error {
	if c.Store == nil || c.Network == nil {
		return fmt.Errorf("%w: a fetcher needs a store and a network", ErrConfig)
	}
	if c.MaxSources < 0 || c.Stall < 0 {
		return fmt.Errorf("%w: %d sources, %s of silence", ErrConfig, c.MaxSources, c.Stall)
	}
	return nil
}

// Fetcher gets shards from other nodes.
type Fetcher struct {
	c Config

	mu    sync.Mutex
	wrong map[peer.ID]time.Time // guarded by mu: who sent wrong data, until when it counts
	slow  map[peer.ID]time.Time // guarded by mu: who brought nothing in its turn, until when it counts
}

// NewFetcher returns a fetcher; Fetch does the work.
func NewFetcher(c Config) (*Fetcher, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.MaxSources == 0 {
		c.MaxSources = 6
	}
	if c.Stall == 0 {
		c.Stall = 30 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Fetcher{c: c, wrong: map[peer.ID]time.Time{}, slow: map[peer.ID]time.Time{}}, nil
}

// Fetch gets a shard and returns it once it is durable. Concurrent fetches of one
// root share the work of the first; what arrived is kept and gone on with, also
// after a restart. progress, if not nil, is called from one goroutine at a time with
// the bytes that are here and how many there are; it must be quick.
//
// Errors: ErrPiece, if the root's shard is not the piece; storage.ErrQuota and
// storage.ErrDiskFull before anything is downloaded; ErrNoSource, with the reasons
// of the last few sources.
func (f *Fetcher) Fetch(ctx context.Context, w Want, progress func(done, total uint64)) (storage.Shard, error) {
	if progress == nil {
		progress = func(uint64, uint64) {}
	}
	a, sh, err := f.c.Store.Begin(ctx, w.Root)
	if err != nil {
		return storage.Shard{}, err
	}
	if a != nil {
		t := newFetch(f, a, w, progress)
		t.entry.shown = f.c.Store.Shown(w.Root)
		t.entry.public = t.entry.shown
		sh, err = t.run(ctx)
		err = errors.Join(err, a.Close())
		if errors.Is(err, ErrNoSource) && !f.c.NoBlocks && ctx.Err() == nil && !noRoom(err) {
			f.c.Logger.Info("no node serves a shard over streams; fetching it block by block", "root", w.Root, "err", err)
			sh, err = f.blocks(ctx, w, progress, err)
		}
	}
	if err == nil && a != nil {
		err = f.unmark(ctx, w.Root)
	}
	if err == nil && !w.is(sh.Piece, sh.Size) {
		err = fmt.Errorf("%d bytes, piece root %x: %w", sh.Size, sh.Piece, ErrPiece)
	}
	if err != nil {
		return storage.Shard{}, fmt.Errorf("fetch shard %s: %w", w.Root, err)
	}
	progress(sh.Size, sh.Size)
	return sh, nil
}

func noRoom(err error) bool {
	return errors.Is(err, storage.ErrQuota) || errors.Is(err, storage.ErrDiskFull)
}

// blocks is the way without streams.
func (f *Fetcher) blocks(ctx context.Context, w Want, progress func(done, total uint64), why error) (storage.Shard, error) {
	opts := []storage.FetchOption{storage.Pace(f.c.Down.Take)}
	if w.Size > 0 {
		opts = append(opts, storage.Size(w.Size))
	}
	sh, err := f.c.Store.Fetch(ctx, w.Root, progress, opts...)
	if err != nil {
		return storage.Shard{}, errors.Join(why, err)
	}
	return sh, nil
}

// is says whether a shard is the one wanted, as far as that is known.
func (w Want) is(p piece.Hash, size uint64) bool {
	return (w.Piece == piece.Hash{} || w.Piece == p) && (w.Size == 0 || w.Size == size)
}

// blame names a source that sent wrong data, and keeps from asking it again.
func (f *Fetcher) blame(p peer.ID, err error) {
	f.c.Logger.Warn("a node sent wrong data and is not asked again", "peer", p, "err", err)
	if f.c.Wrong != nil {
		f.c.Wrong(p, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	remember(f.wrong, p, wrongTime)
}

// remember notes a peer for a time, and forgets what is over, or any if there are too many.
func remember(m map[peer.ID]time.Time, p peer.ID, d time.Duration) {
	now := time.Now()
	for q, until := range m {
		if len(m) >= maxWrong || now.After(until) {
			delete(m, q)
		}
	}
	m[p] = now.Add(d)
}

func (f *Fetcher) blamed(p peer.ID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Before(f.wrong[p])
}

// slowed has a source asked after others for a while.
func (f *Fetcher) slowed(p peer.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	remember(f.slow, p, slowTime)
}

func (f *Fetcher) isSlow(p peer.ID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Before(f.slow[p])
}
