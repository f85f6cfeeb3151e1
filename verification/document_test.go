package verification_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

func TestVerifyDocument(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	both := document(immunization(), a.vaccinationText(t), a.vaccinationText(t))
	for name, test := range map[string]struct {
		raw     []byte
		profile string
	}{
		"vaccination":    {a.signedDocument(t), "who-ddcc-vs"},
		"test":           {signDocument(t, document(observation(), a.testText(t)), a.jws()), "who-ddcc-tr"},
		"two QR codes":   {signDocument(t, both, a.jws()), "who-ddcc-vs"},
		"as stored":      {bytes.Replace(a.signedDocument(t), []byte(`"id":"1"`), []byte(`"id":"7","meta":{"versionId":"3"}`), 1), "who-ddcc-vs"},
		"pretty printed": {indent(t, a.signedDocument(t)), "who-ddcc-vs"},
	} {
		result := a.verifier().VerifyDocument(test.raw)
		if !result.Valid || result.Format != "ddcc-document" || result.Profile != test.profile || result.Content["name"] != "Ada Spécimen" {
			t.Errorf("%s: %+v", name, result)
			continue
		}
		d := result.Document
		if d.KID != base64.StdEncoding.EncodeToString(trust.KID(a.document.Cert)) || !d.SignedAt.Equal(issued) || d.Signer.Country != "XX" || d.KID == result.KID {
			t.Errorf("%s: document %+v", name, d)
		}
	}
}

