package storage

import (
	"errors"
	"io"
)

// spanReader reads the file of an assembly as it grows, waiting for the next span.
type spanReader struct {
	a   *Assembly
	at  int    // the span that is read
	buf []byte // of it
	pos int
}

var errAssemblyEnded = errors.New("storage: the fetch ended")

func (r *spanReader) Read(p []byte) (int, error) {
	if r.pos == len(r.buf) {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.buf[r.pos:])
	r.pos += n
	return n, nil
}

func (r *spanReader) next() error {
	a := r.a
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.buf != nil {
		a.spare(r.buf)
		r.buf, r.pos = nil, 0
		r.at++
	}
	if r.at == len(a.have) {
		return io.EOF
	}
	a.cursor = r.at
	for !a.have[r.at] && !a.ended {
		a.change.Wait()
	}
	if a.ended {
		return errAssemblyEnded
	}
	if b, ok := a.ahead[r.at]; ok {
		delete(a.ahead, r.at)
		r.buf = b
		return nil
	}
	off, n := a.outline.span(r.at)
	b := a.buffer()[:n]
	a.mu.Unlock()
	_, err := a.f.ReadAt(b, int64(off))
	a.mu.Lock()
	if err != nil {
		return fail("fetch", err)
	}
	r.buf = b
	return nil
}
