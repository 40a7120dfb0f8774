package storage

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/ipfs/go-cid"
	"golang.org/x/time/rate"

	"tally/internal/kv"
	"tally/protocol/piece"
	"tally/storage/car"
)

// Verify reads a whole shard and checks every block, the piece root, the piece
// layer and the shard's part of the index, which it mends from the file. A shard
// that fails is remembered as damaged (see Health), its good blocks are served
// further, and the error, which is ErrCorrupt, says why: Repair it.
func (s *Store) Verify(ctx context.Context, root cid.Cid) error {
	r, err := s.held(root)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	d, err := s.inspect(ctx, r, nil)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if d != nil {
		return fmt.Errorf("verify: %w", d.err())
	}
	return nil
}

// Repair makes a damaged shard whole: Fetch, which asks other nodes for its bad
// blocks only, writes a new file and puts it in the place of the old one. Until
// then the good blocks are served from the old one. A shard that is not known to
// be damaged is left as it is.
func (s *Store) Repair(ctx context.Context, root cid.Cid, opts ...FetchOption) error {
	_, err := s.Fetch(ctx, root, nil, opts...)
	return err
}

// findings is what reading the file of a shard found.
type findings struct {
	entries []entry
	bad     []cid.Cid // the first maxNamed
	count   int       // of bad blocks
	form    error     // what ended the reading before the end, if anything did
	piece   *piece.Hasher
}

// inspect reads a shard, no faster than limit, makes known what is wrong with it,
// and mends what can be mended here: the index. An error says that it was not
// inspected.
func (k *core) inspect(ctx context.Context, r *record, limit *rate.Limiter) (*Damage, error) {
	f, err := os.Open(k.path(r.Root))
	if err == nil {
		defer func() { _ = f.Close() }()
	}
	found := &findings{piece: piece.New(true)}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := k.vol.Check(); err != nil {
			return nil, fail("inspect shard", err)
		}
		if k.record(r.Root) != r {
			return nil, notFound(r.Root) // dropped or replaced meanwhile
		}
		found.form = errors.New("the file is gone")
	case err != nil:
		found.form = fmt.Errorf("the file does not open: %w", err)
	default:
		found.read(&paced{ctx, f, limit}, r)
	}
	if err := ctx.Err(); err != nil {
		return nil, fail("inspect shard", err)
	}
	d := &Damage{Root: r.Root, Blocks: found.bad, Bad: found.count}
	switch whole := found.piece; {
	case found.form != nil:
		if err := k.vol.Check(); err != nil {
			return nil, fail("inspect shard", err)
		}
		d.Why = found.form.Error()
	case found.count > 0:
		d.Why = fmt.Sprintf("%d blocks do not match their hash", found.count)
	case whole.Root() == r.Piece && whole.Len() == r.Size:
		return nil, k.sound(r, found)
	default:
		// Either the file or the record is wrong; the file in full decides.
		got, err := k.recheck(ctx, r.Root, limit)
		if err == nil {
			return nil, k.reindex(r, got)
		}
		if ctx.Err() != nil {
			return nil, fail("inspect shard", ctx.Err())
		}
		d.Why = "the file differs from its piece root: " + err.Error()
	}
	if len(d.Why) > 1<<10 {
		d.Why = d.Why[:1<<10]
	}
	known, err := k.setDamage(*d)
	if err != nil {
		return nil, err
	}
	return &known, nil
}

