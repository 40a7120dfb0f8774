package datanet

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
)

// Diff is what changed between two versions of one datanet.
type Diff struct {
	From, To     Version
	Added        []protocol.Shard // listed and offered in To, not listed in From
	Withdrawn    []protocol.Shard // offered in From, or not listed, and withdrawn in To
	Taken        []protocol.Shard // as in To: somebody else had committed the root before
	Contributors []common.Address // of To that are not in From
	Records      int64            // offered in To less offered in From
	Bytes        int64            // of CAR files, likewise
}

// Diff compares two versions of one datanet, the earlier one first whatever their order.
func (s *Service) Diff(ctx context.Context, a, b cid.Cid) (Diff, error) {
	from, err := s.Read(ctx, a)
	if err != nil {
		return Diff{}, err
	}
	to, err := s.Read(ctx, b)
	if err != nil {
		return Diff{}, err
	}
	if !from.Origin.Equals(to.Origin) {
		return Diff{}, fmt.Errorf("%w: %s and %s are versions of two datanets, %q (%s) and %q (%s): give two versions of one, as 'tally datanet log' lists them", ErrRefused, a, b, from.Manifest.Name, from.Origin, to.Manifest.Name, to.Origin)
	}
	if from.Manifest.Version > to.Manifest.Version {
		from, to = to, from
	}
	if !from.CID.Equals(to.CID) {
		if err := to.Manifest.Extends(from.Manifest); err != nil {
			return Diff{}, err
		}
	}
	return compare(from, to), nil
}

func compare(from, to Version) Diff {
	d := Diff{From: from, To: to}
	was, gone := map[cid.Cid]common.Address{}, map[cid.Cid]bool{}
	who := map[common.Address]bool{}
	for _, x := range from.Manifest.Shards {
		was[x.Root] = x.Contributor
		who[x.Contributor] = true
	}
	for _, c := range from.Manifest.Withdrawn {
		gone[c] = true
	}
	offered := map[cid.Cid]bool{}
	for _, x := range to.Manifest.Offered() {
		offered[x.Root] = true
		d.Records += int64(x.Records)
		d.Bytes += int64(x.Size)
	}
	for _, x := range from.Manifest.Offered() {
		d.Records -= int64(x.Records)
		d.Bytes -= int64(x.Size)
	}
	for _, x := range to.Manifest.Shards {
		by, listed := was[x.Root]
		switch {
		case !offered[x.Root] && !gone[x.Root]:
			d.Withdrawn = append(d.Withdrawn, x)
		case !listed:
			d.Added = append(d.Added, x)
		case by != x.Contributor:
			d.Taken = append(d.Taken, x)
		}
		if !who[x.Contributor] {
			who[x.Contributor] = true
			d.Contributors = append(d.Contributors, x.Contributor)
		}
	}
	return d
}
