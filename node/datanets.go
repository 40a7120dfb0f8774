package node

import (
	"context"
	"errors"
	"fmt"
	"io"

	"tally/node/api"
	"tally/node/datanet"
	"tally/protocol"
)

// CreateDatanet implements api.Datanets.
func (n *Node) CreateDatanet(ctx context.Context, in api.CreateDatanet) (api.Datanet, error) {
	v, err := n.datanets.Create(ctx, in.Name, in.Licence, in.Schema)
	return datanetJSON(v), mend(err)
}

// AddToDatanet implements api.Datanets.
func (n *Node) AddToDatanet(ctx context.Context, id string, data io.Reader) (api.Datanet, error) {
	c, err := parseCID("datanet", id)
	if err != nil {
		return api.Datanet{}, err
	}
	v, added, err := n.datanets.Add(ctx, c, data)
	if err != nil {
		return api.Datanet{}, mend(err)
	}
	out, s := datanetJSON(v), shardJSON(added)
	out.Added = &s
	return out, nil
}

// ShowDatanet implements api.Datanets.
func (n *Node) ShowDatanet(ctx context.Context, id string, head bool) (api.Datanet, error) {
	c, err := parseCID("datanet", id)
	if err != nil {
		return api.Datanet{}, err
	}
	read := n.datanets.Read
	if head {
		read = n.datanets.Head
	}
	v, err := read(ctx, c)
	return datanetJSON(v), mend(err)
}

// mend puts the errors that a caller can mend into the API's class for them.
func mend(err error) error {
	if errors.Is(err, protocol.ErrDocument) || errors.Is(err, datanet.ErrText) || errors.Is(err, datanet.ErrDatanet) {
		return fmt.Errorf("%w: %w", api.ErrBadRequest, err)
	}
	return err
}

func datanetJSON(v datanet.Version) api.Datanet {
	m := v.Manifest
	d := api.Datanet{
		CID: text(v.CID), Origin: text(v.Origin), Name: m.Name, Licence: m.Licence, Schema: m.Schema, Owner: m.Owner.Hex(),
		Version: m.Version, Parent: text(m.Parent), Shards: []api.Shard{}, Created: m.Created,
	}
	for _, s := range m.Shards {
		d.Shards = append(d.Shards, shardJSON(s))
	}
	return d
}

func shardJSON(s protocol.Shard) api.Shard {
	return api.Shard{Root: text(s.Root), Piece: s.Piece.Hex(), Bytes: s.Size, Records: s.Records, Contributor: s.Contributor.Hex()}
}
