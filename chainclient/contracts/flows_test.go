package contracts_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/chainclient/chaintest"
	"tally/chainclient/contract/registry"
	"tally/protocol"
)

// invariants checks what the contracts promise about money.
func (w *world) invariants() {
	w.t.Helper()
	vaulted := get(w, w.Book.Vault, vlt.PackBalanceOf(w.Account(payer)), vlt.UnpackBalanceOf)
	w.same("vault's tokens", w.balance(w.Book.Vault), vaulted)
	if w.available().Cmp(vaulted) > 0 {
		w.t.Errorf("available %s is more than deposited %s", w.available(), vaulted)
	}
	pool := get(w, w.Book.Ledger, led.PackPool(), led.UnpackPool)
	claimed := get(w, w.Book.Ledger, led.PackClaimedTotal(), led.UnpackClaimedTotal)
	bonds := get(w, w.Book.Ledger, led.PackBondOf(w.Account(poster)), led.UnpackBondOf)
	held := new(big.Int).Sub(pool, claimed)
	w.same("ledger's tokens", w.balance(w.Book.Ledger), held.Add(held, bonds))
	if claimed.Cmp(pool) > 0 {
		w.t.Errorf("claimed %s of a pool of %s", claimed, pool)
	}
}

func TestDepositsComeBack(t *testing.T) {
	w := newWorld(t)
	w.invariants()
	w.Do(payer, &w.Book.Vault, vlt.PackWithdraw(tokens(500)))
	w.same("payer's tokens", w.balance(w.Account(payer)), tokens(1000))
	w.same("available", w.available(), new(big.Int))
	w.invariants()
}

func TestAPermitDepositsInOneTransaction(t *testing.T) {
	w := newWorld(t)
	w.Do(payer, &w.Book.Token, tok.PackApprove(w.Book.Vault, new(big.Int)))
	deadline := new(big.Int).SetUint64(w.Now() + 100)
	pad := func(b *big.Int) []byte { return common.LeftPadBytes(b.Bytes(), 32) }
	domain := get(w, w.Book.Token, tok.PackDOMAINSEPARATOR(), tok.UnpackDOMAINSEPARATOR)
	permit := crypto.Keccak256(
		crypto.Keccak256([]byte("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)")),
		common.LeftPadBytes(w.Account(payer).Bytes(), 32), common.LeftPadBytes(w.Book.Vault.Bytes(), 32),
		pad(tokens(7)), pad(new(big.Int)), pad(deadline),
	)
	sig := w.sign(payer, crypto.Keccak256Hash([]byte{0x19, 0x01}, domain[:], permit))
	data := vlt.PackDepositWithPermit(tokens(7), deadline, sig[64], [32]byte(sig[:32]), [32]byte(sig[32:64]))
	w.refused("ERC20InsufficientAllowance", stranger, w.Book.Vault, data) // another's permit is none
	// Somebody who saw the permit may use it first; the deposit still works.
	w.Do(stranger, &w.Book.Token, tok.PackPermit(w.Account(payer), w.Book.Vault, tokens(7), deadline, sig[64], [32]byte(sig[:32]), [32]byte(sig[32:64])))
	w.Do(payer, &w.Book.Vault, data)
	w.same("available", w.available(), tokens(507))
	w.refused("ERC20InsufficientAllowance", payer, w.Book.Vault, data) // replayed
}

func TestALockEndsByItself(t *testing.T) {
	w := newWorld(t)
	o := w.offer()
	id := w.open(o)
	w.same("available", w.available(), tokens(400))
	w.redeem(w.voucher(id, 30))
	w.same("available", w.available(), tokens(400))
	w.invariants()
	w.AdvanceTo(o.Deadline + w.Book.Params.AuditWindow)
	w.same("available in the lock's last second", w.available(), tokens(400))
	w.AdvanceTo(w.Now() + 1)
	w.same("available after it", w.available(), tokens(470)) // and nobody sent a transaction
	w.Do(payer, &w.Book.Vault, vlt.PackWithdraw(tokens(470)))
	w.invariants()
	if left := get(w, w.Book.Vault, vlt.PackActiveOf(w.Account(payer)), vlt.UnpackActiveOf); len(left) != 0 {
		t.Errorf("%d locks were not swept", len(left))
	}
}

