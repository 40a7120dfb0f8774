package contracts_test

import (
	"fmt"
	"math/big"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"tally/chainclient/chaintest"
	"tally/chainclient/contract/ledger"
	"tally/chainclient/contract/possession"
	"tally/chainclient/contract/registry"
	"tally/chainclient/contract/token"
	"tally/chainclient/contract/vault"
	"tally/protocol"
)

// The README quotes what each call costs; this measures it. Run it with -v for a
// new table. Bytes of times and addresses in the call data make up to 1 %, the
// draws of a proof up to 5 %: leaves that lie near one another cost less.
func TestGasIsWhatTheReadmeSays(t *testing.T) {
	measured := measureGas(t)
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]uint64{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \| ([\d,]+) \|$`).FindAllStringSubmatch(string(readme), -1) {
		n, err := strconv.ParseUint(strings.ReplaceAll(row[2], ",", ""), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		said[row[1]] = n
	}
	var table strings.Builder
	for _, m := range measured {
		fmt.Fprintf(&table, "| %s | %s |\n", m.call, thousands(m.gas))
		percent := uint64(1)
		if strings.HasPrefix(m.call, "Possession.prove") {
			percent = 5
		}
		if s := said[m.call]; m.gas*100 > s*(100+percent) || m.gas*(100+percent) < s*100 {
			t.Errorf("%s costs %d, the README says %d", m.call, m.gas, s)
		}
	}
	t.Log("\n" + table.String())
	if len(said) != len(measured) {
		t.Errorf("the README has %d rows, %d were measured", len(said), len(measured))
	}
}

func sequence(from, to uint64) (out []uint64) {
	for n := from; n < to; n++ {
		out = append(out, n)
	}
	return out
}

func thousands(n uint64) string {
	if n < 1000 {
		return strconv.FormatUint(n, 10)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

type cost struct {
	call string
	gas  uint64
}

func measureGas(t *testing.T) (costs []cost) {
	w := newWorld(t)
	note := func(call string, r *types.Receipt) { costs = append(costs, cost{call, r.GasUsed}) }
	code := func(bin string, args []byte) []byte { return append(common.FromHex(bin), args...) }
	note("deploy Token", w.Do(owner, nil, code(token.TokenMetaData.Bin, tok.PackConstructor(tokens(1)))))
	note("deploy Registry", w.Do(owner, nil, code(registry.RegistryMetaData.Bin, nil)))
	note("deploy Vault", w.Do(owner, nil, code(vault.VaultMetaData.Bin, vlt.PackConstructor(w.Book.Token))))
	note("deploy Ledger", w.Do(owner, nil, code(ledger.LedgerMetaData.Bin, led.PackConstructor(w.Book.Token, w.Book.Registry,
		ledger.LedgerParams{EpochLength: 1, ClaimDelay: 1, Quorum: 2, Bond: big.NewInt(1), MintCap: big.NewInt(1)}, [32]byte{1}))))
	note("deploy Possession", w.Do(owner, nil, code(possession.PossessionMetaData.Bin, pos.PackConstructor(w.Book.Registry, w.Book.Ledger, 16, 5))))

	key := crypto.CompressPubkey(&w.Keys[worker].PublicKey)
	note("Registry.register, 3 classes", w.Do(worker, &w.Book.Registry, reg.PackRegister(key, w.Account(stranger), [][32]byte{{1}, {2}, {3}})))
	note("Registry.commit", w.Do(stranger, &w.Book.Registry, reg.PackCommit([32]byte{1})))
	note("Registry.setPayout", w.Do(worker, &w.Book.Registry, reg.PackSetPayout(common.Address{7})))

	note("Token.approve", w.Do(payer, &w.Book.Token, tok.PackApprove(w.Book.Vault, tokens(100))))
	note("Vault.deposit", w.Do(payer, &w.Book.Vault, vlt.PackDeposit(tokens(100))))
	o := w.offer()
	o.Spec = link(protocol.CIDOf([]byte("spec")))
	o.Deadline = w.Now() + 600
	first := w.Do(payer, &w.Book.Vault, vlt.PackOpenOffer(o))
	note("Vault.openOffer, the first", first)
	id := get(w, w.Book.Vault, vlt.PackHashOffer(o), vlt.UnpackHashOffer)
	one := o
	for one.Nonce++; one.Nonce < 63; one.Nonce++ {
		one.Value = tokens(1)
		w.Do(payer, &w.Book.Vault, vlt.PackOpenOffer(one))
	}
	note("Vault.openOffer, the 64th lock", w.Do(payer, &w.Book.Vault, vlt.PackOpenOffer(one)))
	note("Vault.redeem, a new channel, the first", w.redeem(w.voucher(id, 10)))
	note("Vault.redeem, the same channel again", w.redeem(w.voucher(id, 20)))
	note("Vault.redeem, nothing more", w.redeem(w.voucher(id, 20)))
	note("Vault.withdraw, 64 locks", w.Do(payer, &w.Book.Vault, vlt.PackWithdraw(tokens(1))))

	epoch := (w.Now() - w.Book.Params.Start) / w.Book.Params.EpochLength
	w.AdvanceTo(w.Book.Params.End(epoch))
	b := w.batch(epoch)
	b.Data = link(protocol.CIDOf([]byte("batch")))
	note("Ledger.commit", w.Do(worker, &w.Book.Ledger, led.PackCommit(b)))
	note("Ledger.postBond", w.Do(poster, &w.Book.Ledger, led.PackPostBond()))

	// A tree of depth 20: the worker's leaf and nothing else, under twenty empty siblings.
	deep := func(tokens uint64) (root protocol.SumNode, data func(epoch uint64) []byte) {
		leaf := protocol.SumLeaf{Account: w.Account(worker), Value: protocol.Tokens(tokens)}
		hashes, sums := make([][32]byte, 20), make([]*big.Int, 20)
		for i := range sums {
			hashes[i], sums[i] = crypto.Keccak256Hash([]byte{byte(i)}), new(big.Int)
		}
		out := get(w, w.Book.Ledger, led.PackRootOf(leaf.Account, leaf.Value.Big(), big.NewInt(0b1010), hashes, sums), led.UnpackRootOf)
		root = protocol.SumNode{Hash: out.Root, Sum: leaf.Value}
		return root, func(epoch uint64) []byte {
			return led.PackClaim(epoch, leaf.Account, leaf.Value.Big(), big.NewInt(0b1010), hashes, sums)
		}
	}
	for i, n := range []uint64{5, 9} {
		root, claim := deep(n)
		a := w.result(epoch, nil)
		a.Root, a.Total, a.Data, a.Commitments = root.Hash, root.Sum.Big(), link(protocol.CIDOf([]byte("epoch"))), [32]byte{1}
		a.Minted, a.Burned = tokens(1), tokens(2)
		w.audited(epoch)
		r := w.Do(poster, &w.Book.Ledger, led.PackAnchor(a))
		w.final(epoch)
		c := w.Do(stranger, &w.Book.Ledger, claim(epoch))
		if i == 0 {
			note("Ledger.anchor, the first", r)
			note("Ledger.claim, depth 20, makes the root final, the account's first", c)
		} else {
			note("Ledger.anchor", r)
			note("Ledger.claim, depth 20, makes the root final", c)
		}
		if i == 1 {
			note("Ledger.claim, nothing more", w.Do(stranger, &w.Book.Ledger, claim(epoch)))
		}
		epoch++
	}
	w.anchor(w.result(epoch, rewards{worker: 10}))
	note("Ledger.disable, the first vote", w.Do(auditor1, &w.Book.Ledger, led.PackDisable(epoch, [32]byte{1})))
	note("Ledger.disable, the vote that disables", w.Do(auditor2, &w.Book.Ledger, led.PackDisable(epoch, [32]byte{1})))
	return append(costs, possessionGas(t)...)
}

// maxProof is what a proof of five leaves over pieces of 1 GiB may cost.
const maxProof = 240_000

// possessionGas measures with pieces of 1 GiB whose bytes are not zero: the most
// that a proof can cost, since call data is paid by the byte that is not.
func possessionGas(t *testing.T) (costs []cost) {
	w := newWorld(t)
	to := &w.Book.Possession
	note := func(call string, r *types.Receipt) { costs = append(costs, cost{call, r.GasUsed}) }
	proof := func(call string, r *types.Receipt) {
		note(call, r)
		if r.GasUsed > maxProof {
			t.Errorf("%s costs %d, at most %d was promised", call, r.GasUsed, maxProof)
		}
	}
	h, shard := w.holder(worker), gibibyte(t)
	many := slices.Repeat([]file{shard}, 64)
	note("Possession.add, a first piece", h.add(shard))
	w.begin()
	proof("Possession.prove, 5 leaves of 1 GiB, the first", h.prove())
	note("Possession.add, 64 pieces", h.add(many...))
	w.begin()
	proof("Possession.prove, 5 leaves of 1 GiB, of 65 pieces", h.prove())
	note("Possession.remove, 1 of 65 pieces", h.remove(30))
	note("Possession.remove, 32 of 64 pieces", h.remove(sequence(32, 64)...))
	for range 15 {
		h.add(many...)
	}
	w.begin()
	proof("Possession.prove, 5 leaves of 1 GiB, of 992 pieces", h.prove())
	w.begin()
	w.begin()
	note("Possession.poke, 1 period missed", w.Do(stranger, to, pos.PackPoke(h.addr())))
	note("Possession.forfeit", w.Do(h.i, to, pos.PackForfeit(w.period())))
	note("Possession.demand", w.Do(auditor1, to, pos.PackDemand(h.addr(), 900, 4_000_000)))
	note("Possession.answer", w.Do(h.i, to, pos.PackAnswer(h.proof(900, 4_000_000))))
	w.Do(auditor1, to, pos.PackDemand(h.addr(), 900, 4_000_000))
	w.mine(chaintest.ProofPeriod)
	note("Possession.expire", w.Do(stranger, to, pos.PackExpire(h.addr(), w.Account(auditor1))))
	r, sig := w.retrieved(shard, 4_000_000, common.Hash{1})
	p := shard.prove(t, 4_000_000)
	note("Possession.accuse", w.Do(stranger, to, pos.PackAccuse(r, sig, shard.size, p.Leaf, p.Path)))

	const long = 300 // blocks: the machine itself remembers 256 hashes
	w.Book.Possession = w.create(&possession.PossessionMetaData, pos.PackConstructor(w.Book.Registry, w.Book.Ledger, long, 5))
	w.Book.Params.ProofPeriod = long
	h = &holder{w: w, i: worker, files: map[uint64]file{}}
	for range 16 {
		h.add(many...)
	}
	w.begin()
	w.mine(long - 3)
	proof("Possession.prove, 5 leaves of 1 GiB, of 1,024 pieces, the seed from the history of hashes", h.prove())
	return costs
}
