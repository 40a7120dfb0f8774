package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"tally/chainclient"
	"tally/chainclient/embedded"
	"tally/node"
	"tally/node/api"
	"tally/node/devnet"
	"tally/node/home"
	"tally/node/localnet"
	"tally/p2p"
	"tally/rewards/ruleset"
)

func (t *tool) initCommand() *cobra.Command {
	cfg := home.Config{Network: "local", Profile: p2p.ProfileLAN, Prices: devnet.Prices}
	var roles []string
	var payout, book string
	c := &cobra.Command{
		Use: "init", Short: "Make a node: its key, its settings and, with --book, its network", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			for _, r := range roles {
				cfg.Roles = append(cfg.Roles, home.Role(r))
			}
			if payout != "" {
				if !common.IsHexAddress(payout) {
					return fmt.Errorf("--payout %q: write an address such as 0x…, 40 hex digits", payout)
				}
				cfg.Payout = common.HexToAddress(payout)
			}
			var b *chainclient.Book
			if book != "" { // read before anything is made
				read, err := chainclient.LoadBook(book)
				if err != nil {
					return err
				}
				b = &read
			}
			h, err := home.Init(t.data, cfg, nil)
			if err != nil {
				return err
			}
			if b != nil {
				if err := b.Save(h.Path("book.json")); err != nil {
					return err
				}
			}
			out := map[string]any{"data": h.Dir, "account": h.Address().Hex(), "roles": cfg.Roles}
			return t.answer(out, func(w io.Writer) {
				fmt.Fprintf(w, "made a node in %s\naccount %s\nkeep a copy of %s: it is the node's identity and signs for its money\n", h.Dir, h.Address().Hex(), h.Path("key"))
			})
		},
	}
	f := c.Flags()
	f.StringSliceVar(&roles, "role", nil, "worker, pinner, auditor or poster; several are several flags or separated by commas")
	f.StringVar(&payout, "payout", "", "where rewards go; by default the node's own account")
	f.StringVar(&book, "book", "", "the network's address book; without it the node runs a chain of its own")
	f.StringSliceVar(&cfg.RPC, "rpc", nil, "endpoint of the network's chain")
	f.StringSliceVar(&cfg.Listen, "listen", nil, "multiaddr to listen on; by default free ports of loopback")
	f.StringSliceVar(&cfg.Bootstrap, "bootstrap", nil, "multiaddr of a node to join through")
	f.StringVar(&cfg.OpenAI, "openai", "", "loopback host:port of the OpenAI-compatible API; by default a free port")
	f.StringVar(&cfg.Gateway, "gateway", "", "host:port of the trustless IPFS gateway, or \"off\"; by default a free loopback port")
	return c
}

func (t *tool) upCommand() *cobra.Command {
	var book string
	var bootstrap []string
	var withParent bool
	c := &cobra.Command{
		Use: "up", Short: "Run the node until it is told to stop", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := t.withParent(cmd.Context(), withParent)
			defer cancel()
			h, err := home.Open(t.data)
			if err != nil {
				return err
			}
			h.Config.Bootstrap = append(h.Config.Bootstrap, bootstrap...)
			return node.Run(ctx, node.Config{
				Home: h, Book: book, Logger: t.logger(),
				Ready: func(r devnet.Ready) error {
					return t.answer(r, func(w io.Writer) {
						fmt.Fprintf(w, "the node runs as %s\nopenai   %s (the key is in %s)\n", r.Account, r.OpenAI, h.Path("token"))
						for _, a := range r.Addrs {
							fmt.Fprintln(w, "address ", a)
						}
						fmt.Fprintln(w, "'tally status' says how it is, 'tally stop' ends it")
					})
				},
			})
		},
	}
	f := c.Flags()
	f.StringVar(&book, "book", "", "the network's address book, if not the one given at init")
	f.StringSliceVar(&bootstrap, "bootstrap", nil, "further nodes to join through")
	f.BoolVar(&withParent, "with-parent", false, "stop when standard input ends")
	return c
}

