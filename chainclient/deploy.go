package chainclient

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"

	"tally/chainclient/contract/ledger"
	"tally/chainclient/contract/possession"
	"tally/chainclient/contract/registry"
	"tally/chainclient/contract/token"
	"tally/chainclient/contract/vault"
	"tally/protocol"
)

// ErrDeploy says that a deployment's transaction failed.
var ErrDeploy = errors.New("chainclient: deployment failed")

// DeployBackend is what Deploy asks of an endpoint; *ethclient.Client is one.
type DeployBackend interface {
	Backend
	PendingNonceAt(ctx context.Context, account common.Address) (uint64, error)
	SuggestGasTipCap(ctx context.Context) (*big.Int, error)
	SendTransaction(ctx context.Context, tx *types.Transaction) error
	TransactionReceipt(ctx context.Context, hash common.Hash) (*types.Receipt, error)
}

// Deployment describes a new network.
type Deployment struct {
	Name     string           // the network's, lower-case letters and digits
	Params   protocol.Params  // Start is ignored: epoch 0 begins with the ledger's block
	Supply   protocol.Amount  // minted at once, at most 128 bits
	Faucet   common.Address   // who gets the supply; zero leaves it with the deployer
	Ruleset  common.Hash      // of the first ruleset
	Auditors []common.Address // who has a vote against roots
}

// Gas limits, about twice what is used; what is not used is not paid.
const (
	gasToken    = 3_000_000
	gasRegistry = 3_500_000
	gasVault    = 4_500_000
	gasLedger   = 8_000_000
	gasPossess  = 8_000_000
	gasCall     = 200_000
)

// Deploy puts a network's contracts on the chain, wires them to one another and
// waits until all of it is mined. The key's account pays the gas and owns
// registry and ledger. It must send nothing else meanwhile. An interrupted
// deployment leaves contracts that nobody uses: deploy anew.
func Deploy(ctx context.Context, b DeployBackend, key *ecdsa.PrivateKey, d Deployment) (Book, error) {
	s, err := newSeries(ctx, b, key)
	if err != nil {
		return Book{}, err
	}
	book := Book{
		Network: protocol.Network{
			Name:     d.Name,
			ChainID:  s.chainID.Uint64(),
			Token:    crypto.CreateAddress(s.from, s.nonce),
			Registry: crypto.CreateAddress(s.from, s.nonce+1),
			Vault:    crypto.CreateAddress(s.from, s.nonce+2),
			Ledger:   crypto.CreateAddress(s.from, s.nonce+3),

			Possession: crypto.CreateAddress(s.from, s.nonce+4),
		},
		Params: d.Params,
	}
	if err := book.Validate(); err != nil {
		return Book{}, err
	}
	if !d.Supply.Fits128() || !d.Params.Bond.Fits128() || !d.Params.MintCap.Fits128() {
		return Book{}, fmt.Errorf("%w: supply, bond and mint cap must fit 128 bits", ErrArgument)
	}
	if err := remembers(ctx, b, d.Params.ProofPeriod); err != nil {
		return Book{}, err
	}

	tok, vlt, led := token.NewToken(), vault.NewVault(), ledger.NewLedger()
	s.create("token", gasToken, token.TokenMetaData.Bin, tok.PackConstructor(d.Supply.Big()))
	s.create("registry", gasRegistry, registry.RegistryMetaData.Bin, nil)
	s.create("vault", gasVault, vault.VaultMetaData.Bin, vlt.PackConstructor(book.Token))
	s.create("ledger", gasLedger, ledger.LedgerMetaData.Bin, led.PackConstructor(book.Token, book.Registry, ledger.LedgerParams{
		EpochLength:  d.Params.EpochLength,
		CommitWindow: d.Params.CommitWindow,
		AuditWindow:  d.Params.AuditWindow,
		ClaimDelay:   d.Params.ClaimDelay,
		Quorum:       d.Params.Quorum,
		Bond:         d.Params.Bond.Big(),
		MintCap:      d.Params.MintCap.Big(),
	}, d.Ruleset))
	s.create("possession", gasPossess, possession.PossessionMetaData.Bin,
		possession.NewPossession().PackConstructor(book.Registry, book.Ledger, d.Params.ProofPeriod, d.Params.ProofLeaves))
	s.call("token minter", book.Token, tok.PackSetMinter(book.Ledger))
	s.call("vault's ledger", book.Vault, vlt.PackSetLedger(book.Ledger))
	s.call("ledger's vault", book.Ledger, led.PackSetVault(book.Vault))
	for _, a := range d.Auditors {
		s.call("auditor "+a.Hex(), book.Ledger, led.PackSetAuditor(a, true))
	}
	if d.Faucet != (common.Address{}) && d.Faucet != s.from && !d.Supply.IsZero() {
		s.call("faucet's supply", book.Token, tok.PackTransfer(d.Faucet, d.Supply.Big()))
	}
	if book.Start, err = s.run(ctx); err != nil {
		return Book{}, err
	}
	c, err := New(Config{Book: book, Backend: b})
	if err != nil {
		return Book{}, err
	}
	data, err := led.TryPackSTART()
	book.Params.Start, err = read(ctx, c, book.Ledger, "start", data, err, led.UnpackSTART)
	return book, err
}

