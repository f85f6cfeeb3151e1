package ceremony

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/governance"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Subject names the authority of a development installation.
type Subject struct {
	Country      string // ISO 3166-1 alpha-2; "XX" for development
	Organization string
	IssuerURL    string // of SMART Health Cards; empty: DevelopmentIssuerURL
}

// Labels and names of development keys.
const (
	DevelopmentCSCA      = "csca" // label of the CSCA; a DSC's is "dsc-" and its usage
	DevelopmentIssuerURL = "https://localhost:8443/shc_issuer"
)

// developmentUsages are made when none are named: what the demo signs.
var developmentUsages = []keystore.Usage{
	keystore.UsageVaccination, keystore.UsageTest, keystore.UsageDocument, keystore.UsageTrustList,
}

// Development makes a CSCA and one signer a usage without a ceremony file and without
// leading time, for development installations, demonstrations and tests. The certificates
// pass the same lints as any others, and their names say what they are.
func Development(ctx context.Context, keys keystore.Maker, subject Subject, now time.Time, usages ...keystore.Usage) (*x509.Certificate, signing.OperationRequest, error) {
	operation := signing.OperationRequest{Kind: signing.OperationRegister}
	if len(usages) == 0 {
		usages = developmentUsages
	}
	now = now.UTC().Truncate(time.Second)
	d := &desk{keys: keys, note: func(line) error { return nil }}
	o := subject.order("CSCA", now)
	o.key.Label = DevelopmentCSCA
	ref, public, err := d.makeKey(ctx, o)
	if err != nil {
		return nil, operation, err
	}
	if d.issuer, err = d.selfSign(ctx, o, ref, public); err != nil {
		return nil, operation, err
	}
	if d.authority, err = NewKeyStoreCA(ctx, keys, ref, d.issuer); err != nil {
		return nil, operation, err
	}
	for _, usage := range usages {
		o := subject.order(fmt.Sprintf("DSC %s", usage), now)
		o.key.Usage, o.key.Label = usage, "dsc-"+string(usage)
		registration, err := d.signer(ctx, o, schedule{publishAt: now, activateAt: now})
		if err != nil {
			return nil, operation, err
		}
		operation.Registrations = append(operation.Registrations, registration)
	}
	return d.issuer, operation, nil
}

func (s Subject) order(name string, begin time.Time) order {
	issuer := s.IssuerURL
	if issuer == "" {
		issuer = DevelopmentIssuerURL
	}
	return order{wanted: governance.Request{
		Subject: governance.Subject{
			Country: s.Country, Organization: s.Organization, CommonName: "Development " + name + " - not a real authority",
		},
		NotBefore: begin, IssuerURL: issuer, DocumentTypes: []string{governance.DocumentVaccination, governance.DocumentTest},
	}}
}
