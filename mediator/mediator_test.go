package mediator_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

var now = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

// fakeIssuance records what it is asked and how many ask at a time.
type fakeIssuance struct {
	running, most, calls atomic.Int64
	delay                time.Duration
	err                  error
	keys                 chan string
	left                 []issuance.LeftOut
	last                 atomic.Pointer[issuance.Request]
	standing             map[string]string // id of the certificate by issuer and event
}

func (f *fakeIssuance) Check(issuance.Issuer, fhir.CoreDataSet, []issuance.Format) ([]issuance.LeftOut, error) {
	return f.left, f.err
}

func (f *fakeIssuance) AssignHCID(issuer string, patient fhir.Identifier) string {
	return "ASSIGNED-" + issuer + "-" + patient.Value
}

func (f *fakeIssuance) Standing(_ context.Context, issuer, event string) (string, error) {
	if id, ok := f.standing[issuer+" "+event]; ok {
		return id, nil
	}
	return "", fault.New(fault.NotFound, "not-found", "none")
}

func (f *fakeIssuance) Issue(_ context.Context, in issuance.Request) (issuance.Issued, error) {
	n := f.running.Add(1)
	defer f.running.Add(-1)
	f.calls.Add(1)
	f.last.Store(&in)
	for {
		most := f.most.Load()
		if n <= most || f.most.CompareAndSwap(most, n) {
			break
		}
	}
	if f.keys != nil {
		f.keys <- in.IdempotencyKey
	}
	time.Sleep(f.delay)
	return issuance.Issued{ID: in.Core.Certificate.HCID, Document: []byte(`{}`), LeftOut: f.left}, f.err
}

func newMediator(t testing.TB, f *fakeIssuance) *mediator.Mediator {
	t.Helper()
	m, err := mediator.New(mediator.Deps{Issuance: f, Verifier: fakeVerifier{}, Clock: func() time.Time { return now }, MaxEntries: 50, Concurrency: 4})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var clinic = mediator.IssuerPolicy{ID: "clinic", Certificate: "urn:c", Profiles: []string{"p"}, Authorities: []string{"moh"}, Rate: 1000, Burst: 1000}

const event = `{"resourceType":"QuestionnaireResponse","questionnaire":"http://smart.who.int/ddcc/DDCCVSCoreDataSetQuestionnaire","status":"completed","item":[
 {"linkId":"name","answer":[{"valueString":"Ada Specimen"}]},{"linkId":"hcid","answer":[{"valueString":"H-1"}]},{"linkId":"pha","answer":[{"valueString":"moh"}]},
 {"linkId":"vaccine","answer":[{"valueCoding":{"system":"http://id.who.int/icd11/mms","code":"XM0GQ8"}}]},{"linkId":"brand","answer":[{"valueCoding":{"system":"http://id.who.int/icd11/mms","code":"XM8NQ0"}}]},
 {"linkId":"manufacturer","answer":[{"valueCoding":{"system":"urn:m","code":"M"}}]},{"linkId":"lot","answer":[{"valueString":"L"}]},{"linkId":"date","answer":[{"valueDate":"2026-10-01"}]},
 {"linkId":"dose","answer":[{"valueInteger":1}]},{"linkId":"country","answer":[{"valueCoding":{"system":"urn:iso:std:iso:3166","code":"CHE"}}]},{"linkId":"centre","answer":[{"valueString":"C"}]}]}`

func batch(n int, entry string) []byte {
	entries := strings.TrimSuffix(strings.Repeat(entry+",", n), ",")
	return []byte(`{"resourceType":"Bundle","type":"batch","entry":[` + entries + `]}`)
}

const entry = `{"resource":` + event + `,"request":{"method":"POST","url":"QuestionnaireResponse/$generateHealthCertificate"}}`

func TestBatchIsBounded(t *testing.T) {
	t.Parallel()
	f := &fakeIssuance{delay: 5 * time.Millisecond, keys: make(chan string, 100)}
	results, err := newMediator(t, f).Submit(context.Background(), clinic, batch(40, entry), mediator.Options{IdempotencyKey: "k"})
	if err != nil || len(results) != 40 || f.calls.Load() != 40 {
		t.Fatalf("%d results, %d calls, %v", len(results), f.calls.Load(), err)
	}
	if most := f.most.Load(); most > 4 || most < 2 {
		t.Errorf("%d entries at a time, want up to 4", most)
	}
	close(f.keys)
	seen := map[string]bool{}
	for k := range f.keys {
		seen[k] = true
	}
	if len(seen) != 40 || !seen["k/0"] || !seen["k/39"] {
		t.Errorf("entries share idempotency keys: %d distinct", len(seen))
	}
}

func TestBatchAsAWhole(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		raw  []byte
		want fault.Kind
	}{
		"51 entries": {batch(51, entry), fault.TooLarge},
		"none":       {batch(0, ""), fault.Malformed},
		"event":      {[]byte(event), fault.Malformed},
		"broken":     {[]byte(`{`), fault.Malformed},
	} {
		f := &fakeIssuance{}
		if _, err := newMediator(t, f).Submit(context.Background(), clinic, tc.raw, mediator.Options{}); fault.KindOf(err) != tc.want {
			t.Errorf("%s: %v", name, err)
		}
		if f.calls.Load() != 0 {
			t.Errorf("%s: something was issued", name)
		}
	}
}

