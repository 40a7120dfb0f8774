package kv

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// closedName is the file in which Close notes the digest of the manifest that it left.
const closedName = "CLOSED"

// wasClosed says whether the files of a database are those that Close left, and
// takes its note away, durably, before anything is written. Without a note it is not
// known: a process that died leaves logs, and one of them that is gone leaves no gap.
//
// The manifest names every table that holds anything, and check reads each of them, so
// that no more than the manifest needs to be compared.
func wasClosed(dir string) (bool, error) {
	note := filepath.Join(dir, closedName)
	said, err := os.ReadFile(note)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err := errors.Join(err, os.Remove(note), syncDir(dir)); err != nil {
		return false, fmt.Errorf("kv: open %s: %w", dir, err)
	}
	sum, err := manifestSum(dir)
	return err == nil && bytes.Equal(said, sum), nil
}

// noteClosed is for Close alone, after the engine has flushed. Where it fails, or
// another process is faster, the next Open does not know what it could have known, and
// nothing else is lost.
func noteClosed(dir string) {
	release, ok := hold(dir)
	if !ok {
		return
	}
	defer release()
	if sum, err := manifestSum(dir); err == nil {
		_ = os.WriteFile(filepath.Join(dir, closedName), sum, 0o600)
	}
}

func manifestSum(dir string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(dir, "MANIFEST"))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	return sum[:], nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}
