// Package piece computes the piece root of a byte string: a SHA-256 binary tree
// that an EVM contract can check with one leaf and one path.
//
// It stands next to a shard's CID, because a contract cannot check a CID: a
// 1 MiB block does not fit a transaction, while a path of depth 22 (1 GiB) is
// 704 bytes. Anyone who holds the bytes recomputes the root.
//
// The tree. The bytes are cut into leaves of LeafSize (256) bytes, the last one
// filled up with zero bytes. With H = SHA-256:
//
//	leaf     = H(0x00 ‖ 256 bytes)
//	node     = H(0x01 ‖ left ‖ right)
//	zero(0)  = 32 zero bytes (no input hashes to it in practice, so that an
//	           absent leaf differs from a leaf of zero bytes)
//	zero(h)  = node(zero(h-1), zero(h-1))
//	root     = H(0x02 ‖ length in bytes, uint64 big-endian ‖ top)
//
// The leaves are padded to the next power of two with zero subtrees; top is the
// one node that is left. No bytes at all have top = zero(0). Because the length
// is bound, trailing zero bytes, padding and absent leaves never collide.
// These rules are stable: contracts and receipts depend on them. Golden vectors
// are in testdata/vectors.json.
//
// A Hasher streams: it needs about 50 KiB whatever the length, and where the
// processor has vectors it hashes many leaves at once (package lanes), so give
// it 4 KiB or more a Write. It is not safe for concurrent use. The functions are
// pure.
package piece

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"tally/protocol/piece/lanes"
)

const (
	// LeafSize is the number of bytes under one leaf.
	LeafSize = 256
	// LayerHeight is the height of the nodes that a Layer keeps.
	LayerHeight = 12
	// LayerSpan is the number of bytes under one node of a Layer: 1 MiB, so
	// that the Layer of a 1 GiB shard is 32 KiB and a proof reads 1 MiB.
	LayerSpan = LeafSize << LayerHeight
	// batchHeight is the height of the subtrees that a Hasher folds at once.
	batchHeight = 10
	// maxDepth bounds a path: 2^56 leaves hold every uint64 length.
	maxDepth = 56
)

// Hash is one hash of the tree.
type Hash = [32]byte

var (
	// ErrRange says that a leaf index is past the end of the bytes.
	ErrRange = errors.New("piece: leaf index out of range: ask for an index below Leaves(length)")
	// ErrProof says that a leaf and path do not lead to the root.
	ErrProof = errors.New("piece: proof does not match the root: the holder's bytes differ, or the proof is for other bytes")
	// ErrLength says that a source did not hold the length that was claimed.
	ErrLength = errors.New("piece: source is not of the given length: read it again or recompute its root")
)

// Leaves returns how many leaves length bytes have.
func Leaves(length uint64) uint64 {
	n := length / LeafSize
	if length%LeafSize != 0 {
		n++
	}
	return n
}

// Depth returns the number of hashes in a path for length bytes.
func Depth(length uint64) int {
	n := Leaves(length)
	if n <= 1 {
		return 0
	}
	return bits.Len64(n - 1)
}

// Bind binds the top of a tree to the length of its bytes.
func Bind(length uint64, top Hash) Hash {
	var b [41]byte
	b[0] = 2
	binary.BigEndian.PutUint64(b[1:], length)
	copy(b[9:], top[:])
	return sha256.Sum256(b[:])
}

func node(l, r *Hash) Hash {
	var b [65]byte
	b[0] = 1
	copy(b[1:], l[:])
	copy(b[33:], r[:])
	return sha256.Sum256(b[:])
}

// zeros returns zero(0) to zero(n).
func zeros(n int) []Hash {
	z := make([]Hash, n+1)
	for i := 1; i <= n; i++ {
		z[i] = node(&z[i-1], &z[i-1])
	}
	return z
}

// tree folds nodes, left to right, keeping one hash a level.
type tree struct {
	level [maxDepth + 8]Hash
	count uint64 // leaves so far; its bits say which levels hold a hash
	layer []Hash // complete nodes at height, if wanted
	keep  bool
}

// add adds a node of the given height, under which no leaf is absent. The leaves
// so far are a multiple of those under it.
func (t *tree) add(h Hash, height int) {
	i := height
	for c := t.count >> height; c&1 == 1; c >>= 1 {
		h = node(&t.level[i], &h)
		i++
		if i == LayerHeight && t.keep {
			t.layer = append(t.layer, h)
		}
	}
	t.level[i] = h
	t.count += 1 << height
}

