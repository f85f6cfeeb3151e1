package vdsnc_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
)

func specimenVaccination() vdsnc.Data {
	return vdsnc.Data{
		Header: vdsnc.Header{Type: vdsnc.TypeVaccination, Version: vdsnc.Version, State: "UTO"},
		Message: vdsnc.Message{
			UVCI: "U00000001",
			Person: vdsnc.Person{
				Name: "SPECIMEN  ANNA MARIA", BirthDate: "1974-08-12", Sex: "F", DocumentNumber: "L898902C3", AdditionalID: "ZE184226B",
			},
			Vaccinations: []vdsnc.Event{{
				Vaccine: "XM68M6", Brand: "Comirnaty", Disease: "RA01.0",
				Doses: []vdsnc.Dose{
					{Date: "2026-03-03", Number: 1, Country: "UTO", Centre: "Centre Nord", Lot: "VC35679", NextDose: "2026-03-24"},
					{Date: "2026-03-24", Number: 2, Country: "UTO", Centre: "Zürich Süd", Lot: "VC87540"},
				},
			}},
		},
	}
}

func specimenTest() vdsnc.Data {
	return vdsnc.Data{
		Header: vdsnc.Header{Type: vdsnc.TypeTest, Version: vdsnc.Version, State: "D"},
		Message: vdsnc.Message{
			UTCI:     "U00000002",
			Person:   vdsnc.Person{Name: "SPECIMEN  ERIKA", BirthDate: "1964-08-12", DocumentType: "P", TestDocument: "C01X00T47"},
			Provider: &vdsnc.Provider{Name: "Specimen Laboratory", Country: "D", Contact: &vdsnc.Contact{Phone: "+49 30 0000000", Mail: "lab@example.org", Address: "1 Example Street"}},
			Times:    &vdsnc.Times{Sampled: "2026-02-15T12:00:00+08:00", Reported: "2026-02-15T14:00:00Z"},
			Result:   &vdsnc.Result{Type: "molecular(PCR)", Value: "negative", Method: "nasopharyngeal"},
			Optional: "ID12345",
		},
	}
}

// barcodeSigner is a key with a certificate in the profile of ICAO 9303-12 §7.1.3, signed
// by a throwaway CSCA.
type barcodeSigner struct {
	key *ecdsa.PrivateKey
	der []byte
}

func newBarcodeSigner(t testing.TB, docType string) barcodeSigner {
	t.Helper()
	ca, key := specimenKey(t), specimenKey(t)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	issuer := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"UT"}, CommonName: "Specimen CSCA"},
		NotBefore: now, NotAfter: now.AddDate(15, 0, 0), IsCA: true, BasicConstraintsValid: true, SubjectKeyId: []byte("specimen CSCA"),
	}
	value := append([]byte{0x30, 0x09, 0x02, 0x01, 0x00, 0x31, 0x04, 0x13, 0x02}, docType...)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{Country: []string{"UT"}, CommonName: "Specimen BSC"},
		NotBefore: now, NotAfter: now.AddDate(10, 0, 0),
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{{2, 23, 136, 1, 1, 14, 2}},
		ExtraExtensions:    []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 23, 136, 1, 1, 6, 2}, Value: value}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, ca)
	if err != nil {
		t.Fatal(err)
	}
	return barcodeSigner{key: key, der: der}
}

func specimenKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign makes an ES256 signature of 64 bytes.
func (b barcodeSigner) sign(t testing.TB, data []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(data)
	r, s, err := ecdsa.Sign(rand.Reader, b.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

func (b barcodeSigner) seal(t testing.TB, data vdsnc.Data) string {
	t.Helper()
	canonical, err := data.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	text, err := vdsnc.Assemble(canonical, b.der, b.sign(t, canonical))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains([]byte(text), canonical) {
		t.Error("the text does not hold what was signed")
	}
	return text
}
