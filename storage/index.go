package storage

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol/piece"
	"tally/storage/car"
)

// Keys of the index. b‹multihash› holds a list of places; s‹root› a record as
// JSON; p‹root› the piece layer, 32 bytes a MiB; w says that some places point to
// no shard, until a sweep.
const (
	keyBlock = 'b'
	keyShard = 's'
	keyLayer = 'p'
	keySweep = 'w'

	batchBytes = 256 << 10 // of one index transaction
)

// record describes one shard; it is written after the shard's blocks entered
// the index, so that a shard with a record is complete.
type record struct {
	ID     uint64     `json:"id"` // random; never reused, so a stale place points nowhere
	Root   cid.Cid    `json:"root"`
	Piece  piece.Hash `json:"piece"`
	Size   uint64     `json:"size"`
	Blocks int        `json:"blocks"`
	Added  int64      `json:"added"` // unix seconds

	layer   []piece.Hash // only until it is in the index
	entries []entry      // only until they are in the index
}

func (r *record) shard() Shard { return Shard{r.Root, r.Piece, r.Size} }

// entry is one block of a shard.
type entry struct {
	hash string // multihash
	off  uint64
	len  int
}

// place is where a block is: in which shard, and where there.
type place struct {
	id, off, len uint64
}

func appendPlace(b []byte, p place) []byte {
	b = binary.BigEndian.AppendUint64(b, p.id)
	b = binary.AppendUvarint(b, p.off)
	return binary.AppendUvarint(b, p.len)
}

var errPlaces = errors.New("index entry does not decode: verify the shards, it is mended from them")

func parsePlaces(b []byte) (out []place, err error) {
	for len(b) > 0 {
		if len(b) < 8 {
			return nil, errPlaces
		}
		p := place{id: binary.BigEndian.Uint64(b)}
		b = b[8:]
		for _, v := range []*uint64{&p.off, &p.len} {
			x, n := binary.Uvarint(b)
			if n <= 0 {
				return nil, errPlaces
			}
			*v, b = x, b[n:]
		}
		if p.len > car.MaxBlock || p.off > DefaultMaxShard {
			return nil, errPlaces
		}
		out = append(out, p)
	}
	return out, nil
}

func key(kind byte, rest []byte) []byte { return append([]byte{kind}, rest...) }

// openIndex opens the index, or starts an empty one where it is broken.
func (k *core) openIndex() (err error) {
	dir := filepath.Join(k.dir, "index")
	if k.index, err = tryOpen(dir, !k.temp); err == nil {
		if err = k.loadRecords(); err == nil {
			return nil
		}
		_ = k.index.Close()
		k.index = nil
		if no := syscall.Errno(0); !errors.As(err, &no) {
			err = errors.Join(kv.ErrBroken, err)
		}
	}
	if !errors.Is(err, kv.ErrBroken) {
		return fail("open index", err)
	}
	k.log.Warn("index is broken and will be rebuilt from the shards", "err", err)
	clear(k.shards)
	clear(k.byID)
	if err := os.RemoveAll(dir); err != nil {
		return fail("remove broken index", err)
	}
	if k.index, err = kv.Open(dir, kv.Options{Sync: !k.temp}); err != nil {
		return fail("open index", err)
	}
	return nil
}

// tryOpen opens a database whose files may be damaged; the engine asserts on
// some damage, which must not keep us from rebuilding.
func tryOpen(dir string, sync bool) (db *kv.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: open %s: %v", kv.ErrBroken, dir, p)
		}
	}()
	return kv.Open(dir, kv.Options{Sync: sync})
}

func (k *core) loadRecords() error {
	return k.index.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte{keyShard}) {
			if err != nil {
				return err
			}
			r := new(record)
			if err := json.Unmarshal(it.Value, r); err != nil || !r.Root.Defined() {
				k.warn("the record of a shard does not read: the shard is indexed again from its file", "key", it.Key, "err", err)
				continue
			}
			k.shards[r.Root], k.byID[r.ID] = r, r
		}
		return nil
	})
}

// indexShard makes a shard, whose file is in place, known.
func (k *core) indexShard(r *record) error {
	r.Added = time.Now().Unix()
	for rest := r.entries; len(rest) > 0; {
		n, err := k.indexBatch(rest, func(old []byte, e entry) []byte {
			old, _ = k.live(old)
			return appendPlace(old, place{r.ID, e.off, uint64(e.len)})
		})
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	layer := make([]byte, 0, 32*len(r.layer))
	for _, h := range r.layer {
		layer = append(layer, h[:]...)
	}
	j, err := json.Marshal(r)
	if err != nil {
		return fail("index shard", err)
	}
	err = k.index.Update(func(tx *kv.Tx) error {
		if err := tx.Set(key(keyLayer, r.Root.Bytes()), layer); err != nil {
			return err
		}
		return tx.Set(key(keyShard, r.Root.Bytes()), j)
	})
	if err != nil {
		return fail("index shard", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range r.entries {
		delete(k.bad, e.hash)
	}
	r.layer, r.entries = nil, nil
	k.shards[r.Root], k.byID[r.ID] = r, r
	delete(k.aside, r.Root)
	return nil
}

// indexBatch changes the places of the first few entries in one transaction,
// bounded in bytes, and returns how many those were.
func (k *core) indexBatch(es []entry, change func(old []byte, e entry) []byte) (n int, err error) {
	err = k.index.Update(func(tx *kv.Tx) error {
		n = 0
		fresh := map[string][]byte{} // one multihash may come twice, under two codecs
		for size := 0; n < len(es) && size < batchBytes; n++ {
			kb := key(keyBlock, []byte(es[n].hash))
			old, ok := fresh[es[n].hash]
			if !ok {
				var err error
				if old, err = tx.Get(kb); err != nil && !errors.Is(err, kv.ErrNotFound) {
					return err
				}
			}
			v := change(old, es[n])
			fresh[es[n].hash] = v
			size += len(kb) + len(v)
			if err := setOrDelete(tx, kb, v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fail("index", err)
	}
	return n, nil
}

// places returns where a block is.
func (k *core) places(hash []byte) (ps []place, err error) {
	err = k.index.View(func(tx *kv.Tx) error {
		v, err := tx.Get(key(keyBlock, hash))
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		if err == nil {
			ps, err = parsePlaces(v)
		}
		return err
	})
	if err != nil {
		return nil, fail("look up block", err)
	}
	return ps, nil
}
