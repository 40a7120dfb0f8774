package join

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"tally/node/gateway"
	"tally/node/pinning"
	"tally/storage"
)

func TestAPinIsFetchedFromAGatewayAmongItsOrigins(t *testing.T) {
	stores := [2]Store{}
	for i := range stores {
		s, err := storage.Open(storage.Config{Floor: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		stores[i] = Store{S: s}
	}
	root, err := stores[0].ImportFile(t.Context(), strings.NewReader(strings.Repeat("kept elsewhere ", 200_000)))
	if err != nil {
		t.Fatal(err)
	}
	h, err := gateway.Handler(gateway.Config{Blocks: stores[0].S.Blockstore()})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	at, err := manet.FromNetAddr(srv.Listener.Addr())
	if err != nil {
		t.Fatal(err)
	}
	p := Pinning{Store: stores[1]}
	stranger := "/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"
	if err := p.Keep(t.Context(), root, "psa/1", []string{stranger}); !errors.Is(err, storage.ErrNoExchange) || errors.Is(err, pinning.ErrFinal) {
		t.Fatalf("from nobody: %v", err)
	}
	origin := at.Encapsulate(multiaddr.StringCast("/http")).String()
	if err := p.Keep(t.Context(), root, "psa/1", []string{stranger, origin}); err != nil {
		t.Fatal(err)
	}
	if err := p.Keep(t.Context(), root, "psa/2", nil); err != nil { // it is here
		t.Fatal(err)
	}
	if err := p.Release(t.Context(), root, "psa/1"); err != nil {
		t.Fatal(err)
	}
	n := 0
	for pin, err := range stores[1].S.Pins() {
		if err != nil || pin.Why != "psa/2" {
			t.Errorf("pin %+v, %v", pin, err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d pins", n)
	}
}
