package train

import (
	"math"

	"tally/compute/exact/kernel"
	"tally/compute/exact/model"
)

// Constants of AdamW (Loshchilov and Hutter, 2019).
const (
	beta1 = 0.9
	beta2 = 0.95
	eps   = 1e-8
)

// sumChunk is the number of gradient values whose squares are added before the sums are
// added in order.
const sumChunk = 4096

// adamw updates parameters in place.
type adamw struct {
	r     *kernel.Runner
	m, v  []float32 // first and second moments, in the order of parameters
	decay []span    // parameters by whether weight decay applies
	sums  []float64
}

type span struct {
	lo, hi int
	decay  bool
}

func newAdamW(r *kernel.Runner, p *model.Model) *adamw {
	o := &adamw{r: r, m: make([]float32, len(p.Flat())), v: make([]float32, len(p.Flat()))}
	at := 0
	for _, t := range p.Tensors() {
		for lo := 0; lo < len(t.Data); lo += 1 << 14 {
			hi := min(len(t.Data), lo+1<<14)
			o.decay = append(o.decay, span{at + lo, at + hi, len(t.Shape) > 1})
		}
		at += len(t.Data)
	}
	return o
}

// norm returns the length of g, computed in float64; NaN or infinity if g holds any.
func (o *adamw) norm(g []float32) float64 {
	n := (len(g) + sumChunk - 1) / sumChunk
	if cap(o.sums) < n {
		o.sums = make([]float64, n)
	}
	o.sums = o.sums[:n]
	o.r.Chunks(n, 4, func(lo, hi, _ int) {
		for i := lo; i < hi; i++ {
			o.sums[i] = kernel.SumSquares64(g[i*sumChunk : min(len(g), (i+1)*sumChunk)])
		}
	})
	var sum float64
	for _, s := range o.sums {
		sum += s
	}
	return math.Sqrt(sum)
}

// step applies update number t (from 1) with the gradient g times scale.
func (o *adamw) step(p, g []float32, t int, lr, decay, scale float32) {
	c1 := float32(1 / (1 - power(beta1, t)))
	c2 := float32(1 / (1 - power(beta2, t)))
	o.r.For(len(o.decay), func(i, _ int) {
		s := o.decay[i]
		wd := decay
		if !s.decay {
			wd = 0
		}
		p, g, m, v := p[s.lo:s.hi], g[s.lo:s.hi], o.m[s.lo:s.hi], o.v[s.lo:s.hi]
		g, m, v = g[:len(p)], m[:len(p)], v[:len(p)]
		for j, x := range p {
			d := float32(g[j] * scale)
			m[j] = float32(beta1*m[j]) + float32((1-beta1)*d)
			v[j] = float32(beta2*v[j]) + float32(float32((1-beta2)*d)*d)
			u := float32(m[j]*c1) / (kernel.Sqrt(float32(v[j]*c2)) + eps)
			p[j] = x - float32(lr*(u+float32(wd*x)))
		}
	})
}

// power returns x**n by repeated squaring.
func power(x float64, n int) float64 {
	y := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			y = float64(y * x)
		}
		x = float64(x * x)
	}
	return y
}

// rate returns the learning rate of step t (from 1): a linear rise over the warm-up, then a
// half cosine down to a tenth.
func (r Recipe) rate(t int) float32 {
	if t <= r.Warmup {
		return float32(r.LR * (float64(t) / float64(r.Warmup)))
	}
	done := float64(t-r.Warmup) / float64(max(1, r.Steps-r.Warmup))
	_, c := kernel.Sincos64(float64(math.Pi * done))
	return float32(r.LR * (0.1 + float64(0.45*(1+c))))
}
