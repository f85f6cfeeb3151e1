package reader

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
)

// Identifiers of ICAO 9303-12 §7.1.
var (
	oidBarcodeSigner = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 14, 2} // extended key usage
	oidDocumentType  = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 6, 2}  // extension documentTypeList
)

// documentCodes are the entries of the document type list that permit a type of seal.
var documentCodes = map[string]string{typeVaccination: "NV", typeTest: "NT"}

// unwantedExtensions must not be in the certificate of a barcode signer. Real issuers have
// them and mean no harm.
var unwantedExtensions = []struct {
	oid  asn1.ObjectIdentifier
	rule string
}{
	{asn1.ObjectIdentifier{2, 5, 29, 14}, "must not have a subject key identifier"},
	{asn1.ObjectIdentifier{2, 5, 29, 15}, "must not have a key usage"},
	{asn1.ObjectIdentifier{2, 5, 29, 16}, "must not have a private key usage period"},
	{asn1.ObjectIdentifier{2, 5, 29, 17}, "must not have a subject alternative name"},
	{asn1.ObjectIdentifier{2, 5, 29, 18}, "must not have an issuer alternative name"},
	{asn1.ObjectIdentifier{2, 5, 29, 19}, "must not have basic constraints"},
}

// AKI is the authority key identifier of the certificate: the subject key identifier of
// the CSCA that is said to have issued it. It is nil when there is none.
func (m *Message) AKI() []byte { return bytes.Clone(m.Certificate.AuthorityKeyId) }

// IssuerCountry is the country in the name of the certificate's issuer, as written there,
// mostly alpha-2; "" unless there is exactly one. Trust lists of seals name a CSCA by it
// and AKI.
func (m *Message) IssuerCountry() string {
	if len(m.Certificate.Issuer.Country) != 1 {
		return ""
	}
	return m.Certificate.Issuer.Country[0]
}

// CheckSigner holds the certificate against the profile of a barcode signer (ICAO 9303-12
// §7.1.3). Each problem that is no warning means that the certificate was not made for
// seals of this type, and that the seal must not be accepted whoever issued it. Times, the
// chain to a CSCA and revocation are the caller's to check.
func (m *Message) CheckSigner() []Problem {
	c := m.Certificate
	problems := checkUsage(c)
	problems = append(problems, m.checkDocumentType()...)
	if len(c.AuthorityKeyId) == 0 {
		problems = append(problems, signerProblem("must have an authority key identifier"))
	}
	if !slices.Equal(c.Issuer.Country, c.Subject.Country) || len(c.Subject.Country) != 1 {
		problems = append(problems, signerProblem("must name one country, the same in issuer and subject"))
	}
	if c.IsCA {
		problems = append(problems, signerProblem("must not be a certificate authority"))
	}
	if c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		problems = append(problems, signerProblem("has a key usage that does not permit signatures"))
	}
	for _, unwanted := range unwantedExtensions {
		if extension(c, unwanted.oid) != nil {
			problems = append(problems, Problem{Path: "sig.cer", Rule: unwanted.rule, Warning: true})
		}
	}
	return problems
}

func signerProblem(rule string) Problem { return Problem{Path: "sig.cer", Rule: rule} }

// checkUsage looks for the one extended key usage, in a critical extension.
func checkUsage(c *x509.Certificate) []Problem {
	isBarcodeSigner := slices.ContainsFunc(c.UnknownExtKeyUsage, oidBarcodeSigner.Equal)
	if !isBarcodeSigner {
		return []Problem{signerProblem("must have the extended key usage 2.23.136.1.1.14.2, barcode signer")}
	}
	var problems []Problem
	if len(c.UnknownExtKeyUsage)+len(c.ExtKeyUsage) > 1 {
		problems = append(problems, Problem{Path: "sig.cer", Rule: "must have no other extended key usage", Warning: true})
	}
	if found := extension(c, asn1.ObjectIdentifier{2, 5, 29, 37}); found != nil && !found.Critical {
		problems = append(problems, Problem{Path: "sig.cer", Rule: "must have its extended key usage critical", Warning: true})
	}
	return problems
}

// checkDocumentType reads DocumentTypeList ::= SEQUENCE { version 0, SET OF type }.
func (m *Message) checkDocumentType() []Problem {
	found := extension(m.Certificate, oidDocumentType)
	if found == nil {
		return []Problem{signerProblem("must have a document type list, 2.23.136.1.1.6.2")}
	}
	var list struct {
		Version int
		Types   []string `asn1:"set"`
	}
	if rest, err := asn1.Unmarshal(found.Value, &list); err != nil || len(rest) > 0 || list.Version != 0 {
		return []Problem{signerProblem("has a document type list that cannot be read")}
	}
	if !slices.Contains(list.Types, documentCodes[m.Type]) {
		return []Problem{signerProblem("has a document type list without the type of the seal, NV for icao.vacc and NT for icao.test")}
	}
	return nil
}

func extension(c *x509.Certificate, oid asn1.ObjectIdentifier) *pkix.Extension {
	for i := range c.Extensions {
		if c.Extensions[i].Id.Equal(oid) {
			return &c.Extensions[i]
		}
	}
	return nil
}
