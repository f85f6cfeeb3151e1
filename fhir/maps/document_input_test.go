package maps_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func TestDocumentIDs(t *testing.T) {
	t.Parallel()
	first, err := maps.Document(input(vaccination()))
	if err != nil {
		t.Fatal(err)
	}
	in := input(vaccination())
	in.CertificateID = "018f3b5e-7c1a-7b2d-8e4f-0123456789ff"
	second, err := maps.Document(in)
	if err != nil {
		t.Fatal(err)
	}
	if first.IDs.Patient != patientID || second.IDs.Patient != patientID {
		t.Error("the patient is not the same in both documents")
	}
	if first.IDs.Bundle != certificateID || first.IDs.Composition == second.IDs.Composition || first.IDs.Event == second.IDs.Event {
		t.Errorf("ids %+v and %+v", first.IDs, second.IDs)
	}
	if len(first.IDs.QR) != 1 || first.IDs.Event[14] != '8' || !strings.Contains("89ab", first.IDs.Event[19:20]) {
		t.Errorf("not a UUID of version 8: %+v", first.IDs)
	}
	if first.WhoReference != "urn:uuid:"+first.IDs.Organization {
		t.Errorf("who %q", first.WhoReference)
	}
}

func TestDocumentHoldsTheQRCode(t *testing.T) {
	t.Parallel()
	out, err := maps.Document(input(vaccination()))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"HC1:ABC+-.", "\x89PNG\r\n\x1a\n"} {
		if !bytes.Contains(out.JSON, []byte(base64.StdEncoding.EncodeToString([]byte(s)))) {
			t.Errorf("%q is not in the document", s)
		}
	}
}

func TestDocumentRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		kind   fault.Kind
		code   string
		change func(in *maps.DocumentInput)
	}{
		{"no id", fault.Internal, "document-input", func(in *maps.DocumentInput) { in.CertificateID = "" }},
		{"upper case id", fault.Internal, "document-input", func(in *maps.DocumentInput) { in.CertificateID = strings.ToUpper(certificateID) }},
		{"patient id", fault.Internal, "document-input", func(in *maps.DocumentInput) { in.PatientID = "1" }},
		{"same ids", fault.Internal, "document-input", func(in *maps.DocumentInput) { in.PatientID = in.CertificateID }},
		{"no time", fault.Internal, "document-input", func(in *maps.DocumentInput) { in.IssuedAt = time.Time{} }},
		{"no authority", fault.Internal, "document-input", func(in *maps.DocumentInput) { in.Authority.Name = " " }},
		{"QR without image", fault.Internal, "document-input", func(in *maps.DocumentInput) { in.QR[0].PNG = nil }},
		{"QR of unknown type", fault.Internal, "document-input", func(in *maps.DocumentInput) { in.QR[0].Type = "x" }},
		{"other authority", fault.Rule, "authority-mismatch", func(in *maps.DocumentInput) { in.Authority.Identifier = "PHA-2" }},
		{"other namespace", fault.Rule, "authority-mismatch", func(in *maps.DocumentInput) { in.Core.Certificate.Issuer.System = "urn:oid:2.999" }},
		{"other document", fault.Rule, "ddccid-mismatch", func(in *maps.DocumentInput) { in.Core.Certificate.DDCCID = patientID }},
		{"no name", fault.Rule, "core-data-set", func(in *maps.DocumentInput) { in.Core.Name = "" }},
		{"empty", fault.Rule, "core-data-set", func(in *maps.DocumentInput) { in.Core = fhir.CoreDataSet{} }},
	} {
		in := input(vaccination())
		tt.change(&in)
		_, err := maps.Document(in)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != tt.kind || f.Code != tt.code || tt.kind == fault.Rule && len(f.Issues) == 0 {
			t.Errorf("%s: %+v", tt.name, err)
		}
	}
}

func TestPractitionerSystem(t *testing.T) {
	t.Parallel()
	system := func(change func(in *maps.DocumentInput)) string {
		in := input(vaccination())
		change(&in)
		out, err := maps.Document(in)
		if err != nil {
			t.Fatal(err)
		}
		var doc object
		if err := json.Unmarshal(out.JSON, &doc); err != nil {
			t.Fatal(err)
		}
		return dig(doc, "entry.3.resource.identifier.0.system").(string)
	}
	derived := system(func(*maps.DocumentInput) {})
	if !strings.HasPrefix(derived, "urn:uuid:") || derived != system(func(in *maps.DocumentInput) { in.CertificateID = "018f3b5e-7c1a-7b2d-8e4f-0123456789ff" }) {
		t.Errorf("derived system %q", derived)
	}
	if derived == system(func(in *maps.DocumentInput) { in.Authority.System = "urn:oid:2.999" }) {
		t.Error("two authorities share a namespace")
	}
	if got := system(func(in *maps.DocumentInput) { in.PractitionerSystem = "urn:oid:7" }); got != "urn:oid:7" {
		t.Errorf("option ignored: %q", got)
	}
}

// TestLegacyDocument: the switch brings back what readers of the old guide look for.
func TestLegacyDocument(t *testing.T) {
	t.Parallel()
	in := input(vaccination())
	plain, err := maps.Document(in)
	if err != nil {
		t.Fatal(err)
	}
	in.Legacy = true
	legacy, err := maps.Document(in)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(legacy.JSON, []byte("smart.who.int")) || bytes.Contains(plain.JSON, []byte("worldhealthorganization")) {
		t.Error("two bases in one document")
	}
	for _, name := range []string{"/StructureDefinition/DDCCVaccineBrand", "/StructureDefinition/DDCCCountryOfVaccination",
		"/CodeSystem/DDCC-QR-Format-CodeSystem", "/CodeSystem/DDCC-QR-Category-Usage-CodeSystem", "/CodeSystem/DDCC-Composition-Category-CodeSystem"} {
		if !bytes.Contains(legacy.JSON, []byte(name)) || bytes.Contains(plain.JSON, []byte(name)) {
			t.Errorf("%s: in the legacy document %v", name, bytes.Contains(legacy.JSON, []byte(name)))
		}
	}
}

func TestDocumentTakesEveryQRType(t *testing.T) {
	t.Parallel()
	in := input(vaccination())
	in.QR = nil
	for _, kind := range []string{"who", "dcc", "icao", "au", "shc", "divoc", "who"} {
		in.QR = append(in.QR, maps.QRImage{Type: kind, Text: "x", PNG: []byte("x")})
	}
	out, err := maps.Document(in)
	if err != nil {
		t.Fatal(err)
	}
	if problems := check(out.JSON); len(problems) > 0 || len(out.IDs.QR) != 7 {
		t.Errorf("%v %v", problems, out.IDs.QR)
	}
}

func TestNarrativeIsForPeople(t *testing.T) {
	t.Parallel()
	core := vaccination()
	core.Vaccination.Centre = `A <b> & "c"`
	out, err := maps.Document(input(core))
	if err != nil {
		t.Fatal(err)
	}
	var doc object
	if err := json.Unmarshal(out.JSON, &doc); err != nil {
		t.Fatal(err)
	}
	div, _ := dig(doc, "entry.0.resource.section.0.text.div").(string)
	for _, want := range []string{"COVID-19 vaccine, RNA based", "Switzerland", "A &lt;b&gt; &amp; &quot;c&quot;"} {
		if !strings.Contains(div, want) {
			t.Errorf("no %q in %s", want, div)
		}
	}
}
