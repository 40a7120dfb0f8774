// Package pinning is the IPFS Pinning Service API (version 1,
// https://ipfs.github.io/pinning-services-api-spec/) of this node, so that
// existing clients, "ipfs pin remote" for one, can have it keep data.
//
// The life of a pin: a client posts a CID; it is queued, durably, before the
// answer. Run fetches what is queued, a few at a time, from the network or from
// the origins that the client named, and pins it in the store under a reason of
// its own. What cannot be had is tried again with growing pauses, and given up
// as failed after a day, with why. Deleting a pin takes its reason back; what
// nobody else keeps is then collected.
//
// A pin here is the operator's wish, not a job: nobody pays for it and nothing
// is proved on chain for it.
//
// A Service is safe for concurrent use. Requests, fields, pins and pages are
// bounded. It does not check who asks: its caller does.
package pinning

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ipfs/go-cid"

	"tally/internal/kv"
)

const (
	// MaxPins is how many pins are kept, failed ones too.
	MaxPins = 100_000
	// DefaultPatience is how long a pin is tried before it fails.
	DefaultPatience = 24 * time.Hour

	lanes      = 2
	firstPause = 5 * time.Second
	longPause  = 10 * time.Minute
)

var (
	// ErrRequest says that a request is not what the API takes.
	ErrRequest = errors.New("pinning: bad request")
	// ErrUnknown says that there is no such pin.
	ErrUnknown = errors.New("pinning: no such pin")
	// ErrFull says that there are MaxPins pins.
	ErrFull = errors.New("pinning: too many pins: delete some first")
	// ErrFinal is what a Keeper wraps where another try cannot help.
	ErrFinal = errors.New("pinning: cannot be kept here")
)

// Keeper keeps DAGs.
type Keeper interface {
	// Keep fetches the DAG under root unless it is here, and pins it for a reason;
	// durable once it returns. origins are multiaddrs where it may be had.
	Keep(ctx context.Context, root cid.Cid, why string, origins []string) error
	// Release takes a reason back. A reason that is not there is no error.
	Release(ctx context.Context, root cid.Cid, why string) error
}

// Config is what a Service depends on.
type Config struct {
	Keeper    Keeper
	DB        *kv.DB          // opened Sync; keys under "psa/"
	Delegates func() []string // this node's multiaddrs, with /p2p/…
	Log       *slog.Logger
	Patience  time.Duration // with one pin; 0 is DefaultPatience
}

// Status is the state of a pin, in the API's words.
type Status string

// The states.
const (
	Queued  Status = "queued"
	Pinning Status = "pinning"
	Pinned  Status = "pinned"
	Failed  Status = "failed"
)

// Pin is what a client asks for.
type Pin struct {
	CID     string            `json:"cid"`
	Name    string            `json:"name,omitempty"`
	Origins []string          `json:"origins,omitempty"`
	Meta    map[string]string `json:"meta,omitempty"`
}

// Entry is a pin and how it stands.
type Entry struct {
	ID        string            `json:"requestid"`
	Status    Status            `json:"status"`
	Created   time.Time         `json:"created"`
	Pin       Pin               `json:"pin"`
	Delegates []string          `json:"delegates"`
	Info      map[string]string `json:"info,omitempty"`
}

// kept is an Entry on disk.
type kept struct {
	Status  Status    `json:"status"`
	Created time.Time `json:"created"`
	Pin     Pin       `json:"pin"`
	Why     string    `json:"why,omitempty"` // of the last failure
}

// Service is one node's pins.
type Service struct {
	c    Config
	wake chan struct{} // has one element when there may be work

	mu    sync.Mutex
	last  time.Time                     // guarded by mu; of the newest pin, so that no two are alike
	count int                           // guarded by mu; pins on disk
	work  map[string]context.CancelFunc // guarded by mu; pins under way, by id
	tries map[string]attempt            // guarded by mu; pins that did not come yet, by id
}

// attempt is when a pin is tried again.
type attempt struct {
	at    time.Time
	pause time.Duration
}

// New reads what is on disk. It starts nothing.
func New(c Config) (*Service, error) {
	s := &Service{c: c, wake: make(chan struct{}, 1), work: map[string]context.CancelFunc{}, tries: map[string]attempt{}}
	if s.c.Log == nil {
		s.c.Log = slog.New(slog.DiscardHandler)
	}
	if s.c.Patience == 0 {
		s.c.Patience = DefaultPatience
	}
	err := s.each(func(_ string, k kept) (bool, error) {
		s.count++
		if k.Created.After(s.last) {
			s.last = k.Created
		}
		return true, nil
	})
	s.stir()
	return s, err
}

