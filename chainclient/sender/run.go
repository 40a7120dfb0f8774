package sender

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

const (
	idlePoll   = 5 * time.Second // nothing pending: only a deep reorg to see
	maxBackoff = 2 * time.Second
	maxBehind  = 4096 // nonces that the chain may be behind the store
	bumpWindow = 16   // lowest unmined nonces whose fees are raised
	maxFailed  = 4    // transactions that could not be followed, and most: the pass ends
)

// Run keeps what is stored on its way until ctx ends, then returns nil. It
// returns ErrWrongChain if the endpoint serves another chain, or an error of
// the store; an endpoint that fails is asked again, at least every 2 s.
func (s *Sender) Run(ctx context.Context) error {
	if !s.running.TryLock() {
		return ErrRunning
	}
	defer s.running.Unlock()
	var l loop
	backoff := s.cfg.Poll
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-timer.C:
		}
		err := s.pass(ctx, &l)
		wait := idlePoll
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrWrongChain) || errors.Is(err, errStore):
			return err
		case err != nil:
			if backoff == s.cfg.Poll { // once for a row of failures
				s.cfg.Logger.Warn("endpoint not usable, will be asked again", "err", err)
			} else {
				s.cfg.Logger.Debug("endpoint still not usable", "err", err)
			}
			backoff = min(2*backoff, maxBackoff)
			wait = backoff
		default:
			backoff = s.cfg.Poll
			if l.busy {
				wait = s.cfg.Poll
			}
		}
		timer.Reset(wait)
	}
}

// errStore marks failures that asking again will not cure.
var errStore = errors.New("sender: store")

// loop is what Run remembers between passes; owned by Run.
type loop struct {
	busy   bool                   // something is not final
	gap    time.Time              // a nonce has been missing since
	blocks map[uint64]common.Hash // of the chain, as seen in this pass
}

// pass asks the chain once about everything that is not final.
func (s *Sender) pass(ctx context.Context, l *loop) error {
	if err := s.verify(ctx); err != nil {
		return err
	}
	head, err := s.header(ctx, nil)
	if err != nil {
		return fmt.Errorf("sender: head: %w", err)
	}
	// At this very block, so that an endpoint of several machines contradicts
	// itself less.
	nonce, err := call(ctx, s, func(ctx context.Context) (uint64, error) {
		return s.cfg.Backend.NonceAt(ctx, s.from, head.Number)
	})
	if err != nil {
		return fmt.Errorf("sender: nonce: %w", err)
	}
	if err := s.mend(ctx, l, head, nonce); err != nil {
		return err
	}
	open := s.open()
	l.busy = len(open) > 0
	l.blocks = map[uint64]common.Hash{head.Number.Uint64(): head.Hash()}
	failed, followed := 0, 0
	for _, e := range open {
		if e.nonce >= nonce {
			err = s.push(ctx, e, head.Number.Uint64(), nonce)
		} else if s.unseen(e, head.Hash()) {
			err = s.confirm(ctx, l, e, head)
		} else {
			continue
		}
		switch {
		case err == nil:
			followed++
		case errors.Is(err, errStore) || ctx.Err() != nil:
			return err
		default:
			// One lost answer must not hold up the others, nor a dead
			// endpoint be asked about each of them.
			s.cfg.Logger.Debug("transaction not followed, will be asked again", "nonce", e.nonce, "err", err)
			if failed++; failed >= maxFailed && failed > 2*followed {
				return err
			}
		}
	}
	return nil
}

// open is what is not final, in nonce order.
func (s *Sender) open() []*entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*entry
	for _, e := range s.entries {
		if e.state == statePending {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b *entry) int { return cmp.Compare(a.nonce, b.nonce) })
	return out
}

// unseen reports whether e's receipt has yet to be looked at under this head.
func (s *Sender) unseen(e *entry, head common.Hash) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return e.checked != head
}

