package maps_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
)

func TestClaimsAreMinimal(t *testing.T) {
	t.Parallel()
	profile, claims, err := maps.Claims(vaccination())
	if err != nil || profile != "who-ddcc-vs" {
		t.Fatalf("%s %v", profile, err)
	}
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"name":"Aulus Agerius","birthDate":"2003-03-03","certificate":{"issuer":{"code":"PHA-1"},"hcid":"111000111",` +
		`"version":"RC2","period":{"start":"2021-07-08","end":"2022-07-08"}},"vaccination":{"vaccine":{"code":"XM0GQ8","system":"http://id.who.int/icd11/mms"},` +
		`"brand":{"code":"XM3DT5","system":"http://id.who.int/icd11/mms"},"manufacturer":{"code":"Moderna","system":"http://who.int"},"lot":"PT123F",` +
		`"date":"2021-07-08","validFrom":"2021-07-22","dose":1,"totalDoses":2,"country":{"code":"CHE","system":"urn:iso:std:iso:3166"},` +
		`"centre":"Vaccination Site","disease":{"code":"RA01","system":"http://id.who.int/icd11/mms"}}}`
	if string(b) != want {
		t.Errorf("claims\n%s\nwant\n%s", b, want)
	}
	for _, secret := range []string{"male", "999123", "hw-23", "2021-07-29"} {
		if strings.Contains(string(b), secret) {
			t.Errorf("the payload holds %q", secret)
		}
	}
}

func TestClaimsTest(t *testing.T) {
	t.Parallel()
	profile, claims, err := maps.Claims(testResult())
	if err != nil || profile != "who-ddcc-tr" {
		t.Fatalf("%s %v", profile, err)
	}
	if c := claims.Test.Centre; c == nil || c.Code != "Test Centre" || c.System != "" || claims.Test.Brand != nil || claims.Vaccination != nil {
		t.Errorf("claims %+v", claims.Test)
	}
}

func TestClaimsNeedOneEvent(t *testing.T) {
	t.Parallel()
	both := vaccination()
	both.Test = testResult().Test
	for _, c := range []fhir.CoreDataSet{{}, both} {
		if _, _, err := maps.Claims(c); err == nil {
			t.Errorf("claims of %+v", c)
		}
	}
}
