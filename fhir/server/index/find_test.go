package index_test

import (
	"slices"
	"strings"
	"testing"
)

// people are fictitious.
var people = []string{
	`{"resourceType":"Patient","id":"anna","active":true,"gender":"female","birthDate":"1980-02-29",
	  "meta":{"tag":[{"system":"urn:t","code":"demo"}],"profile":["http://p.example/a"],"source":"urn:feed"},
	  "name":[{"family":"Müller Specimen","given":["Anna","María"]}],
	  "identifier":[{"system":"urn:mrn","value":"1,2|3","type":{"coding":[{"system":"urn:idtype","code":"MR"}],"text":"Medical record"}}],
	  "telecom":[{"system":"phone","value":"+1-555","use":"home"},{"system":"email","value":"a@x.example"}],
	  "managingOrganization":{"reference":"Organization/o1"}}`,
	`{"resourceType":"Patient","id":"bob","gender":"male","birthDate":"1980-02","deceasedBoolean":false,
	  "name":[{"family":"O'Specimen","given":["Bob"]}],"identifier":[{"value":"77"}],
	  "managingOrganization":{"reference":"https://fhir.example.org/r4/Organization/o1/_history/3"}}`,
	`{"resourceType":"Patient","id":"cleo","gender":"female","birthDate":"1990","deceasedDateTime":"2020-01-01",
	  "name":[{"family":"Muller"}],"identifier":[{"system":"urn:mrn","value":"9"}],
	  "managingOrganization":{"reference":"https://elsewhere.example/Organization/o1"}}`,
	`{"resourceType":"Organization","id":"o1","name":"Clinic Specimen","identifier":[{"system":"urn:org","value":"C1"}],"partOf":{"reference":"Organization/o2"}}`,
	`{"resourceType":"Organization","id":"o2","name":"Ministry Specimen"}`,
	`{"resourceType":"Observation","id":"w1","status":"final","subject":{"reference":"Patient/anna"},
	  "code":{"coding":[{"system":"http://loinc.org","code":"29463-7","display":"Body Weight"}],"text":"Weight"},
	  "effectiveDateTime":"2020-05-05T10:00:00+02:00","valueQuantity":{"value":70.0,"unit":"kilo","system":"http://unitsofmeasure.org","code":"kg"}}`,
	`{"resourceType":"Observation","id":"w2","status":"final","subject":{"reference":"Patient/bob"},
	  "code":{"coding":[{"system":"http://loinc.org","code":"29463-7"},{"code":"local"}]},
	  "effectivePeriod":{"start":"2020-05"},"valueQuantity":{"value":70.4,"unit":"kg"}}`,
	`{"resourceType":"Observation","id":"bp","status":"amended","subject":{"reference":"Patient/anna","identifier":{"system":"urn:mrn","value":"1,2|3"}},
	  "code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"effectiveDateTime":"2020-05-06",
	  "component":[
	    {"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120,"system":"http://unitsofmeasure.org","code":"mm[Hg]"}},
	    {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":80,"system":"http://unitsofmeasure.org","code":"mm[Hg]"}}]}`,
	`{"resourceType":"ValueSet","id":"v1","url":"http://v.example/fhir/ValueSet/1","version":"2","status":"active"}`,
	`{"resourceType":"ValueSet","id":"v11","url":"http://v.example/fhir/ValueSet/11","version":"1","status":"active"}`,
	`{"resourceType":"Questionnaire","id":"q","url":"http://v.example/q","version":"1","status":"active"}`,
	`{"resourceType":"QuestionnaireResponse","id":"a1","status":"completed","questionnaire":"http://v.example/q|1"}`,
	`{"resourceType":"QuestionnaireResponse","id":"a2","status":"completed","questionnaire":"http://v.example/q|2"}`,
	`{"resourceType":"RiskAssessment","id":"r1","status":"final","subject":{"reference":"Patient/anna"},"prediction":[{"probabilityDecimal":0.25}]}`,
	`{"resourceType":"RiskAssessment","id":"r2","status":"final","subject":{"reference":"Patient/bob"},"prediction":[{"probabilityRange":{"low":{"value":1},"high":{"value":3}}}]}`,
}

func populated(t *testing.T) *store {
	t.Helper()
	s := open(t)
	for _, raw := range people {
		s.put(t, raw)
	}
	return s
}

