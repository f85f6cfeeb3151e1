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

	// Those of the second release, with a list of their own; what is above stays as it was.
	goldenFormats = "formats.json"
	goldenDCC     = "dcc.txt"
	goldenICVP    = "icvp.txt"
	goldenCard    = "card.txt"
	goldenSeal    = "seal.txt"
)

func readGolden(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// golden gives a verifier that trusts a golden list.
func golden(t testing.TB, list string) *verification.Verifier {
	t.Helper()
	parsed, err := trust.ParseList(readGolden(t, list), trust.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	fixture := readDIVOC(t)
	return &verification.Verifier{
		List: parsed.List, Keys: registry{{verification.FormatDIVOC, "", fixture.Method}: {fixture.key(t)}},
		Clock: func() time.Time { return now },
	}
}

// What verified once has to verify for as long as its format is supported.
func TestGoldenFiles(t *testing.T) {
	t.Parallel()
	if *update {
		writeGolden(t)
	}
	v := golden(t, goldenList)
	for name, result := range map[string]verification.Result{
		goldenVaccination: v.VerifyText(string(readGolden(t, goldenVaccination))),
		goldenTest:        v.VerifyText(string(readGolden(t, goldenTest))),
		goldenDocument:    v.VerifyDocument(readGolden(t, goldenDocument)),
	} {
		if !result.Valid || result.Content["name"] != "Ada Spécimen" {
			t.Errorf("%s: %s (%s)", name, result.Reason, result.Detail)
		}
	}
	v = golden(t, goldenFormats)
	for name, profile := range map[string]string{
		goldenDCC: verification.ProfileEUDCC, goldenICVP: verification.ProfileICVP,
		goldenCard: verification.ProfileSHC, goldenSeal: verification.ProfileVDSNC,
	} {
		if result := v.VerifyText(string(readGolden(t, name))); !result.Valid || result.Profile != profile {
			t.Errorf("%s: %s (%s)", name, result.Reason, result.Detail)
		}
	}
}

func writeGolden(t *testing.T) {
	t.Helper()
	w := newWorld(t)
	list, err := trust.TrustList{Country: "XX", IssuedAt: issued, List: w.list}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	texts := w.texts(t)
	for name, content := range map[string][]byte{
		goldenList: list, goldenFormats: list, goldenVaccination: []byte(texts["who"]), goldenTest: []byte(w.testText(t)),
		goldenDCC: []byte(texts["dcc"]), goldenICVP: []byte(texts["icvp"]), goldenCard: []byte(texts["shc"]), goldenSeal: []byte(texts["vdsnc"]),
		goldenDocument: signDocument(t, document(immunization(), texts["who"]), w.jws()),
	} {
		if err := os.WriteFile(filepath.Join("testdata", name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
