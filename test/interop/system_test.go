package interop

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// certificate is one that the system issued, with what our own verifier says about it.
type certificate struct {
	profile string
	text    string
	picture []byte // PNG
	own     verification.Result
}

// system is a running gateway with certificates of every profile.
type system struct {
	peers
	*harness.System
	list         *trust.List
	certificates map[string]certificate // by profile
	documents    [][]byte               // of the events, as they were answered
}

// did is the DID document that the system publishes.
const did = "did:web:trust.example:v2:trustlist:DCC:XXA:DSC"

// start starts the system and has every event certified.
func start(t *testing.T, p peers) *system {
	t.Helper()
	s := &system{peers: p, certificates: map[string]certificate{}}
	s.System = harness.Start(t, harness.Options{
		Signer:  []string{"--did=" + did, "--did-domain=DCC", "--did-participant=XXA"},
		Gateway: []string{"--trust-did=" + did, "--shc-issuer=" + ceremony.DevelopmentIssuerURL},
	})
	s.list = s.TrustList()
	for _, e := range events() {
		s.certify(t, e)
	}
	s.certify(t, event{name: "negative test of a passport holder", formats: []string{"vdsnc"}, bundle: withPassport(t, s.documents[1])})
	return s
}

// certify sends one event and keeps the certificates of profiles that are new.
func (s *system) certify(t *testing.T, e event) {
	t.Helper()
	a, err := s.Post(e.path(), e.body(t))
	if err != nil || a.Status != http.StatusCreated {
		t.Fatalf("%s: %v, status %d: %.600s", e.name, err, a.Status, a.Body)
	}
	var answered struct {
		Parameter []struct {
			Name     string
			Resource json.RawMessage
			Part     []struct {
				Name, ValueCode, ValueString string
				ValueReference               struct{ Reference string }
			}
		}
	}
	if err := json.Unmarshal(a.Body, &answered); err != nil {
		t.Fatal(err)
	}
	issued, said := 0, json.RawMessage(nil)
	for _, p := range answered.Parameter {
		switch p.Name {
		case "return":
			s.documents = append(s.documents, p.Resource)
		case "outcome":
			said = p.Resource
		case "certificate":
			issued++
			parts := map[string]string{}
			for _, part := range p.Part {
				parts[part.Name] = part.ValueCode + part.ValueString + part.ValueReference.Reference
			}
			s.keep(t, parts["profile"], parts["text"], parts["reference"])
		}
	}
	if issued != len(e.formats)+1 {
		t.Fatalf("%s: %d certificates, want %d and WHO's own: %s", e.name, issued, len(e.formats), said)
	}
}

func (s *system) keep(t *testing.T, profile, text, reference string) {
	t.Helper()
	verifier := verification.Verifier{List: s.list}
	own := verifier.VerifyText(text)
	if !own.Valid {
		t.Fatalf("%s: our own verifier: %s %s", profile, own.Reason, own.Detail)
	}
	picture := s.fetch(t, "/ddcc/"+reference+"/$getQRCode", "Accept", "image/png")
	if _, known := s.certificates[profile]; !known {
		s.certificates[profile] = certificate{profile, text, picture, own}
	}
}

func (s *system) fetch(t *testing.T, path string, header ...string) []byte {
	t.Helper()
	a, err := s.Get(path, header...)
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("%s: %v, status %d: %.300s", path, err, a.Status, a.Body)
	}
	return a.Body
}

// keys is a request with everything that the system publishes.
func (s *system) keys(t *testing.T) request {
	t.Helper()
	host, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	return request{
		Task: "verify", Issuer: ceremony.DevelopmentIssuerURL, Gateway: &address{host, port},
		DSC: blocks(s.fetch(t, "/trust/dsc.pem")), CSCA: blocks(s.fetch(t, "/trust/csca.pem")),
		SHC: s.fetch(t, "/shc_issuer/.well-known/jwks.json"),
	}
}

// blocks takes a file of PEM blocks apart.
func blocks(file []byte) []string {
	var out []string
	for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
		out = append(out, string(pem.EncodeToMemory(block)))
	}
	return out
}

// listed gives the DSCs with a usage on the trust list.
func (s *system) listed(usage trust.Usage) []string {
	var out []string
	for _, entry := range s.list.Entries() {
		if entry.Allows(usage) {
			out = append(out, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: entry.DSC.Raw})))
		}
	}
	return out
}

