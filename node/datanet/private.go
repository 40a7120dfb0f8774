package datanet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
	"tally/storage/sealed"
)

// Under a datanet's identity: what opens its shards, by the Reader that they are sealed to; and what an
// owner granted, by the reader's recipient.
func ringKey(origin cid.Cid, reader string) []byte {
	return append(append([]byte("datanet/ring/"), origin.Bytes()...), reader...)
}

func grantKey(origin cid.Cid, recipient string) []byte {
	return append(append([]byte("datanet/grant/"), origin.Bytes()...), recipient...)
}

// maxKeys bounds how often a datanet changes its reader, as a grant holds all of them.
const maxKeys = 64

// newReader draws an identity; keep stores it for a datanet.
func (s *Service) newReader() (recipient string, keep func(origin cid.Cid) error, err error) {
	id, err := sealed.NewIdentity()
	if err != nil {
		return "", nil, err
	}
	return id.Recipient(), func(origin cid.Cid) error { return s.set(ringKey(origin, id.Recipient()), []byte(id.Secret())) }, nil
}

// Recipient is the age recipient to which this node wants to be granted things.
func (s *Service) Recipient() (string, error) {
	id, err := sealed.ReaderIdentity(s.c.Key)
	return id.Recipient(), err
}

func (s *Service) readerKey() (protocol.Signed[protocol.ReaderKey], error) {
	to, err := s.Recipient()
	if err != nil {
		return protocol.Signed[protocol.ReaderKey]{}, err
	}
	return protocol.Sign(s.c.Network, s.c.Key, protocol.ReaderKey{Account: s.me, Recipient: to, Created: s.c.Now()})
}

