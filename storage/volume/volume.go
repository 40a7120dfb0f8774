// Package volume is the home disk under a store: which directory it is, how much
// of it may be used, and how much of it must stay free.
//
// The life of a byte. Before anything is written its bytes are reserved; a
// reservation is granted only while everything kept and everything reserved stays
// within Config.Quota, and while the disk keeps Config.Floor bytes for its owner.
// The bytes are written; then Keep books them under a Class, or Release gives
// them back. Ten downloads that start at once therefore never exceed the quota
// together, and one that has no room ends before its first byte.
//
// Metadata counts. What the databases take is booked as it is written and put
// right by measuring their directories, a few dozen files, now and then: no scan
// of data. What a database takes more for a moment while it compacts is counted
// too. A 64th of the quota, at most 32 MiB, is left to them alone, so that a full
// store can still write down that something was pinned or deleted. That must not
// depend on the moment: while a database compacts, what it is expected to take comes on top of
// what it takes for that already, and then the spare is granted, once, by the latter alone.
//
// A volume is known by its marker, the file tally-store.json at its top. Where
// the marker is missing nothing is written, neither by Open nor later: a disk
// that is not mounted is an empty directory, and a store that starts anew in it
// would fill the system disk and lose the pins.
//
// A Volume is safe for concurrent use. It moves no data itself, and trusts its
// callers to write no more than they reserved.
package volume

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
)

var (
	// ErrQuota says that a write would exceed the quota.
	ErrQuota = errors.New("volume: quota reached: raise it (storage_quota), or give up shards (tally storage unpin), then try again")
	// ErrFull says that a write would take what must stay free, or that the disk
	// took no more. Nothing acknowledged is lost.
	ErrFull = errors.New("volume: disk full, or less than disk_floor would stay free: free space, or give up shards (tally storage unpin), then try again")
	// ErrConfig says that a setting makes no sense.
	ErrConfig = errors.New("volume: bad configuration")
)

// DefaultFloor is what is left free where Config.Floor is 0: 1 GiB.
const DefaultFloor = 1 << 30

// Class says what bytes are used for.
type Class int

// The classes of a store's files.
const (
	Shards  Class = iota // whole shards
	Partial              // what fetches left behind and will go on from
	Aside                // broken files kept for repair
	Meta                 // pins and loose blocks
	Index                // where blocks are
	classes
)

const (
	maxSpare = 32 << 20 // of the quota, for metadata alone
	drift    = 4 << 20  // booked metadata after which directories are measured
	step     = 4 << 20  // a growing reservation grows by so much, where it can
)

// Config is what a Volume depends on.
type Config struct {
	Dir    string
	Quota  int64              // bytes of all files; 0 is unlimited
	Floor  int64              // bytes of the disk left free; 0 is DefaultFloor, negative is none
	Expect string             // id that the marker must have; "" is any
	Create bool               // make the marker where it is missing, even if the directory holds something
	Tracks map[Class][]string // directories, inside Dir, whose bytes are measured
}

// Validate returns ErrConfig for a setting that makes no sense.
func (c Config) Validate() error {
	if c.Quota < 0 {
		return fmt.Errorf("%w: quota of %d bytes: choose a positive number, or 0 for no limit", ErrConfig, c.Quota)
	}
	if c.Expect != "" && !validID(c.Expect) {
		return fmt.Errorf("%w: expected store id %q is not 32 hex digits: copy it from %s", ErrConfig, c.Expect, MarkerName)
	}
	return nil
}

// Volume is an open data directory.
type Volume struct {
	dir    string
	id     string
	quota  uint64 // 0 is unlimited
	spare  uint64 // of the quota, for metadata alone
	floor  uint64
	tracks map[Class][]string
	free   func(dir string) (uint64, error)

	mu       sync.Mutex
	used     [classes]uint64 // guarded by mu: as measured, or as booked
	ahead    uint64          // guarded by mu: of used, what databases may take more while they compact
	lent     uint64          // guarded by mu: of the spare, granted while all but ahead fitted
	pending  uint64          // guarded by mu: of used, metadata booked since it was measured
	reserved uint64          // guarded by mu: granted and not yet kept or released
	written  uint64          // guarded by mu: of reserved, on the disk already
}

