package storage

import (
	"maps"
	"slices"

	"github.com/ipfs/go-cid"
)

// Shown says whether a shard is here, be it damaged or set aside, and public. It reads no disk.
func (s *Store) Shown(root cid.Cid) bool {
	if _, private := s.private.get(root); private {
		return false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, aside := s.aside[root]
	return aside || s.shards[root] != nil
}

// PrivateShards are the roots that are marked, in no order. It reads no disk.
func (s *Store) PrivateShards() []cid.Cid {
	s.private.mu.RLock()
	defer s.private.mu.RUnlock()
	return slices.Collect(maps.Keys(s.private.marks))
}
