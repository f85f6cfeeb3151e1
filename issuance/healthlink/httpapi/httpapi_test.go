package httpapi_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/healthlink"
	"github.com/trustedparty/ddcc-gateway/issuance/healthlink/httpapi"
)

const (
	plain = `{"recipient":"Border Specimen"}`
	apart = `{"recipient":"Border Specimen","embeddedLengthMax":0}`
)

func guess(code string) string {
	return `{"recipient":"Border Specimen","passcode":"` + code + `"}`
}

func opens(t *testing.T, link shlink.Link, jwe string) {
	t.Helper()
	contentType, content, err := shlink.Decrypt(link.Key, jwe)
	if err != nil || contentType != shlink.FHIR || string(content) != string(document) {
		t.Errorf("another file: %v", err)
	}
}

// TestFollowLinks is what a receiver does, in each way, and every status the document has.
func TestFollowLinks(t *testing.T) {
	t.Parallel()
	s := serve(t, 1000)
	link, path := s.create(t, healthlink.Options{})

	a := s.do(t, http.MethodPost, path, plain)
	m, err := shlink.ParseManifest([]byte(a.body))
	if err != nil || a.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d: %v", a.status, err)
	}
	opens(t, link, m.Files[0].Embedded)

	a = s.do(t, http.MethodPost, path, apart)
	if m, err = shlink.ParseManifest([]byte(a.body)); err != nil {
		t.Fatal(err)
	}
	file := strings.TrimPrefix(m.Files[0].Location, s.url)
	a = s.do(t, http.MethodGet, file, "")
	if a.header.Get("Content-Type") != "application/jose" {
		t.Errorf("media type %s", a.header.Get("Content-Type"))
	}
	opens(t, link, a.body)

	direct, directPath := s.create(t, healthlink.Options{Direct: true})
	a = s.do(t, http.MethodGet, directPath+"?recipient=Border%20Specimen", "")
	if a.status != 200 || a.header.Get("Content-Type") != "application/jose" {
		t.Errorf("%d, %s", a.status, a.header.Get("Content-Type"))
	}
	opens(t, direct, a.body)

	_, locked := s.create(t, healthlink.Options{Passcode: passcode})
	if a := s.do(t, http.MethodPost, locked, guess(passcode)); a.status != 200 {
		t.Errorf("the right passcode: %d", a.status)
	}
	if a := s.do(t, http.MethodPost, locked, plain); a.status != 401 || a.body != `{"remainingAttempts":5}` {
		t.Errorf("no passcode: %d %s", a.status, a.body)
	}
	for want := healthlink.Attempts - 1; want >= 0; want-- {
		a := s.do(t, http.MethodPost, locked, guess("wrong"))
		if a.status != 401 || a.body != `{"remainingAttempts":`+strconv.Itoa(want)+`}` || a.header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%d %s %s", a.status, a.header.Get("Content-Type"), a.body)
		}
	}
	if a := s.do(t, http.MethodPost, locked, guess(passcode)); a.status != 404 {
		t.Errorf("a used-up link: %d", a.status)
	}

	for name, x := range map[string]struct {
		method, path, body string
		header             []string
		want               int
	}{
		"unknown members":    {http.MethodPost, path, `{"recipient":"x","new":{"a":1}}`, nil, 200},
		"charset":            {http.MethodPost, path, plain, []string{"Content-Type", "application/json; charset=UTF-8"}, 200},
		"no JSON":            {http.MethodPost, path, `x`, nil, 400},
		"twice":              {http.MethodPost, path, `{"recipient":"x","recipient":"y"}`, nil, 400},
		"passcode a number":  {http.MethodPost, path, `{"recipient":"x","passcode":123456}`, nil, 400},
		"no recipient":       {http.MethodPost, path, `{}`, nil, 400},
		"large":              {http.MethodPost, path, `{"recipient":"` + strings.Repeat("x", 5000) + `"}`, nil, 413},
		"form":               {http.MethodPost, path, `recipient=x`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		"direct of listed":   {http.MethodGet, path + "?recipient=x", "", nil, 404},
		"without recipient":  {http.MethodGet, directPath, "", nil, 400},
		"ticket of another":  {http.MethodGet, strings.Replace(file, path, directPath, 1), "", nil, 404},
		"preflight":          {http.MethodOptions, path, "", nil, 204},
		"preflight of files": {http.MethodOptions, file, "", nil, 204},
		"no method":          {http.MethodPut, path, plain, nil, 405},
	} {
		if a := s.do(t, x.method, x.path, x.body, x.header...); a.status != x.want {
			t.Errorf("%s: %d, want %d: %s", name, a.status, x.want, a.body)
		}
	}

	limited := serve(t, 1)
	limited.reached = s.reached
	for _, x := range [][2]string{{http.MethodGet, "/shl/x?recipient=x"}, {http.MethodGet, "/shl/x?recipient=x"}, {http.MethodPost, "/shl/x"}, {http.MethodGet, "/shl/x/files/x"}} {
		limited.do(t, x[0], x[1], "")
	}
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, x := range [][3]string{{http.MethodPost, path, plain}, {http.MethodGet, directPath + "?recipient=x", ""}, {http.MethodGet, file, ""}} {
		if a := s.do(t, x[0], x[1], x[2]); a.status != 503 {
			t.Errorf("without a store: %d", a.status)
		}
	}
	for _, item := range s.doc.Paths.Map() {
		for _, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				if at := operation.OperationID + " " + status; !s.reached[at] {
					t.Errorf("%s is described and never comes", at)
				}
			}
		}
	}
}

