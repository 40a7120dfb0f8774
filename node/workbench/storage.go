package workbench

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/ipfs/go-cid"

	"tally/protocol/piece"
	"tally/protocol/piece/lanes"
	"tally/storage"
)

const (
	// MaxStorageFile is the largest file that is measured: the most whole MiB that
	// fit one shard.
	MaxStorageFile = storage.DefaultMaxShard - 1<<20
	minStorageFile = 1 << 20
	maxIdleShards  = 4096
	leavesProved   = 5
)

// StorageConfig says what of storage to measure.
type StorageConfig struct {
	Dir    string // where to work; what is made there is removed
	Size   int64  // bytes of the file, minStorageFile to MaxStorageFile
	Shards int    // that an idle store holds; 0 leaves that out
	// Holder is the command of another process that calls Hold with this directory
	// and this address to listen on, on its standard input and output.
	Holder func(ctx context.Context, dir, listen string) (*exec.Cmd, error)
	Say    func(string) // what is under way; may be nil
}

// Validate says what is wrong and what to write instead.
func (c StorageConfig) Validate() error {
	if c.Size < minStorageFile || c.Size > MaxStorageFile {
		return fmt.Errorf("%w: a file of %d bytes: want %d to %d", ErrBench, c.Size, minStorageFile, MaxStorageFile)
	}
	if c.Shards < 0 || c.Shards > maxIdleShards {
		return fmt.Errorf("%w: %d shards: want 0 to %d", ErrBench, c.Shards, maxIdleShards)
	}
	if c.Holder == nil {
		return fmt.Errorf("%w: no other process to fetch from", ErrBench)
	}
	return nil
}

// StorageReport is storage measured. Rates are MiB of the file in a second. What
// the system does not tell is 0.
type StorageReport struct {
	Size   int64   `json:"size_bytes"`
	Import float64 `json:"import"` // from an open file to a durable shard
	Cat    float64 `json:"cat"`    // reading the file back, every block hashed
	Fetch  struct {
		TCP  float64 `json:"tcp"` // from another process, to a durable shard
		QUIC float64 `json:"quic"`
	} `json:"fetch"`
	Root     float64 `json:"piece_root"` // on one processor
	Lanes    int     `json:"lanes"`      // messages that this processor hashes at once
	Proof    float64 `json:"proof_ms"`   // of five leaves anywhere in the shard
	Freed    int64   `json:"freed_bytes"`
	FreedIn  float64 `json:"freed_ms"`          // until the disk has them again
	Peak     int64   `json:"import_peak_bytes"` // by which an import makes the process grow at most
	Shards   int     `json:"idle_shards"`
	Idle     int64   `json:"idle_bytes"`         // resident memory of a process that holds that many shards and serves them
	Private  int64   `json:"idle_private_bytes"` // of it, what is no page of a file, as those of the program are
	Threads  int     `json:"threads"`
	Platform string  `json:"platform"`
}

