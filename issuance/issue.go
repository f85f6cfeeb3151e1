package issuance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/faultpoint"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// Check is the first half of an issue, without any effect: the issuer's right to this
// certificate and every rule of its content, then which formats could not be had. What
// only the signer can tell, such as the size of a finished certificate, is not looked at.
func (s *Service) Check(issuer Issuer, core fhir.CoreDataSet, formats []Format) ([]LeftOut, error) {
	in := s.normal(Request{Issuer: issuer, Core: core, Formats: formats})
	if _, _, err := s.check(issuer, in.Core); err != nil {
		return nil, err
	}
	var left []LeftOut
	for _, f := range in.wanted() {
		if _, _, issues := s.translated(issuer, record{ID: uuid.Nil.String(), CreatedAt: s.now()}, f, in.Core); fault.HasErrors(issues) {
			left = append(left, LeftOut{f, issues})
		}
	}
	return left, nil
}

func (s *Service) check(issuer Issuer, core fhir.CoreDataSet) (string, hcert.DDCC, error) {
	issues := core.Validate(s.now())
	if _, err := validUntil(core.Certificate.Period.End, s.now()); err != nil {
		issues = append(issues, fault.From(err).Issues...)
	}
	if start, err := lastInstant(core.Certificate.Period.Start); err == nil && start.After(s.now().Add(longestValidity)) {
		issues = append(issues, lateStartIssue)
	}
	if !s.testCountry && terminology.TestCountry(country(core)) {
		issues = append(issues, testCountryIssue)
	}
	if fault.HasErrors(issues) {
		return "", hcert.DDCC{}, errContent.With(issues...)
	}
	profile, claims, err := maps.Claims(core)
	if err != nil {
		return "", hcert.DDCC{}, err
	}
	if !may(issuer.Profiles, profile) {
		return "", hcert.DDCC{}, errProfile
	}
	return profile, claims, s.mayAct(issuer, core.Certificate.Issuer)
}

// mayAct checks that the authority named in the event is one we know and this issuer
// speaks for, in the namespace we know it under.
func (s *Service) mayAct(issuer Issuer, named fhir.Identifier) error {
	authority, known := s.authorities[named.Value]
	sameSystem := named.System == "" || named.System == authority.System
	if known && sameSystem && may(issuer.Authorities, named.Value) {
		return nil
	}
	return errAuthority.With(fault.Issue{
		Path: "DDCCCoreDataSet.certificate.issuer", Rule: "authority-allowed",
		Detail: "The public health authority is not one this issuer speaks for.",
		Fix:    "Use the authority id agreed at registration.",
	})
}

// longestValidity is what no profile exceeds: a certificate whose stated validity begins
// later would have expired before it may be used.
const longestValidity = 366 * 24 * time.Hour

var lateStartIssue = fault.Issue{
	Path: "DDCCCoreDataSet.certificate.period.start", Rule: "period-reachable",
	Detail: "The validity would begin after every certificate issued now has expired.", Fix: "Send an earlier start.",
}

var testCountryIssue = fault.Issue{
	Path: "DDCCCoreDataSet.vaccination.country", Rule: "country-test", Detail: "The country code is reserved for tests.", Fix: "Send the ISO 3166-1 alpha-3 code of the country of the event.",
}

func country(core fhir.CoreDataSet) string {
	switch {
	case core.Vaccination != nil:
		return core.Vaccination.Country.Code
	case core.Test != nil:
		return core.Test.Country.Code
	}
	return ""
}

