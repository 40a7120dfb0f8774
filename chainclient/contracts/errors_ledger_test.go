package contracts_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"tally/chainclient/contract/ledger"
)

func TestLedgerRefuses(t *testing.T) {
	params := ledger.LedgerParams{EpochLength: 1, ClaimDelay: 1, Quorum: 2, Bond: big.NewInt(1), MintCap: new(big.Int)}
	uncreatable := func(name string, change func(*ledger.LedgerParams)) func(*world) {
		return func(w *world) {
			p := params
			change(&p)
			w.uncreatable(name, &ledger.LedgerMetaData, led.PackConstructor(w.Book.Token, w.Book.Registry, p, [32]byte{}))
		}
	}
	const year = 365 * 24 * 3600
	claim := func(w *world, index int64, hashes, sums int, sum *big.Int) []byte {
		h, s := make([][32]byte, hashes), make([]*big.Int, sums)
		for i := range s {
			s[i] = sum
		}
		return led.PackClaim(0, w.Account(worker), tokens(1), big.NewInt(index), h, s)
	}
	anchored := func(w *world) {
		w.fill(100)
		w.anchor(w.result(0, rewards{worker: 1}))
		w.final(0)
	}
	refusals{
		"BadPeriod": func(w *world) {
			for _, change := range []func(*ledger.LedgerParams){
				func(p *ledger.LedgerParams) { p.EpochLength = 0 },
				func(p *ledger.LedgerParams) { p.EpochLength = year + 1 },
				func(p *ledger.LedgerParams) { p.CommitWindow = year + 1 },
				func(p *ledger.LedgerParams) { p.AuditWindow = year + 1 },
				func(p *ledger.LedgerParams) { p.ClaimDelay = 0 },
				func(p *ledger.LedgerParams) { p.ClaimDelay = year + 1 },
			} {
				uncreatable("BadPeriod", change)(w)
			}
		},
		"QuorumTooSmall": uncreatable("QuorumTooSmall", func(p *ledger.LedgerParams) { p.Quorum = 1 }),
		"ZeroBond":       uncreatable("ZeroBond", func(p *ledger.LedgerParams) { p.Bond = new(big.Int) }),
		"NotDeployer": func(w *world) {
			w.refused("NotDeployer", stranger, w.Book.Ledger, led.PackSetVault(w.Book.Vault))
		},
		"VaultAlreadySet": func(w *world) {
			w.refused("VaultAlreadySet", owner, w.Book.Ledger, led.PackSetVault(w.Book.Vault))
		},
		"ZeroVault": func(w *world) {
			fresh := w.create(&ledger.LedgerMetaData, led.PackConstructor(w.Book.Token, w.Book.Registry, params, [32]byte{}))
			w.refused("ZeroVault", owner, fresh, led.PackSetVault(common.Address{}))
		},
		"NotVault": func(w *world) {
			w.refused("NotVault", owner, w.Book.Ledger, led.PackCredit(big.NewInt(1)))
		},
		"BeforeStart": func(w *world) {
			w.refused("BeforeStart", stranger, w.Book.Ledger, led.PackEpochAt(w.Book.Params.Start-1))
		},
		"NotWorker": func(w *world) {
			w.AdvanceTo(w.Book.Params.End(0))
			w.refused("NotWorker", stranger, w.Book.Ledger, led.PackCommit(w.batch(0)))
		},
		"EpochNotOver": func(w *world) {
			w.bond()
			w.AdvanceTo(w.Book.Params.End(0) - 1)
			w.refused("EpochNotOver", worker, w.Book.Ledger, led.PackCommit(w.batch(0)))
			w.refused("EpochNotOver", worker, w.Book.Ledger, led.PackCommit(w.batch(1<<64-1)))
			w.refused("EpochNotOver", poster, w.Book.Ledger, led.PackAnchor(w.result(0, nil)))
			w.refused("EpochNotOver", poster, w.Book.Ledger, led.PackAnchor(w.result(1<<64-1, nil)))
			w.AdvanceTo(w.Now() + 1)
			w.allowed(worker, w.Book.Ledger, led.PackCommit(w.batch(0)))
		},
		"CommitWindowOver": func(w *world) {
			w.AdvanceTo(w.Book.Params.CommitBy(0))
			w.allowed(worker, w.Book.Ledger, led.PackCommit(w.batch(0)))
			w.AdvanceTo(w.Now() + 1)
			w.refused("CommitWindowOver", worker, w.Book.Ledger, led.PackCommit(w.batch(0)))
		},
		"AlreadyCommitted": func(w *world) {
			w.AdvanceTo(w.Book.Params.End(0))
			w.Do(worker, &w.Book.Ledger, led.PackCommit(w.batch(0)))
			other := w.batch(0)
			other.Root = [32]byte{2}
			w.refused("AlreadyCommitted", worker, w.Book.Ledger, led.PackCommit(other))
		},
		"BadDataLength": func(w *world) {
			w.fill(1)
			w.bond()
			w.audited(0)
			a := w.result(0, nil)
			for _, n := range []int{0, 129} {
				a.Data = make([]byte, n)
				w.refused("BadDataLength", poster, w.Book.Ledger, led.PackAnchor(a))
			}
			w.AdvanceTo(w.Book.Params.End(1))
			b := w.batch(1)
			for _, n := range []int{0, 129} {
				b.Data = make([]byte, n)
				w.refused("BadDataLength", worker, w.Book.Ledger, led.PackCommit(b))
			}
		},
		"BadCount": func(w *world) {
			w.AdvanceTo(w.Book.Params.End(0))
			b := w.batch(0)
			for _, n := range []uint64{0, 65537} {
				b.Count = n
				w.refused("BadCount", worker, w.Book.Ledger, led.PackCommit(b))
			}
			b.Count = 65536
			w.allowed(worker, w.Book.Ledger, led.PackCommit(b))
		},
		"AlreadyBonded": func(w *world) {
			w.bond()
			w.refused("AlreadyBonded", poster, w.Book.Ledger, led.PackPostBond())
		},
		"NotBonded": func(w *world) {
			w.audited(0)
			w.refused("NotBonded", poster, w.Book.Ledger, led.PackAnchor(w.result(0, nil)))
			w.refused("NotBonded", poster, w.Book.Ledger, led.PackWithdrawBond())
		},
		"AnchorDisputable": func(w *world) {
			w.anchor(w.result(0, nil))
			w.refused("AnchorDisputable", poster, w.Book.Ledger, led.PackWithdrawBond())
			w.final(0)
			w.allowed(poster, w.Book.Ledger, led.PackWithdrawBond())
		},
		"AuditWindowOpen": func(w *world) {
			w.bond()
			w.AdvanceTo(w.Book.Params.AuditBy(0))
			w.refused("AuditWindowOpen", poster, w.Book.Ledger, led.PackAnchor(w.result(0, nil)))
			w.AdvanceTo(w.Now() + 1)
			w.allowed(poster, w.Book.Ledger, led.PackAnchor(w.result(0, nil)))
		},
		"EpochAlreadyAnchored": func(w *world) {
			w.anchor(w.result(1, nil)) // skips epoch 0 for good
			w.final(1)
			w.refused("EpochAlreadyAnchored", poster, w.Book.Ledger, led.PackAnchor(w.result(1, nil)))
			w.refused("EpochAlreadyAnchored", poster, w.Book.Ledger, led.PackAnchor(w.result(0, nil)))
		},
		"WrongPrevious": func(w *world) {
			w.bond()
			w.audited(0)
			a := w.result(0, nil)
			a.Previous = 0
			w.refused("WrongPrevious", poster, w.Book.Ledger, led.PackAnchor(a))
			w.anchor(w.result(0, nil))
			w.final(0)
			w.audited(1)
			a = w.result(1, nil)
			a.Previous = 1<<64 - 1
			w.refused("WrongPrevious", poster, w.Book.Ledger, led.PackAnchor(a))
		},
		"PreviousNotFinal": func(w *world) {
			w.audited(1)
			w.anchor(w.result(0, nil))
			w.refused("PreviousNotFinal", poster, w.Book.Ledger, led.PackAnchor(w.result(1, nil)))
			w.final(0)
			w.allowed(poster, w.Book.Ledger, led.PackAnchor(w.result(1, nil)))
		},
		"WrongRuleset": func(w *world) {
			w.bond()
			w.audited(0)
			a := w.result(0, nil)
			a.Ruleset = [32]byte{1}
			w.refused("WrongRuleset", poster, w.Book.Ledger, led.PackAnchor(a))
		},
		"MintAboveCap": func(w *world) {
			w.bond()
			w.audited(0)
			a := w.result(0, nil)
			a.Minted = new(big.Int).Add(tokens(50), big.NewInt(1))
			w.refused("MintAboveCap", poster, w.Book.Ledger, led.PackAnchor(a))
			a.Minted = tokens(50)
			w.allowed(poster, w.Book.Ledger, led.PackAnchor(a))
		},
		"TotalOutOfRange": func(w *world) {
			w.bond()
			w.audited(0)
			a := w.result(0, nil)
			a.Total = new(big.Int).Lsh(big.NewInt(1), 128)
			w.refused("TotalOutOfRange", poster, w.Book.Ledger, led.PackAnchor(a))
		},
		"TotalDecreased": func(w *world) {
			w.fill(10)
			w.anchor(w.result(0, rewards{worker: 5}))
			w.final(0)
			w.audited(1)
			w.refused("TotalDecreased", poster, w.Book.Ledger, led.PackAnchor(w.result(1, rewards{worker: 4})))
		},
		"TotalAbovePool": func(w *world) {
			w.fill(10)
			w.bond()
			w.audited(0)
			a := w.result(0, rewards{worker: 11})
			w.refused("TotalAbovePool", poster, w.Book.Ledger, led.PackAnchor(a))
			a.Minted = tokens(1)
			w.allowed(poster, w.Book.Ledger, led.PackAnchor(a))
			a.Burned = big.NewInt(1)
			w.refused("TotalAbovePool", poster, w.Book.Ledger, led.PackAnchor(a))
			a.Burned = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
			w.refused("TotalAbovePool", poster, w.Book.Ledger, led.PackAnchor(a))
		},
		"RulesetTooEarly": func(w *world) {
			w.AdvanceTo(w.Book.Params.End(0))
			w.refused("RulesetTooEarly", owner, w.Book.Ledger, led.PackScheduleRuleset([32]byte{1}, 1))
			w.allowed(owner, w.Book.Ledger, led.PackScheduleRuleset([32]byte{1}, 2))
			w.refused("OwnableUnauthorizedAccount", stranger, w.Book.Ledger, led.PackScheduleRuleset([32]byte{1}, 2))
		},
		"NotAuditor": func(w *world) {
			w.anchor(w.result(0, nil))
			w.refused("NotAuditor", owner, w.Book.Ledger, led.PackDisable(0, [32]byte{}))
			w.refused("OwnableUnauthorizedAccount", stranger, w.Book.Ledger, led.PackSetAuditor(w.Account(stranger), true))
		},
		"NotAnchored": func(w *world) {
			w.refused("NotAnchored", auditor1, w.Book.Ledger, led.PackDisable(0, [32]byte{}))
			w.refused("NotAnchored", worker, w.Book.Ledger, w.claim(0, rewards{worker: 1}, worker))
		},
		"DisputeOver": func(w *world) {
			w.anchor(w.result(0, nil))
			w.AdvanceTo(get(w, w.Book.Ledger, led.PackAnchorOf(0), led.UnpackAnchorOf).ClaimableAt - 1)
			w.allowed(auditor1, w.Book.Ledger, led.PackDisable(0, [32]byte{}))
			w.AdvanceTo(w.Now() + 1)
			w.refused("DisputeOver", auditor1, w.Book.Ledger, led.PackDisable(0, [32]byte{}))
		},
		"AlreadyVoted": func(w *world) {
			w.anchor(w.result(0, nil))
			w.Do(auditor1, &w.Book.Ledger, led.PackDisable(0, [32]byte{}))
			w.refused("AlreadyVoted", auditor1, w.Book.Ledger, led.PackDisable(0, [32]byte{}))
		},
		"NotClaimable": func(w *world) {
			w.fill(1)
			w.anchor(w.result(0, rewards{worker: 1}))
			w.AdvanceTo(get(w, w.Book.Ledger, led.PackAnchorOf(0), led.UnpackAnchorOf).ClaimableAt - 1)
			w.refused("NotClaimable", worker, w.Book.Ledger, w.claim(0, rewards{worker: 1}, worker))
			w.AdvanceTo(w.Now() + 1)
			w.allowed(worker, w.Book.Ledger, w.claim(0, rewards{worker: 1}, worker))
		},
		"WrongProof": func(w *world) {
			anchored(w)
			w.refused("WrongProof", worker, w.Book.Ledger, w.claim(0, rewards{worker: 2}, worker))
			w.refused("WrongProof", stranger, w.Book.Ledger, w.claim(0, rewards{stranger: 1}, stranger))
			w.refused("WrongProof", stranger, w.Book.Ledger, w.claim(0, rewards{stranger: 1, worker: 1}, stranger))
		},
		"BadPathLength": func(w *world) {
			anchored(w)
			w.refused("BadPathLength", worker, w.Book.Ledger, claim(w, 0, 1, 2, new(big.Int)))
			w.refused("BadPathLength", worker, w.Book.Ledger, claim(w, 0, 33, 33, new(big.Int)))
			w.refused("WrongProof", worker, w.Book.Ledger, claim(w, 0, 32, 32, new(big.Int)))
		},
		"IndexOutOfRange": func(w *world) {
			anchored(w)
			w.refused("IndexOutOfRange", worker, w.Book.Ledger, claim(w, 1, 0, 0, new(big.Int)))
			w.refused("IndexOutOfRange", worker, w.Book.Ledger, claim(w, 4, 2, 2, new(big.Int)))
		},
		"SumOutOfRange": func(w *world) {
			anchored(w)
			top := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))
			w.refused("SumOutOfRange", worker, w.Book.Ledger, claim(w, 0, 1, 1, top))
		},
		"ClaimsAboveTotal": func(w *world) {
			w.fill(20)
			w.anchor(w.result(0, rewards{worker: 10}))
			w.final(0)
			w.Do(worker, &w.Book.Ledger, w.claim(0, rewards{worker: 10}, worker))
			// A wrong root that nobody disputed takes the worker's reward for another.
			w.anchor(w.result(1, rewards{stranger: 10}))
			w.final(1)
			w.refused("ClaimsAboveTotal", stranger, w.Book.Ledger, w.claim(1, rewards{stranger: 10}, stranger))
		},
	}.run(t, &ledger.LedgerMetaData)
}
