package p2p

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multihash"

	"tally/internal/kv"
)

func root(t testing.TB, text string) cid.Cid {
	t.Helper()
	h, err := multihash.Sum([]byte(text), multihash.SHA2_256, -1)
	if err != nil {
		t.Fatal(err)
	}
	return cid.NewCidV1(cid.DagCBOR, h)
}

// found asks until the network answers with want: records travel behind the caller's back.
func found(t testing.TB, h *Host, c cid.Cid, want peer.ID) peer.AddrInfo {
	t.Helper()
	ctx := within(t, 30*time.Second)
	var last error
	for ctx.Err() == nil {
		for p, err := range h.FindProviders(ctx, c, 0) {
			if last = err; err == nil && p.ID == want {
				return p
			}
		}
		pause(ctx)
	}
	t.Fatalf("%s was not found as a provider: %v", want, last)
	return peer.AddrInfo{}
}

// pause lets the network go on before it is asked again.
func pause(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	<-ctx.Done()
}

// cluster is n hosts that join through the first.
func cluster(t testing.TB, n int, change ...func(int, *Config)) []*Host {
	t.Helper()
	var hosts []*Host
	for i := range n {
		hosts = append(hosts, listen(t, func(c *Config) {
			if i > 0 {
				c.Bootstrap = []peer.AddrInfo{info(hosts[0])}
			}
			for _, f := range change {
				f(i, c)
			}
		}))
	}
	for _, h := range hosts[1:] {
		connect(t, h, hosts[0])
	}
	return hosts
}

func TestFiveHostsFindAProvider(t *testing.T) {
	hosts := cluster(t, 5)
	c := root(t, "shard")
	if err := hosts[4].Provide(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for i, h := range hosts[:4] {
		p := found(t, h, c, hosts[4].ID())
		if len(p.Addrs) == 0 {
			t.Errorf("host %d found a provider without addresses", i)
		}
		if err := h.Connect(t.Context(), p); err != nil {
			t.Error(err)
		}
	}
	for p, err := range hosts[4].FindProviders(within(t, 30*time.Second), c, 0) {
		t.Errorf("the provider finds %v (%v), want nobody but itself", p, err)
	}
}

func TestAStreamFindsAPeerByItsIDAlone(t *testing.T) {
	hosts := cluster(t, 4)
	handle(t, hosts[3], "echo", Limits{}, echo)
	ctx := within(t, 30*time.Second)
	var err error
	for ctx.Err() == nil {
		var got []byte
		if got, err = hosts[1].Call(ctx, hosts[3].ID(), "echo", []byte("hello"), 10); err == nil && string(got) == "hello" {
			if p, err := hosts[1].FindPeer(ctx, hosts[3].ID()); err != nil || len(p.Addrs) == 0 {
				t.Error(p, err)
			}
			return
		}
		pause(ctx)
	}
	t.Fatal(err)
}

func TestAHostAloneSaysSo(t *testing.T) {
	h, other := listen(t), listen(t)
	c := root(t, "alone")
	if err := h.Provide(t.Context(), c); err != nil {
		t.Errorf("providing before the network is there: %v", err)
	}
	for _, err := range h.FindProviders(t.Context(), c, 1) {
		if !errors.Is(err, ErrAlone) {
			t.Error(err)
		}
	}
	if _, err := h.FindPeer(t.Context(), other.ID()); !errors.Is(err, ErrAlone) {
		t.Error(err)
	}
	if _, err := h.Open(t.Context(), other.ID(), "ask"); !errors.Is(err, ErrAlone) || !errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
}

func TestARootProvidedAloneIsFoundLater(t *testing.T) {
	a := listen(t)
	c := root(t, "early")
	if err := a.Provide(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	b := listen(t, func(c *Config) { c.Bootstrap = []peer.AddrInfo{info(a)} })
	third := listen(t, func(c *Config) { c.Bootstrap = []peer.AddrInfo{info(a)} })
	found(t, b, c, a.ID())
	found(t, third, c, a.ID())
	waitDue(t, a) // the loop announced it to somebody
}

// waitDue waits until nothing that h provides is due.
func waitDue(t testing.TB, h *Host) {
	t.Helper()
	ctx := within(t, 30*time.Second)
	for len(h.finder.due(time.Now())) > 0 {
		if ctx.Err() != nil {
			t.Fatal("a root is still to be announced")
		}
		pause(ctx)
	}
}

func TestAHostThatStartsBeforeItsBootstrapperJoinsLater(t *testing.T) {
	first := config(t)
	first.Listen = []string{transports["tcp"]}
	boot, err := Listen(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	where := info(boot)
	first.Listen = []string{where.Addrs[0].String()}
	if err := boot.Close(); err != nil {
		t.Fatal(err)
	}
	h := listen(t, func(c *Config) { c.Bootstrap = []peer.AddrInfo{where} })
	if boot, err = Listen(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	c := root(t, "late")
	if err := h.Provide(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	found(t, boot, c, h.ID())

	// And again after a restart of the bootstrapper.
	if err := boot.Close(); err != nil {
		t.Fatal(err)
	}
	if boot, err = Listen(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	defer boot.Close()
	found(t, boot, c, h.ID())
}

func TestARestartKeepsIdentityAndProvidesAgain(t *testing.T) {
	boot := listen(t)
	c := config(t)
	c.DataDir = t.TempDir()
	c.Bootstrap = []peer.AddrInfo{info(boot)}
	kept, dropped := root(t, "kept"), root(t, "dropped")
	h, err := Listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	id := h.ID()
	for _, r := range []cid.Cid{kept, dropped} {
		if err := h.Provide(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Unprovide(dropped); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), c); !errors.Is(err, kv.ErrInUse) {
		t.Errorf("a second host on the directory: %v", err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	// A network that knows nothing of the first run.
	other := listen(t)
	c.Bootstrap = []peer.AddrInfo{info(other)}
	if h, err = Listen(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if h.ID() != id {
		t.Errorf("%s came back as %s", id, h.ID())
	}
	if got := h.Provided(); len(got) != 1 || got[0] != canonical(kept) {
		t.Errorf("provides %v, want %s", got, canonical(kept))
	}
	found(t, other, kept, id)
	for p, err := range other.FindProviders(within(t, 30*time.Second), dropped, 0) {
		t.Errorf("a dropped root was found at %v (%v)", p, err)
	}
}

func TestManyProvidersAreFoundUpToTheLimit(t *testing.T) {
	hosts := cluster(t, 4)
	c := root(t, "popular")
	for _, h := range hosts[1:] {
		if err := h.Provide(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		found(t, hosts[0], c, h.ID())
	}
	for _, limit := range []int{1, 2, 3} {
		n := 0
		for _, err := range hosts[0].FindProviders(within(t, 30*time.Second), c, limit) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != limit {
			t.Errorf("%d providers, want %d", n, limit)
		}
	}
}

func TestProvideRefusesNoCID(t *testing.T) {
	h := listen(t)
	if err := h.Provide(t.Context(), cid.Undef); err == nil {
		t.Error("provided nothing")
	}
	for _, err := range h.FindProviders(t.Context(), cid.Undef, 1) {
		if err == nil {
			t.Error("found nothing somewhere")
		}
	}
}

func ExampleAddressOf() {
	_, err := AddressOf("not a peer")
	fmt.Println(errors.Is(err, ErrIdentity))
	// Output: true
}
