package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	dccmap "github.com/trustedparty/ddcc-gateway/fhir/maps/dcc"
	ddccmap "github.com/trustedparty/ddcc-gateway/fhir/maps/ddcc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/verification"
)

const pathConvert = "/ddcc/$convert"

// certificateReader verifies against the keys that the gateway publishes.
type certificateReader struct{ publisher *trust.Publisher }

// Verify implements mediator.Verifier.
func (r certificateReader) Verify(text string) (mediator.Foreign, error) {
	v := verification.Verifier{Clock: clock}
	if current, err := r.publisher.Current(); err == nil {
		v.List = current.Trust.List
	}
	result := v.VerifyText(text)
	out := mediator.Foreign{
		Format: result.Format, Profile: result.Profile, Valid: result.Valid, Reason: string(result.Reason), Detail: result.Detail,
		Warnings: result.Warnings, Firm: !slices.Contains(result.Warnings, verification.WarningAmbiguous),
	}
	if result.Signer == nil {
		return out, nil
	}
	out.Signer = result.Signer.Country
	source := maps.Source{Issuer: result.Issuer, IssuedAt: result.IssuedAt, ExpiresAt: result.ExpiresAt, Content: result.Content}
	switch result.Profile {
	case verification.ProfileDDCCVaccination, verification.ProfileDDCCTest:
		out.Readings = ddccmap.Read(source)
	case verification.ProfileEUDCC:
		out.Readings = dccmap.Read(source)
	}
	return out, nil
}

// parameter finds one by name, at the top or among parts.
type parameters struct {
	Parameter []part
}

type part struct {
	Name                   string
	Part                   []part
	ValueCode, ValueString string
	ValueBoolean           *bool
	ValueInteger           *int
	Resource               json.RawMessage
	ValueReference         struct{ Reference string }
}

func answerOf(t *testing.T, body []byte) []part {
	t.Helper()
	var p parameters
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("%v: %.300s", err, body)
	}
	return p.Parameter
}

func named(parts []part, name string) []part {
	return slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return p.Name != name })
}

// first gives the only one of a name, an empty one when there is none.
func first(parts []part, name string) part {
	for _, p := range named(parts, name) {
		return p
	}
	return part{}
}

// texts are the certificates of an answer by format.
func texts(parts []part) map[string]string {
	out := map[string]string{}
	for _, c := range named(parts, "certificate") {
		out[first(c.Part, "format").ValueCode] = first(c.Part, "text").ValueString
	}
	return out
}

