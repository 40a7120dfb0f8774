package retrieval

import (
	"bytes"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/rewards/rewardstest"
)

// Whatever a holder sends: only its own word on the right leaf passes as good, and
// only its own word speaks against it.
func FuzzAnswersFromHolders(f *testing.F) {
	file := bytes.Repeat([]byte("shard"), 200)
	root, size, err := piece.Sum(bytes.NewReader(file))
	if err != nil {
		f.Fatal(err)
	}
	right, err := piece.Prove(bytes.NewReader(file), size, 2)
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1_000_000, 0)
	n := rewardstest.Network()
	c := &Checker{cfg: Config{Network: n, Skew: time.Minute}, self: rewardstest.Addr("a1")}
	k := Check{Node: rewardstest.Addr("p1"), Piece: root, Size: size, Leaf: 2}
	var path []byte
	for _, h := range right.Path {
		path = append(path, h[:]...)
	}
	seed := func(by string, edit func(*protocol.Retrieved)) []byte {
		m := protocol.Retrieved{Node: rewardstest.Addr(by), Asker: c.self, Piece: root, Leaf: 2, Data: leafHash(right.Leaf), Time: 1_000_000}
		edit(&m)
		s, err := protocol.Sign(n, rewardstest.Key(by), m)
		if err != nil {
			f.Fatal(err)
		}
		return s.Bytes()
	}
	good := seed("p1", func(*protocol.Retrieved) {})
	f.Add(good, right.Leaf, path)
	f.Add(seed("p1", func(m *protocol.Retrieved) { m.Data = common.Hash{1} }), right.Leaf, path)
	f.Add(seed("p2", func(*protocol.Retrieved) {}), right.Leaf, path)
	f.Add([]byte{}, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, signed, leaf, path []byte) {
		a := Answer{Signed: signed, Proof: piece.Proof{Leaf: leaf}}
		for ; len(path) >= 32; path = path[32:] {
			a.Proof.Path = append(a.Proof.Path, piece.Hash(path[:32]))
		}
		w := c.read(k, a, now, now)
		if w.why == nil && (!bytes.Equal(leaf, right.Leaf) || w.says.Asker != c.self || w.contradicts(&right)) {
			t.Error("what is not the piece's passed for good")
		}
		if !w.signed.IsZero() && w.says.Node != k.Node {
			t.Error("another's word is held against a holder")
		}
		if w.contradicts(&right) && w.says.Data == leafHash(right.Leaf) {
			t.Error("a right word is held against a holder")
		}
	})
}
