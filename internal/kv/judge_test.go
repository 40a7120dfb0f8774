package kv

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// noise over one kind of a database's files.
func spoil(t *testing.T, dir, pattern string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(names) == 0 {
		t.Fatal(pattern, names, err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range b[:min(len(b), 4096)] {
			b[i] ^= byte(i*37 + 11)
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDamageOfEveryKindOfFileIsSaidToBeDamage(t *testing.T) {
	for _, pattern := range []string{"MANIFEST", "KEYREGISTRY", "*.sst"} {
		dir := filled(t)
		spoil(t, dir, pattern)
		if err := readAll(dir); !errors.Is(err, ErrBroken) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

func TestAnotherEnginesVersionIsNoDamage(t *testing.T) {
	dir := filled(t)
	f, err := os.OpenFile(filepath.Join(dir, "MANIFEST"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{0, 99}, 6); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := readAll(dir); err == nil || errors.Is(err, ErrBroken) || !strings.Contains(err.Error(), "another version") {
		t.Fatal(err)
	}
}

func TestWhatTheSystemRefusesIsNoDamage(t *testing.T) {
	for _, no := range []syscall.Errno{
		syscall.EACCES, syscall.EPERM, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EIO, syscall.EINVAL, syscall.EROFS,
	} {
		for _, err := range []error{
			&fs.PathError{Op: "open", Path: "x", Err: no},
			errors.New("while opening memtables err: " + (&fs.PathError{Op: "open", Path: "x", Err: no}).Error()), // as the engine says it
		} {
			if got := judge("meta", err); errors.Is(got, ErrBroken) || !strings.Contains(got.Error(), no.Error()) {
				t.Errorf("%v: %v", err, got)
			}
		}
	}
	for _, err := range []error{
		&fs.PathError{Op: "open", Path: "000001.sst", Err: syscall.ENOENT},
		errors.New("manifest has checksum mismatch"),
	} {
		if got := judge("meta", err); !errors.Is(got, ErrBroken) {
			t.Errorf("%v: %v", err, got)
		}
	}
}
