package home

import (
	"errors"
	"os"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
)

func TestNodeComesBackAsItWasMade(t *testing.T) {
	dir := t.TempDir()
	made, err := Init(dir, Config{Network: "devnet", Roles: []Role{Worker}, Profile: "test"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if back.Address() != made.Address() || !back.Config.Has(Worker) || back.Token != made.Token {
		t.Errorf("came back as %+v", back)
	}
	if fi, err := os.Stat(back.Path("key")); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode is %v, %v", fi.Mode(), err)
	}
	if _, err := Init(dir, Config{}, nil); !errors.Is(err, ErrExists) {
		t.Errorf("a second init: %v", err)
	}
}

func TestDirectoryServesOneProcessAndOneNetwork(t *testing.T) {
	dir := t.TempDir()
	h, err := Init(dir, Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Lock(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Lock(); !errors.Is(err, ErrInUse) {
		t.Errorf("a second lock: %v", err)
	}
	if err := h.Unlock(); err != nil {
		t.Fatal(err)
	}
	n := protocol.Network{Name: "a", ChainID: 1, Token: common.Address{1}}
	if err := h.Bind(n); err != nil {
		t.Fatal(err)
	}
	n.ChainID = 2
	if err := h.Bind(n); !errors.Is(err, ErrNetwork) {
		t.Errorf("another network: %v", err)
	}
}

func TestBadSettingsSayWhatToWrite(t *testing.T) {
	for name, c := range map[string]Config{
		"role":      {Roles: []Role{"miner"}},
		"rpc":       {RPC: []string{"localhost"}},
		"bootstrap": {Bootstrap: []string{"/ip4/127.0.0.1/tcp/1"}},
		"threads":   {Threads: -1},
	} {
		if err := c.Validate(); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, ErrMissing) {
		t.Errorf("empty directory: %v", err)
	}
}
