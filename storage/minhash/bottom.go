package minhash

import (
	"math"
	"slices"
)

// bottom keeps the k least distinct values of a stream. It collects up to 2k and
// then drops the greater half, so a value costs one comparison mostly.
type bottom struct {
	k     int
	bound uint64 // values above it are not among the least
	vals  []uint64
}

func newBottom(k int) bottom {
	return bottom{k: k, bound: math.MaxUint64, vals: make([]uint64, 0, 2*k)}
}

func (b *bottom) add(x uint64) {
	if x > b.bound {
		return
	}
	if b.vals = append(b.vals, x); len(b.vals) == 2*b.k {
		b.settle()
	}
}

func (b *bottom) settle() {
	slices.Sort(b.vals)
	b.vals = slices.Compact(b.vals)
	if len(b.vals) >= b.k {
		b.vals = b.vals[:b.k]
		b.bound = b.vals[b.k-1]
	}
}

// least are the values in rising order.
func (b *bottom) least() []uint64 {
	b.settle()
	return slices.Clone(b.vals)
}

// distinct estimates how many distinct values the k least stand for: exactly
// their number below k, else (k-1)/u for the greatest as a fraction u of the
// range, with a relative standard error of 1/sqrt(k-2).
func distinct(least []uint64, k int) float64 {
	if len(least) < k {
		return float64(len(least))
	}
	u := (float64(least[k-1]) + 1) / math.Pow(2, 64)
	return float64(k-1) / u
}

// share estimates which part of the distinct values behind a is also behind b,
// and the standard error. The values below both sketches' ends are an even
// sample of the union.
func share(a, b []uint64, k int) (part, deviation float64) {
	end := uint64(math.MaxUint64)
	for _, s := range [][]uint64{a, b} {
		if len(s) >= k {
			end = min(end, s[k-1])
		}
	}
	n, both := 0, 0
	for i, j := 0, 0; i < len(a) && a[i] <= end; i++ {
		n++
		for j < len(b) && b[j] < a[i] {
			j++
		}
		if j < len(b) && b[j] == a[i] {
			both++
		}
	}
	if n == 0 {
		return 0, 1 // nothing is known
	}
	part = float64(both) / float64(n)
	if len(a) < k && len(b) < k {
		return part, 0 // both sketches hold everything
	}
	// Wilson's interval of one deviation: it does not shrink to nothing where
	// all or none of the sample agrees.
	m := float64(n)
	return part, math.Sqrt(part*(1-part)/m+1/(4*m*m)) / (1 + 1/m)
}
