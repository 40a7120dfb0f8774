package history

import (
	"sync"

	"github.com/ipfs/go-cid"
)

// checked are versions that were read and found sound: a version never changes, and checking
// one again costs a signature a shard.
type checked struct {
	mu     sync.Mutex
	byCID  map[cid.Cid]Version // guarded by mu
	shards int                 // guarded by mu: in all of them
}

// maxChecked bounds the shards of versions that are remembered, some 300 bytes each.
const maxChecked = 1 << 16

func (c *checked) get(at cid.Cid) (Version, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.byCID[at]
	return v, ok
}

func (c *checked) put(v Version) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byCID == nil || c.shards > maxChecked {
		c.byCID, c.shards = map[cid.Cid]Version{}, 0
	}
	c.byCID[v.CID] = v
	c.shards += len(v.Manifest.Shards) + 8
}
