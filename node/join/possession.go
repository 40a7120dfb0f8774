package join

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ipfs/go-cid"

	"tally/chainclient"
	"tally/chainclient/sender"
	"tally/node/view"
	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage"
	"tally/storage/possession"
)

// ReasonPinSet is why a shard of the pin set is pinned in the store.
const ReasonPinSet = "pin set"

// ProofChain is what the chain said, as proofs of possession need it.
type ProofChain struct{ View *view.View }

// Head is the newest block read.
func (c ProofChain) Head() (uint64, common.Hash) {
	n, _ := c.View.Head()
	h, _, err := c.View.Block(n)
	if err != nil {
		return 0, common.Hash{} // nothing is read yet, or it was taken back just now
	}
	return n, h
}

// BlockHash is the hash of a block that was read.
func (c ProofChain) BlockHash(n uint64) (common.Hash, error) {
	h, _, err := c.View.Block(n)
	return h, err
}

// Facts are all facts so far.
func (c ProofChain) Facts() []protocol.Fact { return c.View.Facts() }

// Changed is closed at the next change.
func (c ProofChain) Changed() <-chan struct{} { return c.View.Changed() }

// proofContract is a chain client's part in proofs of possession.
type proofContract interface {
	AddPieces(ctx context.Context, roots []common.Hash, sizes []uint64) (common.Hash, error)
	RemovePieces(ctx context.Context, ids []uint64) (common.Hash, error)
	Prove(ctx context.Context, period uint64, proofs []protocol.LeafProof) (common.Hash, error)
	Forfeit(ctx context.Context, period uint64) (common.Hash, error)
	Answer(ctx context.Context, p protocol.LeafProof) (common.Hash, error)
	Wait(ctx context.Context, tx common.Hash) (*types.Receipt, error)
}

// outcomeWithin is how long Outcome gives a transaction that is settled already.
const outcomeWithin = 20 * time.Millisecond

// ProofWallet sends a prover's calls.
type ProofWallet struct {
	Chain proofContract
	Life  context.Context // the node's: what is sent is followed as long as it lasts

	mu    sync.Mutex
	waits map[common.Hash]chan possession.Outcome // guarded by mu; capacity 1
}

// Submit hands a call over.
func (w *ProofWallet) Submit(ctx context.Context, c possession.Call) (common.Hash, error) {
	switch c := c.(type) {
	case possession.AddPieces:
		var roots []common.Hash
		var sizes []uint64
		for _, s := range c.Shards {
			roots, sizes = append(roots, s.Piece), append(sizes, s.Size)
		}
		return w.Chain.AddPieces(ctx, roots, sizes)
	case possession.RemovePieces:
		return w.Chain.RemovePieces(ctx, c.IDs)
	case possession.Prove:
		return w.Chain.Prove(ctx, c.Period, c.Leaves)
	case possession.Forfeit:
		return w.Chain.Forfeit(ctx, c.Period)
	case possession.Answer:
		return w.Chain.Answer(ctx, c.Leaf)
	}
	return common.Hash{}, fmt.Errorf("join: no such call of the possession contract: %T", c)
}

// Outcome is what is known of a transaction. What is not settled is waited for
// apart, and its outcome told to the next who asks.
func (w *ProofWallet) Outcome(ctx context.Context, tx common.Hash) (possession.Outcome, error) {
	w.mu.Lock()
	if w.waits == nil {
		w.waits = map[common.Hash]chan possession.Outcome{}
	}
	c := w.waits[tx]
	if c == nil {
		c = make(chan possession.Outcome, 1)
		w.waits[tx] = c
		go func() { c <- w.wait(tx) }()
	}
	w.mu.Unlock()
	t := time.NewTimer(outcomeWithin)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-t.C:
		return possession.Pending, nil
	case o := <-c:
		w.mu.Lock()
		delete(w.waits, tx) // asked again, it is looked at again: a reorganisation may have come
		w.mu.Unlock()
		return o, nil
	}
}

