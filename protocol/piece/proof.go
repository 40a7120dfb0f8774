package piece

import (
	"errors"
	"fmt"
	"io"

	"tally/protocol/piece/lanes"
)

// Proof is what shows that a holder has one leaf.
type Proof struct {
	Index uint64 // of the leaf
	Leaf  []byte // LeafSize bytes, the last leaf zero-padded
	Path  []Hash // siblings from the leaf up, Depth(length) of them
}

// Prove reads all length bytes of r and returns the proof for a leaf. Memory is
// bounded; time is that of hashing. Where a Layer is at hand, ProveFrom reads
// 1 MiB instead.
func Prove(r io.ReaderAt, length, index uint64) (Proof, error) {
	if index >= Leaves(length) {
		return Proof{}, fmt.Errorf("prove leaf %d of %d: %w", index, Leaves(length), ErrRange)
	}
	h := New(true)
	n, err := io.Copy(h, io.NewSectionReader(r, 0, int64(length)))
	if err != nil {
		return Proof{}, fmt.Errorf("piece: prove: %w", err)
	}
	if uint64(n) != length {
		return Proof{}, fmt.Errorf("prove: %d of %d bytes: %w", n, length, ErrLength)
	}
	return ProveFrom(r, length, index, h.Layer())
}

// ProveFrom is Prove with the Layer that a Hasher kept for the same bytes.
func ProveFrom(r io.ReaderAt, length, index uint64, layer []Hash) (Proof, error) {
	if index >= Leaves(length) {
		return Proof{}, fmt.Errorf("prove leaf %d of %d: %w", index, Leaves(length), ErrRange)
	}
	depth := Depth(length)
	low := min(depth, LayerHeight)
	if want := (Leaves(length) + 1<<LayerHeight - 1) >> LayerHeight; uint64(len(layer)) != want {
		return Proof{}, fmt.Errorf("prove: layer of %d nodes, want %d: %w", len(layer), want, ErrLength)
	}
	span := index >> LayerHeight
	buf := make([]byte, min(LayerSpan, length-span*LayerSpan))
	if _, err := r.ReadAt(buf, int64(span*LayerSpan)); err != nil && !errors.Is(err, io.EOF) {
		return Proof{}, fmt.Errorf("piece: prove: %w", err)
	} else if err != nil && span*LayerSpan+uint64(len(buf)) != length {
		return Proof{}, fmt.Errorf("prove: %w", ErrLength)
	}

	p := Proof{Index: index, Leaf: make([]byte, LeafSize), Path: make([]Hash, 0, depth)}
	at := index & (1<<LayerHeight - 1)
	copy(p.Leaf, buf[at*LeafSize:])
	level := make([]Hash, Leaves(uint64(len(buf))))
	whole := len(buf) / LeafSize
	lanes.Tagged(level, 0, buf, LeafSize)
	if whole < len(level) {
		var b [LeafSize]byte
		copy(b[:], buf[whole*LeafSize:])
		level[whole] = leaf(&b)
	}
	z := zeros(depth)
	p.Path, level = climb(p.Path, level, at, z[:low+1], 0)
	if depth == low {
		return p, nil
	}
	if level[0] != layer[span] {
		return Proof{}, fmt.Errorf("prove: bytes at %d changed since they were hashed: %w", span*LayerSpan, ErrProof)
	}
	p.Path, _ = climb(p.Path, append([]Hash(nil), layer...), span, z, low)
	return p, nil
}

// climb folds level from height from to the height of the last of z, adding
// the sibling of at on each.
func climb(path, level []Hash, at uint64, z []Hash, from int) ([]Hash, []Hash) {
	for h := from; h < len(z)-1; h++ {
		if len(level)%2 == 1 {
			level = append(level, z[h])
		}
		path = append(path, level[at^1])
		lanes.Pairs(level, 1, level)
		level, at = level[:len(level)/2], at/2
	}
	return path, level
}

// Verify checks that leaf is leaf number index of the length bytes under root.
// It returns ErrRange or ErrProof. The work is Depth(length)+2 hashes.
func Verify(root Hash, length uint64, p Proof) error {
	n := Leaves(length)
	if p.Index >= n {
		return fmt.Errorf("verify leaf %d of %d: %w", p.Index, n, ErrRange)
	}
	if len(p.Leaf) != LeafSize || len(p.Path) != Depth(length) {
		return fmt.Errorf("verify: leaf of %d bytes, path of %d: %w", len(p.Leaf), len(p.Path), ErrProof)
	}
	if rest := length % LeafSize; rest != 0 && p.Index == n-1 {
		for _, c := range p.Leaf[rest:] {
			if c != 0 {
				return fmt.Errorf("verify: padding is not zero: %w", ErrProof)
			}
		}
	}
	h := leaf((*[LeafSize]byte)(p.Leaf))
	at := p.Index
	for i := range p.Path {
		if at&1 == 1 {
			h = node(&p.Path[i], &h)
		} else {
			h = node(&h, &p.Path[i])
		}
		at >>= 1
	}
	if Bind(length, h) != root {
		return fmt.Errorf("verify leaf %d: %w", p.Index, ErrProof)
	}
	return nil
}
