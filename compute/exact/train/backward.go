package train

import (
	"math"

	"tally/compute/exact/kernel"
)

func nan() float64 { return math.NaN() }

// backward adds the gradient, given that of the logits in g.logits. It overwrites the
// activations.
func (g *graph) backward(tokens []int32) {
	c, r, n := g.c, g.r, len(tokens)
	w, q, kv := c.Width, c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	weight := g.grad.Weights
	g.weightGrad(weight.Head, g.logits, c.Vocab, g.hidden, w, n)
	r.Mul(g.dh, w, kernel.Rows(g.logits, n, c.Vocab), &g.headBack, kernel.Op{})
	dx := g.dx[:n*w]
	clear(dx)
	g.normGrad(dx, weight.Norm, g.x, g.m.Weights.Norm, g.norm, n)
	for i := len(g.layers) - 1; i >= 0; i-- {
		a, p, l, d := &g.layers[i], &g.packs[i], &g.m.Weights.Layers[i], &weight.Layers[i]
		// Feed-forward part.
		r.Mul(g.dact, c.FFN, kernel.Rows(dx, n, w), &p.backward[wdown], kernel.Op{})
		g.weightGrad(d.Down, dx, w, a.act, c.FFN, n)
		r.Chunks(n, 8, func(lo, hi, _ int) {
			kernel.SwiGLUGrad(g.dact[lo*c.FFN:], a.gate[lo*c.FFN:hi*c.FFN], a.up[lo*c.FFN:])
		})
		g.weightGrad(d.Gate, a.gate, c.FFN, a.h2, w, n)
		g.weightGrad(d.Up, a.up, c.FFN, a.h2, w, n)
		r.Mul(g.dh, w, kernel.Rows(a.gate, n, c.FFN), &p.backward[wgate], kernel.Op{})
		r.Mul(g.dh, w, kernel.Rows(a.up, n, c.FFN), &p.backward[wup], kernel.Op{Add: true})
		g.normGrad(dx, d.MLPNorm, a.mid, l.MLPNorm, a.norm2, n)
		// Attention.
		r.Mul(g.datt, q, kernel.Rows(dx, n, w), &p.backward[wo], kernel.Op{})
		g.weightGrad(d.O, dx, w, a.att, q, n)
		g.attendGrad(a, n)
		if c.QKVBias {
			g.biasGrad(d.QB, g.dq, n)
			g.biasGrad(d.KB, g.dk, n)
			g.biasGrad(d.VB, g.dv, n)
		}
		g.weightGrad(d.Q, g.dq, q, a.h1, w, n)
		g.weightGrad(d.K, g.dk, kv, a.h1, w, n)
		g.weightGrad(d.V, g.dv, kv, a.h1, w, n)
		r.Mul(g.dh, w, kernel.Rows(g.dq, n, q), &p.backward[wq], kernel.Op{})
		r.Mul(g.dh, w, kernel.Rows(g.dk, n, kv), &p.backward[wk], kernel.Op{Add: true})
		r.Mul(g.dh, w, kernel.Rows(g.dv, n, kv), &p.backward[wv], kernel.Op{Add: true})
		g.normGrad(dx, d.AttnNorm, a.x, l.AttnNorm, a.norm1, n)
	}
	for i, t := range tokens {
		kernel.Add(g.embedGrad[int(t)*w:int(t+1)*w], dx[i*w:])
	}
}

// weightGrad adds dyᵀ·x: the reduction runs over positions, in blocks within a sample.
func (g *graph) weightGrad(dst, dy []float32, outs int, x []float32, ins, n int) {
	g.r.Pack(&g.right, kernel.Rows(x, n, ins))
	g.r.Mul(dst, ins, kernel.Rows(dy, n, outs).T(), &g.right, kernel.Op{Add: true, Period: g.seq})
}

