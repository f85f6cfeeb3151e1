package main

import (
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	dccmap "github.com/trustedparty/ddcc-gateway/fhir/maps/dcc"
	ddccmap "github.com/trustedparty/ddcc-gateway/fhir/maps/ddcc"
	divocmap "github.com/trustedparty/ddcc-gateway/fhir/maps/divoc"
	icvpmap "github.com/trustedparty/ddcc-gateway/fhir/maps/icvp"
	shcmap "github.com/trustedparty/ddcc-gateway/fhir/maps/shc"
	vdsncmap "github.com/trustedparty/ddcc-gateway/fhir/maps/vdsnc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/foreign"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// certificateReader verifies certificates of anybody for $convert: against our own keys
// first, then against those that were imported.
type certificateReader struct {
	own      func() *trust.TrustList         // nil result: not known yet
	imported *foreign.Store                  // nil: nothing is imported
	revoked  func() verification.Revocations // of our own certificates; nil result: not known yet
}

// Verify implements mediator.Verifier.
func (r certificateReader) Verify(text string) (mediator.Foreign, error) {
	ours := verification.Verifier{Own: r.own(), Revocations: r.revoked(), Clock: time.Now}
	if ours.Own == nil {
		return mediator.Foreign{}, errNotReady
	}
	ours.List = ours.Own.List
	result := ours.VerifyText(text)
	if result.Valid && slices.Contains(result.Warnings, verification.WarningRevocation) {
		return mediator.Foreign{}, errNotReady
	}
	if result.Reason == verification.ReasonUnknownKey && r.imported != nil {
		abroad := verification.Verifier{List: r.imported.List(), Keys: r.imported, Own: ours.Own, Clock: time.Now}
		result = abroad.VerifyText(text)
	}
	out := mediator.Foreign{
		Format: result.Format, Profile: result.Profile, Valid: result.Valid, Reason: string(result.Reason), Detail: result.Detail,
		Warnings: result.Warnings, Firm: !slices.Contains(result.Warnings, verification.WarningAmbiguous),
	}
	if result.Signer == nil { // no trusted key signed it: what it says is nobody's word
		return out, nil
	}
	out.Signer = result.Signer.Country
	if read, ok := readers[result.Profile]; ok {
		out.Readings = read(maps.Source{Issuer: result.Issuer, IssuedAt: result.IssuedAt, ExpiresAt: result.ExpiresAt, Content: result.Content})
	}
	return out, nil
}

var errNotReady = fault.New(fault.Unavailable, "convert-not-ready", "The authority's own keys and revocations are not known yet.").Retry(5 * time.Second)

// readers lead from each profile that can be verified to the core data set.
var readers = map[string]func(maps.Source) []maps.Reading{
	verification.ProfileDDCCVaccination: ddccmap.Read,
	verification.ProfileDDCCTest:        ddccmap.Read,
	verification.ProfileFlat:            ddccmap.Read,
	verification.ProfileEUDCC:           dccmap.Read,
	verification.ProfileICVP:            icvpmap.Read,
	verification.ProfileSHC:             shcmap.Read,
	verification.ProfileVDSNC:           vdsncmap.Read,
	verification.ProfileDIVOC:           divocmap.Read,
}
