package contracts_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/chainclient"
	"tally/chainclient/chaintest"
	"tally/chainclient/contract/ledger"
	"tally/chainclient/contract/possession"
	"tally/chainclient/contract/registry"
	"tally/chainclient/contract/token"
	"tally/chainclient/contract/vault"
	"tally/protocol"
)

// The accounts of a world.
const (
	owner = iota
	payer
	worker
	poster
	auditor1
	auditor2
	stranger
	accounts
)

var (
	tok = token.NewToken()
	reg = registry.NewRegistry()
	vlt = vault.NewVault()
	led = ledger.NewLedger()
	pos = possession.NewPossession()
)

// world is a deployed network whose payer has 1000 tokens, 500 of them in the
// vault, and whose poster has 300.
type world struct {
	*chaintest.Chain
	t *testing.T
}

func newWorld(t *testing.T) *world {
	t.Helper()
	if testing.Short() {
		t.Skip("some 80 chains, and nothing concurrent of ours")
	}
	w := &world{chaintest.New(t, accounts, auditor1, auditor2), t}
	w.Fund(payer, protocol.Tokens(1000))
	w.Fund(poster, protocol.Tokens(300))
	w.Do(payer, &w.Book.Token, tok.PackApprove(w.Book.Vault, tokens(1000)))
	w.Do(payer, &w.Book.Vault, vlt.PackDeposit(tokens(500)))
	w.Do(poster, &w.Book.Token, tok.PackApprove(w.Book.Ledger, tokens(300)))
	return w
}

func tokens(n uint64) *big.Int { return protocol.Tokens(n).Big() }

// refused fails the test unless the call reverts with the named error.
func (w *world) refused(name string, i int, to common.Address, data []byte) {
	w.t.Helper()
	if _, err := w.Try(i, &to, data); !chainclient.Reverted(err, name) {
		w.t.Errorf("got %v, want %s", err, name)
	}
}

// allowed fails the test unless the call would succeed.
func (w *world) allowed(i int, to common.Address, data []byte) {
	w.t.Helper()
	if _, err := w.Try(i, &to, data); err != nil {
		w.t.Errorf("refused: %v", err)
	}
}

// get reads a view.
func get[T any](w *world, to common.Address, data []byte, unpack func([]byte) (T, error)) T {
	w.t.Helper()
	out, err := w.Try(owner, &to, data)
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := unpack(out)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) balance(a common.Address) *big.Int {
	w.t.Helper()
	return get(w, w.Book.Token, tok.PackBalanceOf(a), tok.UnpackBalanceOf)
}

func (w *world) available() *big.Int {
	w.t.Helper()
	return get(w, w.Book.Vault, vlt.PackAvailable(w.Account(payer)), vlt.UnpackAvailable)
}

// same fails the test unless both are equal.
func (w *world) same(what string, got, want *big.Int) {
	w.t.Helper()
	if got.Cmp(want) != 0 {
		w.t.Errorf("%s is %s, want %s", what, got, want)
	}
}

// offer is the payer's next, over 100 tokens for 60 seconds.
func (w *world) offer() vault.VaultOffer {
	w.t.Helper()
	return vault.VaultOffer{
		Submitter: w.Account(payer),
		Nonce:     get(w, w.Book.Vault, vlt.PackNonces(w.Account(payer)), vlt.UnpackNonces),
		Kind:      1,
		Spec:      []byte("a spec"),
		Tier:      1,
		Value:     tokens(100),
		Deadline:  w.Now() + 60,
	}
}

func (w *world) open(o vault.VaultOffer) common.Hash {
	w.t.Helper()
	w.Do(payer, &w.Book.Vault, vlt.PackOpenOffer(o))
	return get(w, w.Book.Vault, vlt.PackHashOffer(o), vlt.UnpackHashOffer)
}

// voucher states n tokens owed to the worker.
func (w *world) voucher(offer common.Hash, n uint64) vault.VaultVoucher {
	return vault.VaultVoucher{Offer: offer, Payer: w.Account(payer), Worker: w.Account(worker), Seq: n, Value: tokens(n)}
}

func (w *world) signed(v vault.VaultVoucher) []byte {
	w.t.Helper()
	return w.sign(payer, get(w, w.Book.Vault, vlt.PackHashVoucher(v), vlt.UnpackHashVoucher))
}

