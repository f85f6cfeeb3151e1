package ceremony

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Tools are what a ceremony works with. Plan.Needs says which of them.
type Tools struct {
	Keys keystore.Maker
	PKI  CertificateAuthority
	// Now gives the time of the transcript.
	Now func() time.Time
}

// Result is what a ceremony made.
type Result struct {
	Outputs      []Output
	Certificates []*x509.Certificate // in the order of the file
	Transcript   string              // path
}

// file is an output before it is written.
type file struct {
	name    string
	content []byte
}

var errTools = errors.New("the ceremony needs a key store, or the CSCA in Vault PKI, that was not given")

// Perform does what the plan says. It may be called once. After an error, keys that the
// transcript names as made have no certificate and must never be used.
func (p *Plan) Perform(ctx context.Context, tools Tools) (*Result, error) {
	d, err := p.open(ctx, tools)
	if err != nil {
		return nil, err
	}
	if err := p.out.make(); err != nil {
		return nil, err
	}
	if err := p.out.free(p.outputs()); err != nil {
		return nil, err
	}
	t, err := openTranscript(p.out, p.transcriptName(), tools.Now)
	if err != nil {
		return nil, err
	}
	d.note = t.note
	result, err := p.run(ctx, d)
	if err != nil {
		err = errors.Join(err, t.note(line{Event: "failed", Failure: err.Error()}))
		err = fmt.Errorf("the ceremony stopped, see %s: %w", p.out.path(p.transcriptName()), err)
	}
	return result, errors.Join(err, t.close())
}

// open finds the CSCA and proves that it is the one of the file, before anything is made.
func (p *Plan) open(ctx context.Context, tools Tools) (*desk, error) {
	keys, pki := p.Needs()
	if keys && tools.Keys == nil || pki && tools.PKI == nil {
		return nil, errTools
	}
	d := &desk{keys: tools.Keys, issuer: p.issuer, ignored: p.source.File.Ignore}
	if p.issuer == nil {
		return d, nil
	}
	if d.authority = tools.PKI; !pki {
		named := p.source.File.Issuer
		local, err := NewKeyStoreCA(ctx, tools.Keys, keystore.Ref{Label: named.Label, Version: named.Version}, p.issuer)
		if err != nil {
			return nil, err
		}
		d.authority = local
	}
	certificate, err := d.authority.Certificate(ctx)
	if err != nil {
		return nil, fmt.Errorf("the CSCA's certificate: %w", err)
	}
	if !certificate.Equal(p.issuer) {
		return nil, fmt.Errorf("%w: its sha256 is %s", errNotItsKey, digest(certificate.Raw))
	}
	return d, nil
}

func (p *Plan) run(ctx context.Context, d *desk) (*Result, error) {
	f := p.source.File
	if err := d.note(line{Event: "begin", Ceremony: f.Name, Kind: f.Kind, SHA256: p.source.SHA256, Ignored: f.Ignore}); err != nil {
		return nil, err
	}
	files, certificates, err := p.work(ctx, d)
	if err != nil {
		return nil, err
	}
	result := &Result{Certificates: certificates, Transcript: p.out.path(p.transcriptName())}
	for _, out := range files {
		if err := p.out.write(out.name, out.content); err != nil {
			return nil, err
		}
		sum := digest(out.content)
		if err := d.note(line{Event: "output", File: out.name, SHA256: sum}); err != nil {
			return nil, err
		}
		result.Outputs = append(result.Outputs, Output{Path: p.out.path(out.name), SHA256: sum})
	}
	return result, d.note(line{Event: "end"})
}

// work touches the keys and gives the contents of the outputs.
func (p *Plan) work(ctx context.Context, d *desk) ([]file, []*x509.Certificate, error) {
	switch p.source.File.Kind {
	case KindCSCA:
		return p.makeCSCA(ctx, d)
	case KindRequest:
		return p.makeRequests(ctx, d)
	case KindCRL:
		return p.makeList(ctx, d)
	case KindCertify, KindDSC:
		return p.makeSigners(ctx, d)
	}
	return nil, nil, fmt.Errorf("no such kind: %s", p.source.File.Kind) // Read has refused it
}

func (p *Plan) makeCSCA(ctx context.Context, d *desk) ([]file, []*x509.Certificate, error) {
	o := p.orders[0]
	ref, public, err := d.makeKey(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	made, err := d.selfSign(ctx, o, ref, public)
	if err != nil {
		return nil, nil, err
	}
	return []file{{p.source.File.Name + ".pem", encodePEM(pemCertificate, made.Raw)}}, []*x509.Certificate{made}, nil
}

func (p *Plan) makeRequests(ctx context.Context, d *desk) ([]file, []*x509.Certificate, error) {
	standIn, err := p.rehearsalIssuer()
	if err != nil {
		return nil, nil, err
	}
	var files []file
	for _, o := range p.orders {
		ref, public, err := d.makeKey(ctx, o)
		if err != nil {
			return nil, nil, err
		}
		_, rehearsed, err := d.rehearse(o, standIn, public)
		if err != nil {
			return nil, nil, err
		}
		r, err := d.request(ctx, o, ref, public, rehearsed)
		if err != nil {
			return nil, nil, err
		}
		raw, err := r.encode()
		if err != nil {
			return nil, nil, err
		}
		files = append(files, file{p.nameOf(o, ".csr.pem"), encodePEM(pemRequest, r.Request)}, file{p.nameOf(o, ".request.json"), raw})
	}
	return files, nil, nil
}

func (p *Plan) makeSigners(ctx context.Context, d *desk) ([]file, []*x509.Certificate, error) {
	var files []file
	var certificates []*x509.Certificate
	operation := signing.OperationRequest{Kind: signing.OperationRegister}
	for _, o := range p.orders {
		r, err := d.signer(ctx, o, p.times)
		if err != nil {
			return nil, nil, err
		}
		certificate, err := x509.ParseCertificate(r.Certificate)
		if err != nil {
			return nil, nil, err
		}
		operation.Registrations = append(operation.Registrations, r)
		certificates = append(certificates, certificate)
		files = append(files, file{p.nameOf(o, ".pem"), encodePEM(pemCertificate, r.Certificate)})
	}
	registration, err := p.operation(".register.json", operation)
	return append(files, registration), certificates, err
}

func (p *Plan) makeList(ctx context.Context, d *desk) ([]file, []*x509.Certificate, error) {
	made, err := d.signList(ctx, p.list)
	if err != nil {
		return nil, nil, err
	}
	operation, err := p.operation(".crl.json", signing.OperationRequest{Kind: signing.OperationCRL, CRL: made.Raw})
	return []file{{p.source.File.Name + ".crl.pem", encodePEM(pemCRL, made.Raw)}, operation}, nil, err
}

// operation is the output that an operator proposes to the signing service.
func (p *Plan) operation(ending string, request signing.OperationRequest) (file, error) {
	raw, err := json.MarshalIndent(request, "", "  ")
	return file{p.source.File.Name + ending, append(raw, '\n')}, err
}