func TestValidateHasNoEffectAndShowsEverything(t *testing.T) {
	t.Parallel()
	f := &fakeIssuance{}
	m := newMediator(t, f)
	if issues, err := m.Validate(context.Background(), clinic, []byte(event), mediator.Options{}, mediator.KindQuestionnaireResponse); err != nil || fault.HasErrors(issues) {
		t.Errorf("a good event: %v %+v", err, issues)
	}
	bad := strings.NewReplacer(`"2026-10-01"`, `"2026-12-24"`, `"valueInteger":1`, `"valueInteger":0`, `"name"`, `"nom"`).Replace(event)
	issues, err := m.Validate(context.Background(), clinic, []byte(bad), mediator.Options{}, mediator.KindQuestionnaireResponse)
	if err != nil || len(issues) < 4 {
		t.Errorf("%v, %d issues: %+v", err, len(issues), issues)
	}
	f.err = fault.New(fault.Forbidden, "profile-not-allowed", "no")
	if issues, err := m.Validate(context.Background(), clinic, []byte(event), mediator.Options{}, mediator.KindQuestionnaireResponse); err != nil || len(issues) == 0 || issues[len(issues)-1].Rule != "profile-not-allowed" {
		t.Errorf("an issuer without the right: %v %+v", err, issues)
	}
	f.err = nil
	all, err := m.ValidateBatch(context.Background(), clinic, batch(2, strings.Replace(entry, `"valueInteger":1`, `"valueInteger":0`, 1)), mediator.Options{})
	if err != nil || !strings.HasPrefix(all[len(all)-1].Path, "Bundle.entry[1].resource.item") {
		t.Errorf("%v %+v", err, all)
	}
	if f.calls.Load() != 0 {
		t.Error("a dry run issued something")
	}
}

func TestBatchStopsWhenItsClientIsGone(t *testing.T) {
	t.Parallel()
	f := &fakeIssuance{}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	results, err := newMediator(t, f).Submit(ctx, clinic, batch(40, entry), mediator.Options{})
	if err != nil || f.calls.Load() != 0 {
		t.Errorf("%d entries issued for a client that was gone before, %v", f.calls.Load(), err)
	}
	for _, r := range results {
		if fault.KindOf(r.Err) != fault.Unavailable {
			t.Fatalf("an entry that was not begun says %v", r.Err)
		}
	}
}

func TestRateIsPerIssuerAndBatchCounts(t *testing.T) {
	t.Parallel()
	m := newMediator(t, &fakeIssuance{})
	slow := clinic
	slow.Rate, slow.Burst = 0.5, 10
	if _, err := m.Submit(context.Background(), slow, batch(10, entry), mediator.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Submit(context.Background(), slow, batch(11, entry), mediator.Options{}); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("a batch larger than the burst: %v", err)
	}
	_, err := m.Generate(context.Background(), slow, []byte(event), mediator.Options{}, mediator.KindQuestionnaireResponse)
	if f := fault.From(err); err == nil || f.Kind != fault.TooMany || f.RetryAfter <= 0 {
		t.Errorf("an eleventh certificate: %v", err)
	}
	other := clinic
	other.ID = "other"
	if _, err := m.Generate(context.Background(), other, []byte(event), mediator.Options{}, mediator.KindQuestionnaireResponse); err != nil {
		t.Errorf("another issuer pays for the first: %v", err)
	}
}

