package pinset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
)

// Config is what a Keeper depends on.
type Config struct {
	Me      common.Address
	Network Network
	Wants   Wants
	Store   Store
	Prover  Prover

	Rules  Rules
	Slots  int          // fetches at a time [2]
	Most   int          // wanted shards looked at [16,384]
	Logger *slog.Logger // [discards]
}

// Validate reports the first fault of c, wrapping ErrConfig.
func (c *Config) Validate() error {
	switch {
	case c.Network == nil || c.Wants == nil || c.Store == nil || c.Prover == nil:
		return fmt.Errorf("%w: network, wants, store and prover are all needed", ErrConfig)
	case c.Slots < 0 || c.Slots > 64 || c.Most < 0:
		return fmt.Errorf("%w: %d fetches at a time, want 1 to 64", ErrConfig, c.Slots)
	}
	return nil
}

const (
	maxRetry = 256 // blocks between two tries
	roomWait = 512 // blocks after which a refusal for want of room is forgotten
	dropWait = 16  // blocks that a shard is not wanted before it is dropped
)

// Keeper keeps what Decide says.
type Keeper struct {
	cfg Config
	log *slog.Logger

	mu     sync.Mutex
	status []Status // guarded by mu; replaced, never written to

	// What follows is owned by Run.
	memory  map[name]*memory
	going   map[name]*going
	wrong   map[name]string        // what a fetch showed wrong, and how: at most Most
	done    chan fetched           // capacity Slots
	idle    map[common.Hash]uint64 // block since which a promised piece is not wanted
	partial bool                   // not all that is wanted is known
	tidied  bool
}

// name is a wanted shard. Who wants it says all three, and may be wrong: so a
// false want of a piece is another one, and hides no true one.
type name struct {
	root  cid.Cid
	piece common.Hash
	size  uint64
}

func (w Wanted) name() name { return name{w.Root, w.Piece, w.Size} }

// memory is what a Keeper remembers about a wanted piece.
type memory struct {
	holders, target int
	since           uint64
	coming          int
	stir            uint64 // block at which holders and coming were first seen together
	tries           uint64
	retry           uint64
	free            uint64 // at a refusal for want of room
	noRoom          bool
	why             string
}

type going struct {
	Wanted
	cancel context.CancelFunc
}

type fetched struct {
	Wanted
	err error
}

// New starts nothing.
func New(c Config) (*Keeper, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.Rules = c.Rules.Defaults()
	if c.Slots == 0 {
		c.Slots = 2
	}
	if c.Most == 0 {
		c.Most = 1 << 14
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Keeper{
		cfg: c, log: c.Logger, memory: map[name]*memory{}, going: map[name]*going{},
		wrong: map[name]string{}, idle: map[common.Hash]uint64{}, done: make(chan fetched, c.Slots),
	}, nil
}

// Run keeps the node's part of what is wanted until ctx ends, then returns nil.
// What fails is tried again at later blocks.
func (k *Keeper) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		for range k.going {
			<-k.done
		}
		clear(k.going)
	}()
	for {
		changed := k.cfg.Network.Changed()
		if err := k.step(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, ErrNotYet) {
			k.log.Warn("what to keep could not be decided, it is tried again at the next block", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case f := <-k.done:
			k.arrived(ctx, f)
		}
	}
}

