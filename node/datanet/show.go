package datanet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/ipfs/go-cid"

	"tally/p2p"
)

// Unpinner are Shards whose pins can be taken back: those of contributions that an owner refused.
type Unpinner interface {
	Pinned(ctx context.Context, root cid.Cid, why string) (bool, error)
	Unpin(ctx context.Context, root cid.Cid, why string) error
}

// shows are the shards that are being shown to an owner.
type shows struct {
	mu    sync.Mutex      // held while a pin is made or taken back
	count map[cid.Cid]int // guarded by mu: calls at it
}

// show keeps a shard for a reason and lets others find it. done, which must be called, says how the contribution
// ended: if its owner refused it, the pin goes again, unless it was there before or another call is at the shard.
func (s *Service) show(ctx context.Context, root cid.Cid, why string) (done func(error), err error) {
	s.shows.mu.Lock()
	defer s.shows.mu.Unlock()
	un, made := s.c.Shards.(Unpinner)
	if made {
		was, err := un.Pinned(ctx, root, why)
		if err != nil {
			return nil, fmt.Errorf("datanet: keep shard %s: %w", root, err)
		}
		made = !was
	}
	if err := s.c.Shards.Pin(ctx, root, why); err != nil {
		return nil, fmt.Errorf("datanet: keep shard %s: %w", root, err)
	}
	if s.shows.count == nil {
		s.shows.count = map[cid.Cid]int{}
	}
	s.shows.count[root]++
	return func(err error) {
		s.shows.mu.Lock()
		defer s.shows.mu.Unlock()
		if s.shows.count[root]--; s.shows.count[root] > 0 {
			return
		}
		delete(s.shows.count, root)
		if !made || !refusal(err) {
			return
		}
		if err := un.Unpin(context.WithoutCancel(ctx), root, why); err != nil {
			s.c.Logger.Warn("a refused contribution's shard is still kept", "shard", root, "err", err)
		}
	}, nil
}

// refusal says whether an owner answered no, for a reason that stays; not that it is busy, cannot be reached, or has
// trouble of its own.
func refusal(err error) bool {
	remote, ok := errors.AsType[*p2p.RemoteError](err)
	for _, no := range []error{ErrDuplicate, ErrRefused, ErrNotOwner} {
		if errors.Is(err, no) || ok && !remote.Busy && strings.HasPrefix(remote.Text, no.Error()) {
			return true
		}
	}
	return false
}
