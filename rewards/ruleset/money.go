package ruleset

import (
	"bytes"
	"cmp"
	"maps"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
)

// ledger does the money of one epoch.
type ledger struct {
	d        *derivation
	earned   map[common.Address]*[roles]*big.Int
	auditing *big.Int // auditors' parts of all fees
	burned   *big.Int
	minted   *big.Int
	holders  map[cid.Cid]map[common.Address]bool
	rewarded []*item                // with emission, in order
	err      error                  // the first amount out of range
	opened   []*item                // pins that open in this epoch
	promised map[common.Hash]uint64 // end of the last promise, by what it is of
}

func newLedger(d *derivation) *ledger {
	return &ledger{
		d: d, earned: map[common.Address]*[roles]*big.Int{}, auditing: new(big.Int),
		burned: new(big.Int), minted: new(big.Int),
		holders: map[cid.Cid]map[common.Address]bool{}, promised: map[common.Hash]uint64{},
	}
}

func (l *ledger) credit(a common.Address, r Role, v *big.Int) {
	if v.Sign() == 0 {
		return
	}
	e := l.earned[a]
	if e == nil {
		e = new([roles]*big.Int)
		l.earned[a] = e
	}
	if e[r] == nil {
		e[r] = new(big.Int)
	}
	e[r].Add(e[r], v)
}

// settle judges everything that is left, channel by channel in its order, and
// splits what can be paid.
func (l *ledger) settle() {
	l.attest()
	order := slices.Clone(l.d.items)
	slices.SortStableFunc(order, func(a, b *item) int {
		return cmp.Or(bytes.Compare(a.receipt.Channel[:], b.receipt.Channel[:]), cmp.Compare(a.receipt.Seq, b.receipt.Seq))
	})
	for _, it := range order {
		switch it.reason {
		case 0:
			l.pay(it)
		case protocol.ReasonRefunded, protocol.RejectedMismatch:
			l.refund(it)
		default:
		}
	}
	l.pins()
	l.emit()
	l.report()
	l.reward()
}

// room takes the receipt's value from what its channel's vouchers moved into
// the pool; false if they do not cover it.
func (l *ledger) room(it *item) bool {
	c := l.d.channels[it.receipt.Channel]
	red, ok := l.d.view.redeemed[it.receipt.Channel]
	if c == nil || !ok || it.receipt.Seq > red.Seq {
		return false
	}
	credited := new(big.Int).Add(c.Credited.Big(), it.worth)
	if credited.Cmp(red.Collected.Big()) > 0 {
		return false
	}
	a, err := protocol.AmountOf(credited)
	if err != nil {
		return false
	}
	c.Credited = a
	return true
}

func (l *ledger) pay(it *item) {
	next := l.d.in.Epoch + 1
	if it.unread && it.state.Unread == 0 {
		it.state.Unread++
		it.wait(protocol.ReasonHeldUntil, next, "its documents could not be had")
		return
	}
	if it.unread && !it.cosigned && !it.state.Passed {
		it.end(protocol.RejectedSignature, "the payer did not sign, and no audit can stand in")
		return
	}
	if o := l.d.view.offers[it.receipt.Offer]; it.worth.Cmp(o.Value.Big()) > 0 {
		it.end(protocol.RejectedCap, "it asks for more than its offer locked")
		return
	}
	if !l.room(it) {
		if it.state.Held == 0 {
			it.state.Held++
			it.wait(protocol.ReasonHeldUntil, next, "no redeemed voucher covers it yet")
			return
		}
		it.end(protocol.RejectedCap, "no redeemed voucher covers it")
		return
	}
	if it.receipt.Kind == protocol.KindPin {
		l.open(it)
		return
	}
	it.settled.Set(it.worth)
	burned := l.split(it, it.worth)
	it.end(protocol.ReasonFeeOnly, it.feeOnly)
	if it.feeOnly != "" {
		return
	}
	if it.model != nil && uint64(len(l.holders[it.infer.Model])) < l.d.in.Rules.MinHolders {
		it.why = "too few operators hold its model"
		return
	}
	if it.emission = l.d.in.Rules.emission(burned, it.steps); it.emission.Sign() == 0 {
		it.why = "its burned share allows no emission"
		return
	}
	it.end(protocol.ReasonRewarded, "")
	l.rewarded = append(l.rewarded, it)
}

// refund gives the payer what the channel's vouchers had moved for this receipt.
func (l *ledger) refund(it *item) {
	if l.room(it) {
		it.settled.Set(it.worth)
		l.credit(it.receipt.Payer, RolePayer, it.worth)
		return
	}
	it.end(protocol.RejectedMismatch, it.why)
}

func policyOf(it *item, r Rules) protocol.Policy {
	switch {
	case it.receipt.Kind == protocol.KindTrain:
		return r.Train
	case it.receipt.Kind == protocol.KindPin:
		return r.Pin
	case it.model != nil:
		return it.model.Policy
	default:
		return r.Other
	}
}