// Issue gives the certificate of a request: a new one, or the one the same request was
// given before. Errors: Forbidden, Rule, Conflict (HCID of another person),
// PreconditionFailed (OnlyNew), Unavailable (nothing lost; ask again).
func (s *Service) Issue(ctx context.Context, in Request) (Issued, error) {
	in = s.normal(in)
	profile, claims, err := s.check(in.Issuer, in.Core)
	if fault.KindOf(err) == fault.Rule {
		return s.existing(ctx, in, err)
	}
	if err != nil {
		return Issued{}, err
	}
	until, err := validUntil(in.Core.Certificate.Period.End, s.now())
	if err != nil {
		return Issued{}, err
	}
	// From here on a client that hangs up changes nothing.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
	defer cancel()
	content := s.content(in, profile)
	if s.keyReused(ctx, in, content) {
		return Issued{}, errKeyReused
	}
	if err := s.supersedable(ctx, in, s.ownRecord(ctx, in, content)); err != nil {
		return Issued{}, err
	}
	folder, err := s.registry.bind(ctx, in.Core, s.now())
	if err != nil {
		return Issued{}, err
	}
	faultpoint.Here("gateway-after-hcid-bound")
	rec, fresh, err := s.record(ctx, in, profile, content, folder)
	if err != nil {
		return Issued{}, err
	}
	faultpoint.Here("gateway-after-intent-recorded")
	if !fresh && in.OnlyNew && rec.State == StateIssued {
		return Issued{}, errExists
	}
	job := job{record: rec, issuer: in.Issuer, core: in.Core, folder: folder, intent: signing.Intent{
		ID: rec.ID, Profile: profile, Issuer: in.Issuer.ID, ValidUntil: until, Claims: signing.Claims{DDCC: &claims},
	}}
	out, err := s.finish(ctx, job)
	out.Replayed = !fresh
	return out, err
}

// ownRecord is the id of the record that this request has already, if it has one.
func (s *Service) ownRecord(ctx context.Context, in Request, content string) string {
	if in.Supersedes == "" {
		return ""
	}
	known, err := s.registry.byKey(ctx, s.registry.requestKey(in, content))
	if err != nil {
		return ""
	}
	return known.ID
}

// normal is the request as we take it: the event under the authority's registered
// identifier, without the id of the document that it was read from, if any, in the formats
// that were asked for or are the issuer's.
func (s *Service) normal(in Request) Request {
	in.Core.Certificate.DDCCID = ""
	if a, ok := s.authorities[in.Core.Certificate.Issuer.Value]; ok && in.Core.Certificate.Issuer.System == "" {
		in.Core.Certificate.Issuer.System = a.System
	}
	if in.Formats == nil {
		in.Formats = in.Issuer.Formats
	}
	in.Formats = slices.DeleteFunc(slices.Clone(in.Formats), func(f Format) bool { return f == FormatWHO })
	return in
}

// wanted is what a new certificate of a normal request has beside WHO's own. What the
// issuer falls back on is no part of content: it may have changed when the request comes again.
func (in Request) wanted() []Format {
	if in.Formats != nil {
		return in.Formats
	}
	return slices.DeleteFunc(slices.Clone(in.Issuer.Fallback), func(f Format) bool { return f == FormatWHO })
}

// existing gives the certificate of a request that could not be issued today, if it was
// issued while it could, or the reason why not.
func (s *Service) existing(ctx context.Context, in Request, reason error) (Issued, error) {
	profile, _, err := maps.Claims(in.Core)
	if err != nil {
		return Issued{}, reason
	}
	content := s.content(in, profile)
	rec, err := s.registry.byKey(ctx, s.registry.requestKey(in, content))
	if err != nil || rec.ContentDigest != content || rec.State != StateIssued {
		return Issued{}, reason
	}
	if in.OnlyNew {
		return Issued{}, errExists
	}
	out, err := s.documents.Get(ctx, rec.ID)
	out.Replayed = true
	return out, err
}

// keyReused finds a key out that stands for another content, before the request claims a
// HCID on its way to refusal. Without a key the content is the key, so nothing is read.
func (s *Service) keyReused(ctx context.Context, in Request, content string) bool {
	if in.IdempotencyKey == "" {
		return false
	}
	known, err := s.registry.byKey(ctx, s.registry.requestKey(in, content))
	return err == nil && known.ContentDigest != content
}

// content is the keyed digest of what a request says.
func (s *Service) content(in Request, profile string) string {
	parts := []string{"content", profile, string(in.Core.Model), string(in.Core.Canonical())}
	for _, f := range in.Formats {
		parts = append(parts, "format", string(f))
	}
	if in.Supersedes != "" {
		parts = append(parts, "supersedes", in.Supersedes)
	}
	return s.registry.digest(parts...)
}

// record inserts the intent of a request or finds the request's record.
func (s *Service) record(ctx context.Context, in Request, profile, content string, f folder) (record, bool, error) {
	now, id := s.now(), s.newID()
	rec, fresh, err := s.registry.insert(ctx, record{
		ID: id, BirthDigest: s.registry.birth(id, in.Core.BirthDate), State: StateIntent, Issuer: in.Issuer.ID, Profile: profile,
		ContentDigest: content, FolderID: f.ID, CreatedAt: now, UpdatedAt: now, Formats: in.wanted(), Supersedes: in.Supersedes,
		requestKey: s.registry.requestKey(in, content), event: s.registry.event(in),
	})
	if err == nil && rec.ContentDigest != content {
		return record{}, false, errKeyReused
	}
	if err == nil && !fresh {
		err = s.nameEvent(ctx, in, rec)
	}
	return rec, fresh, err
}

