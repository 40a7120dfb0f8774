package shardstream

import (
	"bytes"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/protocol/piece"
)

func seed(f *testing.F, v any) {
	f.Helper()
	b, err := protocol.Encode(v)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
}

// again checks that what was taken is the one encoding of its value.
func again(t *testing.T, b []byte, v any) {
	t.Helper()
	out, err := protocol.Encode(v)
	if err != nil || !bytes.Equal(out, b) {
		t.Fatalf("it comes back as %x: %v", out, err)
	}
}

func FuzzParseRequest(f *testing.F) {
	root := protocol.CIDOf([]byte{1})
	seed(f, request{Op: opInfo, Root: root})
	seed(f, request{Op: opRange, Root: root, At: 1 << 40, Count: MaxRange})
	seed(f, request{Op: opProve, Piece: common.Hash{1}, At: 7})
	seed(f, request{Op: opShow, Root: root, Count: 700})
	seed(f, request{Op: opProve, Root: cid.NewCidV1(cid.Raw, root.Hash())})
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := parseRequest(b)
		if err != nil {
			return
		}
		again(t, b, q)
		if !q.Root.Defined() && q.Op != opProve {
			t.Fatal("a range of nothing")
		}
		if q.Op == opShow && (q.Count == 0 || q.Count > MaxCredential) {
			t.Fatalf("a credential of %d bytes", q.Count)
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	seed(f, answer{Status: statusBusy})
	seed(f, answer{Body: []byte{1, 2}})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := parseAnswer(b)
		if err != nil {
			return
		}
		again(t, b, a)
		if a.Status != statusGood && statusErrors[a.Status] == nil {
			t.Fatal("a status that means nothing")
		}
	})
}

func FuzzParseInfo(f *testing.F) {
	seed(f, info{Piece: common.Hash{1}, Size: 5, Layer: make([]byte, 32)})
	seed(f, info{Piece: common.Hash{1}, Size: 1 << 30, Layer: make([]byte, maxLayer), Datanet: protocol.CIDOf([]byte{1})})
	f.Fuzz(func(t *testing.T, b []byte) {
		o, of, err := parseInfo(b)
		if err != nil {
			return
		}
		again(t, b, info{common.Hash(o.Piece), o.Size, flat(o.Layer), of})
		if len(o.Layer) > maxLayer/32 {
			t.Fatal("too long a layer")
		}
	})
}

func FuzzParseProof(f *testing.F) {
	seed(f, proof{Size: 1000, Leaf: make([]byte, piece.LeafSize), Path: make([]byte, 64), Signed: []byte{1}})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parseProof(b)
		if err != nil {
			return
		}
		again(t, b, p)
		a := Answer{Size: p.Size, Proof: piece.Proof{Leaf: p.Leaf, Path: hashes(p.Path)}, Signed: p.Signed}
		if err := a.Check(protocol.Network{}, common.Address{1}, common.Address{2}, piece.Hash{3}, 1000, 2); err == nil {
			t.Fatal("a forged proof holds")
		}
	})
}

func TestTheLargestMessagesFit(t *testing.T) {
	for _, v := range []any{
		answer{Body: must(t, info{Piece: common.Hash{1}, Size: 1 << 62, Layer: make([]byte, maxLayer), Datanet: protocol.CIDOf(nil)})},
		answer{Body: must(t, proof{Size: 1 << 62, Leaf: make([]byte, 256), Path: make([]byte, 56*32), Signed: make([]byte, 512)})},
	} {
		if b := must(t, v); len(b) > maxAnswer {
			t.Fatal(len(b))
		}
	}
	q := must(t, request{Op: 255, Root: protocol.CIDOf(nil), At: 1 << 63, Count: 1 << 63})
	if len(q) > maxRequest {
		t.Fatal(len(q))
	}
}

func must(t *testing.T, v any) []byte {
	t.Helper()
	b, err := protocol.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