// push broadcasts e, which is in no block, if it is time, at a higher fee if
// it is time for that.
func (s *Sender) push(ctx context.Context, e *entry, head, chainNonce uint64) error {
	now := time.Now()
	s.mu.Lock()
	if e.receipt != nil {
		s.cfg.Logger.Warn("reorg took transaction back", "tx", e.receipt.TxHash, "label", e.label, "block", e.receipt.BlockNumber)
		e.receipt, e.sent = nil, time.Time{}
		e.since = time.Time{}
	}
	e.missing = time.Time{}
	if e.since.IsZero() || head < e.head {
		e.since, e.head = now, head
	}
	// A chain that makes no blocks is not waiting for a better price.
	stuck := now.Sub(e.since) >= s.cfg.BumpAfter && head >= e.head+2 && e.nonce < chainNonce+bumpWindow && len(e.versions) < maxVersions
	due := now.Sub(e.sent) >= s.cfg.Rebroadcast
	s.mu.Unlock()
	if stuck {
		raised, err := s.raise(ctx, e, head)
		if err != nil {
			return err
		}
		due = due || raised
	}
	if !due {
		return nil
	}
	s.mu.Lock()
	tx := e.newest()
	e.sent = now
	s.mu.Unlock()
	if err := s.broadcast(ctx, tx); err != nil {
		s.cfg.Logger.Warn("broadcast failed, will be repeated", "tx", tx.Hash(), "label", e.label, "err", err)
	}
	return nil
}

// raise stores a version of e at a higher fee. It does not if that would pass
// MaxFee.
func (s *Sender) raise(ctx context.Context, e *entry, head uint64) (bool, error) {
	tip, feeCap, err := s.fees(ctx)
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.since, e.head = time.Now(), head
	old := e.newest()
	if t := bump(old.GasTipCap()); tip.Cmp(t) < 0 {
		tip = t
	}
	if c := bump(old.GasFeeCap()); feeCap.Cmp(c) < 0 {
		feeCap = c
	}
	if feeCap.Cmp(tip) < 0 {
		feeCap = tip
	}
	if feeCap.Cmp(s.cfg.MaxFee) > 0 {
		s.cfg.Logger.Warn("transaction waits at the highest fee allowed", "tx", old.Hash(), "label", e.label, "fee", old.GasFeeCap())
		return false, nil
	}
	tx, err := s.sign(&types.DynamicFeeTx{
		Nonce: e.nonce, To: old.To(), Value: old.Value(), Data: old.Data(), Gas: old.Gas(), GasFeeCap: feeCap, GasTipCap: tip,
	})
	if err != nil {
		return false, err
	}
	e.versions = append(e.versions, tx)
	if err := s.save(e); err != nil {
		return false, errors.Join(errStore, err)
	}
	s.byHash[tx.Hash()] = e.nonce
	s.cfg.Logger.Info("transaction replaced at a higher fee", "old", old.Hash(), "tx", tx.Hash(), "label", e.label, "fee", feeCap)
	return true, nil
}

// confirm looks for e's receipt; its nonce is used in the chain.
func (s *Sender) confirm(ctx context.Context, l *loop, e *entry, at *types.Header) error {
	head := at.Number.Uint64()
	s.mu.Lock()
	versions := slices.Clone(e.versions)
	s.mu.Unlock()
	for _, v := range slices.Backward(versions) {
		r, err := s.receipt(ctx, v.Hash(), l.blocks)
		if errors.Is(err, ethereum.NotFound) {
			continue
		} else if err != nil {
			return fmt.Errorf("sender: receipt: %w", err)
		}
		return s.settle(e, r, at)
	}
	// The nonce is used, but not by a transaction of ours that this endpoint
	// knows. It may be behind; when it has been so for long, it is not.
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	e.receipt = nil
	if e.missing.IsZero() {
		e.missing, e.missAt = now, head
	}
	if now.Sub(e.missing) < s.cfg.BumpAfter || head < e.missAt+s.cfg.Confirmations {
		return nil
	}
	e.state = stateTaken
	if err := s.save(e); err != nil {
		return errors.Join(errStore, err)
	}
	s.notify()
	s.cfg.Logger.Error("another transaction took the nonce", "nonce", e.nonce, "tx", e.newest().Hash(), "label", e.label)
	return nil
}

// settle notes a receipt, and that it is final when it is.
func (s *Sender) settle(e *entry, r *types.Receipt, at *types.Header) error {
	head := at.Number.Uint64()
	s.mu.Lock()
	defer s.mu.Unlock()
	e.receipt, e.checked, e.missing = r, at.Hash(), time.Time{}
	block := r.BlockNumber.Uint64()
	if head < block || head-block+1 < s.cfg.Confirmations {
		return nil
	}
	e.state, e.winner, e.block = stateFinal, r.TxHash, block
	if err := s.save(e); err != nil {
		return errors.Join(errStore, err)
	}
	s.notify()
	if err := s.forget(e.nonce); err != nil {
		return errors.Join(errStore, err)
	}
	return nil
}