func indent(t *testing.T, raw []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestDocumentSignatureIsChecked(t *testing.T) {
	t.Parallel()
	a, stranger := newAuthority(t), newAuthority(t)
	with := func(change func(*jwsOptions)) []byte {
		options := a.jws()
		change(&options)
		return signDocument(t, document(immunization(), a.vaccinationText(t)), options)
	}
	header := func(name jose.HeaderKey, value any) []byte {
		return with(func(o *jwsOptions) { o.header[name] = value })
	}
	signature := func(change func(object)) []byte {
		var bundle object
		if err := json.Unmarshal(a.signedDocument(t), &bundle); err != nil {
			t.Fatal(err)
		}
		change(bundle["signature"].(object))
		return marshal(t, bundle)
	}
	compact := func(change func(parts []string)) []byte {
		return signature(func(s object) {
			data, err := base64.StdEncoding.DecodeString(s["data"].(string))
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(string(data), ".")
			change(parts)
			s["data"] = base64.StdEncoding.EncodeToString([]byte(strings.Join(parts, ".")))
		})
	}
	rewrite := func(old, replacement string) []byte {
		return compact(func(parts []string) {
			raw, err := base64.RawURLEncoding.DecodeString(parts[0])
			if err != nil || !strings.Contains(string(raw), old) {
				t.Fatal("header", err)
			}
			parts[0] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(raw), old, replacement, 1)))
		})
	}
	at := func(when string) []byte {
		return with(func(o *jwsOptions) { o.when = when; o.header["sigT"] = when })
	}
	forged := a.jws()
	forged.key = stranger.document
	for name, test := range map[string]struct {
		raw  []byte
		want verification.Reason
	}{
		"other instant form":    {with(func(o *jwsOptions) { o.when = issued.Format("2006-01-02T15:04:05.000+00:00") }), verification.ReasonVerified},
		"unknown parameter":     {header("x", "y"), verification.ReasonVerified},
		"not JSON":              {[]byte("{"), verification.ReasonDocumentMalformed},
		"null signature":        {bytes.Replace(marshal(t, document(immunization())), []byte(`"id":"1"`), []byte(`"signature":null`), 1), verification.ReasonDocumentUnsigned},
		"list of signatures":    {bytes.Replace(marshal(t, document(immunization())), []byte(`"id":"1"`), []byte(`"signature":[{}]`), 1), verification.ReasonDocumentMalformed},
		"no when":               {signature(func(s object) { delete(s, "when") }), verification.ReasonDocumentMalformed},
		"other when":            {signature(func(s object) { s["when"] = now.Format(time.RFC3339) }), verification.ReasonDocumentBadSignature},
		"no data":               {signature(func(s object) { delete(s, "data") }), verification.ReasonDocumentMalformed},
		"data not base64":       {signature(func(s object) { s["data"] = "?" }), verification.ReasonDocumentMalformed},
		"payload attached":      {compact(func(p []string) { p[1] = "e30" }), verification.ReasonDocumentMalformed},
		"signature not base64":  {compact(func(p []string) { p[2] = "?" }), verification.ReasonDocumentMalformed},
		"signature short":       {compact(func(p []string) { p[2] = p[2][:40] }), verification.ReasonDocumentBadSignature},
		"signature of zeros":    {compact(func(p []string) { p[2] = strings.Repeat("A", 86) }), verification.ReasonDocumentBadSignature},
		"header not JSON":       {compact(func(p []string) { p[0] = "AAAA" }), verification.ReasonDocumentMalformed},
		"header is a list":      {compact(func(p []string) { p[0] = "W10" }), verification.ReasonDocumentMalformed},
		"header padded":         {compact(func(p []string) { p[0] += "=" }), verification.ReasonDocumentMalformed},
		"header member twice":   {rewrite(`{`, `{"alg":"none",`), verification.ReasonDocumentMalformed},
		"alg none":              {rewrite(`"ES256"`, `"none"`), verification.ReasonUnsupportedAlgorithm},
		"alg HS256":             {rewrite(`"ES256"`, `"HS256"`), verification.ReasonUnsupportedAlgorithm},
		"alg in capitals":       {rewrite(`"alg"`, `"ALG"`), verification.ReasonUnsupportedAlgorithm},
		"crit":                  {rewrite(`{`, `{"crit":["x"],`), verification.ReasonDocumentBadSignature},
		"unencoded payload":     {rewrite(`{`, `{"b64":false,`), verification.ReasonDocumentBadSignature},
		"header altered":        {rewrite(`{`, `{"x":1,`), verification.ReasonDocumentBadSignature},
		"kid gone":              {rewrite(`"kid"`, `"key"`), verification.ReasonKIDMissing},
		"kid no base64":         {with(func(o *jwsOptions) { o.kid = "?" }), verification.ReasonUnknownKey},
		"kid unknown":           {with(func(o *jwsOptions) { o.kid = "AAAAAAAAAAA=" }), verification.ReasonUnknownKey},
		"canon gone":            {rewrite(`"canon"`, `"other"`), verification.ReasonDocumentBadSignature},
		"canon other":           {header("canon", "http://hl7.org/fhir/canonicalization/json"), verification.ReasonDocumentBadSignature},
		"thumbprint gone":       {rewrite(`"x5t#S256"`, `"x5t"`), verification.ReasonDocumentBadSignature},
		"thumbprint of another": {header("x5t#S256", "AAAA"), verification.ReasonUnknownKey},
		"sigT gone":             {rewrite(`"sigT"`, `"iat"`), verification.ReasonDocumentBadSignature},
		"sigT no date":          {header("sigT", "yesterday"), verification.ReasonDocumentBadSignature},
		"signed in the future":  {at(now.Add(time.Hour).Format(time.RFC3339)), verification.ReasonNotYetValid},
		"signed before the DSC": {at(trusttest.Start.Add(-time.Second).Format(time.RFC3339)), verification.ReasonKeyNotYetValid},
		"key for vaccinations":  {signDocument(t, document(immunization(), a.vaccinationText(t)), newJWS(a.vaccination)), verification.ReasonUsageMismatch},
		"stranger":              {signDocument(t, document(immunization(), a.vaccinationText(t)), stranger.jws()), verification.ReasonUnknownKey},
		"forged":                {signDocument(t, document(immunization(), a.vaccinationText(t)), forged), verification.ReasonDocumentBadSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := a.verifier().VerifyDocument(test.raw)
			if result.Reason != test.want || result.Valid != (test.want == verification.ReasonVerified) {
				t.Errorf("%s (%s), want %s", result.Reason, result.Detail, test.want)
			}
			if !result.Valid && result.Content != nil {
				t.Error("shows content")
			}
		})
	}
}

// A document signed by the right key that does not say what its certificate says.
func TestDocumentMustAgreeWithItsCertificate(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	type edit func(bundle, patient, event object)
	entry := func(bundle object, i int) object {
		return bundle["entry"].([]any)[i].(object)["resource"].(object)
	}
	const mismatch, malformed = verification.ReasonDocumentCertificateMismatch, verification.ReasonDocumentMalformed
	for name, test := range map[string]struct {
		change edit
		want   verification.Reason
	}{
		"as issued":        {func(_, _, _ object) {}, verification.ReasonVerified},
		"other name":       {func(_, p, _ object) { p["name"] = []any{object{"text": "Bob Spécimen"}} }, mismatch},
		"no name":          {func(_, p, _ object) { delete(p, "name") }, mismatch},
		"other birth date": {func(_, p, _ object) { p["birthDate"] = "1990-02-04" }, mismatch},
		"no birth date":    {func(_, p, _ object) { delete(p, "birthDate") }, mismatch},
		"other HCID":       {func(b, _, _ object) { b["link"].([]any)[0].(object)["url"] = "urn:HCID:SPECIMEN0002" }, mismatch},
		"no HCID":          {func(b, _, _ object) { delete(b, "link") }, mismatch},
		"two HCIDs":        {func(b, _, _ object) { l := b["link"].([]any); b["link"] = append(l, l[0]) }, mismatch},
		"other vaccine": {func(_, _, e object) {
			e["vaccineCode"] = object{"coding": []any{object{"system": icd11, "code": "XM68M6"}}}
		}, mismatch},
		"other code system": {func(_, _, e object) { e["vaccineCode"] = object{"coding": []any{object{"code": "XM0GQ8"}}} }, mismatch},
		"other lot":         {func(_, _, e object) { e["lotNumber"] = "LOT2" }, mismatch},
		"other date":        {func(_, _, e object) { e["occurrenceDateTime"] = "2026-01-21" }, mismatch},
		"other dose": {func(_, _, e object) {
			e["protocolApplied"] = []any{object{"doseNumberPositiveInt": 2, "seriesDosesPositiveInt": 2}}
		}, mismatch},
		"dose as text": {func(_, _, e object) {
			e["protocolApplied"] = []any{object{"doseNumberPositiveInt": "1", "seriesDosesPositiveInt": 2}}
		}, mismatch},
		"no total of doses":  {func(_, _, e object) { e["protocolApplied"] = []any{object{"doseNumberPositiveInt": 1}} }, mismatch},
		"lot is an object":   {func(_, _, e object) { e["lotNumber"] = object{} }, mismatch},
		"two patients":       {func(b, p, _ object) { b["entry"] = append(b["entry"].([]any), object{"resource": p}) }, mismatch},
		"two vaccinations":   {func(b, _, e object) { b["entry"] = append(b["entry"].([]any), object{"resource": e}) }, mismatch},
		"a test instead":     {func(_, _, e object) { e["resourceType"] = "Observation" }, mismatch},
		"not a document":     {func(b, _, _ object) { b["type"] = "collection" }, malformed},
		"not a bundle":       {func(b, _, _ object) { b["resourceType"] = "List" }, malformed},
		"no composition":     {func(b, _, _ object) { b["entry"] = b["entry"].([]any)[1:] }, malformed},
		"no QR code":         {func(b, _, _ object) { b["entry"] = b["entry"].([]any)[:3] }, malformed},
		"QR code not base64": {func(b, _, _ object) { attachment(entry(b, 3))["data"] = "?" }, malformed},
		"QR code empty":      {func(b, _, _ object) { delete(attachment(entry(b, 3)), "data") }, malformed},
		"QR code no HCERT":   {func(b, _, _ object) { attachment(entry(b, 3))["data"] = "AAAA" }, verification.ReasonNotHCERT},
		"entry no list":      {func(b, _, _ object) { b["entry"] = object{} }, malformed},
		"nine QR codes": {func(b, _, _ object) {
			for range 8 {
				b["entry"] = append(b["entry"].([]any), object{"resource": entry(b, 3)})
			}
		}, malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bundle := document(immunization(), a.vaccinationText(t))
			test.change(bundle, entry(bundle, 1), entry(bundle, 2))
			result := a.verifier().VerifyDocument(signDocument(t, bundle, a.jws()))
			if result.Reason != test.want || result.Valid != (test.want == verification.ReasonVerified) {
				t.Errorf("%s (%s), want %s", result.Reason, result.Detail, test.want)
			}
			if strings.Contains(result.Detail, "Ada") || strings.Contains(result.Detail, "LOT") {
				t.Errorf("the detail repeats a value: %s", result.Detail)
			}
		})
	}
}

