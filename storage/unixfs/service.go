package unixfs

import (
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/boxo/ipld/merkledag"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

// Getter returns the bytes of a block, checked against the CID. The caller
// owns them.
type Getter interface {
	GetBlock(context.Context, cid.Cid) ([]byte, error)
}

// Putter keeps a block. It may not keep data after it returns.
type Putter interface {
	PutBlock(context.Context, cid.Cid, []byte) error
}

var errReadOnly = errors.New("unixfs: blocks cannot be changed here")

// service shows a Getter, and a Putter where there is one, to boxo.
type service struct {
	get Getter
	put Putter
}

func (s service) Get(ctx context.Context, c cid.Cid) (ipld.Node, error) {
	data, err := s.get.GetBlock(ctx, c)
	if err != nil {
		return nil, err
	}
	b, err := blocks.NewBlockWithCid(data, c)
	if err != nil {
		return nil, fmt.Errorf("unixfs: block %s: %w", c, err)
	}
	switch c.Type() {
	case cid.Raw:
		return merkledag.DecodeRawBlock(b)
	case cid.DagProtobuf:
		return merkledag.DecodeProtobufBlock(b)
	}
	return nil, fmt.Errorf("%s: %w", c, ErrNotUnixFS)
}

// GetMany reads in order: keys come in small groups, and the disk is near.
func (s service) GetMany(ctx context.Context, keys []cid.Cid) <-chan *ipld.NodeOption {
	out := make(chan *ipld.NodeOption, len(keys))
	go func() {
		defer close(out)
		for _, k := range keys {
			if ctx.Err() != nil {
				return
			}
			n, err := s.Get(ctx, k)
			out <- &ipld.NodeOption{Node: n, Err: err}
		}
	}()
	return out
}

func (s service) Add(ctx context.Context, n ipld.Node) error {
	if s.put == nil {
		return errReadOnly
	}
	return s.put.PutBlock(ctx, n.Cid(), n.RawData())
}

func (s service) AddMany(ctx context.Context, ns []ipld.Node) error {
	for _, n := range ns {
		if err := s.Add(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// Remove does nothing: a spool holds more than its DAG, and what the root does
// not reach is left behind.
func (s service) Remove(context.Context, cid.Cid) error       { return nil }
func (s service) RemoveMany(context.Context, []cid.Cid) error { return nil }
