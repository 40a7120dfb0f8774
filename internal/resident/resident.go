// Package resident gives memory back that only the start of a program needed.
//
// A start touches much of a large program once: the tables of every package that it
// links, and the code that fills them. The system reads a file ahead of what is asked for and
// maps the pages around it, so that soon most of the program is resident, and stays so
// while nothing presses. Trim does once what pressure would do: the garbage collector
// returns what it keeps free, and the pages of the program's file that nobody wrote to
// are unmapped. They stay in the system's cache. What is used again is mapped
// again, by a fault that reads no disk as long as the cache has it.
//
// So Trim changes what the process is said to hold, and what the system takes first
// when it needs memory; it frees no page of the cache. Heap that is in use, stacks, and
// everything that was ever written to are left alone, and so is every other file.
package resident

import "runtime/debug"

// Trim gives back what it can and returns how many bytes of the program's file were
// resident just before. An error says what it did not do; nothing is worse for it. It
// takes milliseconds, runs a garbage collection, and may run beside anything.
func Trim() (program int64, err error) {
	debug.FreeOSMemory()
	return trimProgram()
}
