package epochdata

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/rewards/ruleset"
)

// Block is an encoded document under its CID.
type Block struct {
	CID  cid.Cid
	Data []byte
}

// Blocks writes the document: chunks and large documents first, the head last.
func (d *Data) Blocks() ([]Block, error) {
	w := writer{head: d.Head}
	w.head.Linked, w.head.Chunks = nil, nil
	for _, b := range d.Documents {
		if len(b) > maxInline {
			w.head.Linked = append(w.head.Linked, w.block(b))
			continue
		}
		w.raw(sectionDocument, b)
	}
	for _, b := range d.Verdicts {
		w.raw(sectionVerdict, b)
	}
	for _, b := range d.Adverts {
		w.raw(sectionAdvert, b)
	}
	put(&w, sectionBatch, d.Batches)
	put(&w, sectionOutcome, d.Outcomes)
	put(&w, sectionBalance, d.State.Balances)
	put(&w, sectionChannel, d.State.Channels)
	put(&w, sectionPending, d.State.Pending)
	put(&w, sectionHold, d.State.Holds)
	put(&w, sectionCarried, d.State.Carried)
	put(&w, sectionPin, d.State.Pins)
	put(&w, sectionPromise, d.State.Promises)
	for _, b := range d.Reports {
		w.raw(sectionReport, b)
	}
	w.flush()
	if len(w.head.Chunks) > MaxChunks || len(w.head.Linked) > MaxLinked {
		return nil, fmt.Errorf("epochdata: epoch %d: %w: %d chunks, %d linked documents", d.Head.Epoch, protocol.ErrTooLarge, len(w.head.Chunks), len(w.head.Linked))
	}
	w.add(w.head)
	return w.out, w.err
}

// writer packs items into chunks; the first error stays.
type writer struct {
	head Head
	out  []Block
	open Chunk
	size int
	err  error
}

func (w *writer) block(b []byte) cid.Cid {
	c := protocol.CIDOf(b)
	w.out = append(w.out, Block{c, b})
	return c
}

func (w *writer) encode(v any) []byte {
	b, err := protocol.Encode(v)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("epochdata: epoch %d: %w", w.head.Epoch, err)
	}
	return b
}

func (w *writer) add(v any) cid.Cid { return w.block(w.encode(v)) }

func (w *writer) raw(section uint8, b []byte) {
	if w.open.Section != section || w.size+len(b) > ChunkSize || len(w.open.Items) == 65_536 {
		w.flush()
		w.open.Section = section
	}
	w.open.Items = append(w.open.Items, Item{b})
	w.size += len(b)
}

func (w *writer) flush() {
	if len(w.open.Items) > 0 {
		w.head.Chunks = append(w.head.Chunks, w.add(w.open))
	}
	w.open, w.size = Chunk{}, 0
}

func put[T any](w *writer, section uint8, items []T) {
	for _, v := range items {
		w.raw(section, w.encode(v))
	}
}

// Load reads the document whose head an anchor names. get gives a block by its
// CID; what it gives is checked against the CID again.
func Load(root cid.Cid, get func(cid.Cid) ([]byte, error)) (*Data, error) {
	d := &Data{}
	if err := fetch(root, get, &d.Head); err != nil {
		return nil, fmt.Errorf("epochdata: head %s: %w", root, err)
	}
	h := d.Head
	if h.Version != Version {
		return nil, fmt.Errorf("%w: version %d, this node reads %d: update it", ErrData, h.Version, Version)
	}
	d.State = ruleset.State{Epoch: h.Epoch, Received: h.ReceivedAll, Minted: h.MintedAll, Burned: h.BurnedAll}
	last := uint8(0)
	for i, c := range h.Chunks {
		var k Chunk
		if err := fetch(c, get, &k); err != nil {
			return nil, fmt.Errorf("epochdata: epoch %d, chunk %d of %d: %w", h.Epoch, i, len(h.Chunks), err)
		}
		if k.Section < last || k.Section == 0 || k.Section >= sections || len(k.Items) == 0 {
			return nil, fmt.Errorf("%w: chunk %d has section %d after %d", ErrData, i, k.Section, last)
		}
		last = k.Section
		for _, it := range k.Items {
			if err := d.item(k.Section, it.Bytes); err != nil {
				return nil, fmt.Errorf("%w: chunk %d: %w", ErrData, i, err)
			}
		}
	}
	for _, c := range h.Linked {
		b, err := checked(c, get)
		if err != nil {
			return nil, fmt.Errorf("epochdata: epoch %d, document %s: %w", h.Epoch, c, err)
		}
		d.Documents = append(d.Documents, b)
	}
	slices.SortFunc(d.Documents, func(a, b []byte) int {
		return bytes.Compare(protocol.CIDOf(a).Bytes(), protocol.CIDOf(b).Bytes())
	})
	return d, nil
}

func checked(c cid.Cid, get func(cid.Cid) ([]byte, error)) ([]byte, error) {
	b, err := get(c)
	if err != nil {
		return nil, err
	}
	if len(b) > protocol.MaxDocument || !protocol.CIDOf(b).Equals(c) {
		return nil, fmt.Errorf("%w: the block is not what its CID names", ErrData)
	}
	return b, nil
}

func fetch(c cid.Cid, get func(cid.Cid) ([]byte, error), v any) error {
	b, err := checked(c, get)
	if err != nil {
		return err
	}
	return protocol.Decode(b, v)
}

func (d *Data) item(section uint8, b []byte) error {
	switch section {
	case sectionDocument:
		d.Documents = append(d.Documents, b)
	case sectionVerdict:
		d.Verdicts = append(d.Verdicts, b)
	case sectionAdvert:
		d.Adverts = append(d.Adverts, b)
	case sectionBatch:
		return take(b, &d.Batches)
	case sectionOutcome:
		return take(b, &d.Outcomes)
	case sectionBalance:
		return take(b, &d.State.Balances)
	case sectionChannel:
		return take(b, &d.State.Channels)
	case sectionPending:
		return take(b, &d.State.Pending)
	case sectionHold:
		return take(b, &d.State.Holds)
	case sectionCarried:
		return take(b, &d.State.Carried)
	case sectionPin:
		return take(b, &d.State.Pins)
	case sectionPromise:
		return take(b, &d.State.Promises)
	case sectionReport:
		d.Reports = append(d.Reports, b)
	}
	return nil
}

func take[T any](b []byte, out *[]T) error {
	var v T
	if err := protocol.Decode(b, &v); err != nil {
		return err
	}
	*out = append(*out, v)
	return nil
}

func sortedCIDs(b ruleset.Blocks) []cid.Cid {
	return slices.SortedFunc(maps.Keys(b), func(a, b cid.Cid) int { return bytes.Compare(a.Bytes(), b.Bytes()) })
}

func sortBytes(b [][]byte) { slices.SortFunc(b, bytes.Compare) }
