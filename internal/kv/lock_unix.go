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
	release, err := lock(dir)
	if err == nil {
		release()
	}
	return errors.Is(err, syscall.EWOULDBLOCK)
}

// hold takes the engine's lock of a directory until release.
func hold(dir string) (release func(), ok bool) {
	release, err := lock(dir)
	return release, err == nil
}

func lock(dir string) (release func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}
