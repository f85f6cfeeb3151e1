package defects

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/formats/pdf/pdftest"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// inFormats has an event certified in the formats of the query.
func inFormats(t *testing.T, s *harness.System, formats string, body []byte) harness.Issued {
	t.Helper()
	a := post(t, s, generate+"?format="+formats, body)
	if a.Status != http.StatusCreated {
		t.Fatalf("status %d, want 201: %.600s", a.Status, a.Body)
	}
	return harness.ReadFormats(t, a.Body)
}

// nothingInventedBeside: the codes of an EU DCC are those of its value sets and of this
// event, the country is its country in two letters, the id is well-formed; what cannot be
// said is left out and named.
func nothingInventedBeside(t *testing.T, s *harness.System) {
	event := harness.VS(t, hcid(t)+"-DCC", harness.Country("CHE"), harness.Items{"name": {"valueString": "Ngozi Specimen"}})
	text := inFormats(t, s, "dcc", event).Texts["dcc"]
	m, err := reader.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	content, _ := m.Claims.SubClaims[1].(map[string]any)
	if problems := dcc.Check(content); len(problems) > 0 {
		t.Errorf("the EU's rules: %+v", problems)
	}
	shots, _ := content["v"].([]any)
	shot, _ := shots[0].(map[string]any)
	want := map[string]any{"tg": "840539006", "mp": "EU/1/20/1528", "ma": "ORG-100030215", "dn": "1", "sd": "2", "co": "CH"}
	for key, value := range want {
		if fmt.Sprint(shot[key]) != value {
			t.Errorf("%s is %v, want %v", key, shot[key], value)
		}
	}
	uvci, _ := shot["ci"].(string)
	if _, err := dcc.ParseUVCI(uvci); err != nil || !strings.HasPrefix(uvci, "URN:UVCI:01:XX:") || !strings.Contains(uvci, "#") {
		t.Errorf("the id of the certificate: %v", err)
	}
	leftOutOfDCC(t, s)
}

// leftOutOfDCC: what an EU DCC would need and the event does not say.
func leftOutOfDCC(t *testing.T, s *harness.System) {
	icd11 := "http://id.who.int/icd11/mms"
	for name, change := range map[string]harness.Items{
		"no series":          {"total_doses": nil},
		"a test country":     harness.Country("XXA"),
		"an unknown product": {"brand": {"valueCoding": map[string]any{"system": "urn:specimen:brands", "code": "BRAND-1"}}},
		"another disease":    {"disease": {"valueCoding": map[string]any{"system": icd11, "code": "1D47"}}},
		"a dose too many":    {"dose": {"valueInteger": 12}, "total_doses": {"valueInteger": 12}},
	} {
		changes := []harness.Items{harness.Country("CHE"), change}
		out := inFormats(t, s, "dcc", harness.VS(t, hcid(t)+"-"+strings.ReplaceAll(name, " ", ""), changes...))
		why := slices.ContainsFunc(out.Rules, func(rule string) bool { return strings.HasPrefix(rule, "dcc:") })
		if (out.Texts["dcc"] == "") != why || out.Texts["who"] == "" {
			t.Errorf("%s: EU DCC %t, rules %q", name, out.Texts["dcc"] != "", out.Rules)
		}
		if out.Texts["dcc"] != "" && name != "a dose too many" {
			t.Errorf("%s: an EU DCC was made of it", name)
		}
	}
}

// cardHasEverything: five doses of a holder with an Arabic name on an Arabic card, nobody
// else's, all QR codes, and nothing for another issuer.
func cardHasEverything(t *testing.T, s *harness.System) {
	id, last := hcid(t)+"-CARD", harness.Issued{}
	holder := harness.Items{"name": {"valueString": "سارة عينة"}, "birthDate": {"valueDate": "1979-03-08"}}
	for dose := 1; dose <= 5; dose++ {
		last = inFormats(t, s, "shc", harness.VS(t, id, harness.Country("CHE"), holder, harness.Items{
			"dose": {"valueInteger": dose}, "total_doses": nil, "lot": {"valueString": fmt.Sprintf("CARDLOT%d", dose)},
		}))
	}
	issue(t, s, harness.VS(t, id+"-OTHER", harness.Items{"lot": {"valueString": "OTHERLOT"}}))
	path := "/ddcc/Bundle/" + last.ID + "/$card"
	for _, language := range []string{"ar", "en", "fr", "tlh"} {
		a, err := s.Get(path + "?language=" + language)
		if err != nil || a.Status != http.StatusOK || a.Header.Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(a.Body, []byte("%PDF-")) {
			t.Fatalf("%v, %d %s: %.200s", err, a.Status, a.Header.Get("Content-Type"), a.Body)
		}
		if bytes.Contains(a.Body, []byte("Specimen")) || bytes.Contains(a.Body, []byte("CARDLOT")) {
			t.Error("the file shows its content uncompressed: its metadata name a person")
		}
		t.Run(language, func(t *testing.T) {
			pdftest.Check(t, a.Body)
			text := pdftest.Text(t, a.Body)
			for dose := 1; dose <= 5; dose++ {
				if !strings.Contains(text, fmt.Sprintf("CARDLOT%d", dose)) {
					t.Errorf("dose %d is not on the card", dose)
				}
			}
			if strings.Contains(text, "OTHERLOT") || !strings.Contains(text, "1979") {
				t.Error("the card is not the holder's, or not the holder's alone")
			}
		})
	}
	if a := as(t, s, "", path); a.Status != http.StatusUnauthorized {
		t.Errorf("a card for anybody: %d", a.Status)
	}
}

