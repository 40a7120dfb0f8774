package node

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"tally/node/api"
	"tally/node/models"
	"tally/protocol"
)

// ShowModel implements api.Models.
func (n *Node) ShowModel(ctx context.Context, id string) (api.Model, error) {
	c, err := parseCID("model", id)
	if err != nil {
		return api.Model{}, err
	}
	k, err := n.models.Read(ctx, c)
	if errors.Is(err, models.ErrUnknown) {
		err = fmt.Errorf("%w: %w", api.ErrNotFound, err)
	}
	return modelJSON(k), err
}

// FetchModel implements api.Models.
func (n *Node) FetchModel(ctx context.Context, id string) (api.Model, error) {
	c, err := parseCID("model", id)
	if err != nil {
		return api.Model{}, err
	}
	k, err := n.models.Hold(ctx, c)
	if errors.Is(err, models.ErrUnknown) {
		err = fmt.Errorf("%w: %w", api.ErrNotFound, err)
	}
	return modelJSON(k), err
}

// ListModels implements api.Models.
func (n *Node) ListModels(ctx context.Context) ([]api.Model, error) {
	list, err := n.models.List(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]api.Model, 0, len(list))
	for _, k := range list {
		out = append(out, modelJSON(k))
	}
	return out, nil
}

// ExportModel implements api.Models: a tar archive of the model's files.
func (n *Node) ExportModel(ctx context.Context, id string, w io.Writer) error {
	c, err := parseCID("model", id)
	if err != nil {
		return err
	}
	k, err := n.models.Read(ctx, c)
	if err != nil {
		return err
	}
	files, err := n.store.FS(ctx, k.Files)
	if err != nil {
		return err
	}
	tw := tar.NewWriter(w)
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return addFile(tw, files, name)
	})
	if err != nil {
		return fmt.Errorf("node: export %s: %w", c, err)
	}
	return tw.Close()
}

func addFile(tw *tar.Writer, files fs.FS, name string) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: st.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(tw, f)
	return err
}

func modelJSON(k models.Known) api.Model {
	m := api.Model{
		CID: text(k.CID), Name: k.Name, Owner: k.Owner.Hex(), Files: text(k.Files), Engine: k.Engine, Params: k.Params,
		ParamHash: k.ParamHash.Hex(), Trace: k.Trace.Hex(), Offer: k.Offer.Hex(), Datanets: []string{}, Contributors: []api.Share{},
		Policy: k.Policy, RateIn: k.RateIn, RateOut: k.RateOut, Created: k.Created, Held: k.Held,
	}
	for _, c := range k.Datanets {
		m.Datanets = append(m.Datanets, text(c))
	}
	for _, s := range k.Contributors {
		m.Contributors = append(m.Contributors, shareJSON(s))
	}
	return m
}

func shareJSON(s protocol.Share) api.Share {
	return api.Share{Account: s.Account.Hex(), Weight: s.Weight}
}
