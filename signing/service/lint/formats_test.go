package lint

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"testing"
	"time"

	"github.com/veraison/go-cose"

	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	shcreader "github.com/trustedparty/ddcc-gateway/formats/shc/reader"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	vdsncreader "github.com/trustedparty/ddcc-gateway/formats/vdsnc/reader"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
)

// inHCERT is an HCERT of any content without fault.
func inHCERT(t *testing.T, stated signing.Claims, content any, place int64) Input {
	t.Helper()
	key := newKey(t, elliptic.P256())
	dsc := certify(t, key, now.AddDate(2, 0, 0), []asn1.ObjectIdentifier{usageOID}, x509.KeyUsageDigitalSignature)
	sum := sha256.Sum256(dsc.Raw)
	claims := cwt()
	claims.SubClaim, claims.Content = place, content
	payload, err := claims.Encode()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cose.NewSigner(cose.AlgorithmES256, key)
	if err != nil {
		t.Fatal(err)
	}
	message, err := hcert.Sign1(payload, sum[:8], signer)
	if err != nil {
		t.Fatal(err)
	}
	text, err := hcert.Text(message)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := reader.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return Input{
		Claims: stated, Reading: Reading{HCERT: decoded}, Text: text, ExpiresAt: claims.ExpiresAt, Country: "XX", SubClaim: place,
		MaxValidity: 365 * 24 * time.Hour, KID: sum[:8], DSC: dsc, CSCA: dsc, Usage: usageOID, Now: now,
	}
}

// specimen is a certificate of any profile as the service has it before the real signature.
func specimen(t *testing.T, profile string, change func(*signing.Claims)) Input {
	t.Helper()
	stated := signingtest.Claims(profile, "XX")
	if change != nil {
		change(&stated)
	}
	switch {
	case stated.DCC != nil:
		return inHCERT(t, stated, *stated.DCC, dcc.SubClaim)
	case stated.ICVP != nil:
		content, err := stated.ICVP.Content(icvp.Gen1)
		if err != nil {
			t.Fatal(err)
		}
		return inHCERT(t, stated, content, icvp.SubClaim)
	case stated.SHC != nil:
		return inCard(t, stated)
	default:
		return inSeal(t, stated)
	}
}

// signer is a key of a usage with the certificates that a ceremony makes.
type signer struct {
	key       *signingtest.Memory
	ref       keystore.Ref
	dsc, csca *x509.Certificate
}

func newSigner(t *testing.T, usage keystore.Usage) signer {
	t.Helper()
	store := signingtest.NewMemory()
	csca, made, err := ceremony.Development(t.Context(), store, ceremony.Subject{Country: "XX", Organization: "Test"}, now.Add(-time.Hour), usage)
	if err != nil {
		t.Fatal(err)
	}
	r := made.Registrations[0]
	dsc, err := x509.ParseCertificate(r.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	return signer{store, keystore.Ref{Label: r.Label, Version: r.Version}, dsc, csca}
}

func (s signer) sign(t *testing.T, input []byte) []byte {
	t.Helper()
	signature, err := keystore.Key{Ref: s.ref}.Held(s.key).Sign(t.Context(), sha256.Sum256(input))
	if err != nil {
		t.Fatal(err)
	}
	return signature[:]
}

func (s signer) input(stated signing.Claims, text string, read Reading, usage keystore.Usage) Input {
	sum := sha256.Sum256(s.dsc.Raw)
	oid, _ := usage.ExtendedKeyUsage()
	return Input{
		Claims: stated, Reading: read, Text: text, ExpiresAt: now.Add(24 * time.Hour), Country: "XX", State: "UTO",
		MaxValidity: 365 * 24 * time.Hour, KID: sum[:8], DSC: s.dsc, CSCA: s.csca, Usage: oid, Now: now,
	}
}

func inCard(t *testing.T, stated signing.Claims) Input {
	t.Helper()
	s := newSigner(t, keystore.UsageSHC)
	payload, err := shc.Credential{Issuer: s.dsc.URIs[0].String(), NotBefore: now, ExpiresAt: now.Add(24 * time.Hour), Card: *stated.SHC}.Payload()
	if err != nil {
		t.Fatal(err)
	}
	public, _ := s.dsc.PublicKey.(*ecdsa.PublicKey)
	kid, err := shc.Thumbprint(public)
	if err != nil {
		t.Fatal(err)
	}
	input, err := shc.SigningInput(payload, kid)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := shc.Assemble(input, s.sign(t, input))
	if err != nil {
		t.Fatal(err)
	}
	text, err := shc.Text(jws)
	if err != nil {
		t.Fatal(err)
	}
	m, err := shcreader.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return s.input(stated, text, Reading{SHC: m}, keystore.UsageSHC)
}

func inSeal(t *testing.T, stated signing.Claims) Input {
	t.Helper()
	s := newSigner(t, keystore.UsageVDSNC)
	kind := vdsnc.TypeVaccination
	if stated.VDSNC.Times != nil {
		kind = vdsnc.TypeTest
	}
	canonical, err := vdsnc.Data{Header: vdsnc.Header{Type: kind, Version: vdsnc.Version, State: "UTO"}, Message: *stated.VDSNC}.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	text, err := vdsnc.Assemble(canonical, s.dsc.Raw, s.sign(t, canonical))
	if err != nil {
		t.Fatal(err)
	}
	m, err := vdsncreader.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return s.input(stated, text, Reading{VDSNC: m}, keystore.UsageVDSNC)
}

func TestCleanCertificatesOfEveryFormatPass(t *testing.T) {
	t.Parallel()
	for _, profile := range signingtest.Profiles() {
		if signingtest.EventOf(profile) == "" {
			continue
		}
		if kind, issues := Run(specimen(t, profile, nil), nil); len(issues) != 0 {
			t.Errorf("%s: kind %d: %+v", profile, kind, issues)
		}
	}
}

// TestLifelong: a certificate without an end passes only where it was meant to have none.
func TestLifelong(t *testing.T) {
	t.Parallel()
	in := specimen(t, signing.ProfileICVP, nil)
	in.HCERT.Claims.ExpiresAt, in.ExpiresAt, in.Lifelong = time.Time{}, time.Time{}, true
	if _, issues := Run(in, nil); len(issues) != 0 {
		t.Errorf("%+v", issues)
	}
	in.Lifelong = false
	if _, issues := Run(in, nil); len(issues) == 0 {
		t.Error("passes although it should end")
	}
}
