package verification_test

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// vectorPath finds public vectors, which are kept beside the repository, never in it.
func vectorPath(t testing.TB, elements ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "shared", "vectors"}, elements...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("public test vectors are absent: ../shared/vectors/%s", filepath.ToSlash(filepath.Join(elements...)))
	}
	return path
}

func readVector(t testing.TB, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(bytes.TrimPrefix(raw, []byte("\ufeff")), into); err != nil {
		t.Fatal(err)
	}
}

// directList trusts one DSC as the lists of the EU do: without its CSCA.
func directList(t testing.TB, der string) *trust.List {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(der)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	list, _ := trust.NewList([]trust.Entry{{KID: trust.KID(certificate), DSC: certificate}}, trust.Options{DirectTrust: true})
	return list
}

type euVector struct {
	Prefix string `json:"PREFIX"`
	Test   struct {
		Certificate string `json:"CERTIFICATE"`
		Clock       string `json:"VALIDATIONCLOCK"`
	} `json:"TESTCTX"`
	Expected map[string]any `json:"EXPECTEDRESULTS"`
}

// verify checks the vector at its own clock, which is written in several ways.
func (e euVector) verify(t testing.TB) verification.Result {
	t.Helper()
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05"} {
		if clock, err := time.Parse(layout, e.Test.Clock); err == nil {
			v := verification.Verifier{List: directList(t, e.Test.Certificate), Clock: func() time.Time { return clock }}
			return v.VerifyText(e.Prefix)
		}
	}
	t.Fatalf("clock %q", e.Test.Clock)
	return verification.Result{}
}

// The common cases of the EU test data, each with the step that fails. CO20 is meant to
// be valid, but its algorithm stands in the unprotected header alone, where anybody could
// change it; Q1 is about an image, its text is genuine.
func TestEUCommonVectors(t *testing.T) {
	t.Parallel()
	want := map[string]verification.Reason{
		"B1": verification.ReasonInvalidBase45, "Z1": verification.ReasonInvalidCompression, "Z2": verification.ReasonInvalidCompression,
		"H1": verification.ReasonNotHCERT, "H2": verification.ReasonUnsupportedContext, "H3": verification.ReasonNotHCERT,
		"CBO1": verification.ReasonInvalidClaims, "CBO2": verification.ReasonInvalidCOSE, "CO5": verification.ReasonBadSignature,
		"CO6": verification.ReasonUsageMismatch, "CO7": verification.ReasonUsageMismatch, "CO8": verification.ReasonUsageMismatch,
		"CO9": verification.ReasonUsageMismatch, "CO10": verification.ReasonUsageMismatch, "CO11": verification.ReasonUsageMismatch,
		"CO16": verification.ReasonNotYetValid, "CO17": verification.ReasonExpired,
		"CO20": verification.ReasonUnsupportedAlgorithm, "CO22": verification.ReasonUnsupportedAlgorithm, "CO23": verification.ReasonUnsupportedAlgorithm,
		"DGC1": verification.ReasonInvalidPayload, "DGC2": verification.ReasonInvalidPayload,
	}
	for _, name := range []string{"CO1", "CO2", "CO3", "CO12", "CO13", "CO14", "CO15", "CO18", "CO19", "CO21", "CO28", "DGC3", "DGC4", "DGC5", "DGC6", "Q1"} {
		want[name] = verification.ReasonVerified
	}
	files, err := filepath.Glob(filepath.Join(vectorPath(t, "eu-dgc-testdata", "common"), "2DCode", "raw", "*.json"))
	if err != nil || len(files) != len(want) {
		t.Errorf("%d files, %d expectations, %v", len(files), len(want), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		var vector euVector
		readVector(t, file, &vector)
		result := vector.verify(t)
		if result.Reason != want[name] || result.Valid != (want[name] == verification.ReasonVerified) {
			t.Errorf("%s: %s (%s), want %s", name, result.Reason, result.Detail, want[name])
		}
		if result.Valid && result.Profile != verification.ProfileEUDCC {
			t.Errorf("%s: profile %s", name, result.Profile)
		}
	}
}

// stateDeviations are certificates of states that the data expect to pass and that we
// refuse, by the beginning of the file name, each for a rule of the specification.
var stateDeviations = map[string]verification.Reason{
	"BG/2DCode/raw/4": verification.ReasonKeyNotYetValid, // issued before its DSC

	"ES/2DCode/raw/401": verification.ReasonUnknownKey, // P-384 with ES256: no list takes the key
	"ES/2DCode/raw/402": verification.ReasonUnknownKey,

	"ES/2DCode/raw/2102":                  verification.ReasonNotYetValid, // clock before iat
	"FR/2DCode/raw/recovery_ok":           verification.ReasonNotYetValid,
	"FR/2DCode/raw/test_pcr_ok":           verification.ReasonNotYetValid,
	"FR/2DCode/raw/vaccin_ok":             verification.ReasonNotYetValid,
	"LU/2DCode/raw/INCERT_R_DCC_Recovery": verification.ReasonNotYetValid,
	"SG/2DCode/raw/4":                     verification.ReasonNotYetValid,

	"HU/2DCode/raw/":  verification.ReasonOutlivesKey,   // exp after the end of the DSC
	"LI/2DCode/raw/4": verification.ReasonUsageMismatch, // a test, by a DSC for vaccinations
}

// The certificates of the states: whatever the data call wrong before its schema is
// refused, and the rest verifies but for the deviations above.
func TestEUStateVectors(t *testing.T) {
	t.Parallel()
	root := vectorPath(t, "eu-dgc-testdata")
	verified, refused := 0, 0
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		if err != nil || !strings.HasSuffix(name, ".json") || strings.HasPrefix(name, "common/") {
			return err
		}
		var vector euVector
		readVector(t, path, &vector)
		if vector.Test.Certificate == "" || vector.Test.Clock == "" {
			return nil
		}
		result := vector.verify(t)
		if result.Valid {
			verified++
		} else {
			refused++
		}
		checkState(t, name, vector, result)
		return nil
	})
	if err != nil || verified < 100 || refused < 10 {
		t.Errorf("%d verified, %d refused, %v", verified, refused, err)
	}
}

