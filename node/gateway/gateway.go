// Package gateway exchanges public data with IPFS over HTTP.
//
// Handler serves a trustless gateway (https://specs.ipfs.tech/http-gateways/trustless-gateway/):
// single blocks (application/vnd.ipld.raw) and DAGs as CAR files
// (application/vnd.ipld.car) under /ipfs/{cid}, which any IPFS tool can read and
// check by itself. Only what is held here is served: a request never makes the
// node fetch. Nothing is interpreted, so a page in a datanet can never run in a
// reader's browser under this node's name. IPNS and DNSLink are not served.
//
// What leaves this machine shares the line with all else that the node sends
// (Config.Pace). A reader on the machine itself is not held back, unless it
// says, as a proxy does, that it reads for somebody else.
//
// Remote is the way back: an exchange that reads blocks from such a gateway,
// kubo's for example, for storage.Store.Fetch, which checks each against its CID.
//
// Both are safe for concurrent use. Requests, answers and times are bounded.
package gateway

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/ipfs/boxo/blockservice"
	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/boxo/gateway"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	patience = 30 * time.Second // without a portion read
	longest  = time.Hour        // of one answer
	atOnce   = 64
	maxDepth = 64 // of a DAG served as one CAR
)

// Config is what a Handler depends on.
type Config struct {
	Blocks   blockstore.Blockstore // what may be served, and nothing else
	Registry *prometheus.Registry  // nil makes one that nobody reads
	// Pace waits until so many bytes of an answer may leave this machine; nil lets them. Headers are not counted.
	Pace func(ctx context.Context, bytes int) error
}

// Handler serves what Blocks holds, under /ipfs/.
func Handler(c Config) (http.Handler, error) {
	reg := c.Registry
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	back, err := gateway.NewBlocksBackend(blockservice.New(c.Blocks, nil), gateway.WithMaxTraversalDepth(maxDepth))
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	h := gateway.NewHandler(gateway.Config{
		NoDNSLink: true, DisableHTMLErrors: true, MaxRequestDuration: longest, // nothing is retrieved: no time-out for that
		MaxConcurrentRequests: atOnce, MetricsRegistry: reg,
	}, back)
	h = paced(c.Pace, gateway.NewHeaders(nil).ApplyCors().Wrap(h))
	m := http.NewServeMux()
	m.Handle("GET /ipfs/", h)
	m.Handle("HEAD /ipfs/", h)
	return m, nil
}
