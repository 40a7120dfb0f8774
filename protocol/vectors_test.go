package protocol

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"sort"
	"testing"
	"unicode"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
	"github.com/ipfs/go-cid"
	"github.com/ipld/go-ipld-prime/codec/dagcbor"
	"github.com/ipld/go-ipld-prime/node/basicnode"
)

var update = flag.Bool("update", false, "rewrite testdata/vectors.json")

// vector is what another implementation needs to agree to the byte.
type vector struct {
	Type      string `json:"type"`      // EIP-712 encodeType
	Payload   string `json:"payload"`   // dag-cbor, hex
	ID        string `json:"id"`        // CID of the payload
	Digest    string `json:"digest"`    // EIP-712
	Signer    string `json:"signer"`    // account
	Signature string `json:"signature"` // hex
	Envelope  string `json:"envelope"`  // CID of the envelope
}

func vectorOf[T Message](t *testing.T, m T) vector {
	t.Helper()
	key := testKey(t, 1)
	if m.Author() == testAddress(t, 2) {
		key = testKey(t, 2)
	}
	s, err := Sign(testNetwork, key, m)
	if err != nil {
		t.Fatal(err)
	}
	ts, err := TypeString(m)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Digest(testNetwork, m)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseSigned[T](s.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got, err := back.Open(testNetwork)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, m) {
		t.Fatalf("came back as\n%+v, was\n%+v", got, m)
	}
	return vector{ts, hex.EncodeToString(s.payload), s.ID().String(), d.Hex(), m.Author().Hex(), hex.EncodeToString(s.sig), s.CID().String()}
}

func goldenVectors(t *testing.T) map[string]vector {
	out := map[string]vector{}
	for name, m := range samples(t) {
		switch m := m.(type) {
		case Advert:
			out[name] = vectorOf(t, m)
		case Offer:
			out[name] = vectorOf(t, m)
		case Claim:
			out[name] = vectorOf(t, m)
		case Decline:
			out[name] = vectorOf(t, m)
		case Result:
			out[name] = vectorOf(t, m)
		case Voucher:
			out[name] = vectorOf(t, m)
		case Batch:
			out[name] = vectorOf(t, m)
		case Verdict:
			out[name] = vectorOf(t, m)
		case Receipt:
			out[name] = vectorOf(t, m)
		case Manifest:
			out[name] = vectorOf(t, m)
		case Model:
			out[name] = vectorOf(t, m)
		case Contribution:
			out[name] = vectorOf(t, m)
		case Withdrawal:
			out[name] = vectorOf(t, m)
		case ReaderKey:
			out[name] = vectorOf(t, m)
		case Grant:
			out[name] = vectorOf(t, m)
		case Retrieved:
			out[name] = vectorOf(t, m)
		case RetrievalReport:
			out[name] = vectorOf(t, m)
		default:
			t.Fatalf("no vector for %T", m)
		}
	}
	return out
}

func TestGoldenVectorsStandByteForByte(t *testing.T) {
	got := goldenVectors(t)
	const file = "testdata/vectors.json"
	if *update {
		b, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]vector
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if len(want) != len(got) {
		t.Errorf("%d vectors on file, %d types", len(want), len(got))
	}
	for name, g := range got {
		if g != want[name] {
			t.Errorf("%s changed on the wire:\n got %+v\nwant %+v", name, g, want[name])
		}
	}
}

// Independent implementations: go-ethereum's typed-data hashing for digests,
// go-ipld-prime's strict dag-cbor for bytes.

func TestDigestsEqualGoEthereumsTypedData(t *testing.T) {
	for name, m := range samples(t) {
		types := apitypes.Types{"EIP712Domain": {
			{Name: "name", Type: "string"},
			{Name: "version", Type: "string"},
			{Name: "chainId", Type: "uint256"},
			{Name: "verifyingContract", Type: "address"},
		}}
		msg := typedMessage(t, reflect.ValueOf(m), types)
		at := map[Contract]common.Address{JudgeRegistry: testNetwork.Registry, JudgeVault: testNetwork.Vault, JudgeLedger: testNetwork.Ledger, JudgePossession: testNetwork.Possession}[m.Judge()]
		d, _, err := apitypes.TypedDataAndHash(apitypes.TypedData{
			Types: types, PrimaryType: name, Message: msg,
			Domain: apitypes.TypedDataDomain{Name: "Tally", Version: "1", ChainId: math.NewHexOrDecimal256(int64(testNetwork.ChainID)), VerifyingContract: at.Hex()},
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		mine, err := Digest(testNetwork, m)
		if err != nil {
			t.Fatal(err)
		}
		if mine != common.BytesToHash(d) {
			t.Errorf("%s: digest %s, go-ethereum has %x", name, mine, d)
		}
	}
}

func typedMessage(t *testing.T, v reflect.Value, types apitypes.Types) apitypes.TypedDataMessage {
	t.Helper()
	out := apitypes.TypedDataMessage{}
	var fields []apitypes.Type
	for i := range v.NumField() {
		f := []rune(v.Type().Field(i).Name)
		f[0] = unicode.ToLower(f[0])
		sol, _, err := solidityType(v.Type().Field(i).Type)
		if err != nil {
			t.Fatal(err)
		}
		fields = append(fields, apitypes.Type{Name: string(f), Type: sol})
		out[string(f)] = typedValue(t, v.Field(i), types)
	}
	types[v.Type().Name()] = fields
	return out
}

func typedValue(t *testing.T, v reflect.Value, types apitypes.Types) any {
	t.Helper()
	switch x := v.Interface().(type) {
	case common.Address:
		return x.Hex()
	case common.Hash:
		return x[:]
	case Amount:
		return (*math.HexOrDecimal256)(x.Big())
	case cid.Cid:
		if !x.Defined() {
			x = NoCID
		}
		return x.Bytes()
	case []byte:
		return x
	case string:
		return x
	}
	switch v.Kind() {
	case reflect.Slice:
		list := []any{}
		for i := range v.Len() {
			list = append(list, typedValue(t, v.Index(i), types))
		}
		return list
	case reflect.Struct:
		return map[string]any(typedMessage(t, v, types))
	}
	return (*math.HexOrDecimal256)(NewAmount(v.Uint()).Big())
}

func TestPayloadsAreStrictDagCBOR(t *testing.T) {
	opts := dagcbor.DecodeOptions{AllowLinks: true, DontParseBeyondEnd: false}
	names := []string{}
	all := samples(t)
	for n := range all {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		b, err := Encode(all[n])
		if err != nil {
			t.Fatal(err)
		}
		nb := basicnode.Prototype.Any.NewBuilder()
		if err := opts.Decode(nb, newBytesReader(b)); err != nil {
			t.Errorf("%s: %v", n, err)
			continue
		}
		var again bytesWriter
		if err := dagcbor.Encode(nb.Build(), &again); err != nil {
			t.Fatal(err)
		}
		if string(again) != string(b) {
			t.Errorf("%s: go-ipld-prime writes it as %x, we as %x", n, []byte(again), b)
		}
	}
}
