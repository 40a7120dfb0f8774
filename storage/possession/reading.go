package possession

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol/piece"
)

// need is a leaf that is to be read, and the last block in which it is of use.
type need struct {
	id    uint64
	piece common.Hash
	size  uint64
	leaf  uint64
	by    uint64
}

// reading is the one read under way.
type reading struct {
	need
	cancel context.CancelFunc
}

type readDone struct {
	need
	proof piece.Proof
	err   error
}

type healDone struct {
	shard Shard // as found after healing
	err   error
}

// needs are the leaves to read, the most urgent first.
func (p *Prover) needs() []need {
	var out []need
	for _, a := range p.answers {
		if l := a.Leaf; l.Data == nil {
			out = append(out, need{l.ID, l.Piece, l.Size, l.Index, a.By})
		}
	}
	if n := p.proof; n != nil && n.Period == p.head.Period {
		for _, l := range n.Leaves {
			if l.Data == nil {
				out = append(out, need{l.ID, l.Piece, l.Size, l.Index, p.end()})
			}
		}
	}
	slices.SortFunc(out, func(a, b need) int {
		return cmp.Or(cmp.Compare(a.by, b.by), cmp.Compare(a.id, b.id), cmp.Compare(a.leaf, b.leaf))
	})
	return out
}

// readNext starts the most urgent read, one at a time: a home disk is slow, and
// slower with two readers. A read that nobody needs any more is cancelled.
func (p *Prover) readNext(ctx context.Context) {
	needs := p.needs()
	if r := p.reading; r != nil {
		if !slices.ContainsFunc(needs, func(n need) bool { return n.piece == r.piece && n.leaf == r.leaf }) {
			r.cancel()
		}
		return
	}
	for _, n := range needs {
		p.mu.Lock()
		e := p.entries[n.piece]
		var sh Shard
		ok := e != nil && e.note.Lost == 0 && e.note.Root.Defined() && e.away <= p.head.Block
		why := ""
		switch {
		case ok:
			sh = e.shard()
		case e != nil && e.note.Lost == 0 && e.away != 0:
			why = e.awayWhy
		case e != nil:
			why = e.note.Reason
		}
		p.mu.Unlock()
		if !ok { // it is being healed, or away
			if p.proof != nil && n.by == p.end() {
				p.proof.blame(fmt.Sprintf("leaf %d of piece %s cannot be read: %s", n.leaf, n.piece, why))
			}
			continue
		}
		rctx, cancel := context.WithCancel(ctx)
		p.reading = &reading{n, cancel}
		go func() {
			pr, err := p.show(rctx, sh, n.leaf)
			p.reads <- readDone{n, pr, err}
		}()
		return
	}
}

// show reads a leaf and checks it against the piece root.
func (p *Prover) show(ctx context.Context, s Shard, leaf uint64) (piece.Proof, error) {
	pr, err := p.cfg.Pieces.PieceProof(ctx, s.Root, leaf)
	if err != nil {
		return pr, err
	}
	if pr.Index != leaf {
		return pr, fmt.Errorf("leaf %d came as %d: %w", leaf, pr.Index, piece.ErrProof)
	}
	return pr, piece.Verify(s.Piece, s.Size, pr)
}

// haveRead takes the result of a read.
func (p *Prover) haveRead(d readDone) error {
	p.reading.cancel()
	p.reading = nil
	if d.err != nil {
		if errors.Is(d.err, context.Canceled) {
			return nil
		}
		return p.hurt(d.piece, d.leaf, d.err)
	}
	p.back(d.piece)
	for k, a := range p.answers {
		if a.Leaf.take(d.piece, d.proof) {
			if err := putNote(p.cfg.Notes, k.String(), a); err != nil {
				return err
			}
		}
	}
	if p.proof == nil {
		return nil
	}
	taken := false
	for i := range p.proof.Leaves {
		taken = p.proof.Leaves[i].take(d.piece, d.proof) || taken
	}
	if !taken {
		return nil
	}
	return putNote(p.cfg.Notes, keyProof, p.proof)
}