// top closes the tree at the given depth, leaving it as it was.
func (t *tree) top(depth int) Hash {
	if t.count == 0 {
		return zeros(depth)[depth]
	}
	if t.count == 1<<depth {
		return t.level[depth]
	}
	z := zeros(depth)
	var h Hash
	have := false
	for i := range depth {
		switch bit := t.count>>i&1 == 1; {
		case bit && have:
			h = node(&t.level[i], &h)
		case bit:
			h, have = node(&t.level[i], &z[i]), true
		case have:
			h = node(&h, &z[i])
		}
	}
	return h
}

// leaf returns the hash of one leaf.
func leaf(data *[LeafSize]byte) Hash {
	var h [1]Hash
	lanes.Tagged(h[:], 0, data[:], LeafSize)
	return h[0]
}

// Hasher computes a piece root from a stream. The zero value is ready.
type Hasher struct {
	t      tree
	leaves []Hash         // after those of t, fewer than make a batch
	buf    [LeafSize]byte // of the leaf under way
	n      int            // bytes in buf
	length uint64
}

// New returns a Hasher. With layer it also keeps what Layer returns.
func New(layer bool) *Hasher { return &Hasher{t: tree{keep: layer}} }

// Write adds p. It never errs.
func (h *Hasher) Write(p []byte) (int, error) {
	total := len(p)
	h.length += uint64(total)
	if h.leaves == nil && total > 0 {
		h.leaves = make([]Hash, 0, 1<<batchHeight)
	}
	if h.n > 0 {
		n := copy(h.buf[h.n:], p)
		p = p[n:]
		if h.n += n; h.n < LeafSize {
			return total, nil
		}
		h.n = 0
		h.add(h.buf[:])
	}
	whole := len(p) &^ (LeafSize - 1)
	for rest := p[:whole]; len(rest) > 0; {
		n := min(len(rest), (cap(h.leaves)-len(h.leaves))*LeafSize)
		h.add(rest[:n])
		rest = rest[n:]
	}
	h.n = copy(h.buf[:], p[whole:])
	return total, nil
}

// add adds whole leaves, not more than the batch has room for.
func (h *Hasher) add(data []byte) {
	from := len(h.leaves)
	h.leaves = h.leaves[:from+len(data)/LeafSize]
	lanes.Tagged(h.leaves[from:], 0, data, LeafSize)
	if len(h.leaves) < cap(h.leaves) {
		return
	}
	level := h.leaves
	for len(level) > 1 {
		lanes.Pairs(level, 1, level)
		level = level[:len(level)/2]
	}
	h.t.add(level[0], batchHeight)
	h.leaves = h.leaves[:0]
}

// Len returns the number of bytes written so far.
func (h *Hasher) Len() uint64 { return h.length }

// Root returns the piece root of what was written so far; writing may go on.
func (h *Hasher) Root() Hash {
	t := h.closed()
	return Bind(h.length, t.top(Depth(h.length)))
}

// Layer returns the nodes at LayerHeight, the last one padded, for what was
// written so far: the input of ProveFrom. It is empty unless New was told to
// keep it.
func (h *Hasher) Layer() []Hash {
	if !h.t.keep {
		return nil
	}
	t := h.closed()
	out := append([]Hash(nil), t.layer...)
	if rest := t.count & (1<<LayerHeight - 1); rest != 0 {
		last := tree{count: rest, level: t.level}
		out = append(out, last.top(LayerHeight))
	}
	return out
}

// closed returns a copy of the tree with all leaves added, the last one padded.
func (h *Hasher) closed() tree {
	t := h.t
	t.layer = t.layer[:len(t.layer):len(t.layer)]
	for _, l := range h.leaves {
		t.add(l, 0)
	}
	if h.n > 0 {
		var b [LeafSize]byte
		copy(b[:], h.buf[:h.n])
		t.add(leaf(&b), 0)
	}
	return t
}

// Sum reads r to its end and returns its piece root and length.
func Sum(r io.Reader) (root Hash, length uint64, err error) {
	var h Hasher
	if _, err := io.Copy(&h, r); err != nil {
		return Hash{}, 0, fmt.Errorf("piece: sum: %w", err)
	}
	return h.Root(), h.length, nil
}
