package fhir_test

import (
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir"
)

func TestParseCanonical(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, url, legacy, version string }{
		{"http://smart.who.int/ddcc/StructureDefinition/DDCCPatient", "http://smart.who.int/ddcc/StructureDefinition/DDCCPatient",
			"http://worldhealthorganization.github.io/ddcc/StructureDefinition/DDCCPatient", ""},
		{"https://smart.who.int/ddcc/StructureDefinition/DDCCVaccineBrand", "http://smart.who.int/ddcc/StructureDefinition/DDCCEventBrand",
			"http://worldhealthorganization.github.io/ddcc/StructureDefinition/DDCCEventBrand", ""},
		{"https://WorldHealthOrganization.github.io/ddcc/StructureDefinition/DDCCCountryOfVaccination|RC2",
			"http://smart.who.int/ddcc/StructureDefinition/DDCCCountryOfEvent",
			"http://worldhealthorganization.github.io/ddcc/StructureDefinition/DDCCCountryOfEvent", "RC2"},
		{"http://worldhealthorganization.github.io/ddcc/CodeSystem/DDCC-QR-Format-CodeSystem", "http://smart.who.int/ddcc/CodeSystem/DDCCQRFormatCodeSystem",
			"http://worldhealthorganization.github.io/ddcc/CodeSystem/DDCC-QR-Format-CodeSystem", ""},
		{"HTTP://Smart.WHO.int/ddcc/DDCCVSCoreDataSetQuestionnaire|0.1.0", "http://smart.who.int/ddcc/DDCCVSCoreDataSetQuestionnaire",
			"http://worldhealthorganization.github.io/ddcc/DDCCVSCoreDataSetQuestionnaire", "0.1.0"},
	} {
		c, ok := fhir.ParseCanonical(tt.in)
		if !ok || c.URL() != tt.url || c.LegacyURL() != tt.legacy || c.Version != tt.version {
			t.Errorf("%s: %+v, %s, %s", tt.in, c, c.URL(), c.LegacyURL())
		}
	}
	for _, in := range []string{
		"", "|", "DDCCPatient", "http://smart.who.int/ddcc/", "http://smart.who.int/DDCC/StructureDefinition/DDCCPatient",
		"http://smart.who.int.example.org/ddcc/DDCCPatient", "http://example.org/ddcc/DDCCPatient", "ftp://smart.who.int/ddcc/DDCCPatient",
		"http://smart.who.int/ddcc/StructureDefinition/", "http://smart.who.int/ddcc/StructureDefinition/a/b", "http://smart.who.int/ddcc/a?b",
	} {
		if c, ok := fhir.ParseCanonical(in); ok {
			t.Errorf("%q read as %+v", in, c)
		}
	}
}

func FuzzParseCanonical(f *testing.F) {
	f.Add("http://smart.who.int/ddcc/CodeSystem/DDCC-QR-Format-CodeSystem|1")
	f.Fuzz(func(t *testing.T, s string) {
		c, ok := fhir.ParseCanonical(s)
		if !ok {
			return
		}
		for _, url := range []string{c.URL(), c.LegacyURL()} {
			again, ok := fhir.ParseCanonical(url)
			again.Version = c.Version
			if !ok || again != c {
				t.Fatalf("%q gives %+v, its %q gives %+v", s, c, url, again)
			}
		}
	})
}

func TestQuestionnaires(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"http://smart.who.int/ddcc/DDCCVSCoreDataSetQuestionnaire", "http://worldhealthorganization.github.io/ddcc/DDCCVSCoreDataSetQuestionnaire",
		"https://smart.who.int/ddcc/Questionnaire/DDCCVSCoreDataSetQuestionnaire|0.1.0",
	} {
		if q, ok := fhir.QuestionnaireByCanonical(url); !ok || q.Test || len(q.Items()) != 22 {
			t.Errorf("%s: %v %+v", url, ok, q)
		}
	}
	for _, url := range []string{"", "http://smart.who.int/ddcc/Other", "http://smart.who.int/ddcc/StructureMap/DDCCVSCoreDataSetQuestionnaire"} {
		if _, ok := fhir.QuestionnaireByCanonical(url); ok {
			t.Errorf("%s is a questionnaire", url)
		}
	}
	required := map[string][]string{
		"DDCCVSCoreDataSetQuestionnaire": {"name", "vaccine", "brand", "lot", "date", "dose", "country", "centre", "pha", "hcid"},
		"DDCCTRCoreDataSetQuestionnaire": {"name", "birthDate", "pathogen", "type", "date", "result", "country", "pha", "hcid"},
	}
	for _, q := range []fhir.Questionnaire{fhir.QuestionnaireVS(), fhir.QuestionnaireTR()} {
		want := map[string]bool{}
		for _, id := range required[q.Name] {
			want[id] = true
		}
		seen := map[string]bool{}
		for _, i := range q.Items() {
			if i.Required != want[i.LinkID] || seen[i.LinkID] || i.Target != "" && seen[i.Target] {
				t.Errorf("%s: %+v", q.Name, i)
			}
			seen[i.LinkID], seen[i.Target] = true, true
		}
	}
	date, _ := fhir.QuestionnaireTR().Item("date")
	centre, _ := fhir.QuestionnaireTR().Item("centre")
	if !date.Accepts("Date") || !date.Accepts("DateTime") || date.Accepts("String") || date.Expects() != "valueDate or valueDateTime" {
		t.Errorf("date %+v", date)
	}
	if !centre.Accepts("Coding") || !centre.Accepts("String") || centre.Accepts("Date") || centre.Expects() != "valueCoding or valueString" {
		t.Errorf("centre %+v", centre)
	}
}