func checkState(t *testing.T, name string, vector euVector, result verification.Result) {
	t.Helper()
	for _, step := range []string{"EXPECTEDVERIFY", "EXPECTEDEXPIRATIONCHECK", "EXPECTEDKEYUSAGE", "EXPECTEDDECODE", "EXPECTEDCOMPRESSION", "EXPECTEDB45DECODE", "EXPECTEDUNPREFIX"} {
		if vector.Expected[step] == false {
			if result.Valid {
				t.Errorf("%s: verified although %s is false", name, step)
			}
			return
		}
	}
	want := verification.ReasonVerified
	for prefix, reason := range stateDeviations {
		if strings.HasPrefix(name, prefix) {
			want = reason
		}
	}
	if result.Reason != want {
		t.Errorf("%s: %s (%s), want %s", name, result.Reason, result.Detail, want)
	}
}

// Vectors made by another program, with CSCA and DSC: a real chain.
func TestGeneratedVectors(t *testing.T) {
	t.Parallel()
	var all struct {
		SCA, DSC string
		Cases    []struct{ Name, Text string }
	}
	readVector(t, vectorPath(t, "generated", "vectors.json"), &all)
	certificate := func(der string) *x509.Certificate {
		raw, err := base64.StdEncoding.DecodeString(der)
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		return certificate
	}
	dsc := certificate(all.DSC)
	list, refusals := trust.NewList([]trust.Entry{{KID: trust.KID(dsc), DSC: dsc, CSCA: certificate(all.SCA)}}, trust.Options{})
	if len(refusals) > 0 {
		t.Fatal(refusals)
	}
	v := verification.Verifier{List: list, Clock: func() time.Time { return time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC) }}
	want := map[string]verification.Reason{
		"10-icvp-gen1": verification.ReasonUnsupportedPayload, "11-icvp-gen3": verification.ReasonUnsupportedPayload,
		"20-vhl-string": verification.ReasonUnsupportedPayload, "21-shl-array": verification.ReasonUnsupportedPayload,
		"30-ddcc-vs": verification.ReasonInvalidPayload, // neither manufacturer nor holder: who-ddcc-data-1
		"93-sig-der": verification.ReasonBadSignature, "94-sig-flip": verification.ReasonBadSignature,
		"95-dup-key": verification.ReasonInvalidCBOR, "96-exp-after-dsc": verification.ReasonOutlivesKey,
		"97-trailing-cbor": verification.ReasonInvalidCOSE,
	}
	for _, name := range []string{"01-eu-v", "02-eu-t-tag0", "03-eu-r", "31-ddcc-tr", "90-untagged", "91-tag61", "92-kid-unprotected", "98-iat-float"} {
		want[name] = verification.ReasonVerified
	}
	if len(all.Cases) != len(want) {
		t.Errorf("%d cases, %d expectations", len(all.Cases), len(want))
	}
	for _, vector := range all.Cases {
		if result := v.VerifyText(vector.Text); result.Reason != want[vector.Name] {
			t.Errorf("%s: %s (%s), want %s", vector.Name, result.Reason, result.Detail, want[vector.Name])
		}
	}
}

// Early WHO certificates are recognised but signed with keys nobody lists.
func TestWHOVectorsAreReadable(t *testing.T) {
	t.Parallel()
	v := verification.Verifier{Clock: func() time.Time { return now }}
	for _, name := range []string{"WHOQR1Contents", "WHOQR2Contents", "WHOSingaporePCRContents", "EUItalyAcceptanceQRContents", "DVCTestQR"} {
		raw, err := os.ReadFile(vectorPath(t, "who-gdhcn", name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		if result := v.VerifyText(string(raw)); result.Reason != verification.ReasonUnknownKey || result.KID == "" {
			t.Errorf("%s: %+v", name, result)
		}
	}
}
