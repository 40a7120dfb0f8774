package join

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
)

// Announcer tells the network, soon, which roots this node holds, so that
// keeping something never waits for the network: a peer that has just died can
// hold an announcement up for many seconds. What is not announced when the node
// stops is announced again when it starts, from the pins.
type Announcer struct {
	host announces
	log  *slog.Logger

	mu   sync.Mutex
	due  map[cid.Cid]bool // guarded by mu; true to provide, false to take back
	wake chan struct{}    // capacity 1
}

// announces is a host's part of it.
type announces interface {
	Provide(ctx context.Context, root cid.Cid) error
	Unprovide(root cid.Cid) error
}

const (
	announceAbreast = 4
	announceWithin  = time.Minute
)

// NewAnnouncer starts nothing: Run announces.
func NewAnnouncer(host announces, log *slog.Logger) *Announcer {
	return &Announcer{host: host, log: log, due: map[cid.Cid]bool{}, wake: make(chan struct{}, 1)}
}

// Provide notes a root to be announced. It does not wait.
func (a *Announcer) Provide(_ context.Context, root cid.Cid) error { a.note(root, true); return nil }

// Unprovide notes a root that is no longer held.
func (a *Announcer) Unprovide(_ context.Context, root cid.Cid) error { a.note(root, false); return nil }

func (a *Announcer) note(root cid.Cid, provide bool) {
	a.mu.Lock()
	a.due[root] = provide
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *Announcer) take() map[cid.Cid]bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	due := a.due
	a.due = map[cid.Cid]bool{}
	return due
}

// Run announces what is noted until ctx ends.
func (a *Announcer) Run(ctx context.Context) error {
	slots := make(chan struct{}, announceAbreast)
	var all sync.WaitGroup
	defer all.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.wake:
		}
		for root, provide := range a.take() {
			if !provide {
				if err := a.host.Unprovide(root); err != nil {
					a.log.Warn("root still announced", "root", root, "err", err)
				}
				continue
			}
			select {
			case <-ctx.Done():
				return nil
			case slots <- struct{}{}:
			}
			all.Go(func() {
				defer func() { <-slots }()
				ctx, cancel := context.WithTimeout(ctx, announceWithin)
				defer cancel()
				if err := a.host.Provide(ctx, root); err != nil && ctx.Err() == nil {
					a.log.Debug("root not announced to everybody", "root", root, "err", err)
				}
			})
		}
	}
}
