package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tally/node/api"
	"tally/node/devnet"
	"tally/node/openai"
)

// teller puts a tour's sentences into the test's log.
type teller struct{ t *testing.T }

func (l teller) Say(s string)    { l.t.Log(s) }
func (l teller) Event(api.Event) {}

// corpus is text in three folders, made up but not trivial, so that the test
// does not depend on which Go is installed.
func corpus(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "texts")
	verbs := []string{"reads", "writes", "closes", "copies", "parses", "prints", "sorts", "hashes"}
	nouns := []string{"a file", "the buffer", "every record", "an error", "the header", "a token", "the stream", "its argument"}
	for f, folder := range []string{"ada", "grace", "barbara"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range 60 {
			var b strings.Builder
			for j := range 12 {
				v, n := verbs[(i*7+j*3+f)%8], nouns[(i*5+j*11+f*2)%8]
				fmt.Fprintf(&b, "Function %s%d %s %s. It returns an error if %s is missing.\n", strings.ToUpper(v[:1])+v[1:], (i*j+f)%19, v, n, n)
			}
			if err := os.WriteFile(filepath.Join(dir, folder, fmt.Sprintf("%02d.txt", i)), []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// TestDevnet runs one network of real processes and does everything to it that
// people and accidents do. It takes about two minutes.
func TestDevnet(t *testing.T) {
	if testing.Short() {
		t.Skip("runs six processes")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	text, err := devnet.DirCorpus(ctx, corpus(t), "CC0-1.0")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "tally-test-") // a short path: unix sockets have a limit
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d, err := devnet.Start(ctx, devnet.Config{Dir: dir, Preset: devnet.Presets["test"]}, teller{t})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Stop)
	t.Cleanup(func() {
		if t.Failed() {
			logs(t, dir)
		}
	})
	r, err := d.Tour(ctx, text, teller{t})
	if err != nil {
		t.Fatalf("%v\n%+v", err, r)
	}
	v := visitor{d, r}
	t.Run("EveryCommandAnswers", v.everyCommandAnswers)
	t.Run("OpenAIEndpointIsGuardedAndRefusesByName", v.openAI)
	t.Run("ModelsAreMeasuredRepeatedAdaptedAndAdded", func(t *testing.T) { v.models(ctx, t) })
	t.Run("KilledWorkerIsReplacedAndTheParametersAreTheSame", func(t *testing.T) { v.killWorker(ctx, t) })
	t.Run("ChainAndNodeComeBackFromKillNine", func(t *testing.T) { v.killAll(ctx, t) })
	t.Run("DirectoryAndNetworkInUseAreRefused", v.inUse)
}

func logs(t *testing.T, dir string) {
	names, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	for _, n := range names {
		b, _ := os.ReadFile(n)
		if len(b) > 3000 {
			b = b[len(b)-3000:]
		}
		t.Logf("%s:\n%s", filepath.Base(n), b)
	}
}

type visitor struct {
	d *devnet.Devnet
	r devnet.Result
}

func (v visitor) data(i int) string { return v.d.Nodes[i].Dir }

func (v visitor) everyCommandAnswers(t *testing.T) {
	sub, worker := v.data(2), v.data(3)
	// A pinner that is late with a proof says so until it is proved.
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := v.d.Await(ctx, func(s api.Status) bool { return len(s.Problems) == 0 }); err != nil {
		t.Fatal(err)
	}
	st := answer[api.Status](t, "--data", sub, "status")
	if st.Network != v.r.Network || st.Nodes != 5 || len(st.Models) != 1 {
		t.Errorf("status %+v", st)
	}
	dn := answer[api.Datanet](t, "--data", sub, "datanet", "show", v.r.Datanet.CID)
	if dn.Name != "texts" || dn.Version != 3 || len(dn.Shards) != 3 || dn.Licence != "CC0-1.0" {
		t.Errorf("datanet %+v", dn)
	}
	created := answer[api.Datanet](t, "--data", worker, "datanet", "create", "notes", "--licence", "MIT")
	file := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(file, []byte("one\x1etwo\x1ethree"), 0o644); err != nil {
		t.Fatal(err)
	}
	added := answer[api.Datanet](t, "--data", sub, "datanet", "add", created.CID, file)
	if added.Added == nil || added.Added.Records != 3 || added.Version != 1 {
		t.Errorf("added %+v", added)
	}
	if h := answer[api.Datanet](t, "--data", v.data(0), "datanet", "show", created.CID, "--head"); h.CID != added.CID {
		t.Errorf("head is %s, want %s", h.CID, added.CID)
	}
	v.storage(t, sub, added)
	m := answer[api.Model](t, "--data", worker, "model", "show", v.r.Model.CID)
	if m.ParamHash != v.r.Model.ParamHash || len(m.Contributors) != 3 || !m.Held {
		t.Errorf("model %+v", m)
	}
	out := t.TempDir()
	answer[map[string]any](t, "--data", v.data(0), "model", "export", v.r.Model.CID, out)
	for _, f := range []string{"config.json", "model.safetensors", "tokenizer.json"} {
		if fi, err := os.Stat(filepath.Join(out, f)); err != nil || fi.Size() == 0 {
			t.Errorf("exported %s: %v", f, err)
		}
	}
	a := answer[openai.Completion](t, "--data", sub, "ask", "Function", "--max-tokens", "8")
	if a.Usage.CompletionTokens == 0 || a.Tally.Receipt == "" {
		t.Errorf("answer %+v", a)
	}
	again := answer[openai.Completion](t, "--data", sub, "ask", "Function", "--max-tokens", "8")
	if again.Choices[0].Text != a.Choices[0].Text {
		t.Errorf("greedy answers differ: %q and %q", a.Choices[0].Text, again.Choices[0].Text)
	}
	rs := answer[[]api.Receipt](t, "--data", worker, "receipt", "ls")
	if len(rs) < 5 {
		t.Errorf("the worker knows %d receipts", len(rs))
	}
	if one := answer[api.Receipt](t, "--data", worker, "receipt", "show", v.r.Answers[0].Receipt); one.Kind != "infer" || one.Reason != "REWARDED" || !one.Cosigned {
		t.Errorf("receipt %+v", one)
	}
	ver := answer[api.Verification](t, "--data", sub, "receipt", "verify", v.r.Answers[0].Receipt)
	if !ver.Valid {
		t.Errorf("verification %+v", ver)
	}
	rw := answer[api.Rewards](t, "--data", worker, "rewards")
	if rw.Earned.IsZero() || rw.Reasons["REWARDED"] == 0 {
		t.Errorf("rewards %+v", rw)
	}
	last := v.r.Epoch.Number // the tour claimed it; its pins go on earning
	for range 2 {
		newest := last
		for _, c := range answer[[]api.Claim](t, "--data", v.data(1), "claim") {
			if c.Epoch <= last || c.Amount.IsZero() {
				t.Errorf("after epoch %d was claimed, a claim paid %+v", last, c)
			}
			newest = max(newest, c.Epoch)
		}
		last = newest
	}
	st = answer[api.Status](t, "--data", sub, "status")
	if !st.Deposit.IsZero() {
		if w := answer[api.Withdrawal](t, "--data", sub, "withdraw"); w.Amount != st.Deposit {
			t.Errorf("withdrew %s of %s", w.Amount, st.Deposit)
		}
	}
	au := answer[api.Audit](t, "--data", v.data(1), "audit", "epoch", fmt.Sprint(v.r.Epoch.Number))
	if au.Equal != "equal" || au.Root != v.r.Epoch.Root {
		t.Errorf("audit %+v", au)
	}
	saw := au.Retrievals
	for i := range v.d.Nodes {
		saw = append(saw, answer[[]api.Retrieval](t, "--data", v.data(i), "audit", "checks")...)
	}
	if !slices.ContainsFunc(saw, func(r api.Retrieval) bool { return r.Outcome == "good" && r.Bytes > 0 }) {
		t.Errorf("no shard was seen to be kept: %+v", saw)
	}
	for _, bad := range [][]string{
		{"datanet", "show", "nonsense"},
		{"receipt", "show", v.r.Model.CID},
		{"audit", "epoch", "100000"},
		{"model", "show", "x"},
		{"datanet", "create", "n", "--licence", ""},
		{"withdraw", "1000000000000000000000000"},
		{"withdraw", "1e18"},
		{"model", "train", "--datanet", created.CID},
	} {
		if out, err := tally(t, append([]string{"--data", sub}, bad...)...); err == nil {
			t.Errorf("tally %v answered %q", bad, out)
		}
	}
}

// storage checks all that a node keeps, documents aside, and gives up a shard that it
// added.
func (v visitor) storage(t *testing.T, data string, added api.Datanet) {
	t.Helper()
	checks := answer[[]api.ShardCheck](t, "--data", data, "storage", "verify")
	if !slices.ContainsFunc(checks, func(c api.ShardCheck) bool { return c.Root == added.Shards[0].Root && c.Sound }) {
		t.Errorf("checks of all that is pinned: %+v", checks)
	}
	root := added.Shards[0].Root
	if out, err := tally(t, "--data", data, "storage", "unpin", root); err == nil || !strings.Contains(err.Error(), "last copy") {
		t.Errorf("the only copy was given up: %q, %v", out, err)
	}
	if us := answer[[]api.Unpinned](t, "--data", data, "storage", "unpin", root, "--force"); len(us) != 1 || us[0].Bytes == 0 || len(us[0].Released) == 0 || us[0].Gone {
		t.Errorf("given up: %+v", us) // it came a moment ago: its room is free in an hour
	}
	if out, err := tally(t, "--data", data, "storage", "unpin", root, "nonsense"); err == nil || !strings.Contains(err.Error(), "nothing keeps") || !strings.Contains(err.Error(), "no CID") {
		t.Errorf("given up again: %q, %v", out, err)
	}
}

func (v visitor) openAI(t *testing.T) {
	base := v.d.Nodes[2].Ready.OpenAI
	for name, header := range map[string]string{"no key": "", "wrong key": "Bearer x"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/models", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", header)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: status %d", name, resp.StatusCode)
		}
	}
	c := openai.NewClient(base, v.d.Nodes[2].Client().Token())
	max := 4
	if _, err := c.Complete(t.Context(), openai.CompletionRequest{Model: "gpt-4", Prompt: "x", MaxTokens: &max}, func(string) {}); err == nil || !strings.Contains(err.Error(), "CID") {
		t.Errorf("a model that is no CID: %v", err)
	}
	max = 60_000
	if _, err := c.Complete(t.Context(), openai.CompletionRequest{Model: v.r.Model.CID, Prompt: "x", MaxTokens: &max}, func(string) {}); err == nil {
		t.Error("an answer longer than the model's context was promised")
	}
	max = 4
	if _, err := c.Complete(t.Context(), openai.CompletionRequest{Model: v.r.Model.CID, Prompt: "x", MaxTokens: &max}, func(string) {}); err != nil {
		t.Errorf("after refusals: %v", err)
	}
}

