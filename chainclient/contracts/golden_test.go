package contracts_test

import (
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm/runtime"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ipfs/go-cid"

	"tally/chainclient/contract/ledger"
	"tally/chainclient/contract/possession"
	"tally/chainclient/contract/registry"
	"tally/chainclient/contract/vault"
	"tally/protocol"
)

func link(c cid.Cid) []byte {
	if !c.Defined() {
		return protocol.NoCID.Bytes()
	}
	return c.Bytes()
}

// hashCall is the call that asks the message's judge for its digest.
func hashCall(m protocol.Message) []byte {
	switch m := m.(type) {
	case protocol.Offer:
		return vlt.PackHashOffer(vault.VaultOffer{
			Submitter: m.Submitter, Nonce: m.Nonce, Kind: uint8(m.Kind), Spec: link(m.Spec), Tier: uint8(m.Tier), Direct: m.Direct,
			Value: m.Value.Big(), Deadline: m.Deadline,
		})
	case protocol.Voucher:
		return vlt.PackHashVoucher(vault.VaultVoucher{
			Offer: m.Offer, Payer: m.Payer, Worker: m.Worker, Seq: m.Seq, Value: m.Value.Big(), Receipts: m.Receipts,
		})
	case protocol.Receipt:
		return led.PackHashReceipt(ledger.LedgerReceipt{
			Offer: m.Offer, Channel: m.Channel, Payer: m.Payer, Worker: m.Worker, Epoch: m.Epoch, Seq: m.Seq, Kind: uint8(m.Kind),
			Tier: uint8(m.Tier), Origin: uint8(m.Origin), Rank: m.Rank, Spec: link(m.Spec), Input: m.Input, Output: link(m.Output),
			Trace: m.Trace, Attribution: m.Attribution, UnitsIn: m.UnitsIn, UnitsOut: m.UnitsOut, Value: m.Value.Big(),
			Start: m.Start, End: m.End, Previous: link(m.Previous),
		})
	case protocol.Batch:
		return led.PackHashBatch(ledger.LedgerBatch{Worker: m.Worker, Epoch: m.Epoch, Root: m.Root, Count: m.Count, Data: link(m.Data)})
	case protocol.Verdict:
		return led.PackHashVerdict(ledger.LedgerVerdict{
			Receipt: link(m.Receipt), Auditor: m.Auditor, Epoch: m.Epoch, Outcome: uint8(m.Outcome), Leaf: m.Leaf, Computed: m.Computed,
		})
	case protocol.Retrieved:
		return pos.PackHashRetrieved(possession.PossessionRetrieved{
			Node: m.Node, Asker: m.Asker, Piece: m.Piece, Leaf: m.Leaf, Data: m.Data, Time: m.Time,
		})
	case protocol.Advert:
		models := make([][]byte, len(m.Models))
		for i, c := range m.Models {
			models[i] = link(c)
		}
		return reg.PackHashAdvert(registry.RegistryAdvert{
			Worker: m.Worker, Engines: m.Engines, Models: models, Capacity: m.Capacity, PriceIn: m.PriceIn.Big(), PriceOut: m.PriceOut.Big(),
			PriceTrain: m.PriceTrain.Big(), PricePin: m.PricePin.Big(), Since: m.Since, Until: m.Until,
		})
	case protocol.Claim:
		return reg.PackHashClaim(registry.RegistryClaim{Offer: m.Offer, Worker: m.Worker, Rank: m.Rank, Price: m.Price.Big(), Until: m.Until})
	case protocol.Decline:
		return reg.PackHashDecline(registry.RegistryDecline{Offer: m.Offer, Worker: m.Worker, Reason: m.Reason})
	}
	return nil
}

func judge(n protocol.Network, m protocol.Message) common.Address {
	return map[protocol.Contract]common.Address{
		protocol.JudgeRegistry: n.Registry, protocol.JudgeVault: n.Vault, protocol.JudgeLedger: n.Ledger,
		protocol.JudgePossession: n.Possession,
	}[m.Judge()]
}

