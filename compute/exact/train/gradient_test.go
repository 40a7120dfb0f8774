package train

import (
	"math"
	"testing"

	"tally/compute/exact/kernel"
	"tally/compute/exact/model"
)

// reference is a slow model in float64, written from the papers and without a line of
// package kernel's products. It returns the summed loss; see check for its gradient.
func reference(c model.Config, m *model.Model, p map[string][]float64, tokens, targets []int32, seq int) float64 {
	names := func(i int, s string) []float64 { return p["model.layers."+string(rune('0'+i))+"."+s] }
	mul := func(w []float64, x []float64) []float64 {
		y := make([]float64, len(w)/len(x))
		for i := range y {
			for j, v := range x {
				y[i] += w[i*len(x)+j] * v
			}
		}
		return y
	}
	norm := func(x, g []float64) []float64 {
		var s float64
		for _, v := range x {
			s += v * v
		}
		y := make([]float64, len(x))
		for i := range x {
			y[i] = x[i] / math.Sqrt(s/float64(len(x))+c.NormEps) * g[i]
		}
		return y
	}
	turn := func(x []float64, pos int) {
		for h := 0; h < len(x); h += c.HeadDim {
			half := c.HeadDim / 2
			for i := range half {
				a := float64(pos) * math.Pow(c.RopeTheta, -2*float64(i)/float64(c.HeadDim))
				u, v := x[h+i], x[h+i+half]
				x[h+i], x[h+i+half] = u*math.Cos(a)-v*math.Sin(a), v*math.Cos(a)+u*math.Sin(a)
			}
		}
	}
	plus := func(x, y []float64) {
		for i := range y {
			x[i] += y[i]
		}
	}
	var total float64
	for s := 0; s < len(tokens); s += seq {
		xs := make([][]float64, seq)
		for t := range xs {
			id := int(tokens[s+t])
			xs[t] = append([]float64(nil), p["model.embed_tokens.weight"][id*c.Width:(id+1)*c.Width]...)
		}
		for l := range c.Layers {
			var ks, vs [][]float64
			for t, x := range xs {
				h := norm(x, names(l, "input_layernorm.weight"))
				q, k, v := mul(names(l, "self_attn.q_proj.weight"), h), mul(names(l, "self_attn.k_proj.weight"), h), mul(names(l, "self_attn.v_proj.weight"), h)
				if c.QKVBias {
					plus(q, names(l, "self_attn.q_proj.bias"))
					plus(k, names(l, "self_attn.k_proj.bias"))
					plus(v, names(l, "self_attn.v_proj.bias"))
				}
				turn(q, t)
				turn(k, t)
				ks, vs = append(ks, k), append(vs, v)
				out := make([]float64, len(q))
				for head := range c.Heads {
					kv := head / (c.Heads / c.KVHeads) * c.HeadDim
					var sum float64
					for j := 0; j <= t; j++ {
						var dot float64
						for d := range c.HeadDim {
							dot += q[head*c.HeadDim+d] * ks[j][kv+d]
						}
						e := math.Exp(dot / math.Sqrt(float64(c.HeadDim)))
						sum += e
						for d := range c.HeadDim {
							out[head*c.HeadDim+d] += e * vs[j][kv+d]
						}
					}
					for d := range c.HeadDim {
						out[head*c.HeadDim+d] /= sum
					}
				}
				// Later positions only read keys and values, so the residual may move on.
				plus(x, mul(names(l, "self_attn.o_proj.weight"), out))
				h = norm(x, names(l, "post_attention_layernorm.weight"))
				gate, up := mul(names(l, "mlp.gate_proj.weight"), h), mul(names(l, "mlp.up_proj.weight"), h)
				for i := range gate {
					gate[i] = gate[i] / (1 + math.Exp(-gate[i])) * up[i]
				}
				plus(x, mul(names(l, "mlp.down_proj.weight"), gate))
			}
		}
		head := p["lm_head.weight"]
		if c.Tied {
			head = p["model.embed_tokens.weight"]
		}
		for t, x := range xs {
			logits := mul(head, norm(x, p["model.norm.weight"]))
			var sum float64
			for _, v := range logits {
				sum += math.Exp(v)
			}
			total += math.Log(sum) - logits[targets[s+t]]
		}
	}
	return total
}

func TestGradientsAgreeWithAFloat64ReferenceForEveryTensor(t *testing.T) {
	for _, tied := range []bool{true, false} {
		c := model.Config{Vocab: 31, Width: 12, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 6, FFN: 20, Context: 9, RopeTheta: 100, NormEps: 1e-5, Tied: tied, QKVBias: !tied}
		m, err := model.Init(c, 5)
		if err != nil {
			t.Fatal(err)
		}
		for i := range m.Flat() {
			m.Flat()[i] += 0.2 * kernel.Normal(8, 0, 0, uint64(i))
		}
		grad, _ := model.New(c)
		const samples, seq = 3, 9
		tokens, targets := make([]int32, samples*seq), make([]int32, samples*seq)
		for i := range tokens {
			tokens[i], targets[i] = int32(kernel.Bits64(1, 0, 0, uint64(i))%31), int32(kernel.Bits64(2, 0, 0, uint64(i))%31)
		}
		g := newGraph(kernel.NewRunner(2), m, grad, samples, seq)
		g.pack()
		g.zero()
		losses, ok := g.lossAndGrad(tokens, targets, 1)
		if !ok {
			t.Fatal("the loss is not finite")
		}
		g.finish()
		var got float64
		for _, l := range losses {
			got += l
		}
		p := make(map[string][]float64)
		for _, tensor := range m.Tensors() {
			for _, v := range tensor.Data {
				p[tensor.Name] = append(p[tensor.Name], float64(v))
			}
		}
		if want := reference(c, m, p, tokens, targets, seq); math.Abs(got-want) > 1e-4*want {
			t.Fatalf("loss %v, the reference says %v", got, want)
		}
		for _, tensor := range grad.Tensors() {
			var worst, size float64
			n := len(tensor.Data)
			for trial := range min(n, 40) {
				i := trial * n / min(n, 40)
				w := p[tensor.Name]
				const h = 1e-5
				old := w[i]
				w[i] = old + h
				up := reference(c, m, p, tokens, targets, seq)
				w[i] = old - h
				down := reference(c, m, p, tokens, targets, seq)
				w[i] = old
				want := (up - down) / (2 * h)
				worst = max(worst, math.Abs(float64(tensor.Data[i])-want))
				size = max(size, math.Abs(want))
			}
			if worst > 2e-5*(size+1) || size == 0 {
				t.Errorf("tied %v: %s is off by %v at size %v", tied, tensor.Name, worst, size)
			}
		}
	}
}
