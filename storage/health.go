package storage

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/ipfs/go-cid"
)

// Health is what a store cannot serve as it should, and what it mended.
type Health struct {
	Aside   map[cid.Cid]string // shards set aside or unreadable, with the reason
	Corrupt []cid.Cid          // blocks read since Open that no copy here matches
	Missing []cid.Cid          // pinned roots that are not held
	Damaged []Damage           // shards of which a part is bad, by the time it was found
	Healed  []Damage           // shards that were damaged and are whole again, by time
	Hidden  []cid.Cid          // shards shown to nobody, since whose they are was lost
	Waiting int                // shards not indexed yet, after the loss of the index
	Notes   []string           // what Open found broken and went on without
}

// Sound says that nothing is wrong now.
func (h Health) Sound() bool {
	return len(h.Aside)+len(h.Corrupt)+len(h.Missing)+len(h.Damaged)+len(h.Hidden)+h.Waiting+len(h.Notes) == 0
}

// Problems says in sentences what is wrong and what to do.
func (h Health) Problems() (out []string) {
	out = append(out, h.Notes...)
	for root, why := range h.Aside {
		out = append(out, fmt.Sprintf("shard %s is not served (%s): fetch it again", root, why))
	}
	slices.Sort(out[len(h.Notes):])
	for _, d := range h.Damaged {
		out = append(out, fmt.Sprintf("shard %s is damaged since %s (%s): it heals while other nodes that hold it are reachable",
			d.Root, time.Unix(d.Found, 0).UTC().Format(time.DateTime), d.Why))
	}
	for _, c := range h.Missing {
		out = append(out, fmt.Sprintf("%s is pinned and not here: fetch it again, or unpin it", c))
	}
	for _, c := range h.Corrupt {
		out = append(out, fmt.Sprintf("block %s is corrupt here: put or fetch it again", c))
	}
	for _, root := range h.Hidden {
		out = append(out, fmt.Sprintf("shard %s is shown to nobody: whether it is private was lost; if all may read it, `tally storage publish %[1]s`", root))
	}
	if h.Waiting > 0 {
		out = append(out, fmt.Sprintf("%d shards are not indexed yet: they are served as the scrub reads them", h.Waiting))
	}
	return out
}

// Health reports what was found so far. It reads no shard. ErrMarker says that the
// disk is not there.
func (s *Store) Health(ctx context.Context) (Health, error) {
	h := Health{Aside: map[cid.Cid]string{}}
	if err := s.vol.Check(); err != nil {
		return h, fail("health", err)
	}
	var err error
	if h.Damaged, h.Healed, err = s.damages(); err != nil {
		return h, fmt.Errorf("health: %w", err)
	}
	if err := s.forgetGone(); err != nil {
		return h, fmt.Errorf("health: %w", err)
	}
	s.mu.RLock()
	for c, why := range s.aside {
		h.Aside[c] = why
	}
	for _, c := range s.bad {
		h.Corrupt = append(h.Corrupt, c)
	}
	h.Waiting = len(s.waiting)
	h.Notes = slices.Clone(s.notes)
	s.mu.RUnlock()
	h.Hidden = s.hidden()
	for st, err := range s.Status() {
		if errors.Is(err, errPin) {
			h.Notes = append(h.Notes, err.Error())
			continue
		}
		if err != nil {
			return h, fmt.Errorf("health: %w", err)
		}
		if st.State == Lost {
			h.Missing = append(h.Missing, st.Root)
		}
		if err := ctx.Err(); err != nil {
			return h, fail("health", err)
		}
	}
	return h, nil
}

// forgetGone forgets corrupt blocks that are no longer held.
func (k *core) forgetGone() error {
	k.mu.RLock()
	var bad []cid.Cid
	for _, c := range k.bad {
		bad = append(bad, c)
	}
	k.mu.RUnlock()
	for _, c := range bad {
		if _, err := k.size(c); errors.Is(err, ErrNotFound) {
			k.mend(c)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// State says how a pinned root is kept.
type State string

// The states of a pinned root.
const (
	Have    State = "have"    // whole
	Damaged State = "damaged" // here but for some blocks, and being healed
	Lost    State = "lost"    // pinned, and not here
)

// RootStatus is what this node's own log says of a pinned root. Whether it is
// proved to others is theirs to say.
type RootStatus struct {
	Root  cid.Cid
	State State
	Size  uint64 // bytes of the shard's file, or of the block; 0 if lost
	Pins  []Pin  // why it is wanted
}

// Status yields each pinned root once, with how it is kept: lapsed pins too until
// Collect. It reads no shard. A pin that does not read is yielded as an error,
// after which others follow.
func (s *Store) Status() iter.Seq2[RootStatus, error] {
	return func(yield func(RootStatus, error) bool) {
		var st RootStatus
		give := func() bool {
			if !st.Root.Defined() {
				return true
			}
			err := s.keeping(&st)
			return yield(st, err)
		}
		for p, err := range s.Pins() {
			if err != nil {
				if !yield(RootStatus{}, err) {
					return
				}
				continue
			}
			if p.Root != st.Root {
				if !give() {
					return
				}
				st = RootStatus{Root: p.Root}
			}
			st.Pins = append(st.Pins, p)
		}
		give()
	}
}

// keeping fills in how a root is kept.
func (k *core) keeping(st *RootStatus) error {
	k.mu.RLock()
	r, bad := k.shards[st.Root], k.damage[st.Root] != nil
	k.mu.RUnlock()
	switch {
	case bad && r != nil:
		st.State, st.Size = Damaged, r.Size
		return nil
	case r != nil:
		st.State, st.Size = Have, r.Size
		return nil
	}
	n, err := k.size(st.Root)
	switch {
	case errors.Is(err, ErrNotFound):
		st.State = Lost
	case err != nil:
		return err
	default:
		st.State, st.Size = Have, uint64(n)
	}
	return nil
}
