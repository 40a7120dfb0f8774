package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/chainclient"
	"tally/node/api"
	"tally/node/datanet"
	"tally/node/datanet/known"
	"tally/node/join"
	"tally/node/view"
	"tally/protocol"
	"tally/storage"
	"tally/storage/records"
)

// commitWithin bounds how long a contribution's commitment is waited for.
const commitWithin = 5 * time.Minute

// shardStore shows the store as datanet wants it.
type shardStore struct{ join.Store }

// ImportFile implements datanet.Shards.
func (s shardStore) ImportFile(ctx context.Context, r io.Reader, of cid.Cid) (storage.Shard, error) {
	return s.S.ImportPrivateFile(ctx, r, of)
}

// ImportCAR implements datanet.Shards.
func (s shardStore) ImportCAR(ctx context.Context, r io.Reader, of cid.Cid) (storage.Shard, error) {
	return s.S.ImportPrivateCAR(ctx, r, cid.Undef, of)
}

// Pin implements datanet.Shards.
func (s shardStore) Pin(ctx context.Context, root cid.Cid, why string) error {
	return s.S.Pin(ctx, root, storage.PinInfo{Why: why})
}

// Pinned implements datanet.Unpinner.
func (s shardStore) Pinned(ctx context.Context, root cid.Cid, why string) (bool, error) {
	for p, err := range s.S.Pins() {
		if err == nil && p.Root.Equals(root) && p.Why == why {
			return true, nil
		}
	}
	return false, ctx.Err() // a pin that does not read is none of ours
}

// Unpin implements datanet.Unpinner.
func (s shardStore) Unpin(ctx context.Context, root cid.Cid, why string) error {
	return s.S.Unpin(ctx, root, why)
}

// Stat implements datanet.Data.
func (s shardStore) Stat(ctx context.Context, root cid.Cid) (storage.Shard, error) {
	return s.S.Stat(ctx, root)
}

// OpenFile implements datanet.Data.
func (s shardStore) OpenFile(ctx context.Context, root cid.Cid) (io.ReadSeekCloser, error) {
	return s.S.OpenFile(ctx, root)
}

// ExportCAR implements datanet.Data.
func (s shardStore) ExportCAR(ctx context.Context, root cid.Cid, w io.Writer) error {
	return s.S.ExportCAR(ctx, root, w)
}

// contributions dates contributions on the chain.
type contributions struct {
	chain *chainclient.Client
	view  *view.View
	me    common.Address
}

// Commit implements datanet.Chain.
func (c contributions) Commit(ctx context.Context, digest common.Hash) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, commitWithin)
	defer cancel()
	if _, ok := c.Committed(c.me, digest); !ok {
		if err := join.Await(ctx, c.chain)(c.chain.CommitContribution(ctx, digest)); err != nil {
			return 0, err
		}
	}
	return c.Await(ctx, c.me, digest)
}

// Committed implements datanet.Chain.
func (c contributions) Committed(account common.Address, digest common.Hash) (uint64, bool) {
	return c.view.Committed(account, digest)
}

// Await implements datanet.Chain.
func (c contributions) Await(ctx context.Context, account common.Address, digest common.Hash) (block uint64, err error) {
	err = c.view.Await(ctx, func() bool {
		var ok bool
		block, ok = c.Committed(account, digest)
		head, _ := c.view.Head()
		return ok && head > block
	})
	return block, err
}

// mayContribute lets every registered node contribute.
func (n *Node) mayContribute(who common.Address) error {
	if _, ok := n.view.Nodes()[who]; !ok {
		return fmt.Errorf("%w: contributor %s has no node on this network: its node must run and register first", ErrStranger, who)
	}
	return nil
}

// CreateDatanet implements api.Datanets.
func (n *Node) CreateDatanet(ctx context.Context, in api.CreateDatanet) (api.Datanet, error) {
	v, err := n.datanets.Create(ctx, datanet.Draft{
		Name: in.Name, Licence: in.Licence, Schema: in.Schema, Field: in.Field, Replicas: in.Replicas, Private: in.Private,
	})
	return datanetJSON(v), mend(err)
}

// ListDatanets implements api.Datanets.
func (n *Node) ListDatanets(ctx context.Context) ([]api.Datanet, error) {
	list, err := n.datanets.List(ctx)
	if err != nil {
		return nil, err
	}
	follows, err := n.datanets.Following()
	out := []api.Datanet{}
	for _, v := range list {
		d := datanetJSON(v.Version)
		if v.Problem != nil {
			d.Owner, d.Problem = "", v.Problem.Error()
		}
		d.Following = slices.ContainsFunc(follows, v.Origin.Equals)
		out = append(out, d)
	}
	return out, err
}

