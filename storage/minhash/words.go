package minhash

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"unicode"
	"unicode/utf8"
)

// Shingle is how many words make one shingle.
const Shingle = 5

// Hash is the SHA-256 of a record as duplicates are told by: letters in lower
// case (one rune to one rune), every run of white space one space, none at the
// ends. So records that differ only in case and layout are the same.
func Hash(record []byte) [sha256.Size]byte {
	h := sha256.New()
	buf := make([]byte, 0, 4096)
	space, some := false, false
	for len(record) > 0 {
		r, size := decode(record)
		record = record[size:]
		if unicode.IsSpace(r) {
			space = some
			continue
		}
		if space {
			buf = append(buf, ' ')
			space = false
		}
		buf, some = utf8.AppendRune(buf, lower(r)), true
		if len(buf) > 4000 {
			_, _ = h.Write(buf)
			buf = buf[:0]
		}
	}
	_, _ = h.Write(buf)
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return sum
}

func decode(b []byte) (rune, int) {
	if b[0] < utf8.RuneSelf {
		return rune(b[0]), 1
	}
	return utf8.DecodeRune(b)
}

func lower(r rune) rune {
	switch {
	case 'A' <= r && r <= 'Z':
		return r + 'a' - 'A'
	case r < utf8.RuneSelf:
		return r
	default:
		return unicode.ToLower(r)
	}
}

// What a rune does to words.
type class uint8

const (
	between class = iota // ends a word
	inside               // goes on with a word
	alone                // is a word
)

func classOf(r rune) class {
	switch {
	case 'a' <= r && r <= 'z', '0' <= r && r <= '9', 'A' <= r && r <= 'Z':
		return inside
	case r < utf8.RuneSelf:
		return between
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
		return alone
	case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsDigit(r):
		return inside
	default:
		return between
	}
}

// shingles calls visit with a 64-bit hash of every shingle of a record, in their
// order, repeats included. A record of fewer words has one shingle, of them all;
// one without words one of its Hash.
func shingles(record []byte, visit func(uint64)) {
	whole := record
	var ring [Shingle]uint64 // hashes of the last words
	n := 0
	word, in := uint64(0), false
	end := func() {
		if !in {
			return
		}
		ring[n%Shingle] = mix(word)
		n++
		word, in = 0, false
		if n >= Shingle {
			visit(join(&ring, n, Shingle))
		}
	}
	for len(record) > 0 {
		r, size := decode(record)
		record = record[size:]
		switch classOf(r) {
		case between:
			end()
		case alone:
			end()
			word, in = absorb(0, r), true
			end()
		case inside:
			word, in = absorb(word, lower(r)), true
		}
	}
	end()
	if n > 0 && n < Shingle {
		visit(join(&ring, n, n))
	}
	if n == 0 {
		sum := Hash(whole)
		visit(binary.BigEndian.Uint64(sum[:]))
	}
}

// absorb takes a rune into a word's hash: FNV-1a's step over runes, with its
// 64-bit prime, from a start that is not 0.
func absorb(word uint64, r rune) uint64 {
	if word == 0 {
		word = 14695981039346656037
	}
	return (word ^ uint64(r)) * 1099511628211
}

// join hashes the last k words of n in their order.
func join(ring *[Shingle]uint64, n, k int) uint64 {
	h := uint64(k)
	for i := n - k; i < n; i++ {
		h = (bits.RotateLeft64(h, 23) ^ ring[i%Shingle]) * 0x9e3779b97f4a7c15
	}
	return mix(h)
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014): a bijection
// in which every bit of the input reaches every bit of the output.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