// receipt returns the receipt of a transaction in a block of the present
// chain, or ethereum.NotFound. The blocks already asked for are in blocks.
func (s *Sender) receipt(ctx context.Context, hash common.Hash, blocks map[uint64]common.Hash) (*types.Receipt, error) {
	r, err := call(ctx, s, func(ctx context.Context) (*types.Receipt, error) {
		return s.cfg.Backend.TransactionReceipt(ctx, hash)
	})
	if err != nil {
		return nil, err
	}
	if r == nil || r.TxHash != hash || r.BlockNumber == nil || !r.BlockNumber.IsUint64() {
		return nil, errors.New("the endpoint answered with another receipt")
	}
	block, ok := blocks[r.BlockNumber.Uint64()]
	if !ok {
		h, err := s.header(ctx, r.BlockNumber)
		if err != nil {
			return nil, err
		}
		block = h.Hash()
		blocks[r.BlockNumber.Uint64()] = block
	}
	if block != r.BlockHash {
		return nil, ethereum.NotFound
	}
	return r, nil
}

// mend looks at the nonces that should be used or pending but are neither. A
// final transaction whose nonce is free again was taken back by a reorg
// deeper than Confirmations and is sent again; a nonce of which nothing is
// stored gets an empty transfer after a while.
func (s *Sender) mend(ctx context.Context, l *loop, head *types.Header, nonce uint64) error {
	s.mu.Lock()
	if s.next > nonce+maxBehind {
		s.mu.Unlock()
		return fmt.Errorf("sender: the account has nonce %d on the chain, %d in the store: the endpoint is far behind", nonce, s.next)
	}
	gap, found := uint64(0), false
	for n := nonce; n < s.next; n++ {
		e := s.entries[n]
		switch {
		case e == nil || e.state == stateTaken:
			if !found {
				gap, found = n, true
			}
		case e.state == stateFinal && head.Number.Uint64() >= e.block:
			s.cfg.Logger.Error("deep reorg took final transaction back", "tx", e.winner, "label", e.label, "block", e.block)
			e.state, e.winner, e.block, e.receipt, e.sent = statePending, common.Hash{}, 0, nil, time.Time{}
			if err := s.save(e); err != nil {
				s.mu.Unlock()
				return errors.Join(errStore, err)
			}
		}
	}
	s.mu.Unlock()
	if !found {
		l.gap = time.Time{}
		return nil
	}
	if l.gap.IsZero() {
		l.gap = time.Now()
	}
	l.busy = true
	if time.Since(l.gap) < s.cfg.BumpAfter {
		return nil
	}
	l.gap = time.Time{}
	tip, feeCap, err := s.fees(ctx)
	if err != nil {
		return err
	}
	s.cfg.Logger.Warn("nonce gap filled with an empty transfer", "nonce", gap)
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.sign(&types.DynamicFeeTx{Nonce: gap, To: &s.from, Value: new(big.Int), Gas: 21000, GasFeeCap: feeCap, GasTipCap: tip})
	if err != nil {
		return err
	}
	e := &entry{nonce: gap, label: "fill nonce gap", created: time.Now(), versions: []*types.Transaction{tx}}
	if err := s.save(e); err != nil {
		return errors.Join(errStore, err)
	}
	s.adopt(e)
	return nil
}

// broadcast hands tx to the endpoint. That it is known already is success.
func (s *Sender) broadcast(ctx context.Context, tx *types.Transaction) error {
	_, err := call(ctx, s, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.cfg.Backend.SendTransaction(ctx, tx)
	})
	if err != nil && strings.Contains(err.Error(), "already known") { // geth's words, in a string over JSON-RPC
		return nil
	}
	return err
}

// verify checks once that the endpoint serves our chain.
func (s *Sender) verify(ctx context.Context) error {
	s.mu.Lock()
	done := s.verified
	s.mu.Unlock()
	if done {
		return nil
	}
	id, err := call(ctx, s, s.cfg.Backend.ChainID)
	if err != nil {
		return fmt.Errorf("sender: chain id: %w", err)
	}
	if !id.IsUint64() || id.Uint64() != s.cfg.ChainID {
		return fmt.Errorf("%w: the endpoint has chain id %s, configured is %d", ErrWrongChain, id, s.cfg.ChainID)
	}
	g, err := s.header(ctx, new(big.Int))
	if err != nil {
		return fmt.Errorf("sender: block 0: %w", err)
	}
	if err := s.checkGenesis(g.Hash()); err != nil {
		return err
	}
	s.mu.Lock()
	s.verified = true
	s.mu.Unlock()
	return nil
}

// notify wakes every Wait. The caller holds mu.
func (s *Sender) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}
