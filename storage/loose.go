package storage

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"tally/internal/kv"
	"tally/storage/car"
)

// looseStall is how long a scrub waits for the good copy of one loose block.
const looseStall = 30 * time.Second

// scrubLoose checks the loose blocks at the end of a pass, and gets those that are
// bad from other nodes.
func (l *scrubber) scrubLoose(ctx context.Context) error {
	for part := range 256 {
		bad, bytes, err := l.badLoose(byte(part))
		if err != nil {
			return fail("scrub loose blocks", err)
		}
		if err := l.spend(ctx, bytes); err != nil {
			return err
		}
		for _, c := range bad {
			l.mu.Lock()
			l.bad[string(c.Hash())] = c
			l.mu.Unlock()
			err := l.healLoose(ctx, c)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				l.log.Warn("loose block is corrupt and could not be healed yet", "hash", c.Hash(), "err", err)
			}
		}
	}
	return nil
}

// badLoose reads the loose blocks whose hash begins with a byte. Their codec is not
// known: they are named as raw.
func (k *core) badLoose(first byte) (bad []cid.Cid, bytes int, err error) {
	err = k.meta.View(func(tx *kv.Tx) error {
		bad, bytes = nil, 0
		for it, err := range tx.Scan([]byte{keyLoose, multihash.SHA2_256, sha256.Size, first}) {
			if err != nil {
				return err
			}
			bytes += len(it.Value)
			c := cid.NewCidV1(cid.Raw, it.Key[1:])
			if car.CheckBlock(c, it.Value) != nil && len(bad) < maxNamed {
				bad = append(bad, c)
			}
		}
		return nil
	})
	return bad, bytes, err
}

// spend waits until as many bytes may have been read.
func (l *scrubber) spend(ctx context.Context, bytes int) error {
	for l.limit != nil && bytes > 0 {
		n := min(bytes, l.limit.Burst())
		if err := l.limit.WaitN(ctx, n); err != nil {
			return err
		}
		bytes -= n
	}
	return ctx.Err()
}

func (l *scrubber) healLoose(ctx context.Context, c cid.Cid) error {
	if data, err := l.here(ctx, c); err == nil { // a shard has it too
		return l.putLoose(c, data)
	}
	if l.exchange == nil {
		return ErrNoExchange
	}
	ctx, cancel := context.WithTimeout(ctx, looseStall)
	defer cancel()
	b, err := l.exchange.GetBlock(ctx, c)
	if err != nil {
		return err
	}
	if err := car.CheckBlock(c, b.RawData()); err != nil {
		return err
	}
	return l.putLoose(c, b.RawData())
}
