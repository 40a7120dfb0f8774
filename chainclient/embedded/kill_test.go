package embedded

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

const childEnv = "EMBEDDED_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		fmt.Fprintln(os.Stderr, child(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// child sends transactions until it is killed, and prints the hash of each
// one that it has seen in a block, when Synced promises that block.
func child(dir string) error {
	ctx := context.Background()
	c, err := Open(testConfig(dir))
	if err != nil {
		return err
	}
	_, a := testKey()
	n, err := c.Client().NonceAt(ctx, a, nil)
	if err != nil {
		return err
	}
	fmt.Println("open", n)
	tick := time.NewTicker(2 * time.Millisecond)
	var waiting []common.Hash
	for range tick.C {
		tx, err := transfer(ctx, c.Client(), 31337, n)
		if err != nil {
			return err
		}
		n++
		waiting = append(waiting, tx.Hash())
		for len(waiting) > 0 {
			r, err := c.Client().TransactionReceipt(ctx, waiting[0])
			if err != nil || r.BlockNumber.Uint64() > c.Synced() {
				break
			}
			fmt.Println("mined", waiting[0].Hex())
			waiting = waiting[1:]
		}
	}
	return nil
}

func TestNothingSeenIsLostByKillNine(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	dir := t.TempDir()
	seen := map[common.Hash]bool{}
	rounds := 3
	if testing.Short() {
		rounds = 1
	}
	for round := range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		enough := 1 + rnd.IntN(600)
		delay := time.Duration(rnd.IntN(1500)) * time.Millisecond
		lines, fresh := bufio.NewScanner(out), 0
		for lines.Scan() {
			h, ok := strings.CutPrefix(lines.Text(), "mined ")
			if !ok {
				t.Log(lines.Text())
				continue
			}
			seen[common.HexToHash(h)] = true
			if fresh++; fresh == enough {
				kill := time.AfterFunc(delay, func() { cmd.Process.Kill() })
				defer kill.Stop()
			}
		}
		cmd.Wait() // "signal: killed"
		if fresh < enough {
			t.Fatalf("the child ended by itself after %d transactions", fresh)
		}
		t.Logf("round %d: killed %v after %d transactions were seen, %d in all", round, delay, enough, fresh)

		cfg := testConfig(dir)
		cfg.Alloc = nil
		c, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		for h := range seen {
			if _, err := c.Client().TransactionReceipt(t.Context(), h); err != nil {
				t.Errorf("%s: %v", h, err)
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
