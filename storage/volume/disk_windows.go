package volume

import (
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// freeBytes returns what the user can still write, within the system's own quota.
func freeBytes(dir string) (uint64, error) {
	p, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(p, &free, nil, nil); err != nil {
		return 0, &os.PathError{Op: "GetDiskFreeSpaceEx", Path: dir, Err: err}
	}
	return free, nil
}

// Allocated returns what a file takes.
func Allocated(info fs.FileInfo) uint64 { return uint64(info.Size()) }

// syncDir does nothing: the system has no fsync of a directory.
func syncDir(string) error { return nil }
