// Package devnet runs a whole Tally network on this machine and takes a visitor
// on a tour of it.
//
// The life of a devnet: Start runs the embedded chain and its nodes as processes
// of their own on loopback, five with the roles of docs/architecture.md or those
// that Config.Members lists, gives them money from the faucet and waits until they
// have registered and found one another. Tour takes the five: it publishes a text,
// has it pinned, trains a model, asks it, settles an epoch, claims and audits, and
// says whether all of that held. Stop ends every process; they also end when this process does, whichever
// way that happens.
//
// A Devnet belongs to one goroutine. Everything that it shows is done by the
// nodes through their public APIs: this package starts processes, asks and
// tells.
package devnet

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/node/api"
	"tally/node/home"
	"tally/node/localnet"
	"tally/p2p"
	"tally/protocol"
)

// Preset is how large a devnet's work and how long its periods are.
type Preset struct {
	Name         string
	Model        string // the engine's preset
	Steps        int    // 0: the engine's preset decides
	AnswerTokens int
	Epoch        time.Duration
	Commit       time.Duration // window
	Audit        time.Duration // window
	Delay        time.Duration // of claims
	ProofPeriod  uint64        // in blocks
	Hold         uint64        // seconds for which pins are paid
	Heartbeat    time.Duration // the longest time between blocks; 0 is the chain's default
}

// Presets by name: "tour" is what a visitor sees, "test" runs in well under a
// minute.
var Presets = map[string]Preset{
	"tour": {Name: "tour", Model: "tiny", AnswerTokens: 48, Epoch: 30 * time.Second, Commit: 8 * time.Second, Audit: 20 * time.Second, Delay: 5 * time.Second, ProofPeriod: 10, Hold: 45},
	"test": {Name: "test", Model: "test", AnswerTokens: 33, Epoch: 8 * time.Second, Commit: 4 * time.Second, Audit: 6 * time.Second, Delay: 2 * time.Second, ProofPeriod: 8, Hold: 25},
}

// Config is what a devnet is started with.
type Config struct {
	Dir     string // for everything; must be empty or a stopped devnet's
	Exe     string // the tally binary; "" is this one
	Preset  Preset
	Members []Member // the nodes; none is the tour's five
	Verbose bool     // children log everything
}

// Member is a node to be.
type Member struct {
	Roles []home.Role
	Set   func(*home.Config) // what else its configuration says, or nil; a directory that is there keeps its own
}

// Node is one of the network's.
type Node struct {
	*Process
	Dir    string
	Roles  []home.Role
	client *api.Client
}

// Client talks to the node.
func (n *Node) Client() *api.Client { return n.client }

// Devnet is a running network.
type Devnet struct {
	Network string
	Dir     string
	Chain   *Process
	Nodes   []*Node

	c         Config
	preset    Preset
	members   []Member
	datanet   api.Datanet
	trained   string // receipt of the training
	lastEpoch uint64
}

const chainID = 7357001

// The tour's five nodes. The fourth and fifth contribute nothing; the
// fifth works only where the fourth does not. The second and the fifth audit:
// two votes are a quorum against a root, and when the fifth has worked there is
// another to audit it.
var five = []Member{
	{Roles: []home.Role{home.Pinner, home.Poster}},
	{Roles: []home.Role{home.Pinner, home.Auditor}},
	{Roles: []home.Role{home.Pinner}},
	{Roles: []home.Role{home.Worker}},
	{Roles: []home.Role{home.Worker, home.Auditor}},
}

// fallbackWeight makes the fifth node first in one ranking of ten thousand:
// docs/RATIONALE.md#why-does-the-devnets-fifth-node-have-such-a-small-weight.
const fallbackWeight = 100

// Start brings the network up.
func Start(ctx context.Context, c Config, tell Teller) (*Devnet, error) {
	if c.Exe == "" {
		exe, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("devnet: %w", err)
		}
		c.Exe = exe
	}
	d := &Devnet{Dir: c.Dir, c: c, preset: c.Preset, members: c.Members}
	if len(d.members) == 0 {
		d.members = five
	}
	if err := d.start(ctx, tell); err != nil {
		d.Stop()
		return nil, err
	}
	return d, nil
}

