package maps

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Source is a certificate of any format as its reader gave it, for the maps that lead
// back to the core data set. Numbers in Content are uint64, int64, float64 or json.Number,
// as CBOR or JSON had them.
type Source struct {
	Issuer    string // CWT claim 1, iss of a card, data.hdr.is of a seal, issuer of a credential
	IssuedAt  time.Time
	ExpiresAt time.Time // zero when the certificate does not say
	Content   map[string]any
}

// RuleNarrowed marks a code that became a narrower one, the only one the table has: the
// reading says more than the certificate.
const RuleNarrowed = "narrowed"

// Reading is one event of a Source: as much of a core data set as the format carries.
// Issues say what could not be translated (warnings; the code stays as it was) and what
// makes the event unreadable (errors). A reading is not yet a valid core data set: what
// the format does not carry, its user has to supply.
type Reading struct {
	Core   fhir.CoreDataSet
	Issues []fault.Issue
}
