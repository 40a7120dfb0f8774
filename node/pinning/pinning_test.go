package pinning

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	client "github.com/ipfs/boxo/pinning/remote/client"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multiaddr"

	"tally/internal/kv"
	"tally/protocol"
)

// shelf is an honest Keeper in memory that can be told to fail.
type shelf struct {
	mu      sync.Mutex
	kept    map[string]string // guarded by mu; root by reason
	origins []string          // guarded by mu; of the last Keep
	fail    func(try int) error
	tries   int           // guarded by mu
	stuck   error         // guarded by mu; of Release
	gate    chan struct{} // if not nil, Keep waits for it or for its context
}

func (s *shelf) Keep(ctx context.Context, root cid.Cid, why string, origins []string) error {
	if s.gate != nil {
		select {
		case <-s.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	s.origins = origins
	if s.fail != nil {
		if err := s.fail(s.tries); err != nil {
			return err
		}
	}
	s.kept[why] = root.String()
	return nil
}

func (s *shelf) Release(_ context.Context, _ cid.Cid, why string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stuck != nil {
		return s.stuck
	}
	delete(s.kept, why)
	return nil
}

func (s *shelf) holds() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.kept)
}

func database(t *testing.T) *kv.DB {
	t.Helper()
	db, err := kv.Open(t.TempDir(), kv.Options{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// patience of the services here.
const patience = 40 * time.Minute

func service(t *testing.T, db *kv.DB, k Keeper) *Service {
	t.Helper()
	s, err := New(Config{Keeper: k, DB: db, Delegates: func() []string { return []string{"/ip4/127.0.0.1/tcp/1"} }, Patience: patience})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func named(n int) cid.Cid { return protocol.CIDOf([]byte(fmt.Sprint(n))) }

func statusOf(t *testing.T, s *Service, id string) Entry {
	t.Helper()
	e, err := s.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// inBubble runs f with a service whose Run has begun and ends by itself.
func inBubble(t *testing.T, k *shelf, f func(*testing.T, *Service)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		db, err := kv.Open("", kv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		s := service(t, db, k)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		f(t, s)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestAPinIsTriedAgainUntilItComes(t *testing.T) {
	k := &shelf{kept: map[string]string{}, fail: func(try int) error {
		if try < 4 {
			return errors.New("nobody has it")
		}
		return nil
	}}
	inBubble(t, k, func(t *testing.T, s *Service) {
		e, err := s.Add(t.Context(), Pin{CID: named(1).String()})
		if err != nil || e.Status != Queued {
			t.Fatalf("%+v, %v", e, err)
		}
		synctest.Wait() // Run waits for the pause after the first failure
		if got := statusOf(t, s, e.ID); got.Status != Queued || got.Info["status_details"] != "nobody has it" {
			t.Fatalf("after one try: %+v", got)
		}
		<-time.After(time.Minute) // fake: 5, 10 and 20 s of pauses
		synctest.Wait()           // Run has nothing to do
		if got := statusOf(t, s, e.ID); got.Status != Pinned || got.Info != nil {
			t.Fatalf("after a minute: %+v", got)
		}
	})
}

func TestAPinThatCannotBeKeptFailsAtOnceAndOneThatDoesNotComeFailsAfterPatience(t *testing.T) {
	why := fmt.Errorf("%w: too large", ErrFinal)
	k := &shelf{kept: map[string]string{}}
	k.fail = func(int) error { return why }
	inBubble(t, k, func(t *testing.T, s *Service) {
		e, err := s.Add(t.Context(), Pin{CID: named(1).String()})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // Run waits for work
		if got := statusOf(t, s, e.ID); got.Status != Failed || !strings.Contains(got.Info["status_details"], "too large") {
			t.Fatalf("%+v", got)
		}
		k.mu.Lock()
		why = errors.New("nobody has it")
		k.mu.Unlock()
		if e, err = s.Add(t.Context(), Pin{CID: named(2).String()}); err != nil {
			t.Fatal(err)
		}
		<-time.After(patience / 2)
		synctest.Wait() // Run waits for the next pause
		if got := statusOf(t, s, e.ID); got.Status != Queued {
			t.Fatalf("after half its time: %+v", got)
		}
		<-time.After(patience/2 + longPause)
		synctest.Wait() // Run waits for work
		if got := statusOf(t, s, e.ID); got.Status != Failed {
			t.Fatalf("after its time: %+v", got)
		}
	})
}

func TestAPinDeletedWhileItIsFetchedIsNotKept(t *testing.T) {
	k := &shelf{kept: map[string]string{}, gate: make(chan struct{})}
	synctest.Test(t, func(t *testing.T) {
		k.gate = make(chan struct{})
		db, err := kv.Open("", kv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		s := service(t, db, k)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		e, err := s.Add(t.Context(), Pin{CID: named(1).String()})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // Keep waits at its gate
		if got := statusOf(t, s, e.ID); got.Status != Pinning {
			t.Fatalf("%+v", got)
		}
		if err := s.Delete(t.Context(), e.ID); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // Run waits for work
		if _, err := s.Get(t.Context(), e.ID); !errors.Is(err, ErrUnknown) || len(k.holds()) != 0 {
			t.Fatalf("%v, still held: %v", err, k.holds())
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestPinsQueuedBeforeARestartAreKeptAfterIt(t *testing.T) {
	db := database(t)
	defer db.Close()
	k := &shelf{kept: map[string]string{}}
	e, err := service(t, db, k).Add(t.Context(), Pin{CID: named(1).String(), Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	s := service(t, db, k)
	jobs, _, err := s.due()
	if err != nil || len(jobs) != 1 || jobs[0].id != e.ID || s.count != 1 {
		t.Fatalf("due %+v, %v", jobs, err)
	}
	if err := s.keep(t.Context(), jobs[0]); err != nil {
		t.Fatal(err)
	}
	if got := statusOf(t, s, e.ID); got.Status != Pinned || k.holds()[reason(e.ID)] != named(1).String() {
		t.Fatalf("%+v, held %v", got, k.holds())
	}
}

// The client is boxo's, which kubo's "ipfs pin remote" uses.
func TestTheIPFSClientPinsListsReplacesAndDeletes(t *testing.T) {
	db := database(t)
	defer db.Close()
	k := &shelf{kept: map[string]string{}}
	s := service(t, db, k)
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	c := client.NewClient(srv.URL, "token")
	work := func() {
		t.Helper()
		jobs, _, err := s.due()
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			if err := s.keep(t.Context(), j); err != nil {
				t.Fatal(err)
			}
		}
	}
	origin := multiaddr.StringCast("/ip4/127.0.0.1/tcp/8080/http")
	var ids []string
	for i := range 25 {
		p, err := c.Add(t.Context(), named(i), client.PinOpts.WithName(fmt.Sprintf("Set %d", i)), client.PinOpts.WithOrigins(origin), client.PinOpts.AddMeta(map[string]string{"app": fmt.Sprint(i % 2)}))
		if err != nil || p.GetStatus() != client.StatusQueued || len(p.GetDelegates()) != 1 {
			t.Fatalf("%v, %v", p, err)
		}
		ids = append(ids, p.GetRequestId())
	}
	for range 2 {
		work()
	}
	if len(k.origins) != 1 || k.origins[0] != origin.String() {
		t.Errorf("origins %v", k.origins)
	}
	count := func(opts ...client.LsOption) int {
		t.Helper()
		got, err := c.LsSync(t.Context(), opts...)
		if err != nil {
			t.Fatal(err)
		}
		return len(got)
	}
	for name, n := range map[string][2]int{
		"all pinned, in pages": {count(), 25},
		"by name":              {count(client.PinOpts.FilterName("Set 7")), 1},
		"by CID":               {count(client.PinOpts.FilterCIDs(named(3), named(4))), 2},
		"by status":            {count(client.PinOpts.FilterStatus(client.StatusQueued)), 0},
	} {
		if n[0] != n[1] {
			t.Errorf("%s: %d, want %d", name, n[0], n[1])
		}
	}
	// boxo's client writes meta filters in Go's notation instead of JSON: asked without it.
	f, err := ParseFilter(url.Values{"meta": {`{"app":"1"}`}, "limit": {"5"}})
	if err != nil {
		t.Fatal(err)
	}
	if page, n, err := s.List(t.Context(), f); err != nil || n != 12 || len(page) != 5 || page[0].Pin.Name != "Set 23" {
		t.Errorf("by meta: %d of %d, %v", len(page), n, err)
	}
	re, err := c.Replace(t.Context(), ids[0], named(100))
	if err != nil {
		t.Fatal(err)
	}
	work()
	if got, err := c.GetStatusByID(t.Context(), re.GetRequestId()); err != nil || got.GetStatus() != client.StatusPinned {
		t.Fatalf("%v, %v", got, err)
	}
	if _, err := c.GetStatusByID(t.Context(), ids[0]); err == nil {
		t.Error("the replaced pin is still there")
	}
	if err := c.DeleteByID(t.Context(), ids[1]); err != nil {
		t.Fatal(err)
	}
	if count() != 24 || len(k.holds()) != 24 {
		t.Errorf("%d listed, %d held", count(), len(k.holds()))
	}
}

func TestWhatTheAPIDoesNotTakeIsRefusedInItsWords(t *testing.T) {
	db := database(t)
	defer db.Close()
	s := service(t, db, &shelf{kept: map[string]string{}})
	for name, r := range map[string]struct {
		method, path, body string
		status             int
		reason             string
	}{
		"no CID":            {"POST", "/pins", `{"cid":"x"}`, 400, "BAD_REQUEST"},
		"no JSON":           {"POST", "/pins", `{`, 400, "BAD_REQUEST"},
		"long name":         {"POST", "/pins", `{"cid":"` + named(1).String() + `","name":"` + strings.Repeat("x", 256) + `"}`, 400, "BAD_REQUEST"},
		"many origins":      {"POST", "/pins", `{"cid":"` + named(1).String() + `","origins":["` + strings.Repeat(`","`, 21) + `"]}`, 400, "BAD_REQUEST"},
		"huge":              {"POST", "/pins", `{"cid":"` + strings.Repeat("x", maxBody) + `"}`, 400, "BAD_REQUEST"},
		"limit":             {"GET", "/pins?limit=1001", "", 400, "BAD_REQUEST"},
		"status":            {"GET", "/pins?status=lost", "", 400, "BAD_REQUEST"},
		"match":             {"GET", "/pins?match=regexp", "", 400, "BAD_REQUEST"},
		"time":              {"GET", "/pins?before=yesterday", "", 400, "BAD_REQUEST"},
		"unknown":           {"GET", "/pins/" + strings.Repeat("0", 32), "", 404, "NOT_FOUND"},
		"not an id":         {"DELETE", "/pins/..", "", 404, ""},
		"replacing nothing": {"POST", "/pins/" + strings.Repeat("1", 32), `{"cid":"` + named(1).String() + `"}`, 404, "NOT_FOUND"},
	} {
		w := httptest.NewRecorder()
		req := httptest.NewRequest(r.method, "http://localhost"+r.path, strings.NewReader(r.body))
		s.Handler().ServeHTTP(w, req)
		if w.Code != r.status && w.Code != http.StatusTemporaryRedirect || r.reason != "" && !strings.Contains(w.Body.String(), r.reason) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if _, n, err := s.List(t.Context(), Filter{Status: []Status{Queued, Pinning, Pinned, Failed}}); err != nil || n != 0 {
		t.Errorf("%d pins, %v", n, err)
	}
}

func FuzzParseFilter(f *testing.F) {
	f.Add("cid=" + named(1).String() + "&name=a&match=partial&status=pinned,failed&before=2026-01-02T03:04:05.678Z&limit=7&meta=%7B%22a%22%3A%22b%22%7D")
	f.Fuzz(func(t *testing.T, q string) {
		v, err := url.ParseQuery(q)
		if err != nil {
			return
		}
		got, err := ParseFilter(v)
		if err == nil && (got.Limit < 0 || got.Limit > maxPage || len(got.CIDs) > maxCIDs) {
			t.Errorf("taken: %+v", got)
		}
	})
}

func TestAPinThatCannotBeReleasedNowCanBeDeletedAgain(t *testing.T) {
	k := &shelf{kept: map[string]string{}}
	inBubble(t, k, func(t *testing.T, s *Service) {
		e, err := s.Add(t.Context(), Pin{CID: named(1).String()})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		away := errors.New("the disk is away")
		k.stick(away)
		if err := s.Delete(t.Context(), e.ID); !errors.Is(err, away) {
			t.Fatalf("deleted: %v", err)
		}
		if got := statusOf(t, s, e.ID); got.Status != Pinned || len(k.holds()) != 1 {
			t.Fatalf("%+v, held: %v", got, k.holds())
		}
		k.stick(nil)
		if err := s.Delete(t.Context(), e.ID); err != nil || len(k.holds()) != 0 {
			t.Fatalf("%v, still held: %v", err, k.holds())
		}
	})
}

// stick has Release fail, or no longer.
func (s *shelf) stick(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stuck = err
}
