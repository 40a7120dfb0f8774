package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"tally/internal/kv"
	"tally/storage/car"
)

// Keys of the meta database: l‹multihash› holds a loose block; t‹multihash› its
// time of arrival (unix seconds) and size, 8 bytes each, big-endian; g‹root›‹cid›
// says that a block belongs to the group under root and h‹root› that the group
// is whole (see PutDAG); pins are in pin.go.
const (
	keyLoose = 'l'
	keyStamp = 't'
	keyGroup = 'g'
	keyWhole = 'h'
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
	k.commit.Lock()
	defer k.commit.Unlock()
	if err := k.writable(); err != nil {
		return err
	}
	done, err := k.metaRoom(len(data), false)
	if err != nil {
		return err
	}
	defer done(len(data))
	k.gen++
	err = k.meta.Update(func(tx *kv.Tx) error { return setLoose(tx, c, data) })
	if err != nil {
		return fail("put block", err)
	}
	k.mend(c)
	return nil
}

func setLoose(tx *kv.Tx, c cid.Cid, data []byte) error {
	if len(data) > car.MaxBlock {
		return fmt.Errorf("put block %s: %d bytes: %w", c, len(data), ErrBlockSize)
	}
	stamp := binary.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()))
	stamp = binary.BigEndian.AppendUint64(stamp, uint64(len(data)))
	if err := tx.Set(key(keyStamp, c.Hash()), stamp); err != nil {
		return err
	}
	return tx.Set(key(keyLoose, c.Hash()), bytes.Clone(data))
}

func dropLoose(tx *kv.Tx, hash []byte) error {
	if err := tx.Delete(key(keyStamp, hash)); err != nil {
		return err
	}
	return tx.Delete(key(keyLoose, hash))
}

func parseStamp(v []byte) (added time.Time, size int, err error) {
	if len(v) != 16 || binary.BigEndian.Uint64(v[8:]) > car.MaxBlock {
		return time.Time{}, 0, errors.New("storage: stamp of a loose block does not decode")
	}
	return time.Unix(int64(binary.BigEndian.Uint64(v)), 0), int(binary.BigEndian.Uint64(v[8:])), nil
}

func (k *core) getMeta(kind byte, c cid.Cid) (v []byte, err error) {
	err = k.meta.View(func(tx *kv.Tx) error {
		v, err = tx.Get(key(kind, c.Hash()))
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return nil, notFound(c)
	}
	if err != nil {
		return nil, fail("get block", err)
	}
	return v, nil
}

// GetBlock returns the bytes of a block, from a shard or loose, checked against
// the CID. It returns ErrNotFound, or, when every copy here is bad, ErrCorrupt or what
// the disk said.
//
// Where there is a Source or an Exchange, a block that is bad here is borrowed from
// other nodes, for at most ten seconds: see package borrow. Its shard is looked at and healed by
// Scrub, from the disk's side, while readers go on. The same is true of OpenFile, FS and
// ExportCAR, and not of what others see: Blockstore, Range, ServeCAR, File.
func (s *Store) GetBlock(ctx context.Context, c cid.Cid) ([]byte, error) {
	data, bad, err := s.block(ctx, c)
	if bad == nil || !s.lends() {
		return data, err
	}
	data, e := s.borrow(ctx, c)
	switch {
	case e == nil:
		s.log.Info("a reader was given another node's block in place of a corrupt one", "cid", c)
		return data, nil
	case ctx.Err() != nil:
		return nil, fail("get block", ctx.Err())
	}
	return nil, fmt.Errorf("%w (%s)", err, e.Error())
}

// here is GetBlock from this disk alone.
func (k *core) here(ctx context.Context, c cid.Cid) ([]byte, error) {
	data, _, err := k.block(ctx, c)
	return data, err
}

// block returns a block, or why there is none. bad says that there are copies, and none is
// good.
func (k *core) block(ctx context.Context, c cid.Cid) (data []byte, bad, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, fail("get block", err)
	}
	ps, err := k.places(c.Hash())
	if err != nil {
		return nil, nil, err
	}
	for _, p := range ps {
		data, err := k.readPlace(p)
		if errors.Is(err, errDropped) {
			continue
		}
		if errors.Is(err, ErrMarker) {
			return nil, nil, err
		}
		if err == nil {
			if err = car.CheckBlock(c, data); err == nil {
				return data, nil, nil
			}
		}
		bad = err
		if r := k.byPlace(p); r != nil {
			k.log.Error("block in a shard is corrupt", "cid", c, "shard", r.Root, "err", err)
			k.suspect(r.Root)
		}
	}
	data, err = k.getMeta(keyLoose, c)
	if err == nil {
		if err = car.CheckBlock(c, data); err == nil {
			return data, nil, nil
		}
		bad = err
	} else if !errors.Is(err, ErrNotFound) {
		return nil, nil, err
	}
	if bad == nil {
		return nil, nil, notFound(c)
	}
	k.mu.Lock()
	k.bad[string(c.Hash())] = c
	k.mu.Unlock()
	return nil, bad, fmt.Errorf("get: copy on disk: %w", bad)
}

// mend forgets that a block was corrupt, now that a good copy came in.
func (k *core) mend(c cid.Cid) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.bad, string(c.Hash()))
}

// errDropped says that a shard went since it was looked up.
var errDropped = fmt.Errorf("shard was dropped meanwhile: %w", ErrNotFound)

func (k *core) byPlace(p place) *record {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.byID[p.id]
}

// readPlace reads a block from its shard.
func (k *core) readPlace(p place) ([]byte, error) {
	r := k.byPlace(p)
	if r == nil {
		return nil, errDropped
	}
	f, err := os.Open(k.path(r.Root))
	if err != nil {
		return nil, k.unopened(r, err)
	}
	defer func() { _ = f.Close() }()
	data := make([]byte, p.len)
	if _, err := f.ReadAt(data, int64(p.off)); err != nil {
		return nil, fail("read block", err)
	}
	return data, nil
}

// unopened says why the file of a shard does not open: the shard was dropped, the
// whole disk went, or this file did.
func (k *core) unopened(r *record, err error) error {
	if e := k.vol.Check(); e != nil {
		return fail("open shard", e)
	}
	if k.record(r.Root) == nil {
		return errDropped
	}
	k.suspect(r.Root)
	return fail("open shard", err)
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
	v, err := k.getMeta(keyStamp, c)
	if err != nil {
		return 0, err
	}
	_, n, err := parseStamp(v)
	if err != nil { // the block itself may be sound
		v, err = k.getMeta(keyLoose, c)
		n = len(v)
	}
	return n, err
}

// Has says whether a block, or the root of a shard, is held. It reads no shard.
func (s *Store) Has(ctx context.Context, c cid.Cid) (bool, error) {
	_, err := s.size(c)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
