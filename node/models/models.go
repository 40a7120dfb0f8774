// Package models keeps what a node knows of the network's models.
//
// The life of a model here: its owner publishes a signed manifest and gossips
// it; every node that hears a sound one keeps it and lists it. Hold fetches the
// model's files, checks that they have the parameters that the manifest claims,
// and pins them, after which the node can serve the model and others can fetch
// it from there. The manifest's CID is how everybody names the model.
//
// What is known is on disk once Publish or Learn returns. A Library is safe for
// concurrent use. It knows nothing of jobs or money.
package models

import (
	"context"
	"crypto/ecdsa"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"sync"

	"github.com/ipfs/go-cid"

	"tally/compute"
	"tally/internal/kv"
	"tally/protocol"
)

// Topic is the gossip topic of manifests.
const Topic = "models"

// Bounds of what gossip can make a node remember; the oldest go.
const (
	maxKnown = 4096
	maxOwner = 64 // of one owner
)

var (
	// ErrUnknown says that no model with this CID is known or to be had.
	ErrUnknown = errors.New("models: not a model")
	// ErrMany says that an owner announces more models than this node remembers.
	ErrMany = errors.New("models: too many of one owner")
	// ErrFiles says that a model's files are not what its manifest says.
	ErrFiles = errors.New("models: the files do not match the manifest")
)

// Store keeps documents and files.
type Store interface {
	Put(ctx context.Context, b []byte, why string) (cid.Cid, error)
	Get(ctx context.Context, c cid.Cid) ([]byte, error)
	Local(ctx context.Context, c cid.Cid) ([]byte, error) // Get without the network
	Fetch(ctx context.Context, c cid.Cid) error
	FS(ctx context.Context, c cid.Cid) (fs.FS, error)
}

// Keeper pins files.
type Keeper interface {
	Pin(ctx context.Context, c cid.Cid, why string, until uint64) error
}

// Config is what a Library depends on.
type Config struct {
	Network protocol.Network
	Key     *ecdsa.PrivateKey
	Store   Store
	Keeper  Keeper
	Hashers map[string]compute.Hasher // by engine class
	DB      *kv.DB                    // opened Sync
	Gossip  func(ctx context.Context, envelope []byte) error
}

// Known is a model that the node knows.
type Known struct {
	CID  cid.Cid // of the signed manifest
	Held bool    // its files are here and checked
	protocol.Model
}

// Library is the models that a node knows.
type Library struct {
	c  Config
	mu sync.Mutex // serialises writes of entries
}

// New returns a library. It starts nothing.
func New(c Config) *Library { return &Library{c: c} }

func (l *Library) open(b []byte) (protocol.Model, error) {
	s, err := protocol.ParseSigned[protocol.Model](b)
	if err != nil {
		return protocol.Model{}, err
	}
	m, err := s.Open(l.c.Network)
	if err != nil {
		return protocol.Model{}, err
	}
	return m, m.Validate()
}

// Publish signs a manifest, keeps it and tells the network. The files must be
// held already.
func (l *Library) Publish(ctx context.Context, m protocol.Model) (Known, error) {
	if err := m.Validate(); err != nil {
		return Known{}, err
	}
	s, err := protocol.Sign(l.c.Network, l.c.Key, m)
	if err != nil {
		return Known{}, err
	}
	c, err := l.c.Store.Put(ctx, s.Bytes(), "model "+m.Name)
	if err != nil {
		return Known{}, fmt.Errorf("models: publish: %w", err)
	}
	if err := l.note(c, m, true); err != nil {
		return Known{}, err
	}
	return Known{c, true, m}, l.c.Gossip(ctx, s.Bytes())
}

// Check judges a gossiped manifest by itself.
func (l *Library) Check(b []byte) (protocol.Model, error) { return l.open(b) }

// Learn keeps a gossiped manifest.
func (l *Library) Learn(ctx context.Context, b []byte) error {
	m, err := l.open(b)
	if err != nil {
		return err
	}
	known, err := l.List(ctx)
	if err != nil {
		return err
	}
	count := 0
	for _, k := range known {
		if k.Owner == m.Owner && !k.Held {
			count++
		}
	}
	if count >= maxOwner {
		return fmt.Errorf("%w: %d of owner %s are known already", ErrMany, count, m.Owner)
	}
	c, err := l.c.Store.Put(ctx, b, "model "+m.Name)
	if err != nil {
		return fmt.Errorf("models: learn: %w", err)
	}
	return l.note(c, m, false)
}