func TestKnownAnswers(t *testing.T) {
	t.Parallel()
	s := populated(t)
	for query, want := range map[string]string{
		// token
		"Patient?gender=female": "anna cleo",
		"Patient?gender=http://hl7.org/fhir/administrative-gender|female": "anna cleo",
		"Patient?gender=|female":                           "",
		"Patient?gender=FEMALE":                            "",
		"Patient?gender:not=female":                        "bob",
		"Patient?gender=male,female":                       "anna bob cleo",
		"Patient?gender=male&gender=female":                "",
		`Patient?identifier=urn:mrn|1\,2\|3`:               "anna",
		`Patient?identifier=1\,2\|3`:                       "anna",
		"Patient?identifier=urn:mrn|":                      "anna cleo",
		"Patient?identifier=|77":                           "bob",
		`Patient?identifier:of-type=urn:idtype|MR|1\,2\|3`: "anna",
		"Patient?identifier:text=medical":                  "anna",
		"Patient?active=true":                              "anna",
		"Patient?active:not=true":                          "bob cleo",
		"Patient?active:missing=true":                      "bob cleo",
		"Patient?active:missing=false":                     "anna",
		"Patient?deceased=true":                            "cleo",
		"Patient?deceased=false":                           "anna bob",
		"Patient?phone=%2B1-555":                           "anna",
		"Patient?email=a@x.example":                        "anna",
		"Patient?phone=a@x.example":                        "",
		"Patient?telecom=home|%2B1-555":                    "anna",
		"Patient?_tag=urn:t|demo":                          "anna",
		"Patient?_profile=http://p.example/a":              "anna",
		"Patient?_source=urn:feed":                         "anna",
		"Patient?_id=anna,bob,nobody":                      "anna bob",
		"Patient?_id=anna&_id=bob":                         "",
		"Observation?code:text=body":                       "w1",
		"Observation?code=local":                           "w2",
		"Observation?code=|local":                          "w2",
		// string
		"Patient?family=muller":             "anna cleo",
		"Patient?family=MÜLLER spec":        "anna",
		"Patient?family:exact=Muller":       "cleo",
		"Patient?family:contains=specimen":  "anna bob",
		"Patient?name=maria":                "anna",
		"Patient?name=o%27spec":             "bob",
		"Patient?given=ann,bo":              "anna bob",
		"Organization?name=clinic specimen": "o1",
		// date
		"Patient?birthdate=1980":                         "anna bob",
		"Patient?birthdate=1980-02":                      "anna bob",
		"Patient?birthdate=1980-02-29":                   "anna",
		"Patient?birthdate=gt1980-02-28":                 "anna bob cleo",
		"Patient?birthdate=sa1980-02":                    "cleo",
		"Patient?birthdate=lt1980-02-29":                 "bob",
		"Patient?birthdate=eb1980-02-29":                 "",
		"Patient?birthdate=ge1985&birthdate=le1995":      "cleo",
		"Patient?birthdate=ne1980":                       "cleo",
		"Patient?death-date=2020":                        "cleo",
		"Observation?date=2020-05-05":                    "w1",
		"Observation?date=2020-05-05T08:00Z":             "w1",
		"Observation?date=2020-05-05T10:00:00%2B02:00":   "w1",
		"Observation?date=gt2030":                        "w2",
		"Observation?date=2020-05":                       "bp w1",
		"Observation?date=ap2020-05-06":                  "bp w1 w2",
		"Observation?_lastUpdated=ge2026-11-21":          "bp w1 w2",
		"Observation?_lastUpdated=lt2026-11-21T12:00:00": "",
		// reference
		"Observation?subject=Patient/anna":                                 "bp w1",
		"Observation?subject=anna":                                         "bp w1",
		"Observation?subject:Patient=anna":                                 "bp w1",
		"Observation?patient=anna":                                         "bp w1",
		"Observation?subject=Group/anna":                                   "",
		"Observation?subject=https://fhir.example.org/r4/Patient/anna":     "bp w1",
		`Observation?subject:identifier=urn:mrn|1\,2\|3`:                   "bp",
		"Patient?organization=Organization/o1":                             "anna bob",
		"Patient?organization=https://fhir.example.org/r4/Organization/o1": "anna bob",
		"Patient?organization=https://elsewhere.example/Organization/o1":   "cleo",
		"Patient?organization=Organization/o1/_history/3":                  "bob",
		"QuestionnaireResponse?questionnaire=http://v.example/q":           "a1 a2",
		"QuestionnaireResponse?questionnaire=http://v.example/q|2":         "a2",
		"Observation?subject:missing=false":                                "bp w1 w2",
		// quantity, number, composite
		"Observation?value-quantity=70":                                           "w1 w2",
		"Observation?value-quantity=70.0":                                         "w1",
		"Observation?value-quantity=70.0|http://unitsofmeasure.org|kg":            "w1",
		"Observation?value-quantity=70.4||kg":                                     "w2",
		"Observation?value-quantity=gt70||kg":                                     "w2",
		"Observation?value-quantity=ge70||kilo":                                   "w1",
		"Observation?value-quantity=ap75":                                         "w1 w2",
		"Observation?value-quantity=7e1":                                          "w1 w2",
		"Observation?component-value-quantity=lt100":                              "bp",
		"Observation?component-code-value-quantity=http://loinc.org|8480-6$gt100": "bp",
		"Observation?component-code-value-quantity=http://loinc.org|8462-4$gt100": "",
		"Observation?combo-code-value-quantity=8462-4$lt100,29463-7$70.4":         "bp w2",
		"Observation?combo-value-quantity=70.4":                                   "w2",
		"RiskAssessment?probability=0.25":                                         "r1",
		"RiskAssessment?probability=gt2":                                          "r2",
		"RiskAssessment?probability=sa2":                                          "",
		// uri
		"ValueSet?url=http://v.example/fhir/ValueSet/1":                  "v1",
		"ValueSet?url:below=http://v.example/fhir/ValueSet/1":            "v1 v11",
		"ValueSet?url:above=http://v.example/fhir/ValueSet/1/_history/5": "v1",
		// chains
		"Observation?subject:Patient.name=muller":                        "bp w1",
		"Observation?patient.identifier=urn:mrn|":                        "bp w1",
		"Observation?subject.gender:not=female":                          "w2",
		"Observation?patient._id=bob":                                    "w2",
		"Observation?patient.organization.name=clinic":                   "bp w1 w2",
		"Patient?organization.name=clinic":                               "anna bob",
		"Patient?_has:Observation:patient:code=http://loinc.org|29463-7": "anna bob",
		"Patient?_has:Observation:subject:status=amended":                "anna",
		"Organization?_has:Patient:organization:gender=male":             "o1",
		// several types
		"?_id=anna,o1":                "anna o1",
		"?_type=Patient,Organization": "anna bob cleo o1 o2",
		"?_type=Patient&_tag=demo":    "anna",
	} {
		if got := strings.Join(s.ids(t, escapeSpaces(query)), " "); got != want {
			t.Errorf("%s = %q, want %q", query, got, want)
		}
	}
}

