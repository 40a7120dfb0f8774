package datanet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/protocol"
)

// Privacy keeps shards of private datanets from everybody's eyes. storage.Store is one.
type Privacy interface {
	// SetPrivate marks a shard, which need not be here yet, as a datanet's.
	SetPrivate(ctx context.Context, root, of cid.Cid) error
	// Private says whether a shard is marked, and as which datanet's.
	Private(root cid.Cid) (of cid.Cid, private bool)
	// PrivateShards are those that are marked.
	PrivateShards() []cid.Cid
}

// lookWithin bounds what is asked of a datanet for a decision on one of its shards.
const lookWithin = 20 * time.Second

// maxDoors bounds the datanets whose readers are kept in memory.
const maxDoors = 64

func heldKey(origin cid.Cid) []byte { return append([]byte("datanet/held/"), origin.Bytes()...) } // the newest grant made to us

// doors remembers who may read private datanets, by their newest versions known here.
type doors struct {
	mu   sync.Mutex
	list map[cid.Cid]*access // guarded by mu, by a version's CID; an access never changes
	gen  int                 // guarded by mu: counts what list was cleared for
}

// clear forgets what was read, since grants changed.
func (d *doors) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = nil
	d.gen++
}

// access is what one version says of its readers.
type access struct {
	v       Version // without its shards
	roots   map[cid.Cid]bool
	members map[common.Address]bool // the owner, the contributors, and those whom we granted it
}

// access reads the newest version known here, from memory if it was read before.
func (s *Service) access(ctx context.Context, origin cid.Cid) (*access, error) {
	at := origin
	for _, key := range [][]byte{headKey(origin), seenKey(origin)} {
		c, err := s.getCID(key)
		if err == nil {
			at = c
			break
		}
		if !errors.Is(err, kv.ErrNotFound) {
			return nil, err
		}
	}
	s.doors.mu.Lock()
	a, gen := s.doors.list[at], s.doors.gen
	s.doors.mu.Unlock()
	if a != nil {
		return a, nil
	}
	v, err := s.Read(ctx, at)
	if err != nil {
		return nil, err
	}
	if !v.Origin.Equals(origin) {
		return nil, fmt.Errorf("%w: %s is a version of %s", ErrDatanet, origin, v.Origin)
	}
	a = &access{v: v, roots: map[cid.Cid]bool{}, members: map[common.Address]bool{v.Manifest.Owner: true}}
	for _, x := range v.Manifest.Shards {
		a.roots[x.Root] = true
		a.members[x.Contributor] = true
	}
	if v.Manifest.Owner == s.me {
		list, err := s.ring.Grants(origin)
		if err != nil {
			return nil, err
		}
		for _, g := range list {
			held, err := s.ring.Held(g)
			if err != nil {
				return nil, err
			}
			if g.Account != (common.Address{}) && !held {
				a.members[g.Account] = true
			}
		}
	}
	a.v.Manifest.Shards, a.v.Manifest.Withdrawn = nil, nil
	s.doors.mu.Lock()
	defer s.doors.mu.Unlock()
	if s.doors.gen != gen {
		return a, nil // grants changed meanwhile
	}
	if len(s.doors.list) >= maxDoors || s.doors.list == nil {
		s.doors.list = map[cid.Cid]*access{}
	}
	s.doors.list[at] = a
	return a, nil
}

// Hide marks a shard that a version lists, if the datanet is private: before it is fetched, or as it is
// added.
func (s *Service) Hide(ctx context.Context, v Version, root cid.Cid) error {
	if v.Manifest.Reader == "" || s.c.Privacy == nil {
		return nil
	}
	if of, private := s.c.Privacy.Private(root); private && of.Defined() && !of.Equals(v.Origin) {
		return nil // another datanet's readers have it here
	}
	if err := s.c.Privacy.SetPrivate(ctx, root, v.Origin); err != nil {
		return fmt.Errorf("datanet: hide shard %s: %w", root, err)
	}
	return nil
}

// HideComing is Hide for what is to be fetched on the word of a datanet that this node only reads: what is
// here and public stays public, so that nobody hides it by listing it; what comes and is not sealed is shown again: see
// CanBe.
func (s *Service) HideComing(ctx context.Context, v Version, root cid.Cid) error {
	if _, err := s.c.Data.Stat(ctx, root); err == nil {
		return nil
	}
	return s.Hide(ctx, v, root)
}

