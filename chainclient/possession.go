package chainclient

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/chainclient/contract/possession"
	"tally/protocol"
	"tally/protocol/piece"
)

// MaxPieces is how many pieces one call of AddPieces or RemovePieces takes.
const MaxPieces = 64

// AddPieces adds pieces to the client's set, by root and bytes, at most MaxPieces;
// they are drawn from in the next period. Their ids follow one another from the
// set's Next in the block that the transaction is mined in.
func (c *Client) AddPieces(ctx context.Context, roots []common.Hash, sizes []uint64) (common.Hash, error) {
	if len(roots) != len(sizes) || len(roots) == 0 || len(roots) > MaxPieces {
		return common.Hash{}, fmt.Errorf("%w: %d roots, %d sizes: give one size to each of 1 to %d roots", ErrArgument, len(roots), len(sizes), MaxPieces)
	}
	words := make([][32]byte, len(roots))
	for i, r := range roots {
		words[i] = r
	}
	data, err := c.possession.TryPackAdd(words, sizes)
	return c.packed(ctx, c.book.Possession, "add pieces", data, err)
}

// RemovePieces removes at most MaxPieces pieces from the client's set. It is
// refused as "ProveFirst" while the current period is neither proved nor given up.
func (c *Client) RemovePieces(ctx context.Context, ids []uint64) (common.Hash, error) {
	if len(ids) == 0 || len(ids) > MaxPieces {
		return common.Hash{}, fmt.Errorf("%w: %d pieces: remove 1 to %d in a call", ErrArgument, len(ids), MaxPieces)
	}
	data, err := c.possession.TryPackRemove(ids)
	return c.packed(ctx, c.book.Possession, "remove pieces", data, err)
}

// Prove proves the client's set in a period, the current one, with a proof for each
// leaf drawn, in the order of the draws.
func (c *Client) Prove(ctx context.Context, period uint64, proofs []protocol.LeafProof) (common.Hash, error) {
	in := make([]possession.PossessionProof, len(proofs))
	for i, p := range proofs {
		in[i] = leafProof(p)
	}
	data, err := c.possession.TryPackProve(c.from, period, in)
	return c.packed(ctx, c.book.Possession, "prove possession", data, err)
}

// Forfeit gives up a period, the current one: it counts as missed, and the client
// may remove what it lost.
func (c *Client) Forfeit(ctx context.Context, period uint64) (common.Hash, error) {
	data, err := c.possession.TryPackForfeit(period)
	return c.packed(ctx, c.book.Possession, "give a proof period up", data, err)
}

// Poke records what a node missed, and demands that it did not answer in time.
func (c *Client) Poke(ctx context.Context, node common.Address) (common.Hash, error) {
	data, err := c.possession.TryPackPoke(node)
	return c.packed(ctx, c.book.Possession, "record missed periods", data, err)
}

// Demand asks a node on chain for one leaf of a piece of its set; for auditors.
func (c *Client) Demand(ctx context.Context, node common.Address, id, leaf uint64) (common.Hash, error) {
	data, err := c.possession.TryPackDemand(node, id, leaf)
	return c.packed(ctx, c.book.Possession, "demand a leaf", data, err)
}

// Answer answers every demand against the client for the proof's leaf.
func (c *Client) Answer(ctx context.Context, p protocol.LeafProof) (common.Hash, error) {
	data, err := c.possession.TryPackAnswer(leafProof(p))
	return c.packed(ctx, c.book.Possession, "answer a demand", data, err)
}

// Expire records that a node did not answer an auditor's demand in time.
func (c *Client) Expire(ctx context.Context, node, auditor common.Address) (common.Hash, error) {
	data, err := c.possession.TryPackExpire(node, auditor)
	return c.packed(ctx, c.book.Possession, "record an unanswered demand", data, err)
}

// Accuse shows that what a node signed is not the piece's leaf: right is the leaf
// that is, of a piece of size bytes.
func (c *Client) Accuse(ctx context.Context, said protocol.Signed[protocol.Retrieved], size uint64, right piece.Proof) (common.Hash, error) {
	r, err := said.Open(c.book.Network)
	if err != nil {
		return common.Hash{}, err
	}
	if right.Index != r.Leaf {
		return common.Hash{}, fmt.Errorf("%w: leaf %d was signed, the proof is of leaf %d", ErrArgument, r.Leaf, right.Index)
	}
	data, err := c.possession.TryPackAccuse(possession.PossessionRetrieved{
		Node:  r.Node,
		Asker: r.Asker,
		Piece: r.Piece,
		Leaf:  r.Leaf,
		Data:  r.Data,
		Time:  r.Time,
	}, said.Signature(), size, right.Leaf, right.Path)
	return c.packed(ctx, c.book.Possession, "accuse of wrong data", data, err)
}

