package lanes

import "encoding/binary"

// job is one call of a kernel.
//
// A message with a tag is shifted by one byte against the words that it is
// loaded as. So words are loaded rotated by that byte (shuffle), the byte is
// swapped for that of the word before (mask), and the first word's comes from
// carry, which is the tag at first.
type job struct {
	src    [16]*byte // the messages
	blocks int       // whole blocks of each
	tag    uint32    // where carry has it
	work   [atEnd]uint32
}

// Where things are in job.work; gen knows the same. State, carry and words have
// room for 16 lanes.
const (
	atShuffle = 0              // 16 bytes: from bytes to words
	atMask    = 4              // what of a word belongs to the word before
	atPad     = 5              // the mark of the end, where it stands in the last block's first word
	atBits    = 6              // the length of a message
	atState   = 8              // word by word, lane by lane
	atCarry   = atState + 8*16 // the word before
	atWords   = atCarry + 16   // the schedule, where registers do not hold it
	atEnd     = atWords + 16*16
)

// shape sets what all messages of one shape share.
func (j *job) shape(size int, tagged bool, tag byte) {
	w := &j.work
	j.blocks = size / Block
	shuffle := [4]uint32{0x00010203, 0x04050607, 0x08090a0b, 0x0c0d0e0f}
	w[atPad], w[atBits], w[atMask] = 0x80000000, uint32(8*size), 0
	if tagged {
		shuffle = [4]uint32{0x03000102, 0x07040506, 0x0b08090a, 0x0f0c0d0e}
		w[atPad], w[atBits], w[atMask] = 0x00800000, uint32(8*size+8), 0xff000000
	}
	copy(w[atShuffle:], shuffle[:])
	j.tag = uint32(tag) << 24
}

// run hashes what j.src points at with the kernel of a width, and takes the first len(dst)
// digests out.
func (j *job) run(width int, dst []Hash) {
	w := &j.work
	for i, v := range [8]uint32{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {
		state := (*[16]uint32)(w[atState+16*i:])
		for l := range state {
			state[l] = v
		}
	}
	carry := (*[16]uint32)(w[atCarry:])
	for l := range carry {
		carry[l] = j.tag
	}
	hash(width, j)
	state := (*[8 * 16]uint32)(w[atState:])
	for l := range dst {
		d := &dst[l]
		for i := range 8 {
			binary.BigEndian.PutUint32(d[4*i:], state[16*i+l&127])
		}
	}
}
