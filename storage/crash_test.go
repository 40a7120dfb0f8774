package storage_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"tally/storage"
)

// crashDir tells a child of TestCrash where to work; its arguments follow.
const crashDir = "TALLY_STORAGE_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := crashChild(dir, os.Getenv(crashDir+"_SEED")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// crashChild imports, pins, unpins and collects until it is killed. It says what
// it is about to take back, and what was acknowledged, a line each.
func crashChild(dir, seed string) error {
	var n uint64
	if _, err := fmt.Sscan(seed, &n); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(n, 1))
	s, err := storage.Open(storage.Config{Dir: dir})
	if err != nil {
		return err
	}
	ctx := context.Background()
	fmt.Println("open")
	var pinned []cid.Cid
	for p, err := range s.Pins() {
		if err != nil {
			return err
		}
		pinned = append(pinned, p.Root)
	}
	for {
		switch k := rng.IntN(10); {
		case k < 5:
			what := rng.Uint64N(60)
			sh, err := s.ImportFile(ctx, bytes.NewReader(crashFile(what)))
			if err != nil {
				return err
			}
			if err := s.Pin(ctx, sh.Root, storage.PinInfo{Why: fmt.Sprint(what)}); err != nil {
				return err
			}
			fmt.Println("pin", what, sh.Root)
			pinned = append(pinned, sh.Root)
		case k < 7:
			c, err := s.PutNode(ctx, []byte{0x19, byte(1 + rng.IntN(200)), 0})
			if err != nil {
				return err
			}
			if err := s.Pin(ctx, c, storage.PinInfo{Why: "node"}); err != nil {
				return err
			}
			fmt.Println("node", 0, c)
		case k < 9 && len(pinned) > 8:
			i := rng.IntN(len(pinned))
			fmt.Println("unpin", 0, pinned[i])
			if err := s.Unpin(ctx, pinned[i]); err != nil {
				return err
			}
			pinned = append(pinned[:i], pinned[i+1:]...)
		default:
			if _, err := s.Collect(ctx, 0); err != nil {
				return err
			}
		}
	}
}

// crashFile returns a file that shares its first leaf with others.
func crashFile(what uint64) []byte {
	return append(noise(what%5, 1<<20), noise(1000+what, int(what*17_000))...)
}

func TestCrashKeepsEveryAcknowledgedPin(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	pins := map[cid.Cid]uint64{} // acknowledged, with the file's number
	nodes := map[cid.Cid]bool{}
	for round := range 10 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), crashDir+"="+dir, fmt.Sprintf("%s_SEED=%d", crashDir, rng.Uint64()))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		var timer *time.Timer
		acks := 0
		for lines.Scan() {
			var op, root string
			var what uint64
			if lines.Text() == "open" {
				timer = time.AfterFunc(time.Duration(rng.IntN(300_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
				continue
			}
			if n, err := fmt.Sscan(lines.Text(), &op, &what, &root); n != 3 || err != nil {
				continue // killed in the middle of a line: not acknowledged
			}
			c, err := cid.Decode(root)
			if err != nil {
				continue
			}
			acks++
			switch op {
			case "pin":
				pins[c] = what
			case "node":
				nodes[c] = true
			case "unpin":
				delete(pins, c)
				delete(nodes, c)
			}
		}
		_ = cmd.Wait()
		if timer == nil || stderr.Len() > 0 {
			t.Fatalf("round %d: the child ended by itself: %s", round, &stderr)
		}
		timer.Stop()
		s, err := storage.Open(storage.Config{Dir: dir})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		h, err := s.Health(t.Context())
		if err != nil || !h.Sound() {
			t.Fatalf("round %d: %+v %v", round, h, err)
		}
		held := map[cid.Cid]bool{}
		for r, err := range s.Roots() {
			if err != nil {
				t.Fatal(err)
			}
			held[r] = true
		}
		for c, what := range pins {
			if !held[c] {
				t.Fatalf("round %d: pin of file %d is lost", round, what)
			}
			mustCat(t, s, c, crashFile(what))
		}
		for c := range nodes {
			if _, err := s.GetBlock(t.Context(), c); err != nil || !held[c] {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		// Nothing half written stays.
		if left, _ := filepath.Glob(filepath.Join(dir, "tmp", "*")); len(left) > 0 {
			t.Fatal(left)
		}
		t.Logf("round %d: %d acknowledged, %d shards pinned, %d nodes", round, acks, len(pins), len(nodes))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
