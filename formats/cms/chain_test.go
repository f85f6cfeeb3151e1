package cms_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"slices"
	"testing"

	"github.com/smallstep/pkcs7"

	"github.com/trustedparty/ddcc-gateway/formats/cms"
)

func TestCertificatesTravelAlong(t *testing.T) {
	t.Parallel()
	for range 4 { // serial numbers are random: either certificate comes first in DER
		p, q := newPair(t, ecKey(t, elliptic.P256())), newPair(t, ecKey(t, elliptic.P384()))
		raw, err := cms.SignDetached(content, p.cert, p.key, at, q.cert)
		if err != nil {
			t.Fatal(err)
		}
		message, err := cms.VerifyDetached(raw, content)
		if err != nil || !message.Signer.Equal(p.cert) || message.Certificates != 2 {
			t.Errorf("%v: %d certificates", err, message.Certificates)
		}
		other, err := pkcs7.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		other.Content = content
		if err := other.Verify(); err != nil || len(other.Certificates) != 2 || !other.GetOnlySigner().Equal(p.cert) {
			t.Errorf("the other implementation: %v", err)
		}
		if !slices.ContainsFunc(other.Certificates, q.cert.Equal) {
			t.Error("the certificate to send along is not there")
		}
	}
}

func TestChainIsBounded(t *testing.T) {
	t.Parallel()
	p := newPair(t, ecKey(t, elliptic.P256()))
	for name, chain := range map[string][]*x509.Certificate{"missing": {nil}, "too many": slices.Repeat([]*x509.Certificate{p.cert}, 8)} {
		if raw, err := cms.SignDetached(content, p.cert, p.key, at, chain...); !errors.Is(err, cms.ErrChain) || raw != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := cms.SignDetached(content, p.cert, p.key, at, slices.Repeat([]*x509.Certificate{p.cert}, 7)...); err != nil {
		t.Error(err)
	}
}