func TestASpentLockMakesRoom(t *testing.T) {
	w := newWorld(t)
	w.redeem(w.voucher(w.open(w.offer()), 100))
	id := w.open(w.offer())
	active := get(w, w.Book.Vault, vlt.PackActiveOf(w.Account(payer)), vlt.UnpackActiveOf)
	if len(active) != 1 || active[0] != id {
		t.Errorf("active locks are %x, want %x alone", active, id)
	}
}

func TestOnlyTheLatestVoucherCounts(t *testing.T) {
	w := newWorld(t)
	o := w.offer()
	id := w.open(o)
	ten, thirty := w.voucher(id, 10), w.voucher(id, 30)
	old, latest := vlt.PackRedeem(ten, w.signed(ten)), vlt.PackRedeem(thirty, w.signed(thirty))
	w.Do(worker, &w.Book.Vault, latest)
	for _, data := range [][]byte{latest, old} { // replayed, and late
		r := w.Do(worker, &w.Book.Vault, data)
		if len(r.Logs) != 0 {
			t.Errorf("a voucher that was worth nothing more caused %d events", len(r.Logs))
		}
	}
	w.same("pool", get(w, w.Book.Ledger, led.PackPool(), led.UnpackPool), tokens(30))
	w.AdvanceTo(o.Deadline + w.Book.Params.AuditWindow + 1)
	w.allowed(worker, w.Book.Vault, latest) // still no error when the lock has ended
	w.invariants()
}

func TestAHighSTwinOfAVoucherIsRefused(t *testing.T) {
	w := newWorld(t)
	v := w.voucher(w.open(w.offer()), 10)
	sig := w.signed(v)
	s := new(big.Int).SetBytes(sig[32:64])
	twin := append([]byte(nil), sig...)
	copy(twin[32:64], common.LeftPadBytes(s.Sub(crypto.S256().Params().N, s).Bytes(), 32))
	twin[64] = 27 + 28 - sig[64]
	w.refused("ECDSAInvalidSignatureS", worker, w.Book.Vault, vlt.PackRedeem(v, twin))
	w.allowed(worker, w.Book.Vault, vlt.PackRedeem(v, sig))
}

func TestASignatureHas65BytesAndV27Or28(t *testing.T) {
	w := newWorld(t)
	v := w.voucher(w.open(w.offer()), 10)
	sig := w.signed(v)
	for _, bad := range [][]byte{nil, sig[:64], append(sig[:65:65], 0)} {
		w.refused("ECDSAInvalidSignatureLength", worker, w.Book.Vault, vlt.PackRedeem(v, bad))
	}
	for _, last := range []byte{0, 1, 26, 29, 255} {
		w.refused("ECDSAInvalidSignature", worker, w.Book.Vault, vlt.PackRedeem(v, append(sig[:64:64], last)))
	}
}

func TestAVoucherOfAnotherNetworkIsRefused(t *testing.T) {
	w := newWorld(t)
	v := w.voucher(w.open(w.offer()), 10)
	m := protocol.Voucher{Offer: v.Offer, Payer: v.Payer, Worker: v.Worker, Seq: v.Seq, Value: protocol.Tokens(10)}
	for name, change := range map[string]func(*protocol.Network){
		"another chain":    func(n *protocol.Network) { n.ChainID++ },
		"another contract": func(n *protocol.Network) { n.Vault = n.Ledger },
	} {
		foreign := w.Book.Network
		change(&foreign)
		digest, err := protocol.Digest(foreign, m)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(name)
		w.refused("WrongSigner", worker, w.Book.Vault, vlt.PackRedeem(v, w.sign(payer, digest)))
	}
}

func TestTwoChannelsShareOneLock(t *testing.T) {
	w := newWorld(t)
	id := w.open(w.offer())
	one, two := w.voucher(id, 60), w.voucher(id, 40)
	two.Worker = w.Account(stranger)
	w.redeem(one)
	w.redeem(two)
	lock := get(w, w.Book.Vault, vlt.PackLockOf(id), vlt.UnpackLockOf)
	w.same("spent", lock.Spent, lock.Value)
	w.invariants()
}

