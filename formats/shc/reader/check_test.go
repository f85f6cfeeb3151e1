package reader

import (
	"slices"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	const (
		immunization = `"resourceType":"Immunization",`
		lot          = `,"lotNumber":"0000007"`
		vaccine      = `{"system":"http://hl7.org/fhir/sid/cvx","code":"207"}`
		date         = `"occurrenceDateTime":"2021-01-29"`
	)
	const bundle, second = "vc.credentialSubject.fhirBundle", "vc.credentialSubject.fhirBundle.entry[1]"
	for name, c := range map[string]struct {
		old, replacement string
		severity         Severity
		rule             Rule
		path             string
	}{
		"iss http":              {"https://issuer.example", "http://issuer.example", SeverityError, RuleIssuer, "iss"},
		"iss slash":             {"https://issuer.example", "https://issuer.example/", SeverityError, RuleIssuer, "iss"},
		"iss query":             {"https://issuer.example", "https://issuer.example?a", SeverityError, RuleIssuer, "iss"},
		"iss no URL":            {"https://issuer.example", "issuer", SeverityError, RuleIssuer, "iss"},
		"exp before nbf":        {`"vc":`, `"exp":1000,"vc":`, SeverityError, RuleValidity, "exp"},
		"rid too long":          {"MKyCxh7p6uQ", strings.Repeat("a", 25), SeverityError, RuleRevocationID, "vc.rid"},
		"rid not base64url":     {"MKyCxh7p6uQ", "a+b", SeverityError, RuleRevocationID, "vc.rid"},
		"FHIR version":          {`"4.0.1"`, `"R4"`, SeverityError, RuleFHIRVersion, "vc.credentialSubject.fhirVersion"},
		"FHIR version a number": {`"4.0.1"`, `4`, SeverityError, RuleFHIRVersion, "vc.credentialSubject.fhirVersion"},
		"white space around":    {`{"iss"`, ` {"iss"`, SeverityError, RuleMinified, ""},
		"white space within":    {`"vc":`, `"vc": `, SeverityWarning, RuleMinified, ""},
		"no health card":        {`"https://smarthealth.cards#health-card",`, ``, SeverityError, RuleType, "vc.type"},
		"unneeded laboratory":   {`#covid19"`, `#covid19","https://smarthealth.cards#laboratory"`, SeverityWarning, RuleType, "vc.type[3]"},
		"no immunization":       {`"https://smarthealth.cards#immunization",`, ``, SeverityWarning, RuleType, "vc.type"},
		"other bundle type":     {`"collection"`, `"document"`, SeverityError, RuleBundle, bundle + ".type"},
		"no bundle":             {`"resourceType":"Bundle"`, `"resourceType":"List"`, SeverityError, RuleBundle, bundle + ".resourceType"},
		"no entries":            {`"entry":[`, `"entry":[],"other":[`, SeverityError, RuleBundle, bundle + ".entry"},
		"no patient":            {`"resourceType":"Patient"`, `"resourceType":"Person"`, SeverityError, RulePatient, bundle + ".entry"},
		"two patients":          {specimenPatient, specimenPatient + "," + strings.Replace(specimenPatient, "resource:0", "resource:2", 1), SeverityError, RulePatient, bundle + ".entry"},
		"fullUrl":               {`"fullUrl":"resource:1"`, `"fullUrl":"urn:uuid:1"`, SeverityError, RuleFullURL, second + ".fullUrl"},
		"fullUrl twice":         {`"fullUrl":"resource:1"`, `"fullUrl":"resource:0"`, SeverityError, RuleFullURL, second + ".fullUrl"},
		"fullUrl out of order":  {`"fullUrl":"resource:1"`, `"fullUrl":"resource:7"`, SeverityWarning, RuleFullURL, second + ".fullUrl"},
		"fullUrl leading zero":  {`"fullUrl":"resource:1"`, `"fullUrl":"resource:01"`, SeverityError, RuleFullURL, second + ".fullUrl"},
		"no resource":           {specimenImmunization, `{"fullUrl":"resource:1"}`, SeverityError, RuleResource, second + ".resource"},
		"entry is text":         {specimenImmunization, `"x"`, SeverityError, RuleFullURL, second + ".fullUrl"},
		"resource type":         {immunization, `"resourceType":"immunization",`, SeverityError, RuleResource, second + ".resource"},
		"long reference":        {`"reference":"resource:0"`, `"reference":"Patient/0"`, SeverityError, RuleReference, second + ".resource.patient.reference"},
		"dangling reference":    {`"reference":"resource:0"`, `"reference":"resource:5"`, SeverityError, RuleReference, second + ".resource.patient.reference"},
		"reference is a number": {`"reference":"resource:0"`, `"reference":0`, SeverityError, RuleReference, second + ".resource.patient.reference"},
		"no reference":          {`"patient":{"reference":"resource:0"}`, `"patient":{"display":"x"}`, SeverityError, RuleReference, second + ".resource.patient"},
		"resource id":           {immunization, immunization + `"id":"1",`, SeverityWarning, RuleMinimal, second + ".resource.id"},
		"narrative":             {immunization, immunization + `"text":{"status":"generated","div":"x"},`, SeverityWarning, RuleMinimal, second + ".resource.text"},
		"display":               {`"code":"207"`, `"code":"207","display":"x"`, SeverityWarning, RuleMinimal, second + ".resource.vaccineCode.coding[0].display"},
		"codeable text":         {`"vaccineCode":{`, `"vaccineCode":{"text":"x",`, SeverityWarning, RuleMinimal, second + ".resource.vaccineCode.text"},
		"meta":                  {immunization, immunization + `"meta":{"versionId":"1"},`, SeverityWarning, RuleMeta, second + ".resource.meta"},
		"security":              {immunization, immunization + `"meta":{"security":[{"system":"x"}]},`, SeverityError, RuleMeta, second + ".resource.meta.security"},
		"security is an object": {immunization, immunization + `"meta":{"security":{"code":"x"}},`, SeverityError, RuleMeta, second + ".resource.meta.security"},
		"empty string":          {`"0000007"`, `""`, SeverityError, RuleEmpty, second + ".resource.lotNumber"},
		"null":                  {`"0000007"`, `null`, SeverityError, RuleEmpty, second + ".resource.lotNumber"},
		"empty object":          {`"actor":{"display":"Specimen Hospital"}`, `"actor":{}`, SeverityError, RuleEmpty, second + ".resource.performer[0].actor"},
		"empty list":            {lot, `,"note":[]`, SeverityError, RuleEmpty, second + ".resource.note"},
		"name as a member":      {lot, `,"Ada Specimen":""`, SeverityError, RuleEmpty, second + ".resource.?"},
		"no coding":             {`"coding":[` + vaccine + `]`, `"x":"y"`, SeverityError, RuleCoding, second + ".resource.vaccineCode"},
		"no system":             {`"system":"http://hl7.org/fhir/sid/cvx",`, ``, SeverityError, RuleCoding, second + ".resource.vaccineCode.coding[0]"},
		"status":                {`"completed"`, `"not-done"`, SeverityError, RuleStatus, second + ".resource.status"},
		"no occurrence":         {date + ",", ``, SeverityError, RuleOccurrence, second + ".resource"},
		"two occurrences":       {date, date + `,"occurrenceString":"x"`, SeverityError, RuleOccurrence, second + ".resource"},
		"impossible date":       {"2021-01-29", "2021-02-30", SeverityError, RuleDate, second + ".resource.occurrenceDateTime"},
		"date of another form":  {"2021-01-29", "29.01.2021", SeverityError, RuleDate, second + ".resource.occurrenceDateTime"},
		"time":                  {"2021-01-29", "2021-01-29T10:00:00Z", SeverityWarning, RuleDate, second + ".resource.occurrenceDateTime"},
		"birth date":            {"1975-12-10", "1975-12-10T00:00:00Z", SeverityError, RuleDate, bundle + ".entry[0].resource.birthDate"},
		"no name":               {`"name":[{"family":"Specimen","given":["Ada"]}],`, ``, SeverityError, RulePatient, bundle + ".entry[0].resource.name"},
		"name without parts":    {`{"family":"Specimen","given":["Ada"]}`, `{"use":"official"}`, SeverityError, RulePatient, bundle + ".entry[0].resource.name[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			payload := strings.Replace(specimenPayload, c.old, c.replacement, 1)
			if payload == specimenPayload {
				t.Fatal("the case changes nothing")
			}
			wantProblem(t, payload, Problem{Severity: c.severity, Rule: c.rule, Path: c.path})
		})
	}
}

