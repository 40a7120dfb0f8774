//go:build !purego

package lanes

//go:generate go -C gen run . -set avx512 -out ../avx512_amd64.s -stubs ../avx512_amd64.go -pkg lanes
//go:generate go -C gen run . -set avx2 -out ../avx2_amd64.s -stubs ../avx2_amd64.go -pkg lanes

import "golang.org/x/sys/cpu"

// choose returns the fastest way that this processor has.
func choose() set {
	all := sets()
	return all[len(all)-1]
}

// hasSHA is the bit of CPUID leaf 7, EBX, that says that there are SHA instructions.
const hasSHA = 1 << 29

// sets returns what this processor can run, the fastest last.
func sets() []set {
	s := []set{{width: 1}}
	if !cpu.X86.HasAVX2 {
		return s
	}
	narrow := set{width: 8, least: 4, run: hash8}
	if leaf7()&hasSHA != 0 {
		// One after the other is as fast for long messages, and for few.
		narrow.least, narrow.short = 8, true
	}
	s = append(s, narrow)
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL {
		s = append(s, set{width: 16, least: 7, run: hash16})
	}
	return s
}
