package main

import (
	"os"
	"strings"
	"testing"

	"tally/node/workbench"
)

func TestBenchStorageMeasuresWithAnotherProcessAndCleansUp(t *testing.T) {
	dir := t.TempDir()
	r := answer[workbench.StorageReport](t, "bench", "storage", "--dir", dir, "--size", "5000000", "--shards", "2")
	if r.Import <= 0 || r.Cat <= 0 || r.Fetch.TCP <= 0 || r.Fetch.QUIC <= 0 || r.Root <= 0 || r.Proof <= 0 || r.FreedIn <= 0 {
		t.Errorf("something was not measured: %+v", r)
	}
	if es, err := os.ReadDir(dir); err != nil || len(es) > 0 {
		t.Error("left behind:", es, err)
	}
	if _, err := tally(t, "bench", "storage", "--size", "2000000000"); err == nil || !strings.Contains(err.Error(), "want 1048576 to 1072693248") {
		t.Error(err)
	}
	out, err := tally(t, "bench", "storage", "--dir", dir, "--size", "2000000", "--shards", "0")
	if err != nil || !strings.Contains(out, "fetch, QUIC") {
		t.Error(out, err)
	}
}
