package infer

import (
	"slices"

	"tally/compute/exact/kernel"
)

// streamSample is the random stream of sampled tokens.
const streamSample = 3

// sampler draws tokens; it only holds reused memory.
type sampler struct {
	order []int32
	probs []float32
}

// draw returns token number index of an answer given its logits, which it may change. Greedy
// takes the highest logit, the lowest id among equals. Otherwise: logits are divided by the
// temperature, sorted from high to low (lower id first among equals), cut to TopK, turned into
// probabilities by softmax, cut to the shortest beginning whose sum (in order, float32)
// reaches TopP, and the first token is taken whose cumulative sum exceeds u times the whole,
// with u uniform from (seed, index).
func (s *sampler) draw(logits []float32, q Request, index int) (int32, error) {
	if !kernel.Finite(logits) {
		return 0, ErrNotFinite
	}
	if q.Temperature == 0 {
		best := 0
		for i, v := range logits {
			if v > logits[best] {
				best = i
			}
		}
		return int32(best), nil
	}
	for i := range logits {
		logits[i] /= q.Temperature
	}
	if !kernel.Finite(logits) {
		return 0, ErrNotFinite
	}
	s.order = s.order[:0]
	for i := range logits {
		s.order = append(s.order, int32(i))
	}
	slices.SortFunc(s.order, func(a, b int32) int {
		switch {
		case logits[a] > logits[b]:
			return -1
		case logits[a] < logits[b]:
			return 1
		}
		return int(a - b)
	})
	if q.TopK > 0 && q.TopK < len(s.order) {
		s.order = s.order[:q.TopK]
	}
	s.probs = s.probs[:0]
	for _, id := range s.order {
		s.probs = append(s.probs, logits[id])
	}
	kernel.Softmax(s.probs)
	var total float32
	n := 0
	for n < len(s.probs) {
		total += s.probs[n]
		n++
		if q.TopP > 0 && q.TopP < 1 && total >= q.TopP {
			break
		}
	}
	u := float32(kernel.Uniform(q.Seed, streamSample, 0, uint64(index)) * total)
	var sum float32
	for i := range n {
		if sum += s.probs[i]; sum > u {
			return s.order[i], nil
		}
	}
	return s.order[n-1], nil
}
