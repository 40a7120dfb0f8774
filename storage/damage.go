package storage

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/storage/volume"
)

// keyDamage: y‹root› in the meta database holds a Damage as JSON.
const keyDamage = 'y'

const (
	maxNamed  = 64  // blocks named in one Damage
	maxHealed = 256 // healed damages remembered
)

// Damage is what was found wrong with the file of a shard. It is durable: a
// restart does not forget it.
type Damage struct {
	Root   cid.Cid   `json:"root"`
	Why    string    `json:"why"`
	Blocks []cid.Cid `json:"blocks,omitempty"` // bad ones, at most 64 of them
	Bad    int       `json:"bad"`              // how many blocks are bad; 0 where it is the file's form
	Found  int64     `json:"found"`            // unix seconds
	Tried  int64     `json:"tried,omitempty"`  // unix seconds of the last try to heal
	Healed int64     `json:"healed,omitempty"` // unix seconds; 0 is not yet
}

// record writes a small fact to the meta database, on a full store too.
func (k *core) note(key []byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := k.vol.Check(); err != nil {
		return err
	}
	k.vol.Add(volume.Meta, metaCost(len(b)))
	return k.meta.Update(func(tx *kv.Tx) error { return tx.Set(key, b) })
}

// loadDamage reads what is known to be bad, and forgets the oldest of what was
// healed.
func (k *core) loadDamage() error {
	var healed []*Damage
	err := k.meta.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte{keyDamage}) {
			if err != nil {
				return err
			}
			d := new(Damage)
			if err := json.Unmarshal(it.Value, d); err != nil || !d.Root.Defined() {
				k.warn("a record of damage does not read: verify the shards to find it again")
				continue
			}
			switch {
			case d.Healed != 0:
				healed = append(healed, d)
			case k.shards[d.Root] != nil:
				k.damage[d.Root] = d
			}
		}
		return nil
	})
	if err != nil || len(healed) <= maxHealed {
		return err
	}
	slices.SortFunc(healed, func(a, b *Damage) int { return cmp.Compare(b.Healed, a.Healed) })
	return k.meta.Update(func(tx *kv.Tx) error {
		for _, d := range healed[maxHealed:] {
			if err := tx.Delete(key(keyDamage, d.Root.Bytes())); err != nil {
				return err
			}
		}
		return nil
	})
}

// warn remembers, for Health, what a start found broken and went on without.
func (k *core) warn(what string, args ...any) {
	k.log.Warn("the store is not whole", append([]any{"what", what}, args...)...)
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.notes) < maxNamed {
		k.notes = append(k.notes, what)
	}
}

// isDamaged says whether a shard is known to be bad and not healed.
func (k *core) isDamaged(root cid.Cid) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.damage[root] != nil
}

// setDamage makes damage known and durable; what was known of the same shard
// before keeps its time.
func (k *core) setDamage(d Damage) (Damage, error) {
	k.commit.Lock()
	defer k.commit.Unlock()
	if err := k.writable(); err != nil {
		return d, err
	}
	if k.record(d.Root) == nil {
		return d, notFound(d.Root) // dropped meanwhile
	}
	d.Found = time.Now().Unix()
	k.mu.Lock()
	old := k.damage[d.Root]
	if old != nil {
		d.Found, d.Tried = old.Found, old.Tried
	} else {
		k.log.Error("shard is damaged; it is healed from other nodes that hold it, and its good blocks are served", "root", d.Root, "why", d.Why)
	}
	k.damage[d.Root] = &d
	k.mu.Unlock()
	if err := k.note(key(keyDamage, d.Root.Bytes()), d); err != nil {
		return d, fail("record damage", err)
	}
	if old == nil {
		k.wakeScrub() // whoever found it, it is healed now and not at the next pass
	}
	return d, nil
}

// healed books that a damaged shard is whole. The caller holds commit.
func (k *core) healed(root cid.Cid) error {
	k.desk.Forget(root)
	k.mu.Lock()
	d := k.damage[root]
	delete(k.damage, root)
	k.mu.Unlock()
	if d == nil {
		return nil
	}
	k.log.Info("damaged shard is whole again", "root", root)
	now := *d
	now.Healed = time.Now().Unix()
	if err := k.note(key(keyDamage, root.Bytes()), now); err != nil {
		return fail("record damage", err)
	}
	return nil
}

// undamage forgets damage of a shard that is no longer held. The caller holds
// commit.
func (k *core) undamage(root cid.Cid) error {
	k.mu.Lock()
	known := k.damage[root] != nil
	delete(k.damage, root)
	k.mu.Unlock()
	if !known {
		return nil
	}
	if err := k.meta.Update(func(tx *kv.Tx) error { return tx.Delete(key(keyDamage, root.Bytes())) }); err != nil {
		return fail("forget damage", err)
	}
	return nil
}

// damages returns what is bad now, and what was healed.
func (k *core) damages() (bad, healed []Damage, err error) {
	k.mu.RLock()
	for _, d := range k.damage {
		bad = append(bad, *d)
	}
	k.mu.RUnlock()
	err = k.meta.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte{keyDamage}) {
			if err != nil {
				return err
			}
			var d Damage
			if json.Unmarshal(it.Value, &d) == nil && d.Healed != 0 {
				healed = append(healed, d)
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("storage: damage: %w", err)
	}
	slices.SortFunc(bad, func(a, b Damage) int { return cmp.Compare(a.Found, b.Found) })
	slices.SortFunc(healed, func(a, b Damage) int { return cmp.Compare(a.Healed, b.Healed) })
	return bad, healed, nil
}

// suspect asks for a look at a shard that gave a bad block or could not be read.
func (k *core) suspect(root cid.Cid) {
	k.mu.Lock()
	if len(k.suspects) < maxNamed {
		k.suspects[root] = true
	}
	k.mu.Unlock()
	k.wakeScrub()
}

// wakeScrub has a running scrub look what is to be done.
func (k *core) wakeScrub() {
	select {
	case k.nudge <- struct{}{}:
	default: // it is asked for already
	}
}

var errDamaged = errors.New("heal it with a fetch of its root while other nodes hold it")

// err is the damage as an error.
func (d Damage) err() error {
	return fmt.Errorf("shard %s: %s: %w: %w", d.Root, d.Why, ErrCorrupt, errDamaged)
}
