package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	formats "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/signing/client"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
	revocationapi "github.com/trustedparty/ddcc-gateway/trust/revocation/httpapi"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// revocationTimeout bounds one refresh of the lists: reading ten million revocations takes
// minutes.
const revocationTimeout = 15 * time.Minute

// publishRevocations wires the publication of what issuance revoked.
func (g *gateway) publishRevocations(service *issuance.Service) error {
	s := g.settings
	var err error
	g.revocations, err = revocation.NewPublisher(revocation.PublisherConfig{
		Source: service, Signer: manifestSigner{g.signer}, Keys: g.revocationKeys, Country: s.TrustCountry,
		Dir: filepath.Join(s.DataDir, "revocation"), Interval: s.RevocationRefresh, Retry: min(time.Minute, s.RevocationRefresh),
		Timeout: revocationTimeout, Now: time.Now, Log: g.process.Log,
	})
	if err != nil {
		return err
	}
	g.tasks = append(g.tasks, g.revocations.Run)
	return g.process.Registry.Register(&revocationMetrics{stats: g.revocations.Stats, now: time.Now})
}

// revocationRoutes serves the lists.
func (g *gateway) revocationRoutes(r gin.IRoutes) error {
	return revocationapi.Register(r, revocationapi.Config{
		Publications: g.revocations, MaxAge: min(g.settings.TrustMaxAge, g.settings.RevocationRefresh), Now: time.Now, Render: httpx.Problem,
	})
}

// revocationKeys are the keys in force, under which a manifest must have been signed.
func (g *gateway) revocationKeys() (revocation.Keys, error) {
	current, err := g.publisher.Current()
	if err != nil {
		return nil, err
	}
	return current.Trust.List, nil
}

// revokedSet is what is published as revoked, as a verifier sees it; nil before the first
// publication. It is read once a publication.
func (g *gateway) revokedSet() verification.Revocations {
	current, err := g.revocations.Current()
	if err != nil {
		return nil
	}
	if known := g.revoked.Load(); known != nil && known.of == current {
		return known.set
	}
	keys, err := g.revocationKeys()
	if err != nil {
		return nil
	}
	set, err := revocation.Load(current.Files(), keys, time.Now())
	if err != nil {
		g.process.Log.Error("published revocation lists cannot be read", slog.Any("error", err))
		return nil
	}
	g.revoked.Store(&publishedSet{current, set})
	return set
}

// publishedSet is the set of one publication.
type publishedSet struct {
	of  *revocation.Publication
	set *revocation.Set
}

// manifestSigner asks the signing service.
type manifestSigner struct{ client *client.Client }

// SignRevocations implements revocation.Signer.
func (m manifestSigner) SignRevocations(ctx context.Context, claims formats.Claims) ([]byte, error) {
	manifest, err := m.client.SignRevocations(ctx, claims)
	return []byte(manifest.JWS), err
}

// revocationMetrics tells how fresh the lists are, at the moment of the scrape.
type revocationMetrics struct {
	stats func() revocation.Stats
	now   func() time.Time
}

var (
	revocationCount   = prometheus.NewDesc("ddcc_revocations", "Revoked certificates on the published lists.", nil, nil)
	revocationRefused = prometheus.NewDesc("ddcc_revocations_refused", "Revocations of the last refresh that cannot be published.", nil, nil)
	revocationAge     = prometheus.NewDesc("ddcc_revocation_list_age_seconds", "Age of the published lists; +Inf: there are none.", nil, nil)
	revocationTook    = prometheus.NewDesc("ddcc_revocation_refresh_seconds", "How long the last refresh of the lists took.", nil, nil)
)

// Describe implements prometheus.Collector.
func (m *revocationMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{revocationCount, revocationRefused, revocationAge, revocationTook} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *revocationMetrics) Collect(out chan<- prometheus.Metric) {
	s := m.stats()
	out <- gauge(revocationCount, float64(s.Revocations))
	out <- gauge(revocationRefused, float64(s.Refused))
	out <- gauge(revocationAge, secondsSince(s.IssuedAt, m.now()))
	out <- gauge(revocationTook, s.Took.Seconds())
}
