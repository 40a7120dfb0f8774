package possession

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage/possession/proofset"
)

var (
	// ErrConfig marks a Config that New refused.
	ErrConfig = errors.New("possession: bad configuration")
	// ErrUnknown says that the node neither keeps the piece nor has it in its set.
	ErrUnknown = errors.New("possession: piece is neither kept nor in the set")
	// ErrFull says that MaxPieces are kept.
	ErrFull = errors.New("possession: too many pieces kept: drop some first")
	// ErrLeaving says that a shard is just being released.
	ErrLeaving = errors.New("possession: shard is being released: pin it and keep it again in a moment")
	// ErrShard says that a shard is not one that can be proved.
	ErrShard = errors.New("possession: not a shard that can be proved")
	// ErrAway is what Pieces wraps when it cannot look now: the disk is not there or
	// fails, files cannot be opened, or the shard is not indexed yet. It says
	// nothing about the shard: what is away is not lost.
	ErrAway = errors.New("possession: the disk cannot be looked at now: mount it again")
)

// Shard is a shard under its two names.
type Shard struct {
	Root  cid.Cid     // of the DAG
	Piece common.Hash // piece root of its CAR file
	Size  uint64      // bytes of the CAR file
}

// Pieces is the store. Its methods may be called at the same time. All but Release
// wrap ErrAway where they cannot tell.
type Pieces interface {
	// Find is the shard held here under a piece root, or an error if none is
	// held whole.
	Find(ctx context.Context, root common.Hash) (Shard, error)
	// PieceProof reads one leaf and its path from the disk.
	PieceProof(ctx context.Context, root cid.Cid, leaf uint64) (piece.Proof, error)
	// Heal makes a shard whole again, from other holders if need be, and returns
	// once it is. With a sound shard it returns at once.
	Heal(ctx context.Context, s Shard) error
	// Release says that nothing is left to prove of a shard: its pin may go. It
	// may be called more than once.
	Release(ctx context.Context, root cid.Cid) error
}

// Call is what a Wallet sends to the contract: one of the types below, by value.
type Call any

// AddPieces puts pieces into the node's set.
type AddPieces struct{ Shards []Shard }

// RemovePieces takes pieces out of the node's set.
type RemovePieces struct{ IDs []uint64 }

// Prove shows the leaves drawn in a period, in the order in which they were drawn.
type Prove struct {
	Period uint64
	Leaves []protocol.LeafProof
}

// Forfeit gives up the period: it counts as missed.
type Forfeit struct{ Period uint64 }

// Answer answers a demand.
type Answer struct{ Leaf protocol.LeafProof }

// Outcome is what became of a transaction.
type Outcome uint8

// Outcomes. What was mined can be pending again after a reorganisation.
const (
	Pending  Outcome = iota + 1 // on its way
	Mined                       // in a block, with its effect
	Reverted                    // in a block, without effect
	Lost                        // it will never be mined, or nobody knows it
)

// Wallet is the node's account.
type Wallet interface {
	// Submit hands a transaction over, and returns once it is durable and will be
	// sent until mined. After an error it may have been handed over all the same.
	Submit(ctx context.Context, c Call) (common.Hash, error)
	// Outcome is what is known of it now; it does not wait.
	Outcome(ctx context.Context, tx common.Hash) (Outcome, error)
}

// Config is what a Prover depends on.
type Config struct {
	Node   common.Address
	Params protocol.Params
	Chain  proofset.Chain
	Sets   *proofset.Follower // over the same Chain
	Wallet Wallet
	Pieces Pieces
	Notes  Notes
	// Current says whether Chain is as far as the network is: on what is only read again,
	// or has been over for long, nothing is done. Chain changes once it is. nil is always.
	Current func() bool

	MaxPieces   int          // kept at a time [16,384]
	Batch       int          // pieces in one call, within the contract's bound [32]
	GiveUpAfter uint64       // periods after which a lost piece is given up [0: never by itself]
	Settle      uint64       // blocks after which a removal is taken to last, and an unknown call to be lost [4]
	Logger      *slog.Logger // [discards]
}

