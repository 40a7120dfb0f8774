package pinset

import (
	"slices"

	"github.com/ethereum/go-ethereum/common"
)

// Status is one wanted shard as the operator is shown it.
type Status struct {
	Wanted
	Holders int
	Holds   bool   // this node is one of them
	State   string // "absent", "fetching", "ready", "kept", "leaving" or "lost"
	Reason  string // what this node does about it, or why it does nothing
}

func (p Phase) String() string {
	return [...]string{"absent", "fetching", "ready", "kept", "leaving", "lost"}[min(p, Lost)]
}

func (k *Keeper) show(me common.Address, c Choice) Status {
	x := c.Shard
	phase := x.Phase
	if phase == Absent && k.going[x.name()] != nil {
		phase = Fetching
	}
	return Status{x.Wanted, len(x.Holders), slices.Contains(x.Holders, me), phase.String(), c.Why}
}

// Status is as of the last step of Run, the shards to fetch first.
func (k *Keeper) Status() []Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.status)
}
