// Package sender gets transactions of one key onto a chain and keeps them
// there, through crashes, lost answers, full pools, rising fees and reorgs.
//
// The life of a transaction: Send estimates its gas, gives it the key's next
// nonce, signs it, stores the signed bytes, and only then broadcasts. From
// the moment it is stored it is the business of Run, one loop that asks the
// chain about everything not final: what is not mined is broadcast again byte
// for byte; what stays unmined for long is replaced at a higher fee, the old
// bytes kept because either may land; what is mined is watched until it has
// Config.Confirmations; what a reorg took back starts again; a nonce that
// nothing fills is filled with an empty transfer to self. Start-up is the
// same loop over what was stored.
//
// So Send that returned a hash has promised: the transaction will land as
// soon as the chain takes it, whatever happened to its first broadcast, or
// Wait says why it never will.
//
// The key must be this Sender's alone: a transaction that someone else signs
// with it takes a nonce away (ErrNonceTaken). It should hold gas money only.
// Every call to the endpoint has a deadline. A hash is Send's, the first
// version's; a replacement has another hash, which the receipt shows.
//
// All methods are safe for concurrent use; Run may be called once at a time.
// The package knows no contract: a revert is handed on as data.
package sender

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/internal/kv"
)

var (
	// ErrConfig marks a Config that New refused.
	ErrConfig = errors.New("sender: bad configuration")
	// ErrWrongChain says that the endpoint serves another chain than the one
	// configured, or than the one that the stored transactions are for.
	ErrWrongChain = errors.New("sender: wrong chain: check the endpoint and the chain id, or use another data directory")
	// ErrFull says that Config.MaxPending transactions are not final yet.
	ErrFull = errors.New("sender: too many transactions wait for the chain: check the endpoint and the account's balance")
	// ErrUnknown is Wait's answer for a hash that Send never gave, or so long
	// ago that it is forgotten.
	ErrUnknown = errors.New("sender: unknown transaction")
	// ErrNonceTaken says that another program used the key: its transaction
	// has the nonce, so this one will never land. It is safe to send again.
	ErrNonceTaken = errors.New("sender: another transaction took the nonce: give this key to one program only")
	// ErrRunning is returned by a second concurrent Run.
	ErrRunning = errors.New("sender: already running")
)

// Backend is what Sender asks of an endpoint; *ethclient.Client is one. It
// must end a call when its context does, and may lose, repeat or hang any.
type Backend interface {
	ChainID(ctx context.Context) (*big.Int, error)
	HeaderByNumber(ctx context.Context, number *big.Int) (*types.Header, error) // nil number: the head
	NonceAt(ctx context.Context, a common.Address, block *big.Int) (uint64, error)
	PendingNonceAt(ctx context.Context, a common.Address) (uint64, error)
	SuggestGasTipCap(ctx context.Context) (*big.Int, error)
	EstimateGas(ctx context.Context, msg ethereum.CallMsg) (uint64, error)
	SendTransaction(ctx context.Context, tx *types.Transaction) error
	TransactionReceipt(ctx context.Context, hash common.Hash) (*types.Receipt, error) // ethereum.NotFound
	CallContract(ctx context.Context, msg ethereum.CallMsg, block *big.Int) ([]byte, error)
}

const (
	maxTxGas    = 1 << 24 // EIP-7825: more than this no transaction may use
	emptiedSlot = 17_100  // EIP-2200 and 2929: a write to an empty slot instead of a full one
	maxVersions = 24      // of one nonce: 1.125^23 is 15 times the first fee
	keptFinal   = 256     // final transactions remembered for Wait and deep reorgs
	maxLabel    = 256
)

// Config is all that New needs. A zero value means the default in brackets.
type Config struct {
	Key           *ecdsa.PrivateKey // required; secp256k1
	Backend       Backend           // required
	DB            *kv.DB            // required; opened with Sync, or a crash may reuse a nonce
	ChainID       uint64            // required
	Confirmations uint64            // blocks, the transaction's own included, that make it final [1]
	CallTimeout   time.Duration     // of each call to the endpoint [10 s]
	Poll          time.Duration     // between looks at the head while something is not final [150 ms]
	Rebroadcast   time.Duration     // between broadcasts of an unmined transaction [5 s]
	BumpAfter     time.Duration     // unmined this long, while blocks came: replace at a higher fee [30 s]
	MaxFee        *big.Int          // wei per gas, base fee and tip together, never exceeded [200 gwei]
	MaxPending    int               // transactions not final at a time [1024]
	Logger        *slog.Logger      // [discards]
}