// AddToDatanet implements api.Datanets.
func (n *Node) AddToDatanet(ctx context.Context, id string, how api.AddToDatanet, data io.Reader) (api.Datanet, error) {
	c, err := parseCID("datanet", id)
	if err != nil {
		return api.Datanet{}, err
	}
	added, err := n.datanets.Add(ctx, c, data, datanet.Options{Accept: how.Accept, CAR: how.CAR, ShardSize: how.ShardSize})
	if err != nil {
		return api.Datanet{}, mend(err)
	}
	out := datanetJSON(added.Version)
	for _, a := range added.Shards {
		s := shardJSON(a.Shard)
		s.Held, s.Text, s.Preview, s.Again = true, a.Text, a.Preview, a.Again
		for _, m := range a.Matches {
			s.Duplicates = append(s.Duplicates, duplicateJSON(m))
		}
		out.AddedAll = append(out.AddedAll, s)
	}
	if len(out.AddedAll) > 0 {
		out.Added = &out.AddedAll[0]
	}
	return out, nil
}

// previewed bounds the shards whose records are shown.
const previewed = 16

// ShowDatanet implements api.Datanets.
func (n *Node) ShowDatanet(ctx context.Context, id string, how api.ShowDatanet) (api.Datanet, error) {
	c, err := parseCID("datanet", id)
	if err != nil {
		return api.Datanet{}, err
	}
	read := n.datanets.Read
	if how.Head {
		read = n.datanets.Head
	}
	v, err := read(ctx, c)
	if err != nil {
		return api.Datanet{}, mend(err)
	}
	out := datanetJSON(v)
	if n.sets != nil { // set once the chain is followed
		if err := countHolders(out.Shards, v.Manifest, n.sets.Keepers); err != nil {
			n.log.Warn("it is not known how many nodes prove a datanet's shards", "datanet", v.Origin, "err", err)
		}
	}
	shown := 0
	for i, s := range v.Manifest.Shards {
		if _, err := n.store.S.Stat(ctx, s.Root); err != nil {
			continue
		}
		out.Shards[i].Held = true
		if how.Preview && shown < previewed {
			shown++
			if out.Shards[i].Preview, err = n.datanets.Preview(ctx, v, s.Root); err != nil {
				how.Preview = !errors.Is(err, datanet.ErrPrivate) // asked once
				n.log.Warn("a shard's records cannot be shown", "shard", s.Root, "err", err)
			}
		}
	}
	return out, nil
}

// countHolders says of a manifest's shards how many nodes prove them, which keepers finds by piece root and
// size, and how many should. What is withdrawn need not be kept.
func countHolders(out []api.Shard, m protocol.Manifest, keepers func(piece common.Hash, size uint64) (holders, coming []common.Address, err error)) error {
	for i, s := range m.Shards {
		holders, _, err := keepers(s.Piece, s.Size)
		if err != nil {
			return err
		}
		count := len(holders)
		out[i].Holders = &count
		if !out[i].Withdrawn {
			out[i].Replicas = m.Replicas
		}
	}
	return nil
}

// ChangeDatanet implements api.Datanets.
func (n *Node) ChangeDatanet(ctx context.Context, id string, in api.ChangeDatanet) (api.Datanet, error) {
	c, err := parseCID("datanet", id)
	if err != nil {
		return api.Datanet{}, err
	}
	v, err := n.datanets.SetReplicas(ctx, c, in.Replicas)
	return datanetJSON(v), mend(err)
}

// WithdrawShard implements api.Datanets.
func (n *Node) WithdrawShard(ctx context.Context, id, root string) (api.Datanet, error) {
	c, r, err := parseTwo(id, "shard", root)
	if err != nil {
		return api.Datanet{}, err
	}
	v, err := n.datanets.Withdraw(ctx, c, r)
	return datanetJSON(v), mend(err)
}

// FollowDatanet implements api.Datanets.
func (n *Node) FollowDatanet(ctx context.Context, id string, on bool) (api.Datanet, error) {
	c, err := parseCID("datanet", id)
	if err != nil {
		return api.Datanet{}, err
	}
	if on {
		v, err := n.datanets.Follow(ctx, c)
		d := datanetJSON(v)
		d.Following = true
		return d, mend(err)
	}
	if err := n.datanets.Unfollow(ctx, c); err != nil {
		return api.Datanet{}, mend(err)
	}
	v, err := n.datanets.Read(ctx, c)
	return datanetJSON(v), mend(err)
}

