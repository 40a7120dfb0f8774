package protocol

import (
	"bytes"
	"reflect"
	"testing"
)

// fuzzDocument checks that whatever decodes encodes to the same bytes.
func fuzzDocument(f *testing.F, proto any) {
	b, err := Encode(proto)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{0x80})
	typ := reflect.TypeOf(proto)
	f.Fuzz(func(t *testing.T, b []byte) {
		v := reflect.New(typ)
		if Decode(b, v.Interface()) != nil {
			return
		}
		again, err := Encode(v.Interface())
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x decodes to %+v, which encodes to %x (%v)", b, v.Elem(), again, err)
		}
		if _, err := StructHash(v.Interface()); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzAdvert(f *testing.F)       { fuzzDocument(f, samples(f)["Advert"]) }
func FuzzOffer(f *testing.F)        { fuzzDocument(f, samples(f)["Offer"]) }
func FuzzClaim(f *testing.F)        { fuzzDocument(f, samples(f)["Claim"]) }
func FuzzDecline(f *testing.F)      { fuzzDocument(f, samples(f)["Decline"]) }
func FuzzResult(f *testing.F)       { fuzzDocument(f, samples(f)["Result"]) }
func FuzzVoucher(f *testing.F)      { fuzzDocument(f, samples(f)["Voucher"]) }
func FuzzBatch(f *testing.F)        { fuzzDocument(f, samples(f)["Batch"]) }
func FuzzVerdict(f *testing.F)      { fuzzDocument(f, samples(f)["Verdict"]) }
func FuzzReceipt(f *testing.F)      { fuzzDocument(f, samples(f)["Receipt"]) }
func FuzzManifest(f *testing.F)     { fuzzDocument(f, samples(f)["Manifest"]) }
func FuzzModel(f *testing.F)        { fuzzDocument(f, samples(f)["Model"]) }
func FuzzContribution(f *testing.F) { fuzzDocument(f, samples(f)["Contribution"]) }
func FuzzWithdrawal(f *testing.F)   { fuzzDocument(f, samples(f)["Withdrawal"]) }
func FuzzReaderKey(f *testing.F)    { fuzzDocument(f, samples(f)["ReaderKey"]) }
func FuzzGrant(f *testing.F)        { fuzzDocument(f, samples(f)["Grant"]) }
func FuzzInferSpec(f *testing.F)    { fuzzDocument(f, InferSpec{}) }
func FuzzTrainSpec(f *testing.F)    { fuzzDocument(f, TrainSpec{}) }
func FuzzPinSpec(f *testing.F)      { fuzzDocument(f, PinSpec{}) }
func FuzzInferRequest(f *testing.F) { fuzzDocument(f, InferRequest{Stop: []string{"a"}}) }
func FuzzInferOutput(f *testing.F)  { fuzzDocument(f, InferOutput{Tokens: []uint32{1, 70000}}) }
func FuzzTranscript(f *testing.F)   { fuzzDocument(f, Transcript{}) }
func FuzzTrainTrace(f *testing.F)   { fuzzDocument(f, TrainTrace{}) }
func FuzzTrainOutput(f *testing.F)  { fuzzDocument(f, TrainOutput{}) }
func FuzzBatchData(f *testing.F)    { fuzzDocument(f, BatchData{}) }

func FuzzSignedEnvelope(f *testing.F) {
	s, err := Sign(testNetwork, testKey(f, 2), samples(f)["Voucher"].(Voucher))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseSigned[Voucher](b)
		if err != nil {
			return
		}
		if !bytes.Equal(s.Bytes(), b) {
			t.Fatal("an envelope has two encodings")
		}
		_, _ = s.Open(testNetwork)
	})
}

func FuzzCosignedEnvelope(f *testing.F) {
	c, err := IssueReceipt(testNetwork, testKey(f, 1), sampleReceipt(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCosigned(b)
		if err != nil {
			return
		}
		if !bytes.Equal(c.Bytes(), b) {
			t.Fatal("an envelope has two encodings")
		}
		_, _, _ = c.Open(testNetwork)
	})
}
