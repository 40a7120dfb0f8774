package rewards

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/rewards/epochdata"
	"tally/rewards/ruleset"
)

// Source is where an epoch is derived from again: the chain and the pinned data.
type Source struct {
	Network protocol.Network
	Params  protocol.Params
	Rules   ruleset.Rules
	Chain   Chain
	Store   Store
	Fetch   time.Duration // for one block; zero is five seconds
}

// Report is an anchored epoch, derived again.
type Report struct {
	Anchor      Anchor
	Data        *epochdata.Data // what the poster published
	Derived     *ruleset.Epoch  // what it comes to
	Differences []string        // what the anchor or the data say otherwise; empty if all is equal
}

// Equal reports that the epoch is exactly what its anchor says.
func (r Report) Equal() bool { return len(r.Differences) == 0 }

// Reason is the hash that a vote against the epoch names.
func (r Report) Reason() common.Hash {
	var b []byte
	for _, d := range r.Differences {
		b = append(append(b, d...), 0)
	}
	return protocol.LeafHash(b)
}

// Rederive fetches the data of an anchored epoch, applies the rules to it and to
// the chain's own facts, and compares everything with the anchor. ErrNoAnchor: the
// epoch has no good one. Any other error: something could not be had.
func Rederive(ctx context.Context, from Source, epoch uint64) (Report, error) {
	s, err := look(ctx, from.Chain)
	if err != nil {
		return Report{}, err
	}
	for i, a := range s.anchors {
		if a.Epoch != epoch {
			continue
		}
		var before Anchor
		if i > 0 {
			before = s.anchors[i-1]
		}
		r := newReader(from.Chain, from.Store, Timing{Fetch: from.Fetch}.filled().Fetch)
		return rederive(ctx, from, r, s, a, before, i > 0)
	}
	return Report{}, fmt.Errorf("%w: epoch %d", ErrNoAnchor, epoch)
}

func rederive(ctx context.Context, from Source, r *reader, s scene, a, before Anchor, follows bool) (Report, error) {
	out := Report{Anchor: a}
	differ := func(format string, args ...any) {
		out.Differences = append(out.Differences, fmt.Sprintf(format, args...))
	}
	hash, err := from.Rules.Hash()
	if err != nil {
		return out, err
	}
	if a.Ruleset != hash {
		differ("ruleset: anchored %s, this node has %s", a.Ruleset, hash)
		return out, nil
	}
	state, err := r.state(ctx, before, follows)
	if err != nil {
		return out, err
	}
	if out.Data, err = r.load(ctx, a.Data); err != nil {
		if isAbsence(err) {
			return out, err
		}
		differ("data: %v", err)
		return out, nil
	}
	in := ruleset.Input{Rules: from.Rules, Network: from.Network, Params: from.Params, Epoch: a.Epoch, Previous: state, Facts: s.facts}
	if err := out.Data.Fill(&in); err != nil {
		differ("data: %v", err)
		return out, nil
	}
	if _, err := r.complete(ctx, &in, false); err != nil {
		if errors.Is(err, ruleset.ErrInput) {
			differ("%v", err)
			return out, nil
		}
		return out, err
	}
	if out.Derived, err = ruleset.Derive(in); err != nil {
		differ("%v", err)
		return out, nil
	}
	e := out.Derived
	for _, c := range []struct {
		what      string
		said, own any
	}{
		{"root", a.Root, e.Root.Hash},
		{"total", a.Total, e.Root.Sum},
		{"commitments", a.Commitments, e.Commitments},
		{"minted", a.Minted, e.Minted},
		{"burned", a.Burned, e.Burned},
		{"previous", a.Previous, e.Previous},
	} {
		if c.said != c.own {
			differ("%s: anchored %v, derived %v", c.what, c.said, c.own)
		}
	}
	// The same document must come out to the byte: outcomes, balances and the
	// state that the next epoch starts from, not only their sum.
	previous := cid.Undef
	if follows {
		previous = before.Data
	}
	blocks, err := epochdata.New(in, e, previous).Blocks()
	if err != nil {
		return out, err
	}
	if root := blocks[len(blocks)-1].CID; !root.Equals(a.Data) {
		differ("data: anchored %s, derived %s", a.Data, root)
	}
	return out, nil
}