// ExportShard implements api.Datanets: the data as it was contributed, as protocol text, or the CAR file
// as it is kept.
func (n *Node) ExportShard(ctx context.Context, id, root, as string, w io.Writer) error {
	c, r, err := parseTwo(id, "shard", root)
	if err != nil {
		return err
	}
	v, err := n.datanets.Read(ctx, c)
	if err != nil {
		return mend(err)
	}
	if as == "car" {
		if _, err := v.Shard(r); err != nil {
			return mend(err)
		}
		if err := n.datanets.HideComing(ctx, v, r); err != nil {
			return err
		}
		if err := n.store.Fetch(ctx, r); err != nil {
			return err
		}
		return n.store.S.ExportCAR(ctx, r, w)
	}
	if as != "" && as != "file" && as != "text" {
		return fmt.Errorf("%w: as %q: use file, text or car", api.ErrBadRequest, as)
	}
	f, err := n.datanets.Open(ctx, v, r)
	if err != nil {
		return mend(err)
	}
	defer f.Close()
	data := io.Reader(f)
	if as == "text" {
		data = records.Texts(v.Manifest.Schema, v.Manifest.Field, f)
	}
	if _, err := io.Copy(w, data); err != nil {
		return fmt.Errorf("node: export shard %s: %w", r, err)
	}
	return nil
}

// LogDatanet implements api.Datanets.
func (n *Node) LogDatanet(ctx context.Context, id string) ([]api.Datanet, error) {
	c, err := parseCID("datanet", id)
	if err != nil {
		return nil, err
	}
	list, err := n.datanets.Log(ctx, c)
	if err != nil {
		return nil, mend(err)
	}
	out := []api.Datanet{}
	for _, v := range list {
		d := datanetJSON(v)
		out = append(out, d)
	}
	return out, nil
}

// DiffDatanets implements api.Datanets.
func (n *Node) DiffDatanets(ctx context.Context, from, to string) (api.DatanetDiff, error) {
	a, b, err := parseTwo(from, "datanet", to)
	if err != nil {
		return api.DatanetDiff{}, err
	}
	d, err := n.datanets.Diff(ctx, a, b)
	if err != nil {
		return api.DatanetDiff{}, mend(err)
	}
	out := api.DatanetDiff{
		From: datanetJSON(d.From), To: datanetJSON(d.To), Added: shardsJSON(d.Added), Withdrawn: shardsJSON(d.Withdrawn), Taken: shardsJSON(d.Taken),
		Contributors: []string{}, Records: d.Records, Bytes: d.Bytes,
	}
	out.From.Shards, out.To.Shards = []api.Shard{}, []api.Shard{}
	for _, a := range d.Contributors {
		out.Contributors = append(out.Contributors, a.Hex())
	}
	return out, nil
}

// VerifyDatanet implements api.Datanets.
func (n *Node) VerifyDatanet(ctx context.Context, id string, fetch bool) (api.DatanetCheck, error) {
	c, err := parseCID("datanet", id)
	if err != nil {
		return api.DatanetCheck{}, err
	}
	k, err := n.datanets.Verify(ctx, c, fetch)
	if err != nil {
		return api.DatanetCheck{}, mend(err)
	}
	list := func(s []string) []string { return append([]string{}, s...) }
	return api.DatanetCheck{
		Datanet: datanetJSON(k.Version), Versions: k.Versions, Checks: list(k.Checks), Undone: list(k.Undone), Problems: list(k.Problems), Valid: len(k.Problems) == 0,
	}, nil
}

// Recipient implements api.Datanets.
func (n *Node) Recipient(context.Context) (api.Recipient, error) {
	r, err := n.datanets.Recipient()
	return api.Recipient{Account: n.me.Hex(), Recipient: r}, err
}

// GrantDatanet implements api.Datanets.
func (n *Node) GrantDatanet(ctx context.Context, id, to string) (api.Grant, error) {
	c, err := parseCID("datanet", id)
	if err != nil {
		return api.Grant{}, err
	}
	signed, err := n.datanets.Grant(ctx, c, to)
	if err != nil {
		return api.Grant{}, mend(err)
	}
	g, err := signed.Open(n.book.Network)
	out := grantJSON(g)
	out.Envelope = signed.Bytes()
	return out, err
}

