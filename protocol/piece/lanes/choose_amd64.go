//go:build !purego

package lanes

//go:generate go -C gen run . -set avx512 -out ../avx512_amd64.s -stubs ../avx512_amd64.go -pkg lanes
//go:generate go -C gen run . -set avx2 -out ../avx2_amd64.s -stubs ../avx2_amd64.go -pkg lanes

import "golang.org/x/sys/cpu"

// hasSHA is the bit of CPUID leaf 7, EBX, that says that there are SHA instructions.
const hasSHA = 1 << 29

// sets returns what this processor can run, the fastest last. It asks the processor,
// which is slow inside a virtual machine.
func sets() []set {
	s := []set{{width: 1}}
	if !cpu.X86.HasAVX2 {
		return s
	}
	narrow := set{width: 8, least: 4}
	if leaf7()&hasSHA != 0 {
		// One after the other is as fast for long messages, and for few.
		narrow.least, narrow.short = 8, true
	}
	s = append(s, narrow)
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL {
		s = append(s, set{width: 16, least: 7})
	}
	return s
}

// hash calls the kernel of a width. The calls are direct, so that the compiler sees
// that a job does not escape.
func hash(width int, j *job) {
	if width == 16 {
		hash16(&j.src[0], j.blocks, &j.work[0])
	} else {
		hash8(&j.src[0], j.blocks, &j.work[0])
	}
}
