package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"tally/node/api"
	"tally/node/gateway"
	"tally/node/home"
	"tally/node/openai"
	"tally/node/pinning"
)

// door is a listener that may be absent.
type door struct{ net.Listener }

// Close closes what is there.
func (d *door) Close() error {
	if d == nil {
		return nil
	}
	return d.Listener.Close()
}

// listenGateway opens the gateway's door, unless the operator wants none.
func (n *Node) listenGateway() (*door, error) {
	addr := n.home.Config.Gateway
	switch addr {
	case home.Off:
		return nil, nil
	case "":
		addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("node: listen on %s: %w: choose another address with \"gateway\" in config.json", addr, err)
	}
	n.gateway = "http://" + l.Addr().String()
	return &door{l}, nil
}

// serveGateway shows public data to anybody who reaches the door: it needs no
// token, since it spends nothing but upload, within the budget of all streams, and shows
// what bitswap shows: nothing of private shards.
func (n *Node) serveGateway(ctx context.Context, l *door) error {
	h, err := gateway.Handler(gateway.Config{Blocks: n.store.S.Blockstore(), Pace: n.up.Take})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	return api.Serve(ctx, l, h)
}

// publicDoor serves the OpenAI-compatible API under /v1 and the Pinning Service
// API under /psa, both with the token of the data directory.
func (n *Node) publicDoor() http.Handler {
	m := http.NewServeMux()
	m.Handle("/", api.Guard(n.home.Token, openai.Fail, openai.Handler(n, n)))
	m.Handle("/psa/", api.Guard(n.home.Token, pinning.Fail, http.StripPrefix("/psa", n.pins.Handler())))
	return m
}
