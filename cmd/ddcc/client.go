package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// gatewayFlags say how to reach a gateway as an issuer.
type gatewayFlags struct {
	Gateway string `required:"" help:"Address of the gateway." placeholder:"https://HOST:PORT"`
	Cert    string `required:"" help:"PEM file with the issuer's client certificate." placeholder:"FILE"`
	Key     string `required:"" help:"PEM file with its private key." placeholder:"FILE"`
	CA      string `name:"ca" required:"" help:"PEM file with the CA of the gateway's certificate." placeholder:"FILE"`
}

// issuer talks to a gateway with a client certificate.
type issuer struct {
	base string
	http *http.Client
}

func (f gatewayFlags) open() (*issuer, error) {
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, usage("client certificate: %v", err)
	}
	ca, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, usage("CA: %v", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, usage("CA: %s holds no certificate", f.CA)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, MinVersion: tls.VersionTLS13}
	return &issuer{base: f.Gateway, http: &http.Client{
		Timeout:   2 * time.Minute,
		Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true},
	}}, nil
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 20

// answer of a gateway.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (i *issuer) post(ctx context.Context, path string, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, i.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, usage("gateway address: %v", err)
	}
	req.Header.Set("Content-Type", "application/fhir+json")
	return i.do(req)
}

func (i *issuer) get(ctx context.Context, path string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, i.base+path, http.NoBody)
	if err != nil {
		return answer{}, usage("gateway address: %v", err)
	}
	return i.do(req)
}

func (i *issuer) do(req *http.Request) (answer, error) {
	resp, err := i.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return answer{resp.StatusCode, resp.Header, body}, errors.Join(err, resp.Body.Close())
}

// fetch gets a path and insists on success.
func (i *issuer) fetch(ctx context.Context, path string) ([]byte, error) {
	a, err := i.get(ctx, path)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, fmt.Errorf("the gateway answered %d for %s", a.status, path)
	}
	return a.body, nil
}
