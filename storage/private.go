package storage

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/storage/car"
)

// keyPrivate: v‹root› in the meta database holds the time of a mark (unix seconds, 8
// bytes, big-endian) and the binary CID of whose shard it is, or nothing where that is
// lost: then nobody but this node reads it.
const keyPrivate = 'v'

// maxOf bounds the CID of whose a private shard is, in bytes.
const maxOf = 64

// privacy is which shards are private. Its zero value is none.
type privacy struct {
	mu    sync.RWMutex
	marks map[cid.Cid]mark // guarded by mu
}

type mark struct {
	of cid.Cid // undefined where that is lost
	at int64   // unix seconds
}

func (p *privacy) get(root cid.Cid) (mark, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	m, ok := p.marks[root]
	return m, ok
}

func (p *privacy) none() bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return len(p.marks) == 0
}

func (p *privacy) set(root cid.Cid, m mark) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.marks == nil {
		p.marks = map[cid.Cid]mark{}
	}
	p.marks[root] = m
}

func (p *privacy) drop(root cid.Cid) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.marks, root)
}

// SetPrivate marks a shard as one that not everybody may read: of is the CID of whose
// it is, a datanet for example, and cid.Undef makes it public again. What is in
// private shards only, Blockstore does not show; all else in this package reads it
// as ever. Who may read it is not known here: see Private.
//
// The mark is durable once it returns, and may be made before the shard is here, so
// that it is never shown. It outlives the index, and goes with the shard: Collect
// removes marks of what is neither here nor wanted, once they are older than its age.
func (s *Store) SetPrivate(ctx context.Context, root, of cid.Cid) error {
	if err := ctx.Err(); err != nil {
		return fail("set private", err)
	}
	if err := car.CheckCID(root); err != nil {
		return fmt.Errorf("set private: %w", err)
	}
	if err := checkOf(of); err != nil {
		return err
	}
	s.commit.Lock()
	defer s.commit.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	if !of.Defined() {
		return s.setPublic(root)
	}
	if m, ok := s.private.get(root); ok && m.of.Equals(of) && s.record(root) != nil {
		return nil
	}
	return s.mark(root, of)
}

// mark makes or renews a mark, durably. The caller holds commit.
func (k *core) mark(root, of cid.Cid) error {
	m := mark{of, time.Now().Unix()}
	b := m.encode()
	done, err := k.metaRoom(len(b), true)
	if err != nil {
		return err
	}
	defer done(len(b))
	if err := k.meta.Update(func(tx *kv.Tx) error { return tx.Set(key(keyPrivate, root.Bytes()), b) }); err != nil {
		return fail("set private", err)
	}
	k.private.set(root, m)
	return nil
}

func checkOf(of cid.Cid) error {
	if of.ByteLen() > maxOf {
		return fmt.Errorf("set private: datanet of %d bytes: %w", of.ByteLen(), ErrCID)
	}
	return nil
}

// setPublic removes a mark. The caller holds commit.
func (k *core) setPublic(root cid.Cid) error {
	if err := k.meta.Update(func(tx *kv.Tx) error { return tx.Delete(key(keyPrivate, root.Bytes())) }); err != nil {
		return fail("set public", err)
	}
	k.private.drop(root)
	return nil
}

// Private says whether a shard is marked as private, and whose it is: cid.Undef if
// that is lost. It reads no disk.
func (s *Store) Private(root cid.Cid) (of cid.Cid, private bool) {
	m, ok := s.private.get(root)
	return m.of, ok
}

// ErrOwned says that a shard is private, and that it is known whose.
var ErrOwned = errors.New("storage: the shard belongs to a private datanet: publish the datanet if all may read it")

// Publish makes a shard public of which it was lost whether it was private, and whose:
// see Health.Hidden. ErrOwned refuses where that is known; a public shard stays as it is.
func (s *Store) Publish(ctx context.Context, root cid.Cid) error {
	if of, private := s.Private(root); !private {
		return nil
	} else if of.Defined() {
		return fmt.Errorf("publish %s, of %s: %w", root, of, ErrOwned)
	}
	return s.SetPrivate(ctx, root, cid.Undef)
}