func TestRewardsAreCumulative(t *testing.T) {
	w := newWorld(t)
	w.fill(100)
	first, second := rewards{worker: 10, payer: 20}, rewards{worker: 15, payer: 20, stranger: 7}
	w.anchor(w.result(0, first))
	w.final(0)
	w.Do(stranger, &w.Book.Ledger, w.claim(0, first, worker))
	w.same("worker's tokens", w.balance(w.Account(worker)), tokens(10))
	w.anchor(w.result(1, second))
	w.Do(stranger, &w.Book.Ledger, w.claim(0, first, payer)) // the older root still pays
	w.final(1)
	for _, i := range []int{worker, stranger, payer} {
		w.Do(i, &w.Book.Ledger, w.claim(1, second, i))
	}
	w.same("worker's tokens", w.balance(w.Account(worker)), tokens(15))
	w.same("stranger's tokens", w.balance(w.Account(stranger)), tokens(7))
	if r := w.Do(worker, &w.Book.Ledger, w.claim(0, first, worker)); len(r.Logs) != 0 {
		t.Errorf("an older claim caused %d events", len(r.Logs))
	}
	w.same("claimed", get(w, w.Book.Ledger, led.PackClaimedTotal(), led.UnpackClaimedTotal), tokens(42))
	w.invariants()
}

func TestMintingAndBurningWaitUntilTheRootIsFinal(t *testing.T) {
	w := newWorld(t)
	w.fill(100)
	supply := func() *big.Int { return get(w, w.Book.Token, tok.PackTotalSupply(), tok.UnpackTotalSupply) }
	before := supply()
	r := rewards{worker: 90}
	a := w.result(0, r)
	a.Minted, a.Burned = tokens(5), tokens(15)
	w.anchor(a)
	w.same("supply", supply(), before)
	w.final(0)
	w.Do(worker, &w.Book.Ledger, w.claim(0, r, worker))
	w.same("supply", supply(), new(big.Int).Sub(before, tokens(10)))
	w.same("pool", get(w, w.Book.Ledger, led.PackPool(), led.UnpackPool), tokens(90))
	w.invariants()
}

func TestADisabledRootLeavesNoTrace(t *testing.T) {
	w := newWorld(t)
	w.fill(100)
	good := rewards{worker: 50}
	w.anchor(w.result(0, good))
	w.final(0)
	w.Do(worker, &w.Book.Ledger, w.claim(0, good, worker))
	supply := get(w, w.Book.Token, tok.PackTotalSupply(), tok.UnpackTotalSupply)
	pool := get(w, w.Book.Ledger, led.PackPool(), led.UnpackPool)

	wrong := w.result(1, rewards{worker: 50, stranger: 100})
	wrong.Minted, wrong.Burned = tokens(50), tokens(0)
	w.anchor(wrong)
	w.Do(auditor1, &w.Book.Ledger, led.PackDisable(1, [32]byte{1}))
	if votes := get(w, w.Book.Ledger, led.PackVotesOf(1), led.UnpackVotesOf); votes.Int64() != 1 {
		t.Errorf("%s votes, want 1", votes)
	}
	if head := get(w, w.Book.Ledger, led.PackHead(), led.UnpackHead); head != 1 {
		t.Error("one auditor alone disabled a root")
	}
	w.Do(auditor2, &w.Book.Ledger, led.PackDisable(1, [32]byte{2}))
	if head := get(w, w.Book.Ledger, led.PackHead(), led.UnpackHead); head != 0 {
		t.Errorf("head is %d, want 0", head)
	}
	w.same("bond", get(w, w.Book.Ledger, led.PackBondOf(w.Account(poster)), led.UnpackBondOf), new(big.Int))
	w.same("supply", get(w, w.Book.Token, tok.PackTotalSupply(), tok.UnpackTotalSupply), new(big.Int).Sub(supply, w.Book.Params.Bond.Big()))
	w.same("pool", get(w, w.Book.Ledger, led.PackPool(), led.UnpackPool), pool)
	w.invariants()
	w.AdvanceTo(w.Now() + chaintest.ClaimDelay)
	w.refused("NotAnchored", stranger, w.Book.Ledger, w.claim(1, rewards{worker: 50, stranger: 100}, stranger))

	// The epoch is anchored anew by a poster with a new bond, and can be disputed anew by the same auditors.
	right := rewards{worker: 60}
	w.anchor(w.result(1, right))
	if votes := get(w, w.Book.Ledger, led.PackVotesOf(1), led.UnpackVotesOf); votes.Sign() != 0 {
		t.Errorf("%s votes from before count", votes)
	}
	w.allowed(auditor1, w.Book.Ledger, led.PackDisable(1, [32]byte{}))
	w.final(1)
	w.Do(worker, &w.Book.Ledger, w.claim(1, right, worker))
	w.same("worker's tokens", w.balance(w.Account(worker)), tokens(60))
	w.invariants()
}

