package ceremony

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// CertificateAuthority is a CSCA wherever its key is. What it answers is not believed: it
// is linted, compared with what was asked for and verified.
type CertificateAuthority interface {
	// Certificate gives the CSCA's own certificate.
	Certificate(ctx context.Context) (*x509.Certificate, error)

	// Certify issues a certificate. The template is what is wanted; request holds the
	// key, proves its possession, and asks for the same subject and extensions.
	Certify(ctx context.Context, template *x509.Certificate, request *x509.CertificateRequest) (*x509.Certificate, error)

	// RevocationList signs a list.
	RevocationList(ctx context.Context, template *x509.RevocationList) (*x509.RevocationList, error)

	// Verbatim reports whether it signs a template byte by byte. One that does not chooses
	// serial number and begin of validity itself.
	Verbatim() bool
}

// keyStoreCA is a CSCA whose key is in a key store.
type keyStoreCA struct {
	store       keystore.Store
	ref         keystore.Ref
	certificate *x509.Certificate
	public      *ecdsa.PublicKey
}

var errNotItsKey = errors.New("the key in the store is not the one of the CSCA certificate")

// NewKeyStoreCA gives the CSCA whose key is a version in a store. It asks the store for
// the public key and holds it against the certificate.
func NewKeyStoreCA(ctx context.Context, store keystore.Store, ref keystore.Ref, certificate *x509.Certificate) (CertificateAuthority, error) {
	public, err := store.Public(ctx, ref)
	if err != nil {
		return nil, err
	}
	if !public.Equal(certificate.PublicKey) {
		return nil, fmt.Errorf("%w: %s", errNotItsKey, ref)
	}
	return keyStoreCA{store, ref, certificate, public}, nil
}

func (a keyStoreCA) Certificate(context.Context) (*x509.Certificate, error) {
	return a.certificate, nil
}

func (a keyStoreCA) Verbatim() bool { return true }

func (a keyStoreCA) Certify(ctx context.Context, template *x509.Certificate, request *x509.CertificateRequest) (*x509.Certificate, error) {
	return createCertificate(template, a.certificate, request.PublicKey, keystore.NewSigner(ctx, a.store, a.ref, a.public))
}

func (a keyStoreCA) RevocationList(ctx context.Context, template *x509.RevocationList) (*x509.RevocationList, error) {
	der, err := x509.CreateRevocationList(rand.Reader, template, a.certificate, keystore.NewSigner(ctx, a.store, a.ref, a.public))
	if err != nil {
		return nil, err
	}
	return x509.ParseRevocationList(der)
}
