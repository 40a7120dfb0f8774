package datanet

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/node/datanet/known"
	"tally/protocol"
)

// What contributors can add to a datanet, which is append-only: one of them, and all but the owner
// together, so that the owner's places are not used up.
const (
	maxContributed = 256
	maxStrangers   = 3072
)

// catchUp bounds how long an owner waits for a block that a contributor has read.
const catchUp = 10 * time.Second

// Parts of a shard that stands in earlier ones, from which the owner's node wants to be told that it is
// meant, and refuses what is another's.
const (
	NearPart = 0.5
	CopyPart = 0.9
)

// next signs and keeps a version of a datanet of ours; the caller holds mu.
func (s *Service) next(ctx context.Context, v Version, change func(*protocol.Manifest)) (Version, error) {
	m := v.Manifest
	m.Version, m.Origin, m.Parent, m.Created = m.Version+1, v.Origin, v.CID, max(m.Created, s.c.Now())
	m.Shards, m.Withdrawn = slices.Clone(m.Shards), slices.Clone(m.Withdrawn)
	change(&m)
	if err := m.Validate(s.c.Network, v.Origin); err != nil {
		return Version{}, err
	}
	if err := m.Follows(v.Manifest); err != nil {
		return Version{}, err
	}
	signed, err := protocol.Sign(s.c.Network, s.c.Key, m)
	if err != nil {
		return Version{}, err
	}
	c, err := s.c.Documents.Put(ctx, signed.Bytes(), "datanet "+m.Name)
	if err != nil {
		return Version{}, err
	}
	v = Version{CID: c, Origin: v.Origin, Manifest: m}
	return v, s.publish(v, signed.Bytes())
}

// accept adds a contribution to a datanet of ours, once it is known to be committed in an
// earlier block. It is idempotent.
func (s *Service) accept(ctx context.Context, r reveal) (Version, error) {
	con, err := protocol.ParseSigned[protocol.Contribution](r.Contribution)
	if err != nil {
		return Version{}, err
	}
	in, err := con.Open(s.c.Network)
	if err != nil {
		return Version{}, err
	}
	if _, err := s.get(headKey(in.Datanet)); err != nil {
		return Version{}, fmt.Errorf("%w: %s", ErrNotOwner, in.Datanet)
	}
	if s.c.May != nil && in.Contributor != s.me {
		if err := s.c.May(in.Contributor); err != nil {
			return Version{}, err
		}
	}
	if in.Records == 0 {
		return Version{}, fmt.Errorf("%w: shard %s has no records", ErrRefused, in.Root)
	}
	digest, err := in.Commitment()
	if err != nil {
		return Version{}, err
	}
	block, err := s.committed(ctx, in.Contributor, digest)
	if err != nil {
		return Version{}, fmt.Errorf("%w: shard %s by %s: %w", ErrUncommitted, in.Root, in.Contributor, err)
	}
	shard, err := protocol.ShardOf(s.c.Network, con, block)
	if err != nil {
		return Version{}, err
	}

	v, err := s.ownVersion(ctx, in.Datanet)
	if err != nil {
		return Version{}, err
	}
	s.sound(ctx, v, shard, r) // before mu is taken: it fetches
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, err = s.ownVersion(ctx, in.Datanet); err != nil {
		return Version{}, err
	}
	return s.list(ctx, v, shard, r)
}

// committed waits a little: the contributor's node may have read more of the chain.
func (s *Service) committed(ctx context.Context, who common.Address, digest common.Hash) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	return s.c.Chain.Await(ctx, who, digest)
}

