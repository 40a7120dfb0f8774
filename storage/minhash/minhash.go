// Package minhash finds text that was contributed before, exactly or nearly,
// without holding the earlier text.
//
// The life of a shard's sketch: a Sketcher takes its records one by one; Sketch
// is then a few KiB that say what is in the shard, kept beside its root. When a
// shard is added, Compare says which part of it stands in each earlier one. Where
// there are too many to compare with all, Keys name the few worth comparing.
//
// Shingles are runs of 5 words (Broder, "On the resemblance and containment of
// documents", 1997). A word is a run of letters, marks and digits in lower case;
// everything else stands between words. In scripts that are written without
// spaces (Han, kana, Thai, Lao, Khmer, Myanmar) each character is a word. Case
// and composition are taken rune by rune, with the tables of the Go version:
// text in another normal form (NFC, NFD) counts as different.
//
// A Signature holds, for each of 128 fixed functions, the least value over all
// shingles; two texts agree in a place with probability J, the Jaccard
// similarity of their sets of shingles, so Similarity has the standard error
// sqrt(J(1-J)/128), at most 0.044. A Sketch holds besides the least hashes of
// its records and of its shingles (bottom-k sketches: Bar-Yossef et al., 2002;
// Cohen and Kaplan, 2007), from which Compare estimates how much of one is in
// the other; it states its standard error with each estimate.
//
// All functions are fixed: the same text gives the same bytes everywhere. They
// are no secret and not cryptographic, except Hash: whoever wants to hide a copy
// can, by paraphrase or by search. Duplicates found are a reason to look, absence
// of them is no proof.
//
// Memory is bounded: a Sketcher has about 60 KiB, whatever it reads. A Sketcher
// is not safe for concurrent use; signatures and sketches are values to share.
package minhash

import (
	"encoding/binary"
	"iter"
	"math"
)

// Permutations is how many functions a signature has.
const Permutations = 128

// Signature is the MinHash of a set of shingles. The zero value is not one: see
// Empty.
type Signature [Permutations]uint64

// Empty is the signature of no shingle.
func Empty() (s Signature) {
	for i := range s {
		s[i] = math.MaxUint64
	}
	return s
}

// family holds the functions: x goes to a*x + b modulo 2^64, with odd a: each is
// a permutation of the 64-bit numbers, applied to shingle hashes that are already
// mixed. a and b are the outputs of SplitMix64 from a fixed seed.
type family struct{ a, b [Permutations]uint64 }

func newFamily() *family {
	f := &family{}
	const golden = 0x9e3779b97f4a7c15
	state := uint64(0x74616c6c79) // "tally"
	for i := range f.a {
		state += golden
		f.a[i] = mix(state) | 1
		state += golden
		f.b[i] = mix(state)
	}
	return f
}

// add takes shingle hashes into s.
func (f *family) add(s *Signature, hashes []uint64) {
	for len(hashes) >= 4 {
		x0, x1, x2, x3 := hashes[0], hashes[1], hashes[2], hashes[3]
		for i := range s {
			a, b := f.a[i], f.b[i]
			s[i] = min(s[i], min(min(a*x0+b, a*x1+b), min(a*x2+b, a*x3+b)))
		}
		hashes = hashes[4:]
	}
	for _, x := range hashes {
		for i := range s {
			s[i] = min(s[i], f.a[i]*x+f.b[i])
		}
	}
}

// Of is the signature of one record.
func Of(record []byte) Signature {
	f, s := newFamily(), Empty()
	var batch []uint64
	shingles(record, func(x uint64) {
		if batch = append(batch, x); len(batch) == batchSize {
			f.add(&s, batch)
			batch = batch[:0]
		}
	})
	f.add(&s, batch)
	return s
}

const batchSize = 256

// Similarity estimates the Jaccard similarity, 0 to 1, of what two signatures
// stand for. Its standard error is sqrt(J(1-J)/128).
func Similarity(a, b Signature) float64 {
	same := 0
	for i := range a {
		if a[i] == b[i] {
			same++
		}
	}
	return float64(same) / Permutations
}

// Sketcher makes the sketch of a shard out of its records.
type Sketcher struct {
	family    *family
	all       Signature
	count     uint64
	records   bottom
	shingles  bottom
	batch     []uint64
	signature Signature // of the last record
}

// NewSketcher returns a Sketcher that has seen nothing.
func NewSketcher() *Sketcher {
	return &Sketcher{
		family: newFamily(), all: Empty(),
		records: newBottom(keptRecords), shingles: newBottom(keptShingles),
		batch: make([]uint64, 0, batchSize),
	}
}

// Add takes a record and returns its own signature.
func (s *Sketcher) Add(record []byte) Signature {
	s.count++
	sum := Hash(record)
	s.records.add(binary.BigEndian.Uint64(sum[:]))
	s.signature = Empty()
	shingles(record, s.shingle)
	s.flush()
	for i, x := range s.signature {
		s.all[i] = min(s.all[i], x)
	}
	return s.signature
}

func (s *Sketcher) shingle(x uint64) {
	s.shingles.add(x)
	if s.batch = append(s.batch, x); len(s.batch) == batchSize {
		s.flush()
	}
}

func (s *Sketcher) flush() {
	s.family.add(&s.signature, s.batch)
	s.batch = s.batch[:0]
}

// Sketch is the sketch of what was added so far.
func (s *Sketcher) Sketch() Sketch {
	return Sketch{Records: s.count, Signature: s.all, records: s.records.least(), shingles: s.shingles.least()}
}

// OfRecords is the sketch of a shard. An error of the records ends it.
func OfRecords(records iter.Seq2[[]byte, error]) (Sketch, error) {
	s := NewSketcher()
	for r, err := range records {
		if err != nil {
			return Sketch{}, err
		}
		s.Add(r)
	}
	return s.Sketch(), nil
}
