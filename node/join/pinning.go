package join

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"tally/node/gateway"
	"tally/node/pinning"
	"tally/storage"
)

// Pinning keeps DAGs for the pinning service.
type Pinning struct {
	Store Store
	HTTP  *http.Client // for gateways among the origins; nil is the default one
}

// Keep fetches a DAG, from gateways among its origins first, and pins it.
func (p Pinning) Keep(ctx context.Context, root cid.Cid, why string, origins []string) error {
	var tried error
	for _, o := range origins {
		x, err := p.remote(o)
		if err == nil && x == nil {
			continue // another network's peer: not ours to reach
		}
		if err == nil {
			_, err = p.Store.S.Fetch(ctx, root, nil, storage.From(x), storage.Pace(p.Store.Down.Take))
		}
		if err == nil {
			return p.Store.Pin(ctx, root, why, 0)
		}
		tried = errors.Join(tried, fmt.Errorf("origin %s: %w", o, err))
	}
	if err := p.Store.Fetch(ctx, root); err != nil {
		err = errors.Join(err, tried)
		for _, never := range []error{storage.ErrTooLarge, storage.ErrTooMany, storage.ErrCID, storage.ErrBlock, storage.ErrBlockSize} {
			if errors.Is(err, never) {
				return fmt.Errorf("%w: %w", pinning.ErrFinal, err)
			}
		}
		return err
	}
	return p.Store.Pin(ctx, root, why, 0)
}

// remote is the exchange with an origin that is a gateway: a multiaddr that ends
// in /http or /https. Other origins give none.
func (p Pinning) remote(origin string) (storage.Exchange, error) {
	scheme := ""
	switch {
	case strings.HasSuffix(origin, "/http"):
		scheme = "http"
	case strings.HasSuffix(origin, "/https"):
		scheme = "https"
	default:
		return nil, nil
	}
	a, err := multiaddr.NewMultiaddr(strings.TrimSuffix(origin, "/"+scheme))
	if err != nil {
		return nil, err
	}
	_, host, err := manet.DialArgs(a)
	if err != nil {
		return nil, err
	}
	return gateway.NewRemote(scheme+"://"+host, p.HTTP)
}

// Release takes a reason back.
func (p Pinning) Release(ctx context.Context, root cid.Cid, why string) error {
	return p.Store.S.Unpin(ctx, root, why)
}
