// Package crashring kills a store at any moment and damages what it had not yet
// made durable, again and again, and checks that nothing acknowledged is lost.
//
// A kill of the process alone loses nothing that was written: the system still
// has it. What a loss of power does is made here by hand, in the store's files,
// between the death of one process and the start of the next (Tear):
//
//   - whole sectors of files under way (tmp/, fetch/) become zeros or noise, the
//     files lose their ends, or vanish;
//   - shards whose import nobody acknowledged vanish, as if their name had not
//     reached the disk;
//   - files of the index, which can be rebuilt, are torn like that too, or all gone;
//   - what the last, unacknowledged transaction wrote to the database of pins is
//     taken back from some byte on, or zeroed (TearTail).
//
// Beside it, Rot flips one byte of a shard that was acknowledged, as disks do. The
// tests of this package are the ring: TestCrash runs a few dozen rounds, and as
// many as TALLY_CRASH_ROUNDS says. Its seed is printed; TALLY_CRASH_SEED repeats
// what the seed decides, which the moment of a kill is not.
//
// The package is for tests. It knows the store's directory from the comment of
// package storage, and nothing else of it.
package crashring

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/ipfs/go-cid"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// Tear damages what a store in dir may lose with the power. acked says which
// shards it may not.
func Tear(rng *rand.Rand, dir string, acked func(cid.Cid) bool) (torn []string, err error) {
	hurt := func(path string) error {
		what, err := damage(rng, path)
		if what != "" {
			rel, _ := filepath.Rel(dir, path)
			torn = append(torn, rel+" "+what)
		}
		return err
	}
	for _, sub := range []string{"tmp", "fetch"} {
		err := filepath.WalkDir(filepath.Join(dir, sub), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || rng.IntN(2) == 0 {
				return err
			}
			return hurt(path)
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return torn, err
		}
	}
	es, err := os.ReadDir(filepath.Join(dir, "shards"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return torn, err
	}
	for _, e := range es {
		root, err := cid.Decode(strings.TrimSuffix(e.Name(), ".car"))
		if err != nil || acked(root) || rng.IntN(4) > 0 {
			continue
		}
		if err := os.Remove(filepath.Join(dir, "shards", e.Name())); err != nil {
			return torn, err
		}
		torn = append(torn, "shard "+root.String()+" vanished")
	}
	index := filepath.Join(dir, "index")
	switch n := rng.IntN(24); {
	case n == 0:
		torn = append(torn, "index vanished")
		return torn, os.RemoveAll(index)
	case n < 3:
		es, err := os.ReadDir(index)
		if err != nil || len(es) == 0 {
			return torn, err
		}
		return torn, hurt(filepath.Join(index, es[rng.IntN(len(es))].Name()))
	}
	return torn, nil
}

// damage spoils one file and says how.
func damage(rng *rand.Rand, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || info.Size() == 0 {
		return "", err
	}
	kind := rng.IntN(4)
	if kind == 0 {
		return "vanished", os.Remove(path)
	}
	at := rng.Int64N(info.Size()) / sector * sector
	if kind == 1 {
		return fmt.Sprintf("cut at %d", at), os.Truncate(path, at)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	b := make([]byte, min(int64(1+rng.IntN(64))*sector, info.Size()-at))
	if kind == 2 {
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
	}
	_, err = f.WriteAt(b, at)
	return fmt.Sprintf("%d bytes at %d spoiled", len(b), at), errors.Join(err, f.Close())
}

// Rot flips one byte of a file, and says where.
func Rot(rng *rand.Rand, path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	at := rng.Int64N(info.Size())
	b := make([]byte, 1)
	_, err = f.ReadAt(b, at)
	b[0] ^= byte(1 + rng.IntN(255))
	if err == nil {
		_, err = f.WriteAt(b, at)
	}
	return at, errors.Join(err, f.Close())
}

// Snapshot is the content of a small directory at one moment.
type Snapshot map[string][]byte

// Take reads all files of a directory.
func Take(dir string) (Snapshot, error) {
	s := Snapshot{}
	es, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range es {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		s[e.Name()] = b
	}
	return s, nil
}

// TearTail takes back, from some byte on, what was written to a directory of logs
// since the snapshot: as old bytes, or as zeros.
func (s Snapshot) TearTail(rng *rand.Rand, dir string) (torn []string, err error) {
	now, err := Take(dir)
	if err != nil {
		return nil, err
	}
	for name, b := range now {
		old, was := s[name]
		if !was || len(old) != len(b) || bytes.Equal(old, b) {
			continue // a file that was begun or ended is in the engine's own list of files
		}
		lo, hi := 0, len(b)
		for lo < hi && old[lo] == b[lo] {
			lo++
		}
		for hi > lo && old[hi-1] == b[hi-1] {
			hi--
		}
		at, with := lo+rng.IntN(hi-lo), old
		if rng.IntN(2) == 0 {
			with = make([]byte, hi)
		}
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR, 0)
		if err != nil {
			return torn, err
		}
		_, err = f.WriteAt(with[at:hi], int64(at))
		if err = errors.Join(err, f.Close()); err != nil {
			return torn, err
		}
		torn = append(torn, fmt.Sprintf("%s taken back from %d of %d to %d", name, at, lo, hi))
	}
	return torn, nil
}
