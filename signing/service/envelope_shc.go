package service

import (
	"crypto/ecdsa"
	"crypto/x509"

	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/formats/shc/reader"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/service/lint"
)

// shcEnvelope is a SMART Health Card; input is the header and the payload of its JWS.
type shcEnvelope struct{ input []byte }

func (e shcEnvelope) toBeSigned() []byte { return e.input }

func (e shcEnvelope) text(signature keystore.Signature) (string, error) {
	jws, err := shc.Assemble(e.input, signature[:])
	if err != nil {
		return "", err
	}
	return shc.Text(jws)
}

func (shcEnvelope) read(text string) (lint.Reading, error) {
	m, err := reader.Decode(text)
	return lint.Reading{SHC: m}, err
}

// buildSHC sets issuer, times and key id of a card. Its issuer is the URL that the
// certificate of the key names, so that the key set found there holds the key; it always
// says when it ends, which is within the certificate's time.
func buildSHC(_ *Service, p prepared, c signing.Claims) (envelope, error) {
	payload, err := shc.Credential{
		Issuer: issuerURL(p.key.Certificate), NotBefore: p.issuedAt, ExpiresAt: p.expiresAt, Card: *c.SHC,
	}.Payload()
	if err != nil {
		return nil, err
	}
	public, _ := p.key.Certificate.PublicKey.(*ecdsa.PublicKey)
	kid, err := shc.Thumbprint(public)
	if err != nil {
		return nil, err
	}
	input, err := shc.SigningInput(payload, kid)
	if err != nil {
		return nil, err
	}
	return shcEnvelope{input: input}, nil
}

// issuerURL is the one URI that the certificate of a card's signer names, empty when it
// names none or several.
func issuerURL(certificate *x509.Certificate) string {
	if len(certificate.URIs) != 1 {
		return ""
	}
	return certificate.URIs[0].String()
}
