package unixfs

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/boxo/ipld/unixfs"
	uio "github.com/ipfs/boxo/ipld/unixfs/io"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

// File is an open UnixFS file.
type File interface {
	io.ReadSeekCloser
	io.WriterTo
	Size() uint64
}

// OpenFile opens the file under root. Blocks are read, and checked, as they
// are needed, and ahead where g is a Bulk; ctx ends all reading. A File is not
// safe for concurrent use and must be closed.
func OpenFile(ctx context.Context, g Getter, root cid.Cid) (File, error) {
	s := service{get: g}
	n, err := s.Get(ctx, root)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", root, err)
	}
	return openNode(ctx, s, n)
}

func openNode(ctx context.Context, s service, n ipld.Node) (File, error) {
	if b, ok := s.get.(Bulk); ok {
		if leaves, ok := leavesOf(n); ok {
			return newAhead(ctx, b, leaves), nil
		}
	}
	r, err := uio.NewDagReader(ctx, n, s)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w: %w", n.Cid(), err, ErrNotUnixFS)
	}
	return r, nil
}

// NewFS returns the directory under root as a file system. It reads as it is
// used; ctx ends all reading. It implements fs.ReadDirFS and fs.StatFS, and its
// files io.Seeker.
func NewFS(ctx context.Context, g Getter, root cid.Cid) (fs.FS, error) {
	s := service{get: g}
	n, err := s.Get(ctx, root)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", root, err)
	}
	if !isDir(n) {
		return nil, fmt.Errorf("open %s as a directory: %w", root, ErrNotUnixFS)
	}
	return dirFS{ctx, s, n}, nil
}

func isDir(n ipld.Node) bool {
	p, ok := n.(*merkledag.ProtoNode)
	if !ok {
		return false
	}
	f, err := unixfs.FSNodeFromBytes(p.Data())
	return err == nil && f.IsDir()
}

type dirFS struct {
	ctx  context.Context
	s    service
	root ipld.Node
}

func (d dirFS) find(op, name string) (ipld.Node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n := d.root
	if name == "." {
		return n, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if !isDir(n) {
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
		dir, err := uio.NewDirectoryFromNode(d.s, n)
		if err != nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: err}
		}
		if n, err = dir.Find(d.ctx, part); err != nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: err}
		}
	}
	return n, nil
}

func (d dirFS) info(name string, n ipld.Node) (info, error) {
	i := info{name: path.Base(name), dir: isDir(n)}
	if i.dir {
		return i, nil
	}
	r, err := openNode(d.ctx, d.s, n)
	if err != nil {
		return i, err
	}
	i.size = int64(r.Size())
	return i, r.Close()
}

func (d dirFS) Open(name string) (fs.File, error) {
	n, err := d.find("open", name)
	if err != nil {
		return nil, err
	}
	i, err := d.info(name, n)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if i.dir {
		entries, err := d.ReadDir(name)
		return &openDir{info: i, rest: entries}, err
	}
	r, err := openNode(d.ctx, d.s, n)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return openFile{r, i}, nil
}

func (d dirFS) Stat(name string) (fs.FileInfo, error) {
	n, err := d.find("stat", name)
	if err != nil {
		return nil, err
	}
	return d.info(name, n)
}

func (d dirFS) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := d.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if !isDir(n) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	dir, err := uio.NewDirectoryFromNode(d.s, n)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	links, err := dir.Links(d.ctx)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	var out []fs.DirEntry
	for _, l := range links {
		if !fs.ValidPath(l.Name) || l.Name == "." || strings.Contains(l.Name, "/") {
			continue // a name that no file system has is not shown
		}
		child, err := d.s.Get(d.ctx, l.Cid)
		if err != nil {
			return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
		}
		i, err := d.info(l.Name, child)
		if err != nil {
			return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
		}
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

// info is a FileInfo and a DirEntry; mode and time are not part of a DAG.
type info struct {
	name string
	size int64
	dir  bool
}

func (i info) Name() string               { return i.name }
func (i info) Size() int64                { return i.size }
func (i info) ModTime() time.Time         { return time.Time{} }
func (i info) IsDir() bool                { return i.dir }
func (i info) Sys() any                   { return nil }
func (i info) Type() fs.FileMode          { return i.Mode().Type() }
func (i info) Info() (fs.FileInfo, error) { return i, nil }
func (i info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

type openFile struct {
	File
	info info
}

func (f openFile) Stat() (fs.FileInfo, error) { return f.info, nil }

type openDir struct {
	info info
	rest []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: fs.ErrInvalid}
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(d.rest) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.rest) {
		n = len(d.rest)
	}
	out := d.rest[:n]
	d.rest = d.rest[n:]
	return out, nil
}
