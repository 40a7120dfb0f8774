//go:build !linux && !darwin

package kv

// inUse is not known here before the engine opens.
func inUse(string) bool { return false }

// hold is not known here either.
func hold(string) (release func(), ok bool) { return nil, false }
