package history

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
)

// A copy is a version's envelope in the node's own database, which is not on the disk of
// the data: without it an owner who loses that disk could not go on. The list of a datanet's copies is by version.
const (
	copyPrefix = "datanet/copy/"
	listPrefix = "datanet/copies/"
)

// trimAtOnce bounds the copies that one transaction drops.
const trimAtOnce = 256

func copyKey(c cid.Cid) []byte { return append([]byte(copyPrefix), c.Bytes()...) }

func listKey(origin cid.Cid) []byte { return append([]byte(listPrefix), origin.Bytes()...) }

// Copy is one version that is kept in the database.
type Copy struct {
	CID  cid.Cid
	size int // bytes
	key  []byte
}

func parseCopy(key, value []byte) (Copy, error) {
	if len(value) < 4 {
		return Copy{}, fmt.Errorf("%w: a list of copies is damaged", ErrDatanet)
	}
	c, err := cid.Cast(value[4:])
	if err != nil {
		return Copy{}, fmt.Errorf("datanet: list of copies: %w", err)
	}
	return Copy{c, int(binary.BigEndian.Uint32(value)), slices.Clone(key)}, nil
}

// Keep copies a version's envelope, in a transaction of the caller's. One that was kept for the same version of
// the datanet goes.
func Keep(tx *kv.Tx, v Version, envelope []byte) error {
	if len(envelope) > MaxManifest {
		return fmt.Errorf("%w: a manifest of %d bytes, at most %d", ErrDatanet, len(envelope), MaxManifest)
	}
	at := binary.BigEndian.AppendUint64(listKey(v.Origin), v.Manifest.Version)
	if b, err := tx.Get(at); err == nil {
		if old, err := parseCopy(at, b); err == nil && !old.CID.Equals(v.CID) {
			if err := tx.Delete(copyKey(old.CID)); err != nil {
				return err
			}
		}
	}
	value := append(binary.BigEndian.AppendUint32(nil, uint32(len(envelope))), v.CID.Bytes()...)
	return errors.Join(tx.Set(copyKey(v.CID), envelope), tx.Set(at, value))
}

// Copies are the versions of a datanet that are kept, the first one first; with no datanet, all that are kept.
func (b *Book) Copies(origin cid.Cid) (out []Copy, err error) {
	prefix := []byte(listPrefix)
	if origin.Defined() {
		prefix = listKey(origin)
	}
	err = b.db.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan(prefix) {
			if err != nil {
				return err
			}
			c, err := parseCopy(it.Key, it.Value)
			if err != nil {
				return err
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

// Trim drops copies of a datanet, the older ones first, until they have at most that many bytes. The newest
// and the very first one stay.
func (b *Book) Trim(origin cid.Cid, most int) error {
	list, err := b.Copies(origin)
	if err != nil {
		return err
	}
	size, from := 0, len(list)-1 // from that one on they stay
	for i := len(list) - 1; i > 0; i-- {
		if size += list[i].size; size > most && i < len(list)-1 {
			break
		}
		from = i
	}
	if from < 1 {
		return nil
	}
	first := 0
	if binary.BigEndian.Uint64(list[0].key[len(list[0].key)-8:]) == 0 {
		first = 1
	}
	return b.dropCopies(list[first:max(first, from)])
}

// Forget drops all copies of a datanet.
func (b *Book) Forget(origin cid.Cid) error {
	list, err := b.Copies(origin)
	if err != nil {
		return err
	}
	return b.dropCopies(list)
}

func (b *Book) dropCopies(list []Copy) error {
	for some := range slices.Chunk(list, trimAtOnce) {
		err := b.db.Update(func(tx *kv.Tx) error {
			for _, c := range some {
				if err := errors.Join(tx.Delete(copyKey(c.CID)), tx.Delete(c.key)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Copy is the envelope of a version that is kept here, whatever became of the disk of the data; ok is false where
// it is not.
func (b *Book) Copy(c cid.Cid) (envelope []byte, ok bool) {
	err := b.db.View(func(tx *kv.Tx) (err error) {
		envelope, err = tx.Get(copyKey(c))
		return err
	})
	return envelope, err == nil && protocol.CIDOf(envelope).Equals(c)
}

// Envelope is a version's signed manifest, from the copy of it if there is one, else from the documents.
func (b *Book) Envelope(ctx context.Context, c cid.Cid) ([]byte, error) {
	if raw, ok := b.Copy(c); ok {
		return raw, nil
	}
	return b.docs.Get(ctx, c)
}