// Validate reports the first fault of c, wrapping ErrConfig.
func (c *Config) Validate() error {
	switch {
	case c.Chain == nil || c.Sets == nil || c.Wallet == nil || c.Pieces == nil || c.Notes == nil:
		return fmt.Errorf("%w: chain, sets, wallet, pieces and notes are all needed", ErrConfig)
	case c.Params.ProofPeriod < 8:
		return fmt.Errorf("%w: a period of %d blocks: a proof needs at least 8", ErrConfig, c.Params.ProofPeriod)
	case c.Params.ProofLeaves == 0 || c.Params.ProofLeaves > proofset.MaxLeaves:
		return fmt.Errorf("%w: %d leaves a period, want 1 to %d", ErrConfig, c.Params.ProofLeaves, proofset.MaxLeaves)
	case c.MaxPieces < 0 || c.Batch < 0 || c.Batch > maxBatch:
		return fmt.Errorf("%w: MaxPieces or Batch out of range", ErrConfig)
	}
	return nil
}

const (
	maxBatch   = 64 // the contract's bound
	maxAnswers = 32 // demands worked on at a time
	keptClosed = 64 // past periods remembered with their reason
)

// Prover keeps and proves one node's set.
type Prover struct {
	cfg  Config
	log  *slog.Logger
	wake chan struct{} // capacity 1: an entry changed

	mu      sync.Mutex
	entries map[common.Hash]*entry // guarded by mu
	status  Status                 // guarded by mu; without its Pieces
	set     *proofset.Set          // guarded by mu; as of status, never written to

	work // owned by Run, after New
}

// work is what Run alone reads and writes.
type work struct {
	head    proofset.Head
	proof   *proofNote
	answers map[answerKey]*answerNote
	change  *changeNote
	closed  []closedNote           // oldest first
	period  uint64                 // that the last step saw, plus one
	checked uint64                 // period in which all pieces were looked for, plus one
	warned  uint64                 // period warned about, plus one
	mined   map[common.Hash]uint64 // block at which a call was first seen mined
	removed bool                   // the last change was a removal: an addition may go first
	fails   uint64                 // changes of the set that failed in a row
	after   uint64                 // block from which the set may be changed again
	trouble string                 // why the last change failed

	reading *reading
	reads   chan readDone // capacity 1
	healing *Shard
	heals   chan healDone // capacity 1
}

// entry is a piece that the node keeps, or that is in its set.
type entry struct {
	note  keepNote // guarded by Prover.mu
	going bool     // guarded by Prover.mu; Release was called, or is about to be
	stray bool     // guarded by Prover.mu; it was found in the set, promised by nobody here
	hurt  bool     // guarded by Prover.mu; healing failed at least once
	gone  uint64   // guarded by Prover.mu; head when it was first seen neither wanted nor in the set, plus one
	retry uint64   // guarded by Prover.mu; block from which healing or adding is tried again
	leaf  uint64   // guarded by Prover.mu; the leaf that could not be read

	away    uint64 // guarded by Prover.mu; block from which it is looked at again, 0 if it is not away
	awayWhy string // guarded by Prover.mu
	last    bool   // guarded by Prover.mu; it was given up, and is looked at once more before Release
	looked  bool   // guarded by Prover.mu; and was not there
}