func (w *world) sign(i int, digest common.Hash) []byte {
	w.t.Helper()
	sig, err := crypto.Sign(digest[:], w.Keys[i])
	if err != nil {
		w.t.Fatal(err)
	}
	sig[64] += 27
	return sig
}

func (w *world) redeem(v vault.VaultVoucher) *types.Receipt {
	w.t.Helper()
	return w.Do(stranger, &w.Book.Vault, vlt.PackRedeem(v, w.signed(v)))
}

// fill brings n tokens into the ledger's pool.
func (w *world) fill(n uint64) {
	w.t.Helper()
	o := w.offer()
	o.Value = tokens(n)
	w.redeem(w.voucher(w.open(o), n))
}

func (w *world) batch(epoch uint64) ledger.LedgerBatch {
	return ledger.LedgerBatch{Worker: w.Account(worker), Epoch: epoch, Root: [32]byte{1}, Count: 1, Data: []byte("some data")}
}

// rewards are cumulative rewards in tokens, by account.
type rewards map[int]uint64

// tree is the rewards' Merkle-sum tree.
func (w *world) tree(r rewards) *protocol.SumTree {
	w.t.Helper()
	var leaves []protocol.SumLeaf
	for i := range int(accounts) {
		if n, ok := r[i]; ok {
			leaves = append(leaves, protocol.SumLeaf{Account: w.Account(i), Value: protocol.Tokens(n)})
		}
	}
	for i := range leaves { // a handful
		for j := range i {
			if leaves[i].Account.Cmp(leaves[j].Account) < 0 {
				leaves[i], leaves[j] = leaves[j], leaves[i]
			}
		}
	}
	t, err := protocol.NewSumTree(leaves)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// result is an anchor of an epoch with these rewards, on top of the head.
func (w *world) result(epoch uint64, r rewards) ledger.LedgerAnchor {
	w.t.Helper()
	root := w.tree(r).Root()
	return ledger.LedgerAnchor{
		Epoch:    epoch,
		Previous: get(w, w.Book.Ledger, led.PackHead(), led.UnpackHead),
		Root:     root.Hash,
		Total:    root.Sum.Big(),
		Minted:   new(big.Int),
		Burned:   new(big.Int),
		Ruleset:  chaintest.Ruleset,
		Data:     []byte("some data"),
	}
}

// bond puts up the poster's bond.
func (w *world) bond() {
	w.t.Helper()
	w.Do(poster, &w.Book.Ledger, led.PackPostBond())
}

// audited moves time to when an epoch can be anchored.
func (w *world) audited(epoch uint64) {
	w.t.Helper()
	if at := w.Book.Params.AuditBy(epoch) + 1; w.Now() < at {
		w.AdvanceTo(at)
	}
}

// anchor bonds where that is to do, and anchors.
func (w *world) anchor(a ledger.LedgerAnchor) {
	w.t.Helper()
	if get(w, w.Book.Ledger, led.PackBondOf(w.Account(poster)), led.UnpackBondOf).Sign() == 0 {
		w.bond()
	}
	w.audited(a.Epoch)
	w.Do(poster, &w.Book.Ledger, led.PackAnchor(a))
}

// final moves time to when an anchored epoch can be claimed from.
func (w *world) final(epoch uint64) {
	w.t.Helper()
	if at := get(w, w.Book.Ledger, led.PackAnchorOf(epoch), led.UnpackAnchorOf).ClaimableAt; w.Now() < at {
		w.AdvanceTo(at)
	}
}

// claim is the call data of account i's claim under these rewards.
func (w *world) claim(epoch uint64, r rewards, i int) []byte {
	w.t.Helper()
	value, index, path, err := w.tree(r).Prove(w.Account(i))
	if err != nil {
		w.t.Fatal(err)
	}
	hashes, sums := make([][32]byte, len(path)), make([]*big.Int, len(path))
	for k, n := range path {
		hashes[k], sums[k] = n.Hash, n.Sum.Big()
	}
	return led.PackClaim(epoch, w.Account(i), value.Big(), new(big.Int).SetUint64(index), hashes, sums)
}