// ring are the identities that this node has of a datanet, that of first before the others.
func (s *Service) ring(origin cid.Cid, first string) ([]sealed.Identity, error) {
	var out []sealed.Identity
	err := s.c.DB.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan(ringKey(origin, "")) {
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

// identities open the shards of a private datanet; the owner is asked for a grant if the newest is not here.
func (s *Service) identities(ctx context.Context, v Version) ([]sealed.Identity, error) {
	ids, err := s.ring(v.Origin, v.Manifest.Reader)
	if err != nil {
		return nil, err
	}
	if len(ids) > 0 && ids[0].Recipient() == v.Manifest.Reader || v.Manifest.Owner == s.me {
		return ids, nil
	}
	b, err := s.ask(ctx, v.Manifest.Owner, opGrant, v.Origin.Bytes())
	if err == nil {
		_, err = s.AcceptGrant(ctx, b)
	}
	if err != nil && len(ids) == 0 {
		return nil, fmt.Errorf("%w: %w", ErrPrivate, err)
	}
	return s.ring(v.Origin, v.Manifest.Reader) // an earlier grant opens earlier shards
}

// AcceptGrant takes a grant made to this node's recipient: an envelope as Grant returns it.
func (s *Service) AcceptGrant(ctx context.Context, envelope []byte) (protocol.Grant, error) {
	signed, err := protocol.ParseSigned[protocol.Grant](envelope)
	if err != nil {
		return protocol.Grant{}, err
	}
	g, err := signed.Open(s.c.Network)
	if err != nil {
		return g, err
	}
	if err := g.Validate(); err != nil {
		return g, err
	}
	v, err := s.Read(ctx, g.Datanet)
	if err != nil {
		return g, err
	}
	if v.Manifest.Version != 0 || v.Manifest.Owner != g.Owner {
		return g, fmt.Errorf("%w: %s signed a grant to %s, which is not a datanet of that account", ErrDatanet, g.Owner, g.Datanet)
	}
	me, err := sealed.ReaderIdentity(s.c.Key)
	if err != nil {
		return g, err
	}
	for _, k := range g.Keys {
		id, err := sealed.Unwrap(k.Wrapped, me, k.Reader)
		if err != nil {
			return g, fmt.Errorf("datanet: open the grant: %w", err)
		}
		if err := s.set(ringKey(g.Datanet, id.Recipient()), []byte(id.Secret())); err != nil {
			return g, err
		}
	}
	return g, nil
}

// Grant lets a reader open a private datanet of ours. to is an age recipient, or the account of a
// node, which is asked for its recipient. The envelope is kept and served to
// the account; for a recipient alone it is to be handed over.
func (s *Service) Grant(ctx context.Context, c cid.Cid, to string) (protocol.Signed[protocol.Grant], error) {
	v, err := s.ownPrivate(ctx, c)
	if err != nil {
		return protocol.Signed[protocol.Grant]{}, err
	}
	g := protocol.Grant{Datanet: v.Origin, Owner: s.me, Recipient: to}
	if common.IsHexAddress(to) {
		g.Account = common.HexToAddress(to)
		if g.Recipient, err = s.askRecipient(ctx, g.Account); err != nil {
			return protocol.Signed[protocol.Grant]{}, err
		}
	}
	if err := sealed.ValidRecipient(g.Recipient); err != nil {
		return protocol.Signed[protocol.Grant]{}, fmt.Errorf("%w: %q is neither an account nor a recipient: %w", ErrRefused, to, err)
	}
	return s.issue(v, g)
}

func (s *Service) askRecipient(ctx context.Context, account common.Address) (string, error) {
	if account == s.me {
		return s.Recipient()
	}
	b, err := s.ask(ctx, account, opReaderKey, nil)
	if err != nil {
		return "", fmt.Errorf("datanet: ask %s for its recipient: %w", account, err)
	}
	signed, err := protocol.ParseSigned[protocol.ReaderKey](b)
	if err != nil {
		return "", err
	}
	k, err := signed.Open(s.c.Network)
	if err != nil {
		return "", err
	}
	if k.Account != account {
		return "", fmt.Errorf("%w: %s answers with the recipient of %s", ErrDatanet, account, k.Account)
	}
	return k.Recipient, nil
}

func (s *Service) ownPrivate(ctx context.Context, c cid.Cid) (Version, error) {
	v, err := s.Read(ctx, c)
	if err != nil {
		return v, err
	}
	if v, err = s.ownVersion(ctx, v.Origin); err != nil {
		return v, err
	}
	if v.Manifest.Reader == "" {
		return v, fmt.Errorf("%w: datanet %q is public: anybody reads it without a grant", ErrRefused, v.Manifest.Name)
	}
	return v, nil
}

// issue wraps all that opens the datanet to a grant's recipient, and keeps it.
func (s *Service) issue(v Version, g protocol.Grant) (out protocol.Signed[protocol.Grant], err error) {
	ids, err := s.ring(v.Origin, v.Manifest.Reader)
	if err != nil {
		return out, err
	}
	g.Keys, g.Created = nil, s.c.Now()
	for _, id := range ids {
		b, err := sealed.Grant(id, g.Recipient)
		if err != nil {
			return out, err
		}
		g.Keys = append(g.Keys, protocol.GrantedKey{Reader: id.Recipient(), Wrapped: b})
	}
	if out, err = protocol.Sign(s.c.Network, s.c.Key, g); err != nil {
		return out, err
	}
	return out, s.set(grantKey(v.Origin, g.Recipient), out.Bytes())
}

// Grants are those that stand on a datanet of ours, up to date.
func (s *Service) Grants(ctx context.Context, c cid.Cid) ([]protocol.Grant, error) {
	v, err := s.ownPrivate(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.grants(v.Origin)
}

func (s *Service) grants(origin cid.Cid) (out []protocol.Grant, err error) {
	err = s.c.DB.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan(grantKey(origin, "")) {
			if err != nil {
				return err
			}
			signed, err := protocol.ParseSigned[protocol.Grant](it.Value)
			if err != nil {
				return err
			}
			g, err := signed.Open(s.c.Network)
			if err != nil {
				return err
			}
			out = append(out, g)
		}
		return nil
	})
	return out, err
}

// grantFor answers an account that asks for what it was granted: the grant with all keys up to
// now, whatever happened since it was made.
func (s *Service) grantFor(ctx context.Context, origin cid.Cid, account common.Address) ([]byte, error) {
	v, err := s.ownVersion(ctx, origin)
	if err != nil {
		return nil, err
	}
	list, err := s.grants(origin)
	if err != nil {
		return nil, err
	}
	for _, g := range list {
		if g.Account != account || account == (common.Address{}) {
			continue
		}
		if g.Keys[0].Reader != v.Manifest.Reader {
			signed, err := s.issue(v, g)
			return signed.Bytes(), err
		}
		return s.get(grantKey(origin, g.Recipient))
	}
	return nil, fmt.Errorf("%w: %s was not granted %s", ErrPrivate, account, origin)
}

// Revoke takes a grant back: the next version has a new reader, which those that are still
// granted get. It works for shards that are added from now on; what somebody could read stays known to
// them. It returns the grants that must be handed over again, as nobody asks for them.
func (s *Service) Revoke(ctx context.Context, c cid.Cid, to string) (Version, []protocol.Grant, error) {
	v, err := s.ownPrivate(ctx, c)
	if err != nil {
		return v, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, err = s.ownVersion(ctx, v.Origin); err != nil {
		return v, nil, err
	}
	list, err := s.grants(v.Origin)
	if err != nil {
		return v, nil, err
	}
	ids, err := s.ring(v.Origin, v.Manifest.Reader)
	if err != nil {
		return v, nil, err
	}
	if len(ids) >= maxKeys {
		return v, nil, fmt.Errorf("%w: the reader of %q changed %d times: create another datanet", ErrRefused, v.Manifest.Name, maxKeys)
	}
	var stay []protocol.Grant
	found := false
	for _, g := range list {
		if strings.EqualFold(g.Account.Hex(), to) || g.Recipient == to {
			found = true
			if err := s.drop(grantKey(v.Origin, g.Recipient)); err != nil {
				return v, nil, err
			}
			continue
		}
		stay = append(stay, g)
	}
	if !found {
		return v, nil, fmt.Errorf("%w: %s was not granted datanet %q", ErrRefused, to, v.Manifest.Name)
	}
	reader, keep, err := s.newReader()
	if err != nil {
		return v, nil, err
	}
	if err := keep(v.Origin); err != nil {
		return v, nil, err
	}
	if v, err = s.next(ctx, v, func(m *protocol.Manifest) { m.Reader = reader }); err != nil {
		return v, nil, err
	}
	var again []protocol.Grant
	for _, g := range stay {
		if _, err := s.issue(v, g); err != nil {
			return v, nil, err
		}
		if g.Account == (common.Address{}) {
			again = append(again, g)
		}
	}
	return v, again, nil
}

// Open opens the data of a shard as it was contributed: it is fetched if it is not here, and unsealed.
func (s *Service) Open(ctx context.Context, v Version, root cid.Cid) (io.ReadSeekCloser, error) {
	if _, err := v.Shard(root); err != nil {
		return nil, err
	}
	if err := s.c.Data.Fetch(ctx, root); err != nil {
		return nil, fmt.Errorf("datanet: fetch shard %s: %w", root, err)
	}
	return s.openHeld(ctx, v, root)
}

// openHeld opens a shard that is here.
func (s *Service) openHeld(ctx context.Context, v Version, root cid.Cid) (io.ReadSeekCloser, error) {
	f, err := s.c.Data.OpenFile(ctx, root)
	if err != nil || v.Manifest.Reader == "" {
		return f, err
	}
	plain, err := s.unseal(ctx, v, f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("datanet: open shard %s: %w", root, err), f.Close())
	}
	return file{plain, f}, nil
}

type file struct {
	io.ReadSeeker
	io.Closer
}

// unseal tries the identities that this node has.
func (s *Service) unseal(ctx context.Context, v Version, f io.ReadSeeker) (io.ReadSeeker, error) {
	ids, err := s.identities(ctx, v)
	if err != nil {
		return nil, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("datanet: %w", err)
	}
	err = ErrPrivate
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
