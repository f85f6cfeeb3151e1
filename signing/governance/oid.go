package governance

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
)

// Object identifiers of the extensions a certificate of ours may carry.
var (
	oidSubjectKeyID     = asn1.ObjectIdentifier{2, 5, 29, 14}
	oidKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidPrivateUse       = asn1.ObjectIdentifier{2, 5, 29, 16}
	oidAlternativeName  = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidRevocationPoint  = asn1.ObjectIdentifier{2, 5, 29, 31}
	oidAuthorityKeyID   = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidExtendedKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidDocumentType     = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 6, 2} // ICAO 9303-12 §7.1.1
)

// extension finds one extension of a certificate; the parser refuses a second of a kind.
func extension(c *x509.Certificate, id asn1.ObjectIdentifier) (pkix.Extension, bool) {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return e, true
		}
	}
	return pkix.Extension{}, false
}

func has(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	_, ok := extension(c, id)
	return ok
}
