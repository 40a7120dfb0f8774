package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ipfs/go-cid"
	"github.com/prometheus/client_golang/prometheus"

	"tally/chainclient"
	"tally/chainclient/sender"
	"tally/chainclient/watch"
	"tally/compute"
	"tally/compute/exact/engine"
	"tally/compute/market"
	"tally/internal/kv"
	"tally/node/datanet"
	"tally/node/home"
	"tally/node/join"
	"tally/node/localnet"
	"tally/node/models"
	"tally/node/pinning"
	"tally/node/repeat"
	"tally/node/shelf"
	"tally/node/view"
	"tally/p2p"
	"tally/protocol"
	"tally/rewards"
	"tally/rewards/journal"
	"tally/rewards/ledger"
	"tally/rewards/retrieval"
	"tally/rewards/ruleset"
	"tally/storage/pinset"
	"tally/storage/possession"
	"tally/storage/possession/proofset"
	"tally/storage/shardstream"
)

// Node is a node's parts, joined.
type Node struct {
	home    *home.Home
	log     *slog.Logger
	me      common.Address
	book    chainclient.Book
	rules   ruleset.Rules
	openai  string          // base URL; set once by Run
	gateway string          // base URL, or none; set once by Run
	ctx     context.Context // of the loops; set once by Run

	eth     *ethclient.Client
	chain   *chainclient.Client
	sender  *sender.Sender
	watcher *watch.Watcher
	view    *view.View

	store     join.Store
	serving   *shardstream.Server
	up        *shardstream.Budget // of shards, streamed and block by block; nil is no bound
	sets      *proofset.Follower
	prover    *possession.Prover // nil for a node that is no pinner
	keeper    *pinset.Keeper     // the same
	offers    *join.OfferWants   // nil unless the operator volunteers
	inbox     *retrieval.Inbox   // a poster's
	host      *p2p.Host
	announcer *join.Announcer
	streams   join.Streams
	board     join.Board
	ledger    *ledger.Ledger
	journal   *journal.Journal
	db        *kv.DB // heads of datanets, models known
	work      *kv.DB // books and outboxes of jobs

	shelf     *shelf.Shelf
	engine    shelf.Engine
	submitter *market.Submitter
	worker    *market.Worker // nil for a node that takes no jobs
	datanets  *datanet.Service
	models    *models.Library
	sessions  *sessions
	repeater  *repeat.Repeater
	pins      *pinning.Service
	topics    topics

	problems problems
	jobs     sync.WaitGroup // jobs that outlive their callers; they end with ctx
	claiming sync.Mutex     // held while a claim is made
	closers  []func() error // in the order of opening
}

// loop is something that a node keeps doing until its context ends.
type loop struct {
	name string
	run  func(context.Context) error
}

// Run makes a loop a role of its own.
func (l loop) Run(ctx context.Context) error { return l.run(ctx) }

// opened keeps what must be closed, last first.
func (n *Node) opened(close func() error) { n.closers = append(n.closers, close) }

func (n *Node) close() error {
	var err error
	for i := len(n.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, n.closers[i]())
	}
	return err
}

// open opens the parts in order; on an error it closes what it had opened.
func open(ctx context.Context, c Config) (_ *Node, err error) {
	n := &Node{home: c.Home, log: c.Logger, me: c.Home.Address(), rules: ruleset.First()}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.close())
		}
	}()
	for _, step := range []func(context.Context) error{n.openChain, n.openStorage, n.openNetwork, n.openWork} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// openChain finds the network and its chain.
