package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/node/api"
	"tally/node/join"
	"tally/protocol"
	"tally/rewards"
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
func (n *Node) ShowReceipt(ctx context.Context, id string) (api.Receipt, error) {
	e, err := n.receipt(ctx, id)
	return receiptJSON(e), err
}

// envelopeWithin is how long the network may take to find an envelope.
const envelopeWithin = 15 * time.Second

// receipt is one that the node did or paid for, by its id, or anybody's, by the
// CID of its envelope, which is public once its batch is.
func (n *Node) receipt(ctx context.Context, id string) (ledger.Entry, error) {
	c, err := parseCID("receipt", id)
	if err != nil {
		return ledger.Entry{}, err
	}
	e, err := n.ledger.Receipt(c)
	if !errors.Is(err, ledger.ErrNotFound) {
		return e, err
	}
	ctx, cancel := context.WithTimeout(ctx, envelopeWithin)
	defer cancel()
	b, err := n.store.GetBlock(ctx, c)
	if err != nil {
		return ledger.Entry{}, fmt.Errorf("%w: this node knows no receipt %s, and finds no envelope of that CID: ask its worker's or its payer's node", api.ErrNotFound, c)
	}
	env, err := protocol.ParseCosigned(b)
	if err != nil {
		return ledger.Entry{}, fmt.Errorf("%w: %s is no receipt: %w", api.ErrBadRequest, c, err)
	}
	r, cosigned, err := env.Open(n.book.Network)
	if err != nil {
		return ledger.Entry{}, fmt.Errorf("%w: %w", api.ErrBadRequest, err)
	}
	return ledger.Entry{ID: env.ID(), Envelope: env, Receipt: r, Cosigned: cosigned}, nil
}

func disclosedKey(receipt cid.Cid, to common.Address) []byte {
	return append(append([]byte("disclosed/"), receipt.Bytes()...), to[:]...)
}

// DiscloseReceipt implements api.Receipts: the payer shows the private part of
// work that it paid for to somebody it chooses.
func (n *Node) DiscloseReceipt(ctx context.Context, id, to string) (api.Receipt, error) {
	account, err := n.account(to)
	if err != nil {
		return api.Receipt{}, err
	}
	e, err := n.receipt(ctx, id)
	if err != nil {
		return api.Receipt{}, err
	}
	if e.Receipt.Payer != n.me {
		return api.Receipt{}, fmt.Errorf("%w: receipt %s was paid by %s: only the payer can disclose it", api.ErrBadRequest, e.ID, e.Receipt.Payer)
	}
	return receiptJSON(e), n.db.Update(func(tx *kv.Tx) error { return tx.Set(disclosedKey(e.ID, account), nil) })
}

// audits says who may see transcripts: who was drawn, and whom the payer chose.
type audits struct {
	*rewards.Witness
	db *kv.DB
}

// Drawn implements market.Audits.
func (a audits) Drawn(ctx context.Context, receipt cid.Cid, auditor common.Address) (bool, error) {
	err := a.db.View(func(tx *kv.Tx) error {
		_, err := tx.Get(disclosedKey(receipt, auditor))
		return err
	})
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, kv.ErrNotFound) {
		return false, err
	}
	return a.Witness.Drawn(ctx, receipt, auditor)
}

// VerifyReceipt implements api.Receipts: signatures, offer and lock, and, where
// what it needs can be had, the work itself: a whole answer, or one segment of a
// training, chosen here.
func (n *Node) VerifyReceipt(ctx context.Context, id string) (api.Verification, error) {
	e, err := n.receipt(ctx, id)
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
		v.Checks = append(v.Checks, "its holder returned a random range to the payer, who co-signed; that it still holds the shard is not checked here")
		v.Valid = true
		return v, nil
	}
	f, err := n.repeater.VerifyReceipt(ctx, r, rand.Uint64())
	if err != nil {
		return v, fmt.Errorf("node: repeat the work: %w", err)
	}
	switch f.Outcome {
	case protocol.OutcomeEqual:
		v.Repeated = true
		v.Checks = append(v.Checks, fmt.Sprintf("the work was done again here: leaf %d is equal", f.Leaf))
	case protocol.OutcomeNoData:
		v.Checks = append(v.Checks, "the work was not done again: its private part is disclosed to drawn auditors and to whom the payer chooses (tally receipt disclose), or could not be had")
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
	if p := e.Pin; p.Promised > 0 {
		out.Progress = &api.PinProgress{Promised: p.Promised, Proved: p.Proved, Split: p.Split, Returned: p.Returned, Emission: p.Emission}
	}
	return out
}

func (n *Node) epochs() join.Epochs { return join.Epochs{Store: n.store} }
