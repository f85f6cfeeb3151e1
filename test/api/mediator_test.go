package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
)

func rawURL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

const (
	pathAny       = "/ddcc/generateHealthCertificate"
	pathResponse  = "/ddcc/QuestionnaireResponse/$generateHealthCertificate"
	pathResources = "/ddcc/Bundle/$generateHealthCertificate"
	pathBatch     = "/ddcc/submitHealthEvent"
)

// TestExamplesAreIssued: what the document shows as an example is a request that works.
func TestExamplesAreIssued(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	issuer := p.client(t, devpki.IssuerName)
	for _, test := range []struct{ path, validate, example string }{
		{pathAny, pathAny + "/$validate", "Vaccination"},
		{pathAny, pathAny + "/$validate", "TestResult"},
		{pathAny, pathAny + "/$validate", "Resources"},
		{pathResponse, "/ddcc/QuestionnaireResponse/$validate", "InParameters"},
		{pathResponse, "/ddcc/QuestionnaireResponse/$validate", "WithFormats"},
		{pathResources, "/ddcc/Bundle/$validate", "Resources"},
	} {
		body := s.example(t, test.example)
		post := exchange{method: http.MethodPost, path: test.validate, header: fhirJSON, body: body, client: issuer, want: 200}
		_, outcome := s.do(t, g.mediatorURL, post)
		if bytes.Contains(outcome, []byte(`"severity":"error"`)) {
			t.Errorf("%s: %s", test.example, outcome)
		}
		post.path, post.want = test.path, 201
		post.header = with("Idempotency-Key", "example-"+test.path[5:15]+"-"+test.example, "X-Correlation-Id", "contract-1")
		header, first := s.do(t, g.mediatorURL, post)
		if header.Get("X-Correlation-Id") != "contract-1" {
			t.Error("the correlation id was not kept")
		}
		post.want = 200
		if _, again := s.do(t, g.mediatorURL, post); !bytes.Equal(first, again) {
			t.Errorf("%s: the replay differs", test.example)
		}
	}
	batch := exchange{method: http.MethodPost, path: pathBatch + "/$validate", header: fhirJSON, body: s.example(t, "BatchOfOne"), client: issuer, want: 200}
	s.do(t, g.mediatorURL, batch)
	batch.path = pathBatch
	_, answer := s.do(t, g.mediatorURL, batch)
	if !bytes.Contains(answer, []byte(`"status":"201 Created"`)) {
		t.Errorf("batch: %.300s", answer)
	}
}

// TestReads runs every answer of the routes that give certificates back.
func TestReads(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	issuer, other := p.client(t, devpki.IssuerName), p.client(t, otherIssuer)
	header, _ := s.do(t, g.mediatorURL, exchange{
		method: http.MethodPost, path: pathAny, header: fhirJSON, body: s.example(t, "Vaccination"), client: issuer, want: 201,
	})
	var paths []string
	for _, link := range header.Values("Link") {
		path, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
		paths = append(paths, path)
	}
	if len(paths) != 3 {
		t.Fatalf("links %q", paths)
	}
	for _, path := range append(paths, header.Get("Location")) {
		get := exchange{method: http.MethodGet, path: path, client: issuer, want: 200}
		found, body := s.do(t, g.mediatorURL, get)
		if len(body) == 0 {
			t.Errorf("%s: no body", path)
		}
		if tag := found.Get("ETag"); tag != "" {
			conditional := get
			conditional.header, conditional.want = map[string]string{"If-None-Match": tag}, 304
			s.do(t, g.mediatorURL, conditional)
		} else if !strings.Contains(path, "/List/") && !strings.HasSuffix(path, "$card") {
			t.Errorf("%s: no ETag", path)
		}
		refused := get
		refused.header, refused.want = map[string]string{"Accept": "text/html"}, 406
		s.do(t, g.mediatorURL, refused)
		for want, client := range map[int]*http.Client{401: p.client(t, ""), 403: p.client(t, "urn:nobody"), 404: other} {
			denied := get
			denied.client, denied.want = client, want
			s.do(t, g.mediatorURL, denied)
		}
		unknown := get
		unknown.path, unknown.want = path[:len(path)-4]+"zzzz", 404
		switch {
		case strings.HasSuffix(path, "$getQRCode"):
			unknown.path = "/ddcc/DocumentReference/1/$getQRCode"
		case strings.HasSuffix(path, "$card"):
			unknown.path = "/ddcc/Bundle/1/$card"
		}
		s.do(t, g.mediatorURL, unknown)
	}
	s.do(t, g.mediatorURL, exchange{method: http.MethodGet, path: "/ddcc/metadata", client: p.client(t, ""), want: 200})
}

