// Command versus measures storage beside kubo: the same file, the same disk, one run, in
// turns. It builds kubo at the version of its go.mod and the tally of this
// checkout, makes a file of random bytes, and prints MiB a second and ratios of
//
//	add    import, ours with its fsync, kubo's as it comes; kubo in its default
//	       profile (256 KiB chunks) and in the one of 1 MiB chunks, CIDv1
//	cat    reading the file back
//	fetch  from one process to another over loopback, by TCP and by QUIC:
//	       kubo's "ipfs pin add", our shard stream
//
// kubo's figures hold the start of its command; ours are of the bench's own
// clock. Run it on a quiet machine: make versus-storage.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	size := flag.Int64("size", 1000, "MiB of the file")
	rounds := flag.Int("rounds", 3, "how often each is measured; the median is shown")
	dir := flag.String("dir", "", "where to work; default is a temporary directory")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *dir, *size, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "versus:", err)
		os.Exit(1)
	}
}

// figures are MiB a second by name, one of each round.
type figures map[string][]float64

func (f figures) add(name string, mib float64, took time.Duration) {
	f[name] = append(f[name], mib/took.Seconds())
}

func (f figures) median(name string) float64 {
	v := slices.Sorted(slices.Values(f[name]))
	if len(v) == 0 {
		return 0
	}
	return v[len(v)/2]
}

func run(ctx context.Context, parent string, mib int64, rounds int) error {
	dir, err := os.MkdirTemp(parent, "versus-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ipfs, err := buildKubo(ctx, dir)
	if err != nil {
		return err
	}
	tally := filepath.Join(dir, "tally")
	build := exec.CommandContext(ctx, "go", "build", "-o", tally, "./cmd/tally")
	build.Dir, build.Stderr = filepath.Join("..", ".."), os.Stderr
	if err := build.Run(); err != nil {
		return err
	}
	file := filepath.Join(dir, "file")
	if err := write(file, mib<<20); err != nil {
		return err
	}
	f := figures{}
	for r := range rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", r+1, rounds)
		for _, p := range []struct {
			name string
			add  []string
		}{{"256 KiB", nil}, {"1 MiB", []string{"--chunker=size-1048576", "--cid-version=1", "--raw-leaves"}}} {
			if err := local(ctx, f, ipfs, filepath.Join(dir, "repo"), file, p.name, p.add, float64(mib)); err != nil {
				return err
			}
		}
		for _, quic := range []bool{false, true} {
			if err := remote(ctx, f, ipfs, dir, file, quic, float64(mib)); err != nil {
				return err
			}
		}
		if err := ours(ctx, f, tally, dir, mib); err != nil {
			return err
		}
	}
	return show(os.Stdout, f)
}

func write(path string, n int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, rand.Reader, n)
	return errors.Join(err, f.Sync(), f.Close())
}

// local measures kubo's add and cat without a daemon.
func local(ctx context.Context, f figures, ipfs, repo, file, name string, flags []string, mib float64) error {
	defer os.RemoveAll(repo)
	k, err := newKubo(ctx, ipfs, repo, false)
	if err != nil {
		return err
	}
	start := time.Now()
	root, err := k.run(ctx, nil, append(append([]string{"add", "-Q"}, flags...), file)...)
	if err != nil {
		return err
	}
	f.add("kubo add "+name, mib, time.Since(start))
	start = time.Now()
	if _, err := k.run(ctx, io.Discard, "cat", root); err != nil {
		return err
	}
	f.add("kubo cat "+name, mib, time.Since(start))
	return nil
}

// remote measures "ipfs pin add" from one daemon to another.
func remote(ctx context.Context, f figures, ipfs, dir, file string, quic bool, mib float64) error {
	how := "TCP"
	if quic {
		how = "QUIC"
	}
	var ks [2]*kubo
	for i := range ks {
		repo := filepath.Join(dir, fmt.Sprint("peer", i))
		defer os.RemoveAll(repo)
		k, err := newKubo(ctx, ipfs, repo, quic)
		if err != nil {
			return err
		}
		if err := k.start(ctx); err != nil {
			return err
		}
		defer k.stop()
		ks[i] = k
	}
	root, err := ks[0].run(ctx, nil, "add", "-Q", "--chunker=size-1048576", "--cid-version=1", "--raw-leaves", file)
	if err != nil {
		return err
	}
	at, err := ks[0].addr(ctx)
	if err != nil {
		return err
	}
	if _, err := ks[1].run(ctx, nil, "swarm", "connect", at); err != nil {
		return err
	}
	start := time.Now()
	if _, err := ks[1].run(ctx, nil, "pin", "add", root); err != nil {
		return err
	}
	f.add("kubo fetch "+how, mib, time.Since(start))
	return nil
}

// report is what "tally bench storage --json" prints, as far as it is compared.
type report struct {
	Import float64 `json:"import"`
	Cat    float64 `json:"cat"`
	Fetch  struct {
		TCP  float64 `json:"tcp"`
		QUIC float64 `json:"quic"`
	} `json:"fetch"`
}

func ours(ctx context.Context, f figures, tally, dir string, mib int64) error {
	c := exec.CommandContext(ctx, tally, "bench", "storage", "--json", "--dir", dir, "--size", fmt.Sprint(mib<<20))
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, os.Stderr
	if err := c.Run(); err != nil {
		return err
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return err
	}
	for name, v := range map[string]float64{"tally add": r.Import, "tally cat": r.Cat, "tally fetch TCP": r.Fetch.TCP, "tally fetch QUIC": r.Fetch.QUIC} {
		if v <= 0 {
			return fmt.Errorf("tally bench storage says nothing of %q: %s", name, out.Bytes())
		}
		f[name] = append(f[name], v)
	}
	return nil
}

func show(w io.Writer, f figures) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "MiB/s, median\ttally\tkubo 256 KiB\tkubo 1 MiB\tratio to the best\t")
	for _, what := range []string{"add", "cat"} {
		t, a, b := f.median("tally "+what), f.median("kubo "+what+" 256 KiB"), f.median("kubo "+what+" 1 MiB")
		fmt.Fprintf(tw, "%s\t%.0f\t%.0f\t%.0f\t%.2f\t\n", what, t, a, b, t/max(a, b))
	}
	for _, how := range []string{"TCP", "QUIC"} {
		t, k := f.median("tally fetch "+how), f.median("kubo fetch "+how)
		fmt.Fprintf(tw, "fetch %s\t%.0f\t-\t%.0f\t%.2f\t\n", how, t, k, t/k)
	}
	return tw.Flush()
}
