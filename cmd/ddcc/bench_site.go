package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// benchSite is a signer and a gateway in processes of their own, with an installation and
// stores of their own.
type benchSite struct {
	install         devinstall.Installation
	signer, gateway *devinstall.Child
	issuer          *issuer
	events          benchEvents
	issued          atomic.Int64 // requests sent; the number of the last event

	mu      sync.Mutex
	samples []benchSample
}

// benchSample is a certificate kept to be verified after the measurement.
type benchSample struct {
	hcid     string
	document []byte
}

// One answer in sampleEvery is kept, maxSamples at most.
const (
	sampleEvery = 100
	maxSamples  = 200
)

func (b *bench) firstSite() (*benchSite, error) {
	if b.first == nil {
		site, err := b.site(b.install)
		if err != nil {
			return nil, err
		}
		b.first = site
	}
	return b.first, nil
}

// site starts the processes of an installation.
func (b *bench) site(install devinstall.Installation) (*benchSite, error) {
	if _, err := os.Stat(string(install)); errors.Is(err, os.ErrNotExist) {
		if err := b.create(install); err != nil {
			return nil, err
		}
	}
	if err := install.LimitIssuer(1e6, 1e6); err != nil { // the limit is not what is measured
		return nil, err
	}
	s := &benchSite{install: install, events: b.events}
	b.sites = append(b.sites, s)
	ctx, cancel := context.WithTimeout(b.ctx, startLimit)
	defer cancel()
	var signerAddress, gatewayAddress string
	var err error
	if s.signer, signerAddress, err = b.start(ctx, "signer", install, install.SignerArgs("127.0.0.1:0", b.SignerFlag...)); err != nil {
		return nil, err
	}
	if err := install.Register(ctx, signerAddress); err != nil {
		return nil, err
	}
	if s.gateway, gatewayAddress, err = b.start(ctx, "gateway", install, install.GatewayArgs("127.0.0.1:0", signerAddress)); err != nil {
		return nil, err
	}
	s.issuer, err = gatewayFlags{
		Gateway: "https://" + gatewayAddress, CA: install.Path("tls", "ca.pem"),
		Cert: install.Path("tls", "issuer.pem"), Key: install.Path("tls", "issuer.key"),
	}.open()
	return s, err
}

func (b *bench) start(ctx context.Context, name string, install devinstall.Installation, args []string) (*devinstall.Child, string, error) {
	// The process is not bound to ctx: it lives until the end of the run.
	child, err := devinstall.Start(context.WithoutCancel(b.ctx), name, filepath.Join(b.Bin, name), install.Path(name+".log"), args)
	if err != nil {
		return nil, "", err
	}
	address, err := child.Listening(ctx)
	return child, address, err
}

func (s *benchSite) stop() {
	for _, c := range []*devinstall.Child{s.gateway, s.signer} {
		if c != nil {
			c.Stop()
		}
	}
}

// issue has the next event certified. Anything but a new certificate is an error.
func (s *benchSite) issue(ctx context.Context) error {
	n := s.issued.Add(1)
	response, hcid := s.events.event(n)
	a, err := s.issuer.post(ctx, "/ddcc/QuestionnaireResponse/$generateHealthCertificate", response)
	if err != nil {
		return err
	}
	if a.status != http.StatusCreated {
		return fmt.Errorf("request %d was answered %d: %s", n, a.status, bytes.TrimSpace(a.body))
	}
	if n%sampleEvery == 0 {
		s.keep(benchSample{hcid, a.body})
	}
	return nil
}

func (s *benchSite) keep(sample benchSample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.samples) < maxSamples {
		s.samples = append(s.samples, sample)
	}
}

// verify checks the kept documents and the certificates in them with the published keys,
// and gives how many there were.
func (s *benchSite) verify(ctx context.Context) (int, error) {
	raw, err := s.issuer.fetch(ctx, "/trust/trustlist.json")
	if err != nil {
		return 0, err
	}
	list, err := trust.ParseList(raw, trust.Limits{})
	if err != nil {
		return 0, err
	}
	verifier := verification.Verifier{List: list.List}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.samples) == 0 {
		return 0, errors.New("no certificate was kept to be verified")
	}
	for _, sample := range s.samples {
		if err := checkCertificate(verifier.VerifyDocument(sample.document), sample.hcid); err != nil {
			return 0, err
		}
	}
	return len(s.samples), nil
}