// killWorker trains the tour's model again and kills its worker after the first
// checkpoint: another must finish it, bit for bit.
func (v visitor) killWorker(ctx context.Context, t *testing.T) {
	preset := devnet.Presets["test"]
	var m *api.Model
	killed, resumed := false, false
	for e, err := range v.d.Nodes[2].Client().Follow(ctx, "/v0/models/train", api.Train{Datanet: v.r.Datanet.CID, Preset: preset.Model, Steps: preset.Steps, Seed: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.State == "checkpoint" && !killed {
			for _, n := range v.d.Nodes {
				if n.Ready.Account == e.Worker {
					n.Kill()
					killed = true
				}
			}
		}
		resumed = resumed || e.State == "resumed"
		m = e.Model
	}
	if !killed || !resumed || m == nil {
		t.Fatalf("killed %v, resumed %v, model %v", killed, resumed, m)
	}
	if m.ParamHash != v.r.Model.ParamHash {
		t.Errorf("parameters %s, an undisturbed run gave %s", m.ParamHash, v.r.Model.ParamHash)
	}
	if m.Worker == v.r.Model.Worker {
		t.Error("the killed worker finished the job")
	}
}

// killAll kills the chain and two nodes at once and starts them again.
func (v visitor) killAll(ctx context.Context, t *testing.T) {
	sub := v.data(2)
	before := answer[[]api.Receipt](t, "--data", sub, "receipt", "ls")
	block := answer[api.Status](t, "--data", sub, "status").Block
	pins := answer[api.Status](t, "--data", sub, "status").Pins
	v.d.Chain.Kill()
	v.d.Nodes[2].Kill()
	if err := v.d.StartChain(ctx); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{2, 3} { // the fourth was killed before
		if err := v.d.StartNode(ctx, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.d.Await(ctx, func(s api.Status) bool { return s.Nodes == 5 && s.Block >= block && len(s.Problems) == 0 }); err != nil {
		t.Fatal(err)
	}
	after := answer[[]api.Receipt](t, "--data", sub, "receipt", "ls")
	if len(after) < len(before) {
		t.Errorf("%d receipts before the kill, %d after", len(before), len(after))
	}
	if p := answer[api.Status](t, "--data", sub, "status").Pins; p < pins {
		t.Errorf("%d pins before the kill, %d after", pins, p)
	}
	a := answer[openai.Completion](t, "--data", sub, "ask", "Function", "--max-tokens", "4", "--model", v.r.Model.CID)
	if a.Tally == nil || a.Tally.Receipt == "" {
		t.Errorf("no answer after the kill: %+v", a)
	}
	if au := answer[api.Audit](t, "--data", sub, "audit", "epoch", fmt.Sprint(v.r.Epoch.Number)); au.Equal != "equal" || au.Root != v.r.Epoch.Root {
		t.Errorf("audit after the kill: %+v", au)
	}
}

func (v visitor) inUse(t *testing.T) {
	if _, err := tally(t, "--data", v.data(0), "up"); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second node on one directory: %v", err)
	}
	other := t.TempDir()
	if _, err := tally(t, "--data", other, "init", "--rpc", "http://127.0.0.1:1", "--book", filepath.Join(v.d.Dir, "chain", "book.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := tally(t, "--data", other, "up"); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("an endpoint that is not there: %v", err)
	}
}
