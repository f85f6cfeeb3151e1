package service

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/signing"
)

// TestOneCertificateOfAProfile beside an event, whatever its identifiers; and an identifier
// names one certificate.
func TestOneCertificateOfAProfile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, profile := range besides() {
		first := intentFor(t, b, profile)
		accepted(t, b, "the first", first)
		refused(t, b, "a second certificate beside one event", "event", intentFor(t, b, profile, func(i *signing.Intent) { i.Event = first.Event }))
		accepted(t, b, "the first again", first)
		accepted(t, b, "beside another event", intentFor(t, b, profile))

		path := map[string]string{
			signing.ProfileDCCVaccination: "claims.dcc.v[0].ci", signing.ProfileDCCTest: "claims.dcc.t[0].ci", signing.ProfileDCCRecovery: "claims.dcc.r[0].ci",
			signing.ProfileSHCImmunization: "claims.shc.revocationId", signing.ProfileSHCLaboratory: "claims.shc.revocationId",
			signing.ProfileVDSVaccination: "claims.vdsnc.uvci", signing.ProfileVDSTest: "claims.vdsnc.utci",
		}[profile]
		if path != "" { // an ICVP has no identifier
			refused(t, b, "an identifier that another certificate has", path, intentFor(t, b, profile, func(i *signing.Intent) { i.Claims = first.Claims }))
		}
		if _, err := b.Cancel(context.Background(), caller, first.ID); err != nil {
			t.Fatal(err)
		}
		refused(t, b, "beside a cancelled one", "event", intentFor(t, b, profile, func(i *signing.Intent) { i.Event = first.Event }))
	}
}

// TestRaceForThePlaceBesideAnEvent: whoever is recorded first has it. The others are told,
// and the log says that their signatures were never released.
func TestRaceForThePlaceBesideAnEvent(t *testing.T) {
	t.Parallel()
	for _, profile := range besides() {
		b := newBench(t)
		first := intentFor(t, b, profile)
		intents := []signing.Intent{first}
		for len(intents) < 16 {
			intents = append(intents, signing.Intent{ID: uuid.NewString(), Event: first.Event, Profile: profile, Issuer: first.Issuer, Claims: specimen(t, profile)})
		}
		errs := make([]error, len(intents))
		texts := make([]string, len(intents))
		var wg sync.WaitGroup
		for i := range intents {
			wg.Go(func() {
				cert, err := b.Issue(context.Background(), caller, intents[i])
				texts[i], errs[i] = cert.Text, err
			})
		}
		wg.Wait()
		won := slices.Index(errs, nil)
		for i, err := range errs {
			if won < 0 || i != won && (!errors.Is(err, errEvent) || texts[i] != "") {
				t.Fatalf("%s: winner %d, %d: %v", profile, won, i, err)
			}
		}
		for range 2 {
			if cert, err := b.Issue(context.Background(), caller, intents[won]); err != nil || cert.Text != texts[won] {
				t.Errorf("%s: the winner again: %v", profile, err)
			}
		}
		signed, failed := 0, 0
		for _, e := range b.audit.entries {
			switch e.Action {
			case actionSigned:
				signed++
			case actionFailed:
				failed++
			}
		}
		if released := signed - failed; released != 2 { // the event and one beside it
			t.Errorf("%s: the log shows %d released", profile, released)
		}
	}
}
