// Package kernel holds the arithmetic of the exact engine: matrix products, row
// reductions, elementary functions and random numbers whose results are the same
// bits on every machine. It implements contract DK-1 (docs/spec/dk-1.md).
//
// The life of a product: the right-hand matrix is packed once into panels ([Packed]),
// then [Runner.Mul] walks its outputs in small tiles. A tile is computed by one of a
// set of inner kernels; which one decides speed and never bits, because each output
// element is one chain of float32 additions in the order of k, in blocks of [BlockK],
// and neither threads, tile shapes nor batch sizes cut that chain.
//
// The contract, in short:
//   - a multiply and an add are two roundings, written float32(a*b) + c: the Go
//     specification lets a compiler fuse x*y + z otherwise;
//   - sums over a matrix dimension follow the block order, sums along a row follow
//     the eight-lane order of [Sum];
//   - exp, log, sin, cos come from fixed polynomials in this package; division and
//     square root are IEEE 754 correctly rounded; math.Exp and its kin are not used;
//   - zero padding is neutral: every chain starts at +0, so adding ±0 changes nothing.
//
// A Runner may be used by one goroutine at a time. Functions of this package do not
// look for NaN or infinity, whose bits may differ between architectures: callers
// check with [Finite] before a value leaves a job.
package kernel