// TestRefusals runs every refusal of the operations. The table is the issuer's guide to
// status codes.
func TestRefusals(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	issuer := p.client(t, devpki.IssuerName)
	vaccination := s.example(t, "Vaccination")
	s.do(t, g.mediatorURL, exchange{
		method: http.MethodPost, path: pathAny, header: with("Idempotency-Key", "taken"), body: vaccination, client: issuer, want: 201,
	})
	slow := p.client(t, slowIssuer)
	s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: pathAny + "/$validate", header: fhirJSON, body: vaccination, client: slow, want: 200})

	for name, x := range map[string]exchange{
		"no certificate":        {header: fhirJSON, body: vaccination, client: p.client(t, ""), want: 401},
		"unknown certificate":   {header: fhirJSON, body: vaccination, client: p.client(t, "urn:nobody"), want: 403},
		"profile not allowed":   {header: fhirJSON, body: vaccination, client: p.client(t, testsIssuer), want: 403},
		"authority not allowed": {header: fhirJSON, body: s.edited(t, "Vaccination", "pha", map[string]any{"valueString": "another"}), want: 403},
		"empty body":            {header: fhirJSON, want: 400},
		"empty object":          {header: fhirJSON, body: []byte(`{}`), want: 400},
		"cut off":               {header: fhirJSON, body: vaccination[:40], want: 400},
		"repeated member":       {header: fhirJSON, body: bytes.Replace(vaccination, []byte(`{`), []byte(`{"status":"completed",`), 1), want: 400},
		"other resource":        {header: fhirJSON, body: []byte(`{"resourceType":"Patient"}`), want: 400},
		"unusable key":          {header: with("Idempotency-Key", "a b"), body: vaccination, want: 400},
		"unusable condition":    {header: with("If-None-Match", `"1"`), body: vaccination, want: 412},
		"exists":                {header: with("If-None-Match", "*", "Idempotency-Key", "taken"), body: vaccination, want: 412},
		"not acceptable":        {header: with("Accept", "text/html"), body: vaccination, want: 406},
		"media type":            {header: with("Content-Type", "text/plain"), body: vaccination, want: 415},
		"charset":               {header: with("Content-Type", "application/fhir+json; charset=latin1"), body: vaccination, want: 415},
		"compressed":            {header: with("Content-Encoding", "gzip"), body: vaccination, want: 415},
		"too large":             {header: fhirJSON, body: bytes.Repeat([]byte(" "), 512<<10+1), want: 413},
		"far too large":         {header: fhirJSON, body: bytes.Repeat([]byte(" "), 8<<20+1), want: 413},
		"other person":          {header: fhirJSON, body: s.edited(t, "Vaccination", "name", map[string]any{"valueString": "Dan Other"}), want: 409},
		"key of other content":  {header: with("Idempotency-Key", "taken"), body: s.edited(t, "Vaccination", "lot", map[string]any{"valueString": "SPEC-2B"}), want: 422},
		"missing answer":        {header: fhirJSON, body: s.edited(t, "Vaccination", "lot", nil), want: 422},
		"who-ddcc-data-1":       {header: fhirJSON, body: s.edited(t, "Vaccination", "manufacturer", nil), want: 422},
		"future":                {header: fhirJSON, body: s.edited(t, "Vaccination", "date", map[string]any{"valueDate": "2027-01-01"}), want: 422},
		"too often":             {header: fhirJSON, body: vaccination, client: slow, want: 429},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x.method, x.path, x.lenient = http.MethodPost, pathAny, true
			if x.client == nil {
				x.client = issuer
			}
			s.do(t, g.mediatorURL, x)
		})
	}
	s.batchRefusals(t, g, issuer, slow)
	s.dryRefusals(t, p, g, slow)
}

