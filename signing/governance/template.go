package governance

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"net/url"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Subject names the holder of a certificate.
type Subject struct {
	Country      string // ISO 3166-1 alpha-2, capitals
	Organization string
	CommonName   string
}

// Request is what a ceremony decides about one certificate; the profile decides the rest.
type Request struct {
	Subject       Subject
	Public        *ecdsa.PublicKey // its hash becomes the subject key identifier
	NotBefore     time.Time
	Validity      time.Duration // 0: the profile's default
	PrivateUse    time.Duration // 0: the profile's default
	CRL           string        // where the issuer's revocation list will be; may be empty
	IssuerURL     string        // SMART Health Cards: `iss`
	DocumentTypes []string      // VDS-NC: NV, NT
}

// Template builds the certificate of a usage, unsigned, with a fresh serial number. What
// the request asks for is checked by Lint, not here; the error is for values that cannot
// be written at all.
func Template(usage keystore.Usage, r Request) (*x509.Certificate, error) {
	profile, ok := ProfileOf(usage)
	if !ok {
		return nil, fmt.Errorf("%q is no usage of a key", string(usage))
	}
	return profile.template(r)
}

// CSCATemplate builds the certificate of a CSCA, unsigned, with a fresh serial number.
func CSCATemplate(r Request) (*x509.Certificate, error) { return csca.template(r) }

func (p Profile) template(r Request) (*x509.Certificate, error) {
	begin := r.NotBefore.UTC().Truncate(time.Second)
	t := &x509.Certificate{
		SerialNumber: newSerial(),
		Subject: pkix.Name{
			Country: []string{r.Subject.Country}, Organization: []string{r.Subject.Organization}, CommonName: r.Subject.CommonName,
		},
		NotBefore: begin, NotAfter: begin.Add(either(r.Validity, p.DefaultValidity)),
		SignatureAlgorithm: x509.ECDSAWithSHA256,
		KeyUsage:           p.KeyUsage, IsCA: p.CA, MaxPathLenZero: p.CA, BasicConstraintsValid: !p.Plain,
	}
	if r.CRL != "" {
		t.CRLDistributionPoints = []string{r.CRL}
	}
	if !p.Plain {
		id, err := keyID(r.Public)
		if err != nil {
			return nil, err
		}
		t.SubjectKeyId = id
	}
	return t, p.extend(t, r)
}

// extend adds what only some profiles have.
func (p Profile) extend(t *x509.Certificate, r Request) error {
	if err := p.extendUsage(t); err != nil {
		return err
	}
	if p.IssuerURL {
		issuer, err := url.Parse(r.IssuerURL)
		if err != nil {
			return err
		}
		t.URIs = []*url.URL{issuer}
	}
	if p.DocumentTypes {
		types, err := documentTypeExtension(r.DocumentTypes)
		if err != nil {
			return err
		}
		t.ExtraExtensions = append(t.ExtraExtensions, types)
	}
	if p.statesPrivateUse() {
		use, err := periodExtension(t.NotBefore, t.NotBefore.Add(either(r.PrivateUse, p.DefaultPrivateUse)))
		if err != nil {
			return err
		}
		t.ExtraExtensions = append(t.ExtraExtensions, use)
	}
	return nil
}

// extendUsage writes the extended key usage; a barcode signer's is critical, as ICAO
// writes it, a DSC's is not (GDHCN governance).
func (p Profile) extendUsage(t *x509.Certificate) error {
	switch {
	case p.ExtendedKeyUsage == nil:
		return nil
	case !p.Plain:
		t.UnknownExtKeyUsage = []asn1.ObjectIdentifier{p.ExtendedKeyUsage}
		return nil
	}
	value, err := asn1.Marshal([]asn1.ObjectIdentifier{p.ExtendedKeyUsage})
	t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: oidExtendedKeyUsage, Critical: true, Value: value})
	return err
}

func either(asked, usual time.Duration) time.Duration {
	if asked != 0 {
		return asked
	}
	return usual
}

// serialBits is the length of a serial number; its first bit is set, the others random.
const serialBits = 128

func newSerial() *big.Int {
	raw := make([]byte, serialBits/8)
	_, _ = rand.Read(raw) // crypto/rand.Read never fails (Go 1.24 and later)
	serial := new(big.Int).SetBytes(raw)
	return serial.SetBit(serial, serialBits-1, 1)
}

// keyID is the first 160 bits of SHA-256 over the public key's DER (RFC 7093 §2, method 4).
func keyID(public *ecdsa.PublicKey) ([]byte, error) {
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(spki)
	return sum[:20], nil
}
