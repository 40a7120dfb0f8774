//go:build unix

package storage

import (
	"bytes"
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
)

// TestOthersWriteWhileAWaitingShardIsRead reads the shard through a pipe, which the test
// holds open as long as it wants.
func TestOthersWriteWhileAWaitingShardIsRead(t *testing.T) {
	s, err := Open(Config{Dir: t.TempDir(), Floor: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	sh, err := s.ImportFile(t.Context(), bytes.NewReader(make([]byte, 3<<20)))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.forget(s.record(sh.Root)); err != nil {
		t.Fatal(err)
	}
	s.waiting[sh.Root] = int64(sh.Size)
	path := s.path(sh.Root)
	if err := errors.Join(os.Rename(path, path+".real"), syscall.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}

	type answer struct {
		more bool
		err  error
	}
	adopted := make(chan answer, 1)
	go func() {
		more, err := s.adoptWaiting(t.Context())
		adopted <- answer{more, err}
	}()
	w, err := os.OpenFile(path, os.O_WRONLY, 0) // waits for the one who reads
	if err != nil {
		t.Fatal(err)
	}
	// It is read now, and would be for as long as nothing comes.
	c, err := s.PutNode(t.Context(), []byte{0x01})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Pin(t.Context(), c, PinInfo{Why: "meanwhile"}); err != nil {
		t.Fatal(err)
	}
	// What is judged is not what was read: the real file took its place.
	if err := os.Rename(path+".real", path); err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString("no shard"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if a := <-adopted; !a.more || a.err != nil || s.record(sh.Root) != nil || s.waiting[sh.Root] == 0 || s.aside[sh.Root] != "" {
		t.Fatal("judged by another file", a, s.aside)
	}

	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.adoptWaiting(over); !errors.Is(err, context.Canceled) || s.waiting[sh.Root] == 0 {
		t.Fatal("a shard does not wait on for the next try:", err)
	}
	if more, err := s.adoptWaiting(t.Context()); !more || err != nil {
		t.Fatal(more, err)
	}
	if r := s.record(sh.Root); r == nil || r.shard() != sh || len(s.waiting) != 0 {
		t.Fatal("not indexed", r)
	}
	if err := s.Verify(t.Context(), sh.Root); err != nil {
		t.Fatal(err)
	}
	if more, err := s.adoptWaiting(t.Context()); more || err != nil {
		t.Fatal(more, err)
	}
}