// nameEvent gives an event its name when it was certified before without one: posted by a
// client first, then notified by the FHIR server that keeps it.
func (s *Service) nameEvent(ctx context.Context, in Request, rec record) error {
	return s.registry.amend(ctx, rec, func(r *record) bool {
		if in.Event == "" || r.event != "" || r.State != StateIssued {
			return false
		}
		r.event = s.registry.event(in)
		return true
	})
}

// job is what an intent needs to be finished. It lives in memory only.
type job struct {
	record record
	issuer Issuer
	core   fhir.CoreDataSet
	folder folder
	intent signing.Intent
}

// finish brings a record to its end. Every step is idempotent, so any number of callers
// may finish the same record; those in this process share one flight.
func (s *Service) finish(ctx context.Context, j job) (Issued, error) {
	switch j.record.State {
	case StateIssued:
		return s.documents.Get(ctx, j.record.ID)
	case StateCancelling, StateCancelled:
		return Issued{}, errCancelled
	case StateRevoked:
		return Issued{}, errRevoked
	case StateIntent:
	}
	v, err, _ := s.flights.Do(j.record.ID, func() (any, error) { return s.drive(ctx, j) })
	if err != nil {
		return Issued{}, err
	}
	out, ok := v.(Issued)
	if !ok {
		return Issued{}, fault.From(errors.New("issuance: flight without a result"))
	}
	return out, nil
}

func (s *Service) drive(ctx context.Context, j job) (Issued, error) {
	cert, err := s.signer.Issue(ctx, j.intent)
	if err != nil {
		return Issued{}, s.refused(ctx, j.record, fromSigner(err))
	}
	faultpoint.Here("gateway-after-signature")
	others, left, err := s.beside(ctx, j)
	if err != nil {
		return Issued{}, err
	}
	out, err := s.document(ctx, j, cert, others)
	if err != nil {
		return Issued{}, s.refused(ctx, j.record, err)
	}
	out.LeftOut = left
	faultpoint.Here("gateway-after-document-signed")
	if out, err = s.documents.Create(ctx, out); err != nil {
		return Issued{}, err
	}
	faultpoint.Here("gateway-after-document-stored")
	err = s.complete(ctx, j.record, out)
	if errors.Is(err, errCancelled) {
		// The reconciler was faster: the content of a record that was never issued must go.
		err = errors.Join(err, s.documents.Discard(ctx, j.record.ID))
	}
	if err != nil {
		return Issued{}, err
	}
	faultpoint.Here("gateway-after-issued")
	return out, nil
}

// complete makes the record issued, unless somebody else ended it first.
func (s *Service) complete(ctx context.Context, rec record, out Issued) error {
	sum := sha256.Sum256(out.Document)
	rec.State, rec.UpdatedAt, rec.Succession = StateIssued, s.now(), rec.Supersedes != ""
	rec.ReferenceID, rec.KID, rec.IssuedAt, rec.ExpiresAt = out.ReferenceID, out.KID, out.IssuedAt, out.ExpiresAt
	rec.DocumentDigest = hex.EncodeToString(sum[:])
	var err error
	if rec.Beside, rec.Identities, err = identify(out); err != nil {
		return err
	}
	rec.Outbox = s.registration()
	done, err := s.registry.swap(ctx, rec)
	if err == nil {
		s.due(done)
		return s.succeed(ctx, done)
	}
	if !errors.Is(err, docstore.ErrVersion) {
		return err
	}
	now, err := s.registry.get(ctx, rec.ID)
	if err != nil {
		return err
	}
	if now.State != StateIssued {
		return errCancelled
	}
	return nil
}

// refused ends a record whose content the signer refuses for good; any other failure
// leaves it open for the next attempt.
func (s *Service) refused(ctx context.Context, rec record, cause error) error {
	f := fault.From(cause)
	if f.Kind != fault.Rule {
		return cause
	}
	if err := s.cancel(ctx, rec, f.Code); err != nil && !errors.Is(err, docstore.ErrVersion) {
		return errors.Join(cause, err)
	}
	return cause
}
