// Package kv is the one small door to badger: ordered bytes to bytes, in
// transactions, with settings measured for a home machine.
//
// A ledger, an outbox or an index opens a DB of its own in a directory of its
// own. With Options.Sync an Update is on disk when it returns, so a caller may
// acknowledge; without it a crash can lose the last moments, which suits an
// index that can be rebuilt. Open on a directory that another process holds
// ends in ErrInUse, on damaged files in ErrBroken; any other error of Open says nothing
// about them. An empty directory name opens a store in memory, the
// honest in-memory implementation that tests use.
//
// A DB is safe for concurrent use. Tx and what it returns are not: they belong
// to the callback, except values, which are copies. The package knows no
// types; packages encode their own keys and values.
package kv

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

var (
	// ErrNotFound is returned by Get for a key that holds nothing.
	ErrNotFound = errors.New("kv: not found")
	// ErrInUse says that another process holds the directory.
	ErrInUse = errors.New("kv: data directory in use: stop the other process or choose another directory")
)

// Options chooses durability. The zero value is a rebuildable index.
type Options struct {
	Sync bool // every Update is on disk when it returns
	// Small is for few and short writes: it takes half the memory, and an Update
	// at most 256 KiB and 2,048 keys, values of 128 KiB and more not counted,
	// where another takes 512 KiB and 4,096 keys, values of 512 KiB and more not counted.
	// In memory all are counted.
	Small bool
}

// memory is how many bytes of writes are kept in memory, as the log of them is on
// disk. The room for them counts as heap in use from the start, filled or not, so that
// the garbage collector lets as much garbage lie beside it.
const (
	memory      = 4 << 20
	smallMemory = 2 << 20
	mostMemory  = 8 << 20 // of earlier versions
)

// DB is an open store.
type DB struct {
	db    *badger.DB
	dir   string // empty in memory
	whole bool
	stop  chan struct{} // closed by Close
	done  sync.WaitGroup
}

// Open opens or creates the store in dir; an empty dir opens one in memory.
func Open(dir string, o Options) (*DB, error) {
	size, large := int64(memory), int64(512<<10)
	if o.Small {
		size, large = smallMemory, 128<<10
	}
	switch {
	case dir == "" && !o.Small:
		size, large = mostMemory, 1<<20 // no value is larger there
	case dir != "" && longLog(dir, size):
		size = mostMemory
	}
	bo := badger.DefaultOptions(dir).
		WithMemTableSize(size).
		WithValueThreshold(large).
		WithLogger(nil).
		WithSyncWrites(o.Sync && dir != "").
		WithNumMemtables(2).
		WithBlockCacheSize(0). // nothing is compressed: a cache of blocks is slower than the blocks
		WithIndexCacheSize(0).
		WithValueLogFileSize(64 << 20).
		WithNumCompactors(2).
		WithCompression(options.None).
		WithCompactL0OnClose(true).
		WithVerifyValueChecksum(true).
		WithMetricsEnabled(false)
	if dir == "" {
		bo = bo.WithInMemory(true)
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("kv: make %s: %w", dir, err)
	} else if err := errors.Join(check(dir), sweep(dir)); err != nil {
		if inUse(dir) {
			return nil, fmt.Errorf("%w: %s", ErrInUse, dir)
		}
		return nil, err
	}
	d := &DB{dir: dir, stop: make(chan struct{})}
	var err error
	if dir != "" {
		if d.whole, err = wasClosed(dir); err != nil {
			return nil, err
		}
	}
	d.db, err = badger.Open(bo)
	if err != nil {
		if strings.Contains(err.Error(), "Cannot acquire directory lock") {
			return nil, fmt.Errorf("%w: %s", ErrInUse, dir)
		}
		return nil, judge(dir, err)
	}
	if dir != "" {
		d.done.Go(d.collect)
	}
	return d, nil
}

// longLog says whether a log is left in dir, of a process that died, that was written
// with more memory than this: the engine asserts that what it replays has room.
func longLog(dir string, memory int64) bool {
	logs, _ := filepath.Glob(filepath.Join(dir, "*.mem"))
	return slices.ContainsFunc(logs, func(l string) bool {
		info, err := os.Stat(l)
		return err != nil || info.Size() > 2*memory // the engine makes them twice as long
	})
}

// collect reclaims value-log space until Close.
func (d *DB) collect() {
	t := time.NewTicker(5 * time.Minute)
	defer t.Stop()
	for {
		select {
		case <-d.stop:
			return
		case <-t.C:
			for d.db.RunValueLogGC(0.5) == nil {
			}
		}
	}
}

// Close flushes and releases the directory.
func (d *DB) Close() error {
	close(d.stop)
	d.done.Wait()
	if err := d.db.Close(); err != nil {
		return fmt.Errorf("kv: close: %w", err)
	}
	if d.dir != "" {
		noteClosed(d.dir)
	}
	return nil
}

// Whole says that Open found the files as Close had left them: nothing that was
// written is missing. Otherwise it is not known, as after a process that died, whose
// last log may be lost with its disk's last moments.
func (d *DB) Whole() bool { return d.whole }

// View runs f on a consistent snapshot.
func (d *DB) View(f func(*Tx) error) error {
	return d.db.View(func(t *badger.Txn) error { return f(&Tx{t}) })
}

// Update runs f and commits its writes together, or none of them if f errs.
// A conflict with a concurrent Update runs f again.
func (d *DB) Update(f func(*Tx) error) error {
	for {
		err := d.db.Update(func(t *badger.Txn) error { return f(&Tx{t}) })
		if !errors.Is(err, badger.ErrConflict) {
			return err
		}
	}
}

// Tx is one transaction; it is valid only inside its callback.
type Tx struct{ t *badger.Txn }

// Get returns a copy of the value of key, or ErrNotFound.
func (t *Tx) Get(key []byte) ([]byte, error) {
	it, err := t.t.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("kv: get: %w", err)
	}
	return it.ValueCopy(nil)
}

// Set stores value under key; neither slice may be changed before the commit.
func (t *Tx) Set(key, value []byte) error {
	if err := t.t.Set(key, value); err != nil {
		return fmt.Errorf("kv: set: %w", err)
	}
	return nil
}

// Delete removes key; a missing key is no error.
func (t *Tx) Delete(key []byte) error {
	if err := t.t.Delete(key); err != nil {
		return fmt.Errorf("kv: delete: %w", err)
	}
	return nil
}

// Item is one pair of a Scan.
type Item struct{ Key, Value []byte }

// Scan yields every pair whose key begins with prefix, in key order.
func (t *Tx) Scan(prefix []byte) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		o := badger.DefaultIteratorOptions
		o.Prefix = prefix
		it := t.t.NewIterator(o)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			v, err := it.Item().ValueCopy(nil)
			if err != nil {
				yield(Item{}, fmt.Errorf("kv: scan: %w", err))
				return
			}
			if !yield(Item{it.Item().KeyCopy(nil), v}, nil) {
				return
			}
		}
	}
}
