package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/server"
	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/issuance/delivery"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

// embeddedServer is the name of the embedded FHIR server among the others.
const embeddedServer = "embedded"

// embeddedSettings switch a FHIR server of our own on (docs/embedded-fhir-server.md).
type embeddedSettings struct {
	Embedded bool     `help:"Keep a FHIR server in the data directory (fhir.db, in the clear: not for production); certificates are delivered to it as the server \"embedded\"."`
	Clients  []string `name:"embedded-clients" help:"Names of client certificates that may use it under /fhir; without any nobody does." placeholder:"NAME"`
	Base     string   `name:"embedded-base" help:"URL under which they reach it." placeholder:"https://HOST:PORT/fhir"`
}

func (s embeddedSettings) problems(production bool) []error {
	var errs []error
	if s.Embedded && production {
		errs = append(errs, config.Invalid("fhir-embedded", "keeps everything in the clear; production refuses it"))
	}
	if !s.Embedded && (len(s.Clients) > 0 || s.Base != "") {
		errs = append(errs, config.Invalid("fhir-embedded-clients", "and fhir-embedded-base mean nothing without fhir-embedded"))
	}
	if (len(s.Clients) > 0) != (s.Base != "") {
		errs = append(errs, config.Invalid("fhir-embedded-base", "and fhir-embedded-clients belong together"))
	}
	return errs
}

// openFHIR opens the embedded FHIR server, if there is one.
func (g *gateway) openFHIR(ctx context.Context) (closeIt func() error, err error) {
	s := g.settings.FHIR
	if !s.Embedded {
		return func() error { return nil }, nil
	}
	g.embedded, err = server.Open(ctx, server.Options{
		Path: filepath.Join(g.settings.DataDir, "fhir.db"), Log: g.process.Log, Clock: time.Now, Version: g.process.Build.Version,
		Base: s.Base, Clients: s.Clients,
	})
	if err != nil {
		return nil, err
	}
	return g.embedded.Close, nil
}

// embeddedRoutes opens the embedded FHIR server to its clients.
func (g *gateway) embeddedRoutes(r gin.IRouter) error {
	if g.embedded == nil || len(g.settings.FHIR.Clients) == 0 {
		return nil
	}
	return g.embedded.Register(r)
}

// embeddedTarget is the embedded FHIR server as one that certificates are delivered to.
func (g *gateway) embeddedTarget(secret []byte) (delivery.Server, error) {
	c, err := client.New(client.Options{
		Base: server.EmbeddedBase, InProcess: true, Timeout: g.settings.FHIR.Timeout, Attempts: 1, Clock: time.Now,
		Transport: fhirTransport(server.EmbeddedBase, transaction.DigestKey(secret))(g.embedded.Transport()),
	})
	if err != nil {
		return nil, err
	}
	return delivery.Over(c), nil
}