// withParent ends with standard input too, if wanted.
func (t *tool) withParent(ctx context.Context, yes bool) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if yes {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
	}
	return ctx, cancel
}

func (t *tool) chainCommand() *cobra.Command {
	var cfg localnet.Config
	var epoch, commit, audit, delay time.Duration
	var proofs uint64
	var rpc string
	var withParent bool
	c := &cobra.Command{
		Use: "chain", Short: "Run a local network's chain alone, for nodes that reach it with --rpc", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := t.withParent(cmd.Context(), withParent)
			defer cancel()
			p, err := node.LocalParams(epoch, commit, audit, delay, proofs)
			if err != nil {
				return err
			}
			if cfg.Ruleset, err = ruleset.First().Hash(); err != nil {
				return err
			}
			cfg.Params, cfg.Logger = p, t.logger()
			if rpc != "" {
				if _, err := fmt.Sscanf(rpc[strings.LastIndex(rpc, ":")+1:], "%d", &cfg.Port); err != nil {
					return fmt.Errorf("--rpc %q ends in no port", rpc)
				}
			}
			n, err := localnet.Open(ctx, cfg)
			if err != nil {
				return err
			}
			r := devnet.Ready{RPC: n.RPC(), Book: localnet.BookPath(cfg.Dir)}
			err = t.answer(r, func(w io.Writer) {
				fmt.Fprintf(w, "the chain runs at %s\naddress book %s\n", r.RPC, r.Book)
			})
			if err != nil {
				return errors.Join(err, n.Close())
			}
			<-ctx.Done()
			return n.Close()
		},
	}
	f := c.Flags()
	f.StringVar(&cfg.Dir, "dir", filepath.Join(defaultData(), "chain"), "directory of the chain, the address book and the faucet's key")
	f.StringVar(&cfg.Name, "name", "local", "name of the network")
	f.Uint64Var(&cfg.ChainID, "chain-id", node.LocalChainID, "the chain's id")
	f.IntVar(&cfg.Port, "port", 0, "port on loopback; 0 takes a free one")
	f.StringVar(&rpc, "rpc", "", "URL whose port to take, instead of --port")
	f.DurationVar(&epoch, "epoch", 10*time.Minute, "length of an epoch")
	f.DurationVar(&commit, "commit-window", 2*time.Minute, "time after an epoch to commit receipts")
	f.DurationVar(&audit, "audit-window", 3*time.Minute, "time after that to audit")
	f.Uint64Var(&proofs, "proof-period", node.DefaultProofPeriod, "blocks in which every pinner proves its set once, at least 8")
	f.DurationVar(&delay, "claim-delay", time.Minute, "time from an anchor to claims")
	f.DurationVar(&cfg.Heartbeat, "heartbeat", embedded.DefaultHeartbeat, "longest time between blocks while something happens")
	f.BoolVar(&withParent, "with-parent", false, "stop when standard input ends")
	return c
}

func (t *tool) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "How the node is", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (api.Status, error) {
				return api.Get[api.Status](ctx, c, "/v0/status", nil)
			}, func(w io.Writer, s api.Status) {
				fmt.Fprintf(w, "network  %s, %d nodes registered, %d connected\naccount  %s, pays out to %s\nroles    %s\nchain    block %d, epoch %d\nmoney    %s held, %s free in the vault\nopenai   %s\npinning  %s\ngateway  %s\n",
					s.Network, s.Nodes, s.Peers, s.Account, s.Payout, strings.Join(s.Roles, ", "), s.Block, s.Epoch, tokens(s.Tokens), tokens(s.Deposit), s.OpenAI, strings.TrimSuffix(s.OpenAI, "/v1")+"/psa", cmp.Or(s.Gateway, "none"))
				for _, p := range s.Problems {
					fmt.Fprintln(w, "problem ", p)
				}
			})
		},
	}
}

func (t *tool) stopCommand() *cobra.Command {
	return &cobra.Command{
		Use: "stop", Short: "Stop the running node", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd.Context(), t, func(ctx context.Context, c *api.Client) (struct{}, error) {
				return api.Post[struct{}](ctx, c, "/v0/stop", nil)
			}, func(w io.Writer, _ struct{}) { fmt.Fprintln(w, "stopping") })
		},
	}
}

