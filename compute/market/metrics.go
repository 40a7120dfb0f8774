package market

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts what one side does.
type metrics struct {
	claims   *prometheus.CounterVec // by result: claimed, declined, failed
	receipts *prometheus.CounterVec // by kind
	settled  prometheus.Counter
	failures *prometheus.CounterVec // jobs that went to a fallback or ended, by kind
}

func newMetrics(r prometheus.Registerer, side string) (*metrics, error) {
	label := prometheus.Labels{"side": side}
	m := &metrics{
		claims: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tally_market_claims_total", Help: "Offers asked for or answered, by result.", ConstLabels: label,
		}, []string{"result"}),
		receipts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tally_market_receipts_total", Help: "Receipts issued or co-signed, by kind.", ConstLabels: label,
		}, []string{"kind"}),
		settled: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tally_market_settled_total", Help: "Settlements acknowledged.", ConstLabels: label,
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tally_market_failures_total", Help: "Work that one worker did not finish, by kind.", ConstLabels: label,
		}, []string{"kind"}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.claims, m.receipts, m.settled, m.failures} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("%w: register metrics: %w", ErrConfig, err)
		}
	}
	return m, nil
}
