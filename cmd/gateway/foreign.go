package main

import (
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/trust/foreign"
)

// foreignTimeout bounds the fetch of one list, which may be 16 MiB.
const foreignTimeout = time.Minute

// foreignSettings say which trust lists of others are imported.
type foreignSettings struct {
	Sources string        `help:"JSON file that says which trust lists of others are imported and why they are believed (docs/foreign-trust.md); empty: none." placeholder:"FILE"`
	Refresh time.Duration `default:"1h" help:"How often each of these lists is fetched."`
	Retry   time.Duration `default:"1m" help:"How soon a fetch that failed is repeated, and how often lists that an operator imports by hand are looked for."`
}

// Validate checks what needs no file.
func (s foreignSettings) Validate() error {
	switch {
	case s.Refresh <= 0:
		return config.Invalid("foreign-refresh", "must be positive")
	case s.Retry <= 0 || s.Retry > s.Refresh:
		return config.Invalid("foreign-retry", "must be positive and not longer than foreign-refresh")
	}
	return nil
}

// foreign wires the import of the trust lists of others, if there is one.
func (g *gateway) foreign() error {
	s := g.settings
	if s.Foreign.Sources == "" {
		return nil
	}
	if err := os.MkdirAll(s.foreignDir(), 0o700); err != nil {
		return err
	}
	store, err := newForeign(s, g.process.Log)
	if err != nil {
		return err
	}
	g.imported = store
	g.tasks = append(g.tasks, store.Run)
	return g.process.Registry.Register(&foreignMetrics{status: store.Status, now: time.Now})
}

// foreignDir is where the documents are kept, and where an operator's tool puts them.
func (s *settings) foreignDir() string { return filepath.Join(s.DataDir, "foreign") }

// newForeign reads the file of sources and what is kept of them.
func newForeign(s settings, log *slog.Logger) (*foreign.Store, error) {
	sources, err := foreign.ReadSources(s.Foreign.Sources, foreignTimeout, time.Now)
	if err != nil {
		return nil, config.Invalid("foreign-sources", "%v", err)
	}
	store, err := foreign.New(foreign.Config{
		Dir: s.foreignDir(), Sources: sources, Interval: s.Foreign.Refresh, Retry: s.Foreign.Retry,
		Timeout: foreignTimeout, Now: time.Now, Log: log,
	})
	if err != nil {
		return nil, config.Invalid("foreign-sources", "%v", err)
	}
	return store, nil
}

// foreignMetrics tells how fresh the lists of others are, at the moment of the scrape.
type foreignMetrics struct {
	status func() []foreign.Status
	now    func() time.Time
}

var (
	foreignEntries = prometheus.NewDesc("ddcc_foreign_list_entries", "Keys in the last good document of a foreign trust list.", []string{"source"}, nil)
	foreignAge     = prometheus.NewDesc("ddcc_foreign_list_age_seconds", "Age of the last good document of a foreign trust list; +Inf: there is none.", []string{"source"}, nil)
	foreignStale   = prometheus.NewDesc("ddcc_foreign_list_stale", "1: the foreign trust list is too old or was never had, and its keys are not used.", []string{"source"}, nil)
)

// Describe implements prometheus.Collector.
func (m *foreignMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{foreignEntries, foreignAge, foreignStale} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *foreignMetrics) Collect(out chan<- prometheus.Metric) {
	now := m.now()
	for _, s := range m.status() {
		out <- gauge(foreignEntries, float64(s.Entries+s.Keys), s.Name)
		out <- gauge(foreignAge, secondsSince(s.Imported, now), s.Name)
		out <- gauge(foreignStale, truth(s.Stale), s.Name)
	}
}

func gauge(desc *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

// secondsSince is endless for what never was, so that an alarm on age rings then, too.
func secondsSince(at, now time.Time) float64 {
	if at.IsZero() {
		return math.Inf(1)
	}
	return max(0, now.Sub(at).Seconds())
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
