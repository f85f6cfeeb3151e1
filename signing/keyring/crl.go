package keyring

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

// MaxCRL bounds a revocation list in bytes: more than a thousand revoked DSCs.
const MaxCRL = 64 << 10

// skew is how far the clock of the CSCA may be ahead.
const skew = 5 * time.Minute

// list is a revocation list with the CSCA that signed it.
type list struct {
	parsed *x509.RevocationList
	issuer *x509.Certificate
}

// readList parses a list and finds the pinned CSCA that signed it.
func (r *Ring) readList(der []byte) (list, error) {
	parsed, err := x509.ParseRevocationList(der)
	if err != nil {
		return list{}, err
	}
	if len(parsed.Raw) != len(der) { // the parser does not look behind the list
		return list{}, errors.New("bytes behind the list")
	}
	for _, a := range r.deps.Anchors {
		if bytes.Equal(parsed.AuthorityKeyId, a.SubjectKeyId) && parsed.CheckSignatureFrom(a) == nil {
			return list{parsed, a}, nil
		}
	}
	return list{}, errors.New("no pinned CSCA signed it")
}

// publish takes a newer revocation list of a CSCA.
func (r *Ring) publish(der []byte) (change, error) {
	if len(der) == 0 || len(der) > MaxCRL {
		return nil, refuse("/crl", "size", fmt.Sprintf("%d bytes.", len(der)), fmt.Sprintf("Give one revocation list in DER of at most %d bytes.", MaxCRL))
	}
	l, err := r.readList(der)
	if err != nil {
		return nil, refuse("/crl", "signature", "Not a revocation list that a pinned CSCA signed.", "Give the list in DER; its CSCA is pinned in the configuration of the signer and may sign lists.")
	}
	if l.parsed.Number == nil || l.parsed.Number.Sign() < 0 {
		return nil, refuse("/crl", "crl-number", "The list has no number.", "Issue it with the extension CRL number (RFC 5280 §5.2.3).")
	}
	return func(reg *register, now time.Time) error { return reg.replace(l, now) }, nil
}

func (reg *register) replace(l list, now time.Time) error {
	if l.parsed.ThisUpdate.After(now.Add(skew)) || !l.parsed.NextUpdate.After(now) {
		return refuse("/crl", "validity", "The list is not valid now.", "Issue a list whose thisUpdate has passed and whose nextUpdate has not (RFC 5280 §5.1.2).")
	}
	for _, e := range reg.entries {
		if e.RevokedAt == nil && l.names(e.certificate, e.issuer) {
			return refuse("/crl", "revoke-first", "The list names key "+hex.EncodeToString(e.kid)+", which the register does not hold as revoked.", "Revoke the key first, so that it signs no more, then publish the list.")
		}
	}
	i := slices.IndexFunc(reg.crls, func(old list) bool { return old.issuer.Equal(l.issuer) })
	if i < 0 {
		reg.crls = append(reg.crls, l)
		return nil
	}
	if l.parsed.Number.Cmp(reg.crls[i].parsed.Number) <= 0 {
		return refuse("/crl", "crl-number", "The published list of this CSCA has the same or a higher number.", "Issue a list with a higher number.")
	}
	reg.crls[i] = l
	return nil
}

// names reports whether the list revokes a certificate of its own CSCA, which may have
// several certificates for its key.
func (l list) names(certificate, issuer *x509.Certificate) bool {
	return bytes.Equal(issuer.SubjectKeyId, l.issuer.SubjectKeyId) && slices.ContainsFunc(l.parsed.RevokedCertificateEntries, func(e x509.RevocationListEntry) bool {
		return e.SerialNumber.Cmp(certificate.SerialNumber) == 0
	})
}
