package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tally/protocol"
)

// desk is an honest small node behind the API.
type desk struct{ Datanets }

func (desk) CreateDatanet(_ context.Context, in CreateDatanet) (Datanet, error) {
	if in.Licence == "" {
		return Datanet{}, fmt.Errorf("%w: no licence", ErrBadRequest)
	}
	return Datanet{Name: in.Name}, nil
}

func (desk) AddToDatanet(_ context.Context, dn string, _ AddToDatanet, r io.Reader) (Datanet, error) {
	b, err := io.ReadAll(r)
	return Datanet{CID: dn, Shards: []Shard{{Bytes: uint64(len(b))}}}, err
}

func (desk) ShowDatanet(context.Context, string, ShowDatanet) (Datanet, error) {
	return Datanet{}, fmt.Errorf("%w: no such datanet", ErrNotFound)
}
func (desk) Pin(context.Context, PinShard) (Pin, error) { return Pin{}, errors.New("disk on fire") }

func (desk) Train(_ context.Context, in Train, say func(Event)) (Model, error) {
	switch in.Preset {
	case "huge":
		return Model{}, fmt.Errorf("%w: preset %q", ErrBadRequest, in.Preset)
	case "broken":
		return Model{}, errors.New("disk on fire")
	}
	say(Event{State: "running", Step: 1, Steps: 2})
	if in.Preset == "bad" {
		return Model{}, errors.New("the worker left")
	}
	return Model{Name: in.Name, RateIn: protocol.Tokens(1)}, nil
}

// served starts the local API in a data directory, as a node does.
func served(t *testing.T, dir string) *Client {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := ListenLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	n := Node{Status: func(context.Context) (Status, error) { return Status{Network: "n-1"}, nil }, Datanets: desk{}, Jobs: desk{}}
	go func() { done <- Serve(ctx, l, Guard("secret", Fail, Handler(n, stop, slog.New(slog.DiscardHandler)))) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	c, err := Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tally-api-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestClientReachesANodeWhateverThePathsLength(t *testing.T) {
	for name, dir := range map[string]string{
		"socket": shortDir(t), "loopback": filepath.Join(t.TempDir(), strings.Repeat("long/", 30)),
	} {
		t.Run(name, func(t *testing.T) {
			c := served(t, dir)
			st, err := Get[Status](t.Context(), c, "/v0/status", nil)
			if err != nil || st.Network != "n-1" {
				t.Fatalf("%+v %v", st, err)
			}
			d, err := Upload[Datanet](t.Context(), c, "/v0/datanets/x/shards", url.Values{}, strings.NewReader("12345"))
			if err != nil || d.CID != "x" || d.Shards[0].Bytes != 5 {
				t.Errorf("%+v %v", d, err)
			}
		})
	}
}

func TestProgressIsFollowedToItsEndOrItsError(t *testing.T) {
	c := served(t, shortDir(t))
	for preset, want := range map[string]string{"good": "", "bad": "the worker left"} {
		events, model := 0, ""
		var last error
		for e, err := range c.Follow(t.Context(), "/v0/models/train", Train{Preset: preset, Name: "m"}) {
			last = err
			events++
			if e.Model != nil {
				model = e.Model.Name
			}
		}
		if events != 2 || want == "" && (last != nil || model != "m") || want != "" && (last == nil || last.Error() != want) {
			t.Errorf("%s: %d events, model %q, %v", preset, events, model, last)
		}
	}
}

func TestErrorsSayWhoseFaultTheyAre(t *testing.T) {
	h := Guard("secret", Fail, Handler(Node{Datanets: desk{}, Jobs: desk{}}, func() {}, slog.New(slog.DiscardHandler)))
	ask := func(method, path, body, token, host string) int {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	for name, c := range map[string]struct {
		method, path, body, token, host string
		want                            int
	}{
		"created":       {"POST", "/v0/datanets", `{"name":"n","licence":"MIT"}`, "secret", "127.0.0.1:1", 200},
		"caller's":      {"POST", "/v0/datanets", `{"name":"n"}`, "secret", "tally", 400},
		"unknown field": {"POST", "/v0/datanets", `{"nam":"n"}`, "secret", "tally", 400},
		"no JSON":       {"POST", "/v0/datanets", `{`, "secret", "tally", 400},
		"not there":     {"GET", "/v0/datanets/x", "", "secret", "localhost:5", 404},
		"node's":        {"POST", "/v0/pins", `{}`, "secret", "[::1]:5", 500},
		"epoch's tail":  {"POST", "/v0/epochs/1x/audit", "", "secret", "tally", 400},
		"hex epoch":     {"POST", "/v0/epochs/0x10/audit", "", "secret", "tally", 400},
		"no epoch":      {"POST", "/v0/epochs/-1/audit", "", "secret", "tally", 400},
		"steps":         {"POST", "/v0/models/train", `{"steps":-1}`, "secret", "tally", 400},
		"preset":        {"POST", "/v0/models/train", `{"preset":"huge"}`, "secret", "tally", 400},
		"before events": {"POST", "/v0/models/train", `{"preset":"broken"}`, "secret", "tally", 500},
		"after one":     {"POST", "/v0/models/train", `{"preset":"bad"}`, "secret", "tally", 200},
		"no token":      {"GET", "/v0/datanets/x", "", "", "localhost", 401},
		"wrong token":   {"GET", "/v0/datanets/x", "", "secres", "localhost", 401},
		"rebound name":  {"GET", "/v0/datanets/x", "", "secret", "evil.example:80", 403},
	} {
		if got := ask(c.method, c.path, c.body, c.token, c.host); got != c.want {
			t.Errorf("%s: status %d, want %d", name, got, c.want)
		}
	}
}

func TestWhereNoNodeRunsTheClientSaysSo(t *testing.T) {
	dir := shortDir(t)
	if _, err := Dial(dir); !errors.Is(err, ErrNoNode) {
		t.Errorf("empty directory: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Get[Status](t.Context(), c, "/v0/status", nil); !errors.Is(err, ErrNoNode) {
		t.Errorf("stopped node: %v", err)
	}
}