func (w *ProofWallet) wait(tx common.Hash) possession.Outcome {
	_, err := w.Chain.Wait(w.Life, tx)
	switch {
	case err == nil:
		return possession.Mined
	case errors.Is(err, sender.ErrUnknown) || errors.Is(err, sender.ErrNonceTaken):
		return possession.Lost
	}
	if _, ok := errors.AsType[*sender.RevertError](err); ok || errors.Is(err, chainclient.ErrReverted) {
		return possession.Reverted
	}
	return possession.Pending // the node ends, or the endpoint did not answer
}

// ProofShards is the store as a prover knows it.
type ProofShards struct {
	Store Store
	// Repair makes a damaged or missing shard whole from other nodes; nil is Store.Heal.
	Repair func(ctx context.Context, root cid.Cid) error
}

// Find is the shard held under a piece root.
func (p ProofShards) Find(ctx context.Context, root common.Hash) (possession.Shard, error) {
	s, err := p.Store.S.ByPiece(ctx, piece.Hash(root))
	if err != nil {
		return possession.Shard{}, p.told(ctx, err)
	}
	if _, gone := p.Store.S.Usage(); gone != nil { // the index is there, and its disk is not
		return possession.Shard{}, fmt.Errorf("%w: %w", possession.ErrAway, gone)
	}
	return possession.Shard{Root: s.Root, Piece: common.Hash(s.Piece), Size: s.Size}, nil
}

// PieceProof reads a leaf and its path.
func (p ProofShards) PieceProof(ctx context.Context, root cid.Cid, leaf uint64) (piece.Proof, error) {
	pr, err := p.Store.S.PieceProof(ctx, root, leaf)
	return pr, p.told(ctx, err)
}

// told marks an error with possession.ErrAway if it says nothing about the shard:
// the disk is not there or fails, nothing more can be opened, or what is not found
// may be among the files that are not indexed yet.
func (p ProofShards) told(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, possession.ErrAway) {
		return err
	}
	for _, away := range []error{storage.ErrMarker, storage.ErrDisk, storage.ErrClosed, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM} {
		if errors.Is(err, away) {
			return fmt.Errorf("%w: %w", possession.ErrAway, err)
		}
	}
	if _, gone := p.Store.S.Usage(); gone != nil { // whatever the error was: the disk went meanwhile
		return fmt.Errorf("%w: %w: %w", possession.ErrAway, err, gone)
	}
	if errors.Is(err, storage.ErrNotFound) {
		if h, bad := p.Store.S.Health(ctx); bad != nil || h.Waiting > 0 {
			return fmt.Errorf("%w: %d shards are not indexed yet: %w", possession.ErrAway, h.Waiting, err)
		}
	}
	return err
}

// Heal checks the whole shard, and if it is not sound gets what is bad or missing
// from others.
func (p ProofShards) Heal(ctx context.Context, s possession.Shard) error {
	if !s.Root.Defined() {
		return fmt.Errorf("join: nobody here knows which shard has the piece root %s: give it up", s.Piece)
	}
	bad := p.Store.S.Verify(ctx, s.Root)
	if bad == nil {
		return nil
	}
	if !errors.Is(bad, storage.ErrCorrupt) && !errors.Is(bad, storage.ErrNotFound) {
		return p.told(ctx, bad)
	}
	repair := p.Repair
	if repair == nil {
		repair = func(ctx context.Context, root cid.Cid) error { return p.Store.Heal(ctx, root, s.Piece, s.Size) }
	}
	if err := repair(ctx, s.Root); err != nil {
		return p.told(ctx, errors.Join(err, bad))
	}
	return nil
}

// Release takes the pin set's pin away: the shard goes with the next collection,
// unless it is pinned for something else.
func (p ProofShards) Release(ctx context.Context, root cid.Cid) error {
	return p.Store.S.Unpin(ctx, root, ReasonPinSet)
}