// BenchStorage measures the storage of a node with one file of random bytes: as it
// is added, read, proved, fetched by another process, and deleted. The file is in
// the system's cache when it is read, as in a comparison with other tools it is
// for them.
func BenchStorage(ctx context.Context, c StorageConfig) (rep StorageReport, err error) {
	if err := c.Validate(); err != nil {
		return rep, err
	}
	if c.Say == nil {
		c.Say = func(string) {}
	}
	dir, err := os.MkdirTemp(c.Dir, "tally-bench-")
	if err != nil {
		return rep, fmt.Errorf("workbench: %w", err)
	}
	b := &storageBench{c: c, dir: dir, rep: StorageReport{
		Size: c.Size, Lanes: lanes.Width(), Shards: c.Shards, Threads: runtime.GOMAXPROCS(0), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, step := range []struct {
		say string
		do  func(context.Context) error
	}{
		{"writing a file", b.write},
		{"piece root", b.root},
		{"import, cat, proof", b.local},
		{"fetch by TCP", func(ctx context.Context) error { return b.fetch(ctx, "/ip4/127.0.0.1/tcp/0", &b.rep.Fetch.TCP) }},
		{"fetch by QUIC", func(ctx context.Context) error {
			return b.fetch(ctx, "/ip4/127.0.0.1/udp/0/quic-v1", &b.rep.Fetch.QUIC)
		}},
		{"delete", b.drop},
		{fmt.Sprintf("an idle store of %d shards", c.Shards), b.idle},
	} {
		c.Say(step.say)
		if err := step.do(ctx); err != nil {
			return b.rep, fmt.Errorf("workbench: %s: %w", step.say, err)
		}
	}
	return b.rep, nil
}

// storageBench is a measurement under way.
type storageBench struct {
	c     StorageConfig
	dir   string
	rep   StorageReport
	shard storage.Shard
}

func (b *storageBench) file() string  { return filepath.Join(b.dir, "file") }
func (b *storageBench) store() string { return filepath.Join(b.dir, "store") }

func (b *storageBench) rate(took time.Duration) float64 {
	return float64(b.c.Size) / (1 << 20) / took.Seconds()
}

func (b *storageBench) write(ctx context.Context) error {
	f, err := os.Create(b.file())
	if err != nil {
		return err
	}
	var seed [32]byte
	_, _ = rand.Read(seed[:])
	src := bounded{ctx, mrand.NewChaCha8(seed)}
	_, err = io.CopyN(f, src, b.c.Size)
	return errors.Join(err, f.Sync(), f.Close())
}

// bounded is a reader that ends with its context.
type bounded struct {
	ctx context.Context
	r   io.Reader
}

func (b bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.r.Read(p)
}

// root measures on this goroutine alone, from memory.
func (b *storageBench) root(ctx context.Context) error {
	data := make([]byte, 16<<20)
	var seed [32]byte
	_, _ = mrand.NewChaCha8(seed).Read(data)
	for start, n := time.Now(), 0; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := piece.New(true)
		_, _ = h.Write(data)
		_ = h.Root()
		n++
		if d := time.Since(start); d >= time.Second {
			b.rep.Root = float64(n) * 16 / d.Seconds()
			return nil
		}
	}
}

func (b *storageBench) local(ctx context.Context) (err error) {
	s, err := storage.Open(storage.Config{Dir: b.store()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := b.add(ctx, s); err != nil {
		return err
	}
	f, err := s.OpenFile(ctx, b.shard.Root)
	if err != nil {
		return err
	}
	start := time.Now()
	n, err := io.Copy(io.Discard, f)
	b.rep.Cat = b.rate(time.Since(start))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if n != b.c.Size {
		return fmt.Errorf("%w: %d bytes came back of %d", ErrBench, n, b.c.Size)
	}
	return b.prove(ctx, s)
}

func (b *storageBench) add(ctx context.Context, s *storage.Store) error {
	f, err := os.Open(b.file())
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	debug.FreeOSMemory()
	before := startPeak()
	start := time.Now()
	if b.shard, err = s.ImportFile(ctx, f); err != nil {
		return err
	}
	b.rep.Import = b.rate(time.Since(start))
	if after := peak(); after > before && before > 0 {
		b.rep.Peak = after - before
	}
	return s.Pin(ctx, b.shard.Root, storage.PinInfo{Why: "bench"})
}

// prove makes proofs of leaves anywhere and checks them.
func (b *storageBench) prove(ctx context.Context, s *storage.Store) error {
	ps := make([]piece.Proof, leavesProved)
	var err error
	start := time.Now()
	for i := range ps {
		if ps[i], err = s.PieceProof(ctx, b.shard.Root, mrand.Uint64N(piece.Leaves(b.shard.Size))); err != nil {
			return err
		}
	}
	b.rep.Proof = float64(time.Since(start).Microseconds()) / 1000
	for _, p := range ps {
		if err := piece.Verify(b.shard.Piece, b.shard.Size, p); err != nil {
			return err
		}
	}
	return nil
}

// drop adds a second shard, deletes the first and waits for its bytes.
func (b *storageBench) drop(ctx context.Context) (err error) {
	f, err := os.OpenFile(b.file(), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	var other [1]byte
	for off := int64(0); off < b.c.Size; off += 1 << 20 { // so that no leaf stays the same
		if _, e := f.ReadAt(other[:], off); err == nil {
			err = e
		}
		other[0]++
		if _, e := f.WriteAt(other[:], off); err == nil {
			err = e
		}
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	s, err := storage.Open(storage.Config{Dir: b.store()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	first, speed, grown := b.shard, b.rep.Import, b.rep.Peak
	if err := b.add(ctx, s); err != nil {
		return err
	}
	b.rep.Import, b.rep.Peak = speed, grown
	free := freeBytes(b.dir)
	start := time.Now()
	if err := s.Unpin(ctx, first.Root); err != nil {
		return err
	}
	if _, err := s.Collect(ctx, 0); err != nil {
		return err
	}
	b.rep.FreedIn = float64(time.Since(start).Microseconds()) / 1000
	if now := freeBytes(b.dir); now > free {
		b.rep.Freed = now - free
	}
	if held, err := s.Has(ctx, first.Root); err != nil || held {
		return errors.Join(err, fmt.Errorf("%w: the deleted shard is still there", ErrBench))
	}
	return nil
}

// idle fills a store with small shards of as many blocks as the largest have, and
// asks a process that holds it how much memory it takes.
func (b *storageBench) idle(ctx context.Context) error {
	if b.c.Shards == 0 {
		return nil
	}
	dir := filepath.Join(b.dir, "many")
	s, err := storage.Open(storage.Config{Dir: dir})
	if err != nil {
		return err
	}
	for i := range b.c.Shards {
		if err := small(ctx, s, uint64(i)); err != nil {
			return errors.Join(err, s.Close())
		}
	}
	if err := s.Close(); err != nil {
		return err
	}
	// Twice: a process that sorted the fresh index still has its pages.
	for range 2 {
		h, err := b.hold(ctx, dir, "/ip4/127.0.0.1/tcp/0")
		if err != nil {
			return err
		}
		if err := errors.Join(h.rest(ctx), h.end()); err != nil {
			return err
		}
		b.rep.Idle, b.rep.Private = h.Resident, h.Private
	}
	return nil
}

// small puts a shard of 1,024 blocks: a list of links to leaves of 16 bytes.
func small(ctx context.Context, s *storage.Store, n uint64) error {
	const leaves = 1023
	blocks := make(map[cid.Cid][]byte, leaves+1)
	list := binary.BigEndian.AppendUint16([]byte{0x99}, leaves)
	for i := range uint64(leaves) {
		data := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, n), i)
		c, err := cidOf(cid.Raw, data)
		if err != nil {
			return err
		}
		blocks[c] = data
		list = append(append(list, 0xd8, 42, 0x58, 37, 0), c.Bytes()...)
	}
	root, err := cidOf(cid.DagCBOR, list)
	if err != nil {
		return err
	}
	blocks[root] = list
	return putSmall(ctx, s, root, blocks)
}
