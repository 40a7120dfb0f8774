package storage

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ipfs/go-cid"
	"golang.org/x/time/rate"

	"tally/internal/kv"
)

// keyScrub: x in the meta database holds a ScrubStatus as JSON.
const keyScrub = 'x'

// The defaults of a scrub. A pass over 1 TiB at this rate takes 36 hours.
const (
	DefaultScrubRate     = 8 << 20
	DefaultScrubInterval = 30 * 24 * time.Hour
	DefaultScrubRetry    = time.Hour

	scrubBurst = 256 << 10   // bytes read at once
	scrubPause = time.Minute // after trouble with the store itself
)

// ErrScrubbing says that a scrub of this store runs already.
var ErrScrubbing = errors.New("storage: a scrub of this store runs already: one is enough")

// Repairer brings the good copy of a damaged shard from other nodes: Store.Repair
// is one, over an exchange. Its promise is a shard that is whole when it returns
// nil.
type Repairer interface {
	Repair(ctx context.Context, root cid.Cid) error
}

// ScrubConfig bounds a scrub.
type ScrubConfig struct {
	Rate     int64         // bytes read a second; 0 is DefaultScrubRate, negative is no limit
	Interval time.Duration // from the start of one pass to that of the next; 0 is DefaultScrubInterval, negative is no passes
	Retry    time.Duration // between two tries to heal a shard; 0 is DefaultScrubRetry
	Repairer Repairer      // nil is Store.Repair through the store's exchange
	Notify   func(Damage)  // called when damage is found and when it is healed; may be nil; must be quick
}

// Validate returns ErrConfig for a setting that makes no sense.
func (c ScrubConfig) Validate() error {
	if c.Retry < 0 {
		return fmt.Errorf("%w: retry after %s: choose a positive time, or 0 for the default", ErrConfig, c.Retry)
	}
	return nil
}

// ScrubStatus is how far the scrub is. It is kept over restarts.
type ScrubStatus struct {
	Pass     uint64 `json:"pass"`               // counts from 1
	Running  bool   `json:"running"`            // false between two passes
	Started  int64  `json:"started"`            // unix seconds at which the pass began
	Cursor   []byte `json:"cursor,omitempty"`   // CID of the last shard that this pass has read
	Shards   uint64 `json:"shards"`             // read by this pass
	Bytes    uint64 `json:"bytes"`              // of these
	Bad      uint64 `json:"bad"`                // shards found damaged, ever
	Healed   uint64 `json:"healed"`             // of these
	LastPass int64  `json:"lastPass,omitempty"` // unix seconds at which a pass last ended
}

// ScrubStatus returns how far the scrub is.
func (s *Store) ScrubStatus() ScrubStatus {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.scrub
}

func (k *core) loadScrub() error {
	var b []byte
	err := k.meta.View(func(tx *kv.Tx) (err error) {
		b, err = tx.Get([]byte{keyScrub})
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fail("open", err)
	}
	if err := json.Unmarshal(b, &k.scrub); err != nil {
		k.scrub = ScrubStatus{}
		k.warn("how far the scrub was does not read: it begins again")
	}
	return nil
}

// Scrub reads every shard and loose block once an interval, at a bounded rate,
// checks shards as Verify does, and heals what is damaged from other nodes. It blocks until ctx ends, whose
// error it returns. What it finds is durable, and so is how far it is: after a
// restart it goes on with the next shard. Shards that came in behind it are read by
// the next pass. A shard that gave a bad block to a reader is looked at first.
// Without passes (ScrubConfig.Interval) it still looks at such shards, heals what is known
// to be damaged, and indexes what waits for it, which is read as fast as the disk gives
// it; a pass under way rests.
//
// While a shard heals its good blocks are served. A disk that is not there, or
// that takes nothing, makes it wait.
func (s *Store) Scrub(ctx context.Context, c ScrubConfig) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if s.scrubbing.Swap(true) {
		return ErrScrubbing
	}
	defer s.scrubbing.Store(false)
	c.Interval = cmp.Or(c.Interval, DefaultScrubInterval)
	c.Retry = cmp.Or(c.Retry, DefaultScrubRetry)
	c.Rate = cmp.Or(c.Rate, DefaultScrubRate)
	l := &scrubber{Store: s, ScrubConfig: c, tried: map[cid.Cid]time.Time{}, began: time.Now().Unix()}
	if c.Rate > 0 {
		l.limit = rate.NewLimiter(rate.Limit(c.Rate), scrubBurst)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		case <-s.nudge:
		}
		wait, err := l.step(ctx)
		if errors.Is(err, ErrClosed) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			s.log.Error("scrub waits", "err", err, "for", scrubPause)
			wait = scrubPause
		}
		timer.Reset(wait)
	}
}

