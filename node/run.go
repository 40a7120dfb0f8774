package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"tally/chainclient"
	"tally/node/api"
	"tally/node/devnet"
	"tally/node/home"
	"tally/protocol"
)

// LocalChainID is the chain id of local networks.
const LocalChainID = 7357002

// ErrConfig says that a Config lacks something.
var ErrConfig = errors.New("node: config")

// Config is what Run needs.
type Config struct {
	Home   *home.Home
	Book   string // the file of an address book to take the place of the node's; "" for none
	Logger *slog.Logger
	Ready  func(devnet.Ready) error // told once the node serves; may be nil
}

// Validate says what is missing.
func (c Config) Validate() error {
	if c.Home == nil || c.Logger == nil {
		return fmt.Errorf("%w: a data directory and a logger are needed", ErrConfig)
	}
	return c.Home.Config.Validate() // bootstrap peers may have been added since it was read
}

// DefaultProofPeriod is a local network's, in blocks of about two seconds.
const DefaultProofPeriod = 150

// LocalParams are a local network's periods; that of proofs is counted in blocks.
func LocalParams(epoch, commit, audit, delay time.Duration, proofs uint64) (protocol.Params, error) {
	for what, d := range map[string]time.Duration{"an epoch": epoch, "the commit window": commit, "the audit window": audit, "the claim delay": delay} {
		if d < time.Second || d%time.Second != 0 {
			return protocol.Params{}, fmt.Errorf("%w: %s of %s: use whole seconds", ErrConfig, what, d)
		}
	}
	s := func(d time.Duration) uint64 { return uint64(d / time.Second) }
	return protocol.Params{
		EpochLength: s(epoch), CommitWindow: s(commit), AuditWindow: s(audit), ClaimDelay: s(delay),
		Quorum: 2, Bond: protocol.Tokens(100), MintCap: protocol.Tokens(1000),
		ProofPeriod: proofs, ProofLeaves: 5,
	}, nil
}

// Run runs the node until ctx ends.
func Run(ctx context.Context, c Config) (err error) {
	if err := c.Validate(); err != nil {
		return err
	}
	if err := c.Home.Lock(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Home.Unlock()) }()
	if c.Book != "" {
		if err := adopt(c.Home, c.Book); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	n, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	local, err := api.ListenLocal(c.Home.Dir)
	if err != nil {
		return err
	}
	public, err := listenOpenAI(c.Home.Config.OpenAI)
	if err != nil {
		return errors.Join(err, local.Close())
	}
	n.openai = "http://" + public.Addr().String() + "/v1"
	shown, err := n.listenGateway()
	if err != nil {
		return errors.Join(err, local.Close(), public.Close())
	}

	g, ctx := errgroup.WithContext(ctx)
	n.ctx = ctx
	defer n.jobs.Wait() // before close: they use what it closes
	for _, l := range n.loops() {
		g.Go(func() error {
			if err := l.run(ctx); err != nil && ctx.Err() == nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
			return nil
		})
	}
	if err := n.handle(); err != nil {
		stop()
		return errors.Join(err, local.Close(), public.Close(), shown.Close(), g.Wait())
	}
	g.Go(func() error {
		return api.Serve(ctx, local, api.Guard(c.Home.Token, api.Fail, api.Handler(n.api(), stop, n.log)))
	})
	g.Go(func() error {
		return api.Serve(ctx, public, n.publicDoor())
	})
	if shown != nil {
		g.Go(func() error { return n.serveGateway(ctx, shown) })
	}
	if c.Ready != nil {
		r := devnet.Ready{Account: n.me.Hex(), Peer: n.host.ID().String(), OpenAI: n.openai, Gateway: n.gateway}
		for _, a := range n.host.Addrs() {
			r.Addrs = append(r.Addrs, a.String())
		}
		if err := c.Ready(r); err != nil {
			stop()
			return errors.Join(err, g.Wait())
		}
	}
	err = g.Wait()
	stop() // a loop that failed ends the node's jobs too
	return err
}

// adopt makes an address book the node's, whose directory is locked, unless the
// directory belongs to another network than the book's.
func adopt(h *home.Home, path string) error {
	book, err := chainclient.LoadBook(path)
	if err != nil {
		return err
	}
	if len(h.Config.RPC) == 0 {
		return noEndpoint(h)
	}
	if err := h.Bind(book.Network); err != nil {
		return err
	}
	return book.Save(h.Path("book.json"))
}

func noEndpoint(h *home.Home) error {
	return fmt.Errorf("%w: there is an address book but no endpoint of its chain: put one under \"rpc\" in %s", ErrConfig, h.Path("config.json"))
}

// listenOpenAI opens the public API's door; home.Config has seen that it is on
// loopback.
func listenOpenAI(addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("node: listen on %s: %w: choose another address with \"openai\" in config.json", addr, err)
	}
	return l, nil
}
