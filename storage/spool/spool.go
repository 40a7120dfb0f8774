// Package spool keeps the blocks of one DAG in one file while they arrive in
// any order: during an import, where leaves come before their parents, and
// during a fetch from several nodes.
//
// The file is a log of CAR sections without a header: a block that was put is
// never moved. Open reads an earlier log again, checks every block against its
// CID and cuts off what a crash left half written, so a fetch goes on where it
// stopped. The log is not fsynced: losing its end only costs fetching it again.
// When the DAG is complete its canonical file is written from the spool and the
// spool is removed, so for that moment the DAG takes its size twice.
//
// A Spool is safe for concurrent use. It holds one map entry a block, bounded by
// car.MaxBlocks, and at most the number of bytes given to Open.
package spool

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/ipfs/go-cid"

	"tally/storage/car"
)

// ErrNotFound says that a block was not put.
var ErrNotFound = errors.New("spool: block is not here")

type place struct {
	off int64
	len int
}

// Spool is an open log of blocks.
type Spool struct {
	f   *os.File
	max uint64

	mu   sync.Mutex
	at   map[cid.Cid]place // guarded by mu
	size int64             // guarded by mu: where the next section goes
}

// Open opens or creates the log at path. Put beyond max bytes ends in
// car.ErrTooLarge; 0 is no limit.
func Open(path string, max uint64) (*Spool, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("spool: open: %w", err)
	}
	s := &Spool{f: f, max: max, at: map[cid.Cid]place{}}
	if err := s.load(); err != nil {
		_ = f.Close()
		return nil, err
	}
	return s, nil
}

// load reads what is sound and cuts the rest off.
func (s *Spool) load() error {
	r := bufio.NewReaderSize(s.f, 256<<10)
	head := make([]byte, 36)
	data := make([]byte, 0, 64<<10)
	for len(s.at) < car.MaxBlocks {
		n, err := binary.ReadUvarint(r)
		if err != nil || n < 36 || n > 36+car.MaxBlock {
			break
		}
		if _, err := io.ReadFull(r, head); err != nil {
			break
		}
		size := int(n) - 36
		if cap(data) < size {
			data = make([]byte, size)
		}
		if _, err := io.ReadFull(r, data[:size]); err != nil {
			break
		}
		_, c, err := cid.CidFromBytes(head)
		if err != nil || car.CheckCID(c) != nil || car.CheckBlock(c, data[:size]) != nil {
			break
		}
		end := s.size + int64(car.SectionLen(size))
		s.at[c] = place{end - int64(size), size}
		s.size = end
	}
	if err := s.f.Truncate(s.size); err != nil {
		return fmt.Errorf("spool: open: %w", err)
	}
	return nil
}

// Put appends a block, unless it is here. The caller has checked it.
func (s *Spool) Put(c cid.Cid, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.at[c]; ok {
		return nil
	}
	end := s.size + int64(car.SectionLen(len(data)))
	if s.max > 0 && uint64(end) > s.max {
		return fmt.Errorf("put block %s: ends at %d, limit %d: %w", c, end, s.max, car.ErrTooLarge)
	}
	if len(s.at) >= car.MaxBlocks {
		return fmt.Errorf("put block %s: %w", c, car.ErrTooMany)
	}
	if _, err := car.WriteBlock(io.NewOffsetWriter(s.f, s.size), c, data); err != nil {
		return fmt.Errorf("spool: put: %w", err)
	}
	s.at[c] = place{end - int64(len(data)), len(data)}
	s.size = end
	return nil
}

// Has says whether a block is here.
func (s *Spool) Has(c cid.Cid) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.at[c]
	return ok
}

// Get reads a block, into buf if it fits there. It does not hash it.
func (s *Spool) Get(c cid.Cid, buf []byte) ([]byte, error) {
	s.mu.Lock()
	p, ok := s.at[c]
	s.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("get %s: %w", c, ErrNotFound)
	}
	if cap(buf) < p.len {
		buf = make([]byte, p.len)
	}
	if _, err := s.f.ReadAt(buf[:p.len], p.off); err != nil {
		return nil, fmt.Errorf("spool: get %s: %w", c, err)
	}
	return buf[:p.len], nil
}

// Size returns the bytes in the log.
func (s *Spool) Size() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint64(s.size)
}

// Close keeps the log for another Open.
func (s *Spool) Close() error { return s.f.Close() }

// Remove closes the spool and deletes its file.
func (s *Spool) Remove() error {
	return errors.Join(s.f.Close(), os.Remove(s.f.Name()))
}
