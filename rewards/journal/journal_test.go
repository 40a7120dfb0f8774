package journal_test

import (
	"errors"
	"testing"

	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/rewards/journal"
	"tally/rewards/rewardstest"
)

func verdict(t *testing.T, epoch uint64, o protocol.Outcome) protocol.Signed[protocol.Verdict] {
	t.Helper()
	v, err := protocol.Sign(rewardstest.Network(), rewardstest.Key("a"), protocol.Verdict{
		Receipt: protocol.CIDOf([]byte("r")), Auditor: rewardstest.Addr("a"), Epoch: epoch, Outcome: o,
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVerdictsSurviveReopeningAndContradictionsAreBothKept(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(dir, rewardstest.Network())
	if err != nil {
		t.Fatal(err)
	}
	none, equal, differs := verdict(t, 3, protocol.OutcomeNoData), verdict(t, 3, protocol.OutcomeEqual), verdict(t, 3, protocol.OutcomeMismatch)
	for _, v := range []protocol.Signed[protocol.Verdict]{none, equal, equal, differs, verdict(t, 2, protocol.OutcomeEqual)} {
		if err := j.AddVerdict(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if j, err = journal.Open(dir, rewardstest.Network()); err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if vs, err := j.Verdicts(t.Context(), 3); err != nil || len(vs) != 3 {
		t.Errorf("%d verdicts, %v, want three", len(vs), err)
	}
	got, ok, err := j.Verdict(protocol.CIDOf([]byte("r")), 3, rewardstest.Addr("a"))
	if err != nil || !ok || !got.CID().Equals(equal.CID()) {
		t.Errorf("what it said: %v, %v", ok, err)
	}
	if _, ok, err := j.Verdict(protocol.CIDOf([]byte("other")), 3, rewardstest.Addr("a")); ok || err != nil {
		t.Errorf("about another receipt: %v, %v", ok, err)
	}
	for n := 1; n > 0; {
		var err error
		if n, err = j.Prune(3); err != nil {
			t.Fatal(err)
		}
	}
	if vs, err := j.Verdicts(t.Context(), 0); err != nil || len(vs) != 3 {
		t.Errorf("after pruning %d verdicts, %v", len(vs), err)
	}
}

func TestForgedEvidenceIsRefused(t *testing.T) {
	j, err := journal.Open("", rewardstest.Network())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	raw := verdict(t, 1, protocol.OutcomeEqual).Bytes()
	raw[len(raw)-10] ^= 1
	forged, err := protocol.ParseSigned[protocol.Verdict](raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.AddVerdict(t.Context(), forged); !errors.Is(err, protocol.ErrSignature) {
		t.Errorf("a forged verdict: %v", err)
	}
	if err := j.AddVerdict(t.Context(), verdict(t, 1, 9)); !errors.Is(err, protocol.ErrDocument) {
		t.Errorf("an outcome that is none: %v", err)
	}
}

func TestOnlyTheLatestAdvertIsKept(t *testing.T) {
	j, err := journal.Open("", rewardstest.Network())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for _, since := range []uint64{5, 9, 7} {
		a, err := protocol.Sign(rewardstest.Network(), rewardstest.Key("w"), protocol.Advert{Worker: rewardstest.Addr("w"), Models: []cid.Cid{protocol.CIDOf([]byte("m"))}, Since: since, Until: 99})
		if err != nil {
			t.Fatal(err)
		}
		if err := j.AddAdvert(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	as, err := j.Adverts(t.Context())
	if err != nil || len(as) != 1 {
		t.Fatalf("%d adverts, %v", len(as), err)
	}
	if a, err := as[0].Open(rewardstest.Network()); err != nil || a.Since != 9 {
		t.Errorf("kept the one since %d, %v", a.Since, err)
	}
}
