package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tally is one running node of a network of its own.
type tally struct {
	exe, dir        string
	OpenAI, Gateway string
	token           string
}

func (n *tally) run(t *testing.T, args ...string) []byte {
	t.Helper()
	c := exec.CommandContext(t.Context(), n.exe, append([]string{"--data", n.dir, "--json"}, args...)...)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Fatalf("tally %s: %v: %s", strings.Join(args, " "), err, &errs)
	}
	return out
}

// startTally runs a node until the test ends.
func startTally(t *testing.T) *tally {
	t.Helper()
	dir := t.TempDir()
	n := &tally{exe: filepath.Join(dir, "tally"), dir: filepath.Join(dir, "node")}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", n.exe, "./cmd/tally")
	build.Dir, build.Stderr = filepath.Join("..", ".."), os.Stderr
	if err := build.Run(); err != nil {
		t.Fatal(err)
	}
	n.run(t, "init")
	up := exec.CommandContext(t.Context(), n.exe, "--data", n.dir, "--json", "up", "--with-parent")
	in, err := up.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := up.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // the node ends with its standard input
		_ = up.Wait()
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(line, n); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	b, err := os.ReadFile(filepath.Join(n.dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	n.token = strings.TrimSpace(string(b))
	return n
}

// psa calls the Pinning Service API.
func (n *tally) psa(t *testing.T, method, path, body string) (status struct {
	ID     string `json:"requestid"`
	Status string
	Info   map[string]string
},
) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSuffix(n.OpenAI, "/v1")+"/psa"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+n.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode > 299 {
		t.Fatalf("%s %s: %s, %v: %s", method, path, res.Status, err, b)
	}
	if err := json.Unmarshal(b, &status); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return status
}

func startKubo(t *testing.T) *kubo {
	t.Helper()
	exe, err := buildKubo(t.Context(), t.TempDir())
	if err != nil {
		t.Skipf("kubo cannot be built here: %v", err)
	}
	k, err := newKubo(t.Context(), exe, filepath.Join(t.TempDir(), "repo"), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.stop)
	return k
}

// TestKuboAndTallyReadOneAnother has both fetch what the other published, over
// the doors that every IPFS tool has.
func TestKuboAndTallyReadOneAnother(t *testing.T) {
	k, n := startKubo(t), startTally(t)

	t.Run("kubo imports a shard from our gateway as a CAR and reads its file", func(t *testing.T) {
		text := strings.Repeat("What is published here can be read by everybody.\n", 60_000)
		file := filepath.Join(t.TempDir(), "text")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var d struct {
			CID    string
			Shards []struct{ Root string }
		}
		if err := json.Unmarshal(n.run(t, "datanet", "create", "interop", "--licence", "CC0-1.0"), &d); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(n.run(t, "datanet", "add", d.CID, file), &d); err != nil || len(d.Shards) != 1 {
			t.Fatalf("%+v, %v", d, err)
		}
		root := d.Shards[0].Root
		res, err := http.Get(n.Gateway + "/ipfs/" + root + "?format=car")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		path := filepath.Join(t.TempDir(), "shard.car")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(f, res.Body); err != nil || res.StatusCode != http.StatusOK || f.Close() != nil {
			t.Fatalf("%s, %v", res.Status, err)
		}
		if _, err := k.run(t.Context(), nil, "dag", "import", path); err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if _, err := k.run(t.Context(), &got, "cat", root); err != nil || got.String() != text {
			t.Fatalf("kubo reads %d bytes, %v, want %d", got.Len(), err, len(text))
		}
	})

	t.Run("we pin what kubo has, through its gateway, and serve it as kubo does", func(t *testing.T) {
		data := make([]byte, 5<<20)
		_, _ = rand.Read(data)
		file := filepath.Join(t.TempDir(), "data")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		root, err := k.run(t.Context(), nil, "add", "-Q", "--cid-version=1", "--raw-leaves", file)
		if err != nil {
			t.Fatal(err)
		}
		gw, err := k.gateway()
		if err != nil {
			t.Fatal(err)
		}
		at := strings.TrimPrefix(strings.TrimPrefix(gw, "http://"), "127.0.0.1:")
		at = strings.TrimRight(at, "/")
		pin := n.psa(t, "POST", "/pins", fmt.Sprintf(`{"cid":%q,"origins":["/ip4/127.0.0.1/tcp/%s/http"]}`, root, at))
		tick := time.NewTicker(200 * time.Millisecond) // another process: nothing tells us
		defer tick.Stop()
		for range 300 {
			if pin = n.psa(t, "GET", "/pins/"+pin.ID, ""); pin.Status == "pinned" || pin.Status == "failed" {
				break
			}
			<-tick.C
		}
		if pin.Status != "pinned" {
			t.Fatalf("%+v", pin)
		}
		for _, base := range []string{n.Gateway, gw} {
			res, err := http.Get(base + "/ipfs/" + root + "?format=car&car-order=dfs&car-dups=n")
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err != nil || !bytes.Contains(b, data[:1000]) || len(b) < len(data) {
				t.Errorf("%s: %s, %d bytes, %v", base, res.Status, len(b), err)
			}
		}
	})

	t.Run("kubo's own client of the pinning service works with us", func(t *testing.T) {
		steps := [][]string{
			{"pin", "remote", "service", "add", "tally", strings.TrimSuffix(n.OpenAI, "/v1") + "/psa", n.token},
			{"pin", "remote", "ls", "--service=tally"},
			{"pin", "remote", "service", "ls", "--stat"},
		}
		for _, s := range steps {
			out, err := k.run(t.Context(), nil, s...)
			if err != nil {
				t.Fatal(err)
			}
			if s[2] == "ls" && !strings.Contains(out, "pinned") {
				t.Errorf("ls says %q", out)
			}
		}
	})
}
