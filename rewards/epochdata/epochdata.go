// Package epochdata is the pinned document of an anchored epoch: everything that
// the ruleset read beyond the chain, and everything that came of it. With it and
// the chain's events, a laptop derives the epoch again.
//
// The life of a document: a poster calls [New] with the ruleset's input and
// result and [Data.Blocks] for the blocks to publish; the CID of the head is
// anchored. Whoever reads the anchor calls [Load], gets the same Data, takes the
// next epoch's start from [Data.State], or fills an input with [Data.Fill] and
// compares.
//
// A head links chunks of at most about a mebibyte, each a list of items of one
// section; so no document passes protocol.MaxDocument, and an epoch of any size
// that Load accepts is at most MaxChunks of them. A document that is large itself
// (a batch of thousands of receipts) is linked and stands as a block of its own.
//
// Data is immutable by convention. The package fetches through a function that
// it is given; it does not judge what it reads: the ruleset does.
package epochdata

import (
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/rewards/ruleset"
)

// Bounds of a document.
const (
	Version   = 1
	ChunkSize = 1 << 20 // bytes of items after which a chunk is full
	MaxChunks = 1024
	MaxLinked = 1024
	maxInline = 256 << 10 // a larger document is linked
)

// ErrData says that blocks are not an epoch's document.
var ErrData = errors.New("epochdata: not an epoch's data")

// Head is what an anchor names.
type Head struct {
	Version      uint64
	Network      string // id
	Epoch        uint64
	Previous     uint64  // NoEpoch for the first
	PreviousData cid.Cid // head of the previous epoch's data, or none
	Ruleset      common.Hash
	Root         common.Hash
	Commitments  common.Hash
	Total        protocol.Amount
	Minted       protocol.Amount // of this epoch
	Burned       protocol.Amount // of this epoch
	HeldBack     protocol.Amount
	ReceivedAll  protocol.Amount // since the first epoch
	MintedAll    protocol.Amount
	BurnedAll    protocol.Amount
	Tallies      []ruleset.Tally `max:"16"`
	Linked       []cid.Cid       `max:"1024"` // large documents
	Chunks       []cid.Cid       `max:"1024"`
}

// Chunk is a list of items of one section.
type Chunk struct {
	Section uint8
	Items   []Item `max:"65536"`
}

// Item is one encoded element of a section.
type Item struct {
	Bytes []byte `max:"262144"`
}

// The sections, in the order in which they stand.
const (
	sectionDocument = iota + 1
	sectionVerdict
	sectionAdvert
	sectionBatch
	sectionOutcome
	sectionBalance
	sectionChannel
	sectionPending
	sectionHold
	sectionCarried
	sectionPin
	sectionPromise
	sectionReport
	sections
)

// Data is an epoch's document, put together.
type Data struct {
	Head      Head
	Documents [][]byte // batch data, receipts, specifications, models
	Verdicts  [][]byte // Signed[Verdict]
	Adverts   [][]byte // Signed[Advert]
	Reports   [][]byte // Signed[RetrievalReport]
	Batches   []ruleset.BatchOutcome
	Outcomes  []ruleset.Outcome
	State     ruleset.State
}

// New puts together what an epoch was derived from and what it came to.
// previous is the CID of the previous epoch's head, or none.
func New(in ruleset.Input, e *ruleset.Epoch, previous cid.Cid) *Data {
	d := &Data{
		Head: Head{
			Version: Version, Network: in.Network.ID(), Epoch: e.Number, Previous: e.Previous, PreviousData: previous,
			Ruleset: e.Ruleset, Root: e.Root.Hash, Commitments: e.Commitments, Total: e.Root.Sum, Minted: e.Minted, Burned: e.Burned,
			HeldBack: e.HeldBack, ReceivedAll: e.State.Received, MintedAll: e.State.Minted, BurnedAll: e.State.Burned, Tallies: e.Tallies,
		},
		Batches: e.Batches, Outcomes: e.Outcomes, State: e.State,
	}
	for _, c := range sortedCIDs(in.Blocks) {
		d.Documents = append(d.Documents, in.Blocks[c])
	}
	for _, v := range in.Verdicts {
		d.Verdicts = append(d.Verdicts, v.Bytes())
	}
	for _, a := range in.Adverts {
		d.Adverts = append(d.Adverts, a.Bytes())
	}
	for _, r := range in.Reports {
		d.Reports = append(d.Reports, r.Bytes())
	}
	sortBytes(d.Verdicts)
	sortBytes(d.Adverts)
	sortBytes(d.Reports)
	return d
}

// Fill adds to an input what the document holds: documents, verdicts, adverts
// and reports. An envelope that does not parse is an error: a poster has no reason
// to publish one.
func (d *Data) Fill(in *ruleset.Input) error {
	in.Blocks = ruleset.Blocks{}
	for _, b := range d.Documents {
		in.Blocks.Add(b)
	}
	in.Verdicts, in.Adverts, in.Reports = nil, nil, nil
	for _, b := range d.Verdicts {
		v, err := protocol.ParseSigned[protocol.Verdict](b)
		if err != nil {
			return fmt.Errorf("%w: a verdict: %w", ErrData, err)
		}
		in.Verdicts = append(in.Verdicts, v)
	}
	for _, b := range d.Adverts {
		a, err := protocol.ParseSigned[protocol.Advert](b)
		if err != nil {
			return fmt.Errorf("%w: an advert: %w", ErrData, err)
		}
		in.Adverts = append(in.Adverts, a)
	}
	for _, b := range d.Reports {
		r, err := protocol.ParseSigned[protocol.RetrievalReport](b)
		if err != nil {
			return fmt.Errorf("%w: a report: %w", ErrData, err)
		}
		in.Reports = append(in.Reports, r)
	}
	return nil
}

// Tree is the Merkle-sum tree over the balances.
func (d *Data) Tree() (*protocol.SumTree, error) {
	leaves, err := d.State.Leaves()
	if err != nil {
		return nil, err
	}
	return protocol.NewSumTree(leaves)
}

// Anchor is what the chain says of the epoch, without the poster.
func (h Head) Anchor(data cid.Cid) protocol.Anchored {
	return protocol.Anchored{
		Epoch: h.Epoch, Previous: h.Previous, Root: h.Root, Commitments: h.Commitments,
		Total: h.Total, Minted: h.Minted, Burned: h.Burned, Ruleset: h.Ruleset, Data: data,
	}
}
