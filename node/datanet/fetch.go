package datanet

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
)

// PieceData is Data that can make use of what a manifest says of a shard.
type PieceData interface {
	// FetchShard is Fetch of a shard that is said to have this piece root and size, which
	// keeps out who would say otherwise of it. If that is wrong it fetches the shard all the same.
	FetchShard(ctx context.Context, root cid.Cid, piece common.Hash, size uint64) error
}

// fetch gets a shard that a manifest lists, unless it is held.
func (s *Service) fetch(ctx context.Context, x protocol.Shard) error {
	if d, ok := s.c.Data.(PieceData); ok {
		return d.FetchShard(ctx, x.Root, x.Piece, x.Size)
	}
	return s.c.Data.Fetch(ctx, x.Root)
}
