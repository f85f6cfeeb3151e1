package mediator_test

import (
	"context"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// narrowing reads a certificate one of whose codes became one that says more: ICAO's "antigen"
// becomes a rapid antigen test, a nasal swab of SNOMED CT one of a certain place.
type narrowing struct{}

func (narrowing) Verify(text string) (mediator.Foreign, error) {
	out, err := fakeVerifier{}.Verify(text)
	out.Readings[0].Issues = append(out.Readings[0].Issues, fault.Issue{Severity: fault.SeverityWarning, Path: "data.msg.tr.tc", Rule: "narrowed"})
	return out, err
}

// What was narrowed while it was read is not certified as our own: the DDCC would say more
// than the certificate it was made of.
func TestNarrowedCodesAreNotIssuedAnew(t *testing.T) {
	t.Parallel()
	f := &fakeIssuance{}
	m, err := mediator.New(mediator.Deps{Issuance: f, Verifier: narrowing{}, Clock: func() time.Time { return now }, MaxEntries: 50, Concurrency: 4})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Convert(context.Background(), converter, parameters(certificate("genuine"), reissue, complemented("")), mediator.Options{})
	if err == nil || f.calls.Load() != 0 {
		t.Error("a certificate was issued anew that says more than the one it was made of")
	}
}
