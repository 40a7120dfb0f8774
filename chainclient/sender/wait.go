package sender

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// RevertError says that a transaction is in the chain and had no effect.
type RevertError struct {
	Hash    common.Hash    // of the version that landed
	Receipt *types.Receipt // what it cost
	// Data is what the contract reverted with, ABI-encoded; nil if replaying
	// the call did not revert, as when it ran out of gas.
	Data []byte
}

func (e *RevertError) Error() string {
	if len(e.Data) == 0 {
		return fmt.Sprintf("sender: transaction %s reverted without a reason: it may have run out of gas", e.Hash)
	}
	return fmt.Sprintf("sender: transaction %s reverted with 0x%x", e.Hash, e.Data)
}

// RevertData finds the contract's revert data in an error of Send or Wait, or
// of an endpoint.
func RevertData(err error) ([]byte, bool) {
	if r, ok := errors.AsType[*RevertError](err); ok {
		return r.Data, len(r.Data) > 0
	}
	d, ok := errors.AsType[rpc.DataError](err)
	if !ok {
		return nil, false
	}
	text, ok := d.ErrorData().(string)
	if !ok {
		return nil, false
	}
	b, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	return b, err == nil && len(b) > 0
}

// Wait blocks until the transaction of a hash that Send gave is final, and
// returns its receipt, or that of the version that replaced it. Run must be
// running. A transaction that reverted is a *RevertError; one whose nonce was
// lost is ErrNonceTaken. Its errors end the wait, not the transaction.
func (s *Sender) Wait(ctx context.Context, hash common.Hash) (*types.Receipt, error) {
	for {
		s.mu.Lock()
		nonce, ok := s.byHash[hash]
		e := s.entries[nonce]
		if !ok || e == nil {
			s.mu.Unlock()
			return nil, fmt.Errorf("%w: %s", ErrUnknown, hash)
		}
		st, receipt, winner, changed := e.state, e.receipt, e.winner, s.changed
		s.mu.Unlock()
		switch st {
		case statePending: // wait
		case stateTaken:
			return nil, fmt.Errorf("%w: nonce %d of %s", ErrNonceTaken, nonce, hash)
		case stateFinal:
			return s.outcome(ctx, receipt, winner)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

func (s *Sender) outcome(ctx context.Context, r *types.Receipt, winner common.Hash) (*types.Receipt, error) {
	if r == nil { // settled before a restart
		var err error
		if r, err = s.receipt(ctx, winner, map[uint64]common.Hash{}); err != nil {
			return nil, fmt.Errorf("sender: receipt of %s: %w", winner, err)
		}
	}
	if r.Status == types.ReceiptStatusSuccessful {
		return r, nil
	}
	return nil, &RevertError{Hash: winner, Receipt: r, Data: s.replay(ctx, winner, r.BlockNumber)}
}

// replay runs a reverted transaction as a call, on the state after its block
// and, if it passes there, on the state before: the state between, which it
// saw, cannot be asked for.
func (s *Sender) replay(ctx context.Context, hash common.Hash, block *big.Int) []byte {
	s.mu.Lock()
	var tx *types.Transaction
	if e := s.entries[s.byHash[hash]]; e != nil {
		for _, v := range e.versions {
			if v.Hash() == hash {
				tx = v
			}
		}
	}
	s.mu.Unlock()
	if tx == nil {
		return nil
	}
	for _, n := range []*big.Int{block, new(big.Int).Sub(block, common.Big1)} {
		_, err := call(ctx, s, func(ctx context.Context) ([]byte, error) {
			return s.cfg.Backend.CallContract(ctx, ethereum.CallMsg{
				From: s.from, To: tx.To(), Gas: tx.Gas(), Value: tx.Value(), Data: tx.Data(),
			}, n)
		})
		if data, ok := RevertData(err); ok {
			return data
		}
	}
	return nil
}
