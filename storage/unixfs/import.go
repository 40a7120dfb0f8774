// Package unixfs turns files and directories into DAGs and back.
//
// Import follows the profile unixfs-v1-2025 of IPIP-499: CIDv1, sha2-256, raw
// leaves of 1 MiB, 1,024 links a node, directories that turn into HAMTs (width
// 256) past 256 KiB. So the same bytes have the same CID in every tool that
// follows the profile. Modes and times are left out for the same reason.
//
// Every setting is passed with each call. The profile's ApplyGlobals, which
// writes variables of boxo without synchronization, is not needed for these
// imports; a program that imports through boxo elsewhere calls it once in main,
// before the first Open.
//
// The package keeps no blocks: it is given a Getter and a Putter. boxo is used
// behind these two only.
package unixfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/ipfs/boxo/chunker"
	"github.com/ipfs/boxo/ipld/unixfs/importer/balanced"
	"github.com/ipfs/boxo/ipld/unixfs/importer/helpers"
	uio "github.com/ipfs/boxo/ipld/unixfs/io"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

var (
	// ErrNotUnixFS says that a block is no file or directory.
	ErrNotUnixFS = errors.New("unixfs: not a UnixFS file or directory: read it as blocks instead")
	// ErrKind says that an entry is neither file nor directory.
	ErrKind = errors.New("unixfs: only regular files and directories can be imported: leave links to directories, devices and sockets out")
	// ErrDeep says that directories nest too deep.
	ErrDeep = errors.New("unixfs: directories nest deeper than 64: flatten them")
)

const maxDeep = 64

// profile is what every import is made with.
var profile = uio.UnixFS_v1_2025

// Blocks is where an import puts its blocks, and reads some of them again.
type Blocks interface {
	Getter
	Putter
}

// ImportFile puts the DAG of the bytes of r and returns its root.
func ImportFile(ctx context.Context, b Blocks, r io.Reader) (cid.Cid, error) {
	n, err := importFile(ctx, service{b, b}, r)
	if err != nil {
		return cid.Undef, err
	}
	return n.Cid(), nil
}

func importFile(ctx context.Context, s service, r io.Reader) (ipld.Node, error) {
	p := helpers.DagBuilderParams{
		Maxlinks:   profile.FileDAGWidth,
		RawLeaves:  profile.RawLeaves,
		CidBuilder: profile.CidBuilder(),
		Dagserv:    s,
	}
	h, err := p.New(chunk.NewSizeSplitter(reader{ctx, r}, profile.ChunkSize))
	if err != nil {
		return nil, fmt.Errorf("unixfs: import: %w", err)
	}
	n, err := balanced.Layout(h)
	if err != nil {
		return nil, fmt.Errorf("unixfs: import: %w", err)
	}
	return n, nil
}

// reader ends a long import when its context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// ImportDir puts the DAG of a file system and returns its root. Entries go in
// name order. A link to a regular file is imported as that file.
func ImportDir(ctx context.Context, b Blocks, f fs.FS) (cid.Cid, error) {
	n, err := importDir(ctx, service{b, b}, f, ".", 0)
	if err != nil {
		return cid.Undef, err
	}
	return n.Cid(), nil
}

func importDir(ctx context.Context, s service, f fs.FS, dir string, depth int) (ipld.Node, error) {
	if depth > maxDeep {
		return nil, fmt.Errorf("import %s: %w", dir, ErrDeep)
	}
	d, err := uio.NewDirectory(s, uio.WithCidBuilder(profile.CidBuilder()),
		uio.WithMaxHAMTFanout(profile.HAMTShardWidth), uio.WithSizeEstimationMode(profile.HAMTSizeEstimation))
	if err != nil {
		return nil, fmt.Errorf("unixfs: import %s: %w", dir, err)
	}
	entries, err := fs.ReadDir(f, dir)
	if err != nil {
		return nil, fmt.Errorf("unixfs: import: %w", err)
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		var n ipld.Node
		if e.IsDir() {
			n, err = importDir(ctx, s, f, name, depth+1)
		} else {
			n, err = importEntry(ctx, s, f, name)
		}
		if err != nil {
			return nil, err
		}
		if err := d.AddChild(ctx, e.Name(), n); err != nil {
			return nil, fmt.Errorf("unixfs: import %s: %w", name, err)
		}
	}
	n, err := d.GetNode()
	if err != nil {
		return nil, fmt.Errorf("unixfs: import %s: %w", dir, err)
	}
	return n, s.Add(ctx, n)
}

func importEntry(ctx context.Context, s service, f fs.FS, name string) (ipld.Node, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, fmt.Errorf("unixfs: import: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("unixfs: import: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("import %s: %w", name, ErrKind)
	}
	return importFile(ctx, s, file)
}
