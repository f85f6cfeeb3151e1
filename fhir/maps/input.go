package maps

import (
	"crypto/sha256"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/uuid8"
)

// newWriter checks the input and derives what does not depend on the order of writing.
func newWriter(in DocumentInput) (*writer, error) {
	if problem := inputProblem(in); problem != "" {
		return nil, fault.New(fault.Internal, "document-input", problem)
	}
	issues := in.Core.Validate(in.IssuedAt)
	if fault.HasErrors(issues) {
		return nil, fault.New(fault.Rule, "core-data-set", "The health event does not meet the rules of the DDCC core data set.").With(issues...)
	}
	if err := authorityConflict(in); err != nil {
		return nil, err
	}
	w := &writer{in: in, core: in.Core, warnings: issues, issued: in.IssuedAt.UTC().Truncate(time.Second).Format(time.RFC3339)}
	w.core.Certificate.DDCCID = in.CertificateID
	w.ids = DocumentIDs{
		Bundle:       in.CertificateID,
		Composition:  w.derive("Composition"),
		Patient:      in.PatientID,
		Organization: w.derive("Organization"),
	}
	if w.ids.Patient == "" {
		w.ids.Patient = w.derive("Patient")
	}
	return w, nil
}

func inputProblem(in DocumentInput) string {
	name, trimmed := fhir.CleanText(in.Authority.Name)
	switch {
	case !isUUID(in.CertificateID):
		return "The certificate id is not a UUID."
	case in.PatientID != "" && !isUUID(in.PatientID):
		return "The patient id is not a UUID."
	case in.PatientID == in.CertificateID:
		return "The patient id is the certificate id."
	case in.IssuedAt.IsZero():
		return "The time of issue is missing."
	case name == "" || trimmed || name != in.Authority.Name:
		return "The authority has no name, or one with white space at its ends or not in NFC."
	}
	for _, q := range in.QR {
		if qrDisplay(q.Type) == "" || q.Text == "" || len(q.PNG) == 0 {
			return "A QR code has no known type, no text or no image."
		}
	}
	return ""
}

// authorityConflict refuses to attest under one authority what names another.
func authorityConflict(in DocumentInput) error {
	issuer := in.Core.Certificate.Issuer
	a := in.Authority
	if a.Identifier != "" && a.Identifier != issuer.Value || a.System != "" && issuer.System != "" && a.System != issuer.System {
		return fault.New(fault.Rule, "authority-mismatch", "The health event names another authority than the one that issues.").With(fault.Issue{
			Path: "DDCCCoreDataSet.certificate.issuer", Rule: "authority-mismatch",
			Detail: "The issuer is not the authority that signs.", Fix: "Name the authority that runs this gateway.",
		})
	}
	if id := in.Core.Certificate.DDCCID; id != "" && id != in.CertificateID {
		return fault.New(fault.Rule, "ddccid-mismatch", "The health event carries the id of another document.").With(fault.Issue{
			Path: "DDCCCoreDataSet.certificate.ddccid", Rule: "ddccid-mismatch",
			Detail: "The id is not that of the document to be written.", Fix: "Leave it out; a new document gets its own id.",
		})
	}
	return nil
}

// derive makes the id of a part of the document from the certificate's id and the part's role.
func (w *writer) derive(role string) string {
	return deriveUUID("document", w.in.CertificateID, role)
}

func deriveUUID(parts ...string) string { return uuid8.From(uuid8.Digest(sha256.New(), parts...)) }

// isUUID reports the form 8-4-4-4-12 in lower case hexadecimal.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return false
			}
		} else if !strings.ContainsRune("0123456789abcdef", rune(s[i])) {
			return false
		}
	}
	return true
}

func urnUUID(id string) string { return "urn:uuid:" + id }

// practitionerSystem gives the namespace of a health worker's id, see DocumentInput.
func (w *writer) practitionerSystem() string {
	switch {
	case w.core.Vaccination.Practitioner.System != "":
		return w.core.Vaccination.Practitioner.System
	case w.in.PractitionerSystem != "":
		return w.in.PractitionerSystem
	default:
		id := w.authorityIdentifier()
		return urnUUID(deriveUUID("practitioner-system", id.System, id.Value))
	}
}

// authorityIdentifier is the core data set's issuer, with the system the authority adds.
func (w *writer) authorityIdentifier() fhir.Identifier {
	id := w.core.Certificate.Issuer
	if id.System == "" {
		id.System = w.in.Authority.System
	}
	return id
}
