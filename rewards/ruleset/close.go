package ruleset

import (
	"bytes"
	"cmp"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
)

// amounts converts big integers, keeping the first error.
type amounts struct{ err error }

func (c *amounts) of(v *big.Int) protocol.Amount {
	a, err := protocol.AmountOf(v)
	if err != nil && c.err == nil {
		c.err = err
	}
	return a
}

// close adds everything up: balances, deltas, sums, trees and the next state.
func (l *ledger) close() (*Epoch, error) {
	d := l.d
	holds, err := l.holds()
	if err != nil {
		return nil, err
	}
	to := amounts{l.err}
	e := &Epoch{
		Number: d.in.Epoch, Previous: d.in.Previous.Epoch, Batches: d.batches,
		before: d.in.Previous, received: d.view.redeemed,
	}
	s := State{Epoch: d.in.Epoch, Holds: holds, Carried: d.carried, Received: to.of(d.view.received)}
	s.Burned = to.of(new(big.Int).Add(d.in.Previous.Burned.Big(), l.burned))
	s.Minted = to.of(new(big.Int).Add(d.in.Previous.Minted.Big(), l.minted))
	e.Burned, e.Minted = to.of(l.burned), to.of(l.minted)
	for _, c := range d.channels {
		s.Channels = append(s.Channels, *c)
	}
	slices.SortFunc(s.Channels, func(a, b Channel) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	s.Promises = l.promises()
	l.outcomes(e, &s, &to)
	l.balances(e, &s, &to)
	back := new(big.Int).Set(d.view.received)
	for _, c := range s.Channels {
		back.Sub(back, c.Credited.Big())
	}
	for _, h := range s.Holds {
		back.Add(back, h.Amount.Big())
	}
	back.Add(back, unearned(s.Pins))
	e.HeldBack = to.of(back)
	if to.err != nil {
		return nil, fmt.Errorf("ruleset: add up epoch %d: %w", e.Number, to.err)
	}
	e.State = s
	leaves, err := s.Leaves()
	if err != nil {
		return nil, err
	}
	if e.Tree, err = protocol.NewSumTree(leaves); err != nil {
		return nil, err
	}
	e.Root = e.Tree.Root()
	e.Commitments, err = commitments(d.in.Network, d.batches)
	return e, err
}

// commitments is the root over the digests of the batches that were read.
func commitments(n protocol.Network, bs []BatchOutcome) (common.Hash, error) {
	var leaves []common.Hash
	for _, b := range bs {
		if b.Reason != 0 {
			continue
		}
		h, err := protocol.Digest(n, b.Batch)
		if err != nil {
			return common.Hash{}, err
		}
		leaves = append(leaves, h)
	}
	return protocol.MerkleRoot(leaves), nil
}

func (l *ledger) outcomes(e *Epoch, s *State, to *amounts) {
	for _, it := range slices.Concat(l.d.items, l.d.pins) {
		r := it.receipt
		var p Progress
		if it.pin != nil {
			p = Progress{it.pin.Seconds, it.pin.Proved, it.pin.Split, to.of(it.returned), it.pin.Emission}
		}
		e.Outcomes = append(e.Outcomes, Outcome{
			Receipt: it.id, Digest: it.digest, Worker: r.Worker, Payer: r.Payer, Batch: it.state.Batch, Kind: r.Kind,
			Reason: it.reason, Until: it.until, Value: to.of(it.worth), Settled: to.of(it.settled), Emission: to.of(it.emission), Pin: p, Why: it.why,
		})
		if it.pin != nil {
			if !it.over {
				s.Pins = append(s.Pins, *it.pin)
			}
		} else if it.reason == protocol.ReasonHeldUntil || it.reason == protocol.ReasonAuditPending {
			it.state.Reason = it.reason
			s.Pending = append(s.Pending, it.state)
		}
		if !it.fresh {
			e.waiting++
		}
	}
	slices.SortStableFunc(s.Pending, func(a, b Pending) int {
		return cmp.Or(cmp.Compare(a.Batch, b.Batch), bytes.Compare(a.Envelope, b.Envelope))
	})
	slices.SortFunc(s.Pins, func(a, b Pin) int {
		return cmp.Or(cmp.Compare(a.Batch, b.Batch), bytes.Compare(a.Digest[:], b.Digest[:]))
	})
	for r := protocol.ReasonRewarded; r <= protocol.RejectedCap; r++ {
		var n uint64
		v := new(big.Int)
		for _, o := range e.Outcomes {
			if o.Reason == r {
				n++
				v.Add(v, o.Value.Big())
			}
		}
		for _, b := range e.Batches {
			if b.Reason == r {
				n += b.Count
			}
		}
		if n > 0 {
			e.Tallies = append(e.Tallies, Tally{r, n, to.of(v)})
		}
	}
}

func (l *ledger) balances(e *Epoch, s *State, to *amounts) {
	all := map[common.Address]*[roles]*big.Int{}
	at := func(a common.Address) *[roles]*big.Int {
		if all[a] == nil {
			all[a] = new([roles]*big.Int)
			for r := range all[a] {
				all[a][r] = new(big.Int)
			}
		}
		return all[a]
	}
	for _, b := range l.d.in.Previous.Balances {
		for _, r := range Roles() {
			at(b.Account)[r].Add(at(b.Account)[r], b.Of(r).Big())
		}
	}
	for _, a := range sortedKeys(l.earned) {
		for _, r := range Roles() {
			v := l.earned[a][r]
			if v == nil {
				continue
			}
			at(a)[r].Add(at(a)[r], v)
			e.Deltas = append(e.Deltas, Delta{a, r, to.of(v)})
		}
	}
	for _, a := range sortedKeys(all) {
		v := all[a]
		s.Balances = append(s.Balances, Balance{
			Account: a, Worker: to.of(v[RoleWorker]), Pinner: to.of(v[RolePinner]), Contributor: to.of(v[RoleContributor]),
			Owner: to.of(v[RoleOwner]), Auditor: to.of(v[RoleAuditor]), Treasury: to.of(v[RoleTreasury]), Payer: to.of(v[RolePayer]),
		})
	}
}

// Check proves what holds in every epoch; ErrInvariant names what does not.
//
// The sums over reasons equal what was committed; every receipt has one reason;
// no channel is credited more than its vouchers moved; balances grow by the
// deltas; and total = received − burned + minted − held back, where held back is
// what channels collected beyond what was settled, plus what open pins have not
// earned yet, plus the emission on hold.
func (e *Epoch) Check() error {
	bad := func(what string, a, b any) error {
		return fmt.Errorf("%w: epoch %d: %s: %v and %v", ErrInvariant, e.Number, what, a, b)
	}
	committed, read := e.waiting, e.waiting
	for _, b := range e.Batches {
		committed += b.Count
		if b.Reason == 0 {
			read += b.Count
		}
	}
	var reasons uint64
	byReason, byReceipt := new(big.Int), new(big.Int)
	for _, t := range e.Tallies {
		reasons += t.Count
		byReason.Add(byReason, t.Value.Big())
	}
	for _, o := range e.Outcomes {
		if o.Reason < protocol.ReasonRewarded || o.Reason > protocol.RejectedCap {
			return bad("a receipt has no reason", o.Receipt, o.Reason)
		}
		byReceipt.Add(byReceipt, o.Value.Big())
	}
	switch {
	case reasons != committed:
		return bad("receipts by reason and committed", reasons, committed)
	case uint64(len(e.Outcomes)) != read:
		return bad("receipts with an outcome and read", len(e.Outcomes), read)
	case byReason.Cmp(byReceipt) != 0:
		return bad("value by reason and committed", byReason, byReceipt)
	}
	held, credited, moved := new(big.Int), new(big.Int), new(big.Int)
	for _, c := range e.State.Channels {
		credited.Add(credited, c.Credited.Big())
		if c.Credited.Cmp(e.received[c.ID].Collected) > 0 {
			return bad("a channel's credit and collected", c.Credited, e.received[c.ID].Collected)
		}
	}
	for _, r := range e.received {
		moved.Add(moved, r.Collected.Big())
	}
	if moved.Cmp(e.State.Received.Big()) != 0 {
		return bad("collected by channel and received", moved, e.State.Received)
	}
	held.Sub(moved, credited)
	for _, h := range e.State.Holds {
		held.Add(held, h.Amount.Big())
	}
	for _, p := range e.State.Pins {
		if p.Split.Cmp(p.Value) > 0 || p.Proved > p.Seconds {
			return bad("a pin's earnings and value", p.Split, p.Value)
		}
	}
	held.Add(held, unearned(e.State.Pins))
	if held.Cmp(e.HeldBack.Big()) != 0 {
		return bad("held back by part and in all", held, e.HeldBack)
	}
	want := new(big.Int).Sub(e.State.Received.Big(), e.State.Burned.Big())
	want.Add(want, e.State.Minted.Big()).Sub(want, held)
	if want.Cmp(e.Root.Sum.Big()) != 0 {
		return bad("claimable and ledger", e.Root.Sum, want)
	}
	return e.checkGrowth(bad)
}

func (e *Epoch) checkGrowth(bad func(string, any, any) error) error {
	sum, settled := new(big.Int), new(big.Int)
	for _, b := range e.before.Balances {
		t, err := b.Total()
		if err != nil {
			return err
		}
		sum.Add(sum, t.Big())
	}
	for _, d := range e.Deltas {
		sum.Add(sum, d.Amount.Big())
	}
	if sum.Cmp(e.Root.Sum.Big()) != 0 {
		return bad("balances before plus deltas and after", sum, e.Root.Sum)
	}
	for _, o := range e.Outcomes {
		settled.Add(settled, o.Settled.Big())
	}
	for _, c := range e.before.Channels {
		settled.Add(settled, c.Credited.Big())
	}
	for _, c := range e.State.Channels {
		settled.Sub(settled, c.Credited.Big())
	}
	settled.Sub(settled, unearned(e.before.Pins)).Add(settled, unearned(e.State.Pins))
	if settled.Sign() != 0 {
		return bad("settled by receipt and by channel differ by", settled, 0)
	}
	return nil
}