// hidden returns the shards that are here and of which it was lost whose they are.
func (k *core) hidden() (roots []cid.Cid) {
	k.private.mu.RLock()
	defer k.private.mu.RUnlock()
	for root, m := range k.private.marks {
		if !m.of.Defined() && k.record(root) != nil {
			roots = append(roots, root)
		}
	}
	slices.SortFunc(roots, func(a, b cid.Cid) int { return bytes.Compare(a.Bytes(), b.Bytes()) })
	return roots
}

// loadPrivate reads the marks. One that does not read hides its shard all the same.
func (k *core) loadPrivate() error {
	err := k.meta.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte{keyPrivate}) {
			if err != nil {
				return err
			}
			_, root, err := cid.CidFromBytes(it.Key[1:])
			if err != nil {
				k.warn("a mark of a private shard does not read: mark the private shards again")
				continue
			}
			m, err := parseMark(it.Value)
			if err != nil {
				k.warn("whose a private shard is does not read: nobody but this node reads it until it is marked again", "root", root)
			}
			k.private.set(root, m)
		}
		return nil
	})
	return wrap("open", err)
}

func (m mark) encode() []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(m.at)), m.of.Bytes()...)
}

func parseMark(b []byte) (mark, error) {
	if len(b) < 8 {
		return mark{}, errors.New("storage: mark of a private shard is too short")
	}
	if len(b) == 8 {
		return mark{at: int64(binary.BigEndian.Uint64(b))}, nil
	}
	n, of, err := cid.CidFromBytes(b[8:])
	if err != nil || n != len(b)-8 || n > maxOf {
		return mark{}, errors.Join(errors.New("storage: mark of a private shard names no datanet"), err)
	}
	return mark{of, int64(binary.BigEndian.Uint64(b))}, nil
}

// visible returns nil unless a block is in private shards only, and then what says
// that it is not held. It does not say that the block is held.
func (k *core) visible(c cid.Cid) error {
	if k.private.none() {
		return nil
	}
	ps, err := k.places(c.Hash())
	if err != nil || len(ps) == 0 {
		return err
	}
	if public, hidden := k.public(ps); public || !hidden {
		return nil
	}
	_, err = k.getMeta(keyStamp, c) // loose: it came in by itself too
	return err
}

// public says whether one of the shards is here and public, and whether one is here and
// private.
func (k *core) public(ps []place) (public, hidden bool) {
	for _, p := range ps {
		r := k.byPlace(p)
		if r == nil {
			continue
		}
		if _, is := k.private.get(r.Root); !is {
			return true, hidden
		}
		hidden = true
	}
	return false, hidden
}

// showsPlaces says whether an entry of the index is of a block in a public shard.
func (k *core) showsPlaces(v []byte) bool {
	ps, err := parsePlaces(v)
	if err != nil {
		k.log.Warn("index entry not shown", "err", err)
	}
	public, _ := k.public(ps)
	return public
}

// collectPrivate removes marks, older than before, of shards that are not here, not set aside, not
// being fetched and not pinned.
func (k *core) collectPrivate(before time.Time) error {
	k.private.mu.RLock()
	var old []cid.Cid
	for root, m := range k.private.marks {
		if !time.Unix(m.at, 0).After(before) {
			old = append(old, root)
		}
	}
	k.private.mu.RUnlock()
	for _, root := range old {
		if err := k.collectMark(root, before); err != nil {
			return err
		}
	}
	return nil
}

func (k *core) collectMark(root cid.Cid, before time.Time) error {
	k.commit.Lock()
	defer k.commit.Unlock()
	if err := k.writable(); err != nil {
		return err
	}
	if m, ok := k.private.get(root); !ok || time.Unix(m.at, 0).After(before) {
		return nil // marked again, or public
	}
	k.mu.RLock()
	_, waits := k.waiting[root]
	kept := k.shards[root] != nil || k.aside[root] != "" || k.left[root] > 0 || k.busy[root] != nil || waits
	k.mu.RUnlock()
	if kept {
		return nil
	}
	now := time.Now()
	pinned, err := k.isPinned(root.Bytes(), func(p Pin) bool { return p.lapsed(now) })
	if err != nil {
		return fail("collect", err)
	}
	if pinned {
		return nil
	}
	return k.setPublic(root)
}
