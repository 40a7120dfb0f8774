package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"tally/storage"
)

func open(t *testing.T) *storage.Store {
	t.Helper()
	s, err := storage.Open(storage.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func serve(t *testing.T, s *storage.Store) *httptest.Server {
	t.Helper()
	h, err := Handler(Config{Blocks: s.Blockstore()})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed)})
	_, _ = r.Read(b)
	return b
}

func fetchURL(t *testing.T, url string) (int, http.Header, []byte) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, b
}

func TestACARFromTheGatewayIsTheShardsOwnFile(t *testing.T) {
	s := open(t)
	sh, err := s.ImportFile(t.Context(), bytes.NewReader(noise(1, 3<<20+17)))
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := s.ExportCAR(t.Context(), sh.Root, &want); err != nil {
		t.Fatal(err)
	}
	code, h, got := fetchURL(t, serve(t, s).URL+"/ipfs/"+sh.Root.String()+"?format=car&car-order=dfs&car-dups=n")
	if code != http.StatusOK || !bytes.Equal(got, want.Bytes()) {
		t.Fatalf("status %d, %d bytes (%s), want the %d of the shard's file", code, len(got), h.Get("Content-Type"), want.Len())
	}
	other := open(t)
	if back, err := other.ImportCAR(t.Context(), bytes.NewReader(got), sh.Root); err != nil || back != sh {
		t.Fatalf("imported as %+v, %v", back, err)
	}
}

func TestAStoreFetchesAShardFromAGateway(t *testing.T) {
	s := open(t)
	sh, err := s.ImportFile(t.Context(), bytes.NewReader(noise(2, 5<<20)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRemote(serve(t, s).URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := open(t).Fetch(t.Context(), sh.Root, nil, storage.From(r))
	if err != nil || got != sh {
		t.Fatalf("fetched %+v, %v, want %+v", got, err, sh)
	}
}

func TestTheGatewayShowsNothingButBlocksAndCARs(t *testing.T) {
	s := open(t)
	sh, err := s.ImportFile(t.Context(), strings.NewReader("<script>alert(1)</script>"))
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, s).URL
	for path, want := range map[string]int{
		"/ipfs/" + sh.Root.String():                 http.StatusNotAcceptable,
		"/ipns/example.org":                         http.StatusNotFound,
		"/ipfs/nonsense?format=raw":                 http.StatusBadRequest,
		"/api/v0/id":                                http.StatusNotFound,
		"/ipfs/" + sh.Root.String() + "?format=raw": http.StatusOK,
	} {
		if code, _, b := fetchURL(t, url+path); code != want {
			t.Errorf("%s: status %d, want %d: %.200s", path, code, want, b)
		}
	}
	absent, err := cid.Decode("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy")
	if err != nil {
		t.Fatal(err)
	}
	if code, _, _ := fetchURL(t, url+"/ipfs/"+absent.String()+"?format=raw"); code != http.StatusNotFound {
		t.Errorf("a block that is not here: status %d, want 404", code)
	}
}

func TestAGatewayThatLiesOrFloodsIsRefused(t *testing.T) {
	s := open(t)
	sh, err := s.ImportFile(t.Context(), bytes.NewReader(noise(3, 100)))
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]http.HandlerFunc{
		"changed": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(noise(4, 100)) },
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		},
		"refuses": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(answer)
			defer srv.Close()
			r, err := NewRemote(srv.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			dst := open(t)
			_, err = dst.Fetch(t.Context(), sh.Root, nil, storage.From(r))
			if !errors.Is(err, storage.ErrCorrupt) && !errors.Is(err, storage.ErrStalled) {
				t.Fatalf("error %v, want a refusal", err)
			}
			if ok, _ := dst.Has(context.Background(), sh.Root); ok {
				t.Fatal("kept")
			}
		})
	}
}

func TestAnAddressThatIsNoGatewayIsRefused(t *testing.T) {
	for _, bad := range []string{"", "127.0.0.1:8080", "ftp://x", "http://", "http://x?y=1"} {
		if _, err := NewRemote(bad, nil); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
