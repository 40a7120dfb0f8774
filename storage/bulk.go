package storage

import (
	"context"
	"fmt"
	"os"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"tally/protocol/piece"
	"tally/protocol/piece/lanes"
	"tally/storage/car"
)

const (
	// wideReaders is how many readers of files may hold as many blocks as lanes
	// hash at once; more of them hold a few each.
	wideReaders = 2
	fewBlocks   = 2
)

// Ahead lets a few readers hold many blocks.
func (k *core) Ahead() (blocks int, done func()) {
	n := lanes.Width()
	if n <= fewBlocks {
		return fewBlocks, func() {}
	}
	if k.wide.Add(1) > wideReaders {
		k.wide.Add(-1)
		return fewBlocks, func() {}
	}
	return n, func() { k.wide.Add(-1) }
}

// getBlocks is get for several, most of them in one shard. What does not read or
// match is left to get, which looks for another copy and says what is wrong.
func (k *core) getBlocks(ctx context.Context, cs []cid.Cid, buf []byte, get func(context.Context, cid.Cid) ([]byte, error)) (data [][]byte, grown []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, buf, fail("get blocks", err)
	}
	from := make([]place, len(cs))
	room := 0
	for i, c := range cs {
		ps, err := k.places(c.Hash())
		if err != nil {
			return nil, buf, err
		}
		for _, p := range ps {
			if k.byPlace(p) != nil && p.len <= car.MaxBlock {
				from[i] = p
				room += int(p.len)
				break
			}
		}
	}
	if cap(buf) < room {
		buf = make([]byte, room)
	}
	rest := buf[:cap(buf)]
	data = make([][]byte, len(cs))
	var f *os.File
	var open uint64 // whose file f is
	defer func() {
		if f != nil {
			_ = f.Close()
		}
	}()
	var which []int
	var msgs [][]byte
	for i, p := range from {
		r := k.byPlace(p)
		if r == nil {
			continue
		}
		if f == nil || open != p.id {
			if f != nil {
				_ = f.Close()
			}
			if f, err = os.Open(k.path(r.Root)); err != nil {
				f = nil
				continue
			}
			open = p.id
		}
		b := rest[:p.len:p.len]
		if _, err := f.ReadAt(b, int64(p.off)); err != nil {
			continue
		}
		rest = rest[p.len:]
		which, msgs = append(which, i), append(msgs, b)
	}
	sums := make([]piece.Hash, len(msgs))
	lanes.Plain(sums, msgs)
	good := make([]bool, len(cs))
	for j, i := range which {
		h := cs[i].Hash()
		if len(h) == 34 && h[0] == multihash.SHA2_256 && h[1] == 32 && piece.Hash(h[2:]) == sums[j] {
			data[i], good[i] = msgs[j], true
		}
	}
	for i, c := range cs {
		if good[i] {
			continue
		}
		if data[i], err = get(ctx, c); err != nil {
			return nil, buf, fmt.Errorf("get block %d of %d: %w", i+1, len(cs), err)
		}
	}
	return data, buf, nil
}