func (n *Node) openChain(ctx context.Context) error {
	endpoints := n.home.Config.RPC
	book, err := chainclient.LoadBook(n.home.Path("book.json"))
	switch {
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	case len(endpoints) == 0 && err == nil:
		return noEndpoint(n.home)
	case len(endpoints) == 0:
		if endpoints, err = n.openLocal(ctx); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("%w: no address book: give the network's with 'tally up --book FILE'", ErrConfig)
	default:
		n.book = book
	}
	if err := n.home.Bind(n.book.Network); err != nil {
		return err
	}
	if n.eth, err = dial(ctx, endpoints, n.book); err != nil {
		return err
	}
	n.opened(func() error { n.eth.Close(); return nil })
	sdb, err := n.openDB("sender", true)
	if err != nil {
		return err
	}
	n.sender, err = sender.New(sender.Config{Key: n.home.Key, Backend: n.eth, DB: sdb, ChainID: n.book.ChainID, Logger: n.log})
	if err != nil {
		return err
	}
	n.chain, err = chainclient.New(chainclient.Config{Book: n.book, Backend: n.eth, Sender: n.sender, From: n.me})
	if err != nil {
		return err
	}
	wdb, err := n.openDB("watch", false)
	if err != nil {
		return err
	}
	n.watcher, err = watch.New(watch.Config{Backend: n.eth, DB: wdb, ChainID: n.book.ChainID, Addresses: n.book.Contracts(), From: n.book.Start, Logger: n.log})
	if err != nil {
		return err
	}
	n.view = view.New(n.book.Decode)
	n.board = join.Board{View: n.view}
	return nil
}

// openLocal makes or opens a network of this node's own.
func (n *Node) openLocal(ctx context.Context) ([]string, error) {
	p, err := LocalParams(10*time.Minute, 2*time.Minute, 3*time.Minute, time.Minute, DefaultProofPeriod)
	if err != nil {
		return nil, err
	}
	hash, err := n.rules.Hash()
	if err != nil {
		return nil, err
	}
	net, err := localnet.Open(ctx, localnet.Config{
		Dir: n.home.Path("chain"), Name: n.home.Config.Network, ChainID: LocalChainID, Params: p, Ruleset: hash, Logger: n.log,
	})
	if err != nil {
		return nil, err
	}
	n.opened(net.Close)
	n.book = net.Book
	return []string{net.RPC()}, n.fundSelf(ctx, net.RPC())
}

// fundSelf gives the node of a local network its first money.
func (n *Node) fundSelf(ctx context.Context, rpc string) error {
	f, err := localnet.OpenFaucet(ctx, n.home.Path("chain"), rpc)
	if err != nil {
		return err
	}
	return errors.Join(f.FundOnce(ctx, n.me), f.Close())
}

// dial takes the first endpoint that serves the book's chain.
func dial(ctx context.Context, endpoints []string, book chainclient.Book) (*ethclient.Client, error) {
	var tried error
	for _, url := range endpoints {
		c, err := chainclient.Dial(ctx, url, book)
		if err == nil {
			return c, nil
		}
		tried = errors.Join(tried, err)
	}
	return nil, tried
}

func (n *Node) openDB(name string, durable bool) (*kv.DB, error) {
	db, err := kv.Open(n.home.Path(name), kv.Options{Sync: durable, Small: true})
	if err != nil {
		return nil, err
	}
	n.opened(db.Close)
	return db, nil
}

// openStorage opens what is kept. The network is opened after it and so closed
// before it: nothing is served from what is closed.
func (n *Node) openStorage(context.Context) error {
	s, err := n.openStore()
	if err != nil {
		return err
	}
	n.opened(s.Close)
	n.store.S = s
	if n.ledger, err = ledger.Open(n.home.Path("ledger"), n.book.Network); err != nil {
		return err
	}
	n.opened(n.ledger.Close)
	if n.journal, err = journal.Open(n.home.Path("journal"), n.book.Network); err != nil {
		return err
	}
	n.opened(n.journal.Close)
	if n.work, err = n.openDB("jobs", true); err != nil {
		return err
	}
	n.db, err = n.openDB("node", true)
	return err
}

// openNetwork listens, and gives storage its way to other nodes.
func (n *Node) openNetwork(ctx context.Context) error {
	peers, err := n.home.Config.Peers()
	if err != nil {
		return err
	}
	n.up = shardstream.NewBudget(home.Limit(n.home.Config.Up, home.DefaultUp))
	n.host, err = p2p.Listen(ctx, p2p.Config{
		Key: n.home.Key, Network: n.book.ID(), Listen: n.home.Config.Listen, Bootstrap: peers, Profile: n.home.Config.Profile,
		Topics: []string{models.Topic, topicAdverts}, DataDir: n.home.Path("p2p"), Logger: n.log, Registry: prometheus.NewRegistry(),
		Blocks: shardstream.Blocks(n.store.S, n.up),
	})
	if err != nil {
		return err
	}
	n.opened(n.host.Close)
	x, err := n.host.Exchange()
	if err != nil {
		return err
	}
	n.announcer = join.NewAnnouncer(n.host, n.log)
	n.store.S = n.store.S.WithNetwork(x, n.announcer)
	n.streams = join.Streams{Host: n.host, View: n.view}
	return n.openShards()
}

