package book_test

import (
	"crypto/ecdsa"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/compute/market/book"
	"tally/internal/kv"
	"tally/protocol"
)

// pair is a payer and an earner who trade on one offer.
type pair struct {
	*testing.T
	network       protocol.Network
	payerKey, key *ecdsa.PrivateKey
	payer, worker common.Address
	p             *book.Payer
	e             *book.Earner
	offer         common.Hash
}

func open(t *testing.T, dir string) *kv.DB {
	t.Helper()
	db, err := kv.Open(dir, kv.Options{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func newPair(t *testing.T) *pair {
	db := open(t, "") // both sides may share a store
	t.Cleanup(func() { _ = db.Close() })
	x := &pair{T: t, network: protocol.Network{
		Name: "book", ChainID: 7, Token: common.Address{1}, Registry: common.Address{2}, Vault: common.Address{3}, Ledger: common.Address{4}, Possession: common.Address{5},
	}, offer: common.Hash{9}}
	var err error
	x.payerKey, err = crypto.ToECDSA(crypto.Keccak256([]byte("payer")))
	x.must(err)
	x.key, err = crypto.ToECDSA(crypto.Keccak256([]byte("worker")))
	x.must(err)
	x.payer, x.worker = crypto.PubkeyToAddress(x.payerKey.PublicKey), crypto.PubkeyToAddress(x.key.PublicKey)
	x.p, x.e = book.NewPayer(db, x.network, x.payerKey), book.NewEarner(db, x.network, x.key)
	return x
}

func (x *pair) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

func (x *pair) receipt(value uint64) protocol.Receipt {
	return protocol.Receipt{Offer: x.offer, Payer: x.payer, Kind: protocol.KindInfer, Value: protocol.NewAmount(value)}
}

func (x *pair) issue(value, request uint64) protocol.Cosigned {
	x.Helper()
	c, err := x.e.Issue(x.receipt(value), request, nil)
	x.must(err)
	return c
}

// trade issues, co-signs and settles one receipt.
func (x *pair) trade(value, request uint64) book.Settlement {
	x.Helper()
	s, err := x.p.Cosign(x.issue(value, request), protocol.NewAmount(1000), nil)
	x.must(err)
	x.must(x.e.Match(s))
	x.must(x.e.Settled(s))
	x.must(x.p.Acknowledged(s.Digest))
	return s
}

func TestReceiptsFollowOneAnotherAndVouchersAddUp(t *testing.T) {
	x := newPair(t)
	var previous book.Settlement
	var leaves []common.Hash
	for i := uint64(1); i <= 5; i++ {
		s := x.trade(10*i, i)
		r, both, err := s.Receipt.Open(x.network)
		x.must(err)
		v, err := s.Voucher.Open(x.network)
		x.must(err)
		leaves = append(leaves, s.Digest)
		if !both || r.Seq != i || v.Seq != i || v.Value != protocol.NewAmount(5*i*(i+1)) || v.Receipts != protocol.MerkleRoot(leaves) {
			t.Fatalf("receipt %d: %+v with %+v", i, r, v)
		}
		if i > 1 && !r.Previous.Equals(previous.Receipt.ID()) {
			t.Fatalf("receipt %d follows %s", i, r.Previous)
		}
		previous = s
	}
	for side, c := range map[string]func(common.Hash, common.Address) (book.Channel, error){"payer": x.p.Channel, "earner": x.e.Channel} {
		got, err := c(x.offer, x.worker)
		x.must(err)
		if got.Seq != 5 || got.Value != protocol.NewAmount(150) || len(got.Pending) != 0 {
			t.Fatalf("the %s's channel is %+v", side, got)
		}
	}
}

func TestOneReceiptAtATimeIsPending(t *testing.T) {
	x := newPair(t)
	c := x.issue(1, 1)
	if _, err := x.e.Issue(x.receipt(1), 2, nil); !errors.Is(err, book.ErrUnsettled) {
		t.Fatalf("got %v", err)
	}
	pending, err := x.e.Pending(x.offer, x.worker)
	x.must(err)
	all, err := x.e.Unsettled(10)
	x.must(err)
	if !pending.ID().Equals(c.ID()) || len(all) != 1 || !all[0].ID().Equals(c.ID()) {
		t.Fatalf("pending are %s and %d more", pending.ID(), len(all))
	}
	s, err := x.p.Cosign(c, protocol.NewAmount(10), nil)
	x.must(err)
	x.must(x.e.Settled(s))
	if _, err := x.e.Pending(x.offer, x.worker); !errors.Is(err, book.ErrUnknown) {
		t.Fatalf("got %v", err)
	}
}

func TestEveryStepMayBeRepeated(t *testing.T) {
	x := newPair(t)
	c := x.issue(10, 1)
	first, err := x.p.Cosign(c, protocol.NewAmount(10), nil)
	x.must(err)
	again, err := x.p.Cosign(c, protocol.NewAmount(10), nil)
	x.must(err)
	if string(first.Voucher.Bytes()) != string(again.Voucher.Bytes()) || string(first.Receipt.Bytes()) != string(again.Receipt.Bytes()) {
		t.Fatal("the second co-signature differs from the first")
	}
	for range 2 {
		x.must(x.e.Match(first))
		x.must(x.e.Settled(first))
		x.must(x.p.Acknowledged(first.Digest))
	}
	x.trade(5, 2)
	x.must(x.e.Match(first)) // a late duplicate, after the channel went on
	x.must(x.e.Settled(first))
	got, err := x.e.Channel(x.offer, x.worker)
	x.must(err)
	if got.Seq != 2 || got.Value != protocol.NewAmount(15) {
		t.Fatalf("the channel is %+v", got)
	}
}

func TestNothingIsCosignedPastTheLock(t *testing.T) {
	x := newPair(t)
	s, err := x.p.Cosign(x.issue(60, 1), protocol.NewAmount(100), nil)
	x.must(err)
	x.must(x.e.Settled(s))
	if _, err := x.p.Cosign(x.issue(41, 2), protocol.NewAmount(100), nil); !errors.Is(err, book.ErrLock) {
		t.Fatalf("got %v", err)
	}
	spent, err := x.p.Spent(x.offer)
	x.must(err)
	if spent != protocol.NewAmount(60) {
		t.Fatalf("%s is promised", spent)
	}
}

func TestLockHoldsOverAllChannelsOfAnOffer(t *testing.T) {
	x := newPair(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	signed := 0
	for i := range 8 { // eight workers at once want 30 each, of 100
		key, err := crypto.ToECDSA(crypto.Keccak256([]byte{byte(i)}))
		x.must(err)
		db := open(t, "")
		t.Cleanup(func() { _ = db.Close() })
		c, err := book.NewEarner(db, x.network, key).Issue(x.receipt(30), 1, nil)
		x.must(err)
		all.Go(func() {
			_, err := x.p.Cosign(c, protocol.NewAmount(100), nil)
			if err != nil && !errors.Is(err, book.ErrLock) {
				t.Error(err)
			}
			if err == nil {
				mu.Lock()
				signed++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if signed != 3 {
		t.Fatalf("%d receipts of 30 are signed from a lock of 100", signed)
	}
}

func TestReceiptOutOfOrderIsNotCosigned(t *testing.T) {
	x := newPair(t)
	x.trade(1, 1)
	r := x.receipt(1)
	r.Worker, r.Channel, r.Seq = x.worker, protocol.Channel(x.offer, x.worker), 3
	c, err := protocol.IssueReceipt(x.network, x.key, r)
	x.must(err)
	if _, err := x.p.Cosign(c, protocol.NewAmount(10), nil); !errors.Is(err, book.ErrChain) {
		t.Fatalf("a gap gave %v", err)
	}
	r.Seq = 2 // the right number, after nothing
	c, err = protocol.IssueReceipt(x.network, x.key, r)
	x.must(err)
	if _, err := x.p.Cosign(c, protocol.NewAmount(10), nil); !errors.Is(err, book.ErrChain) {
		t.Fatalf("a wrong link gave %v", err)
	}
}

func TestVoucherThatPaysLessIsNotTaken(t *testing.T) {
	x := newPair(t)
	s, err := x.p.Cosign(x.issue(10, 1), protocol.NewAmount(10), nil)
	x.must(err)
	v, err := s.Voucher.Open(x.network)
	x.must(err)
	for name, change := range map[string]func(*protocol.Voucher){
		"value": func(v *protocol.Voucher) { v.Value = protocol.NewAmount(9) },
		"root":  func(v *protocol.Voucher) { v.Receipts[0] ^= 1 },
	} {
		bad := v
		change(&bad)
		signed, err := protocol.Sign(x.network, x.payerKey, bad)
		x.must(err)
		if err := x.e.Settled(book.Settlement{Worker: s.Worker, Payer: s.Payer, Digest: s.Digest, Receipt: s.Receipt, Voucher: signed}); !errors.Is(err, book.ErrVoucher) {
			t.Fatalf("%s: got %v", name, err)
		}
	}
	other := v
	other.Seq = 2
	signed, err := protocol.Sign(x.network, x.payerKey, other)
	x.must(err)
	if _, err := book.ParseSettlement(x.network, s.Receipt.Bytes(), signed.Bytes()); !errors.Is(err, book.ErrVoucher) {
		t.Fatalf("a voucher for another number gave %v", err)
	}
	x.must(x.e.Settled(s))
}

func TestReceiptThatWasNeverIssuedIsNotSettled(t *testing.T) {
	x := newPair(t)
	r := x.receipt(1)
	r.Worker, r.Channel, r.Seq = x.worker, protocol.Channel(x.offer, x.worker), 1
	c, err := protocol.IssueReceipt(x.network, x.key, r)
	x.must(err)
	s, err := x.p.Cosign(c, protocol.NewAmount(10), nil)
	x.must(err)
	if err := x.e.Match(s); !errors.Is(err, book.ErrUnknown) {
		t.Fatalf("with nothing pending: %v", err)
	}
	x.issue(2, 1)
	if err := x.e.Match(s); !errors.Is(err, book.ErrChain) {
		t.Fatalf("with another pending: %v", err)
	}
}

func TestSettlementMissingASignatureOrOfAnotherNetworkIsNoSettlement(t *testing.T) {
	x := newPair(t)
	c := x.issue(1, 1)
	s, err := x.p.Cosign(c, protocol.NewAmount(10), nil)
	x.must(err)
	if _, err := book.ParseSettlement(x.network, c.Bytes(), s.Voucher.Bytes()); !errors.Is(err, protocol.ErrSignature) {
		t.Fatalf("one signature gave %v", err)
	}
	other := x.network
	other.ChainID++
	if _, err := book.ParseSettlement(other, s.Receipt.Bytes(), s.Voucher.Bytes()); !errors.Is(err, protocol.ErrSignature) {
		t.Fatalf("another network gave %v", err)
	}
}

func TestOutboxAndPendingReceiptSurviveReopening(t *testing.T) {
	x := newPair(t)
	dir := t.TempDir()
	db := open(t, dir)
	p, e := book.NewPayer(db, x.network, x.payerKey), book.NewEarner(db, x.network, x.key)
	kept := book.Kept{Offer: x.offer, Disclose: true, Until: 100, Transcript: protocol.Transcript{Output: protocol.InferOutput{Text: "t"}}}
	c, err := e.Issue(x.receipt(5), 1, &kept)
	x.must(err)
	s, err := p.Cosign(c, protocol.NewAmount(10), &kept)
	x.must(err)
	x.must(db.Close())
	db = open(t, dir)
	defer func() { _ = db.Close() }()
	p, e = book.NewPayer(db, x.network, x.payerKey), book.NewEarner(db, x.network, x.key)
	out, err := p.Outbox(10)
	x.must(err)
	if len(out) != 1 || out[0].Digest != s.Digest || string(out[0].Voucher.Bytes()) != string(s.Voucher.Bytes()) {
		t.Fatalf("the outbox holds %d", len(out))
	}
	x.must(e.Settled(out[0]))
	x.must(p.Acknowledged(s.Digest))
	if out, err = p.Outbox(10); err != nil || len(out) != 0 {
		t.Fatalf("the outbox holds %d, %v", len(out), err)
	}
	if _, err := p.Find(s.Digest); err != nil {
		t.Fatalf("what was acknowledged cannot be found: %v", err)
	}
	k, err := e.Transcript(c.ID())
	x.must(err)
	if k.Transcript.Output.Text != "t" || !k.Disclose {
		t.Fatalf("kept %+v", k)
	}
}

func TestTranscriptsAreForgottenWhenTheirTimeIsOver(t *testing.T) {
	x := newPair(t)
	c, err := x.e.Issue(x.receipt(5), 1, &book.Kept{Offer: x.offer, Until: 100})
	x.must(err)
	x.must(x.e.Prune(100))
	if _, err := x.e.Transcript(c.ID()); err != nil {
		t.Fatalf("forgotten too early: %v", err)
	}
	x.must(x.e.Prune(101))
	if _, err := x.e.Transcript(c.ID()); !errors.Is(err, book.ErrUnknown) {
		t.Fatalf("got %v", err)
	}
}

func TestLargestTranscriptFitsTheStore(t *testing.T) {
	x := newPair(t)
	tokens := make([]uint32, 16<<10)
	for i := range tokens {
		tokens[i] = 1<<32 - 1
	}
	kept := book.Kept{Transcript: protocol.Transcript{
		Request: protocol.InferRequest{Prompt: strings.Repeat("p", 256<<10)},
		Output:  protocol.InferOutput{Prompt: tokens, Tokens: tokens, Text: strings.Repeat("t", 256<<10)},
		Leaves:  make([]common.Hash, 512),
	}}
	c, err := x.e.Issue(x.receipt(1), 1, &kept)
	x.must(err)
	got, err := x.e.Transcript(c.ID())
	x.must(err)
	if len(got.Transcript.Output.Tokens) != len(tokens) {
		t.Fatalf("%d tokens came back", len(got.Transcript.Output.Tokens))
	}
}

func FuzzParseSettlement(f *testing.F) {
	network := protocol.Network{Name: "book", ChainID: 7, Token: common.Address{1}, Registry: common.Address{2}, Vault: common.Address{3}, Ledger: common.Address{4}, Possession: common.Address{5}}
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("worker")))
	if err != nil {
		f.Fatal(err)
	}
	a := crypto.PubkeyToAddress(key.PublicKey)
	r, err := protocol.IssueReceipt(network, key, protocol.Receipt{Payer: a, Worker: a, Seq: 1})
	if err != nil {
		f.Fatal(err)
	}
	if r, err = r.Cosign(network, key); err != nil {
		f.Fatal(err)
	}
	v, err := protocol.Sign(network, key, protocol.Voucher{Payer: a, Worker: a, Seq: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(r.Bytes(), v.Bytes())
	f.Fuzz(func(t *testing.T, receipt, voucher []byte) {
		s, err := book.ParseSettlement(network, receipt, voucher)
		if err == nil && (s.Worker != a || s.Payer != a) {
			t.Fatalf("a settlement between %s and %s, whose keys signed nothing", s.Payer, s.Worker)
		}
	})
}
