package contracts_test

import (
	"bytes"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/chainclient"
	"tally/chainclient/contract/registry"
	"tally/chainclient/contract/token"
	"tally/chainclient/contract/vault"
)

// theirs are the errors of OpenZeppelin's contracts, tested there.
var theirs = []string{"ERC20", "ERC2612", "Ownable", "ECDSA", "SafeERC20", "InvalidShortString", "StringTooLong", "InvalidAccountNonce"}

type refusals map[string]func(w *world)

// run gives each error a world of its own, and fails where an error of the
// contract has no scenario.
func (r refusals) run(t *testing.T, m *bind.MetaData) {
	a, err := m.ParseABI()
	if err != nil {
		t.Fatal(err)
	}
	for name := range a.Errors {
		known := slices.ContainsFunc(theirs, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if r[name] == nil && !known {
			t.Errorf("error %s is not tested", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r)) {
		t.Run(name, func(t *testing.T) { r[name](newWorld(t)) })
	}
}

// uncreatable fails the test unless creating the contract reverts with the named error.
func (w *world) uncreatable(name string, m *bind.MetaData, args []byte) {
	w.t.Helper()
	if _, err := w.Try(owner, nil, append(common.FromHex(m.Bin), args...)); !chainclient.Reverted(err, name) {
		w.t.Errorf("got %v, want %s", err, name)
	}
}

// create makes another of a contract, as the owner.
func (w *world) create(m *bind.MetaData, args []byte) common.Address {
	w.t.Helper()
	return w.Do(owner, nil, append(common.FromHex(m.Bin), args...)).ContractAddress
}

func TestTokenRefuses(t *testing.T) {
	refusals{
		"NotDeployer": func(w *world) {
			w.refused("NotDeployer", stranger, w.Book.Token, tok.PackSetMinter(w.Account(stranger)))
		},
		"MinterAlreadySet": func(w *world) {
			w.refused("MinterAlreadySet", owner, w.Book.Token, tok.PackSetMinter(w.Account(owner)))
		},
		"ZeroMinter": func(w *world) {
			fresh := w.create(&token.TokenMetaData, tok.PackConstructor(big.NewInt(0)))
			w.refused("ZeroMinter", owner, fresh, tok.PackSetMinter(common.Address{}))
		},
		"NotMinter": func(w *world) {
			w.refused("NotMinter", owner, w.Book.Token, tok.PackMint(w.Account(owner), big.NewInt(1)))
		},
		"SupplyOutOfRange": func(w *world) {
			top := new(big.Int).Lsh(big.NewInt(1), 128)
			w.uncreatable("SupplyOutOfRange", &token.TokenMetaData, tok.PackConstructor(top))
			fresh := w.create(&token.TokenMetaData, tok.PackConstructor(top.Sub(top, big.NewInt(1))))
			w.Do(owner, &fresh, tok.PackSetMinter(w.Account(owner)))
			w.refused("SupplyOutOfRange", owner, fresh, tok.PackMint(w.Account(owner), big.NewInt(1)))
		},
	}.run(t, &token.TokenMetaData)
}

func TestRegistryRefuses(t *testing.T) {
	key := func(w *world, i int) []byte { return crypto.CompressPubkey(&w.Keys[i].PublicKey) }
	class := func(s string) (b [32]byte) { copy(b[:], s); return }
	refusals{
		"NotKeyOwner": func(w *world) {
			w.refused("NotKeyOwner", stranger, w.Book.Registry, reg.PackRegister(key(w, worker), w.Account(stranger), nil))
		},
		"InvalidKey": func(w *world) {
			good := key(w, worker)
			bad := map[string][]byte{
				"short":        good[:32],
				"long":         append(bytes.Clone(good), 0),
				"empty":        {},
				"prefix 4":     append([]byte{4}, good[1:]...),
				"prefix 0":     append([]byte{0}, good[1:]...),
				"x past field": append([]byte{2}, bytes.Repeat([]byte{0xff}, 32)...),
				"not on curve": append([]byte{2}, common.LeftPadBytes([]byte{5}, 32)...), // 5^3+7 is no square
			}
			for name, k := range bad {
				w.t.Log(name)
				w.refused("InvalidKey", worker, w.Book.Registry, reg.PackRegister(k, w.Account(worker), nil))
			}
			other := bytes.Clone(good)
			other[0] ^= 1 // the other root: a key, but another's
			w.refused("NotKeyOwner", worker, w.Book.Registry, reg.PackRegister(other, w.Account(worker), nil))
		},
		"AlreadyRegistered": func(w *world) {
			again := reg.PackRegister(key(w, worker), w.Account(worker), nil)
			w.Do(worker, &w.Book.Registry, again)
			w.refused("AlreadyRegistered", worker, w.Book.Registry, again)
		},
		"NotRegistered": func(w *world) {
			w.refused("NotRegistered", worker, w.Book.Registry, reg.PackSetPayout(w.Account(stranger)))
			w.refused("NotRegistered", worker, w.Book.Registry, reg.PackSetClasses(nil))
			w.refused("NotRegistered", worker, w.Book.Registry, reg.PackDeregister())
			w.refused("NotRegistered", owner, w.Book.Registry, reg.PackSetWeight(w.Account(worker), 1))
		},
		"ZeroPayout": func(w *world) {
			w.refused("ZeroPayout", worker, w.Book.Registry, reg.PackRegister(key(w, worker), common.Address{}, nil))
		},
		"TooManyClasses": func(w *world) {
			classes := make([][32]byte, 17)
			for i := range classes {
				classes[i][0] = byte(i + 1)
			}
			w.refused("TooManyClasses", worker, w.Book.Registry, reg.PackRegister(key(w, worker), w.Account(worker), classes))
			w.allowed(worker, w.Book.Registry, reg.PackRegister(key(w, worker), w.Account(worker), classes[:16]))
		},
		"ZeroClass": func(w *world) {
			classes := [][32]byte{class("pin/1"), {}}
			w.refused("ZeroClass", worker, w.Book.Registry, reg.PackRegister(key(w, worker), w.Account(worker), classes))
		},
		"DuplicateClass": func(w *world) {
			classes := [][32]byte{class("pin/1"), class("post/1"), class("pin/1")}
			w.refused("DuplicateClass", worker, w.Book.Registry, reg.PackRegister(key(w, worker), w.Account(worker), classes))
		},
		"WeightTooHigh": func(w *world) {
			w.Do(worker, &w.Book.Registry, reg.PackRegister(key(w, worker), w.Account(worker), nil))
			w.refused("WeightTooHigh", owner, w.Book.Registry, reg.PackSetWeight(w.Account(worker), 10_000_001))
			w.allowed(owner, w.Book.Registry, reg.PackSetWeight(w.Account(worker), 10_000_000))
			w.refused("OwnableUnauthorizedAccount", worker, w.Book.Registry, reg.PackSetWeight(w.Account(worker), 1))
		},
	}.run(t, &registry.RegistryMetaData)
}

func TestVaultRefuses(t *testing.T) {
	refusals{
		"NotDeployer": func(w *world) {
			w.refused("NotDeployer", stranger, w.Book.Vault, vlt.PackSetLedger(w.Book.Ledger))
		},
		"LedgerAlreadySet": func(w *world) {
			w.refused("LedgerAlreadySet", owner, w.Book.Vault, vlt.PackSetLedger(w.Book.Ledger))
		},
		"LedgerNotSet": func(w *world) {
			fresh := w.create(&vault.VaultMetaData, vlt.PackConstructor(w.Book.Token))
			w.refused("LedgerNotSet", payer, fresh, vlt.PackOpenOffer(w.offer()))
		},
		"ZeroAmount": func(w *world) {
			w.refused("ZeroAmount", payer, w.Book.Vault, vlt.PackDeposit(new(big.Int)))
			w.refused("ZeroAmount", payer, w.Book.Vault, vlt.PackWithdraw(new(big.Int)))
		},
		"InsufficientAvailable": func(w *world) {
			over := new(big.Int).Add(tokens(500), big.NewInt(1))
			w.refused("InsufficientAvailable", payer, w.Book.Vault, vlt.PackWithdraw(over))
			o := w.offer()
			o.Value = over
			w.refused("InsufficientAvailable", payer, w.Book.Vault, vlt.PackOpenOffer(o))
			w.open(w.offer()) // holds 100
			w.refused("InsufficientAvailable", payer, w.Book.Vault, vlt.PackWithdraw(tokens(401)))
			w.allowed(payer, w.Book.Vault, vlt.PackWithdraw(tokens(400)))
		},
		"NotSubmitter": func(w *world) {
			w.refused("NotSubmitter", stranger, w.Book.Vault, vlt.PackOpenOffer(w.offer()))
		},
		"WrongNonce": func(w *world) {
			first := w.offer()
			w.open(first)
			w.refused("WrongNonce", payer, w.Book.Vault, vlt.PackOpenOffer(first)) // replayed
			gap := w.offer()
			gap.Nonce++
			w.refused("WrongNonce", payer, w.Book.Vault, vlt.PackOpenOffer(gap))
		},
		"DeadlineOutOfRange": func(w *world) {
			o := w.offer()
			o.Deadline = w.Now()
			w.refused("DeadlineOutOfRange", payer, w.Book.Vault, vlt.PackOpenOffer(o))
			o.Deadline = w.Now() + 30*24*3600 + 1
			w.refused("DeadlineOutOfRange", payer, w.Book.Vault, vlt.PackOpenOffer(o))
			o.Deadline--
			w.allowed(payer, w.Book.Vault, vlt.PackOpenOffer(o))
		},
		"BadSpecLength": func(w *world) {
			o := w.offer()
			o.Spec = nil
			w.refused("BadSpecLength", payer, w.Book.Vault, vlt.PackOpenOffer(o))
			o.Spec = make([]byte, 129)
			w.refused("BadSpecLength", payer, w.Book.Vault, vlt.PackOpenOffer(o))
			o.Spec = make([]byte, 128)
			w.allowed(payer, w.Book.Vault, vlt.PackOpenOffer(o))
		},
		"TooManyLocks": func(w *world) {
			o := w.offer()
			o.Value, o.Deadline = big.NewInt(1), w.Now()+200
			for range 64 {
				w.Do(payer, &w.Book.Vault, vlt.PackOpenOffer(o))
				o.Nonce++
			}
			w.refused("TooManyLocks", payer, w.Book.Vault, vlt.PackOpenOffer(o))
			w.AdvanceTo(o.Deadline + w.Book.Params.AuditWindow + 1) // they have ended
			o.Deadline = w.Now() + 60
			w.allowed(payer, w.Book.Vault, vlt.PackOpenOffer(o))
		},
		"UnknownOffer": func(w *world) {
			v := w.voucher(common.Hash{1}, 1)
			w.refused("UnknownOffer", stranger, w.Book.Vault, vlt.PackRedeem(v, w.signed(v)))
		},
		"NotPayer": func(w *world) {
			v := w.voucher(w.open(w.offer()), 1)
			v.Payer = w.Account(stranger)
			digest := get(w, w.Book.Vault, vlt.PackHashVoucher(v), vlt.UnpackHashVoucher)
			w.refused("NotPayer", stranger, w.Book.Vault, vlt.PackRedeem(v, w.sign(stranger, digest)))
		},
		"WrongSigner": func(w *world) {
			v := w.voucher(w.open(w.offer()), 1)
			digest := get(w, w.Book.Vault, vlt.PackHashVoucher(v), vlt.UnpackHashVoucher)
			w.refused("WrongSigner", worker, w.Book.Vault, vlt.PackRedeem(v, w.sign(worker, digest)))
			more := v
			more.Value = tokens(2)
			w.refused("WrongSigner", worker, w.Book.Vault, vlt.PackRedeem(more, w.signed(v)))
		},
		"LockEnded": func(w *world) {
			o := w.offer()
			v := w.voucher(w.open(o), 1)
			data := vlt.PackRedeem(v, w.signed(v))
			w.AdvanceTo(o.Deadline + w.Book.Params.AuditWindow)
			w.allowed(worker, w.Book.Vault, data)
			w.AdvanceTo(w.Now() + 1)
			w.refused("LockEnded", worker, w.Book.Vault, data)
		},
		"LockExceeded": func(w *world) {
			v := w.voucher(w.open(w.offer()), 60)
			w.redeem(v)
			other := v // the same offer's channel to another worker
			other.Worker, other.Value = w.Account(stranger), tokens(41)
			w.refused("LockExceeded", worker, w.Book.Vault, vlt.PackRedeem(other, w.signed(other)))
			other.Value = tokens(40)
			w.allowed(worker, w.Book.Vault, vlt.PackRedeem(other, w.signed(other)))
		},
	}.run(t, &vault.VaultMetaData)
}
