package ruleset

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
)

// Role is why an account earned.
type Role uint8

// The roles. Payer is a refund.
const (
	RoleWorker Role = iota
	RolePinner
	RoleContributor
	RoleOwner
	RoleAuditor
	RoleTreasury
	RolePayer
	roles
)

func (r Role) String() string {
	if r >= roles {
		return "unknown"
	}
	return [...]string{"worker", "pinner", "contributor", "owner", "auditor", "treasury", "payer"}[r]
}

// Roles lists every role in order.
func Roles() []Role {
	out := make([]Role, roles)
	for i := range out {
		out[i] = Role(i)
	}
	return out
}

// Balance is an account's cumulative rewards, by role.
type Balance struct {
	Account     common.Address
	Worker      protocol.Amount
	Pinner      protocol.Amount
	Contributor protocol.Amount
	Owner       protocol.Amount
	Auditor     protocol.Amount
	Treasury    protocol.Amount
	Payer       protocol.Amount
}

// Of is the part earned in a role.
func (b Balance) Of(r Role) protocol.Amount {
	switch r {
	case RoleWorker:
		return b.Worker
	case RolePinner:
		return b.Pinner
	case RoleContributor:
		return b.Contributor
	case RoleOwner:
		return b.Owner
	case RoleAuditor:
		return b.Auditor
	case RoleTreasury:
		return b.Treasury
	case RolePayer:
		return b.Payer
	default:
		return protocol.Amount{}
	}
}

// Total is the sum over roles.
func (b Balance) Total() (protocol.Amount, error) {
	sum := new(big.Int)
	for _, r := range Roles() {
		sum.Add(sum, b.Of(r).Big())
	}
	return protocol.AmountOf(sum)
}

// Span is a range of sequence numbers, both ends included.
type Span struct{ From, To uint64 }

// maxSpans bounds the gaps that a channel may have.
const maxSpans = 1024

// Channel is what was seen and settled on a payment channel.
type Channel struct {
	ID       common.Hash
	Offer    common.Hash
	Credited protocol.Amount // settled or refunded so far, never above what was collected
	Seen     []Span          `max:"1024"` // sequence numbers committed before, ascending and apart
}

func (c *Channel) saw(seq uint64) bool {
	i, _ := slices.BinarySearchFunc(c.Seen, seq, func(s Span, q uint64) int { return cmp.Compare(s.To, q) })
	return i < len(c.Seen) && c.Seen[i].From <= seq
}

// see adds seq; false if the channel has too many gaps.
func (c *Channel) see(seq uint64) bool {
	i, _ := slices.BinarySearchFunc(c.Seen, seq, func(s Span, q uint64) int { return cmp.Compare(s.To, q) })
	left := i > 0 && c.Seen[i-1].To+1 == seq
	right := i < len(c.Seen) && seq+1 == c.Seen[i].From
	switch {
	case left && right:
		c.Seen[i-1].To = c.Seen[i].To
		c.Seen = slices.Delete(c.Seen, i, i+1)
	case left:
		c.Seen[i-1].To = seq
	case right:
		c.Seen[i].From = seq
	case len(c.Seen) >= maxSpans:
		return false
	default:
		c.Seen = slices.Insert(c.Seen, i, Span{seq, seq})
	}
	return true
}

// Pending is a receipt that has no final reason yet.
type Pending struct {
	Envelope []byte `max:"8192"` // Cosigned
	Batch    uint64 // epoch of the batch that committed it
	Reason   protocol.Reason
	Drawn    bool   // it must pass an audit
	Tries    uint64 // epochs without a verdict
	NoData   uint64 // of them, those in which the auditor could not get the data
	Passed   bool   // an audit found it equal
	Held     uint64 // times held for money
	Unread   uint64 // times held for documents that could not be had
}

// Hold is emission that its worker gets later.
type Hold struct {
	Account common.Address
	Role    Role
	Until   uint64 // first epoch that releases it
	Amount  protocol.Amount
}

// Pin is a pin receipt that is paid as its worker proves that it keeps the piece.
type Pin struct {
	Receipt  cid.Cid // its id
	Digest   common.Hash
	Worker   common.Address
	Payer    common.Address
	Batch    uint64      // epoch of the batch that committed it
	Piece    common.Hash // root
	Size     uint64      // bytes of the CAR file
	From     uint64      // unix seconds; time before it is not paid
	Until    uint64      // the promise's end
	Seconds  uint64      // promised
	Steps    uint64      // down in rank
	FeeOnly  string      // why it earns no emission; "" if nothing stands against it
	Value    protocol.Amount
	Proved   uint64          // seconds so far
	Split    protocol.Amount // of the value, so far
	Emission protocol.Amount // so far
}

// Promise is the end of the last promise that a worker gave a payer for a piece.
// It is kept while a receipt could still be paid for time before its end.
type Promise struct {
	Of    common.Hash // keccak256(payer ‖ worker ‖ piece root)
	Until uint64
}

// Carried is a commitment whose data could not be had yet.
type Carried struct {
	Batch protocol.Batch
	Times uint64
}

// State is everything that the next epoch needs of the ones before it.
type State struct {
	Epoch    uint64 // NoEpoch before the first
	Balances []Balance
	Channels []Channel
	Pending  []Pending
	Holds    []Hold
	Carried  []Carried
	Pins     []Pin           // open, by batch's epoch, then digest
	Promises []Promise       // by what they are of
	Received protocol.Amount // moved into the pool so far
	Burned   protocol.Amount // so far
	Minted   protocol.Amount // so far
}

// Genesis is the state before the first epoch.
func Genesis() State { return State{Epoch: protocol.NoEpoch} }

// Leaves are the balances as leaves of the Merkle-sum tree.
func (s State) Leaves() ([]protocol.SumLeaf, error) {
	out := make([]protocol.SumLeaf, 0, len(s.Balances))
	for _, b := range s.Balances {
		t, err := b.Total()
		if err != nil {
			return nil, err
		}
		if !t.IsZero() {
			out = append(out, protocol.SumLeaf{Account: b.Account, Value: t})
		}
	}
	return out, nil
}

// Outcome is where one receipt ended in an epoch.
type Outcome struct {
	Receipt  cid.Cid // its id
	Digest   common.Hash
	Worker   common.Address
	Payer    common.Address
	Batch    uint64 // epoch of the batch that committed it
	Kind     protocol.Kind
	Reason   protocol.Reason
	Until    uint64          // epoch that looks again, for a reason that is not final
	Value    protocol.Amount // of the receipt; zero where it passes 2^128-1
	Settled  protocol.Amount // of it, what the split or the payer got in this epoch
	Emission protocol.Amount // of this epoch
	Pin      Progress        // of a pin that is paid as it is proved
	Why      string
}

// Progress is how far a pin is, all epochs together. It is zero for all else.
type Progress struct {
	Promised uint64 // seconds
	Proved   uint64 // of them
	Split    protocol.Amount
	Returned protocol.Amount // to the payer
	Emission protocol.Amount
}

// BatchOutcome is what became of a commitment as a whole.
type BatchOutcome struct {
	Batch  protocol.Batch
	Reason protocol.Reason // 0 if its receipts were read; else the reason of all of them
	Count  uint64          // receipts that it stands for
}

// Tally is a sum over one reason.
type Tally struct {
	Reason protocol.Reason
	Count  uint64
	Value  protocol.Amount
}

// Delta is what an account earned in one role in one epoch.
type Delta struct {
	Account common.Address
	Role    Role
	Amount  protocol.Amount
}
