package ruleset

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"tally/protocol"
)

var (
	// ErrIncomplete says that the chain's part of an input is not all there:
	// ask Wants and add it.
	ErrIncomplete = errors.New("ruleset: the input lacks block hashes")
	// ErrInput says that an input makes no sense.
	ErrInput = errors.New("ruleset: invalid input")
	// ErrInvariant says that a derived epoch does not add up. It is a defect of
	// the rules, never of the data.
	ErrInvariant = errors.New("ruleset: the epoch does not add up")
)

// Blocks are documents by their CID. Add computes the CID, so a block cannot
// stand under another's name.
type Blocks map[cid.Cid][]byte

// Add keeps b under its CID and returns that.
func (b Blocks) Add(data []byte) cid.Cid {
	c := protocol.CIDOf(data)
	b[c] = data
	return c
}

// Input is all that an epoch is derived from.
type Input struct {
	Rules    Rules
	Network  protocol.Network
	Params   protocol.Params
	Epoch    uint64
	Previous State                  // of the last good anchored epoch, or Genesis()
	Facts    []protocol.Fact        // the chain's; those after AuditBy(Epoch) are ignored
	Hashes   map[uint64]common.Hash // block number -> hash, for the ranking of offers
	Beacons  map[uint64]common.Hash // epoch -> hash of the first block after its CommitBy
	Blocks   Blocks                 // batch data, receipts, specs and models that could be had
	Verdicts []protocol.Signed[protocol.Verdict]
	Adverts  []protocol.Signed[protocol.Advert]
	Reports  []protocol.Signed[protocol.RetrievalReport] // pinned with the epoch; no rule reads them
	Memo     *Memo                                       // nil remembers nothing
}

// Want lists what an input lacks. Hashes and Beacons are the chain's and needed;
// Blocks that cannot be had are left out, and the rules say what follows.
type Want struct {
	Blocks  []Link
	Hashes  []uint64 // block numbers
	Beacons []uint64 // epochs
}

// Link is a wanted document, and the root of the DAG that it belongs to: only
// roots can be found in the network. It may be its own.
type Link struct{ CID, Root cid.Cid }

// Wants says what to add to the input. Documents name further documents, so ask
// again after adding, until nothing new is wanted.
func Wants(in Input) (Want, error) {
	d, err := prepare(in)
	if err != nil {
		return Want{}, err
	}
	if len(d.noHash) == 0 {
		if _, err := d.draws(); err != nil && !errors.Is(err, ErrIncomplete) {
			return Want{}, err
		}
	}
	w := Want{Hashes: slices.Sorted(maps.Keys(d.noHash)), Beacons: slices.Sorted(maps.Keys(d.noBeacon))}
	for c, root := range d.noBlock {
		w.Blocks = append(w.Blocks, Link{c, root})
	}
	slices.SortFunc(w.Blocks, func(a, b Link) int { return slices.Compare(a.CID.Bytes(), b.CID.Bytes()) })
	return w, nil
}

// Next is the first epoch after the state's that has something to settle: a
// batch of its own, or whatever waits in the state. Epochs between are not
// anchored. ok is false while there is nothing. Commitments that come later can
// bring an epoch forward until its CommitBy has passed.
func Next(s State, facts []protocol.Fact, p protocol.Params) (epoch uint64, ok bool) {
	first := s.Epoch + 1 // wraps to 0 at NoEpoch
	if len(s.Pending) > 0 || len(s.Carried) > 0 || len(s.Pins) > 0 {
		return first, true
	}
	epoch = protocol.NoEpoch
	for _, h := range s.Holds {
		epoch = min(epoch, max(first, h.Until))
	}
	for _, b := range look(facts, p, protocol.NoEpoch).batches {
		if b.Epoch >= first {
			epoch = min(epoch, b.Epoch)
			break
		}
	}
	return epoch, epoch != protocol.NoEpoch
}

// item is one receipt on its way through the rules.
type item struct {
	id       cid.Cid
	digest   common.Hash
	receipt  protocol.Receipt
	envelope []byte
	cosigned bool
	worth    *big.Int // the receipt's value; zero where it passes 2^128-1
	state    Pending  // what the next epoch gets if it stays pending
	fresh    bool     // committed by a batch of this epoch's set

	engine  string // class that the work needs
	infer   protocol.InferSpec
	model   *protocol.Model
	steps   uint64 // down in rank
	feeOnly string // why no emission; "" if nothing stands against it
	unread  bool   // documents could not be had
	draw    *Drawn
	pin     *Pin // paid as it is proved, once it is open
	over    bool // the pin ends in this epoch

	reason   protocol.Reason // 0 until judged
	until    uint64
	why      string
	settled  *big.Int
	returned *big.Int // of settled, what the payer of a pin got back
	emission *big.Int
}

