package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/hl7"
	hl7api "github.com/trustedparty/ddcc-gateway/mediator/hl7/httpapi"
	mediatorapi "github.com/trustedparty/ddcc-gateway/mediator/httpapi"
	"github.com/trustedparty/ddcc-gateway/mediator/mllp"
)

// hl7v2Settings say which HL7 v2 messages are taken, and from whom (docs/hl7v2.md).
type hl7v2Settings struct {
	Listen     string   `name:"mllp-listen" help:"Address for HL7 v2 messages over MLLP with mutual TLS; empty: they come over HTTP alone (docs/hl7v2.md)." placeholder:"HOST:PORT"`
	Processing []string `name:"hl7v2-processing" default:"P" help:"Processing ids (MSH-11) that are taken: P, T (training) and D (debugging); production takes P alone." placeholder:"ID"`
	Systems    []string `name:"hl7v2-system" help:"URI of an assigning authority or coding system that senders name by a local name." placeholder:"NAME=URI"`
	HCIDType   string   `name:"hl7v2-hcid-type" help:"Identifier type or assigning authority in PID-3 that marks the Health Certificate ID; empty: none does." placeholder:"NAME"`
	Historical []string `name:"hl7v2-historical" help:"Issuers whose historical doses (RXA-9 other than 00) are certified, too." placeholder:"ISSUER"`
	Admissions []string `name:"hl7v2-admissions" help:"Issuers that may send patient administration (ADT), which writes to the FHIR server." placeholder:"ISSUER"`
}

// validate reports everything that is wrong at once.
func (s hl7v2Settings) validate(production bool, policy mediator.Policy) error {
	var errs []error
	for _, id := range s.Processing {
		if !slices.Contains([]string{"P", "T", "D"}, id) || production && id != "P" {
			errs = append(errs, config.Invalid("hl7v2-processing", "must be P, T or D, and P alone in production"))
		}
	}
	if _, _, err := net.SplitHostPort(s.Listen); s.Listen != "" && err != nil {
		errs = append(errs, config.Invalid("mllp-listen", "must be HOST:PORT"))
	}
	if len(s.Processing) == 0 {
		errs = append(errs, config.Invalid("hl7v2-processing", "must name at least one id"))
	}
	if _, err := s.systems(); err != nil {
		errs = append(errs, err)
	}
	for flag, ids := range map[string][]string{"hl7v2-historical": s.Historical, "hl7v2-admissions": s.Admissions} {
		for _, id := range ids {
			if !slices.ContainsFunc(policy.Issuers, func(p mediator.IssuerPolicy) bool { return p.ID == id }) {
				errs = append(errs, config.Invalid(flag, "names an issuer that is not in the issuers file"))
			}
		}
	}
	return errors.Join(errs...)
}

func (s hl7v2Settings) systems() (map[string]string, error) {
	out := map[string]string{}
	for _, pair := range s.Systems {
		name, uri, ok := strings.Cut(pair, "=")
		u, err := url.Parse(uri)
		if _, twice := out[name]; !ok || name == "" || err != nil || !u.IsAbs() || twice {
			return nil, config.Invalid("hl7v2-system", "must be NAME=URI with an absolute URI, each name once")
		}
		out[name] = uri
	}
	return out, nil
}

// hl7v2 wires the intake of HL7 v2 messages.
func (g *gateway) hl7v2(r gin.IRouter, edge mediatorapi.Deps, limiter hl7.Limiter) error {
	s := g.settings.HL7v2
	systems, err := s.systems()
	if err != nil {
		return err
	}
	records, err := g.patients()
	if err != nil {
		return err
	}
	service, err := hl7.New(hl7.Deps{
		Certifier: hl7.ByFolders(edge.Mediator), Limiter: limiter, Records: records, Clock: time.Now,
		Options: hl7.Options{Processing: s.Processing, Systems: systems, HCIDType: s.HCIDType, Historical: s.Historical, Admissions: s.Admissions},
	})
	if err != nil {
		return err
	}
	messages := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ddcc_hl7v2_messages_total", Help: "HL7 v2 messages by way, event and acknowledgement code.",
	}, []string{"via", "event", "code"})
	if err := g.process.Registry.Register(messages); err != nil {
		return err
	}
	hl7api.Register(r, hl7api.Deps{
		Service: countedMessages{service, messages, "http"}, Render: mediatorapi.Render,
		Authenticate: mediatorapi.Authenticator(edge.Issuers, edge.Relay), Issuer: mediatorapi.Issuer,
	})
	if s.Listen == "" {
		return nil
	}
	return g.mllp(edge.Issuers, countedMessages{service, messages, "mllp"})
}

// mllp opens the listener.
func (g *gateway) mllp(issuers mediator.Issuers, handler mllp.Handler) error {
	tls, err := tlsconf.NewServer(tlsconf.ServerOptions{
		Files: g.settings.TLS, Prefix: "tls-", Verify: mllp.VerifyIssuers(issuers),
		Report: func(err error) { g.process.Log.Warn("TLS files", slog.Any("error", err)) },
	})
	if err != nil {
		return err
	}
	server, err := mllp.NewServer(mllp.Options{
		Addr: g.settings.HL7v2.Listen, TLS: tls, Issuers: issuers, Handler: handler, Log: g.process.Log,
		Begin: beginMessage, Observe: g.recordMessage,
	})
	if err != nil {
		return err
	}
	address, err := server.Listen()
	if err != nil {
		return config.Invalid("mllp-listen", "%v", err)
	}
	g.tasks = append(g.tasks, func(ctx context.Context) error {
		g.process.Log.Info("MLLP listening", slog.String("address", address.String()))
		return server.Serve(ctx)
	})
	return nil
}

// countedMessages counts what a service says.
type countedMessages struct {
	hl7api.Service

	counter *prometheus.CounterVec
	via     string
}

// Process implements mllp.Handler and the HTTP route's service.
func (c countedMessages) Process(ctx context.Context, by mediator.IssuerPolicy, raw []byte) hl7.Answer {
	a := c.Service.Process(ctx, by, raw)
	code := a.Code
	if code == "" {
		code = "none"
	}
	c.counter.WithLabelValues(c.via, a.Event, code).Inc()
	return a
}
