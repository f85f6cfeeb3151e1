package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/openhim"
)

// openhimFiles are the files that the settings name.
func openhimFiles(t *testing.T) openhimSettings {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"password": "specimen", "channels": "clinic route:specimen-password-1", "short": "clinic route:short"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return openhimSettings{
		Name: "urn:openhim", Credentials: config.SecretFile(filepath.Join(dir, "channels")), URN: "urn:mediator:test",
		API: "https://openhim.example:8080", User: "a@b.example", Password: config.SecretFile(filepath.Join(dir, "password")), Auth: openhim.AuthAuto,
		Pin: []string{strings.Repeat("ab", 32)}, Address: "gateway.example:8443", Heartbeat: 10 * time.Second, ConfigEvery: time.Minute,
	}
}

// TestOpenHIMSettings: each mistake names its flag, by check-config at the latest.
func TestOpenHIMSettings(t *testing.T) {
	t.Parallel()
	good := openhimFiles(t)
	if err := errors.Join(good.Validate(), good.check()); err != nil {
		t.Fatal(err)
	}
	if err := good.checkClients(mediator.Policy{Issuers: []mediator.IssuerPolicy{{ID: "a", OpenHIMClient: "clinic"}}}); err != nil {
		t.Error(err)
	}
	if err := good.checkClients(mediator.Policy{Issuers: []mediator.IssuerPolicy{{ID: "clinic", Certificate: "clinic"}}}); err == nil || strings.Contains(err.Error(), "clinic") {
		t.Errorf("credentials of nobody: %v", err)
	}
	off := openhimSettings{URN: good.URN, Heartbeat: good.Heartbeat, ConfigEvery: good.ConfigEvery}
	if err := errors.Join(off.Validate(), off.check()); err != nil {
		t.Errorf("switched off: %v", err)
	}
	for flag, change := range map[string]func(*openhimSettings){
		"openhim-name":         func(s *openhimSettings) { s.Name = "" },
		"openhim-urn":          func(s *openhimSettings) { s.URN = "urn:a/b" },
		"openhim-heartbeat":    func(s *openhimSettings) { s.Heartbeat = 31 * time.Second },
		"openhim-config-every": func(s *openhimSettings) { s.ConfigEvery = 0 },
		"openhim-version":      func(s *openhimSettings) { s.Version = "v1.0" },
		"openhim-api":          func(s *openhimSettings) { s.API = "http://openhim.example" },
		"openhim-user":         func(s *openhimSettings) { s.User = "" },
		"openhim-password":     func(s *openhimSettings) { s.Password = "" },
		"openhim-address":      func(s *openhimSettings) { s.Address = "" },
		"openhim-ca":           func(s *openhimSettings) { s.Pin = nil },
		"openhim-api ":         func(s *openhimSettings) { s.API = "" },
		"openhim-ca ":          func(s *openhimSettings) { s.CA = "both" },
		"openhim-address ":     func(s *openhimSettings) { s.Address = "gateway.example" },
		"openhim-password ":    func(s *openhimSettings) { s.Password += "x" },
		"openhim-channel-credentials": func(s *openhimSettings) {
			s.Credentials = config.SecretFile(filepath.Join(filepath.Dir(string(s.Credentials)), "short"))
		},
	} {
		s := good
		change(&s)
		err := s.Validate()
		if err == nil {
			err = s.check()
		}
		if err == nil || !strings.Contains(err.Error(), "--"+strings.TrimSpace(flag)) {
			t.Errorf("%s: %v", flag, err)
		}
		if err != nil && strings.Contains(err.Error(), "route:") {
			t.Errorf("%s: the error shows credentials", flag)
		}
	}
}

// TestOpenHIMIsNoIssuer, and clients of OpenHIM need one.
func TestOpenHIMIsNoIssuer(t *testing.T) {
	t.Parallel()
	s := openhimFiles(t)
	for flag, tc := range map[string]struct {
		issuer mediator.IssuerPolicy
		name   string
		api    string
		env    config.Environment
	}{
		"":              {mediator.IssuerPolicy{Certificate: "urn:clinic", OpenHIMClient: "c"}, "urn:openhim", s.API, config.Production},
		"openhim-name":  {mediator.IssuerPolicy{Certificate: "urn:openhim"}, "urn:openhim", s.API, config.Production},
		"openhim-name ": {mediator.IssuerPolicy{OpenHIMClient: "c"}, "", s.API, config.Production},
		"openhim-api":   {mediator.IssuerPolicy{OpenHIMClient: "c"}, "urn:openhim", "http://localhost:8080", config.Production},
		" ":             {mediator.IssuerPolicy{OpenHIMClient: "c"}, "urn:openhim", "http://localhost:8080", config.Development},
	} {
		one := s
		one.Name, one.API = tc.name, tc.api
		all := &settings{}
		all.Environment = tc.env
		err := one.within(all, mediator.Policy{Issuers: []mediator.IssuerPolicy{tc.issuer}})
		if want := strings.TrimSpace(flag); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", flag, err)
		}
	}
}

func TestOpenHIMMetricsAreThoseOfTheScrape(t *testing.T) {
	t.Parallel()
	m := &openhimMetrics{now: clock, status: func() openhim.Status {
		return openhim.Status{Registered: true, Stale: true, Heartbeat: moment.Add(-7 * time.Second), ConfigRefused: true, Err: errors.New("secret text")}
	}}
	want := `ddcc_openhim_config_refused 1
ddcc_openhim_definitions_stale 1
ddcc_openhim_failed 1
ddcc_openhim_heartbeat_age_seconds 7
ddcc_openhim_registered 1`
	if got := scrape(t, m); got != want {
		t.Errorf("%s", got)
	}
}
