package contracts_test

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/chainclient/contract/ledger"
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

// agree fails the test unless Go and Solidity give the message one digest.
func (w *world) agree(m protocol.Message, to common.Address, data []byte) {
	w.t.Helper()
	want, err := protocol.Digest(w.Book.Network, m)
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := w.Try(stranger, &to, data)
	if err != nil {
		w.t.Fatal(err)
	}
	if common.Hash(out) != want {
		w.t.Errorf("%T: Solidity says %x, Go says %s", m, out, want)
	}
}

func TestGoAndSolidityAgreeOnEveryDigest(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		w.digests(r)
	}
}

func (w *world) digests(r *rand.Rand) {
	w.t.Helper()
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
			w.t.Fatal(err)
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

	o := protocol.Offer{
		Submitter: address(), Nonce: r.Uint64(), Kind: protocol.Kind(tiny()), Spec: file(), Tier: protocol.Tier(tiny()),
		Direct: address(), Value: amount(), Deadline: r.Uint64(),
	}
	w.agree(o, w.Book.Vault, vlt.PackHashOffer(vault.VaultOffer{
		Submitter: o.Submitter, Nonce: o.Nonce, Kind: uint8(o.Kind), Spec: link(o.Spec), Tier: uint8(o.Tier), Direct: o.Direct, Value: o.Value.Big(), Deadline: o.Deadline,
	}))

	v := protocol.Voucher{Offer: word(), Payer: address(), Worker: address(), Seq: r.Uint64(), Value: amount(), Receipts: word()}
	w.agree(v, w.Book.Vault, vlt.PackHashVoucher(vault.VaultVoucher{
		Offer: v.Offer, Payer: v.Payer, Worker: v.Worker, Seq: v.Seq, Value: v.Value.Big(), Receipts: v.Receipts,
	}))
	if c := get(w, w.Book.Vault, vlt.PackChannelOf(v.Offer, v.Worker), vlt.UnpackChannelOf); c != protocol.Channel(v.Offer, v.Worker) {
		w.t.Errorf("channel: Solidity says %x, Go says %s", c, protocol.Channel(v.Offer, v.Worker))
	}

	c := protocol.Receipt{
		Offer: word(), Channel: word(), Payer: address(), Worker: address(), Epoch: r.Uint64(), Seq: r.Uint64(), Kind: protocol.Kind(tiny()),
		Tier: protocol.Tier(tiny()), Origin: protocol.Origin(tiny()), Rank: tiny(), Spec: file(), Input: word(), Output: file(), Trace: word(),
		Attribution: word(), UnitsIn: r.Uint64(), UnitsOut: r.Uint64(), Value: amount(), Start: r.Uint64(), End: r.Uint64(), Previous: file(),
	}
	w.agree(c, w.Book.Ledger, led.PackHashReceipt(ledger.LedgerReceipt{
		Offer: c.Offer, Channel: c.Channel, Payer: c.Payer, Worker: c.Worker, Epoch: c.Epoch, Seq: c.Seq, Kind: uint8(c.Kind),
		Tier: uint8(c.Tier), Origin: uint8(c.Origin), Rank: c.Rank, Spec: link(c.Spec), Input: c.Input, Output: link(c.Output), Trace: c.Trace,
		Attribution: c.Attribution, UnitsIn: c.UnitsIn, UnitsOut: c.UnitsOut, Value: c.Value.Big(), Start: c.Start, End: c.End, Previous: link(c.Previous),
	}))

	b := protocol.Batch{Worker: address(), Epoch: r.Uint64(), Root: word(), Count: r.Uint64(), Data: file()}
	w.agree(b, w.Book.Ledger, led.PackHashBatch(ledger.LedgerBatch{Worker: b.Worker, Epoch: b.Epoch, Root: b.Root, Count: b.Count, Data: link(b.Data)}))

	d := protocol.Verdict{Receipt: file(), Auditor: address(), Epoch: r.Uint64(), Outcome: protocol.Outcome(tiny()), Leaf: r.Uint64(), Computed: word()}
	w.agree(d, w.Book.Ledger, led.PackHashVerdict(ledger.LedgerVerdict{
		Receipt: link(d.Receipt), Auditor: d.Auditor, Epoch: d.Epoch, Outcome: uint8(d.Outcome), Leaf: d.Leaf, Computed: d.Computed,
	}))

	a := protocol.Advert{
		Worker: address(), Capacity: r.Uint64(), PriceIn: amount(), PriceOut: amount(), PriceTrain: amount(), PricePin: amount(), Since: r.Uint64(), Until: r.Uint64(),
	}
	var models [][]byte
	for range r.IntN(4) {
		a.Engines = append(a.Engines, word().Hex()[:r.IntN(60)])
		a.Models = append(a.Models, file())
		models = append(models, link(a.Models[len(models)]))
	}
	w.agree(a, w.Book.Registry, reg.PackHashAdvert(registry.RegistryAdvert{
		Worker: a.Worker, Engines: a.Engines, Models: models, Capacity: a.Capacity, PriceIn: a.PriceIn.Big(), PriceOut: a.PriceOut.Big(),
		PriceTrain: a.PriceTrain.Big(), PricePin: a.PricePin.Big(), Since: a.Since, Until: a.Until,
	}))

	m := protocol.Claim{Offer: word(), Worker: address(), Rank: tiny(), Price: amount(), Until: r.Uint64()}
	w.agree(m, w.Book.Registry, reg.PackHashClaim(registry.RegistryClaim{Offer: m.Offer, Worker: m.Worker, Rank: m.Rank, Price: m.Price.Big(), Until: m.Until}))

	n := protocol.Decline{Offer: word(), Worker: address(), Reason: word().Hex()[:r.IntN(60)]}
	w.agree(n, w.Book.Registry, reg.PackHashDecline(registry.RegistryDecline{Offer: n.Offer, Worker: n.Worker, Reason: n.Reason}))
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
				t.Error(errors.Join(err))
			}
		}
	}
}
