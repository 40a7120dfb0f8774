package datanet

import (
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
)

// What is kept, each by a datanet's identity.
func headKey(origin cid.Cid) []byte   { return append([]byte("datanet/head/"), origin.Bytes()...) }   // ours: the newest
func seenKey(origin cid.Cid) []byte   { return append([]byte("datanet/seen/"), origin.Bytes()...) }   // others': the newest seen
func followKey(origin cid.Cid) []byte { return append([]byte("datanet/follow/"), origin.Bytes()...) } // followed

func pendingKey(origin, root cid.Cid) []byte { // a contribution that was signed, and perhaps committed
	return append(append([]byte("datanet/pending/"), origin.Bytes()...), root.Bytes()...)
}

func (s *Service) set(key, value []byte) error {
	return s.c.DB.Update(func(tx *kv.Tx) error { return tx.Set(key, value) })
}

func (s *Service) drop(key []byte) error {
	return s.c.DB.Update(func(tx *kv.Tx) error { return tx.Delete(key) })
}

func (s *Service) get(key []byte) (b []byte, err error) {
	err = s.c.DB.View(func(tx *kv.Tx) error {
		b, err = tx.Get(key)
		return err
	})
	return b, err
}

func (s *Service) getCID(key []byte) (cid.Cid, error) {
	b, err := s.get(key)
	if err != nil {
		return cid.Undef, err
	}
	return cid.Cast(b)
}

// cids are the identities under a prefix of keys.
func (s *Service) cids(prefix string) (out []cid.Cid, err error) {
	err = s.c.DB.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte(prefix)) {
			if err != nil {
				return err
			}
			c, err := cid.Cast(it.Key[len(prefix):])
			if err != nil {
				return fmt.Errorf("datanet: %w", err)
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

// ownVersion is the newest version of a datanet of ours.
func (s *Service) ownVersion(ctx context.Context, origin cid.Cid) (Version, error) {
	head, err := s.getCID(headKey(origin))
	if errors.Is(err, kv.ErrNotFound) {
		return Version{}, fmt.Errorf("%w: %s", ErrNotOwner, origin)
	}
	if err != nil {
		return Version{}, err
	}
	return s.Read(ctx, head)
}
