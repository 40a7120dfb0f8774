// Package localnet runs a network's chain on this machine: the embedded chain,
// with Tally's contracts on it and a faucet that owns them.
//
// The life of a local network: Open makes the chain's directory with a faucet
// key, opens the chain, deploys the contracts and writes book.json; later it
// finds all of them there and goes on where it was, also after kill -9. An
// interrupted deployment is done anew. A Faucet then hands out gas money and
// tokens, and gives auditors their votes and nodes their weights.
//
// The chain's operator decides its block hashes and so its randomness: good for
// development and demonstrations, not for strangers' money.
package localnet

import (
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"

	"tally/chainclient"
	"tally/chainclient/embedded"
	"tally/chainclient/sender"
	"tally/internal/kv"
	"tally/node/home"
	"tally/protocol"
)

// Config is a local network.
type Config struct {
	Dir       string          // of the chain, the book and the faucet's key
	Name      string          // of the network
	ChainID   uint64          //
	Port      int             // on loopback; 0 is any free one
	Params    protocol.Params // fixed at the first Open
	Ruleset   common.Hash     // fixed at the first Open
	Heartbeat time.Duration   // the longest time between blocks; 0 is the chain's default
	Logger    *slog.Logger
}

// Network is an open local network.
type Network struct {
	Book  chainclient.Book
	chain *embedded.Chain
}

func faucetPath(dir string) string { return filepath.Join(dir, "faucet.key") }

// BookPath is where a local network's address book lies.
func BookPath(dir string) string { return filepath.Join(dir, "book.json") }

// Open opens the chain and has the contracts on it.
func Open(ctx context.Context, c Config) (*Network, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("localnet: %w", err)
	}
	key, err := faucetKey(c.Dir)
	if err != nil {
		return nil, err
	}
	rich := new(big.Int).Lsh(big.NewInt(1), 100)
	ch, err := embedded.Open(embedded.Config{
		DataDir: filepath.Join(c.Dir, "chain"), ChainID: c.ChainID, Port: c.Port, Heartbeat: c.Heartbeat,
		Alloc: map[common.Address]*big.Int{crypto.PubkeyToAddress(key.PublicKey): rich}, Logger: c.Logger,
	})
	if err != nil {
		return nil, err
	}
	book, err := ensureBook(ctx, c, ch, key)
	if err != nil {
		return nil, errors.Join(err, ch.Close())
	}
	return &Network{book, ch}, nil
}

func ensureBook(ctx context.Context, c Config, ch *embedded.Chain, key *ecdsa.PrivateKey) (chainclient.Book, error) {
	book, err := chainclient.LoadBook(BookPath(c.Dir))
	switch {
	case err == nil:
		return book, chainclient.Verify(ctx, ch.Client(), ch.HTTP(), book)
	case !errors.Is(err, os.ErrNotExist):
		return chainclient.Book{}, err
	}
	book, err = chainclient.Deploy(ctx, ch.Client(), key, chainclient.Deployment{
		Name: c.Name, Params: c.Params, Supply: protocol.Tokens(1_000_000_000), Ruleset: c.Ruleset,
	})
	if err != nil {
		return chainclient.Book{}, err
	}
	return book, book.Save(BookPath(c.Dir))
}

// RPC is the chain's endpoint on loopback.
func (n *Network) RPC() string { return n.chain.HTTP() }

// Close ends the chain.
func (n *Network) Close() error { return n.chain.Close() }

func faucetKey(dir string) (*ecdsa.PrivateKey, error) {
	raw, err := os.ReadFile(faucetPath(dir))
	if err == nil {
		k, err := crypto.HexToECDSA(strings.TrimSpace(string(raw)))
		if err != nil {
			return nil, fmt.Errorf("localnet: %s: not a private key in hex: %w", faucetPath(dir), err)
		}
		return k, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("localnet: %w", err)
	}
	k, err := crypto.GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("localnet: %w", err)
	}
	return k, home.WriteFile(faucetPath(dir), []byte(hex.EncodeToString(crypto.FromECDSA(k))+"\n"), 0o600)
}

