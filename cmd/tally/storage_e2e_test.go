package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/node/api"
	"tally/node/devnet"
	"tally/node/home"
	"tally/protocol"
	"tally/rewards/journal"
)

// The nodes of the town that keeps books.
const (
	library  = 0 // publishes them, and posts epochs
	firstPin = 1 // five that keep them
	lastPin  = 5
	auditor  = 6
)

// TestShardsAreKeptWhateverHappensToTheirHolders runs eight processes: a chain, a
// library, five nodes that keep its books three times each, and an auditor. It takes
// about a hundred seconds, most of them proof periods.
func TestShardsAreKeptWhateverHappensToTheirHolders(t *testing.T) {
	if testing.Short() {
		t.Skip("runs eight processes")
	}
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Minute)
	defer cancel()
	w := openTown(ctx, t, []devnet.Member{
		{Roles: []home.Role{home.Poster}}, pinner, pinner, pinner, pinner, pinner, {Roles: []home.Role{home.Auditor, home.Poster}},
	})
	var b books
	var healed int
	var killed []int
	for _, step := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"ThreeOfFiveKeepAndProveEachShard", func(t *testing.T) { b = w.replicate(ctx, t) }},
		{"FlippedByteIsFoundHealedAndShown", func(t *testing.T) { healed = w.flipsBytes(ctx, t, b) }},
		{"TwoHoldersAndThePublisherDieAndShardsAreBackAtThree", func(t *testing.T) { killed = w.killsTwo(ctx, t, b) }},
		{"AuditorSawWhoServedAndWhoDied", func(t *testing.T) { w.auditorSaw(ctx, t, healed, killed) }},
	} {
		if !t.Run(step.name, step.run) {
			return
		}
	}
}

// books is what the library publishes: three shards of a MiB, wanted three times.
type books struct {
	api.Datanet
	text map[string][]byte // by root, as the library gives it out
}

const target = 3

// replicate publishes the books, and sees that three of five keep each.
func (w *town) replicate(ctx context.Context, t *testing.T) books {
	w.log(t, "the books are published")
	b := books{w.publish(t, library, "books", target, prose(t, 1, 3<<20-64<<10), "--shard-size", "2097152"), map[string][]byte{}}
	if len(b.Shards) != 3 {
		t.Fatalf("%d shards, want 3", len(b.Shards))
	}
	for i := firstPin; i <= lastPin; i++ {
		if d := answer[api.Datanet](t, "--data", w.dirs[i], "datanet", "follow", b.CID); !d.Following || d.Replicas != target {
			t.Fatalf("node %d follows %+v", i+1, d)
		}
	}
	w.log(t, "five nodes follow them")
	for _, s := range b.Shards {
		w.await(ctx, t, "three nodes prove shard "+s.Root, func() bool { return w.kept(pieceOf(s), target) })
		b.text[s.Root] = w.read(t, library, b.Datanet, s.Root)
	}
	for _, s := range b.Shards {
		t.Logf("shard %s was taken by nodes %v, and is proved by %v", s.Root, w.added(pieceOf(s), 0), w.holders(pieceOf(s)))
		for i := firstPin; i <= lastPin; i++ { // what each node says of itself comes to be what the chain says
			w.poll(ctx, t, i, "it says of shard "+s.Root+" what the chain says", func(st api.StorageStatus) bool {
				at := w.holders(pieceOf(s))
				_, here := pinned(st, s.Root)
				k := slices.IndexFunc(st.Pieces, func(p api.KeptPiece) bool { return p.Root == s.Root })
				return k >= 0 && st.Pieces[k].Holders == len(at) && st.Pieces[k].Mine == slices.Contains(at, i) && here == slices.Contains(at, i)
			})
		}
	}
	return b
}

// pinned finds a root among what a node keeps.
func pinned(s api.StorageStatus, root string) (api.PinnedShard, bool) {
	k := slices.IndexFunc(s.Pinned, func(p api.PinnedShard) bool { return p.Root == root })
	if k < 0 {
		return api.PinnedShard{}, false
	}
	return s.Pinned[k], true
}

