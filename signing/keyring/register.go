package keyring

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// The limits of a registration.
const (
	MaxRegistrations = 32   // keys of one request
	MaxCertificate   = 3072 // bytes of a DSC: 4096 characters in base64, what national and WHO gateways take
	MaxIssuer        = 4096 // bytes of a CSCA
)

// wanted is one registration with its certificates read.
type wanted struct {
	asked signing.Registration
	entry
}

// register reads and checks registrations, all of them, before one is written.
func (r *Ring) register(ctx context.Context, registrations []signing.Registration) (change, error) {
	if n := len(registrations); n == 0 || n > MaxRegistrations {
		return nil, refuse("/registrations", "count", fmt.Sprintf("%d keys in one request.", n), fmt.Sprintf("Register 1 to %d keys at once.", MaxRegistrations))
	}
	var issues []fault.Issue
	all := make([]wanted, len(registrations))
	for i, reg := range registrations {
		w, found := r.readRegistration(i, reg)
		all[i] = w
		issues = append(issues, found...)
	}
	if len(issues) > 0 {
		return nil, errRefused.With(issues...)
	}
	for i, w := range all {
		found, err := r.held(ctx, i, w)
		if err != nil {
			return nil, err
		}
		issues = append(issues, found...)
	}
	if len(issues) > 0 {
		return nil, errRefused.With(issues...)
	}
	return func(reg *register, now time.Time) error { return r.add(reg, all, now) }, nil
}

func (r *Ring) readRegistration(i int, reg signing.Registration) (wanted, []fault.Issue) {
	w := wanted{asked: reg}
	w.record = record{
		Usage: keystore.Usage(reg.Usage), Ref: keystore.Ref{Label: reg.Label, Version: reg.Version},
		Certificate: reg.Certificate, Issuer: thumbprintOf(reg.Issuer),
	}
	var issues []fault.Issue
	if !w.Usage.Known() {
		issues = append(issues, fault.Issue{Path: at(i, "usage"), Rule: "usage", Detail: "No such usage.", Fix: fmt.Sprintf("Use one of %v.", keystore.Usages())})
	}
	if w.Ref.Validate() != nil {
		issues = append(issues, fault.Issue{Path: at(i, "label"), Rule: "key-reference", Detail: "Not the form of a label and a version.", Fix: "Use 1 to 64 of a-z, 0-9 and inner hyphens, and a version from 1."})
	}
	return w, append(issues, r.readCertificates(i, &w)...)
}

// readCertificates fills in the certificates of w and proves chain and governance.
func (r *Ring) readCertificates(i int, w *wanted) []fault.Issue {
	w.issuer = r.issuerOf(w.record)
	if w.issuer == nil || len(w.asked.Issuer) > MaxIssuer {
		return []fault.Issue{{Path: at(i, "issuer"), Rule: "anchor", Detail: "Not one of the pinned CSCA certificates.", Fix: "Give the CSCA that issued the certificate; a new CSCA is pinned in the configuration of the signer first."}}
	}
	if len(w.Certificate) > MaxCertificate {
		return []fault.Issue{{Path: at(i, "certificate"), Rule: "size", Detail: "The certificate is too large for trust networks.", Fix: fmt.Sprintf("Keep it within %d bytes of DER.", MaxCertificate)}}
	}
	var err error
	if w.certificate, err = x509.ParseCertificate(w.Certificate); err != nil {
		return []fault.Issue{{Path: at(i, "certificate"), Rule: "certificate", Detail: "Not an X.509 certificate.", Fix: "Give the certificate in DER."}}
	}
	w.kid = keystore.KID(w.certificate.Raw)
	if public, ok := w.certificate.PublicKey.(*ecdsa.PublicKey); !ok || public.Curve != elliptic.P256() {
		return []fault.Issue{{Path: at(i, "certificate"), Rule: "algorithm", Detail: "Not a key on P-256.", Fix: "Make an ECDSA key on P-256; verifiers support no other."}}
	}
	if issuedBy(w.certificate, w.issuer) != nil {
		return []fault.Issue{{Path: at(i, "certificate"), Rule: "chain", Detail: "The CSCA did not issue this certificate.", Fix: "Give the certificate and the CSCA that issued it directly."}}
	}
	if r.readPrivateUse(&w.entry) != nil {
		return []fault.Issue{{Path: at(i, "certificate"), Rule: "private-key-usage-period", Detail: "The private key usage period cannot be read.", Fix: "Issue the certificate with the extension 2.5.29.16 in its form of RFC 3280 §4.2.1.4."}}
	}
	return r.lint(i, w)
}

func (r *Ring) lint(i int, w *wanted) []fault.Issue {
	var issues []fault.Issue
	for _, f := range r.deps.Lint(w.Usage, w.certificate, w.issuer) {
		issues = append(issues, fault.Issue{Path: at(i, "certificate"), Rule: f.Rule, Detail: f.Detail, Fix: "Issue the certificate anew: " + f.Clause})
	}
	return issues
}

// held asks the key store whether it holds the certificate's key under the reference.
func (r *Ring) held(ctx context.Context, i int, w wanted) ([]fault.Issue, error) {
	public, err := r.deps.Store.Public(ctx, w.Ref)
	switch {
	case errors.Is(err, keystore.ErrNoKey):
		return []fault.Issue{{Path: at(i, "version"), Rule: "no-such-key", Detail: "The key store has no key under this label and version.", Fix: "Name the version the certificate was requested with."}}, nil
	case err != nil:
		return nil, errStore.Because(err)
	case !public.Equal(w.certificate.PublicKey):
		return []fault.Issue{{Path: at(i, "certificate"), Rule: "key-mismatch", Detail: "The certificate belongs to another key than the one the key store holds under this label and version.", Fix: "Name the version the certificate was requested with."}}, nil
	}
	return nil, nil
}

