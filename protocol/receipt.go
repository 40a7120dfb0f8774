package protocol

import (
	"crypto/ecdsa"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
)

// Receipt is one piece of work done: a request answered, a training run, a
// shard kept. The worker signs it before the last of the work is released, the
// payer co-signs it after.
type Receipt struct {
	Offer       common.Hash
	Channel     common.Hash // Channel(Offer, Worker)
	Payer       common.Address
	Worker      common.Address
	Epoch       uint64 // of End
	Seq         uint64 // +1 per channel from 1, so that a gap shows
	Kind        Kind
	Tier        Tier
	Origin      Origin
	Rank        uint8   // 0 primary, then fallbacks: each step halves emission
	Spec        cid.Cid // the offer's
	Input       common.Hash
	Output      cid.Cid
	Trace       common.Hash // Merkle root over the trace's leaves
	Attribution common.Hash // room for the attribution root; zero until there is one
	UnitsIn     uint64      // infer: tokens read; train: tokens trained; pin: bytes
	UnitsOut    uint64      // infer: tokens written; train: steps; pin: seconds
	Value       Amount      // the fee of this work alone
	Start       uint64      // unix seconds
	End         uint64      // unix seconds
	Previous    cid.Cid     // id of the receipt before it on the channel, or none
}

// Judge is the ledger.
func (Receipt) Judge() Contract { return JudgeLedger }

// Author is the worker.
func (m Receipt) Author() common.Address { return m.Worker }

// Cosigned is a receipt with the worker's signature and, once the payer has
// accepted the work, the payer's. Nobody has checked it yet: Open does.
type Cosigned struct {
	payload []byte
	worker  []byte
	payer   []byte // empty until co-signed
}

type cosignedWire struct {
	Payload []byte `max:"4096"`
	Worker  []byte `max:"65"`
	Payer   []byte `max:"65"`
}

// IssueReceipt writes and signs a receipt with the worker's key.
func IssueReceipt(n Network, key *ecdsa.PrivateKey, r Receipt) (Cosigned, error) {
	s, err := Sign(n, key, r)
	if err != nil {
		return Cosigned{}, err
	}
	return Cosigned{payload: s.payload, worker: s.sig}, nil
}

// ParseCosigned reads a receipt's envelope. It checks its form only.
func ParseCosigned(b []byte) (Cosigned, error) {
	var w cosignedWire
	if err := Decode(b, &w); err != nil {
		return Cosigned{}, err
	}
	if len(w.Worker) != SignatureSize || len(w.Payer) != 0 && len(w.Payer) != SignatureSize {
		return Cosigned{}, fmt.Errorf("%w: a receipt carries one or two signatures of %d bytes", ErrSignature, SignatureSize)
	}
	return Cosigned{w.Payload, w.Worker, w.Payer}, nil
}

// Open returns the receipt if the worker signed it and, where a second
// signature is there, the payer signed that; cosigned says whether it is.
func (c Cosigned) Open(n Network) (r Receipt, cosigned bool, err error) {
	if err := Decode(c.payload, &r); err != nil {
		return Receipt{}, false, err
	}
	if err := checkSignature(n, r, r.Worker, c.worker); err != nil {
		return Receipt{}, false, fmt.Errorf("by the worker: %w", err)
	}
	if len(c.payer) == 0 {
		return r, false, nil
	}
	if err := checkSignature(n, r, r.Payer, c.payer); err != nil {
		return Receipt{}, false, fmt.Errorf("by the payer: %w", err)
	}
	return r, true, nil
}

// Cosign adds the payer's signature.
func (c Cosigned) Cosign(n Network, key *ecdsa.PrivateKey) (Cosigned, error) {
	r, _, err := c.Open(n)
	if err != nil {
		return Cosigned{}, err
	}
	sig, err := signature(n, key, r)
	if err != nil {
		return Cosigned{}, err
	}
	if err := checkSignature(n, r, r.Payer, sig); err != nil {
		return Cosigned{}, err
	}
	return Cosigned{c.payload, c.worker, sig}, nil
}

// Bytes is the envelope: [payload, worker's signature, payer's or nothing].
func (c Cosigned) Bytes() []byte {
	b, err := Encode(cosignedWire{c.payload, c.worker, c.payer})
	if err != nil {
		panic("protocol: a receipt within its bounds always encodes: " + err.Error())
	}
	return b
}

// ID is the CID of the payload: both signatures meet on it.
func (c Cosigned) ID() cid.Cid { return CIDOf(c.payload) }

// CID is the CID of the envelope: where it is stored and fetched.
func (c Cosigned) CID() cid.Cid { return CIDOf(c.Bytes()) }

// Reason is where a receipt ended, for good or until an epoch.
type Reason uint8

// Every receipt has exactly one.
const (
	ReasonRewarded     Reason = iota + 1 // its fee was split, and emission was paid
	ReasonFeeOnly                        // its fee was split, no emission
	ReasonHeldUntil                      // held until a later epoch
	ReasonAuditPending                   // drawn or due for an audit that is not in yet
	ReasonCarriedOver                    // its batch's data could not be had: next epoch
	ReasonRefunded                       // the payer got its value back
	RejectedDuplicate                    // the same work was committed before
	RejectedSignature                    // malformed, or not by whom it names
	RejectedLate                         // it belongs to an epoch that is over
	RejectedUnassigned                   // its worker was not in the offer's ranking
	RejectedMismatch                     // an audit found it wrong
	RejectedCap                          // past its offer's lock or its channel's vouchers
)

var reasonNames = [...]string{
	"", "REWARDED", "FEE_ONLY", "HELD_UNTIL", "AUDIT_PENDING", "CARRIED_OVER", "REFUNDED",
	"REJECTED_DUPLICATE", "REJECTED_SIGNATURE", "REJECTED_LATE", "REJECTED_UNASSIGNED", "REJECTED_AUDIT_MISMATCH", "REJECTED_CAP",
}

func (r Reason) String() string {
	if r == 0 || int(r) >= len(reasonNames) {
		return "UNKNOWN"
	}
	return reasonNames[r]
}