// scrubber is one Scrub.
type scrubber struct {
	*Store
	ScrubConfig
	limit *rate.Limiter
	began int64
	tried map[cid.Cid]time.Time // owned by Scrub: when shards set aside were last fetched
}

// step does what is next, and returns how long to wait for the next step.
func (l *scrubber) step(ctx context.Context) (time.Duration, error) {
	if err := l.vol.Check(); err != nil {
		return 0, err
	}
	if err := l.suspected(ctx); err != nil {
		return 0, err
	}
	soon, err := l.heal(ctx)
	if err != nil {
		return 0, err
	}
	if more, err := l.adoptWaiting(ctx); more || err != nil {
		return 0, err
	}
	st := l.ScrubStatus()
	if l.Interval < 0 {
		return soon, nil
	}
	if !st.Running {
		if next := time.Unix(st.Started, 0).Add(l.Interval); st.Pass > 0 && time.Now().Before(next) {
			return min(soon, time.Until(next)), nil
		}
		st = ScrubStatus{Pass: st.Pass + 1, Running: true, Started: time.Now().Unix(), Bad: st.Bad, Healed: st.Healed, LastPass: st.LastPass}
	}
	r := l.next(st.Cursor)
	if r == nil {
		if err := l.scrubLoose(ctx); err != nil {
			return 0, err
		}
		st.Running, st.Cursor, st.LastPass = false, nil, time.Now().Unix()
		l.log.Info("scrub ended a pass", "pass", st.Pass, "shards", st.Shards, "bytes", st.Bytes)
		return 0, l.save(func(s *ScrubStatus) { st.Bad, st.Healed = s.Bad, s.Healed; *s = st })
	}
	if err := l.look(ctx, r); err != nil {
		return 0, err
	}
	st.Cursor = r.Root.Bytes()
	st.Shards++
	st.Bytes += r.Size
	return 0, l.save(func(s *ScrubStatus) { st.Bad, st.Healed = s.Bad, s.Healed; *s = st })
}

// next returns the shard after the cursor, in the order of their CIDs.
func (k *core) next(cursor []byte) (next *record) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for root, r := range k.shards {
		b := root.Bytes()
		if bytes.Compare(b, cursor) > 0 && (next == nil || bytes.Compare(b, next.Root.Bytes()) < 0) {
			next = r
		}
	}
	return next
}

// look inspects one shard. One that was dropped meanwhile is no error.
func (l *scrubber) look(ctx context.Context, r *record) error {
	known := l.isDamaged(r.Root)
	d, err := l.inspect(ctx, r, l.limit)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil || d == nil || known {
		return err
	}
	if l.Notify != nil {
		l.Notify(*d)
	}
	return l.save(func(s *ScrubStatus) { s.Bad++ })
}

