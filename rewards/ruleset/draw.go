package ruleset

import (
	"encoding/binary"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"

	"tally/protocol"
)

// Drawn is a receipt that must pass an audit before it is settled.
type Drawn struct {
	ID       cid.Cid // the receipt's
	Receipt  protocol.Receipt
	Batch    uint64           // epoch of the batch that holds it
	Pick     uint64           // the leaf to repeat is Pick mod the number of leaves
	Auditors []common.Address // in the order in which they are asked, one an epoch
	Tries    uint64           // epochs that passed without a verdict
}

// Auditor is whose turn it is; false if nobody may audit this receipt.
func (d Drawn) Auditor() (common.Address, bool) {
	if len(d.Auditors) == 0 {
		return common.Address{}, false
	}
	return d.Auditors[d.Tries%uint64(len(d.Auditors))], true
}

// Draws names every receipt that the epoch must see audited: those drawn by the
// beacon among the new ones, those that the payer did not sign, and those still
// waiting from before. An auditor asks as soon as the commit window has closed
// and the beacons are there; Derive asks again.
func Draws(in Input) ([]Drawn, error) {
	d, err := prepare(in)
	if err != nil {
		return nil, err
	}
	return d.draws()
}

func (d *derivation) draws() ([]Drawn, error) {
	if len(d.noHash) > 0 {
		return nil, d.incomplete()
	}
	unsettled := map[common.Address]*big.Int{}
	for _, it := range d.items {
		if it.reason == 0 {
			addTo(unsettled, it.receipt.Worker, it.worth)
		}
	}
	rates := map[common.Address]uint64{}
	for w, r := range unsettled {
		rates[w] = d.in.Rules.Rate(Stats{Unsettled: r, Held: d.holds[w]})
	}
	var out []Drawn
	for _, it := range d.items {
		if it.reason != 0 || it.unread || it.state.Passed || !it.auditable() || !it.fresh && !it.state.Drawn && !it.undecided() {
			continue
		}
		beacon, ok := d.in.Beacons[it.state.Batch]
		if !ok {
			d.noBeacon[it.state.Batch] = true
			continue
		}
		word := crypto.Keccak256(beacon[:], it.digest[:])
		if it.cosigned && !it.state.Drawn && uint64(binary.BigEndian.Uint32(word)) >= rates[it.receipt.Worker] {
			continue
		}
		it.state.Drawn = true
		it.draw = &Drawn{
			ID: it.id, Receipt: it.receipt, Batch: it.state.Batch, Pick: binary.BigEndian.Uint64(word[8:]),
			Auditors: d.auditors(beacon, it), Tries: it.state.Tries,
		}
		out = append(out, *it.draw)
	}
	if len(d.noBeacon) > 0 {
		return nil, d.incomplete()
	}
	return out, nil
}

// undecided: it waited for its documents, so it has not been through a draw yet.
func (it *item) undecided() bool { return it.state.Unread > 0 && it.state.Held == 0 }

// auditors ranks who may audit the receipt: registered for it when commitments
// closed, and no part of the operator that did the work; the payer only where
// there is nobody else.
func (d *derivation) auditors(beacon common.Hash, it *item) []common.Address {
	closed := byTime(d.in.Params.CommitBy(it.state.Batch))
	worker, payer := d.view.payout(it.receipt.Worker, closed), d.view.payout(it.receipt.Payer, closed)
	var strangers, payers []protocol.Candidate
	for _, n := range d.view.registered(ClassAudit, closed) {
		c := protocol.Candidate{Worker: n.Node, Weight: 1}
		switch d.view.payout(n.Node, closed) {
		case worker:
		case payer:
			payers = append(payers, c)
		default:
			strangers = append(strangers, c)
		}
	}
	if len(strangers) == 0 {
		strangers = payers
	}
	return protocol.Rank(beacon, it.digest, strangers)
}

// verdict is what the auditors found about a drawn receipt: the outcome that
// stands, or 0 while whoever was asked has not answered. Whoever was asked in an
// epoch decides, unless more of the others that may audit say the opposite.
func (d *derivation) verdict(it *item, by map[common.Address]protocol.Verdict) protocol.Outcome {
	var asked protocol.Outcome
	equal, mismatch := 0, 0
	for _, a := range it.draw.Auditors {
		switch by[a].Outcome {
		case protocol.OutcomeEqual:
			equal++
		case protocol.OutcomeMismatch:
			mismatch++
		case protocol.OutcomeNoData:
		}
	}
	n := min(it.draw.Tries+1, uint64(len(it.draw.Auditors)))
	for _, a := range slices.Backward(it.draw.Auditors[:n]) {
		if o := by[a].Outcome; o == protocol.OutcomeEqual || o == protocol.OutcomeMismatch || o == protocol.OutcomeNoData && asked == 0 {
			asked = o
		}
	}
	switch {
	case asked == protocol.OutcomeEqual && mismatch > equal:
		return protocol.OutcomeMismatch
	case asked == protocol.OutcomeMismatch && equal > mismatch:
		return protocol.OutcomeEqual
	}
	return asked
}

// verdicts opens what auditors sent, by receipt and auditor. Whoever said two
// things about one receipt said nothing.
func (d *derivation) verdicts() map[cid.Cid]map[common.Address]protocol.Verdict {
	out := map[cid.Cid]map[common.Address]protocol.Verdict{}
	for _, s := range d.in.Verdicts {
		v, err := s.Open(d.in.Network)
		if err != nil {
			continue
		}
		of := out[v.Receipt]
		if of == nil {
			of = map[common.Address]protocol.Verdict{}
			out[v.Receipt] = of
		}
		if old, ok := of[v.Auditor]; ok && old.Outcome != v.Outcome && !(old.Outcome == protocol.OutcomeNoData || v.Outcome == protocol.OutcomeNoData) {
			v.Outcome = 0
		} else if ok && old.Outcome != protocol.OutcomeNoData {
			v = old
		}
		of[v.Auditor] = v
	}
	return out
}
