package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// batchMetrics shows how well concurrent signatures share a request to the key store.
type batchMetrics struct {
	digests, wait, took prometheus.Histogram
}

func newBatchMetrics(registry prometheus.Registerer) (*batchMetrics, error) {
	times := []float64{.0001, .0002, .0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5}
	m := &batchMetrics{
		digests: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "signer_batch_digests", Help: "Digests in one request to the key store.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256},
		}),
		wait: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "signer_batch_wait_seconds", Help: "How long the first digest of a batch waited for company.", Buckets: times,
		}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "signer_batch_duration_seconds", Help: "How long the key store took for a batch.", Buckets: times,
		}),
	}
	for _, c := range []prometheus.Collector{m.digests, m.wait, m.took} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// registerStatement shows how old the signed trust list is.
func registerStatement(registry prometheus.Registerer, madeAt func() time.Time) error {
	return registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "signer_statement_made_seconds",
		Help: "When the last statement about the keys was signed, Unix time, 0 before the first; alarm at three quarters of its validity.",
	}, func() float64 {
		if at := madeAt(); !at.IsZero() {
			return float64(at.Unix())
		}
		return 0
	}))
}

// life shows what readiness does not: the emergency stop, and until when each usage has a
// key that signs.
type life struct {
	stopped func() bool
	keys    func(context.Context) ([]signing.KeyStatus, error)
}

var (
	stopDesc  = prometheus.NewDesc("signer_emergency_stop", "1 while an emergency stop stands and nothing is signed.", nil, nil)
	untilDesc = prometheus.NewDesc("signer_signs_until_seconds",
		"When the last registered key of a usage stops to sign, Unix time; alarm a month before.", []string{"usage"}, nil)
)

func registerLife(registry prometheus.Registerer, stopped func() bool, keys func(context.Context) ([]signing.KeyStatus, error)) error {
	return registry.Register(life{stopped, keys})
}

// Describe implements prometheus.Collector.
func (l life) Describe(out chan<- *prometheus.Desc) {
	out <- stopDesc
	out <- untilDesc
}

// Collect implements prometheus.Collector.
func (l life) Collect(out chan<- prometheus.Metric) {
	stop := 0.0
	if l.stopped() {
		stop = 1
	}
	out <- prometheus.MustNewConstMetric(stopDesc, prometheus.GaugeValue, stop)
	keys, err := l.keys(context.Background())
	if err != nil {
		return
	}
	until := map[string]time.Time{}
	for _, k := range keys {
		switch keystore.State(k.State) {
		case keystore.StatePlanned, keystore.StatePublished, keystore.StateActive:
			if k.SignsUntil.After(until[k.Usage]) {
				until[k.Usage] = k.SignsUntil
			}
		}
	}
	for usage, end := range until {
		out <- prometheus.MustNewConstMetric(untilDesc, prometheus.GaugeValue, float64(end.Unix()), usage)
	}
}

// observe is told of every batch.
func (m *batchMetrics) observe(digests int, wait, took time.Duration) {
	m.digests.Observe(float64(digests))
	m.wait.Observe(wait.Seconds())
	m.took.Observe(took.Seconds())
}
