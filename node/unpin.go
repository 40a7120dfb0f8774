package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/compute/market"
	"tally/node/api"
	"tally/node/join"
	"tally/node/pinning"
	"tally/storage"
	"tally/storage/pinset"
)

// UnpinShard implements api.Storage: the owner of the disk gives up a shard. It says
// no where the shard would be fetched again, and, unless the owner insists, where a
// promise would be broken or nobody else is known to have the data.
func (n *Node) UnpinShard(ctx context.Context, root string, insist bool) (api.Unpinned, error) {
	c, err := parseCID("shard", root)
	if err != nil {
		return api.Unpinned{}, err
	}
	sh, err := n.store.S.Stat(ctx, c)
	if errors.Is(err, storage.ErrNotFound) {
		return api.Unpinned{}, fmt.Errorf("%w: %s is no shard that is held here: `tally storage status` lists those that are", api.ErrNotFound, root)
	}
	if err != nil {
		return api.Unpinned{}, err
	}
	others, err := provedBy(sh, n.me, n.sets.Keepers)
	if err != nil {
		return api.Unpinned{}, err
	}
	k := keeping{store: n.store.S, root: c, others: others, now: time.Now()}
	if n.keeper != nil {
		k.wanted = n.keeper.Status()
	}
	freed, err := k.giveUp(ctx, insist)
	if err != nil {
		return api.Unpinned{}, err
	}
	if _, err := n.store.S.Collect(ctx, collectAge); err != nil {
		n.log.Warn("what nothing keeps was not all collected", "err", err)
	}
	out := api.Unpinned{Root: root, Bytes: sh.Size, Released: freed}
	switch _, err := n.store.S.Stat(ctx, c); {
	case errors.Is(err, storage.ErrNotFound):
		out.Gone = true
	case err != nil:
		return out, err
	default:
		out.Why = fmt.Sprintf("its room is free within %s of when it came, or when the chain has taken it from what this node proves", collectAge)
	}
	return out, nil
}

// provedBy counts the nodes besides this one that proved a shard. Those who only named
// it in their sets, or its piece root with another size, may have nothing of it.
func provedBy(sh storage.Shard, me common.Address, keepers func(piece common.Hash, size uint64) (holders, coming []common.Address, err error)) (int, error) {
	holders, _, err := keepers(common.Hash(sh.Piece), sh.Size)
	n := 0
	for _, a := range holders {
		if a != me {
			n++
		}
	}
	return n, err
}

// keeping is why a shard is kept here, and who else keeps it.
type keeping struct {
	store  *storage.Store
	root   cid.Cid
	wanted []pinset.Status // what the pin set wants
	others int             // nodes besides this one that prove it
	now    time.Time
}

// giveUp takes all pins away but that of the pin set, which lets go by itself of
// what nobody wants. It returns the reasons that it took away.
func (k keeping) giveUp(ctx context.Context, insist bool) ([]string, error) {
	why, promised, ours, err := k.pins()
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(k.wanted, func(s pinset.Status) bool { return s.Root.Equals(k.root) && !s.Mine }); i >= 0 && ours {
		return nil, fmt.Errorf("%w: %s is kept for %s, and would be fetched again: unfollow that datanet, or set volunteer to false, and it goes by itself", api.ErrBadRequest, k.root, k.wanted[i].Why)
	}
	switch {
	case len(why) == 0 && ours:
		return nil, fmt.Errorf("%w: %s is leaving already: its room is free when the chain has taken it from what this node proves", api.ErrBadRequest, k.root)
	case len(why) == 0:
		return nil, fmt.Errorf("%w: nothing keeps %s any more: its room is free after the next collection", api.ErrBadRequest, k.root)
	case insist:
	case promised > 0:
		return nil, fmt.Errorf("%w: %s is promised to a payer until %s, and what is not proved is not paid: say --force to break the promise",
			api.ErrBadRequest, k.root, time.Unix(int64(promised), 0).UTC().Format(time.DateTime)) //nolint:gosec // pins() bounds it
	case k.others == 0:
		return nil, fmt.Errorf("%w: no other node proves %s, so this may be the last copy: export it first (`tally datanet export`), then say --force", api.ErrBadRequest, k.root)
	}
	return why, k.store.Unpin(ctx, k.root, why...)
}

// pins are the reasons for which the shard is kept, besides the pin set; until when
// a payer was promised it, in unix seconds; and whether the pin set has it too.
func (k keeping) pins() (why []string, promised uint64, ours bool, err error) {
	const most = 1 << 40 // unix seconds that are a date
	for p, err := range k.store.Pins() {
		switch {
		case err != nil:
			return nil, 0, false, err
		case !p.Root.Equals(k.root):
		case p.Why == join.ReasonPinSet:
			ours = true
		case strings.HasPrefix(p.Why, pinning.Reason):
			return nil, 0, false, fmt.Errorf("%w: a client of the pinning service wants %s kept: delete that pin there (id %s)", api.ErrBadRequest, k.root, strings.TrimPrefix(p.Why, pinning.Reason))
		default:
			if why = append(why, p.Why); strings.HasPrefix(p.Why, market.PinReason) && p.Until > market.KeepPinned+uint64(k.now.Unix()) {
				promised = max(promised, min(p.Until-market.KeepPinned, most))
			}
		}
	}
	return why, promised, ours, nil
}
