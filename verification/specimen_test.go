package verification_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/go-jose/go-jose/v4"
	"github.com/veraison/go-cose"

	"github.com/trustedparty/ddcc-gateway/formats/docsig"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

const icd11 = "http://id.who.int/icd11/mms"

// now is the clock of the tests; certificates are issued a day before and last half a year.
var (
	now     = trusttest.Start.AddDate(0, 1, 0)
	issued  = now.AddDate(0, 0, -1)
	expires = issued.AddDate(0, 6, 0)
)

// authority is one CSCA with a DSC for each usage.
type authority struct {
	ca, vaccination, test, document trusttest.Pair
	list                            *trust.List
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	a := authority{ca: trusttest.CSCA(t)}
	a.vaccination = a.ca.DSC(t, trusttest.EKU(trusttest.VaccinationOID))
	a.test = a.ca.DSC(t, trusttest.EKU(trusttest.TestOID))
	a.document = a.ca.DSC(t)
	a.list = trusttest.List(t,
		a.ca.Entry(a.vaccination, trust.UsageVaccination), a.ca.Entry(a.test, trust.UsageTest), a.ca.Entry(a.document, trust.UsageDocument))
	return a
}

func (a authority) verifier() *verification.Verifier {
	return &verification.Verifier{List: a.list, Clock: func() time.Time { return now }}
}

func vaccination() hcert.DDCC {
	return hcert.DDCC{
		Name: "Ada Spécimen", BirthDate: "1990-02-03", Certificate: certificate(),
		Vaccination: &hcert.DDCCVaccination{
			Vaccine: hcert.Coding{Code: "XM0GQ8", System: icd11}, Brand: hcert.Coding{Code: "XM8NQ0", System: icd11},
			Manufacturer: &hcert.Coding{Code: "ORG-1", System: "https://example.org/manufacturers"},
			Lot:          "LOT1", Date: "2026-01-20", Dose: 1, TotalDoses: 2,
			Country: hcert.Coding{Code: "XXA", System: "urn:iso:std:iso:3166"}, Centre: "Centre 1",
			Disease: &hcert.Coding{Code: "RA01", System: icd11},
		},
	}
}

func testResult() hcert.DDCC {
	return hcert.DDCC{
		Name: "Ada Spécimen", BirthDate: "1990-02-03", Certificate: certificate(),
		Test: &hcert.DDCCTest{
			Pathogen: hcert.Coding{Code: "XN109", System: icd11}, Type: hcert.Coding{Code: "94500-6", System: "http://loinc.org"},
			Date: "2026-01-14T08:00:00Z", Result: hcert.Coding{Code: "260415000", System: "http://snomed.info/sct"},
			Centre: &hcert.Coding{Code: "LAB-1"}, Country: hcert.Coding{Code: "XXA", System: "urn:iso:std:iso:3166"},
		},
	}
}

func certificate() hcert.DDCCCertificate {
	return hcert.DDCCCertificate{
		Issuer: hcert.Coding{Code: "XXA-PHA"}, HCID: "SPECIMEN0001", Version: "RC2",
		Period: &hcert.DDCCPeriod{Start: "2026-01-20", End: "2027-01-20"},
	}
}

