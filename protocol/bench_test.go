package protocol

import (
	"fmt"
	"testing"

	"github.com/ethereum/go-ethereum/common"
)

func BenchmarkSignReceipt(b *testing.B) {
	key, r := testKey(b, 1), sampleReceipt(b)
	for b.Loop() {
		if _, err := IssueReceipt(testNetwork, key, r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenCosignedReceipt(b *testing.B) {
	c, err := IssueReceipt(testNetwork, testKey(b, 1), sampleReceipt(b))
	if err != nil {
		b.Fatal(err)
	}
	if c, err = c.Cosign(testNetwork, testKey(b, 2)); err != nil {
		b.Fatal(err)
	}
	raw := c.Bytes()
	for b.Loop() {
		p, err := ParseCosigned(raw)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := p.Open(testNetwork); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMerkleRoot(b *testing.B) {
	for _, n := range []int{1 << 10, 1 << 16} {
		leaves := make([]common.Hash, n)
		for i := range leaves {
			leaves[i] = LeafHash([]byte{byte(i), byte(i >> 8)})
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				MerkleRoot(leaves)
			}
		})
	}
}

func BenchmarkSumTree(b *testing.B) {
	leaves := make([]SumLeaf, 1<<14)
	for i := range leaves {
		leaves[i].Account[0], leaves[i].Account[1] = byte(i>>8), byte(i)
		leaves[i].Value = NewAmount(uint64(i))
	}
	for b.Loop() {
		if _, err := NewSumTree(leaves); err != nil {
			b.Fatal(err)
		}
	}
}