// openWork readies what the node does for others and for itself.
func (n *Node) openWork(ctx context.Context) (err error) {
	if n.shelf, err = shelf.Open(n.home.Path("models"), n.home.Config.ShelfLimit()); err != nil {
		return err
	}
	e, err := engine.Within(engine.Config{Threads: n.home.Config.Threads, Memory: n.home.Config.MemoryLimit(), Heap: n.home.Config.MemoryLimit(), Training: n.home.Config.Training})
	if err != nil {
		return err
	}
	n.opened(e.Close)
	n.engine = n.shelf.Over(e)
	class := n.engine.Class()
	hashers := map[string]compute.Hasher{class: n.engine}
	see := audits{rewards.NewWitness(n.source()), n.db}
	n.submitter, err = market.NewSubmitter(market.SubmitterConfig{
		Key: n.home.Key, Network: n.book.Network, Params: n.book.Params, DB: n.work, Board: n.board,
		Vault: &join.Vault{Chain: n.chain, View: n.view, Life: ctx}, Streams: n.streams, Store: n.store, Ledger: n.ledger,
		Audits: see, Hashers: hashers, Log: n.log,
	})
	if err != nil {
		return err
	}
	cfg := n.home.Config
	if cfg.Has(home.Worker) || cfg.Has(home.Pinner) {
		w := market.WorkerConfig{
			Key: n.home.Key, Network: n.book.Network, Params: n.book.Params, DB: n.work, Board: n.board,
			Streams: n.streams, Store: n.store, Ledger: n.ledger, Audits: see, Log: n.log,
			Prices: market.Prices(cfg.Prices),
		}
		if cfg.Has(home.Worker) {
			w.Generators, w.Trainers = []compute.Generator{n.engine}, []compute.Trainer{n.engine}
			w.Capacity.Sessions, w.Capacity.Trainings = 4, 1
		}
		if cfg.Has(home.Pinner) {
			w.Capacity.Pins = 4
		}
		if n.worker, err = market.NewWorker(w); err != nil {
			return err
		}
	}
	n.datanets = datanet.New(datanet.Config{
		Network: n.book.Network, Key: n.home.Key, Documents: n.store, Shards: shardStore{n.store}, Data: shardStore{n.store}, Peers: n.streams,
		Chain: contributions{n.chain, n.view, n.me}, DB: n.db, Now: func() uint64 { _, t := n.view.Head(); return t },
		Temp: n.home.Path("adding"), MaxShard: uint64(n.home.Config.MaxShard), Logger: n.log, May: n.mayContribute, Privacy: n.store.S,
	})
	n.models = models.New(models.Config{
		Network: n.book.Network, Key: n.home.Key, Store: n.store, Keeper: n.store, Hashers: hashers, DB: n.db,
		Gossip: func(ctx context.Context, b []byte) error { return n.topics.models.Publish(ctx, b) },
	})
	n.repeater = repeat.New(repeat.Config{
		Store: n.store, Datanets: schemas{n.datanets}, Models: manifests{n.models}, Streams: n.streams, Own: n.submitter.Transcript,
		Verifiers: map[string]compute.Verifier{class: n.engine}, Trainers: map[string]compute.Trainer{class: n.engine}, Hashers: hashers,
	})
	n.pins, err = pinning.New(pinning.Config{
		Keeper: join.Pinning{Store: n.store}, DB: n.db, Log: n.log,
		Delegates: func() (out []string) {
			for _, a := range n.host.Addrs() {
				out = append(out, a.String())
			}
			return out
		},
	})
	if err != nil {
		return err
	}
	n.sessions = &sessions{
		submitter: n.submitter, board: n.board, anybody: n.anybody, maxLock: cfg.SessionLimit(), open: map[cid.Cid]*slot{},
	}
	n.opened(n.sessions.close)
	for root, err := range n.store.S.Roots() { // what an earlier run kept
		if err != nil {
			return err
		}
		if err := n.announcer.Provide(ctx, root); err != nil {
			return err
		}
	}
	n.inbox = retrieval.NewInbox(n.book.Network, n.book.Params, join.EpochChain{View: n.view}, n.journal)
	if err := n.openProofs(ctx); err != nil {
		return err
	}
	return n.join()
}