// flipsBytes damages a holder's shard: while it does not run, for the scrub to find,
// and while it runs, for a check and for a reader to find.
func (w *town) flipsBytes(ctx context.Context, t *testing.T, b books) int {
	s := b.Shards[0]
	i := w.someHolder(ctx, t, s)
	path := w.carFile(i, s.Root)
	intact := func(when string) {
		t.Helper()
		if got := w.read(t, i, b.Datanet, s.Root); !bytes.Equal(got, b.text[s.Root]) {
			t.Errorf("%s, node %d reads %d other bytes than the library's %d", when, i+1, len(got), len(b.text[s.Root]))
		}
	}
	healed := func(times int) api.StorageStatus {
		return w.poll(ctx, t, i, "the shard is healed", func(st api.StorageStatus) bool {
			p, here := pinned(st, s.Root)
			whole := slices.DeleteFunc(slices.Clone(st.Damage), func(d api.Damage) bool { return d.Root != s.Root || d.Healed == 0 })
			return here && p.State == "have" && len(whole) == 1 && len(st.Damage) == 1 && st.Scrub.Bad > 0 && st.Scrub.Healed >= uint64(times)
		})
	}
	intact("before")
	w.log(t, "a holder is stopped and a byte flipped")
	w.restart(ctx, t, i, func() {
		flip(t, path, int64(s.Bytes/2))
		h, err := home.Open(w.dirs[i])
		if err != nil {
			t.Fatal(err)
		}
		h.Config.ScrubDays = 1 // its first pass begins with the node
		if err := h.SaveConfig(); err != nil {
			t.Fatal(err)
		}
	})
	st := healed(1)
	t.Logf("the scrub said: %s", st.Damage[0].Why)
	if !strings.Contains(st.Damage[0].Why, "do not match their hash") || st.Damage[0].Healed < st.Damage[0].Found {
		t.Errorf("shown as %+v", st.Damage)
	}
	w.log(t, "the scrub has healed it")
	intact("after the scrub")

	flip(t, path, int64(s.Bytes/3))
	if out, err := tally(t, "--data", w.dirs[i], "storage", "verify", s.Root); err == nil || !strings.Contains(out, "damaged  "+s.Root) {
		t.Errorf("the check said %s, %v", out, err)
	}
	healed(2)
	w.log(t, "what a check found is healed")
	if checks := answer[[]api.ShardCheck](t, "--data", w.dirs[i], "storage", "verify", s.Root); len(checks) != 1 || !checks[0].Sound {
		t.Errorf("after healing, the check said %+v", checks)
	}
	intact("after the check")

	flip(t, path, int64(s.Bytes/4))
	if _, err := tally(t, "--data", w.dirs[i], "datanet", "export", b.CID, t.TempDir(), "--shard", s.Root); err != nil {
		t.Logf("a reader was refused: %v", err) // what it is given must be right
	} else {
		intact("with a byte flipped")
	}
	healed(3)
	w.log(t, "what a reader found is healed")
	intact("after the reader")
	if st := answer[api.Status](t, "--data", w.dirs[i], "status"); slices.ContainsFunc(st.Problems, func(p string) bool { return strings.Contains(p, s.Root) }) {
		t.Errorf("still a problem: %v", st.Problems)
	}
	return i
}

// killsTwo kills the two nodes that hold most, and the library. Their shards must
// come back to three holders, and no faster than the pinners' line.
func (w *town) killsTwo(ctx context.Context, t *testing.T, b books) []int {
	load := map[int]int{}
	var pinners []int
	for i := firstPin; i <= lastPin; i++ {
		pinners = append(pinners, i)
		for _, s := range b.Shards {
			if slices.Contains(w.holders(pieceOf(s)), i) {
				load[i]++
			}
		}
	}
	slices.SortFunc(pinners, func(x, y int) int { return cmp.Compare(load[y], load[x]) })
	dead := pinners[:2]
	slices.Sort(dead)
	w.await(ctx, t, "the two have proved a period that just began", func() bool {
		p := w.period()
		return w.set(dead[0]).Proved(p) && w.set(dead[1]).Proved(p)
	})
	var others []int
	for i := library; i <= lastPin; i++ {
		if i == library || slices.Contains(dead, i) {
			w.net.Nodes[i].Kill()
		} else {
			others = append(others, i)
		}
	}
	at, _ := w.View.Head()
	w.log(t, fmt.Sprintf("the library and nodes %v are killed", dead))
	took := w.fetches(ctx, t, others, func() bool {
		return !slices.ContainsFunc(b.Shards, func(s api.Shard) bool {
			return !w.kept(pieceOf(s), target) || !slices.Equal(w.holders(pieceOf(s)), others)
		})
	})
	w.log(t, "all shards are proved by three again")
	for _, i := range dead {
		w.await(ctx, t, fmt.Sprintf("node %d is dead, and suspended", i+1), func() bool {
			bad, err := w.Sets.Suspended(w.accounts[i])
			return err == nil && bad
		})
	}
	moved := 0
	for _, s := range b.Shards {
		for _, i := range w.added(pieceOf(s), at) {
			d, seen := took[fetch{i, s.Root}]
			if !seen { // it had it: it took the shard once before, and left it to others
				continue
			}
			moved++
			// At most a quarter of a MiB goes at once, the rest at the line's pace.
			least := time.Duration(float64(s.Bytes)/lineDown*float64(time.Second)) - time.Second
			t.Logf("node %d fetched %d bytes within %s; its line needs %s", i+1, s.Bytes, d.Round(time.Millisecond), least.Round(time.Millisecond))
			if d < least {
				t.Errorf("node %d fetched shard %s faster than its budget of %d bytes a second", i+1, s.Root, lineDown)
			}
		}
	}
	if moved == 0 {
		t.Error("nobody was seen to take a dead node's place")
	}
	w.await(ctx, t, "the auditor asks on the chain for a leaf of a dead node", func() bool {
		return len(w.demanded(dead...)) > 0
	})
	return dead
}

