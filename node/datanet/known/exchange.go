package known

import (
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"

	"tally/protocol"
)

// ErrPage says that an answer does not hold the sketches that were asked for.
var ErrPage = errors.New("known: not the sketches asked for")

// maxPage is how many sketches one page holds; with their bound, it stays below 2 MiB.
const maxPage = 128

// page is sketches' documents in the order of shards; empty where there is none.
type page struct {
	List []sketchOf `max:"128"`
}

type sketchOf struct {
	Document []byte `max:"17408"`
}

// Page encodes the sketches of a manifest's shards from an index on, as many as fit; get finds a
// document.
func Page(names []cid.Cid, from int, get func(cid.Cid) ([]byte, error)) ([]byte, error) {
	var out page
	for i := min(max(from, 0), len(names)); i < len(names) && len(out.List) < maxPage; i++ {
		var doc []byte
		if names[i].Defined() {
			var err error
			if doc, err = get(names[i]); err != nil {
				return nil, err
			}
		}
		out.List = append(out.List, sketchOf{doc})
	}
	return protocol.Encode(out)
}

// Learn remembers what a manifest lists, in its order. ask brings the page from an index on, where a sketch is
// missing; it is believed only as far as its documents are those that the entries name. A
// document that is no sketch is its contributor's doing, and matches nothing.
func (x Index) Learn(entries []Entry, ask func(from int) ([]byte, error)) error {
	for i := 0; i < len(entries); i++ {
		e := entries[i]
		ok, err := x.Has(e.Root, e.Datanet)
		if err != nil {
			return err
		}
		if ok {
			continue
		}
		if !e.Sketch.Defined() {
			if err := x.Put(e, nil); err != nil {
				return err
			}
			continue
		}
		b, err := ask(i)
		if err != nil {
			return err
		}
		n, err := x.learn(entries[i:], b)
		if err != nil {
			return err
		}
		i += n - 1
	}
	return nil
}

// learn takes a page for the first of the entries, at least one of them.
func (x Index) learn(entries []Entry, b []byte) (n int, err error) {
	var got page
	if err := protocol.Decode(b, &got); err != nil {
		return 0, err
	}
	for _, s := range got.List[:min(len(got.List), len(entries))] {
		e, doc := entries[n], s.Document
		if e.Sketch.Defined() && !protocol.CIDOf(doc).Equals(e.Sketch) {
			break // a shard was replaced meanwhile, or the other side errs
		}
		if _, err := Decode(doc); err != nil {
			doc, e.Sketch = nil, cid.Undef
		}
		if err := x.Put(e, doc); err != nil {
			return n, err
		}
		n++
	}
	if n == 0 {
		return 0, fmt.Errorf("%w: shard %s", ErrPage, entries[0].Root)
	}
	return n, nil
}
