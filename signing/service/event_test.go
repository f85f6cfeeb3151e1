package service

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
)

// TestNoOtherFormatWithoutItsEvent: an event that is missing, unknown, cancelled, of
// another issuer or kind, or no DDCC at all.
func TestNoOtherFormatWithoutItsEvent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	otherKind := map[string]string{signing.ProfileDDCCVS: signing.ProfileDDCCTR, signing.ProfileDDCCTR: signing.ProfileDDCCVS}
	for _, profile := range besides() {
		event := signingtest.EventOf(profile)
		cancelled := intentIssued(t, b, event)
		if _, err := b.Cancel(context.Background(), caller, cancelled); err != nil {
			t.Fatal(err)
		}
		for name, id := range map[string]string{
			"none":           "",
			"no id":          "urn:x",
			"in capitals":    strings.ToUpper(intentIssued(t, b, event)),
			"unknown":        uuid.NewString(),
			"cancelled":      cancelled,
			"another issuer": intentIssued(t, b, event, func(i *signing.Intent) { i.Issuer = "elsewhere" }),
			"another kind":   intentIssued(t, b, otherKind[event]),
			"no DDCC":        intentIssued(t, b, profile),
		} {
			before := b.signatures()
			in := intentFor(t, b, profile, func(i *signing.Intent) { i.Event = id })
			before++ // the event that intentFor had issued
			_, err := b.Issue(context.Background(), caller, in)
			if f := fault.From(err); !errors.Is(err, errEvent) || len(f.Issues) != 1 || f.Issues[0].Path != "event" {
				t.Errorf("%s, event %s: %v", profile, name, err)
			}
			if n := b.signatures() - before; n != 0 {
				t.Errorf("%s, event %s: a key was used %d times", profile, name, n)
			}
		}
	}
	in := intent(func(i *signing.Intent) { i.Event = intentIssued(t, b, signing.ProfileDDCCVS) })
	if _, err := b.Issue(context.Background(), caller, in); !errors.Is(err, errEvent) {
		t.Errorf("a DDCC beside a DDCC: %v", err)
	}
}

// TestEventMustAgree changes one thing that a format and the event both say.
func TestEventMustAgree(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, tc := range []struct {
		profile, path string
		change        func(*signing.Claims)
	}{
		{signing.ProfileDCCVaccination, "claims.dcc.dob", func(c *signing.Claims) { c.DCC.BirthDate = "1987-04-13" }},
		{signing.ProfileDCCVaccination, "claims.dcc.dob", func(c *signing.Claims) { c.DCC.BirthDate = "1988" }},
		{signing.ProfileDCCVaccination, "claims.dcc.v[0].dt", func(c *signing.Claims) { c.DCC.Vaccinations[0].Date = "2026-10-02" }},
		{signing.ProfileDCCVaccination, "claims.dcc.v[0].dn", func(c *signing.Claims) { c.DCC.Vaccinations[0].Dose = 2 }},
		{signing.ProfileDCCTest, "claims.dcc.t[0].sc", func(c *signing.Claims) { c.DCC.Tests[0].Sampled = "2026-11-20T10:00:01Z" }},
		{signing.ProfileDCCTest, "claims.dcc.t[0].sc", func(c *signing.Claims) { c.DCC.Tests[0].Sampled = "2026-11-20T10:00:00+01:00" }},
		{signing.ProfileDCCRecovery, "claims.dcc.r[0].fr", func(c *signing.Claims) { c.DCC.Recoveries[0].FirstPositive = "2026-11-19" }},
		{signing.ProfileICVP, "claims.icvp.birthDate", func(c *signing.Claims) { c.ICVP.BirthDate = "1987-04-13" }},
		{signing.ProfileICVP, "claims.icvp.vaccination.date", func(c *signing.Claims) { c.ICVP.Vaccination.Date = "2026-10-02" }},
		{signing.ProfileICVP, "claims.icvp.vaccination.batch", func(c *signing.Claims) { c.ICVP.Vaccination.Batch = "LOT-8" }},
		{signing.ProfileSHCImmunization, "claims.shc.patient.birthDate", func(c *signing.Claims) { c.SHC.Patient.BirthDate = "1986" }},
		{signing.ProfileSHCImmunization, "claims.shc.immunizations[0].date", func(c *signing.Claims) { c.SHC.Immunizations[0].Date = "2026-10-01T10:00:00Z" }},
		{signing.ProfileSHCImmunization, "claims.shc.immunizations[0].lot", func(c *signing.Claims) { c.SHC.Immunizations[0].Lot = "LOT-8" }},
		{signing.ProfileSHCLaboratory, "claims.shc.observations[0].date", func(c *signing.Claims) { c.SHC.Observations[0].Date = "2026-11-21" }},
		{signing.ProfileVDSVaccination, "claims.vdsnc.pid.dob", func(c *signing.Claims) { c.VDSNC.Person.BirthDate = "1987-04-11" }},
		{signing.ProfileVDSVaccination, "claims.vdsnc.ve[0].vd[0].dvc", func(c *signing.Claims) { c.VDSNC.Vaccinations[0].Doses[0].Date = "2026-09-30" }},
		{signing.ProfileVDSVaccination, "claims.vdsnc.ve[0].vd[0].seq", func(c *signing.Claims) { c.VDSNC.Vaccinations[0].Doses[0].Number = 2 }},
		{signing.ProfileVDSVaccination, "claims.vdsnc.ve[0].vd[0].lot", func(c *signing.Claims) { c.VDSNC.Vaccinations[0].Doses[0].Lot = "LOT-8" }},
		{signing.ProfileVDSTest, "claims.vdsnc.dat.sc", func(c *signing.Claims) { c.VDSNC.Times.Sampled = "2026-11-20T09:00:00Z" }},
	} {
		in := intentFor(t, b, tc.profile, func(i *signing.Intent) { tc.change(&i.Claims) })
		before := b.signatures()
		_, err := b.Issue(context.Background(), caller, in)
		f := fault.From(err)
		if !errors.Is(err, errEvent) || len(f.Issues) != 1 || f.Issues[0].Path != tc.path || f.Issues[0].Rule != "event-mismatch" {
			t.Errorf("%s %s: %v %+v", tc.profile, tc.path, err, f.Issues)
		}
		if n := b.signatures() - before; n != 0 {
			t.Errorf("%s %s: a key was used", tc.profile, tc.path)
		}
		if last := b.audit.entries[len(b.audit.entries)-1]; last.Action != actionRefused || last.Reason != "event-mismatch event-mismatch" {
			t.Errorf("audit %+v", last)
		}
	}
}

