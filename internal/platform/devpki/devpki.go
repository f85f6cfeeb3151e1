// Package devpki makes the TLS certificates of a development installation: one CA, and a
// certificate each for gateway, signer and a demo issuer. Never use them for anything
// else: the CA's key is thrown away after use, so a new installation is a new CA.
package devpki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// Names in the certificates, as peers know each other.
const (
	GatewayName   = "urn:ddcc-gateway:gateway"
	SignerName    = "urn:ddcc-gateway:signer"
	IssuerName    = "urn:ddcc-gateway:issuer:demo-clinic"
	OpenHIMName   = "urn:ddcc-gateway:openhim"
	Operator1Name = "urn:ddcc-gateway:operator:1"
	Operator2Name = "urn:ddcc-gateway:operator:2"
)

// validity of everything: long enough for a demo that is kept running.
const validity = 30 * 24 * time.Hour

// CA issues development certificates.
type CA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  time.Time
}

// NewCA makes a CA that is valid from shortly before now.
func NewCA(now time.Time) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca := &CA{key: key, now: now.UTC().Truncate(time.Second)}
	template := ca.template("Development TLS CA")
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	ca.cert, err = x509.ParseCertificate(der)
	return ca, err
}

func (ca *CA) template(common string) *x509.Certificate {
	serial := make([]byte, 16)
	_, _ = rand.Read(serial) // crypto/rand.Read never fails (Go 1.24 and later)
	serial[0] &= 0x7f
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      pkix.Name{CommonName: common, Organization: []string{"Development"}},
		NotBefore:    ca.now.Add(-time.Minute), NotAfter: ca.now.Add(validity),
	}
}

// PEM is the CA certificate.
func (ca *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})
}

// Issue makes a certificate with the name as URI SAN, usable as client and, on loopback,
// as server.
func (ca *CA) Issue(name string) (certPEM, keyPEM []byte, err error) {
	uri, err := url.Parse(name)
	if err != nil {
		return nil, nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := ca.template(name)
	template.URIs = []*url.URL{uri}
	template.DNSNames = []string{"localhost"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), nil
}

// Write creates dir with ca.pem and, for each file name, NAME.pem and NAME.key.
func Write(dir string, now time.Time, names map[string]string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ca, err := NewCA(now)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), ca.PEM(), 0o600); err != nil {
		return err
	}
	for file, name := range names {
		cert, key, err := ca.Issue(name)
		if err != nil {
			return fmt.Errorf("development certificate %s: %w", file, err)
		}
		if err := os.WriteFile(filepath.Join(dir, file+".pem"), cert, 0o600); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, file+".key"), key, 0o600); err != nil {
			return err
		}
	}
	return nil
}
