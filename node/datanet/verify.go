package datanet

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/node/datanet/intake"
	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage"
)

// Check is what a verification did and found.
type Check struct {
	Version  Version
	Versions int      // walked
	Checks   []string // what was done and held
	Undone   []string // what was not done, and why
	Problems []string // what is wrong; none if the datanet is sound as far as it was checked

	closed error // why sealed shards cannot be opened here; one asking is enough
}

func (c *Check) ok(format string, a ...any)  { c.Checks = append(c.Checks, fmt.Sprintf(format, a...)) }
func (c *Check) not(format string, a ...any) { c.Undone = append(c.Undone, fmt.Sprintf(format, a...)) }
func (c *Check) fail(format string, a ...any) {
	c.Problems = append(c.Problems, fmt.Sprintf(format, a...))
}

// counted writes a number and what there is so many of.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Verify walks a version's history back to the identity, looks for every commitment on the chain, and
// derives what the manifest says of the shards again from their data: of those that
// are here, or of all if fetch says so. An error is one of this node's; what is wrong with the datanet is
// in the Check.
func (s *Service) Verify(ctx context.Context, c cid.Cid, fetch bool) (Check, error) {
	v, err := s.Read(ctx, c)
	if err != nil {
		return Check{}, err
	}
	out := Check{Version: v}
	s.verifyHistory(ctx, &out)
	s.verifyCommitments(&out)
	for _, x := range v.Manifest.Shards {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		s.verifyShard(ctx, &out, x, fetch)
	}
	return out, nil
}

func (s *Service) verifyHistory(ctx context.Context, out *Check) {
	v := out.Version
	log, err := s.Log(ctx, v.CID)
	out.Versions = len(log)
	switch {
	case errors.Is(err, protocol.ErrDocument) || errors.Is(err, protocol.ErrSignature) || errors.Is(err, ErrDatanet):
		out.fail("after %s the history breaks: %v", counted(len(log), "version", "versions"), err)
	case err != nil:
		out.not("versions before %d: %v", log[len(log)-1].Manifest.Version, err)
	case !log[len(log)-1].CID.Equals(v.Origin):
		out.fail("the history ends in %s, not in the datanet's identity %s", log[len(log)-1].CID, v.Origin)
	default:
		if len(log) == 1 {
			out.ok("it is the first version, signed by %s", v.Manifest.Owner)
		} else {
			out.ok("%d versions back to %s follow one another, each signed by %s", len(log), v.Origin, v.Manifest.Owner)
		}
		out.ok("%s", counted(len(v.Manifest.Shards), "contribution is signed by its contributor", "contributions are signed by their contributors"))
	}
	if v.Manifest.Owner == s.me {
		return
	}
	if head, err := s.Head(ctx, v.CID); err != nil {
		out.not("whether the owner goes on from here: %v", err)
	} else if head.CID.Equals(v.CID) {
		out.ok("the owner says that this is the newest version")
	} else {
		out.ok("the owner's newest version, %d, goes on from here", head.Manifest.Version)
	}
}

func (s *Service) verifyCommitments(out *Check) {
	good := 0
	for i, x := range out.Version.Manifest.Shards {
		digest, err := x.Contribution(out.Version.Origin).Commitment()
		if err != nil {
			out.fail("shard %d, %s: %v", i, x.Root, err)
			continue
		}
		block, ok := s.c.Chain.Committed(x.Contributor, digest)
		switch {
		case !ok:
			out.fail("shard %d, %s: no commitment by %s on the chain as far as this node has read it", i, x.Root, x.Contributor)
		case block != x.Committed:
			out.fail("shard %d, %s: committed in block %d, the manifest says %d", i, x.Root, block, x.Committed)
		default:
			good++
		}
	}
	if good > 0 {
		out.ok("%s the manifest names", counted(good, "commitment is on the chain, in the block that", "commitments are on the chain, in the blocks that"))
	}
}

// verifyShard derives a shard's CIDs, piece root, size, record count and sketch from its bytes.
func (s *Service) verifyShard(ctx context.Context, out *Check, x protocol.Shard, fetch bool) {
	if fetch {
		err := s.HideComing(ctx, out.Version, x.Root)
		if err == nil {
			err = s.fetch(ctx, x)
		}
		if err != nil {
			out.not("shard %s: fetch: %v", x.Root, err)
			return
		}
	}
	h := piece.New(false)
	switch err := s.c.Data.ExportCAR(ctx, x.Root, h); {
	case errors.Is(err, storage.ErrNotFound):
		out.not("shard %s: its data is not here", x.Root)
		return
	case err != nil:
		out.fail("shard %s: its data here is broken: %v", x.Root, err)
		return
	}
	if root, size := h.Root(), h.Len(); common.Hash(root) != x.Piece || size != x.Size {
		out.fail("shard %s has %d bytes with piece root %s, the manifest says %d and %s", x.Root, size, common.Hash(root), x.Size, x.Piece)
		return
	}
	var f io.ReadSeekCloser
	err := out.closed
	if err == nil {
		f, err = s.openHeld(ctx, out.Version, x.Root)
	}
	if err != nil {
		if errors.Is(err, ErrPrivate) {
			out.closed = err
			out.ok("shard %s: its CIDs, piece root and %d bytes are right", x.Root, x.Size)
			out.not("shard %s: its records: %v", x.Root, err)
			return
		}
		out.fail("shard %s: %v", x.Root, err)
		return
	}
	defer f.Close()
	p, err := intake.Read(ctx, out.Version.Manifest, f)
	switch {
	case err != nil:
		out.fail("shard %s: %v", x.Root, err)
	case p.Records != x.Records:
		out.fail("shard %s has %d records, the manifest says %d", x.Root, p.Records, x.Records)
	case x.Sketch.Defined() && !protocol.CIDOf(p.Sketch).Equals(x.Sketch):
		out.fail("shard %s: its sketch is %s, the contributor named %s, so copies of it or in it went unseen", x.Root, protocol.CIDOf(p.Sketch), x.Sketch)
	default:
		out.ok("shard %s: its CIDs, piece root, %d bytes, %d records and sketch are right", x.Root, x.Size, x.Records)
	}
}

// Preview are the first records of a shard that is here, as printable lines.
func (s *Service) Preview(ctx context.Context, v Version, root cid.Cid) ([]string, error) {
	if _, err := s.c.Data.Stat(ctx, root); err != nil {
		return nil, err
	}
	f, err := s.openHeld(ctx, v, root)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return intake.Preview(v.Manifest, f)
}
