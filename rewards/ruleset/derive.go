package ruleset

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
)

// Epoch is what an epoch came to.
type Epoch struct {
	Number      uint64
	Previous    uint64 // epoch of the state it started from, or NoEpoch
	Ruleset     common.Hash
	Outcomes    []Outcome      // one for each receipt that was read or waited
	Batches     []BatchOutcome // one for each commitment that was due
	Deltas      []Delta
	Tallies     []Tally
	State       State             // where the next epoch starts
	Root        protocol.SumNode  // of cumulative balances
	Commitments common.Hash       // Merkle root over the digests of the batches read, by epoch and worker
	Minted      protocol.Amount   // of this epoch
	Burned      protocol.Amount   // of this epoch
	HeldBack    protocol.Amount   // in the pool, or minted, and nobody's to claim yet
	Drawn       []Drawn           // what had to be audited
	Tree        *protocol.SumTree // over State.Balances

	before   State
	received map[common.Hash]protocol.Redeemed
	waiting  uint64 // receipts that came in from the state before
}

// Derive applies the rules. It fails on an input that lacks the chain's part or
// contradicts itself; whatever peers wrote is judged, and never an error.
func Derive(in Input) (*Epoch, error) {
	hash, err := in.Rules.Hash()
	if err != nil {
		return nil, err
	}
	d, err := prepare(in)
	if err != nil {
		return nil, err
	}
	drawn, err := d.draws()
	if err != nil {
		return nil, err
	}
	d.audit()
	d.accuse()
	d.void()
	l := newLedger(d)
	l.settle()
	e, err := l.close()
	if err != nil {
		return nil, err
	}
	e.Ruleset, e.Drawn = hash, drawn
	return e, e.Check()
}

func (d *derivation) incomplete() error {
	return fmt.Errorf("%w: %d blocks for rankings, beacons of %d epochs", ErrIncomplete, len(d.noHash), len(d.noBeacon))
}

// audit settles what verdicts say about the drawn.
func (d *derivation) audit() {
	next := d.in.Epoch + 1
	all := d.verdicts()
	for _, it := range d.items {
		if it.draw == nil {
			continue
		}
		if len(it.draw.Auditors) == 0 {
			if !it.cosigned {
				it.end(protocol.RejectedSignature, "the payer did not sign, and nobody may audit it")
			}
			it.feeOnly = "nobody may audit it"
			continue
		}
		switch d.verdict(it, all[it.id]) {
		case protocol.OutcomeEqual:
			it.state.Passed = true
			continue
		case protocol.OutcomeMismatch:
			d.voided[it.receipt.Worker] = "another receipt of its worker failed an audit"
			it.end(protocol.RejectedMismatch, "an audit computed something else")
			continue
		case protocol.OutcomeNoData:
			it.state.NoData++
		default:
		}
		if it.state.Tries++; it.state.Tries < d.in.Rules.AuditTries {
			it.wait(protocol.ReasonAuditPending, next, "no verdict yet: the next auditor is asked")
			continue
		}
		switch {
		case !it.cosigned:
			it.end(protocol.RejectedSignature, "the payer did not sign, and no audit vouched for it")
		case it.state.NoData > 0:
			it.feeOnly = "what an audit needs could not be had"
		default:
			// Whoever was asked did not answer: the worker is not to suffer for it.
		}
	}
}

// accuse finds the nodes that the chain saw sign wrong data since the epoch before.
func (d *derivation) accuse() {
	before := d.in.Previous.Epoch
	for _, w := range d.view.wrong {
		if before == protocol.NoEpoch || w.time > d.in.Params.AuditBy(before) {
			d.voided[w.node] = "its worker signed data that is not the piece's"
		}
	}
}

// void takes everything unsettled from a worker that was caught.
func (d *derivation) void() {
	for _, it := range d.items {
		if why, ok := d.voided[it.receipt.Worker]; ok && (it.reason == 0 || it.reason == protocol.ReasonAuditPending) {
			it.end(protocol.ReasonRefunded, why)
		}
	}
}
