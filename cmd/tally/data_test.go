package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tally/node"
	"tally/node/api"
	"tally/node/devnet"
	"tally/node/home"
)

// aNode runs a node on a network of its own and returns its data directory.
func aNode(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tally-data-") // short, for the socket's sake
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if _, err := tally(t, "--data", dir, "init", "--listen", "/ip4/127.0.0.1/tcp/0"); err != nil {
		t.Fatal(err)
	}
	h, err := home.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- node.Run(ctx, node.Config{Home: h, Logger: slog.New(slog.DiscardHandler), Ready: func(devnet.Ready) error { close(ready); return nil }})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the node ended with %v", err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	return dir
}

// TestDatanetFromItsCreationToItsExport runs every datanet command on a real node and its chain.
func TestDatanetFromItsCreationToItsExport(t *testing.T) {
	dir := aNode(t)
	run := func(want string, args ...string) {
		t.Helper()
		out, err := tally(t, append([]string{"--data", dir, "datanet"}, args...)...)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("datanet %v printed %q, %v; want %q", args, out, err, want)
		}
	}
	fails := func(want string, args ...string) {
		t.Helper()
		if out, err := tally(t, append([]string{"--data", dir, "datanet"}, args...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("datanet %v printed %q, %v; want an error with %q", args, out, err, want)
		}
	}
	file := func(name, text string) string {
		t.Helper()
		p := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	dn := func(args ...string) api.Datanet {
		t.Helper()
		return answer[api.Datanet](t, append([]string{"--data", dir, "datanet"}, args...)...)
	}

	fails("SPDX", "create", "n", "--licence", "free")
	fails("field", "create", "n", "--licence", "MIT", "--schema", "csv")
	notes := dn("create", "notes", "--licence", "CC-BY-4.0", "--schema", "jsonl", "--field", "text", "--replicas", "2")
	first, second := file("a.jsonl", "{\"text\":\"one small step\"}\n{\"text\":\"for a man\"}\n"), file("b.jsonl", "{\"text\":\"entirely other words here\"}\n")
	run("one small step", "add", notes.CID, first)
	run("was there", "add", notes.CID, first)
	fails("line 1", "add", notes.CID, file("c.jsonl", "{\"other\":1}\n"))
	added := dn("add", notes.CID, second)
	if added.Version != 2 || added.Added == nil || added.Added.Records != 1 || added.Added.Committed == 0 {
		t.Fatalf("added %+v", added)
	}
	run("2 shards, 3 records", "show", notes.CID, "--head", "--preview")
	run("--head asks for the newest", "show", notes.CID)
	run("--head asks for the newest", "log", notes.CID)
	run("   2  "+added.CID, "log", notes.CID, "--head")
	run("2 commitments are on the chain", "verify", notes.CID, "--head")
	run("2 shards", "export", notes.CID, filepath.Join(t.TempDir(), "newest"), "--head")
	fails("offers no shard: --head", "export", notes.CID, filepath.Join(t.TempDir(), "first"))
	fails("a directory: add its files", "add", notes.CID, t.TempDir())
	fails("without --car", "add", notes.CID, first, "--car")
	fails("datanet grant --out", "accept", first)
	run("notes, version 2", "list")
	run("   0  "+notes.CID, "log", added.CID)
	run("records  +3", "diff", notes.CID, added.CID)
	run("2 commitments are on the chain", "verify", added.CID)
	run("followed", "follow", notes.CID)
	run("replicas 5", "set", notes.CID, "--replicas", "5")

	out := filepath.Join(t.TempDir(), "out")
	run("2 shards", "export", added.CID, out)
	fails("there already", "export", added.CID, out)
	list, err := os.ReadDir(out)
	if err != nil || len(list) != 4 {
		t.Errorf("exported %v, %v", list, err)
	}
	if b, err := os.ReadFile(filepath.Join(out, list[0].Name())); err != nil || !strings.Contains(string(b), "one small step") {
		t.Errorf("%s holds %q, %v", list[0].Name(), b, err)
	}
	text := filepath.Join(t.TempDir(), "text")
	run("1 shard", "export", added.CID, text, "--as", "text", "--shard", added.Shards[0].Root)
	if b, err := os.ReadFile(filepath.Join(text, "0000-"+added.Shards[0].Root+".txt")); err != nil || string(b) != "one small step\x1efor a man" {
		t.Errorf("as text: %q, %v", b, err)
	}
	cars := filepath.Join(t.TempDir(), "cars")
	run("1 shard", "export", added.CID, cars, "--as", "car", "--shard", added.Shards[1].Root)
	again := dn("create", "again", "--licence", "MIT", "--schema", "jsonl", "--field", "text")
	if got := dn("add", again.CID, filepath.Join(cars, "0001-"+added.Shards[1].Root+".car"), "--car"); got.Added.Root != added.Shards[1].Root || len(got.Added.Duplicates) != 1 {
		t.Errorf("from a CAR file: %+v", got.Added)
	}

	var many strings.Builder
	for i := range 900 {
		fmt.Fprintf(&many, "{\"text\":\"line %d of a longer file with its own number %d\"}\n", i, i*i)
	}
	big := dn("create", "big", "--licence", "MIT", "--schema", "jsonl", "--field", "text")
	cut := dn("add", big.CID, file("big.jsonl", many.String()), "--shard-size", "8192", "--accept-duplicates")
	if len(cut.AddedAll) < 5 || cut.Records != 900 || cut.Version != uint64(len(cut.AddedAll)) {
		t.Errorf("cut into %d shards of %d records, version %d", len(cut.AddedAll), cut.Records, cut.Version)
	}
	run("900 records", "verify", cut.CID)

	gone := dn("withdraw", notes.CID, added.Shards[0].Root)
	if !gone.Shards[0].Withdrawn || gone.Records != 1 {
		t.Errorf("withdrawn %+v", gone)
	}
	run("- ", "diff", added.CID, gone.CID)

	private := dn("create", "diary", "--licence", "CC0-1.0", "--private")
	sealed := dn("add", private.CID, file("d.txt", "nobody else's business"))
	to := answer[api.Recipient](t, "--data", dir, "datanet", "recipient").Recipient
	grant := filepath.Join(t.TempDir(), "grant")
	run("granted", "grant", private.CID, "--to", to, "--out", grant)
	run("granted", "accept", grant)
	run(to, "grants", private.CID)
	run("seals to a new key", "revoke", private.CID, "--to", to)
	plain := filepath.Join(t.TempDir(), "plain")
	run("1 shard", "export", sealed.CID, plain)
	if b, err := os.ReadFile(filepath.Join(plain, "0000-"+sealed.Shards[0].Root+".txt")); err != nil || string(b) != "nobody else's business" {
		t.Errorf("unsealed: %q, %v", b, err)
	}
	run("records and sketch are right", "verify", sealed.CID)
	fails("no such shard", "withdraw", private.CID, added.Shards[0].Root)
}

func TestAShardIsSaidWithHowManyNodesProveIt(t *testing.T) {
	none, two := 0, 2
	for want, s := range map[string]api.Shard{
		"in block 0\n":                                {},
		"in block 0 (proved by 0 of 3 nodes)\n":       {Holders: &none, Replicas: 3},
		"in block 0 (here, proved by 2 of 1 node)\n":  {Held: true, Holders: &two, Replicas: 1},
		"in block 0 (withdrawn, proved by 2 nodes)\n": {Withdrawn: true, Holders: &two},
	} {
		var b strings.Builder
		sayShard(&b, "0", s)
		if !strings.HasSuffix(b.String(), want) {
			t.Errorf("said %q, want %q", b.String(), want)
		}
	}
}
