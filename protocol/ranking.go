package protocol

import (
	"encoding/binary"
	"math/bits"
	"sort"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Candidate is an account that could take a job, with its registered weight.
type Candidate struct {
	Worker common.Address
	Weight uint64 // 1,000,000 is one; zero is not eligible
}

// Rank orders candidates for an offer by −ln(u)/w ascending, u uniform in (0,1]
// from keccak256(beacon ‖ offer ‖ worker): the weighted order of Efraimidis and
// Spirakis, so a worker is first with probability w over the sum of weights. The
// arithmetic is fixed-point and the same everywhere; ties fall by address.
func Rank(beacon, offer common.Hash, candidates []Candidate) []common.Address {
	type entry struct {
		worker       common.Address
		cost, weight uint64
	}
	es := make([]entry, 0, len(candidates))
	for _, c := range candidates {
		if c.Weight == 0 {
			continue
		}
		h := crypto.Keccak256(beacon[:], offer[:], c.Worker[:])
		es = append(es, entry{c.Worker, negLog2(binary.BigEndian.Uint64(h)), c.Weight})
	}
	sort.Slice(es, func(i, j int) bool {
		a, b := es[i], es[j]
		ah, al := bits.Mul64(a.cost, b.weight) // a.cost/a.weight < b.cost/b.weight, crosswise
		bh, bl := bits.Mul64(b.cost, a.weight)
		if ah != bh {
			return ah < bh
		}
		if al != bl {
			return al < bl
		}
		return a.worker.Cmp(b.worker) < 0
	})
	out := make([]common.Address, len(es))
	for i, e := range es {
		out[i] = e.worker
	}
	return out
}

// negLog2 is −log2((x+1)/2^64) with 48 fractional bits, rounded up from a binary
// logarithm truncated bit by bit. Base 2 orders as base e does.
func negLog2(x uint64) uint64 {
	if x == 1<<64-1 {
		return 0
	}
	x++
	whole := uint64(bits.Len64(x) - 1)
	m := x << (63 - whole) // mantissa in [1,2) with 63 fractional bits
	var frac uint64
	for range 48 {
		hi, lo := bits.Mul64(m, m) // [1,4) with 126 fractional bits
		frac <<= 1
		if hi>>63 == 1 {
			frac |= 1
			m = hi
		} else {
			m = hi<<1 | lo>>63
		}
	}
	return 64<<48 - (whole<<48 | frac)
}
