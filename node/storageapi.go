package node

import (
	"context"
	"errors"
	"fmt"

	"tally/node/api"
	"tally/storage"
	"tally/storage/pinset"
	"tally/storage/volume"
)

// ShowStorage implements api.Storage.
func (n *Node) ShowStorage(ctx context.Context) (api.StorageStatus, error) {
	s := n.store.S
	u, err := s.Usage()
	if err != nil {
		return api.StorageStatus{}, err
	}
	h, err := s.Health(ctx)
	if err != nil {
		return api.StorageStatus{}, err
	}
	st := s.ScrubStatus()
	out := api.StorageStatus{
		ID: s.ID(), Used: u.Used, Reserved: u.Reserved, Quota: u.Quota, Free: u.Free, Floor: u.Floor, Shards: u.Held,
		Scrub:  api.Scrub{Pass: st.Pass, Running: st.Running, Shards: st.Shards, Bytes: st.Bytes, Bad: st.Bad, Healed: st.Healed, LastPass: st.LastPass},
		Damage: []api.Damage{}, Pieces: []api.KeptPiece{}, Pinned: []api.PinnedShard{}, Problems: append([]string{}, h.Problems()...),
	}
	for _, d := range append(h.Damaged, h.Healed...) {
		out.Damage = append(out.Damage, api.Damage{Root: d.Root.String(), Why: d.Why, Found: d.Found, Healed: d.Healed})
	}
	out.Problems = append(out.Problems, crowded(u.Usage)...)
	n.showProofs(ctx, &out)
	for r, err := range s.Status() {
		if err != nil {
			out.Problems = append(out.Problems, err.Error())
			continue
		}
		_, err := s.Stat(ctx, r.Root)
		p := api.PinnedShard{Root: r.Root.String(), Shard: err == nil, State: string(r.State), Bytes: r.Size}
		for _, why := range r.Pins {
			p.Why = append(p.Why, why.Why)
		}
		out.Pinned = append(out.Pinned, p)
	}
	return out, nil
}

// crowded says why no shard worth the name has room, and what to do.
func crowded(u volume.Usage) []string {
	const least = 1 << 20
	switch {
	case u.Room >= least:
		return nil
	case u.Quota > 0 && u.Used+u.Reserved+least > u.Quota:
		return []string{fmt.Sprintf("storage_quota is reached: %d of %d bytes are used and %d are promised to writes: raise it in config.json, or give up shards with `tally storage unpin`",
			u.Used, u.Quota, u.Reserved)}
	}
	return []string{fmt.Sprintf("nothing more is kept: the disk has %d bytes free, and disk_floor leaves %d of them alone: free space, lower disk_floor in config.json, or give up shards with `tally storage unpin`",
		u.Free, u.Floor)}
}

// showProofs tells what a pinner keeps and proves.
func (n *Node) showProofs(ctx context.Context, out *api.StorageStatus) {
	if n.prover == nil {
		return
	}
	st := n.prover.Status()
	p := &api.Proofs{
		Period: st.Period, Deadline: st.Deadline, Block: st.Head, Leaves: st.Leaves, Proved: st.Proved, LastProved: -1,
		Missed: st.Missed, Suspended: st.Suspended, Demands: st.Demands, Reasons: []api.Miss{},
	}
	if st.EverProved {
		p.LastProved = int64(st.LastProved)
	}
	for _, c := range st.Closed {
		p.Reasons = append(p.Reasons, api.Miss{Period: c.Period, Reason: c.Reason})
	}
	out.Proofs = p
	out.Problems = append(out.Problems, st.Problems...)
	at := map[string]int{}
	for _, k := range n.keeper.Status() {
		at[k.Piece.Hex()] = len(out.Pieces)
		if _, err := n.store.S.Stat(ctx, k.Root); err == nil && k.State == pinset.Absent.String() {
			k.State = "have" // not for the pin set, but for its owner
		}
		out.Pieces = append(out.Pieces, api.KeptPiece{
			Root: k.Root.String(), Piece: k.Piece.Hex(), Bytes: k.Size, State: k.State, Target: k.Target, Holders: k.Holders, Mine: k.Holds,
			Until: k.Until, Why: k.Why, Reason: k.Reason,
		})
	}
	for _, x := range st.Pieces {
		i, ok := at[x.Piece.Hex()]
		if !ok {
			i = len(out.Pieces)
			out.Pieces = append(out.Pieces, api.KeptPiece{Root: text(x.Root), Piece: x.Piece.Hex(), Bytes: x.Size})
		}
		out.Pieces[i].State, out.Pieces[i].Since = string(x.State), x.Since
		if x.Reason != "" {
			out.Pieces[i].Reason = x.Reason
		}
	}
}

// VerifyShard implements api.Storage: what it finds is healed by the scrub.
func (n *Node) VerifyShard(ctx context.Context, root string) (api.ShardCheck, error) {
	c, err := parseCID("shard", root)
	if err != nil {
		return api.ShardCheck{}, err
	}
	err = n.store.S.Verify(ctx, c)
	switch {
	case err == nil:
		return api.ShardCheck{Root: root, Sound: true}, nil
	case errors.Is(err, storage.ErrNotFound):
		return api.ShardCheck{}, fmt.Errorf("%w: %w", api.ErrNotFound, err)
	case errors.Is(err, storage.ErrCorrupt):
		return api.ShardCheck{Root: root, Why: err.Error()}, nil
	}
	return api.ShardCheck{}, err
}

// PublishShard implements api.Storage: after the loss of what is private, the operator says what is not.
func (n *Node) PublishShard(ctx context.Context, root string) (api.PublishedShard, error) {
	c, err := parseCID("shard", root)
	if err != nil {
		return api.PublishedShard{}, err
	}
	if err := n.store.S.Publish(ctx, c); errors.Is(err, storage.ErrOwned) {
		return api.PublishedShard{}, fmt.Errorf("%w: %w", api.ErrBadRequest, err)
	} else if err != nil {
		return api.PublishedShard{}, err
	}
	return api.PublishedShard{Root: root}, nil
}
