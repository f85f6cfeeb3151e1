package governance

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"time"
)

// period is PrivateKeyUsagePeriod (RFC 3280 §4.2.1.4).
type period struct {
	NotBefore time.Time `asn1:"optional,tag:0,generalized"`
	NotAfter  time.Time `asn1:"optional,tag:1,generalized"`
}

var errPeriod = errors.New("the private key usage period is not in DER, empty or reversed")

// PrivateUse reads how long the private key of a certificate may sign. ok is false when
// the certificate does not say. A bound that is not stated is that of the certificate.
func PrivateUse(certificate *x509.Certificate) (from, until time.Time, ok bool, err error) {
	e, ok := extension(certificate, oidPrivateUse)
	if !ok {
		return time.Time{}, time.Time{}, false, nil
	}
	p, err := parsePeriod(e.Value)
	if err != nil {
		return time.Time{}, time.Time{}, true, err
	}
	if p.NotBefore.IsZero() {
		p.NotBefore = certificate.NotBefore
	}
	if p.NotAfter.IsZero() {
		p.NotAfter = certificate.NotAfter
	}
	if !p.NotBefore.Before(p.NotAfter) {
		return time.Time{}, time.Time{}, true, errPeriod
	}
	return p.NotBefore.UTC(), p.NotAfter.UTC(), true, nil
}

// parsePeriod accepts DER alone: what it would not write itself, it does not read.
func parsePeriod(der []byte) (period, error) {
	var p period
	rest, err := asn1.Unmarshal(der, &p)
	if err != nil || len(rest) > 0 || p == (period{}) {
		return period{}, errPeriod
	}
	again, err := asn1.Marshal(period{p.NotBefore.UTC(), p.NotAfter.UTC()})
	if err != nil || !bytes.Equal(again, der) {
		return period{}, errPeriod
	}
	return p, nil
}

func periodExtension(from, until time.Time) (pkix.Extension, error) {
	value, err := asn1.Marshal(period{from.UTC(), until.UTC()})
	return pkix.Extension{Id: oidPrivateUse, Value: value}, err
}
