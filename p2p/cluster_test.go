package p2p

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/x/simlibp2p"
	"github.com/marcopolo/simnet"
)

// simulated runs test with n hosts that join through the first, over simulated
// links of 20 Mbit/s and 20 ms each way, in fake time.
func simulated(t *testing.T, n int, test func(t *testing.T, hosts []*Host)) {
	synctest.Test(t, func(t *testing.T) {
		net := &simnet.Simnet{LatencyFunc: simnet.StaticLatency(20 * time.Millisecond)}
		link := simnet.LinkSettings{BitsPerSecond: 20 * simlibp2p.OneMbps}
		var hosts []*Host
		for i := range n {
			hosts = append(hosts, listen(t, func(c *Config) {
				withTopic(i, c)
				c.Profile = ProfileLAN
				c.Listen = []string{fmt.Sprintf("/ip4/1.0.0.%d/udp/8000/quic-v1", i+1)}
				c.options = []libp2p.Option{
					libp2p.DisableIdentifyAddressDiscovery(),
					simlibp2p.QUICSimnet(net, simnet.NodeBiDiLinkSettings{Downlink: link, Uplink: link}),
				}
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
		test(t, hosts)
	})
}

func TestSixteenHostsFindAndGossipOverSlowLinks(t *testing.T) {
	simulated(t, 16, func(t *testing.T, hosts []*Host) {
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

// elapse lets fake time pass.
func elapse(t *testing.T, d time.Duration) {
	t.Helper()
	<-time.After(d)
}
