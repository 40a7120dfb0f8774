package join

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol/piece"
	"tally/storage"
	"tally/storage/shardstream"
)

const (
	// patience is what a fetch may take besides its bytes: holders are searched for, and
	// some of them are silent.
	patience = 5 * time.Minute
	// homePace is the pace, in bytes a second, that holders at home are expected to have
	// together. Less than a quarter of the line is not expected: other fetches share it.
	homePace = 1 << 20
)

// ErrLong says that a fetch took longer than its size and the line allow.
var ErrLong = errors.New("join: the fetch took too long: what arrived is kept, and the next try goes on with it")

// limit is how long a fetch of so many bytes may take on this node's line: 5 minutes and
// 17 more for a shard of 1 GiB with the budget of a node that says nothing else.
func (s Store) limit(size uint64) time.Duration {
	pace := uint64(homePace)
	if line := s.Down.Rate(); line > 0 {
		pace = max(1, min(pace, uint64(line)/4))
	}
	return patience + time.Duration(min(size, storage.DefaultMaxShard)/pace)*time.Second
}

// FetchShard is Fetch of a shard that somebody says has this piece root and size, which
// keeps all who would say otherwise of it out. If it is another shard that has the root, that one is
// fetched all the same: who wants to hold it against them compares. What took too long
// is ErrLong, and gone on with by the next.
func (s Store) FetchShard(ctx context.Context, root cid.Cid, of common.Hash, size uint64) error {
	if _, err := s.S.Stat(ctx, root); err == nil {
		return nil
	}
	return s.within(ctx, shardstream.Want{Root: root, Piece: piece.Hash(of), Size: size})
}

// Heal makes a damaged or missing shard whole from other nodes. Its piece root and size are
// those of the store's own record, if it has one, or else as said; zero is not known. What
// took too long is ErrLong: meanwhile another shard can heal.
func (s Store) Heal(ctx context.Context, root cid.Cid, of common.Hash, size uint64) error {
	w := shardstream.Want{Root: root, Piece: piece.Hash(of), Size: size}
	if sh, err := s.S.Stat(ctx, root); err == nil {
		w.Piece, w.Size = sh.Piece, sh.Size
	}
	return s.within(ctx, w)
}

// within gets what is wanted, or only its root where the rest proves wrong, in the time that its size allows.
func (s Store) within(ctx context.Context, w shardstream.Want) error {
	size := w.Size
	if size == 0 {
		size = storage.DefaultMaxShard
	}
	limit := s.limit(size)
	inner, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%s for at most %d bytes: %w", limit, size, ErrLong))
	defer cancel()
	err := s.get(inner, w)
	if w.Piece != (piece.Hash{}) && errors.Is(err, shardstream.ErrPiece) {
		err = s.get(inner, shardstream.Want{Root: w.Root})
	}
	if err != nil && inner.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", context.Cause(inner), err)
	}
	return err
}

// get fetches, by streams if there are any.
func (s Store) get(ctx context.Context, w shardstream.Want) error {
	if s.Shards == nil {
		_, err := s.S.Fetch(ctx, w.Root, nil, storage.Size(w.Size), storage.Pace(s.Down.Take))
		return err
	}
	_, err := s.Shards.Fetch(ctx, w, nil)
	return err
}
