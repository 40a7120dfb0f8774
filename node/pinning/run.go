package pinning

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
)

// job is a pin to be worked at.
type job struct {
	id string
	k  kept
}

// Run keeps what is queued until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	done := make(chan struct{}, lanes)
	defer func() {
		for range cap(done) { // each lane comes home
			done <- struct{}{}
		}
	}()
	for {
		jobs, next, err := s.due()
		if err != nil {
			return err
		}
		for _, j := range jobs {
			select {
			case done <- struct{}{}:
			case <-ctx.Done():
				return nil
			}
			run, stop := context.WithCancel(ctx)
			if !s.begin(j.id, stop) {
				stop()
				<-done
				continue
			}
			go func() {
				defer func() { <-done }()
				defer stop()
				if err := s.keep(run, j); err != nil {
					s.c.Log.Warn("pin not noted", "pin", j.id, "err", err)
				}
			}()
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		case <-s.wake:
			timer.Stop()
		}
	}
}

// begin notes that a pin is under way, unless it is already.
func (s *Service) begin(id string, stop context.CancelFunc) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.work[id] != nil {
		return false
	}
	s.work[id] = stop
	return true
}

// due returns the pins to be tried now, and how long until there may be more.
func (s *Service) due() (jobs []job, next time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next = longPause
	now := time.Now()
	err = s.each(func(id string, k kept) (bool, error) {
		if k.Status == Pinned || k.Status == Failed || s.work[id] != nil {
			return true, nil
		}
		if wait := s.tries[id].at.Sub(now); wait > 0 {
			next = min(next, wait)
			return true, nil
		}
		jobs = append(jobs, job{id, k})
		return len(jobs) < 16, nil // the rest when these are done
	})
	return jobs, next, err
}

// keep tries one pin once and notes what came of it.
func (s *Service) keep(ctx context.Context, j job) error {
	defer s.stir()
	k := j.k
	c, err := cid.Decode(k.Pin.CID)
	if err == nil {
		k.Status = Pinning
		if err := s.note(j.id, k); err != nil {
			return s.end(j.id, err)
		}
		err = s.c.Keeper.Keep(ctx, c, reason(j.id), k.Pin.Origins)
	} else {
		err = fmt.Errorf("%w: %w", ErrFinal, err)
	}
	if ctx.Err() != nil && err != nil {
		return s.end(j.id, nil) // stopped or deleted: the next Run goes on
	}
	switch {
	case err == nil:
		k.Status, k.Why = Pinned, ""
	case errors.Is(err, ErrFinal) || time.Since(k.Created) > s.c.Patience:
		k.Status, k.Why = Failed, err.Error()
	default:
		k.Status, k.Why = Queued, err.Error()
		s.mu.Lock()
		pause := min(max(firstPause, 2*s.tries[j.id].pause), longPause)
		s.tries[j.id] = attempt{time.Now().Add(pause), pause}
		s.mu.Unlock()
	}
	err = s.note(j.id, k)
	if errors.Is(err, ErrUnknown) && k.Status == Pinned { // deleted as it came in
		err = s.c.Keeper.Release(context.WithoutCancel(ctx), c, reason(j.id))
	}
	return s.end(j.id, err)
}

func (s *Service) end(id string, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.work, id)
	return err
}

// note writes a pin's new state, unless it was deleted: ErrUnknown.
func (s *Service) note(id string, k kept) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.c.DB.View(func(tx *kv.Tx) error {
		_, err := tx.Get(keyOf(id))
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return fmt.Errorf("%w: %s", ErrUnknown, id)
	}
	if err != nil {
		return fmt.Errorf("pinning: %w", err)
	}
	return s.put(id, k)
}
