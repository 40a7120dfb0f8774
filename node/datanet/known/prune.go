package known

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
)

// MaxOthers bounds the shards that Prune leaves of datanets that nobody wants kept. A shard takes at
// most 40 KiB: 16 KiB of sketch, and 128 keys.
const MaxOthers = 1 << 14

// forgetBatch is how many entries one transaction forgets: each has up to 131 rows, and
// a small database takes 2,048 in one.
const forgetBatch = 8

func seenKey(datanet cid.Cid) []byte { return append([]byte("known/seen/"), datanet.Bytes()...) }

// usedKey says that an entry names a sketch, which several may.
func usedKey(sketch cid.Cid, at []byte) []byte {
	return append(append([]byte("known/used/"), sketch.Bytes()...), at...)
}

// Touch notes that a datanet is being looked at, before what it lists is put here: Prune forgets others first.
func (x Index) Touch(datanet cid.Cid) error {
	return x.DB.Update(func(tx *kv.Tx) error {
		last := uint64(0)
		for it, err := range tx.Scan([]byte("known/seen/")) {
			if err != nil {
				return err
			}
			n, err := seen(it.Value)
			if err != nil {
				return err
			}
			last = max(last, n)
		}
		b, err := protocol.Encode(order{last + 1})
		if err != nil {
			return err
		}
		return tx.Set(seenKey(datanet), b)
	})
}

// order is when a datanet was looked at, as a count.
type order struct{ Seen uint64 }

func seen(b []byte) (uint64, error) {
	var o order
	err := protocol.Decode(b, &o)
	return o.Seen, err
}

// Prune forgets whole datanets until those that keep does not name have no more than most shards together:
// first those that were looked at longest ago, never the one that was looked at last. It
// returns what it forgot. It reads all entries, so it is for when others were added. What an end of ctx or a crash leaves
// goes the next time.
func (x Index) Prune(ctx context.Context, most int, keep func(datanet cid.Cid) bool) ([]cid.Cid, error) {
	type net struct {
		of   cid.Cid
		seen uint64
		at   [][]byte // keys of its entries
	}
	nets, sum := map[cid.Cid]*net{}, 0
	err := x.DB.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte("known/shard/")) {
			if err != nil {
				return err
			}
			var e Entry
			if err := protocol.Decode(it.Value, &e); err != nil {
				return err
			}
			n := nets[e.Datanet]
			if n == nil {
				if keep(e.Datanet) {
					continue
				}
				n = &net{of: e.Datanet}
				nets[e.Datanet] = n
				b, err := tx.Get(seenKey(e.Datanet))
				if err == nil {
					n.seen, err = seen(b)
				}
				if err != nil && !errors.Is(err, kv.ErrNotFound) {
					return err
				}
			}
			n.at = append(n.at, it.Key)
			sum++
		}
		return nil
	})
	if err != nil || sum <= most {
		return nil, err
	}
	list := make([]*net, 0, len(nets))
	for _, n := range nets {
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b *net) int {
		return cmp.Or(cmp.Compare(a.seen, b.seen), bytes.Compare(a.of.Bytes(), b.of.Bytes()))
	})
	var gone []cid.Cid
	for _, n := range list[:len(list)-1] {
		if sum <= most {
			break
		}
		for some := range slices.Chunk(n.at, forgetBatch) {
			if err := ctx.Err(); err != nil {
				return gone, fmt.Errorf("known: prune: %w", err)
			}
			if err := x.DB.Update(func(tx *kv.Tx) error { return forget(tx, some) }); err != nil {
				return gone, err
			}
		}
		if err := x.DB.Update(func(tx *kv.Tx) error { return tx.Delete(seenKey(n.of)) }); err != nil {
			return gone, err
		}
		gone, sum = append(gone, n.of), sum-len(n.at)
	}
	return gone, nil
}

// forget removes entries, with their sketches where no other names them.
func forget(tx *kv.Tx, entries [][]byte) error {
	for _, at := range entries {
		b, err := tx.Get(at)
		if errors.Is(err, kv.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		var e Entry
		if err := protocol.Decode(b, &e); err != nil {
			return err
		}
		if err := errors.Join(tx.Delete(at), forgetSketch(tx, at, e.Sketch)); err != nil {
			return err
		}
	}
	return nil
}

// forgetSketch removes what an entry has of a sketch, and the sketch if no other entry names it.
func forgetSketch(tx *kv.Tx, at []byte, sketch cid.Cid) error {
	if !sketch.Defined() {
		return nil
	}
	b, err := tx.Get(sketchKey(sketch))
	if errors.Is(err, kv.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	s, err := Decode(b)
	if err != nil {
		return err
	}
	for _, k := range s.Keys() {
		if err := tx.Delete(append(bucketKey(k), at...)); err != nil {
			return err
		}
	}
	if err := tx.Delete(usedKey(sketch, at)); err != nil {
		return err
	}
	for _, err := range tx.Scan(usedKey(sketch, nil)) {
		return err // another has it
	}
	return tx.Delete(sketchKey(sketch))
}
