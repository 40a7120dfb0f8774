package contracts_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/chainclient/contract/possession"
	"tally/protocol"
	"tally/protocol/piece"
)

// file is a piece's bytes with what its holder keeps beside them.
type file struct {
	r     io.ReaderAt
	size  uint64
	root  common.Hash
	layer []piece.Hash
}

// fileOf is a file of random bytes, none of them zero, the same for the same seed.
func fileOf(t testing.TB, seed, size uint64) file {
	t.Helper()
	b := make([]byte, size)
	r := rand.New(rand.NewPCG(seed, size))
	for i := range b {
		b[i] = byte(1 + r.UintN(255))
	}
	h := piece.New(true)
	if _, err := h.Write(b); err != nil {
		t.Fatal(err)
	}
	return file{bytes.NewReader(b), size, h.Root(), h.Layer()}
}

// repeated reads as the same bytes over and over.
type repeated []byte

func (r repeated) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		n += copy(p[n:], r[(off+int64(n))%int64(len(r)):])
	}
	return n, nil
}

// gibibyte is 1 GiB of one random MiB over and over.
func gibibyte(t testing.TB) file {
	t.Helper()
	one := fileOf(t, 1, piece.LayerSpan)
	span := make(repeated, piece.LayerSpan)
	if _, err := one.r.ReadAt(span, 0); err != nil {
		t.Fatal(err)
	}
	f := file{r: span, size: 1 << 30, layer: slices.Repeat(one.layer, 1024)}
	root, err := piece.RootOf(f.size, f.layer)
	if err != nil {
		t.Fatal(err)
	}
	f.root = root
	return f
}

func (f file) prove(t testing.TB, leaf uint64) piece.Proof {
	t.Helper()
	p, err := piece.ProveFrom(f.r, f.size, leaf, f.layer)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// holder is a registered node that keeps files, by the ids of its set.
type holder struct {
	w     *world
	i     int // account
	held  []protocol.HeldPiece
	files map[uint64]file
	next  uint64
}

func (w *world) holder(i int) *holder {
	w.t.Helper()
	w.Do(i, &w.Book.Registry, reg.PackRegister(crypto.CompressPubkey(&w.Keys[i].PublicKey), w.Account(i), nil))
	return &holder{w: w, i: i, files: map[uint64]file{}}
}

func (h *holder) addr() common.Address { return h.w.Account(h.i) }

func packAdd(files ...file) []byte {
	var roots [][32]byte
	var sizes []uint64
	for _, f := range files {
		roots, sizes = append(roots, f.root), append(sizes, f.size)
	}
	return pos.PackAdd(roots, sizes)
}

func (h *holder) add(files ...file) *types.Receipt {
	h.w.t.Helper()
	r := h.w.Do(h.i, &h.w.Book.Possession, packAdd(files...))
	for _, f := range files {
		h.held = append(h.held, protocol.HeldPiece{ID: h.next, Root: f.root, Size: f.size})
		h.files[h.next] = f
		h.next++
	}
	return r
}

func (h *holder) remove(ids ...uint64) *types.Receipt {
	h.w.t.Helper()
	r := h.w.Do(h.i, &h.w.Book.Possession, pos.PackRemove(ids))
	h.held = slices.DeleteFunc(h.held, func(p protocol.HeldPiece) bool { return slices.Contains(ids, p.ID) })
	return r
}

// proofs answers the challenge of a period, all of whose leaves are in held.
func (h *holder) proofs(period uint64) []possession.PossessionProof {
	h.w.t.Helper()
	seed := h.w.seed(period)
	total := get(h.w, h.w.Book.Possession, pos.PackSetOf(h.addr()), pos.UnpackSetOf).Challenged
	var out []possession.PossessionProof
	for i := range h.w.Book.Params.ProofLeaves {
		p, leaf, err := protocol.FindLeaf(h.held, protocol.DrawLeaf(seed, h.addr(), period, i, total))
		if err != nil {
			h.w.t.Fatal(err)
		}
		out = append(out, h.proof(p.ID, leaf))
	}
	return out
}

func (h *holder) proof(id, leaf uint64) possession.PossessionProof {
	h.w.t.Helper()
	p := h.files[id].prove(h.w.t, leaf)
	return possession.PossessionProof{Id: id, Leaf: leaf, Data: p.Leaf, Path: p.Path}
}

// prove proves the current period.
func (h *holder) prove() *types.Receipt {
	h.w.t.Helper()
	p := h.w.period()
	return h.w.Do(h.i, &h.w.Book.Possession, pos.PackProve(h.addr(), p, h.proofs(p)))
}

func (h *holder) set() possession.PossessionSet {
	h.w.t.Helper()
	return get(h.w, h.w.Book.Possession, pos.PackSetOf(h.addr()), pos.UnpackSetOf)
}

// seed is the hash of a period's first block, as the chain's own headers give it.
func (w *world) seed(period uint64) common.Hash {
	w.t.Helper()
	s, err := w.As(owner).Seed(w.t.Context(), period)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) block() uint64 {
	w.t.Helper()
	n, err := w.BlockNumber(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// period is that of the last block: what Try sees, and the next transaction too
// unless the block is the period's last.
func (w *world) period() uint64 { return w.Book.Params.PeriodAt(w.block()) }

// mine mines n blocks.
func (w *world) mine(n uint64) {
	for range n {
		w.Backend.Commit()
	}
}

// begin moves to the second block of the next period: its seed is there.
func (w *world) begin() uint64 {
	w.t.Helper()
	p := w.period() + 1
	w.mine(w.Book.Params.ChallengeBlock(p) + 1 - w.block())
	return p
}
