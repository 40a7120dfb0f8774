package join

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/ipfs/go-cid"

	"tally/storage"
	"tally/storage/records"
)

// oneFileName is what a shard that is a single file holds, seen as a directory.
const oneFileName = "data"

// oneFile shows a file of the store as a directory with that file alone in it.
type oneFile struct {
	ctx  context.Context
	s    *storage.Store
	root cid.Cid
	size int64

	schema, field string // of what is read as text; none is read as it is
}

func newOneFile(ctx context.Context, s *storage.Store, root cid.Cid) (fs.FS, error) {
	f, err := s.OpenFile(ctx, root)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("join: size of %s: %w", root, err)
	}
	return oneFile{ctx: ctx, s: s, root: root, size: n}, nil
}

// Open opens "." or the file.
func (o oneFile) Open(name string) (fs.File, error) {
	switch name {
	case ".":
		return &onlyDir{o: o}, nil
	case oneFileName:
		f, err := o.s.OpenFile(o.ctx, o.root)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		if o.schema != "" {
			return texts{records.Texts(o.schema, o.field, f), onlyFile{f, o}}, nil
		}
		return onlyFile{f, o}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

type onlyFile struct {
	io.ReadSeekCloser
	o oneFile
}

func (f onlyFile) Stat() (fs.FileInfo, error) { return info{oneFileName, f.o.size, 0o444}, nil }

// texts reads the texts of a file's records. Its size is that of the file.
type texts struct {
	io.Reader
	onlyFile
}

// Read reads texts.
func (t texts) Read(p []byte) (int, error) { return t.Reader.Read(p) }

type onlyDir struct {
	o    oneFile
	read bool
}

func (d *onlyDir) Stat() (fs.FileInfo, error) { return info{".", 0, fs.ModeDir | 0o555}, nil }
func (d *onlyDir) Close() error               { return nil }

func (d *onlyDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: ".", Err: fs.ErrInvalid}
}

func (d *onlyDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if d.read {
		if n > 0 {
			return nil, io.EOF
		}
		return nil, nil
	}
	d.read = true
	return []fs.DirEntry{fs.FileInfoToDirEntry(info{oneFileName, d.o.size, 0o444})}, nil
}

type info struct {
	name string
	size int64
	mode fs.FileMode
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }
