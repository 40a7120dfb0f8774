package shardstream

import (
	"slices"
	"sync"
)

// mostAskers is how many sources may be asked for one span at once.
const mostAskers = 2

// queue hands out the spans that are wanted, lowest first; when all are handed
// out, those that will come last once more, to another.
type queue struct {
	mu     sync.Mutex
	change *sync.Cond
	asked  [][]*source // guarded by mu: who was asked for a span, in order; nobody once it is here
	here   []bool      // guarded by mu
	low    int         // guarded by mu: none below is to be asked for the first time
	rush   int         // guarded by mu: everybody is asked for this one
	left   int         // guarded by mu
	ended  bool        // guarded by mu
}

func newQueue(n int, have func(int) bool) *queue {
	q := &queue{asked: make([][]*source, n), here: make([]bool, n), rush: n, left: n}
	q.change = sync.NewCond(&q.mu)
	for i := range n {
		if have(i) {
			q.here[i] = true
			q.left--
		}
	}
	return q
}

// next returns a span for a source to ask for. Without wait it returns false when
// there is none now; with it, only once nothing is wanted any more.
func (q *queue) next(s *source, wait bool) (int, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.ended || q.left == 0 {
			return 0, false
		}
		if q.hurried(s) {
			q.asked[q.rush] = append(q.asked[q.rush], s)
			return q.rush, true
		}
		for ; q.low < len(q.here); q.low++ {
			if !q.here[q.low] && len(q.asked[q.low]) == 0 {
				q.asked[q.low] = append(q.asked[q.low], s)
				return q.low, true
			}
		}
		if wait { // only who has nothing to do helps out
			if i, ok := q.owed(s); ok {
				q.asked[i] = append(q.asked[i], s)
				return i, true
			}
			q.change.Wait()
			continue
		}
		return 0, false
	}
}

// hurry has everybody asked for the first span that is missing: who owes it may want to
// hold up what follows.
func (q *queue) hurry() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.here, false); i >= 0 {
		q.rush = i
		q.change.Broadcast()
	}
}

// hurried says whether s is to be asked for the span in a hurry. The caller holds mu.
func (q *queue) hurried(s *source) bool {
	return q.rush < len(q.here) && !q.here[q.rush] && !slices.Contains(q.asked[q.rush], s)
}

// owes says whether a source was asked for spans that are not here.
func (q *queue) owes(s *source) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.ContainsFunc(q.asked, func(a []*source) bool { return slices.Contains(a, s) })
}

// owed returns the highest span that few were asked for, and s was not: what is
// highest comes last. The caller holds mu.
func (q *queue) owed(s *source) (int, bool) {
	for i := len(q.asked) - 1; i >= 0; i-- {
		a := q.asked[i]
		if !q.here[i] && len(a) < mostAskers && !slices.Contains(a, s) {
			return i, true
		}
	}
	return 0, false
}

// came says that a span is here.
func (q *queue) came(i int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.here[i] {
		q.here[i] = true
		q.left--
	}
	q.asked[i] = nil
	if q.left == 0 {
		q.change.Broadcast()
	}
}

// lost gives back what a source was asked for.
func (q *queue) lost(s *source) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, a := range q.asked {
		kept := slices.DeleteFunc(a, func(o *source) bool { return o == s })
		q.asked[i] = kept
		if len(kept) == 0 && !q.here[i] {
			q.low = min(q.low, i)
		}
	}
	q.change.Broadcast()
}

// end lets everybody go.
func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.change.Broadcast()
}

// none says that nothing is wanted any more.
func (q *queue) none() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.left == 0
}
