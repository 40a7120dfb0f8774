// Package known remembers which shards a node has heard of, so that a copy is told
// from an original.
//
// The life of an entry: the node reads a manifest, of a datanet of its own or one that
// it follows, and puts every shard here with its sketch. Before data is
// contributed, Exact and Like say where it was contributed before, by whom, and how much
// of it.
//
// A sketch is kept as a document, so that its CID can stand in a contribution.
// Looking up costs one look per key of the sketch, whatever the number of entries; candidates
// are bounded. What nobody wants kept is bounded by Prune: a datanet at a time goes, the one that was looked at
// longest ago first. An Index is safe for concurrent use.
package known

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
	"tally/storage/minhash"
)

const (
	maxExact     = 64  // entries of one root
	maxBucket    = 32  // entries of one key
	maxCandidate = 256 // sketches compared
	// MaxMatches is the most that Like returns.
	MaxMatches = 16
	// Least is the part from which a match is worth telling.
	Least = 0.1
)

// Entry is one shard of one datanet.
type Entry struct {
	Datanet     cid.Cid // identity
	Root        cid.Cid
	Name        string // of the datanet
	Contributor common.Address
	Version     uint64 // the first one seen that lists it
	Committed   uint64 // block
	Records     uint64
	Sketch      cid.Cid // or none
}

// Match is an entry that shares text with what was asked for.
type Match struct {
	Entry
	Exact   bool
	Overlap minhash.Overlap // how much of what was asked for is in it
}

// Part is how much of the text stands in the other shard, 0 to 1.
func (m Match) Part() float64 {
	if m.Exact {
		return 1
	}
	return max(m.Overlap.Records, m.Overlap.Near)
}

// String says where it was contributed, and how much of it.
func (m Match) String() string {
	return fmt.Sprintf("%.0f %% of it stands in shard %s of datanet %q (%s) since version %d, contributed by %s in block %d",
		100*m.Part(), m.Root, m.Name, m.Datanet, m.Version, m.Contributor, m.Committed)
}

// document is the form in which a sketch is stored and has a CID.
type document struct {
	Sketch []byte `max:"16384"`
}

// Encode is the document of a sketch; its CID is protocol.CIDOf.
func Encode(s minhash.Sketch) ([]byte, error) {
	b, err := s.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("known: %w", err)
	}
	return protocol.Encode(document{b})
}

// Decode reads what Encode wrote.
func Decode(b []byte) (minhash.Sketch, error) {
	var d document
	var s minhash.Sketch
	if err := protocol.Decode(b, &d); err != nil {
		return s, err
	}
	if err := s.UnmarshalBinary(d.Sketch); err != nil {
		return s, fmt.Errorf("known: %w", err)
	}
	return s, nil
}

// Index is what a node knows of shards.
type Index struct{ DB *kv.DB }

func entryKey(root, datanet cid.Cid) []byte {
	return append(append([]byte("known/shard/"), root.Bytes()...), datanet.Bytes()...)
}

func sketchKey(c cid.Cid) []byte { return append([]byte("known/sketch/"), c.Bytes()...) }

func bucketKey(k minhash.Key) []byte { return append([]byte("known/key/"), k[:]...) }

