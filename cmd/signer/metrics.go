package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
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

// registerStop shows the emergency stop, which readiness does not.
func registerStop(registry prometheus.Registerer, stopped func() bool) error {
	return registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "signer_emergency_stop", Help: "1 while an emergency stop stands and nothing is signed.",
	}, func() float64 {
		if stopped() {
			return 1
		}
		return 0
	}))
}

// observe is told of every batch.
func (m *batchMetrics) observe(digests int, wait, took time.Duration) {
	m.digests.Observe(float64(digests))
	m.wait.Observe(wait.Seconds())
	m.took.Observe(took.Seconds())
}
