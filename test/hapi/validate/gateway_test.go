package validate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

const (
	root     = "../../.."
	fhirJSON = "application/fhir+json"
)

// gateway is a running gateway with its embedded FHIR server; every answer in FHIR is
// validated.
type gateway struct {
	*harness.System
	examples openapi3.Examples // of api/mediator.yaml
}

func newGateway(t *testing.T) gateway {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromFile(filepath.Join(root, "api", "mediator.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return gateway{examples: document.Components.Examples, System: harness.Start(t, harness.Options{
		Gateway: []string{
			"--fhir-embedded", "--fhir-embedded-clients=" + devpki.IssuerName, "--fhir-embedded-base=https://gateway.example/fhir",
			"--public-url=https://gateway.example", "--batch-entries=20",
		},
		Prepare: func(i devinstall.Installation) { mayDoEverything(t, i.Path("issuers.json")) },
	})}
}

// mayDoEverything lets the issuer convert and revoke what others issued, and send events of
// general care.
func mayDoEverything(t *testing.T, file string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	var policy mediator.Policy
	if err == nil {
		err = json.Unmarshal(raw, &policy)
	}
	if err != nil {
		t.Fatal(err)
	}
	issuer := &policy.Issuers[0]
	issuer.Convert, issuer.RevokeAll = true, true
	issuer.Complete = mediator.Completion{Authority: devinstall.Authority.ID, Country: "CHE", AssignHCID: true}
	if err := os.WriteFile(file, harness.JSON(t, policy), 0o600); err != nil {
		t.Fatal(err)
	}
}

// example gives an example of the API's description.
func (g gateway) example(t *testing.T, name string) []byte {
	t.Helper()
	e := g.examples[name]
	if e == nil {
		t.Fatalf("there is no example %s", name)
	}
	return harness.JSON(t, e.Value.Value)
}

// ask sends a request as the issuer, wants a status, and validates the answer.
func (g gateway) ask(t *testing.T, method, path string, body []byte, want int, header ...string) harness.Answer {
	t.Helper()
	return g.askAs(t, g.Issuer, method, path, body, want, header...)
}

func (g gateway) askAs(t *testing.T, client *http.Client, method, path string, body []byte, want int, header ...string) harness.Answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, g.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", fhirJSON)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	a, err := harness.Do(client, req)
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != want {
		t.Errorf("%s %s: status %d, want %d\n%.600s", method, path, a.Status, want, a.Body)
	}
	if len(a.Body) > 0 && strings.HasPrefix(a.Header.Get("Content-Type"), fhirJSON) {
		valid(t, fmt.Sprint(method, " ", path, " ", a.Status), a.Body)
	} else if len(a.Body) > 0 && want != http.StatusNoContent {
		t.Logf("%s %s: %s is not validated", method, path, a.Header.Get("Content-Type"))
	}
	return a
}

func coding(system, code string) map[string]any {
	return map[string]any{"valueCoding": map[string]any{"system": system, "code": code}}
}

// events are vaccinations and tests, from the least that is certified to everything that can
// be said.
func events(t *testing.T) map[string][]byte {
	t.Helper()
	const icd11 = "http://id.who.int/icd11/mms"
	day := func(n int) string { return time.Now().UTC().AddDate(0, 0, n).Format(time.DateOnly) }
	everything := harness.Items{
		"name":  {"valueString": `Adaeze "Ada" <Specimen> & Söhne`},
		"brand": {"valueCoding": map[string]any{"system": icd11, "code": "XM8NQ0", "display": "Comirnaty®"}}, "ma_holder": coding("https://spor.ema.europa.eu/v1/organisations", "ORG-100030215"),
		"vaccine_valid": {"valueDate": day(-6)}, "due_date": {"valueDate": day(40)},
		"valid_from": {"valueDate": day(-6)}, "valid_until": {"valueDate": day(300)},
	}
	return map[string][]byte{
		"VS": harness.VS(t, "VALIDATE-1"), "TR": harness.TR(t, "VALIDATE-2"),
		"VS, everything": harness.VS(t, "VALIDATE-3", everything),
		"VS, little": harness.VS(t, "VALIDATE-4", harness.Items{
			"identifier": nil, "sex": nil, "total_doses": nil, "disease": nil, "hw": nil,
		}),
		"VS, a year": harness.VS(t, "VALIDATE-5", harness.Items{"birthDate": {"valueDate": "1979"}}),
		"TR, little": harness.TR(t, "VALIDATE-6", harness.Items{"origin": nil, "brand": nil, "manufacturer": nil}),
		"TR, day":    harness.TR(t, "VALIDATE-7", harness.Items{"date": {"valueDateTime": day(-3)}}),
	}
}

const generate = "/ddcc/generateHealthCertificate"

// TestGateway validates what issuers are answered.
func TestGateway(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	g.askAs(t, g.Anonymous, http.MethodGet, "/ddcc/metadata", nil, http.StatusOK)
	var issued []string
	for name, event := range events(t) {
		g.ask(t, http.MethodPost, generate+"/$validate", event, http.StatusOK)
		a := g.ask(t, http.MethodPost, generate, event, http.StatusCreated)
		id := harness.ReadCertificate(t, a.Body).ID
		t.Logf("%s: %s", name, id)
		issued = append(issued, id)
	}
	g.reads(t, issued[0])
	g.link(t, issued[0])
	g.formats(t)
	g.bundles(t)
	g.records(t)
	g.convert(t)
	g.refusals(t)
	g.bulk(t)
	g.embedded(t, issued)
}

