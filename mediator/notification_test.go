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
	r := &records{has: map[string]string{"Patient/7": patient7}}
	m, f, by := notifying(t, r)
	out, err := m.Notify(context.Background(), by, "Immunization", "i1", []byte(dose), mediator.Options{})
	if err != nil || len(out.Issued) != 1 || f.last.Load().Core.Name != "Ada Specimen" {
		t.Fatalf("%v %+v", err, fault.From(err).Issues)
	}
	if got := strings.Join(r.asked, ", "); got != "national Patient/7, national Location/gone" {
		t.Errorf("read %s", got)
	}
	if key := f.last.Load().Event; key != "fhir/national/Immunization/i1/0" {
		t.Errorf("key %q", key)
	}
}

func TestNotificationsOfNothing(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"entered in error": strings.Replace(dose, "completed", "entered-in-error", 1),
		"not done":         strings.Replace(dose, "completed", "not-done", 1),
		"preliminary":      `{"resourceType":"Observation","id":"i1","status":"preliminary"}`,
		"a patient":        `{"resourceType":"Patient","id":"i1"}`,
	} {
		r := &records{}
		m, f, by := notifying(t, r)
		kind := strings.SplitN(strings.SplitN(raw, `"resourceType":"`, 2)[1], `"`, 2)[0]
		out, err := m.Notify(context.Background(), by, kind, "i1", []byte(raw), mediator.Options{})
		if err != nil || len(out.Nothing) != 1 || f.calls.Load() != 0 || len(r.asked) != 0 {
			t.Errorf("%s: %v %+v", name, err, out)
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
			m, f, by := notifying(t, &records{err: c.err})
			if c.by != nil {
				c.by(&by)
			}
			raw, id := dose, "i1"
			if c.raw != "" {
				raw = c.raw
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
	r := &records{has: map[string]string{"Patient/7": patient7}}
	m, f, by := notifying(t, r)
	by.Rate, by.Burst = 0.001, 2
	for i := range 5 {
		_, err := m.Notify(context.Background(), by, "Immunization", "i1", []byte(dose), mediator.Options{})
		if (err == nil) != (i < 2) || err != nil && fault.KindOf(err) != fault.TooMany {
			t.Errorf("notification %d: %v", i, err)
		}
	}
	if len(r.asked) != 4 || f.calls.Load() != 2 {
		t.Errorf("%d reads, %d certificates", len(r.asked), f.calls.Load())
	}
}
