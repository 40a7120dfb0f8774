package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/node/home"
	"tally/node/join"
	"tally/protocol"
	"tally/storage"
	"tally/storage/shardstream"
)

const (
	storeIDFile = "store.id"

	collectEvery = 10 * time.Minute
	collectAge   = time.Hour // between an import or a fetch and its pin

	healAgain = 5 * time.Minute // a node that has just started may not have met the other holders yet
)

// openStore opens the shards. Their directory may be another disk's: the id of the
// store is kept with the key, so that an empty mount point is never taken for it.
func (n *Node) openStore() (*storage.Store, error) {
	id, err := storeID(n.home)
	if err != nil {
		return nil, err
	}
	s, err := storage.Open(storeConfig(n.home, id, n))
	if err != nil {
		return nil, err
	}
	if id == "" {
		err = home.WriteFile(n.home.Path(storeIDFile), []byte(s.ID()+"\n"), 0o600)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func storeID(h *home.Home) (string, error) {
	b, err := os.ReadFile(h.Path(storeIDFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("node: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

func storeConfig(h *home.Home, id string, n *Node) storage.Config {
	c := h.Config
	sc := storage.Config{
		Dir: h.Path("storage"), MaxShard: c.MaxShard, Expect: id,
		Quota: home.Limit(c.Quota, home.DefaultQuota), Floor: home.Limit(c.Floor, home.DefaultFloor),
	}
	if sc.Floor == 0 {
		sc.Floor = -1 // storage has a default of its own
	}
	if n != nil {
		sc.Logger = n.log
	}
	return sc
}

// InitStorage makes a new, empty store for a node whose disk is lost, or has the node
// take over the store of another disk, and says how many shards that has. Nothing is
// deleted; the node must not run.
func InitStorage(h *home.Home) (shards int, err error) {
	if err := h.Lock(); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, h.Unlock()) }()
	c := storeConfig(h, "", nil)
	c.Create = true
	s, err := storage.Open(c)
	if err != nil {
		return 0, err
	}
	u, err := s.Usage()
	return u.Held, errors.Join(err, home.WriteFile(h.Path(storeIDFile), []byte(s.ID()+"\n"), 0o600), s.Close())
}

// openShards gives storage its way to other nodes and other nodes their way to it.
func (n *Node) openShards() (err error) {
	c, shards := n.home.Config, join.Shards{Host: n.host}
	n.store.Down = shardstream.NewBudget(home.Limit(c.Down, home.DefaultDown))
	n.store.Shards, err = shardstream.NewFetcher(shardstream.Config{
		Store: n.store.S, Network: shards, Down: n.store.Down, Logger: n.log,
		Credential: n.grantFor, Believe: n.believePrivate, Sealed: n.canBePrivate,
	})
	if err != nil {
		return err
	}
	n.store.S = n.store.S.WithSource(n.store.Shards)
	n.serving, err = shardstream.NewServer(shardstream.ServerConfig{
		Store: n.store.S, Node: n.me, Up: n.up, Logger: n.log,
		May: n.mayRead, Show: n.shown,
		Sign: func(_ context.Context, m protocol.Retrieved) ([]byte, error) {
			s, err := protocol.Sign(n.book.Network, n.home.Key, m)
			return s.Bytes(), err
		},
	})
	return err
}

// storageLoops keep the disk in order.
func (n *Node) storageLoops() []loop {
	return []loop{{"collector", n.collect}, {"scrub", n.scrub}}
}

// collect lets go, now and then, of what nothing keeps any more.
func (n *Node) collect(ctx context.Context) error {
	t := time.NewTicker(collectEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		c, err := n.store.S.Collect(ctx, collectAge)
		if err != nil && ctx.Err() == nil {
			n.log.Warn("what nothing keeps was not all collected", "err", err)
		}
		if c.Bytes > 0 {
			n.log.Info("collected what nothing keeps", "shards", c.Shards, "blocks", c.Blocks, "fetches", c.Fetches, "bytes", c.Bytes)
		}
	}
}

// scrub reads every shard now and then, unless the owner wants no such passes, and
// heals what rotted.
func (n *Node) scrub(ctx context.Context) error {
	days := n.home.Config.ScrubDays
	if days == 0 {
		days = home.DefaultScrub
	}
	err := n.store.S.Scrub(ctx, storage.ScrubConfig{
		Interval: time.Duration(days) * 24 * time.Hour, Repairer: repairer{n.store}, Retry: healAgain,
	})
	return ended(ctx, err)
}

// repairer brings the good copy of a shard from other nodes.
type repairer struct{ store join.Store }

// Repair implements storage.Repairer.
func (r repairer) Repair(ctx context.Context, root cid.Cid) error {
	return r.store.Heal(ctx, root, common.Hash{}, 0)
}