func TestPolicyNamesEveryFault(t *testing.T) {
	t.Parallel()
	authority := mediator.AuthorityPolicy{ID: "moh", Name: "Ministry"}
	good := mediator.Policy{Issuers: []mediator.IssuerPolicy{clinic}, Authorities: []mediator.AuthorityPolicy{authority}}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*mediator.Policy){
		"nobody":            func(p *mediator.Policy) { p.Issuers = nil },
		"no certificate":    func(p *mediator.Policy) { p.Issuers[0].Certificate = "" },
		"no profiles":       func(p *mediator.Policy) { p.Issuers[0].Profiles = nil },
		"no authorities":    func(p *mediator.Policy) { p.Issuers[0].Authorities = nil },
		"unknown authority": func(p *mediator.Policy) { p.Issuers[0].Authorities = []string{"x"} },
		"no rate":           func(p *mediator.Policy) { p.Issuers[0].Rate = 0 },
		"no burst":          func(p *mediator.Policy) { p.Issuers[0].Burst = 0 },
		"bad id":            func(p *mediator.Policy) { p.Issuers[0].ID = "a b" },
		"twice":             func(p *mediator.Policy) { p.Issuers = append(p.Issuers, p.Issuers[0]) },
		"authority twice":   func(p *mediator.Policy) { p.Authorities = append(p.Authorities, p.Authorities[0]) },
		"nameless":          func(p *mediator.Policy) { p.Authorities = append(p.Authorities, mediator.AuthorityPolicy{ID: "x"}) },
	} {
		p := mediator.Policy{Issuers: append([]mediator.IssuerPolicy(nil), good.Issuers...), Authorities: append([]mediator.AuthorityPolicy(nil), good.Authorities...)}
		spoil(&p)
		if _, err := mediator.NewIssuers(p); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	issuers, err := mediator.NewIssuers(good)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := issuers.Authenticate("urn:c"); err != nil || p.ID != "clinic" {
		t.Errorf("%+v, %v", p, err)
	}
	for _, name := range []string{"", "urn:d", "URN:C"} {
		if _, err := issuers.Authenticate(name); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestEventOfEveryShape(t *testing.T) {
	t.Parallel()
	both := []mediator.Kind{mediator.KindQuestionnaireResponse, mediator.KindBundle}
	wrapped := `{"resourceType":"Parameters","parameter":[{"name":"response","resource":` + event + `}]}`
	for _, raw := range []string{event, wrapped} {
		core, issues, err := mediator.Event([]byte(raw), now, both...)
		if err != nil || core.Name != "Ada Specimen" || fault.HasErrors(issues) {
			t.Errorf("%v %+v", err, issues)
		}
	}
	if _, _, err := mediator.Event([]byte(event), now, mediator.KindBundle); fault.KindOf(err) != fault.Malformed {
		t.Errorf("a response where a Bundle is taken: %v", err)
	}
}

// FuzzEvent: whatever is posted, reading it ends with an event or with a fault that an
// edge can render.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(event))
	f.Add([]byte(`{"resourceType":"Parameters","parameter":[{"name":"response","resource":{"resourceType":"Bundle"}}]}`))
	f.Add([]byte(`{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Immunization"}}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, issues, err := mediator.Event(raw, now, mediator.KindQuestionnaireResponse, mediator.KindBundle)
		if err == nil && fault.HasErrors(issues) {
			t.Error("errors without an error")
		}
		var known *fault.Error
		if err != nil && (!errors.As(err, &known) || known.Kind == fault.Internal) {
			t.Errorf("bad input is our failure: %v", err)
		}
		if err != nil && !json.Valid(fhir.OutcomeOf(err)) {
			t.Error("the outcome is not JSON")
		}
	})
}
