package retrieval

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/rewards/journal"
	"tally/rewards/possession"
	"tally/rewards/ruleset"
)

// MaxDraw bounds what is drawn for one auditor in an epoch.
const MaxDraw = 64

// Check is one leaf that an auditor asks for.
type Check struct {
	Epoch uint64
	Node  common.Address
	ID    uint64      // of the piece in the node's set
	Piece common.Hash // root
	Size  uint64      // bytes of the CAR file
	Leaf  uint64
}

func (c Check) question() journal.Question {
	return journal.Question{Epoch: c.Epoch, Node: c.Node, Piece: c.Piece, Leaf: c.Leaf}
}

func questionOf(r protocol.RetrievalReport) journal.Question {
	return journal.Question{Epoch: r.Epoch, Node: r.Node, Piece: r.Piece, Leaf: r.Leaf}
}

// Round is what the chain says of an epoch's checks: who may check, who holds
// what, what is paid for, and the beacon. It is immutable but for Pay.
type Round struct {
	Epoch    uint64
	beacon   common.Hash
	holders  []possession.Holder
	paid     []paid
	auditors map[common.Address]bool
	payout   map[common.Address]common.Address

	mu    sync.Mutex
	drawn map[common.Address][]Check // guarded by mu; what was drawn already
}

// NewRound takes the facts up to the epoch's CommitBy, and the first block after
// it: its number and its hash, which is the epoch's beacon.
func NewRound(facts []protocol.Fact, p protocol.Params, epoch, block uint64, beacon common.Hash) *Round {
	until := p.CommitBy(epoch)
	r := &Round{
		Epoch: epoch, beacon: beacon, holders: possession.Read(facts, p, until).Holders(p.PeriodAt(block)),
		auditors: map[common.Address]bool{}, payout: map[common.Address]common.Address{},
		drawn: map[common.Address][]Check{},
	}
	var fs []protocol.Fact
	for _, f := range facts {
		switch f.Event.(type) {
		case protocol.NodeRegistered, protocol.NodeDeregistered:
			if f.Time <= until {
				fs = append(fs, f)
			}
		}
	}
	slices.SortStableFunc(fs, func(a, b protocol.Fact) int {
		return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Index, b.Index))
	})
	for _, f := range fs {
		switch e := f.Event.(type) {
		case protocol.NodeRegistered:
			r.auditors[e.Node], r.payout[e.Node] = slices.Contains(e.Classes, ruleset.ClassAudit), e.Payout
		case protocol.NodeDeregistered:
			delete(r.auditors, e.Node)
			delete(r.payout, e.Node)
		}
	}
	return r
}

// operator is who gets a node's rewards, which is as much as the chain can tell.
func (r *Round) operator(a common.Address) common.Address {
	if p := r.payout[a]; p != (common.Address{}) {
		return p
	}
	return a
}

// Draw is what an auditor checks in the round, in order; more of them begin with
// the same. There are fewer where there is less to check, and none for who is no
// auditor. A holder is drawn first, each with the same chance, then a leaf of all
// that it holds: for the i-th, w = keccak256("retrieval" ‖ beacon ‖ auditor ‖ i as 8
// bytes); bytes 0…7 of w modulo the number of holders, by address and without the
// auditor's own, and bytes 8…15 modulo the holder's leaves. Where pins are paid, every even i draws one of
// them by value instead: bytes 8…31 modulo the sum of their values, and bytes 0…7
// modulo the piece's leaves. Repetitions are left out.
func (r *Round) Draw(auditor common.Address, n int) []Check {
	if !r.auditors[auditor] {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	all, ok := r.drawn[auditor]
	if !ok {
		all = r.draw(auditor)
		r.drawn[auditor] = all
	}
	return slices.Clone(all[:max(0, min(n, len(all)))])
}

func (r *Round) draw(auditor common.Address) []Check {
	var holders []possession.Holder
	for _, h := range r.holders {
		if r.operator(h.Node) != r.operator(auditor) {
			holders = append(holders, h)
		}
	}
	if len(holders) == 0 {
		return nil
	}
	own := r.operator(auditor)
	due := newLots(slices.DeleteFunc(slices.Clone(r.paid), func(p paid) bool { return r.operator(p.node) == own }))
	var out []Check
	for i := uint64(0); len(out) < MaxDraw && i < 4*MaxDraw; i++ {
		w := crypto.Keccak256([]byte("retrieval"), r.beacon[:], auditor[:], binary.BigEndian.AppendUint64(nil, i))
		h := holders[binary.BigEndian.Uint64(w)%uint64(len(holders))]
		total := leaves(h.Pieces)
		if total == 0 {
			continue
		}
		p, leaf, err := protocol.FindLeaf(h.Pieces, binary.BigEndian.Uint64(w[8:])%total)
		if err != nil {
			continue
		}
		node := h.Node
		if q, ok := due.pick(w[8:]); ok && i%2 == 0 {
			node, p, leaf = q.node, q.held, binary.BigEndian.Uint64(w)%piece.Leaves(q.held.Size)
		}
		c := Check{Epoch: r.Epoch, Node: node, ID: p.ID, Piece: p.Root, Size: p.Size, Leaf: leaf}
		if !slices.ContainsFunc(out, func(o Check) bool { return o.question() == c.question() }) {
			out = append(out, c)
		}
	}
	return out
}

func leaves(ps []protocol.HeldPiece) (sum uint64) {
	for _, p := range ps {
		sum += piece.Leaves(p.Size)
	}
	return sum
}

// others are further nodes that hold a check's piece, in an order that the beacon
// gives, without the auditor itself.
func (r *Round) others(c Check, auditor common.Address) []common.Address {
	var cs []protocol.Candidate
	for _, h := range r.holders {
		has := slices.ContainsFunc(h.Pieces, func(p protocol.HeldPiece) bool { return p.Root == c.Piece && p.Size == c.Size })
		if has && h.Node != c.Node && h.Node != auditor {
			cs = append(cs, protocol.Candidate{Worker: h.Node, Weight: 1})
		}
	}
	return protocol.Rank(r.beacon, c.Piece, cs)
}

// Admits reports whether a report is of this round: an auditor's, on a check that
// was drawn for it, with an outcome that is one. Its signature is the caller's to
// check.
func (r *Round) Admits(m protocol.RetrievalReport) bool {
	if m.Epoch != r.Epoch || m.Outcome < protocol.RetrievalGood || m.Outcome > protocol.RetrievalWrong {
		return false
	}
	return slices.ContainsFunc(r.Draw(m.Auditor, MaxDraw), func(c Check) bool {
		return c.question() == questionOf(m)
	})
}

// Latest is the newest epoch whose beacon is there; false while there is none.
func Latest(p protocol.Params, now uint64) (uint64, bool) {
	e := p.EpochAt(now)
	for e > 0 && now <= p.CommitBy(e) {
		e--
	}
	return e, now > p.CommitBy(e)
}
