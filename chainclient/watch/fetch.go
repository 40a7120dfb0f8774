package watch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// errLie is an answer that contradicts itself or an earlier one; a reorg
// between two calls looks the same. It is asked again.
var errLie = errors.New("watch: the endpoint contradicts itself")

const parallel = 8 // headers asked for at a time

func call[T any](ctx context.Context, w *Watcher, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.CallTimeout)
	defer cancel()
	return f(ctx)
}

func (w *Watcher) header(ctx context.Context, number *big.Int) (*types.Header, error) {
	h, err := call(ctx, w, func(ctx context.Context) (*types.Header, error) {
		return w.cfg.Backend.HeaderByNumber(ctx, number)
	})
	if err != nil {
		return nil, fmt.Errorf("watch: header %v: %w", number, err)
	}
	if h == nil || h.Number == nil || !h.Number.IsUint64() || (number != nil && h.Number.Cmp(number) != 0) {
		return nil, fmt.Errorf("%w: another block for header %v", errLie, number)
	}
	return h, nil
}

// verify checks that the endpoint serves the chain that is configured and
// stored.
func (w *Watcher) verify(ctx context.Context) error {
	if w.verified {
		return nil
	}
	id, err := call(ctx, w, w.cfg.Backend.ChainID)
	if err != nil {
		return fmt.Errorf("watch: chain id: %w", err)
	}
	if id == nil || !id.IsUint64() || (w.cfg.ChainID != 0 && id.Uint64() != w.cfg.ChainID) {
		return fatal{fmt.Errorf("%w: the endpoint has chain id %v, configured is %d", ErrWrongChain, id, w.cfg.ChainID)}
	}
	g, err := w.header(ctx, new(big.Int))
	if err != nil {
		return err
	}
	if err := w.checkMeta(id.Uint64(), g.Hash()); err != nil {
		return fatal{err}
	}
	w.verified = true
	return nil
}

// fetch returns the blocks first to last, which hang together, with their
// logs. The head that is known need not be asked for.
func (w *Watcher) fetch(ctx context.Context, first, last uint64, head *types.Header) ([]Block, error) {
	headers, err := w.headers(ctx, first, last, head)
	if err != nil {
		return nil, err
	}
	blocks := make([]Block, len(headers))
	for i, h := range headers {
		blocks[i].Header = Header{Number: first + uint64(i), Time: h.Time, Hash: h.Hash(), Parent: h.ParentHash}
		if i > 0 && h.ParentHash != blocks[i-1].Hash {
			return nil, fmt.Errorf("%w: block %d is not on top of block %d", errLie, blocks[i].Number, blocks[i-1].Number)
		}
	}
	if len(w.cfg.Addresses) == 0 {
		return blocks, nil
	}
	logs, err := w.logs(ctx, ethereum.FilterQuery{
		FromBlock: new(big.Int).SetUint64(first), ToBlock: new(big.Int).SetUint64(last), Addresses: w.cfg.Addresses,
	})
	if err != nil {
		return nil, err
	}
	for _, l := range logs {
		if l.BlockNumber < first || l.BlockNumber > last {
			return nil, fmt.Errorf("%w: log of block %d for %d to %d", errLie, l.BlockNumber, first, last)
		}
		b := &blocks[l.BlockNumber-first]
		b.Logs = append(b.Logs, l)
	}
	for i := range blocks {
		if len(blocks[i].Logs) == 0 && w.mayLog(headers[i]) {
			// An endpoint of several machines may have asked one that lags:
			// by hash, that one would have to say so.
			hash := blocks[i].Hash
			blocks[i].Logs, err = w.logs(ctx, ethereum.FilterQuery{BlockHash: &hash, Addresses: w.cfg.Addresses})
			if err != nil {
				return nil, err
			}
		}
		if err := w.check(&blocks[i], headers[i]); err != nil {
			return nil, err
		}
	}
	return blocks, nil
}

// headers asks for several at a time; the first error wins.
func (w *Watcher) headers(ctx context.Context, first, last uint64, head *types.Header) ([]*types.Header, error) {
	out := make([]*types.Header, last-first+1)
	if head.Number.Uint64() == last {
		out[len(out)-1] = head
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		wg   sync.WaitGroup
		gate = make(chan struct{}, parallel)
	)
	for i := range out {
		if out[i] != nil {
			continue
		}
		gate <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-gate }()
			h, err := w.header(ctx, new(big.Int).SetUint64(first+uint64(i)))
			if err != nil {
				cancel(err)
			}
			out[i] = h
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return out, nil
}

func (w *Watcher) logs(ctx context.Context, q ethereum.FilterQuery) ([]types.Log, error) {
	logs, err := call(ctx, w, func(ctx context.Context) ([]types.Log, error) {
		return w.cfg.Backend.FilterLogs(ctx, q)
	})
	if err != nil {
		return nil, fmt.Errorf("watch: logs: %w", err)
	}
	return logs, nil
}

// mayLog asks the header's bloom filter: no means no.
func (w *Watcher) mayLog(h *types.Header) bool {
	return slices.ContainsFunc(w.cfg.Addresses, func(a common.Address) bool { return types.BloomLookup(h.Bloom, a) })
}

// check holds a block's logs against its header and puts them in order.
func (w *Watcher) check(b *Block, h *types.Header) error {
	slices.SortFunc(b.Logs, func(x, y types.Log) int { return cmp.Compare(x.Index, y.Index) })
	for i := range b.Logs {
		l := &b.Logs[i]
		_, wanted := slices.BinarySearchFunc(w.cfg.Addresses, l.Address, common.Address.Cmp)
		switch {
		case l.BlockHash != b.Hash || l.BlockNumber != b.Number || l.Removed:
			return fmt.Errorf("%w: log of another block than %s", errLie, b.Hash)
		case !wanted || !types.BloomLookup(h.Bloom, l.Address):
			return fmt.Errorf("%w: log of %s in block %d", errLie, l.Address, b.Number)
		case i > 0 && l.Index == b.Logs[i-1].Index:
			return fmt.Errorf("%w: log %d of block %d twice", errLie, l.Index, b.Number)
		case len(l.Topics) > 4:
			return fmt.Errorf("%w: log %d of block %d has %d topics", errLie, l.Index, b.Number, len(l.Topics))
		}
		l.BlockTimestamp = b.Time // optional in the RPC
	}
	return nil
}
