package kernel

//go:generate go -C gen run . -out ../avx2_amd64.s -stubs ../avx2_amd64.go -pkg kernel

import (
	"os"

	"golang.org/x/sys/cpu"
)

// chooseSet returns the fastest kernels of this processor. TALLY_SIMD=off in the
// environment chooses plain Go; it changes nothing but speed.
func chooseSet() set {
	if cpu.X86.HasAVX2 && os.Getenv("TALLY_SIMD") != "off" {
		return avx2Set()
	}
	return goSet()
}

func avx2Set() set {
	return set{name: "avx2", mr: 4, nr: 16, small: 1 << 18, tile: avx2Tile, row: avx2Row}
}

func avx2Tile(a, b, c []float32, ldc int, add bool) {
	k := len(a) / 4
	_, _, _ = a[4*k-1], b[16*k-1], c[3*ldc+15]
	tileAVX2(&a[0], &b[0], &c[0], k, ldc, flag(add))
}

func avx2Row(a, b, c []float32, stride, panels int, add bool) {
	k := len(a)
	_, _ = b[(panels-1)*stride+16*k-1], c[16*panels-1]
	i := 0
	for ; i+4 <= panels; i += 4 {
		rowAVX2(&a[0], &b[i*stride], &c[16*i], k, stride, flag(add))
	}
	for ; i < panels; i++ {
		panelAVX2(&a[0], &b[i*stride], &c[16*i], k, flag(add))
	}
}

func flag(v bool) int {
	if v {
		return 1
	}
	return 0
}
