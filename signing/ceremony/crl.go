package ceremony

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// reasonCodes of RFC 5280 §5.3.1 by name; signing.RevokeReasons says which are taken.
var reasonCodes = map[string]int{
	"unspecified": 0, "keyCompromise": 1, "cACompromise": 2, "affiliationChanged": 3,
	"superseded": 4, "cessationOfOperation": 5, "privilegeWithdrawn": 9, "aACompromise": 10,
}

// readList builds the revocation list: what the list before names, and what is new.
func (p *Plan) readList(c *complaints) {
	wanted := p.source.File.CRL
	if wanted == nil || p.issuer == nil {
		return
	}
	entries := p.readPrevious(c, wanted)
	for i, r := range wanted.Revoked {
		at := fmt.Sprintf("/crl/revoked/%d", i)
		entry, ok := p.readRevoked(c, at, r)
		if !ok {
			continue
		}
		listed := slices.ContainsFunc(entries, func(e x509.RevocationListEntry) bool { return e.SerialNumber.Cmp(entry.SerialNumber) == 0 })
		if c.unless(!listed, at, "duplicate-serial", "The certificate is on the list already.", "Remove it; what a list names stays on it.") {
			entries = append(entries, entry)
		}
	}
	length := days(wanted.NextUpdateDays)
	if length == 0 {
		length = days(defaultCRLDays)
	}
	p.list = &x509.RevocationList{
		Number: big.NewInt(wanted.Number), ThisUpdate: p.now, NextUpdate: p.now.Add(length),
		RevokedCertificateEntries: entries, SignatureAlgorithm: x509.ECDSAWithSHA256,
	}
	within := !p.now.Before(p.issuer.NotBefore) && !p.list.NextUpdate.After(p.issuer.NotAfter)
	c.unless(within, "/crl/nextUpdateDays", "validity", "The list would not be valid within the validity of its CSCA.", "Choose an earlier next update.")
}

func (p *Plan) readPrevious(c *complaints, wanted *Revocation) []x509.RevocationListEntry {
	if wanted.Previous == "" {
		return nil
	}
	const at = "/crl/previous"
	raw, err := p.source.input(wanted.Previous)
	if !c.unless(err == nil, at, "file", "The file cannot be read.", "Name an existing file, relative to the ceremony file.") {
		return nil
	}
	der, err := decodePEM(pemCRL, raw)
	var before *x509.RevocationList
	if err == nil {
		before, err = x509.ParseRevocationList(der)
	}
	if !c.unless(err == nil && before.Number != nil && len(before.Raw) == len(der), at, "crl", "The file is not one revocation list in PEM, with a number.", "Give the list before this one.") {
		return nil
	}
	c.unless(before.CheckSignatureFrom(p.issuer) == nil, at, "signature", "The list is not signed by this CSCA.", "Give the list before this one, of the same CSCA.")
	c.unless(before.Number.Cmp(big.NewInt(wanted.Number)) < 0, "/crl/number", "crl-number", fmt.Sprintf("The list before has number %d.", before.Number), "Use a higher number.")
	return slices.Clone(before.RevokedCertificateEntries)
}

func (p *Plan) readRevoked(c *complaints, at string, r Revoked) (x509.RevocationListEntry, bool) {
	entry := x509.RevocationListEntry{RevocationTime: p.now, ReasonCode: reasonCodes[r.Reason]}
	if r.At != nil {
		entry.RevocationTime = r.At.UTC().Truncate(time.Second)
		c.unless(!entry.RevocationTime.After(p.now), at+"/at", "time", "The time is still to come.", "Revoke when it has come, or leave it out.")
	}
	if r.Certificate == "" {
		var err error
		entry.SerialNumber, err = parseSerial(r.Serial)
		return entry, err == nil
	}
	raw, err := p.source.input(r.Certificate)
	if !c.unless(err == nil, at+"/certificate", "file", "The file cannot be read.", "Name an existing file, relative to the ceremony file.") {
		return entry, false
	}
	certificate, err := parseCertificatePEM(raw)
	if !c.unless(err == nil, at+"/certificate", "certificate", "The file is not one certificate in PEM.", "Give the certificate alone.") {
		return entry, false
	}
	if !c.unless(p.issued(certificate), at+"/certificate", "issuer", "This CSCA did not issue the certificate.", "Revoke it with the CSCA that issued it.") {
		return entry, false
	}
	entry.SerialNumber = certificate.SerialNumber
	return entry, true
}

func (p *Plan) issued(certificate *x509.Certificate) bool {
	return bytes.Equal(certificate.RawIssuer, p.issuer.RawSubject) &&
		p.issuer.CheckSignature(certificate.SignatureAlgorithm, certificate.RawTBSCertificate, certificate.Signature) == nil
}

// signList has the CSCA sign the list, and compares it with one that a throwaway key
// signed.
func (d *desk) signList(ctx context.Context, template *x509.RevocationList) (*x509.RevocationList, error) {
	by, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	standIn := *d.issuer
	standIn.PublicKey = &by.PublicKey
	der, err := x509.CreateRevocationList(rand.Reader, template, &standIn, by)
	if err != nil {
		return nil, err
	}
	rehearsed, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	made, err := d.authority.RevocationList(ctx, template)
	if err != nil {
		return nil, err
	}
	if err := made.CheckSignatureFrom(d.issuer); err != nil {
		return nil, fmt.Errorf("the revocation list does not verify: %w", err)
	}
	if d.authority.Verbatim() && !bytes.Equal(made.RawTBSRevocationList, rehearsed.RawTBSRevocationList) {
		return nil, errDiffers
	}
	if !sameList(made, rehearsed) {
		return nil, fmt.Errorf("%w: the revocation list", errDiffers)
	}
	if len(made.Raw) > maxRevocation {
		return nil, fmt.Errorf("the revocation list has %d bytes; the register takes %d", len(made.Raw), maxRevocation)
	}
	return made, d.note(line{Event: "crl-signed", SHA256: digest(made.Raw), Serial: made.Number.String()})
}

// sameList compares two lists by what they say; the times of an engine may be off by its
// skew.
func sameList(made, rehearsed *x509.RevocationList) bool {
	near := func(a, b time.Time) bool { return a.Sub(b).Abs() <= engineSkew }
	entry := func(e, o x509.RevocationListEntry) bool {
		return e.SerialNumber.Cmp(o.SerialNumber) == 0 && e.RevocationTime.Equal(o.RevocationTime) && e.ReasonCode == o.ReasonCode
	}
	return made.SignatureAlgorithm == rehearsed.SignatureAlgorithm && made.Number != nil && made.Number.Cmp(rehearsed.Number) == 0 && bytes.Equal(made.RawIssuer, rehearsed.RawIssuer) &&
		near(made.ThisUpdate, rehearsed.ThisUpdate) && near(made.NextUpdate, rehearsed.NextUpdate) &&
		slices.EqualFunc(made.RevokedCertificateEntries, rehearsed.RevokedCertificateEntries, entry)
}
