package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

var ymm = [16]VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}

func avx2() {
	k := constants("k256")
	kernel("hash8", "first 8", load256, pad256, func(job Register) { compress256(job, k) })
	leaf7()
}

func state256(job Register, i int) Mem { return Mem{Base: job, Disp: offState + 64*i} }
func word256(job Register, i int) Mem  { return Mem{Base: job, Disp: offWords + 64*(i%16)} }

// load256 fills the words of the job with the next sixteen of each message.
func load256(job Register) {
	for half := range 2 {
		rows := ymm[:8]
		VBROADCASTI128(Mem{Base: job, Disp: offShuffle}, Y15)
		for l, y := range rows {
			VMOVDQU(next(l, 32*half), y)
			VPSHUFB(Y15, y, y)
		}
		free := append([]VecPhysical(nil), ymm[8:16]...)
		take := func() VecPhysical { y := free[0]; free = free[1:]; return y }
		two := func(low, high func(b, a, dst VecPhysical), a, b VecPhysical) (l, h VecPhysical) {
			l, h = take(), take()
			low(b, a, l)
			high(b, a, h)
			free = append(free, a, b)
			return l, h
		}
		dq := func(b, a, dst VecPhysical) { VPUNPCKLDQ(b, a, dst) }
		hdq := func(b, a, dst VecPhysical) { VPUNPCKHDQ(b, a, dst) }
		qdq := func(b, a, dst VecPhysical) { VPUNPCKLQDQ(b, a, dst) }
		hqdq := func(b, a, dst VecPhysical) { VPUNPCKHQDQ(b, a, dst) }
		low := func(b, a, dst VecPhysical) { VPERM2I128(U8(0x20), b, a, dst) }
		high := func(b, a, dst VecPhysical) { VPERM2I128(U8(0x31), b, a, dst) }
		var u [2][4]VecPhysical // u[g][k]: words k and 4+k of rows 4g to 4g+3
		for g := range 2 {
			t0, t1 := two(dq, hdq, rows[4*g], rows[4*g+1])
			t2, t3 := two(dq, hdq, rows[4*g+2], rows[4*g+3])
			u[g][0], u[g][1] = two(qdq, hqdq, t0, t2)
			u[g][2], u[g][3] = two(qdq, hqdq, t1, t3)
		}
		for k := range 4 {
			a, b := two(low, high, u[0][k], u[1][k])
			VMOVDQU(a, word256(job, 8*half+k))
			VMOVDQU(b, word256(job, 8*half+4+k))
		}
	}
	// What a message is shifted by comes from the word before.
	carry := Mem{Base: job, Disp: offCarry}
	VMOVDQU(carry, Y0)
	VPBROADCASTD(Mem{Base: job, Disp: offMask}, Y15)
	for i := range 16 {
		y, before := ymm[(i+1)%2], ymm[i%2]
		VMOVDQU(word256(job, i), y)
		VPXOR(y, before, before)
		VPAND(Y15, before, before)
		VPXOR(y, before, before)
		VMOVDQU(before, word256(job, i))
	}
	VMOVDQU(Y0, carry)
}

// pad256 fills them with the last block.
func pad256(job Register) {
	VPBROADCASTD(Mem{Base: job, Disp: offMask}, Y0)
	VPAND(Mem{Base: job, Disp: offCarry}, Y0, Y0)
	VPBROADCASTD(Mem{Base: job, Disp: offPad}, Y1)
	VPOR(Y0, Y1, Y0)
	VMOVDQU(Y0, word256(job, 0))
	VPXOR(Y1, Y1, Y1)
	for i := 1; i < 15; i++ {
		VMOVDQU(Y1, word256(job, i))
	}
	VPBROADCASTD(Mem{Base: job, Disp: offBits}, Y0)
	VMOVDQU(Y0, word256(job, 15))
}

// rotate adds x, rotated right by n bits, to sum by exclusive or.
func rotate(n uint8, x, sum, t1, t2 VecPhysical) {
	VPSRLD(U8(n), x, t1)
	VPSLLD(U8(32-n), x, t2)
	VPXOR(t1, sum, sum)
	VPXOR(t2, sum, sum)
}

// rotated sets sum to x rotated right by n bits.
func rotated(n uint8, x, sum, t VecPhysical) {
	VPSRLD(U8(n), x, sum)
	VPSLLD(U8(32-n), x, t)
	VPXOR(t, sum, sum)
}

func compress256(job Register, k Mem) {
	s := append([]VecPhysical(nil), ymm[:8]...)
	for i, y := range s {
		VMOVDQU(state256(job, i), y)
	}
	// both is b ^ c, as a ^ b was the round before: majority is b ^ ((a ^ b) & (b ^ c)).
	both, other := Y14, Y15
	VPXOR(s[1], s[2], both)
	for t := range 64 {
		a, b, d, e, f, g, h := s[0], s[1], s[3], s[4], s[5], s[6], s[7]
		w := Y8
		VMOVDQU(word256(job, t), w)
		if t >= 16 {
			VPADDD(word256(job, t+9), w, w)
			VMOVDQU(word256(job, t+1), Y9)
			rotated(7, Y9, Y10, Y11)
			rotate(18, Y9, Y10, Y11, Y12)
			VPSRLD(U8(3), Y9, Y9)
			VPXOR(Y9, Y10, Y10)
			VPADDD(Y10, w, w)
			VMOVDQU(word256(job, t+14), Y9)
			rotated(17, Y9, Y10, Y11)
			rotate(19, Y9, Y10, Y11, Y12)
			VPSRLD(U8(10), Y9, Y9)
			VPXOR(Y9, Y10, Y10)
			VPADDD(Y10, w, w)
			VMOVDQU(w, word256(job, t))
		}
		VPBROADCASTD(k.Offset(4*t), Y9)
		VPADDD(Y9, w, w)
		VPADDD(w, h, h)
		rotated(6, e, Y10, Y11)
		rotate(11, e, Y10, Y11, Y12)
		rotate(25, e, Y10, Y11, Y12)
		VPXOR(f, g, Y13)
		VPAND(e, Y13, Y13)
		VPXOR(g, Y13, Y13)
		VPADDD(Y13, h, h)
		VPADDD(Y10, h, h)
		VPADDD(h, d, d)
		rotated(2, a, Y10, Y11)
		rotate(13, a, Y10, Y11, Y12)
		rotate(22, a, Y10, Y11, Y12)
		VPXOR(a, b, other)
		VPAND(other, both, both)
		VPXOR(b, both, both)
		VPADDD(both, h, h)
		VPADDD(Y10, h, h)
		both, other = other, both
		s = []VecPhysical{h, a, b, s[2], d, e, f, g}
	}
	for i, y := range s {
		VPADDD(state256(job, i), y, y)
		VMOVDQU(y, state256(job, i))
	}
}

// leaf7 asks the processor for its structured extended features: the instruction CPUID, leaf 7, part 0.
func leaf7() {
	TEXT("leaf7", NOSPLIT, "func() (ebx uint32)")
	Doc("leaf7 returns what CPUID leaf 7 says in EBX.")
	MOVL(U32(7), EAX)
	XORL(ECX, ECX)
	CPUID()
	Store(EBX, Return("ebx"))
	RET()
}
