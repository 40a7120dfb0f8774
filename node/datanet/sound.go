package datanet

import (
	"context"
	"errors"
	"slices"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/node/datanet/known"
	"tally/protocol"
)

// maxSounded bounds the shards that one contribution has the owner's node fetch and check, all within
// lookWithin.
const maxSounded = 4

// soundKey is of a contribution whose data was found to be what it says.
func soundKey(v Version, x protocol.Shard) ([]byte, error) {
	digest, err := x.Contribution(v.Origin).Commitment()
	return append([]byte("datanet/sound/"), digest[:]...), err
}

// isSound says whether what a shard's contributor says of it was derived from the data here.
func (s *Service) isSound(v Version, x protocol.Shard) (bool, error) {
	if x.Contributor == s.me {
		return true, nil
	}
	key, err := soundKey(v, x)
	if err != nil {
		return false, err
	}
	if _, err = s.get(key); errors.Is(err, kv.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// sound fetches those shards whose word would keep a contribution out of a datanet of ours, or what it is
// compared with, and checks what is said of them. What could not be had or is not as said blocks nothing.
func (s *Service) sound(ctx context.Context, v Version, shard protocol.Shard, r reveal) {
	sketch, err := known.Decode(r.Sketch)
	if err != nil || !shard.Sketch.Defined() {
		return // refused, or private
	}
	matches, err := s.known.Like(sketch)
	if err != nil {
		s.c.Logger.Warn("what a contribution is like was not found out", "root", shard.Root, "err", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	looked := 0
	for _, m := range matches {
		x, here := listedHere(v, m)
		if !here || m.Contributor == shard.Contributor {
			continue
		}
		switch {
		case m.Committed <= shard.Committed && m.Part() >= CopyPart:
		case m.Committed > shard.Committed && m.Exact:
			x = shard
		default:
			continue
		}
		if ok, err := s.isSound(v, x); ok || err != nil {
			continue
		}
		if looked++; looked > maxSounded {
			return
		}
		found := Check{Version: v}
		s.verifyShard(ctx, &found, x, true)
		if len(found.Problems)+len(found.Undone) > 0 {
			s.c.Logger.Info("a shard's sketch keeps nobody out, for it was not found true", "root", x.Root, "contributor", x.Contributor, "problems", found.Problems, "undone", found.Undone)
			continue
		}
		key, err := soundKey(v, x)
		if err == nil {
			err = s.set(key, []byte{1})
		}
		if err != nil {
			s.c.Logger.Warn("that a shard is sound was not kept", "root", x.Root, "err", err)
		}
	}
}

// listedHere is a match's shard if it is one that the version offers.
func listedHere(v Version, m known.Match) (protocol.Shard, bool) {
	if !m.Datanet.Equals(v.Origin) || withdrawn(v, m.Root) {
		return protocol.Shard{}, false
	}
	x, err := v.Shard(m.Root)
	return x, err == nil
}

func withdrawn(v Version, root cid.Cid) bool {
	return slices.ContainsFunc(v.Manifest.Withdrawn, root.Equals)
}
