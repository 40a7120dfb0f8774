package kv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"google.golang.org/protobuf/proto"
)

// ErrBroken says that a file of a database is damaged.
var ErrBroken = errors.New("kv: database is damaged: restore it from a copy, or remove its directory if it can be rebuilt")

// check reads every table of a database and holds it against its checksums. The
// engine asserts on damaged tables, in goroutines of its own, so that a program
// could neither go on nor say what is wrong.
//
// The tables are those of the manifest: another one was being written when the
// program died, and the engine removes it. Without its manifest the engine would
// begin anew and say nothing.
func check(dir string) error {
	f, err := os.Open(filepath.Join(dir, "MANIFEST"))
	if errors.Is(err, os.ErrNotExist) {
		tables, e := filepath.Glob(filepath.Join(dir, "*.sst"))
		if e != nil || len(tables) > 0 {
			return fmt.Errorf("%w: %w", ErrBroken, errors.Join(err, e))
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("kv: check %s: %w", dir, err)
	}
	defer func() { _ = f.Close() }()
	// The engine takes a disk that does not give its first bytes for a bad manifest.
	if _, err := f.ReadAt(make([]byte, 8), 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("kv: check %s: %w", dir, err)
	}
	m, _, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions(dir))
	if err != nil {
		return judge(f.Name(), err)
	}
	var buf []byte // one for all: what is thrown away here would be reused, and so resident, for what the engine holds
	for id := range m.Tables {
		t := table.NewFilename(id, dir)
		buf, err = readTable(t, buf[:0])
		if err == nil {
			err = checkTable(buf)
		}
		if err != nil {
			return judge(t, err)
		}
	}
	return nil
}

// readTable reads a whole file into buf, or a larger one where it does not fit.
func readTable(name string, buf []byte) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return buf, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return buf, err
	}
	n := int(info.Size())
	if n > cap(buf) {
		buf = make([]byte, n)
	}
	_, err = io.ReadFull(f, buf[:n])
	return buf[:n], err
}

// judge names what did not open or read, and says ErrBroken where its bytes are at
// fault: not the system, which may give them another time, and not this program, which
// may be older than they are.
func judge(name string, err error) error {
	text := err.Error()
	for _, other := range []string{"unsupported version", "external magic number"} {
		if strings.Contains(text, other) {
			return fmt.Errorf("kv: %s is of another version of the database engine: use the program that wrote it: %w", name, err)
		}
	}
	if bySystem(err) {
		return fmt.Errorf("kv: open %s: %w", name, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrBroken, name, err)
}

// lastErrno is beyond the errors of every system that matter here.
const lastErrno = 140

// bySystem says whether the system refused something. A file that is not there is no
// refusal. The engine passes some errors on as text alone.
func bySystem(err error) bool {
	var no syscall.Errno
	if errors.As(err, &no) {
		return !errors.Is(no, fs.ErrNotExist)
	}
	text := err.Error()
	for no = 1; no < lastErrno; no++ {
		if !errors.Is(no, fs.ErrNotExist) && strings.Contains(text, no.Error()) {
			return true
		}
	}
	return errors.Is(err, fs.ErrPermission)
}

// sweep removes the logs that hold nothing at all: a process died between making
// one and giving it its length, and the engine would not open beside it.
func sweep(dir string) error {
	if inUse(dir) {
		return nil // the other process is about to give it one
	}
	for _, kind := range []string{"*.vlog", "*.mem"} {
		logs, err := filepath.Glob(filepath.Join(dir, kind))
		if err != nil {
			return fmt.Errorf("kv: sweep %s: %w", dir, err)
		}
		for _, l := range logs {
			info, err := os.Stat(l)
			if err != nil || info.Size() > 0 {
				continue // the engine says what is wrong with it
			}
			if err := os.Remove(l); err != nil {
				return fmt.Errorf("kv: sweep %s: %w", dir, err)
			}
		}
	}
	return nil
}

// A table is its blocks, the index of them, its length, the index's checksum and
// its length. A block is its entries, where they begin, how many they are, the
// block's checksum and its length. Lengths are 4 bytes, big-endian.
func checkTable(b []byte) error {
	index, err := checked(b, true)
	if err != nil {
		return fmt.Errorf("its index: %w", err)
	}
	return walkIndex(index, func(off, n uint32) error {
		if uint64(off)+uint64(n) > uint64(len(b)) {
			return fmt.Errorf("a block of %d bytes at %d: it has %d", n, off, len(b))
		}
		if _, err := checked(b[off:off+n], false); err != nil {
			return fmt.Errorf("its block at %d: %w", off, err)
		}
		return nil
	})
}

// walkIndex yields where the blocks are. The index matched its checksum, so what
// it says of its own offsets is the engine's; a forger's could still be anything.
func walkIndex(index []byte, yield func(off, n uint32) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("its index does not read: %v", p)
		}
	}()
	if len(index) < 8 {
		return fmt.Errorf("its index has %d bytes", len(index))
	}
	var o fb.BlockOffset
	ti := fb.GetRootAsTableIndex(index, 0)
	if ti.OffsetsLength() == 0 {
		return errors.New("its index names no blocks")
	}
	for i := range ti.OffsetsLength() {
		if !ti.Offsets(&o, i) {
			return errors.New("its index does not read")
		}
		if err := yield(o.Offset(), o.Len()); err != nil {
			return err
		}
	}
	return nil
}

// checked is what stands before a checksum at the end of b, if it matches. With
// sized, its length stands between the two.
func checked(b []byte, sized bool) ([]byte, error) {
	rest, sum, err := last(b)
	if err != nil {
		return nil, err
	}
	if sized {
		if _, rest, err = last(rest); err != nil {
			return nil, err
		}
	}
	var want pb.Checksum
	if err := proto.Unmarshal(sum, &want); err != nil {
		return nil, fmt.Errorf("checksum: %w", err)
	}
	got := crc32.Checksum(rest, crc32.MakeTable(crc32.Castagnoli))
	if want.Algo != pb.Checksum_CRC32C || want.Sum != uint64(got) {
		return nil, errors.New("does not match its checksum")
	}
	return rest, nil
}

// last cuts off a run of bytes whose length stands behind it.
func last(b []byte) (rest, run []byte, err error) {
	if len(b) < 4 {
		return nil, nil, errors.New("too short")
	}
	b, n := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if uint64(n) > uint64(len(b)) {
		return nil, nil, fmt.Errorf("a length of %d in %d bytes", n, len(b))
	}
	return b[:len(b)-int(n)], b[len(b)-int(n):], nil
}
