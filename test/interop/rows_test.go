package interop

import (
	"slices"
	"testing"

	"github.com/trustedparty/ddcc-gateway/trust"
)

// The columns of a row.
const (
	checksOurs = "checks ours"
	issues     = "issues for us"
)

// row is one line of the table: a peer and what it is asked. run gives the result.
type row struct {
	format, peer, direction, checked string
	run                              func(*testing.T, *system) string
}

// What was checked.
const (
	hcertChecked = "signature by the key id, issuer, times, content"
	cardChecked  = "numeric code, signature by the published key, raw DEFLATE, content"
	sealChecked  = "signature over its own RFC 8785, signer to CSCA, content"
	ours         = "our verifier takes it and reads the same content"
)

// envelopes are the formats in an HCERT.
var envelopes = []struct {
	format   string
	profiles []string
}{{"WHO DDCC", whoProfiles}, {"EU DCC", dccProfiles}, {"WHO ICVP", icvpProfile}}

// rows is the table.
func rows() []row {
	var all []row
	for _, e := range envelopes {
		all = append(all,
			row{e.format, "pycose", checksOurs, hcertChecked, verifies("hcert_pycose.py", e.profiles)},
			row{e.format, "pycose", issues, ours, accepts("hcert_pycose.py", e.profiles)},
			row{e.format, "cwt", checksOurs, hcertChecked, verifies("hcert_cwt.py", e.profiles)},
			row{e.format, "cwt", issues, ours, accepts("hcert_cwt.py", e.profiles)},
			row{e.format, "cose-js", checksOurs, hcertChecked, verifies("hcert_cose_js.mjs", e.profiles)},
			row{e.format, "cose-js", issues, ours, accepts("hcert_cose_js.mjs", e.profiles)},
			row{e.format, "cose-java", checksOurs, hcertChecked, verifies("HcertJava.java cose-java", e.profiles)},
			row{e.format, "cose-java", issues, ours, accepts("HcertJava.java cose-java", e.profiles)},
			row{e.format, "@pathcheck/dcc-sdk", checksOurs, "signature, issuer, times, content", verifies("dcc_pathcheck.cjs", e.profiles)},
		)
	}
	return slices.Concat(all, rowsOfDCC(), rowsOfCards(), rowsOfSeals(), rowsOfDocuments())
}

func rowsOfDCC() []row {
	const format, schema = "EU DCC", "the published DCC.combined-schema.json"
	return []row{
		{format, "@pathcheck/dcc-sdk", issues, ours, accepts("dcc_pathcheck.cjs", dccProfiles)},
		{format, "dgc-create-validate", checksOurs, hcertChecked + ", its own types of the content, check character of the UVCI", verifies("HcertJava.java digg", dccProfiles)},
		{format, "dgc-create-validate", issues, ours, accepts("HcertJava.java digg", dccProfiles)},
		{format, "ajv", checksOurs, schema, conforms("schema_ajv.mjs")},
		{format, "jsonschema", checksOurs, schema, conforms("schema_jsonschema.py")},
	}
}

func rowsOfCards() []row {
	const format = "SMART Health Card"
	return []row{
		{format, "@pathcheck/shc-sdk", checksOurs, cardChecked + "; it fetches the key from the issuer's address", verifies("shc_pathcheck.cjs", shcProfiles)},
		{format, "@pathcheck/shc-sdk", issues, ours, accepts("shc_pathcheck.cjs", shcProfiles)},
		{format, "jose", checksOurs, cardChecked + "; key ids are thumbprints", verifies("shc_jose.mjs", shcProfiles)},
		{format, "jose", issues, ours, accepts("shc_jose.mjs", shcProfiles)},
		{format, "jwcrypto", checksOurs, cardChecked + "; key ids are thumbprints", verifies("shc_jwcrypto.py", shcProfiles)},
		{format, "jwcrypto", issues, ours, accepts("shc_jwcrypto.py", shcProfiles)},
		{format, "hapi-fhir-validation", checksOurs, "FHIR inside: R4 definitions, invariants, required codes", bundles("FhirHapi.java", cardBundles)},
		{format, "fhir", checksOurs, "FHIR inside: R4 definitions", bundles("fhir_js.mjs", cardBundles)},
		{format, "fhir.resources", checksOurs, "FHIR inside: R4B models", bundles("fhir_resources.py", cardBundles)},
	}
}

func rowsOfSeals() []row {
	const format = "ICAO VDS-NC"
	return []row{
		{format, "canonicalize", checksOurs, sealChecked + " (with WebCrypto)", verifies("vdsnc_canonicalize.mjs", vdsProfiles)},
		{format, "canonicalize", issues, ours, accepts("vdsnc_canonicalize.mjs", vdsProfiles)},
		{format, "rfc8785", checksOurs, sealChecked + " (with cryptography)", verifies("vdsnc_rfc8785.py", vdsProfiles)},
		{format, "rfc8785", issues, ours, accepts("vdsnc_rfc8785.py", vdsProfiles)},
	}
}

func rowsOfDocuments() []row {
	return []row{
		{"QR code, all profiles", "zxing-cpp", checksOurs, "reads the picture to the same text", pictures("picture_zxing.py")},
		{"QR code, all profiles", "jsqr", checksOurs, "reads the picture to the same text", pictures("picture_jsqr.mjs")},
		{"DDCC document", "jose", checksOurs, "detached JWS over the RFC 8785 of canonicalize", documents("document_jose.mjs", trust.UsageDocument)},
		{"DDCC document", "hapi-fhir-validation", checksOurs, "R4 definitions, invariants, required codes", bundles("FhirHapi.java", documentBundles)},
		{"DDCC document", "fhir", checksOurs, "R4 definitions", bundles("fhir_js.mjs", documentBundles)},
		{"DDCC document", "fhir.resources", checksOurs, "R4B models", bundles("fhir_resources.py", documentBundles)},
		{"Trust list", "jose", checksOurs, "JWS, its signer and every certificate to the CSCA", statement},
		{"DID document", "jsonld", checksOurs, "proof over its own URDNA2015", didDocument},
	}
}

// TestInterop runs the table.
func TestInterop(t *testing.T) {
	s := start(t, install(t))
	table := rows()
	results := make([]string, len(table))
	complete := t.Run("rows", func(t *testing.T) {
		for i, r := range table {
			t.Run(r.format+"/"+r.peer+" "+r.direction, func(t *testing.T) {
				t.Parallel()
				results[i] = r.run(t, s)
			})
		}
	})
	switch {
	case !complete:
	case slices.Contains(results, ""):
		t.Log("a row was skipped; the page is not compared")
	default:
		published(t, table, results)
	}
}
