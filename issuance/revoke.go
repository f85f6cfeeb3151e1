package issuance

import (
	"context"
	"errors"
	"slices"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/faultpoint"
)

// The reasons of a revocation.
const (
	ReasonError         = "entered-in-error" // what it says did not happen so
	ReasonSuperseded    = "superseded"       // another certificate took its place
	ReasonFraud         = "fraud"
	ReasonKeyCompromise = "key-compromise"
	ReasonHolder        = "holder-request"
	ReasonCessation     = "cessation" // the issuer had no right to issue it, or has it no more
)

// Reasons lists them in a fixed order.
func Reasons() []string {
	return []string{ReasonError, ReasonSuperseded, ReasonFraud, ReasonKeyCompromise, ReasonHolder, ReasonCessation}
}

const (
	actionRevokeIntent = "certificate.revocation.intent"
	actionRevoked      = "certificate.revoked"
	actionRevokeFailed = "certificate.revocation.failed"
)

var (
	errReason = fault.New(fault.Rule, "revocation-reason", "The revocation has no reason from the list.").With(fault.Issue{
		Path: "Parameters.parameter(reason)", Rule: "revocation-reason", Detail: "The reason is missing or not known.",
		Fix: "Use entered-in-error, superseded, fraud, key-compromise, holder-request or cessation.",
	})
	errRevokeKey = fault.New(fault.Forbidden, "revoke-all", "This issuer may not revoke all certificates of a key.")
	errAudit     = fault.New(fault.Unavailable, "audit-unavailable", "The audit log cannot be written at the moment; nothing was done.").Retry(errRegistry.RetryAfter)
)

// AuditLog records what is done to issued certificates. Append returns once the entry is
// durable.
type AuditLog interface {
	Append(ctx context.Context, e audit.Entry) (audit.Receipt, error)
}

// Revoke takes an issued certificate back, in all its formats, for ever. What identifies it
// is published from then on, its content is removed. Revoking twice changes nothing.
// Errors: Rule (reason), NotFound (none that this issuer may revoke), Unavailable (ask again).
func (s *Service) Revoke(ctx context.Context, by Issuer, id, reason string) error {
	if !slices.Contains(Reasons(), reason) {
		return errReason
	}
	rec, err := s.revocable(ctx, by, id)
	if err != nil {
		return err
	}
	// From here on a client that hangs up changes nothing.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
	defer cancel()
	return s.revoke(ctx, rec, revocationOf{by: by.ID, reason: reason})
}

// KeyRevocation is what one call of RevokeByKey did.
type KeyRevocation struct {
	Revoked int
	Failed  int  // left as they are; the next call tries them again
	More    bool // the limit was reached
}

// RevokeByKey revokes at most limit of the certificates that a key signed. A certificate is
// revoked in all its formats, whichever of them the key signed; one that cannot be revoked
// keeps no other from it.
func (s *Service) RevokeByKey(ctx context.Context, by Issuer, kid []byte, reason string, limit int) (KeyRevocation, error) {
	if !by.RevokeAll {
		return KeyRevocation{}, errRevokeKey
	}
	if !slices.Contains(Reasons(), reason) {
		return KeyRevocation{}, errReason
	}
	var done KeyRevocation
	for after := ""; ; {
		page, next, err := s.registry.page(ctx, keyIndex(kid), after, limit)
		if page == nil && err != nil {
			return done, err
		}
		if err != nil {
			done.Failed++
			s.report(err)
		}
		for _, rec := range page {
			if done.Revoked == limit || ctx.Err() != nil {
				done.More = true
				return done, ctx.Err()
			}
			if err := s.revoke(ctx, rec, revocationOf{by: by.ID, reason: reason}); err != nil {
				done.Failed++
				s.report(err)
				continue
			}
			done.Revoked++
		}
		if next == "" {
			return done, nil
		}
		after = next
	}
}

// revocable finds a certificate that by may revoke. To anybody else it does not exist.
func (s *Service) revocable(ctx context.Context, by Issuer, id string) (record, error) {
	rec, err := s.registry.get(ctx, id)
	if err != nil {
		return record{}, err
	}
	issued := rec.State == StateIssued || rec.State == StateRevoked
	if !issued || rec.Issuer != by.ID && !by.RevokeAll {
		return record{}, errNotFound
	}
	return rec, nil
}

// revocationOf says who revokes, why, and what takes the certificate's place.
type revocationOf struct{ by, reason, successor string }

// revoke is audited before and after. One conditional write decides; what follows it is
// repeated by the reconciler until it is done.
func (s *Service) revoke(ctx context.Context, rec record, why revocationOf) error {
	if rec.State == StateRevoked {
		return s.settle(ctx, rec)
	}
	if err := s.auditRevocation(ctx, actionRevokeIntent, rec.ID, why, ""); err != nil {
		return err
	}
	faultpoint.Here("gateway-after-revocation-audited")
	marked, err := s.markRevoked(ctx, rec, why)
	if err != nil {
		_ = s.auditRevocation(ctx, actionRevokeFailed, rec.ID, why, fault.From(err).Code)
		return err
	}
	faultpoint.Here("gateway-after-revoked")
	return s.settle(ctx, marked)
}

func (s *Service) auditRevocation(ctx context.Context, action, id string, why revocationOf, failure string) error {
	outcome, reason := "success", why.reason
	if failure != "" {
		outcome, reason = "failure", failure
	}
	_, err := s.audit.Append(ctx, audit.Entry{Time: s.now(), Action: action, Actor: why.by, Subject: id, Outcome: outcome, Reason: reason})
	if err != nil {
		return errAudit.Because(err)
	}
	return nil
}

