package protocol

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
)

// Fact is something the chain said: an event of one of the contracts, with
// where it stands. Facts are never wire messages.
type Fact struct {
	Block uint64      // number
	Time  uint64      // of the block, unix seconds
	Index uint64      // of the log in its block
	Tx    common.Hash // that caused it
	Event any         // one of the types below, by value
}

// NodeRegistered is a node's whole entry, repeated at each change.
type NodeRegistered struct {
	Node    common.Address
	Key     []byte // 33-byte compressed secp256k1 public key
	Payout  common.Address
	Classes []string // engine classes and roles, such as "exact/dk-1" or "pin/1"
	Weight  uint64
}

// NodeDeregistered ends an entry.
type NodeDeregistered struct{ Node common.Address }

// OfferOpened is a job on chain; ID is the offer's EIP-712 digest.
type OfferOpened struct {
	ID    common.Hash
	Offer Offer
}

// Redeemed is a voucher turned into pool money.
type Redeemed struct {
	Offer     common.Hash
	Channel   common.Hash
	Payer     common.Address
	Worker    common.Address
	Seq       uint64
	Moved     Amount
	Collected Amount // of the channel, after it
	Receipts  common.Hash
}

// Committed is a worker's batch of one epoch.
type Committed struct{ Batch Batch }

// Anchored is an epoch's rewards root.
type Anchored struct {
	Epoch       uint64
	Previous    uint64 // NoEpoch for the first
	Poster      common.Address
	Root        common.Hash
	Commitments common.Hash
	Total       Amount // sum of the root: cumulative over all epochs
	Minted      Amount // of this epoch
	Burned      Amount // of this epoch
	Ruleset     common.Hash
	Data        cid.Cid
}

// NoEpoch stands for "none" where an epoch's number belongs.
const NoEpoch = 1<<64 - 1

// Disabled is an anchor taken back by a quorum of auditors.
type Disabled struct{ Epoch uint64 }

// Claimed is a payment to an account.
type Claimed struct {
	Epoch      uint64
	Account    common.Address
	Payout     common.Address
	Paid       Amount
	Cumulative Amount
}

// PieceAdded says that a node takes it upon itself to prove a shard's CAR file.
type PieceAdded struct {
	Node common.Address
	ID   uint64      // of the piece in the node's set; never used again
	Root common.Hash // piece root
	Size uint64      // bytes of the CAR file
}

// PieceRemoved says that a node no longer proves a piece.
type PieceRemoved struct {
	Node common.Address
	ID   uint64
}

// PossessionProved says that a node proved its set in a period.
type PossessionProved struct {
	Node   common.Address
	Period uint64
	Leaves uint64 // under challenge: those of all pieces that were in the set when the period began
}

// PeriodsMissed says that a node with something to prove did not, from From to To
// inclusive, or gave the period up.
type PeriodsMissed struct {
	Node     common.Address
	From, To uint64
}

// RetrievalDemanded says that an auditor who was not answered asks on chain for
// one leaf.
type RetrievalDemanded struct {
	Node    common.Address
	Auditor common.Address
	ID      uint64 // piece
	Leaf    uint64
	By      uint64 // the last block in which an answer counts
}

// RetrievalAnswered ends a demand with the leaf and its path, checked on chain.
type RetrievalAnswered struct {
	Node common.Address
	ID   uint64
	Leaf uint64
}

// RetrievalMissed ends a demand that was not answered in time.
type RetrievalMissed struct {
	Node    common.Address
	Auditor common.Address
	ID      uint64
	Leaf    uint64
}

// DataWrong says that a node signed a leaf that is not the piece's: proved on
// chain by the right leaf and its path.
type DataWrong struct {
	Node  common.Address
	Piece common.Hash
	Leaf  uint64
}

// ContributionCommitted dates a contribution before its data is shown.
type ContributionCommitted struct {
	Account common.Address
	Digest  common.Hash
}

// Params are a network's times and bounds, fixed in the ledger when it is deployed.
type Params struct {
	Start        uint64 `json:"start"`         // unix seconds at which epoch 0 begins
	EpochLength  uint64 `json:"epoch_length"`  // seconds
	CommitWindow uint64 `json:"commit_window"` // seconds after an epoch's end to commit
	AuditWindow  uint64 `json:"audit_window"`  // seconds after that to audit
	ClaimDelay   uint64 `json:"claim_delay"`   // seconds from the anchor to claims
	Quorum       uint16 `json:"quorum"`        // auditors that disable an anchor
	Bond         Amount `json:"bond"`          // a poster's
	MintCap      Amount `json:"mint_cap"`      // of one epoch
	ProofPeriod  uint64 `json:"proof_period"`  // blocks in which every set is proved once
	ProofLeaves  uint64 `json:"proof_leaves"`  // drawn a period
}

// Bounds of the parameters of proofs, as the possession contract has them.
const (
	MinProofPeriod = 2    // blocks: one to draw from, one to prove in
	MaxProofPeriod = 8000 // blocks: the chain remembers 8191 hashes (EIP-2935)
	MaxProofLeaves = 32
)

// EpochAt is the epoch of a time; times before Start are in epoch 0.
func (p Params) EpochAt(t uint64) uint64 {
	if t < p.Start || p.EpochLength == 0 {
		return 0
	}
	return (t - p.Start) / p.EpochLength
}

// End is the first second after the epoch.
func (p Params) End(epoch uint64) uint64 { return p.Start + (epoch+1)*p.EpochLength }

// CommitBy is the last second at which a batch of the epoch can be committed.
func (p Params) CommitBy(epoch uint64) uint64 { return p.End(epoch) + p.CommitWindow }

// AuditBy is the last second at which a verdict on the epoch counts; it is
// anchored after it.
func (p Params) AuditBy(epoch uint64) uint64 { return p.CommitBy(epoch) + p.AuditWindow }
