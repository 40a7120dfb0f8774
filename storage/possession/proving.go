package possession

import (
	"context"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage/possession/proofset"
)

// rollover closes the periods that ended since the last step.
func (p *Prover) rollover(set *proofset.Set) error {
	now := p.head.Period
	defer func() { p.period = now + 1 }()
	if p.period == now+1 {
		return nil
	}
	p.mined = map[common.Hash]uint64{}
	if p.period > now+1 { // a reorganisation took the beginning of a period back
		p.closed = slices.DeleteFunc(p.closed, func(c closedNote) bool { return c.Period >= now })
	}
	if p.period != 0 {
		for q := max(p.period-1, now-min(now, keptClosed)); q < now; q++ {
			if !set.Due(q) || set.Proved(q) {
				continue
			}
			if err := p.close(q, p.reason(q)); err != nil {
				return err
			}
		}
	}
	if p.proof != nil && p.proof.Period != now {
		p.proof = nil
		return p.forget(keyProof)
	}
	return nil
}

// reason is why a past period was not proved.
func (p *Prover) reason(q uint64) string {
	switch {
	case p.proof == nil || p.proof.Period != q:
		return "the node did not run, or had not read the chain"
	case p.proof.Reason != "":
		return p.proof.Reason
	case !p.proof.whole():
		return "the leaves were not read in time"
	}
	return "the proof was not mined in time"
}

// close records a period that was not proved.
func (p *Prover) close(q uint64, why string) error {
	if slices.ContainsFunc(p.closed, func(c closedNote) bool { return c.Period == q }) {
		return nil
	}
	c := closedNote{q, clip(why)}
	if err := putNote(p.cfg.Notes, closedKey(q), c); err != nil {
		return err
	}
	if p.closed = append(p.closed, c); len(p.closed) > keptClosed {
		p.closed = p.closed[1:]
	}
	p.log.Warn("period was not proved", "period", q, "reason", c.Reason)
	return nil
}

// proving brings the proof of the current period one step on.
func (p *Prover) proving(ctx context.Context, set *proofset.Set) error {
	q := p.head.Period
	pieces, leaves := set.Challenged(q)
	if leaves == 0 || set.Proved(q) || set.GaveUp(q) {
		return nil // the note stays: a reorganisation may take the proof back
	}
	if err := p.draw(pieces, leaves); err != nil {
		return err
	}
	n := p.proof
	if n == nil {
		return nil
	}
	start := p.cfg.Params.ChallengeBlock(q)
	defer func() {
		if p.head.Block >= start+p.cfg.Params.ProofPeriod/2 && p.warned != q+1 {
			p.warned = q + 1
			p.log.Warn("half of the window is over without a proof", "period", q, "last block", p.end(), "reason", p.reason(q))
		}
	}()
	if !n.whole() || !p.sound(n) || p.head.Block <= start+SendDelay(p.cfg.Params, p.cfg.Node, q) {
		return nil // in the period's first block an endpoint's trial of the call knows no seed
	}
	if p.head.Block >= p.end() {
		n.blame("the proof was ready or lost too late to be sent again")
		return nil
	}
	send, why := p.due(ctx, &n.Sending)
	if !send {
		n.blame(why)
		return nil
	}
	c := Prove{Period: q}
	for _, l := range n.Leaves {
		c.Leaves = append(c.Leaves, l.leaf())
	}
	why, err := p.send(ctx, keyProof, n, &n.Sending, c)
	n.blame(why)
	return err
}

// draw notes which leaves are to be shown, anew when the seed is another one.
func (p *Prover) draw(pieces []protocol.HeldPiece, leaves uint64) error {
	q := p.head.Period
	seed, err := p.cfg.Chain.BlockHash(p.cfg.Params.ChallengeBlock(q))
	if err != nil {
		p.log.Debug("seed of the period is not known yet", "period", q, "err", err)
		return nil
	}
	drawn, err := proofset.Draw(pieces, leaves, seed, p.cfg.Node, q, p.cfg.Params.ProofLeaves)
	if err != nil {
		p.log.Error("leaves cannot be drawn", "period", q, "err", err)
		return nil
	}
	n := &proofNote{Period: q, Seed: seed}
	for _, d := range drawn {
		n.Leaves = append(n.Leaves, shown{ID: d.ID, Piece: d.Root, Size: d.Size, Index: d.Leaf})
	}
	if p.proof != nil {
		if p.proof.Period == q && p.proof.Seed == seed && slices.EqualFunc(p.proof.Leaves, n.Leaves, shown.same) {
			return nil
		}
		p.log.Info("leaves are drawn anew after a reorganisation", "period", q, "seed", seed)
	}
	p.proof = n
	return putNote(p.cfg.Notes, keyProof, n)
}

