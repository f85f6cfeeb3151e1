package divoc

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

// cowinKey is the public key of CoWIN, "did:india", as DIVOC publishes it for verifiers.
const cowinKey = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0i7R4XsyG3m6KD36qKEVxE+odCh68W2O4vLqh6SnsgItzvLYvJKP" +
	"ai+jEkf22FlPn0QnGo+Znyi6dw1lhvg9FGXqodv33yrqKhGLkQPeURaMnJidxktK/3QLXuv9HiKq9fSDLJyPBJEFCCCiZNTGgWM0dqq43/XRi+7I" +
	"X3gWU68U6v/7EyOW3U4ZgYUVlfwbUh6eKRan68/TObQua39oeUfDMhJa0NHnMXb1lq/vQIjEgGkOK5LLyz+X8ETUEhn8Qdx2SIORmftCPW4XO0UZ" +
	"mMHuGw9t+UUgniy5BL8kmvtjpVRWFUliJFGBTvBZCO6gcoX5eXi8LytCg+mJ6EDO+QIDAQAB"

func india(t testing.TB) *rsa.PublicKey {
	t.Helper()
	der, err := base64.StdEncoding.DecodeString(cowinKey)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PublicKey)
}

// TestRealCertificate: a certificate of CoWIN (of a dummy person) verifies under CoWIN's
// key. This is the proof that the terms in this package are those of the contexts.
func TestRealCertificate(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"divoc/DIVOCQR1Contents.txt", "ddcc/validator/DIVOCQR1Contents.txt"} {
		text := vectors.Read(t, name)
		m, err := Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Verify(india(t)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if m.Issuer != "https://cowin.gov.in/" || m.VerificationMethod != "did:india" || m.ProofType != "RsaSignature2018" ||
			!m.IssuedAt.Equal(time.Date(2021, 3, 3, 4, 28, 46, 0, time.UTC)) || strings.Join(m.Types, " ") != "VerifiableCredential ProofOfVaccinationCredential" {
			t.Errorf("%s: another head", name)
		}
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(text), "B64:"))
		if err != nil {
			t.Fatal(err)
		}
		if m, err = Decode(raw); err != nil || m.Verify(india(t)) != nil {
			t.Errorf("%s: the archive itself: %v", name, err)
		}
		if m, err = DecodeCredential(vectors.Read(t, "divoc/DIVOCQR1Unpacked.json")); err != nil || m.Verify(india(t)) != nil {
			t.Errorf("%s: the JSON: %v", name, err)
		}
		wantReason(t, "another key", m.Verify(&specimenKey().PublicKey), ReasonBadSignature)
	}
}

// TestEmptySubject: the sample of Jamaica has the empty text as id of the person, so that
// no signature covers the name; it is read, and never verifies.
func TestEmptySubject(t *testing.T) {
	t.Parallel()
	m, err := Decode(vectors.Read(t, "ddcc/validator/DIVOCJamaicaContents.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if m.ProofType != proofEd25519 || m.Issuer != "https://www.moh.gov.jm" || len(m.Content["evidence"].([]any)) != 1 {
		t.Error("another head")
	}
	_, key := signedEd25519(t)
	wantReason(t, "Jamaica", m.Verify(key), ReasonNotCovered)
}

// TestFixtures: the examples of the DDCC guide are no credentials (their contexts are in a
// member "context"), but readable as such.
func TestFixtures(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Reason{
		"example-divoc-payload-vaccine.json": ReasonInvalidProof, // the signature is blotted out
		"example-divoc-test-result.json":     ReasonUnsupportedContext,
	} {
		raw := vectors.Read(t, "ddcc/ig-fixtures/divoc/"+name)
		m, err := DecodeCredential(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wantReason(t, name, m.Verify(india(t)), want)
		if name == "example-divoc-test-result.json" {
			m, err = DecodeCredential([]byte(strings.Replace(string(raw), `"context"`, `"@context"`, 1)))
			if err != nil {
				t.Fatal(err)
			}
			wantReason(t, name, m.Verify(india(t)), ReasonBadSignature)
		}
	}
}
