package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/faultpoint"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
)

// Audit actions of certificates.
const (
	actionIntent    = "certificate.intent"
	actionSigned    = "certificate.signed"
	actionRefused   = "certificate.refused"
	actionFailed    = "certificate.failed" // after the intent: nothing was released
	actionCancelled = "certificate.cancelled"

	actionDocumentIntent  = "document.intent"
	actionDocument        = "document.signed"
	actionDocumentRefused = "document.refused"
	actionDocumentFailed  = "document.failed" // after the intent: nothing was released
)

// issuerID is the form of an issuer's id; it goes into the audit log, which must never
// hold anybody's free text.
var issuerID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// Issue signs the certificate of an intent, or gives the one already signed under its
// id. caller is the name of the client certificate. Errors: Forbidden, Malformed, Rule,
// Conflict (id reused or cancelled), Unavailable.
func (s *Service) Issue(ctx context.Context, caller string, in signing.Intent) (signing.Certificate, error) {
	cert, err := s.admit(ctx, caller, in)
	var after failure
	if errors.As(err, &after) {
		return signing.Certificate{}, after.error
	}
	if err != nil {
		s.refused(ctx, caller, in, err)
		return signing.Certificate{}, err
	}
	return cert, nil
}

// failure is an error after the audited intent. It stands in the audit log as that, and is
// no refusal: an outage must not count against the issuer.
type failure struct{ error }

func (s *Service) admit(ctx context.Context, caller string, in signing.Intent) (signing.Certificate, error) {
	if id, err := uuid.Parse(in.ID); err != nil || id.String() != in.ID {
		return signing.Certificate{}, errIntentID
	}
	grant, err := s.policy.Admit(caller, in.Profile, in.Issuer)
	if err != nil {
		return signing.Certificate{}, err
	}
	// One flight an id: racing callers with the same id share one signature.
	v, err, _ := s.flights.Do(in.ID, func() (any, error) {
		return s.issueOnce(context.WithoutCancel(ctx), caller, grant, in)
	})
	if err != nil {
		return signing.Certificate{}, err
	}
	released, ok := v.(released)
	if !ok || !s.ledger.matches(released, in) {
		return signing.Certificate{}, errReused
	}
	return released.Certificate, nil
}

func (s *Service) issueOnce(ctx context.Context, caller string, grant policy.Grant, in signing.Intent) (released, error) {
	found, err := s.ledger.find(ctx, in.ID)
	if err == nil || !errors.Is(err, errUnknown) {
		return found, err
	}
	end, err := s.begin()
	if err != nil {
		return released{}, err
	}
	defer end()
	prepared, err := s.prepare(ctx, caller, grant, in)
	if err != nil {
		return released{}, err
	}
	if err := s.record(ctx, caller, in, actionIntent, s.ledger.digest(in), prepared.attributes(in)); err != nil {
		return released{}, err
	}
	faultpoint.Here("signer-after-intent-audited")
	cert, err := s.sign(ctx, prepared, in)
	if err == nil {
		err = s.releasable(prepared.key)
	}
	if err == nil {
		err = s.stands(ctx, in.Event)
	}
	if err != nil {
		s.failed(ctx, caller, in, err)
		return released{}, failure{err}
	}
	faultpoint.Here("signer-after-signature")
	if err := s.record(ctx, caller, in, actionSigned, textDigest(cert.Text), prepared.attributes(in)); err != nil {
		return released{}, err
	}
	faultpoint.Here("signer-after-receipt-audited")
	out, err := s.ledger.release(ctx, in, cert)
	faultpoint.Here("signer-after-release")
	if errors.Is(err, errEvent) { // another intent took its place meanwhile
		s.failed(ctx, caller, in, err)
		return released{}, failure{err}
	}
	return out, err
}

// sign uses the real key, once, on exactly the bytes the lints saw.
func (s *Service) sign(ctx context.Context, p prepared, in signing.Intent) (signing.Certificate, error) {
	signature, err := p.key.Sign(ctx, digest(p.envelope))
	if err != nil {
		return signing.Certificate{}, unavailable(err)
	}
	text, err := p.envelope.text(signature)
	if err != nil {
		return signing.Certificate{}, fault.From(err)
	}
	if err := p.corresponds(text); err != nil {
		return signing.Certificate{}, fault.New(fault.Internal, "signature-mismatch", "").Because(err)
	}
	return signing.Certificate{
		ID: in.ID, Profile: in.Profile, Text: text, KID: p.key.KID, Algorithm: "ES256",
		IssuedAt: p.issuedAt, ExpiresAt: p.expiresAt,
	}, nil
}

// record writes an audit entry; without it nothing goes on.
func (s *Service) record(ctx context.Context, caller string, in signing.Intent, action, digest string, attributes map[string]string) error {
	_, err := s.audit.Append(ctx, audit.Entry{
		Time: s.now(), Action: action, Actor: caller, Subject: in.ID, Outcome: "success",
		Digest: digest, Attributes: attributes,
	})
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// refused audits a refusal with its reason. The caller hears the refusal either way. What
// comes before the issuer's rate counts, and so could come in any number, goes where a flood
// does not fill the log. An outage is no refusal.
func (s *Service) refused(ctx context.Context, caller string, in signing.Intent, cause error) {
	f := fault.From(cause)
	if isOutage(f) {
		return
	}
	attributes := map[string]string{"profile": s.knownProfile(in.Profile)}
	if issuerID.MatchString(in.Issuer) {
		attributes["issuer"] = in.Issuer
	}
	entry := audit.Entry{
		Time: s.now(), Action: actionRefused, Actor: caller, Subject: knownID(in.ID), Outcome: "failure", Reason: strings.Join(reasonsOf(f), " "),
		Attributes: attributes,
	}
	if f.Code != errLints.Code && f.Code != errEvent.Code {
		s.refusals.Report(entry)
		return
	}
	_, _ = s.audit.Append(context.WithoutCancel(ctx), entry)
}

// isOutage tells what is no refusal: something is away, and the same request may pass later.
func isOutage(f *fault.Error) bool {
	return f.Kind == fault.Unavailable && f.Code != signing.ErrStopped.Code
}

// reasonsOf names a refusal and the rules that were broken.
func reasonsOf(f *fault.Error) []string {
	reasons := []string{f.Code}
	for _, i := range f.Issues {
		reasons = append(reasons, i.Rule)
	}
	return reasons
}

// knownID keeps a caller's free text out of the audit log.
func knownID(id string) string {
	if _, err := uuid.Parse(id); err != nil {
		return ""
	}
	return id
}

// failed audits that an audited intent got no signature. The caller hears so either way,
// and asks again under the same id.
func (s *Service) failed(ctx context.Context, caller string, in signing.Intent, cause error) {
	_, _ = s.audit.Append(context.WithoutCancel(ctx), audit.Entry{
		Time: s.now(), Action: actionFailed, Actor: caller, Subject: in.ID, Outcome: "failure", Reason: fault.From(cause).Code,
		Attributes: map[string]string{"profile": in.Profile, "issuer": in.Issuer},
	})
}

// knownProfile keeps a caller's free text out of the audit log.
func (s *Service) knownProfile(name string) string {
	for _, p := range s.policy.Profiles() {
		if p.Profile == name {
			return name
		}
	}
	return "unknown"
}

// textDigest names a certificate without showing it: the signature inside makes the
// digest unguessable.
func textDigest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