// reads are of a document and its folder.
func (g gateway) reads(t *testing.T, id string) {
	t.Helper()
	a := g.ask(t, http.MethodGet, "/ddcc/Bundle/"+id, nil, http.StatusOK)
	if len(a.Body) == 0 {
		t.Error("no document")
	}
	again, err := g.Post(generate, harness.VS(t, "VALIDATE-1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range again.Header.Values("Link") {
		if path, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">"); strings.Contains(path, "/List/") {
			g.ask(t, http.MethodGet, path, nil, http.StatusOK)
			return
		}
	}
	t.Error("no folder")
}

// link makes a SMART Health Link to a certificate and takes it back.
func (g gateway) link(t *testing.T, id string) {
	t.Helper()
	a := g.ask(t, http.MethodPost, "/ddcc/Bundle/"+id+"/$health-link", g.example(t, "LinkWithPasscode"), http.StatusCreated)
	var answer struct {
		Parameter []struct{ Name, ValueString string }
	}
	if err := json.Unmarshal(a.Body, &answer); err != nil {
		t.Fatal(err)
	}
	for _, p := range answer.Parameter {
		if p.Name == "id" {
			body := bytes.Replace(g.example(t, "LinkId"), []byte("c3BlY2ltZW4"), []byte(p.ValueString), 1)
			g.ask(t, http.MethodPost, "/ddcc/$withdraw-health-link", body, http.StatusOK)
			return
		}
	}
	t.Error("the link has no id")
}

// formats are certificates in other formats beside the DDCC.
func (g gateway) formats(t *testing.T) {
	t.Helper()
	a := g.ask(t, http.MethodPost, generate, g.example(t, "WithFormats"), http.StatusCreated)
	valid(t, "the Bundle of a SMART Health Card", cardBundle(t, harness.ReadFormats(t, a.Body).Texts["shc"]))
	a = g.ask(t, http.MethodPost, generate+"?format=shc", harness.TR(t, "VALIDATE-S", harness.Country("CHE")), http.StatusCreated)
	valid(t, "the Bundle of a laboratory's card", cardBundle(t, harness.ReadFormats(t, a.Body).Texts["shc"]))
	g.ask(t, http.MethodPost, "/ddcc/Bundle/$generateHealthCertificate?format=vdsnc&format=icvp", g.example(t, "Resources"), http.StatusCreated)
}

// bundles are batches, transactions and folders.
func (g gateway) bundles(t *testing.T) {
	t.Helper()
	wrong := harness.Response(harness.QuestionnaireVS, harness.Vaccination("VALIDATE-B2", harness.Items{"lot": nil}))
	good := harness.Response(harness.QuestionnaireVS, harness.Vaccination("VALIDATE-B1"))
	batch := harness.Batch(harness.Parameters(good), harness.Parameters(good), wrong, map[string]any{"resourceType": "Patient"})
	for _, path := range []string{"/ddcc/submitHealthEvent/$validate", "/ddcc/submitHealthEvent", "/ddcc"} {
		g.ask(t, http.MethodPost, path, harness.JSON(t, batch), http.StatusOK)
	}
	g.ask(t, http.MethodPost, "/ddcc", g.example(t, "Transaction"), http.StatusOK)
	g.ask(t, http.MethodPost, "/ddcc/Bundle/$generateHealthFolder", g.example(t, "TwoEvents"), http.StatusOK)
	g.ask(t, http.MethodPost, "/ddcc/Bundle/$generateHealthFolder", g.example(t, "TwoEventsInParameters"), http.StatusOK, "Idempotency-Key", "formats")
}

// records are clinical documents.
func (g gateway) records(t *testing.T) {
	t.Helper()
	ccd, err := os.ReadFile(filepath.Join(root, "fhir", "ccda", "testdata", "ccd.xml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"$convert", "$convert?type=document", "$convert?type=transaction", "$generateHealthFolder"} {
		g.ask(t, http.MethodPost, "/ddcc/ClinicalDocument/"+path, ccd, http.StatusOK, "Content-Type", "application/cda+xml")
	}
}

// convert reads a certificate, one that does not verify, and issues one anew.
func (g gateway) convert(t *testing.T) {
	t.Helper()
	g.TrustList() // the gateway knows its own keys by now
	a := g.ask(t, http.MethodPost, generate+"?format=dcc", harness.VS(t, "VALIDATE-C", harness.Country("CHE")), http.StatusCreated)
	text := harness.ReadFormats(t, a.Body).Texts["dcc"]
	carrying := func(example, certificate string) []byte {
		return bytes.Replace(g.example(t, example), []byte(`"HC1:6BF"`), harness.JSON(t, certificate), 1)
	}
	g.ask(t, http.MethodPost, "/ddcc/$convert", carrying("Convert", text), http.StatusOK)
	g.ask(t, http.MethodPost, "/ddcc/$convert", carrying("Convert", text[:len(text)-4]), http.StatusOK)
	g.ask(t, http.MethodPost, "/ddcc/$convert", carrying("ConvertAndReissue", text), http.StatusCreated)
}
