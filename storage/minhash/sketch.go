package minhash

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

const (
	keptRecords  = 512
	keptShingles = 1024
	// MaxSketch bounds the bytes of a sketch.
	MaxSketch = 16 << 10

	sketchVersion = 1
	sketchHeader  = 1 + 8 + 2 + 2 // version, records, how many of each
)

// ErrSketch says that bytes are no sketch.
var ErrSketch = errors.New("minhash: not a sketch of this version: make it again from the shard")

// Sketch says what is in a shard, in at most MaxSketch bytes.
type Sketch struct {
	Records   uint64 // added, repeats included
	Signature Signature
	records   []uint64 // least hashes, rising, distinct
	shingles  []uint64
}

// Distinct estimates how many different records there are; exact below 512, else
// with a relative standard error of 4.4 %.
func (s Sketch) Distinct() float64 { return min(distinct(s.records, keptRecords), float64(s.Records)) }

// Overlap is how much of one shard stands in another. The parts are estimates, 0
// to 1; each deviation is one standard error, 0 where the part is exact, 1 where
// nothing is known: about 0.04 for shards of like size, more where the other is
// many times larger, since fewer of the sampled hashes are then of this one.
type Overlap struct {
	Records          float64 // part of the different records that are in the other, but for case and white space
	RecordsDeviation float64
	Near             float64 // part of the different shingles that are in the other: what was copied with changes
	NearDeviation    float64
	Similarity       float64 // Jaccard similarity of the sets of shingles; standard error at most 0.044
}

// Compare says how much of a is in b.
func Compare(a, b Sketch) Overlap {
	var o Overlap
	o.Records, o.RecordsDeviation = share(a.records, b.records, keptRecords)
	o.Near, o.NearDeviation = share(a.shingles, b.shingles, keptShingles)
	if len(a.shingles) > 0 && len(b.shingles) > 0 {
		o.Similarity = Similarity(a.Signature, b.Signature)
	}
	return o
}

// MarshalBinary encodes s: a byte of version; records; how many record hashes
// and shingle hashes (two bytes each); the signature; the hashes, rising. All
// big-endian.
func (s Sketch) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, sketchHeader+8*(Permutations+len(s.records)+len(s.shingles)))
	b = append(b, sketchVersion)
	b = binary.BigEndian.AppendUint64(b, s.Records)
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.records)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.shingles)))
	for _, part := range [][]uint64{s.Signature[:], s.records, s.shingles} {
		for _, x := range part {
			b = binary.BigEndian.AppendUint64(b, x)
		}
	}
	return b, nil
}

// UnmarshalBinary decodes what MarshalBinary wrote, and nothing else.
func (s *Sketch) UnmarshalBinary(b []byte) error {
	if len(b) < sketchHeader+8*Permutations || len(b) > MaxSketch || b[0] != sketchVersion {
		return fmt.Errorf("%w: %d bytes", ErrSketch, len(b))
	}
	count := binary.BigEndian.Uint64(b[1:])
	records, shingles := int(binary.BigEndian.Uint16(b[9:])), int(binary.BigEndian.Uint16(b[11:]))
	if records > keptRecords || shingles > keptShingles || uint64(records) > count ||
		len(b) != sketchHeader+8*(Permutations+records+shingles) || (count == 0) != (shingles == 0) || (records == 0) != (count == 0) {
		return fmt.Errorf("%w: its counts do not fit", ErrSketch)
	}
	out := Sketch{Records: count, records: make([]uint64, records), shingles: make([]uint64, shingles)}
	b = b[sketchHeader:]
	for _, part := range [][]uint64{out.Signature[:], out.records, out.shingles} {
		for i := range part {
			part[i] = binary.BigEndian.Uint64(b)
			b = b[8:]
		}
	}
	for _, part := range [][]uint64{out.records, out.shingles} {
		for i := 1; i < len(part); i++ {
			if part[i] <= part[i-1] {
				return fmt.Errorf("%w: its hashes do not rise", ErrSketch)
			}
		}
	}
	if shingles == 0 && out.Signature != Empty() {
		return fmt.Errorf("%w: a signature of nothing", ErrSketch)
	}
	*s = out
	return nil
}

const (
	bands = 32
	rows  = Permutations / bands
	// keyed are how many of the least hashes of records and of shingles are keys.
	keyed = 48
	// MaxKeys is the most keys of a sketch.
	MaxKeys = bands + 2*keyed
)

// Key names a bucket: shards that share one are worth comparing. Its 9 bytes are
// a key in an ordered store as they are.
type Key [9]byte

// Keys are the buckets of a shard, at most MaxKeys. The bands of the signature
// (locality-sensitive hashing: Indyk and Motwani, 1998; 32 bands of 4 rows) meet
// for shards of similarity J with probability 1-(1-J^4)^32: 0.87 at 0.5, 0.998
// at 0.65. The least hashes meet for a shard that is part of another one of up
// to about ten times its size, which a signature does not show. A caller that
// keeps key to root for every shard finds candidates by 128 look-ups.
func (s Sketch) Keys() []Key {
	if len(s.shingles) == 0 {
		return nil
	}
	keys := make([]Key, 0, MaxKeys)
	for band := range bands {
		h := uint64(band)
		for _, x := range s.Signature[band*rows : (band+1)*rows] {
			h = mix(h*0x9e3779b97f4a7c15 ^ x)
		}
		keys = append(keys, key(byte(band), h))
	}
	for _, x := range s.records[:min(keyed, len(s.records))] {
		keys = append(keys, key(bands, x))
	}
	for _, x := range s.shingles[:min(keyed, len(s.shingles))] {
		keys = append(keys, key(bands+1, x))
	}
	return keys
}

func key(kind byte, h uint64) (k Key) {
	k[0] = kind
	binary.BigEndian.PutUint64(k[1:], h)
	return k
}

// Error is the standard error of a similarity j out of two signatures.
func Error(j float64) float64 { return math.Sqrt(j * (1 - j) / Permutations) }
