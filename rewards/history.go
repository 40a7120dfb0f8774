package rewards

import (
	"cmp"
	"context"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"tally/protocol"
)

// Anchor is an anchored epoch with when it stands.
type Anchor struct {
	protocol.Anchored
	Time uint64 // of its block
	Tx   common.Hash
}

// Final is the time from which the anchor can be claimed from and followed.
func (a Anchor) Final(p protocol.Params) uint64 { return a.Time + p.ClaimDelay }

// Anchors are the good ones, in order: those that no quorum disabled.
func Anchors(facts []protocol.Fact) []Anchor {
	var out []Anchor
	for _, f := range ordered(facts) {
		switch e := f.Event.(type) {
		case protocol.Anchored:
			out = append(out, Anchor{e, f.Time, f.Tx})
		case protocol.Disabled:
			out = slices.DeleteFunc(out, func(a Anchor) bool { return a.Epoch == e.Epoch })
		}
	}
	return out
}

// ordered are the facts about anchors in the chain's order: a few of very many.
func ordered(facts []protocol.Fact) []protocol.Fact {
	var fs []protocol.Fact
	for _, f := range facts {
		switch f.Event.(type) {
		case protocol.Anchored, protocol.Disabled:
			fs = append(fs, f)
		}
	}
	slices.SortStableFunc(fs, func(a, b protocol.Fact) int {
		return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Index, b.Index))
	})
	return fs
}

// scene is what a step looks at.
type scene struct {
	now     uint64
	facts   []protocol.Fact
	anchors []Anchor
}

func look(ctx context.Context, c Chain) (s scene, err error) {
	if s.now, err = c.Now(ctx); err != nil { // before the facts, so that those are complete up to it
		return s, err
	}
	if s.facts, err = c.Facts(ctx); err != nil {
		return s, err
	}
	s.anchors = Anchors(s.facts)
	return s, nil
}

func (s scene) head() (Anchor, bool) {
	if len(s.anchors) == 0 {
		return Anchor{}, false
	}
	return s.anchors[len(s.anchors)-1], true
}

// final is the last anchor that can be claimed from.
func (s scene) final(p protocol.Params) (Anchor, bool) {
	for _, a := range slices.Backward(s.anchors) {
		if s.now >= a.Final(p) {
			return a, true
		}
	}
	return Anchor{}, false
}

func (s scene) committed(worker common.Address, epoch uint64) bool {
	return slices.ContainsFunc(s.facts, func(f protocol.Fact) bool {
		c, ok := f.Event.(protocol.Committed)
		return ok && c.Batch.Worker == worker && c.Batch.Epoch == epoch
	})
}

// collected is what each channel's vouchers moved so far.
func (s scene) collected() map[common.Hash]protocol.Amount {
	out := map[common.Hash]protocol.Amount{}
	for _, f := range s.facts {
		if r, ok := f.Event.(protocol.Redeemed); ok && r.Collected.Cmp(out[r.Channel]) > 0 {
			out[r.Channel] = r.Collected
		}
	}
	return out
}

// claimed is what an account was paid in all.
func (s scene) claimed(account common.Address) protocol.Amount {
	var out protocol.Amount
	for _, f := range s.facts {
		if c, ok := f.Event.(protocol.Claimed); ok && c.Account == account && c.Cumulative.Cmp(out) > 0 {
			out = c.Cumulative
		}
	}
	return out
}
