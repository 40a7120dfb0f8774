package car

import (
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"
)

// walk yields the one order of a DAG's blocks while the blocks come in.
type walk struct {
	path    [][]cid.Cid // what is left to visit, by depth; no slice is empty
	pending int         // links in path
	seen    map[cid.Cid]struct{}
}

func newWalk(root cid.Cid) *walk {
	return &walk{path: [][]cid.Cid{{root}}, pending: 1, seen: map[cid.Cid]struct{}{}}
}

// next returns the CID that must follow, or false when the DAG is complete.
func (w *walk) next() (cid.Cid, bool) {
	for len(w.path) > 0 {
		top := w.path[len(w.path)-1]
		if _, ok := w.seen[top[0]]; !ok {
			return top[0], true
		}
		w.pop()
	}
	return cid.Undef, false
}

func (w *walk) pop() {
	top := len(w.path) - 1
	if w.path[top] = w.path[top][1:]; len(w.path[top]) == 0 {
		w.path = w.path[:top]
	}
	w.pending--
}

// visit takes the block that next named.
func (w *walk) visit(c cid.Cid, data []byte) error {
	if len(w.seen) == MaxBlocks {
		return fmt.Errorf("block %s is one more than %d: %w", c, MaxBlocks, ErrTooMany)
	}
	links, err := Links(c, data)
	if err != nil {
		return err
	}
	w.seen[c] = struct{}{}
	w.pop()
	// Links seen before are dropped here already, so that what path holds on to
	// is bounded by blocks visited plus links pending, whatever a block repeats.
	fresh := links[:0]
	here := make(map[cid.Cid]struct{}, min(len(links), 1024))
	for _, l := range links {
		if err := CheckCID(l); err != nil {
			return fmt.Errorf("block %s: link: %w", c, err)
		}
		_, old := w.seen[l]
		_, twice := here[l]
		if !old && !twice {
			here[l] = struct{}{}
			fresh = append(fresh, l)
		}
	}
	if len(fresh) > 0 {
		if w.pending += len(fresh); w.pending > maxPending {
			return fmt.Errorf("block %s: more than %d links wait: %w", c, maxPending, ErrTooMany)
		}
		w.path = append(w.path, slices.Clip(fresh))
	}
	return nil
}
