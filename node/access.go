package node

import (
	"context"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"tally/node/datanet"
	"tally/node/home"
	"tally/storage/shardstream"
)

// mayRead decides who is given shards by stream: everybody those that are public; of a private datanet
// pinners and auditors, without whom nothing is kept or checked, and whom the datanet names.
func (n *Node) mayRead(ctx context.Context, a shardstream.Asker, root cid.Cid) error {
	of, private := n.store.S.Private(root)
	if !private {
		return nil
	}
	classes := n.view.Nodes()[a.Account].Classes
	if slices.Contains(classes, home.ClassPin) || slices.Contains(classes, home.ClassAudit) {
		return nil
	}
	if !of.Defined() {
		return fmt.Errorf("%w: shard %s is private, and whose it is was lost", datanet.ErrPrivate, root)
	}
	return n.datanets.MayRead(ctx, of, a.Account)
}

// shown decides whether a grant lets in whom mayRead refuses.
func (n *Node) shown(ctx context.Context, a shardstream.Asker, root cid.Cid, grant []byte) error {
	of, private := n.store.S.Private(root)
	if !private {
		return nil
	}
	if !of.Defined() {
		return fmt.Errorf("%w: shard %s is private, and whose it is was lost", datanet.ErrPrivate, root)
	}
	return n.datanets.ShowsGrant(ctx, of, a.Account, grant)
}

// grantFor is what this node shows to holders that refuse it.
func (n *Node) grantFor(ctx context.Context, root cid.Cid) ([]byte, error) {
	return n.datanets.Credential(ctx, root)
}

// believePrivate says whether it is proved that a shard is private, as a holder says.
func (n *Node) believePrivate(ctx context.Context, root, of cid.Cid) bool {
	return n.datanets.Lists(ctx, of, root)
}

// canBePrivate says of a hidden shard that came whether it may stay hidden.
func (n *Node) canBePrivate(ctx context.Context, root, of cid.Cid) bool {
	return n.datanets.CanBe(ctx, of, root)
}