func (s spec) batchRefusals(t *testing.T, g gateway, issuer, slow *http.Client) {
	t.Helper()
	one := s.example(t, "BatchOfOne")
	var bundle map[string]any
	if err := json.Unmarshal(one, &bundle); err != nil {
		t.Fatal(err)
	}
	entry := bundle["entry"].([]any)[0]
	batch := func(kind string, entries ...any) []byte {
		raw, err := json.Marshal(map[string]any{"resourceType": "Bundle", "type": kind, "entry": entries})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	wrong := map[string]any{"resource": map[string]any{"resourceType": "Patient"}, "request": map[string]any{"method": "DELETE", "url": "Patient/1"}}
	for name, x := range map[string]exchange{
		"transaction":        {header: fhirJSON, body: batch("transaction", entry), client: issuer, want: 400},
		"no entry":           {header: fhirJSON, body: batch("batch"), client: issuer, want: 400},
		"too many":           {header: fhirJSON, body: batch("batch", entry, entry, entry, entry), client: issuer, want: 413},
		"entries of all":     {header: fhirJSON, body: batch("batch", entry, wrong, map[string]any{}), client: issuer, want: 200},
		"unusable condition": {header: with("If-None-Match", `"1"`), body: one, client: issuer, want: 412},
		"not acceptable":     {header: with("Accept", "text/html"), body: one, client: issuer, want: 406},
		"media type":         {header: with("Content-Type", "text/plain"), body: one, client: issuer, want: 415},
		"too often":          {header: fhirJSON, body: one, client: slow, want: 429},
	} {
		t.Run("batch, "+name, func(t *testing.T) {
			t.Parallel()
			x.method, x.path, x.lenient = http.MethodPost, pathBatch, true
			s.do(t, g.mediatorURL, x)
		})
	}
}

func (s spec) dryRefusals(t *testing.T, p pki, g gateway, slow *http.Client) {
	t.Helper()
	for _, path := range []string{pathAny + "/$validate", pathBatch + "/$validate"} {
		for name, x := range map[string]exchange{
			"no certificate":      {header: fhirJSON, client: p.client(t, ""), want: 401},
			"unknown certificate": {header: fhirJSON, client: p.client(t, "urn:nobody"), want: 403},
			"malformed":           {header: fhirJSON, body: []byte(`{`), client: p.client(t, devpki.IssuerName), want: 400},
			"media type":          {header: with("Content-Type", "text/plain"), client: p.client(t, devpki.IssuerName), want: 415},
			"too large":           {header: fhirJSON, body: bytes.Repeat([]byte(" "), 8<<20+1), client: p.client(t, devpki.IssuerName), want: 413},
		} {
			t.Run(path+", "+name, func(t *testing.T) {
				t.Parallel()
				x.method, x.path, x.lenient = http.MethodPost, path, true
				s.do(t, g.mediatorURL, x)
			})
		}
	}
	s.do(t, g.mediatorURL, exchange{
		method: http.MethodPost, path: pathAny + "/$validate", header: fhirJSON, body: s.example(t, "Vaccination"), client: slow, want: 429, lenient: true,
	})
}

// TestSignerAway: nothing is lost, and the issuer is told when to come back.
func TestSignerAway(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	g.signer.audit.set(true)
	post := exchange{
		method: http.MethodPost, path: pathAny, header: fhirJSON, body: s.example(t, "Vaccination"),
		client: p.client(t, devpki.IssuerName), want: 503,
	}
	s.do(t, g.mediatorURL, post)
	g.signer.audit.set(false)
	post.want = 200 // the intent is from before
	if header, _ := s.do(t, g.mediatorURL, post); header.Get("Location") == "" {
		t.Error("no Location")
	}
}