// look gathers what Decide needs.
func (k *Keeper) look(ctx context.Context) (Situation, error) {
	s := Situation{Me: k.cfg.Me, Head: k.cfg.Network.Head(), Rules: k.cfg.Rules, Free: k.cfg.Store.Free()}
	wanted, err := k.cfg.Wants.Wanted(ctx)
	if s.Partial = err != nil; s.Partial && !k.partial {
		k.log.Info("not all that is wanted is known: nothing is let go until it is", "why", err)
	}
	k.partial = s.Partial
	if s.Pinners, err = k.cfg.Network.Pinners(); err != nil {
		return s, fmt.Errorf("pinset: pinners: %w", err)
	}
	promised, err := k.cfg.Prover.Promised()
	if err != nil {
		return s, fmt.Errorf("pinset: what is promised: %w", err)
	}
	seen := make(map[name]bool, len(wanted))
	all := merge(wanted)
	slices.SortStableFunc(all, func(a, b Wanted) int { return cmp.Compare(first(promised, a), first(promised, b)) })
	for _, w := range all {
		if len(s.Shards) == k.cfg.Most {
			k.log.Warn("more shards are wanted than this node looks at", "wanted", len(wanted), "looked at", k.cfg.Most)
			break
		}
		h, coming, err := k.cfg.Network.Keepers(w.Piece, w.Size)
		if err != nil {
			return s, fmt.Errorf("pinset: holders: %w", err)
		}
		seen[w.name()] = true
		m := k.memory[w.name()]
		if m == nil {
			m = &memory{holders: -1}
			k.memory[w.name()] = m
		}
		if m.holders != len(h) || m.target != w.Target || m.since > s.Head {
			m.holders, m.target, m.since, m.coming = len(h), w.Target, s.Head, -1
		}
		if m.coming != len(coming) || m.stir > s.Head {
			m.coming, m.stir = len(coming), s.Head
		}
		x := Shard{Wanted: w, Holders: h, Coming: coming, Since: m.since, Stir: m.stir, Retry: m.retry, Refused: m.why, Wrong: k.wrong[w.name()]}
		if m.noRoom && s.Free > m.free && s.Free-m.free >= w.Size/4 {
			x.Retry = 0 // there is clearly more room than when it was refused
		}
		switch p, ok := promised[w.Piece]; {
		case ok && p.of(w):
			x.Phase = p.phase()
		case ok && p.Kept:
			x.Wrong = fmt.Sprintf("the shard with this piece root is %s and has %d bytes", p.Root, p.Size)
		case ok:
			x.Retry, x.Refused = s.Head+1, "a shard with this piece root is leaving"
		case k.going[w.name()] != nil:
			x.Phase = Fetching
		}
		s.Shards = append(s.Shards, x)
	}
	for p := range k.memory {
		if !seen[p] && (!s.Partial || len(k.memory) > 2*k.cfg.Most) {
			delete(k.memory, p)
		}
	}
	return s, nil
}

// first orders what is looked at: what this node gave its word for, what it keeps
// already, and the rest. So what others list beyond Config.Most drops nothing.
func first(promised map[common.Hash]Promise, w Wanted) int {
	if w.Mine {
		return 0
	}
	if p, ok := promised[w.Piece]; ok && p.of(w) {
		return 1
	}
	return 2
}

// merge makes one of what is wanted for several reasons: the highest target, and
// what no sound shard has is left out.
func merge(in []Wanted) []Wanted {
	at := map[name]int{}
	var out []Wanted
	for _, w := range in {
		if !w.Root.Defined() || w.Size == 0 || w.Target < 1 {
			continue
		}
		w.Target = min(w.Target, MaxTarget)
		i, ok := at[w.name()]
		if !ok {
			at[w.name()] = len(out)
			out = append(out, w)
			continue
		}
		o := &out[i]
		if w.Target > o.Target {
			o.Target, o.Why = w.Target, w.Why
		}
		o.Mine = o.Mine || w.Mine
	}
	return out
}