// split gives a fee, or the part of one that is earned, to whom the policy names: every part rounded down, what
// is left over to the treasury. It returns the burned part.
func (l *ledger) split(it *item, fee *big.Int) *big.Int {
	p := policyOf(it, l.d.in.Rules)
	left := new(big.Int).Set(fee)
	part := func(bps uint16) *big.Int {
		v := new(big.Int).Mul(fee, big.NewInt(int64(bps)))
		v.Quo(v, big.NewInt(10_000))
		left.Sub(left, v)
		return v
	}
	l.credit(it.receipt.Worker, roleOf(it), part(p.Worker))
	var owners, contributors []protocol.Share
	if it.model != nil {
		owners, contributors = it.model.Owners, it.model.Contributors
	}
	left.Add(left, l.share(part(p.Owners), owners, RoleOwner))
	left.Add(left, l.share(part(p.Contributors), contributors, RoleContributor))
	l.auditing.Add(l.auditing, part(p.Auditors))
	burned := part(p.Burn)
	l.burned.Add(l.burned, burned)
	l.credit(l.treasury(), RoleTreasury, left)
	return burned
}

// share splits v by weight and returns what rounding, or having nobody, leaves.
func (l *ledger) share(v *big.Int, among []protocol.Share, r Role) *big.Int {
	var sum uint64
	for _, s := range among {
		sum += s.Weight // checked by Model.Validate
	}
	left := new(big.Int).Set(v)
	for _, s := range among {
		x := new(big.Int).Mul(v, new(big.Int).SetUint64(s.Weight))
		x.Quo(x, new(big.Int).SetUint64(sum))
		l.credit(s.Account, r, x)
		left.Sub(left, x)
	}
	return left
}

// treasury is the ledger contract's own account: nobody has a key for it.
func (l *ledger) treasury() common.Address { return l.d.in.Network.Ledger }

func roleOf(it *item) Role {
	if it.receipt.Kind == protocol.KindPin {
		return RolePinner
	}
	return RoleWorker
}

// emit brings emission under the epoch's cap, all in proportion, and holds it.
func (l *ledger) emit() {
	total := new(big.Int)
	for _, it := range l.rewarded {
		total.Add(total, it.emission)
	}
	limit := l.d.in.Params.MintCap.Big()
	for _, it := range l.rewarded {
		if total.Cmp(limit) > 0 {
			it.emission.Mul(it.emission, limit)
			it.emission.Quo(it.emission, total)
		}
		if it.emission.Sign() == 0 && it.pin == nil {
			it.end(protocol.ReasonFeeOnly, "the epoch's emission is used up")
		}
		l.minted.Add(l.minted, it.emission)
	}
}

// reward pays the auditors, by the number of decisive verdicts that counted.
func (l *ledger) reward() {
	count := map[common.Address]uint64{}
	all := l.d.verdicts()
	var total uint64
	for _, it := range l.d.items {
		if it.draw == nil || !it.state.Passed && it.reason != protocol.RejectedMismatch {
			continue
		}
		for _, a := range it.draw.Auditors[:min(it.draw.Tries+1, uint64(len(it.draw.Auditors)))] {
			o := all[it.id][a].Outcome
			if it.state.Passed && o == protocol.OutcomeEqual || !it.state.Passed && o == protocol.OutcomeMismatch {
				count[a]++
				total++
			}
		}
	}
	left := new(big.Int).Set(l.auditing)
	for a, n := range count {
		v := new(big.Int).Mul(l.auditing, new(big.Int).SetUint64(n))
		v.Quo(v, new(big.Int).SetUint64(total))
		l.credit(a, RoleAuditor, v)
		left.Sub(left, v)
	}
	l.credit(l.treasury(), RoleTreasury, left)
}

// attest finds which operators say that they hold a model: registered nodes with
// a signed advert that covers part of the epoch, one for each payout address.
func (l *ledger) attest() {
	p, epoch := l.d.in.Params, l.d.in.Epoch
	from, to := p.End(epoch)-p.EpochLength, p.End(epoch)
	closed := byTime(to)
	for _, s := range l.d.in.Adverts {
		a, err := s.Open(l.d.in.Network)
		if err != nil || a.Since >= to || a.Until < from || l.d.view.at(a.Worker, closed) == nil {
			continue
		}
		for _, m := range a.Models {
			if l.holders[m] == nil {
				l.holders[m] = map[common.Address]bool{}
			}
			l.holders[m][l.d.view.payout(a.Worker, closed)] = true
		}
	}
}

// holds carries held emission on, releases what is due and forfeits what a
// caught worker had.
func (l *ledger) holds() ([]Hold, error) {
	var out []Hold
	for _, h := range l.d.in.Previous.Holds {
		switch {
		case l.d.voided[h.Account] != "":
			l.burned.Add(l.burned, h.Amount.Big())
		case h.Until <= l.d.in.Epoch:
			l.credit(h.Account, h.Role, h.Amount.Big())
		default:
			out = append(out, h)
		}
	}
	type slot struct {
		a common.Address
		r Role
	}
	fresh := map[slot]*big.Int{}
	for _, it := range l.rewarded {
		if it.emission.Sign() > 0 {
			addTo(fresh, slot{it.receipt.Worker, roleOf(it)}, it.emission)
		}
	}
	for s, v := range fresh {
		a, err := protocol.AmountOf(v)
		if err != nil {
			return nil, err
		}
		out = append(out, Hold{s.a, s.r, l.d.in.Epoch + l.d.in.Rules.HoldEpochs, a})
	}
	slices.SortFunc(out, func(a, b Hold) int {
		return cmp.Or(bytes.Compare(a.Account[:], b.Account[:]), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Until, b.Until))
	})
	return out, nil
}

func sortedKeys[V any](m map[common.Address]V) []common.Address {
	return slices.SortedFunc(maps.Keys(m), func(a, b common.Address) int { return bytes.Compare(a[:], b[:]) })
}
