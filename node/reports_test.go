package node

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/chainclient/chaintest"
	"tally/chainclient/watch"
	"tally/node/home"
	"tally/node/join"
	"tally/node/view"
	"tally/protocol"
	"tally/rewards/journal"
	"tally/rewards/retrieval"
)

// TestAPosterTakesReportsOfTheLedgersAuditorsAlone has three accounts report: one that is registered as
// nothing, one that registered itself as an auditor, and one that the ledger knows too. Only the
// last comes as far as the question whether it was drawn.
func TestAPosterTakesReportsOfTheLedgersAuditorsAlone(t *testing.T) {
	const nobody, self, auditor = 1, 2, 3
	c := chaintest.New(t, 4, auditor)
	v := view.New(func(l types.Log) (protocol.Fact, bool, error) {
		return protocol.Fact{Event: protocol.NodeRegistered{
			Node: c.Account(int(l.Index)), Key: crypto.CompressPubkey(&c.Keys[l.Index].PublicKey), Classes: []string{home.ClassAudit},
		}}, true, nil
	})
	err := v.Apply(t.Context(), watch.Block{Header: watch.Header{Number: 1, Time: c.Now()}, Logs: []types.Log{{Index: self}, {Index: auditor}}})
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(t.TempDir(), c.Book.Network)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	n := &Node{
		view: v, chain: c.As(0), book: c.Book, me: c.Account(0), journal: j,
		inbox: retrieval.NewInbox(c.Book.Network, c.Book.Params, join.EpochChain{View: v}, j),
	}
	report := func(ctx context.Context, who int) error {
		t.Helper()
		s, err := protocol.Sign(c.Book.Network, c.Keys[who], protocol.RetrievalReport{Auditor: c.Account(who), Node: c.Account(0), Piece: common.Hash{1}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = n.takeReport(ctx, c.Account(who), s.Bytes())
		return err
	}
	if err := report(t.Context(), nobody); !errors.Is(err, ErrStranger) || !strings.Contains(err.Error(), "no auditor") {
		t.Errorf("of one that is not registered: %v", err)
	}
	if err := report(t.Context(), self); !errors.Is(err, ErrStranger) || !strings.Contains(err.Error(), "the ledger knows no auditor "+c.Account(self).Hex()) {
		t.Errorf("of one that made itself an auditor: %v", err)
	}
	if err := report(t.Context(), auditor); !errors.Is(err, retrieval.ErrRefused) || errors.Is(err, ErrStranger) {
		t.Errorf("of the ledger's, that was not drawn: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := report(gone, auditor); err == nil || errors.Is(err, retrieval.ErrRefused) {
		t.Errorf("while the ledger cannot be asked: %v", err)
	}
	if _, err := n.takeReport(t.Context(), c.Account(auditor), []byte("no report")); err == nil {
		t.Error("what is no report is taken")
	}
}
