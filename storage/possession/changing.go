package possession

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"tally/storage/possession/proofset"
)

// meet brings the entries in line with the set: pieces that the chain has and no
// note names get one, and once a period every piece is looked for on the disk.
func (p *Prover) meet(ctx context.Context, set *proofset.Set) error {
	look := p.checked != p.head.Period+1
	p.checked = p.head.Period + 1
	for _, h := range set.Pieces() {
		p.mu.Lock()
		e := p.entries[h.Root]
		known := e != nil
		sound := known && e.note.Lost == 0
		if known {
			e.gone = 0
		}
		p.mu.Unlock()
		if known && !(look && sound) {
			continue
		}
		s, err := p.cfg.Pieces.Find(ctx, h.Root)
		if ctx.Err() != nil {
			return nil
		}
		if !known && errors.Is(err, ErrAway) {
			continue // it is noted once its shard can be looked for
		}
		if !known {
			p.log.Warn("a piece of the set is not among what is kept: it will be removed", "piece", h.Root, "id", h.ID)
			if e := p.edit(h.Root, func(e *entry, _ bool) (bool, error) {
				e.note.Root, e.note.Size, e.stray = s.Root, h.Size, true
				return true, nil
			}); e != nil {
				return e
			}
		}
		if err != nil {
			if err := p.hurt(h.Root, 0, err); err != nil {
				return err
			}
			continue
		}
		p.back(h.Root)
	}
	return nil
}

