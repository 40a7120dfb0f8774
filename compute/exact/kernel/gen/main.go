// Command gen writes the AVX2 kernels of package kernel: go generate ./compute/exact/kernel.
//
// Every kernel keeps contract DK-1: VMULPS and VADDPS, never a fused multiply-add; lanes
// across outputs; VZEROUPPER at the end.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	tile("tileAVX2", 4)
	rows("rowAVX2", 4)
	rows("panelAVX2", 1)
	Generate()
}

// tile computes rows×16 outputs: c = (c +) a·b, a in groups of rows, b in groups of 16.
func tile(name string, rows int) {
	TEXT(name, NOSPLIT, "func(a, b, c *float32, k, ldc, add int)")
	Doc(name + " computes a tile of 4 rows and 16 columns: see set.tile.")
	a, b, c := Load(Param("a"), GP64()), Load(Param("b"), GP64()), Load(Param("c"), GP64())
	k, ldc, add := Load(Param("k"), GP64()), Load(Param("ldc"), GP64()), Load(Param("add"), GP64())
	acc := make([][2]VecVirtual, rows)
	for i := range acc {
		for j := range acc[i] {
			acc[i][j] = YMM()
			VXORPS(acc[i][j], acc[i][j], acc[i][j])
		}
	}
	b0, b1, x, t0, t1 := YMM(), YMM(), YMM(), YMM(), YMM()
	step := func(n int) {
		VMOVUPS(Mem{Base: b, Disp: 64 * n}, b0)
		VMOVUPS(Mem{Base: b, Disp: 64*n + 32}, b1)
		for i := range rows {
			VBROADCASTSS(Mem{Base: a, Disp: 4 * (rows*n + i)}, x)
			VMULPS(b0, x, t0)
			VMULPS(b1, x, t1)
			VADDPS(t0, acc[i][0], acc[i][0])
			VADDPS(t1, acc[i][1], acc[i][1])
		}
	}
	Label("pairs")
	CMPQ(k, Imm(2))
	JLT(LabelRef("last"))
	step(0)
	step(1)
	ADDQ(Imm(uint64(8*rows)), a)
	ADDQ(Imm(128), b)
	SUBQ(Imm(2), k)
	JMP(LabelRef("pairs"))
	Label("last")
	TESTQ(k, k)
	JZ(LabelRef("store"))
	step(0)
	Label("store")
	SHLQ(Imm(2), ldc)
	TESTQ(add, add)
	JZ(LabelRef("overwrite"))
	for i := range rows {
		for j := range 2 {
			VADDPS(Mem{Base: c, Disp: 32 * j}, acc[i][j], acc[i][j])
			VMOVUPS(acc[i][j], Mem{Base: c, Disp: 32 * j})
		}
		ADDQ(ldc, c)
	}
	VZEROUPPER()
	RET()
	Label("overwrite")
	for i := range rows {
		for j := range 2 {
			VMOVUPS(acc[i][j], Mem{Base: c, Disp: 32 * j})
		}
		ADDQ(ldc, c)
	}
	VZEROUPPER()
	RET()
}

// rows computes one row of 16 outputs for each of the panels.
func rows(name string, panels int) {
	if panels > 1 {
		TEXT(name, NOSPLIT, "func(a, b, c *float32, k, stride, add int)")
		Doc(name + " computes one row of 4 panels, stride values apart: see set.row.")
	} else {
		TEXT(name, NOSPLIT, "func(a, b, c *float32, k, add int)")
		Doc(name + " computes one row of one panel: see set.row.")
	}
	a, c := Load(Param("a"), GP64()), Load(Param("c"), GP64())
	k, add := Load(Param("k"), GP64()), Load(Param("add"), GP64())
	b := []Register{Load(Param("b"), GP64())}
	if panels > 1 {
		stride := Load(Param("stride"), GP64())
		SHLQ(Imm(2), stride)
		for i := 1; i < panels; i++ {
			r := GP64()
			MOVQ(b[i-1], r)
			ADDQ(stride, r)
			b = append(b, r)
		}
	}
	acc := make([]VecVirtual, 2*panels)
	for i := range acc {
		acc[i] = YMM()
		VXORPS(acc[i], acc[i], acc[i])
	}
	x, t0, t1 := YMM(), YMM(), YMM()
	Label("next")
	TESTQ(k, k)
	JZ(LabelRef("done"))
	VBROADCASTSS(Mem{Base: a}, x)
	for i := range b {
		VMULPS(Mem{Base: b[i]}, x, t0)
		VMULPS(Mem{Base: b[i], Disp: 32}, x, t1)
		VADDPS(t0, acc[2*i], acc[2*i])
		VADDPS(t1, acc[2*i+1], acc[2*i+1])
		ADDQ(Imm(64), b[i])
	}
	ADDQ(Imm(4), a)
	DECQ(k)
	JMP(LabelRef("next"))
	Label("done")
	TESTQ(add, add)
	JZ(LabelRef("put"))
	for i := range acc {
		VADDPS(Mem{Base: c, Disp: 32 * i}, acc[i], acc[i])
	}
	Label("put")
	for i := range acc {
		VMOVUPS(acc[i], Mem{Base: c, Disp: 32 * i})
	}
	VZEROUPPER()
	RET()
}
