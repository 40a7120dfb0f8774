package protocol

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"
)

// Kind is what a job is.
type Kind uint8

// The kinds of job.
const (
	KindInfer Kind = iota + 1 // a session of inference requests
	KindTrain                 // one training run
	KindPin                   // keep a shard for a time
	KindAudit                 // re-execute somebody's work
)

func (k Kind) String() string {
	switch k {
	case KindInfer:
		return "infer"
	case KindTrain:
		return "train"
	case KindPin:
		return "pin"
	case KindAudit:
		return "audit"
	}
	return "unknown"
}

// Tier is how a result can be verified.
type Tier uint8

// The tiers.
const (
	TierExact    Tier = iota + 1 // an audit is equality
	TierAttested                 // statistical checks; fees only
	TierProved                   // checked on chain
)

// Origin is how a job came to its worker.
type Origin uint8

// The origins.
const (
	OriginDirect   Origin = iota + 1 // the submitter named the worker: fee, no emission
	OriginAssigned                   // ranked by the beacon
	OriginProtocol                   // issued by the protocol, from its own budget
)

// Advert says what a worker offers, until when. Gossiped.
type Advert struct {
	Worker     common.Address
	Engines    []string  `max:"16"` // engine classes, such as "exact/dk-1"
	Models     []cid.Cid `max:"64"` // model manifests it holds
	Capacity   uint64    // jobs it could take now
	PriceIn    Amount    // per 1000 tokens read
	PriceOut   Amount    // per 1000 tokens written
	PriceTrain Amount    // per 1000 tokens trained
	PricePin   Amount    // per MiB and hour
	Since      uint64    // unix seconds
	Until      uint64    // unix seconds
}

// Judge is the registry.
func (Advert) Judge() Contract { return JudgeRegistry }

// Author is the worker.
func (m Advert) Author() common.Address { return m.Worker }

// Offer opens a job: the submitter locks Value in the vault for it. Its id is
// its EIP-712 digest, on the chain and off it.
type Offer struct {
	Submitter common.Address
	Nonce     uint64 // the submitter's next in the vault
	Kind      Kind
	Spec      cid.Cid // InferSpec, TrainSpec or PinSpec
	Tier      Tier
	Direct    common.Address // the worker named, or zero for a ranked job
	Value     Amount         // the most the job can cost: locked
	Deadline  uint64         // unix seconds
}

// Judge is the vault.
func (Offer) Judge() Contract { return JudgeVault }

// Author is the submitter.
func (m Offer) Author() common.Address { return m.Submitter }

// Claim takes an offer.
type Claim struct {
	Offer  common.Hash
	Worker common.Address
	Rank   uint8  // 0 the primary, then the fallbacks
	Price  Amount // the most it will ask for the whole job
	Until  uint64 // unix seconds
}

// Judge is the registry.
func (Claim) Judge() Contract { return JudgeRegistry }

// Author is the worker.
func (m Claim) Author() common.Address { return m.Worker }

// Decline refuses an offer, so that the next in rank need not wait.
type Decline struct {
	Offer  common.Hash
	Worker common.Address
	Reason string
}

// Judge is the registry.
func (Decline) Judge() Contract { return JudgeRegistry }

// Author is the worker.
func (m Decline) Author() common.Address { return m.Worker }

// Result says what a job gave.
type Result struct {
	Offer    common.Hash
	Worker   common.Address
	Seq      uint64 // the request within a session, from 1
	Output   cid.Cid
	Trace    common.Hash
	UnitsIn  uint64
	UnitsOut uint64
}

// Judge is the ledger.
func (Result) Judge() Contract { return JudgeLedger }

// Author is the worker.
func (m Result) Author() common.Address { return m.Worker }

// Voucher is a promise to pay: everything owed on one channel so far. Only the
// latest of a channel counts.
type Voucher struct {
	Offer    common.Hash
	Payer    common.Address
	Worker   common.Address
	Seq      uint64 // the last receipt it covers
	Value    Amount // cumulative
	Receipts common.Hash
}

// Judge is the vault.
func (Voucher) Judge() Contract { return JudgeVault }

// Author is the payer.
func (m Voucher) Author() common.Address { return m.Payer }

// Channel is where an offer's payments to one worker add up:
// keccak256(abi.encode(offer, worker)).
func Channel(offer common.Hash, worker common.Address) common.Hash {
	return crypto.Keccak256Hash(offer[:], common.LeftPadBytes(worker[:], 32))
}

// Batch commits a worker to its receipts of one epoch.
type Batch struct {
	Worker common.Address
	Epoch  uint64
	Root   common.Hash // Merkle root over the receipts' EIP-712 digests, in the batch's order
	Count  uint64
	Data   cid.Cid // BatchData
}

// Judge is the ledger.
func (Batch) Judge() Contract { return JudgeLedger }

// Author is the worker.
func (m Batch) Author() common.Address { return m.Worker }

// Outcome of an audit.
type Outcome uint8

// The outcomes.
const (
	OutcomeEqual    Outcome = iota + 1 // the work is exactly what was claimed
	OutcomeMismatch                    // leaf Leaf is the first that differs
	OutcomeNoData                      // what is needed to repeat it could not be had
)

func (o Outcome) String() string {
	switch o {
	case OutcomeEqual:
		return "equal"
	case OutcomeMismatch:
		return "mismatch"
	case OutcomeNoData:
		return "no data"
	}
	return "unknown"
}

// Verdict is what an auditor found.
type Verdict struct {
	Receipt  cid.Cid // the receipt's id
	Auditor  common.Address
	Epoch    uint64 // of the batch that holds the receipt
	Outcome  Outcome
	Leaf     uint64      // index of the leaf judged, or of the first that differs
	Computed common.Hash // what the auditor computed for it
}

// Judge is the ledger.
func (Verdict) Judge() Contract { return JudgeLedger }

// Author is the auditor.
func (m Verdict) Author() common.Address { return m.Auditor }
