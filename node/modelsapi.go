package node

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/ipfs/go-cid"

	"tally/compute"
	"tally/node/api"
	"tally/node/models"
	"tally/node/workbench"
	"tally/protocol"
)

// model is the model that id names, from here or from the network.
func (n *Node) model(ctx context.Context, id string) (models.Known, error) {
	return n.found(ctx, id, n.models.Read)
}

// held is the same with its files here, checked and pinned, and those of its base.
func (n *Node) held(ctx context.Context, id string) (models.Known, error) {
	k, err := n.found(ctx, id, n.models.Hold)
	if err == nil && k.Base.Defined() {
		_, err = n.models.Hold(ctx, k.Base)
	}
	return k, err
}

func (n *Node) found(ctx context.Context, id string, get func(context.Context, cid.Cid) (models.Known, error)) (models.Known, error) {
	c, err := parseCID("model", id)
	if err != nil {
		return models.Known{}, err
	}
	k, err := get(ctx, c)
	if errors.Is(err, models.ErrUnknown) {
		err = fmt.Errorf("%w: %w", api.ErrNotFound, err)
	}
	return k, err
}

// ShowModel implements api.Models.
func (n *Node) ShowModel(ctx context.Context, id string) (api.Model, error) {
	k, err := n.model(ctx, id)
	return modelJSON(k), err
}

// What an archive of a model may hold.
const (
	maxModelFiles = 1024
	maxName       = 256 // bytes of a name
)

// AddModel implements api.Models: files that were made elsewhere become a model of
// this node's account, which earns as its owner. Where nobody contributed data to it, or to
// its base, that the network knows of, the owner has the contributors' part as well.
func (n *Node) AddModel(ctx context.Context, name, base string, archive io.Reader) (api.Model, error) {
	if name == "" || len(name) > maxName {
		return api.Model{}, fmt.Errorf("%w: name the model, in at most %d bytes", api.ErrBadRequest, maxName)
	}
	m := protocol.Model{
		Name: name, Owner: n.me, Engine: n.engine.Class(), Owners: []protocol.Share{{Account: n.me, Weight: 1}}, Policy: Policy,
		RateIn: n.home.Config.Prices.In, RateOut: n.home.Config.Prices.Out,
	}
	var below models.Known // what it is based on
	if base != "" {
		var err error
		if below, err = n.held(ctx, base); err != nil {
			return api.Model{}, err
		}
		if below.Base.Defined() {
			return api.Model{}, fmt.Errorf("%w: %q is an adapter itself: name its base %s", api.ErrBadRequest, below.Name, below.Base)
		}
		m.Base = below.CID
	}
	dir, err := os.MkdirTemp(n.home.Path("models"), "add-*.new")
	if err != nil {
		return api.Model{}, fmt.Errorf("node: add a model: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := untar(dir, archive); err != nil {
		return api.Model{}, fmt.Errorf("%w: %w", api.ErrBadRequest, err)
	}
	files := os.DirFS(dir)
	if err := n.checkBase(ctx, compute.Model{Files: files}, below); err != nil {
		return api.Model{}, fmt.Errorf("%w: %w", api.ErrBadRequest, err)
	}
	if m.ParamHash, m.Params, err = n.engine.ParamHash(ctx, compute.Model{Files: files}); err != nil {
		if errors.Is(err, compute.ErrInput) {
			err = fmt.Errorf("%w: %w", api.ErrBadRequest, err)
		}
		return api.Model{}, err
	}
	if err := n.unclaimed(ctx, m); err != nil {
		return api.Model{}, err
	}
	if m = based(m, below.Model); len(m.Contributors) == 0 {
		m.Policy.Owners, m.Policy.Contributors = Policy.Owners+Policy.Contributors, 0
	}
	if m.Files, err = n.store.ImportFS(ctx, files); err != nil {
		return api.Model{}, fmt.Errorf("node: keep the model: %w", err)
	}
	if err := n.store.Pin(ctx, m.Files, "model "+name, 0); err != nil {
		return api.Model{}, fmt.Errorf("node: pin the model: %w", err)
	}
	if m.Created, err = n.board.Now(ctx); err != nil {
		return api.Model{}, err
	}
	k, err := n.models.Publish(ctx, m)
	return modelJSON(k), err
}

// unclaimed sees to it that a model is not somebody else's already.
func (n *Node) unclaimed(ctx context.Context, m protocol.Model) error {
	known, err := n.models.List(ctx)
	if err != nil {
		return err
	}
	for _, k := range known {
		if k.ParamHash == m.ParamHash && k.Base.Equals(m.Base) && k.Owner != n.me {
			return fmt.Errorf("%w: these parameters are model %s of %s already: ask for that one, or train an adapter on it", api.ErrBadRequest, k.CID, k.Owner)
		}
	}
	return nil
}

// checkBase sees to it that a model that is to be added fits the model that it changes.
func (n *Node) checkBase(ctx context.Context, m compute.Model, below models.Known) error {
	if below.Files.Defined() {
		base, err := n.ownFiles(ctx, below)
		if err != nil {
			return err
		}
		base, done, err := n.shelf.Lay(ctx, base)
		if err != nil {
			return err
		}
		defer done()
		m.Base = &base
	}
	return workbench.CheckBase(m)
}

// untar unpacks an archive below dir, and nowhere else.
func untar(dir string, archive io.Reader) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	tr, left := tar.NewReader(archive), int64(api.MaxUpload)
	for count := 0; ; count++ {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the archive is broken: %w", err)
		}
		if count == maxModelFiles {
			return fmt.Errorf("the archive has more than %d files", maxModelFiles)
		}
		if h.Typeflag == tar.TypeDir {
			continue
		}
		if h.Typeflag != tar.TypeReg || !fs.ValidPath(h.Name) {
			return fmt.Errorf("the archive holds %q: only regular files below the directory belong there", h.Name)
		}
		if left -= h.Size; h.Size < 0 || left < 0 { // a sparse file is larger than its part of the archive
			return fmt.Errorf("the archive's files have more than %d bytes", api.MaxUpload)
		}
		if d := path.Dir(h.Name); d != "." {
			if err := root.MkdirAll(d, 0o700); err != nil {
				return err
			}
		}
		f, err := root.OpenFile(h.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, tr)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
}

