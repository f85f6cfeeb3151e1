package issuance

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var (
	errProfile   = fault.New(fault.Forbidden, "profile-not-allowed", "This issuer may not issue this kind of certificate.")
	errAuthority = fault.New(fault.Forbidden, "authority-not-allowed", "This issuer may not issue in the name of this public health authority.")
	errContent   = fault.New(fault.Rule, "invalid-content", "The health event breaks rules of the core data set.")
	errHCID      = fault.New(fault.Conflict, "hcid-conflict", "The Health Certificate ID belongs to another person.").
			With(fault.Issue{Path: "DDCCCoreDataSet.certificate.hcid", Rule: "hcid-same-person",
			Detail: "This HCID was first used for another name or birth date.",
			Fix:    "Check the HCID, or send name and birth date as first registered."})
	errKeyReused = fault.New(fault.Rule, "idempotency-key-reused", "The Idempotency-Key was used for another content.").
			With(fault.Issue{Path: "Idempotency-Key", Rule: "idempotency",
			Detail: "One key stands for one content.", Fix: "Use a new key for new content."})
	errEventChanged = fault.New(fault.Conflict, "event-changed", "The event was certified with other content.").With(fault.Issue{
		Path: "Resource", Rule: "event-changed", Detail: "One event has one certificate, and the gateway cannot tell which content is right.",
		Fix: "Revoke the certificate, or issue the event anew with the parameter supersedes.",
	})
	errExists   = fault.New(fault.PreconditionFailed, "already-issued", "This certificate was issued before, and the request asked for a new one only.")
	errNotFound = fault.New(fault.NotFound, "not-found", "There is no such certificate for this issuer.")
	errRevoked  = fault.New(fault.Conflict, "certificate-revoked", "The certificate of this request was revoked.").
			With(fault.Issue{Path: "Idempotency-Key", Rule: "not-revoked",
			Detail: "The same request was answered with a certificate that was revoked since.",
			Fix:    "If it is to be issued anew, send a new Idempotency-Key."})
	errCancelled = fault.New(fault.Unavailable, "intent-cancelled", "An earlier attempt is being cleaned up.").Retry(2 * time.Second)
	errSigner    = fault.New(fault.Upstream, "signer-refused", "The signing service refused this gateway; its operator has to look.")
	errRegistry  = fault.New(fault.Unavailable, "registry-unavailable", "The registry cannot be reached at the moment.").Retry(5 * time.Second)
)

// fromSigner says what a refusal of the signing service means to an issuer. Its findings
// about the content are the issuer's; that it does not know this gateway, or an intent of
// it, is not: the issuer did nothing wrong and must not hear that it did.
func fromSigner(err error) error {
	f := fault.From(err)
	switch f.Kind {
	case fault.Rule:
		if f.Code == "unknown-profile" || f.Code == "document-differs" {
			return errSigner.Because(err)
		}
		return err
	case fault.Conflict:
		if f.Code == "intent-cancelled" {
			return errCancelled.Because(err)
		}
		return errSigner.Because(err)
	case fault.Unavailable, fault.Timeout, fault.Internal, fault.Upstream, fault.TooMany:
		return err
	default:
		return errSigner.Because(err)
	}
}
