package possession

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
)

// Status is what the operator is shown.
type Status struct {
	Head       uint64 // newest block seen
	Period     uint64 // of that block
	Deadline   uint64 // the period's last block
	Leaves     uint64 // under challenge in the period; 0 is nothing to prove
	Read       int    // of the leaves drawn, while the period is not proved
	Proved     bool   // the chain has the period's proof
	LastProved uint64 // the newest period proved, if EverProved
	EverProved bool
	Missed     uint64 // periods missed in a row up to now
	Suspended  bool
	Closed     []Closed // past periods that were missed, oldest first
	Demands    int      // of auditors, being answered
	Pieces     []PieceStatus
	Problems   []string
}

// Closed is a past period that was not proved, and why.
type Closed struct {
	Period uint64
	Reason string
}

// State is how far a piece is.
type State string

// States of a piece.
const (
	Have    State = "have"    // on disk and promised, not on chain yet
	Proving State = "proving" // in the set
	Leaving State = "leaving" // no longer wanted, still needed
	Away    State = "away"    // wanted, and the disk cannot be looked at now
	Healing State = "healing" // a read failed, help was asked for
	LostNow State = "lost"    // and did not come; it is asked for again
)

// PieceStatus is one piece.
type PieceStatus struct {
	Root   cid.Cid // none if the shard is not here
	Piece  common.Hash
	Size   uint64
	State  State
	Wanted bool   // promised, and neither dropped nor given up
	Since  uint64 // first period in which it is drawn from, if it is in the set
	OnSet  bool
	Reason string // why it is healing or lost
}

// Status is as of the last step of Run.
func (p *Prover) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.status
	st.Problems, st.Closed, st.Pieces = slices.Clone(st.Problems), slices.Clone(st.Closed), p.list()
	slices.SortFunc(st.Pieces, func(a, b PieceStatus) int { return bytes.Compare(a.Piece[:], b.Piece[:]) })
	for _, s := range st.Pieces {
		if s.State == LostNow {
			st.Problems = append(st.Problems, "piece "+s.Piece.Hex()+" is lost: "+s.Reason)
		}
	}
	if n, why := p.awayNow(); n > 0 {
		st.Problems = append(st.Problems, fmt.Sprintf("%d pieces cannot be looked at now: %s", n, why))
	}
	slices.Sort(st.Problems)
	return st
}

// awayNow counts what is away, with one reason. The caller holds mu.
func (p *Prover) awayNow() (n int, why string) {
	for _, e := range p.entries {
		if e.away != 0 && e.note.Lost == 0 {
			n, why = n+1, max(why, e.awayWhy)
		}
	}
	return n, why
}

// Head is the newest block that Run has seen; 0 before its first step.
func (p *Prover) Head() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status.Head
}

// Pieces are those of Status, in no order.
func (p *Prover) Pieces() []PieceStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.list()
}

// list is Pieces. The caller holds mu.
func (p *Prover) list() []PieceStatus {
	since := p.set.Since()
	out := make([]PieceStatus, 0, len(p.entries))
	for root, e := range p.entries {
		from, in := since[root]
		s := PieceStatus{Root: e.note.Root, Piece: root, Size: e.note.Size, Wanted: e.note.Wanted, Since: from, OnSet: in, Reason: e.note.Reason}
		switch {
		case e.note.Lost != 0 && e.hurt:
			s.State = LostNow
		case e.note.Lost != 0:
			s.State = Healing
		case !e.note.Wanted:
			s.State = Leaving
		case e.away != 0:
			s.State, s.Reason = Away, e.awayWhy
		case in:
			s.State = Proving
		default:
			s.State = Have
		}
		out = append(out, s)
	}
	return out
}