// normGrad takes the gradient of a norm's output from g.dh, adds that of its input x to
// dx and that of its gain to dgain.
func (g *graph) normGrad(dx, dgain, x, gain, norms []float32, n int) {
	w := g.c.Width
	g.r.Chunks(n, 8, func(lo, hi, worker int) {
		tmp := g.r.RowScratch(worker, w)
		for i := lo; i < hi; i++ {
			kernel.RMSNormGrad(dx[i*w:(i+1)*w], g.dh[i*w:], x[i*w:(i+1)*w], gain, norms[i], tmp)
		}
	})
	g.columns(w, n, dgain, func(sum []float32, row, lo int) {
		y, x, r := g.dh[row*w+lo:], x[row*w+lo:], norms[row]
		for j := range sum {
			sum[j] += float32(y[j] * float32(x[j]*r))
		}
	})
}

// biasGrad adds the sum of the rows of dy.
func (g *graph) biasGrad(dst, dy []float32, n int) {
	w := len(dst)
	g.columns(w, n, dst, func(sum []float32, row, lo int) { kernel.Add(sum, dy[row*w+lo:]) })
}

// columns adds sums over rows to dst in the block order of weight gradients, split by column.
func (g *graph) columns(width, n int, dst []float32, add func(sum []float32, row, lo int)) {
	g.r.Chunks(width, 16, func(lo, hi, worker int) {
		sum := g.r.RowScratch(worker, hi-lo)
		for s := 0; s < n; s += g.seq {
			for b := s; b < s+g.seq; b += kernel.BlockK {
				clear(sum)
				for row := b; row < min(s+g.seq, b+kernel.BlockK); row++ {
					add(sum, row, lo)
				}
				kernel.Add(dst[lo:hi], sum)
			}
		}
	})
}

// attendGrad turns g.datt into the gradients of q, k and v before rotation.
func (g *graph) attendGrad(a *activations, n int) {
	c, hd, seq := g.c, g.c.HeadDim, g.seq
	q, kv, group := c.Heads*hd, c.KVHeads*hd, c.Heads/c.KVHeads
	scale := kernel.Rsqrt(float32(hd))
	g.r.For(n/seq*c.KVHeads, func(task, worker int) {
		s, h := task/c.KVHeads, task%c.KVHeads
		view := func(x []float32, at, stride int) kernel.Mat {
			return kernel.Mat{Data: x[at:], Rows: seq, Cols: hd, RS: stride, CS: 1}
		}
		keys, values, right := g.r.WorkerPack(worker, 0), g.r.WorkerPack(worker, 1), g.r.WorkerPack(worker, 2)
		kvAt := s*seq*kv + h*hd
		g.r.PackSerial(keys, view(a.k, kvAt, kv))
		g.r.PackSerial(values, view(a.v, kvAt, kv).T())
		ds := g.r.RowScratch(worker, seq*seq)
		for j := range group {
			head := h*group + j
			at := s*seq*q + head*hd
			p := a.p[(s*c.Heads+head)*seq*seq:][:seq*seq]
			dout := view(g.datt, at, q)
			g.r.MulSerial(worker, ds, seq, dout, values, kernel.Op{Shape: kernel.OutLower})
			g.r.PackSerial(right, dout)
			g.r.MulSerial(worker, g.dv[kvAt:], kv, kernel.Rows(p, seq, seq).T(), right, kernel.Op{Shape: kernel.KUpper, Add: j > 0})
			for t := range seq {
				row := ds[t*seq : (t+1)*seq]
				kernel.SoftmaxGrad(row[:t+1], p[t*seq:t*seq+t+1], scale)
				clear(row[t+1:])
			}
			g.r.MulSerial(worker, g.dq[at:], q, kernel.Rows(ds, seq, seq), keys, kernel.Op{Shape: kernel.KLower})
			g.r.PackSerial(right, view(a.q, at, q))
			g.r.MulSerial(worker, g.dk[kvAt:], kv, kernel.Rows(ds, seq, seq).T(), right, kernel.Op{Shape: kernel.KUpper, Add: j > 0})
		}
		g.rotate(g.dq[s*seq*q+h*group*hd:], q, group, kernel.RotateBack)
		g.rotate(g.dk[kvAt:], kv, 1, kernel.RotateBack)
	})
}
