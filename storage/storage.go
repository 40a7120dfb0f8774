// Package storage keeps shards, small blocks and pins on a home disk.
//
// The life of a shard. Room is reserved for it, within the owner's quota and above
// the floor of the disk's free space (package volume). Data comes in as a file
// (ImportFile), a directory (ImportDir), a CAR file (ImportCAR, FetchCAR) or block
// by block from other nodes (Fetch). It is written in the one canonical form of
// package car to a
// temporary file, fsynced, renamed to shards/<root>.car, and the directory is
// fsynced; then its blocks enter the index. From then on its blocks are served
// (Blockstore, GetBlock), its files are read (OpenFile, FS), its byte ranges are
// sold (Range, PieceProof, ServeCAR). Pin says that it must stay and provides
// its root to the network. SetPrivate keeps it from Blockstore, which is what
// others see. Scrub reads it again every month, and has what rotted brought from
// other nodes. Once no pin keeps it, Collect unlinks it.
//
// On disk, under Config.Dir:
//
//	tally-store.json   the marker: where it is missing nothing is written
//	shards/<root>.car  the shards, the only copy of their data
//	index/             multihash → every (shard, offset, length); piece roots.
//	                   Rebuilt from the shards when it is lost or broken
//	meta/              pins, loose blocks (manifests, receipts), what is private, how
//	                   far the scrub is and what it found; fsynced
//	fetch/             fetches under way, resumed by calling Fetch again
//	aside/             what was found broken at Open, kept for repair
//	tmp/               emptied at Open
//
// What returned without error is on disk: shards, blocks and pins survive a
// kill at any moment, and Open recovers by comparing shards/ with the index: names
// and sizes, not data. What is broken, be it a file, an entry of the index, a loose
// block or the whole database of pins, is set aside or begun anew with a logged
// reason, and everything else is served; Health tells what and what to do. Every
// block is hashed when it is read for others or through a file: a flipped bit is an
// error, never data. A shard with a bad block stays, and its good blocks are served
// while it heals; this node's own readers are lent the others by nodes that hold them
// (WithSource, package borrow).
//
// All files count against the quota, metadata too; sizes are booked as they change,
// never found by reading data. A disk that is unplugged while the store is open
// makes writes and reads end in ErrMarker, and loses nothing.
//
// A Store is safe for concurrent use. It does nothing by itself: the node runs
// Scrub and calls Collect.
package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"

	"tally/internal/kv"
	"tally/storage/borrow"
	"tally/storage/car"
	"tally/storage/traverse"
	"tally/storage/volume"
)

// DefaultMaxShard is the largest shard: 1 GiB.
const DefaultMaxShard = 1 << 30

var (
	// ErrNotFound says that a block or shard is not held here.
	ErrNotFound = errors.New("storage: not held here: fetch it first")
	// ErrQuota says that a write would exceed Config.Quota.
	ErrQuota = volume.ErrQuota
	// ErrDiskFull says that the disk took no more, or would have less than
	// Config.Floor free; nothing acknowledged is lost.
	ErrDiskFull = volume.ErrFull
	// ErrMarker says that the directory is not, or no longer, that of the store:
	// its disk is not mounted. Nothing is written there.
	ErrMarker = volume.ErrMarker
	// ErrDisk says that the disk takes or gives no data.
	ErrDisk = errors.New("storage: the disk fails or is read-only: look at the system's log and its health, then mount it again")
	// ErrShardBlock says that a block is part of a shard and cannot go alone.
	ErrShardBlock = errors.New("storage: block belongs to a shard: unpin the shard and collect instead")
	// ErrRange says that a range or leaf is past the end of a shard.
	ErrRange = errors.New("storage: range past the end of the shard: ask within its size")
	// ErrStalled says that no node sent a valid block for too long.
	ErrStalled = traverse.ErrStalled
	// ErrNoExchange says that the store has no way to other nodes.
	ErrNoExchange = traverse.ErrNoExchange
	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("storage: closed: open it again")
	// ErrConfig says that a setting makes no sense.
	ErrConfig = errors.New("storage: bad configuration")
)

// The ways in which a CAR file is refused; see package car.
var (
	ErrCorrupt   = car.ErrCorrupt
	ErrTruncated = car.ErrTruncated
	ErrTooLarge  = car.ErrTooLarge
	ErrTooMany   = car.ErrTooMany
	ErrOrder     = car.ErrOrder
	ErrTrailing  = car.ErrTrailing
	ErrHeader    = car.ErrHeader
	ErrRoot      = car.ErrRoot
	ErrVarint    = car.ErrVarint
	ErrBlockSize = car.ErrBlockSize
	ErrCID       = car.ErrCID
	ErrBlock     = car.ErrBlock
)

