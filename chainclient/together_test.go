package chainclient_test

import (
	"context"
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/chainclient"
	"tally/chainclient/chaintest"
	"tally/chainclient/embedded"
	"tally/chainclient/sender"
	"tally/chainclient/watch"
	"tally/internal/kv"
	"tally/protocol"
)

// factSink decodes what the watcher delivers.
type factSink struct {
	book  chainclient.Book
	facts chan protocol.Fact
}

func (s *factSink) Apply(ctx context.Context, b watch.Block) error {
	for _, l := range b.Logs {
		f, ok, err := s.book.Decode(l)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		select {
		case s.facts <- f:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (s *factSink) Revert(context.Context, uint64) error { return nil }

// The parts as a node joins them: a chain of its own reached over loopback, a
// durable sender, a watcher and the client.
func TestAClientOnARealChainWithADurableSender(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	me := crypto.PubkeyToAddress(key.PublicKey)
	chain, err := embedded.Open(embedded.Config{ChainID: 7001, Alloc: map[common.Address]*big.Int{me: new(big.Int).Lsh(big.NewInt(1), 80)}})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	book, err := chainclient.Deploy(ctx, chain.Client(), key, chainclient.Deployment{
		Name: "together", Params: chaintest.Params(), Supply: protocol.Tokens(1000), Ruleset: chaintest.Ruleset, Auditors: []common.Address{me},
	})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := chainclient.Dial(ctx, chain.HTTP(), book)
	if err != nil {
		t.Fatal(err)
	}
	defer endpoint.Close()

	open := func() *kv.DB {
		db, err := kv.Open("", kv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	send, err := sender.New(sender.Config{Key: key, Backend: endpoint, DB: open(), ChainID: book.ChainID})
	if err != nil {
		t.Fatal(err)
	}
	follow, err := watch.New(watch.Config{Backend: endpoint, DB: open(), ChainID: book.ChainID, Addresses: book.Contracts(), From: book.Start})
	if err != nil {
		t.Fatal(err)
	}
	sink := &factSink{book, make(chan protocol.Fact)}
	running := make(chan error, 2)
	go func() { running <- send.Run(ctx) }()
	go func() { running <- follow.Run(ctx, sink) }()
	defer func() {
		cancel()
		for range 2 {
			if err := <-running; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	}()

	c, err := chainclient.New(chainclient.Config{Book: book, Backend: endpoint, Sender: send, From: me})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Withdraw(ctx, protocol.Tokens(1)); !chainclient.Reverted(err, "InsufficientAvailable") {
		t.Errorf("withdrawing nothing: %v", err)
	}
	done(t, c)(c.Register(ctx, crypto.CompressPubkey(&key.PublicKey), me, []string{"post/1"}))
	done(t, c)(c.Deposit(ctx, protocol.Tokens(10)))
	now := must(c.ChainTime(ctx))(t)
	id, tx, err := c.OpenOffer(ctx, protocol.Offer{
		Submitter: me, Kind: protocol.KindPin, Spec: cidOf("spec"), Tier: protocol.TierProved, Value: protocol.Tokens(4), Deadline: now + 60,
	})
	done(t, c)(tx, err)
	equal(t, "available", must(c.Available(ctx, me))(t), protocol.Tokens(6))

	if n, ok := (<-sink.facts).Event.(protocol.NodeRegistered); !ok || n.Node != me {
		t.Errorf("first fact is %+v", n)
	}
	f := <-sink.facts
	if o, ok := f.Event.(protocol.OfferOpened); !ok || o.ID != id || f.Time == 0 {
		t.Errorf("second fact is %+v", f)
	}
}