// TestSameEventOtherwiseWritten: zones and partial dates do not make another event.
func TestSameEventOtherwiseWritten(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, tc := range []struct {
		profile string
		change  func(*signing.Claims)
	}{
		{signing.ProfileDCCVaccination, func(c *signing.Claims) { c.DCC.BirthDate = "1987-04" }},
		{signing.ProfileDCCVaccination, func(c *signing.Claims) { c.DCC.BirthDate = "" }},
		{signing.ProfileDCCTest, func(c *signing.Claims) { c.DCC.Tests[0].Sampled = "2026-11-20T11:00:00+01:00" }},
		{signing.ProfileSHCLaboratory, func(c *signing.Claims) { c.SHC.Observations[0].Date = "2026-11-20" }},
		{signing.ProfileSHCImmunization, func(c *signing.Claims) { c.SHC.Immunizations[0].Lot = "" }},
	} {
		in := intentFor(t, b, tc.profile, func(i *signing.Intent) { tc.change(&i.Claims) })
		if _, err := b.Issue(context.Background(), caller, in); err != nil {
			t.Errorf("%s: %v %+v", tc.profile, err, fault.From(err).Issues)
		}
	}
}

func TestDatesThatAreOneAnother(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		stated, event string
		birth, time   bool
	}{
		{"1987-04-12", "1987-04-12", true, true},
		{"1987", "1987-04-12", true, true},
		{"1987-04-12", "1987", false, false},
		{"1987-04-12", "", false, false},
		{"1987", "", false, false},
		{"198", "1987-04-12", false, false},
		{"1987-0", "1987-04-12", false, false},
		{"1987-04-1", "1987-04-12", false, false},
		{"1988", "1987-04-12", false, false},
		{"2026-11-20", "2026-11-20T23:30:00-05:00", true, true},
		{"2026-11-21", "2026-11-20T23:30:00-05:00", false, false},
		{"2026-11-21T04:30:00Z", "2026-11-20T23:30:00-05:00", false, true},
		{"2026-11-20T23:30:00-05:00", "2026-11-20", false, false},
		{"2026-11-20T10:00:00Z", "2026-11-20T10:00:00.5Z", false, true},
		{"2026-11-20T10:00:01Z", "2026-11-20T10:00:00.5Z", false, false},
	} {
		if coarser(tc.stated, tc.event) != tc.birth || sameTime(tc.stated, tc.event) != tc.time {
			t.Errorf("%s and %s: birth %v, time %v", tc.stated, tc.event, coarser(tc.stated, tc.event), sameTime(tc.stated, tc.event))
		}
	}
}

// TestLedgerAwayIsNoMismatch: an outage is told as one, before and after the signature.
func TestLedgerAwayIsNoMismatch(t *testing.T) {
	t.Parallel()
	for _, reads := range []int{1, 2} { // the intent itself, its event
		b := newBench(t)
		in := intentFor(t, b, signing.ProfileDCCVaccination)
		away := &awayStore{Store: b.Service.ledger.store, after: reads}
		b.Service.ledger.store = away
		_, err := b.Issue(context.Background(), caller, in)
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("after %d reads: %v", reads, err)
		}
		if slices.Contains(b.audit.actions(), actionRefused) {
			t.Errorf("after %d reads: a refusal stands against the issuer", reads)
		}
	}
}

// awayStore fails every read after the first ones.
type awayStore struct {
	docstore.Store
	after int
}

func (s *awayStore) Get(ctx context.Context, collection, id string) (docstore.Document, error) {
	if s.after--; s.after < 0 {
		return docstore.Document{}, errors.New("disk gone")
	}
	return s.Store.Get(ctx, collection, id)
}
