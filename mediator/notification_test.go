package mediator_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// records is a FHIR server that keeps what is asked of it.
type records struct {
	has   map[string]string
	asked []string
	err   error
}

func (r *records) Read(_ context.Context, server, kind, id string) ([]byte, error) {
	r.asked = append(r.asked, server+" "+kind+"/"+id)
	if r.err != nil {
		return nil, r.err
	}
	raw, ok := r.has[kind+"/"+id]
	if !ok {
		return nil, fault.New(fault.NotFound, "not-found", "not here")
	}
	return []byte(raw), nil
}

const (
	patient7 = `{"resourceType":"Patient","id":"7","birthDate":"1980-02-03","identifier":[{"system":"urn:hcid","value":"H-9"}],"name":[{"text":"Ada Specimen"}]}`
	dose     = `{"resourceType":"Immunization","id":"i1","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"208"}]},"patient":{"reference":"Patient/7"},
 "occurrenceDateTime":"2026-01-02","lotNumber":"L-1","manufacturer":{"display":"Maker"},"location":{"reference":"Location/gone"},
 "performer":[{"actor":{"reference":"https://elsewhere.example/Practitioner/1"}}],"protocolApplied":[{"doseNumberPositiveInt":1}]}`
)

func notifying(t *testing.T, r *records) (*mediator.Mediator, *fakeIssuance, mediator.IssuerPolicy) {
	t.Helper()
	f := &fakeIssuance{}
	m, err := mediator.New(mediator.Deps{Issuance: f, Verifier: fakeVerifier{}, Records: r, Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	by := agreed
	by.FHIR = "national"
	return m, f, by
}

// TestNotifiedEventIsCertified: with its patient, read from the server that notified and
// from no other.
func TestNotifiedEventIsCertified(t *testing.T) {
	t.Parallel()
	r := &records{has: map[string]string{"Patient/7": patient7, "Immunization/i1": dose}}
	m, f, by := notifying(t, r)
	out, err := m.Notify(context.Background(), by, "Immunization", "i1", []byte(dose), mediator.Options{})
	if err != nil || len(out.Issued) != 1 || f.last.Load().Core.Name != "Ada Specimen" {
		t.Fatalf("%v %+v", err, fault.From(err).Issues)
	}
	if got := strings.Join(r.asked, ", "); got != "national Immunization/i1, national Patient/7, national Location/gone" {
		t.Errorf("read %s", got)
	}
	if key := f.last.Load().Event; key != "fhir/national/Immunization/i1/0" {
		t.Errorf("key %q", key)
	}
}

// nothingToCertify are resources under the id i1; empty: the server has none by now.
var nothingToCertify = map[string]string{
	"entered in error": strings.Replace(dose, "completed", "entered-in-error", 1),
	"not done":         strings.Replace(dose, "completed", "not-done", 1),
	"preliminary":      `{"resourceType":"Observation","id":"i1","status":"preliminary"}`,
	"deleted":          "",
}

func kindOf(raw string) string {
	if raw == "" {
		return "Immunization"
	}
	return strings.SplitN(strings.SplitN(raw, `"resourceType":"`, 2)[1], `"`, 2)[0]
}

// TestNotificationsOfNothing: it is what the server has now that counts, not the payload.
func TestNotificationsOfNothing(t *testing.T) {
	t.Parallel()
	for name, now := range nothingToCertify {
		kind := kindOf(now)
		r := &records{has: map[string]string{"Patient/7": patient7}}
		if now != "" {
			r.has[kind+"/i1"] = now
		}
		m, f, by := notifying(t, r)
		said := strings.Replace(dose, `"Immunization"`, `"`+kind+`"`, 1)
		out, err := m.Notify(context.Background(), by, kind, "i1", []byte(said), mediator.Options{})
		if err != nil || len(out.Nothing) != 1 || f.calls.Load() != 0 || len(r.asked) != 1 {
			t.Errorf("%s: %v %+v", name, err, out)
		}
	}
	r := &records{}
	m, f, by := notifying(t, r)
	out, err := m.Notify(context.Background(), by, "Patient", "i1", []byte(`{"resourceType":"Patient","id":"i1"}`), mediator.Options{})
	if err != nil || len(out.Nothing) != 1 || f.calls.Load() != 0 || len(r.asked) != 0 {
		t.Errorf("a patient: %v %+v", err, out)
	}
}

// TestRetractedEvents: a certificate of an event that did not take place is not passed over.
func TestRetractedEvents(t *testing.T) {
	t.Parallel()
	for name, now := range nothingToCertify {
		kind := kindOf(now)
		r := &records{has: map[string]string{}}
		if now != "" {
			r.has[kind+"/i1"] = now
		}
		m, f, by := notifying(t, r)
		f.standing = map[string]string{by.ID + " fhir/national/" + kind + "/i1/0": "certificate-1"}
		_, err := m.Notify(context.Background(), by, kind, "i1", []byte(`{"resourceType":"`+kind+`","id":"i1"}`), mediator.Options{})
		if fault.KindOf(err) != fault.Conflict || !strings.Contains(fault.From(err).Issues[0].Detail, "certificate-1") || f.calls.Load() != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPayloadIsNotBelieved: what is certified is what the server has; a server that answers
// with something else is refused.
func TestPayloadIsNotBelieved(t *testing.T) {
	t.Parallel()
	r := &records{has: map[string]string{"Patient/7": patient7, "Immunization/i1": dose}}
	m, f, by := notifying(t, r)
	said := strings.Replace(dose, `"L-1"`, `"MADE-UP"`, 1)
	if _, err := m.Notify(context.Background(), by, "Immunization", "i1", []byte(said), mediator.Options{}); err != nil || f.last.Load().Core.Vaccination.Lot != "L-1" {
		t.Errorf("%v", err)
	}
	for _, wrong := range []string{strings.Replace(dose, `"i1"`, `"i2"`, 1), patient7, "{", ""} {
		r := &records{has: map[string]string{"Patient/7": patient7, "Immunization/i1": wrong}}
		m, f, by := notifying(t, r)
		_, err := m.Notify(context.Background(), by, "Immunization", "i1", []byte(dose), mediator.Options{})
		if fault.KindOf(err) != fault.Upstream || f.calls.Load() != 0 {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestNotificationsThatAreRefused(t *testing.T) {
	t.Parallel()
	down := fault.New(fault.Unavailable, "fhir-unavailable", "down")
	for name, c := range map[string]struct {
		raw, id string
		by      func(*mediator.IssuerPolicy)
		err     error
		want    fault.Kind
	}{
		"no FHIR server":      {by: func(p *mediator.IssuerPolicy) { p.FHIR = "" }, want: fault.Forbidden},
		"another id":          {id: "i2", want: fault.Malformed},
		"no JSON":             {raw: "{", want: fault.Malformed},
		"the server is down":  {err: down, want: fault.Unavailable},
		"no such patient":     {want: fault.Rule},
		"patient of another":  {raw: strings.Replace(dose, `"Patient/7"`, `"https://elsewhere.example/Patient/7"`, 1), want: fault.Rule},
		"path in a reference": {raw: strings.Replace(dose, `"Patient/7"`, `"Patient/../7"`, 1), want: fault.Rule},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, id := dose, "i1"
			if c.raw != "" {
				raw = c.raw
			}
			m, f, by := notifying(t, &records{err: c.err, has: map[string]string{"Immunization/i1": raw}})
			if c.by != nil {
				c.by(&by)
			}
			if c.id != "" {
				id = c.id
			}
			_, err := m.Notify(context.Background(), by, "Immunization", id, []byte(raw), mediator.Options{})
			if err == nil || fault.KindOf(err) != c.want || f.calls.Load() != 0 {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestNotificationsBeyondTheRateAskNothing: the FHIR server does not pay for an issuer that
// sends too much, and one event is charged once.
func TestNotificationsBeyondTheRateAskNothing(t *testing.T) {
	t.Parallel()
	r := &records{has: map[string]string{"Patient/7": patient7, "Immunization/i1": dose}}
	m, f, by := notifying(t, r)
	by.Rate, by.Burst = 0.001, 2
	for i := range 5 {
		_, err := m.Notify(context.Background(), by, "Immunization", "i1", []byte(dose), mediator.Options{})
		if (err == nil) != (i < 2) || err != nil && fault.KindOf(err) != fault.TooMany {
			t.Errorf("notification %d: %v", i, err)
		}
	}
	if len(r.asked) != 6 || f.calls.Load() != 2 {
		t.Errorf("%d reads, %d certificates", len(r.asked), f.calls.Load())
	}
}
