package issuance

import (
	"encoding/base64"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	dccmap "github.com/trustedparty/ddcc-gateway/fhir/maps/dcc"
	icvpmap "github.com/trustedparty/ddcc-gateway/fhir/maps/icvp"
	shcmap "github.com/trustedparty/ddcc-gateway/fhir/maps/shc"
	vdsncmap "github.com/trustedparty/ddcc-gateway/fhir/maps/vdsnc"
	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// inscription is what the gateway itself writes into a certificate of another format. The
// ids derive from the record's by keyed digest: they say nothing, and a retry writes the
// same again.
type inscription struct {
	authority    string    // name, as the issuer
	certificate  string    // UVCI or UTCI
	revocationID string    // vc.rid of a SMART Health Card
	reported     time.Time // when the event was reported to us
}

func (s *Service) inscription(rec record, f Format, core fhir.CoreDataSet) (inscription, error) {
	var opaque [16]byte
	copy(opaque[:], seal.Pseudonym(s.registry.digestKey, "certificate", rec.ID, string(f)))
	id, err := dcc.NewUVCI(s.country, opaque)
	if err != nil {
		return inscription{}, err
	}
	return inscription{
		authority: s.authorities[core.Certificate.Issuer.Value].Name, certificate: id, reported: rec.CreatedAt,
		revocationID: base64.RawURLEncoding.EncodeToString(seal.Pseudonym(s.registry.digestKey, "rid", rec.ID)[:8]),
	}, nil
}

// translator says an event in another format.
type translator func(core fhir.CoreDataSet, i inscription) (signing.Claims, []fault.Issue)

var translators = map[Format]translator{
	FormatDCC: func(core fhir.CoreDataSet, i inscription) (signing.Claims, []fault.Issue) {
		if core.Vaccination != nil {
			return dccClaims(dccmap.Vaccination(core, i.dcc()))
		}
		return dccClaims(dccmap.Test(core, i.dcc()))
	},
	FormatDCCRecovery: func(core fhir.CoreDataSet, i inscription) (signing.Claims, []fault.Issue) {
		return dccClaims(dccmap.Recovery(core, i.dcc()))
	},
	FormatSHC: func(core fhir.CoreDataSet, i inscription) (signing.Claims, []fault.Issue) {
		card, issues := shcmap.FromCore(core, shcmap.Context{RevocationID: i.revocationID, Performer: i.authority})
		return signing.Claims{SHC: &card}, issues
	},
	FormatVDSNC: func(core fhir.CoreDataSet, i inscription) (signing.Claims, []fault.Issue) {
		message, issues := vdsncmap.FromCore(core, vdsncmap.Context{ID: i.certificate, Provider: i.authority, Reported: i.reported})
		return signing.Claims{VDSNC: &message}, issues
	},
	FormatICVP: func(core fhir.CoreDataSet, i inscription) (signing.Claims, []fault.Issue) {
		card, issues := icvpmap.FromCore(core, icvpmap.Context{Issuer: i.authority})
		return signing.Claims{ICVP: &card}, issues
	},
}

func (i inscription) dcc() dccmap.Context {
	return dccmap.Context{UVCI: i.certificate, Issuer: i.authority}
}

func dccClaims(c dcc.Certificate, issues []fault.Issue) (signing.Claims, []fault.Issue) {
	return signing.Claims{DCC: &c}, issues
}

// isAlpha2 reports whether a text has the form of an ISO 3166-1 alpha-2 code.
func isAlpha2(text string) bool {
	return len(text) == 2 && 'A' <= text[0] && text[0] <= 'Z' && 'A' <= text[1] && text[1] <= 'Z'
}