// Usage is where the bytes of a volume are.
type Usage struct {
	Used     uint64 // all of the following five
	Shards   uint64
	Partial  uint64 // unfinished fetches that will be gone on with
	Aside    uint64
	Meta     uint64 // with what its database needs to compact
	Index    uint64 // the same
	Reserved uint64 // promised to writes under way, and not in Used
	Quota    uint64 // 0 is unlimited
	Free     uint64 // of the disk; 0 where the system does not tell
	Floor    uint64 // of Free, never used
	Room     uint64 // the largest reservation that would be granted now
}

// Open opens or creates the volume in a directory; see the package comment for
// when it creates. It measures the tracked directories.
func Open(c Config) (*Volume, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	v := &Volume{dir: c.Dir, quota: uint64(c.Quota), tracks: c.Tracks, free: freeBytes}
	v.spare = min(v.quota/64, maxSpare)
	switch {
	case c.Floor == 0:
		v.floor = DefaultFloor
	case c.Floor > 0:
		v.floor = uint64(c.Floor)
	}
	id, err := openMarker(c.Dir, c.Expect, c.Create)
	if err != nil {
		return nil, err
	}
	v.id = id
	v.mu.Lock()
	defer v.mu.Unlock()
	return v, v.measure()
}

// ID returns what the marker says.
func (v *Volume) ID() string { return v.id }

// Set books what a class takes, as counted by the caller.
func (v *Volume) Set(c Class, bytes uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.used[c] = bytes
}

// Add books bytes that were kept without a reservation, because they had to be
// (a pin, the record of a deletion) or because they are there already.
func (v *Volume) Add(c Class, bytes uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.add(c, bytes)
}

func (v *Volume) add(c Class, bytes uint64) {
	v.used[c] += bytes
	if len(v.tracks[c]) > 0 {
		v.pending += bytes
	}
}

// Drop books bytes that were freed.
func (v *Volume) Drop(c Class, bytes uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.used[c] -= min(v.used[c], bytes)
}

// Usage measures the tracked directories and says where the bytes are.
func (v *Volume) Usage() (Usage, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.Check(); err != nil {
		return Usage{}, err
	}
	if err := v.measure(); err != nil {
		return Usage{}, err
	}
	free, err := v.free(v.dir)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return Usage{}, fmt.Errorf("volume: ask for free space: %w", err)
	}
	room := uint64(math.MaxUint64)
	if err == nil && v.floor > 0 {
		room = free - min(free, v.floor+v.reserved-v.written)
	}
	if taken := v.sum() + v.reserved; v.quota > 0 {
		room = min(room, v.quota-v.spare-min(v.quota-v.spare, taken))
	}
	return Usage{
		Used: v.sum(), Reserved: v.reserved, Quota: v.quota, Free: free, Floor: v.floor, Room: room,
		Shards: v.used[Shards], Partial: v.used[Partial], Aside: v.used[Aside], Meta: v.used[Meta], Index: v.used[Index],
	}, nil
}

// sum returns all used bytes. The caller holds mu.
func (v *Volume) sum() (n uint64) {
	for _, b := range v.used {
		n += b
	}
	return n
}

// measure puts the tracked classes right. The caller holds mu.
func (v *Volume) measure() error {
	ahead := uint64(0)
	for c, dirs := range v.tracks {
		n := uint64(0)
		for _, d := range dirs {
			b, more, err := dirBytes(filepath.Join(v.dir, d))
			if err != nil {
				return fmt.Errorf("volume: measure %s: %w", d, err)
			}
			n += b + more
			ahead += more
		}
		v.used[c] = n
	}
	v.ahead, v.pending = ahead, 0
	return nil
}

// maxCompaction is the most that a database is expected to take for a while on top
// of what it takes, when it writes its log as a table, or tables as another.
const maxCompaction = 64 << 20

// dirBytes returns what the files of a database take on the disk, and how much more they may
// while it compacts: its logs and tables are there twice for a moment.
func dirBytes(dir string) (n, more uint64, err error) {
	es, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	for _, e := range es {
		info, err := e.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue // a database removes files by itself
		}
		if err != nil {
			return 0, 0, err
		}
		b := Allocated(info)
		n += b
		switch filepath.Ext(e.Name()) {
		case ".mem", ".sst":
			more += b
		}
	}
	return n, min(more, maxCompaction), nil
}