// encode gives the CWT claims of content as the gateway writes them.
func encode(t testing.TB, subClaim int64, content any) []byte {
	t.Helper()
	payload, err := hcert.Claims{Issuer: "XX", IssuedAt: issued, ExpiresAt: expires, SubClaim: subClaim, Content: content}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// anyClaims encodes claims that the gateway would refuse to write.
func anyClaims(t testing.TB, claims any) []byte {
	t.Helper()
	payload, err := cbor.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// sign gives the COSE message of a payload; its key id is the DSC's.
func sign(t testing.TB, dsc trusttest.Pair, payload []byte) []byte {
	t.Helper()
	return signAs(t, dsc, cose.AlgorithmES256, payload)
}

func signAs(t testing.TB, dsc trusttest.Pair, algorithm cose.Algorithm, payload []byte) []byte {
	t.Helper()
	signer, err := cose.NewSigner(algorithm, dsc.Key)
	if err != nil {
		t.Fatal(err)
	}
	message, err := hcert.Sign1(payload, trust.KID(dsc.Cert), signer)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func text(t testing.TB, message []byte) string {
	t.Helper()
	text, err := hcert.Text(message)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (a authority) vaccinationText(t testing.TB) string {
	t.Helper()
	return text(t, sign(t, a.vaccination, encode(t, hcert.SubClaimDDCCVS, vaccination())))
}

func (a authority) testText(t testing.TB) string {
	t.Helper()
	return text(t, sign(t, a.test, encode(t, hcert.SubClaimDDCCTR, testResult())))
}

type object = map[string]any

// document is the smallest DDCC document around certificate texts.
func document(event object, texts ...string) object {
	entries := []any{
		object{"resource": object{"resourceType": "Composition", "status": "final"}},
		object{"resource": object{"resourceType": "Patient", "name": []any{object{"text": "Ada Spécimen"}}, "birthDate": "1990-02-03"}},
		object{"resource": event},
	}
	for _, text := range texts {
		entries = append(entries, object{"resource": object{"resourceType": "DocumentReference", "content": []any{
			object{"attachment": object{"contentType": "image/png", "data": "iVBORw0KGgo="}},
			object{"attachment": object{"contentType": "text/plain", "data": base64.StdEncoding.EncodeToString([]byte(text))}},
		}}})
	}
	return object{
		"resourceType": "Bundle", "type": "document", "id": "1", "timestamp": issued.Format(time.RFC3339),
		"link":  []any{object{"relation": "publication", "url": "urn:HCID:SPECIMEN0001"}},
		"entry": entries,
	}
}

func immunization() object {
	return object{
		"resourceType": "Immunization", "lotNumber": "LOT1", "occurrenceDateTime": "2026-01-20",
		"vaccineCode":     object{"coding": []any{object{"system": icd11, "code": "XM0GQ8"}}},
		"protocolApplied": []any{object{"doseNumberPositiveInt": 1, "seriesDosesPositiveInt": 2}},
	}
}

func observation() object {
	return object{
		"resourceType": "Observation", "effectiveDateTime": "2026-01-14T08:00:00Z",
		"valueCodeableConcept": object{"coding": []any{object{"system": "http://snomed.info/sct", "code": "260415000"}}},
	}
}

// jwsOptions are the header of a document signature; a test changes them.
type jwsOptions struct {
	key    trusttest.Pair
	kid    string
	header map[jose.HeaderKey]any
	when   string
}

func (a authority) jws() jwsOptions { return newJWS(a.document) }

func newJWS(key trusttest.Pair) jwsOptions {
	thumbprint := sha256.Sum256(key.Cert.Raw)
	return jwsOptions{
		key: key, kid: base64.StdEncoding.EncodeToString(trust.KID(key.Cert)), when: issued.Format(time.RFC3339),
		header: map[jose.HeaderKey]any{
			"canon": docsig.Canonicalization, "sigT": issued.Format(time.RFC3339),
			"x5t#S256": base64.RawURLEncoding.EncodeToString(thumbprint[:]),
		},
	}
}

// signDocument signs with another JOSE implementation than the verifier has.
func signDocument(t testing.TB, bundle object, options jwsOptions) []byte {
	t.Helper()
	delete(bundle, "signature")
	parsed, err := docsig.Parse(marshal(t, bundle))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: options.key.Key, KeyID: options.kid}},
		&jose.SignerOptions{ExtraHeaders: options.header})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(parsed.Canonical)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.DetachedCompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	bundle["signature"] = object{
		"type": []any{object{"code": "1.2.840.10065.1.12.1.5"}}, "when": options.when, "who": object{"display": "Authority"},
		"sigFormat": "application/jose", "data": base64.StdEncoding.EncodeToString([]byte(compact)),
	}
	return marshal(t, bundle)
}

func (a authority) signedDocument(t testing.TB) []byte {
	t.Helper()
	return signDocument(t, document(immunization(), a.vaccinationText(t)), a.jws())
}

func marshal(t testing.TB, value any) []byte {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
