package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/signing/client"
	"github.com/trustedparty/ddcc-gateway/trust"
	trustapi "github.com/trustedparty/ddcc-gateway/trust/httpapi"
)

// keys follows what the signing service says about its keys.
func (g *gateway) keys() error {
	s := g.settings
	anchors, err := trust.ReadAnchors(s.TrustCSCA)
	if err != nil {
		return err
	}
	g.publisher, err = trust.NewPublisher(trust.PublisherConfig{
		Source: statementSource{signer: g.signer, did: s.TrustDID != ""}, Anchors: anchors, Country: s.TrustCountry,
		DID: s.TrustDID, SHCIssuer: s.SHCIssuer, CardLists: g.cardLists, Cache: filepath.Join(s.DataDir, "trust-statement.json"),
		Interval: s.TrustRefresh, Retry: min(time.Second, s.TrustRefresh), Timeout: s.SignerTimeout,
		Now: time.Now, Log: g.process.Log,
	})
	if err != nil {
		return err
	}
	g.tasks = append(g.tasks, g.publisher.Run)
	return nil
}

// cardLists gives the counter of a key's card revocation list as it is published.
func (g *gateway) cardLists(thumbprint string) (uint64, bool) {
	if g.revocations == nil {
		return 0, false
	}
	current, err := g.revocations.Current()
	if err != nil {
		return 0, false
	}
	return current.CRLVersion(thumbprint)
}

// ownKeys is what the signing service stated last about its keys.
func (g *gateway) ownKeys() *trust.TrustList {
	current, err := g.publisher.Current()
	if err != nil {
		return nil
	}
	return &current.Trust
}

// trust wires the publication of keys.
func (g *gateway) trust(r gin.IRouter) error {
	s := g.settings
	return trustapi.Register(r, trustapi.Config{
		Publications: g.publisher, MaxAge: s.TrustMaxAge, DID: s.TrustDID, Now: time.Now, Render: httpx.Problem,
	})
}

// statementSource asks the signing service what it says about its keys.
type statementSource struct {
	signer *client.Client
	did    bool // a DID document is published
}

// Statement asks the signing service.
func (s statementSource) Statement(ctx context.Context) (trust.Signed, error) {
	statement, err := s.signer.Statement(ctx)
	if err != nil {
		return trust.Signed{}, err
	}
	signed := trust.Signed{JWS: []byte(statement.JWS)}
	if s.did {
		signed.DID = statement.DID
	}
	return signed, nil
}
