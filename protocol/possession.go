package protocol

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/protocol/piece"
)

// Proof of possession. A node keeps one set of pieces on the chain. Time is cut
// into periods of Params.ProofPeriod blocks, counted from block 0: period p is the blocks from
// p·ProofPeriod on, and its first block is its challenge block, whose hash is the
// seed. From the block after it to the end of the period, the node may prove:
// ProofLeaves leaves, drawn from all leaves that were in its set when the period
// began, each with its path to the root of its piece.
//
// The leaves of a set are numbered in the order of the pieces' ids; a removed
// piece has none.

// ErrPossession says that a leaf drawn is outside the set.
var ErrPossession = errors.New("protocol: not a leaf of the set")

// PeriodAt is the proof period of a block.
func (p Params) PeriodAt(block uint64) uint64 {
	if p.ProofPeriod == 0 {
		return 0
	}
	return block / p.ProofPeriod
}

// ChallengeBlock is the block whose hash is the seed of a period.
func (p Params) ChallengeBlock(period uint64) uint64 { return period * p.ProofPeriod }

// DrawLeaf is the i-th leaf drawn, a number below total: keccak256(seed ‖ node ‖
// period as 8 bytes ‖ i as 8 bytes) modulo total. total is above zero.
func DrawLeaf(seed common.Hash, node common.Address, period, i, total uint64) uint64 {
	b := append(seed.Bytes(), node[:]...)
	b = binary.BigEndian.AppendUint64(b, period)
	b = binary.BigEndian.AppendUint64(b, i)
	n := new(big.Int).SetBytes(crypto.Keccak256(b))
	return n.Mod(n, new(big.Int).SetUint64(total)).Uint64()
}

// HeldPiece is a piece of a node's set.
type HeldPiece struct {
	ID   uint64
	Root common.Hash // piece root
	Size uint64      // bytes of the CAR file
}

// FindLeaf returns the piece and the leaf in it that a number below the set's
// leaves stands for. pieces are in the order of their ids.
func FindLeaf(pieces []HeldPiece, n uint64) (HeldPiece, uint64, error) {
	at := n
	for _, p := range pieces {
		l := piece.Leaves(p.Size)
		if at < l {
			return p, at, nil
		}
		at -= l
	}
	return HeldPiece{}, 0, fmt.Errorf("%w: leaf %d, the set has %d", ErrPossession, n, n-at)
}

// Retrieved is what a holder signs when it is asked for a leaf: so a wrong one is
// its own word against it.
type Retrieved struct {
	Node  common.Address // the holder
	Asker common.Address
	Piece common.Hash // piece root
	Leaf  uint64
	Data  common.Hash // SHA-256 of 0x00 ‖ the leaf's 256 bytes, as in the piece's tree
	Time  uint64      // unix seconds, the holder's
}

// Judge is the possession contract.
func (Retrieved) Judge() Contract { return JudgePossession }

// Author is the holder.
func (m Retrieved) Author() common.Address { return m.Node }

// Outcomes of a retrieval check.
const (
	RetrievalGood   uint8 = iota + 1 // the leaf came, signed, and is the piece's
	RetrievalSilent                  // no answer in time
	RetrievalWrong                   // a signed answer that is not the piece's
)

// RetrievalReport is what an auditor signs after a retrieval check.
type RetrievalReport struct {
	Auditor common.Address
	Node    common.Address
	Piece   common.Hash
	Leaf    uint64
	Outcome uint8  // one of the above
	Millis  uint64 // until the answer was here
	Bytes   uint64 // that came
	Epoch   uint64
	Answer  []byte `max:"512"` // the Signed[Retrieved], if one came
}

// Judge is the ledger.
func (RetrievalReport) Judge() Contract { return JudgeLedger }

// Author is the auditor.
func (m RetrievalReport) Author() common.Address { return m.Auditor }

// LeafProof is the answer to one leaf drawn.
type LeafProof struct {
	ID    uint64 // of the piece in the set
	Proof piece.Proof
}

// What became of a period's challenge.
const (
	ChallengeOpen      uint8 = iota // not proved so far
	ChallengeProved                 // proved
	ChallengeForfeited              // given up, and counted as missed
)

// ProofSet is a node's set as the chain has it at one block.
type ProofSet struct {
	Next       uint64 // id of the next piece
	Pieces     uint64 // in the set now
	Leaves     uint64 // of them
	Period     uint64 // the block's
	Challenged uint64 // leaves that were in the set when the period began
	Outcome    uint8  // of the period, one of the above
	Proved     uint64 // periods, ever
	Missed     uint64 // periods, ever
	Running    uint64 // periods missed since the last one proved
}

// SuspendedAfter is how many periods missed running suspend a node.
const SuspendedAfter = 2

// Suspended reports whether the node counts as a holder of nothing for now.
func (s ProofSet) Suspended() bool { return s.Running >= SuspendedAfter }

// Retrieval is an auditor's demand on chain that nothing ended so far.
type Retrieval struct {
	Auditor common.Address
	By      uint64 // the last block in which an answer counts
	ID      uint64 // of the piece
	Leaf    uint64
}
