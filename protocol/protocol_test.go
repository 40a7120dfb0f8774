package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"
)

type bytesWriter []byte

func (w *bytesWriter) Write(p []byte) (int, error) { *w = append(*w, p...); return len(p), nil }

func newBytesReader(b []byte) *bytes.Reader { return bytes.NewReader(b) }

func sampleReceipt(t testing.TB) Receipt { return samples(t)["Receipt"].(Receipt) }

func TestOneFlippedBitIsCaughtWhereverItIs(t *testing.T) {
	c, err := IssueReceipt(testNetwork, testKey(t, 1), sampleReceipt(t))
	if err != nil {
		t.Fatal(err)
	}
	c, err = c.Cosign(testNetwork, testKey(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	b := c.Bytes()
	for i := range len(b) * 8 {
		bad := slices.Clone(b)
		bad[i/8] ^= 1 << (i % 8)
		p, err := ParseCosigned(bad)
		if err == nil {
			_, _, err = p.Open(testNetwork)
		}
		if err == nil {
			t.Fatalf("bit %d of byte %d flipped and nobody noticed", i%8, i/8)
		}
	}
}

func TestHighSTwinIsRefused(t *testing.T) {
	s, err := Sign(testNetwork, testKey(t, 2), samples(t)["Voucher"].(Voucher))
	if err != nil {
		t.Fatal(err)
	}
	n := crypto.S256().Params().N
	twin := slices.Clone(s.sig)
	new(big.Int).Sub(n, new(big.Int).SetBytes(twin[32:64])).FillBytes(twin[32:64])
	twin[64] ^= 27 ^ 28
	d, err := Digest(testNetwork, samples(t)["Voucher"])
	if err != nil {
		t.Fatal(err)
	}
	raw := slices.Clone(twin)
	raw[64] -= 27
	pub, err := crypto.SigToPub(d[:], raw)
	if err != nil || crypto.PubkeyToAddress(*pub) != testAddress(t, 2) {
		t.Fatalf("the twin is no twin: %v", err)
	}
	if _, err := (Signed[Voucher]{s.payload, twin}).Open(testNetwork); !errors.Is(err, ErrSignature) {
		t.Fatalf("twin opened: %v", err)
	}
	for _, v := range []byte{0, 1, 2, 26, 29, 255} {
		bad := slices.Clone(s.sig)
		bad[64] = v
		if _, err := (Signed[Voucher]{s.payload, bad}).Open(testNetwork); !errors.Is(err, ErrSignature) {
			t.Errorf("v = %d opened: %v", v, err)
		}
	}
}

func TestMessageOfAnotherNetworkIsRefused(t *testing.T) {
	s, err := Sign(testNetwork, testKey(t, 1), samples(t)["Claim"].(Claim))
	if err != nil {
		t.Fatal(err)
	}
	other := testNetwork
	other.ChainID++
	if _, err := s.Open(other); !errors.Is(err, ErrSignature) {
		t.Fatalf("opened on another chain: %v", err)
	}
	other = testNetwork
	other.Registry[0]++
	if _, err := s.Open(other); !errors.Is(err, ErrSignature) {
		t.Fatalf("opened for another contract: %v", err)
	}
	if other.ID() == testNetwork.ID() {
		t.Fatal("two networks share an id")
	}
}

func TestOnlyTheAuthorCanSign(t *testing.T) {
	if _, err := Sign(testNetwork, testKey(t, 1), samples(t)["Voucher"].(Voucher)); !errors.Is(err, ErrSignature) {
		t.Fatalf("the worker signed the payer's voucher: %v", err)
	}
	c, err := IssueReceipt(testNetwork, testKey(t, 1), sampleReceipt(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Cosign(testNetwork, testKey(t, 1)); !errors.Is(err, ErrSignature) {
		t.Fatalf("the worker co-signed its own receipt: %v", err)
	}
	if _, cosigned, err := c.Open(testNetwork); err != nil || cosigned {
		t.Fatalf("worker's signature alone: cosigned %v, %v", cosigned, err)
	}
}

func TestBothSignaturesMeetOnOneID(t *testing.T) {
	c, err := IssueReceipt(testNetwork, testKey(t, 1), sampleReceipt(t))
	if err != nil {
		t.Fatal(err)
	}
	both, err := c.Cosign(testNetwork, testKey(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	if !c.ID().Equals(both.ID()) || c.CID().Equals(both.CID()) {
		t.Fatal("want one id and two envelopes")
	}
	back, err := ParseCosigned(both.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	r, cosigned, err := back.Open(testNetwork)
	if err != nil || !cosigned || !reflect.DeepEqual(r, sampleReceipt(t)) {
		t.Fatalf("came back %v %v %+v", err, cosigned, r)
	}
}

func TestOtherEncodingsOfAMessageAreRefused(t *testing.T) {
	good, err := Encode(samples(t)["Voucher"])
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string][]byte{
		"empty":            {},
		"truncated":        good[:len(good)-1],
		"trailing byte":    append(slices.Clone(good), 0),
		"long array head":  append([]byte{0x98, 0x06}, good[1:]...),
		"indefinite array": append([]byte{0x9f}, good[1:]...),
		"too few fields":   append([]byte{0x85}, good[1:]...),
	}
	for name, b := range cases {
		var v Voucher
		if err := Decode(b, &v); !errors.Is(err, ErrEncoding) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var d Decline
	long, err := Encode(struct {
		Offer  common.Hash
		Worker common.Address
		Reason string `max:"1000"`
	}{Reason: strings.Repeat("x", 300)})
	if err != nil {
		t.Fatal(err)
	}
	if err := Decode(long, &d); !errors.Is(err, ErrTooLarge) {
		t.Errorf("long reason: %v", err)
	}
}

func TestHostileListLengthCostsNothing(t *testing.T) {
	// A list that claims 4,294,967,295 elements in 9 bytes.
	b := []byte{0x83, 0x54}
	b = append(b, make([]byte, 20)...)
	b = append(b, 0x00, 0x9a, 0xff, 0xff, 0xff, 0xff)
	var d BatchData
	if err := Decode(b, &d); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("got %v", err)
	}
}

func TestAmountsAreCheckedAndDecimal(t *testing.T) {
	a, err := ParseAmount("1000000000000000000")
	if err != nil || a != Tokens(1) {
		t.Fatalf("%v %v", a, err)
	}
	for _, s := range []string{"", "-1", "1e18", "0x10", " 1", strings.Repeat("9", 79)} {
		if _, err := ParseAmount(s); !errors.Is(err, ErrAmount) {
			t.Errorf("%q: %v", s, err)
		}
	}
	if _, err := NewAmount(1).Sub(NewAmount(2)); !errors.Is(err, ErrAmount) {
		t.Errorf("1-2: %v", err)
	}
	top, err := AmountOf(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := top.Add(NewAmount(1)); !errors.Is(err, ErrAmount) {
		t.Errorf("overflow: %v", err)
	}
	if got, err := top.MulDiv(10_000, 10_000); err != nil || got != top {
		t.Errorf("wide product: %v %v", got, err)
	}
	j, err := json.Marshal(struct{ A Amount }{Tokens(3)})
	if err != nil || string(j) != `{"A":"3000000000000000000"}` {
		t.Errorf("%s %v", j, err)
	}
}

func TestMerkleProofsLeadToTheRootAndOthersDoNot(t *testing.T) {
	for n := 1; n <= 17; n++ {
		leaves := make([]common.Hash, n)
		for i := range leaves {
			leaves[i] = LeafHash([]byte{byte(i)})
		}
		root := MerkleRoot(leaves)
		for i := range leaves {
			path, err := MerkleProof(leaves, i)
			if err != nil {
				t.Fatal(err)
			}
			if err := VerifyMerkle(root, leaves[i], uint64(i), path); err != nil {
				t.Errorf("leaf %d of %d: %v", i, n, err)
			}
			if n > 1 {
				if VerifyMerkle(root, leaves[(i+1)%n], uint64(i), path) == nil {
					t.Errorf("another leaf passes for %d of %d", i, n)
				}
				if VerifyMerkle(root, leaves[i], uint64(i)|1<<len(path), path) == nil {
					t.Errorf("an index past the path passes")
				}
			}
		}
	}
	if MerkleRoot(nil) != (common.Hash{}) {
		t.Error("the empty tree has a root")
	}
}

func TestSumTreeProvesValuesAndTotal(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20 {
		n := 1 + r.IntN(20)
		leaves := make([]SumLeaf, n)
		var total Amount
		for i := range leaves {
			leaves[i].Account[0], leaves[i].Account[19] = byte(i), byte(r.Uint32())
			leaves[i].Value = NewAmount(r.Uint64())
			var err error
			if total, err = total.Add(leaves[i].Value); err != nil {
				t.Fatal(err)
			}
		}
		tree, err := NewSumTree(leaves)
		if err != nil {
			t.Fatal(err)
		}
		if tree.Root().Sum != total {
			t.Fatalf("root sums to %s, leaves to %s", tree.Root().Sum, total)
		}
		for _, l := range leaves {
			v, i, path, err := tree.Prove(l.Account)
			if err != nil || v != l.Value {
				t.Fatal(v, err)
			}
			if err := VerifySum(tree.Root(), l, i, path); err != nil {
				t.Fatal(err)
			}
			more := l
			more.Value, _ = l.Value.Add(NewAmount(1))
			if VerifySum(tree.Root(), more, i, path) == nil {
				t.Fatal("one unit more passes")
			}
		}
	}
	twice := []SumLeaf{{Account: common.Address{1}}, {Account: common.Address{1}}}
	if _, err := NewSumTree(twice); !errors.Is(err, ErrTree) {
		t.Errorf("one account twice: %v", err)
	}
}

func TestRankingFollowsWeights(t *testing.T) {
	cands := []Candidate{{common.Address{1}, 1_000_000}, {common.Address{2}, 3_000_000}, {common.Address{3}, 0}}
	first := 0
	const draws = 4000
	for i := range draws {
		order := Rank(common.Hash{byte(i), byte(i >> 8)}, common.Hash{7}, cands)
		if len(order) != 2 {
			t.Fatalf("weight zero is ranked: %v", order)
		}
		if order[0] == (common.Address{2}) {
			first++
		}
	}
	if p := float64(first) / draws; math.Abs(p-0.75) > 0.03 {
		t.Errorf("weight 3 of 4 is first in %.3f of draws", p)
	}
	rev := slices.Clone(cands)
	slices.Reverse(rev)
	if !slices.Equal(Rank(common.Hash{1}, common.Hash{2}, cands), Rank(common.Hash{1}, common.Hash{2}, rev)) {
		t.Error("the order depends on the order of the candidates")
	}
}

func TestBinaryLogarithmIsAsPreciseAsPromised(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		x := r.Uint64() >> r.IntN(64)
		got := float64(negLog2(x)) / (1 << 48)
		want := 64 - math.Log2(float64(x)+1)
		if math.Abs(got-want) > 1e-9 {
			t.Fatalf("x %d: %g, want %g", x, got, want)
		}
	}
}

func TestAbsentLinkComesBackAbsent(t *testing.T) {
	m := samples(t)["Model"].(Model)
	b, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	var back Model
	if err := Decode(b, &back); err != nil {
		t.Fatal(err)
	}
	if back.Base != cid.Undef {
		t.Errorf("absent link came back as %s", back.Base)
	}
}
