package ruleset

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
)

// maxBatch is the bound of BatchData.
const maxBatch = 65_536

// Classes of work that needs no engine.
const (
	ClassPin   = "pin/1"
	ClassAudit = "audit/1"
)

// envelope mirrors the wire form of protocol.Cosigned: the digest of a receipt
// is needed even where its signature is wrong, to check its batch's root.
type envelope struct {
	Payload []byte `max:"4096"`
	Worker  []byte `max:"65"`
	Payer   []byte `max:"65"`
}

// Memo remembers what opening an envelope gave, since checking signatures is
// nearly all the time that an epoch takes. It changes no result. It is for one
// network, and for one goroutine at a time.
type Memo struct {
	m      map[[32]byte]known
	models map[cid.Cid]*protocol.Model // nil: not valid
}

// known is a receipt that was opened.
type known struct {
	id       cid.Cid
	digest   common.Hash
	receipt  protocol.Receipt
	cosigned bool
	valid    bool
	err      error
}

// open parses an envelope; valid says that its signatures are right.
func (d *derivation) open(b []byte) (it *item, valid bool, err error) {
	key := sha256.Sum256(b)
	var k known
	ok := false
	if d.in.Memo != nil {
		k, ok = d.in.Memo.m[key]
	}
	if !ok {
		k = judge(d.in.Network, b)
		if d.in.Memo != nil {
			if d.in.Memo.m == nil {
				d.in.Memo.m = map[[32]byte]known{}
			}
			d.in.Memo.m[key] = k
		}
	}
	if k.err != nil {
		return nil, false, k.err
	}
	it = &item{
		id: k.id, digest: k.digest, receipt: k.receipt, cosigned: k.cosigned, envelope: b,
		worth: new(big.Int), settled: new(big.Int), returned: new(big.Int), emission: new(big.Int),
	}
	if k.receipt.Value.Fits128() {
		it.worth = k.receipt.Value.Big()
	}
	return it, k.valid, nil
}

func judge(n protocol.Network, b []byte) (k known) {
	var w envelope
	if k.err = protocol.Decode(b, &w); k.err != nil {
		return k
	}
	k.id = protocol.CIDOf(w.Payload)
	if k.err = protocol.Decode(w.Payload, &k.receipt); k.err != nil {
		return k
	}
	if k.digest, k.err = protocol.Digest(n, k.receipt); k.err != nil {
		return k
	}
	c, err := protocol.ParseCosigned(b)
	if err != nil {
		return k // its form is wrong, which is a rejection and no failure
	}
	_, k.cosigned, err = c.Open(n)
	k.valid = err == nil
	return k
}

// resume takes up a receipt that waited.
func (d *derivation) resume(p Pending) error {
	it, valid, err := d.open(p.Envelope)
	if err != nil || !valid {
		return fmt.Errorf("%w: the previous state holds a receipt that does not open", ErrInput)
	}
	it.state = p
	d.seen[it.digest] = true
	d.items = append(d.items, it)
	d.classify(it)
	return nil
}

// read admits the receipts of one batch, or judges it as a whole.
func (d *derivation) read(c Carried) {
	b := c.Batch
	count := min(b.Count, maxBatch)
	whole := func(r protocol.Reason) {
		d.batches = append(d.batches, BatchOutcome{Batch: b, Reason: r, Count: count})
	}
	if b.Count > maxBatch || b.Count == 0 || !isDocument(b.Data) {
		whole(protocol.RejectedSignature)
		return
	}
	missing := func() {
		if c.Times >= d.in.Rules.MaxCarry {
			whole(protocol.RejectedLate)
			return
		}
		d.carried = append(d.carried, Carried{b, c.Times + 1})
		whole(protocol.ReasonCarriedOver)
	}
	raw, ok := d.block(b.Data, b.Data)
	if !ok {
		missing()
		return
	}
	var data protocol.BatchData
	if err := protocol.Decode(raw, &data); err != nil || data.Worker != b.Worker || data.Epoch != b.Epoch || uint64(len(data.Receipts)) != b.Count {
		whole(protocol.RejectedSignature)
		return
	}
	envelopes := make([][]byte, len(data.Receipts))
	all := true
	for i, r := range data.Receipts {
		if !isDocument(r) {
			whole(protocol.RejectedSignature)
			return
		}
		if envelopes[i], ok = d.block(r, b.Data); !ok {
			all = false // keep on, so that Wants names every missing one
		}
	}
	if !all {
		missing()
		return
	}
	items := make([]*item, len(envelopes))
	valid := make([]bool, len(envelopes))
	leaves := make([]common.Hash, len(envelopes))
	for i, e := range envelopes {
		it, good, err := d.open(e)
		if err != nil {
			whole(protocol.RejectedSignature)
			return
		}
		it.fresh, it.state = true, Pending{Envelope: e, Batch: b.Epoch}
		items[i], valid[i], leaves[i] = it, good, it.digest
	}
	if protocol.MerkleRoot(leaves) != b.Root {
		whole(protocol.RejectedSignature)
		return
	}
	d.batches = append(d.batches, BatchOutcome{Batch: b, Count: count})
	for i, it := range items {
		d.items = append(d.items, it)
		d.admit(it, b, valid[i])
	}
}