func (t *tool) devnetCommand() *cobra.Command {
	var dir, corpus, preset, licence string
	var once, keep bool
	c := &cobra.Command{
		Use: "devnet", Short: "Run a chain and five nodes on this machine and take a tour of them", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			ctx := cmd.Context()
			if once {
				var done func(error) error
				ctx, done = within(ctx, onceWithin)
				defer func() { err = done(err) }()
			}
			p, ok := devnet.Presets[preset]
			if !ok {
				return fmt.Errorf("--preset %q: use tour or test", preset)
			}
			text, err := t.corpus(ctx, corpus, licence)
			if err != nil {
				return err
			}
			if dir == "" {
				if dir, err = os.MkdirTemp("", "tally-devnet-"); err != nil {
					return err
				}
				if !keep {
					defer os.RemoveAll(dir)
				}
			}
			g := &guide{w: t.err}
			d, err := devnet.Start(ctx, devnet.Config{Dir: dir, Preset: p, Verbose: t.verbose}, g)
			if err != nil {
				return err
			}
			defer d.Stop()
			r, err := d.Tour(ctx, text, g)
			g.end()
			if once {
				if t.json {
					if e := json.NewEncoder(t.out).Encode(r); e != nil {
						return e
					}
				}
				if err == nil && !t.json {
					fmt.Fprintf(t.out, "all of it held, in %.0f s\n", r.Seconds)
				}
				return err
			}
			if err != nil {
				return err
			}
			if t.json {
				if err := json.NewEncoder(t.out).Encode(r); err != nil {
					return err
				}
			}
			t.sayWhere(d, r)
			return d.Wait(ctx, g)
		},
	}
	f := c.Flags()
	f.BoolVar(&once, "once", false, "end after the tour, with status 0 only if all of it held")
	f.StringVar(&corpus, "corpus", "", "a folder of text files instead of Go's package comments: one contributor for each of three top-level folders, or else three equal parts")
	f.StringVar(&licence, "licence", "CC0-1.0", "licence of the text in --corpus")
	f.StringVar(&preset, "preset", "tour", "tour, or test for a small one")
	f.StringVar(&dir, "dir", "", "directory for the network; by default a new one that goes at the end")
	f.BoolVar(&keep, "keep", false, "keep the new directory")
	return c
}

// onceWithin is several times what the tour takes on two cores.
const onceWithin = 15 * time.Minute

// within bounds the time of a command. done says so in place of what the end of
// time did to whatever was under way.
func within(ctx context.Context, most time.Duration) (bounded context.Context, done func(error) error) {
	over := fmt.Errorf("not done within %s: the machine is too busy, or the network hangs: look at the logs with --dir, or try --preset test", most)
	bounded, cancel := context.WithTimeoutCause(ctx, most, over)
	return bounded, func(err error) error {
		defer cancel()
		if err != nil && errors.Is(context.Cause(bounded), over) && !errors.Is(err, over) {
			return fmt.Errorf("%w: %w", over, err)
		}
		return err
	}
}

func (t *tool) corpus(ctx context.Context, dir, licence string) (devnet.Corpus, error) {
	if dir != "" {
		return devnet.DirCorpus(ctx, dir, licence)
	}
	return devnet.GoCorpus(ctx)
}

// sayWhere tells a visitor what to do with the network that stays up.
func (t *tool) sayWhere(d *devnet.Devnet, r devnet.Result) {
	n := d.Nodes[2]
	fmt.Fprintf(t.err, `
The network stays up; stop it with Ctrl-C.

  OpenAI-compatible API   %s
  key                     %s
  model                   %s

  tally --data %s ask "Package sort provides"
  tally --data %s rewards
  tally --data %s receipt ls
`, n.Ready.OpenAI, n.Client().Token(), r.Model.CID, n.Dir, d.Nodes[3].Dir, d.Nodes[3].Dir)
}