// The vectors that protocol keeps on file were made for a network that never
// was: the contracts' code is put at its addresses, under its chain id.
func TestSolidityGivesTheGoldenDigests(t *testing.T) {
	w := newWorld(t)
	golden := protocol.Network{
		Name: "golden", ChainID: 7357,
		Token: common.HexToAddress("0xa01"), Registry: common.HexToAddress("0xa02"), Vault: common.HexToAddress("0xa03"), Ledger: common.HexToAddress("0xa04"),
		Possession: common.HexToAddress("0xa05"),
	}
	db, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[common.Address]common.Address{
		w.Book.Registry: golden.Registry, w.Book.Vault: golden.Vault, w.Book.Ledger: golden.Ledger,
		w.Book.Possession: golden.Possession,
	} {
		code, err := w.CodeAt(t.Context(), from, nil)
		if err != nil {
			t.Fatal(err)
		}
		db.SetCode(to, code, tracing.CodeChangeUnspecified)
	}
	rules := *params.AllDevChainProtocolChanges
	rules.ChainID = new(big.Int).SetUint64(golden.ChainID)
	rules.BogotaTime = nil

	file, err := os.ReadFile("../../protocol/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors map[string]struct{ Payload, Digest, Signer, Signature string }
	if err := json.Unmarshal(file, &vectors); err != nil {
		t.Fatal(err)
	}
	compare := func(name string, m protocol.Message, err error) {
		t.Helper()
		v, ok := vectors[name]
		if !ok || err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out, _, err := runtime.Call(judge(golden, m), hashCall(m), &runtime.Config{ChainConfig: &rules, State: db, Random: new(common.Hash)})
		if err != nil {
			t.Fatal(err)
		}
		if common.HexToHash(v.Digest) != common.Hash(out) {
			t.Errorf("%s: Solidity says %x, on file is %s", name, out, v.Digest)
		}
		// And the chain's own recovery takes the signature on file for its signer's.
		sig := common.FromHex(v.Signature)
		in := append(append(out, common.LeftPadBytes(sig[64:], 32)...), sig[:64]...)
		signer, _, err := runtime.Call(common.Address{19: 1}, in, &runtime.Config{ChainConfig: &rules, State: db, Random: new(common.Hash)})
		if err != nil || common.BytesToAddress(signer) != common.HexToAddress(v.Signer) {
			t.Errorf("%s: signed by %x (%v), on file is %s", name, signer, err, v.Signer)
		}
	}
	for name := range vectors {
		payload := common.FromHex(vectors[name].Payload)
		switch name {
		case "Offer":
			m, err := decoded[protocol.Offer](payload)
			compare(name, m, err)
		case "Voucher":
			m, err := decoded[protocol.Voucher](payload)
			compare(name, m, err)
		case "Receipt":
			m, err := decoded[protocol.Receipt](payload)
			compare(name, m, err)
		case "Batch":
			m, err := decoded[protocol.Batch](payload)
			compare(name, m, err)
		case "Verdict":
			m, err := decoded[protocol.Verdict](payload)
			compare(name, m, err)
		case "Advert":
			m, err := decoded[protocol.Advert](payload)
			compare(name, m, err)
		case "Claim":
			m, err := decoded[protocol.Claim](payload)
			compare(name, m, err)
		case "Decline":
			m, err := decoded[protocol.Decline](payload)
			compare(name, m, err)
		case "Retrieved":
			m, err := decoded[protocol.Retrieved](payload)
			compare(name, m, err)
		case "Result", "Manifest", "Model", "Contribution", "Withdrawal", "ReaderKey", "Grant", "RetrievalReport": // no contract looks at these
		default:
			t.Errorf("vector %s is not compared", name)
		}
	}
}

func decoded[T any](payload []byte) (m T, err error) {
	err = protocol.Decode(payload, &m)
	return m, err
}

func TestGoAndSolidityAgreeOnEveryDigest(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		for _, m := range randomMessages(t, r) {
			want, err := protocol.Digest(w.Book.Network, m)
			if err != nil {
				t.Fatal(err)
			}
			to := judge(w.Book.Network, m)
			out, err := w.Try(stranger, &to, hashCall(m))
			if err != nil {
				t.Fatal(err)
			}
			if common.Hash(out) != want {
				t.Errorf("%+v: Solidity says %x, Go says %s", m, out, want)
			}
			if v, ok := m.(protocol.Voucher); ok {
				channel := get(w, w.Book.Vault, vlt.PackChannelOf(v.Offer, v.Worker), vlt.UnpackChannelOf)
				if channel != protocol.Channel(v.Offer, v.Worker) {
					t.Errorf("channel: Solidity says %x, Go says %s", channel, protocol.Channel(v.Offer, v.Worker))
				}
			}
		}
	}
}

