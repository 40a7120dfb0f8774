package p2p

import (
	"context"
	"errors"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
)

// join keeps the host connected to one bootstrap peer until ctx ends: at once,
// after a loss, and however late the peer starts.
func (h *Host) join(ctx context.Context, p peer.AddrInfo, l limits) {
	lost := make(chan struct{}, 1)
	watch := &network.NotifyBundle{DisconnectedF: func(_ network.Network, c network.Conn) {
		if c.RemotePeer() == p.ID {
			select {
			case lost <- struct{}{}:
			default:
			}
		}
	}}
	h.host.Network().Notify(watch)
	defer h.host.Network().StopNotify(watch)
	h.host.ConnManager().Protect(p.ID, "bootstrap")

	wait, told := l.retryFirst, false
	for {
		err := h.dialAgain(ctx, p)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			h.log.Info("joined", "bootstrap", p.ID, "peers", len(h.Peers()))
			wait, told = l.retryFirst, false
			select {
			case <-h.finder.dht.ForceRefresh():
			case <-ctx.Done():
				return
			}
			select {
			case <-lost:
				if h.host.Network().Connectedness(p.ID) == network.Connected {
					continue // one connection of several
				}
			case <-ctx.Done():
				return
			}
		case !told:
			told = true
			h.log.Warn("bootstrap peer not reached, trying on", "bootstrap", p.ID, "err", err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		wait = min(2*wait, l.retryMost)
	}
}

// dialAgain connects without regard to the swarm's own back-off: the loop has one.
func (h *Host) dialAgain(ctx context.Context, p peer.AddrInfo) error {
	if s, ok := h.host.Network().(interface{ Backoff() *swarm.DialBackoff }); ok {
		s.Backoff().Clear(p.ID)
	}
	err := h.connect(ctx, p)
	if errors.Is(err, ErrClosed) {
		return context.Canceled
	}
	return err
}
