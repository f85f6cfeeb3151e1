package reader

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

// signer makes seals by hand: the tests of a reader must not trust the writer.
type signer struct {
	key *ecdsa.PrivateKey
	ca  *ecdsa.PrivateKey
	der []byte
}

func newKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newSigner(t testing.TB, docType string, changes ...func(*x509.Certificate)) signer {
	t.Helper()
	return newSignerOn(t, elliptic.P256(), docType, changes...)
}

func newSignerOn(t testing.TB, curve elliptic.Curve, docType string, changes ...func(*x509.Certificate)) signer {
	t.Helper()
	s := signer{key: newKey(t, curve), ca: newKey(t, elliptic.P256())}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	issuer := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"UT"}, CommonName: "Specimen CSCA"},
		NotBefore: start, NotAfter: start.AddDate(15, 0, 0), IsCA: true, BasicConstraintsValid: true, SubjectKeyId: []byte("specimen"),
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{Country: []string{"UT"}, CommonName: "Specimen BSC"},
		NotBefore: start, NotAfter: start.AddDate(10, 0, 0),
		ExtraExtensions: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: []byte("\x30\x09\x06\x07\x67\x81\x08\x01\x01\x0e\x02")},
			{Id: oidDocumentType, Value: append([]byte("\x30\x09\x02\x01\x00\x31\x04\x13\x02"), docType...)},
		},
	}
	for _, change := range changes {
		change(template)
	}
	if docType == "" {
		template.ExtraExtensions = template.ExtraExtensions[:1]
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &s.key.PublicKey, s.ca)
	if err != nil {
		t.Fatal(err)
	}
	s.der = der
	return s
}

func (s signer) certificate() string { return base64.RawURLEncoding.EncodeToString(s.der) }

// sign gives r and s, both of fixed length.
func (s signer) sign(t testing.TB, hash crypto.Hash, data string) []byte {
	t.Helper()
	canonical, err := strictjson.Canonical([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	digest := hash.New()
	digest.Write(canonical)
	r, v, err := ecdsa.Sign(rand.Reader, s.key, digest.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	half := (s.key.Curve.Params().BitSize + 7) / 8
	return append(r.FillBytes(make([]byte, half)), v.FillBytes(make([]byte, half))...)
}

func (s signer) seal(t testing.TB, data string) string {
	t.Helper()
	return sealText(data, "ES256", s.certificate(), base64.RawURLEncoding.EncodeToString(s.sign(t, crypto.SHA256, data)))
}

func sealText(data, algorithm, certificate, signature string) string {
	return `{"data":` + data + `,"sig":{"alg":"` + algorithm + `","cer":"` + certificate + `","sigvl":"` + signature + `"}}`
}

const specimenVaccination = `{"hdr":{"is":"UTO","t":"icao.vacc","v":1},"msg":{"pid":{"dob":"1974-08-12","i":"L898902C3","n":"SPECIMEN  ANNA"},` +
	`"uvci":"U32870","ve":[{"des":"XM68M6","nam":"Comirnaty","vd":[{"adm":"RIVM","ctr":"UTO","dvc":"2026-03-03","lot":"VC35679","seq":1}]}]}}`

const specimenTest = `{"hdr":{"is":"D","t":"icao.test","v":1},"msg":{"dat":{"ri":"2026-02-15T14:00:00Z","sc":"2026-02-15T12:00:00+08:00"},` +
	`"pid":{"dn":"C01X00T47","dob":"1964-08-12","dt":"P","n":"SPECIMEN  ERIKA"},"sp":{"ctr":"D","spn":"Laboratory"},` +
	`"tr":{"r":"negative","tc":"molecular(PCR)"},"utci":"U01932"}}`

// wantReason also holds every error against the promise to show nothing of a person.
func wantReason(t testing.TB, name string, err error, want Reason) {
	t.Helper()
	var refused *Error
	switch {
	case !errors.As(err, &refused):
		t.Errorf("%s: got %v, want %s", name, err, want)
	case refused.Reason != want:
		t.Errorf("%s: got %v, want %s", name, err, want)
	case strings.Contains(err.Error(), "SPECIMEN"):
		t.Errorf("%s: the error holds a value", name)
	}
}
