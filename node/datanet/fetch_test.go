package datanet

import (
	"context"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
)

// told is data that notes what it is told of shards.
type told struct {
	Data
	shards []protocol.Shard
}

func (d *told) FetchShard(_ context.Context, root cid.Cid, piece common.Hash, size uint64) error {
	d.shards = append(d.shards, protocol.Shard{Root: root, Piece: piece, Size: size})
	return nil
}

func TestAShardIsFetchedAsItsManifestSaysItIs(t *testing.T) {
	d := &told{}
	x := protocol.Shard{Root: protocol.CIDOf([]byte("x")), Piece: common.Hash{1, 2}, Size: 77}
	if err := (&Service{c: Config{Data: d}}).fetch(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	if len(d.shards) != 1 || d.shards[0].Root != x.Root || d.shards[0].Piece != x.Piece || d.shards[0].Size != x.Size {
		t.Errorf("told: %+v", d.shards)
	}
}
