package hl7v2_test

import (
	"context"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/fhir/server"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/hl7"
)

// records writes to a FHIR server.
type records struct{ *client.Client }

// Transaction implements hl7.Records.
func (r records) Transaction(ctx context.Context, bundle []byte) error {
	_, err := r.Client.Transaction(ctx, bundle)
	return err
}

// nobody certifies nothing and admits everybody.
type nobody struct{}

func (nobody) Certify(context.Context, mediator.IssuerPolicy, []byte) ([]hl7.Certificate, []fault.Issue, error) {
	return nil, nil, nil
}
func (nobody) Admit(mediator.IssuerPolicy, int) error { return nil }

var hospital = mediator.IssuerPolicy{ID: "hospital"}

func openClient(t *testing.T, o client.Options) *client.Client {
	t.Helper()
	o.Timeout, o.Attempts = time.Second, 1
	c, err := client.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newService(t *testing.T, c *client.Client) *hl7.Service {
	t.Helper()
	s, err := hl7.New(hl7.Deps{
		Certifier: nobody{}, Limiter: nobody{}, Records: records{c}, Clock: time.Now,
		Options: hl7.Options{Processing: []string{"P"}, Admissions: []string{"hospital"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// admission is an ADT message about one visit of one person.
func admission(event, control, end string) []byte {
	visit := make([]string, 50)
	visit[1], visit[18], visit[43], visit[44] = "I", "V-1^^^SPECHOSP", "202611120820", end
	return []byte(strings.Join([]string{
		`MSH|^~\&|ADT1|SPECHOSP|GW|MOH|20261112083000+0100||ADT^` + event + "|" + control + "|P|2.5.1",
		"PID|1||55501^^^SPECHOSP^MR||Specimen^Cleo^^^^^L||19550711|F",
		"PV1|" + strings.TrimRight(strings.Join(visit, "|"), "|"),
		"AL1|1|DA|70618^Penicillin^RXNORM|SV|Rash",
		"DG1|1||I20.0^Unstable angina^I10",
	}, "\r") + "\r")
}

// found counts the resources of a type with an identifier and gives the text of the last.
func found(t *testing.T, c *client.Client, typ string, q url.Values) (n int, raw string) {
	t.Helper()
	for m, err := range c.Search(t.Context(), typ, q) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		raw = string(m.Resource.Raw)
	}
	return n, raw
}

// servers are what an ADT message may be written to.
func servers(t *testing.T) map[string]*client.Client {
	t.Helper()
	peer := clienttest.NewPeer(t)
	embedded, err := server.Open(t.Context(), server.Options{Path: filepath.Join(t.TempDir(), "fhir.db"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = embedded.Close() })
	return map[string]*client.Client{
		"peer":     openClient(t, client.Options{Base: peer.URL(), Transport: peer.Transport()}),
		"embedded": openClient(t, client.Options{Base: server.EmbeddedBase, InProcess: true, Transport: embedded.Transport()}),
	}
}

// TestAVisit: the messages of one visit, some of them twice, leave one patient with one visit
// behind, as the last one said.
func TestAVisit(t *testing.T) {
	t.Parallel()
	visit := url.Values{"identifier": {"urn:ddcc-gateway:hl7v2:hospital:SPECHOSP|V-1"}}
	person := url.Values{"identifier": {"urn:ddcc-gateway:hl7v2:hospital:SPECHOSP|55501"}}
	for name, c := range servers(t) {
		s := newService(t, c)
		for n, m := range [][]byte{
			admission("A01", "1", ""), admission("A01", "1", ""), admission("A08", "2", ""), admission("A02", "3", ""), admission("A03", "4", "202611151000"), admission("A03", "4", "202611151000"),
		} {
			if a := s.Process(t.Context(), hospital, m); a.Code != "AA" {
				t.Fatalf("%s, message %d: %q, %v", name, n, a.Acknowledgement, a.Cause)
			}
		}
		patients, _ := found(t, c, "Patient", person)
		visits, encounter := found(t, c, "Encounter", visit)
		if patients != 1 || visits != 1 || !strings.Contains(encounter, `"finished"`) || !strings.Contains(encounter, `"reference":"Patient/`) {
			t.Errorf("%s: %d patients, %d visits: %s", name, patients, visits, encounter)
		}
		for _, typ := range []string{"AllergyIntolerance", "Condition"} {
			if n, raw := found(t, c, typ, nil); n != 1 || strings.Contains(raw, "urn:uuid:") {
				t.Errorf("%s: %d %s: %s", name, n, typ, raw)
			}
		}
	}
}

// TestVisitsAtOnce: many hospitals' connections at once make no second patient.
func TestVisitsAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range servers(t) {
		s := newService(t, c)
		var wait sync.WaitGroup
		for n := range 8 {
			wait.Go(func() {
				for range 20 { // a conflict is to be repeated
					if a := s.Process(t.Context(), hospital, admission("A08", string(rune('a'+n)), "")); !a.Temporary {
						if a.Code != "AA" {
							t.Errorf("%s: %q", name, a.Acknowledgement)
						}
						return
					}
				}
				t.Errorf("%s: never accepted", name)
			})
		}
		wait.Wait()
		if n, _ := found(t, c, "Patient", nil); n != 1 {
			t.Errorf("%s: %d patients", name, n)
		}
	}
}

// TestFHIRServerFails: whatever it does, the message is accepted once it has been written,
// and to be repeated before.
func TestFHIRServerFails(t *testing.T) {
	t.Parallel()
	for _, mode := range clienttest.Modes() {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			peer := clienttest.NewPeer(t)
			c := openClient(t, client.Options{Base: peer.URL(), Transport: peer.Transport()})
			s := newService(t, c)
			peer.Fail(mode, 1)
			a := s.Process(t.Context(), hospital, admission("A01", "1", ""))
			if mode != clienttest.Works && (a.Code != "AR" || !a.Temporary || !strings.Contains(string(a.Acknowledgement), "|207^")) {
				t.Errorf("%q, %v", a.Acknowledgement, a.Cause)
			}
			peer.Mend()
			if a = s.Process(t.Context(), hospital, admission("A01", "1", "")); a.Code != "AA" {
				t.Errorf("again: %q, %v", a.Acknowledgement, a.Cause)
			}
			if n, _ := found(t, c, "Patient", nil); n != 1 {
				t.Errorf("%d patients", n)
			}
			if n, _ := found(t, c, "Encounter", nil); n != 1 {
				t.Errorf("%d visits", n)
			}
		})
	}
}
