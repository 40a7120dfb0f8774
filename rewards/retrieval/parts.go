package retrieval

import (
	"context"
	"errors"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/protocol/piece"
)

var (
	// ErrConfig says that a configuration lacks something.
	ErrConfig = errors.New("retrieval: bad configuration")
	// ErrUnable says that a holder could not be asked, and that it is not its
	// fault: this node is offline, or may not read the piece. An Asker joins it.
	ErrUnable = errors.New("retrieval: the holder cannot be asked from here")
	// ErrRefused says that an inbox does not take a report.
	ErrRefused = errors.New("retrieval: report refused")
)

// Chain is what the checks read of the chain.
type Chain interface {
	// Now is the time of the last block whose facts Facts gives, in unix seconds.
	Now(ctx context.Context) (uint64, error)
	// Facts are all facts up to that block, in any order.
	Facts(ctx context.Context) ([]protocol.Fact, error)
	// BlockAfter is the first block later than the time; an error while there is none.
	BlockAfter(ctx context.Context, time uint64) (number uint64, hash common.Hash, err error)
}

// Answer is what a holder sent. Nobody has checked it.
type Answer struct {
	Signed []byte      // envelope of a Signed[protocol.Retrieved]
	Proof  piece.Proof // the leaf and its path
}

// bytes is what the answer took.
func (a Answer) bytes() uint64 {
	return uint64(len(a.Signed)) + uint64(len(a.Proof.Leaf)) + uint64(len(a.Proof.Path))*32
}

// MaxAnswer bounds an answer, in bytes: a leaf, a path of 1 GiB and an envelope.
// What is larger is none.
const MaxAnswer = 2_048

// Asker asks a holder for a leaf over the network. It reads not much more than
// MaxAnswer and returns when ctx ends. Any error but ErrUnable is the holder's
// silence.
type Asker interface {
	Ask(ctx context.Context, node common.Address, of common.Hash, leaf uint64) (Answer, error)
}

// Prover gives leaves of pieces that this node holds itself.
type Prover interface {
	Prove(ctx context.Context, of common.Hash, leaf uint64) (piece.Proof, error)
}

// Judge sends an auditor's transactions to the possession contract.
type Judge interface {
	// IsAuditor reports whether the ledger knows an account as an auditor: the
	// contract takes demands from no other.
	IsAuditor(ctx context.Context, account common.Address) (bool, error)
	// Demand asks a node on chain for a leaf of a piece of its set.
	Demand(ctx context.Context, node common.Address, id, leaf uint64) (tx common.Hash, err error)
	// Accuse shows that what a node signed is not the leaf, which right is, of a
	// piece of size bytes.
	Accuse(ctx context.Context, said protocol.Signed[protocol.Retrieved], size uint64, right piece.Proof) (tx common.Hash, err error)
}

// Courier carries reports to the posters.
type Courier interface {
	// SendReport delivers until acknowledged. Sending again does nothing.
	SendReport(ctx context.Context, r protocol.Signed[protocol.RetrievalReport]) error
}
