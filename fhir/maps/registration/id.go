package registration

import (
	"math/big"
	"regexp"

	"github.com/google/uuid"
)

// namespace is the UUID that ids are made in (RFC 9562 section 5.5).
var namespace = uuid.MustParse("b3a4c8de-52f1-5d0c-9a57-0d1f6a4b7e29")

// idOf is the id of the resource that has a role for a name.
func idOf(role, name string) string {
	return uuid.NewSHA1(namespace, []byte(role+"/"+name)).String()
}

// The ids of what is registered of a certificate.
func documentReferenceID(certificateID string) string {
	return idOf("DocumentReference", certificateID)
}
func submissionSetID(certificateID string) string { return idOf("SubmissionSet", certificateID) }
func provenanceID(certificateID string) string    { return idOf("Provenance", certificateID) }
func binaryID(referenceID string) string          { return idOf("Binary", referenceID) }

// SubmissionSetID is the id of the List that says what was registered of a certificate.
func SubmissionSetID(certificateID string) string { return submissionSetID(certificateID) }

// fullURL is the name of a resource within a transaction. It is derived anew, so that it
// occurs in no document.
func fullURL(typ, id string) string { return "urn:uuid:" + idOf("fullUrl", typ+"/"+id) }

// oid is the object identifier of a UUID (ITU-T X.667 clause 8).
func oid(id string) string {
	u := uuid.MustParse(id)
	return "urn:oid:2.25." + new(big.Int).SetBytes(u[:]).String()
}

// idForm is the form of an id (FHIR R4 datatypes, id).
var idForm = regexp.MustCompile(`^[A-Za-z0-9.-]{1,64}$`)

func isUUID(s string) bool {
	u, err := uuid.Parse(s)
	return err == nil && u.String() == s
}
