package mediator_test

import (
	"slices"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// TestTuningStaysWithinDeps: what an operator tunes holds at once, and never above what
// the process was given.
func TestTuningStaysWithinDeps(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		tuned mediator.Tuning
		most  int // entries
	}{
		"nothing":       {mediator.Tuning{}, 50},
		"less":          {mediator.Tuning{MaxEntries: 2, Concurrency: 1}, 2},
		"more":          {mediator.Tuning{MaxEntries: 5000, Concurrency: 5000}, 50},
		"less than one": {mediator.Tuning{MaxEntries: -1, Concurrency: -1}, 50},
	} {
		f := &fakeIssuance{delay: time.Millisecond}
		m, err := mediator.New(mediator.Deps{
			Issuance: f, Verifier: fakeVerifier{}, Clock: func() time.Time { return now }, MaxEntries: 50, Concurrency: 4,
			Tuned: func() mediator.Tuning { return tc.tuned },
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Submit(t.Context(), clinic, batch(tc.most, entry), mediator.Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := m.Submit(t.Context(), clinic, batch(tc.most+1, entry), mediator.Options{}); fault.KindOf(err) != fault.TooLarge {
			t.Errorf("%s, one more: %v", name, err)
		}
		if tc.tuned.Concurrency == 1 && f.most.Load() != 1 || f.most.Load() > 4 {
			t.Errorf("%s: %d at a time", name, f.most.Load())
		}
	}
}

// TestTunedFormatsAreForWhoNamesNone.
func TestTunedFormatsAreForWhoNamesNone(t *testing.T) {
	t.Parallel()
	f := &fakeIssuance{}
	m, err := mediator.New(mediator.Deps{
		Issuance: f, Verifier: fakeVerifier{}, Clock: func() time.Time { return now },
		Tuned: func() mediator.Tuning { return mediator.Tuning{Formats: []issuance.Format{issuance.FormatSHC}} },
	})
	if err != nil {
		t.Fatal(err)
	}
	registered := clinic
	registered.Formats = []string{"dcc"}
	for name, tc := range map[string]struct {
		by       mediator.IssuerPolicy
		fallback []issuance.Format
	}{"none registered": {clinic, []issuance.Format{issuance.FormatSHC}}, "registered": {registered, nil}} {
		out, err := m.Generate(t.Context(), tc.by, []byte(event), mediator.Options{}, mediator.KindQuestionnaireResponse)
		if err != nil || out.Named {
			t.Fatal(err)
		}
		if last := f.last.Load(); !slices.Equal(last.Issuer.Fallback, tc.fallback) || last.Formats != nil {
			t.Errorf("%s: %+v", name, last.Issuer)
		}
	}
}

// TestClientsOfOpenHIM are issuers under a name of their own, with a certificate or without.
func TestClientsOfOpenHIM(t *testing.T) {
	t.Parallel()
	policy := func(issuers ...mediator.IssuerPolicy) mediator.Policy {
		for i := range issuers {
			issuers[i].Profiles, issuers[i].Authorities, issuers[i].Rate, issuers[i].Burst = []string{"p"}, []string{"moh"}, 1, 1
		}
		return mediator.Policy{Authorities: []mediator.AuthorityPolicy{{ID: "moh", Name: "M"}}, Issuers: issuers}
	}
	good := policy(
		mediator.IssuerPolicy{ID: "a", OpenHIMClient: "client-a"}, mediator.IssuerPolicy{ID: "b", OpenHIMClient: "client-b"},
		mediator.IssuerPolicy{ID: "c", Certificate: "urn:c", OpenHIMClient: "urn:c"}, mediator.IssuerPolicy{ID: "d", Certificate: "urn:d"},
	)
	issuers, err := mediator.NewIssuers(good)
	if err != nil {
		t.Fatal(err)
	}
	for client, want := range map[string]string{"client-a": "a", "client-b": "b", "urn:c": "c", "": "", "a": "", "urn:d": ""} {
		if by, err := issuers.OpenHIMClient(client); by.ID != want || (err == nil) != (want != "") {
			t.Errorf("client %q: %q %v", client, by.ID, err)
		}
	}
	for certificate, want := range map[string]string{"urn:c": "c", "urn:d": "d", "": "", "client-a": ""} {
		if by, err := issuers.Authenticate(certificate); by.ID != want || (err == nil) != (want != "") {
			t.Errorf("certificate %q: %q %v", certificate, by.ID, err)
		}
	}
	for _, want := range good.Issuers { // as a bulk job that goes on asks for them
		if by, ok := issuers.ByID(want.ID); !ok || by.OpenHIMClient != want.OpenHIMClient || by.Certificate != want.Certificate {
			t.Errorf("id %q: %+v %v", want.ID, by, ok)
		}
	}
	for name, bad := range map[string]mediator.Policy{
		"neither": policy(mediator.IssuerPolicy{ID: "a"}), "blank": policy(mediator.IssuerPolicy{ID: "a", OpenHIMClient: "a b"}),
		"server": policy(mediator.IssuerPolicy{ID: "a", Certificate: "urn:a", FHIR: "x"}, mediator.IssuerPolicy{ID: "b", Certificate: "urn:b", FHIR: "x"}),
		"twice":  policy(mediator.IssuerPolicy{ID: "a", OpenHIMClient: "x"}, mediator.IssuerPolicy{ID: "b", OpenHIMClient: "x"}),
	} {
		if bad.Validate() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
