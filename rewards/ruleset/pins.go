package ruleset

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/protocol"
)

// item is the receipt of an open pin, as far as the rules need it.
func (p Pin) item() *item {
	return &item{
		id: p.Receipt, digest: p.Digest, worth: p.Value.Big(), settled: new(big.Int), returned: new(big.Int), emission: new(big.Int),
		receipt: protocol.Receipt{Worker: p.Worker, Payer: p.Payer, Kind: protocol.KindPin, Trace: p.Piece, UnitsIn: p.Size, Value: p.Value},
		state:   Pending{Batch: p.Batch}, steps: p.Steps, feeOnly: p.FeeOnly, pin: &p,
	}
}

// promise names who promised whom to keep what.
func (p Pin) promise() common.Hash {
	return crypto.Keccak256Hash(p.Payer[:], p.Worker[:], p.Piece[:])
}

// unearned is what open pins have of their value and did not earn yet.
func unearned(pins []Pin) *big.Int {
	sum := new(big.Int)
	for _, p := range pins {
		sum.Add(sum, p.Value.Big()).Sub(sum, p.Split.Big())
	}
	return sum
}

// open starts to pay a pin receipt whose value is in the pool.
func (l *ledger) open(it *item) {
	r := it.receipt
	switch {
	case r.UnitsOut == 0 || r.UnitsOut > l.d.in.Rules.PinLimit || r.Start > r.End:
		l.decline(it, "it promises no time that could be proved")
		return
	case it.worth.Cmp(l.d.in.Rules.pinLeast(r.UnitsIn, r.UnitsOut)) < 0:
		l.decline(it, "its value is below the least for its size and time")
		return
	}
	it.pin = &Pin{
		Receipt: it.id, Digest: it.digest, Worker: r.Worker, Payer: r.Payer, Batch: it.state.Batch, Piece: r.Trace, Size: r.UnitsIn,
		From: r.Start, Until: r.Start + r.UnitsOut, Seconds: r.UnitsOut, Steps: it.steps, FeeOnly: it.feeOnly, Value: r.Value,
	}
	l.opened = append(l.opened, it)
}

// decline gives a pin's value, which its channel's vouchers moved, back at once.
func (l *ledger) decline(it *item, why string) {
	it.pin = nil
	it.settled.Set(it.worth)
	l.credit(it.receipt.Payer, RolePayer, it.worth)
	it.end(protocol.ReasonRefunded, why)
}

// place finds room for the pins that open: those that pay most for a second
// first, so that many cheap ones keep none out that pays more.
func (l *ledger) place() {
	slices.SortFunc(l.opened, func(a, b *item) int {
		x := new(big.Int).Mul(a.worth, new(big.Int).SetUint64(b.pin.Seconds))
		y := new(big.Int).Mul(b.worth, new(big.Int).SetUint64(a.pin.Seconds))
		return cmp.Or(y.Cmp(x), bytes.Compare(a.digest[:], b.digest[:]))
	})
	kept := map[common.Address]uint64{}
	for _, it := range l.d.pins {
		kept[it.pin.Worker]++
	}
	all, rules := uint64(len(l.d.pins)), l.d.in.Rules
	l.opened = slices.DeleteFunc(l.opened, func(it *item) bool {
		switch w := it.pin.Worker; {
		case kept[w] >= rules.MaxKept:
			l.decline(it, "its worker has as many pins open as may be")
		case all >= rules.MaxPins:
			l.decline(it, "as many pins are open as may be")
		default:
			kept[w]++
			all++
			return false
		}
		return true
	})
}

// floor is the earliest time that pins which open after the epoch are paid for;
// NoEpoch is before the first. It never falls, so a promise that ends before it
// need not be remembered.
func (l *ledger) floor(epoch uint64) uint64 {
	p := l.d.in.Params
	if epoch == protocol.NoEpoch {
		return 0
	}
	end := p.End(epoch)
	late := l.d.in.Rules.PinLate
	if late > epoch { // so that the product is in range
		return 0
	}
	return end - late*p.EpochLength
}

