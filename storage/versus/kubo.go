package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// kubo is one kubo repository, used by its command alone.
type kubo struct {
	exe, repo string
	daemon    *exec.Cmd
}

// buildKubo builds the kubo that go.mod names.
func buildKubo(ctx context.Context, dir string) (string, error) {
	exe := filepath.Join(dir, "ipfs")
	c := exec.CommandContext(ctx, "go", "build", "-o", exe, "github.com/ipfs/kubo/cmd/ipfs")
	c.Stderr = os.Stderr
	return exe, c.Run()
}

// newKubo makes a repository that knows nobody and listens on loopback only, by
// TCP or by QUIC.
func newKubo(ctx context.Context, exe, repo string, quic bool) (*kubo, error) {
	k := &kubo{exe: exe, repo: repo}
	swarm := `["/ip4/127.0.0.1/tcp/0"]`
	if quic {
		swarm = `["/ip4/127.0.0.1/udp/0/quic-v1"]`
	}
	steps := [][]string{
		{"init", "--profile=test"},
		{"bootstrap", "rm", "--all"},
		{"config", "--json", "Addresses.Swarm", swarm},
		{"config", "Addresses.API", "/ip4/127.0.0.1/tcp/0"},
		{"config", "Addresses.Gateway", "/ip4/127.0.0.1/tcp/0"},
		{"config", "--json", "AutoConf.Enabled", "false"},
		{"config", "--json", "Routing.DelegatedRouters", "[]"},
		{"config", "--json", "Ipns.DelegatedPublishers", "[]"},
		{"config", "--json", "DNS.Resolvers", "{}"},
		{"config", "--json", "AutoTLS.Enabled", "false"},
		{"config", "Routing.Type", "none"},
		{"config", "--json", "Discovery.MDNS.Enabled", "false"},
		{"config", "--json", "Datastore.StorageMax", `"100GB"`},
	}
	for _, s := range steps {
		if _, err := k.run(ctx, nil, s...); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// run runs one command of kubo and returns what it printed.
func (k *kubo) run(ctx context.Context, out io.Writer, args ...string) (string, error) {
	c := exec.CommandContext(ctx, k.exe, args...)
	c.Env = append(os.Environ(), "IPFS_PATH="+k.repo, "IPFS_TELEMETRY=off")
	var said, errs bytes.Buffer
	c.Stdout, c.Stderr = &said, &errs
	if out != nil {
		c.Stdout = out
	}
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("ipfs %s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return strings.TrimSpace(said.String()), nil
}

// start runs the daemon until stop.
func (k *kubo) start(ctx context.Context) error {
	k.daemon = exec.CommandContext(ctx, k.exe, "daemon", "--offline=false", "--migrate=false")
	k.daemon.Env = append(os.Environ(), "IPFS_PATH="+k.repo, "IPFS_TELEMETRY=off")
	k.daemon.Cancel = func() error { return k.daemon.Process.Signal(os.Interrupt) }
	k.daemon.WaitDelay = 20 * time.Second
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	k.daemon.Stdout, k.daemon.Stderr = w, w
	if err := k.daemon.Start(); err != nil {
		return err
	}
	_ = w.Close()
	ready, all := make(chan error, 1), new(bytes.Buffer)
	go func() {
		buf := make([]byte, 4096)
		told := false
		for {
			n, err := r.Read(buf)
			if !told {
				all.Write(buf[:n])
				if strings.Contains(all.String(), "Daemon is ready") {
					told = true
					ready <- nil
				}
			}
			if err != nil {
				if !told {
					ready <- fmt.Errorf("ipfs daemon ended: %s", all)
				}
				return
			}
		}
	}()
	return <-ready
}

func (k *kubo) stop() {
	if k.daemon != nil {
		_ = k.daemon.Process.Signal(os.Interrupt)
		_ = k.daemon.Wait()
	}
}

// addr is where the daemon listens, with its peer ID.
func (k *kubo) addr(ctx context.Context) (string, error) {
	s, err := k.run(ctx, nil, "id")
	if err != nil {
		return "", err
	}
	var id struct{ Addresses []string }
	if err := json.Unmarshal([]byte(s), &id); err != nil {
		return "", err
	}
	for _, a := range id.Addresses {
		if strings.HasPrefix(a, "/ip4/127.0.0.1/") {
			return a, nil
		}
	}
	return "", errors.New("ipfs daemon listens nowhere on loopback")
}

// gateway is where the daemon serves blocks and CARs.
func (k *kubo) gateway() (string, error) {
	b, err := os.ReadFile(filepath.Join(k.repo, "gateway"))
	return strings.TrimSpace(string(b)), err
}
