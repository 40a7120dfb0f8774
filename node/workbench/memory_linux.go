package workbench

import (
	"bufio"
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// startPeak begins to note the most resident memory of this process, and returns
// what is resident now; 0 where the system does not let us.
func startPeak() int64 {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return 0
	}
	return rss()
}

// peak returns the most since startPeak.
func peak() int64 { return status("VmHWM") }

// private returns what of the resident memory is no page of a file.
func private() int64 { return status("RssAnon") }

// status returns an amount of memory that the kernel says of this process.
func status(name string) int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		var kib int64
		if _, err := fmt.Sscanf(lines.Text(), name+": %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}

// freeBytes returns what of the disk under dir is free.
func freeBytes(dir string) int64 {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0
	}
	return int64(s.Bfree) * s.Bsize
}
