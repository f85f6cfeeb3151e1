package registration

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Withdrawal is what a server is told once a certificate is revoked.
type Withdrawal struct {
	CertificateID string
	Recipient     string // name of the FHIR server; no address
	At            time.Time

	Set        []byte       // the submission set as the server has it; nil: it has none
	References []Registered // what the set lists
}

// Registered is a DocumentReference as the server has it; Raw is nil when it is gone.
type Registered struct {
	ID, Version string
	Raw         []byte
}

// Listed are the ids of the DocumentReferences in a submission set. Errors: Upstream.
func Listed(set []byte) ([]string, error) {
	var in list
	if err := json.Unmarshal(set, &in); err != nil || in.ResourceType != "List" {
		return nil, errSet
	}
	var ids []string
	for _, e := range in.Entry {
		if id := nameOf(e.Item.Reference); id != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 || len(ids) > maxCodes+1 {
		return nil, errSet
	}
	return ids, nil
}

var (
	errSet        = fault.New(fault.Upstream, "registration-unusable", "The FHIR server has the registration of the certificate in a form that cannot be used.")
	statusDeleted = json.RawMessage(`"entered-in-error"`)
)

// Done reports whether the server has what Transaction would leave: the references are in
// error, and the folder has none of them; or neither folder nor registration. folder is nil
// where the server has none.
func (w Withdrawal) Done(folder *Folder) bool {
	if w.Set == nil {
		return folder == nil
	}
	if folder != nil && folder.Holds(w.CertificateID) {
		return false
	}
	for _, r := range w.References {
		var in struct {
			Status string `json:"status"`
		}
		if r.Raw != nil && json.Unmarshal(r.Raw, &in) != nil || r.Raw != nil && in.Status != "entered-in-error" {
			return false
		}
	}
	return true
}

// Transaction takes the certificate out of its folder, marks its references as in error and
// deletes its content (DDCC IG, Revoke). Of a certificate that is not registered it changes
// the version of the folder alone: a registration that is still under way fails for it.
// Nothing of it happens if the folder or a reference changed since it was read.
func (w Withdrawal) Transaction(folder *Folder) ([]byte, error) {
	at := instant(w.At)
	var entries []entry
	if folder != nil {
		ids := []string{documentReferenceID(w.CertificateID)}
		for _, r := range w.References {
			ids = append(ids, r.ID)
		}
		changed, err := folder.without(ids, at)
		if err != nil {
			return nil, err
		}
		entries = append(entries, changed)
	}
	if w.Set == nil {
		return bundle("", entries)
	}
	event, err := w.audit(at)
	if err != nil {
		return nil, err
	}
	entries = append(entries, event, remove("Bundle", w.CertificateID), remove("Provenance", provenanceID(w.CertificateID)))
	for _, r := range w.References {
		if r.Raw != nil {
			marked, err := r.inError()
			if err != nil {
				return nil, err
			}
			entries = append(entries, marked)
		}
		entries = append(entries, remove("Binary", binaryID(r.ID)))
	}
	return bundle("", entries)
}

func remove(typ, id string) entry {
	return entry{Request: request{Method: http.MethodDelete, URL: typ + "/" + id}}
}

// inError is the reference with the status entered-in-error.
func (r Registered) inError() (entry, error) {
	var members map[string]json.RawMessage
	if json.Unmarshal(r.Raw, &members) != nil || text(members["resourceType"]) != "DocumentReference" || !idForm.MatchString(r.Version) {
		return entry{}, errSet
	}
	members["status"] = statusDeleted
	return entry{
		FullURL: fullURL("DocumentReference", r.ID), Resource: members,
		Request: request{Method: http.MethodPut, URL: "DocumentReference/" + r.ID, IfMatch: `W/"` + r.Version + `"`},
	}, nil
}

// audit is the AuditEvent of the withdrawal.
func (w Withdrawal) audit(at string) (entry, error) {
	var set list
	if err := json.Unmarshal(w.Set, &set); err != nil {
		return entry{}, errSet
	}
	_, patient, ok := strings.Cut(set.Subject.Reference, "Patient/")
	if !ok || !idForm.MatchString(patient) {
		return entry{}, errSet
	}
	in := auditInput{action: "U", at: at, recipient: w.Recipient, patient: "Patient/" + patient, submission: "List/" + submissionSetID(w.CertificateID)}
	for _, e := range set.Extension {
		if e.Identifier != nil && strings.HasSuffix(e.URL, "/ihe-sourceId") {
			in.source = e.Identifier.Value
		}
	}
	if !strings.HasPrefix(in.source, "urn:") {
		return entry{}, errSet
	}
	id := idOf("AuditEvent/withdrawal", w.CertificateID)
	return entry{
		FullURL: fullURL("AuditEvent", id), Resource: audit(id, in),
		Request: request{Method: http.MethodPut, URL: "AuditEvent/" + id},
	}, nil
}