// Exchange gets blocks from other nodes; boxo's bitswap is one. If it also has
// NewSession(ctx) exchange.Fetcher, a Fetch uses one session.
type Exchange interface {
	// GetBlock waits for the block until ctx ends.
	GetBlock(context.Context, cid.Cid) (blocks.Block, error)
	// GetBlocks sends blocks as they arrive and closes the channel after the
	// last or when ctx ends.
	GetBlocks(context.Context, []cid.Cid) (<-chan blocks.Block, error)
}

// Provider announces roots to the network. If it also has
// Unprovide(ctx, cid) error, that is called when the last pin of a root goes.
type Provider interface {
	// Provide announces that this node holds c, now or soon; it does not wait
	// for the network.
	Provide(ctx context.Context, c cid.Cid) error
}

// Config is what a Store depends on.
type Config struct {
	Dir      string       // "" is a new temporary directory, removed by Close, not fsynced
	Logger   *slog.Logger // nil discards
	Exchange Exchange     // may be nil: see WithNetwork
	Provider Provider     // may be nil: see WithNetwork
	MaxShard int64        // bytes of the largest CAR file; 0 is DefaultMaxShard
	Quota    int64        // bytes of all files of the store, metadata too; 0 is unlimited
	Floor    int64        // bytes of the disk that stay free; 0 is volume.DefaultFloor, negative is none
	Expect   string       // id that the store must have (see Store.ID); "" is any
	Create   bool         // make a store where the marker is missing, though the directory is not new
}

// Validate returns ErrConfig for a setting that makes no sense.
func (c Config) Validate() error {
	if c.MaxShard < 0 || c.MaxShard > DefaultMaxShard {
		return fmt.Errorf("%w: MaxShard %d: choose 1 to %d bytes, or 0 for the default", ErrConfig, c.MaxShard, DefaultMaxShard)
	}
	if c.Floor > math.MaxInt64-c.Quota {
		return fmt.Errorf("%w: floor of %d bytes: choose less, or a negative number for none", ErrConfig, c.Floor)
	}
	if err := (volume.Config{Quota: c.Quota, Expect: c.Expect}).Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return nil
}

// Shard is one canonical CAR file.
type Shard struct {
	Root  cid.Cid  // of the DAG
	Piece [32]byte // piece root of the file; see package piece
	Size  uint64   // bytes of the file
}

// Store is an open store. WithNetwork makes further views of the same store;
// Close closes them all.
type Store struct {
	*core
	exchange Exchange
	provider Provider
	source   Source // lends to readers; may be nil
}

// core is what all views of one store share.
type core struct {
	dir   string
	temp  bool // dir is removed by Close
	max   uint64
	vol   *volume.Volume
	log   *slog.Logger
	meta  *kv.DB
	index *kv.DB

	// commit serialises what makes and drops shards, pins and loose blocks, so
	// that nothing goes between being found unpinned and being unlinked.
	commit sync.Mutex
	closed bool   // guarded by commit
	forgot uint64 // guarded by commit: how often shards were forgotten
	gen    uint64 // guarded by commit: counts what keeps loose blocks from Collect

	mu      sync.RWMutex
	shards  map[cid.Cid]*record       // guarded by mu; a record never changes
	byID    map[uint64]*record        // guarded by mu
	aside   map[cid.Cid]string        // guarded by mu: why a shard was set aside
	bad     map[string]cid.Cid        // guarded by mu: blocks found corrupt, by multihash
	busy    map[cid.Cid]chan struct{} // guarded by mu: roots being fetched; closed at the end of a fetch
	left    map[cid.Cid]uint64        // guarded by mu: bytes that a fetch left in fetch/
	stray   uint64                    // owned by Open: bytes in shards/ that are no shard
	waiting map[cid.Cid]int64         // guarded by mu: files that are not indexed yet, with their sizes
	notes   []string                  // guarded by mu: what Open found broken and went on without

	private privacy     // which shards outsiders do not see
	desk    borrow.Desk // lends readers what is damaged here

	damage    map[cid.Cid]*Damage  // guarded by mu: shards that are not whole; a Damage never changes
	suspects  map[cid.Cid]bool     // guarded by mu: shards that gave a bad block
	scrub     ScrubStatus          // guarded by mu
	patience  time.Duration        // how long Close waits for the databases
	sync      func(*os.File) error // makes a file or directory durable
	shut      chan struct{}        // closed when they are closed, after Close
	scrubbing atomic.Bool
	wide      atomic.Int32  // readers of files that hold many blocks
	nudge     chan struct{} // tells a scrub of suspects; holds one
}

