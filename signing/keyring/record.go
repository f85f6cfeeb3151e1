package keyring

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// format of the stored register; a ring refuses any other.
const format = 1

// document is the register as it is stored.
type document struct {
	Format  int      `json:"format"`
	Keys    []record `json:"keys"`
	CRLs    [][]byte `json:"crls"`    // DER, at most one a CSCA
	Applied []string `json:"applied"` // ids of the last operations that changed the register
}

// record is one key as it is stored. Times are UTC, whole seconds.
type record struct {
	Usage        keystore.Usage `json:"usage"`
	Ref          keystore.Ref   `json:"ref"`
	Certificate  []byte         `json:"certificate"` // DER of the DSC
	Issuer       string         `json:"issuer"`      // hex SHA-256 of the CSCA, which is pinned; see issuerOf
	RegisteredAt time.Time      `json:"registeredAt"`
	PublishAt    time.Time      `json:"publishAt"`
	ActivateAt   time.Time      `json:"activateAt"`
	RetireAt     *time.Time     `json:"retireAt,omitempty"`
	RevokedAt    *time.Time     `json:"revokedAt,omitempty"`
	RevokeReason string         `json:"revokeReason,omitempty"`
}

// entry is a record with its certificates read.
type entry struct {
	record
	kid          []byte
	certificate  *x509.Certificate
	issuer       *x509.Certificate
	privateFrom  time.Time // private key usage period; zero without one
	privateUntil time.Time
}

// beginsAt is the first instant at which the certificates let the key sign.
func (e entry) beginsAt() time.Time {
	return latest(e.privateFrom, latest(e.certificate.NotBefore, e.issuer.NotBefore)).UTC()
}

// expiresAt is the end of the DSC or of its CSCA, whichever is first (shell model of the
// GDHCN certificate governance).
func (e entry) expiresAt() time.Time {
	return earliest(e.certificate.NotAfter, e.issuer.NotAfter)
}

// endsAt is when the key signs no more, if no other takes over before.
func (e entry) endsAt() time.Time {
	end := e.expiresAt()
	if !e.privateUntil.IsZero() {
		end = earliest(end, e.privateUntil)
	}
	if e.RetireAt != nil {
		end = earliest(end, *e.RetireAt)
	}
	return end
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// register is the document with everything in it read and checked.
type register struct {
	version int64 // of the stored document; 0: there is none yet
	entries []entry
	crls    []list
	applied []string
}

func (r register) clone() register {
	return register{
		version: r.version, entries: slices.Clone(r.entries),
		crls: slices.Clone(r.crls), applied: slices.Clone(r.applied),
	}
}

// find gives the position of the key with that id, -1 without one.
func (r register) find(kid []byte) int {
	return slices.IndexFunc(r.entries, func(e entry) bool { return bytes.Equal(e.kid, kid) })
}

func (r register) encode() ([]byte, error) {
	d := document{Format: format, Applied: r.applied}
	for _, e := range r.entries {
		d.Keys = append(d.Keys, e.record)
	}
	for _, l := range r.crls {
		d.CRLs = append(d.CRLs, l.parsed.Raw)
	}
	return json.Marshal(d)
}

// decode reads a stored register. It trusts nothing in it that an anchor did not sign.
func (r *Ring) decode(version int64, body []byte) (register, error) {
	var d document
	if err := json.Unmarshal(body, &d); err != nil {
		return register{}, errors.New("key register: the stored register is not readable")
	}
	if d.Format != format {
		return register{}, fmt.Errorf("key register: format %d, want %d", d.Format, format)
	}
	out := register{version: version, applied: d.Applied}
	for _, k := range d.Keys {
		e, err := r.read(k)
		if err != nil {
			return register{}, fmt.Errorf("key register: key %s (%s): %w", hex.EncodeToString(keystore.KID(k.Certificate)), k.Ref, err)
		}
		out.entries = append(out.entries, e)
	}
	for _, der := range d.CRLs {
		l, err := r.readList(der)
		if err != nil {
			return register{}, fmt.Errorf("key register: revocation list: %w", err)
		}
		out.crls = append(out.crls, l)
	}
	return out, nil
}

// read parses the certificates of a record and proves its chain.
func (r *Ring) read(k record) (entry, error) {
	certificate, err := x509.ParseCertificate(k.Certificate)
	if err != nil {
		return entry{}, err
	}
	issuer := r.issuerOf(k)
	if issuer == nil {
		return entry{}, errors.New("its CSCA is not among the pinned ones")
	}
	if err := issuedBy(certificate, issuer); err != nil {
		return entry{}, err
	}
	e := entry{record: k, kid: keystore.KID(k.Certificate), certificate: certificate, issuer: issuer}
	err = r.readPrivateUse(&e)
	return e, err
}

func (r *Ring) readPrivateUse(e *entry) error {
	from, until, ok, err := r.deps.PrivateUse(e.certificate)
	if ok {
		e.privateFrom, e.privateUntil = from, until
	}
	return err
}

// issuedBy proves the one step of the chain. A certificate that signed itself is only
// ever its own issuer; whether its usage may do so is for the lints.
func issuedBy(certificate, issuer *x509.Certificate) error {
	if certificate.Equal(issuer) {
		return certificate.CheckSignature(certificate.SignatureAlgorithm, certificate.RawTBSCertificate, certificate.Signature)
	}
	return certificate.CheckSignatureFrom(issuer)
}

// issuerOf gives the pinned CSCA a record names. The upload certificate may be its own
// issuer without being pinned: one gateway knows it by other means, and no verifier hears
// of it.
func (r *Ring) issuerOf(k record) *x509.Certificate {
	if a := r.anchor(k.Issuer); a != nil {
		return a
	}
	if k.Usage != keystore.UsageUpload || len(k.Certificate) > MaxCertificate || k.Issuer != thumbprintOf(k.Certificate) {
		return nil
	}
	own, err := x509.ParseCertificate(k.Certificate)
	if err != nil {
		return nil
	}
	return own
}

func (r *Ring) anchor(thumbprint string) *x509.Certificate {
	for _, a := range r.deps.Anchors {
		if thumbprintOf(a.Raw) == thumbprint {
			return a
		}
	}
	return nil
}

func thumbprintOf(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}
