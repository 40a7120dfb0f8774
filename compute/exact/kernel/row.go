package kernel

import "math"

// combine adds eight lanes in the fixed order.
func combine(l *[8]float32) float32 {
	return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]))
}

// Sum adds x in lane order: lane k mod 8 from +0, then ((0+4)+(2+6))+((1+5)+(3+7)).
func Sum(x []float32) float32 {
	var l [8]float32
	for len(x) >= 8 {
		v := (*[8]float32)(x)
		for i := range l {
			l[i] += v[i]
		}
		x = x[8:]
	}
	for i, v := range x {
		l[i] += v
	}
	return combine(&l)
}

// Dot adds the products x[k]·y[k] in lane order.
func Dot(x, y []float32) float32 {
	var l0, l1, l2, l3, l4, l5, l6, l7 float32
	for len(x) >= 8 && len(y) >= 8 {
		v, w := (*[8]float32)(x), (*[8]float32)(y)
		l0 += float32(v[0] * w[0])
		l1 += float32(v[1] * w[1])
		l2 += float32(v[2] * w[2])
		l3 += float32(v[3] * w[3])
		l4 += float32(v[4] * w[4])
		l5 += float32(v[5] * w[5])
		l6 += float32(v[6] * w[6])
		l7 += float32(v[7] * w[7])
		x, y = x[8:], y[8:]
	}
	l := [8]float32{l0, l1, l2, l3, l4, l5, l6, l7}
	for i, v := range x {
		l[i&7] += float32(v * y[i])
	}
	return combine(&l)
}

// SumSquares64 adds the squares of x in float64 in lane order.
func SumSquares64(x []float32) float64 {
	var l [8]float64
	for len(x) >= 8 {
		v := (*[8]float32)(x)
		for i := range l {
			l[i] += float64(float64(v[i]) * float64(v[i]))
		}
		x = x[8:]
	}
	for i, v := range x {
		l[i] += float64(float64(v) * float64(v))
	}
	return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]))
}

// Finite tells whether x holds no NaN and no infinity.
func Finite(x []float32) bool {
	for _, v := range x {
		if math.Float32bits(v)&0x7f800000 == 0x7f800000 {
			return false
		}
	}
	return true
}

// Max returns the largest value of x, which must not be empty nor hold NaN.
func Max(x []float32) float32 {
	m := x[0]
	for _, v := range x[1:] {
		if v > m {
			m = v
		}
	}
	return m
}

// Softmax replaces x by exp(x - max) divided by its sum in lane order (each value
// multiplied by the reciprocal), and returns the max and the sum.
func Softmax(x []float32) (maximum, sum float32) {
	maximum = Max(x)
	for i, v := range x {
		x[i] = Exp(v - maximum)
	}
	sum = Sum(x)
	inv := 1 / sum
	for i := range x {
		x[i] *= inv
	}
	return maximum, sum
}

// SoftmaxGrad turns dp, the gradient of p = Softmax(s), into the gradient of s times scale:
// p·(dp - Σ p·dp)·scale, the sum in lane order.
func SoftmaxGrad(dp, p []float32, scale float32) {
	dot := Dot(p, dp)
	dp = dp[:len(p)]
	for i, v := range p {
		dp[i] = float32(float32(v*(dp[i]-dot)) * scale)
	}
}

// RMSNorm writes gain·(x·r) with r = 1/sqrt(mean(x²) + eps) and returns r.
// (Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.)
func RMSNorm(dst, x, gain []float32, eps float32) float32 {
	r := Rsqrt(Dot(x, x)/float32(len(x)) + eps)
	dst, gain = dst[:len(x)], gain[:len(x)]
	for i, v := range x {
		dst[i] = float32(v*r) * gain[i]
	}
	return r
}

// RMSNormGrad adds to dx the gradient of RMSNorm for the input x, given dy and the r that
// the forward pass returned: r·(dy·gain - x·r²·Σ(dy·gain·x)/n). tmp has room for len(x) values.
func RMSNormGrad(dx, dy, x, gain []float32, r float32, tmp []float32) {
	n := len(x)
	dx, dy, gain, tmp = dx[:n], dy[:n], gain[:n], tmp[:n]
	for i := range tmp {
		tmp[i] = dy[i] * gain[i]
	}
	c := float32(Dot(tmp, x)/float32(n)) * float32(r*r)
	for i := range tmp {
		dx[i] += float32(r * (tmp[i] - float32(x[i]*c)))
	}
}

// SwiGLU writes silu(gate)·up. (Shazeer, GLU Variants Improve Transformer, 2020.)
func SwiGLU(dst, gate, up []float32) {
	dst, up = dst[:len(gate)], up[:len(gate)]
	for i, g := range gate {
		dst[i] = float32(g*Sigmoid(g)) * up[i]
	}
}

// SwiGLUGrad replaces gate and up by their gradients, given dy.
func SwiGLUGrad(dy, gate, up []float32) {
	dy, up = dy[:len(gate)], up[:len(gate)]
	for i, g := range gate {
		s := Sigmoid(g)
		silu := float32(g * s)
		slope := s + float32(silu*(1-s))
		d := dy[i]
		gate[i] = float32(d*up[i]) * slope
		up[i] = float32(d * silu)
	}
}

// Add adds y to x.
func Add(x, y []float32) {
	y = y[:len(x)]
	for i, v := range y {
		x[i] += v
	}
}

// Rotate applies a rotary embedding to one head in place: values i and i+n/2 turn by
// the angle whose cosine and sine are cos[i], sin[i]. Rotating by -sin undoes it.
// (Su et al., RoFormer, 2021, in the half-split layout of Hugging Face Llama.)
func Rotate(x, cos, sin []float32) {
	h := len(x) / 2
	lo, hi := x[:h], x[h:2*h]
	cos, sin = cos[:h], sin[:h]
	for i := range lo {
		a, b := lo[i], hi[i]
		lo[i] = float32(a*cos[i]) - float32(b*sin[i])
		hi[i] = float32(b*cos[i]) + float32(a*sin[i])
	}
}

// RotateBack undoes Rotate; it is also its gradient.
func RotateBack(x, cos, sin []float32) {
	h := len(x) / 2
	lo, hi := x[:h], x[h:2*h]
	cos, sin = cos[:h], sin[:h]
	for i := range lo {
		a, b := lo[i], hi[i]
		lo[i] = float32(a*cos[i]) + float32(b*sin[i])
		hi[i] = float32(b*cos[i]) - float32(a*sin[i])
	}
}
