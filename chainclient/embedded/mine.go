package embedded

import (
	"time"

	"github.com/ethereum/go-ethereum/core"
)

// run starts the two goroutines of the chain. They are two because go-ethereum
// deadlocks otherwise: Commit waits for the pool, the pool waits until its
// events are taken, so whoever takes events must never Commit.
func (c *Chain) run() {
	txs := make(chan core.NewTxsEvent, 64)
	sub := c.eth.TxPool().SubscribeTransactions(txs, true)
	c.running.Go(func() {
		defer sub.Unsubscribe()
		for {
			select {
			case <-txs:
				c.Wake()
			case <-sub.Err():
				return
			case <-c.quit:
				return
			}
		}
	})
	c.running.Go(c.mine)
}

// activeFor is how long after the last transaction or Wake the heart beats at
// Config.Heartbeat; then it slows down to Config.Idle.
const activeFor = 2 * time.Minute

// mine seals a block when one is wanted, and in time with the heartbeat.
func (c *Chain) mine() {
	active := time.Now()
	beat := time.NewTimer(c.heartbeat)
	defer beat.Stop()
	for {
		switch {
		case c.heartbeat < 0:
			beat.Stop()
		case time.Since(active) < activeFor:
			beat.Reset(c.heartbeat)
		default:
			beat.Reset(c.idle)
		}
		select {
		case <-c.quit:
			return
		case <-c.wake:
			active = time.Now()
		case <-beat.C:
		}
		select {
		case <-c.quit:
			return
		case <-time.After(c.untilNext(time.Now())):
		}
		// A wake that came during the wait is served by this block too; one
		// that comes while it is sealed is looked at in the pool below.
		select {
		case <-c.wake:
		default:
		}
		c.seal()
		if n, _ := c.eth.TxPool().Stats(); n > 0 {
			c.Wake()
		}
	}
}

// untilNext is the wait before a block may be sealed without its timestamp
// running ahead of now. It is bounded by pace, so that a clock that was set
// back slows the chain down but does not stop it.
func (c *Chain) untilNext(now time.Time) time.Duration {
	next := time.Unix(int64(c.eth.BlockChain().CurrentBlock().Time), 0).Add(c.pace)
	return min(max(0, next.Sub(now)), c.pace)
}

// seal commits one block and flushes it. A failure is logged and the miner
// goes on: the next wake or heartbeat tries again.
func (c *Chain) seal() {
	before := c.eth.BlockChain().CurrentBlock().Number.Uint64()
	c.beacon.Commit() // hides its error, so look at the head
	head := c.eth.BlockChain().CurrentBlock().Number.Uint64()
	if head == before {
		c.log.Error("no block sealed", "block", before+1)
		return
	}
	// go-ethereum's own writes are not synced: without this a kill -9 goes
	// back to block 0.
	if err := c.eth.ChainDb().SyncKeyValue(); err != nil {
		c.log.Error("block not flushed to disk", "block", head, "err", err)
		return
	}
	c.synced.Store(head)
	// The pool drops the mined transactions in the background; without the
	// wait, Stats would still count them and an empty block would follow.
	if err := c.eth.TxPool().Sync(); err != nil {
		c.log.Error("transaction pool not in step", "block", head, "err", err)
	}
}
