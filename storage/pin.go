package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
)

// keyPin: p‹root›‹why› holds a PinInfo as JSON.
const keyPin = 'p'

// PinInfo says why a root must stay, and how long.
type PinInfo struct {
	Why   string `json:"why"`             // for example "published" or "job 0x…"; each reason is a pin of its own
	Until uint64 `json:"until,omitempty"` // unix seconds after which the pin lapses; 0 is never
}

// Pin is one reason to keep a root.
type Pin struct {
	Root cid.Cid
	PinInfo
}

// errPin says that a pin was written by a disk that fails: it stays, and Collect
// takes nothing, until it is set again or removed.
var errPin = errors.New("storage: pin does not read: pin or unpin its root again")

func (i PinInfo) lapsed(now time.Time) bool { return i.Until != 0 && i.Until <= uint64(now.Unix()) }

// Pin keeps what is under a root that is held (a shard, a group of PutDAG, or one
// loose block) from Collect, and provides the root. It is durable once it
// returns, and the same root and reason again only sets the time. ErrNotFound
// says that the root is not held. That the network could not be told is logged,
// not returned: Roots says what to provide again.
func (s *Store) Pin(ctx context.Context, root cid.Cid, info PinInfo) error {
	if err := s.pin(ctx, root, info); err != nil {
		return err
	}
	if s.provider == nil {
		return nil
	}
	if err := s.provider.Provide(ctx, root); err != nil {
		s.log.Warn("root is pinned but could not be provided", "root", root, "err", err)
	}
	return nil
}

func (s *Store) pin(ctx context.Context, root cid.Cid, info PinInfo) error {
	j, err := json.Marshal(info)
	if err != nil {
		return fail("pin", err)
	}
	s.commit.Lock()
	defer s.commit.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	if ok, err := s.Has(ctx, root); err != nil {
		return err
	} else if !ok {
		return fmt.Errorf("pin %s: %w", root, ErrNotFound)
	}
	done, err := s.metaRoom(len(j), true)
	if err != nil {
		return err
	}
	defer done(len(j))
	s.gen++
	if err := s.meta.Update(func(tx *kv.Tx) error { return tx.Set(pinKey(root, info.Why), j) }); err != nil {
		return fail("pin", err)
	}
	return nil
}

func pinKey(root cid.Cid, why string) []byte {
	return append(key(keyPin, root.Bytes()), why...)
}

// Unpin removes the pins of a root for these reasons, or all of them if none is
// given. A pin that is not there is no error. The data stays until Collect.
func (s *Store) Unpin(ctx context.Context, root cid.Cid, why ...string) error {
	left, err := s.unpin(root, why)
	if err != nil {
		return err
	}
	if left == 0 {
		s.unprovide(ctx, root)
	}
	return nil
}

// unpin returns how many pins stay.
func (k *core) unpin(root cid.Cid, why []string) (left int, err error) {
	k.commit.Lock()
	defer k.commit.Unlock()
	if err := k.writable(); err != nil {
		return 0, err
	}
	err = k.meta.Update(func(tx *kv.Tx) error {
		left = 0
		drop := map[string]bool{}
		for _, w := range why {
			drop[string(pinKey(root, w))] = true
		}
		var found [][]byte
		for it, err := range tx.Scan(pinKey(root, "")) {
			if err != nil {
				return err
			}
			if len(why) == 0 || drop[string(it.Key)] {
				found = append(found, it.Key)
			} else {
				left++
			}
		}
		for _, f := range found {
			if err := tx.Delete(f); err != nil {
				return err
			}
		}
		return nil
	})
	return left, wrap("unpin", err)
}

// unprovide ends the announcements of a root that lost its last pin.
func (s *Store) unprovide(ctx context.Context, root cid.Cid) {
	u, ok := s.provider.(interface {
		Unprovide(context.Context, cid.Cid) error
	})
	if !ok {
		return
	}
	if err := u.Unprovide(ctx, root); err != nil {
		s.log.Warn("root is unpinned but still provided", "root", root, "err", err)
	}
}

// Pins yields every pin, lapsed ones too until Collect. A pin that does not read is
// yielded as an error, after which others follow.
func (s *Store) Pins() iter.Seq2[Pin, error] {
	return func(yield func(Pin, error) bool) {
		stop := errors.New("stop")
		err := s.meta.View(func(tx *kv.Tx) error {
			for it, err := range tx.Scan([]byte{keyPin}) {
				if err != nil {
					return err
				}
				p, err := parsePin(it)
				if !yield(p, err) {
					return stop
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, stop) {
			yield(Pin{}, fail("pins", err))
		}
	}
}

func parsePin(it kv.Item) (p Pin, err error) {
	if _, p.Root, err = cid.CidFromBytes(it.Key[1:]); err != nil {
		return Pin{}, fmt.Errorf("%w: %w", errPin, err)
	}
	if err := json.Unmarshal(it.Value, &p.PinInfo); err != nil {
		return Pin{}, fmt.Errorf("%w: %s: %w", errPin, p.Root, err)
	}
	return p, nil
}

// Roots yields each root with a pin that has not lapsed, once: what to provide
// when a node starts.
func (s *Store) Roots() iter.Seq2[cid.Cid, error] {
	return func(yield func(cid.Cid, error) bool) {
		now, last := time.Now(), cid.Undef
		for p, err := range s.Pins() {
			if err != nil {
				yield(cid.Undef, err)
				return
			}
			if p.Root == last || p.lapsed(now) {
				continue
			}
			last = p.Root
			if !yield(p.Root, nil) {
				return
			}
		}
	}
}