// Validate reports the first fault of c, wrapping ErrConfig.
func (c *Config) Validate() error {
	switch {
	case c.Key == nil:
		return fmt.Errorf("%w: no key", ErrConfig)
	case c.Backend == nil:
		return fmt.Errorf("%w: no backend", ErrConfig)
	case c.DB == nil:
		return fmt.Errorf("%w: no database", ErrConfig)
	case c.ChainID == 0:
		return fmt.Errorf("%w: no chain id", ErrConfig)
	case c.CallTimeout < 0 || c.Poll < 0 || c.Rebroadcast < 0 || c.BumpAfter < 0 || c.MaxPending < 0:
		return fmt.Errorf("%w: a duration or limit is negative", ErrConfig)
	case c.MaxFee != nil && c.MaxFee.Sign() <= 0:
		return fmt.Errorf("%w: the highest fee is not positive", ErrConfig)
	}
	return nil
}

func (c *Config) defaults() {
	c.Confirmations = max(1, c.Confirmations)
	if c.CallTimeout == 0 {
		c.CallTimeout = 10 * time.Second
	}
	if c.Poll == 0 {
		c.Poll = 150 * time.Millisecond
	}
	if c.Rebroadcast == 0 {
		c.Rebroadcast = 5 * time.Second
	}
	if c.BumpAfter == 0 {
		c.BumpAfter = 30 * time.Second
	}
	if c.MaxFee == nil {
		c.MaxFee = big.NewInt(200e9)
	}
	if c.MaxPending == 0 {
		c.MaxPending = 1024
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

// Sender sends for one key; New makes one.
type Sender struct {
	cfg    Config // immutable
	from   common.Address
	signer types.Signer
	wake   chan struct{} // capacity 1: something new for Run

	running sync.Mutex // held by Run

	mu       sync.Mutex
	entries  map[uint64]*entry      // by nonce; guarded by mu, and so are the entries' fields
	byHash   map[common.Hash]uint64 // every version's nonce; guarded by mu
	next     uint64                 // lowest nonce never stored; guarded by mu
	changed  chan struct{}          // closed and replaced when an entry changes; guarded by mu
	verified bool                   // the endpoint's chain is ours; guarded by mu
}

// New reads what is stored. It starts nothing: without Run, what is sent is
// broadcast once.
func New(cfg Config) (*Sender, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.defaults()
	s := &Sender{
		cfg:     cfg,
		from:    crypto.PubkeyToAddress(cfg.Key.PublicKey),
		signer:  types.LatestSignerForChainID(new(big.Int).SetUint64(cfg.ChainID)),
		wake:    make(chan struct{}, 1),
		entries: map[uint64]*entry{}, byHash: map[common.Hash]uint64{},
		changed: make(chan struct{}),
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	return s, nil
}

// Address is the account that pays.
func (s *Sender) Address() common.Address { return s.from }

// Send signs, stores and broadcasts one transaction. Once it returns a hash
// the transaction is durable, even if its broadcast was refused or its
// outcome is unknown. With an error nothing is stored; a call that would
// revert is such an error, and RevertData finds the contract's data in it.
//
// The estimate sees the chain's head, not what is still pending: who needs
// the effect of an earlier transaction waits for it first. The label, at most
// 256 bytes, is for the status page.
func (s *Sender) Send(ctx context.Context, to common.Address, value *big.Int, data []byte, label string) (common.Hash, error) {
	if value == nil {
		value = new(big.Int)
	}
	if len(label) > maxLabel {
		return common.Hash{}, fmt.Errorf("%w: label longer than %d bytes", ErrConfig, maxLabel)
	}
	if err := s.verify(ctx); err != nil {
		return common.Hash{}, err
	}
	tip, feeCap, err := s.fees(ctx)
	if err != nil {
		return common.Hash{}, err
	}
	gas, err := call(ctx, s, func(ctx context.Context) (uint64, error) {
		return s.cfg.Backend.EstimateGas(ctx, ethereum.CallMsg{
			From: s.from, To: &to, Value: value, Data: data, GasFeeCap: feeCap, GasTipCap: tip,
		})
	})
	if err != nil {
		return common.Hash{}, fmt.Errorf("sender: estimate %s: %w", label, err)
	}
	if gas > maxTxGas {
		return common.Hash{}, fmt.Errorf("sender: estimate %s: needs %d gas, the limit of a transaction is %d: split it", label, gas, maxTxGas)
	}
	// Estimates of calls that write checkpoints come out short; and a balance that
	// another transaction empties before this one is mined costs more to fill
	// again: 17,100 gas a slot. Gas that is not used is not paid for.
	gas = min(gas+gas/2+3*emptiedSlot, maxTxGas)
	pending, err := call(ctx, s, func(ctx context.Context) (uint64, error) {
		return s.cfg.Backend.PendingNonceAt(ctx, s.from)
	})
	if err != nil {
		return common.Hash{}, fmt.Errorf("sender: nonce: %w", err)
	}
	tx, err := s.stage(pending, &types.DynamicFeeTx{
		To: &to, Value: value, Data: slices.Clone(data), Gas: gas, GasFeeCap: feeCap, GasTipCap: tip,
	}, label)
	if err != nil {
		return common.Hash{}, err
	}
	if err := s.broadcast(ctx, tx); err != nil {
		s.cfg.Logger.Warn("broadcast failed, will be repeated", "tx", tx.Hash(), "label", label, "err", err)
	} else {
		s.mu.Lock()
		if e := s.entries[tx.Nonce()]; e != nil {
			e.sent = time.Now()
		}
		s.mu.Unlock()
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return tx.Hash(), nil
}

// stage gives t a nonce, signs it and stores it.
func (s *Sender) stage(pending uint64, t *types.DynamicFeeTx, label string) (*types.Transaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := 0
	for _, e := range s.entries {
		if e.state == statePending {
			open++
		}
	}
	if open >= s.cfg.MaxPending {
		return nil, ErrFull
	}
	t.Nonce = max(s.next, pending)
	tx, err := s.sign(t)
	if err != nil {
		return nil, err
	}
	e := &entry{nonce: t.Nonce, label: label, created: time.Now(), versions: []*types.Transaction{tx}}
	if err := s.save(e); err != nil {
		return nil, err
	}
	s.adopt(e)
	return tx, nil
}

func (s *Sender) sign(t *types.DynamicFeeTx) (*types.Transaction, error) {
	t.ChainID = new(big.Int).SetUint64(s.cfg.ChainID)
	tx, err := types.SignNewTx(s.cfg.Key, s.signer, t)
	if err != nil {
		return nil, fmt.Errorf("sender: sign: %w", err)
	}
	return tx, nil
}

// fees suggests the tip and the fee cap for now: room for the base fee to
// double, within MaxFee.
func (s *Sender) fees(ctx context.Context) (tip, feeCap *big.Int, err error) {
	tip, err = call(ctx, s, s.cfg.Backend.SuggestGasTipCap)
	if err != nil {
		return nil, nil, fmt.Errorf("sender: fees: %w", err)
	}
	head, err := s.header(ctx, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("sender: fees: %w", err)
	}
	if head.BaseFee == nil || tip == nil || tip.Sign() < 0 {
		return nil, nil, errors.New("sender: fees: the chain has no base fee: an EIP-1559 chain is needed")
	}
	feeCap = new(big.Int).Lsh(head.BaseFee, 1)
	feeCap.Add(feeCap, tip)
	return smaller(tip, s.cfg.MaxFee), smaller(feeCap, s.cfg.MaxFee), nil
}

func smaller(a, b *big.Int) *big.Int {
	if a.Cmp(b) <= 0 {
		return a
	}
	return new(big.Int).Set(b)
}

// Status is one transaction on the status page.
type Status struct {
	Nonce   uint64
	Hash    common.Hash // newest version
	Label   string
	Created time.Time
	Bumps   int    // replacements at a higher fee
	Block   uint64 // that it is mined in, 0 if none
}

// Pending lists what is not final, in nonce order.
func (s *Sender) Pending() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Status
	for _, e := range s.entries {
		if e.state != statePending {
			continue
		}
		st := Status{Nonce: e.nonce, Hash: e.newest().Hash(), Label: e.label, Created: e.created, Bumps: len(e.versions) - 1}
		if e.receipt != nil {
			st.Block = e.receipt.BlockNumber.Uint64()
		}
		out = append(out, st)
	}
	slices.SortFunc(out, func(a, b Status) int { return cmp.Compare(a.Nonce, b.Nonce) })
	return out
}

// call runs one question to the endpoint within CallTimeout.
func call[T any](ctx context.Context, s *Sender, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.CallTimeout)
	defer cancel()
	return f(ctx)
}

func (s *Sender) header(ctx context.Context, number *big.Int) (*types.Header, error) {
	h, err := call(ctx, s, func(ctx context.Context) (*types.Header, error) {
		return s.cfg.Backend.HeaderByNumber(ctx, number)
	})
	if err == nil && (h == nil || h.Number == nil || !h.Number.IsUint64() || (number != nil && h.Number.Cmp(number) != 0)) {
		return nil, errors.New("the endpoint answered with another block")
	}
	return h, err
}