// FetchModel implements api.Models.
func (n *Node) FetchModel(ctx context.Context, id string) (api.Model, error) {
	k, err := n.held(ctx, id)
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

// ExportModel implements api.Models: a tar archive of the model's files, as they are
// or in another form.
func (n *Node) ExportModel(ctx context.Context, id string, as api.Form, w io.Writer) error {
	k, err := n.model(ctx, id)
	if err != nil {
		return err
	}
	m, err := n.files(ctx, k)
	if err != nil {
		return err
	}
	files := m.Files
	if as != (api.Form{}) {
		dir, err := os.MkdirTemp(n.home.Path("models"), "export-*.new")
		if err != nil {
			return fmt.Errorf("node: export: %w", err)
		}
		defer os.RemoveAll(dir)
		if err := n.convert(ctx, m, workbench.Form{Format: as.Format, Type: as.Type, Merge: as.Merge, Name: k.Name}, dir); err != nil {
			return fmt.Errorf("%w: %w", api.ErrBadRequest, err)
		}
		files = os.DirFS(dir)
	}
	tw := tar.NewWriter(w)
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return addFile(tw, files, name)
	})
	if err != nil {
		return fmt.Errorf("node: export %s: %w", k.CID, err)
	}
	return tw.Close()
}

// convert writes a model in another form to dir, from real files.
func (n *Node) convert(ctx context.Context, m compute.Model, as workbench.Form, dir string) error {
	laid, done, err := n.shelf.Lay(ctx, m)
	if err != nil {
		return err
	}
	defer done()
	return workbench.Convert(laid, as, dir)
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
	if k.Base.Defined() {
		m.Base = text(k.Base)
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
