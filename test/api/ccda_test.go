package api_test

import (
	"bytes"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

const (
	pathCCDAConvert = "/ddcc/ClinicalDocument/$convert"
	pathCCDAFolder  = "/ddcc/ClinicalDocument/$generateHealthFolder"
)

var xmlHeader = map[string]string{"Content-Type": "application/cda+xml"}

// record is the fictitious record that the converter's own tests read.
func record(t *testing.T) []byte {
	t.Helper()
	raw, err := os.ReadFile("../../fhir/ccda/testdata/ccd.xml")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestClinicalDocument: a record of general care becomes FHIR, and its vaccination a
// certificate under what the hospital agreed.
func TestClinicalDocument(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	hospital, ccd := p.client(t, hospitalIssuer), record(t)
	convert := exchange{method: http.MethodPost, path: pathCCDAConvert, header: xmlHeader, body: ccd, client: hospital, want: 200}
	_, body := s.do(t, g.mediatorURL, convert)
	bundle := first(answerOf(t, body), "return").Resource
	for _, kind := range []string{"Patient", "Immunization", "Composition", "AllergyIntolerance", "Condition"} {
		if !bytes.Contains(bundle, []byte(`"resourceType":"`+kind+`"`)) {
			t.Errorf("no %s", kind)
		}
	}
	if _, again := s.do(t, g.mediatorURL, convert); !bytes.Equal(body, again) {
		t.Error("the same document converts differently")
	}
	folder := exchange{method: http.MethodPost, path: pathCCDAFolder, header: xmlHeader, body: ccd, client: hospital, want: 200}
	header, list := s.do(t, g.mediatorURL, folder)
	if bytes.Count(list, []byte(`"reference":"Bundle/`)) != 1 {
		t.Errorf("%.400s", list)
	}
	if again, _ := s.do(t, g.mediatorURL, folder); again.Get("Location") != header.Get("Location") {
		t.Error("the same document has another folder")
	}
	taken := folder
	taken.body, taken.want = bytes.Replace(ccd, []byte("<given>Anna</given>"), []byte("<given>Berta</given>"), 1), 409
	s.do(t, g.mediatorURL, taken)
}

// TestClinicalDocumentRefusals: with what the web holds against XML readers among it.
func TestClinicalDocumentRefusals(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	sound, s := newSigner(t, p), load(t, "mediator.yaml")
	g := newGateway(t, p, sound)
	hospital, ccd := p.client(t, hospitalIssuer), record(t)
	bomb := []byte(`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><ClinicalDocument xmlns="urn:hl7-org:v3">&b;</ClinicalDocument>`)
	send := func(path string, client *http.Client, header map[string]string, body []byte, want int) {
		t.Helper()
		s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: path, client: client, header: header, body: body, want: want, lenient: true})
	}
	two := []byte(strings.Replace(string(ccd), "<recordTarget", "<recordTarget><patientRole><id root=\"1.2.3\" extension=\"x\"/><patient><name><given>Zoe</given></name></patient></patientRole></recordTarget><recordTarget", 1))
	for _, path := range []string{pathCCDAConvert, pathCCDAFolder} {
		send(path, p.client(t, ""), xmlHeader, ccd, 401)
		send(path, p.client(t, "urn:nobody"), xmlHeader, ccd, 403)
		send(path, hospital, xmlHeader, bomb, 400)
		send(path, hospital, xmlHeader, []byte(`{}`), 400)
		send(path, hospital, xmlHeader, two, 422)
		send(path, hospital, fhirJSON, ccd, 415)
		send(path, hospital, xmlHeader, bytes.Repeat([]byte(" "), 8<<20+1), 413)
	}
	send(pathCCDAConvert+"?type=batch", hospital, xmlHeader, ccd, 400)
	send(pathCCDAFolder, p.client(t, devpki.IssuerName), xmlHeader, ccd, 422) // agreed nothing
	xmlWith := func(name, value string) map[string]string {
		return map[string]string{"Content-Type": "text/xml", name: value}
	}
	send(pathCCDAFolder, hospital, xmlWith("Accept", "application/pdf"), ccd, 406)
	send(pathCCDAFolder, hospital, xmlWith("If-None-Match", "*"), ccd, 412)
	slow := p.client(t, slowHospital)
	send(pathCCDAConvert, slow, xmlHeader, ccd, 200)
	send(pathCCDAConvert, slow, xmlHeader, ccd, 429)
	send(pathCCDAFolder, slow, xmlHeader, ccd, 429)

	nonsense := newEngine(t, 0, httpx.Problem)
	nonsense.POST("/v1/certificates", func(c *gin.Context) { c.String(http.StatusOK, "hello") })
	sound.url = p.serve(t, nonsense)
	g = newGateway(t, p, sound)
	send(pathCCDAFolder, hospital, xmlHeader, ccd, 502)
	if err := g.registry.Close(); err != nil {
		t.Fatal(err)
	}
	send(pathCCDAFolder, hospital, xmlHeader, ccd, 503)
}
