package crashring

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"tally/storage"
)

// ring is what the parent knows.
type ring struct {
	t     *testing.T
	rng   *rand.Rand
	dir   string
	pins  map[cid.Cid]int  // acknowledged, with the file's number
	nodes map[cid.Cid]bool // acknowledged
	going map[cid.Cid]bool // said to be unpinned, perhaps not yet
	rot   map[cid.Cid]bool // with a flipped byte, and not said to be healed
	story []string         // what happened, a line each

	torn, rotten, healed, acks, held, full int
	trying                                 string // what is under way, by its pin's reason
}

// TestCrash is the ring.
func TestCrash(t *testing.T) {
	rounds, seed := 30, rand.Uint64()
	if testing.Short() {
		rounds = 6
	}
	if s := os.Getenv("TALLY_CRASH_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("TALLY_CRASH_ROUNDS=%q: write a number", s)
		}
		rounds = n
	}
	if s := os.Getenv("TALLY_CRASH_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("TALLY_CRASH_SEED=%q: write a number", s)
		}
		seed = n
	}
	t.Logf("TALLY_CRASH_SEED=%d", seed)
	r := &ring{
		t: t, rng: rand.New(rand.NewPCG(seed, 0)), dir: filepath.Join(t.TempDir(), "store"),
		pins: map[cid.Cid]int{}, nodes: map[cid.Cid]bool{}, going: map[cid.Cid]bool{}, rot: map[cid.Cid]bool{},
	}
	for i := range rounds {
		r.story = append(r.story, fmt.Sprint("round ", i))
		before := r.acks
		tail := r.kill()
		tried := r.rootOf(r.trying) // its import may have been acknowledged to the child
		torn, err := Tear(r.rng, r.dir, func(c cid.Cid) bool { return c.Equals(tried) || r.acknowledged(c) })
		if err != nil {
			t.Fatal(err)
		}
		if tail != nil {
			more, err := tail.TearTail(r.rng, filepath.Join(r.dir, "meta"))
			if err != nil {
				t.Fatal(err)
			}
			torn = append(torn, more...)
		}
		r.torn += len(torn)
		if r.check(); t.Failed() {
			t.Fatalf("round %d, seed %d: %d acknowledged, trying %q, torn %q\n%s", i, seed, r.acks-before, r.trying, torn, strings.Join(r.story, "\n"))
		}
		r.spoil()
	}
	r.healAll()
	t.Logf("%d rounds: %d acts acknowledged, %d pins and %d nodes at the end, %d files torn, %d databases caught in the last act, %d bytes rotted, %d shards healed, the quota met %d times",
		rounds, r.acks, len(r.pins), len(r.nodes), r.torn, r.held, r.rotten, r.healed, r.full)
	if r.acks == 0 {
		t.Error("nothing was acknowledged")
	}
	// A few rounds may by chance tear nothing, and fill nothing.
	if rounds >= 30 && r.torn == 0 || rounds >= 200 && r.full == 0 {
		t.Errorf("in %d rounds %d files were torn, and the quota was met %d times", rounds, r.torn, r.full)
	}
}

// rootOf is the root of a file by its number, or none.
func (r *ring) rootOf(number string) cid.Cid {
	n, err := strconv.Atoi(number)
	if err != nil {
		return cid.Undef
	}
	s, err := storage.Open(storage.Config{Floor: -1})
	if err != nil {
		r.t.Fatal(err)
	}
	defer s.Close()
	sh, err := s.ImportFile(r.t.Context(), bytes.NewReader(file(n)))
	if err != nil {
		r.t.Fatal(err)
	}
	return sh.Root
}

func (r *ring) acknowledged(c cid.Cid) bool {
	_, ok := r.pins[c]
	return ok || r.going[c]
}

