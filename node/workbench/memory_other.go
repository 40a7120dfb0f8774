//go:build !linux

package workbench

// These are known on Linux only.
func startPeak() int64       { return 0 }
func peak() int64            { return 0 }
func private() int64         { return 0 }
func freeBytes(string) int64 { return 0 }
