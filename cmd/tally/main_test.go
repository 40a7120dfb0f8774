package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// asCommand makes this test binary be the tally command, so that a devnet of
// real processes can be started from tests.
const asCommand = "TALLY_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	if err := os.Setenv(asCommand, "1"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// tally runs a command in this process and returns what it printed.
func tally(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var out, errw bytes.Buffer
	root := newRoot(&out, &errw)
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return out.String(), err
}

// answer runs a command with --json and decodes what it printed.
func answer[T any](t *testing.T, args ...string) T {
	t.Helper()
	out, err := tally(t, append(args, "--json")...)
	if err != nil {
		t.Fatalf("tally %s: %v", strings.Join(args, " "), err)
	}
	var v T
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("tally %s printed %q: %v", strings.Join(args, " "), out, err)
	}
	return v
}

func TestCommandsSayWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no node":        {[]string{"--data", dir, "status"}, "tally up"},
		"no init":        {[]string{"--data", dir, "up"}, "tally init"},
		"role":           {[]string{"--data", dir, "init", "--role", "miner"}, "worker, pinner, auditor"},
		"payout":         {[]string{"--data", dir, "init", "--payout", "me"}, "40 hex digits"},
		"no datanet":     {[]string{"--data", dir, "model", "train"}, "--datanet"},
		"no file":        {[]string{"--data", dir, "datanet", "add", "bafy", dir + "/none"}, "no such file"},
		"preset":         {[]string{"devnet", "--preset", "huge"}, "tour or test"},
		"corpus":         {[]string{"devnet", "--corpus", dir}, "no UTF-8 text file"},
		"corpus missing": {[]string{"devnet", "--corpus", dir + "/none"}, "none"},
		"epoch":          {[]string{"chain", "--dir", dir, "--epoch", "1ms"}, "whole seconds"},
	} {
		if _, err := tally(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want it to say %q", name, err, c.want)
		}
	}
}

func TestInitMakesANodeOnceAndSaysWhere(t *testing.T) {
	dir := t.TempDir() + "/node"
	made := answer[struct{ Data, Account string }](t, "--data", dir, "init", "--role", "worker,pinner")
	if made.Data != dir || !strings.HasPrefix(made.Account, "0x") {
		t.Errorf("%+v", made)
	}
	if _, err := tally(t, "--data", dir, "init"); err == nil || !strings.Contains(err.Error(), "not overwritten") {
		t.Errorf("a second init: %v", err)
	}
}
