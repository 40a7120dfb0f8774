package home

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"tally/p2p"
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
	if _, err := Init(dir, Config{Profile: p2p.ProfileTest}, nil); !errors.Is(err, ErrExists) {
		t.Errorf("a second init: %v", err)
	}
}

func TestDirectoryServesOneProcessAndOneNetwork(t *testing.T) {
	dir := t.TempDir()
	h, err := Init(dir, Config{Profile: p2p.ProfileTest}, nil)
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
		"role":       {Roles: []Role{"miner"}},
		"rpc":        {RPC: []string{"localhost"}},
		"bootstrap":  {Bootstrap: []string{"/ip4/127.0.0.1/tcp/1"}},
		"threads":    {Threads: -1},
		"memory":     {Memory: 2}, // gigabytes were meant
		"listen":     {Listen: []string{"127.0.0.1:4001"}},
		"listen ":    {Listen: []string{"/ip4/127.0.0.1/tcp/4001/ws"}},
		"listen /":   {Listen: []string{"/tcp/4001"}},
		"profile":    {Profile: "wan"},
		"openai":     {OpenAI: "8080"},
		"openai ":    {OpenAI: "0.0.0.0:8080"},
		"openai \"1": {OpenAI: "127.0.0.1:http"},

		"storage_quota":  {Quota: 100}, // gigabytes were meant
		"disk_floor":     {Floor: -2},
		"bandwidth_up":   {Up: 1000},
		"bandwidth_down": {Down: -5},
		"scrub_days":     {ScrubDays: -2},
		"gateway":        {Gateway: "8081"},
	} {
		if c.Profile == "" {
			c.Profile = p2p.ProfileTest
		}
		dir := filepath.Join(t.TempDir(), "node")
		if _, err := Init(dir, c, nil); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), strings.TrimRight(name, " /")) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: a directory was made: %v", name, err)
		}
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, ErrMissing) {
		t.Errorf("empty directory: %v", err)
	}
	good := Config{Profile: p2p.ProfileLAN, OpenAI: "localhost:0", Listen: []string{"/ip6/::1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"}, Quota: -1, Up: 1 << 20, Gateway: "off"}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}

func TestMisspeltSettingIsRefusedByName(t *testing.T) {
	dir := t.TempDir()
	h, err := Init(dir, Config{Profile: p2p.ProfileTest}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.Path("config.json"), []byte(`{"profile": "test", "treads": 4}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "treads") {
		t.Errorf("%v", err)
	}
}
