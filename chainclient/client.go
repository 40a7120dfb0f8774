package chainclient

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"tally/chainclient/contract/ledger"
	"tally/chainclient/contract/possession"
	"tally/chainclient/contract/registry"
	"tally/chainclient/contract/token"
	"tally/chainclient/contract/vault"
)

// DefaultTimeout is how long an endpoint may take for one answer.
const DefaultTimeout = 10 * time.Second

var (
	// ErrWrongChain says that an endpoint serves another chain than the book's.
	ErrWrongChain = errors.New("chainclient: wrong chain")
	// ErrNoContract says that an address of the book holds no code on the endpoint's chain.
	ErrNoContract = errors.New("chainclient: no contract")
	// ErrEndpoint says that an endpoint did not answer, or not in time.
	ErrEndpoint = errors.New("chainclient: RPC endpoint does not answer")
	// ErrConfig says that a Config lacks something.
	ErrConfig = errors.New("chainclient: bad configuration")
	// ErrArgument says that an argument cannot be right on any chain.
	ErrArgument = errors.New("chainclient: bad argument")
)

// Backend is what a Client asks of an endpoint; *ethclient.Client is one.
type Backend interface {
	ChainID(ctx context.Context) (*big.Int, error)
	CodeAt(ctx context.Context, account common.Address, block *big.Int) ([]byte, error)
	CallContract(ctx context.Context, call ethereum.CallMsg, block *big.Int) ([]byte, error)
	HeaderByNumber(ctx context.Context, number *big.Int) (*types.Header, error)
}

// Sender signs and sends transactions from one account.
type Sender interface {
	// Send takes a transaction on: durable once it returns its hash. The label is for people and logs.
	Send(ctx context.Context, to common.Address, value *big.Int, data []byte, label string) (common.Hash, error)
	// Wait blocks until the transaction is final and returns its receipt, failed or not.
	Wait(ctx context.Context, tx common.Hash) (*types.Receipt, error)
}

// Config is what a Client needs.
type Config struct {
	Book    Book
	Backend Backend
	Sender  Sender         // nil for a client that only reads
	From    common.Address // the Sender's account; zero for a client that only reads
	Timeout time.Duration  // of one answer of the endpoint; zero is DefaultTimeout
}

// Validate says what is missing.
func (c Config) Validate() error {
	if err := c.Book.Validate(); err != nil {
		return err
	}
	if c.Backend == nil {
		return fmt.Errorf("%w: no backend", ErrConfig)
	}
	if (c.Sender == nil) != (c.From == common.Address{}) {
		return fmt.Errorf("%w: a sender and its account come together", ErrConfig)
	}
	if c.Timeout < 0 {
		return fmt.Errorf("%w: timeout %v is negative", ErrConfig, c.Timeout)
	}
	return nil
}

// Client is one account's view of one network's contracts.
type Client struct {
	book    Book
	backend Backend
	sender  Sender
	from    common.Address
	timeout time.Duration

	token    *token.Token
	registry *registry.Registry
	vault    *vault.Vault
	ledger   *ledger.Ledger

	possession *possession.Possession
}

// New binds a client. It asks the endpoint nothing: Dial or Verify has.
func New(cfg Config) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	return &Client{
		book:    cfg.Book,
		backend: cfg.Backend,
		sender:  cfg.Sender,
		from:    cfg.From,
		timeout: cfg.Timeout,

		token:    token.NewToken(),
		registry: registry.NewRegistry(),
		vault:    vault.NewVault(),
		ledger:   ledger.NewLedger(),

		possession: possession.NewPossession(),
	}, nil
}

// Book is the network's address book.
func (c *Client) Book() Book { return c.book }

// From is the account that the client writes as.
func (c *Client) From() common.Address { return c.from }

// Dial opens an endpoint (http, https, ws, wss or a socket's path) and verifies
// it, all within DefaultTimeout. The connection is the caller's to close. What an
// endpoint's URL holds besides scheme and host (a user, a password, a path with a
// key) is secret: no error of Dial says it, nor does one of an http connection.
func Dial(ctx context.Context, endpoint string, book Book) (*ethclient.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	ec, err := dial(ctx, endpoint)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrEndpoint, publicPart(endpoint), quiet(err))
	}
	if err := Verify(ctx, ec, endpoint, book); err != nil {
		ec.Close()
		return nil, err
	}
	return ec, nil
}

