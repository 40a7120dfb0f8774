package p2p

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p"
	lcrypto "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/x/simlibp2p"
	"github.com/marcopolo/simnet"
)

// simulated runs test with n hosts that join through the first, over simulated
// links of 20 Mbit/s and 20 ms each way, in fake time.
func simulated(t *testing.T, n int, test func(t *testing.T, hosts []*Host, plug func(i int) []libp2p.Option)) {
	synctest.Test(t, func(t *testing.T) {
		net := &simnet.Simnet{LatencyFunc: simnet.StaticLatency(20 * time.Millisecond)}
		link := simnet.LinkSettings{BitsPerSecond: 20 * simlibp2p.OneMbps}
		plug := func(i int) []libp2p.Option {
			return []libp2p.Option{
				libp2p.DisableIdentifyAddressDiscovery(),
				simlibp2p.QUICSimnet(net, simnet.NodeBiDiLinkSettings{Downlink: link, Uplink: link}),
				libp2p.ListenAddrStrings(simulatedAddr(i)),
			}
		}
		var hosts []*Host
		for i := range n {
			hosts = append(hosts, listen(t, func(c *Config) {
				withTopic(i, c)
				c.Profile = ProfileLAN
				c.Listen = []string{simulatedAddr(i)}
				c.options = plug(i)[:2]
				if i > 0 {
					c.Bootstrap = []peer.AddrInfo{info(hosts[0])}
				}
			}))
		}
		net.Start()
		defer net.Close()
		defer func() {
			for _, h := range hosts {
				_ = h.Close()
			}
		}()
		test(t, hosts, plug)
	})
}

func TestSixteenHostsFindAndGossipOverSlowLinks(t *testing.T) {
	simulated(t, 16, func(t *testing.T, hosts []*Host, _ func(int) []libp2p.Option) {
		var topics []*Topic
		for _, h := range hosts {
			topics = append(topics, join(t, h, accept))
		}
		elapse(t, 30*time.Second) // join, and a few heartbeats
		c := root(t, "shard")
		if err := hosts[9].Provide(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		for i, h := range hosts {
			if i == 9 {
				continue
			}
			n := 0
			for p, err := range h.FindProviders(t.Context(), c, 0) {
				if err != nil || p.ID != hosts[9].ID() {
					t.Errorf("host %d found %s: %v", i, p.ID, err)
				}
				n++
			}
			if n != 1 {
				t.Errorf("host %d found %d providers, want one", i, n)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		heard := make(chan int, len(hosts))
		for i, topic := range topics {
			inbox := topic.Messages(ctx)
			go func() {
				for m, err := range inbox {
					if err == nil && string(m.Data) == "an offer" {
						heard <- i
					}
					return
				}
			}()
		}
		if err := topics[4].Publish(t.Context(), []byte("an offer")); err != nil {
			t.Fatal(err)
		}
		for range hosts {
			select {
			case <-heard:
			case <-ctx.Done():
				t.Fatal("a host did not hear the message")
			}
		}
	})
}

func simulatedAddr(i int) string { return fmt.Sprintf("/ip4/1.0.0.%d/udp/8000/quic-v1", i+1) }

func TestAPeerThatSaysNoHelloIsDisconnected(t *testing.T) {
	simulated(t, 1, func(t *testing.T, hosts []*Host, plug func(int) []libp2p.Option) {
		key, _, err := lcrypto.GenerateSecp256k1Key(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		s, err := libp2p.New(append(plug(1), libp2p.Identity(key), libp2p.DisableMetrics())...)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Connect(t.Context(), info(hosts[0])); err != nil {
			t.Fatal(err)
		}
		elapse(t, helloTimeout/2)
		if len(s.Network().Conns()) != 1 || len(hosts[0].Peers()) != 0 {
			t.Errorf("halfway: %d connections, %d peers", len(s.Network().Conns()), len(hosts[0].Peers()))
		}
		elapse(t, helloTimeout/2+time.Second)
		if n := len(s.Network().Conns()); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

// elapse lets fake time pass.
func elapse(t *testing.T, d time.Duration) {
	t.Helper()
	<-time.After(d)
}
