package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
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

func (i *issuer) post(ctx context.Context, route string, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, i.base+route, bytes.NewReader(body))
	if err != nil {
		return answer{}, usage("gateway address: %v", err)
	}
	req.Header.Set("Content-Type", "application/fhir+json")
	return i.do(req)
}

func (i *issuer) get(ctx context.Context, route string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, i.base+route, http.NoBody)
	if err != nil {
		return answer{}, usage("gateway address: %v", err)
	}
	return i.do(req)
}

// operation calls an operation with simple parameters and reads its Parameters.
func (i *issuer) operation(ctx context.Context, route string, body any) (answer, parameters, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return answer{}, parameters{}, err
	}
	a, err := i.post(ctx, route, raw)
	if err != nil || a.status != http.StatusOK && a.status != http.StatusCreated {
		return a, parameters{}, err
	}
	var p parameters
	if err := json.Unmarshal(a.body, &p); err != nil || p.ResourceType != "Parameters" {
		return a, p, fmt.Errorf("the gateway's answer is no Parameters resource")
	}
	return a, p, nil
}

// folder gives the id of the folder that a document belongs to.
func (i *issuer) folder(ctx context.Context, id string) (string, error) {
	a, err := i.get(ctx, "/ddcc/Bundle/"+url.PathEscape(id))
	if err != nil {
		return "", err
	}
	for _, link := range a.header.Values("Link") {
		target, rest, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
		if strings.Contains(rest, `rel="collection"`) {
			return path.Base(target), nil
		}
	}
	return "", fmt.Errorf("the gateway answered %d and named no folder for a document", a.status)
}

// card fetches the holder's card of the folder that a document belongs to.
func (i *issuer) card(ctx context.Context, id, language string) ([]byte, error) {
	return i.fetch(ctx, "/ddcc/Bundle/"+url.PathEscape(id)+"/$card?"+url.Values{"language": {language}}.Encode())
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
func (i *issuer) fetch(ctx context.Context, route string) ([]byte, error) {
	a, err := i.get(ctx, route)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, fmt.Errorf("the gateway answered %d for %s", a.status, route)
	}
	return a.body, nil
}
