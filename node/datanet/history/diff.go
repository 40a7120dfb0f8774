package history

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
func (b *Book) Diff(ctx context.Context, one, other cid.Cid) (Diff, error) {
	from, err := b.Read(ctx, one)
	if err != nil {
		return Diff{}, err
	}
	to, err := b.Read(ctx, other)
	if err != nil {
		return Diff{}, err
	}
	if !from.Origin.Equals(to.Origin) {
		return Diff{}, fmt.Errorf("%w: %s is a version of %q (%s), %s of %q (%s)", ErrTwo, one, from.Manifest.Name, from.Origin, other, to.Manifest.Name, to.Origin)
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