// Has says whether the shard of the datanet is known, with a sketch if it has one.
func (x Index) Has(root, datanet cid.Cid) (bool, error) {
	err := x.DB.View(func(tx *kv.Tx) error {
		_, err := tx.Get(entryKey(root, datanet))
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Put remembers an entry; sketch is the document that it names, nil if it names none. A shard
// that is known keeps its first version, and takes what is newer of the rest.
func (x Index) Put(e Entry, sketch []byte) error {
	var keys []minhash.Key
	if e.Sketch.Defined() {
		if !protocol.CIDOf(sketch).Equals(e.Sketch) {
			return fmt.Errorf("known: the sketch of %s is not %s", e.Root, e.Sketch)
		}
		s, err := Decode(sketch)
		if err != nil {
			return err
		}
		keys = s.Keys()
	}
	return x.DB.Update(func(tx *kv.Tx) error {
		at := entryKey(e.Root, e.Datanet)
		if old, err := tx.Get(at); err == nil {
			var was Entry
			if err := protocol.Decode(old, &was); err == nil {
				e.Version = min(e.Version, was.Version)
				if !e.Sketch.Defined() {
					e.Sketch = was.Sketch // one that is kept here alone
				} else if was.Sketch.Defined() && !was.Sketch.Equals(e.Sketch) {
					if err := forgetSketch(tx, at, was.Sketch); err != nil {
						return err
					}
				}
			}
		}
		b, err := protocol.Encode(e)
		if err != nil {
			return err
		}
		if err := tx.Set(at, b); err != nil {
			return err
		}
		if sketch == nil {
			return nil
		}
		if err := errors.Join(tx.Set(sketchKey(e.Sketch), sketch), tx.Set(usedKey(e.Sketch, at), nil)); err != nil {
			return err
		}
		for _, k := range keys {
			if err := tx.Set(append(bucketKey(k), at...), at); err != nil {
				return err
			}
		}
		return nil
	})
}

// Sketch is a sketch's document that is remembered, or kv.ErrNotFound.
func (x Index) Sketch(c cid.Cid) (doc []byte, err error) {
	err = x.DB.View(func(tx *kv.Tx) error {
		doc, err = tx.Get(sketchKey(c))
		return err
	})
	return doc, err
}

// Exact are the entries of a root, the first committed first.
func (x Index) Exact(root cid.Cid) ([]Match, error) {
	var out []Match
	err := x.DB.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan(append([]byte("known/shard/"), root.Bytes()...)) {
			if err != nil {
				return err
			}
			var e Entry
			if err := protocol.Decode(it.Value, &e); err != nil {
				return err
			}
			if out = append(out, Match{Entry: e, Exact: true}); len(out) == maxExact {
				break
			}
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b Match) int { return cmp.Compare(a.Committed, b.Committed) })
	return out, err
}

// Like are the entries that share at least Least of the text that a sketch stands
// for, those that share most first, at most MaxMatches.
func (x Index) Like(s minhash.Sketch) ([]Match, error) {
	var out []Match
	own, err := Encode(s)
	if err != nil {
		return nil, err
	}
	self := protocol.CIDOf(own)
	err = x.DB.View(func(tx *kv.Tx) error {
		seen := map[string]bool{}
		for _, k := range s.Keys() {
			n := 0
			for it, err := range tx.Scan(bucketKey(k)) {
				if err != nil {
					return err
				}
				if n++; n > maxBucket || len(seen) >= maxCandidate {
					break
				}
				if at := string(it.Value); !seen[at] {
					seen[at] = true
					m, err := compare(tx, s, []byte(at))
					if errors.Is(err, kv.ErrNotFound) {
						continue // a row of what is not here any more
					}
					if err != nil {
						return err
					}
					m.Exact = m.Sketch.Equals(self)
					if m.Part() >= Least {
						out = append(out, m)
					}
				}
			}
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.Part(), a.Part()), cmp.Compare(a.Committed, b.Committed), bytes.Compare(a.Root.Bytes(), b.Root.Bytes()))
	})
	return out[:min(len(out), MaxMatches)], err
}

func compare(tx *kv.Tx, s minhash.Sketch, at []byte) (Match, error) {
	var m Match
	b, err := tx.Get(at)
	if err != nil {
		return m, err
	}
	if err := protocol.Decode(b, &m.Entry); err != nil {
		return m, err
	}
	if b, err = tx.Get(sketchKey(m.Sketch)); err != nil {
		return m, err
	}
	other, err := Decode(b)
	if err != nil {
		return m, err
	}
	m.Overlap = minhash.Compare(s, other)
	return m, nil
}