// New reads what is noted. It starts nothing.
func New(c Config) (*Prover, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.MaxPieces == 0 {
		c.MaxPieces = 1 << 14
	}
	if c.Batch == 0 {
		c.Batch = 32
	}
	if c.Settle == 0 {
		c.Settle = 4
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Prover{
		cfg: c, log: c.Logger, wake: make(chan struct{}, 1), entries: map[common.Hash]*entry{}, set: &proofset.Set{},
		work: work{answers: map[answerKey]*answerNote{}, mined: map[common.Hash]uint64{}, reads: make(chan readDone, 1), heals: make(chan healDone, 1)},
	}
	return p, p.load()
}

// Keep promises to prove a shard. It must be on disk and pinned; the promise is
// durable once Keep returns. Keeping it again is no error.
func (p *Prover) Keep(ctx context.Context, s Shard) error {
	if !s.Root.Defined() || s.Size == 0 || s.Size > protocol.MaxShard {
		return fmt.Errorf("keep %s of %d bytes: %w", s.Root, s.Size, ErrShard)
	}
	have, err := p.cfg.Pieces.Find(ctx, s.Piece)
	if err != nil {
		return fmt.Errorf("possession: keep %s: %w", s.Root, err)
	}
	if have != s {
		return fmt.Errorf("keep %s: held as %s with %d bytes: %w", s.Root, have.Root, have.Size, ErrShard)
	}
	return p.edit(s.Piece, func(e *entry, fresh bool) (bool, error) {
		if fresh && len(p.entries) >= p.cfg.MaxPieces {
			return false, ErrFull
		}
		if e.going {
			return false, ErrLeaving
		}
		changed := fresh || !e.note.Wanted || e.note.GivenUp
		e.note.Root, e.note.Size, e.note.Wanted, e.note.GivenUp = s.Root, s.Size, true, false
		e.last, e.looked = false, false
		return changed, nil
	})
}

// Drop says that a shard is no longer wanted. Its data is needed until Release;
// Drop is durable once it returns.
func (p *Prover) Drop(_ context.Context, root common.Hash) error {
	return p.edit(root, func(e *entry, fresh bool) (bool, error) {
		if fresh {
			return false, nil // nothing to drop
		}
		changed := e.note.Wanted
		e.note.Wanted = false
		return changed, nil
	})
}

// GiveUp forfeits what cannot be proved because a piece is lost, and removes the
// piece. It is durable once it returns; ErrUnknown for a piece that is not there.
func (p *Prover) GiveUp(_ context.Context, root common.Hash) error {
	return p.edit(root, func(e *entry, fresh bool) (bool, error) {
		if fresh {
			return false, fmt.Errorf("give up %s: %w", root, ErrUnknown)
		}
		e.note.Wanted, e.note.GivenUp = false, true
		return true, nil
	})
}

// edit changes an entry and writes it down; f says whether it did. A fresh entry
// that f does not change is not kept.
func (p *Prover) edit(root common.Hash, f func(e *entry, fresh bool) (bool, error)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.entries[root]
	e := &entry{note: keepNote{Piece: root}}
	if old != nil {
		*e = *old
	}
	changed, err := f(e, old == nil)
	if err != nil || !changed {
		return err
	}
	if err := putNote(p.cfg.Notes, keepKey(root), e.note); err != nil {
		return err
	}
	if old != nil {
		*old = *e
	} else {
		p.entries[root] = e
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return nil
}

// Run keeps the set and its proofs until ctx ends, then returns nil. It returns
// an error only where Notes failed: without them nothing may be sent.
func (p *Prover) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer p.quiet()
	defer cancel()
	for {
		changed := p.cfg.Chain.Changed()
		if err := p.step(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-p.wake:
		case d := <-p.reads:
			if err := p.haveRead(d); err != nil {
				return err
			}
		case d := <-p.heals:
			if err := p.haveHealed(d); err != nil {
				return err
			}
		}
	}
}

// quiet waits for what Run started.
func (p *Prover) quiet() {
	if p.reading != nil {
		p.reading.cancel()
		<-p.reads
		p.reading = nil
	}
	if p.healing != nil { // its context has ended
		<-p.heals
		p.healing = nil
	}
}

// step looks at the chain once and does what can be done now.
func (p *Prover) step(ctx context.Context) error {
	if p.cfg.Current != nil && !p.cfg.Current() {
		return nil
	}
	head, set, err := p.cfg.Sets.Set(p.cfg.Node)
	if err != nil || head.Block == 0 {
		return nil // nothing read yet, or at the next change
	}
	p.head = head
	if err := p.meet(ctx, set); err != nil {
		return err
	}
	if err := p.rollover(set); err != nil {
		return err
	}
	if err := p.proving(ctx, set); err != nil {
		return err
	}
	if err := p.answering(ctx, set); err != nil {
		return err
	}
	if err := p.givingUp(); err != nil {
		return err
	}
	if err := p.changing(ctx, set); err != nil {
		return err
	}
	if err := p.releasing(ctx, set); err != nil {
		return err
	}
	p.readNext(ctx)
	p.healNext(ctx)
	p.report(set)
	return nil
}

// SendDelay is how many blocks after the second of a period a node sends its proof:
// spread over the first quarter by the node and the period.
func SendDelay(p protocol.Params, node common.Address, period uint64) uint64 {
	b := binary.BigEndian.AppendUint64(node.Bytes(), period)
	return binary.BigEndian.Uint64(crypto.Keccak256(b)) % max(1, p.ProofPeriod/4)
}

// end is the last block of the period of the head.
func (p *Prover) end() uint64 {
	return p.cfg.Params.ChallengeBlock(p.head.Period+1) - 1
}
