package train

import (
	"tally/compute/exact/kernel"
	"tally/compute/exact/model"
)

// graph computes the loss of a micro-batch and adds its gradient to grad. Its memory is
// reused from step to step.
//
// Every weight gradient is a chain over blocks of positions within a sample, samples in
// order, continued from micro-batch to micro-batch: so the size of a micro-batch decides
// memory and never bits.
type graph struct {
	r         *kernel.Runner
	c         model.Config
	seq       int          // tokens of a sample
	m, grad   *model.Model // parameters and their gradient
	embedGrad []float32    // gradient of the embedding as an input
	packs     []packs
	head      kernel.Packed // outputs as columns
	headBack  kernel.Packed // inputs as columns
	right     kernel.Packed // right-hand side of weight gradients
	cos, sin  []float32

	layers []activations
	x      []float32 // residual stream
	norm   []float32 // 1/rms of the final norm
	hidden []float32
	logits []float32
	loss   []float64 // per token
	dx, dh []float32 // gradients of the residual stream and of a norm's output
	dq     []float32
	dk, dv []float32
	datt   []float32
	dact   []float32
}

// packs holds the weights of a layer as right-hand sides: forward with one column per
// output, backward with one column per input.
type packs struct{ forward, backward [7]kernel.Packed }

const (
	wq = iota
	wk
	wv
	wo
	wgate
	wup
	wdown
)

// activations are what the backward pass of a layer needs from the forward pass.
type activations struct {
	x, mid       []float32 // residual stream before attention and before the feed-forward part
	norm1, norm2 []float32 // 1/rms per token
	h1, h2       []float32
	q, k, v      []float32 // q and k after rotation
	p            []float32 // probabilities: sample, head, position, position
	att          []float32
	gate, up     []float32
	act          []float32
}

func newGraph(r *kernel.Runner, m, grad *model.Model, samples, seq int) *graph {
	c := m.Config
	n, q, kv := samples*seq, c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	f := func(n int) []float32 { return make([]float32, n) }
	g := &graph{
		r: r, c: c, seq: seq, m: m, grad: grad, packs: make([]packs, c.Layers),
		embedGrad: f(c.Vocab * c.Width), layers: make([]activations, c.Layers),
		x: f(n * c.Width), norm: f(n), hidden: f(n * c.Width), logits: f(n * c.Vocab), loss: make([]float64, n),
		dx: f(n * c.Width), dh: f(n * c.Width), dq: f(n * q), dk: f(n * kv), dv: f(n * kv), datt: f(n * q), dact: f(n * c.FFN),
	}
	g.cos, g.sin = c.RopeTables(seq)
	for i := range g.layers {
		g.layers[i] = activations{
			x: f(n * c.Width), mid: f(n * c.Width), norm1: f(n), norm2: f(n), h1: f(n * c.Width), h2: f(n * c.Width),
			q: f(n * q), k: f(n * kv), v: f(n * kv), p: f(n * c.Heads * seq), att: f(n * q),
			gate: f(n * c.FFN), up: f(n * c.FFN), act: f(n * c.FFN),
		}
	}
	return g
}

// pack prepares the parameters after they changed.
func (g *graph) pack() {
	c := g.c
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	for i := range g.packs {
		l, p := &g.m.Weights.Layers[i], &g.packs[i]
		for j, w := range [7]kernel.Mat{
			wq: kernel.Rows(l.Q, q, c.Width), wk: kernel.Rows(l.K, kv, c.Width), wv: kernel.Rows(l.V, kv, c.Width),
			wo: kernel.Rows(l.O, c.Width, q), wgate: kernel.Rows(l.Gate, c.FFN, c.Width), wup: kernel.Rows(l.Up, c.FFN, c.Width),
			wdown: kernel.Rows(l.Down, c.Width, c.FFN),
		} {
			g.r.Pack(&p.forward[j], w.T())
			g.r.Pack(&p.backward[j], w)
		}
	}
	head := kernel.Rows(g.m.Weights.Head, c.Vocab, c.Width)
	g.r.Pack(&g.head, head.T())
	g.r.Pack(&g.headBack, head)
}

// zero clears the gradient.
func (g *graph) zero() {
	clear(g.grad.Flat())
	clear(g.embedGrad)
}

// finish adds the embedding's gradient as an input to its gradient as an output.
func (g *graph) finish() { kernel.Add(g.grad.Weights.Embed, g.embedGrad) }

