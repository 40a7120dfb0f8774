package chainclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"

	"tally/chainclient"
	"tally/chainclient/chaintest"
	"tally/protocol"
)

func cidOf(s string) cid.Cid { return protocol.CIDOf([]byte(s)) }

// sign is the bare signature of a message.
func sign(t *testing.T, c *chaintest.Chain, i int, m protocol.Message) []byte {
	t.Helper()
	d, err := protocol.Digest(c.Book.Network, m)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := crypto.Sign(d[:], c.Keys[i])
	if err != nil {
		t.Fatal(err)
	}
	sig[64] += 27
	return sig
}

// done fails the test unless the transaction was sent and succeeded.
func done(t *testing.T, cl *chainclient.Client) func(common.Hash, error) {
	return func(h common.Hash, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cl.Wait(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
}

// facts are all facts of the chain, without places.
func facts(t *testing.T, c *chaintest.Chain) []any {
	t.Helper()
	logs, err := c.FilterLogs(t.Context(), ethereum.FilterQuery{FromBlock: new(big.Int).SetUint64(c.Book.Start), Addresses: c.Book.Contracts()})
	if err != nil {
		t.Fatal(err)
	}
	var out []any
	for _, l := range logs {
		f, ok, err := c.Book.Decode(l)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			if f.Block == 0 || f.Tx == (common.Hash{}) {
				t.Errorf("fact without a place: %+v", f)
			}
			out = append(out, f.Event)
		}
	}
	return out
}

func equal(t *testing.T, what string, got, want protocol.Amount) {
	t.Helper()
	if got.Cmp(want) != 0 {
		t.Errorf("%s is %s, want %s", what, got, want)
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestMoneyGoesFromDepositToClaimAndEveryStepIsAFact(t *testing.T) {
	ctx := t.Context()
	c := chaintest.New(t, 4)
	const payer, worker, poster = 1, 2, 3
	p, w, q := c.As(payer), c.As(worker), c.As(poster)
	c.Fund(payer, protocol.Tokens(100))
	c.Fund(poster, protocol.Tokens(100))

	key := crypto.CompressPubkey(&c.Keys[worker].PublicKey)
	cold := common.HexToAddress("0xc01d")
	done(t, w)(w.Register(ctx, key, cold, []string{"exact/dk-1", "pin/1"}))

	done(t, p)(p.Deposit(ctx, protocol.Tokens(60)))
	offer := protocol.Offer{
		Submitter: c.Account(payer), Nonce: must(p.OfferNonce(ctx, c.Account(payer)))(t), Kind: protocol.KindInfer, Spec: cidOf("spec"),
		Tier: protocol.TierExact, Value: protocol.Tokens(40), Deadline: c.Now() + 60,
	}
	id, tx, err := p.OpenOffer(ctx, offer)
	done(t, p)(tx, err)
	equal(t, "available", must(p.Available(ctx, c.Account(payer)))(t), protocol.Tokens(20))

	channel := protocol.Channel(id, c.Account(worker))
	voucher := protocol.Voucher{Offer: id, Payer: c.Account(payer), Worker: c.Account(worker), Seq: 3, Value: protocol.Tokens(30), Receipts: common.Hash{7}}
	done(t, w)(w.Redeem(ctx, voucher, sign(t, c, payer, voucher)))
	done(t, w)(w.Redeem(ctx, voucher, sign(t, c, payer, voucher))) // moves nothing
	equal(t, "collected", must(w.Collected(ctx, channel))(t), protocol.Tokens(30))
	equal(t, "deposited", must(p.Deposited(ctx, c.Account(payer)))(t), protocol.Tokens(30))
	equal(t, "pool", must(p.Pool(ctx))(t), protocol.Tokens(30))
	lock, ok, err := p.Lock(ctx, id)
	if err != nil || !ok || lock.Spent != protocol.Tokens(30) || lock.Value != protocol.Tokens(40) || lock.End != offer.Deadline+chaintest.AuditWindow {
		t.Errorf("lock is %+v, %v, %v", lock, ok, err)
	}

	batch := protocol.Batch{Worker: c.Account(worker), Epoch: 0, Root: common.Hash{1}, Count: 3, Data: cidOf("receipts")}
	if _, err := w.Commit(ctx, batch); !chainclient.Reverted(err, "EpochNotOver") {
		t.Errorf("commit in a running epoch: %v", err)
	}
	c.AdvanceTo(c.Book.Params.End(0))
	done(t, w)(w.Commit(ctx, batch))
	if d := must(w.Commitment(ctx, 0, c.Account(worker)))(t); d != must(protocol.Digest(c.Book.Network, batch))(t) {
		t.Errorf("commitment is %s", d)
	}

	done(t, q)(q.PostBond(ctx))
	equal(t, "bond", must(q.Bond(ctx, c.Account(poster)))(t), c.Book.Params.Bond)
	leaf := protocol.SumLeaf{Account: c.Account(worker), Value: protocol.Tokens(33)}
	leaves := []protocol.SumLeaf{leaf, {Account: c.Account(payer), Value: protocol.Tokens(1)}}
	if leaves[0].Account.Cmp(leaves[1].Account) > 0 {
		leaves[0], leaves[1] = leaves[1], leaves[0]
	}
	tree := must(protocol.NewSumTree(leaves))(t)
	anchored := protocol.Anchored{
		Epoch: 0, Previous: protocol.NoEpoch, Poster: c.Account(poster), Root: tree.Root().Hash, Commitments: common.Hash{2},
		Total: tree.Root().Sum, Minted: protocol.Tokens(5), Burned: protocol.Tokens(1), Ruleset: chaintest.Ruleset, Data: cidOf("epoch 0"),
	}
	c.AdvanceTo(c.Book.Params.AuditBy(0))
	done(t, q)(q.Anchor(ctx, anchored))
	if head := must(q.Head(ctx))(t); head != 0 {
		t.Errorf("head is %d", head)
	}
	at, ok, err := q.AnchorOf(ctx, 0)
	if err != nil || !ok || at.Root != anchored.Root || at.Total != anchored.Total || at.Poster != c.Account(poster) {
		t.Errorf("anchor is %+v, %v, %v", at, ok, err)
	}
	value, index, path, err := tree.Prove(leaf.Account)
	if err != nil || value != leaf.Value {
		t.Fatal(value, err)
	}
	if _, err := p.Claim(ctx, 0, leaf, index, path); !chainclient.Reverted(err, "NotClaimable") {
		t.Errorf("claim before the delay is over: %v", err)
	}
	c.AdvanceTo(at.ClaimableAt)
	done(t, p)(p.Claim(ctx, 0, leaf, index, path)) // by anybody
	done(t, p)(p.Claim(ctx, 0, leaf, index, path)) // pays nothing
	equal(t, "payout", must(p.TokenBalance(ctx, cold))(t), protocol.Tokens(33))
	equal(t, "claimed", must(p.Claimed(ctx, leaf.Account))(t), protocol.Tokens(33))
	equal(t, "claimed total", must(p.ClaimedTotal(ctx))(t), protocol.Tokens(33))
	equal(t, "pool", must(p.Pool(ctx))(t), protocol.Tokens(34))
	equal(t, "supply", must(p.TokenSupply(ctx))(t), protocol.Tokens(1_000_004))
	done(t, q)(q.WithdrawBond(ctx))
	done(t, w)(w.Deregister(ctx))

	want := []any{
		protocol.NodeRegistered{Node: c.Account(worker), Key: key, Payout: cold, Classes: []string{"exact/dk-1", "pin/1"}, Weight: 1_000_000},
		protocol.OfferOpened{ID: id, Offer: offer},
		protocol.Redeemed{
			Offer: id, Channel: channel, Payer: c.Account(payer), Worker: c.Account(worker), Seq: 3,
			Moved: protocol.Tokens(30), Collected: protocol.Tokens(30), Receipts: common.Hash{7},
		},
		protocol.Committed{Batch: batch},
		anchored,
		protocol.Claimed{Epoch: 0, Account: leaf.Account, Payout: cold, Paid: leaf.Value, Cumulative: leaf.Value},
		protocol.NodeDeregistered{Node: c.Account(worker)},
	}
	got := facts(t, c)
	if len(got) != len(want) {
		t.Fatalf("%d facts, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("fact %d is\n%+v, want\n%+v", i, got[i], want[i])
		}
	}
}

func TestAnEndpointOfAnotherChainIsRefused(t *testing.T) {
	c := chaintest.New(t, 1)
	wrong := c.Book
	wrong.ChainID = 10
	err := chainclient.Verify(t.Context(), c, "http://lies", wrong)
	if !errors.Is(err, chainclient.ErrWrongChain) || !strings.Contains(err.Error(), "http://lies says chain id 1337, address book says 10") {
		t.Errorf("got %v", err)
	}
	if err := chainclient.Verify(t.Context(), c, "http://honest", c.Book); err != nil {
		t.Error(err)
	}
}

func TestAChainWithoutTheContractsIsRefused(t *testing.T) {
	c := chaintest.New(t, 1)
	wrong := c.Book
	wrong.Vault = common.Address{1}
	err := chainclient.Verify(t.Context(), c, "http://empty", wrong)
	if !errors.Is(err, chainclient.ErrNoContract) || !strings.Contains(err.Error(), "vault") {
		t.Errorf("got %v", err)
	}
}

func TestAnEndpointThatHangsIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer s.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := chainclient.Dial(ctx, s.URL, chaintest.New(t, 1).Book)
	if !errors.Is(err, chainclient.ErrEndpoint) || !strings.Contains(err.Error(), s.URL) {
		t.Errorf("got %v", err)
	}
}

func TestAnEndpointsSecretsReachItAndNoError(t *testing.T) {
	book := chaintest.New(t, 1).Book
	var path, user, password string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.RequestURI()
		user, password, _ = r.BasicAuth()
		http.Error(w, "no", http.StatusTeapot)
	}))
	host := strings.TrimPrefix(s.URL, "http://")
	url := "http://me:hunter2@" + host + "/v3/apikey?token=sesame"
	_, answered := chainclient.Dial(t.Context(), url, book)
	if path != "/v3/apikey?token=sesame" || user != "me" || password != "hunter2" {
		t.Errorf("the endpoint got %q from %q with %q", path, user, password)
	}
	s.Close()
	_, refused := chainclient.Dial(t.Context(), url, book)
	_, socket := chainclient.Dial(t.Context(), "ws"+strings.TrimPrefix(url, "http"), book)
	_, unreadable := chainclient.Dial(t.Context(), "http://me:hunter2/apikey@"+host, book)
	for name, err := range map[string]error{"answered": answered, "refused": refused, "socket": socket, "unreadable": unreadable} {
		if !errors.Is(err, chainclient.ErrEndpoint) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, secret := range []string{"me:", "hunter2", "apikey", "sesame"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %q is in %q", name, secret, err)
			}
		}
		if name != "unreadable" && !strings.Contains(err.Error(), "://"+host) {
			t.Errorf("%s: the host is not in %q", name, err)
		}
	}
}