// Verify checks that an endpoint serves the book's chain and that each contract
// is there, within DefaultTimeout. The endpoint's URL is for the error, which says
// only its scheme and host.
func Verify(ctx context.Context, b Backend, endpoint string, book Book) error {
	if err := book.Validate(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	endpoint = publicPart(endpoint)
	id, err := b.ChainID(ctx)
	if err != nil {
		return fmt.Errorf("%w: %s: asked for its chain id: %w", ErrEndpoint, endpoint, quiet(err))
	}
	if !id.IsUint64() || id.Uint64() != book.ChainID {
		return fmt.Errorf("%w: RPC endpoint %s says chain id %s, address book says %d: use an endpoint of this network or the address book of that one",
			ErrWrongChain, endpoint, id, book.ChainID)
	}
	for _, c := range book.contracts() {
		code, err := b.CodeAt(ctx, c.address, nil)
		if err != nil {
			return fmt.Errorf("%w: %s: asked for the code of %s: %w", ErrEndpoint, endpoint, c.name, quiet(err))
		}
		if len(code) == 0 {
			return fmt.Errorf("%w: RPC endpoint %s has no code at %s, where the address book has the %s: the chain was reset, is not synced, or is another with the same id",
				ErrNoContract, endpoint, c.address, c.name)
		}
	}
	return nil
}

type place struct {
	name    string
	address common.Address
}

func (b Book) contracts() []place {
	return []place{{"token", b.Token}, {"registry", b.Registry}, {"vault", b.Vault}, {"ledger", b.Ledger}, {"possession", b.Possession}}
}

// send tries a call on the pending state, then hands it to the sender.
func (c *Client) send(ctx context.Context, to common.Address, value *big.Int, data []byte, label string) (common.Hash, error) {
	if c.sender == nil {
		return common.Hash{}, fmt.Errorf("%w: this client only reads", ErrConfig)
	}
	if _, err := c.try(ctx, ethereum.CallMsg{From: c.from, To: &to, Value: value, Data: data}); err != nil {
		return common.Hash{}, fmt.Errorf("chainclient: %s: %w", label, err)
	}
	h, err := c.sender.Send(ctx, to, value, data, label)
	if err != nil {
		return common.Hash{}, fmt.Errorf("chainclient: %s: %w", label, Explain(err))
	}
	return h, nil
}

// packed sends what a binding packed.
func (c *Client) packed(ctx context.Context, to common.Address, label string, data []byte, err error) (common.Hash, error) {
	if err != nil {
		return common.Hash{}, fmt.Errorf("%w: %s: %w", ErrArgument, label, err)
	}
	return c.send(ctx, to, nil, data, label)
}

// pendingCaller is an endpoint that can try a call on the block being built,
// whose time is the present: the last block may be old on an idle chain.
type pendingCaller interface {
	PendingCallContract(ctx context.Context, call ethereum.CallMsg) ([]byte, error)
}

func (c *Client) try(ctx context.Context, m ethereum.CallMsg) (out []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if p, ok := c.backend.(pendingCaller); ok {
		out, err = p.PendingCallContract(ctx, m)
	} else {
		out, err = c.backend.CallContract(ctx, m, nil)
	}
	if err != nil {
		return nil, Explain(err)
	}
	return out, nil
}

// Wait blocks until a transaction is final. A failed one gives its receipt and
// the contract's reason, as far as the endpoint can repeat it.
func (c *Client) Wait(ctx context.Context, tx common.Hash) (*types.Receipt, error) {
	if c.sender == nil {
		return nil, fmt.Errorf("%w: this client only reads", ErrConfig)
	}
	r, err := c.sender.Wait(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("chainclient: wait for %s: %w", tx, err)
	}
	if r.Status == types.ReceiptStatusSuccessful {
		return r, nil
	}
	return r, fmt.Errorf("chainclient: transaction %s failed in block %s: %w", tx, r.BlockNumber, c.why(ctx, tx, r))
}

// transactionReader is an endpoint that knows transactions.
type transactionReader interface {
	TransactionByHash(ctx context.Context, hash common.Hash) (tx *types.Transaction, pending bool, err error)
}

// why repeats a failed transaction on the block that it failed in.
func (c *Client) why(ctx context.Context, hash common.Hash, r *types.Receipt) error {
	tr, ok := c.backend.(transactionReader)
	if !ok {
		return ErrReverted
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	tx, _, err := tr.TransactionByHash(ctx, hash)
	if err != nil {
		return ErrReverted
	}
	m := ethereum.CallMsg{From: c.from, To: tx.To(), Value: tx.Value(), Data: tx.Data()}
	if _, err := c.backend.CallContract(ctx, m, r.BlockNumber); err != nil {
		return Explain(err)
	}
	if r.GasUsed >= tx.Gas() {
		return fmt.Errorf("%w: out of gas at %d", ErrReverted, tx.Gas())
	}
	return ErrReverted
}

// read calls a view on the last block.
func read[T any](ctx context.Context, c *Client, to common.Address, what string, data []byte, err error, unpack func([]byte) (T, error)) (T, error) {
	var none T
	if err != nil {
		return none, fmt.Errorf("%w: read %s: %w", ErrArgument, what, err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	out, err := c.backend.CallContract(ctx, ethereum.CallMsg{From: c.from, To: &to, Data: data}, nil)
	if err != nil {
		return none, fmt.Errorf("chainclient: read %s: %w", what, Explain(err))
	}
	v, err := unpack(out)
	if err != nil {
		return none, fmt.Errorf("chainclient: read %s: %w", what, err)
	}
	return v, nil
}

// ChainTime is the last block's time in unix seconds.
func (c *Client) ChainTime(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	h, err := c.backend.HeaderByNumber(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("chainclient: read the chain's time: %w", err)
	}
	return h.Time, nil
}