func (d *Devnet) start(ctx context.Context, tell Teller) error {
	up, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := os.MkdirAll(d.Dir, 0o700); err != nil {
		return fmt.Errorf("devnet: %w", err)
	}
	if err := d.StartChain(up); err != nil {
		return err
	}
	tell.Say("A chain of this machine's own runs, with Tally's five contracts on it.")
	var grants []localnet.Grant
	var auditors []common.Address
	for i, m := range d.members {
		h, err := makeHome(d.nodeDir(i), m, d.Chain.Ready.RPC)
		if err != nil {
			return err
		}
		if h.Config.Has(home.Auditor) {
			auditors = append(auditors, h.Address())
		}
		grants = append(grants, localnet.Grant{To: h.Address(), Gas: new(big.Int).Mul(big.NewInt(10), big.NewInt(1e18)), Tokens: protocol.Tokens(10_000)})
	}
	faucet, err := localnet.OpenFaucet(up, d.chainDir(), d.Chain.Ready.RPC)
	if err != nil {
		return err
	}
	defer faucet.Close()
	if err := faucet.Fund(up, grants); err != nil {
		return err
	}
	if err := faucet.Appoint(up, auditors); err != nil {
		return err
	}
	d.Nodes = make([]*Node, len(d.members))
	if err := d.StartNode(up, 0); err != nil {
		return err
	}
	if err := d.each(len(d.members)-1, func(i int) error { return d.StartNode(up, i+1) }); err != nil {
		return err
	}
	if err := d.Await(up, func(s api.Status) bool { return s.Nodes == len(d.members) && s.Peers >= 1 && len(s.Problems) == 0 }); err != nil {
		return err
	}
	if len(d.c.Members) == 0 {
		if err := faucet.Weigh(up, grants[4].To, fallbackWeight); err != nil {
			return err
		}
	}
	st, err := api.Get[api.Status](up, d.Nodes[0].client, "/v0/status", nil)
	if err != nil {
		return err
	}
	d.Network = st.Network
	tell.Say(fmt.Sprintf("%d nodes of network %s run, are registered and know one another.", len(d.Nodes), d.Network))
	return nil
}

// makeHome makes a node's directory, or takes the one of a devnet that ran there
// before, whose chain was elsewhere.
func makeHome(dir string, m Member, rpc string) (*home.Home, error) {
	c := home.Config{Network: "devnet", Roles: m.Roles, RPC: []string{rpc}, Profile: p2p.ProfileLAN, Prices: Prices}
	if m.Set != nil {
		m.Set(&c)
	}
	h, err := home.Init(dir, c, nil)
	if !errors.Is(err, home.ErrExists) {
		return h, err
	}
	if h, err = home.Open(dir); err != nil {
		return nil, err
	}
	h.Config.RPC, h.Config.Roles = c.RPC, c.Roles
	return h, h.SaveConfig()
}

// Prices are what the devnet's workers ask.
var Prices = home.Prices{In: protocol.NewAmount(1e16), Out: protocol.NewAmount(5e16), Train: protocol.NewAmount(1e16), Pin: protocol.NewAmount(1e17)}

func (d *Devnet) chainDir() string     { return filepath.Join(d.Dir, "chain") }
func (d *Devnet) nodeDir(i int) string { return filepath.Join(d.Dir, fmt.Sprintf("n%d", i+1)) }
func (d *Devnet) submitter() *Node     { return d.Nodes[2] }
func (d *Devnet) auditor() *Node       { return d.Nodes[4] }

