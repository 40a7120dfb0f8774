package p2p

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts what this package drops or refuses; libp2p counts the rest.
type metrics struct {
	registry prometheus.Registerer // nil without a registry
	dropped  *prometheus.CounterVec
	refused  *prometheus.CounterVec
	streams  *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		registry: r,
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tally_p2p_messages_dropped_total", Help: "Gossip messages that a slow consumer lost, oldest first.",
		}, []string{"topic"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tally_p2p_streams_refused_total", Help: "Inbound streams over a limit.",
		}, []string{"protocol"}),
		streams: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tally_p2p_streams_served_total", Help: "Inbound streams by outcome.",
		}, []string{"protocol", "outcome"}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range m.all() {
		if err := r.Register(c); err != nil {
			return m, fmt.Errorf("p2p: metrics: %w: give each host a registry of its own", err)
		}
	}
	return m, nil
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.dropped, m.refused, m.streams}
}

func (m *metrics) unregister() {
	if m.registry == nil {
		return
	}
	for _, c := range m.all() {
		m.registry.Unregister(c)
	}
}
