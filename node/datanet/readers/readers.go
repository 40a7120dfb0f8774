// Package readers keeps what opens private datanets: a node's ring of datanets'
// identities, and the grants that it made.
//
// The life of a key: the owner draws an identity and keeps it before anything is sealed to it; Issue wraps all
// identities of a datanet to a reader; the reader Takes them into its own ring, and Unseal tries
// them on a shard. Revoking is drawing another identity and dropping a grant.
//
// Secrets are in the node's database, beside the node's key, which opens every grant made to the
// node anyway. A Ring is safe for concurrent use.
package readers

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
	"tally/storage/sealed"
)

// MaxKeys bounds how often a datanet changes its reader, as a grant holds all of them.
const MaxKeys = 64

// Ring is what a node can open.
type Ring struct {
	DB      *kv.DB
	Key     *ecdsa.PrivateKey
	Network protocol.Network
}

func keyOf(origin cid.Cid, reader string) []byte {
	return append(append([]byte("datanet/ring/"), origin.Bytes()...), reader...)
}

func grantKey(origin cid.Cid, recipient string) []byte {
	return append(append([]byte("datanet/grant/"), origin.Bytes()...), recipient...)
}

func holdKey(origin cid.Cid, recipient string) []byte {
	return append(append([]byte("datanet/hold/"), origin.Bytes()...), recipient...)
}

func (r Ring) set(key, value []byte) error {
	return r.DB.Update(func(tx *kv.Tx) error { return tx.Set(key, value) })
}

// Draw makes an identity; keep stores it for a datanet.
func (r Ring) Draw() (recipient string, keep func(origin cid.Cid) error, err error) {
	id, err := sealed.NewIdentity()
	if err != nil {
		return "", nil, err
	}
	return id.Recipient(), func(origin cid.Cid) error { return r.set(keyOf(origin, id.Recipient()), []byte(id.Secret())) }, nil
}

// Recipient is the age recipient to which this node wants to be granted things.
func (r Ring) Recipient() (string, error) {
	id, err := sealed.ReaderIdentity(r.Key)
	return id.Recipient(), err
}

// Identities are those that this node has of a datanet, that of the reader first before the
// others.
func (r Ring) Identities(origin cid.Cid, first string) ([]sealed.Identity, error) {
	var out []sealed.Identity
	err := r.DB.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan(keyOf(origin, "")) {
			if err != nil {
				return err
			}
			id, err := sealed.ParseIdentity(string(it.Value))
			if err != nil {
				return err
			}
			if out = append(out, id); id.Recipient() == first {
				out[0], out[len(out)-1] = out[len(out)-1], out[0]
			}
		}
		return nil
	})
	return out, err
}

// Take opens a grant made to this node and keeps what is in it. That the owner made it is the
// caller's to check.
func (r Ring) Take(g protocol.Grant) error {
	me, err := sealed.ReaderIdentity(r.Key)
	if err != nil {
		return err
	}
	for _, k := range g.Keys {
		id, err := sealed.Unwrap(k.Wrapped, me, k.Reader)
		if err != nil {
			return fmt.Errorf("readers: open the grant: %w", err)
		}
		if err := r.set(keyOf(g.Datanet, id.Recipient()), []byte(id.Secret())); err != nil {
			return err
		}
	}
	return nil
}

// Issue wraps all that opens a datanet to a grant's recipient, that of the newest reader first; it signs the
// grant and keeps it.
func (r Ring) Issue(g protocol.Grant, newest string, now uint64) (out protocol.Signed[protocol.Grant], err error) {
	ids, err := r.Identities(g.Datanet, newest)
	if err != nil {
		return out, err
	}
	g.Keys, g.Created = nil, now
	for _, id := range ids {
		b, err := sealed.Grant(id, g.Recipient)
		if err != nil {
			return out, err
		}
		g.Keys = append(g.Keys, protocol.GrantedKey{Reader: id.Recipient(), Wrapped: b})
	}
	if out, err = protocol.Sign(r.Network, r.Key, g); err != nil {
		return out, err
	}
	return out, r.DB.Update(func(tx *kv.Tx) error {
		return errors.Join(tx.Delete(holdKey(g.Datanet, g.Recipient)), tx.Set(grantKey(g.Datanet, g.Recipient), out.Bytes()))
	})
}

// Hold notes that a grant is being taken back, until it is dropped or issued anew.
func (r Ring) Hold(g protocol.Grant) error {
	return r.set(holdKey(g.Datanet, g.Recipient), []byte{1})
}

// Held says whether a grant is being taken back.
func (r Ring) Held(g protocol.Grant) (bool, error) {
	err := r.DB.View(func(tx *kv.Tx) error {
		_, err := tx.Get(holdKey(g.Datanet, g.Recipient))
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Grants are those that stand on a datanet.
func (r Ring) Grants(origin cid.Cid) (out []protocol.Grant, err error) {
	err = r.DB.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan(grantKey(origin, "")) {
			if err != nil {
				return err
			}
			signed, err := protocol.ParseSigned[protocol.Grant](it.Value)
			if err != nil {
				return err
			}
			g, err := signed.Open(r.Network)
			if err != nil {
				return err
			}
			out = append(out, g)
		}
		return nil
	})
	return out, err
}

// Envelope is a grant that stands, as it is served.
func (r Ring) Envelope(g protocol.Grant) (b []byte, err error) {
	err = r.DB.View(func(tx *kv.Tx) error {
		b, err = tx.Get(grantKey(g.Datanet, g.Recipient))
		return err
	})
	return b, err
}

// Drop takes a grant away; what it opened stays open to its reader.
func (r Ring) Drop(g protocol.Grant) error {
	return r.DB.Update(func(tx *kv.Tx) error {
		return errors.Join(tx.Delete(grantKey(g.Datanet, g.Recipient)), tx.Delete(holdKey(g.Datanet, g.Recipient)))
	})
}

// Unseal opens a sealed file with the first identity that fits; sealed.ErrKey says that none does. f is read
// by nobody else meanwhile.
func Unseal(f io.ReadSeeker, ids []sealed.Identity) (io.ReadSeeker, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("readers: %w", err)
	}
	err = sealed.ErrKey
	for _, id := range ids {
		plain, err2 := sealed.OpenSeeker(seekerAt{f}, size, id)
		if err2 == nil {
			return plain, nil
		}
		if err = err2; !errors.Is(err, sealed.ErrKey) {
			break
		}
	}
	return nil, err
}

// seekerAt reads at offsets of what can seek; one reader at a time.
type seekerAt struct{ f io.ReadSeeker }

// ReadAt implements io.ReaderAt.
func (s seekerAt) ReadAt(p []byte, off int64) (int, error) {
	if _, err := s.f.Seek(off, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(s.f, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}
