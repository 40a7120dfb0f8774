// Package chaintest is a chain for tests: go-ethereum's simulated backend under
// the rules that the embedded chain has, with accounts that hold gas money, a
// clock that the test moves, and Tally's contracts.
//
// The life of one: New starts it and deploys; every transaction sent through it
// is mined at once, in a block of its own; AdvanceTo moves its time; the test's
// end closes it. It cannot run inside a synctest bubble.
//
// A Chain is for one goroutine at a time; its Senders too.
package chaintest

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/ethereum/go-ethereum/node"

	"tally/chainclient"
	"tally/protocol"
)

// Epochs as New deploys them, in seconds.
const (
	EpochLength  = 100
	CommitWindow = 20
	AuditWindow  = 30
	ClaimDelay   = 40
)

// Proofs of possession as New deploys them: blocks of a period, leaves drawn in it.
const (
	ProofPeriod = 16
	ProofLeaves = 5
)

// Ruleset is the hash of the first ruleset that New deploys.
var Ruleset = crypto.Keccak256Hash([]byte("ruleset of tests"))

// Chain is a simulated chain with Tally's contracts.
type Chain struct {
	simulated.Client // whose SendTransaction mines
	Backend          *simulated.Backend
	Book             chainclient.Book
	Keys             []*ecdsa.PrivateKey // accounts with gas money; the first deployed and holds a million tokens
	t                testing.TB
}

// Params are those that New deploys.
func Params() protocol.Params {
	return protocol.Params{
		EpochLength:  EpochLength,
		CommitWindow: CommitWindow,
		AuditWindow:  AuditWindow,
		ClaimDelay:   ClaimDelay,
		Quorum:       2,
		Bond:         protocol.Tokens(100),
		MintCap:      protocol.Tokens(50),
		ProofPeriod:  ProofPeriod,
		ProofLeaves:  ProofLeaves,
	}
}

// Bare starts a chain without contracts, with n accounts, the same each time. Its
// time begins an hour ahead of the clock, so that blocks come one second apart.
func Bare(t testing.TB, n int) *Chain {
	t.Helper()
	alloc := core.SystemContractAllocs() // the history of block hashes, as on a real chain
	c := &Chain{t: t}
	for i := range n {
		k, err := crypto.ToECDSA(crypto.Keccak256(fmt.Appendf(nil, "chaintest account %d", i)))
		if err != nil {
			t.Fatal(err)
		}
		c.Keys = append(c.Keys, k)
		alloc[crypto.PubkeyToAddress(k.PublicKey)] = types.Account{Balance: new(big.Int).Lsh(big.NewInt(1), 80)}
	}
	c.Backend = simulated.NewBackend(alloc, func(_ *node.Config, e *ethconfig.Config) {
		rules := *e.Genesis.Config
		rules.BogotaTime = nil // unreleased: the embedded chain keeps to Osaka too
		e.Genesis.Config = &rules
	})
	t.Cleanup(func() { _ = c.Backend.Close() })
	c.Client = c.Backend.Client()
	if err := c.Backend.AdjustTime(time.Hour + time.Since(time.Unix(int64(c.Now()), 0))); err != nil {
		t.Fatal(err)
	}
	return c
}

// New starts a chain with n accounts and deploys the contracts; the auditors are
// accounts given by index.
func New(t testing.TB, n int, auditors ...int) *Chain {
	t.Helper()
	c := Bare(t, n)
	d := chainclient.Deployment{Name: "test", Params: Params(), Supply: protocol.Tokens(1_000_000), Ruleset: Ruleset}
	for _, i := range auditors {
		d.Auditors = append(d.Auditors, c.Account(i))
	}
	var err error
	if c.Book, err = chainclient.Deploy(t.Context(), c, c.Keys[0], d); err != nil {
		t.Fatal(err)
	}
	return c
}

// Account is the i-th account's address.
func (c *Chain) Account(i int) common.Address { return crypto.PubkeyToAddress(c.Keys[i].PublicKey) }

// SendTransaction sends and mines.
func (c *Chain) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	if err := c.Client.SendTransaction(ctx, tx); err != nil {
		return err
	}
	c.Backend.Commit()
	c.Backend.Rollback() // empties the pool, which drops mined transactions some time after their block
	return nil
}