// revokedAndFolder are operations that were missing there: a certificate can be taken back,
// once, and a Bundle of events becomes a folder, all or nothing.
func revokedAndFolder(t *testing.T, s *harness.System) {
	c := issue(t, s, harness.VS(t, hcid(t)+"-REVOKED"))
	parameters := func(reason string) []byte {
		return []byte(`{"resourceType":"Parameters","parameter":[{"name":"id","valueId":"` + c.ID + `"},{"name":"reason","valueCode":"` + reason + `"}]}`)
	}
	const revoke = "/ddcc/QuestionnaireResponse/$revokeHealthCertificate"
	refused(t, post(t, s, revoke, parameters("because")), http.StatusUnprocessableEntity)
	for range 2 {
		if a := post(t, s, revoke, parameters("entered-in-error")); a.Status != http.StatusOK {
			t.Fatalf("status %d: %.300s", a.Status, a.Body)
		}
	}
	for _, path := range []string{"/ddcc/Bundle/" + c.ID, "/ddcc/Bundle/" + c.ID + "/$card", "/ddcc/DocumentReference/" + c.ReferenceID + "/$getQRCode"} {
		a, err := s.Get(path)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, a, http.StatusNotFound)
	}
	question := harness.JSON(t, map[string]string{"certificate": c.ID, "birthDate": "1979-03-08"})
	a, err := s.Post("/certificates/status", question, "Content-Type", "application/json")
	if err != nil || a.Status != http.StatusOK || !bytes.Contains(a.Body, []byte(`"status":"revoked"`)) {
		t.Errorf("the holder is told %d %s, %v", a.Status, a.Body, err)
	}
	foldersOfEvents(t, s)
}

func foldersOfEvents(t *testing.T, s *harness.System) {
	const generateFolder = "/ddcc/Bundle/$generateHealthFolder"
	bundle := func(lots ...string) []byte {
		entries := []any{map[string]any{"fullUrl": "urn:uuid:5a9dc1e1-9f0f-4b0c-8f8a-000000000000", "resource": map[string]any{
			"resourceType": "Patient", "name": []any{map[string]any{"text": "Ngozi Specimen"}}, "birthDate": "1979-03-08",
		}}}
		for n, lot := range lots {
			entries = append(entries, map[string]any{"resource": shot(lot, n+1)})
		}
		return harness.JSON(t, map[string]any{
			"resourceType": "Bundle", "type": "collection", "entry": entries,
			"link": []any{map[string]any{"relation": "publication", "url": "urn:HCID:" + strings.ReplaceAll(hcid(t), "#", "-") + "-FOLDER"}},
		})
	}
	before := signatures(t, s)
	refused(t, post(t, s, generateFolder, bundle("FOLDERLOT1", "")), http.StatusUnprocessableEntity)
	if after := signatures(t, s); after != before {
		t.Errorf("%d signatures for a folder that was refused", after-before)
	}
	a := post(t, s, generateFolder, bundle("FOLDERLOT1", "FOLDERLOT2", "FOLDERLOT3"))
	var list struct {
		ResourceType string
		Entry        []struct{ Item struct{ Reference string } }
	}
	if err := json.Unmarshal(a.Body, &list); err != nil || a.Status != http.StatusOK || list.ResourceType != "List" || len(list.Entry) != 3 {
		t.Fatalf("%d %v: %.400s", a.Status, err, a.Body)
	}
	for _, e := range list.Entry {
		if a, err := s.Get("/ddcc/" + e.Item.Reference); err != nil || a.Status != http.StatusOK {
			t.Errorf("an entry of the folder cannot be read: %d, %v", a.Status, err)
		}
	}
}

// shot is an Immunization; without a lot it breaks a rule.
func shot(lot string, dose int) map[string]any {
	coding := func(system, code string) map[string]any {
		return map[string]any{"coding": []any{map[string]any{"system": system, "code": code}}}
	}
	const icd11, extension = "http://id.who.int/icd11/mms", "http://smart.who.int/ddcc/StructureDefinition/"
	out := map[string]any{
		"resourceType": "Immunization", "status": "completed", "occurrenceDateTime": "2026-03-02",
		"patient": map[string]any{"reference": "urn:uuid:5a9dc1e1-9f0f-4b0c-8f8a-000000000000"}, "vaccineCode": coding(icd11, "XM0GQ8"),
		"location": map[string]any{"display": "Specimen Centre"}, "manufacturer": map[string]any{"identifier": map[string]any{"system": "urn:specimen:makers", "value": "MAKER-1"}},
		"extension": []any{
			map[string]any{"url": extension + "DDCCEventBrand", "valueCoding": map[string]any{"system": icd11, "code": "XM8NQ0"}},
			map[string]any{"url": extension + "DDCCCountryOfEvent", "valueCode": "CHE"},
		},
		"protocolApplied": []any{map[string]any{"doseNumberPositiveInt": dose, "authority": map[string]any{"identifier": map[string]any{"value": "demo-ministry"}}}},
	}
	if lot != "" {
		out["lotNumber"] = lot
	}
	return out
}

// convertRefusesWithoutRight: a certificate is read for nobody who was not granted it.
func convertRefusesWithoutRight(t *testing.T, s *harness.System) {
	text := issue(t, s, harness.VS(t, hcid(t)+"-CONVERT")).Text
	body := harness.JSON(t, map[string]any{"resourceType": "Parameters", "parameter": []any{map[string]any{"name": "certificate", "valueString": text}}})
	refused(t, post(t, s, "/ddcc/$convert", body), http.StatusForbidden)
}
