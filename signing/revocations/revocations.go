package revocations

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Register gives the key that signs; *keyring.Ring does.
type Register interface {
	Active(ctx context.Context, usage keystore.Usage) (keystore.Key, error)
}

// AuditLog records what the key is used for.
type AuditLog interface {
	Append(ctx context.Context, e audit.Entry) (audit.Receipt, error)
}

// Records keeps the last sequence; docstore.Store has it.
type Records interface {
	Insert(ctx context.Context, collection string, d docstore.Document) (docstore.Document, error)
	Get(ctx context.Context, collection, id string) (docstore.Document, error)
	Update(ctx context.Context, collection string, d docstore.Document) (docstore.Document, error)
}

// Refusals audits refusals that a caller can have any number of, without letting them fill
// the log; *refusals.Reporter does.
type Refusals interface {
	Report(e audit.Entry)
}

// Deps is everything a signer of manifests is made of. Stopped may be missing.
type Deps struct {
	Register Register
	Audit    AuditLog
	Refusals Refusals
	Records  Records
	Caller   func(name string) bool // may ask; the callers of certificates, not operators
	Country  string                 // ISO 3166-1 alpha-2 of the authority
	Validity time.Duration          // from issuedAt to nextUpdate
	Clock    func() time.Time
	Stopped  func() bool // an emergency stop stands; nil: never
}

// Signer signs manifests. It is safe for concurrent use.
type Signer struct{ deps Deps }

// minValidity leaves verifiers time to fetch the next manifest.
const minValidity = time.Minute

// maxAhead is how far before the clock, in seconds, a sequence may lie; see sequence.
const maxAhead = 300

// New checks the wiring.
func New(d Deps) (*Signer, error) {
	switch {
	case d.Register == nil || d.Audit == nil || d.Refusals == nil || d.Records == nil || d.Caller == nil || d.Clock == nil || d.Country == "":
		return nil, errors.New("revocations: a dependency is missing")
	case d.Validity < minValidity:
		return nil, errors.New("revocations: manifests must be valid for a minute or longer")
	}
	if d.Stopped == nil {
		d.Stopped = func() bool { return false }
	}
	return &Signer{deps: d}, nil
}

// Errors of Sign, beside revocation.ErrManifest, revocation.ErrSequence, revocation.ErrCounter and signing.ErrStopped.
var (
	ErrCaller  = fault.New(fault.Forbidden, "revocation-caller", "This client may not state revocations.")
	ErrCountry = fault.New(fault.Rule, "revocation-country", "The lists are not of the country this service signs for.").With(
		fault.Issue{Path: "country", Rule: "revocation-country", Detail: "It is another country.", Fix: "State the country of the authority."})
	ErrAhead = fault.New(fault.Rule, "revocation-sequence-ahead", "The sequence lies too far ahead.").With(
		fault.Issue{Path: "sequence", Rule: "revocation-sequence-ahead", Detail: "It is later than the last one and the seconds since 1970.", Fix: "Count on from the last one, or compare the clocks."})
	errAway = fault.New(fault.Unavailable, "revocation-signing-unavailable", "The signing service cannot sign revocation lists at the moment.").Retry(5 * time.Second)
)

// Sign signs the claims of a caller as a manifest that begins now.
func (s *Signer) Sign(ctx context.Context, caller string, claims signing.RevocationStatement) (signing.RevocationManifest, error) {
	if err := s.admit(caller, claims); err != nil {
		s.deps.Refusals.Report(audit.Entry{Action: actionFailed, Actor: caller, Outcome: "failure", Reason: fault.From(err).Code})
		return signing.RevocationManifest{}, err
	}
	key, err := s.deps.Register.Active(ctx, keystore.UsageTrustList)
	if err != nil {
		return signing.RevocationManifest{}, errAway.Because(err)
	}
	manifest, payload, err := s.manifest(claims, key)
	if err != nil {
		return signing.RevocationManifest{}, err
	}
	if err := s.take(ctx, claims); err != nil {
		return signing.RevocationManifest{}, err
	}
	use := auditor{log: s.deps.Audit, caller: caller, key: key, claims: claims, digest: sha256.Sum256(payload)}
	if err := use.record(ctx, actionIntent); err != nil {
		return signing.RevocationManifest{}, errAway.Because(err)
	}
	jws, err := signJWS(ctx, key, payload)
	if err != nil {
		use.failed(ctx, err)
		return signing.RevocationManifest{}, errAway.Because(err)
	}
	if err := use.record(ctx, actionSigned); err != nil {
		return signing.RevocationManifest{}, errAway.Because(err)
	}
	if s.deps.Stopped() { // the stop came while it was signed
		return signing.RevocationManifest{}, signing.ErrStopped
	}
	return signing.RevocationManifest{JWS: string(jws), KID: key.KID, IssuedAt: manifest.IssuedAt, NextUpdate: manifest.NextUpdate}, nil
}

func (s *Signer) admit(caller string, claims signing.RevocationStatement) error {
	switch {
	case !s.deps.Caller(caller):
		return ErrCaller
	case s.deps.Stopped():
		return signing.ErrStopped
	}
	if err := claims.Check(); err != nil {
		return err
	}
	if claims.Country != s.deps.Country {
		return ErrCountry
	}
	return nil
}

// manifest gives the claims their times; it does not outlive the certificates of the key.
func (s *Signer) manifest(claims signing.RevocationStatement, key keystore.Key) (revocation.Manifest, []byte, error) {
	now := s.deps.Clock().UTC().Truncate(time.Second)
	m := revocation.Manifest{Claims: claims, IssuedAt: now, NextUpdate: now.Add(s.deps.Validity)}
	for _, end := range []time.Time{key.Certificate.NotAfter, key.Issuer.NotAfter} {
		if end.Before(m.NextUpdate) {
			m.NextUpdate = end.UTC()
		}
	}
	payload, err := m.Encode()
	if err != nil { // the claims are in order: the key ends now
		return revocation.Manifest{}, nil, errAway.Because(err)
	}
	return m, payload, nil
}

// Audit actions of manifests.
const (
	actionIntent = "revocations.intent"
	actionSigned = "revocations.signed"
	actionFailed = "revocations.failed"
)

// auditor records one use of the key.
type auditor struct {
	log    AuditLog
	caller string
	key    keystore.Key
	claims signing.RevocationStatement
	digest [sha256.Size]byte // of the payload
}

func (a auditor) record(ctx context.Context, action string) error {
	_, err := a.log.Append(ctx, a.entry(action, "success", ""))
	return err
}

// failed records that an intent got no signature, also when its caller has left. If the log
// is away, too, the intent stays open there, and nothing was released.
func (a auditor) failed(ctx context.Context, cause error) {
	_, _ = a.log.Append(context.WithoutCancel(ctx), a.entry(actionFailed, "failure", fault.From(cause).Code))
}

func (a auditor) entry(action, outcome, reason string) audit.Entry {
	return audit.Entry{
		Action: action, Actor: a.caller, Subject: hex.EncodeToString(a.key.KID), Outcome: outcome, Reason: reason,
		Digest: hex.EncodeToString(a.digest[:]),
		Attributes: map[string]string{
			"sequence":    strconv.FormatUint(a.claims.Sequence, 10),
			"revocations": strconv.FormatInt(a.claims.Revocations, 10),
		},
	}
}
