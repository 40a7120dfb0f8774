package shardstream

import (
	"cmp"
	"slices"
	"time"

	"tally/protocol/piece"
)

// Nobody can tell from an outline alone whether it is true, nor from a slow source
// whether it means to be slow. So both have turns. Where several outlines are told, the
// first is read from for a turn; if it brings less than a brisk pace, the others get a turn
// each, and then the best goes on. What counts is what is here from the first span on
// with all its blocks found to be the root's, since the file is a function of the root: who only
// sends quickly what leads to nothing has brought nothing, what was brought stays, and an
// outline that contradicts it is a lie. In the same way, where more nodes are found than are
// asked at once, those that bring nothing in their turn give way, and who brings least
// while all bring little.

const (
	// turn is the first turn of a source, and of an outline; with each the next is twice as long.
	turn = 8 * time.Second
	// maxTurn is how often it doubles: to 8.5 minutes.
	maxTurn = 6
	// brisk is the pace, in bytes a second, with which nobody needs to give way.
	brisk = 1 << 20
	// waits is how many spans may be under way that a source brings in a block that is not whole.
	waits = 3
)

// standing is what an outline brought.
type standing struct {
	turns int
	pace  float64 // spans a tick, in the last turn
}

// tick is how often turns are looked at: seldom enough for every source to bring two
// spans on a line as narrow as ours may be.
func (t *fetch) tick() time.Duration {
	if line := t.f.c.Down.Rate(); line > 0 {
		two := time.Duration(2 * float64(t.f.c.MaxSources) * piece.LayerSpan / float64(line) * float64(time.Second))
		return max(turn, min(two, turn<<maxTurn))
	}
	return turn
}

// brisk is the brisk pace in spans a tick: no more than half of the line.
func (t *fetch) brisk() float64 {
	pace := float64(brisk)
	if line := t.f.c.Down.Rate(); line > 0 {
		pace = min(pace, float64(line)/2)
	}
	return pace * t.tick().Seconds() / piece.LayerSpan
}

func (t *fetch) standing(c claim) *standing {
	if t.standings[c] == nil {
		t.standings[c] = &standing{}
	}
	return t.standings[c]
}

// rivals are the outlines that are told besides the round's, the best first: those that
// had no turn, then by pace.
func (t *fetch) rivals() (out []claim) {
	for _, c := range t.order {
		if c.state == rival && !t.refused[c.claim] && !slices.Contains(out, c.claim) {
			out = append(out, c.claim)
		}
	}
	slices.SortStableFunc(out, func(a, b claim) int {
		x, y := t.standing(a), t.standing(b)
		return cmp.Or(min(x.turns, 1)-min(y.turns, 1), cmp.Compare(y.pace, x.pace), x.turns-y.turns)
	})
	return out
}

// yields says at a tick whether the round's outline gives way to another, which the
// next round is for.
func (t *fetch) yields(r *round) bool {
	this, at, ok := r.walked()
	if !ok || r.complete() {
		return false
	}
	others := t.rivals()
	stuck := at == r.last
	r.last = at
	if len(others) == 0 || r.ticks < 0 {
		r.began, r.ticks = at, 0
		return false
	}
	if stuck {
		r.queue.hurry()
	}
	s := t.standing(this)
	if r.ticks++; r.ticks < 1<<min(s.turns, maxTurn) {
		return false
	}
	s.turns++
	s.pace = float64(at-r.began) / float64(r.ticks)
	r.began, r.ticks = at, 0
	o := t.standing(others[0])
	if s.pace >= t.brisk() || o.turns > 0 && (o.pace < s.pace || o.pace == s.pace && o.turns >= s.turns) {
		return false
	}
	t.f.c.Logger.Info("what nodes say of a shard differs, and who said it first brings little: trying another", "root", t.w.Root, "size", this.size, "next", others[0].size)
	t.aim = &others[0]
	if known := r.certain(); len(known) > len(t.proven) {
		t.proven = known
	}
	if s.pace == 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, p := range r.vouched {
			t.put(t.candidates[p])
		}
	}
	return true
}

// put puts a candidate behind the others, in this fetch and in those that follow.
func (t *fetch) put(c *candidate) {
	c.turns++
	t.f.slowed(c.id)
}

// rotate has those sources give way, at a tick, that keep others from being asked.
func (t *fetch) rotate(r *round) {
	var slow []*source
	came := 0
	for s := range r.sources {
		spans, _ := r.of(s)
		fresh := spans - s.spans
		s.spans, s.fresh = spans, fresh
		s.ticks++
		came += fresh
		if s.ticks > 1<<min(s.c.turns, maxTurn) && !s.off && r.holdsUp(s) {
			slow = append(slow, s)
		}
	}
	if len(r.sources) < t.f.c.MaxSources || r.complete() {
		return
	}
	slices.SortFunc(slow, func(a, b *source) int { return cmp.Or(a.fresh-b.fresh, cmp.Compare(a.c.id, b.c.id)) })
	var next []*candidate
	for _, c := range t.order {
		if c.state == waiting {
			next = append(next, c)
		}
	}
	slices.SortStableFunc(next, func(a, b *candidate) int { return a.turns - b.turns })
	for i, s := range slow {
		if i == len(next) || next[i].turns > s.c.turns || s.fresh > 0 && (i > 0 || float64(came) >= t.brisk()) {
			return
		}
		s.off = true
		if s.fresh == 0 {
			t.put(s.c)
		} else {
			s.c.turns++
		}
		s.stop()
	}
}

// walked returns the round's outline, if it has one, and how many spans were walked that
// were not here when it was adopted.
func (r *round) walked() (this claim, spans int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.outline == nil {
		return claim{}, 0, false
	}
	return *r.outline, max(0, r.t.a.Walked()-r.had), true
}

// certain returns the beginning of the layer that every true outline has.
func (r *round) certain() []piece.Hash {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.outline == nil {
		return nil
	}
	return r.layer[:max(0, r.t.a.Walked()-waits)]
}

// holdsUp says whether a source has not said yet what the shard is, or owes spans.
func (r *round) holdsUp(s *source) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.joined[s] || r.queue.owes(s)
}