// Grant is what an account is given.
type Grant struct {
	To     common.Address
	Gas    *big.Int // wei
	Tokens protocol.Amount
}

// Faucet owns a local network's contracts and first tokens.
type Faucet struct {
	client *chainclient.Client
	sender *sender.Sender
	stop   context.CancelFunc
	done   chan error
	db     *kv.DB
	eth    *ethclient.Client
}

// OpenFaucet opens the faucet of the local network in dir at its endpoint. Only
// one may be open at a time.
func OpenFaucet(ctx context.Context, dir, rpc string) (*Faucet, error) {
	key, err := faucetKey(dir)
	if err != nil {
		return nil, err
	}
	book, err := chainclient.LoadBook(BookPath(dir))
	if err != nil {
		return nil, err
	}
	ec, err := chainclient.Dial(ctx, rpc, book)
	if err != nil {
		return nil, err
	}
	db, err := kv.Open("", kv.Options{})
	if err != nil {
		ec.Close()
		return nil, err
	}
	s, err := sender.New(sender.Config{Key: key, Backend: ec, DB: db, ChainID: book.ChainID})
	if err != nil {
		ec.Close()
		return nil, errors.Join(err, db.Close())
	}
	cl, err := chainclient.New(chainclient.Config{Book: book, Backend: ec, Sender: s, From: s.Address()})
	if err != nil {
		ec.Close()
		return nil, errors.Join(err, db.Close())
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	f := &Faucet{cl, s, stop, make(chan error, 1), db, ec}
	go func() { f.done <- s.Run(run) }()
	return f, nil
}

// Close ends the faucet.
func (f *Faucet) Close() error {
	f.stop()
	err := <-f.done
	f.eth.Close()
	return errors.Join(err, f.db.Close())
}

// Fund gives every account what it is granted and waits until it has it.
func (f *Faucet) Fund(ctx context.Context, grants []Grant) error {
	return f.all(ctx, len(grants)*2, func(i int) (common.Hash, error) {
		g := grants[i/2]
		if i%2 == 0 {
			return f.sender.Send(ctx, g.To, g.Gas, nil, "gas for "+g.To.Hex())
		}
		return f.client.TransferToken(ctx, g.To, g.Tokens)
	})
}

// Appoint gives the accounts a vote against roots.
func (f *Faucet) Appoint(ctx context.Context, auditors []common.Address) error {
	return f.all(ctx, len(auditors), func(i int) (common.Hash, error) { return f.client.SetAuditor(ctx, auditors[i], true) })
}

// Weigh sets a registered node's weight.
func (f *Faucet) Weigh(ctx context.Context, node common.Address, weight uint64) error {
	return f.all(ctx, 1, func(int) (common.Hash, error) { return f.client.SetWeight(ctx, node, weight) })
}

// all sends n transactions, then waits for all of them.
func (f *Faucet) all(ctx context.Context, n int, send func(int) (common.Hash, error)) error {
	var txs []common.Hash
	for i := range n {
		tx, err := send(i)
		if err != nil {
			return fmt.Errorf("localnet: faucet: %w", err)
		}
		txs = append(txs, tx)
	}
	for _, tx := range txs {
		if _, err := f.client.Wait(ctx, tx); err != nil {
			return fmt.Errorf("localnet: faucet: %w", err)
		}
	}
	return nil
}

// FundOnce gives an account gas and tokens if it has no gas.
func (f *Faucet) FundOnce(ctx context.Context, to common.Address) error {
	have, err := f.eth.BalanceAt(ctx, to, nil)
	if err != nil {
		return fmt.Errorf("localnet: faucet: %w", err)
	}
	if have.Sign() > 0 {
		return nil
	}
	return f.Fund(ctx, []Grant{{to, new(big.Int).Mul(big.NewInt(10), big.NewInt(1e18)), protocol.Tokens(10_000)}})
}