func escapeSpaces(query string) string { return strings.ReplaceAll(query, " ", "%20") }

func TestIncludes(t *testing.T) {
	t.Parallel()
	s := populated(t)
	for query, want := range map[string]string{
		"Observation?_id=w1&_include=Observation:subject":                                              "Patient/anna",
		"Observation?_include=Observation:subject":                                                     "Patient/anna Patient/bob",
		"Observation?_include=Observation:subject:Group":                                               "",
		"Observation?_id=w1&_include=Observation:*":                                                    "Patient/anna",
		"Observation?_id=w1&_include=*":                                                                "Patient/anna",
		"Patient?_id=anna&_revinclude=Observation:subject":                                             "Observation/bp Observation/w1",
		"Patient?_id=bob&_include=Patient:organization":                                                "Organization/o1",
		"Patient?_id=cleo&_include=Patient:organization":                                               "",
		"Patient?_id=anna&_include=Patient:organization&_include=Organization:partof":                  "Organization/o1",
		"Patient?_id=anna&_include=Patient:organization&_include:iterate=Organization:partof":          "Organization/o1 Organization/o2",
		"Organization?_id=o1&_revinclude=Patient:organization&_revinclude:iterate=Observation:subject": "Observation/bp Observation/w1 Observation/w2 Patient/anna Patient/bob",
		"QuestionnaireResponse?_id=a1&_include=QuestionnaireResponse:questionnaire":                    "Questionnaire/q",
		"QuestionnaireResponse?_id=a2&_include=QuestionnaireResponse:questionnaire":                    "",
		"Questionnaire?_revinclude=QuestionnaireResponse:questionnaire":                                "QuestionnaireResponse/a1",
		"Organization?_include=Organization:partof":                                                    "", // o2 is a match already
	} {
		found := s.names(t, s.find(t, parse(t, query)), "include")
		slices.Sort(found)
		if got := strings.Join(found, " "); got != want {
			t.Errorf("%s = %q, want %q", query, got, want)
		}
	}
}