// HideWanted is HideComing for a shard that followed datanets may want.
func (s *Service) HideWanted(ctx context.Context, root cid.Cid) error {
	list, err := s.Following()
	if err != nil {
		return err
	}
	for _, origin := range list {
		a, err := s.access(ctx, origin)
		if err != nil {
			s.c.Logger.Warn("whether a followed datanet is private was not read", "datanet", origin, "err", err)
			continue // others' shards must not wait for it
		}
		if a.roots[root] {
			if err := s.HideComing(ctx, a.v, root); err != nil {
				return err
			}
		}
	}
	return nil
}

// MayRead says, by nil, that an account may be given the shards of a datanet: anybody those of a public
// one; of a private one its owner, those who contributed to it, as far as this node has seen its
// versions, and on the owner's node those who were granted it. ErrPrivate refuses. Others show a grant: see ShowsGrant.
func (s *Service) MayRead(ctx context.Context, origin cid.Cid, account common.Address) error {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	a, err := s.access(ctx, origin)
	if err != nil {
		return err
	}
	if a.v.Manifest.Reader == "" || a.members[account] {
		return nil
	}
	return fmt.Errorf("%w: %s was not granted %s", ErrPrivate, account, origin)
}

// ShowsGrant says, by nil, that the envelope of a grant lets an account read the shards of a private datanet:
// the owner signed it, to that account or to no account, and it opens the newest version that
// this node has seen. So a grant that was taken back ends with that version.
func (s *Service) ShowsGrant(ctx context.Context, origin cid.Cid, account common.Address, envelope []byte) error {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	signed, err := protocol.ParseSigned[protocol.Grant](envelope)
	if err != nil {
		return err
	}
	a, err := s.access(ctx, origin)
	if err != nil {
		return err
	}
	g, err := signed.Open(s.c.Network)
	if err != nil {
		return err
	}
	if !g.Datanet.Equals(origin) || g.Owner != a.v.Manifest.Owner {
		return fmt.Errorf("%w: a grant of %s to %s was shown for %s", ErrPrivate, g.Owner, g.Datanet, origin)
	}
	if g.Account != account && g.Account != (common.Address{}) {
		return fmt.Errorf("%w: %s showed a grant to %s", ErrPrivate, account, g.Account)
	}
	for _, k := range g.Keys {
		if k.Reader == a.v.Manifest.Reader {
			return nil
		}
	}
	return fmt.Errorf("%w: the grant that %s showed does not open version %d: ask for it again", ErrPrivate, account, a.v.Manifest.Version)
}

// Credential is what this node shows to a holder of a private shard that refuses it: the grant that was
// made to it, asked from the owner if that answers. Nothing if no datanet is known to list the
// shard.
func (s *Service) Credential(ctx context.Context, root cid.Cid) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	var origin cid.Cid
	if s.c.Privacy != nil {
		origin, _ = s.c.Privacy.Private(root)
	}
	if !origin.Defined() {
		return nil, nil
	}
	a, err := s.access(ctx, origin)
	if err != nil {
		return nil, err
	}
	if a.v.Manifest.Owner == s.me {
		return nil, nil
	}
	b, asking := s.ask(ctx, a.v.Manifest.Owner, opGrant, origin.Bytes())
	if asking == nil {
		_, asking = s.AcceptGrant(ctx, b)
	}
	b, err = s.get(heldKey(origin))
	if errors.Is(err, kv.ErrNotFound) {
		return nil, fmt.Errorf("%w: %w", ErrPrivate, asking)
	}
	return b, err
}

// keepGrant keeps the newest grant that was made to us.
func (s *Service) keepGrant(g protocol.Grant, envelope []byte) error {
	b, err := s.get(heldKey(g.Datanet))
	if err == nil {
		old, err := protocol.ParseSigned[protocol.Grant](b)
		if err == nil {
			if o, err := old.Open(s.c.Network); err == nil && o.Created > g.Created {
				return nil
			}
		}
	} else if !errors.Is(err, kv.ErrNotFound) {
		return err
	}
	return s.set(heldKey(g.Datanet), envelope)
}
