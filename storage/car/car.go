// Package car reads and writes the one canonical form of a DAG as a CARv1 file.
//
// A shard is one such file, and its bytes are a function of its root alone, so
// that everyone who holds a DAG can compute the same piece root and serve the
// same ranges. Source: https://ipld.io/specs/transport/car/carv1/. The form:
//
//   - the header names exactly one root and is itself canonical dag-cbor;
//   - then every block of the DAG once, depth-first: a block, then what its
//     first link leads to, and so on; links in the order in which they stand in
//     the block, a block already written is skipped;
//   - nothing is missing, and nothing follows;
//   - every length is a minimal varint, a block is at most MaxBlock bytes, and
//     there are at most MaxBlocks of them;
//   - CIDs are version 1, sha2-256, of codec raw, dag-pb or dag-cbor. (An
//     identity CID inlines its data: it is no block and is not followed.)
//
// A Reader checks all of that, and each block against its CID, while it
// streams. What it returns was checked; its memory is bounded by MaxBlock and
// MaxBlocks (about 50 MB at worst, 3 MB for a shard of 1 MiB blocks) however
// hostile the stream. Each way to be wrong has its own error.
//
// Readers and writers are not safe for concurrent use. The package knows
// neither files nor networks.
package car

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

const (
	// MaxBlock is the size of the largest block: the most that bitswap moves.
	MaxBlock = 2 << 20
	// MaxBlocks is the most blocks in one file.
	MaxBlocks = 1 << 18
	// maxPending bounds the links that wait on the path from the root.
	maxPending = 2 * MaxBlocks

	cidLen = 36 // version, codec, hash, length: a byte each; 32 of digest
	// HeaderLen is the length of every canonical header.
	HeaderLen = 59
)

// Each error ends an import or fetch; nothing of it is kept as a shard.
var (
	ErrHeader    = errors.New("car: not a CARv1 file with one root: export it again as CARv1 with exactly one root")
	ErrRoot      = errors.New("car: the root is another than the one asked for: ask for that root, or get the right file")
	ErrTruncated = errors.New("car: file ends too early: copy or fetch it again")
	ErrCorrupt   = errors.New("car: block does not match its CID: get it from another source")
	ErrOrder     = errors.New("car: blocks are not in canonical order (depth-first, none twice): re-import the data to get the canonical file")
	ErrTrailing  = errors.New("car: bytes follow the last block of the DAG: export it again without extra blocks")
	ErrVarint    = errors.New("car: a length is not a minimal varint: export it again with another tool")
	ErrBlockSize = errors.New("car: block larger than 2 MiB: import the data again with smaller chunks")
	ErrTooLarge  = errors.New("car: file is larger than allowed: split the data into several shards or raise the limit")
	ErrTooMany   = errors.New("car: too many blocks or links in one file: split the data into several shards")
	ErrCID       = errors.New("car: CID is not version 1, sha2-256, of codec raw, dag-pb or dag-cbor: import the data again with the profile unixfs-v1-2025")
	ErrBlock     = errors.New("car: block does not decode as its codec says: its producer is at fault, get the data from another source")
)

// CheckCID returns ErrCID unless c is of the kind that shards are made of.
func CheckCID(c cid.Cid) error {
	if !c.Defined() {
		return fmt.Errorf("no CID given: %w", ErrCID)
	}
	p := c.Prefix()
	if p.Version != 1 || p.MhType != multihash.SHA2_256 || p.MhLength != 32 {
		return fmt.Errorf("%s: %w", c, ErrCID)
	}
	switch p.Codec {
	case cid.Raw, cid.DagProtobuf, cid.DagCBOR:
		return nil
	}
	return fmt.Errorf("%s: %w", c, ErrCID)
}

// CheckBlock returns ErrCorrupt, with the CID, unless data hashes to c.
func CheckBlock(c cid.Cid, data []byte) error {
	sum := sha256.Sum256(data)
	h := c.Hash()
	if len(h) != 34 || !bytes.Equal(h[2:], sum[:]) || h[0] != multihash.SHA2_256 || h[1] != 32 {
		return fmt.Errorf("block %s: %w", c, ErrCorrupt)
	}
	return nil
}

// header returns the canonical header of a file with this root.
func header(root cid.Cid) []byte {
	b := make([]byte, 0, HeaderLen)
	b = append(b, HeaderLen-1, 0xa2, 0x65, 'r', 'o', 'o', 't', 's', 0x81, 0xd8, 0x2a, 0x58, cidLen+1, 0)
	b = append(b, root.Bytes()...)
	return append(b, 0x67, 'v', 'e', 'r', 's', 'i', 'o', 'n', 1)
}

// SectionLen returns how many bytes of a file a block of size bytes takes.
func SectionLen(size int) uint64 {
	n := uint64(cidLen + size)
	return uint64(varintLen(n)) + n
}

func varintLen(n uint64) int {
	l := 1
	for ; n >= 0x80; n >>= 7 {
		l++
	}
	return l
}
