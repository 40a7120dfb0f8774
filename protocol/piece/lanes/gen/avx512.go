package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

var zmm = [32]VecPhysical{
	Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
	Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31,
}

// Truth tables of VPTERNLOGD; its operands are the destination A, B, C in the manual's order.
const (
	xor3     = 0x96
	choose   = 0xca // A ? B : C
	majority = 0xe8
	blend    = 0xd8 // C ? B : A
)

func avx512() {
	k := constants("k512")
	kernel("hash16", "16", load512, pad512, func(job Register) { compress512(job, k) })
}

func state512(job Register, i int) Mem { return Mem{Base: job, Disp: offState + 64*i} }

// load512 fills Z0 to Z15 with the next sixteen words of each message.
func load512(job Register) {
	rows := zmm[:16]
	VBROADCASTI32X4(Mem{Base: job, Disp: offShuffle}, Z31)
	for l, z := range rows {
		VMOVDQU32(next(l, 0), z)
		VPSHUFB(Z31, z, z)
	}
	// Words, then pairs of words, within each 16 bytes; then the 16 bytes.
	free := append([]VecPhysical(nil), zmm[16:31]...)
	take := func() VecPhysical { z := free[0]; free = free[1:]; return z }
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
	even := func(b, a, dst VecPhysical) { VSHUFI32X4(U8(0x88), b, a, dst) }
	odd := func(b, a, dst VecPhysical) { VSHUFI32X4(U8(0xdd), b, a, dst) }
	var u [4][4]VecPhysical // u[g][k]: words k, 4+k, 8+k, 12+k of rows 4g to 4g+3
	for g := range 4 {
		t0, t1 := two(dq, hdq, rows[4*g], rows[4*g+1])
		t2, t3 := two(dq, hdq, rows[4*g+2], rows[4*g+3])
		u[g][0], u[g][1] = two(qdq, hqdq, t0, t2)
		u[g][2], u[g][3] = two(qdq, hqdq, t1, t3)
	}
	var w [16]VecPhysical
	for k := range 4 {
		v0, v1 := two(even, odd, u[0][k], u[1][k])
		v2, v3 := two(even, odd, u[2][k], u[3][k])
		w[k], w[8+k] = two(even, odd, v0, v2)
		w[4+k], w[12+k] = two(even, odd, v1, v3)
	}
	// To their places, by cycles through a register that is free.
	at := map[VecPhysical]int{}
	for i, z := range w {
		at[z] = i
	}
	spare := free[len(free)-1]
	for i := range w {
		if w[i] == zmm[i] {
			continue
		}
		if other, ok := at[zmm[i]]; ok {
			VMOVDQA32(zmm[i], spare)
			at[spare], w[other] = other, spare
			delete(at, zmm[i])
			old := w[i]
			VMOVDQA32(old, zmm[i])
			delete(at, old)
			spare = old
		} else {
			VMOVDQA32(w[i], zmm[i])
			delete(at, w[i])
			spare = w[i]
		}
		w[i] = zmm[i]
		at[zmm[i]] = i
	}
	// What a message is shifted by comes from the word before.
	carry := Mem{Base: job, Disp: offCarry}
	VMOVDQU32(carry, Z30)
	VMOVDQU32(Z15, carry)
	VPBROADCASTD(Mem{Base: job, Disp: offMask}, Z31)
	for i := 15; i > 0; i-- {
		VPTERNLOGD(U8(blend), Z31, zmm[i-1], zmm[i])
	}
	VPTERNLOGD(U8(blend), Z31, Z30, Z0)
}

// pad512 fills them with the last block: a byte at most, the mark of the end, the length.
func pad512(job Register) {
	VMOVDQU32(Mem{Base: job, Disp: offCarry}, Z0)
	VPANDD_BCST(Mem{Base: job, Disp: offMask}, Z0, Z0)
	VPORD_BCST(Mem{Base: job, Disp: offPad}, Z0, Z0)
	for i := 1; i < 15; i++ {
		VPXORD(zmm[i], zmm[i], zmm[i])
	}
	VPBROADCASTD(Mem{Base: job, Disp: offBits}, Z15)
}

func compress512(job Register, k Mem) {
	w, s := zmm[:16], append([]VecPhysical(nil), zmm[16:24]...)
	for i, z := range s {
		VMOVDQU32(state512(job, i), z)
	}
	for t := range 64 {
		if t >= 16 {
			x, y := w[(t+1)%16], w[(t+14)%16]
			VPRORD(U8(7), x, Z24)
			VPRORD(U8(18), x, Z25)
			VPSRLD(U8(3), x, Z26)
			VPTERNLOGD(U8(xor3), Z26, Z25, Z24)
			VPRORD(U8(17), y, Z27)
			VPRORD(U8(19), y, Z28)
			VPSRLD(U8(10), y, Z29)
			VPTERNLOGD(U8(xor3), Z29, Z28, Z27)
			VPADDD(w[(t+9)%16], w[t%16], w[t%16])
			VPADDD(Z27, Z24, Z24)
			VPADDD(Z24, w[t%16], w[t%16])
		}
		a, b, c, d, e, f, g, h := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
		VPADDD_BCST(k.Offset(4*t), w[t%16], Z30)
		VPADDD(Z30, h, h)
		VPRORD(U8(6), e, Z24)
		VPRORD(U8(11), e, Z25)
		VPRORD(U8(25), e, Z26)
		VPTERNLOGD(U8(xor3), Z26, Z25, Z24)
		VMOVDQA32(e, Z27)
		VPTERNLOGD(U8(choose), g, f, Z27)
		VPADDD(Z27, h, h)
		VPADDD(Z24, h, h)
		VPADDD(h, d, d)
		VPRORD(U8(2), a, Z24)
		VPRORD(U8(13), a, Z25)
		VPRORD(U8(22), a, Z26)
		VPTERNLOGD(U8(xor3), Z26, Z25, Z24)
		VMOVDQA32(a, Z28)
		VPTERNLOGD(U8(majority), c, b, Z28)
		VPADDD(Z28, h, h)
		VPADDD(Z24, h, h)
		s = []VecPhysical{h, a, b, c, d, e, f, g}
	}
	for i, z := range s {
		VPADDD(state512(job, i), z, z)
		VMOVDQU32(z, state512(job, i))
	}
}
