package openhim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

func (s *system) set(t *testing.T, config map[string]any) {
	t.Helper()
	s.must(t, http.MethodPut, "/mediators/"+url.PathEscape(urn)+"/config", config, nil)
}

// console: settings are pushed; those beyond our own bounds leave what was in use.
func console(t *testing.T, s *system) {
	from := len(s.Logs())
	s.set(t, map[string]any{"batch-entries": 1, "batch-concurrency": 2, "formats": []string{"dcc"}})
	wait(t, "settings taken over", func() bool { return s.logged(from, "settings of OpenHIM's console taken over") })
	two := harness.JSON(t, harness.Batch(json.RawMessage(harness.VS(t, "HCID-OH-14")), json.RawMessage(harness.VS(t, "HCID-OH-15"))))
	if a := s.send(t, clinic, http.MethodPost, "/ddcc/submitHealthEvent", two); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a batch above the console's limit: %s", a)
	}
	event := harness.VS(t, "HCID-OH-16", harness.Items{"country": {"valueCoding": map[string]any{"system": "urn:iso:std:iso:3166", "code": "CHE"}}})
	a := s.send(t, clinic, http.MethodPost, "/ddcc/generateHealthCertificate", event)
	if a.status != http.StatusCreated || strings.Count(strings.Join(a.header.Values("Link"), ","), "getQRCode") != 2 {
		t.Errorf("default formats: %d %q", a.status, a.header.Values("Link"))
	}
	from = len(s.Logs())
	s.set(t, map[string]any{"batch-entries": 501, "batch-concurrency": 2, "formats": []string{}})
	wait(t, "settings refused", func() bool { return s.logged(from, "the settings of OpenHIM's console are not used") })
	if s.metric(t, "ddcc_openhim_config_refused") != "1" {
		t.Error("the metric does not say so")
	}
	if a := s.send(t, clinic, http.MethodPost, "/ddcc/submitHealthEvent", two); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("the settings in use did not stay: %s", a)
	}
	s.set(t, map[string]any{"batch-entries": 2, "batch-concurrency": 1, "formats": []string{}})
	wait(t, "good settings again", func() bool { return s.metric(t, "ddcc_openhim_config_refused") == "0" })
	// What the console changed in between does not make another request of a repetition.
	if again := s.send(t, clinic, http.MethodPost, "/ddcc/generateHealthCertificate", event); again.status != http.StatusOK || string(again.body) != string(a.body) {
		t.Errorf("a repetition after other default formats: %d", again.status)
	}
}

func sameVersion(t *testing.T, s *system) {
	from := len(s.Logs())
	s.restart(t, s.flags(firstBuild, "--batch-entries=300"))
	s.registered(t)
	wait(t, "warning", func() bool { return s.logged(from, "OpenHIM keeps other definitions of this mediator") })
	if got := s.metric(t, "ddcc_openhim_definitions_stale"); got != "1" {
		t.Errorf("stale: %s", got)
	}
}

func upgrade(t *testing.T, s *system) {
	s.restart(t, s.flags("3.0.1", "--batch-entries=300"))
	s.registered(t)
	m := s.mediator(t)
	described := false
	for _, d := range m.ConfigDefs {
		described = described || strings.Contains(d.Description, "1 to 300")
	}
	if m.Version != "3.0.1" || !described || m.Config["batch-entries"] != 2.0 {
		t.Errorf("kept: %+v", m)
	}
	if got := s.metric(t, "ddcc_openhim_definitions_stale"); got != "0" {
		t.Errorf("stale: %s", got)
	}
	three := harness.Batch(json.RawMessage(harness.VS(t, "HCID-OH-17")), json.RawMessage(harness.VS(t, "HCID-OH-18")), json.RawMessage(harness.VS(t, "HCID-OH-19")))
	wait(t, "settings had at the start", func() bool {
		a, err := s.Post("/ddcc/submitHealthEvent", harness.JSON(t, three))
		return err == nil && a.Status == http.StatusRequestEntityTooLarge
	})
}

// deleted: the core forgets the mediator, which registers again.
func deleted(t *testing.T, s *system) {
	from := len(s.Logs())
	s.must(t, http.MethodDelete, "/mediators/"+url.PathEscape(urn), nil, nil)
	wait(t, "a new registration", func() bool { return s.logged(from, "registered with OpenHIM") })
	s.registered(t)
	if m := s.mediator(t); m.Version != "3.0.1" {
		t.Errorf("kept: %+v", m)
	}
}

// away: without a core, issuers are served directly; when it is back, it hears of us.
func away(t *testing.T, s *system) {
	if s.script == "" {
		t.Skip("the core is not ours to stop")
	}
	s.end(t, "core")
	wait(t, "the outage is noticed", func() bool { return s.metric(t, "ddcc_openhim_failed") == "1" })
	if a, err := s.Post("/ddcc/generateHealthCertificate", harness.VS(t, "HCID-OH-20")); err != nil || a.Status != http.StatusCreated {
		t.Fatalf("%v %d", err, a.Status)
	}
	s.restart(t, s.flags("3.0.2")) // a start without a core
	if a, err := s.Post("/ddcc/generateHealthCertificate", harness.VS(t, "HCID-OH-21")); err != nil || a.Status != http.StatusCreated {
		t.Fatalf("%v %d", err, a.Status)
	}
	s.begin(t)
	s.registered(t)
	if m := s.mediator(t); m.Version != "3.0.2" {
		t.Errorf("kept: %+v", m)
	}
	if a := s.send(t, clinic, http.MethodPost, "/ddcc/generateHealthCertificate", harness.VS(t, "HCID-OH-20")); a.status != http.StatusOK {
		t.Errorf("%s", a)
	}
}
