package shardstream

import (
	"context"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	// slotWait is how long an answer waits for a slot before the peer is told that the
	// node is busy: less than askers' patience.
	slotWait = 10 * time.Second
	// takeTime is how long a peer may take to accept a chunk before its slot goes to
	// another, until it accepts it.
	takeTime = 5 * time.Second
)

// slots are the answers that share the upload budget at once. Who waits gets one in
// turn; no peer has more than a quarter of them, or one.
type slots struct {
	most, each int

	mu    sync.Mutex
	used  int             // guarded by mu
	peers map[peer.ID]int // guarded by mu: slots by peer, no zeros
	queue []*waiter       // guarded by mu: at most one a stream
}

// waiter is an answer that waits for a slot.
type waiter struct {
	peer  peer.ID
	ready chan struct{} // closed, with slots.mu held, when it has one
}

func newSlots(most int) *slots {
	return &slots{most: most, each: max(1, most/4), peers: map[peer.ID]int{}}
}

// grant gives p a slot if it may have one. The caller holds mu.
func (s *slots) grant(p peer.ID) bool {
	if s.used == s.most || s.peers[p] == s.each {
		return false
	}
	s.used++
	s.peers[p]++
	return true
}

// enter waits for a slot: ErrBusy after patience, unless that is 0.
func (s *slots) enter(ctx context.Context, p peer.ID, patience time.Duration) error {
	s.mu.Lock()
	// Whoever waits while a slot is free waits for its own peer's to come back.
	if s.grant(p) {
		s.mu.Unlock()
		return nil
	}
	w := &waiter{p, make(chan struct{})}
	s.queue = append(s.queue, w)
	s.mu.Unlock()
	var late <-chan time.Time
	if patience > 0 {
		t := time.NewTimer(patience)
		defer t.Stop()
		late = t.C
	}
	err := ErrBusy
	select {
	case <-w.ready:
		return nil
	case <-late:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, q := range s.queue {
		if q == w {
			s.queue = append(s.queue[:i], s.queue[i+1:]...)
			return err
		}
	}
	return nil // it came in the same moment; leave gives it back
}

func (s *slots) leave(p peer.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used--
	if s.peers[p]--; s.peers[p] == 0 {
		delete(s.peers, p)
	}
	for i, w := range s.queue {
		if s.grant(w.peer) {
			s.queue = append(s.queue[:i], s.queue[i+1:]...)
			close(w.ready)
			return
		}
	}
}

// seat is one answer's slot.
type seat struct {
	s    *slots
	peer peer.ID

	mu   sync.Mutex
	held bool // guarded by mu
}

// enter takes a slot unless the seat has one.
func (t *seat) enter(ctx context.Context, patience time.Duration) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held {
		return nil
	}
	err := t.s.enter(ctx, t.peer, patience)
	t.held = err == nil
	return err
}

// leave gives the slot back, if there is one.
func (t *seat) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held {
		t.held = false
		t.s.leave(t.peer)
	}
}

// during sends something. A peer that does not take it for takeTime loses the slot,
// so that one who does not read holds up nobody.
func (t *seat) during(send func() error) error {
	left := make(chan struct{})
	slow := time.AfterFunc(takeTime, func() { t.leave(); close(left) })
	err := send()
	if !slow.Stop() {
		<-left
	}
	return err
}
