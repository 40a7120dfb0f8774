package join

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/p2p"
	"tally/storage/shardstream"
)

// Shards reaches the holders of shards, and lets others reach ours.
type Shards struct {
	Host *p2p.Host
	// Known says who is a registered node: for those a part of the streams is kept, so
	// that peers that cost nothing to be cannot make a holder silent to who checks it.
	// Nil keeps none.
	Known func(common.Address) bool
}

// shardLimits leave time for who reads at a small budget of its own; shardstream
// is less patient with sources.
var shardLimits = p2p.Limits{Idle: 2 * time.Minute, Total: 6 * time.Hour, PerPeer: 8, Streams: 192, Frame: 64 << 10}

// maxStrangers is how many of the streams those have who are no registered nodes.
const maxStrangers = 128

// errStrangers is what a stranger reads when there are too many.
var errStrangers = errors.New("join: busy with others: try again later or elsewhere")

const (
	// askedPeers is how many connected peers are asked whether they hold a shard.
	askedPeers = 32
	// openTimeout bounds the dial of a holder.
	openTimeout = 15 * time.Second
)

// Open opens a shard stream to a peer; it lives as long as ctx.
func (s Shards) Open(ctx context.Context, p peer.ID) (shardstream.Conn, error) {
	dial, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if err := s.Host.Connect(dial, peer.AddrInfo{ID: p}); err != nil {
		return nil, err
	}
	st, err := s.Host.OpenWith(ctx, p, shardstream.Name, shardLimits)
	if err != nil {
		return nil, err
	}
	return st, nil
}

// Holders yields peers that may hold a shard: those connected, which cost one
// question, then those that the network has records of.
func (s Shards) Holders(ctx context.Context, root cid.Cid) iter.Seq2[peer.ID, error] {
	return func(yield func(peer.ID, error) bool) {
		for i, p := range s.Host.Peers() {
			if i == askedPeers {
				break
			}
			if !yield(p, nil) {
				return
			}
		}
		for p, err := range s.Host.FindProviders(ctx, root, 0) {
			if !yield(p.ID, err) {
				return
			}
		}
	}
}

// Serve answers shard streams of peers from now on.
func (s Shards) Serve(v *shardstream.Server) error {
	d := door{known: s.Known, most: maxStrangers}
	return s.Host.Handle(shardstream.Name, shardLimits, func(ctx context.Context, id peer.ID, st *p2p.Stream) error {
		account, err := p2p.AddressOf(id)
		if err != nil {
			return err
		}
		leave, err := d.enter(account)
		if err != nil {
			return err
		}
		defer leave()
		return v.Serve(ctx, shardstream.Asker{Peer: id, Account: account}, st)
	})
}

// door lets in only so many strangers at once.
type door struct {
	known func(common.Address) bool // nil knows everybody
	most  int64
	now   atomic.Int64 // strangers inside
}

func (d *door) enter(a common.Address) (leave func(), err error) {
	if d.known == nil || d.known(a) {
		return func() {}, nil
	}
	if d.now.Add(1) > d.most {
		d.now.Add(-1)
		return nil, errStrangers
	}
	return func() { d.now.Add(-1) }, nil
}
