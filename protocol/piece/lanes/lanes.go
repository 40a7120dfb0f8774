// Package lanes computes the SHA-256 of many messages of one length at once.
//
// SHA-256 of one message is a chain: each round waits for the one before. Of
// many messages the same round can be done by one instruction, one message a
// lane of a vector register: 16 of them with AVX-512, 8 with AVX2, chosen when
// the program runs. Other processors, and builds with the tag purego, hash
// message after message with crypto/sha256. Digests are the same everywhere.
//
// Three kinds of messages are known, because trees are made of two and files are
// cut into the third: Tagged, a byte and then data; Pairs, a byte and then two
// digests; Plain, data alone. Lanes need whole blocks of 64 bytes of data, all
// messages alike; what has another shape is hashed one by one.
//
// The functions keep nothing and may be called by many goroutines.
package lanes

import "crypto/sha256"

// Block is what the length of data must be a multiple of to be hashed in lanes.
const Block = 64

// maxSize bounds a message so that its length in bits fits 32 bits.
const maxSize = 1 << 28

// Hash is one digest.
type Hash = [sha256.Size]byte

// Tagged sets dst[i] to SHA-256(tag ‖ data[i*size:(i+1)*size]) for every i that
// both dst and data have.
func Tagged(dst []Hash, tag byte, data []byte, size int) {
	if size <= 0 {
		return
	}
	best.tagged(dst[:min(len(dst), len(data)/size)], tag, data, size)
}

// Pairs sets dst[i] to SHA-256(tag ‖ src[2*i] ‖ src[2*i+1]) for every i that both
// have. dst may be src itself.
func Pairs(dst []Hash, tag byte, src []Hash) {
	best.pairs(dst[:min(len(dst), len(src)/2)], tag, src)
}

// Plain sets dst[i] to SHA-256(msgs[i]) for every i that both have.
func Plain(dst []Hash, msgs [][]byte) {
	best.plain(dst[:min(len(dst), len(msgs))], msgs)
}

// Width returns how many messages Plain hashes at once on this machine: 16, 8,
// or 1 where lanes bring nothing.
func Width() int {
	if best.short {
		return 1
	}
	return best.width
}

// set is a way to hash.
type set struct {
	width int
	least int  // messages from which on the lanes are faster than one by one
	short bool // messages of Plain are faster one by one
}

// best is the fastest way that this processor has.
var best = fastest(sets())

func fastest(s []set) set { return s[len(s)-1] }

// takes says whether n messages of this size are for the lanes.
func (s set) takes(n, size int) bool {
	return s.width > 1 && n >= s.least && size > 0 && size < maxSize && size%Block == 0
}

func (s set) tagged(dst []Hash, tag byte, data []byte, size int) {
	if s.takes(len(dst), size) {
		var j job
		j.shape(size, true, tag)
		for s.takes(len(dst), size) {
			n := min(len(dst), s.width)
			for l := range j.src {
				j.src[l] = &data[min(l, n-1)*size] // lanes to spare repeat the last message
			}
			j.run(s.width, dst[:n])
			dst, data = dst[n:], data[n*size:]
		}
	}
	if len(dst) == 0 {
		return
	}
	b := make([]byte, 0, 5*Block)
	for i := range dst {
		b = append(append(b[:0], tag), data[i*size:(i+1)*size]...)
		dst[i] = sha256.Sum256(b)
	}
}

func (s set) pairs(dst []Hash, tag byte, src []Hash) {
	const size = 2 * sha256.Size
	if s.takes(len(dst), size) {
		var j job
		j.shape(size, true, tag)
		for s.takes(len(dst), size) {
			n := min(len(dst), s.width)
			for l := range j.src {
				pair := src[2*min(l, n-1):][:2]
				j.src[l] = &pair[0][0]
			}
			j.run(s.width, dst[:n])
			dst, src = dst[n:], src[2*n:]
		}
	}
	var b [1 + size]byte
	b[0] = tag
	for i := range dst {
		copy(b[1:], src[2*i][:])
		copy(b[33:], src[2*i+1][:])
		dst[i] = sha256.Sum256(b[:])
	}
}

func (s set) plain(dst []Hash, msgs [][]byte) {
	for len(dst) > 0 {
		// As many as are alike go together.
		n, size := 1, len(msgs[0])
		for n < len(dst) && len(msgs[n]) == size {
			n++
		}
		rest, some := dst[:n], msgs[:n]
		dst, msgs = dst[n:], msgs[n:]
		if !s.short && s.takes(n, size) {
			var j job
			j.shape(size, false, 0)
			for s.takes(len(rest), size) {
				n := min(len(rest), s.width)
				for l := range j.src {
					j.src[l] = &some[min(l, n-1)][0]
				}
				j.run(s.width, rest[:n])
				rest, some = rest[n:], some[n:]
			}
		}
		for i, m := range some {
			rest[i] = sha256.Sum256(m)
		}
	}
}