// list puts a committed shard into the next version, unless it is listed.
func (s *Service) list(ctx context.Context, v Version, shard protocol.Shard, r reveal) (Version, error) {
	i := slices.IndexFunc(v.Manifest.Shards, func(x protocol.Shard) bool { return x.Root.Equals(shard.Root) })
	if i >= 0 {
		x := v.Manifest.Shards[i]
		switch {
		case x.Contributor == shard.Contributor:
			return v, nil // said again: the answer was lost
		case x.Committed <= shard.Committed:
			return Version{}, fmt.Errorf("%w: shard %s is %s's, committed in block %d; %s committed it in block %d", ErrDuplicate, x.Root, x.Contributor, x.Committed, shard.Contributor, shard.Committed)
		}
	} else if shard.Contributor != s.me {
		if n := countOf(v.Manifest, shard.Contributor); n >= maxContributed {
			return Version{}, fmt.Errorf("%w: %s has contributed %d shards, at most %d of one contributor", ErrRefused, shard.Contributor, n, maxContributed)
		}
		if n := len(v.Manifest.Shards) - countOf(v.Manifest, s.me); n >= maxStrangers {
			return Version{}, fmt.Errorf("%w: others than the owner have contributed %d shards, at most %d", ErrRefused, n, maxStrangers)
		}
	}
	copies, err := s.copies(v, shard, r)
	if err != nil {
		return Version{}, err
	}
	if shard.Sketch.Defined() { // others ask us for it
		if _, err := s.c.Documents.Put(ctx, r.Sketch, "sketch "+shard.Root.String()); err != nil {
			return Version{}, err
		}
	}
	v, err = s.next(ctx, v, func(m *protocol.Manifest) {
		if i >= 0 {
			m.Shards[i] = shard // committed first by somebody else than the one listed
			return
		}
		m.Shards = append(m.Shards, shard)
		for _, c := range copies {
			withdraw(m, c)
		}
	})
	if err != nil || !shard.Sketch.Defined() {
		return v, err
	}
	return v, s.known.Put(entry(v, shard), r.Sketch)
}

// copies holds a shard's sketch against what this node knows. Of two with the same sketch in one
// datanet the one committed first is offered: copies are shards by others that come second. A sketch
// counts against others only where it was found true, and the shard is offered still: see sound.
func (s *Service) copies(v Version, shard protocol.Shard, r reveal) (copies []cid.Cid, err error) {
	switch private := v.Manifest.Reader != ""; {
	case private && (shard.Sketch.Defined() || len(r.Sketch) > 0):
		return nil, fmt.Errorf("%w: %q is private, and a sketch tells what is in a shard", ErrRefused, v.Manifest.Name)
	case private:
		return nil, nil
	}
	if !protocol.CIDOf(r.Sketch).Equals(shard.Sketch) {
		return nil, fmt.Errorf("%w: the sketch sent with shard %s is not the one it names", ErrRefused, shard.Root)
	}
	sketch, err := known.Decode(r.Sketch)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if sketch.Records != shard.Records {
		return nil, fmt.Errorf("%w: the sketch of shard %s is of %d records, the contribution of %d", ErrRefused, shard.Root, sketch.Records, shard.Records)
	}
	matches, err := s.known.Like(sketch)
	if err != nil {
		return nil, err
	}
	for _, m := range matches {
		x, here := listedHere(v, m)
		if !here && m.Datanet.Equals(v.Origin) {
			continue // withdrawn
		}
		others := m.Contributor != shard.Contributor
		first := m.Committed <= shard.Committed
		judged := x
		if !first {
			judged = shard
		}
		sound := false
		if here {
			if sound, err = s.isSound(v, judged); err != nil {
				return nil, err
			}
		}
		switch {
		case sound && others && m.Exact && !first && x.Contributor == m.Contributor:
			copies = append(copies, m.Root)
		case sound && first && others && m.Part() >= CopyPart && shard.Contributor != s.me:
			return nil, fmt.Errorf("%w: %s", ErrDuplicate, m)
		case first && others && m.Part() >= NearPart && !r.Accept:
			return nil, fmt.Errorf("%w: %s: contribute it with --accept-duplicates if that is meant", ErrDuplicate, m)
		}
	}
	return copies, nil
}

