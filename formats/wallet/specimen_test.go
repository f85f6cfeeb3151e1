package wallet_test

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"math/big"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/wallet"
)

const (
	passType = "pass.example.health"
	team     = "SPECIMEN01"
)

var (
	now       = time.Date(2026, 3, 1, 12, 30, 44, 0, time.UTC)
	oidMarker = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 16}
	oidEKU    = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 4, 14}
	oidUID    = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
)

func specimenText(t testing.TB) string {
	t.Helper()
	raw, err := os.ReadFile("../hcert/testdata/ddcc-vs.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

func specimenCard(t testing.TB) wallet.Card {
	t.Helper()
	return wallet.Card{
		ID: "0197c6a2-7d5e-7000-8000-00000000c0de", Format: "who", Text: specimenText(t),
		Name: "Zoë Specimen", Title: "COVID-19 vaccination", Issuer: "Ministry of Health of Specimenland",
		IssuedAt: now.Add(-time.Hour), ExpiresAt: now.AddDate(1, 0, 0), Language: "en",
	}
}

// authority is a specimen of Apple's hierarchy: a root that devices know, and under it the
// intermediate that issues certificates to developers.
type authority struct {
	root, intermediate *x509.Certificate
	key                crypto.Signer // of the intermediate
}

var specimenAuthority = sync.OnceValue(func() authority {
	rootKey, key := newECDSA(elliptic.P256()), newECDSA(elliptic.P256())
	template := func(name string) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: serial(), Subject: pkix.Name{CommonName: name, Organization: []string{"Specimen"}},
			NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(5, 0, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
	}
	a := authority{key: key}
	top := template("Specimen Root")
	a.root = certify(top, top, rootKey.Public(), rootKey)
	a.intermediate = certify(template("Specimen Developer Relations"), a.root, key.Public(), rootKey)
	return a
})

var specimenRSA = sync.OnceValue(func() crypto.Signer { return newRSA(2048) })

func newRSA(bits int) crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

func newECDSA(curve elliptic.Curve) crypto.Signer {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		panic(err)
	}
	return n
}

func certify(template, issuer *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, public, key)
	if err != nil {
		panic(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return certificate
}

func marker(passType string) pkix.Extension {
	value, err := asn1.MarshalWithParams(passType, "utf8")
	if err != nil {
		panic(err)
	}
	return pkix.Extension{Id: oidMarker, Value: value}
}

// passTemplate is what Apple certifies for a pass type.
func passTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: serial(),
		Subject: pkix.Name{
			OrganizationalUnit: []string{team}, CommonName: "Pass Type ID: " + passType, Country: []string{"XX"},
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: oidUID, Value: passType}},
		},
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 11, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{oidEKU}, ExtraExtensions: []pkix.Extension{marker(passType)},
		BasicConstraintsValid: true,
	}
}

// apple is an account with a certificate made from a template that change has altered.
func apple(key crypto.Signer, change func(*x509.Certificate)) wallet.Apple {
	template, a := passTemplate(), specimenAuthority()
	if change != nil {
		change(template)
	}
	return wallet.Apple{
		PassType: passType, Team: team, Organization: "Health Passes of Specimenland",
		Certificate: certify(template, a.intermediate, key.Public(), a.key), Issuer: a.intermediate, Key: key,
	}
}

func mustPass(t testing.TB, a wallet.Apple, c wallet.Card) []byte {
	t.Helper()
	raw, err := a.Pass(t.Context(), c, now)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// unpack gives the files of a pass by name, and fails when a name is there twice.
func unpack(t testing.TB, raw []byte) map[string][]byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range r.File {
		if _, twice := files[f.Name]; twice || !f.Modified.Equal(now) {
			t.Errorf("%s: twice, or of %v", f.Name, f.Modified)
		}
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(io.LimitReader(in, wallet.MaxPass)); err != nil {
			t.Fatal(err)
		}
	}
	return files
}