// Open opens or creates a store. A directory that another process holds ends in
// kv.ErrInUse. After a loss of the index it takes the time to hash all shards.
func Open(c Config) (*Store, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	k := &core{
		dir: c.Dir, log: c.Logger, max: uint64(c.MaxShard),
		shards: map[cid.Cid]*record{}, byID: map[uint64]*record{},
		aside: map[cid.Cid]string{}, bad: map[string]cid.Cid{}, busy: map[cid.Cid]chan struct{}{},
		left: map[cid.Cid]uint64{}, waiting: map[cid.Cid]int64{}, damage: map[cid.Cid]*Damage{}, suspects: map[cid.Cid]bool{}, nudge: make(chan struct{}, 1),
		patience: closeWithin, shut: make(chan struct{}), sync: (*os.File).Sync,
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	if k.max == 0 {
		k.max = DefaultMaxShard
	}
	if k.dir == "" {
		d, err := os.MkdirTemp("", "tally-storage-")
		if err != nil {
			return nil, fail("open", err)
		}
		k.dir, k.temp = d, true
	}
	if err := k.open(c); err != nil {
		return nil, errors.Join(err, k.close())
	}
	return &Store{core: k, exchange: c.Exchange, provider: c.Provider}, nil
}

func (k *core) open(c Config) (err error) {
	k.vol, err = volume.Open(volume.Config{
		Dir: k.dir, Quota: c.Quota, Floor: c.Floor, Expect: c.Expect, Create: c.Create,
		Tracks: map[volume.Class][]string{volume.Meta: {"meta"}, volume.Index: {"index"}},
	})
	if err != nil {
		return fail("open", err)
	}
	for _, d := range []string{"", "shards", "fetch", "aside", "tmp"} {
		if err := os.MkdirAll(filepath.Join(k.dir, d), 0o700); err != nil {
			return fail("open", err)
		}
	}
	if err := k.openMeta(); err != nil {
		return err
	}
	if err := k.loadPrivate(); err != nil {
		return err
	}
	if err := k.clearTemp(); err != nil {
		return err
	}
	if err := k.openIndex(); err != nil {
		return err
	}
	if err := k.reconcile(); err != nil {
		return err
	}
	if err := k.loadAside(); err != nil {
		return err
	}
	if err := k.countFiles(); err != nil {
		return err
	}
	if err := k.loadDamage(); err != nil {
		return fail("open", err)
	}
	return k.loadScrub()
}

// WithNetwork returns a view of the same store that fetches through x and
// provides through p. It resolves the circle in which the network serves our
// blocks and we fetch through the network.
func (s *Store) WithNetwork(x Exchange, p Provider) *Store {
	return &Store{s.core, x, p, s.source}
}

// WithExchange is WithNetwork that keeps the provider.
func (s *Store) WithExchange(x Exchange) *Store { return s.WithNetwork(x, s.provider) }

// closeWithin is long enough for a slow disk to take the last tables.
const closeWithin = time.Minute

// Close releases the directory. Calls under way may err. If the disk is away it
// returns ErrMarker at once, and if it takes nothing ErrDisk after a minute; the databases
// close when it is back or has room. Nothing acknowledged is lost if the process ends first.
func (s *Store) Close() error { return s.core.close() }

func (k *core) close() error {
	var errs []error
	k.commit.Lock()
	defer k.commit.Unlock()
	if k.closed {
		return nil
	}
	k.closed = true
	// A database that cannot write its last table tries again for ever, and nobody
	// should wait for that.
	var closing error // owned by the goroutine until shut is closed
	go func() {
		defer close(k.shut)
		for _, db := range []*kv.DB{k.index, k.meta} {
			if db != nil {
				closing = errors.Join(closing, db.Close())
			}
		}
	}()
	if k.vol != nil {
		if err := k.vol.Check(); err != nil {
			return fail("close", err)
		}
	}
	timer := time.NewTimer(k.patience)
	defer timer.Stop()
	select {
	case <-k.shut:
	case <-timer.C:
		if err := k.vol.Check(); err != nil {
			return fail("close", err)
		}
		return fail("close", fmt.Errorf("databases wait for room or their files: %w", ErrDisk))
	}
	errs = append(errs, closing)
	if k.temp {
		errs = append(errs, os.RemoveAll(k.dir))
	}
	return errors.Join(errs...)
}

// writable is asked before anything is written or removed: ErrClosed or ErrMarker say
// that it must not be. The caller holds commit.
func (k *core) writable() error {
	if k.closed {
		return ErrClosed
	}
	return wrap("write", k.vol.Check())
}

// fail names the operation and makes trouble with the disk recognisable.
func fail(op string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("storage: %s: %w: %w", op, ErrDiskFull, err)
	case !errors.Is(err, ErrDisk) && (errors.Is(err, syscall.EIO) || errors.Is(err, syscall.EROFS)):
		return fmt.Errorf("storage: %s: %w: %w", op, ErrDisk, err)
	}
	return fmt.Errorf("storage: %s: %w", op, err)
}

// wrap is fail where there may be no error.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return fail(op, err)
}

// notFound is ErrNotFound to us and ipld.ErrNotFound to boxo.
func notFound(c cid.Cid) error {
	return fmt.Errorf("%w: %w", ErrNotFound, ipld.ErrNotFound{Cid: c})
}