// ProofSet is a node's set at the last block, with what it missed, recorded or not.
func (c *Client) ProofSet(ctx context.Context, node common.Address) (protocol.ProofSet, error) {
	data, err := c.possession.TryPackSetOf(node)
	s, err := read(ctx, c, c.book.Possession, "proof set", data, err, c.possession.UnpackSetOf)
	return protocol.ProofSet{
		Next:       s.Next,
		Pieces:     uint64(s.Pieces),
		Leaves:     s.Leaves,
		Period:     s.Period,
		Challenged: s.Challenged,
		Outcome:    s.Outcome,
		Proved:     uint64(s.Proved),
		Missed:     uint64(s.Missed),
		Running:    uint64(s.Running),
	}, err
}

// Piece is a piece of a node's set; ok is false where there is none, or no longer.
func (c *Client) Piece(ctx context.Context, node common.Address, id uint64) (p protocol.HeldPiece, ok bool, err error) {
	data, err := c.possession.TryPackPieceOf(node, id)
	v, err := read(ctx, c, c.book.Possession, "piece", data, err, c.possession.UnpackPieceOf)
	if err != nil || v.Size == 0 {
		return protocol.HeldPiece{}, false, err
	}
	return protocol.HeldPiece{ID: id, Root: v.Root, Size: v.Size}, true, nil
}

// Proven reports whether a node proved a period, one of the last 64; older ones are
// refused as "Forgotten", the facts tell of them.
func (c *Client) Proven(ctx context.Context, node common.Address, period uint64) (bool, error) {
	data, err := c.possession.TryPackProven(node, period)
	return read(ctx, c, c.book.Possession, "proved period", data, err, c.possession.UnpackProven)
}

// Demands are the demands against a node that nothing ended so far: at most four.
func (c *Client) Demands(ctx context.Context, node common.Address) ([]protocol.Retrieval, error) {
	data, err := c.possession.TryPackDemandsOf(node)
	v, err := read(ctx, c, c.book.Possession, "demands", data, err, c.possession.UnpackDemandsOf)
	out := make([]protocol.Retrieval, len(v))
	for i, d := range v {
		out[i] = protocol.Retrieval{Auditor: d.Auditor, By: d.By, ID: d.Id, Leaf: d.Leaf}
	}
	return out, err
}

// Accused reports whether a node was shown to have signed a wrong leaf of a piece.
func (c *Client) Accused(ctx context.Context, node common.Address, root common.Hash, leaf uint64) (bool, error) {
	data, err := c.possession.TryPackAccused(accusation(node, root, leaf))
	return read(ctx, c, c.book.Possession, "accusation", data, err, c.possession.UnpackAccused)
}

// Challenge is the i-th leaf that a node has to show in the period of the last
// block, as the contract itself draws it, while the period is open. A node that holds its list of pieces
// draws with protocol.DrawLeaf and asks nobody.
func (c *Client) Challenge(ctx context.Context, node common.Address, i uint64) (period, id, leaf uint64, err error) {
	data, err := c.possession.TryPackChallengeOf(node, i)
	v, err := read(ctx, c, c.book.Possession, "challenge", data, err, c.possession.UnpackChallengeOf)
	return v.Period, v.Id, v.Leaf, err
}

// Seed is the seed of a period, the hash of its first block, which is there as soon
// as the block is. A reorganisation may change it: so what is proved early may have
// to be proved again.
func (c *Client) Seed(ctx context.Context, period uint64) (common.Hash, error) {
	number := new(big.Int).Mul(new(big.Int).SetUint64(period), new(big.Int).SetUint64(c.book.Params.ProofPeriod))
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	h, err := c.backend.HeaderByNumber(ctx, number)
	if err != nil {
		return common.Hash{}, fmt.Errorf("chainclient: read the seed of period %d: %w", period, err)
	}
	return h.Hash(), nil
}

// accusation is the contract's key: keccak256(abi.encode(node, root, leaf)).
func accusation(node common.Address, root common.Hash, leaf uint64) common.Hash {
	return crypto.Keccak256Hash(common.LeftPadBytes(node[:], 32), root[:], common.BigToHash(new(big.Int).SetUint64(leaf)).Bytes())
}

func leafProof(p protocol.LeafProof) possession.PossessionProof {
	return possession.PossessionProof{Id: p.ID, Leaf: p.Proof.Index, Data: p.Proof.Leaf, Path: p.Proof.Path}
}