// forward fills logits for samples of seq tokens each.
func (g *graph) forward(tokens []int32) {
	c, r, n := g.c, g.r, len(tokens)
	w, q, kv := c.Width, c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	for i, t := range tokens {
		copy(g.x[i*w:(i+1)*w], g.m.Weights.Embed[int(t)*w:])
	}
	x := g.x[:n*w]
	for i := range g.layers {
		a, l, p := &g.layers[i], &g.m.Weights.Layers[i], &g.packs[i]
		copy(a.x, x)
		g.normalise(a.h1, x, l.AttnNorm, a.norm1, n)
		h := kernel.Rows(a.h1, n, w)
		r.Mul(a.q, q, h, &p.forward[wq], kernel.Op{})
		r.Mul(a.k, kv, h, &p.forward[wk], kernel.Op{})
		r.Mul(a.v, kv, h, &p.forward[wv], kernel.Op{})
		if c.QKVBias {
			model.AddBias(a.q[:n*q], l.QB)
			model.AddBias(a.k[:n*kv], l.KB)
			model.AddBias(a.v[:n*kv], l.VB)
		}
		g.attend(a, n)
		r.Mul(x, w, kernel.Rows(a.att, n, q), &p.forward[wo], kernel.Op{Add: true})
		copy(a.mid, x)
		g.normalise(a.h2, x, l.MLPNorm, a.norm2, n)
		h = kernel.Rows(a.h2, n, w)
		r.Mul(a.gate, c.FFN, h, &p.forward[wgate], kernel.Op{})
		r.Mul(a.up, c.FFN, h, &p.forward[wup], kernel.Op{})
		r.Chunks(n, 8, func(lo, hi, _ int) {
			kernel.SwiGLU(a.act[lo*c.FFN:hi*c.FFN], a.gate[lo*c.FFN:hi*c.FFN], a.up[lo*c.FFN:])
		})
		r.Mul(x, w, kernel.Rows(a.act, n, c.FFN), &p.forward[wdown], kernel.Op{Add: true})
	}
	g.normalise(g.hidden, x, g.m.Weights.Norm, g.norm, n)
	r.Mul(g.logits, c.Vocab, kernel.Rows(g.hidden, n, w), &g.head, kernel.Op{})
}

func (g *graph) normalise(dst, x, gain, norms []float32, n int) {
	w := g.c.Width
	g.r.Chunks(n, 8, func(lo, hi, _ int) {
		for i := lo; i < hi; i++ {
			norms[i] = kernel.RMSNorm(dst[i*w:(i+1)*w], x[i*w:(i+1)*w], gain, float32(g.c.NormEps))
		}
	})
}

// attend rotates queries and keys and computes attention, by sample and key head.
func (g *graph) attend(a *activations, n int) {
	c, hd := g.c, g.c.HeadDim
	q, kv, group := c.Heads*hd, c.KVHeads*hd, c.Heads/c.KVHeads
	g.r.For(n/g.seq*c.KVHeads, func(task, worker int) {
		s, h := task/c.KVHeads, task%c.KVHeads
		g.rotate(a.q[s*g.seq*q+h*group*hd:], q, group, kernel.Rotate)
		g.rotate(a.k[s*g.seq*kv+h*hd:], kv, 1, kernel.Rotate)
		keys, values := g.r.WorkerPack(worker, 0), g.r.WorkerPack(worker, 1)
		g.r.PackSerial(keys, kernel.Mat{Data: a.k[s*g.seq*kv+h*hd:], Rows: g.seq, Cols: hd, RS: kv, CS: 1}.T())
		g.r.PackSerial(values, kernel.Mat{Data: a.v[s*g.seq*kv+h*hd:], Rows: g.seq, Cols: hd, RS: kv, CS: 1})
		for j := range group {
			head := h*group + j
			at := s*g.seq*q + head*hd
			model.Attend(g.r, worker, a.p[(s*c.Heads+head)*g.seq*g.seq:], a.att[at:],
				kernel.Mat{Data: a.q[at:], Rows: g.seq, Cols: hd, RS: q, CS: 1}, keys, values, 0)
		}
	})
}

// rotate turns heads neighbouring heads of every position of one sample.
func (g *graph) rotate(x []float32, stride, heads int, turn func(x, cos, sin []float32)) {
	hd, half := g.c.HeadDim, g.c.HeadDim/2
	for t := range g.seq {
		for h := range heads {
			turn(x[t*stride+h*hd:][:hd], g.cos[t*half:(t+1)*half], g.sin[t*half:(t+1)*half])
		}
	}
}

// lossAndGrad runs forward and backward on samples of seq tokens whose successors are
// targets, and adds the gradient of scale·Σ loss. It returns the loss of every token, in
// order; the slice is valid until the next call. ok is false if a loss is NaN or infinite.
func (g *graph) lossAndGrad(tokens, targets []int32, scale float32) (loss []float64, ok bool) {
	g.forward(tokens)
	n, v := len(tokens), g.c.Vocab
	g.r.Chunks(n, 8, func(lo, hi, _ int) {
		for i := lo; i < hi; i++ {
			row := g.logits[i*v : (i+1)*v]
			if !kernel.Finite(row) {
				g.loss[i] = nan()
				continue
			}
			target := int(targets[i])
			logit := row[target]
			maximum, sum := kernel.Softmax(row)
			g.loss[i] = kernel.Log64(float64(sum)) + float64(maximum-logit)
			row[target]--
			for j := range row {
				row[j] *= scale
			}
		}
	})
	for _, l := range g.loss[:n] {
		if l != l || l > 1e30 {
			return nil, false
		}
	}
	g.backward(tokens)
	return g.loss[:n], true
}
