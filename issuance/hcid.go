package issuance

import (
	"encoding/base32"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
)

// assignedBytes is how much of the digest an assigned HCID has: 160 bits, 32 characters.
const assignedBytes = 20

// AssignHCID gives a Health Certificate ID to an issuer's patient: the same for the same
// identifier, another for any other, and one from which the identifier does not follow.
func (s *Service) AssignHCID(issuer string, patient fhir.Identifier) string {
	sum := seal.Pseudonym(s.registry.digestKey, "assigned hcid", issuer, patient.System, patient.Value)
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:assignedBytes])
}
