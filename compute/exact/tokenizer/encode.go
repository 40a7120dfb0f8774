package tokenizer

import "container/heap"

// word is a piece being merged: a list of symbols linked by index. Its memory is reused.
type word struct {
	ids        []int32
	prev, next []int32
	queue      queue
}

// candidate is a possible merge at symbol at; it is stale once the symbols have changed.
type candidate struct {
	rank, at    int32
	left, right int32
}

type queue []candidate

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].rank < q[j].rank || q[i].rank == q[j].rank && q[i].at < q[j].at
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(candidate)) }
func (q *queue) Pop() any {
	old := *q
	c := old[len(old)-1]
	*q = old[:len(old)-1]
	return c
}

// encodePiece applies the merge of lowest rank, leftmost first, until none applies.
func (t *Tokenizer) encodePiece(out []int32, p string, w *word) []int32 {
	const short = 32
	w.ids = w.ids[:0]
	for i := range len(p) {
		w.ids = append(w.ids, t.bytes[p[i]])
	}
	if len(p) > short {
		return t.encodeLong(out, w)
	}
	ids := w.ids
	for len(ids) > 1 {
		best, at := merge{rank: -1}, 0
		for i := range len(ids) - 1 {
			if m, ok := t.merges[pair{ids[i], ids[i+1]}]; ok && (best.rank < 0 || m.rank < best.rank) {
				best, at = m, i
			}
		}
		if best.rank < 0 {
			break
		}
		ids[at] = best.id
		ids = append(ids[:at+1], ids[at+2:]...)
	}
	return append(out, ids...)
}

// encodeLong gives the same result as the loop above in n·log n steps.
func (t *Tokenizer) encodeLong(out []int32, w *word) []int32 {
	n := int32(len(w.ids))
	w.prev, w.next, w.queue = w.prev[:0], w.next[:0], w.queue[:0]
	for i := range n {
		w.prev, w.next = append(w.prev, i-1), append(w.next, i+1)
	}
	push := func(at int32) {
		if at < 0 || w.next[at] >= n {
			return
		}
		l, r := w.ids[at], w.ids[w.next[at]]
		if m, ok := t.merges[pair{l, r}]; ok {
			heap.Push(&w.queue, candidate{m.rank, at, l, r})
		}
	}
	for i := range n - 1 {
		push(i)
	}
	for len(w.queue) > 0 {
		c := heap.Pop(&w.queue).(candidate)
		right := w.next[c.at]
		if right >= n || w.ids[c.at] != c.left || w.ids[right] != c.right {
			continue
		}
		w.ids[c.at] = t.merges[pair{c.left, c.right}].id
		w.ids[right] = -1
		w.next[c.at] = w.next[right]
		if w.next[right] < n {
			w.prev[w.next[right]] = c.at
		}
		push(w.prev[c.at])
		push(c.at)
	}
	for i := int32(0); i < n; i = w.next[i] {
		out = append(out, w.ids[i])
	}
	return out
}