func TestABookSurvivesItsFile(t *testing.T) {
	c := chaintest.New(t, 1)
	path := filepath.Join(t.TempDir(), "book.json")
	if err := c.Book.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := chainclient.LoadBook(path)
	if err != nil || got != c.Book {
		t.Errorf("got %+v, %v; want %+v", got, err, c.Book)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".book-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestABadBookIsRefused(t *testing.T) {
	good := chaintest.New(t, 1).Book
	text := string(must(json.Marshal(good))(t))
	for name, bad := range map[string]string{
		"not JSON":      "{",
		"empty":         "{}",
		"unknown field": strings.Replace(text, `"chain_id"`, `"chain":1,"chain_id"`, 1),
		"no vault":      strings.Replace(text, strings.ToLower(good.Vault.Hex()), common.Address{}.Hex(), 1),
		"huge":          text + strings.Repeat(" ", 1<<17),
	} {
		if _, err := chainclient.ParseBook([]byte(bad)); !errors.Is(err, chainclient.ErrBook) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := chainclient.ParseBook([]byte(text)); err != nil {
		t.Error(err)
	}
}

func FuzzParseBook(f *testing.F) {
	f.Add([]byte(`{"name":"a","chain_id":1,"token":"0x0000000000000000000000000000000000000001","registry":"0x0000000000000000000000000000000000000002","vault":"0x0000000000000000000000000000000000000003","ledger":"0x0000000000000000000000000000000000000004","possession":"0x0000000000000000000000000000000000000005","start_block":1,"params":{"start":1,"epoch_length":2,"commit_window":3,"audit_window":4,"claim_delay":5,"quorum":2,"bond":"1","mint_cap":"0","proof_period":16,"proof_leaves":5}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := chainclient.ParseBook(data)
		if err != nil {
			return
		}
		again, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := chainclient.ParseBook(again); err != nil || c != b {
			t.Fatalf("%+v came back as %+v, %v", b, c, err)
		}
	})
}

func TestAReadOnlyClientDoesNotWrite(t *testing.T) {
	c := chaintest.New(t, 1)
	cl, err := chainclient.New(chainclient.Config{Book: c.Book, Backend: c})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cl.PostBond(t.Context()); !errors.Is(err, chainclient.ErrConfig) {
		t.Errorf("got %v", err)
	}
}