// read reads a file block by block, past bad ones.
func (f *findings) read(src io.Reader, r *record) {
	br := bufio.NewReaderSize(io.TeeReader(src, f.piece), 256<<10)
	var want bytes.Buffer
	got := make([]byte, car.HeaderLen)
	_ = car.WriteHeader(&want, r.Root) // a buffer takes all
	if _, f.form = io.ReadFull(br, got); f.form != nil {
		return
	}
	if !bytes.Equal(got, want.Bytes()) {
		f.count++
	}
	var head [36]byte
	data := make([]byte, 0, 64<<10)
	for off := uint64(car.HeaderLen); ; {
		if _, err := br.Peek(1); errors.Is(err, io.EOF) {
			return
		}
		l, err := binary.ReadUvarint(br)
		n := uint64(len(binary.AppendUvarint(nil, l)))
		if err != nil || l < 36 || l > 36+car.MaxBlock || off+n+l > r.Size || len(f.entries)+f.count > car.MaxBlocks {
			f.form = errors.Join(fmt.Errorf("what follows byte %d does not read", off), err)
			return
		}
		size := int(l - 36)
		if cap(data) < size {
			data = make([]byte, size)
		}
		if _, f.form = io.ReadFull(br, head[:]); f.form != nil {
			return
		}
		if _, f.form = io.ReadFull(br, data[:size]); f.form != nil {
			return
		}
		_, c, err := cid.CidFromBytes(head[:])
		switch {
		case err != nil || car.CheckCID(c) != nil:
			f.count++
		case car.CheckBlock(c, data[:size]) != nil:
			f.count++
			if len(f.bad) < maxNamed {
				f.bad = append(f.bad, c)
			}
		default:
			f.entries = append(f.entries, entry{string(c.Hash()), off + n + 36, size})
		}
		off += n + l
	}
}

// sound books that a shard's file is as it should be, and mends the index where
// that is not.
func (k *core) sound(r *record, f *findings) error {
	layer, ok := f.piece.Layer(), true
	err := k.index.View(func(tx *kv.Tx) error {
		b, err := tx.Get(key(keyLayer, r.Root.Bytes()))
		if err != nil && !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		ok = len(b) == 32*len(layer)
		for i := 0; ok && i < len(layer); i++ {
			ok = piece.Hash(b[32*i:32*i+32]) == layer[i]
		}
		for i := 0; ok && i < len(f.entries); i++ {
			e := f.entries[i]
			v, err := tx.Get(key(keyBlock, []byte(e.hash)))
			if err != nil && !errors.Is(err, kv.ErrNotFound) {
				return err
			}
			ok = bytes.Contains(v, appendPlace(nil, place{r.ID, e.off, uint64(e.len)}))
		}
		return nil
	})
	if err != nil {
		return fail("inspect shard", err)
	}
	if !ok {
		return k.reindex(r, &record{Root: r.Root, Piece: r.Piece, Size: r.Size, Blocks: len(f.entries), entries: f.entries, layer: layer})
	}
	k.commit.Lock()
	defer k.commit.Unlock()
	if k.closed || k.record(r.Root) != r {
		return nil
	}
	k.mu.Lock()
	for _, e := range f.entries {
		delete(k.bad, e.hash)
	}
	k.mu.Unlock()
	return k.healed(r.Root)
}

// recheck reads the file of a shard as Open does one that it does not know.
func (k *core) recheck(ctx context.Context, root cid.Cid, limit *rate.Limiter) (*record, error) {
	f, err := os.Open(k.path(root))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return k.check(ctx, &paced{ctx, f, limit}, io.Discard, root, DefaultMaxShard, nil)
}

// reindex writes what the index holds of a shard anew.
func (k *core) reindex(old, now *record) error {
	k.commit.Lock()
	defer k.commit.Unlock()
	if err := k.writable(); err != nil {
		return err
	}
	if k.record(old.Root) != old {
		return nil
	}
	k.log.Warn("index did not agree with the file of a shard and is mended", "root", old.Root)
	if err := k.replaceRecord(old, now); err != nil {
		return err
	}
	return k.healed(old.Root)
}

// replaceRecord indexes a shard that is indexed already, wrongly. A crash on the
// way leaves a file that Open indexes. The caller holds commit.
func (k *core) replaceRecord(old, now *record) error {
	now.ID = newRecord(now.Root).ID
	if err := k.forget(old); err != nil {
		return err
	}
	return k.indexShard(now)
}

// paced reads no faster than its limit, if it has one, and ends with its context.
type paced struct {
	ctx   context.Context
	r     io.Reader
	limit *rate.Limiter
}

func (p *paced) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	if p.limit != nil {
		b = b[:min(len(b), p.limit.Burst())]
		if err := p.limit.WaitN(p.ctx, len(b)); err != nil {
			return 0, err
		}
	}
	return p.r.Read(b)
}
