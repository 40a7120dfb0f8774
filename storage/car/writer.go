package car

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/ipfs/go-cid"
)

// Write writes the canonical file of the DAG under root, taking blocks from
// get, which must return bytes that match the CID (Write does not hash them)
// and may reuse them after the next call. done, if not nil, is told of each
// block once it is written. No more than max bytes are written (0: no limit).
// It returns the length of the file.
func Write(ctx context.Context, w io.Writer, root cid.Cid, max uint64, get func(context.Context, cid.Cid) ([]byte, error), done func(Block)) (uint64, error) {
	if err := CheckCID(root); err != nil {
		return 0, fmt.Errorf("write: %w", err)
	}
	if _, err := w.Write(header(root)); err != nil {
		return 0, fmt.Errorf("car: write: %w", err)
	}
	off := uint64(HeaderLen)
	walk := newWalk(root)
	for c, more := walk.next(); more; c, more = walk.next() {
		if err := ctx.Err(); err != nil {
			return off, fmt.Errorf("car: write: %w", err)
		}
		data, err := get(ctx, c)
		if err != nil {
			return off, fmt.Errorf("car: write block %s: %w", c, err)
		}
		n, err := WriteBlock(w, c, data)
		if err != nil {
			return off, err
		}
		if off += n; max > 0 && off > max {
			return off, fmt.Errorf("write: more than %d bytes: %w", max, ErrTooLarge)
		}
		if err := walk.visit(c, data); err != nil {
			return off, fmt.Errorf("write: %w", err)
		}
		if done != nil {
			done(Block{CID: c, Data: data, Offset: off - uint64(len(data))})
		}
	}
	return off, nil
}

// WriteBlock writes one section: its length, the CID, the data. It returns how
// many bytes that was.
func WriteBlock(w io.Writer, c cid.Cid, data []byte) (uint64, error) {
	if err := CheckCID(c); err != nil {
		return 0, fmt.Errorf("write: %w", err)
	}
	if len(data) > MaxBlock {
		return 0, fmt.Errorf("write block %s: %d bytes: %w", c, len(data), ErrBlockSize)
	}
	head := make([]byte, 0, 4+cidLen)
	head = binary.AppendUvarint(head, uint64(cidLen+len(data)))
	head = append(head, c.Bytes()...)
	if _, err := w.Write(head); err != nil {
		return 0, fmt.Errorf("car: write block %s: %w", c, err)
	}
	if _, err := w.Write(data); err != nil {
		return 0, fmt.Errorf("car: write block %s: %w", c, err)
	}
	return uint64(len(head) + len(data)), nil
}

// WriteHeader writes the header of a canonical file.
func WriteHeader(w io.Writer, root cid.Cid) error {
	if err := CheckCID(root); err != nil {
		return fmt.Errorf("write header: %w", err)
	}
	if _, err := w.Write(header(root)); err != nil {
		return fmt.Errorf("car: write header: %w", err)
	}
	return nil
}

// AppendHead appends what stands before the data of a block of size bytes: the
// length of the section and the CID.
func AppendHead(b []byte, c cid.Cid, size int) []byte {
	b = binary.AppendUvarint(b, uint64(cidLen+size))
	return append(b, c.Bytes()...)
}

// AppendHeader appends the header of a canonical file.
func AppendHeader(b []byte, root cid.Cid) []byte { return append(b, header(root)...) }