// StartChain starts the chain's process, anew after a stop.
func (d *Devnet) StartChain(ctx context.Context) error {
	args := []string{
		"chain", "--dir", d.chainDir(), "--name", "devnet", "--chain-id", fmt.Sprint(chainID),
		"--epoch", d.preset.Epoch.String(), "--commit-window", d.preset.Commit.String(), "--proof-period", fmt.Sprint(d.preset.ProofPeriod),
		"--audit-window", d.preset.Audit.String(), "--claim-delay", d.preset.Delay.String(), "--with-parent", "--json",
	}
	if d.preset.Heartbeat > 0 {
		args = append(args, "--heartbeat", d.preset.Heartbeat.String())
	}
	if d.Chain != nil { // where the nodes look for it
		args = append(args, "--rpc", d.Chain.Ready.RPC)
	}
	p, err := spawn(ctx, d.c.Exe, d.Dir, "chain", d.args(args)...)
	if err != nil {
		return err
	}
	d.Chain = p
	return nil
}

// Book is the file of the network's address book.
func (d *Devnet) Book() string { return localnet.BookPath(d.chainDir()) }

// StartNode starts a node's process, anew after a stop.
func (d *Devnet) StartNode(ctx context.Context, i int) error {
	args := []string{"up", "--data", d.nodeDir(i), "--book", d.Book(), "--with-parent", "--json"}
	for j, n := range d.Nodes {
		if j != i && n != nil && !n.ended() {
			for _, a := range n.Ready.Addrs {
				args = append(args, "--bootstrap", a)
			}
			break
		}
	}
	p, err := spawn(ctx, d.c.Exe, d.Dir, fmt.Sprintf("n%d", i+1), d.args(args)...)
	if err != nil {
		return err
	}
	c, err := api.Dial(d.nodeDir(i))
	if err != nil {
		p.Kill()
		return err
	}
	d.Nodes[i] = &Node{Process: p, Dir: d.nodeDir(i), Roles: d.members[i].Roles, client: c}
	return nil
}

func (d *Devnet) args(a []string) []string {
	if d.c.Verbose {
		return append(a, "--verbose")
	}
	return a
}

// Await polls every node until it is as wanted.
func (d *Devnet) Await(ctx context.Context, ok func(api.Status) bool) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for i, n := range d.Nodes {
		for {
			st, err := api.Get[api.Status](ctx, n.client, "/v0/status", nil)
			if err == nil && ok(st) {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%w: node %d is not ready (%+v): %w: %s", ErrProcess, i+1, st, errors.Join(err, context.Cause(ctx)), n.tail())
			case <-n.done:
				return fmt.Errorf("%w: node %d ended: %w: %s", ErrProcess, i+1, n.cause(), n.tail())
			case <-tick.C:
			}
		}
	}
	return nil
}

// each runs f for 0 … n-1 at once and joins the errors.
func (d *Devnet) each(n int, f func(int) error) error {
	errs := make(chan error, n)
	for i := range n {
		go func() { errs <- f(i) }()
	}
	var all error
	for range n {
		all = errors.Join(all, <-errs)
	}
	return all
}

// Stop ends every process, nodes first.
func (d *Devnet) Stop() {
	_ = d.each(len(d.Nodes), func(i int) error {
		if d.Nodes[i] != nil {
			d.Nodes[i].Stop()
		}
		return nil
	})
	if d.Chain != nil {
		d.Chain.Stop()
	}
}

// Wait blocks until ctx ends or the chain does, which is an error. A node that
// ends before is told, and the others go on.
func (d *Devnet) Wait(ctx context.Context, tell Teller) error {
	ended := make(chan *Process, len(d.Nodes))
	watching, stop := context.WithCancel(ctx)
	defer stop()
	for _, n := range d.Nodes {
		go func() {
			select {
			case <-n.done:
				ended <- n.Process
			case <-watching.Done():
			}
		}()
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.Chain.done:
			if ctx.Err() != nil { // both were interrupted
				return nil
			}
			return fmt.Errorf("%w: the chain ended: %w: %s", ErrProcess, d.Chain.cause(), d.Chain.tail())
		case p := <-ended:
			if ctx.Err() == nil {
				tell.Say(fmt.Sprintf("Node %s ended by itself (%v; its last words are in %s); the others go on.", p.Name, p.cause(), p.log))
			}
		}
	}
}