// kill runs a child until some moment. It returns the database of pins as it was
// before the last act, if that was not acknowledged.
func (r *ring) kill() Snapshot {
	ctx, stop := context.WithTimeout(r.t.Context(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^$")
	rot := ""
	for c := range r.rot {
		if n, ok := r.pins[c]; ok {
			rot += fmt.Sprint(n, " ")
		}
	}
	cmd.Env = append(os.Environ(), childDir+"="+r.dir, fmt.Sprintf("%s_SEED=%d", childDir, r.rng.Uint64()), childDir+"_ROT="+rot)
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	clear(r.going)
	r.trying = ""
	killed := make(chan struct{})
	kill := func() { close(killed); _ = cmd.Process.Kill() }
	early, life, late := r.rng.IntN(5) == 0, time.Duration(r.rng.IntN(300_000))*time.Microsecond, time.Duration(r.rng.IntN(20_000))*time.Microsecond
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	var timer *time.Timer
	if early { // while it opens
		timer = time.AfterFunc(life/3, kill)
	}
	var before Snapshot
	wantTail := r.rng.IntN(3) > 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		switch {
		case line == "open" && timer == nil && !wantTail:
			timer = time.AfterFunc(life, kill)
		case line == "hold":
			if timer == nil {
				if before, err = Take(filepath.Join(r.dir, "meta")); err != nil {
					r.t.Fatal(err)
				}
				timer = time.AfterFunc(late, kill)
			}
			_, _ = io.WriteString(in, "go on\n") // a dead child does not
		default:
			if r.hear(line) {
				before = nil
			}
		}
	}
	err = cmd.Wait()
	if timer != nil {
		timer.Stop()
	}
	select {
	case <-killed:
	default:
		r.t.Fatalf("the child ended by itself: %v %s", err, &errs)
	}
	if before != nil {
		r.held++
	}
	return before
}

// hear takes a line of the child and says whether what it does from here on is no
// longer the act alone that it said it would do: that is acknowledged, or gave way to
// others, which make room.
func (r *ring) hear(line string) bool {
	r.story = append(r.story, line)
	var op, root string
	var n int
	if line == "full" {
		r.full++
		return true
	}
	if k, ok := strings.CutPrefix(line, "try "); ok {
		r.trying = k
		return false
	}
	if k, err := fmt.Sscan(line, &op, &n, &root); k != 3 || err != nil {
		return false // killed in the middle of a line
	}
	c, err := cid.Decode(root)
	if err != nil {
		return false
	}
	switch op {
	case "pin":
		r.pins[c] = n
		delete(r.going, c)
	case "node":
		r.nodes[c] = true
	case "unpin":
		delete(r.pins, c)
		delete(r.nodes, c)
		r.going[c] = true
		return false
	case "healed":
		delete(r.rot, c)
		r.healed++
		return false
	}
	r.acks++
	return true
}

// check opens the store by its normal path and compares it with what was
// acknowledged.
func (r *ring) check() {
	t := r.t
	var said bytes.Buffer
	opts := options(r.dir)
	opts.Logger = slog.New(slog.NewTextHandler(&said, nil))
	s, err := storage.Open(opts)
	defer func() {
		if t.Failed() {
			t.Logf("the store said: %s", &said)
		}
	}()
	if err != nil {
		t.Errorf("does not open: %v", err)
		return
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	held := map[cid.Cid]bool{}
	for p, err := range s.Pins() {
		if err != nil {
			t.Error(err)
			return
		}
		held[p.Root] = true
		if n, ok := r.pins[p.Root]; !(ok && fmt.Sprint(n) == p.Why) && !r.nodes[p.Root] && !r.going[p.Root] && p.Why != r.trying {
			t.Errorf("pin of %s for %q is claimed, and nobody acknowledged it", p.Root, p.Why)
		}
		// An act that was not acknowledged may have been done: from here on it was.
		if n, err := strconv.Atoi(p.Why); err == nil {
			r.pins[p.Root] = n
		} else {
			r.nodes[p.Root] = true
		}
	}
	for c, n := range r.pins {
		if !held[c] {
			t.Errorf("pin of file %d, %s, is lost", n, c)
			continue
		}
		got, err := read(s, c)
		if err != nil && !r.rot[c] || err == nil && !bytes.Equal(got, file(n)) {
			t.Errorf("file %d, %s: %d bytes, %v", n, c, len(got), err)
		}
	}
	for c := range r.nodes {
		if _, err := s.GetBlock(t.Context(), c); err != nil || !held[c] {
			t.Errorf("node %s: pinned %v, %v", c, held[c], err)
		}
	}
	h, err := s.Health(t.Context())
	if err != nil {
		t.Error(err)
		return
	}
	for _, c := range h.Missing {
		if !r.rot[c] {
			t.Errorf("%s is pinned and missing", c)
		}
	}
	for _, d := range h.Damaged {
		if r.rot[d.Root] || r.going[d.Root] {
			continue
		}
		// A record of damage may outlive it by a moment: it goes when the shard is read.
		if err := s.Verify(t.Context(), d.Root); err != nil {
			t.Errorf("damage of a shard that nothing harmed: %+v: %v", d, err)
		}
	}
	r.shards(s)
}

// shards checks every shard that the store claims, and how much it takes.
func (r *ring) shards(s *storage.Store) {
	t := r.t
	paths, err := filepath.Glob(filepath.Join(r.dir, "shards", "*.car"))
	if err != nil {
		t.Error(err)
	}
	for _, path := range paths {
		c, err := cid.Decode(strings.TrimSuffix(filepath.Base(path), ".car"))
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := s.Stat(t.Context(), c); err == nil && !r.rot[c] {
			if err := s.Verify(t.Context(), c); err != nil {
				t.Errorf("shard %s is claimed: %v", c, err)
			}
		}
	}
	u, err := s.Usage()
	if err != nil || u.Used > quota {
		t.Errorf("%d bytes are used of %d: %v", u.Used, quota, err)
	}
	var sum int64
	for _, sub := range []string{"shards", "fetch", "aside", "tmp"} {
		err := filepath.WalkDir(filepath.Join(r.dir, sub), func(_ string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err == nil {
				sum += info.Size()
			}
			if sub == "tmp" {
				t.Errorf("%s is left in tmp", d.Name())
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if sum > quota {
		t.Errorf("files of %d bytes are more than the quota", sum)
	}
}

func read(s *storage.Store, c cid.Cid) ([]byte, error) {
	f, err := s.OpenFile(context.Background(), c)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// files are the roots of the acknowledged files, in the same order each time.
func (r *ring) files() []cid.Cid {
	return slices.SortedFunc(maps.Keys(r.pins), func(a, b cid.Cid) int { return strings.Compare(a.KeyString(), b.KeyString()) })
}

// spoil lets a byte of an acknowledged shard rot, now and then.
func (r *ring) spoil() {
	if r.rng.IntN(4) > 0 || len(r.rot) > 2 {
		return
	}
	for _, c := range r.files() {
		if r.rot[c] {
			continue
		}
		path := filepath.Join(r.dir, "shards", c.String()+".car")
		if _, err := os.Stat(path); err != nil {
			continue // set aside, and being fetched again
		}
		if _, err := Rot(r.rng, path); err != nil {
			r.t.Fatal(err)
		}
		r.rot[c] = true
		r.rotten++
		r.story = append(r.story, "rot 0 "+c.String())
		return
	}
}

// healAll scrubs until nothing is wrong any more.
func (r *ring) healAll() {
	s, err := storage.Open(options(r.dir))
	if err != nil {
		r.t.Fatal(err)
	}
	defer s.Close()
	remote, err := storage.Open(storage.Config{Floor: -1})
	if err != nil {
		r.t.Fatal(err)
	}
	defer remote.Close()
	for _, c := range r.files() {
		if _, err := remote.ImportFile(r.t.Context(), bytes.NewReader(file(r.pins[c]))); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, c := range r.files() {
		n := r.pins[c]
		err := s.Verify(r.t.Context(), c)
		if err == nil {
			continue
		}
		if !r.rot[c] {
			r.t.Errorf("file %d, %s: %v", n, c, err)
		}
		if err := s.WithExchange(neighbour{remote}).Repair(r.t.Context(), c); err != nil {
			r.t.Errorf("file %d, %s: %v", n, c, err)
			continue
		}
		r.healed++
		if err := s.Verify(r.t.Context(), c); err != nil {
			r.t.Errorf("file %d, %s, healed: %v", n, c, err)
		}
	}
}
