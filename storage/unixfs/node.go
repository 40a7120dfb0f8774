package unixfs

import (
	"fmt"

	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/boxo/ipld/unixfs"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

const (
	// LeafSize is the bytes of every raw leaf of a file but the last.
	LeafSize = 1 << 20
	// MaxLeaves is how many leaves one node links to: of files of more, nodes
	// link to nodes.
	MaxLeaves = 1024
)

// Leaves returns how many leaves a file of size bytes has. A file of one is that
// leaf; an empty file is an empty leaf.
func Leaves(size uint64) uint64 {
	if size == 0 {
		return 1
	}
	return (size-1)/LeafSize + 1
}

// FileNode returns the block over the leaves of a file of size bytes, which has
// 2 to MaxLeaves of them: what ImportFile puts for the same file. How long the
// block is depends on size alone, so that its place in a CAR file is known before
// the file is read.
func FileNode(leaves []cid.Cid, size uint64) (cid.Cid, []byte, error) {
	if n := uint64(len(leaves)); n != Leaves(size) || n < 2 || n > MaxLeaves {
		return cid.Undef, nil, fmt.Errorf("node over %d leaves of a file of %d bytes: %w", n, size, ErrNotUnixFS)
	}
	file, node := unixfs.NewFSNode(unixfs.TFile), &merkledag.ProtoNode{}
	if err := node.SetCidBuilder(profile.CidBuilder()); err != nil {
		return cid.Undef, nil, fmt.Errorf("unixfs: file node: %w", err)
	}
	for rest := size; rest > 0; rest -= min(rest, LeafSize) {
		n := min(rest, LeafSize)
		file.AddBlockSize(n)
		if err := node.AddRawLink("", &ipld.Link{Size: n, Cid: leaves[(size-rest)/LeafSize]}); err != nil {
			return cid.Undef, nil, fmt.Errorf("unixfs: file node: %w", err)
		}
	}
	data, err := file.GetBytes()
	if err != nil {
		return cid.Undef, nil, fmt.Errorf("unixfs: file node: %w", err)
	}
	node.SetData(data)
	raw, err := node.EncodeProtobuf(false)
	if err != nil {
		return cid.Undef, nil, fmt.Errorf("unixfs: file node: %w", err)
	}
	return node.Cid(), raw, nil
}
