package datanet

import (
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
	"golang.org/x/sync/errgroup"

	"tally/internal/kv"
	"tally/node/datanet/history"
	"tally/storage"
)

// maxCopied bounds the copies of one datanet of ours, in bytes: some thousand shards in a hundred
// versions. Of those followed only the first and the newest version are copied.
const maxCopied = 32 << 20

// askAtOnce bounds the versions that are looked for at a time.
const askAtOnce = 16

// publish makes a version the head of a datanet of ours, with a copy of it in the database, both or neither.
func (s *Service) publish(v Version, envelope []byte) error {
	err := s.c.DB.Update(func(tx *kv.Tx) error {
		return errors.Join(history.Keep(tx, v, envelope), tx.Set(headKey(v.Origin), v.CID.Bytes()))
	})
	if err != nil {
		return fmt.Errorf("datanet: keep version %d: %w", v.Manifest.Version, err)
	}
	s.trim(v.Origin, maxCopied)
	return nil
}

// saw remembers the newest version of another's datanet, with a copy if it is followed.
func (s *Service) saw(v Version, envelope []byte) error {
	followed := false
	err := s.c.DB.Update(func(tx *kv.Tx) error {
		_, err := tx.Get(followKey(v.Origin))
		if followed = err == nil; followed {
			if err := history.Keep(tx, v, envelope); err != nil {
				return err
			}
		}
		return tx.Set(seenKey(v.Origin), v.CID.Bytes())
	})
	if err == nil && followed {
		s.trim(v.Origin, 0)
	}
	return err
}

// trim is no reason to fail for: what it leaves is dropped the next time.
func (s *Service) trim(origin cid.Cid, most int) {
	if err := s.book.Trim(origin, most); err != nil {
		s.c.Logger.Warn("old copies of a datanet's versions were not dropped", "datanet", origin, "err", err)
	}
}

// keepFollowed copies the newest version seen of another's datanet, and the first one if it is here.
func (s *Service) keepFollowed(ctx context.Context, v Version) {
	if v.Manifest.Owner == s.me {
		return
	}
	err := s.copyVersion(ctx, v)
	if first, err2 := s.readHere(ctx, v.Origin); err2 == nil {
		err = errors.Join(err, s.copyVersion(ctx, first))
	}
	if err != nil {
		s.c.Logger.Warn("a followed datanet's version was not copied", "datanet", v.Origin, "err", err)
	}
	s.trim(v.Origin, 0)
}

func (s *Service) copyVersion(ctx context.Context, v Version) error {
	if _, ok := s.book.Copy(v.CID); ok {
		return nil
	}
	b, err := s.book.Envelope(ctx, v.CID)
	if err != nil {
		return err
	}
	return s.c.DB.Update(func(tx *kv.Tx) error { return history.Keep(tx, v, b) })
}

// local is a document that is here.
func (s *Service) local(ctx context.Context, c cid.Cid) error {
	if near, ok := s.c.Documents.(Near); ok {
		_, err := near.Local(ctx, c)
		return err
	}
	_, err := s.c.Documents.Get(ctx, c)
	return err
}

