package rewards

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
)

var (
	// ErrConfig says that a role's configuration lacks something.
	ErrConfig = errors.New("rewards: bad configuration")
	// ErrNoAnchor says that an epoch has no good anchor.
	ErrNoAnchor = errors.New("rewards: the epoch is not anchored")
)

// Chain is what the roles read of the chain.
type Chain interface {
	// Now is the time of the last block whose facts Facts gives, in unix seconds.
	Now(ctx context.Context) (uint64, error)
	// Facts are all facts up to that block, in any order.
	Facts(ctx context.Context) ([]protocol.Fact, error)
	// BlockHash is the hash of a block that exists.
	BlockHash(ctx context.Context, number uint64) (common.Hash, error)
	// BlockAfter is the first block later than the time; an error while there is none.
	BlockAfter(ctx context.Context, time uint64) (number uint64, hash common.Hash, err error)
}

// Store keeps and finds documents.
type Store interface {
	// Publish keeps the blocks of the DAG under root, its own among them, for good
	// and makes the root findable: durable once it returns.
	Publish(ctx context.Context, root cid.Cid, blocks [][]byte) error
	// Get gives block c of the DAG under root, from here or from whoever provides
	// the root. It returns when ctx ends.
	Get(ctx context.Context, root, c cid.Cid) ([]byte, error)
}

// Teller sends a worker's transactions. Each is durable with its sender once it
// returns; doing what was done before is an error or does nothing.
type Teller interface {
	Redeem(ctx context.Context, v protocol.Signed[protocol.Voucher]) (tx common.Hash, err error)
	Commit(ctx context.Context, b protocol.Batch) (tx common.Hash, err error)
}

// Anchorer sends a bonded poster's anchors, as Teller does.
type Anchorer interface {
	Anchor(ctx context.Context, a protocol.Anchored) (tx common.Hash, err error)
}

// Voter sends an auditor's votes against an anchor, as Teller does.
type Voter interface {
	Disable(ctx context.Context, epoch uint64, reason common.Hash) (tx common.Hash, err error)
}

// Cashier sends claims, as Teller does. Anybody may, for anybody.
type Cashier interface {
	Claim(ctx context.Context, epoch uint64, leaf protocol.SumLeaf, index uint64, path []protocol.SumNode) (tx common.Hash, err error)
}

// Finding is what a repeat of a receipt's work gave.
type Finding struct {
	Outcome  protocol.Outcome
	Leaf     uint64      // repeated, or the first that differs
	Computed common.Hash // for that leaf
}

// Verifier repeats work.
type Verifier interface {
	// VerifyReceipt gets what the receipt's work needs (the transcript, or the
	// checkpoint before the leaf), repeats it and compares. Of a training job it
	// repeats the segment of leaf pick mod the number of leaves. What cannot be had
	// is a Finding with OutcomeNoData; an error is the verifier's own trouble, and
	// it is asked again.
	VerifyReceipt(ctx context.Context, r protocol.Receipt, pick uint64) (Finding, error)
}

// Courier carries verdicts to the posters.
type Courier interface {
	// SendVerdict delivers until acknowledged. Sending again does nothing.
	SendVerdict(ctx context.Context, v protocol.Signed[protocol.Verdict]) error
}

// Evidence is what reached a poster. It may hold anything: the poster checks.
type Evidence interface {
	// Verdicts are all that were kept of epochs from the given one on.
	Verdicts(ctx context.Context, from uint64) ([]protocol.Signed[protocol.Verdict], error)
	// Adverts are the latest of each worker.
	Adverts(ctx context.Context) ([]protocol.Signed[protocol.Advert], error)
	// Reports are the retrieval reports on epochs from the given one on.
	Reports(ctx context.Context, from uint64) ([]protocol.Signed[protocol.RetrievalReport], error)
}

// repeat calls step now and every so often until ctx ends, and logs what it
// returns: the next call is the retry.
func repeat(ctx context.Context, every time.Duration, log *slog.Logger, step func(context.Context) error) error {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		if err := step(ctx); err != nil && ctx.Err() == nil {
			log.Warn("step failed, it will be tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// Timing are the paces of a role; zero fields are the defaults.
type Timing struct {
	Every  time.Duration // between two steps; zero is one second
	Fetch  time.Duration // for one document; zero is five seconds
	Resend uint64        // seconds of chain time until an action without effect is repeated; zero is 20
}

func (t Timing) filled() Timing {
	if t.Every <= 0 {
		t.Every = time.Second
	}
	if t.Fetch <= 0 {
		t.Fetch = 5 * time.Second
	}
	if t.Resend == 0 {
		t.Resend = 20
	}
	return t
}

func logger(l *slog.Logger, role string) *slog.Logger {
	if l == nil {
		l = slog.New(slog.DiscardHandler)
	}
	return l.With("role", role)
}

func missing(role string, parts map[string]bool) error {
	for what, absent := range parts {
		if absent {
			return fmt.Errorf("%w: the %s needs %s", ErrConfig, role, what)
		}
	}
	return nil
}

// sent remembers when an action was last sent, so that it is not sent again
// while its transaction is on the way. Losing it costs gas, nothing else.
type sent map[string]uint64

func (s sent) due(what string, now, resend uint64) bool {
	at, ok := s[what]
	return !ok || now >= at+resend
}
