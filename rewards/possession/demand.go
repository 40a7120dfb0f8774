package possession

import (
	"cmp"
	"slices"

	"tally/protocol"
)

// demand is a leaf of a piece that an auditor asked for on chain. Whether it was
// answered in time follows from the answers alone, whoever recorded a miss.
type demand struct {
	at       place
	time     uint64
	id, leaf uint64
	by       uint64 // the last block in which an answer counts
	answered bool
	until    uint64 // time at which a later demand for the piece was answered; 0 where none was
}

// span is the time from from up to to.
type span struct{ from, to uint64 }

func (n *set) demanded(at place, time uint64, e protocol.RetrievalDemanded) {
	y := n.byID[e.ID]
	if y == nil {
		return
	}
	ds := n.demands[y.of]
	if slices.ContainsFunc(ds, func(d *demand) bool { return d.at == at && d.id == e.ID && d.leaf == e.Leaf }) {
		return // the same log given twice
	}
	d := &demand{at: at, time: time, id: e.ID, leaf: e.Leaf, by: e.By}
	n.demands[y.of], n.live[y.of] = append(ds, d), append(n.live[y.of], d)
}

// answer ends every open demand for the leaf, and what was missed before the last
// of them no longer counts from here on.
func (n *set) answer(at place, time uint64, e protocol.RetrievalAnswered) {
	y := n.byID[e.ID]
	if y == nil {
		return
	}
	last, any := place{}, false
	for _, d := range n.live[y.of] {
		if d.id == e.ID && d.leaf == e.Leaf && at.block <= d.by && !d.answered {
			d.answered, any = true, true
			if d.at.compare(last) > 0 {
				last = d.at
			}
		}
	}
	if !any {
		return
	}
	n.live[y.of] = slices.DeleteFunc(n.live[y.of], func(d *demand) bool {
		if !d.answered && d.until == 0 && d.at.compare(last) < 0 {
			d.until = time
		}
		return d.answered || d.until != 0 && d.by < at.block
	})
}

// gaps are the times in which a piece is not paid, whatever is proved: from a
// demand that was not answered until one that came later was. They hold for every
// id of the content that was in the set at the demand. Those in missed will stay
// so; a demand that is still open may yet be answered.
func (s *Sets) gaps(n *set, y *stay) (all, missed []span) {
	for _, d := range n.demands[y.of] {
		if d.answered || y.at.compare(d.at) > 0 {
			continue
		}
		g := span{d.time, d.until}
		if d.until == 0 {
			g.to = 1<<64 - 1
		}
		all = append(all, g)
		if d.by < s.block {
			missed = append(missed, g)
		}
	}
	return union(all), union(missed)
}

// open reports whether a demand for time before to may still be answered.
func (s *Sets) open(n *set, y *stay, to uint64) bool {
	return slices.ContainsFunc(n.demands[y.of], func(d *demand) bool {
		return !d.answered && d.by >= s.block && d.time < to && y.at.compare(d.at) < 0
	})
}

// union puts spans in order and joins those that meet.
func union(in []span) (out []span) {
	slices.SortFunc(in, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	for _, g := range in {
		if k := len(out); k > 0 && g.from <= out[k-1].to {
			out[k-1].to = max(out[k-1].to, g.to)
		} else {
			out = append(out, g)
		}
	}
	return out
}

// within is the part of the span in the others, which are ascending and apart.
func (w span) within(of []span) (out []span) {
	for _, g := range of {
		if lo, hi := max(w.from, g.from), min(w.to, g.to); lo < hi {
			out = append(out, span{lo, hi})
		}
	}
	return out
}

// without is the part of the span outside of the others.
func (w span) without(of []span) (out []span) {
	for _, g := range w.within(of) {
		if w.from < g.from {
			out = append(out, span{w.from, g.from})
		}
		w.from = g.to
	}
	if w.from < w.to {
		out = append(out, w)
	}
	return out
}