func TestAnAuditorDismissedHasNoVote(t *testing.T) {
	w := newWorld(t)
	w.anchor(w.result(0, nil))
	w.Do(owner, &w.Book.Ledger, led.PackSetAuditor(w.Account(auditor1), false))
	w.refused("NotAuditor", auditor1, w.Book.Ledger, led.PackDisable(0, [32]byte{}))
}

func TestARulesetHoldsFromItsEpochOn(t *testing.T) {
	w := newWorld(t)
	at := func(epoch uint64) common.Hash {
		return get(w, w.Book.Ledger, led.PackRulesetAt(epoch), led.UnpackRulesetAt)
	}
	w.Do(owner, &w.Book.Ledger, led.PackScheduleRuleset([32]byte{9}, 5)) // replaced before it begins
	w.Do(owner, &w.Book.Ledger, led.PackScheduleRuleset([32]byte{2}, 2))
	for epoch, want := range []common.Hash{chaintest.Ruleset, chaintest.Ruleset, {2}, {2}, {2}, {2}} {
		if got := at(uint64(epoch)); got != want {
			t.Errorf("epoch %d has ruleset %s, want %s", epoch, got, want)
		}
	}
	w.AdvanceTo(w.Book.Params.End(2))
	w.Do(owner, &w.Book.Ledger, led.PackScheduleRuleset([32]byte{4}, 4))
	for epoch, want := range []common.Hash{chaintest.Ruleset, chaintest.Ruleset, {2}, {2}, {4}} {
		if got := at(uint64(epoch)); got != want {
			t.Errorf("epoch %d has ruleset %s, want %s", epoch, got, want)
		}
	}
	w.anchor(w.result(1, nil)) // an epoch from before still takes the old one
}

func TestANodesEntryIsRepeatedWholeAtEachChange(t *testing.T) {
	w := newWorld(t)
	key := crypto.CompressPubkey(&w.Keys[worker].PublicKey)
	node := w.Account(worker)
	class := [32]byte{'p', 'i', 'n', '/', '1'}
	want := registry.RegistryNodeRegistered{Node: node, Key: key, Payout: node, Weight: 1_000_000}
	step := func(i int, data []byte, change func()) {
		t.Helper()
		r := w.Do(i, &w.Book.Registry, data)
		change()
		if len(r.Logs) != 1 {
			t.Fatalf("%d events", len(r.Logs))
		}
		e, err := reg.UnpackNodeRegisteredEvent(r.Logs[0])
		if err != nil {
			t.Fatal(err)
		}
		if e.Node != want.Node || string(e.Key) != string(want.Key) || e.Payout != want.Payout || len(e.Classes) != len(want.Classes) || e.Weight != want.Weight {
			t.Errorf("event says %+v, want %+v", e, want)
		}
		n := get(w, w.Book.Registry, reg.PackNodeOf(node), reg.UnpackNodeOf)
		if string(n.Key) != string(want.Key) || n.Payout != want.Payout || len(n.Classes) != len(want.Classes) || n.Weight != want.Weight {
			t.Errorf("nodeOf says %+v, want %+v", n, want)
		}
	}
	step(worker, reg.PackRegister(key, node, nil), func() {})
	step(worker, reg.PackSetPayout(w.Account(stranger)), func() { want.Payout = w.Account(stranger) })
	step(worker, reg.PackSetClasses([][32]byte{class}), func() { want.Classes = [][32]byte{class} })
	step(owner, reg.PackSetWeight(node, 5), func() { want.Weight = 5 })

	w.Do(worker, &w.Book.Registry, reg.PackDeregister())
	if p := get(w, w.Book.Registry, reg.PackPayoutOf(node), reg.UnpackPayoutOf); p != node {
		t.Errorf("payout of a node that left is %s, want itself", p)
	}
	if k := get(w, w.Book.Registry, reg.PackKeyOf(node), reg.UnpackKeyOf); len(k) != 0 {
		t.Errorf("key of a node that left is %x", k)
	}
	want.Payout, want.Classes = node, nil
	step(worker, reg.PackRegister(key, node, nil), func() {}) // and its weight is still 5
}

func TestEveryAccountsKeyProvesItsAddress(t *testing.T) {
	w := newWorld(t)
	prefixes := map[byte]bool{}
	for i := range int(accounts) {
		key := crypto.CompressPubkey(&w.Keys[i].PublicKey)
		prefixes[key[0]] = true
		w.allowed(i, w.Book.Registry, reg.PackRegister(key, w.Account(i), nil))
	}
	if len(prefixes) != 2 {
		t.Errorf("the accounts' keys have prefixes %v: choose accounts with both", prefixes)
	}
}
