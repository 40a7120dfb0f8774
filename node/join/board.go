package join

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"tally/chainclient"
	"tally/node/view"
	"tally/protocol"
)

// beaconDistance is how many blocks after its opening an offer's beacon stands.
const beaconDistance = 2

// vaultWithin bounds a deposit and an offer on a slow chain.
const vaultWithin = 10 * time.Minute

// Board is what the chain says about jobs.
type Board struct{ View *view.View }

// Offer is an offer and the block that opened it. It waits for a chain that has
// not been read that far, as long as ctx allows.
func (b Board) Offer(ctx context.Context, id common.Hash) (protocol.OfferOpened, uint64, error) {
	o, err := b.View.AwaitOffer(ctx, id)
	return o.OfferOpened, o.Block, err
}

// Candidates are those registered with the class when the offer was opened.
func (b Board) Candidates(ctx context.Context, id common.Hash, class string) ([]protocol.Candidate, error) {
	o, err := b.View.AwaitOffer(ctx, id)
	if err != nil {
		return nil, err
	}
	var out []protocol.Candidate
	for a, n := range b.View.NodesAt(o.Block) {
		for _, c := range n.Classes {
			if c == class {
				out = append(out, protocol.Candidate{Worker: a, Weight: n.Weight})
				break
			}
		}
	}
	return out, nil
}

// Beacon is the hash of a block fixed when the offer was opened.
func (b Board) Beacon(ctx context.Context, id common.Hash) (common.Hash, error) {
	o, err := b.View.AwaitOffer(ctx, id)
	if err != nil {
		return common.Hash{}, err
	}
	return b.View.AwaitBlock(ctx, o.Block+beaconDistance)
}

// Now is the newest block's time.
func (b Board) Now(context.Context) (uint64, error) {
	_, t := b.View.Head()
	if t == 0 {
		return 0, errors.New("join: no block has been read yet: wait for the chain")
	}
	return t, nil
}

// Vault opens offers, one at a time: each takes the account's next nonce.
type Vault struct {
	Chain *chainclient.Client
	View  *view.View
	Life  context.Context // the node's: what is sent is waited for as long as it lasts

	mu sync.Mutex // held from reading the nonce to the offer's block
}

// OpenOffer opens the offer with the next nonce and waits until it is read back.
//
// What is sent is waited for even if the caller goes away meanwhile, as long as
// the node lasts: until it is on the chain, the next call would read the same
// nonce and the same deposit.
func (v *Vault) OpenOffer(ctx context.Context, o protocol.Offer) (common.Hash, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return common.Hash{}, err
	}
	ctx, cancel := context.WithTimeout(v.Life, vaultWithin)
	defer cancel()
	n, err := v.Chain.OfferNonce(ctx, o.Submitter)
	if err != nil {
		return common.Hash{}, err
	}
	free, err := v.Chain.Available(ctx, o.Submitter)
	if err != nil {
		return common.Hash{}, err
	}
	if short, err := o.Value.Sub(free); err == nil && !short.IsZero() {
		if err := v.await(ctx)(v.Chain.Deposit(ctx, short)); err != nil {
			return common.Hash{}, fmt.Errorf("join: deposit %s for the offer: %w", short, err)
		}
	}
	o.Nonce = n
	id, tx, err := v.Chain.OpenOffer(ctx, o)
	if err := v.await(ctx)(tx, err); err != nil {
		return common.Hash{}, err
	}
	_, err = v.View.AwaitOffer(ctx, id)
	return id, err
}

func (v *Vault) await(ctx context.Context) func(common.Hash, error) error {
	return Await(ctx, v.Chain)
}

// Await waits until a transaction that a write returned is mined.
func Await(ctx context.Context, c interface {
	Wait(context.Context, common.Hash) (*types.Receipt, error)
},
) func(common.Hash, error) error {
	return func(tx common.Hash, err error) error {
		if err != nil {
			return err
		}
		_, err = c.Wait(ctx, tx)
		return err
	}
}
