package resident

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

const maxMaps = 16 << 20 // of what the system says of all mappings

// trimProgram unmaps the clean pages of the program's file.
func trimProgram() (was int64, err error) {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return 0, fmt.Errorf("resident: %w", err)
	}
	defer func() { _ = f.Close() }()
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return 0, fmt.Errorf("resident: %w", err)
	}
	// All are read before any is trimmed: trimming may map and unmap.
	areas, err := clean(io.LimitReader(f, maxMaps), exe)
	for _, a := range areas {
		was += a.resident
		if e := unmap(a); e != nil {
			err = errors.Join(err, fmt.Errorf("resident: %w", e))
		}
	}
	return was, err
}

// unmap lets go of the pages of an area. The next access maps the file's again.
// The kernel refuses memory that is locked.
func unmap(a area) error {
	_, _, no := unix.Syscall(unix.SYS_MADVISE, a.from, a.to-a.from, unix.MADV_DONTNEED)
	if no != 0 {
		return no
	}
	return nil
}

// area is a mapping, and what of it is resident, in bytes.
type area struct {
	from, to uintptr
	resident int64
}

// clean returns the areas of smaps that map the file named exe, cannot be written to, are
// not shared, and of which no page differs from the file's. A page that was written
// to before it was protected, as the linker's tables are, would be lost: an area that has
// one, in memory or swapped out, is none of these, nor is one of which that is not said.
func clean(smaps io.Reader, exe string) (out []area, err error) {
	var a area
	ours, anonymous, swap := false, false, false // whether it may be, and was said to have none
	end := func() {
		if ours && anonymous && swap {
			out = append(out, a)
		}
		ours, anonymous, swap = false, false, false
	}
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		line := lines.Text()
		if name, value, ok := strings.Cut(line, ": "); ok && !strings.ContainsAny(name, " -") {
			var kib int64
			if n, _ := fmt.Sscanf(value, "%d kB", &kib); n != 1 {
				continue
			}
			switch name {
			case "Rss":
				a.resident = kib << 10
			case "Anonymous":
				anonymous = kib == 0
			case "Swap":
				swap = kib == 0
			}
			continue
		}
		var perms, offset, device, inode string
		var from, to uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x %s %s %s %s", &from, &to, &perms, &offset, &device, &inode); n != 6 {
			continue
		}
		end()
		_, name, _ := strings.Cut(line, " "+inode+" ")
		ours = from < to && (perms == "r--p" || perms == "r-xp") && strings.TrimLeft(name, " ") == exe
		a = area{from: from, to: to}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("resident: %w", err)
	}
	end()
	return out, nil
}
