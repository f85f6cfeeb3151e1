// Package deliverytest has what tests of deliveries need: a registry whose certificates are
// signed, and a clock for it. People in it are fictitious.
package deliverytest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/veraison/go-cose"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/formats/docsig"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// Authority signs as the signing service does, with keys of its own.
type Authority struct {
	ca, vaccination, document trusttest.Pair
	clock                     func() time.Time
}

// NewAuthority makes keys.
func NewAuthority(t testing.TB, clock func() time.Time) *Authority {
	t.Helper()
	a := &Authority{ca: trusttest.CSCA(t), clock: clock}
	a.vaccination = a.ca.DSC(t, trusttest.EKU(trusttest.VaccinationOID))
	a.document = a.ca.DSC(t)
	return a
}

// Verifier knows what the authority publishes.
func (a *Authority) Verifier(t testing.TB) *verification.Verifier {
	t.Helper()
	list := trusttest.List(t, a.ca.Entry(a.vaccination, trust.UsageVaccination), a.ca.Entry(a.document, trust.UsageDocument))
	return &verification.Verifier{List: list, Clock: a.clock}
}

// Issue implements issuance.Signer.
func (a *Authority) Issue(_ context.Context, in signing.Intent) (signing.Certificate, error) {
	now := a.clock().UTC().Truncate(time.Second)
	out := signing.Certificate{ID: in.ID, Profile: in.Profile, Algorithm: "ES256", IssuedAt: now, ExpiresAt: now.AddDate(0, 6, 0), KID: trust.KID(a.vaccination.Cert)}
	payload, err := hcert.Claims{Issuer: "XX", IssuedAt: now, ExpiresAt: out.ExpiresAt, SubClaim: hcert.SubClaimDDCCVS, Content: *in.Claims.DDCC}.Encode()
	if err != nil {
		return out, err
	}
	signer, err := cose.NewSigner(cose.AlgorithmES256, a.vaccination.Key)
	if err != nil {
		return out, err
	}
	message, err := hcert.Sign1(payload, out.KID, signer)
	if err != nil {
		return out, err
	}
	out.Text, err = hcert.Text(message)
	return out, err
}

// SignDocument implements issuance.Signer.
func (a *Authority) SignDocument(_ context.Context, in signing.DocumentIntent) (signing.DocumentSignature, error) {
	now := a.clock().UTC().Truncate(time.Second)
	parsed, err := docsig.Parse(in.Document)
	if err != nil {
		return signing.DocumentSignature{}, err
	}
	thumbprint := sha256.Sum256(a.document.Cert.Raw)
	key := jose.JSONWebKey{Key: a.document.Key, KeyID: base64.StdEncoding.EncodeToString(trust.KID(a.document.Cert))}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{
		docsig.HeaderCanonicalization: docsig.Canonicalization, docsig.HeaderSigningTime: now.Format(time.RFC3339),
		docsig.HeaderThumbprint: base64.RawURLEncoding.EncodeToString(thumbprint[:]),
	}})
	if err != nil {
		return signing.DocumentSignature{}, err
	}
	signed, err := signer.Sign(parsed.Canonical)
	if err != nil {
		return signing.DocumentSignature{}, err
	}
	jws, err := signed.DetachedCompactSerialize()
	return signing.DocumentSignature{ID: in.ID, JWS: jws, SignedAt: now}, err
}

// Cancel implements issuance.Signer.
func (*Authority) Cancel(_ context.Context, id string) (signing.Cancellation, error) {
	return signing.Cancellation{ID: id}, nil
}

// deaf is an audit log that keeps nothing.
type deaf struct{}

// Append implements issuance.AuditLog.
func (deaf) Append(context.Context, audit.Entry) (audit.Receipt, error) { return audit.Receipt{}, nil }

// Clinic is the issuer of Request.
var Clinic = issuance.Issuer{ID: "clinic", Profiles: []string{signing.ProfileDDCCVS}, Authorities: []string{"moh"}}

// Clock is a clock that runs with the real one, in all processes alike, months into the time
// of the tests' keys.
func Clock() func() time.Time {
	return func() time.Time {
		return trusttest.Start.AddDate(0, 8, 0).Add(time.Duration(time.Now().UnixNano()) % (100 * 24 * time.Hour))
	}
}

// Registry opens a registry in dir, which may be there.
func Registry(t testing.TB, dir string, outbox issuance.Outbox, signer issuance.Signer, clock func() time.Time) *issuance.Service {
	t.Helper()
	store, err := sqlite.Open(context.Background(), filepath.Join(dir, "registry.db"), sqlite.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	secret := make([]byte, 32)
	documents, err := issuance.NewRepository(store, secret)
	if err != nil {
		t.Fatal(err)
	}
	s, err := issuance.New(issuance.Deps{
		Registry: store, Documents: documents, Signer: signer, Audit: deaf{}, Outbox: outbox, Secret: secret, Country: "XX",
		Authorities: []issuance.Authority{{ID: "moh", Name: "Ministry of Tests", System: "urn:test"}},
		Clock:       clock, NewID: func() string { return uuid.Must(uuid.NewV7()).String() }, TestCountries: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Request is a dose of the person of a HCID.
func Request(hcid string, dose int) issuance.Request {
	const icd11 = "http://id.who.int/icd11/mms"
	return issuance.Request{Issuer: Clinic, IdempotencyKey: fmt.Sprint(hcid, "/", dose), Core: fhir.CoreDataSet{
		Model: fhir.ModelVSCoC, Name: "Adaeze Specimen " + hcid, BirthDate: "1987-04-12", Sex: "female",
		Identifier:  &fhir.Identifier{Value: "SPECIMEN-77"},
		Certificate: fhir.Certificate{Issuer: fhir.Identifier{Value: "moh"}, HCID: hcid, Version: fhir.CoreDataSetVersion},
		Vaccination: &fhir.Vaccination{
			Vaccine: fhir.Coding{System: icd11, Code: "XM0GQ8"}, Brand: fhir.Coding{System: icd11, Code: "XM8NQ0"},
			Manufacturer: fhir.Coding{System: "urn:test", Code: "M1"}, Lot: fmt.Sprint("LOT-", dose), Date: "2026-08-01", Dose: dose, TotalDoses: dose,
			Country: fhir.Coding{System: "urn:iso:std:iso:3166", Code: "XXA"}, Centre: "Centre <One> & Co",
		},
	}}
}

// Issue issues a dose.
func Issue(t testing.TB, s *issuance.Service, hcid string, dose int) issuance.Issued {
	t.Helper()
	out, err := s.Issue(context.Background(), Request(hcid, dose))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
