//go:build linux || darwin

package kv

import (
	"errors"
	"os"
	"syscall"
)

// inUse says whether a process holds the directory, by the lock that the engine
// takes: what it writes at that moment must not be taken for damage.
func inUse(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}