func wantProblem(t *testing.T, payload string, want Problem) {
	t.Helper()
	m, err := Decode(unsigned(t, specimenHeader, payload))
	if err != nil {
		t.Fatal(err)
	}
	problems := m.Check()
	if !slices.ContainsFunc(problems, func(p Problem) bool {
		return p.Severity == want.Severity && p.Rule == want.Rule && p.Path == want.Path && p.Detail != ""
	}) {
		t.Errorf("got %+v, want %+v", problems, want)
	}
	for _, p := range problems {
		if want.Severity == SeverityWarning && p.Severity == SeverityError {
			t.Errorf("a warning became %+v", p)
		}
		if strings.Contains(p.Path+p.Detail, "Ada") {
			t.Error("a problem repeats the card")
		}
	}
}

func TestCheckLaboratory(t *testing.T) {
	t.Parallel()
	const observation = `{"fullUrl":"resource:1","resource":{"resourceType":"Observation","status":"final",` +
		`"code":{"coding":[{"system":"http://loinc.org","code":"94558-4"}]},"subject":{"reference":"resource:0"},"effectiveDateTime":"2021-02-17",` +
		`"valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"260373001"}]},"performer":[{"display":"Specimen Hospital"}]}}`
	payload := strings.Replace(strings.Replace(specimenPayload, specimenImmunization, observation, 1), "#immunization", "#laboratory", 1)
	m, err := Decode(unsigned(t, specimenHeader, payload))
	if err != nil {
		t.Fatal(err)
	}
	if problems := m.Check(); len(problems) > 0 {
		t.Fatalf("the specimen has %+v", problems)
	}
	wantProblem(t, strings.Replace(payload, `,"https://smarthealth.cards#covid19"`, "", 1), Problem{Severity: SeverityWarning, Rule: RuleType, Path: "vc.type"})
	const path = "vc.credentialSubject.fhirBundle.entry[1].resource."
	for name, c := range map[string]struct {
		old, replacement string
		rule             Rule
		path             string
	}{
		"preliminary": {`"final"`, `"preliminary"`, RuleStatus, path + "status"},
		"no code":     {`"code":{"coding":[{"system":"http://loinc.org","code":"94558-4"}]}`, `"x":"y"`, RuleCoding, path + "code"},
		"value":       {`"valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct",`, `"valueCodeableConcept":{"coding":[{`, RuleCoding, path + "valueCodeableConcept.coding[0]"},
		"date":        {`"2021-02-17"`, `"yesterday"`, RuleDate, path + "effectiveDateTime"},
		"no subject":  {`"subject":{"reference":"resource:0"},`, ``, RuleReference, path + "subject"},
		"date a list": {`"2021-02-17"`, `["2021-02-17"]`, RuleDate, path + "effectiveDateTime"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantProblem(t, strings.Replace(payload, c.old, c.replacement, 1), Problem{Severity: SeverityError, Rule: c.rule, Path: c.path})
		})
	}
}

func TestCheckKID(t *testing.T) {
	t.Parallel()
	m, err := Decode(unsigned(t, `{"zip":"DEF","alg":"ES256","kid":"key-1"}`, specimenPayload))
	if err != nil {
		t.Fatal(err)
	}
	if problems := m.Check(); len(problems) != 1 || problems[0].Rule != RuleKID {
		t.Errorf("got %+v", problems)
	}
}

// A card full of faults costs a bounded report.
func TestCheckIsBounded(t *testing.T) {
	t.Parallel()
	payload := strings.Replace(specimenPayload, `"lotNumber":"0000007"`, `"note":[`+strings.Repeat(`"",`, 5000)+`""]`, 1)
	m, err := Decode(unsigned(t, specimenHeader, payload))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(m.Check()); n != maxProblems {
		t.Errorf("%d problems", n)
	}
}
