package software

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Validity of development certificates, as the GDHCN certificate governance table sets
// them for real ones: CSCA 4 years, DSC 2 years, private key use 6 months.
const (
	cscaValidity  = 4 * 365 * 24 * time.Hour
	dscValidity   = 2 * 365 * 24 * time.Hour
	dscPrivateUse = 182 * 24 * time.Hour
)

// Subject names the authority in the certificates.
type Subject struct {
	Country      string // ISO 3166-1 alpha-2; "XX" for development
	Organization string
}

// Create generates a development CSCA and one DSC a usage and writes the sealed key file
// into dir. It refuses to overwrite.
func Create(dir string, passphrase []byte, subject Subject, now time.Time) error {
	if len(subject.Country) != 2 || subject.Organization == "" {
		return errors.New("software key store: subject needs a two-letter country and an organisation")
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // crypto/rand.Read never fails (Go 1.24 and later)
	box, err := openBox(passphrase, salt)
	if err != nil {
		return err
	}
	now = now.UTC().Truncate(time.Second)
	ca, err := newCSCA(subject, now)
	if err != nil {
		return err
	}
	f := file{Format: format, Salt: salt}
	if f.CSCA, err = ca.sealed(box, "csca"); err != nil {
		return err
	}
	for _, usage := range keystore.Usages() {
		label := fmt.Sprintf("dsc-%s-1", usage)
		pair, err := newDSC(subject, usage, ca, now)
		if err != nil {
			return err
		}
		sealed, err := pair.sealed(box, label)
		if err != nil {
			return err
		}
		f.Keys = append(f.Keys, usageKey{Usage: usage, Label: label, sealedKey: sealed})
	}
	return write(dir, f)
}

func write(dir string, f file) error {
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	out, err := os.OpenFile(filepath.Join(dir, FileName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("software key store: %w", err)
	}
	if _, err := out.Write(raw); err != nil {
		return errors.Join(err, out.Close())
	}
	return errors.Join(out.Sync(), out.Close())
}

type pair struct {
	private     *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func (p pair) sealed(box *seal.Box, label string) (sealedKey, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.private)
	if err != nil {
		return sealedKey{}, err
	}
	return sealedKey{Certificate: p.certificate.Raw, Sealed: box.Seal(purpose(label), der)}, nil
}

func newCSCA(subject Subject, now time.Time) (pair, error) {
	return issue(pair{}, &x509.Certificate{
		Subject:   name(subject, "Development CSCA - not a real authority"),
		NotBefore: now, NotAfter: now.Add(cscaValidity),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:     true, BasicConstraintsValid: true, MaxPathLenZero: true,
	})
}

func newDSC(subject Subject, usage keystore.Usage, ca pair, now time.Time) (pair, error) {
	period, err := privateKeyUsagePeriod(now, now.Add(dscPrivateUse))
	if err != nil {
		return pair{}, err
	}
	template := &x509.Certificate{
		Subject:   name(subject, fmt.Sprintf("Development DSC %s 1", usage)),
		NotBefore: now, NotAfter: now.Add(dscValidity),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		ExtraExtensions:       []pkix.Extension{period},
	}
	if oid, ok := usage.ExtendedKeyUsage(); ok {
		template.UnknownExtKeyUsage = []asn1.ObjectIdentifier{oid}
	}
	return issue(ca, template)
}

func name(s Subject, common string) pkix.Name {
	return pkix.Name{Country: []string{s.Country}, Organization: []string{s.Organization}, CommonName: common}
}

// issue makes a P-256 key and its certificate; an empty parent means self-signed.
func issue(parent pair, template *x509.Certificate) (pair, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return pair{}, err
	}
	template.SerialNumber = serial
	spki, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return pair{}, err
	}
	id := sha256.Sum256(spki)
	template.SubjectKeyId = id[:20]
	if parent.private == nil {
		parent = pair{private: private, certificate: template}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.certificate, &private.PublicKey, parent.private)
	if err != nil {
		return pair{}, err
	}
	certificate, err := x509.ParseCertificate(der)
	return pair{private: private, certificate: certificate}, err
}

// privateKeyUsagePeriod is the extension 2.5.29.16 (RFC 3280 §4.2.1.4): how long the key
// may sign, shorter than how long its signatures verify.
func privateKeyUsagePeriod(from, until time.Time) (pkix.Extension, error) {
	value, err := asn1.Marshal(struct {
		NotBefore time.Time `asn1:"tag:0,generalized"`
		NotAfter  time.Time `asn1:"tag:1,generalized"`
	}{from.UTC(), until.UTC()})
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 16}, Value: value}, err
}