func (s *Service) stir() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// An id is the time of creation, 8 bytes, and 8 random ones, in hex: so ids are
// in the order of creation.
func newID(t time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(t.UnixNano()))
	_, _ = rand.Read(b[8:])
	return hex.EncodeToString(b[:])
}

func keyOf(id string) []byte { return []byte("psa/" + id) }

// Reason begins the reasons that a Keeper is given; the pin's id follows.
const Reason = "psa/"

// reason is what a pin is called in the store.
func reason(id string) string { return Reason + id }

// each yields every pin, oldest first.
func (s *Service) each(yield func(id string, k kept) (bool, error)) error {
	return s.c.DB.View(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte("psa/")) {
			if err != nil {
				return fmt.Errorf("pinning: %w", err)
			}
			var k kept
			if err := json.Unmarshal(it.Value, &k); err != nil {
				return fmt.Errorf("pinning: pin %s on disk: %w", it.Key, err)
			}
			if on, err := yield(string(it.Key[len("psa/"):]), k); err != nil || !on {
				return err
			}
		}
		return nil
	})
}

// Add queues a pin, durably.
func (s *Service) Add(_ context.Context, p Pin) (Entry, error) {
	c, err := check(p)
	if err != nil {
		return Entry{}, err
	}
	p.CID = c.String()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count >= MaxPins {
		return Entry{}, ErrFull
	}
	// The API pages by time of creation, so no two are alike.
	now := time.Now().UTC().Truncate(time.Microsecond)
	if !now.After(s.last) {
		now = s.last.Add(time.Microsecond)
	}
	id, k := newID(now), kept{Status: Queued, Created: now, Pin: p}
	if err := s.put(id, k); err != nil {
		return Entry{}, err
	}
	s.last = now
	s.count++
	s.stir()
	return s.entry(id, k), nil
}

func (s *Service) put(id string, k kept) error {
	b, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("pinning: %w", err)
	}
	if err := s.c.DB.Update(func(tx *kv.Tx) error { return tx.Set(keyOf(id), b) }); err != nil {
		return fmt.Errorf("pinning: %w", err)
	}
	return nil
}

func (s *Service) entry(id string, k kept) Entry {
	e := Entry{ID: id, Status: k.Status, Created: k.Created, Pin: k.Pin, Delegates: s.c.Delegates()}
	if k.Why != "" {
		e.Info = map[string]string{"status_details": k.Why}
	}
	return e
}

// Get returns a pin, or ErrUnknown.
func (s *Service) Get(_ context.Context, id string) (Entry, error) {
	k, err := s.get(id)
	if err != nil {
		return Entry{}, err
	}
	return s.entry(id, k), nil
}

func (s *Service) get(id string) (k kept, err error) {
	if b, err := hex.DecodeString(id); err != nil || len(b) != 16 {
		return k, fmt.Errorf("%w: %q", ErrUnknown, id)
	}
	err = s.c.DB.View(func(tx *kv.Tx) error {
		b, err := tx.Get(keyOf(id))
		if err != nil {
			return err
		}
		return json.Unmarshal(b, &k)
	})
	if errors.Is(err, kv.ErrNotFound) {
		return k, fmt.Errorf("%w: %s", ErrUnknown, id)
	}
	if err != nil {
		return k, fmt.Errorf("pinning: %w", err)
	}
	return k, nil
}

// Replace queues a pin in another's place; the other goes once this is queued.
// What both hold is not collected between.
func (s *Service) Replace(ctx context.Context, id string, p Pin) (Entry, error) {
	if _, err := s.get(id); err != nil {
		return Entry{}, err
	}
	e, err := s.Add(ctx, p)
	if err != nil {
		return Entry{}, err
	}
	return e, s.Delete(ctx, id)
}

// Delete ends a pin, under way or not.
func (s *Service) Delete(ctx context.Context, id string) error {
	k, err := s.get(id)
	if err != nil {
		return err
	}
	c, err := cid.Decode(k.Pin.CID)
	if err != nil {
		return fmt.Errorf("pinning: pin %s on disk: %w", id, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if stop := s.work[id]; stop != nil {
		stop()
	}
	// Before the record goes, so that what cannot be released now can be deleted again;
	// and after it, for work that was ending meanwhile.
	if err := s.c.Keeper.Release(ctx, c, reason(id)); err != nil {
		return err
	}
	err = s.c.DB.Update(func(tx *kv.Tx) error {
		if _, err := tx.Get(keyOf(id)); err != nil {
			return err
		}
		return tx.Delete(keyOf(id))
	})
	if errors.Is(err, kv.ErrNotFound) { // another was faster
		return fmt.Errorf("%w: %s", ErrUnknown, id)
	}
	if err != nil {
		return fmt.Errorf("pinning: %w", err)
	}
	s.count--
	delete(s.tries, id)
	return s.c.Keeper.Release(ctx, c, reason(id))
}
