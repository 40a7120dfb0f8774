package possessiontest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/protocol"
	"tally/protocol/piece"
	"tally/storage/possession"
)

// ErrNotHeld says that a shard is not on the shelf.
var ErrNotHeld = errors.New("possessiontest: not on the shelf")

// Shelf holds shards in memory.
type Shelf struct {
	ReadTime time.Duration                // of one leaf; set before use
	Others   func(possession.Shard) error // healing: nil gives the shard back as it was; set before use

	mu       sync.Mutex
	shards   map[cid.Cid]possession.Shard // guarded by mu
	data     map[cid.Cid][]byte           // guarded by mu; nil where it is deleted
	whole    map[cid.Cid][]byte           // guarded by mu
	released []cid.Cid                    // guarded by mu
	reads    int                          // guarded by mu
	away     error                        // guarded by mu; why nothing can be looked at
}

// NewShelf is empty.
func NewShelf() *Shelf {
	return &Shelf{shards: map[cid.Cid]possession.Shard{}, data: map[cid.Cid][]byte{}, whole: map[cid.Cid][]byte{}}
}

// Fill puts a shard of random bytes on the shelf.
func (s *Shelf) Fill(rng *rand.Rand, size int) possession.Shard {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	root, _, err := piece.Sum(bytes.NewReader(b))
	if err != nil {
		panic(err) // reading memory does not fail
	}
	sh := possession.Shard{Root: protocol.CIDOf(b), Piece: root, Size: uint64(size)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shards[sh.Root], s.data[sh.Root], s.whole[sh.Root] = sh, b, b
	return sh
}

// Away takes the shelf's disk away, with the reason why nothing can be looked at;
// nil brings it back.
func (s *Shelf) Away(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = why
}

// Delete loses a shard.
func (s *Shelf) Delete(root cid.Cid) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data[root] = nil
}

// Restore gives a shard back as it was.
func (s *Shelf) Restore(root cid.Cid) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data[root] = s.whole[root]
}

// Flip changes every byte of a shard on the disk.
func (s *Shelf) Flip(root cid.Cid) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := bytes.Clone(s.data[root])
	for i := range b {
		b[i] ^= 1
	}
	s.data[root] = b
}

// Released are the roots that were let go, each once.
func (s *Shelf) Released() []cid.Cid {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.released)
}

// Reads is how many leaves were read.
func (s *Shelf) Reads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

// Find is a shard by its piece root.
func (s *Shelf) Find(_ context.Context, root common.Hash) (possession.Shard, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil {
		return possession.Shard{}, s.away
	}
	for _, sh := range s.shards {
		if sh.Piece == root && s.data[sh.Root] != nil {
			return sh, nil
		}
	}
	return possession.Shard{}, fmt.Errorf("%w: piece %s", ErrNotHeld, root)
}

// PieceProof reads a leaf in ReadTime.
func (s *Shelf) PieceProof(ctx context.Context, root cid.Cid, leaf uint64) (piece.Proof, error) {
	if s.ReadTime > 0 {
		t := time.NewTimer(s.ReadTime)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return piece.Proof{}, ctx.Err()
		case <-t.C:
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if s.away != nil {
		return piece.Proof{}, s.away
	}
	b := s.data[root]
	if b == nil {
		return piece.Proof{}, fmt.Errorf("%w: shard %s", ErrNotHeld, root)
	}
	return piece.Prove(bytes.NewReader(b), uint64(len(b)), leaf)
}

// Heal asks Others and puts the shard back.
func (s *Shelf) Heal(_ context.Context, sh possession.Shard) error {
	s.mu.Lock()
	away, sound := s.away, s.data[sh.Root] != nil && bytes.Equal(s.data[sh.Root], s.whole[sh.Root])
	s.mu.Unlock()
	if away != nil || sound {
		return away
	}
	if s.Others != nil {
		if err := s.Others(sh); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for root, x := range s.shards {
		if x.Piece == sh.Piece {
			s.data[root] = s.whole[root]
			return nil
		}
	}
	return fmt.Errorf("%w: piece %s", ErrNotHeld, sh.Piece)
}

// Release lets a shard go: its data is collected at once.
func (s *Shelf) Release(_ context.Context, root cid.Cid) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.released, root) {
		s.released = append(s.released, root)
	}
	s.data[root] = nil
	return nil
}

// Notes are durable notes with faults.
type Notes struct {
	mu    sync.Mutex
	m     map[string][]byte         // guarded by mu
	fault func(op, key string) When // guarded by mu
}

// NewNotes is empty.
func NewNotes() *Notes { return &Notes{m: map[string][]byte{}} }

// SetFault chooses which writes fail, before or after they took effect.
func (n *Notes) SetFault(f func(op, key string) When) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fault = f
}

func (n *Notes) act(op, key string, f func()) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	when := Never
	if n.fault != nil {
		when = n.fault(op, key)
	}
	if when != Before {
		f()
	}
	if when != Never {
		return ErrFault
	}
	return nil
}

// Put keeps a note.
func (n *Notes) Put(key string, value []byte) error {
	v := bytes.Clone(value)
	return n.act("put", key, func() { n.m[key] = v })
}

// Delete drops a note.
func (n *Notes) Delete(key string) error {
	return n.act("delete", key, func() { delete(n.m, key) })
}

// All yields what is noted.
func (n *Notes) All() iter.Seq2[possession.Note, error] {
	return func(yield func(possession.Note, error) bool) {
		n.mu.Lock()
		var list []possession.Note
		for k, v := range n.m {
			list = append(list, possession.Note{Key: k, Value: bytes.Clone(v)})
		}
		n.mu.Unlock()
		for _, x := range list {
			if !yield(x, nil) {
				return
			}
		}
	}
}

// Known is a shard that was once on the shelf.
func (s *Shelf) Known(root common.Hash) possession.Shard {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sh := range s.shards {
		if sh.Piece == root {
			return sh
		}
	}
	return possession.Shard{}
}
