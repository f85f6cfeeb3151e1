package reader

import "fmt"

type sdkCase struct {
	files    []string
	kind     string
	errors   []string // of the validator
	warnings []string
	ours     string // where we differ on purpose: why, and then errors and warnings are ours
}

const example = "test-example-00-"

func one(name, kind string, classes ...string) sdkCase {
	return sdkCase{files: []string{example + name}, kind: kind, errors: classes}
}

func warned(name, kind string, classes ...string) sdkCase {
	return sdkCase{files: []string{example + name}, kind: kind, warnings: classes}
}

// tooSmallChunks are the first 10 of the 17 codes of one card; the others are not among
// the vectors.
func tooSmallChunks() []string {
	files := make([]string, 10)
	for i := range files {
		files[i] = fmt.Sprintf(example+"f-qr-code-numeric-value-%d-qr_chunk_too_small.txt", i)
	}
	return files
}

// sdkCases is EXPECTED.tsv as far as a reader without network and image decoder can go.
var sdkCases = []sdkCase{
	{files: []string{"test-example-1195-byte-qrnumeric.txt"}, kind: "text"},
	one("e-file-multi-jws.smart-health-card", "file"),
	one("fhirhealthcard.json", "file"),
	one("fhirhealthcard-multi-jws.json", "file"),
	one("fhirhealthcard-with-resource-link.json", "file"),
	one("e-file.wrong-extension", "file"), // whoever sees the file name may warn
	one("a-fhirBundle-trailing_chars.json", "bundle", "TRAILING_CHARACTERS"),
	one("b-jws-payload-expanded-trailing_chars.json", "payload", "TRAILING_CHARACTERS"),
	one("d-jws-trailing_chars.txt", "text", "TRAILING_CHARACTERS"),
	one("d-jws-utf8_bom_prefix.txt", "text", "TRAILING_CHARACTERS"),
	one("e-file-trailing_chars.smart-health-card", "file", "TRAILING_CHARACTERS"),
	one("f-qr-code-numeric-value-0-trailing_chars.txt", "text", "TRAILING_CHARACTERS"),
	warned("b-jws-payload-expanded-nbf_not_yet_valid.json", "payload", "NOT_YET_VALID"),
	one("b-jws-payload-expanded-nbf_milliseconds.json", "payload", "NOT_YET_VALID"),
	warned("b-jws-payload-expanded-expired.json", "payload", "EXPIRATION_ERROR"),
	{
		files: []string{example + "b-jws-payload-expanded-exp_milliseconds.json"}, kind: "payload",
		errors: []string{"invalid_claims"}, ours: "an exp in milliseconds is no date at all",
	},
	{
		files: []string{example + "b-jws-payload-expanded-pre-expired.json"}, kind: "payload",
		errors: []string{"EXPIRATION_ERROR"}, warnings: []string{"EXPIRATION_ERROR"},
	},
	{
		files: tooSmallChunks(), kind: "chunks",
		errors: []string{"invalid_chunks"}, ours: "seven of the codes are missing; see TestDecodeChunks for all of a card",
	},
	{
		files: []string{"test-example-02-f-qr-code-numeric-value-0-qr_chunk_too_big.txt", "test-example-02-f-qr-code-numeric-value-1-qr_chunk_too_big.txt"},
		kind:  "chunks", errors: []string{"INVALID_NUMERIC_QR"},
	},
	one("f-qr-code-numeric-value-0-index-out-of-range.txt", "chunks", "INVALID_NUMERIC_QR_HEADER"),
	one("f-qr-code-numeric-value-0-wrong_qr_header.txt", "text", "INVALID_NUMERIC_QR_HEADER"),
	warned("f-qr-code-numeric-value-0-wrong-multi-chunk.txt", "text", "INVALID_NUMERIC_QR_HEADER"),
	one("f-qr-code-numeric-value-0-odd-count.txt", "text", "INVALID_NUMERIC_QR"),
	one("f-qr-code-numeric-value-0-number-too-big.txt", "text", "INVALID_NUMERIC_QR"),
	warned("b-jws-payload-expanded-missing-imm-vc-type.json", "payload", "SCHEMA_ERROR"),
	warned("b-jws-payload-expanded-missing-covid-vc-type.json", "payload", "SCHEMA_ERROR"),
	{files: []string{"test-example-covid-lab-jwspayload-missing-lab-vc-type.json"}, kind: "payload", warnings: []string{"SCHEMA_ERROR"}},
	one("b-jws-payload-expanded-missing-shc-vc-type.json", "payload", "SCHEMA_ERROR"),
	warned("b-jws-payload-expanded-optional-vc-type.json", "payload", "SCHEMA_ERROR"),
	warned("b-jws-payload-expanded-unknown-vc-types.json", "payload", "SCHEMA_ERROR", "SCHEMA_ERROR"),
	{
		files: []string{example + "b-jws-payload-expanded-missing-coding.json"}, kind: "payload",
		errors: []string{"FHIR_SCHEMA_ERROR", "FHIR_SCHEMA_ERROR"}, warnings: []string{"SCHEMA_ERROR"},
	},
	one("e-file-invalid_deflate.smart-health-card", "file", "INFLATION_ERROR"),
	one("e-file-no_deflate.smart-health-card", "file", "INFLATION_ERROR", "JWS_HEADER_ERROR"),
	one("d-jws-no_jws_header_alg.txt", "text", "JWS_HEADER_ERROR"),
	one("d-jws-no_jws_header_kid.txt", "text", "JWS_HEADER_ERROR"),
	one("d-jws-no_jws_header_zip.txt", "text", "JWS_HEADER_ERROR"),
	one("d-jws-wrong_jws_header_kid.txt", "text", "JWS_VERIFICATION_ERROR"),
	one("d-jws-invalid-signature.txt", "text", "JWS_VERIFICATION_ERROR"),
	one("d-jws-der-signature.txt", "text", "SIGNATURE_FORMAT_ERROR"),
	one("d-jws-der-signature-s-neg.txt", "text", "SIGNATURE_FORMAT_ERROR"),
	one("d-jws-der-signature-r-neg.txt", "text", "SIGNATURE_FORMAT_ERROR"),
	one("d-jws-der-signature-rs-neg.txt", "text", "SIGNATURE_FORMAT_ERROR"),
	one("e-file-invalid_issuer_url_http.smart-health-card", "file", "INVALID_ISSUER_URL"),
	one("e-file-issuer_url_with_trailing_slash.smart-health-card", "file", "INVALID_ISSUER_URL"),
	one("e-file-multi-jws-issues.smart-health-card", "file", "JWS_HEADER_ERROR", "JWS_VERIFICATION_ERROR", "TRAILING_CHARACTERS"),
	warned("a-non-dm-properties.json", "bundle", "SCHEMA_ERROR", "SCHEMA_ERROR", "SCHEMA_ERROR", "SCHEMA_ERROR", "SCHEMA_ERROR"),
	one("a-short-refs.json", "bundle", "SCHEMA_ERROR", "SCHEMA_ERROR", "SCHEMA_ERROR", "SCHEMA_ERROR", "SCHEMA_ERROR"),
	warned("a-fhirBundle-bad_meta_extra_key.json", "bundle", "FHIR_SCHEMA_ERROR"),
	warned("a-fhirBundle-bad_meta_non_security.json", "bundle", "FHIR_SCHEMA_ERROR"),
	one("a-fhirBundle-bad_meta_wrong_security.json", "bundle", "FHIR_SCHEMA_ERROR"),
	one("a-fhirBundle-profile-usa.json", "bundle", "FHIR_SCHEMA_ERROR", "FHIR_SCHEMA_ERROR", "FHIR_SCHEMA_ERROR", "FHIR_SCHEMA_ERROR"),
	one("a-fhirBundle-empty-values.json", "bundle", "FHIR_SCHEMA_ERROR", "FHIR_SCHEMA_ERROR", "FHIR_SCHEMA_ERROR", "FHIR_SCHEMA_ERROR"),
	one("a-fhirBundle-occurrence-issues.json", "bundle", "FHIR_SCHEMA_ERROR", "FHIR_SCHEMA_ERROR"),
	one("a-fhirBundle-status-not-completed.json", "bundle", "FHIR_SCHEMA_ERROR", "FHIR_SCHEMA_ERROR"),
}

// outOfScope says why a file of EXPECTED.tsv is not in sdkCases.
var outOfScope = map[string]string{
	"e-file-invalid_issuer_url.smart-health-card": "the fault shows when the keys are fetched",
	"e-file-bad_jwks.smart-health-card":           "the fault shows when the keys are fetched",
	"d-jws-issuer-kid-mismatch.txt":               "which issuer a key belongs to is the trust list's; see TestKeyOfAnotherIssuer",
	"example-02-f-qr-code-numeric-value":          "the two good chunks are not among the vectors; see TestDecodeChunksRefuses",
	"16-qr_chunk_too_small.txt":                   "not among the vectors",
	".png":                                        "needs an image decoder",
	"badcrl/":                                     "the lists are not among the vectors; see TestParseCRLRefuses and TestCardsOfBadCRLs",
}
