// Command gen writes the vector code of package lanes: go generate ./protocol/piece/lanes.
//
// One register holds the same word of 16 or 8 messages. The kernels are written for the
// fixed registers that SHA-256 fits into: with AVX-512 all sixteen words of the schedule
// stay in registers, with AVX2 they lie in the job.
package main

import (
	"flag"
	"log"
	"math"
	"math/big"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The layout of job.work in package lanes, in bytes.
const (
	offShuffle = 0
	offMask    = offShuffle + 16
	offPad     = offMask + 4
	offBits    = offPad + 4
	offState   = offBits + 4 + 4
	offCarry   = offState + 8*64
	offWords   = offCarry + 64
)

func main() {
	set := flag.String("set", "avx512", "avx512 or avx2")
	flag.Parse()
	switch *set {
	case "avx512":
		avx512()
	case "avx2":
		avx2()
	default:
		log.Fatalf("no set %q", *set)
	}
	Generate()
}

// constants writes the 64 constants of SHA-256: the first 32 bits of the fractional parts of the
// cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
func constants(name string) Mem {
	k := GLOBL(name, RODATA|NOPTR)
	for i, p := 0, int64(2); i < 64; p++ {
		if !big.NewInt(p).ProbablyPrime(0) {
			continue
		}
		// floor(cbrt(p) * 2^32) = floor(cbrt(p * 2^96))
		n := new(big.Int).Lsh(big.NewInt(p), 96)
		r := big.NewInt(int64(math.Cbrt(float64(p)) * (1 << 32)))
		for cube(r).Cmp(n) > 0 {
			r.Sub(r, big.NewInt(1))
		}
		for next := new(big.Int).Add(r, big.NewInt(1)); cube(next).Cmp(n) <= 0; next.Add(next, big.NewInt(1)) {
			r.Set(next)
		}
		DATA(4*i, U32(uint32(r.Uint64())))
		i++
	}
	return k
}

func cube(x *big.Int) *big.Int { return new(big.Int).Exp(x, big.NewInt(3), nil) }

// kernel is what the two sets of instructions share: the loop over the blocks of a job, the last of
// which is padding.
func kernel(name, lanes string, load, pad, compress func(w Register)) {
	TEXT(name, NOSPLIT, "func(src **byte, blocks int, work *uint32)")
	Pragma("noescape")
	Doc(name + " hashes the " + lanes + " messages of a job: see job.")
	Load(Param("src"), RSI)
	Load(Param("blocks"), RCX)
	Load(Param("work"), RDI)
	XORQ(RBX, RBX)
	Label("block")
	TESTQ(RCX, RCX)
	JZ(LabelRef("last"))
	load(RDI)
	ADDQ(U32(64), RBX)
	JMP(LabelRef("compress"))
	Label("last")
	pad(RDI)
	Label("compress")
	compress(RDI)
	DECQ(RCX)
	JNS(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// next points at what comes next of message l.
func next(l, disp int) Mem {
	MOVQ(Mem{Base: RSI, Disp: 8 * l}, RAX)
	return Mem{Base: RAX, Index: RBX, Scale: 1, Disp: disp}
}
