//go:build linux || darwin

package volume

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// freeBytes returns what a user without privileges can still write.
func freeBytes(dir string) (uint64, error) {
	var st syscall.Statfs_t
	for {
		err := syscall.Statfs(dir, &st)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
		}
		return st.Bavail * uint64(st.Bsize), nil
	}
}

// Allocated returns what a file takes: the databases make theirs long and sparse.
func Allocated(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Blocks) * 512
	}
	return uint64(info.Size())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
