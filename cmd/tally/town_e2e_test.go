package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/node/api"
	"tally/node/devnet"
	"tally/node/home"
	"tally/protocol"
	"tally/storage/possession/proofset"
)

// lineDown is the pinners' budget of bandwidth, in bytes a second.
const lineDown = 256 << 10

// town is a network of real processes that keep shards, and its chain as anybody
// reads it.
type town struct {
	*devnet.Sight
	net      *devnet.Devnet
	dirs     []string
	accounts []common.Address
	clients  []*api.Client
}

// openTown runs the town until the test ends. Blocks come every second, so a proof
// period is 16 seconds long.
func openTown(ctx context.Context, t *testing.T, members []devnet.Member) *town {
	t.Helper()
	dir, err := os.MkdirTemp("", "tally-town-") // a short path: unix sockets have a limit
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	preset := devnet.Presets["test"]
	preset.Epoch, preset.Commit, preset.Audit, preset.ProofPeriod, preset.Heartbeat = 6*time.Second, 2*time.Second, 3*time.Second, 16, time.Second
	d, err := devnet.Start(ctx, devnet.Config{Dir: dir, Preset: preset, Members: members, Verbose: true}, teller{t})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Stop)
	t.Cleanup(func() {
		if t.Failed() {
			logs(t, dir)
		}
	})
	w := &town{net: d}
	for _, n := range d.Nodes {
		w.dirs, w.accounts, w.clients = append(w.dirs, n.Dir), append(w.accounts, common.HexToAddress(n.Ready.Account)), append(w.clients, n.Client())
	}
	if w.Sight, err = d.See(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// log tells what happens, and when by the chain.
func (w *town) log(t *testing.T, what string) {
	t.Helper()
	head, _ := w.View.Head()
	t.Logf("block %d: %s", head, what)
}

// pinner keeps shards at the town's bandwidth, and scrubs nothing.
var pinner = devnet.Member{Roles: []home.Role{home.Pinner}, Set: func(c *home.Config) { c.Down, c.ScrubDays = lineDown, -1 }}

// restart stops a node, lets its operator do something, and starts it again.
func (w *town) restart(ctx context.Context, t *testing.T, i int, meanwhile func()) {
	t.Helper()
	w.net.Nodes[i].Stop()
	meanwhile()
	if err := w.net.StartNode(ctx, i); err != nil {
		t.Fatal(err)
	}
}

// await waits until the chain, as this test reads it, is as it should be.
func (w *town) await(ctx context.Context, t *testing.T, what string, ready func() bool) {
	t.Helper()
	if err := w.View.Await(ctx, ready); err != nil {
		head, _ := w.View.Head()
		t.Fatalf("at block %d, still not: %s: %v", head, what, err)
	}
}

// poll asks a node for its storage until that is as it should be.
func (w *town) poll(ctx context.Context, t *testing.T, i int, what string, ready func(api.StorageStatus) bool) (s api.StorageStatus) {
	t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := api.Get[api.StorageStatus](ctx, w.clients[i], "/v0/storage", nil)
		if err == nil && ready(s) {
			return s
		}
		select {
		case <-ctx.Done():
			t.Fatalf("node %d, still not: %s: %v; it says %+v", i+1, what, err, s)
		case <-tick.C:
		}
	}
}

// period is the proof period of the newest block.
func (w *town) period() uint64 {
	head, _ := w.View.Head()
	return w.Book.Params.PeriodAt(head)
}

// set is what a node proves, as the chain has it.
func (w *town) set(i int) *proofset.Set {
	_, s, err := w.Sets.Set(w.accounts[i])
	if err != nil { // the chain moves: at its next change
		return &proofset.Set{}
	}
	return s
}

// holders are the nodes that hold a piece, by number.
func (w *town) holders(p common.Hash) (out []int) {
	at, err := w.Sets.Holders(p)
	if err != nil {
		return nil
	}
	for i, a := range w.accounts {
		if slices.Contains(at, a) {
			out = append(out, i)
		}
	}
	return out
}

// someHolder is one of the nodes that hold a shard.
func (w *town) someHolder(ctx context.Context, t *testing.T, s api.Shard) (node int) {
	t.Helper()
	w.await(ctx, t, "somebody holds shard "+s.Root, func() bool {
		at := w.holders(pieceOf(s))
		if len(at) > 0 {
			node = at[0]
		}
		return len(at) > 0
	})
	return node
}

// proves says whether a node has proved its set since a piece is drawn from.
func (w *town) proves(i int, p common.Hash) bool {
	s := w.set(i)
	since, in := s.Since()[p]
	last, ever := s.LastProved()
	return in && ever && last >= since
}

// kept says whether a shard has so many holders, all of whom have proved it.
func (w *town) kept(p common.Hash, by int) bool {
	at := w.holders(p)
	return len(at) >= by && !slices.ContainsFunc(at, func(i int) bool { return !w.proves(i, p) })
}

// added are the nodes that put a piece on the chain after a block, by number.
func (w *town) added(p common.Hash, after uint64) (nodes []int) {
	for _, f := range w.View.Facts() {
		if e, ok := f.Event.(protocol.PieceAdded); ok && e.Root == p && f.Block > after {
			nodes = append(nodes, slices.Index(w.accounts, e.Node))
		}
	}
	return nodes
}

// carFile is where a node has a shard.
func (w *town) carFile(i int, root string) string {
	return filepath.Join(w.dirs[i], "storage", "shards", root+".car")
}

// damage overwrites a part of a file.
func damage(t *testing.T, path string, at int64, with []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	before := make([]byte, len(with))
	if _, err := f.ReadAt(before, at); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(before, with) {
		t.Fatal("the part to be damaged says already what it is to say")
	}
	if _, err := f.WriteAt(with, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
}

// flip changes one byte of a file.
func flip(t *testing.T, path string, at int64) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damage(t, path, at, []byte{b[at] ^ 1})
}

// prose writes a file of records that resemble nothing, of about the size wanted.
func prose(t *testing.T, seed uint64, size int) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 4))
	var b bytes.Buffer
	for b.Len() < size {
		for range 40 {
			fmt.Fprintf(&b, "%x ", rng.Uint64())
		}
		b.WriteByte(0x1e)
	}
	path := filepath.Join(t.TempDir(), "prose.txt")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// read exports a shard's file as a node reads it.
func (w *town) read(t *testing.T, i int, dn api.Datanet, root string) []byte {
	t.Helper()
	dir := t.TempDir()
	out := answer[exported](t, "--data", w.dirs[i], "datanet", "export", dn.CID, dir, "--shard", root)
	names, err := filepath.Glob(filepath.Join(dir, "*"+root+"*"))
	if err != nil || len(names) != 1 {
		t.Fatalf("node %d exported %+v: %v, %v", i+1, out, names, err)
	}
	b, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// publish makes a datanet of one file.
func (w *town) publish(t *testing.T, i int, name string, replicas int, file string, more ...string) api.Datanet {
	t.Helper()
	dn := answer[api.Datanet](t, "--data", w.dirs[i], "datanet", "create", name, "--licence", "CC0-1.0", "--replicas", fmt.Sprint(replicas))
	return answer[api.Datanet](t, append([]string{"--data", w.dirs[i], "datanet", "add", dn.CID, file}, more...)...)
}

func pieceOf(s api.Shard) common.Hash { return common.HexToHash(s.Piece) }
