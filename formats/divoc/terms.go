package divoc

import "slices"

// The JSON-LD contexts of DIVOC certificates. The documents behind these addresses are
// never fetched: what they say about the members in use is written below, and
// TestRealCertificate proves with a certificate of CoWIN that the outcome is theirs.
const contextVC = "https://www.w3.org/2018/credentials/v1"

// vocabularies are the contexts a certificate has beside contextVC. Their versions
// differ in the members they know, never in what a member means; countries serve them
// under addresses of their own.
var vocabularies = []string{
	"https://cowin.gov.in/credentials/vaccination/v1",
	"https://cowin.gov.in/credentials/vaccination/v2",
	"https://cowin.gov.in/credentials/testCertificate/v1",
	"https://divoc.dev/credentials/vaccination/v1",
	"https://divoc.prod/vaccine/credentials/vaccination/v1",
	"https://divoc.lgcc.gov.lk/credentials/vaccination/v1",
	"https://www.pedulilindungi.id/credentials/vaccination/v2",
}

func knowsContexts(value any) bool {
	contexts, isList := value.([]any)
	if !isList || len(contexts) != 2 || contexts[0] != contextVC {
		return false
	}
	vocabulary, isText := contexts[1].(string)
	return isText && slices.Contains(vocabularies, vocabulary)
}

// Namespaces of the terms. The contexts define a prefix vac, but its address does not end
// like a namespace, so that JSON-LD 1.1 leaves "vac:city" as it is.
const (
	nsVC        = "https://www.w3.org/2018/credentials#"
	nsSchema    = "https://schema.org/"
	nsVac       = "vac:"
	nsSecurity  = "https://w3id.org/security#"
	nsTerms     = "http://purl.org/dc/terms/"
	iriDateTime = "http://www.w3.org/2001/XMLSchema#dateTime"
)

// form is how the value of a member looks.
type form int

const (
	literal  form = iota // text, whole number or boolean
	dateTime             // text that becomes a literal of this type
	iri                  // text that is an absolute IRI
	one                  // an object
	many                 // a list of objects
)

// term is what a context says about a member.
type term struct {
	iri    string
	form   form
	object *object // of one and many
}

// object is a kind of node: the types it must have, one list of them, and its members.
// Besides, a node may have an id if mayID, and must if needID.
type object struct {
	types   [][]string
	mayID   bool
	needID  bool
	members map[string]term
}

// typeIRIs are the terms that stand in type.
var typeIRIs = map[string]string{
	"VerifiableCredential":             nsVC + "VerifiableCredential",
	"ProofOfVaccinationCredential":     nsSchema + "ProofOfVaccinationCredential",
	"ProofOfTestCertificateCredential": nsSchema + "ProofOfTestCredential",
	"Person":                           nsSchema + "Person",
	"Vaccination":                      nsVac + "Vaccination",
	"TestDetails":                      nsVac + "TestDetails",
	proofRSA:                           nsSecurity + proofRSA,
	proofEd25519:                       nsSecurity + proofEd25519,
}

func schema(names ...string) map[string]term {
	members := map[string]term{}
	for _, name := range names {
		members[name] = term{iri: nsSchema + name}
	}
	return members
}

// with adds members to others of the same meaning for all of names.
func with(members map[string]term, iri string, names ...string) map[string]term {
	for _, name := range names {
		members[name] = term{iri: iri}
	}
	return members
}
