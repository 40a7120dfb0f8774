package localnet

import (
	"context"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/chainclient"
	"tally/protocol"
)

func TestLocalNetworkIsDeployedOnceAndFunds(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg := Config{
		Dir: t.TempDir(), Name: "local", ChainID: 7357, Ruleset: common.Hash{1},
		Params: protocol.Params{EpochLength: 10, CommitWindow: 3, AuditWindow: 3, ClaimDelay: 2, Quorum: 2, Bond: protocol.Tokens(1), MintCap: protocol.Tokens(1), ProofPeriod: 16, ProofLeaves: 5},
	}
	n, err := Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	f, err := OpenFaucet(ctx, cfg.Dir, n.RPC())
	if err != nil {
		t.Fatal(err)
	}
	to := common.Address{9}
	if err := f.Fund(ctx, []Grant{{to, big.NewInt(5), protocol.Tokens(7)}}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.Book.ID() != n.Book.ID() {
		t.Errorf("was %s, came back as %s", n.Book.ID(), again.Book.ID())
	}
	ec, err := chainclient.Dial(ctx, again.RPC(), again.Book)
	if err != nil {
		t.Fatal(err)
	}
	defer ec.Close()
	c, err := chainclient.New(chainclient.Config{Book: again.Book, Backend: ec})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.TokenBalance(ctx, to); err != nil || got != protocol.Tokens(7) {
		t.Errorf("balance %s, %v", got, err)
	}
}