// readHere is Read of what is here, which asks nobody for it.
func (s *Service) readHere(ctx context.Context, c cid.Cid) (Version, error) {
	if _, ok := s.book.Copy(c); !ok {
		if err := s.local(ctx, c); err != nil {
			return Version{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	return s.Read(ctx, c)
}

// Restore puts the versions that are copied here back into the documents where they are missing, as
// on a new disk, and copies those of our datanets, and of those followed, that are not yet.
func (s *Service) Restore(ctx context.Context) error {
	copies, err := s.book.Copies(cid.Undef)
	if err != nil {
		return err
	}
	back := 0
	for _, c := range copies {
		switch err := s.local(ctx, c.CID); {
		case errors.Is(err, storage.ErrNotFound):
		case err == nil, errors.Is(err, storage.ErrCorrupt):
			continue // what is damaged is healed by those who look after the disk
		default:
			return err
		}
		raw, ok := s.book.Copy(c.CID)
		if !ok {
			continue
		}
		v, err := s.book.Parse(raw)
		if err != nil {
			return err
		}
		if _, err := s.c.Documents.Put(ctx, raw, "datanet "+v.Manifest.Name); err != nil {
			return err
		}
		back++
	}
	if back > 0 {
		s.c.Logger.Warn("versions of datanets were not on the disk of the data, and were put back; data that is gone has to be fetched or added again", "versions", back)
	}
	return s.copyOlder(ctx)
}

// copyOlder copies what was published or followed before copies were kept.
func (s *Service) copyOlder(ctx context.Context) error {
	ours, err := s.cids("datanet/head/")
	if err != nil {
		return err
	}
	for _, origin := range ours {
		if err := s.copyHistory(ctx, origin); err != nil {
			s.c.Logger.Warn("a datanet of ours is not all copied", "datanet", origin, "err", err)
		}
	}
	list, err := s.Following()
	if err != nil {
		return err
	}
	for _, origin := range list {
		if v, err := s.newestHereOnly(ctx, origin); err == nil {
			s.keepFollowed(ctx, v)
		}
	}
	return nil
}

func (s *Service) newestHereOnly(ctx context.Context, origin cid.Cid) (Version, error) {
	at, err := s.getCID(seenKey(origin))
	if err != nil {
		return Version{}, err
	}
	return s.readHere(ctx, at)
}

// copyHistory copies the versions of a datanet of ours, unless the newest one is copied: then the others were.
func (s *Service) copyHistory(ctx context.Context, origin cid.Cid) error {
	at, err := s.getCID(headKey(origin))
	if err != nil {
		return err
	}
	if _, ok := s.book.Copy(at); ok {
		return nil
	}
	v, err := s.readHere(ctx, at)
	if err != nil {
		return err
	}
	if first, err := s.readHere(ctx, origin); err == nil {
		if err := s.copyVersion(ctx, first); err != nil {
			return err
		}
	}
	size := 0
	for older := v.Manifest.Parent; older.Defined() && size <= maxCopied; {
		x, err := s.readHere(ctx, older)
		if err != nil {
			s.c.Logger.Warn("an older version of a datanet of ours is not here, and is not copied", "datanet", origin, "version", older, "err", err)
			break
		}
		b, err := s.book.Envelope(ctx, older)
		if err != nil {
			return err
		}
		if err := s.copyVersion(ctx, x); err != nil {
			return err
		}
		size += len(b)
		older = x.Manifest.Parent
	}
	if err := s.copyVersion(ctx, v); err != nil { // the newest last: it says that the others are
		return err
	}
	return s.book.Trim(origin, maxCopied)
}

// Listed is a datanet of the list.
type Listed struct {
	Version
	Problem error // why it cannot be read now; of the version, its CID and Origin are known
}

// List are the newest versions here of our datanets, of those followed, and of those whose
// owner was asked before. One that is not here is looked for with others, for a short time.
func (s *Service) List(ctx context.Context) ([]Listed, error) {
	var out []Listed
	listed := map[cid.Cid]bool{}
	for _, key := range []func(cid.Cid) []byte{headKey, seenKey} {
		origins, err := s.cids(string(key(cid.Undef)))
		if err != nil {
			return nil, err
		}
		for _, o := range origins {
			if listed[o] {
				continue
			}
			listed[o] = true
			at, err := s.getCID(key(o))
			if err != nil {
				return nil, err
			}
			x := Listed{Version: Version{CID: at, Origin: o}}
			if v, err := s.readHere(ctx, at); err == nil {
				x.Version = v
			} else {
				x.Problem = err
			}
			out = append(out, x)
		}
	}
	s.look(ctx, out)
	return out, ctx.Err()
}

// look asks others for what could not be read here.
func (s *Service) look(ctx context.Context, list []Listed) {
	ctx, cancel := context.WithTimeout(ctx, s.listWithin)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(askAtOnce)
	for i := range list {
		if list[i].Problem == nil {
			continue
		}
		g.Go(func() error {
			v, err := s.Read(ctx, list[i].CID)
			if err != nil {
				list[i].Problem = fmt.Errorf("datanet: its newest version is not here, and nobody gave it within %s: %w", s.listWithin, err)
				return nil
			}
			list[i].Version, list[i].Problem = v, nil
			return nil
		})
	}
	_ = g.Wait() // each says what is wrong with it
}