func attachment(reference object) object {
	return reference["content"].([]any)[1].(object)["attachment"].(object)
}

func TestTestDocumentMustAgree(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	for name, change := range map[string]func(event object){
		"date": func(e object) { e["effectiveDateTime"] = "2026-01-15T08:00:00Z" },
		"result": func(e object) {
			e["valueCodeableConcept"] = object{"coding": []any{object{"system": "http://snomed.info/sct", "code": "260373001"}}}
		},
	} {
		event := observation()
		change(event)
		result := a.verifier().VerifyDocument(signDocument(t, document(event, a.testText(t)), a.jws()))
		if result.Reason != verification.ReasonDocumentCertificateMismatch {
			t.Errorf("%s: %s", name, result.Reason)
		}
	}
}

// The certificate inside is verified in full, and every one of several.
func TestCertificatesInDocuments(t *testing.T) {
	t.Parallel()
	a, stranger := newAuthority(t), newAuthority(t)
	eu := text(t, sign(t, a.vaccination, encode(t, 1, euContent("v"))))
	expired := text(t, sign(t, a.vaccination, anyClaims(t, object64{
		6: issued.Unix() - 1, 4: issued.Unix(), -260: object64{hcert.SubClaimDDCCVS: vaccination()},
	})))
	for name, test := range map[string]struct {
		texts []string
		want  verification.Reason
	}{
		"stranger":        {[]string{stranger.vaccinationText(t)}, verification.ReasonUnknownKey},
		"second stranger": {[]string{a.vaccinationText(t), stranger.vaccinationText(t)}, verification.ReasonUnknownKey},
		"expired":         {[]string{expired}, verification.ReasonExpired},
		"second is other": {[]string{a.vaccinationText(t), a.testText(t)}, verification.ReasonDocumentCertificateMismatch},
		"EU form":         {[]string{eu}, verification.ReasonDocumentCertificateMismatch},
	} {
		result := a.verifier().VerifyDocument(signDocument(t, document(immunization(), test.texts...), a.jws()))
		if result.Valid || result.Reason != test.want || result.Document == nil {
			t.Errorf("%s: %+v", name, result)
		}
	}
	if result := a.verifier().VerifyDocument(signDocument(t, document(immunization(), "shc:/1"), a.jws())); result.Reason != verification.ReasonInvalidEncoding {
		t.Errorf("damaged card: %s", result.Reason)
	}
	if result := a.verifier().VerifyDocument(bytes.Repeat([]byte(" "), verification.MaxDocument+1)); result.Reason != verification.ReasonDocumentMalformed {
		t.Errorf("too large: %s", result.Reason)
	}
}