// Now is the last block's time.
func (c *Chain) Now() uint64 {
	c.t.Helper()
	h, err := c.HeaderByNumber(context.WithoutCancel(c.t.Context()), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return h.Time
}

// AdvanceTo mines an empty block with this time: calls see it as the present,
// and the next transaction runs one second later.
func (c *Chain) AdvanceTo(unix uint64) {
	c.t.Helper()
	now := c.Now()
	if unix <= now {
		c.t.Fatalf("chaintest: advance to %d: it is %d already", unix, now)
	}
	if err := c.Backend.AdjustTime(time.Duration(unix-now) * time.Second); err != nil {
		c.t.Fatal(err)
	}
}

// As is a client that writes as the i-th account.
func (c *Chain) As(i int) *chainclient.Client {
	c.t.Helper()
	cl, err := chainclient.New(chainclient.Config{Book: c.Book, Backend: c, Sender: c.Sender(i), From: c.Account(i)})
	if err != nil {
		c.t.Fatal(err)
	}
	return cl
}

// Try calls as the i-th account on the last block, whose time is Now, and
// changes nothing. A nil address tries to create a contract. A refusal is a
// *chainclient.RevertError.
func (c *Chain) Try(i int, to *common.Address, data []byte) ([]byte, error) {
	c.t.Helper()
	out, err := c.CallContract(c.t.Context(), ethereum.CallMsg{From: c.Account(i), To: to, Data: data}, nil)
	if err != nil {
		return nil, chainclient.Explain(err)
	}
	return out, nil
}

// Do sends as the i-th account and mines; what fails fails the test. A nil
// address creates a contract.
func (c *Chain) Do(i int, to *common.Address, data []byte) *types.Receipt {
	c.t.Helper()
	ctx := c.t.Context()
	h, err := c.Sender(i).send(ctx, to, nil, data)
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := c.TransactionReceipt(ctx, h)
	if err != nil {
		c.t.Fatal(err)
	}
	if r.Status != types.ReceiptStatusSuccessful {
		_, why := c.CallContract(ctx, ethereum.CallMsg{From: c.Account(i), To: to, Data: data}, r.BlockNumber)
		c.t.Fatalf("chaintest: transaction failed: %v", chainclient.Explain(why))
	}
	return r
}

// Sender is the i-th account's sender.
func (c *Chain) Sender(i int) *Sender { return &Sender{c, c.Keys[i]} }

// Fund gives the i-th account tokens of the first's.
func (c *Chain) Fund(i int, value protocol.Amount) {
	c.t.Helper()
	if _, err := c.As(0).TransferToken(c.t.Context(), c.Account(i), value); err != nil {
		c.t.Fatal(err)
	}
}

// Sender is a chainclient.Sender that mines what it sends. It keeps nothing: a
// transaction is durable because it is mined when Send returns.
type Sender struct {
	chain *Chain
	key   *ecdsa.PrivateKey
}

// Gas is the limit of each transaction that a Sender sends.
const Gas = 10_000_000

// Send signs, sends and mines.
func (s *Sender) Send(ctx context.Context, to common.Address, value *big.Int, data []byte, _ string) (common.Hash, error) {
	return s.send(ctx, &to, value, data)
}

func (s *Sender) send(ctx context.Context, to *common.Address, value *big.Int, data []byte) (common.Hash, error) {
	from := crypto.PubkeyToAddress(s.key.PublicKey)
	nonce, err := s.chain.NonceAt(ctx, from, nil) // everything before is mined
	if err != nil {
		return common.Hash{}, err
	}
	h, err := s.chain.HeaderByNumber(ctx, nil)
	if err != nil {
		return common.Hash{}, err
	}
	id, err := s.chain.ChainID(ctx)
	if err != nil {
		return common.Hash{}, err
	}
	tip := big.NewInt(1_000_000_000)
	tx, err := types.SignNewTx(s.key, types.LatestSignerForChainID(id), &types.DynamicFeeTx{
		ChainID: id, Nonce: nonce, GasTipCap: tip, GasFeeCap: new(big.Int).Add(tip, new(big.Int).Mul(h.BaseFee, big.NewInt(2))),
		Gas: Gas, To: to, Value: value, Data: data,
	})
	if err != nil {
		return common.Hash{}, err
	}
	return tx.Hash(), s.chain.SendTransaction(ctx, tx)
}

// Wait returns the receipt, which is there since Send mined it.
func (s *Sender) Wait(ctx context.Context, tx common.Hash) (*types.Receipt, error) {
	r, err := s.chain.TransactionReceipt(ctx, tx)
	if errors.Is(err, ethereum.NotFound) {
		return nil, fmt.Errorf("chaintest: transaction %s was never sent", tx)
	}
	return r, err
}