// suspected inspects the shards that gave a bad block.
func (l *scrubber) suspected(ctx context.Context) error {
	l.mu.Lock()
	var roots []cid.Cid
	for root := range l.suspects {
		roots = append(roots, root)
	}
	clear(l.suspects)
	l.mu.Unlock()
	for _, root := range roots {
		r := l.record(root)
		if r == nil || l.isDamaged(root) {
			continue
		}
		if err := l.look(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// heal repairs what is due, and returns how long nothing else is.
func (l *scrubber) heal(ctx context.Context) (soon time.Duration, err error) {
	soon = l.Retry
	bad, _, err := l.damages()
	if err != nil {
		return 0, err
	}
	for _, d := range bad {
		if wait := time.Until(time.Unix(d.Tried, 0).Add(l.Retry)); wait > 0 {
			soon = min(soon, wait)
			continue
		}
		if err := l.tryHeal(ctx, d); err != nil {
			return 0, err
		}
	}
	aside, err := l.pinnedAside()
	if err != nil {
		return 0, err
	}
	for _, root := range aside {
		if wait := time.Until(l.tried[root].Add(l.Retry)); wait > 0 {
			soon = min(soon, wait)
			continue
		}
		l.tried[root] = time.Now()
		if err := l.repair(ctx, root); err != nil {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			l.log.Warn("shard that was set aside could not be repaired yet", "root", root, "err", err, "again", l.Retry)
			continue
		}
		if l.Notify != nil {
			l.Notify(Damage{Root: root, Why: "was set aside", Healed: time.Now().Unix()})
		}
	}
	return soon, nil
}

// repair gets a shard from other nodes.
func (l *scrubber) repair(ctx context.Context, root cid.Cid) error {
	if l.Repairer != nil {
		return l.Repairer.Repair(ctx, root)
	}
	return l.Repair(ctx, root)
}

// lookAgain inspects a shard once more before much is fetched for it: a disk that
// could not be read for a while may be read again, and a crash may have followed the
// moment in which the shard was healed.
func (l *scrubber) lookAgain(ctx context.Context, d Damage) error {
	r := l.record(d.Root)
	if r == nil || d.Bad > 0 && d.Found >= l.began {
		return nil
	}
	if _, err := l.inspect(ctx, r, l.limit); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

// tryHeal repairs a damaged shard, and books the try.
func (l *scrubber) tryHeal(ctx context.Context, d Damage) error {
	err := l.lookAgain(ctx, d)
	if err == nil && l.isDamaged(d.Root) {
		err = l.repair(ctx, d.Root)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil && l.record(d.Root) == nil {
		return nil // dropped meanwhile
	}
	if err == nil && !l.isDamaged(d.Root) {
		d.Healed = time.Now().Unix()
		if l.Notify != nil {
			l.Notify(d)
		}
		return l.save(func(s *ScrubStatus) { s.Healed++ })
	}
	l.log.Warn("damaged shard could not be healed yet", "root", d.Root, "err", err, "again", l.Retry)
	l.mu.Lock()
	now := l.damage[d.Root]
	if now != nil {
		tried := *now
		tried.Tried = time.Now().Unix()
		now, l.damage[d.Root] = &tried, &tried
	}
	l.mu.Unlock()
	if now == nil {
		return nil // dropped meanwhile
	}
	l.commit.Lock()
	defer l.commit.Unlock()
	if err := l.writable(); err != nil {
		return err
	}
	if !l.isDamaged(d.Root) {
		return nil
	}
	return l.note(key(keyDamage, d.Root.Bytes()), now)
}

// pinnedAside returns the shards set aside that a pin keeps.
func (k *core) pinnedAside() (out []cid.Cid, err error) {
	k.mu.RLock()
	roots := make([]cid.Cid, 0, len(k.aside))
	for root := range k.aside {
		roots = append(roots, root)
	}
	k.mu.RUnlock()
	now := time.Now()
	for _, root := range roots {
		pinned, err := k.isPinned(root.Bytes(), func(p Pin) bool { return p.lapsed(now) })
		if err != nil {
			return nil, fail("scrub", err)
		}
		if pinned {
			out = append(out, root)
		}
	}
	slices.SortFunc(out, func(a, b cid.Cid) int { return bytes.Compare(a.Bytes(), b.Bytes()) })
	return out, nil
}

// save changes the status and makes it durable.
func (k *core) save(change func(*ScrubStatus)) error {
	k.commit.Lock()
	defer k.commit.Unlock()
	if err := k.writable(); err != nil {
		return err
	}
	k.mu.Lock()
	change(&k.scrub)
	now := k.scrub
	k.mu.Unlock()
	if err := k.note([]byte{keyScrub}, now); err != nil {
		return fail("save scrub", err)
	}
	return nil
}
