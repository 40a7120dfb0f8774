package protocol

import (
	"crypto/ecdsa"
	"encoding/hex"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"
)

// The golden vectors' world: one network, two keys that anyone may know.
var testNetwork = Network{
	Name:     "golden",
	ChainID:  7357,
	Token:    common.HexToAddress("0x0000000000000000000000000000000000000a01"),
	Registry: common.HexToAddress("0x0000000000000000000000000000000000000a02"),
	Vault:    common.HexToAddress("0x0000000000000000000000000000000000000a03"),
	Ledger:   common.HexToAddress("0x0000000000000000000000000000000000000a04"),

	Possession: common.HexToAddress("0x0000000000000000000000000000000000000a05"),
}

func testKey(t testing.TB, n byte) *ecdsa.PrivateKey {
	t.Helper()
	k, err := crypto.ToECDSA(common.LeftPadBytes([]byte{n}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func testAddress(t testing.TB, n byte) common.Address {
	t.Helper()
	return crypto.PubkeyToAddress(testKey(t, n).PublicKey)
}

func testCID(s string) cid.Cid { return CIDOf([]byte(s)) }

// samples is one message of every type that is signed, none of its fields zero
// where a zero would hide a mistake.
func samples(t testing.TB) map[string]Message {
	worker, payer := testAddress(t, 1), testAddress(t, 2)
	hash := func(s string) common.Hash { return crypto.Keccak256Hash([]byte(s)) }
	offer := hash("offer")
	sig, err := hex.DecodeString("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f1b")
	if err != nil {
		t.Fatal(err)
	}
	shard := Shard{testCID("shard"), hash("piece"), 1 << 20, 77, worker, testCID("sketch"), hash("salt"), 12, sig}
	return map[string]Message{
		"Advert": Advert{
			worker,
			[]string{"exact/dk-1", "pin/1"},
			[]cid.Cid{testCID("m1"), testCID("m2")},
			3,
			NewAmount(1000), Tokens(2), NewAmount(3), NewAmount(4), 1_700_000_000, 1_700_003_600,
		},
		"Offer":   Offer{payer, 7, KindTrain, testCID("spec"), TierExact, worker, Tokens(100), 1_700_000_600},
		"Claim":   Claim{offer, worker, 1, Tokens(90), 1_700_000_300},
		"Decline": Decline{offer, worker, "busy: one training job at a time"},
		"Result":  Result{offer, worker, 9, testCID("out"), hash("trace"), 12, 34},
		"Voucher": Voucher{offer, payer, worker, 9, Tokens(5), hash("receipts")},
		"Batch":   Batch{worker, 4, hash("root"), 12, testCID("data")},
		"Verdict": Verdict{testCID("receipt"), payer, 4, OutcomeMismatch, 3, hash("computed")},
		"Receipt": Receipt{
			Offer: offer, Channel: Channel(offer, worker), Payer: payer, Worker: worker, Epoch: 4, Seq: 9,
			Kind: KindInfer, Tier: TierExact, Origin: OriginAssigned, Rank: 1, Spec: testCID("spec"),
			Input: hash("in"), Output: testCID("out"), Trace: hash("trace"), Attribution: common.Hash{},
			UnitsIn: 12, UnitsOut: 34, Value: Tokens(1), Start: 1_700_000_000, End: 1_700_000_100, Previous: testCID("before"),
		},
		"Manifest":        Manifest{"godoc", "BSD-3-Clause", "text", payer, 1, testCID("v0"), testCID("v0"), []Shard{shard}, 1_700_000_000, 3, "", []cid.Cid{testCID("gone")}, ""},
		"Retrieved":       Retrieved{worker, payer, hash("piece"), 5, hash("leaf"), 1_700_000_000},
		"RetrievalReport": RetrievalReport{payer, worker, hash("piece"), 5, RetrievalGood, 12, 256, 4, []byte{1, 2}},
		"Model": Model{
			Name: "godoc-tiny", Owner: payer, Files: testCID("files"), Base: cid.Undef, Spec: testCID("spec"), Offer: offer,
			Datanets: []cid.Cid{testCID("v1")}, Engine: "exact/dk-1", Params: 836_736, ParamHash: hash("params"), Trace: hash("trace"),
			Owners: []Share{{payer, 1}}, Contributors: []Share{{worker, 2}, {payer, 3}},
			Policy: Policy{5000, 1500, 2500, 400, 300, 300}, RateIn: NewAmount(10), RateOut: NewAmount(20), Created: 1_700_000_000,
		},
		"Contribution": shard.Contribution(testCID("v0")),
		"Withdrawal":   Withdrawal{testCID("v0"), testCID("shard"), worker, 1_700_000_000},
		"ReaderKey":    ReaderKey{worker, "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj", 1_700_000_000},
		"Grant": Grant{
			testCID("v0"), payer, worker, "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
			[]GrantedKey{{"age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg", []byte{1, 2, 3}}},
			1_700_000_000,
		},
	}
}