// markRevoked makes the record revoked whatever else happens to it meanwhile; a record that
// somebody else revoked is as good.
func (s *Service) markRevoked(ctx context.Context, rec record, why revocationOf) (record, error) {
	for {
		if err := s.complement(ctx, &rec); err != nil {
			return rec, err
		}
		now := s.now()
		rec.State, rec.Reason, rec.RevokedAt, rec.RevokedBy, rec.UpdatedAt = StateRevoked, why.reason, &now, why.by, now
		rec.SupersededBy, rec.Unsettled, rec.Outbox = why.successor, true, s.withdrawal(rec.Outbox)
		done, err := s.registry.swap(ctx, rec)
		if err == nil {
			s.due(done)
		}
		if err == nil || !errors.Is(err, docstore.ErrVersion) {
			return done, err
		}
		if rec, err = s.registry.get(ctx, rec.ID); err != nil || rec.State == StateRevoked {
			return rec, err
		}
	}
}

// complement fills in the identities of a certificate that was issued before records had
// them, while its content is still there.
func (s *Service) complement(ctx context.Context, rec *record) error {
	if rec.Identities != nil {
		return nil
	}
	out, err := s.documents.Get(ctx, rec.ID)
	if fault.KindOf(err) == fault.NotFound {
		s.report(errNothingToList)
		return nil // it is revoked all the same: here nobody gets it any more
	}
	if err != nil {
		return err
	}
	rec.Beside, rec.Identities, err = identify(out)
	return err
}

var errNothingToList = errors.New("issuance: a certificate whose content is gone was revoked; it is on no list, since nothing says how it was signed")

// settle audits a revocation as done, takes back the links to the certificate and removes
// its content (DDCC IG, transaction Revoke). After a crash all of it is done once more.
func (s *Service) settle(ctx context.Context, rec record) error {
	if !rec.Unsettled {
		return nil
	}
	why := revocationOf{by: rec.RevokedBy, reason: rec.Reason, successor: rec.SupersededBy}
	if err := s.auditRevocation(ctx, actionRevoked, rec.ID, why, ""); err != nil {
		return err
	}
	if s.links != nil {
		if err := s.links().WithdrawFor(ctx, rec.ID); err != nil {
			return err
		}
	}
	if err := s.documents.Discard(ctx, rec.ID); err != nil {
		return err
	}
	faultpoint.Here("gateway-after-content-discarded")
	return s.registry.amend(ctx, rec, func(r *record) bool {
		was := r.Unsettled
		r.Unsettled = false
		return was
	})
}

// succeed revokes what rec takes the place of.
func (s *Service) succeed(ctx context.Context, rec record) error {
	if !rec.Succession {
		return nil
	}
	old, err := s.registry.get(ctx, rec.Supersedes)
	if err != nil {
		return err
	}
	err = s.revoke(ctx, old, revocationOf{by: rec.Issuer, reason: ReasonSuperseded, successor: rec.ID})
	if err != nil {
		return err
	}
	return s.registry.amend(ctx, rec, func(r *record) bool {
		was := r.Succession
		r.Succession = false
		return was
	})
}

// supersedable checks, before anything is recorded, that the certificate to be superseded
// is one this issuer may take back, and that it still stands or fell to this very request.
func (s *Service) supersedable(ctx context.Context, in Request, own string) error {
	if in.Supersedes == "" {
		return nil
	}
	old, err := s.revocable(ctx, in.Issuer, in.Supersedes)
	if err != nil {
		return errSupersedes.Because(err)
	}
	if old.FolderID != s.registry.folderID(in.Core.Certificate.HCID) {
		return errOtherFolder
	}
	if old.State == StateRevoked && (own == "" || old.SupersededBy != own) {
		return errSuperseded
	}
	return nil
}

var (
	errSupersedes = fault.New(fault.Rule, "supersedes-unknown", "The certificate to be superseded is none of this issuer's.").With(fault.Issue{
		Path: "Parameters.parameter(supersedes)", Rule: "supersedes-known", Detail: "There is no such certificate for this issuer.", Fix: "Send the id of a certificate that was issued for you, or leave it out.",
	})
	errOtherFolder = fault.New(fault.Rule, "supersedes-other", "The certificate to be superseded is of another Health Certificate ID.").With(fault.Issue{
		Path: "Parameters.parameter(supersedes)", Rule: "supersedes-folder", Detail: "A certificate takes the place of one of the same folder, and so of the same person.",
		Fix: "Revoke the other one, and issue this one without the parameter.",
	})
	errSuperseded = fault.New(fault.Conflict, "already-superseded", "The certificate to be superseded was superseded or revoked before.").With(fault.Issue{
		Path: "Parameters.parameter(supersedes)", Rule: "supersedes-standing", Detail: "One certificate takes the place of another once.", Fix: "Supersede the latest one, or leave it out.",
	})
)

// Revoked lists what identifies revoked certificates, those of limit events at most, from
// behind after (empty: from the first). next is where the next page begins, empty behind the
// last. Those that have expired are among them: the counters of card lists count them. A
// record that cannot be read is reported and keeps no other off the lists.
func (s *Service) Revoked(ctx context.Context, after string, limit int) (entries []revocation.Entry, next string, err error) {
	page, next, err := s.registry.page(ctx, revokedIndex, after, limit)
	if page == nil && err != nil {
		return nil, "", err
	}
	if err != nil {
		s.report(err)
	}
	for _, rec := range page {
		for _, id := range rec.Identities {
			entries = append(entries, id.revoked(*rec.RevokedAt))
		}
	}
	return entries, next, nil
}
