package datanet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
)

// maxFollowed bounds the datanets that a node follows.
const maxFollowed = 256

// askWithin bounds one question for a followed datanet's head.
const askWithin = time.Minute

// Wanted is a shard that a followed datanet wants kept.
type Wanted struct {
	Root    cid.Cid
	Piece   common.Hash
	Size    uint64 // bytes of its CAR file
	Target  uint16 // how many nodes should prove it
	Datanet cid.Cid
}

// Follow keeps a datanet's head fresh from now on, and wants its shards kept. It returns the
// newest version.
func (s *Service) Follow(ctx context.Context, c cid.Cid) (Version, error) {
	v, err := s.Head(ctx, c)
	if err != nil {
		return Version{}, err
	}
	list, err := s.Following()
	if err != nil {
		return Version{}, err
	}
	if len(list) >= maxFollowed {
		return Version{}, fmt.Errorf("%w: %d datanets are followed: unfollow one first", ErrRefused, len(list))
	}
	if err := s.learn(ctx, v); err != nil {
		s.c.Logger.Warn("sketches of a followed datanet are not here", "datanet", v.Origin, "err", err)
	}
	if err := s.set(followKey(v.Origin), []byte{1}); err != nil {
		return v, err
	}
	s.keepFollowed(ctx, v)
	return v, s.hideHeld(ctx, v.Origin)
}

// Unfollow ends it. What is kept already stays until it is unpinned.
func (s *Service) Unfollow(ctx context.Context, c cid.Cid) error {
	v, err := s.Read(ctx, c)
	if err != nil {
		return err
	}
	if err := s.drop(followKey(v.Origin)); err != nil {
		return err
	}
	if v.Manifest.Owner != s.me {
		if err := s.book.Forget(v.Origin); err != nil {
			return err
		}
	}
	return s.forget(ctx)
}

// Following are the identities of the datanets followed.
func (s *Service) Following() ([]cid.Cid, error) { return s.cids("datanet/follow/") }

// readWithin bounds the search for one followed datanet's newest version, which is kept here as a rule.
const readWithin = 5 * time.Second

// Followed are the shards that the datanets followed offer, by the newest versions seen. With an error
// there are more: those of datanets whose version was not found, which it names.
func (s *Service) Followed(ctx context.Context) ([]Wanted, error) {
	list, err := s.Following()
	if err != nil {
		return nil, err
	}
	var out []Wanted
	var missing []error
	for _, origin := range list {
		v, err := s.newestWithin(ctx, origin)
		if err != nil {
			missing = append(missing, fmt.Errorf("datanet: what %s offers is not known: %w", origin, err))
			continue
		}
		for _, x := range v.Manifest.Offered() {
			out = append(out, Wanted{x.Root, x.Piece, x.Size, v.Manifest.Replicas, origin})
		}
	}
	return out, errors.Join(missing...)
}

func (s *Service) newestWithin(ctx context.Context, origin cid.Cid) (Version, error) {
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	return s.newestHere(ctx, origin)
}

// newestHere is the newest version that this node has seen.
func (s *Service) newestHere(ctx context.Context, origin cid.Cid) (Version, error) {
	for _, key := range [][]byte{headKey(origin), seenKey(origin)} {
		c, err := s.getCID(key)
		if err == nil {
			return s.Read(ctx, c)
		}
		if !errors.Is(err, kv.ErrNotFound) {
			return Version{}, err
		}
	}
	return s.Read(ctx, origin)
}

// Run asks the owners of followed datanets for their heads, now and every Refresh,
// until ctx ends. An owner that does not answer is asked again the next time.
func (s *Service) Run(ctx context.Context) error {
	t := time.NewTicker(s.c.Refresh)
	defer t.Stop()
	if err := s.Restore(ctx); err != nil {
		s.c.Logger.Warn("not every version of the datanets that are kept here was copied or put back", "err", err)
	}
	s.hideOwn(ctx)
	for {
		s.refresh(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func (s *Service) refresh(ctx context.Context) {
	list, err := s.Following()
	if err != nil {
		s.c.Logger.Warn("followed datanets not read", "err", err)
	}
	for _, origin := range list {
		if ctx.Err() != nil {
			return
		}
		func() {
			ctx, cancel := context.WithTimeout(ctx, askWithin)
			defer cancel()
			v, err := s.Head(ctx, origin)
			if err == nil {
				err = s.learn(ctx, v)
			}
			err = errors.Join(err, s.hideHeld(ctx, origin))
			if err != nil {
				s.c.Logger.Warn("a followed datanet was not refreshed", "datanet", origin, "err", err)
			}
		}()
	}
}
