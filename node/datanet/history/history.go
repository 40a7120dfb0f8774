// Package history reads versions of datanets and walks and compares them.
//
// The life of a version: Read fetches the manifest that a CID names, checks it by itself and that the owner of
// version 0 signed it, and remembers it, since a version never changes. Log walks from it to the first
// one; Diff says what changed between two. What must outlast the disk of the data is kept in the node's own database, by
// Keep, and read from there first.
//
// Which version is the newest is not known here: its owner says so. Everything that is read is bounded: a manifest's
// bytes, the versions of a walk, the shards that are remembered. A Book is safe for concurrent use.
package history

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
)

var (
	// ErrDatanet says that a CID names no datanet, or a wrong one was shown.
	ErrDatanet = errors.New("datanet: not a datanet")
	// ErrShard says that a version lists no such shard.
	ErrShard = errors.New("datanet: no such shard")
	// ErrTwo says that versions of two datanets were to be compared.
	ErrTwo = errors.New("datanet: two datanets: give two versions of one, as 'tally datanet log' lists them")
)

// MaxManifest bounds the bytes of a manifest.
const MaxManifest = 2 << 20

// Documents finds small blocks by CID, here or elsewhere.
type Documents interface {
	Get(ctx context.Context, c cid.Cid) ([]byte, error)
}

// Book is what a node has read of datanets' histories.
type Book struct {
	network protocol.Network
	docs    Documents
	db      *kv.DB // who signed version 0 of a datanet
	read    checked
}

// New returns a book of a network, with who owns what in db.
func New(n protocol.Network, d Documents, db *kv.DB) *Book { return &Book{network: n, docs: d, db: db} }

// Version is one manifest and where it stands.
type Version struct {
	CID      cid.Cid
	Origin   cid.Cid // the datanet's identity
	Manifest protocol.Manifest
}

// Shard is the version's entry for a root.
func (v Version) Shard(root cid.Cid) (protocol.Shard, error) {
	for _, s := range v.Manifest.Shards {
		if s.Root.Equals(root) {
			return s, nil
		}
	}
	return protocol.Shard{}, fmt.Errorf("%w: version %d of datanet %q does not list %s", ErrShard, v.Manifest.Version, v.Manifest.Name, root)
}

// Read fetches and checks the manifest that c names: by itself, and that the
// datanet is its owner's. Which version is the newest it does not ask.
// The manifest is shared and must not be written to.
func (b *Book) Read(ctx context.Context, c cid.Cid) (Version, error) {
	if v, ok := b.read.get(c); ok {
		return v, nil
	}
	raw, err := b.Envelope(ctx, c)
	if err != nil {
		return Version{}, fmt.Errorf("datanet: get %s: %w", c, err)
	}
	v, err := b.Parse(raw)
	if err != nil {
		return Version{}, err
	}
	if err := b.checkOwner(ctx, v); err != nil {
		return Version{}, err
	}
	b.read.put(v)
	return v, nil
}

// Parse checks a manifest by itself.
func (b *Book) Parse(raw []byte) (Version, error) {
	if len(raw) > MaxManifest {
		return Version{}, fmt.Errorf("%w: a manifest of %d bytes, at most %d", ErrDatanet, len(raw), MaxManifest)
	}
	signed, err := protocol.ParseSigned[protocol.Manifest](raw)
	if err != nil {
		return Version{}, fmt.Errorf("%w: %w", ErrDatanet, err)
	}
	c := signed.CID()
	m, err := signed.Open(b.network)
	if err != nil {
		return Version{}, fmt.Errorf("%w: %s: %w", ErrDatanet, c, err)
	}
	origin := m.Origin
	if m.Version == 0 {
		origin = c
	}
	return Version{c, origin, m}, m.Validate(b.network, origin)
}

// checkOwner refuses a version that names an identity which is another's.
func (b *Book) checkOwner(ctx context.Context, v Version) error {
	if v.Manifest.Version == 0 {
		return nil
	}
	owner, err := b.owner(v.Origin)
	if errors.Is(err, kv.ErrNotFound) {
		raw, err2 := b.Envelope(ctx, v.Origin)
		if err2 != nil {
			return fmt.Errorf("datanet: get version 0, %s: %w", v.Origin, err2)
		}
		first, err2 := b.Parse(raw)
		if err2 != nil {
			return err2
		}
		if first.Manifest.Version != 0 {
			return fmt.Errorf("%w: %s is version %d, not the first", ErrDatanet, v.Origin, first.Manifest.Version)
		}
		owner, err = first.Manifest.Owner, b.setOwner(v.Origin, first.Manifest.Owner)
	}
	if err != nil {
		return err
	}
	if owner != v.Manifest.Owner {
		return fmt.Errorf("%w: %s says it is a version of %s, which is %s's and not %s's", ErrDatanet, v.CID, v.Origin, owner, v.Manifest.Owner)
	}
	return nil
}

func ownerKey(origin cid.Cid) []byte { return append([]byte("datanet/owner/"), origin.Bytes()...) }

// owner is who signed version 0, as far as it was read before.
func (b *Book) owner(origin cid.Cid) (who common.Address, err error) {
	err = b.db.View(func(tx *kv.Tx) error {
		raw, err := tx.Get(ownerKey(origin))
		who = common.BytesToAddress(raw)
		return err
	})
	return who, err
}

func (b *Book) setOwner(origin cid.Cid, who common.Address) error {
	return b.db.Update(func(tx *kv.Tx) error { return tx.Set(ownerKey(origin), who[:]) })
}

// Log are the versions from c back to the first, newest first. An error after some
// versions says why the walk ended there.
func (b *Book) Log(ctx context.Context, c cid.Cid) ([]Version, error) {
	var out []Version
	size := 0
	for c.Defined() {
		v, err := b.Read(ctx, c)
		if err != nil {
			return out, err
		}
		if len(out) > 0 {
			if err := out[len(out)-1].Manifest.Follows(v.Manifest); err != nil {
				return out, err
			}
		}
		out = append(out, v)
		if size += len(v.Manifest.Shards); len(out) > maxVersions || size > maxWalked {
			return out, fmt.Errorf("%w: the history of %q is too long to walk: %d versions were checked", ErrDatanet, v.Manifest.Name, len(out))
		}
		c = v.Manifest.Parent
	}
	return out, nil
}

// What a walk through a history reads at most: versions, and entries of shards in all of
// them together (about 250 bytes each, and one signature to check).
const (
	maxVersions = 4097
	maxWalked   = 1 << 18
)
