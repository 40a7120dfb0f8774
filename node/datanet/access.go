package datanet

import (
	"context"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
)

// MayRead says whether an account may be given the sealed shards of a datanet: anybody those of a public
// one; of a private one its owner, its contributors as far as this node has seen versions, and
// those who were granted it by us. Others show a grant: see ShowsGrant. ErrPrivate refuses.
func (s *Service) MayRead(ctx context.Context, origin cid.Cid, account common.Address) error {
	v, err := s.newestHere(ctx, origin)
	if err != nil {
		return err
	}
	m := v.Manifest
	if m.Reader == "" || account == m.Owner || slices.ContainsFunc(m.Shards, func(x protocol.Shard) bool { return x.Contributor == account }) {
		return nil
	}
	if m.Owner == s.me {
		list, err := s.ring.Grants(origin)
		if err != nil {
			return err
		}
		if account != (common.Address{}) && slices.ContainsFunc(list, func(g protocol.Grant) bool { return g.Account == account }) {
			return nil
		}
	}
	return fmt.Errorf("%w: %s was not granted %s", ErrPrivate, account, origin)
}

// ShowsGrant says whether an envelope is a grant of the datanet to the account, by its owner. A
// grant that was revoked since still shows: it opened what was sealed before.
func (s *Service) ShowsGrant(ctx context.Context, origin cid.Cid, account common.Address, envelope []byte) error {
	signed, err := protocol.ParseSigned[protocol.Grant](envelope)
	if err != nil {
		return err
	}
	g, err := signed.Open(s.c.Network)
	if err != nil {
		return err
	}
	v, err := s.newestHere(ctx, origin)
	if err != nil {
		return err
	}
	if !g.Datanet.Equals(origin) || g.Owner != v.Manifest.Owner || g.Account != account || account == (common.Address{}) {
		return fmt.Errorf("%w: what %s shows is no grant of %s to it", ErrPrivate, account, origin)
	}
	return nil
}