// Read is the model that c names, from here or from the network.
func (l *Library) Read(ctx context.Context, c cid.Cid) (Known, error) {
	b, err := l.c.Store.Get(ctx, c)
	if err != nil {
		return Known{}, fmt.Errorf("%w: %s: %w", ErrUnknown, c, err)
	}
	m, err := l.open(b)
	if err != nil {
		return Known{}, fmt.Errorf("%w: %s: %w", ErrUnknown, c, err)
	}
	held, err := l.held(c)
	return Known{c, held, m}, err
}

// Hold has the model's files here, checked and pinned.
func (l *Library) Hold(ctx context.Context, c cid.Cid) (Known, error) {
	k, err := l.Read(ctx, c)
	if err != nil || k.Held {
		return k, err
	}
	if err := l.c.Store.Fetch(ctx, k.Files); err != nil {
		return k, fmt.Errorf("models: fetch the files of %q: %w", k.Name, err)
	}
	if h, ok := l.c.Hashers[k.Engine]; ok {
		files, err := l.c.Store.FS(ctx, k.Files)
		if err != nil {
			return k, fmt.Errorf("models: %w", err)
		}
		hash, n, err := h.ParamHash(ctx, compute.Model{ID: k.Files, Files: files})
		if err != nil {
			return k, fmt.Errorf("%w: %q: %w", ErrFiles, k.Name, err)
		}
		if hash != k.ParamHash || n != k.Params {
			return k, fmt.Errorf("%w: %q has %d parameters with hash %s, the manifest says %d with %s", ErrFiles, k.Name, n, hash, k.Params, k.ParamHash)
		}
	}
	if err := l.c.Keeper.Pin(ctx, k.Files, "model "+k.Name, 0); err != nil {
		return k, fmt.Errorf("models: pin %q: %w", k.Name, err)
	}
	k.Held = true
	return k, l.note(c, k.Model, true)
}

// An entry is created (unix seconds, big-endian) ‖ held; its key has the CID.
var prefix = []byte("model/")

func entryKey(c cid.Cid) []byte { return append(append([]byte(nil), prefix...), c.Bytes()...) }

func (l *Library) note(c cid.Cid, m protocol.Model, held bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.c.DB.Update(func(tx *kv.Tx) error {
		old, err := tx.Get(entryKey(c))
		if err == nil && len(old) == 9 && old[8] == 1 {
			return nil
		}
		v := binary.BigEndian.AppendUint64(nil, m.Created)
		if held {
			v = append(v, 1)
		} else {
			v = append(v, 0)
		}
		if err := tx.Set(entryKey(c), v); err != nil {
			return err
		}
		return trim(tx)
	})
}

// trim forgets the oldest models that are not held.
func trim(tx *kv.Tx) error {
	type entry struct {
		key     []byte
		created uint64
	}
	var loose []entry
	for it, err := range tx.Scan(prefix) {
		if err != nil {
			return err
		}
		if len(it.Value) == 9 && it.Value[8] == 0 {
			loose = append(loose, entry{it.Key, binary.BigEndian.Uint64(it.Value)})
		}
	}
	if len(loose) <= maxKnown {
		return nil
	}
	sort.Slice(loose, func(i, j int) bool { return loose[i].created < loose[j].created })
	for _, e := range loose[:len(loose)-maxKnown] {
		if err := tx.Delete(e.key); err != nil {
			return err
		}
	}
	return nil
}

func (l *Library) held(c cid.Cid) (bool, error) {
	held := false
	err := l.c.DB.View(func(tx *kv.Tx) error {
		v, err := tx.Get(entryKey(c))
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		held = len(v) == 9 && v[8] == 1
		return err
	})
	return held, err
}

// List is every model known, newest first.
func (l *Library) List(ctx context.Context) ([]Known, error) {
	var cs []cid.Cid
	err := l.c.DB.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan(prefix) {
			if err != nil {
				return err
			}
			c, err := cid.Cast(it.Key[len(prefix):])
			if err != nil {
				return fmt.Errorf("models: entry: %w", err)
			}
			cs = append(cs, c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []Known
	for _, c := range cs {
		b, err := l.c.Store.Local(ctx, c)
		if err != nil {
			continue // lost here: Read finds it elsewhere when it is asked for
		}
		m, err := l.open(b)
		if err != nil {
			continue
		}
		held, err := l.held(c)
		if err != nil {
			return nil, err
		}
		out = append(out, Known{c, held, m})
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Created > out[j].Created })
	return out, nil
}
