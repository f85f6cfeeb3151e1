package main

import (
	"context"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/healthlink"
	healthlinkapi "github.com/trustedparty/ddcc-gateway/issuance/healthlink/httpapi"
	mediatorapi "github.com/trustedparty/ddcc-gateway/mediator/httpapi"
)

// healthLinks wires SMART Health Links; without a public address there are none.
func (g *gateway) healthLinks(r gin.IRouter, store docstore.Store, service *issuance.Service, secret []byte) (*healthlink.Service, error) {
	s := g.settings
	if s.PublicURL == "" {
		return nil, nil //nolint:nilnil // switched off, which is no error
	}
	links, err := healthlink.New(healthlink.Deps{Store: store, Source: linkedFiles{service}, Secret: secret, BaseURL: s.PublicURL})
	if err != nil {
		return nil, err
	}
	return links, healthlinkapi.Register(r, healthlinkapi.Config{Links: links, PerSecond: s.HealthLinkRate, Burst: s.HealthLinkBurst})
}

// withdrawer gives the links of revoked certificates back; nil without links.
func withdrawer(publicURL string, links **healthlink.Service) func() issuance.Withdrawer {
	if publicURL == "" {
		return nil
	}
	return func() issuance.Withdrawer { return *links }
}

// linkRoutes keeps a nil service from becoming an interface that is not nil.
func linkRoutes(links *healthlink.Service) mediatorapi.Links {
	if links == nil {
		return nil
	}
	return links
}

// linkedFiles is what a link shows: the SMART Health Card where the certificate has one,
// which every reader of such links understands, else the DDCC document. It is one file, so
// that a link may be direct.
type linkedFiles struct{ service *issuance.Service }

// Files implements healthlink.Source.
func (l linkedFiles) Files(ctx context.Context, issuer issuance.Issuer, certificateID string) ([]healthlink.File, error) {
	out, err := l.service.Get(ctx, issuer, certificateID)
	if err != nil {
		return nil, err
	}
	card, ok, err := out.HealthCardFile()
	switch {
	case err != nil:
		return nil, err
	case ok:
		return []healthlink.File{{ContentType: shlink.HealthCard, Content: card}}, nil
	default:
		return []healthlink.File{{ContentType: shlink.FHIR, Content: out.Document}}, nil
	}
}