// remembers checks that a chain keeps block hashes for a proof period: the last 256
// of itself, older ones in the history contract of EIP-2935.
func remembers(ctx context.Context, b DeployBackend, period uint64) error {
	if period <= 256 {
		return nil
	}
	ask, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	code, err := b.CodeAt(ask, params.HistoryStorageAddress, nil)
	if err != nil {
		return fmt.Errorf("%w: asked for the history contract: %w", ErrEndpoint, err)
	}
	if len(code) == 0 {
		return fmt.Errorf("%w: the chain has no history of block hashes (EIP-2935): use a proof period of at most 256 blocks, not %d", ErrDeploy, period)
	}
	return nil
}

// series is a run of transactions from one account, sent together and then
// waited for.
type series struct {
	backend DeployBackend
	key     *ecdsa.PrivateKey
	from    common.Address
	chainID *big.Int
	nonce   uint64 // of the first
	tip     *big.Int
	cap     *big.Int
	steps   []step
}

type step struct {
	what string
	to   *common.Address // nil creates
	gas  uint64
	data []byte
}

func newSeries(ctx context.Context, b DeployBackend, key *ecdsa.PrivateKey) (*series, error) {
	s := &series{backend: b, key: key, from: crypto.PubkeyToAddress(key.PublicKey)}
	ask, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	var err error
	if s.chainID, err = b.ChainID(ask); err != nil {
		return nil, fmt.Errorf("%w: asked for its chain id: %w", ErrEndpoint, err)
	}
	if s.nonce, err = b.PendingNonceAt(ask, s.from); err != nil {
		return nil, fmt.Errorf("%w: asked for the deployer's nonce: %w", ErrEndpoint, err)
	}
	if s.tip, err = b.SuggestGasTipCap(ask); err != nil {
		return nil, fmt.Errorf("%w: asked for a fee: %w", ErrEndpoint, err)
	}
	h, err := b.HeaderByNumber(ask, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: asked for its last block: %w", ErrEndpoint, err)
	}
	s.cap = new(big.Int).Set(s.tip)
	if h.BaseFee != nil {
		s.cap.Add(s.cap, new(big.Int).Mul(h.BaseFee, big.NewInt(2)))
	}
	return s, nil
}

func (s *series) create(what string, gas uint64, bin string, args []byte) {
	s.steps = append(s.steps, step{what, nil, gas, append(common.FromHex(bin), args...)})
}

func (s *series) call(what string, to common.Address, data []byte) {
	s.steps = append(s.steps, step{what, &to, gasCall, data})
}

// run sends all, waits for all and returns the first one's block.
func (s *series) run(ctx context.Context) (first uint64, err error) {
	hashes := make([]common.Hash, len(s.steps))
	signer := types.LatestSignerForChainID(s.chainID)
	for i, st := range s.steps {
		tx, err := types.SignNewTx(s.key, signer, &types.DynamicFeeTx{
			ChainID: s.chainID, Nonce: s.nonce + uint64(i), GasTipCap: s.tip, GasFeeCap: s.cap, Gas: st.gas, To: st.to, Data: st.data,
		})
		if err != nil {
			return 0, fmt.Errorf("chainclient: sign %s: %w", st.what, err)
		}
		if err := s.backend.SendTransaction(ctx, tx); err != nil {
			return 0, fmt.Errorf("%w: send %s: %w: does %s hold gas money?", ErrDeploy, st.what, err, s.from)
		}
		hashes[i] = tx.Hash()
	}
	for i, st := range s.steps {
		r, err := s.mined(ctx, hashes[i])
		if err != nil {
			return 0, fmt.Errorf("%w: wait for %s: %w", ErrDeploy, st.what, err)
		}
		if r.Status != types.ReceiptStatusSuccessful {
			return 0, fmt.Errorf("%w: %s reverted in block %s, %d of %d gas used", ErrDeploy, st.what, r.BlockNumber, r.GasUsed, st.gas)
		}
		if i == 0 {
			first = r.BlockNumber.Uint64()
		}
	}
	return first, nil
}

// mined asks for the receipt five times a second.
func (s *series) mined(ctx context.Context, h common.Hash) (*types.Receipt, error) {
	t := time.NewTicker(200 * time.Millisecond)
	defer t.Stop()
	for {
		r, err := s.backend.TransactionReceipt(ctx, h)
		if err == nil {
			return r, nil
		}
		if !errors.Is(err, ethereum.NotFound) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-t.C:
		}
	}
}
