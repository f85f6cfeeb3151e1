package main

import (
	"math/rand/v2"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/trustedparty/ddcc-gateway/internal/platform/task"
	"github.com/trustedparty/ddcc-gateway/mediator"
	mediatorapi "github.com/trustedparty/ddcc-gateway/mediator/httpapi"
	"github.com/trustedparty/ddcc-gateway/mediator/openhim"
)

// openhimParts are what other parts of the gateway need of OpenHIM.
type openhimParts struct {
	edge   *openhim.Edge // nil: no request comes through OpenHIM
	config openhim.Holder
}

// openhim wires the mediator's part towards OpenHIM.
func (g *gateway) openhim(endpoints []string) error {
	if !g.settings.runs(moduleMediator) {
		return nil
	}
	s := g.settings.OpenHIM
	policy, err := g.settings.policy()
	if err != nil {
		return err
	}
	issuers, err := mediator.NewIssuers(policy)
	if err != nil {
		return err
	}
	credentials, err := s.credentials()
	if err != nil {
		return err
	}
	if s.Name != "" {
		g.him.edge, err = openhim.NewEdge(openhim.EdgeOptions{
			Name: s.Name, URN: s.URN, Credentials: credentials, Clients: issuers, Clock: time.Now,
		})
		if err != nil {
			return err
		}
		if credentials == nil {
			g.process.Log.Warn("OpenHIM carries requests for nobody: openhim-channel-credentials is not set")
		}
	}
	if s.API == "" {
		return nil
	}
	return g.register(openhim.Bounds{Endpoints: endpoints, BatchEntries: g.settings.BatchEntries, BatchConcurrency: g.settings.BatchConcurrency})
}

func (g *gateway) register(b openhim.Bounds) error {
	s := g.settings.OpenHIM
	client, err := s.client()
	if err != nil {
		return err
	}
	registration, err := s.registration(g.process.Build.Version, b)
	if err != nil {
		return err
	}
	agent, err := openhim.NewAgent(openhim.AgentOptions{
		API: client, Registration: registration, Bounds: b, Config: &g.him.config, Interval: s.Heartbeat, ConfigEvery: s.ConfigEvery,
		Clock: time.Now, Wait: task.Sleep, Jitter: rand.Float64, Log: g.process.Log,
	})
	if err != nil {
		return err
	}
	g.tasks = append(g.tasks, agent.Run)
	return g.process.Registry.Register(&openhimMetrics{status: agent.Status, now: time.Now})
}

// around is what every request and its answer pass, whatever becomes of it: outside the form
// of OpenHIM, inside the record of transactions.
func (g *gateway) around() []gin.HandlerFunc {
	if !g.settings.runs(moduleMediator) {
		return nil
	}
	var all []gin.HandlerFunc
	if g.him.edge != nil {
		all = append(all, g.him.edge.Middleware())
	}
	return append(all, g.record())
}

// relay keeps a nil edge from becoming an interface that is not nil.
func (p *openhimParts) relay() mediatorapi.Relay {
	if p.edge == nil {
		return nil
	}
	return p.edge
}

// openhimMetrics tells how the mediator stands with OpenHIM, at the moment of the scrape.
type openhimMetrics struct {
	status func() openhim.Status
	now    func() time.Time
}

var (
	openhimRegistered = prometheus.NewDesc("ddcc_openhim_registered", "1: OpenHIM knows this mediator.", nil, nil)
	openhimStale      = prometheus.NewDesc("ddcc_openhim_definitions_stale", "1: OpenHIM keeps other definitions of this mediator than ours.", nil, nil)
	openhimAge        = prometheus.NewDesc("ddcc_openhim_heartbeat_age_seconds", "Time since OpenHIM took a heartbeat; +Inf: never since the start.", nil, nil)
	openhimFailed     = prometheus.NewDesc("ddcc_openhim_failed", "1: the last call of the management API failed.", nil, nil)
	openhimRefused    = prometheus.NewDesc("ddcc_openhim_config_refused", "1: what OpenHIM's console has set is not in use.", nil, nil)
)

// Describe implements prometheus.Collector.
func (m *openhimMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{openhimRegistered, openhimStale, openhimAge, openhimFailed, openhimRefused} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *openhimMetrics) Collect(out chan<- prometheus.Metric) {
	s := m.status()
	out <- gauge(openhimRegistered, truth(s.Registered))
	out <- gauge(openhimStale, truth(s.Stale))
	out <- gauge(openhimAge, secondsSince(s.Heartbeat, m.now()))
	out <- gauge(openhimFailed, truth(s.Err != nil))
	out <- gauge(openhimRefused, truth(s.ConfigRefused))
}