func TestEveryRouteIsDescribed(t *testing.T) {
	t.Parallel()
	s := serve(t, 10)
	var served, described []string
	for _, r := range s.engine.Routes() {
		served = append(served, r.Method+" "+regexp.MustCompile(`:([a-z]+)`).ReplaceAllString(r.Path, "{$1}"))
	}
	for path, item := range s.doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	slices.Sort(served)
	slices.Sort(described)
	if !slices.Equal(served, described) {
		t.Errorf("served %q, described %q", served, described)
	}
}

// TestGoneLinksAnswerAlike compares whole answers.
func TestGoneLinksAnswerAlike(t *testing.T) {
	t.Parallel()
	s := serve(t, 1000)
	_, used := s.create(t, healthlink.Options{Passcode: passcode})
	for range healthlink.Attempts {
		s.do(t, http.MethodPost, used, guess("wrong"))
	}
	created, err := s.service.Create(t.Context(), issuance.Issuer{ID: "clinic"}, "certificate", healthlink.Options{})
	if err != nil {
		t.Fatal(err)
	}
	withdrawn, err := shlink.Parse(created.Text)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.service.Withdraw(t.Context(), issuance.Issuer{ID: "clinic"}, created.ID); err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, path := range []string{used, strings.TrimPrefix(withdrawn.URL, s.url), "/shl/" + base64.RawURLEncoding.EncodeToString(make([]byte, 32)), "/shl/x", "/shl/" + created.ID} {
		a := s.do(t, http.MethodPost, path, guess(passcode), "X-Correlation-Id", "same")
		a.header.Del("Date")
		header, err := json.Marshal(a.header)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, strconv.Itoa(a.status)+string(header)+a.body)
	}
	if unique := slices.Compact(slices.Clone(seen)); len(unique) != 1 || !strings.HasPrefix(seen[0], "404") {
		t.Errorf("%d answers: %q", len(unique), unique)
	}
}

// TestBrowsersMayRead: every answer, errors included, carries the headers of CORS.
func TestBrowsersMayRead(t *testing.T) {
	t.Parallel()
	s := serve(t, 2)
	_, path := s.create(t, healthlink.Options{})
	for n, want := range []int{200, 404, 429} {
		at := path
		if n == 1 {
			at = "/shl/x"
		}
		a := s.do(t, http.MethodPost, at, plain, "Origin", "https://viewer.example")
		if a.status != want || a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Access-Control-Expose-Headers") != "Retry-After" ||
			a.header.Get("Cache-Control") != "no-store" || a.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%d: %v", a.status, a.header)
		}
	}
	a := s.do(t, http.MethodOptions, path, "", "Origin", "https://viewer.example", "Access-Control-Request-Method", "POST")
	if a.status != 204 || a.header.Get("Access-Control-Allow-Methods") != "GET, POST" || a.header.Get("Access-Control-Allow-Headers") != "Content-Type" {
		t.Errorf("preflight: %d %v", a.status, a.header)
	}
}

// TestLogsHoldNothing of a link: no id, ticket, recipient, passcode or key.
func TestLogsHoldNothing(t *testing.T) {
	t.Parallel()
	s := serve(t, 1000)
	link, path := s.create(t, healthlink.Options{Passcode: passcode})
	m, err := shlink.ParseManifest([]byte(s.do(t, http.MethodPost, path, `{"recipient":"Border Specimen","passcode":"`+passcode+`","embeddedLengthMax":0}`).body))
	if err != nil {
		t.Fatal(err)
	}
	file := strings.TrimPrefix(m.Files[0].Location, s.url)
	s.do(t, http.MethodGet, file, "")
	s.do(t, http.MethodGet, path+"?recipient=Border%20Specimen", "")
	s.do(t, http.MethodPost, path, guess("a wrong guess"))
	s.do(t, http.MethodPost, path, `{"recipient":`)
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	s.do(t, http.MethodPost, path, guess(passcode))
	log := s.log.String()
	if strings.Count(log, "route=/shl/:id") != 6 || !strings.Contains(log, "route=/shl/:id/files/:ticket") || !strings.Contains(log, "status=503") {
		t.Errorf("the log is another than expected:\n%s", log)
	}
	id := strings.TrimPrefix(path, "/shl/")
	for name, secret := range map[string]string{
		"id": id, "part of the id": id[:12], "ticket": file[strings.LastIndex(file, "/")+1:][:16], "recipient": "Border", "passcode": "horse",
		"guess": "guess", "key": base64.RawURLEncoding.EncodeToString(link.Key[:])[:12], "name": "Specimen", "handle": "health-link-files",
	} {
		if strings.Contains(log, secret) {
			t.Errorf("%s is logged:\n%s", name, log)
		}
	}
}

func TestRegisterChecksTheRate(t *testing.T) {
	t.Parallel()
	s := serve(t, 1)
	if err := httpapi.Register(s.engine, httpapi.Config{Links: s.service}); err == nil {
		t.Error("no rate limit is accepted")
	}
}