// admit rejects what no later epoch could make good.
func (d *derivation) admit(it *item, b protocol.Batch, valid bool) {
	r := it.receipt
	switch {
	case !valid:
		it.end(protocol.RejectedSignature, "a signature is wrong")
		return
	case r.Worker != b.Worker:
		it.end(protocol.RejectedSignature, "the batch is another worker's")
		return
	case !r.Value.Fits128():
		it.end(protocol.RejectedSignature, "its value is out of range")
		return
	case r.Channel != protocol.Channel(r.Offer, r.Worker) || r.Seq == 0:
		it.end(protocol.RejectedSignature, "its channel or number is not one")
		return
	case d.seen[it.digest] || d.channels[r.Channel] != nil && d.channels[r.Channel].saw(r.Seq):
		it.end(protocol.RejectedDuplicate, "this number of its channel was committed before")
		return
	}
	d.seen[it.digest] = true
	if r.Epoch != b.Epoch || d.in.Params.EpochAt(r.End) != r.Epoch {
		it.end(protocol.RejectedLate, "it belongs to another epoch than its batch")
		return
	}
	o, ok := d.view.offers[r.Offer]
	switch {
	case !ok:
		it.end(protocol.RejectedUnassigned, "its offer is not on the chain")
		return
	case o.Submitter != r.Payer || o.Kind != r.Kind || o.Tier != r.Tier || !o.Spec.Equals(r.Spec):
		it.end(protocol.RejectedUnassigned, "it is not the work of its offer")
		return
	case r.Origin == protocol.OriginDirect && o.Direct != r.Worker,
		r.Origin == protocol.OriginAssigned && o.Direct != (common.Address{}),
		r.Origin != protocol.OriginDirect && r.Origin != protocol.OriginAssigned:
		it.end(protocol.RejectedUnassigned, "its origin is not its offer's")
		return
	}
	if d.classify(it); it.reason != 0 {
		return
	}
	c := d.channels[r.Channel]
	if c == nil {
		c = &Channel{ID: r.Channel, Offer: r.Offer}
		d.channels[r.Channel] = c
	}
	if !c.see(r.Seq) {
		it.end(protocol.RejectedCap, "its channel has too many gaps")
	}
}

