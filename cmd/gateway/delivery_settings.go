package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
)

// fhirSettings say to which FHIR server certificates are delivered (docs/delivery.md).
type fhirSettings struct {
	Servers  string        `help:"JSON file with the FHIR servers that certificates can be delivered to (docs/delivery.md); empty: they are delivered nowhere." placeholder:"FILE"`
	Endpoint string        `help:"Name of the server in that file that certificates are delivered to, unless OpenHIM's console chooses another of them; empty: the first." placeholder:"NAME"`
	Timeout  time.Duration `default:"10s" help:"Longest wait for one answer of a FHIR server."`
	Workers  int           `default:"8" help:"Folders that certificates are delivered into at a time."`
	Poll     time.Duration `default:"30s" help:"How often the outbox is looked at for what another replica issued or a crash left behind."`

	embeddedSettings `embed:""`
}

// fhirServer is one entry of the file.
type fhirServer struct {
	Name       string            `json:"name"`
	Base       string            `json:"base"`       // https://host/fhir
	CA         string            `json:"ca"`         // PEM file; required for https
	Cert       string            `json:"cert"`       // PEM file of the own certificate; may be empty
	Key        config.SecretFile `json:"key"`        // and of its key
	ServerName string            `json:"serverName"` // in the server's certificate; empty: the host of base
	Token      config.SecretFile `json:"token"`      // file with a bearer token, read anew for each call; may be empty
	ReadOnly   bool              `json:"readOnly"`   // nothing is delivered to it: it has structure maps, or notifies
}

// maxServers bounds the file, of which one is usual, and maxCA one with CAs.
const (
	maxServers = 16
	maxCA      = 1 << 20
)

var serverName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// list reads the file; without one there are no servers.
func (s fhirSettings) list() ([]fhirServer, error) {
	if s.Servers == "" {
		return nil, nil
	}
	var file struct {
		Servers []fhirServer `json:"servers"`
	}
	if err := config.DecodeFile(s.Servers, &file); err != nil {
		return nil, config.Invalid("fhir-servers", "%v", err)
	}
	return file.Servers, nil
}

// names are those of the servers, the one in use first.
func (s fhirSettings) names() ([]string, error) {
	servers, err := s.list()
	var names []string
	for _, one := range servers {
		if !one.ReadOnly {
			names = append(names, one.Name)
		}
	}
	if s.Embedded {
		names = append(names, embeddedServer)
	}
	if i := slices.Index(names, s.Endpoint); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, s.Endpoint)
	}
	return names, err
}

// validate checks what needs no file but the list itself.
func (s fhirSettings) validate(production bool) error {
	errs := s.problems(production)
	if s.Timeout <= 0 || s.Poll <= 0 || s.Workers < 1 || s.Workers > 256 {
		errs = append(errs, config.Invalid("fhir-timeout", "and fhir-poll must be positive, fhir-workers from 1 to 256"))
	}
	servers, err := s.list()
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	if s.Servers != "" && (len(servers) == 0 || len(servers) > maxServers) {
		errs = append(errs, config.Invalid("fhir-servers", "must name from 1 to %d servers", maxServers))
	}
	seen := map[string]bool{embeddedServer: s.Embedded}
	for i, one := range servers {
		if problem := one.problem(production); problem != "" {
			errs = append(errs, config.Invalid("fhir-servers", "servers[%d]: %s", i, problem))
		}
		if seen[one.Name] {
			errs = append(errs, config.Invalid("fhir-servers", "servers[%d]: the name was given before", i))
		}
		seen[one.Name] = true
	}
	if names, _ := s.names(); s.Endpoint != "" && !slices.Contains(names, s.Endpoint) {
		errs = append(errs, config.Invalid("fhir-endpoint", "names no server of the file fhir-servers that certificates can be delivered to"))
	}
	return errors.Join(errs...)
}

func (f fhirServer) problem(production bool) string {
	https := strings.HasPrefix(f.Base, "https://")
	switch {
	case f.Name == embeddedServer:
		return "name is that of the gateway's own server"
	case !serverName.MatchString(f.Name):
		return "name must be 1 to 64 small letters, digits, dots, hyphens and underscores"
	case production && !https:
		return "base must begin with https:// in production"
	case https && f.CA == "":
		return "ca is missing: the PEM file with the CAs of the server's certificate"
	case !https && (f.CA != "" || f.Cert != "" || f.Key.IsSet() || f.ServerName != ""):
		return "base is not https, but there are settings of TLS"
	case (f.Cert == "") != !f.Key.IsSet():
		return "cert and key belong together"
	}
	if _, err := client.New(client.Options{Base: f.Base, AllowHTTP: !production, Transport: http.DefaultTransport}); err != nil {
		return err.Error()
	}
	return ""
}

// check opens the files of the servers.
func (s fhirSettings) check(production bool) error {
	servers, err := s.list()
	errs := []error{err}
	for i, one := range servers {
		if _, err := one.client(s.Timeout, production, nil, func(next http.RoundTripper) http.RoundTripper { return next }); err != nil {
			errs = append(errs, config.Invalid("fhir-servers", "servers[%d]: %v", i, err))
		}
	}
	return errors.Join(errs...)
}

// client reads the files of a server. It connects to nothing.
func (f fhirServer) client(timeout time.Duration, production bool, report func(error), record func(http.RoundTripper) http.RoundTripper) (*client.Client, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: timeout, ForceAttemptHTTP2: true}
	if strings.HasPrefix(f.Base, "https://") {
		var err error
		if transport.TLSClientConfig, err = f.tls(report); err != nil {
			return nil, err
		}
	}
	// One attempt a call: what failed is looked at anew before it is sent again.
	o := client.Options{Base: f.Base, AllowHTTP: !production, Transport: record(fresh{transport}), Timeout: timeout, Attempts: 1, Clock: time.Now}
	if f.Token.IsSet() {
		if _, err := f.Token.Read(); err != nil {
			return nil, fmt.Errorf("token: %w", err)
		}
		o.Authorization = func(context.Context) (string, error) { return f.Token.Read() }
	}
	return client.New(o)
}

func (f fhirServer) tls(report func(error)) (*tls.Config, error) {
	if f.Cert != "" {
		files := tlsconf.ClientFiles{Identity: tlsconf.Identity{Cert: f.Cert, Key: f.Key}, CA: f.CA, ServerName: f.ServerName}
		return tlsconf.NewClient(tlsconf.ClientOptions{Files: files, Report: report})
	}
	raw, err := config.ReadFile(f.CA, maxCA)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(raw) {
		return nil, errors.New("ca: the file holds no PEM certificate")
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: f.ServerName}, nil
}

// fresh asks servers for the present state: HAPI answers a search that was asked a minute ago
// out of a cache.
type fresh struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (f fresh) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context()) // a RoundTripper must not change the request
	r.Header.Set("Cache-Control", "no-cache")
	return f.next.RoundTrip(r)
}
