package protocol

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// MaxTree bounds the leaves of a tree.
const MaxTree = 1 << 24

var (
	// ErrTree says that a tree cannot be built of these leaves.
	ErrTree = errors.New("protocol: no such tree")
	// ErrProof says that a path does not lead to the root.
	ErrProof = errors.New("protocol: the proof does not lead to the root")
)

// LeafHash is keccak256(0x00 ‖ data).
func LeafHash(data []byte) common.Hash { return crypto.Keccak256Hash([]byte{0}, data) }

func nodeHash(l, r common.Hash) common.Hash { return crypto.Keccak256Hash([]byte{1}, l[:], r[:]) }

// MerkleRoot is the root over leaves already hashed, padded with zero hashes to
// a power of two; one leaf is its own root, none gives the zero hash.
func MerkleRoot(leaves []common.Hash) common.Hash {
	if len(leaves) == 0 {
		return common.Hash{}
	}
	row := padded(leaves)
	for len(row) > 1 {
		for i := range len(row) / 2 {
			row[i] = nodeHash(row[2*i], row[2*i+1])
		}
		row = row[:len(row)/2]
	}
	return row[0]
}

// MerkleProof is the path of leaf i, bottom up.
func MerkleProof(leaves []common.Hash, i int) ([]common.Hash, error) {
	if i < 0 || i >= len(leaves) || len(leaves) > MaxTree {
		return nil, fmt.Errorf("%w: leaf %d of %d", ErrTree, i, len(leaves))
	}
	var path []common.Hash
	row := padded(leaves)
	for len(row) > 1 {
		path = append(path, row[i^1])
		for j := range len(row) / 2 {
			row[j] = nodeHash(row[2*j], row[2*j+1])
		}
		row = row[:len(row)/2]
		i /= 2
	}
	return path, nil
}

// VerifyMerkle checks that leaf stands at index i under root; bit k of i says
// that the path is a right child at level k.
func VerifyMerkle(root, leaf common.Hash, i uint64, path []common.Hash) error {
	if len(path) > 32 || i>>len(path) != 0 {
		return fmt.Errorf("%w: index %d with a path of %d", ErrProof, i, len(path))
	}
	for _, p := range path {
		if i&1 == 1 {
			leaf = nodeHash(p, leaf)
		} else {
			leaf = nodeHash(leaf, p)
		}
		i >>= 1
	}
	if leaf != root {
		return ErrProof
	}
	return nil
}

func padded(leaves []common.Hash) []common.Hash {
	row := make([]common.Hash, ceilPow2(len(leaves)))
	copy(row, leaves)
	return row
}

func ceilPow2(n int) int {
	if n <= 1 {
		return 1
	}
	return 1 << bits.Len(uint(n-1))
}

// SumLeaf is one account's cumulative reward.
type SumLeaf struct {
	Account common.Address
	Value   Amount // at most 128 bits
}

// SumNode is a hash and the sum below it.
type SumNode struct {
	Hash common.Hash
	Sum  Amount
}

func (l SumLeaf) node() SumNode {
	v := l.Value.bytes32()
	return SumNode{crypto.Keccak256Hash([]byte{0}, l.Account[:], v[16:]), l.Value}
}

func sumParent(l, r SumNode) (SumNode, error) {
	sum, err := l.Sum.Add(r.Sum)
	if err != nil || !sum.Fits128() {
		return SumNode{}, fmt.Errorf("%w: a sum passes 2^128-1", ErrTree)
	}
	ls, rs := l.Sum.bytes32(), r.Sum.bytes32()
	return SumNode{crypto.Keccak256Hash([]byte{1}, l.Hash[:], ls[16:], r.Hash[:], rs[16:]), sum}, nil
}

// SumTree is a Merkle-sum tree over accounts in ascending order: a leaf is
// keccak256(0x00 ‖ account ‖ uint128 value), a node keccak256(0x01 ‖ left hash ‖
// left sum ‖ right hash ‖ right sum), padded to a power of two with zeros.
type SumTree struct {
	leaves []SumLeaf
	rows   [][]SumNode // rows[0] are the leaves, padded
}

// NewSumTree builds the tree. Leaves must ascend strictly by account.
func NewSumTree(leaves []SumLeaf) (*SumTree, error) {
	if len(leaves) > MaxTree {
		return nil, fmt.Errorf("%w: %d leaves, at most %d", ErrTree, len(leaves), MaxTree)
	}
	row := make([]SumNode, ceilPow2(len(leaves)))
	for i, l := range leaves {
		if i > 0 && leaves[i-1].Account.Cmp(l.Account) >= 0 {
			return nil, fmt.Errorf("%w: accounts do not ascend at leaf %d", ErrTree, i)
		}
		if !l.Value.Fits128() {
			return nil, fmt.Errorf("%w: leaf %d passes 2^128-1", ErrTree, i)
		}
		row[i] = l.node()
	}
	t := &SumTree{leaves: append([]SumLeaf(nil), leaves...), rows: [][]SumNode{row}}
	for len(row) > 1 {
		next := make([]SumNode, len(row)/2)
		for i := range next {
			n, err := sumParent(row[2*i], row[2*i+1])
			if err != nil {
				return nil, err
			}
			next[i] = n
		}
		t.rows = append(t.rows, next)
		row = next
	}
	return t, nil
}

// Root is the root's hash and the sum of all leaves.
func (t *SumTree) Root() SumNode { return t.rows[len(t.rows)-1][0] }

// Prove gives the account's value, index and path, bottom up.
func (t *SumTree) Prove(account common.Address) (value Amount, index uint64, path []SumNode, err error) {
	for i, l := range t.leaves {
		if l.Account != account {
			continue
		}
		at := i
		for _, row := range t.rows[:len(t.rows)-1] {
			path = append(path, row[at^1])
			at /= 2
		}
		return l.Value, uint64(i), path, nil
	}
	return Amount{}, 0, nil, fmt.Errorf("%w: no leaf for %s", ErrTree, account)
}

// VerifySum checks that leaf stands at index under root.
func VerifySum(root SumNode, leaf SumLeaf, index uint64, path []SumNode) error {
	if len(path) > 32 || index>>len(path) != 0 {
		return fmt.Errorf("%w: index %d with a path of %d", ErrProof, index, len(path))
	}
	if !leaf.Value.Fits128() {
		return fmt.Errorf("%w: the value passes 2^128-1", ErrProof)
	}
	n := leaf.node()
	for _, p := range path {
		l, r := n, p
		if index&1 == 1 {
			l, r = p, n
		}
		if !p.Sum.Fits128() {
			return fmt.Errorf("%w: a sum passes 2^128-1", ErrProof)
		}
		var err error
		if n, err = sumParent(l, r); err != nil {
			return fmt.Errorf("%w: %w", ErrProof, err)
		}
		index >>= 1
	}
	if n != root {
		return ErrProof
	}
	return nil
}

// hashTagged separates the domains of hashes that are no tree nodes.
func hashTagged(tag byte, data []byte) common.Hash {
	return crypto.Keccak256Hash([]byte{tag}, data)
}
