package ruleset

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/protocol"
)

// Rules are the constants of a ruleset. Their canonical dag-cbor is the
// document whose hash is anchored.
type Rules struct {
	Name    string
	Version uint64

	BetaNum uint64 // emission is at most BetaNum/BetaDen of the burned share of a fee,
	BetaDen uint64 // halved for each step down in rank

	Fallbacks  uint64 // how many after the wanted ones may do a ranked job
	MinHolders uint64 // operators that hold a model before its use earns emission

	AuditFloor  uint64 // least audit rate, of 2^32
	AuditFactor uint64 // k in kR / (S + kR)
	AuditTries  uint64 // epochs that a drawn receipt waits for a verdict, each with the next auditor

	HoldEpochs uint64 // emission is held so long, and lost on a mismatch
	MaxCarry   uint64 // times that a batch without data is carried over

	MaxReceipts uint64 // of the batches that one epoch reads; the rest is carried over

	PinLimit uint64 // seconds that a pin may promise at most
	PinGrace uint64 // epochs after a promise's end in which a proof may still come
	PinRate  uint64 // least value of a pin, for each second and each begun MiB, one more for the receipt itself
	PinLate  uint64 // epochs before the last anchored one's end in which time is still paid
	MaxPins  uint64 // open at a time, of all workers
	MaxKept  uint64 // open at a time, of one worker

	ProtocolBudget protocol.Amount // minted an epoch for protocol-issued work
	Train          protocol.Policy // of a training job's fee
	Pin            protocol.Policy // of a pin job's fee
	Other          protocol.Policy // of fees without a readable policy
}

// First is ruleset 1.
func First() Rules {
	standard := protocol.Policy{Worker: 8_800, Auditors: 500, Treasury: 200, Burn: 500}
	return Rules{
		Name: "tally/rewards", Version: 1,
		BetaNum: 8, BetaDen: 10,
		Fallbacks: 2, MinHolders: 3,
		AuditFloor: 85_899_346 /* 2 % of 2^32, rounded up */, AuditFactor: 3, AuditTries: 2,
		HoldEpochs: 2, MaxCarry: 8, MaxReceipts: 131_072,
		PinLimit: 366 * 86_400, PinGrace: 1, PinRate: 1e10, PinLate: 16, MaxPins: 65_536, MaxKept: 8_192,
		Train: standard, Pin: standard, Other: standard,
	}
}

// Document is the canonical dag-cbor of the rules.
func (r Rules) Document() ([]byte, error) { return protocol.Encode(r) }

// Hash is keccak256 of the document: what an anchor names.
func (r Rules) Hash() (common.Hash, error) {
	b, err := r.Document()
	if err != nil {
		return common.Hash{}, err
	}
	return crypto.Keccak256Hash(b), nil
}

// Stats are what the audit rate of a worker depends on.
type Stats struct {
	Unsettled *big.Int // R: fees of everything of the worker that is not settled
	Held      *big.Int // S: rewards of the worker that are held
}

// certain is the rate of one.
const certain = 1 << 32

// Rate is the worker's audit rate, of 2^32: max(floor, kR/(S+kR)), rounded down,
// and one for a worker with nothing held.
func (r Rules) Rate(s Stats) uint64 {
	if s.Held == nil || s.Held.Sign() <= 0 {
		return certain
	}
	kr := new(big.Int)
	if s.Unsettled != nil {
		kr.Mul(s.Unsettled, new(big.Int).SetUint64(r.AuditFactor))
	}
	den := new(big.Int).Add(s.Held, kr)
	p := kr.Lsh(kr, 32)
	p.Quo(p, den)
	return max(r.AuditFloor, p.Uint64())
}

// pinLeast is the least value of a pin: every open pin is in the state of each
// epoch until it ends, whatever it keeps.
func (r Rules) pinLeast(size, seconds uint64) *big.Int {
	mib := new(big.Int).SetUint64(size/(1<<20) + 1)
	if size%(1<<20) != 0 {
		mib.Add(mib, big.NewInt(1))
	}
	v := new(big.Int).Mul(new(big.Int).SetUint64(r.PinRate), new(big.Int).SetUint64(seconds))
	return v.Mul(v, mib)
}

// emission is what the burned share of a fee allows, halved steps times.
func (r Rules) emission(burned *big.Int, steps uint64) *big.Int {
	if r.BetaDen == 0 || steps > 255 {
		return new(big.Int)
	}
	e := new(big.Int).Mul(burned, new(big.Int).SetUint64(r.BetaNum))
	e.Quo(e, new(big.Int).SetUint64(r.BetaDen))
	return e.Rsh(e, uint(steps))
}
