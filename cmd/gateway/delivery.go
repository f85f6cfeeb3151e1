package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/delivery"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

// deliveries are the FHIR servers of this process, and how it is woken.
type deliveries struct {
	servers map[string]delivery.Server
	bell    *delivery.Bell
}

// outbox opens the FHIR servers, nil when there are none: then nothing is delivered.
func (g *gateway) outbox(secret []byte) (issuance.Outbox, error) {
	s := g.settings.FHIR
	listed, err := s.list()
	if err != nil {
		return nil, err
	}
	names, err := s.names()
	if err != nil || len(names) == 0 {
		return nil, err
	}
	servers := make(map[string]delivery.Server, len(listed)+1)
	if g.embedded != nil {
		if servers[embeddedServer], err = g.embeddedTarget(secret); err != nil {
			return nil, err
		}
	}
	for _, one := range listed {
		if one.ReadOnly {
			continue
		}
		c, err := g.fhirClient(one, secret)
		if err != nil {
			return nil, err
		}
		servers[one.Name] = delivery.Over(c)
	}
	g.fhir = deliveries{servers: servers, bell: delivery.NewBell(func() string {
		if chosen := g.him.config.FHIREndpoint(); servers[chosen] != nil {
			return chosen
		}
		return names[0]
	})}
	return g.fhir.bell, nil
}

// deliver runs the worker that empties the outbox, if certificates are delivered anywhere.
func (g *gateway) deliver(service *issuance.Service) error {
	if g.fhir.bell == nil {
		return nil
	}
	s, queue := g.settings.FHIR, service.Deliveries()
	worker, err := delivery.New(delivery.Options{
		Queue: queue, Bell: g.fhir.bell, Log: g.process.Log, Clock: time.Now, Workers: s.Workers, Poll: s.Poll, Observe: g.recordAttempt,
		Servers: func(name string) (delivery.Server, bool) {
			server, known := g.fhir.servers[name]
			return server, known
		},
	})
	if err != nil {
		return err
	}
	g.transactions.replayer = queue
	g.tasks = append(g.tasks, worker.Run)
	return g.process.Registry.Register(&deliveryMetrics{status: worker.Status, now: time.Now})
}

// recordAttempt puts attempts that failed into the record of transactions; of those that did
// not, the request that issued the certificate is the record.
func (g *gateway) recordAttempt(ctx context.Context, a delivery.Attempt) {
	if a.Code == "" || g.transactions.recorder == nil {
		return
	}
	g.transactions.recorder.RecordDelivery(transaction.Delivery{
		Started: a.Began, Took: a.Took, Client: a.Issuer, Certificate: a.CertificateID, Outcome: a.Code, Legs: orchestration.From(ctx),
	})
}

// fhirTransport records the calls of a FHIR server.
func fhirTransport(base string, digestKey []byte) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return orchestration.Transport(orchestration.TransportOptions{
			Next: next, Group: "fhir", Describe: fhirCall(base), DigestKey: digestKey, Clock: time.Now,
		})
	}
}

// fhirCall names the calls of a FHIR server; ids become parameters.
func fhirCall(base string) func(*http.Request) orchestration.Call {
	base = strings.TrimRight(base, "/")
	return func(r *http.Request) orchestration.Call {
		path := strings.Trim(strings.TrimPrefix(r.URL.Scheme+"://"+r.URL.Host+r.URL.Path, base), "/")
		typ, rest, _ := strings.Cut(path, "/")
		switch {
		case path == "" && r.Method == http.MethodPost:
			return orchestration.Call{Name: "transaction", Path: "/"}
		case !client.ValidType(typ):
			return orchestration.Call{Name: "other", Path: "/"}
		case rest == "_search":
			return orchestration.Call{Name: "search " + typ, Path: "/" + typ + "/_search"}
		case r.Method == http.MethodGet && rest != "":
			return orchestration.Call{Name: "read " + typ, Path: "/" + typ + "/{id}"}
		case r.Method == http.MethodPut && rest != "":
			return orchestration.Call{Name: "update " + typ, Path: "/" + typ + "/{id}"}
		}
		return orchestration.Call{Name: "other", Path: "/" + typ}
	}
}

// deliveryMetrics tells how deliveries stand, at the moment of the scrape.
type deliveryMetrics struct {
	status func() []delivery.Target
	now    func() time.Time
}

var (
	deliveryWaiting = prometheus.NewDesc("ddcc_delivery_waiting", "Certificates and revocations that a FHIR server is still to be told of, as counted at most a few minutes ago.", []string{"server"}, nil)
	deliveryOldest  = prometheus.NewDesc("ddcc_delivery_oldest_seconds", "How long the one of them waits that waits longest; 0: none waits.", []string{"server"}, nil)
	deliveryPaused  = prometheus.NewDesc("ddcc_delivery_paused", "1: the FHIR server is away or broken and is left alone for a while.", []string{"server"}, nil)
	deliveryTotal   = prometheus.NewDesc("ddcc_deliveries_total", "Attempts since the start: delivered, refused for good (an operator has to look), failed (repeated).", []string{"server", "outcome"}, nil)
)

// Describe implements prometheus.Collector.
func (m *deliveryMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{deliveryWaiting, deliveryOldest, deliveryPaused, deliveryTotal} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *deliveryMetrics) Collect(out chan<- prometheus.Metric) {
	for _, t := range m.status() {
		oldest := 0.0
		if !t.Oldest.IsZero() {
			oldest = secondsSince(t.Oldest, m.now())
		}
		out <- gauge(deliveryWaiting, float64(t.Waiting), t.Name)
		out <- gauge(deliveryOldest, oldest, t.Name)
		out <- gauge(deliveryPaused, truth(t.Paused), t.Name)
		for outcome, n := range map[string]int{"delivered": t.Delivered, "refused": t.Refused, "failed": t.Failed} {
			out <- prometheus.MustNewConstMetric(deliveryTotal, prometheus.CounterValue, float64(n), t.Name, outcome)
		}
	}
}
