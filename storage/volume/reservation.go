package volume

import (
	"errors"
	"fmt"
	"sync"
)

// Reservation is room for bytes that are about to be written. It ends by Keep
// and Release; a caller defers Release, which is harmless after Keep.
//
// A Reservation is safe for concurrent use.
type Reservation struct {
	v     *Volume
	spare bool

	mu      sync.Mutex // taken before that of the volume
	n       uint64     // guarded by mu: granted
	written uint64     // guarded by mu: of n, on the disk
	ended   bool       // guarded by mu
}

// Reserve sets bytes aside for a write. ErrQuota and ErrFull say that there is no
// room, ErrMarker that the disk is not there.
func (v *Volume) Reserve(bytes uint64) (*Reservation, error) { return v.reserve(bytes, false) }

// ReserveSpare is Reserve for metadata, which may use the part of the quota that
// is kept for it.
func (v *Volume) ReserveSpare(bytes uint64) (*Reservation, error) { return v.reserve(bytes, true) }

func (v *Volume) reserve(bytes uint64, spare bool) (*Reservation, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	r := &Reservation{v: v, spare: spare}
	if err := v.grant(bytes, spare); err != nil {
		return nil, err
	}
	r.n = bytes
	return r, nil
}

// Adopt makes a reservation of bytes that are on the disk and booked under a
// class: a fetch goes on with what an earlier one left. No room is asked for.
func (v *Volume) Adopt(c Class, bytes uint64) (*Reservation, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.used[c] -= min(v.used[c], bytes)
	v.reserved += bytes
	v.written += bytes
	return &Reservation{v: v, n: bytes, written: bytes}, nil
}

// grant reserves more bytes or says why not.
func (v *Volume) grant(more uint64, spare bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.pending > drift {
		if err := v.measure(); err != nil {
			return err
		}
	}
	err := v.fits(more, spare)
	if errors.Is(err, ErrQuota) { // a database may have compacted since, by itself
		if e := v.measure(); e != nil {
			return e
		}
		err = v.fits(more, spare)
	}
	if err == nil {
		v.reserved += more
	}
	return err
}

// fits says whether more bytes may be reserved. The caller holds mu.
func (v *Volume) fits(more uint64, spare bool) error {
	lend := uint64(0)
	if v.quota > 0 {
		limit := v.quota
		if !spare {
			limit -= v.spare
		}
		switch used := v.sum() + v.reserved; {
		case used <= limit && more <= limit-used:
			v.lent = 0
		case spare && v.lent+more <= v.spare && used-min(used, v.ahead)+more <= limit:
			lend = more
		default:
			return fmt.Errorf("%d bytes wanted, %d used, %d reserved, %d allowed (and %d for metadata alone): %w",
				more, v.sum(), v.reserved, limit, v.quota-limit, ErrQuota)
		}
	}
	if err := v.fitsDisk(more); err != nil {
		return err
	}
	v.lent += lend
	return nil
}

// fitsDisk says whether the disk has room for more bytes above the floor. The caller
// holds mu.
func (v *Volume) fitsDisk(more uint64) error {
	if v.floor == 0 {
		return nil
	}
	free, err := v.free(v.dir)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("volume: ask for free space: %w", err)
	}
	need := v.floor + v.reserved - v.written
	if need > free || more > free-need {
		return fmt.Errorf("%d bytes wanted, %d free, %d reserved, %d must stay free: %w", more, free, v.reserved-v.written, v.floor, ErrFull)
	}
	return nil
}

// Grow makes the reservation at least to bytes. It may take a little more, where
// there is room, so that a caller can ask before every block. After an error the
// reservation is as before.
func (r *Reservation) Grow(to uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if to <= r.n {
		return nil
	}
	if r.ended {
		return fmt.Errorf("volume: grow: the reservation has ended")
	}
	if err := r.v.Check(); err != nil {
		return err
	}
	more := to - r.n
	if more < step && r.v.grant(step, r.spare) == nil {
		r.n += step
		return nil
	}
	if err := r.v.grant(more, r.spare); err != nil {
		return err
	}
	r.n = to
	return nil
}

// Wrote says how many of the bytes are on the disk by now, so that they are not
// counted against its free space again. It is optional.
func (r *Reservation) Wrote(bytes uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.wrote(min(bytes, r.n))
}

func (r *Reservation) wrote(to uint64) {
	r.v.mu.Lock()
	defer r.v.mu.Unlock()
	r.v.written = r.v.written - r.written + to
	r.written = to
}

// Keep books bytes that were written under a class and takes them out of the
// reservation. The caller grew it to that many.
func (r *Reservation) Keep(c Class, bytes uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	take := min(bytes, r.n)
	r.wrote(r.written - min(r.written, take))
	r.n -= take
	r.v.mu.Lock()
	defer r.v.mu.Unlock()
	r.v.reserved -= take
	r.v.add(c, bytes)
}

// Size returns how many bytes are reserved.
func (r *Reservation) Size() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// Release gives back what was not kept.
func (r *Reservation) Release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.wrote(0)
	r.ended = true
	r.v.mu.Lock()
	defer r.v.mu.Unlock()
	r.v.reserved -= r.n
	r.n = 0
}