// loops are what the node keeps doing.
func (n *Node) loops() []loop {
	cfg, c := n.home.Config, join.EpochChain{View: n.view}
	timing := rewards.Timing{Every: 500 * time.Millisecond, Fetch: 4 * time.Second, Resend: 6}
	sends := join.Sends{Client: n.chain, Network: n.book.Network}
	epochs := join.Epochs{Store: n.store}
	ls := []loop{
		{"sender", n.sender.Run},
		{"chain watcher", func(ctx context.Context) error { return n.watcher.Run(ctx, n.view) }},
		{"submitter", n.submitter.Run},
		{"registration", n.register},
		{"models", n.learnModels},
		{"datanets", n.datanets.Run},
		{"adverts", n.learnAdverts},
		{"announcer", n.announcer.Run},
		{"pinning service", n.pins.Run},
		{"memory", n.trim},
	}
	ls = append(ls, n.storageLoops()...)
	add := func(name string, r interface{ Run(context.Context) error }, err error) {
		if err != nil {
			ls = append(ls, loop{name, func(context.Context) error { return err }})
			return
		}
		ls = append(ls, loop{name, func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return nil // stopped before the chain was read
			case <-n.watcher.CaughtUp(): // nobody acts on the chain as it once was
				return r.Run(ctx)
			}
		}})
	}
	b, err := rewards.NewBookkeeper(rewards.BookkeeperConfig{Params: n.book.Params, Ledger: n.ledger, Chain: c, Store: epochs, Timing: timing, Log: n.log})
	add("bookkeeper", b, err)
	for _, l := range n.proofLoops() {
		add(l.name, l, nil)
	}
	if n.worker != nil {
		add("worker", n.worker, nil)
		w, err := rewards.NewCommitter(rewards.CommitterConfig{
			Worker: n.me, Network: n.book.Network, Params: n.book.Params, Ledger: n.ledger, Chain: c, Teller: sends, Store: epochs, Timing: timing, Log: n.log,
		})
		add("committer", w, err)
	}
	if cfg.Has(home.Auditor) {
		a, err := rewards.NewAuditor(rewards.AuditorConfig{
			Key: n.home.Key, Network: n.book.Network, Params: n.book.Params, Rules: n.rules, Chain: c, Store: epochs, Journal: n.journal,
			Verifier: n.repeater, Courier: n, Voter: sends, Timing: timing, Log: n.log,
		})
		add("auditor", a, err)
		r, err := n.newChecker()
		add("retrieval checks", r, err)
	}
	if cfg.Has(home.Poster) {
		p, err := rewards.NewPoster(rewards.PosterConfig{
			Network: n.book.Network, Params: n.book.Params, Rules: n.rules, Chain: c, Anchorer: sends, Store: epochs, Evidence: n.journal, Grace: 2, Timing: timing, Log: n.log,
		})
		add("poster", p, err)
	}
	if cfg.Has(home.Auditor) || cfg.Has(home.Poster) {
		p, err := rewards.NewPruner(rewards.PrunerConfig{Params: n.book.Params, Chain: c, Store: epochs, Of: []rewards.Prunable{n.journal, toldPosters{n.db}}, Log: n.log})
		add("pruner", p, err)
	}
	return ls
}

// schemas shows datanets as repeat wants them.
type schemas struct{ d *datanet.Service }

func (s schemas) Schema(ctx context.Context, c cid.Cid) (schema, field string, err error) {
	v, err := s.d.Read(ctx, c)
	return v.Manifest.Schema, v.Manifest.Field, err
}

// manifests shows the library as repeat wants it.
type manifests struct{ l *models.Library }

func (m manifests) Manifest(ctx context.Context, c cid.Cid) (protocol.Model, error) {
	k, err := m.l.Read(ctx, c)
	return k.Model, err
}

// problems are what keeps the node from its roles.
type problems struct {
	mu   sync.Mutex
	list []string // guarded by mu
}

func (p *problems) set(list ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = list
}

func (p *problems) get() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.list...)
}
