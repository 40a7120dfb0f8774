package storage

import (
	"bytes"
	"testing"

	"tally/protocol/piece"
)

func FuzzParseMap(f *testing.F) {
	for _, n := range []int{1, piece.LayerSpan, 3*piece.LayerSpan + 7} {
		h := piece.New(true)
		_, _ = h.Write(bytes.Repeat([]byte{7}, n))
		o := Outline{Piece: h.Root(), Size: h.Len(), Layer: h.Layer()}
		have := make([]bool, len(o.Layer))
		have[len(have)-1] = true
		b := o.encode(have)
		if _, _, err := parseMap(b, DefaultMaxShard); err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(mapMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, have, err := parseMap(b, DefaultMaxShard)
		if err != nil {
			return
		}
		if o.Size > DefaultMaxShard || len(have) != len(o.Layer) || o.Check(DefaultMaxShard) != nil {
			t.Fatalf("an unsound map is taken: %d bytes, %d spans", o.Size, len(have))
		}
		again, bits, err := parseMap(o.encode(have), DefaultMaxShard)
		if err != nil || again.Piece != o.Piece || len(bits) != len(have) {
			t.Fatal("it does not come back", err)
		}
	})
}