// carrying puts a certificate into an example.
func (s spec) carrying(t *testing.T, example, text string) []byte {
	t.Helper()
	return []byte(strings.Replace(string(s.example(t, example)), `"HC1:6BF"`, string(marshal(t, text)), 1))
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// spoiled changes one character of a certificate's signature, which is at its end.
func spoiled(text string) string {
	other := "A"
	if text[len(text)-4] == 'A' {
		other = "B"
	}
	return text[:len(text)-4] + other + text[len(text)-3:]
}

// TestConvert: what it says of our own certificates, of spoiled ones and of no certificates,
// by the real verifier; and what may be issued anew.
func TestConvert(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	g.publish(t)
	issuer := p.client(t, devpki.IssuerName)
	_, issued := s.do(t, g.mediatorURL, exchange{
		method: http.MethodPost, path: pathAny, header: fhirJSON, body: s.example(t, "WithFormats"), client: issuer, want: 201,
	})
	ours := texts(answerOf(t, issued))
	for name, test := range map[string]struct {
		text  string
		valid bool
		reads int
	}{
		"a DDCC":             {ours["who"], true, 1},
		"an EU DCC":          {ours["dcc"], true, 1},
		"a spoiled one":      {spoiled(ours["who"]), false, 0},
		"a spoiled EU DCC":   {spoiled(ours["dcc"]), false, 0},
		"no certificate":     {"HC1:NOTHING", false, 0},
		"no text of any":     {"hello", false, 0},
		"a very long text":   {"HC1:" + strings.Repeat("6BF", 100_000), false, 0},
		"a bomb of segments": {"shc:/9999/1/" + strings.Repeat("00", 10_000), false, 0},
	} {
		post := exchange{method: http.MethodPost, path: pathConvert, header: fhirJSON, body: s.carrying(t, "Convert", test.text), client: issuer, want: 200}
		_, body := s.do(t, g.mediatorURL, post)
		parts := answerOf(t, body)
		verdict := first(parts, "verification")
		if v := first(verdict.Part, "valid").ValueBoolean; v == nil || *v != test.valid || len(named(parts, "event")) != test.reads {
			t.Errorf("%s: %.600s", name, body)
		}
		if test.valid == (first(verdict.Part, "reason").ValueCode != "verified") {
			t.Errorf("%s: reason %q", name, first(verdict.Part, "reason").ValueCode)
		}
	}
	s.reissue(t, g, issuer, ours)
	s.convertRefusals(t, p, g, ours)
}

// reissue has an EU DCC issued as a DDCC.
func (s spec) reissue(t *testing.T, g gateway, issuer *http.Client, ours map[string]string) {
	t.Helper()
	post := exchange{
		method: http.MethodPost, path: pathConvert, header: with("Idempotency-Key", "anew"), body: s.carrying(t, "ConvertAndReissue", ours["dcc"]), client: issuer, want: 201,
	}
	header, body := s.do(t, g.mediatorURL, post)
	anew := texts(answerOf(t, body))
	if header.Get("Location") == "" || anew["who"] == "" || anew["shc"] == "" || anew["dcc"] != "" || anew["who"] == ours["who"] {
		t.Errorf("issued %d certificates: %.300s", len(anew), body)
	}
	post.want = 200
	if _, again := s.do(t, g.mediatorURL, post); texts(answerOf(t, again))["who"] != anew["who"] {
		t.Error("the same request has another certificate")
	}
	post.header, post.want = with("Idempotency-Key", "query"), 201 // formats may stand in the query
	post.path = pathConvert + "?format=dcc"
	post.body = []byte(strings.Replace(string(post.body), `{"name":"format","valueCode":"shc"},`, "", 1))
	if _, body := s.do(t, g.mediatorURL, post); texts(answerOf(t, body))["dcc"] == "" {
		t.Errorf("formats of the query are ignored: %.300s", body)
	}
}

func (s spec) convertRefusals(t *testing.T, p pki, g gateway, ours map[string]string) {
	t.Helper()
	issuer := p.client(t, devpki.IssuerName)
	read, reissue := s.carrying(t, "Convert", ours["who"]), s.carrying(t, "ConvertAndReissue", ours["dcc"])
	slow := p.client(t, slowIssuer)
	s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: pathConvert, header: fhirJSON, body: read, client: slow, want: 200})
	for name, x := range map[string]exchange{
		"no certificate":          {header: fhirJSON, body: read, client: p.client(t, ""), want: 401},
		"unknown certificate":     {header: fhirJSON, body: read, client: p.client(t, "urn:nobody"), want: 403},
		"an issuer without right": {header: fhirJSON, body: read, client: p.client(t, otherIssuer), want: 403},
		"forged and anew":         {header: fhirJSON, body: s.carrying(t, "ConvertAndReissue", spoiled(ours["dcc"])), want: 422},
		"no certificate in it":    {header: fhirJSON, body: []byte(`{"resourceType":"Parameters","parameter":[{"name":"reissue","valueBoolean":true}]}`), want: 400},
		"another resource":        {header: fhirJSON, body: s.example(t, "Vaccination"), want: 400},
		"unknown format":          {path: pathConvert + "?format=passport", header: fhirJSON, body: reissue, want: 400},
		"format without a value":  {header: fhirJSON, body: []byte(strings.Replace(string(reissue), `"valueCode":"shc"`, `"valueInteger":1`, 1)), want: 400},
		"no complement":           {header: fhirJSON, body: []byte(strings.Replace(string(reissue), `"complement"`, `"compliment"`, 1)), want: 400},
		"another person":          {header: fhirJSON, body: []byte(strings.Replace(string(reissue), `"linkId":"lot"`, `"linkId":"name"`, 1)), want: 422},
		"a HCID of another":       {header: with("Idempotency-Key", "taken"), body: []byte(strings.Replace(string(reissue), "SPECIMEN-0006", "SPECIMEN-0099", 1)), want: 409},
		"it exists":               {header: with("If-None-Match", "*", "Idempotency-Key", "anew"), body: reissue, want: 412},
		"not acceptable":          {header: with("Accept", "application/pdf"), body: read, want: 406},
		"too large":               {header: fhirJSON, body: []byte(strings.Repeat(" ", 512<<10+1)), want: 413},
		"media type":              {header: with("Content-Type", "text/plain"), body: read, want: 415},
		"too often":               {header: fhirJSON, body: read, client: slow, want: 429},
	} {
		if name == "a HCID of another" {
			other := strings.Replace(string(s.example(t, "Vaccination")), "SPECIMEN-0001", "SPECIMEN-0099", 1)
			s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: pathAny, header: fhirJSON, body: []byte(other), client: issuer, want: 201})
		}
		t.Run(name, func(t *testing.T) {
			x.method, x.lenient = http.MethodPost, true
			if x.path == "" {
				x.path = pathConvert
			}
			if x.client == nil {
				x.client = issuer
			}
			s.do(t, g.mediatorURL, x)
		})
	}
}
