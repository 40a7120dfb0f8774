package datanet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/node/datanet/readers"
	"tally/protocol"
	"tally/storage/sealed"
)

// Recipient is the age recipient to which this node wants to be granted things.
func (s *Service) Recipient() (string, error) { return s.ring.Recipient() }

func (s *Service) readerKey() (protocol.Signed[protocol.ReaderKey], error) {
	to, err := s.Recipient()
	if err != nil {
		return protocol.Signed[protocol.ReaderKey]{}, err
	}
	return protocol.Sign(s.c.Network, s.c.Key, protocol.ReaderKey{Account: s.me, Recipient: to, Created: s.c.Now()})
}

// identities open the shards of a private datanet; the owner is asked for a grant if the newest is not here.
func (s *Service) identities(ctx context.Context, v Version) ([]sealed.Identity, error) {
	ids, err := s.ring.Identities(v.Origin, v.Manifest.Reader)
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
	return s.ring.Identities(v.Origin, v.Manifest.Reader) // an earlier grant opens earlier shards
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
	if err := s.ring.Take(g); err != nil {
		return g, err
	}
	return g, s.keepGrant(g, envelope)
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
	s.granting.Lock()
	defer s.granting.Unlock()
	defer s.doors.clear()
	return s.ring.Issue(g, v.Manifest.Reader, s.c.Now())
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

// Grants are those that stand on a datanet of ours, up to date.
func (s *Service) Grants(ctx context.Context, c cid.Cid) ([]protocol.Grant, error) {
	v, err := s.ownPrivate(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.ring.Grants(v.Origin)
}

// grantFor answers an account that asks for what it was granted: the grant with all keys up to
// now, whatever happened since it was made.
func (s *Service) grantFor(ctx context.Context, origin cid.Cid, account common.Address) ([]byte, error) {
	s.granting.Lock()
	defer s.granting.Unlock()
	v, err := s.ownVersion(ctx, origin)
	if err != nil {
		return nil, err
	}
	list, err := s.ring.Grants(origin)
	if err != nil {
		return nil, err
	}
	for _, g := range list {
		if g.Account != account || account == (common.Address{}) {
			continue
		}
		if held, err := s.ring.Held(g); err != nil {
			return nil, err
		} else if held {
			return nil, fmt.Errorf("%w: the grant of %s to %s is being taken back", ErrPrivate, origin, account)
		}
		if g.Keys[0].Reader != v.Manifest.Reader {
			signed, err := s.ring.Issue(g, v.Manifest.Reader, s.c.Now())
			return signed.Bytes(), err
		}
		return s.ring.Envelope(g)
	}
	return nil, fmt.Errorf("%w: %s was not granted %s", ErrPrivate, account, origin)
}

// Revoke takes a grant back: the next version has a new reader, which those that are still
// granted get. It works for shards that are added from now on; what somebody could read stays known to
// them. It returns the grants that must be handed over again, as nobody asks for them.
//
// The grant is held back first and goes last. So whatever fails between leaves it listed and gives nobody the
// new key, and Revoke can be said again: it goes on where it was.
func (s *Service) Revoke(ctx context.Context, c cid.Cid, to string) (Version, []protocol.Grant, error) {
	v, err := s.ownPrivate(ctx, c)
	if err != nil {
		return v, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.granting.Lock()
	defer s.granting.Unlock()
	defer s.doors.clear()
	if v, err = s.ownVersion(ctx, v.Origin); err != nil {
		return v, nil, err
	}
	list, err := s.ring.Grants(v.Origin)
	if err != nil {
		return v, nil, err
	}
	var stay, gone []protocol.Grant
	for _, g := range list {
		if strings.EqualFold(g.Account.Hex(), to) || g.Recipient == to {
			gone = append(gone, g)
		} else {
			stay = append(stay, g)
		}
	}
	if len(gone) == 0 {
		return v, nil, fmt.Errorf("%w: %s was not granted datanet %q", ErrRefused, to, v.Manifest.Name)
	}
	for _, g := range gone {
		if err := s.ring.Hold(g); err != nil {
			return v, nil, fmt.Errorf("datanet: revoke %s: %w", to, err)
		}
	}
	if v, err = s.rotate(ctx, v, gone); err != nil {
		return v, nil, fmt.Errorf("datanet: %s still has the key of %q, revoke it again: %w", to, v.Manifest.Name, err)
	}
	for _, g := range gone {
		if err := s.ring.Drop(g); err != nil {
			return v, nil, fmt.Errorf("datanet: the key of %q is new, but the grant is not dropped, revoke %s again: %w", v.Manifest.Name, to, err)
		}
	}
	var again []protocol.Grant
	for _, g := range stay {
		// One that asks for its grant gets it with all keys, also if this fails.
		if held, err := s.ring.Held(g); err != nil {
			return v, nil, err
		} else if held {
			continue // a revocation of it failed, and is to be said again
		}
		if _, err := s.ring.Issue(g, v.Manifest.Reader, s.c.Now()); err != nil {
			return v, nil, err
		}
		if g.Account == (common.Address{}) {
			again = append(again, g)
		}
	}
	return v, again, nil
}

// rotate publishes a version with a reader that none of these grants opens, unless the newest has one. The
// caller holds mu.
func (s *Service) rotate(ctx context.Context, v Version, gone []protocol.Grant) (Version, error) {
	opens := func(reader string) bool {
		return slices.ContainsFunc(gone, func(g protocol.Grant) bool {
			return slices.ContainsFunc(g.Keys, func(k protocol.GrantedKey) bool { return k.Reader == reader })
		})
	}
	if !opens(v.Manifest.Reader) {
		return v, nil
	}
	ids, err := s.ring.Identities(v.Origin, v.Manifest.Reader)
	if err != nil {
		return v, err
	}
	reader := ""
	for _, id := range ids { // one that was drawn and not published
		if r := id.Recipient(); !opens(r) {
			reader = r
		}
	}
	if reader == "" {
		if len(ids) >= readers.MaxKeys {
			return v, fmt.Errorf("%w: the reader of %q changed %d times: create another datanet", ErrRefused, v.Manifest.Name, readers.MaxKeys)
		}
		fresh, keep, err := s.ring.Draw()
		if err != nil {
			return v, err
		}
		if err := keep(v.Origin); err != nil {
			return v, err
		}
		reader = fresh
	}
	next, err := s.next(ctx, v, func(m *protocol.Manifest) { m.Reader = reader })
	if err != nil {
		return v, err
	}
	return next, nil
}

// Open opens the data of a shard as it was contributed: it is fetched if it is not here, and unsealed.
func (s *Service) Open(ctx context.Context, v Version, root cid.Cid) (io.ReadSeekCloser, error) {
	x, err := v.Shard(root)
	if err != nil {
		return nil, err
	}
	if v.Manifest.Reader != "" { // what cannot be opened is not fetched
		if _, err := s.identities(ctx, v); err != nil {
			return nil, err
		}
	}
	if err := s.HideComing(ctx, v, root); err != nil {
		return nil, err
	}
	if err := s.fetch(ctx, x); err != nil {
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
	ids, err := s.identities(ctx, v)
	var plain io.ReadSeeker
	if err == nil {
		plain, err = readers.Unseal(f, ids)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("datanet: open shard %s: %w", root, err), f.Close())
	}
	return file{plain, f}, nil
}

type file struct {
	io.ReadSeeker
	io.Closer
}
