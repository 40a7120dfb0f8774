package devnet

import (
	"context"
	"errors"
	"strings"
	"testing"

	"tally/node/api"
	"tally/node/home"
)

func TestStoppedDevnetsNodesAreTakenAgain(t *testing.T) {
	dir := t.TempDir()
	made, err := makeHome(dir, Member{Roles: []home.Role{home.Pinner}}, "http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := makeHome(dir, five[1], "http://127.0.0.1:2"); err != nil {
		t.Fatal(err)
	}
	back, err := home.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if back.Address() != made.Address() || back.Config.RPC[0] != "http://127.0.0.1:2" || !back.Config.Has(home.Auditor) {
		t.Errorf("came back as %s with %+v", back.Address(), back.Config)
	}
}

// heard passes on what it is told.
type heard chan string

func (h heard) Say(s string)    { h <- s }
func (h heard) Event(api.Event) {}

func TestNetworkOutlivesANodeAndNotItsChain(t *testing.T) {
	start := func() (*Devnet, []chan struct{}) {
		var ends []chan struct{}
		process := func(name string) *Process {
			done := make(chan struct{})
			ends = append(ends, done)
			return &Process{Name: name, done: done, err: errors.New("killed")}
		}
		d := &Devnet{Chain: process("chain")}
		for _, name := range []string{"n1", "n2"} {
			d.Nodes = append(d.Nodes, &Node{Process: process(name)})
		}
		return d, ends
	}
	d, ends := start()
	told, result := make(heard), make(chan error, 1)
	go func() { result <- d.Wait(t.Context(), told) }()
	for i, name := range []string{"n1", "n2"} {
		close(ends[i+1])
		if s := <-told; !strings.Contains(s, name) || !strings.Contains(s, "killed") {
			t.Errorf("told %q", s)
		}
	}
	close(ends[0])
	if err := <-result; !errors.Is(err, ErrProcess) || !strings.Contains(err.Error(), "chain") {
		t.Errorf("the chain's end: %v", err)
	}
	d, ends = start()
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	for _, c := range ends { // they were interrupted too
		close(c)
	}
	if err := d.Wait(ctx, told); err != nil {
		t.Errorf("interrupted: %v", err)
	}
}