// add puts the keys on a register. It sees those it has added before, so that a request
// cannot contradict itself.
func (r *Ring) add(reg *register, all []wanted, now time.Time) error {
	before := slices.Clone(reg.entries)
	var issues []fault.Issue
	for i, w := range all {
		e, found := r.schedule(i, w, now)
		found = append(append(found, conflicts(i, *reg, e)...), listed(i, *reg, e)...)
		issues = append(issues, found...)
		if len(found) == 0 {
			reg.entries = append(reg.entries, e)
		}
	}
	if len(reg.entries) > maxKeys {
		issues = append(issues, fault.Issue{Path: "/registrations", Rule: "register-full", Detail: "The register holds no more keys.", Fix: "Begin a new register; keep the old one for its published keys."})
	}
	for i, w := range all {
		if at, gap := firstGap(before, reg.entries, w.Usage, now); gap && len(issues) == 0 {
			issues = append(issues, lastKey("/registrations/"+strconv.Itoa(i), w.Usage, at, "Retire the new key later, or register the one that follows it as well."))
		}
	}
	if len(issues) > 0 {
		return errRefused.With(issues...)
	}
	return nil
}

// listed refuses a certificate that its CSCA has revoked.
func listed(i int, reg register, e entry) []fault.Issue {
	if !slices.ContainsFunc(reg.crls, func(l list) bool { return l.names(e.certificate, e.issuer) }) {
		return nil
	}
	return []fault.Issue{{Path: at(i, "certificate"), Rule: "revoked-by-list", Detail: "The published revocation list of its CSCA names the certificate.", Fix: "Make a new key and certificate."}}
}

// schedule sets the dates of a new key.
func (r *Ring) schedule(i int, w wanted, now time.Time) (entry, []fault.Issue) {
	e := w.entry
	e.RegisteredAt, e.PublishAt = now, latest(now, whole(w.asked.PublishAt))
	e.ActivateAt = whole(w.asked.ActivateAt)
	if w.asked.RetireAt != nil {
		at := whole(*w.asked.RetireAt)
		e.RetireAt = &at
	}
	begin, earliest := e.beginsAt(), e.PublishAt.Add(r.deps.Lead)
	if !e.ActivateAt.After(now) {
		e.ActivateAt = latest(earliest, begin)
	}
	var issues []fault.Issue
	if e.Usage == keystore.UsageVDSNC && e.RetireAt == nil && e.privateUntil.IsZero() {
		issues = append(issues, fault.Issue{Path: at(i, "retireAt"), Rule: "retire-at", Detail: "The certificate of a barcode signer does not say how long its key may sign (ICAO 9303-12 §7.1.3).", Fix: "Say when it stops; common practice is 96 days after its begin."})
	}
	if e.ActivateAt.Before(earliest) {
		issues = append(issues, fault.Issue{Path: at(i, "activateAt"), Rule: "lead-time", Detail: "Verifiers could not fetch the key for the lead time before it signs.", Fix: "Activate it at " + stamp(earliest) + " or later, or leave activateAt out."})
	}
	if e.ActivateAt.Before(begin) {
		issues = append(issues, fault.Issue{Path: at(i, "activateAt"), Rule: "not-yet-valid", Detail: "The certificates or the private key usage period begin later.", Fix: "Activate it at " + stamp(begin) + " or later."})
	}
	if !e.ActivateAt.Before(e.endsAt()) {
		issues = append(issues, fault.Issue{Path: at(i, "activateAt"), Rule: "ends-before", Detail: "The key would never sign: it ends at " + stamp(e.endsAt()) + ".", Fix: "Activate it earlier, retire it later, or issue a certificate that is valid longer."})
	}
	return e, issues
}

// conflicts holds a new key against those on the register: one certificate stands there
// once, and one key serves one usage under one reference, ever. Another certificate for
// the same key is fine.
func conflicts(i int, reg register, e entry) []fault.Issue {
	for _, other := range reg.entries {
		sameKey := bytes.Equal(other.certificate.RawSubjectPublicKeyInfo, e.certificate.RawSubjectPublicKeyInfo)
		switch {
		case bytes.Equal(other.Certificate, e.Certificate):
			return []fault.Issue{{Path: at(i, "certificate"), Rule: "already-registered", Detail: "The certificate is on the register.", Fix: "Change its dates with activate or retire."}}
		case bytes.Equal(other.kid, e.kid):
			return []fault.Issue{{Path: at(i, "certificate"), Rule: "kid-taken", Detail: "Another certificate on the register has the same key id.", Fix: "Issue the certificate with another serial number."}}
		case sameKey && other.Usage != e.Usage:
			return []fault.Issue{{Path: at(i, "usage"), Rule: "one-usage", Detail: "The key is registered for the usage " + string(other.Usage) + ".", Fix: "Make a key of its own for each usage."}}
		case sameKey != (other.Ref == e.Ref):
			return []fault.Issue{{Path: at(i, "label"), Rule: "one-reference", Detail: "This key or this reference is registered with another one.", Fix: "Name the label and version the key was registered with first."}}
		case sameKey && other.RevokedAt != nil:
			return []fault.Issue{{Path: at(i, "certificate"), Rule: "revoked", Detail: "The key was revoked under another certificate.", Fix: "Make a new key."}}
		}
	}
	return nil
}

// whole is an instant as the register carries it; zero stays zero.
func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
