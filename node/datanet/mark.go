package datanet

import (
	"context"
	"errors"

	"github.com/ipfs/go-cid"

	"tally/node/datanet/readers"
	"tally/storage/sealed"
)

// hideHeld marks those shards of a private datanet that are here: they may have come before this node knew
// whose they are. What is not sealed is not the datanet's, whoever lists it: see CanBe.
func (s *Service) hideHeld(ctx context.Context, origin cid.Cid) error {
	a, err := s.access(ctx, origin)
	if err != nil || a.v.Manifest.Reader == "" || s.c.Privacy == nil {
		return err
	}
	for root := range a.roots {
		if of, private := s.c.Privacy.Private(root); private && of.Defined() {
			continue
		}
		ok, err := s.canBe(ctx, a.v, root)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || !ok {
			continue // not here, or it does not read: then nobody gets it
		}
		if err := s.Hide(ctx, a.v, root); err != nil {
			return err
		}
	}
	return nil
}

// hideOwn marks what is here of this node's own private datanets, and shows what is marked and is
// no private datanet's.
func (s *Service) hideOwn(ctx context.Context) {
	own, err := s.cids("datanet/head/")
	for _, origin := range own {
		err = errors.Join(err, s.hideHeld(ctx, origin))
	}
	if err != nil && ctx.Err() == nil {
		s.c.Logger.Warn("shards of private datanets may be shown to others", "err", err)
	}
	if s.c.Privacy == nil {
		return
	}
	for _, root := range s.c.Privacy.PrivateShards() {
		if ctx.Err() != nil {
			return
		}
		of, private := s.c.Privacy.Private(root)
		if !private || s.CanBe(ctx, of, root) {
			continue
		}
		s.c.Logger.Warn("a shard was marked as a private datanet's, and is not sealed: it is public", "root", root, "datanet", of)
		if err := s.c.Privacy.SetPrivate(ctx, root, cid.Undef); err != nil {
			s.c.Logger.Warn("a public shard stays hidden", "root", root, "err", err)
		}
	}
}

// CanBe says whether a shard can be a private datanet's by its content: only what is sealed can. It
// is true where the shard is not here or does not read.
func (s *Service) CanBe(ctx context.Context, of, root cid.Cid) bool {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	v := Version{Origin: of}
	if of.Defined() {
		if a, err := s.accessHere(ctx, of); err == nil {
			v = a.v
		}
	}
	ok, err := s.canBe(ctx, v, root)
	return ok || err != nil
}

// accessHere is access for a datanet of which this node has seen a version.
func (s *Service) accessHere(ctx context.Context, origin cid.Cid) (*access, error) {
	if _, err := s.getCID(headKey(origin)); err != nil {
		if _, err := s.getCID(seenKey(origin)); err != nil {
			return nil, err
		}
	}
	return s.access(ctx, origin)
}

// canBe looks at the content of a shard that is here: an age file to the datanet's reader where this node can
// open the datanet, an age file elsewhere.
func (s *Service) canBe(ctx context.Context, v Version, root cid.Cid) (ok bool, err error) {
	if _, err := s.c.Data.Stat(ctx, root); err != nil {
		return false, err
	}
	f, err := s.c.Data.OpenFile(ctx, root)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	any, err := sealed.NewIdentity()
	if err != nil {
		return false, err
	}
	switch _, err = sealed.Open(f, any); { // a sound header that is for somebody else
	case errors.Is(err, sealed.ErrKey):
	case errors.Is(err, sealed.ErrForeign), errors.Is(err, sealed.ErrTruncated):
		return false, nil
	case err != nil:
		return false, err
	}
	if v.Manifest.Reader == "" {
		return true, nil
	}
	ids, err := s.ring.Identities(v.Origin, v.Manifest.Reader)
	if err != nil || len(ids) == 0 || ids[0].Recipient() != v.Manifest.Reader {
		return true, err // only its readers can tell
	}
	switch _, err = readers.Unseal(f, ids); {
	case errors.Is(err, sealed.ErrKey):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, nil
}

// Lists says whether it is proved that a shard is a private datanet's: a version that the owner signed, the
// newest that this node has seen, has a reader and lists it. The owner is asked for a newer one;
// what cannot be found out is not proved.
func (s *Service) Lists(ctx context.Context, origin, root cid.Cid) bool {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	_, asking := s.Head(ctx, origin)
	a, err := s.access(ctx, origin)
	if err != nil {
		s.c.Logger.Info("whether a datanet lists a shard was not found out", "datanet", origin, "root", root, "err", errors.Join(err, asking))
		return false
	}
	return a.v.Manifest.Reader != "" && a.roots[root]
}