// step decides, and begins what is to be done.
func (k *Keeper) step(ctx context.Context) error {
	s, err := k.look(ctx)
	if err != nil {
		return err
	}
	if s.Partial {
		clear(k.idle)
	} else {
		wanted := make(map[name]bool, len(s.Shards))
		for _, x := range s.Shards {
			wanted[x.name()] = true
		}
		for n, g := range k.going {
			if !wanted[n] {
				g.cancel()
			}
		}
		if err := k.unwanted(ctx, s.Head, s.Shards); err != nil {
			return err
		}
	}
	status := make([]Status, 0, len(s.Shards))
	for _, c := range Decide(s) {
		if err := k.act(ctx, &c); err != nil {
			c.Why = err.Error()
			k.log.Warn("shard could not be handled, it is tried again at the next block", "root", c.Shard.Root, "err", err)
		}
		status = append(status, k.show(s.Me, c))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.status = status
	return nil
}

// act does what was chosen.
func (k *Keeper) act(ctx context.Context, c *Choice) error {
	w := c.Shard.Wanted
	g := k.going[w.name()]
	switch c.Action {
	case Fetch:
		switch {
		case g != nil:
		case len(k.going) >= k.cfg.Slots:
			c.Why = fmt.Sprintf("waits for one of %d fetches under way", len(k.going))
		default:
			k.begin(ctx, w)
		}
	case Stop:
		if g != nil {
			g.cancel()
		}
	case Hold:
		if c.Shard.Phase == Leaving { // so it is here, and pinned until it is released
			return k.cfg.Prover.Keep(ctx, w)
		}
	case Leave:
		k.log.Info("leaving a shard that enough others hold", "root", w.Root, "holders", len(c.Shard.Holders), "target", w.Target)
		return k.cfg.Prover.Drop(ctx, w.Piece)
	case Nothing:
	}
	return nil
}

func (k *Keeper) begin(ctx context.Context, w Wanted) {
	fctx, cancel := context.WithCancel(ctx)
	k.going[w.name()] = &going{w, cancel}
	k.log.Info("fetching a shard that is missing holders", "root", w.Root, "bytes", w.Size, "target", w.Target, "why", w.Why)
	go func() { k.done <- fetched{w, k.cfg.Store.Fetch(fctx, w)} }()
}

// arrived takes the end of a fetch: it looks again, and promises the shard or lets
// it go.
func (k *Keeper) arrived(ctx context.Context, f fetched) {
	stopped := k.going[f.name()].cancel
	delete(k.going, f.name())
	stopped()
	if f.err == nil {
		f.err = k.promise(ctx, f.Wanted)
	}
	if errors.Is(f.err, ErrWrong) {
		for old := range k.wrong {
			if len(k.wrong) < k.cfg.Most {
				break
			}
			delete(k.wrong, old)
		}
		k.wrong[f.name()] = f.err.Error()
		k.log.Warn("what is wanted is no shard, and is not fetched again", "root", f.Root, "why", f.Why, "err", f.err)
		return
	}
	m := k.memory[f.name()]
	if f.err == nil || m == nil || ctx.Err() != nil || errors.Is(f.err, context.Canceled) {
		if m != nil {
			m.tries, m.retry, m.noRoom, m.why = 0, 0, false, ""
		}
		return
	}
	head := k.cfg.Network.Head()
	m.tries++
	m.why, m.noRoom = f.err.Error(), errors.Is(f.err, ErrRoom)
	m.retry = head + min(uint64(2)<<min(m.tries, 16), maxRetry)
	if m.noRoom {
		m.retry, m.free = head+roomWait, k.cfg.Store.Free()
	}
	k.log.Warn("shard was not fetched", "root", f.Root, "try", m.tries, "again from block", m.retry, "err", f.err)
}

// promise has a fetched shard proved, unless others were faster.
func (k *Keeper) promise(ctx context.Context, w Wanted) error {
	h, coming, err := k.cfg.Network.Keepers(w.Piece, w.Size)
	if err != nil {
		return err
	}
	if m := k.memory[w.name()]; m != nil && k.cfg.Network.Head() < m.since+k.cfg.Rules.Await(w.Size) {
		h = append(h, coming...)
	}
	if len(h) >= w.Target && !w.Mine && !k.partial && !slices.Contains(append(h, coming...), k.cfg.Me) {
		k.log.Info("others were faster, the shard is let go", "root", w.Root)
		return k.cfg.Store.Release(ctx, w.Root)
	}
	return k.cfg.Prover.Keep(ctx, w)
}

// unwanted lets go of what has not been wanted for a while: promises are taken
// back, and at the first step what an earlier run fetched and did not promise is
// released.
func (k *Keeper) unwanted(ctx context.Context, head uint64, shards []Shard) error {
	promised, err := k.cfg.Prover.Promised()
	if err != nil {
		return fmt.Errorf("pinset: what is promised: %w", err)
	}
	wanted := make(map[common.Hash]bool, len(shards))
	for _, x := range shards {
		if p, ok := promised[x.Piece]; ok && p.of(x.Wanted) {
			wanted[x.Piece] = true
		}
	}
	for piece := range k.idle {
		if p := promised[piece]; wanted[piece] || !p.Kept {
			delete(k.idle, piece)
		}
	}
	for piece, p := range promised {
		if wanted[piece] || !p.Kept {
			continue
		}
		if since, ok := k.idle[piece]; !ok || since > head {
			k.idle[piece] = head
		} else if head >= since+dropWait {
			k.log.Info("a shard is no longer wanted", "piece", piece)
			if err := k.cfg.Prover.Drop(ctx, piece); err != nil {
				return err
			}
		}
	}
	if k.tidied {
		return nil
	}
	roots, err := k.cfg.Store.Pinned(ctx)
	if err != nil {
		return fmt.Errorf("pinset: what is pinned: %w", err)
	}
	needed := map[cid.Cid]bool{}
	for _, p := range promised {
		needed[p.Root] = true
	}
	for _, root := range roots {
		if needed[root] {
			continue
		}
		if err := k.cfg.Store.Release(ctx, root); err != nil {
			return fmt.Errorf("pinset: release %s: %w", root, err)
		}
	}
	k.tidied = true
	return nil
}
