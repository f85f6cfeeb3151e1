package hl7v2_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/hl7"
	"github.com/trustedparty/ddcc-gateway/test/hapi"
)

type records struct{ *client.Client }

// Transaction implements hl7.Records.
func (r records) Transaction(ctx context.Context, bundle []byte) error {
	_, err := r.Client.Transaction(ctx, bundle)
	return err
}

type nobody struct{}

func (nobody) Certify(context.Context, mediator.IssuerPolicy, []byte) ([]hl7.Certificate, []fault.Issue, error) {
	return nil, nil, nil
}
func (nobody) Admit(mediator.IssuerPolicy, int) error { return nil }

// fresh asks HAPI for the present state, not for that of its search cache.
type fresh struct{}

func (fresh) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Cache-Control", "no-cache")
	return http.DefaultTransport.RoundTrip(r)
}

// message is about the one visit of a hospital of this test's own.
func message(event, control, end string) []byte {
	pv1 := make([]string, 45)
	pv1[1], pv1[18], pv1[43], pv1[44] = "I", "V-1^^^SPECHOSP", "202611120820", end
	return []byte(strings.Join([]string{
		`MSH|^~\&|ADT1|SPECHOSP|GW|MOH|20261112083000+0100||ADT^` + event + "|" + control + "|P|2.5.1",
		"PID|1||55501^^^SPECHOSP^MR||Specimen^Cleo^^^^^L||19550711|F|||^^Utopia^^^XXA||||en^English|W",
		"PV1|" + strings.TrimRight(strings.Join(pv1, "|"), "|"),
		"AL1|1|DA|70618^Penicillin^RXNORM|SV|Rash",
		"DG1|1||I20.0^Unstable angina^I10",
	}, "\r") + "\r")
}

// TestVisits: HAPI takes what is written, and a visit's messages, repeated and at once, leave
// one of each resource.
func TestVisits(t *testing.T) {
	t.Parallel()
	c, err := client.New(client.Options{Base: hapi.Start(t), AllowHTTP: true, Transport: fresh{}, Timeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	hospital := mediator.IssuerPolicy{ID: uuid.NewString()}
	s, err := hl7.New(hl7.Deps{
		Certifier: nobody{}, Limiter: nobody{}, Records: records{c}, Clock: time.Now,
		Options: hl7.Options{Processing: []string{"P"}, Admissions: []string{hospital.ID}},
	})
	if err != nil {
		t.Fatal(err)
	}
	send := func(m []byte) {
		for range 30 {
			a := s.Process(t.Context(), hospital, m)
			if a.Code == "AA" {
				return
			}
			if !a.Temporary {
				t.Errorf("%q, %v", a.Acknowledgement, a.Cause)
				return
			}
			time.Sleep(100 * time.Millisecond) // as the answer asks for
		}
		t.Error("never accepted")
	}
	send(message("A01", "1", ""))
	send(message("A01", "1", ""))
	var wait sync.WaitGroup
	for _, control := range []string{"2", "3", "4", "5"} {
		wait.Go(func() { send(message("A08", control, "")) })
	}
	wait.Wait()
	send(message("A03", "6", "202611151000"))
	system := "urn:ddcc-gateway:hl7v2:" + hospital.ID + ":"
	for typ, token := range map[string]string{
		"Patient": system + "SPECHOSP|55501", "Encounter": system + "SPECHOSP|V-1", "AllergyIntolerance": system + "derived|", "Condition": system + "derived|",
	} {
		n, raw := 0, ""
		for m, err := range c.Search(t.Context(), typ, url.Values{"identifier": {token}}) {
			if err != nil {
				t.Fatal(err)
			}
			n, raw = n+1, string(m.Resource.Raw)
		}
		if n != 1 || strings.Contains(raw, "urn:uuid:") || typ == "Encounter" && !strings.Contains(raw, `"finished"`) {
			t.Errorf("%d %s: %s", n, typ, raw)
		}
	}
}