// givingUp gives up what has been lost for too long, though healing was tried.
// Periods in which the disk was away do not count.
func (p *Prover) givingUp() error {
	if p.cfg.GiveUpAfter == 0 {
		return nil
	}
	for _, root := range p.roots(func(e *entry) bool {
		return e.note.Lost != 0 && e.hurt && !e.note.GivenUp && p.head.Period+1 >= e.note.Lost+p.cfg.GiveUpAfter
	}) {
		p.log.Warn("a piece was lost for too long and is given up", "piece", root)
		if err := p.edit(root, func(e *entry, _ bool) (bool, error) {
			e.note.Wanted, e.note.GivenUp = false, true
			return true, nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// roots are the piece roots of the entries that f wants, in order. f is called
// with mu held.
func (p *Prover) roots(f func(*entry) bool) []common.Hash {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []common.Hash
	for root, e := range p.entries {
		if f(e) {
			out = append(out, root)
		}
	}
	slices.SortFunc(out, func(a, b common.Hash) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// changing follows the change of the set that is under way, or begins the next.
func (p *Prover) changing(ctx context.Context, set *proofset.Set) error {
	if p.change != nil {
		switch over, failed, why := p.follow(ctx, set); {
		case !over:
			return nil
		case failed && why == "": // nobody refused it: a crash came between
			p.log.Info("whether a change of the set was sent is not known, it is planned anew")
		case failed:
			p.fails++
			p.after = p.head.Block + min(uint64(1)<<min(p.fails, 16), max(p.cfg.Settle, p.cfg.Params.ProofPeriod/4))
			p.trouble = why
			p.log.Warn("change of the set failed and is planned anew", "why", why, "from block", p.after)
			p.putOff(p.change)
		default:
			p.fails, p.trouble = 0, ""
			p.removed = len(p.change.Removed) > 0
		}
		p.change = nil
		if err := p.forget(keyChange); err != nil {
			return err
		}
	}
	if p.head.Block < p.after {
		return nil
	}
	n, c, err := p.plan(ctx, set)
	if err != nil || n == nil {
		return err
	}
	if f, ok := c.(Forfeit); ok {
		if err := p.close(f.Period, "given up: "+p.reason(f.Period)); err != nil {
			return err
		}
	}
	p.change = n
	why, err := p.send(ctx, keyChange, n, &n.Sending, c)
	if why != "" {
		p.trouble = why
	}
	return err
}

// follow says whether the change under way is over, and how.
func (p *Prover) follow(ctx context.Context, set *proofset.Set) (over, failed bool, why string) {
	n := p.change
	in, ids := map[common.Hash]bool{}, map[uint64]bool{}
	for _, h := range set.Pieces() {
		in[h.Root], ids[h.ID] = true, true
	}
	done := true
	for _, r := range n.Added {
		done = done && in[r]
	}
	for _, id := range n.Removed {
		done = done && !ids[id]
	}
	if f := n.Forfeited; f != 0 {
		done = set.GaveUp(f-1) || f-1 < p.head.Period
	}
	if done {
		return true, false, ""
	}
	again, why := p.due(ctx, &n.Sending)
	if again && why == "" {
		why = p.trouble
	}
	return again, again, why
}

// putOff lets a piece wait that was refused alone, so that it does not hold up the
// others.
func (p *Prover) putOff(n *changeNote) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(n.Added) == 1 {
		if e := p.entries[n.Added[0]]; e != nil {
			e.retry = p.head.Block + p.cfg.Params.ProofPeriod
		}
	}
}

// plan chooses the next change of the set, from facts alone.
func (p *Prover) plan(ctx context.Context, set *proofset.Set) (*changeNote, Call, error) {
	q := p.head.Period
	if p.head.Block >= p.end() {
		return nil, nil, nil // it would be mined in the next period
	}
	batch := max(1, p.cfg.Batch>>min(p.fails/2, 16)) // a batch with a bad piece in it ends alone
	_, leaves := set.Challenged(q)
	may := leaves == 0 || set.Proved(q) || set.GaveUp(q)
	out := p.removable(set)
	if len(out) > 0 && !may && p.stuck() {
		return &changeNote{Forfeited: q + 1}, Forfeit{q}, nil
	}
	add, err := p.addable(ctx, set, batch)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case len(out) > 0 && may && (len(add) == 0 || !p.removed):
		out = out[:min(len(out), batch)]
		return &changeNote{Removed: out}, RemovePieces{out}, nil
	case len(add) > 0:
		n := &changeNote{}
		for _, s := range add {
			n.Added = append(n.Added, s.Piece)
		}
		return n, AddPieces{add}, nil
	}
	return nil, nil, nil
}

// removable are the ids of pieces that are not wanted, or in the set twice, but
// for those of which an auditor waits for a leaf: the contract keeps them.
func (p *Prover) removable(set *proofset.Set) []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []uint64
	twice, asked := map[common.Hash]bool{}, map[uint64]bool{}
	for _, d := range set.Demands() {
		asked[d.ID] = asked[d.ID] || d.By > p.head.Block
	}
	for _, h := range set.Pieces() {
		if e := p.entries[h.Root]; e != nil && !asked[h.ID] && (!e.note.Wanted || twice[h.Root]) {
			out = append(out, h.ID)
		}
		twice[h.Root] = true
	}
	return out
}

// stuck says whether a piece that was given up keeps the current proof from being
// whole, or one that nobody wants, was not healed, and has had half of the window to be.
func (p *Prover) stuck() bool {
	if p.proof == nil || p.proof.Period != p.head.Period {
		return false
	}
	late := p.head.Block >= p.cfg.Params.ChallengeBlock(p.head.Period)+p.cfg.Params.ProofPeriod/2
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.proof.Leaves, func(s shown) bool {
		e := p.entries[s.Piece]
		return s.Data == nil && e != nil && e.note.Lost != 0 && (e.note.GivenUp || late && !e.note.Wanted && e.hurt)
	})
}

// addable are shards that are wanted, held and not in the set.
func (p *Prover) addable(ctx context.Context, set *proofset.Set, most int) ([]Shard, error) {
	in := map[common.Hash]bool{}
	for _, h := range set.Pieces() {
		in[h.Root] = true
	}
	var out []Shard
	for _, root := range p.roots(func(e *entry) bool {
		return e.note.Wanted && e.note.Lost == 0 && max(e.retry, e.away) <= p.head.Block && !in[e.note.Piece]
	}) {
		if len(out) == most {
			break
		}
		s, err := p.cfg.Pieces.Find(ctx, root)
		if ctx.Err() != nil {
			return nil, nil
		}
		if err != nil {
			if err := p.hurt(root, 0, err); err != nil {
				return nil, err
			}
			continue
		}
		out = append(out, s)
	}
	return out, nil
}

// releasing lets go of what is neither wanted nor in the set, once that has
// settled. What was given up is looked at once more before: what is sound after
// all, because its disk is back, is kept again.
func (p *Prover) releasing(ctx context.Context, set *proofset.Set) error {
	in := map[common.Hash]bool{}
	for _, h := range set.Pieces() {
		in[h.Root] = true
	}
	if p.change != nil {
		for _, r := range p.change.Added {
			in[r] = true // it may still get in
		}
	}
	for _, root := range p.roots(func(e *entry) bool {
		if e.note.Wanted || in[e.note.Piece] {
			e.gone = 0
			return false
		}
		if e.gone == 0 {
			e.gone = p.head.Block + 1
		}
		due := p.head.Block+1 >= e.gone+p.cfg.Settle
		if due && !e.going && !e.looked && e.note.GivenUp && e.note.Lost != 0 && e.note.Root.Defined() {
			e.last = true
			return false
		}
		e.going = e.going || due
		return e.going
	}) {
		p.mu.Lock()
		s := p.entries[root].shard()
		p.mu.Unlock()
		if s.Root.Defined() {
			if err := p.cfg.Pieces.Release(ctx, s.Root); err != nil {
				if ctx.Err() == nil {
					p.log.Warn("shard is still held though nothing is left to prove", "root", s.Root, "err", err)
				}
				continue
			}
		}
		if err := p.forget(keepKey(root)); err != nil {
			return err
		}
		p.mu.Lock()
		delete(p.entries, root)
		p.mu.Unlock()
		p.log.Info("shard is released", "root", s.Root, "piece", root)
	}
	return nil
}

// report publishes what Status shows.
func (p *Prover) report(set *proofset.Set) {
	q := p.head.Period
	st := Status{Head: p.head.Block, Period: q, Deadline: p.end(), Missed: set.Missed(q), Suspended: set.Suspended(q)}
	st.LastProved, st.EverProved = set.LastProved()
	st.Proved = set.Proved(q)
	_, st.Leaves = set.Challenged(q)
	for _, c := range p.closed {
		if !set.Proved(c.Period) {
			st.Closed = append(st.Closed, Closed(c))
		}
	}
	st.Demands = len(p.answers)
	if n := p.proof; n != nil && n.Period == q && st.Leaves > 0 && !st.Proved {
		for _, l := range n.Leaves {
			if l.Data != nil {
				st.Read++
			}
		}
		if p.head.Block >= p.cfg.Params.ChallengeBlock(q)+p.cfg.Params.ProofPeriod/2 {
			st.Problems = append(st.Problems, fmt.Sprintf("half of the window is over and period %d is not proved (last block %d): %s", q, st.Deadline, p.reason(q)))
		}
	}
	if st.Suspended {
		st.Problems = append(st.Problems, fmt.Sprintf("%d periods were missed in a row: this node counts as no holder until it proves again", st.Missed))
	}
	if p.fails > 2 {
		st.Problems = append(st.Problems, "the set on chain cannot be changed: "+p.trouble)
	}
	if n := len(p.roots(func(e *entry) bool { return e.stray && !e.note.Wanted })); n > 0 {
		st.Problems = append(st.Problems, fmt.Sprintf("%d pieces of the set were promised by nobody here and are removed: see that no other program runs with this node's key", n))
	}
	if len(set.Demands()) > maxAnswers {
		st.Problems = append(st.Problems, fmt.Sprintf("%d demands are open, %d are answered at a time", len(set.Demands()), maxAnswers))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.set = st, set
}
