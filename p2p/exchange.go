package p2p

import (
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/boxo/bitswap"
	"github.com/ipfs/boxo/bitswap/client"
	"github.com/ipfs/boxo/bitswap/network/bsnet"
	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/boxo/exchange"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/routing"
)

// ErrNoBlocks says that the host was given no blockstore, so that it has no exchange.
var ErrNoBlocks = errors.New("p2p: no exchange without Config.Blocks")

// outstanding bounds what is on its way to one peer.
const outstanding = 1 << 20

// newExchange runs bitswap under the network's prefix. It must exist before the
// first connection: peers connected earlier are asked late.
func newExchange(ctx context.Context, h host.Host, prefix string, finder routing.ContentDiscovery, blocks blockstore.Blockstore) *bitswap.Bitswap {
	net := bsnet.NewFromIpfsHost(h, bsnet.Prefix(protocol.ID(prefix)))
	return bitswap.New(ctx, net, finder, blocks,
		bitswap.WithClientOption(client.BroadcastControlEnable(true)),
		bitswap.MaxOutstandingBytesPerPeer(outstanding),
		bitswap.EngineBlockstoreWorkerCount(8),
		// More than send at once: reading a block may wait for a bandwidth of the blockstore's.
		bitswap.TaskWorkerCount(16),
		bitswap.EngineTaskWorkerCount(16),
		bitswap.MaxQueuedWantlistEntriesPerPeer(1024),
		bitswap.WithoutDuplicatedBlockStats(),
	)
}

// Exchange fetches blocks from any peers that hold them, each verified against
// its CID, and finds holders of a session's first block through the network.
// Fetch a DAG through one NewSession, and cancel its context: a want lives
// until then. The host closes the exchange.
func (h *Host) Exchange() (exchange.SessionExchange, error) {
	if h.exchange == nil {
		return nil, ErrNoBlocks
	}
	if h.ctx.Err() != nil {
		return nil, fmt.Errorf("exchange: %w", ErrClosed)
	}
	return h.exchange, nil
}