// pins pays what was proved. Of two promises of one worker to one payer for one
// piece, the earlier is paid for the time that both cover.
func (l *ledger) pins() {
	for _, p := range l.d.in.Previous.Promises {
		l.promised[p.Of] = p.Until
	}
	l.place()
	slices.SortFunc(l.opened, func(a, b *item) int {
		return cmp.Or(cmp.Compare(a.pin.From, b.pin.From), bytes.Compare(a.digest[:], b.digest[:]))
	})
	for _, it := range l.opened {
		of := it.pin.promise()
		it.pin.From = max(it.pin.From, l.promised[of], l.floor(l.d.in.Previous.Epoch))
		if it.pin.From >= it.pin.Until {
			it.why = "its time is over or an earlier promise covers it"
		}
		l.promised[of] = max(l.promised[of], it.pin.Until)
	}
	for _, it := range l.d.pins {
		if why, ok := l.d.voided[it.pin.Worker]; ok {
			it.why = why
			l.giveBack(it)
			of := it.pin.promise() // what it promised beyond today is void, and may be promised anew
			l.promised[of] = min(l.promised[of], l.cut())
			continue
		}
		l.prove(it)
	}
	for _, it := range l.opened {
		l.prove(it)
	}
}

// cut is the last second that the epoch sees.
func (l *ledger) cut() uint64 { return l.d.in.Params.AuditBy(l.d.in.Epoch) }

// prove splits the part of a pin's value that was proved since the epoch before.
func (l *ledger) prove(it *item) {
	p, d := it.pin, l.d
	sets := d.view.sets()
	p.Proved = max(p.Proved, sets.Proved(p.Worker, p.Piece, p.Size, p.From, p.Until))
	due := new(big.Int).Mul(p.Value.Big(), new(big.Int).SetUint64(p.Proved))
	due.Quo(due, new(big.Int).SetUint64(p.Seconds)).Sub(due, p.Split.Big())
	if due.Sign() > 0 {
		it.settled.Add(it.settled, due)
		burned := l.split(it, due)
		p.Split = l.sum(p.Split, due)
		if p.FeeOnly == "" {
			it.emission = d.in.Rules.emission(burned, p.Steps)
			l.rewarded = append(l.rewarded, it)
		}
	}
	all := p.Until - min(p.From, p.Until)
	late := l.cut() > p.Until+d.in.Rules.PinGrace*d.in.Params.EpochLength
	if p.Proved == all || late && !sets.Awaits(p.Worker, p.Piece, p.Size, p.Until) {
		l.giveBack(it)
	}
}

// giveBack ends a pin: what it did not earn is its payer's again.
func (l *ledger) giveBack(it *item) {
	it.over = true
	it.returned.Sub(it.pin.Value.Big(), it.pin.Split.Big())
	it.settled.Add(it.settled, it.returned)
	l.credit(it.pin.Payer, RolePayer, it.returned)
}

// sum adds up; an amount that is out of range ends the derivation.
func (l *ledger) sum(a protocol.Amount, v *big.Int) protocol.Amount {
	sum, err := protocol.AmountOf(new(big.Int).Add(a.Big(), v))
	if err != nil && l.err == nil {
		l.err = err
	}
	return sum
}

// report gives every pin its reason, now that its emission is known.
func (l *ledger) report() {
	for _, it := range slices.Concat(l.d.pins, l.opened) {
		p := it.pin
		p.Emission = l.sum(p.Emission, it.emission)
		why := fmt.Sprintf("%d of %d seconds were proved", p.Proved, p.Seconds)
		if it.why != "" {
			why += "; " + it.why
		}
		switch {
		case !it.over:
			it.wait(protocol.ReasonHeldUntil, l.d.in.Epoch+1, why+" so far, and paid")
		case p.Split.IsZero():
			it.end(protocol.ReasonRefunded, why)
		case p.FeeOnly != "":
			it.end(protocol.ReasonFeeOnly, why+"; "+p.FeeOnly)
		case p.Emission.IsZero():
			it.end(protocol.ReasonFeeOnly, why+"; its burned share allowed no emission")
		default:
			it.end(protocol.ReasonRewarded, why)
		}
	}
}

// promises are those that a pin which opens later could still overlap.
func (l *ledger) promises() []Promise {
	var out []Promise
	floor := l.floor(l.d.in.Epoch)
	for _, of := range slices.SortedFunc(maps.Keys(l.promised), func(a, b common.Hash) int { return bytes.Compare(a[:], b[:]) }) {
		if until := l.promised[of]; until > floor {
			out = append(out, Promise{of, until})
		}
	}
	return out
}
