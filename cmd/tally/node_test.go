package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/chainclient"
	"tally/node/api"
	"tally/node/home"
	"tally/protocol"
)

// bookOf writes an address book of a network that nobody runs.
func bookOf(t *testing.T, name string) string {
	t.Helper()
	b := chainclient.Book{Network: protocol.Network{
		Name: name, ChainID: 9, Token: common.Address{1}, Registry: common.Address{2}, Vault: common.Address{3}, Ledger: common.Address{4}, Possession: common.Address{5},
	}, Params: protocol.Params{EpochLength: 60, CommitWindow: 10, AuditWindow: 10, ClaimDelay: 10, Quorum: 2, Bond: protocol.Tokens(1), ProofPeriod: 16, ProofLeaves: 5}}
	path := filepath.Join(t.TempDir(), name+".json")
	if err := b.Save(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInitMakesNothingOfBadSettings(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte(`{"name":"x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"book":    {[]string{"--book", bad}, "address book"},
		"no book": {[]string{"--book", bad + "x"}, "no such file"},
		"payout":  {[]string{"--payout", "0x12"}, "40 hex digits"},
		"openai":  {[]string{"--openai", "0.0.0.0:80"}, "not on loopback"},
		"listen":  {[]string{"--listen", "127.0.0.1:4001"}, "/ip4/127.0.0.1/tcp/4001"},
		"role":    {[]string{"--role", "miner"}, "worker, pinner"},
	} {
		dir := filepath.Join(t.TempDir(), "node")
		if _, err := tally(t, append([]string{"--data", dir, "init"}, c.args...)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want it to say %q", name, err, c.want)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: something was made: %v", name, err)
		}
	}
}

func TestBookIsKeptFromARunningNodeAndFromAnotherNetwork(t *testing.T) {
	dir := t.TempDir()
	mine, other := bookOf(t, "mine"), bookOf(t, "other")
	if _, err := tally(t, "--data", dir, "init", "--rpc", "http://127.0.0.1:1", "--book", mine); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, "book.json"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := home.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Lock(); err != nil {
		t.Fatal(err)
	}
	if _, err := tally(t, "--data", dir, "up", "--book", other); !errors.Is(err, home.ErrInUse) {
		t.Errorf("a running node: %v", err)
	}
	if err := h.Unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := tally(t, "--data", dir, "up"); !errors.Is(err, chainclient.ErrEndpoint) { // now it belongs to mine
		t.Errorf("an endpoint that is not there: %v", err)
	}
	if _, err := tally(t, "--data", dir, "up", "--book", other); !errors.Is(err, home.ErrNetwork) {
		t.Errorf("another network: %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, "book.json")); err != nil || string(after) != string(before) {
		t.Errorf("the book is now %s, %v", after, err)
	}
}

func TestUnreadableBookStartsNoChain(t *testing.T) {
	dir := t.TempDir()
	if _, err := tally(t, "--data", dir, "init"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "book.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tally(t, "--data", dir, "up"); !errors.Is(err, chainclient.ErrBook) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "chain")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a chain was made: %v", err)
	}
}

// TestWrongResultsFailTheCommandHoweverPrinted asks a node that finds fault.
func TestWrongResultsFailTheCommandHoweverPrinted(t *testing.T) {
	right := api.Audit{Equal: "equal", Invariants: api.Invariants{ReasonsSum: true, LedgerEqualsClaimable: true}}
	unequal, unsummed := right, right
	unequal.Equal, unsummed.Invariants.ReasonsSum = "the root differs", false
	audits := map[string]api.Audit{"1": right, "2": unequal, "3": unsummed}
	m := http.NewServeMux()
	m.HandleFunc("POST /v0/receipts/{cid}/verify", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(api.Verification{Valid: r.PathValue("cid") == "good", Checks: []string{"the offer"}, Problem: "the signature"})
	})
	m.HandleFunc("POST /v0/epochs/{n}/audit", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(audits[r.PathValue("n")])
	})
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	dir := t.TempDir()
	for name, text := range map[string]string{"token": "k", "api.addr": strings.TrimPrefix(s.URL, "http://")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args []string
		ok   bool
	}{
		{[]string{"receipt", "verify", "good"}, true},
		{[]string{"receipt", "verify", "bad"}, false},
		{[]string{"audit", "epoch", "1"}, true},
		{[]string{"audit", "epoch", "2"}, false},
		{[]string{"audit", "epoch", "3"}, false},
	} {
		for _, form := range [][]string{nil, {"--json"}} {
			out, err := tally(t, append(append([]string{"--data", dir}, c.args...), form...)...)
			if c.ok && err != nil || !c.ok && !errors.Is(err, errTold) {
				t.Errorf("%v %v: %v", c.args, form, err)
			}
			if out == "" || form != nil && !json.Valid([]byte(out)) {
				t.Errorf("%v %v printed %q", c.args, form, out)
			}
		}
	}
}

func TestEndOfTimeIsSaid(t *testing.T) {
	ctx, done := within(t.Context(), time.Nanosecond)
	<-ctx.Done()
	if err := done(context.DeadlineExceeded); err == nil || !strings.HasPrefix(err.Error(), "not done within 1ns") {
		t.Errorf("%v", err)
	}
	_, done = within(t.Context(), time.Hour)
	other := errors.New("other")
	if err := done(other); err != other { //nolint:errorlint // the very same
		t.Errorf("%v", err)
	}
	if err := done(nil); err != nil {
		t.Error(err)
	}
}
