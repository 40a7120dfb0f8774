package journal_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/rewards/journal"
	"tally/rewards/rewardstest"
)

func report(t *testing.T, auditor string, epoch, leaf uint64, outcome uint8) protocol.Signed[protocol.RetrievalReport] {
	t.Helper()
	s, err := protocol.Sign(rewardstest.Network(), rewardstest.Key(auditor), protocol.RetrievalReport{
		Auditor: rewardstest.Addr(auditor), Node: rewardstest.Addr("p1"), Piece: common.Hash{1}, Leaf: leaf, Epoch: epoch, Outcome: outcome,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFirstReportOnAQuestionStandsAcrossRestarts(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(dir, rewardstest.Network())
	if err != nil {
		t.Fatal(err)
	}
	q := journal.Question{Epoch: 2, Node: rewardstest.Addr("p1"), Piece: common.Hash{1}, Leaf: 7}
	first := report(t, "a1", 2, 7, protocol.RetrievalSilent)
	for _, s := range []protocol.Signed[protocol.RetrievalReport]{first, report(t, "a1", 2, 7, protocol.RetrievalGood), report(t, "a2", 2, 7, protocol.RetrievalGood), report(t, "a1", 3, 7, protocol.RetrievalGood)} {
		if err := j.AddReport(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.AddReport(t.Context(), report(t, "a1", 2, 8, 9)); !errors.Is(err, protocol.ErrDocument) {
		t.Errorf("an outcome that is none: %v", err)
	}
	if n, err := j.Ask(t.Context(), q, 55, 3); err != nil || n != 1 {
		t.Fatalf("asked %d times, %v", n, err)
	}
	right := piece.Proof{Index: 7, Leaf: bytes.Repeat([]byte{7}, 256), Path: []piece.Hash{{1}, {2}}}
	if err := j.AddProof(t.Context(), q, right); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if j, err = journal.Open(dir, rewardstest.Network()); err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	got, ok, err := j.Report(q, rewardstest.Addr("a1"))
	if err != nil || !ok || !got.CID().Equals(first.CID()) {
		t.Errorf("a1 said something else after the restart: %t, %v", ok, err)
	}
	if _, ok, err := j.Report(q, rewardstest.Addr("a3")); ok || err != nil {
		t.Errorf("a3 said nothing: %t, %v", ok, err)
	}
	if all, err := j.Reports(t.Context(), 0); err != nil || len(all) != 3 {
		t.Errorf("%d reports, %v", len(all), err)
	}
	if times, last, err := j.Asked(q); times != 1 || last != 55 || err != nil {
		t.Errorf("asked %d times, last at %d, %v", times, last, err)
	}
	if p, ok, err := j.Proof(q); err != nil || !ok || !reflect.DeepEqual(p, right) {
		t.Errorf("the right leaf came back as %v, %t, %v", p, ok, err)
	}
	if _, ok, err := j.Proof(journal.Question{Epoch: 2}); ok || err != nil {
		t.Errorf("a leaf that nobody showed: %t, %v", ok, err)
	}
	for n := 1; n > 0; {
		var err error
		if n, err = j.Prune(3); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := j.Reports(t.Context(), 0); err != nil || len(all) != 1 {
		t.Errorf("%d reports are left, %v", len(all), err)
	}
	if times, _, err := j.Asked(q); times != 0 || err != nil {
		t.Errorf("a pruned question was asked %d times, %v", times, err)
	}
}

func TestQuestionsOfAnEpochAreBounded(t *testing.T) {
	j, err := journal.Open("", rewardstest.Network())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for i := range uint64(3) {
		if _, err := j.Ask(t.Context(), journal.Question{Epoch: 1, Leaf: i / 2}, 9, 3); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.Ask(t.Context(), journal.Question{Epoch: 1, Leaf: 9}, 9, 3); !errors.Is(err, journal.ErrSpent) {
		t.Errorf("the fourth question: %v", err)
	}
	if n, err := j.Ask(t.Context(), journal.Question{Epoch: 2, Leaf: 0}, 9, 3); err != nil || n != 1 {
		t.Errorf("another epoch: %d, %v", n, err)
	}
}
