package storage

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"tally/internal/kv"
	"tally/storage/car"
)

// Keys of the meta database: l‹multihash› holds a loose block behind its time
// of arrival (unix seconds, 8 bytes big-endian); g‹root›‹cid› says that a block
// belongs to the group put under root; n‹root› ends a group (see PutDAG); pins
// are in pin.go.
const (
	keyLoose = 'l'
	keyGroup = 'g'
	keyWhole = 'n'
)

// PutNode keeps a dag-cbor block and returns its CID. It is durable once it
// returns. ErrBlock says that data is not dag-cbor. Pin it to keep it from
// Collect.
func (s *Store) PutNode(ctx context.Context, data []byte) (cid.Cid, error) {
	return s.PutBlock(ctx, cid.DagCBOR, data)
}

// PutBlock is PutNode for any codec of a shard: cid.Raw, cid.DagProtobuf,
// cid.DagCBOR.
func (s *Store) PutBlock(ctx context.Context, codec uint64, data []byte) (cid.Cid, error) {
	sum := sha256.Sum256(data)
	h, err := multihash.Encode(sum[:], multihash.SHA2_256)
	if err != nil {
		return cid.Undef, fmt.Errorf("storage: put block: %w", err)
	}
	c := cid.NewCidV1(codec, h)
	if _, err := car.Links(c, data); err != nil {
		return cid.Undef, fmt.Errorf("put: %w", err)
	}
	return c, s.putLoose(c, data)
}

// putLoose keeps a block that matches its CID.
func (k *core) putLoose(c cid.Cid, data []byte) error {
	if len(data) > car.MaxBlock {
		return fmt.Errorf("put block %s: %d bytes: %w", c, len(data), ErrBlockSize)
	}
	v := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(data)), uint64(time.Now().Unix()))
	v = append(v, data...)
	k.commit.Lock()
	defer k.commit.Unlock()
	if k.closed {
		return ErrClosed
	}
	if err := k.meta.Update(func(tx *kv.Tx) error { return tx.Set(key(keyLoose, c.Hash()), v) }); err != nil {
		return fail("put block", err)
	}
	k.mend(c)
	return nil
}

func (k *core) loose(c cid.Cid) (data []byte, err error) {
	err = k.meta.View(func(tx *kv.Tx) error {
		data, err = tx.Get(key(keyLoose, c.Hash()))
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return nil, notFound(c)
	}
	if err != nil {
		return nil, fail("get block", err)
	}
	if len(data) < 8 {
		return nil, fmt.Errorf("block %s: %w", c, ErrCorrupt)
	}
	return data[8:], nil
}

// GetBlock returns the bytes of a block, from a shard or loose, checked against
// the CID. It returns ErrNotFound, or ErrCorrupt when every copy here is bad.
func (s *Store) GetBlock(ctx context.Context, c cid.Cid) ([]byte, error) {
	return s.core.GetBlock(ctx, c)
}

// GetBlock is Store.GetBlock; core is a unixfs.Getter.
func (k *core) GetBlock(ctx context.Context, c cid.Cid) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fail("get block", err)
	}
	ps, err := k.places(c.Hash())
	if err != nil {
		return nil, err
	}
	var bad error
	for _, p := range ps {
		data, err := k.readPlace(p)
		if errors.Is(err, fs.ErrNotExist) || data == nil && err == nil {
			continue // dropped meanwhile
		}
		if err == nil {
			if err = car.CheckBlock(c, data); err == nil {
				return data, nil
			}
		}
		bad = err
		k.log.Error("block in a shard is corrupt", "cid", c, "shard", p.id, "err", err)
	}
	data, err := k.loose(c)
	if err == nil {
		if err = car.CheckBlock(c, data); err == nil {
			return data, nil
		}
		bad = err
	} else if !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	if bad == nil {
		return nil, notFound(c)
	}
	k.mu.Lock()
	k.bad[string(c.Hash())] = c
	k.mu.Unlock()
	return nil, fmt.Errorf("get: copy on disk: %w", bad)
}

// mend forgets that a block was corrupt, now that a good copy came in.
func (k *core) mend(c cid.Cid) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.bad, string(c.Hash()))
}

// readPlace reads a block from its shard; nil, nil if the shard is unknown.
func (k *core) readPlace(p place) ([]byte, error) {
	k.mu.RLock()
	r := k.byID[p.id]
	k.mu.RUnlock()
	if r == nil {
		return nil, nil
	}
	f, err := os.Open(k.path(r.Root))
	if err != nil {
		return nil, fail("read block", err)
	}
	defer func() { _ = f.Close() }()
	data := make([]byte, p.len)
	if _, err := f.ReadAt(data, int64(p.off)); err != nil {
		return nil, fail("read block", err)
	}
	return data, nil
}

// size returns the length of a block without reading a shard.
func (k *core) size(c cid.Cid) (int, error) {
	ps, err := k.places(c.Hash())
	if err != nil {
		return 0, err
	}
	k.mu.RLock()
	for _, p := range ps {
		if k.byID[p.id] != nil {
			k.mu.RUnlock()
			return int(p.len), nil
		}
	}
	k.mu.RUnlock()
	data, err := k.loose(c)
	return len(data), err
}

// Has says whether a block, or the root of a shard, is held. It reads no shard.
func (s *Store) Has(ctx context.Context, c cid.Cid) (bool, error) {
	_, err := s.size(c)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
