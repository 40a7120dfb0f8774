package storage

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
)

func TestTroubleWithTheDiskIsNamed(t *testing.T) {
	for err, want := range map[error]error{
		syscall.ENOSPC: ErrDiskFull,
		syscall.EDQUOT: ErrDiskFull,
		syscall.EIO:    ErrDisk,
		syscall.EROFS:  ErrDisk,
	} {
		got := fail("write shard", &os.PathError{Op: "write", Path: "x", Err: err})
		if !errors.Is(got, want) || !errors.Is(got, err) {
			t.Errorf("%v: %v", err, got)
		}
	}
}

func TestScrubReadsNoFasterThanItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		p := &paced{t.Context(), bytes.NewReader(make([]byte, 4<<20)), rate.NewLimiter(1<<20, scrubBurst)}
		if n, err := io.Copy(io.Discard, p); n != 4<<20 || err != nil {
			t.Fatal(n, err)
		}
		if took := time.Since(begin); took < 3500*time.Millisecond || took > 5*time.Second {
			t.Fatal(took)
		}
	})
}
