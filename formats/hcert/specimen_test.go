package hcert_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"io"
	"math/big"
	"testing"
	"time"

	"github.com/veraison/go-cose"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
)

var specimenKID = []byte{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}

// specimenKey is a key that everybody knows; it signs specimens only.
func specimenKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	scalar := sha256.Sum256([]byte("specimen key, not a secret"))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// fixedSigner signs deterministically (RFC 6979), so that golden messages are possible.
type fixedSigner struct {
	key     *ecdsa.PrivateKey
	content []byte // what was last signed
}

func (s *fixedSigner) Algorithm() cose.Algorithm { return cose.AlgorithmES256 }

func (s *fixedSigner) Sign(_ io.Reader, content []byte) ([]byte, error) {
	s.content = content
	digest := sha256.Sum256(content)
	der, err := s.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var parts struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &parts); err != nil {
		return nil, err
	}
	return append(parts.R.FillBytes(make([]byte, 32)), parts.S.FillBytes(make([]byte, 32))...), nil
}

func specimenVaccination() hcert.Claims {
	return specimenClaims(hcert.SubClaimDDCCVS, hcert.DDCC{
		Name:        "Ada Spécimen",
		BirthDate:   "1990-02-03",
		Certificate: specimenCertificate(),
		Vaccination: &hcert.DDCCVaccination{
			Vaccine:    hcert.Coding{Code: "XM0GQ8", System: "http://id.who.int/icd11/mms"},
			Brand:      hcert.Coding{Code: "XM8NQ0", System: "http://id.who.int/icd11/mms"},
			Lot:        "LOT1",
			Date:       "2026-01-20",
			Dose:       1,
			TotalDoses: 2,
			Country:    hcert.Coding{Code: "XXA", System: "urn:iso:std:iso:3166"},
			Centre:     "Centre 1",
			Disease:    &hcert.Coding{Code: "RA01", System: "http://id.who.int/icd11/mms"},
		},
	})
}

func specimenTest() hcert.Claims {
	return specimenClaims(hcert.SubClaimDDCCTR, hcert.DDCC{
		Name:        "Ada Spécimen",
		BirthDate:   "1990-02-03",
		Certificate: specimenCertificate(),
		Test: &hcert.DDCCTest{
			Pathogen: hcert.Coding{Code: "XN109", System: "http://id.who.int/icd11/mms"},
			Type:     hcert.Coding{Code: "94500-6", System: "http://loinc.org"},
			Date:     "2026-01-14T08:00:00Z",
			Result:   hcert.Coding{Code: "260415000", System: "http://snomed.info/sct"},
			Centre:   &hcert.Coding{Code: "LAB-1"},
			Country:  hcert.Coding{Code: "XXA", System: "urn:iso:std:iso:3166"},
		},
	})
}

func specimenCertificate() hcert.DDCCCertificate {
	return hcert.DDCCCertificate{
		Issuer:  hcert.Coding{Code: "XXA-PHA"},
		HCID:    "SPECIMEN0001",
		DDCCID:  "urn:uuid:00000000-0000-4000-8000-000000000001",
		Version: "RC2",
		Period:  &hcert.DDCCPeriod{Start: "2026-01-20", End: "2027-01-20"},
	}
}

func specimenClaims(subClaim int64, content any) hcert.Claims {
	issued := time.Date(2026, 1, 21, 9, 30, 0, 0, time.UTC)
	return hcert.Claims{
		Issuer: "XX", IssuedAt: issued, ExpiresAt: issued.AddDate(0, 6, 0),
		SubClaim: subClaim, Content: content,
	}
}