func (it *item) end(r protocol.Reason, why string) { it.reason, it.why = r, why }

func (it *item) wait(r protocol.Reason, until uint64, why string) {
	it.reason, it.until, it.why = r, until, why
}

// derivation holds what the passes share; it belongs to one call.
type derivation struct {
	in       Input
	view     *view
	channels map[common.Hash]*Channel
	holds    map[common.Address]*big.Int
	items    []*item
	pins     []*item // open since an earlier epoch
	batches  []BatchOutcome
	carried  []Carried
	seen     map[common.Hash]bool             // digests in this epoch
	voided   map[common.Address]string        // who loses what is unsettled, and why
	ranks    map[common.Hash][]common.Address // by offer
	noBlock  map[cid.Cid]cid.Cid              // to the root that it belongs to
	noHash   map[uint64]bool
	noBeacon map[uint64]bool
}

// prepare reads batches and receipts and admits or rejects each; what it lacks
// is noted in the derivation.
func prepare(in Input) (*derivation, error) {
	if err := in.Network.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInput, err)
	}
	if in.Params.EpochLength == 0 || in.Epoch == protocol.NoEpoch {
		return nil, fmt.Errorf("%w: no epoch length or number", ErrInput)
	}
	if in.Previous.Epoch != protocol.NoEpoch && in.Previous.Epoch >= in.Epoch {
		return nil, fmt.Errorf("%w: epoch %d does not follow %d", ErrInput, in.Epoch, in.Previous.Epoch)
	}
	d := &derivation{
		in: in, view: look(in.Facts, in.Params, in.Params.AuditBy(in.Epoch)),
		channels: map[common.Hash]*Channel{}, holds: map[common.Address]*big.Int{},
		seen: map[common.Hash]bool{}, voided: map[common.Address]string{},
		ranks: map[common.Hash][]common.Address{}, noBlock: map[cid.Cid]cid.Cid{}, noHash: map[uint64]bool{}, noBeacon: map[uint64]bool{},
	}
	for _, c := range in.Previous.Channels {
		c.Seen = slices.Clone(c.Seen)
		d.channels[c.ID] = &c
	}
	for _, h := range in.Previous.Holds {
		addTo(d.holds, h.Account, h.Amount.Big())
	}
	for _, p := range in.Previous.Pending {
		if err := d.resume(p); err != nil {
			return nil, err
		}
	}
	for _, p := range in.Previous.Pins {
		d.pins = append(d.pins, p.item())
	}
	var taken uint64
	for _, c := range d.due() {
		n := min(c.Batch.Count, maxBatch)
		if taken > 0 && taken+n > in.Rules.MaxReceipts {
			d.carried = append(d.carried, c) // not its worker's fault: it counts for no time
			d.batches = append(d.batches, BatchOutcome{Batch: c.Batch, Reason: protocol.ReasonCarriedOver, Count: n})
			continue
		}
		taken += n
		d.read(c)
	}
	return d, nil
}

func addTo[K comparable](m map[K]*big.Int, k K, v *big.Int) {
	if m[k] == nil {
		m[k] = new(big.Int)
	}
	m[k].Add(m[k], v)
}

// block gives a document, noting what is missing.
func (d *derivation) block(c, root cid.Cid) ([]byte, bool) {
	b, ok := d.in.Blocks[c]
	if !ok || !protocol.CIDOf(b).Equals(c) {
		if isDocument(c) { // under any other CID there is nothing to be had
			d.noBlock[c] = root
		}
		return nil, false
	}
	return b, true
}

// isDocument reports a CID of the kind that protocol.CIDOf gives.
func isDocument(c cid.Cid) bool {
	if !c.Defined() {
		return false
	}
	p := c.Prefix()
	return p.Version == 1 && p.Codec == cid.DagCBOR && p.MhType == multihash.SHA2_256 && p.MhLength == 32
}

// due lists the batches to read: carried over and new, by epoch, then worker.
func (d *derivation) due() []Carried {
	out := slices.Clone(d.in.Previous.Carried)
	for _, b := range d.view.batches {
		if b.Epoch <= d.in.Epoch && (d.in.Previous.Epoch == protocol.NoEpoch || b.Epoch > d.in.Previous.Epoch) {
			out = append(out, Carried{Batch: b})
		}
	}
	slices.SortFunc(out, func(a, b Carried) int { return compareBatches(a.Batch, b.Batch) })
	return out
}
