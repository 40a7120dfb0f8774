package storage

import (
	"bytes"
	"testing"

	"github.com/ipfs/go-cid"
)

func FuzzParseMark(f *testing.F) {
	of := cid.MustParse("bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy")
	f.Add(append(make([]byte, 8), of.Bytes()...))
	f.Add(make([]byte, 8))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMark(b)
		if err == nil && !bytes.Equal(m.encode(), b) {
			t.Fatalf("%x is of %s", b, m.of)
		}
		if err != nil && m.of.Defined() {
			t.Fatal("a broken mark names a datanet")
		}
	})
}