// randomMessages is one of each with any numbers, CIDs and absent CIDs.
func randomMessages(t *testing.T, r *rand.Rand) []protocol.Message {
	word := func() (h common.Hash) {
		for i := range h {
			h[i] = byte(r.Uint32())
		}
		return h
	}
	address := func() common.Address { return common.BytesToAddress(word().Bytes()) }
	amount := func() protocol.Amount {
		a, err := protocol.AmountOf(word().Big())
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	file := func() cid.Cid {
		if r.IntN(4) == 0 {
			return cid.Undef
		}
		return protocol.CIDOf(word().Bytes())
	}
	tiny := func() uint8 { return uint8(r.Uint32()) }
	text := func() string { return word().Hex()[:r.IntN(60)] }

	advert := protocol.Advert{
		Worker: address(), Capacity: r.Uint64(), PriceIn: amount(), PriceOut: amount(), PriceTrain: amount(), PricePin: amount(),
		Since: r.Uint64(), Until: r.Uint64(),
	}
	for range r.IntN(4) {
		advert.Engines = append(advert.Engines, text())
		advert.Models = append(advert.Models, file())
	}
	return []protocol.Message{
		advert,
		protocol.Offer{
			Submitter: address(), Nonce: r.Uint64(), Kind: protocol.Kind(tiny()), Spec: file(), Tier: protocol.Tier(tiny()),
			Direct: address(), Value: amount(), Deadline: r.Uint64(),
		},
		protocol.Voucher{Offer: word(), Payer: address(), Worker: address(), Seq: r.Uint64(), Value: amount(), Receipts: word()},
		protocol.Receipt{
			Offer: word(), Channel: word(), Payer: address(), Worker: address(), Epoch: r.Uint64(), Seq: r.Uint64(), Kind: protocol.Kind(tiny()),
			Tier: protocol.Tier(tiny()), Origin: protocol.Origin(tiny()), Rank: tiny(), Spec: file(), Input: word(), Output: file(), Trace: word(),
			Attribution: word(), UnitsIn: r.Uint64(), UnitsOut: r.Uint64(), Value: amount(), Start: r.Uint64(), End: r.Uint64(), Previous: file(),
		},
		protocol.Batch{Worker: address(), Epoch: r.Uint64(), Root: word(), Count: r.Uint64(), Data: file()},
		protocol.Verdict{
			Receipt: file(), Auditor: address(), Epoch: r.Uint64(), Outcome: protocol.Outcome(tiny()), Leaf: r.Uint64(), Computed: word(),
		},
		protocol.Claim{Offer: word(), Worker: address(), Rank: tiny(), Price: amount(), Until: r.Uint64()},
		protocol.Decline{Offer: word(), Worker: address(), Reason: text()},
		protocol.Retrieved{Node: address(), Asker: address(), Piece: word(), Leaf: r.Uint64(), Data: word(), Time: r.Uint64()},
	}
}

func TestEveryLeafOfATreeBuiltInGoIsProvedInSolidity(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 2, 3, 4, 5, 8, 13} {
		leaves := make([]protocol.SumLeaf, n)
		for i := range leaves {
			leaves[i] = protocol.SumLeaf{
				Account: common.BigToAddress(big.NewInt(int64(i)<<32 + r.Int64N(1<<32))),
				Value:   protocol.Tokens(r.Uint64N(1 << 50)),
			}
		}
		tree, err := protocol.NewSumTree(leaves)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range leaves {
			value, index, path, err := tree.Prove(l.Account)
			if err != nil {
				t.Fatal(err)
			}
			hashes, sums := make([][32]byte, len(path)), make([]*big.Int, len(path))
			for k, p := range path {
				hashes[k], sums[k] = p.Hash, p.Sum.Big()
			}
			got := get(w, w.Book.Ledger, led.PackRootOf(l.Account, value.Big(), new(big.Int).SetUint64(index), hashes, sums), led.UnpackRootOf)
			if got.Root != tree.Root().Hash || got.Total.Cmp(tree.Root().Sum.Big()) != 0 {
				t.Errorf("leaf %d of %d: Solidity says %x, %s; Go says %v", index, n, got.Root, got.Total, tree.Root())
			}
			if err := protocol.VerifySum(tree.Root(), l, index, path); err != nil {
				t.Error(err)
			}
		}
	}
}