// RevokeDatanet implements api.Datanets.
func (n *Node) RevokeDatanet(ctx context.Context, id, to string) (api.Revoked, error) {
	c, err := parseCID("datanet", id)
	if err != nil {
		return api.Revoked{}, err
	}
	v, again, err := n.datanets.Revoke(ctx, c, to)
	return api.Revoked{Datanet: datanetJSON(v), Again: grantsJSON(again)}, mend(err)
}

// ListGrants implements api.Datanets.
func (n *Node) ListGrants(ctx context.Context, id string) ([]api.Grant, error) {
	c, err := parseCID("datanet", id)
	if err != nil {
		return nil, err
	}
	list, err := n.datanets.Grants(ctx, c)
	return grantsJSON(list), mend(err)
}

// AcceptGrant implements api.Datanets.
func (n *Node) AcceptGrant(ctx context.Context, envelope []byte) (api.Grant, error) {
	g, err := n.datanets.AcceptGrant(ctx, envelope)
	if err != nil {
		return api.Grant{}, fmt.Errorf("%w: the grant is not taken: give one made to this node, as 'tally datanet grant --out' writes it: %w", api.ErrBadRequest, err)
	}
	return grantJSON(g), nil
}

func parseTwo(dn, what, other string) (a, b cid.Cid, err error) {
	if a, err = parseCID("datanet", dn); err == nil {
		b, err = parseCID(what, other)
	}
	return a, b, err
}

// mend puts the errors that a caller can mend into the API's class for them.
func mend(err error) error {
	for _, class := range []error{
		protocol.ErrDocument, datanet.ErrText, datanet.ErrDatanet, datanet.ErrNotOwner, datanet.ErrRefused, datanet.ErrTwo, datanet.ErrDuplicate, datanet.ErrPrivate,
	} {
		if errors.Is(err, class) {
			return fmt.Errorf("%w: %w", api.ErrBadRequest, err)
		}
	}
	if errors.Is(err, datanet.ErrShard) {
		return fmt.Errorf("%w: %w", api.ErrNotFound, err)
	}
	return err
}

func datanetJSON(v datanet.Version) api.Datanet {
	m := v.Manifest
	d := api.Datanet{
		CID: text(v.CID), Origin: text(v.Origin), Name: m.Name, Licence: m.Licence, Schema: m.Schema, Field: m.Field, Owner: m.Owner.Hex(),
		Version: m.Version, Parent: text(m.Parent), Replicas: m.Replicas, Reader: m.Reader, Shards: shardsJSON(m.Shards), Created: m.Created,
	}
	gone := map[string]bool{}
	for _, c := range m.Withdrawn {
		gone[text(c)] = true
	}
	for i, s := range d.Shards {
		if gone[s.Root] {
			d.Shards[i].Withdrawn = true
			continue
		}
		d.Records += s.Records
		d.Bytes += s.Bytes
	}
	return d
}

func shardsJSON(list []protocol.Shard) []api.Shard {
	out := []api.Shard{}
	for _, s := range list {
		out = append(out, shardJSON(s))
	}
	return out
}

func shardJSON(s protocol.Shard) api.Shard {
	return api.Shard{
		Root: text(s.Root), Piece: s.Piece.Hex(), Bytes: s.Size, Records: s.Records, Contributor: s.Contributor.Hex(), Committed: s.Committed, Sketch: text(s.Sketch),
	}
}

func duplicateJSON(m known.Match) api.Duplicate {
	return api.Duplicate{
		Datanet: text(m.Datanet), Name: m.Name, Version: m.Version, Shard: text(m.Root), Contributor: m.Contributor.Hex(), Committed: m.Committed,
		Exact: m.Exact, Overlap: 100 * m.Part(), Records: 100 * m.Overlap.Records, Similarity: 100 * m.Overlap.Similarity,
	}
}

func grantsJSON(list []protocol.Grant) []api.Grant {
	out := []api.Grant{}
	for _, g := range list {
		out = append(out, grantJSON(g))
	}
	return out
}

func grantJSON(g protocol.Grant) api.Grant {
	out := api.Grant{Datanet: text(g.Datanet), Owner: g.Owner.Hex(), Recipient: g.Recipient, Created: g.Created}
	if g.Account != (common.Address{}) {
		out.Account = g.Account.Hex()
	}
	return out
}