func entry(v Version, shard protocol.Shard) known.Entry {
	return known.Entry{
		Datanet: v.Origin, Root: shard.Root, Name: v.Manifest.Name, Contributor: shard.Contributor, Version: v.Manifest.Version,
		Committed: shard.Committed, Records: shard.Records, Sketch: shard.Sketch,
	}
}

func countOf(m protocol.Manifest, contributor common.Address) (n int) {
	for _, s := range m.Shards {
		if s.Contributor == contributor {
			n++
		}
	}
	return n
}

// withdraw enters a root where its order says.
func withdraw(m *protocol.Manifest, root cid.Cid) {
	i, found := slices.BinarySearchFunc(m.Withdrawn, root, func(a, b cid.Cid) int { return bytes.Compare(a.Bytes(), b.Bytes()) })
	if !found {
		m.Withdrawn = slices.Insert(m.Withdrawn, i, root)
	}
}

// SetReplicas says how many nodes should prove each shard of a datanet of ours.
func (s *Service) SetReplicas(ctx context.Context, c cid.Cid, replicas uint16) (Version, error) {
	v, err := s.Read(ctx, c)
	if err != nil {
		return Version{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, err = s.ownVersion(ctx, v.Origin); err != nil || v.Manifest.Replicas == replicas {
		return v, err
	}
	return s.next(ctx, v, func(m *protocol.Manifest) { m.Replicas = replicas })
}

// Withdraw has a shard offered no longer, from the next version on. It is its
// contributor's right, or the owner's.
func (s *Service) Withdraw(ctx context.Context, c, root cid.Cid) (Version, error) {
	v, err := s.Head(ctx, c)
	if err != nil {
		return Version{}, err
	}
	signed, err := protocol.Sign(s.c.Network, s.c.Key, protocol.Withdrawal{Datanet: v.Origin, Root: root, Account: s.me, Created: s.c.Now()})
	if err != nil {
		return Version{}, err
	}
	if v.Manifest.Owner == s.me {
		return s.takeBack(ctx, signed)
	}
	if x, err := v.Shard(root); err != nil {
		return Version{}, err
	} else if x.Contributor != s.me {
		return Version{}, fmt.Errorf("%w: shard %s is %s's: its contributor or the owner withdraws it", ErrRefused, root, x.Contributor)
	}
	if _, err := s.c.Documents.Put(ctx, signed.Bytes(), "withdrawal"); err != nil {
		return Version{}, err
	}
	b, err := s.ask(ctx, v.Manifest.Owner, opWithdraw, signed.Bytes())
	if err != nil {
		return Version{}, fmt.Errorf("datanet: withdraw from %s: %w", v.Manifest.Owner, err)
	}
	next, err := s.answered(ctx, v, b)
	if err != nil {
		return Version{}, err
	}
	if !slices.ContainsFunc(next.Manifest.Withdrawn, root.Equals) {
		return Version{}, fmt.Errorf("%w: the owner's version %d still offers shard %s", ErrDatanet, next.Manifest.Version, root)
	}
	return next, nil
}

// takeBack enters a withdrawal into a datanet of ours. It is idempotent.
func (s *Service) takeBack(ctx context.Context, signed protocol.Signed[protocol.Withdrawal]) (Version, error) {
	w, err := signed.Open(s.c.Network)
	if err != nil {
		return Version{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.ownVersion(ctx, w.Datanet)
	if err != nil {
		return Version{}, err
	}
	x, err := v.Shard(w.Root)
	if err != nil {
		return Version{}, err
	}
	if w.Account != x.Contributor && w.Account != s.me {
		return Version{}, fmt.Errorf("%w: shard %s is %s's: its contributor or the owner withdraws it", ErrRefused, w.Root, x.Contributor)
	}
	if slices.ContainsFunc(v.Manifest.Withdrawn, w.Root.Equals) {
		return v, nil
	}
	return s.next(ctx, v, func(m *protocol.Manifest) { withdraw(m, w.Root) })
}
