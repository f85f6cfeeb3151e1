package shc

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

func TestPayloadBytes(t *testing.T) {
	t.Parallel()
	c := specimen()
	c.ExpiresAt = time.Unix(1769976075, 0)
	c.Card.RevocationID = "MKyCxh7p6uQ"
	c.Card.Patient.Family = "Spécimen <&> 標本"
	c.Card.Immunizations = c.Card.Immunizations[:1]
	c.Card.Immunizations[0].Manufacturer = &Coding{"http://hl7.org/fhir/sid/mvx", "MOD"}
	want := `{"iss":"https://issuer.example/shc","nbf":1669976075,"exp":1769976075,"vc":{"type":[` +
		`"https://smarthealth.cards#health-card","https://smarthealth.cards#immunization","https://smarthealth.cards#covid19"],` +
		`"credentialSubject":{"fhirVersion":"4.0.1","fhirBundle":{"resourceType":"Bundle","type":"collection","entry":[` +
		`{"fullUrl":"resource:0","resource":{"resourceType":"Patient","name":[{"family":"Spécimen <&> 標本","given":["Ada","B."]}],"birthDate":"1975-12-10"}},` +
		`{"fullUrl":"resource:1","resource":{"resourceType":"Immunization","status":"completed",` +
		`"vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"207"}]},"patient":{"reference":"resource:0"},` +
		`"occurrenceDateTime":"2021-01-01","performer":[{"actor":{"display":"Specimen Hospital"}}],` +
		`"manufacturer":{"identifier":{"system":"http://hl7.org/fhir/sid/mvx","value":"MOD"}},"lotNumber":"0000001"}}]}},"rid":"MKyCxh7p6uQ"}}`
	got, err := c.Payload()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

// The framework's own example, member by member and in its order.
func TestPayloadIsTheExample(t *testing.T) {
	t.Parallel()
	var want bytes.Buffer
	if err := json.Compact(&want, vectors.Read(t, "ddcc", "ig-fixtures", "shc", "example-00-b-jws-payload-expanded.json")); err != nil {
		t.Fatal(err)
	}
	const hospital = "ABC General Hospital"
	c := Credential{
		Issuer:    "https://spec.smarthealth.cards/examples/issuer",
		NotBefore: time.Unix(1670515730, 0),
		Card: Card{
			Patient: Patient{Family: "Anyperson", Given: []string{"John", "B."}, BirthDate: "1951-01-20"},
			Immunizations: []Immunization{
				{Vaccine: cvx("207"), Date: "2021-01-01", Lot: "0000001", Performer: hospital},
				{Vaccine: cvx("207"), Date: "2021-01-29", Lot: "0000007", Performer: hospital},
				{Vaccine: cvx("229"), Date: "2022-09-05", Lot: "0000001", Performer: hospital},
			},
			COVID19: true, RevocationID: "MKyCxh7p6uQ",
		},
	}
	got, err := c.Payload()
	if err != nil {
		t.Fatal(err)
	}
	// The example was made with milliseconds.
	if diff := cmp.Diff(strings.Replace(want.String(), "1670515730.472", "1670515730", 1), string(got)); diff != "" {
		t.Error(diff)
	}
}

// The framework's laboratory example has the same content in another order.
func TestLaboratoryIsTheExample(t *testing.T) {
	t.Parallel()
	var want, got map[string]any
	raw := vectors.Read(t, "ddcc", "ig-fixtures", "shc", "bundle-lab-test-results-covid-jws-payload-expanded.json")
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	c := laboratory()
	c.Issuer, c.NotBefore = "https://spec.smarthealth.cards/examples/issuer", time.Unix(1662893380, 0)
	c.Card.Patient = Patient{Family: "Anyperson", Given: []string{"James", "T."}, BirthDate: "1951-01-20"}
	c.Card.Observations[0].Performer = "ABC General Hospital"
	payload, err := c.Payload()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Fatal(err)
	}
	// What we leave out, or order otherwise, on purpose.
	vc, _ := want["vc"].(map[string]any)
	vc["type"] = []any{TypeHealthCard, TypeLaboratory, TypeCOVID19}
	subject, _ := vc["credentialSubject"].(map[string]any)
	bundle, _ := subject["fhirBundle"].(map[string]any)
	delete(bundle, "id")
	entries, _ := bundle["entry"].([]any)
	second, _ := entries[1].(map[string]any)
	observation, _ := second["resource"].(map[string]any)
	delete(observation, "meta")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPayloadRefuses(t *testing.T) {
	t.Parallel()
	dose := func(change func(*Immunization)) func(*Credential) {
		return func(c *Credential) { change(&c.Card.Immunizations[1]) }
	}
	result := func(change func(*Observation)) func(*Credential) {
		return func(c *Credential) {
			c.Card = laboratory().Card
			change(&c.Card.Observations[0])
		}
	}
	for name, c := range map[string]struct {
		change func(*Credential)
		path   string
	}{
		"no issuer":             {func(c *Credential) { c.Issuer = "" }, "issuer"},
		"issuer http":           {func(c *Credential) { c.Issuer = "http://issuer.example" }, "issuer"},
		"issuer with slash":     {func(c *Credential) { c.Issuer = "https://issuer.example/" }, "issuer"},
		"issuer with query":     {func(c *Credential) { c.Issuer = "https://issuer.example?a=b" }, "issuer"},
		"issuer with fragment":  {func(c *Credential) { c.Issuer = "https://issuer.example#a" }, "issuer"},
		"issuer with user":      {func(c *Credential) { c.Issuer = "https://ada@issuer.example" }, "issuer"},
		"issuer without host":   {func(c *Credential) { c.Issuer = "https:///a" }, "issuer"},
		"issuer not ASCII":      {func(c *Credential) { c.Issuer = "https://issüer.example" }, "issuer"},
		"issuer too long":       {func(c *Credential) { c.Issuer = "https://issuer.example/" + strings.Repeat("a", 255) }, "issuer"},
		"no nbf":                {func(c *Credential) { c.NotBefore = time.Time{} }, "notBefore"},
		"nbf with fraction":     {func(c *Credential) { c.NotBefore = time.Unix(1, 5) }, "notBefore"},
		"nbf in year 10000":     {func(c *Credential) { c.NotBefore = time.Unix(year9999+1, 0) }, "notBefore"},
		"exp with fraction":     {func(c *Credential) { c.ExpiresAt = c.NotBefore.Add(time.Millisecond) }, "expiresAt"},
		"exp at nbf":            {func(c *Credential) { c.ExpiresAt = c.NotBefore }, "expiresAt"},
		"no content":            {func(c *Credential) { c.Card.Immunizations = nil }, "card"},
		"both contents":         {func(c *Credential) { c.Card.Observations = laboratory().Card.Observations }, "card"},
		"too much":              {func(c *Credential) { c.Card.Immunizations = make([]Immunization, 33) }, "card"},
		"rid too long":          {func(c *Credential) { c.Card.RevocationID = strings.Repeat("a", 25) }, "card.revocationId"},
		"rid not base64url":     {func(c *Credential) { c.Card.RevocationID = "a.b" }, "card.revocationId"},
		"no name":               {func(c *Credential) { c.Card.Patient.Family, c.Card.Patient.Given = "", nil }, "card.patient"},
		"name twice":            {func(c *Credential) { c.Card.Patient.Text = "Ada Specimen" }, "card.patient.text"},
		"empty given name":      {func(c *Credential) { c.Card.Patient.Given[1] = "" }, "card.patient.given[1]"},
		"many given names":      {func(c *Credential) { c.Card.Patient.Given = make([]string, 33) }, "card.patient.given"},
		"name not NFC":          {func(c *Credential) { c.Card.Patient.Family = "Spe\u0301cimen" }, "card.patient.family"},
		"name not UTF-8":        {func(c *Credential) { c.Card.Patient.Family = "Sp\xff" }, "card.patient.family"},
		"name too long":         {func(c *Credential) { c.Card.Patient.Family = strings.Repeat("é", 256) }, "card.patient.family"},
		"name with space":       {func(c *Credential) { c.Card.Patient.Family = "Specimen " }, "card.patient.family"},
		"name with line end":    {func(c *Credential) { c.Card.Patient.Family = "Spec\nimen" }, "card.patient.family"},
		"name with separator":   {func(c *Credential) { c.Card.Patient.Family = "Spec\u2028imen" }, "card.patient.family"},
		"no birth date":         {func(c *Credential) { c.Card.Patient.BirthDate = "" }, "card.patient.birthDate"},
		"birth date with time":  {func(c *Credential) { c.Card.Patient.BirthDate = "1975-12-10T00:00:00Z" }, "card.patient.birthDate"},
		"impossible birth date": {func(c *Credential) { c.Card.Patient.BirthDate = "1975-02-30" }, "card.patient.birthDate"},
		"no vaccine":            {dose(func(i *Immunization) { i.Vaccine = Coding{} }), "card.immunizations[1].vaccine.system"},
		"vaccine without code":  {dose(func(i *Immunization) { i.Vaccine.Code = "" }), "card.immunizations[1].vaccine.code"},
		"code with space":       {dose(func(i *Immunization) { i.Vaccine.Code = "20 7" }), "card.immunizations[1].vaccine.code"},
		"relative system":       {dose(func(i *Immunization) { i.Vaccine.System = "fhir/sid/cvx" }), "card.immunizations[1].vaccine.system"},
		"no date":               {dose(func(i *Immunization) { i.Date = "" }), "card.immunizations[1].date"},
		"date without zone":     {dose(func(i *Immunization) { i.Date = "2021-01-29T10:00:00" }), "card.immunizations[1].date"},
		"long date":             {dose(func(i *Immunization) { i.Date = "2021-01-29T10:00:00." + strings.Repeat("0", 99) + "Z" }), "card.immunizations[1].date"},
		"year zero":             {dose(func(i *Immunization) { i.Date = "0000" }), "card.immunizations[1].date"},
		"manufacturer":          {dose(func(i *Immunization) { i.Manufacturer = &Coding{Code: "MOD"} }), "card.immunizations[1].manufacturer.system"},
		"lot":                   {dose(func(i *Immunization) { i.Lot = "1\t2" }), "card.immunizations[1].lot"},
		"performer":             {dose(func(i *Immunization) { i.Performer = " a" }), "card.immunizations[1].performer"},
		"result without test":   {result(func(o *Observation) { o.Code = Coding{} }), "card.observations[0].code.system"},
		"result without value":  {result(func(o *Observation) { o.Value.Code = "" }), "card.observations[0].value.code"},
		"result without date":   {result(func(o *Observation) { o.Date = "" }), "card.observations[0].date"},
		"result performer":      {result(func(o *Observation) { o.Performer = "\x00" }), "card.observations[0].performer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			credential := specimen()
			c.change(&credential)
			payload, err := credential.Payload()
			var refused *Error
			if !errors.As(err, &refused) || payload != nil {
				t.Fatalf("got %v", err)
			}
			if refused.Path != c.path || refused.Rule == "" || strings.Contains(err.Error(), "Ada") {
				t.Errorf("got %v, want a rule at %s", err, c.path)
			}
		})
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	for _, date := range []string{"1975", "1975-12", "1975-12-10", "2021-01-29T10:00:00Z", "2021-01-29T10:00:00.5+05:30"} {
		if !isDateTime(date) {
			t.Errorf("%s is refused", date)
		}
	}
	for _, date := range []string{"", "75", "1975-13", "1975-1-1", "1975-12-10Z", "2021-01-29T10:00Z", "2021-01-29 10:00:00Z"} {
		if isDateTime(date) {
			t.Errorf("%s is accepted", date)
		}
	}
}
