package ledger_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/rewards/ledger"
	"tally/rewards/rewardstest"
	"tally/rewards/ruleset"
)

// TestMain lets the binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("LEDGER_CRASH_DIR"); dir != "" {
		if err := recordForever(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func receipt(seq uint64) protocol.Receipt {
	offer := common.Hash{1}
	return protocol.Receipt{
		Offer: offer, Channel: protocol.Channel(offer, rewardstest.Addr("w")), Payer: rewardstest.Addr("s"), Worker: rewardstest.Addr("w"),
		Epoch: seq / 4, Seq: seq, Kind: protocol.KindInfer, Value: protocol.NewAmount(seq),
	}
}

func issue(r protocol.Receipt) (bare, cosigned protocol.Cosigned, v protocol.Signed[protocol.Voucher], err error) {
	n := rewardstest.Network()
	if bare, err = protocol.IssueReceipt(n, rewardstest.Key("w"), r); err != nil {
		return
	}
	if cosigned, err = bare.Cosign(n, rewardstest.Key("s")); err != nil {
		return
	}
	v, err = protocol.Sign(n, rewardstest.Key("s"), protocol.Voucher{Offer: r.Offer, Payer: r.Payer, Worker: r.Worker, Seq: r.Seq, Value: protocol.NewAmount(r.Seq * 10)})
	return
}

func must(t *testing.T, r protocol.Receipt) (bare, cosigned protocol.Cosigned, v protocol.Signed[protocol.Voucher]) {
	t.Helper()
	bare, cosigned, v, err := issue(r)
	if err != nil {
		t.Fatal(err)
	}
	return bare, cosigned, v
}

func open(t *testing.T, dir string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(dir, rewardstest.Network())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestCosignedTakesThePlaceOfUncosignedAndNeverBack(t *testing.T) {
	l := open(t, "")
	bare, cosigned, v := must(t, receipt(1))
	for _, c := range []protocol.Cosigned{bare, cosigned, bare, cosigned} {
		if err := l.Record(t.Context(), c, &v); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for e, err := range l.Receipts(ledger.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if !e.Cosigned {
			t.Error("the co-signature is lost")
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d receipts, want one", n)
	}
}

func TestOnlyTheLatestVoucherCounts(t *testing.T) {
	l := open(t, "")
	_, c1, v1 := must(t, receipt(1))
	_, c2, v2 := must(t, receipt(2))
	for range 2 { // whatever the order
		for _, err := range []error{l.Record(t.Context(), c2, &v2), l.Record(t.Context(), c1, &v1)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	var got []uint64
	for v, err := range l.Vouchers(rewardstest.Addr("w")) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v.Voucher.Seq)
	}
	if fmt.Sprint(got) != "[2]" {
		t.Errorf("vouchers of seq %v, want 2 alone", got)
	}
	for v, err := range l.Unredeemed(rewardstest.Addr("w"), func(common.Hash) protocol.Amount { return protocol.NewAmount(20) }) {
		t.Errorf("unredeemed: %v, %v", v, err)
	}
}

func TestReceiptsOfStrangersAreRefused(t *testing.T) {
	l := open(t, "")
	other := rewardstest.Network()
	other.ChainID++
	c, err := protocol.IssueReceipt(other, rewardstest.Key("w"), receipt(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), c, nil); !errors.Is(err, ledger.ErrReceipt) {
		t.Errorf("a receipt of another network: %v", err)
	}
	_, good, _ := must(t, receipt(1))
	r := receipt(2)
	r.Offer = common.Hash{9}
	r.Channel = protocol.Channel(r.Offer, r.Worker)
	_, _, v := must(t, r)
	if err := l.Record(t.Context(), good, &v); !errors.Is(err, ledger.ErrReceipt) {
		t.Errorf("a voucher of another channel: %v", err)
	}
	raw := good.Bytes()
	raw[len(raw)/2] ^= 1
	if bad, err := protocol.ParseCosigned(raw); err == nil {
		if err := l.Record(t.Context(), bad, nil); !errors.Is(err, ledger.ErrReceipt) {
			t.Errorf("a flipped bit: %v", err)
		}
	}
	if _, err := l.Receipt(good.ID()); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a refused receipt was kept: %v", err)
	}
}

func TestReasonsFollowTheEpochsAndFiltersChoose(t *testing.T) {
	l := open(t, "")
	ids := map[uint64]cid.Cid{}
	var out []ruleset.Outcome
	for seq := uint64(1); seq <= 8; seq++ {
		_, c, v := must(t, receipt(seq))
		if err := l.Record(t.Context(), c, &v); err != nil {
			t.Fatal(err)
		}
		d, err := protocol.Digest(rewardstest.Network(), receipt(seq))
		if err != nil {
			t.Fatal(err)
		}
		ids[seq] = c.ID()
		if seq <= 3 {
			out = append(out, ruleset.Outcome{Digest: d, Reason: protocol.ReasonAuditPending, Until: 1})
		}
	}
	if err := l.Settle(0, out); err != nil {
		t.Fatal(err)
	}
	out[0].Reason, out[0].Until = protocol.ReasonRewarded, 0
	if err := l.Settle(1, out[:1]); err != nil {
		t.Fatal(err)
	}
	count := func(f ledger.Filter) (n int) {
		for _, err := range l.Receipts(f) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	one := uint64(1)
	for _, c := range []struct {
		f    ledger.Filter
		want int
	}{
		{ledger.Filter{}, 8},
		{ledger.Filter{Reason: protocol.ReasonRewarded}, 1},
		{ledger.Filter{Unsettled: true}, 7},
		{ledger.Filter{Epoch: &one}, 4},
		{ledger.Filter{Payer: rewardstest.Addr("w")}, 0},
	} {
		if got := count(c.f); got != c.want {
			t.Errorf("%+v chose %d, want %d", c.f, got, c.want)
		}
	}
	if e, err := l.Receipt(ids[1]); err != nil || e.Settled != 1 || e.Reason != protocol.ReasonRewarded {
		t.Errorf("the first receipt: %+v, %v", e, err)
	}
	if s, err := l.Settled(); err != nil || s != 1 {
		t.Errorf("settled %d, %v", s, err)
	}
	n := 0
	for _, err := range l.Of(rewardstest.Addr("w"), 0) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("epoch 0 has %d receipts, want 3", n)
	}
}

func TestSealedBatchStays(t *testing.T) {
	l := open(t, "")
	a := protocol.Batch{Worker: rewardstest.Addr("w"), Epoch: 3, Count: 1}
	if _, _, err := l.Sealed(a.Worker, 3); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("nothing sealed: %v", err)
	}
	if _, _, err := l.Seal(a, []byte("one"), nil); err != nil {
		t.Fatal(err)
	}
	b := a
	b.Count = 2
	got, data, err := l.Seal(b, []byte("two"), nil)
	if err != nil || got != a || string(data) != "one" {
		t.Errorf("sealing again gave %+v, %q, %v", got, data, err)
	}
}

func TestDirectoryOfAnotherNetworkIsRefused(t *testing.T) {
	dir := t.TempDir()
	l, err := ledger.Open(dir, rewardstest.Network())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	other := rewardstest.Network()
	other.Name = "other"
	if l, err := ledger.Open(dir, other); err == nil {
		_ = l.Close()
		t.Error("opened the ledger of another network")
	}
}

// recordForever acknowledges each receipt on standard output after Record.
func recordForever(dir string) error {
	l, err := ledger.Open(dir, rewardstest.Network())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for seq := uint64(1); ; seq++ {
		_, c, v, err := issue(receipt(seq))
		if err != nil {
			return err
		}
		if err := l.Record(ctx, c, &v); err != nil {
			return err
		}
		fmt.Println(c.ID())
	}
}

func TestAcknowledgedReceiptsSurviveKill(t *testing.T) {
	dir := t.TempDir()
	acked := map[string]bool{}
	for range 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "LEDGER_CRASH_DIR="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for i := 0; i < 25 && lines.Scan(); i++ {
			acked[strings.TrimSpace(lines.Text())] = true
		}
		if err := cmd.Process.Kill(); err != nil { // SIGKILL
			t.Fatal(err)
		}
		for lines.Scan() {
			acked[strings.TrimSpace(lines.Text())] = true
		}
		_ = cmd.Wait()
	}
	if len(acked) < 25 {
		t.Fatalf("%d receipts were acknowledged", len(acked))
	}
	l := open(t, dir)
	for id := range acked {
		c, err := cid.Decode(id)
		if err != nil {
			t.Fatalf("%q: %v", id, err)
		}
		if e, err := l.Receipt(c); err != nil || !e.Cosigned {
			t.Errorf("acknowledged receipt %s: %v", id, err)
		}
	}
}