// classify reads the documents of the offer, checks the ranking, and notes what
// stands against emission.
func (d *derivation) classify(it *item) {
	r := it.receipt
	o := d.view.offers[r.Offer]
	wanted := uint64(1)
	switch r.Kind {
	case protocol.KindInfer:
		if !d.document(it, o.Spec, &it.infer) {
			return
		}
		it.engine = it.infer.Engine
		if !d.manifest(it) {
			return
		}
		if !it.infer.Disclose {
			it.feeOnly = "the session does not disclose"
		}
	case protocol.KindTrain:
		var s protocol.TrainSpec
		if !d.document(it, o.Spec, &s) {
			return
		}
		it.engine = s.Engine
	case protocol.KindPin:
		var s protocol.PinSpec
		if !d.document(it, o.Spec, &s) {
			return
		}
		it.engine, wanted = ClassPin, max(1, s.Replicas)
	case protocol.KindAudit:
		it.engine, it.feeOnly = ClassAudit, "an audit job earns its fee"
	default:
		it.end(protocol.RejectedUnassigned, "no such kind of work")
		return
	}
	switch {
	case r.Tier == protocol.TierAttested:
		it.feeOnly = "its tier earns fees only"
	case r.Origin == protocol.OriginDirect:
		it.feeOnly = "its submitter named the worker"
	case d.operator(r.Payer, o.block) == d.operator(r.Worker, o.block):
		it.feeOnly = "payer and worker are one operator"
	}
	if !it.cosigned && !it.auditable() {
		it.end(protocol.RejectedSignature, "the payer did not sign, and no audit can stand in")
		return
	}
	if r.Origin != protocol.OriginAssigned {
		return
	}
	beacon, ok := d.in.Hashes[o.block+2]
	if !ok {
		d.noHash[o.block+2] = true
		return
	}
	at := slices.Index(d.ranking(r.Offer, o.block, it.engine, beacon), r.Worker)
	if at < 0 || uint64(at) >= wanted+d.in.Rules.Fallbacks {
		it.end(protocol.RejectedUnassigned, "its worker is not among the first in rank")
		return
	}
	it.steps = uint64(r.Rank)
	if p := uint64(at); p >= wanted {
		it.steps = max(it.steps, p-wanted+1)
	}
	if r.Kind == protocol.KindPin { // its first `wanted` are all primaries
		it.steps = 0
		if p := uint64(at); p >= wanted {
			it.steps = p - wanted + 1
		}
	}
}

// ranking is the order of an offer, computed once.
func (d *derivation) ranking(offer common.Hash, block uint64, class string, beacon common.Hash) []common.Address {
	if r, ok := d.ranks[offer]; ok {
		return r
	}
	var cs []protocol.Candidate
	for _, n := range d.view.registered(class, byBlock(block)) {
		cs = append(cs, protocol.Candidate{Worker: n.Node, Weight: n.Weight})
	}
	d.ranks[offer] = protocol.Rank(beacon, offer, cs)
	return d.ranks[offer]
}

func (d *derivation) operator(a common.Address, block uint64) common.Address {
	return d.view.payout(a, byBlock(block))
}

// auditable says that a repeat of the work can be compared for equality.
func (it *item) auditable() bool {
	return it.receipt.Tier == protocol.TierExact &&
		(it.receipt.Kind == protocol.KindTrain || it.receipt.Kind == protocol.KindInfer && it.infer.Disclose)
}

// document reads a spec. A missing one makes the receipt wait; one that is no
// spec leaves it a fee.
func (d *derivation) document(it *item, c cid.Cid, v any) bool {
	b, ok := d.block(c, c)
	if !ok {
		it.unread, it.feeOnly = true, "its documents could not be had"
		return false
	}
	if err := protocol.Decode(b, v); err != nil {
		it.feeOnly = "its specification cannot be read"
		d.unverifiable(it)
		return false
	}
	return true
}

// manifest reads the model of an inference.
func (d *derivation) manifest(it *item) bool {
	b, ok := d.block(it.infer.Model, it.infer.Model)
	if !ok {
		it.unread, it.feeOnly = true, "its documents could not be had"
		return false
	}
	if it.model = d.model(it.infer.Model, b); it.model != nil {
		return true
	}
	it.feeOnly = "its model's manifest is not valid"
	d.unverifiable(it)
	return false
}

// model opens a manifest; nil if it is not valid.
func (d *derivation) model(c cid.Cid, b []byte) *protocol.Model {
	if d.in.Memo != nil {
		if m, ok := d.in.Memo.models[c]; ok {
			return m
		}
	}
	var out *protocol.Model
	if s, err := protocol.ParseSigned[protocol.Model](b); err == nil {
		if m, err := s.Open(d.in.Network); err == nil && m.Validate() == nil {
			out = &m
		}
	}
	if d.in.Memo != nil {
		if d.in.Memo.models == nil {
			d.in.Memo.models = map[cid.Cid]*protocol.Model{}
		}
		d.in.Memo.models[c] = out
	}
	return out
}

// unverifiable rejects a receipt that nobody but its worker vouches for, where
// the documents that an audit needs are no documents.
func (d *derivation) unverifiable(it *item) {
	if !it.cosigned {
		it.end(protocol.RejectedSignature, "the payer did not sign, and no audit can stand in")
	}
}
