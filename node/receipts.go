package node

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"tally/node/api"
	"tally/node/join"
	"tally/protocol"
	"tally/rewards/ledger"
)

// ListReceipts implements api.Receipts: what this node did and what it paid for,
// newest last.
func (n *Node) ListReceipts(context.Context) ([]api.Receipt, error) {
	out := []api.Receipt{}
	for e, err := range n.ledger.Receipts(ledger.Filter{}) {
		if err != nil {
			return nil, err
		}
		out = append(out, receiptJSON(e))
	}
	sort.SliceStable(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if a.End != b.End {
			return a.End < b.End
		}
		return a.Offer < b.Offer || a.Offer == b.Offer && a.Seq < b.Seq
	})
	return out, nil
}

// ShowReceipt implements api.Receipts.
func (n *Node) ShowReceipt(_ context.Context, id string) (api.Receipt, error) {
	e, err := n.receipt(id)
	return receiptJSON(e), err
}

func (n *Node) receipt(id string) (ledger.Entry, error) {
	c, err := parseCID("receipt", id)
	if err != nil {
		return ledger.Entry{}, err
	}
	e, err := n.ledger.Receipt(c)
	if errors.Is(err, ledger.ErrNotFound) {
		err = fmt.Errorf("%w: this node knows no receipt %s: ask its worker's or its payer's node", api.ErrNotFound, c)
	}
	return e, err
}

// VerifyReceipt implements api.Receipts: signatures, offer, ranking and, where
// the work can be had, the work itself.
func (n *Node) VerifyReceipt(ctx context.Context, id string) (api.Verification, error) {
	e, err := n.receipt(id)
	if err != nil {
		return api.Verification{}, err
	}
	v := api.Verification{Receipt: receiptJSON(e), Checks: []string{}}
	wrong := func(format string, a ...any) (api.Verification, error) {
		v.Problem = fmt.Sprintf(format, a...)
		return v, nil
	}
	r, cosigned, err := e.Envelope.Open(n.book.Network)
	if err != nil {
		return wrong("%v", err)
	}
	v.Checks = append(v.Checks, "the worker signed it")
	if !cosigned {
		return wrong("the payer did not co-sign it: it is paid only after an audit")
	}
	v.Checks = append(v.Checks, "the payer co-signed it")
	o, err := n.view.Offer(r.Offer)
	if err != nil {
		return wrong("%v", err)
	}
	if o.Offer.Submitter != r.Payer || o.Offer.Kind != r.Kind || !o.Offer.Spec.Equals(r.Spec) || r.Channel != protocol.Channel(r.Offer, r.Worker) {
		return wrong("it does not say what its offer says")
	}
	v.Checks = append(v.Checks, fmt.Sprintf("its offer is on the chain, in block %d", o.Block))
	if r.Value.Cmp(o.Offer.Value) > 0 {
		return wrong("its value %s is past the offer's lock of %s", r.Value, o.Offer.Value)
	}
	v.Checks = append(v.Checks, "its value is within the offer's lock")
	if r.Kind == protocol.KindPin {
		v.Valid = true
		return v, nil
	}
	f, err := n.repeater.VerifyReceipt(ctx, r, uint64(r.Seq))
	if err != nil {
		return v, fmt.Errorf("node: repeat the work: %w", err)
	}
	switch f.Outcome {
	case protocol.OutcomeEqual:
		v.Repeated = true
		v.Checks = append(v.Checks, fmt.Sprintf("the work was done again here: leaf %d is equal", f.Leaf))
	case protocol.OutcomeNoData:
		v.Checks = append(v.Checks, "the work was not done again: what it needs is disclosed to drawn auditors only, or could not be had")
	case protocol.OutcomeMismatch:
		return wrong("the work was done again here, and leaf %d differs", f.Leaf)
	}
	v.Valid = true
	return v, nil
}

func receiptJSON(e ledger.Entry) api.Receipt {
	r := e.Receipt
	out := api.Receipt{
		CID: text(e.ID), Envelope: text(e.Envelope.CID()), Kind: r.Kind.String(), Offer: r.Offer.Hex(), Payer: r.Payer.Hex(), Worker: r.Worker.Hex(),
		Epoch: r.Epoch, Seq: r.Seq, Rank: r.Rank, UnitsIn: r.UnitsIn, UnitsOut: r.UnitsOut, Value: r.Value, Spec: text(r.Spec),
		Output: text(r.Output), Trace: r.Trace.Hex(), Start: r.Start, End: r.End, Cosigned: e.Cosigned, Why: e.Why,
	}
	if e.Reason != 0 {
		out.Reason = e.Reason.String()
	}
	return out
}

func (n *Node) epochs() join.Epochs { return join.Epochs{Store: n.store} }