func (s shown) same(o shown) bool {
	return s.ID == o.ID && s.Piece == o.Piece && s.Size == o.Size && s.Index == o.Index
}

// sound checks leaves again that come from a note: what the contract would refuse
// is read again.
func (p *Prover) sound(n *proofNote) bool {
	ok := true
	for i := range n.Leaves {
		if l := &n.Leaves[i]; l.sound() != nil {
			l.Data, l.Path, ok = nil, nil, false
			p.log.Warn("noted leaf does not fit its piece, it is read again", "piece", l.Piece, "leaf", l.Index)
		}
	}
	return ok
}

// blame says why there is no proof yet. It is written down with the note's next
// change, and by close.
func (n *proofNote) blame(why string) {
	if why != "" {
		n.Reason = clip(why)
	}
}

// due says whether a call is to be handed over now, or why the last one failed.
func (p *Prover) due(ctx context.Context, s *sending) (now bool, why string) {
	if s.Sent == 0 {
		return true, ""
	}
	age := p.head.Block - min(p.head.Block, s.Sent-1)
	patience := min(uint64(1)<<min(s.Tries, 16), max(p.cfg.Settle, p.cfg.Params.ProofPeriod/16))
	if s.Tx == (common.Hash{}) { // it failed, or a crash came between: it may be on its way
		return age >= patience, ""
	}
	switch o, err := p.cfg.Wallet.Outcome(ctx, s.Tx); {
	case err != nil:
		return false, fmt.Sprintf("what became of transaction %s is not known: %s", s.Tx, err)
	case o == Pending:
		delete(p.mined, s.Tx)
		return false, "the transaction is not mined yet"
	case o == Mined:
		at, seen := p.mined[s.Tx]
		if !seen || at > p.head.Block {
			p.mined[s.Tx] = p.head.Block
			return false, ""
		}
		return p.head.Block >= at+p.cfg.Settle, "the transaction was mined without its event"
	case o == Reverted:
		return age >= patience, "the contract refused the transaction"
	}
	return age >= patience, "the transaction was lost"
}

// send writes down that a call is about to go, hands it over, and writes down its
// hash. why is the wallet's refusal; err means that Notes failed.
func (p *Prover) send(ctx context.Context, key string, note any, s *sending, c Call) (why string, err error) {
	s.Sent, s.Tx = p.head.Block+1, common.Hash{}
	s.Tries++
	if err := putNote(p.cfg.Notes, key, note); err != nil {
		return "", err
	}
	tx, err := p.cfg.Wallet.Submit(ctx, c)
	if err != nil {
		if ctx.Err() == nil {
			p.log.Warn("call was not taken, it will be tried again", "call", fmt.Sprintf("%T", c), "try", s.Tries, "err", err)
		}
		return "not sent: " + err.Error(), nil
	}
	s.Tx = tx
	p.log.Info("call is on its way", "call", fmt.Sprintf("%T", c), "tx", tx, "block", p.head.Block)
	return "", putNote(p.cfg.Notes, key, note)
}

// answering works on the open demands.
func (p *Prover) answering(ctx context.Context, set *proofset.Set) error {
	open := map[answerKey]bool{}
	byID := map[uint64]protocol.HeldPiece{}
	for _, h := range set.Pieces() {
		byID[h.ID] = h
	}
	for _, d := range set.Demands() {
		h, ok := byID[d.ID]
		k := answerKey{d.ID, d.Leaf}
		if !ok || d.Leaf >= piece.Leaves(h.Size) || d.By <= p.head.Block || open[k] || len(open) == maxAnswers {
			continue // over, or the same leaf is asked for with less time
		}
		open[k] = true
		n := p.answers[k]
		if n == nil || n.By != d.By || n.Leaf.Piece != h.Root {
			n = &answerNote{By: d.By, Leaf: shown{ID: h.ID, Piece: h.Root, Size: h.Size, Index: d.Leaf}}
			p.answers[k] = n
			if err := putNote(p.cfg.Notes, k.String(), n); err != nil {
				return err
			}
			p.log.Info("an auditor asks for a leaf on chain", "piece", h.Root, "leaf", d.Leaf, "by block", d.By)
		}
		if n.Leaf.Data == nil {
			continue
		}
		if n.Leaf.sound() != nil {
			n.Leaf.Data, n.Leaf.Path = nil, nil
			continue
		}
		if send, _ := p.due(ctx, &n.Sending); send {
			if _, err := p.send(ctx, k.String(), n, &n.Sending, Answer{n.Leaf.leaf()}); err != nil {
				return err
			}
		}
	}
	for k := range p.answers {
		if !open[k] {
			delete(p.answers, k)
			if err := p.forget(k.String()); err != nil {
				return err
			}
		}
	}
	return nil
}
