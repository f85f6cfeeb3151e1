package verification_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// update replaces the golden files; their keys are thrown away, so all change together.
var update = flag.Bool("update", false, "write new golden files")

// The golden files: a trust list and what its keys signed, about a specimen person.
const (
	goldenList        = "trustlist.json"
	goldenVaccination = "vaccination.txt"
	goldenTest        = "test.txt"
	goldenDocument    = "document.json"
)

func readGolden(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// golden gives a verifier that trusts the golden list.
func golden(t testing.TB) *verification.Verifier {
	t.Helper()
	parsed, err := trust.ParseList(readGolden(t, goldenList), trust.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return &verification.Verifier{List: parsed.List, Clock: func() time.Time { return now }}
}

// What verified once has to verify for as long as its format is supported.
func TestGoldenFiles(t *testing.T) {
	t.Parallel()
	if *update {
		writeGolden(t)
	}
	v := golden(t)
	for name, result := range map[string]verification.Result{
		goldenVaccination: v.VerifyText(string(readGolden(t, goldenVaccination))),
		goldenTest:        v.VerifyText(string(readGolden(t, goldenTest))),
		goldenDocument:    v.VerifyDocument(readGolden(t, goldenDocument)),
	} {
		if !result.Valid || result.Content["name"] != "Ada Spécimen" {
			t.Errorf("%s: %s (%s)", name, result.Reason, result.Detail)
		}
	}
}

func writeGolden(t *testing.T) {
	t.Helper()
	a := newAuthority(t)
	list, err := trust.TrustList{Country: "XX", IssuedAt: issued, List: a.list}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	text := a.vaccinationText(t)
	for name, content := range map[string][]byte{
		goldenList: list, goldenVaccination: []byte(text), goldenTest: []byte(a.testText(t)),
		goldenDocument: signDocument(t, document(immunization(), text), a.jws()),
	} {
		if err := os.WriteFile(filepath.Join("testdata", name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
