package workbench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
)

// asHolder makes this test binary be the process that another fetches from.
const asHolder = "TALLY_TEST_AS_HOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(asHolder); dir != "" {
		if err := Hold(context.Background(), dir, os.Getenv(asHolder+"_LISTEN"), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func testHolder(ctx context.Context, dir, listen string) (*exec.Cmd, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, exe)
	c.Env = append(os.Environ(), asHolder+"="+dir, asHolder+"_LISTEN="+listen)
	return c, nil
}

// The file's size may be given for a measurement by hand, in MiB.
func storageConfig(t *testing.T) StorageConfig {
	c := StorageConfig{Dir: t.TempDir(), Size: 20 << 20, Shards: 3, Holder: testHolder, Say: func(s string) { t.Log(s) }}
	if n, err := strconv.Atoi(os.Getenv("TALLY_TEST_STORAGE_MIB")); err == nil {
		c.Size, c.Shards = int64(n)<<20, 1024
	}
	return c
}

func TestStorageIsMeasuredAndNothingStays(t *testing.T) {
	c := storageConfig(t)
	r, err := BenchStorage(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", r)
	if r.Size != c.Size || r.Import <= 0 || r.Cat <= 0 || r.Fetch.TCP <= 0 || r.Fetch.QUIC <= 0 || r.Root <= 0 || r.Proof <= 0 || r.FreedIn <= 0 {
		t.Errorf("something was not measured: %+v", r)
	}
	if runtime.GOOS == "linux" && r.Idle <= 0 {
		t.Errorf("memory was not measured: %+v", r)
	}
	if es, err := os.ReadDir(c.Dir); err != nil || len(es) > 0 {
		t.Error("left behind:", es, err)
	}
}

func TestStorageThatCannotBeMeasuredIsRefused(t *testing.T) {
	for _, change := range []func(*StorageConfig){
		func(c *StorageConfig) { c.Size = 1 },
		func(c *StorageConfig) { c.Size = 2 << 30 },
		func(c *StorageConfig) { c.Shards = -1 },
		func(c *StorageConfig) { c.Holder = nil },
	} {
		c := storageConfig(t)
		change(&c)
		if _, err := BenchStorage(t.Context(), c); !errors.Is(err, ErrBench) {
			t.Error(err)
		}
	}
}

func TestHolderThatFailsIsSaid(t *testing.T) {
	c := storageConfig(t)
	c.Holder = func(ctx context.Context, _, _ string) (*exec.Cmd, error) {
		return testHolder(ctx, os.DevNull+"/none", "/ip4/127.0.0.1/tcp/0")
	}
	if _, err := BenchStorage(t.Context(), c); err == nil {
		t.Fatal("a measurement without its other process")
	}
	if es, err := os.ReadDir(c.Dir); err != nil || len(es) > 0 {
		t.Error("left behind:", es, err)
	}
}
