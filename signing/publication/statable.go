package publication

import (
	"crypto/x509"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// Statable gives what the key register asks before it takes a change: why no statement
// could say these keys and revocation lists at a time; nil when one could. It signs nothing.
func Statable(country string, anchors []*x509.Certificate) func(keys []signing.KeyStatus, revocationLists [][]byte, now time.Time) error {
	return func(keys []signing.KeyStatus, revocationLists [][]byte, now time.Time) error {
		c := claimsOf(country, anchors, keys, revocationLists, now)
		c.NextUpdate = now.Add(minValidity)
		_, err := trust.NewStatement(c)
		return err
	}
}

// claimsOf is what a statement says at a time, but for its end.
func claimsOf(country string, anchors []*x509.Certificate, keys []signing.KeyStatus, revocationLists [][]byte, now time.Time) trust.Claims {
	c := trust.Claims{Country: country, IssuedAt: now}
	listed := map[string]bool{} // key identifiers
	for _, anchor := range anchors {
		if now.Before(anchor.NotAfter) {
			c.CSCAs, listed[string(anchor.SubjectKeyId)] = append(c.CSCAs, anchor.Raw), true
		}
	}
	// The list of a CSCA that has ended says nothing about a key that is still believed.
	for _, der := range revocationLists {
		if list, err := x509.ParseRevocationList(der); err == nil && listed[string(list.AuthorityKeyId)] {
			c.CRLs = append(c.CRLs, der)
		}
	}
	for _, k := range keys {
		if stated(k) {
			c.Keys = append(c.Keys, trust.PublicKey{
				KID: k.KID, Usage: trust.Usage(k.Usage), State: trust.State(k.State),
				ActiveFrom: k.ActivateAt, ListedFrom: k.PublishAt, Certificate: k.Certificate, Issuer: k.Issuer,
			})
		}
	}
	return c
}
