package reader

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

const (
	maxChain       = 6
	maxCertificate = 16 << 10 // characters in base64
	maxRSA         = 4096     // bits of a certification authority's key
)

var base64Std = base64.StdEncoding.Strict()

// checkChain checks the certificates of a key (RFC 7517 §4.7): the first one is for the
// key and names the issuer by URL, each is signed by the next. Validity times and the root
// are the business of whoever has a clock and a trust list.
func (c *checker) checkChain(path string, raw json.RawMessage, key *Key) {
	var encoded []string
	if err := json.Unmarshal(raw, &encoded); err != nil || len(encoded) == 0 || len(encoded) > maxChain {
		c.fail(RuleCertificate, path, "must be a list of 1 to 6 certificates")
		return
	}
	chain := make([]*x509.Certificate, 0, len(encoded))
	for i, text := range encoded {
		certificate, err := parseCertificate(text)
		if err != nil {
			c.fail(RuleCertificate, fmt.Sprintf("%s[%d]", path, i), "must be a certificate, DER in standard base64")
			return
		}
		chain = append(chain, certificate)
	}
	c.checkLeaf(path+"[0]", chain[0], key)
	for i := range chain[1:] {
		if err := chain[i].CheckSignatureFrom(chain[i+1]); err != nil {
			c.fail(RuleCertificate, fmt.Sprintf("%s[%d]", path, i), "must be signed by the certificate that follows")
		}
	}
}

func parseCertificate(text string) (*x509.Certificate, error) {
	if len(text) > maxCertificate {
		return nil, errTooLarge
	}
	der, err := base64Std.DecodeString(text)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	// A signature under a huge key would cost more than the rest of the key set.
	if key, ok := certificate.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > maxRSA {
		return nil, errTooLarge
	}
	return certificate, nil
}

func (c *checker) checkLeaf(path string, leaf *x509.Certificate, key *Key) {
	if key.Public != nil && !key.Public.Equal(leaf.PublicKey) {
		c.fail(RuleCertificate, path, "must be for the key of the entry")
	}
	if len(leaf.URIs) != 1 || issuerProblem(leaf.URIs[0].String()) != "" {
		c.fail(RuleCertificate, path, "must name the issuer by one URL, equal to iss, in its subject alternative name")
		return
	}
	key.Issuer = leaf.URIs[0].String()
}
