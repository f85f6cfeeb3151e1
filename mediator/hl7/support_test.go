package hl7_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/hl7"
)

var clinic = mediator.IssuerPolicy{ID: "clinic", Rate: 1, Burst: 1}

func clock() time.Time { return time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC) }

// fake stands for issuance, the FHIR server and the rate.
type fake struct {
	mu       sync.Mutex
	bundles  [][]byte
	written  [][]byte
	admitted int
	issued   map[string]bool
	warnings []fault.Issue
	err      error // of Certify and Transaction
	rate     error // of Admit
}

func (f *fake) Certify(_ context.Context, _ mediator.IssuerPolicy, bundle []byte) ([]hl7.Certificate, []fault.Issue, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, nil, f.err
	}
	f.bundles = append(f.bundles, bundle)
	b, err := fhir.ParseBundle(bundle)
	if err != nil {
		return nil, nil, err
	}
	var out []hl7.Certificate
	for _, e := range b.Entry {
		if e.ResourceType == "Immunization" {
			content := string(e.Resource)
			out = append(out, hl7.Certificate{ID: "cert-" + strconv.Itoa(len(out)+1), Replayed: f.issued[content]})
			f.issued[content] = true
		}
	}
	return out, f.warnings, nil
}

func (f *fake) Transaction(_ context.Context, bundle []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.written = append(f.written, bundle)
	}
	return f.err
}

func (f *fake) Admit(_ mediator.IssuerPolicy, n int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.admitted += n
	return f.rate
}

func newService(t testing.TB, change func(*hl7.Deps)) (*hl7.Service, *fake) {
	t.Helper()
	f := &fake{issued: map[string]bool{}}
	d := hl7.Deps{Certifier: f, Limiter: f, Records: f, Clock: clock, Options: hl7.Options{Processing: []string{"P"}, Admissions: []string{"clinic"}}}
	if change != nil {
		change(&d)
	}
	s, err := hl7.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return s, f
}

// sample reads a message of the converter's samples.
func sample(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile("../../fhir/hl7v2/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(strings.TrimSpace(string(raw)), "\n", "\r")
}

// said reads the acknowledgement: code, control id of the message, and its ERR segments as
// place, condition, severity and rule.
func said(t testing.TB, a hl7.Answer) (code, id string, errs []string) {
	t.Helper()
	m, findings := hl7v2.Parse(a.Acknowledgement)
	if len(findings) > 0 || len(m.Segments) < 2 {
		t.Fatalf("the acknowledgement cannot be read: %q", a.Acknowledgement)
	}
	for _, s := range m.Segments[2:] {
		place := s.Field(2)
		at := place.Component(1).Text()
		if n := place.Component(3).Text(); n != "" {
			at += "-" + n
		}
		errs = append(errs, strings.Join([]string{at, s.Field(3).Component(1).Text(), s.Field(4).Text(), s.Field(5).Component(1).Text()}, " "))
	}
	msa := m.Segments[1]
	return msa.Field(1).Text(), msa.Field(2).Text(), errs
}
