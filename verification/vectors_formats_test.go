package verification_test

import (
	"crypto/ecdsa"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	shcreader "github.com/trustedparty/ddcc-gateway/formats/shc/reader"
	vdsncreader "github.com/trustedparty/ddcc-gateway/formats/vdsnc/reader"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// collected is when the vectors were; their issuers' keys have no dates.
var collected = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func readText(t testing.TB, elements ...string) string {
	t.Helper()
	raw, err := os.ReadFile(vectors.Path(t, elements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// keysOf registers the keys of a published key set under an issuer.
func keysOf(t testing.TB, issuer string, elements ...string) registry {
	t.Helper()
	keys, problems := shcreader.CheckKeys([]byte(readText(t, elements...)))
	if len(problems) > 0 || len(keys) == 0 {
		t.Fatal(problems)
	}
	r := registry{}
	for _, key := range keys {
		r[[3]string{"shc", issuer, key.KID}] = []verification.Key{{Public: key.Public}}
	}
	return r
}

const exampleIssuer = "https://spec.smarthealth.cards/examples/issuer"

// The texts of the framework and of its validator, whose keys are the framework's.
func TestCardVectors(t *testing.T) {
	t.Parallel()
	v := verification.Verifier{Keys: keysOf(t, exampleIssuer, "shc", "spec-issuer", "jwks.json"), Clock: func() time.Time { return collected }}
	const sdk, begin = "shc/validation-sdk/", "shc/validation-sdk/test-example-00-"
	counts := map[verification.Reason]int{}
	for name, want := range map[string]verification.Reason{
		"shc/SHCQR1Contents.spec-example.txt":                   verification.ReasonVerified,
		"ddcc/validator/SHCQR1Contents.txt":                     verification.ReasonVerified,
		"ddcc/validator/SHCSenegalContents.txt":                 verification.ReasonUnknownKey,
		sdk + "test-example-1195-byte-qrnumeric.txt":            verification.ReasonVerified,
		begin + "d-jws-jws_too_long.txt":                        verification.ReasonInvalidClaims, // its nbf is in milliseconds
		begin + "d-jws-trailing_chars.txt":                      verification.ReasonNotSHC,
		begin + "d-jws-no_jws_header_alg.txt":                   verification.ReasonUnsupportedAlgorithm,
		begin + "d-jws-no_jws_header_kid.txt":                   verification.ReasonKIDMissing,
		begin + "d-jws-no_jws_header_zip.txt":                   verification.ReasonInvalidCompression,
		begin + "d-jws-no_deflate.txt":                          verification.ReasonInvalidCompression,
		begin + "d-jws-wrong_jws_header_kid.txt":                verification.ReasonUnknownKey,
		begin + "d-jws-invalid-signature.txt":                   verification.ReasonBadSignature,
		begin + "d-jws-der-signature.txt":                       verification.ReasonBadSignature,
		begin + "d-jws-der-signature-s-neg.txt":                 verification.ReasonBadSignature,
		begin + "d-jws-der-signature-r-neg.txt":                 verification.ReasonBadSignature,
		begin + "d-jws-der-signature-rs-neg.txt":                verification.ReasonBadSignature,
		begin + "d-jws-issuer-kid-mismatch.txt":                 verification.ReasonUnknownKey,
		begin + "d-jws-issuer-not-valid-with-smart-key.txt":     verification.ReasonUnknownKey,
		begin + "f-qr-code-numeric-value-0-odd-count.txt":       verification.ReasonInvalidEncoding,
		begin + "f-qr-code-numeric-value-0-number-too-big.txt":  verification.ReasonInvalidEncoding,
		begin + "f-qr-code-numeric-value-0-trailing_chars.txt":  verification.ReasonNotSHC,
		begin + "f-qr-code-numeric-value-0-wrong_qr_header.txt": verification.ReasonNotHCERT,
	} {
		result := v.VerifyText(readText(t, filepath.FromSlash(name)))
		counts[result.Reason]++
		checkConsistent(t, result)
		if result.Reason != want {
			t.Errorf("%s: %s (%s), want %s", name, result.Reason, result.Detail, want)
		}
	}
	t.Log(counts)
}

// Every card in the files of the validator.
func TestCardFiles(t *testing.T) {
	t.Parallel()
	v := verification.Verifier{Keys: keysOf(t, exampleIssuer, "shc", "spec-issuer", "jwks.json"), Clock: func() time.Time { return collected }}
	for name, want := range map[string][]verification.Reason{
		"e-file-multi-jws.smart-health-card":                      {verification.ReasonVerified, verification.ReasonVerified},
		"e-file.wrong-extension":                                  {verification.ReasonVerified},
		"fhirhealthcard.json":                                     {verification.ReasonVerified},
		"e-file-invalid_deflate.smart-health-card":                {verification.ReasonInvalidCompression},
		"e-file-no_deflate.smart-health-card":                     {verification.ReasonInvalidCompression},
		"e-file-invalid_issuer_url_http.smart-health-card":        {verification.ReasonUnknownKey},
		"e-file-issuer_url_with_trailing_slash.smart-health-card": {verification.ReasonUnknownKey},
	} {
		cards, err := shcreader.File([]byte(readText(t, "shc", "validation-sdk", "test-example-00-"+name)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []verification.Reason
		for _, card := range cards {
			got = append(got, v.VerifyText(card).Reason)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// Seals of Australia and Japan, with their signers as the only entry of a list: their CSCAs
// are not among the vectors.
func TestSealVectors(t *testing.T) {
	t.Parallel()
	var examples []json.RawMessage
	readVector(t, vectors.Path(t, "icao-vdsnc", "VDS-NC-Examples.json"), &examples)
	for name, test := range map[string]struct {
		text    string
		state   string
		unusual bool
	}{
		"AU":     {text: readText(t, "icao-vdsnc", "ICAOAUQR1Contents.txt"), state: "AUS"},
		"AU, 2":  {text: readText(t, "ddcc", "validator", "ICAOAUQR1Contents.txt"), state: "AUS"},
		"JP":     {text: readText(t, "icao-vdsnc", "ICAOJPQR1Contents.txt"), state: "JPN", unusual: true},
		"dotnet": {text: string(examples[1]), state: "AUS"},
		"TR":     {text: string(examples[0])},
	} {
		message, err := vdsncreader.Decode(test.text)
		if err != nil {
			t.Fatal(name, err)
		}
		signer := message.Certificate
		if key, ok := signer.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve.Params().BitSize != 256 {
			t.Errorf("%s: %T", name, signer.PublicKey)
		}
		list, refusals := trust.NewList([]trust.Entry{{KID: trust.KID(signer), DSC: signer, Usages: []trust.Usage{trust.UsageVDSNC}}}, trust.Options{DirectTrust: true})
		v := verification.Verifier{List: list, Clock: func() time.Time { return signer.NotAfter }}
		result := v.VerifyText(test.text)
		checkConsistent(t, result)
		if name == "TR" { // the specimen of the report: certificate of France, state of Utopia
			if result.Reason != verification.ReasonIssuerMismatch {
				t.Errorf("%s: %s (%s)", name, result.Reason, result.Detail)
			}
			continue
		}
		if !result.Valid || result.Issuer != test.state || slices.Contains(result.Warnings, verification.WarningContent) != test.unusual {
			t.Errorf("%s: %s (%s) %v %v", name, result.Reason, result.Detail, result.Warnings, refusals)
		}
		v.Clock = func() time.Time { return signer.NotAfter.Add(time.Second) }
		if result := v.VerifyText(test.text); result.Reason != verification.ReasonKeyExpired {
			t.Errorf("%s, later: %s", name, result.Reason)
		}
		v.List = nil
		if result := v.VerifyText(test.text); result.Reason != verification.ReasonUnknownKey {
			t.Errorf("%s, without list: %s", name, result.Reason)
		}
	}
}

// The certificates of CoWIN: their registry is not among the vectors, and no other key fits.
func TestDIVOCVectors(t *testing.T) {
	t.Parallel()
	for _, path := range [][]string{{"divoc", "DIVOCQR1Contents.txt"}, {"ddcc", "validator", "DIVOCQR1Contents.txt"}} {
		text := readText(t, path...)
		v := verification.Verifier{Clock: func() time.Time { return collected }}
		result := v.VerifyText(text)
		if result.Reason != verification.ReasonUnknownKey || !strings.HasPrefix(result.KID, "did:") {
			t.Errorf("%s: %s (%s) %s", filepath.Join(path...), result.Reason, result.Detail, result.KID)
		}
		w := newWorld(t)
		v.Keys = registry{{"divoc", "", result.KID}: {w.divoc.key(t)}}
		if result := v.VerifyText(text); result.Reason != verification.ReasonBadSignature {
			t.Errorf("%s, another key: %s (%s)", filepath.Join(path...), result.Reason, result.Detail)
		}
	}
}

// The WHO's texts for tests are read up to their keys, which nobody lists.
func TestWHOTexts(t *testing.T) {
	t.Parallel()
	v := verification.Verifier{Clock: func() time.Time { return now }}
	for _, name := range []string{"DVCTestQR", "DVCTest2QR"} {
		result := v.VerifyText(readText(t, "who-gdhcn", name+".txt"))
		if result.Reason != verification.ReasonUnknownKey || result.KID == "" {
			t.Errorf("%s: %s (%s)", name, result.Reason, result.Detail)
		}
	}
}