// fetch is one node's fetch of one shard.
type fetch struct {
	node int
	root string
}

// fetches watches nodes until done, and returns for each shard that came to one of
// them a time in which that fetch lies whole: from when it was last seen not begun
// to when it was first seen ended.
func (w *town) fetches(ctx context.Context, t *testing.T, nodes []int, done func() bool) map[fetch]time.Duration {
	t.Helper()
	absent, took := map[fetch]time.Time{}, map[fetch]time.Duration{}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		for _, i := range nodes {
			asked := time.Now()
			st, err := api.Get[api.StorageStatus](ctx, w.clients[i], "/v0/storage", nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range st.Pieces {
				k := fetch{i, p.Root}
				since, was := absent[k]
				_, over := took[k]
				switch {
				case p.State == "absent":
					absent[k] = asked
				case p.State != "fetching" && was && !over:
					took[k] = time.Since(since)
				}
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("shards are not back at three holders: %v", ctx.Err())
		case <-tick.C:
		}
	}
	return took
}

// demanded are the leaves that auditors had to ask nodes for on the chain.
func (w *town) demanded(of ...int) (out []protocol.Fact) {
	for _, f := range w.View.Facts() {
		if e, ok := f.Event.(protocol.RetrievalDemanded); ok && slices.Contains(of, slices.Index(w.accounts, e.Node)) {
			out = append(out, f)
		}
	}
	return out
}

// auditorSaw reads the reports that the auditor keeps.
func (w *town) auditorSaw(ctx context.Context, t *testing.T, healed int, killed []int) {
	w.net.Nodes[auditor].Stop()
	j, err := journal.Open(filepath.Join(w.dirs[auditor], "journal"), w.Book.Network)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	all, err := j.Reports(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	saw := map[common.Address][protocol.RetrievalWrong + 1]int{}
	for _, s := range all {
		r, err := s.Open(w.Book.Network)
		if err != nil {
			t.Fatal(err)
		}
		n := saw[r.Node]
		n[r.Outcome]++
		saw[r.Node] = n
	}
	good, silent := 0, 0
	for i := firstPin; i <= lastPin; i++ {
		n := saw[w.accounts[i]]
		t.Logf("node %d: %d good, %d silent, %d wrong", i+1, n[protocol.RetrievalGood], n[protocol.RetrievalSilent], n[protocol.RetrievalWrong])
		if n[protocol.RetrievalWrong] > 0 {
			t.Errorf("node %d is said to have served wrong data", i+1)
		}
		switch {
		case slices.Contains(killed, i):
			silent += n[protocol.RetrievalSilent]
		case i != healed: // never stopped and never damaged
			if good += n[protocol.RetrievalGood]; n[protocol.RetrievalSilent] > n[protocol.RetrievalGood] {
				t.Errorf("node %d ran all the time, and is said to have been silent %d times of %d", i+1, n[protocol.RetrievalSilent], n[protocol.RetrievalGood]+n[protocol.RetrievalSilent])
			}
		}
	}
	if good == 0 || silent == 0 {
		t.Errorf("%d good answers of honest nodes, %d silences of dead ones", good, silent)
	}
}
