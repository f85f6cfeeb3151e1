package service

import (
	"encoding/json"

	"github.com/veraison/go-cose"
	"golang.org/x/text/unicode/norm"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/service/lint"
)

// hcertEnvelope is an Electronic Health Certificate, of whatever content.
type hcertEnvelope struct{ payload, kid, input []byte }

func (e hcertEnvelope) toBeSigned() []byte { return e.input }

func (e hcertEnvelope) text(signature keystore.Signature) (string, error) {
	message, err := hcert.Assemble(e.payload, e.kid, cose.AlgorithmES256, signature[:])
	if err != nil {
		return "", err
	}
	return hcert.Text(message)
}

func (hcertEnvelope) read(text string) (lint.Reading, error) {
	m, err := reader.Decode(text)
	return lint.Reading{HCERT: m}, err
}

// buildHCERT puts content into its sub-claim and sets the claims that are the service's.
func (s *Service) buildHCERT(p prepared, content any) (envelope, error) {
	payload, err := hcert.Claims{
		Issuer: s.policy.Country(), IssuedAt: p.issuedAt, ExpiresAt: p.expiresAt, Lifelong: p.lifelong,
		SubClaim: p.subClaim, Content: content,
	}.Encode()
	if err != nil {
		return nil, err
	}
	input, err := hcert.ToBeSigned(payload, p.key.KID, cose.AlgorithmES256)
	if err != nil {
		return nil, err
	}
	return hcertEnvelope{payload: payload, kid: p.key.KID, input: input}, nil
}

func buildDDCC(s *Service, p prepared, c signing.Claims) (envelope, error) {
	return s.buildHCERT(p, c.DDCC)
}

func buildDCC(s *Service, p prepared, c signing.Claims) (envelope, error) {
	return s.buildHCERT(p, c.DCC)
}

// buildICVP writes the names of the published guide. That writer brings texts into NFC; a
// card is signed as it was stated or not at all.
func buildICVP(s *Service, p prepared, c signing.Claims) (envelope, error) {
	texts, err := json.Marshal(c.ICVP)
	if err != nil {
		return nil, err
	}
	if !norm.NFC.IsNormal(texts) {
		return nil, &hcert.ClaimError{Path: "-260.-6", Rule: "must be in Unicode normalization form C"}
	}
	content, err := c.ICVP.Content(icvp.Gen1)
	if err != nil {
		return nil, err
	}
	return s.buildHCERT(p, content)
}
