package join

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/compute/market"
	"tally/node/view"
	"tally/p2p"
)

// ErrUnregistered says that an account has no node that could be reached.
var ErrUnregistered = errors.New("join: the account is not registered as a node")

// Streams reach the node of an account: the registry has its key, the key gives
// the peer, the network finds the peer.
type Streams struct {
	Host *p2p.Host
	View *view.View
}

// Peer is the account's node. A registered key stays an account's for good, so
// an entry that was taken back serves too.
func (s Streams) Peer(account common.Address) (peer.ID, error) {
	n, ok := s.View.Nodes()[account]
	if !ok {
		return "", fmt.Errorf("%w: %s", ErrUnregistered, account)
	}
	return p2p.PeerOf(n.Key)
}

// Limits of job streams: a training worker is silent between steps, a session
// between requests; the market's own deadlines are shorter.
var jobLimits = p2p.Limits{Idle: 15 * time.Minute, Total: 24 * time.Hour, Frame: 4 << 20}

// Open opens a stream to the account's node.
func (s Streams) Open(ctx context.Context, account common.Address, name string) (market.Conn, error) {
	id, err := s.Peer(account)
	if err != nil {
		return nil, err
	}
	if err := s.Host.Connect(ctx, peer.AddrInfo{ID: id}); err != nil {
		return nil, err
	}
	// The opening is bounded by ctx, the stream is not.
	live, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	st, err := s.Host.OpenWith(live, id, name, jobLimits)
	if !stop() || err != nil {
		cancel()
		if err == nil {
			st.Reset()
			err = context.Cause(ctx)
		}
		return nil, err
	}
	return conn{st, account, cancel}, nil
}

// Call asks the account's node one thing.
func (s Streams) Call(ctx context.Context, account common.Address, name string, request []byte, max int) ([]byte, error) {
	id, err := s.Peer(account)
	if err != nil {
		return nil, err
	}
	return s.Host.Call(ctx, id, name, request, max)
}

// Handle serves a name with a market side.
func (s Streams) Handle(name string, serve func(context.Context, market.Conn) error) error {
	return s.Host.Handle(name, jobLimits, func(ctx context.Context, id peer.ID, st *p2p.Stream) error {
		account, err := p2p.AddressOf(id)
		if err != nil {
			return err
		}
		return serve(ctx, conn{st, account, func() {}})
	})
}

// Answer serves a name with one answer for one request of at most max bytes.
func (s Streams) Answer(name string, max int, answer func(ctx context.Context, from common.Address, request []byte) ([]byte, error)) error {
	return s.Host.Handle(name, p2p.Limits{Frame: 4 << 20}, func(ctx context.Context, id peer.ID, st *p2p.Stream) error {
		from, err := p2p.AddressOf(id)
		if err != nil {
			return err
		}
		req, err := st.Recv(max)
		if err != nil {
			return err
		}
		b, err := answer(ctx, from, req)
		if err != nil {
			return err
		}
		return st.Send(b)
	})
}

// conn is a stream as the market sees it.
type conn struct {
	*p2p.Stream
	account common.Address
	cancel  context.CancelFunc
}

func (c conn) Remote() common.Address { return c.account }

func (c conn) Close() error {
	defer c.cancel()
	return c.Stream.Close()
}
