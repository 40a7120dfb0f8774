package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tally/storage/shardstream"
)

func TestTheGatewaySendsWithinTheBudgetOfTheLine(t *testing.T) {
	s := open(t)
	sh, err := s.ImportFile(t.Context(), bytes.NewReader(noise(10, 5<<20)))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name, from, proxy string
		counted           bool
	}{
		{"a reader elsewhere", "192.0.2.1:1234", "", true},
		{"one whose address is not known", "@", "", true},
		{"one on this machine", "127.0.0.1:1234", "", false},
		{"one on this machine, by IPv6", "[::1]:1234", "", false},
		{"a proxy on this machine", "127.0.0.1:1234", "192.0.2.1", true},
	} {
		synctest.Test(t, func(t *testing.T) {
			const pace = 256 << 10
			up := shardstream.NewBudget(pace)
			counted := 0
			h, err := Handler(Config{Blocks: s.Blockstore(), Pace: func(ctx context.Context, n int) error {
				counted += n
				return up.Take(ctx, n)
			}})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ipfs/"+sh.Root.String()+"?format=car", nil)
			if r.RemoteAddr = x.from; x.proxy != "" {
				r.Header.Set("X-Forwarded-For", x.proxy)
			}
			began, w := time.Now(), httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusOK || w.Body.Len() != int(sh.Size) {
				t.Fatalf("%s: status %d, %d bytes, want %d", x.name, w.Code, w.Body.Len(), sh.Size)
			}
			took, least := time.Since(began), time.Duration(sh.Size-256<<10)*time.Second/pace
			switch {
			case x.counted && (counted != int(sh.Size) || took < least || took > least+2*time.Second):
				t.Errorf("%s: %d of %d bytes counted, read in %s, want %s", x.name, counted, sh.Size, took, least)
			case !x.counted && (counted > 0 || took > 0):
				t.Errorf("%s: %d bytes counted, read in %s", x.name, counted, took)
			}
		})
	}
}

// blocked is a connection whose reader takes nothing until its deadline.
type blocked struct {
	*httptest.ResponseRecorder
	mu    sync.Mutex
	until time.Time // guarded by mu
	taken int       // bytes that it takes first
}

func (b *blocked) SetWriteDeadline(t time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until = t
	return nil
}

var errLate = errors.New("deadline")

func (b *blocked) Write(p []byte) (int, error) {
	if b.taken -= len(p); b.taken >= 0 {
		return b.ResponseRecorder.Write(p)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.IsZero() {
		return 0, errors.New("for ever")
	}
	<-time.After(time.Until(b.until))
	return 0, errLate
}

func TestAReaderThatTakesNothingIsDroppedAndASlowLineIsNot(t *testing.T) {
	s := open(t)
	sh, err := s.ImportFile(t.Context(), bytes.NewReader(noise(11, 4<<20)))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		up := shardstream.NewBudget(8 << 10) // a MiB takes more than patience has
		h, err := Handler(Config{Blocks: s.Blockstore(), Pace: up.Take})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(w http.ResponseWriter) (took time.Duration) {
			began := time.Now()
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ipfs/"+sh.Root.String()+"?format=car", nil))
			return time.Since(began)
		}
		w := httptest.NewRecorder()
		if took := ask(w); w.Body.Len() != int(sh.Size) || took < 7*time.Minute {
			t.Errorf("%d bytes in %s", w.Body.Len(), took)
		}
		stuck := &blocked{ResponseRecorder: httptest.NewRecorder(), taken: 128 << 10}
		func() {
			defer func() {
				if e := recover(); e != nil && e != http.ErrAbortHandler { //nolint:errorlint // a panic's value
					panic(e)
				}
			}()
			if took := ask(stuck); took > 3*time.Minute {
				t.Errorf("nothing was read for %s", took)
			}
		}()
		if n := stuck.Body.Len(); n > 128<<10 {
			t.Error(n)
		}
	})
}

func TestTheNextRequestOfAConnectionHasATimeOfItsOwn(t *testing.T) {
	s := open(t)
	sh, err := s.ImportFile(t.Context(), bytes.NewReader(noise(12, 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	srv, conns := serve(t, s), 0
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conns++
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}}
	defer client.CloseIdleConnections()
	for range 3 {
		res, err := client.Get(srv.URL + "/ipfs/" + sh.Root.String() + "?format=raw")
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(res.Body); err != nil || len(b) == 0 {
			t.Fatal(len(b), err)
		}
		_ = res.Body.Close()
	}
	if conns != 1 {
		t.Errorf("%d connections", conns)
	}
}
