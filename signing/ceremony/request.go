package ceremony

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"slices"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

var (
	oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidAuthorityKeyID   = asn1.ObjectIdentifier{2, 5, 29, 35}
)

// requestFormat of a request file; another one is refused.
const requestFormat = 1

// requestFile carries a certificate request from the key's machine to the CSCA's, with
// what a CSR cannot say: which version of which key it is for.
type requestFile struct {
	Format  int            `json:"format"`
	Usage   keystore.Usage `json:"usage"`
	Label   string         `json:"label"`
	Version int            `json:"version"`
	Request []byte         `json:"request"` // DER of PKCS #10

	parsed *x509.CertificateRequest
}

func (r requestFile) ref() keystore.Ref { return keystore.Ref{Label: r.Label, Version: r.Version} }

// public is the key to be certified; parsing has made sure of its type.
func (r requestFile) public() *ecdsa.PublicKey {
	public, _ := r.parsed.PublicKey.(*ecdsa.PublicKey)
	return public
}

var errRequest = errors.New("not a request file of this version, or its CSR does not prove possession of a key on P-256")

// parseRequestFile reads a request file and checks its proof of possession.
func parseRequestFile(raw []byte) (*requestFile, error) {
	var r requestFile
	if err := strict(raw, &r); err != nil {
		return nil, err
	}
	if r.Format != requestFormat || !r.Usage.Known() || r.ref().Validate() != nil {
		return nil, errRequest
	}
	parsed, err := x509.ParseCertificateRequest(r.Request)
	if err != nil || len(parsed.Raw) != len(r.Request) || parsed.CheckSignature() != nil {
		return nil, errRequest
	}
	if public, ok := parsed.PublicKey.(*ecdsa.PublicKey); !ok || public.Curve != elliptic.P256() {
		return nil, errRequest
	}
	r.parsed = parsed
	return &r, nil
}

func (r requestFile) encode() ([]byte, error) {
	raw, err := json.MarshalIndent(r, "", "  ")
	return append(raw, '\n'), err
}

// newRequest signs a certificate request with a key. It asks for what the rehearsed
// certificate has, so that an engine that copies extensions makes the same; the
// identifier of the authority is the authority's to write.
func newRequest(ctx context.Context, store keystore.Store, ref keystore.Ref, public *ecdsa.PublicKey, rehearsed *x509.Certificate) (*x509.CertificateRequest, error) {
	asked := slices.DeleteFunc(slices.Clone(rehearsed.Extensions), func(e pkix.Extension) bool { return e.Id.Equal(oidAuthorityKeyID) })
	template := &x509.CertificateRequest{
		RawSubject: rehearsed.RawSubject, ExtraExtensions: asked, SignatureAlgorithm: x509.ECDSAWithSHA256,
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, keystore.NewSigner(ctx, store, ref, public))
	if err != nil {
		return nil, err
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, err
	}
	return request, request.CheckSignature()
}

// Types of PEM blocks (RFC 7468).
const (
	pemCertificate = "CERTIFICATE"
	pemRequest     = "CERTIFICATE REQUEST"
	pemCRL         = "X509 CRL"
)

func encodePEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

var errPEM = errors.New("not exactly one PEM block of the expected type")

// decodePEM takes exactly one block of a type.
func decodePEM(kind string, raw []byte) ([]byte, error) {
	block, rest := pem.Decode(raw)
	if block == nil || block.Type != kind {
		return nil, errPEM
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, errPEM
	}
	return block.Bytes, nil
}

func parseCertificatePEM(raw []byte) (*x509.Certificate, error) {
	der, err := decodePEM(pemCertificate, raw)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