// listSigner is the certificate that the statement of the system comes with, which a reader
// of the DID document fetches by its key id.
func (s *system) listSigner(t *testing.T) string {
	t.Helper()
	header, _, _ := bytes.Cut(s.fetch(t, "/trust/trustlist.jws"), []byte("."))
	raw, err := base64.RawURLEncoding.DecodeString(string(header))
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct{ X5C []string }
	if err := json.Unmarshal(raw, &parsed); err != nil || len(parsed.X5C) == 0 {
		t.Fatalf("no certificate in the header, %v", err)
	}
	return parsed.X5C[0]
}

// event is a health event and the formats it is certified in besides WHO's: the answers of
// a questionnaire, or resources.
type event struct {
	name    string
	formats []string
	kind    string // canonical of the questionnaire
	items   harness.Items
	bundle  []byte
}

func (e event) path() string {
	operation := "/ddcc/generateHealthCertificate"
	if e.bundle != nil {
		operation = "/ddcc/Bundle/$generateHealthCertificate"
	}
	return operation + "?format=" + strings.Join(e.formats, "&format=")
}

func (e event) body(t *testing.T) []byte {
	t.Helper()
	if e.bundle != nil {
		return e.bundle
	}
	return harness.JSON(t, harness.Response(e.kind, e.items))
}

// withPassport makes resources of a document whose patient is known by a passport, which a
// seal of a test needs and the questionnaire has no place for.
func withPassport(t *testing.T, document []byte) []byte {
	t.Helper()
	var bundle map[string]any
	if err := json.Unmarshal(document, &bundle); err != nil {
		t.Fatal(err)
	}
	delete(bundle, "signature")
	patient, ok := at(bundle, "entry/1/resource").(map[string]any)
	if !ok || patient["resourceType"] != "Patient" {
		t.Fatal("the patient is not where documents have it")
	}
	patient["identifier"] = []any{map[string]any{"system": passport, "value": "X0000000"}}
	return harness.JSON(t, bundle)
}

const (
	icd11        = "http://id.who.int/icd11/mms"
	prequalified = "http://smart.who.int/pcmt-vaxprequal/CodeSystem/PreQualProductIds"
	stamaril     = "YellowFeverProductd8a09f80301dc05e124f99ffe7711fc0"
	passport     = "http://terminology.hl7.org/CodeSystem/v2-0203#PPN"
)

func coding(system, code string) map[string]any {
	return map[string]any{"valueCoding": map[string]any{"system": system, "code": code}}
}

// events are of a fictitious person, in a country that all formats know.
func events() []event {
	switzerland := coding("urn:iso:std:iso:3166", "CHE")
	return []event{
		{name: "vaccination", formats: []string{"dcc", "shc", "vdsnc"}, kind: harness.QuestionnaireVS, items: harness.Vaccination("INTEROP-1", harness.Items{
			"country": switzerland, "date": {"valueDate": daysAgo(20)}, "dose": {"valueInteger": 2}, "name": {"valueString": "Zoë Ångström Specimen"},
		})},
		{name: "negative test", formats: []string{"dcc", "shc"}, kind: harness.QuestionnaireTR, items: harness.TestResult("INTEROP-2", harness.Items{
			"country": switzerland, "identifier": {"valueString": "X0000000"},
		})},
		{name: "positive test", formats: []string{"dcc-recovery"}, kind: harness.QuestionnaireTR, items: harness.TestResult("INTEROP-3", harness.Items{
			"country": switzerland, "result": coding(icd11, "RA01.0"), "date": {"valueDateTime": daysAgo(20) + "T08:00:00Z"},
		})},
		{name: "yellow fever vaccination", formats: []string{"icvp"}, kind: harness.QuestionnaireVS, items: harness.Vaccination("INTEROP-4", harness.Items{
			"country": switzerland, "date": {"valueDate": daysAgo(20)}, "vaccine": coding(icd11, "XM0N24"), "brand": coding(prequalified, stamaril),
			"disease": coding(icd11, "1D47"), "manufacturer": coding("urn:specimen:makers", "MAKER-1"), "total_doses": {"valueInteger": 1},
		})},
	}
}

// profiles of the formats, as the table names them.
var (
	whoProfiles = []string{signing.ProfileDDCCVS, signing.ProfileDDCCTR}
	dccProfiles = []string{signing.ProfileDCCVaccination, signing.ProfileDCCTest, signing.ProfileDCCRecovery}
	icvpProfile = []string{signing.ProfileICVP}
	shcProfiles = []string{signing.ProfileSHCImmunization, signing.ProfileSHCLaboratory}
	vdsProfiles = []string{signing.ProfileVDSVaccination, signing.ProfileVDSTest}
)