// hurt notes that a piece could not be read.
func (p *Prover) hurt(root common.Hash, leaf uint64, why error) error {
	if p.proof != nil {
		p.proof.blame(fmt.Sprintf("leaf %d of piece %s cannot be read: %s", leaf, root, why))
	}
	if errors.Is(why, ErrAway) {
		p.away(root, why)
		return nil
	}
	p.log.Warn("piece cannot be read, healing is asked for", "piece", root, "leaf", leaf, "err", why)
	return p.edit(root, func(e *entry, fresh bool) (bool, error) {
		if fresh || e.note.Lost != 0 {
			return false, nil
		}
		e.note.Lost, e.note.Reason, e.leaf, e.retry = p.head.Period+1, clip(why.Error()), leaf, 0
		return true, nil
	})
}

// away notes that a piece cannot be looked at now: it is looked at again in the
// next block.
func (p *Prover) away(root common.Hash, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.entries[root]
	if e == nil {
		return
	}
	if e.away == 0 {
		p.log.Warn("piece cannot be looked at now, it is tried again", "piece", root, "err", why)
	}
	e.away, e.awayWhy = p.head.Block+1, clip(why.Error())
}

// back ends away.
func (p *Prover) back(root common.Hash) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.entries[root]; e != nil {
		e.away, e.awayWhy = 0, ""
	}
}

// healNext asks for one lost piece to be healed, one at a time.
func (p *Prover) healNext(ctx context.Context) {
	if p.healing != nil {
		return
	}
	p.mu.Lock()
	var next *entry
	for _, e := range p.entries {
		if e.note.Lost == 0 || e.note.GivenUp && !e.last || e.going || e.retry > p.head.Block {
			continue
		}
		if next == nil || cmp.Or(cmp.Compare(e.retry, next.retry), e.note.Piece.Cmp(next.note.Piece)) < 0 {
			next = e
		}
	}
	if next == nil {
		p.mu.Unlock()
		return
	}
	s, leaf := next.shard(), next.leaf
	next.retry = p.head.Block + max(1, p.cfg.Params.ProofPeriod/8)
	p.mu.Unlock()
	p.healing = &s
	go func() {
		err := p.cfg.Pieces.Heal(ctx, s)
		if err == nil {
			var found Shard
			if found, err = p.cfg.Pieces.Find(ctx, s.Piece); err == nil {
				s = found
				_, err = p.show(ctx, s, leaf)
			}
		}
		p.heals <- healDone{s, err}
	}()
}

func (e *entry) shard() Shard { return Shard{e.note.Root, e.note.Piece, e.note.Size} }

// haveHealed takes the result of a healing.
func (p *Prover) haveHealed(d healDone) error {
	p.healing = nil
	if errors.Is(d.err, context.Canceled) {
		return nil
	}
	if d.err == nil {
		p.log.Info("piece is sound again", "piece", d.shard.Piece)
	}
	return p.edit(d.shard.Piece, func(e *entry, fresh bool) (bool, error) {
		if fresh {
			return false, nil
		}
		if d.err == nil {
			if e.last && e.note.GivenUp {
				p.log.Info("piece that was given up is here, and is kept again", "piece", d.shard.Piece)
				e.note.Wanted, e.note.GivenUp = true, false
			}
			e.note.Root, e.note.Lost, e.note.Reason, e.hurt, e.retry = d.shard.Root, 0, "", false, 0
			e.away, e.awayWhy, e.last, e.looked = 0, "", false, false
			return true, nil
		}
		why := clip("not healed: " + d.err.Error())
		if errors.Is(d.err, ErrAway) { // nobody could look: the count begins anew
			changed := e.note.Lost != p.head.Period+1 || e.note.Reason != why
			e.note.Lost, e.note.Reason = p.head.Period+1, why
			return changed, nil
		}
		if e.hurt = true; e.last && e.note.GivenUp {
			e.last, e.looked, e.note.Reason = false, true, why
			return true, nil
		}
		e.note.Reason = why
		return true, nil // hurt is to be remembered, if not on disk
	})
}
