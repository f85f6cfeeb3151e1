package service

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/formats/docsig"
	"github.com/trustedparty/ddcc-gateway/formats/qr"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// documentOf is the smallest document that says what the certificate says.
func documentOf(t testing.TB, cert signing.Certificate) map[string]any {
	t.Helper()
	symbol, err := qr.Encode(cert.Text, qr.Q)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := symbol.PNG(qr.DefaultScale, qr.DefaultQuiet)
	if err != nil {
		t.Fatal(err)
	}
	at := cert.IssuedAt.Format(time.RFC3339)
	raw := `{"resourceType":"Bundle","type":"document","timestamp":"` + at + `",
	 "link":[{"relation":"publication","url":"urn:HCID:HCID-77"}],
	 "entry":[{"resource":{"resourceType":"Composition","status":"final","date":"` + at + `"}},
	  {"resource":{"resourceType":"Patient","name":[{"text":"Adaeze Specimen"}],"birthDate":"1987-04-12"}},
	  {"resource":{"resourceType":"Immunization","status":"completed","lotNumber":"LOT-9","occurrenceDateTime":"2026-10-01",
	    "extension":[{"url":"` + base + `DDCCEventBrand","valueCoding":{"system":"http://id.who.int/icd11/mms","code":"XM8NQ0"}},
	      {"url":"` + base + `DDCCVaccineMarketAuthorization","valueCoding":{"code":"ORG-1"}},
	      {"url":"` + base + `DDCCCountryOfEvent","valueCode":"FRA"}],
	    "vaccineCode":{"coding":[{"system":"http://id.who.int/icd11/mms","code":"XM0GQ8"}]},"protocolApplied":[{"doseNumberPositiveInt":1,"seriesDosesPositiveInt":2}]}},
	  {"resource":{"resourceType":"DocumentReference","type":{"coding":[{"code":"who"}]},"content":[
	    {"attachment":{"contentType":"image/png","data":"` + base64.StdEncoding.EncodeToString(picture) + `"}},
	    {"attachment":{"contentType":"text/plain","data":"` + base64.StdEncoding.EncodeToString([]byte(cert.Text)) + `"}}]}},
	  {"resource":{"resourceType":"Organization","identifier":[{"value":"demo"}]}}]}`
	var doc map[string]any
	if err := json.Unmarshal([]byte(raw), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// extensionAt is the i-th extension of a resource.
func extensionAt(resource map[string]any, i int) map[string]any {
	e, _ := resource["extension"].([]any)[i].(map[string]any)
	return e
}

const base = "http://smart.who.int/ddcc/StructureDefinition/"

// extend gives a resource an extension more.
func extend(resource map[string]any, url, kind string, value any) {
	resource["extension"] = append(resource["extension"].([]any), map[string]any{"url": url, kind: value})
}

// resourceAt is the i-th resource of a document.
func resourceAt(doc map[string]any, i int) map[string]any {
	entries, _ := doc["entry"].([]any)
	e, _ := entries[i].(map[string]any)
	r, _ := e["resource"].(map[string]any)
	return r
}

// narrated is a narrative of these lines.
func narrated(lines ...string) map[string]any {
	return map[string]any{"status": textGenerated, "div": narrativeBegin + lineBegin + strings.Join(lines, lineEnd+lineBegin) + lineEnd + narrativeEnd}
}

// add puts a resource more into a document.
func add(doc, resource map[string]any) {
	doc["entry"] = append(doc["entry"].([]any), map[string]any{"resource": resource})
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func issued(t *testing.T, b *testBench) signing.Certificate {
	t.Helper()
	cert, err := b.Issue(context.Background(), caller, intent())
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestDocumentSignatureVerifies(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	cert := issued(t, b)
	raw := marshal(t, documentOf(t, cert))
	signed, err := b.SignDocument(context.Background(), caller, signing.DocumentIntent{ID: cert.ID, Document: raw})
	if err != nil {
		t.Fatal(err)
	}
	key, err := b.keys.Active(context.Background(), keystore.UsageDocument)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := docsig.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := jose.ParseDetached(signed.JWS, doc.Canonical, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jws.Verify(key.Certificate.PublicKey); err != nil {
		t.Error(err)
	}
	header := jws.Signatures[0].Protected
	if header.KeyID != base64.StdEncoding.EncodeToString(key.KID) || header.ExtraHeaders[docsig.HeaderCanonicalization] != docsig.Canonicalization ||
		header.ExtraHeaders[docsig.HeaderSigningTime] != fixed.Format(time.RFC3339) {
		t.Errorf("header %+v", header)
	}
}

// TestDocumentMustSayWhatItsCertificateSays changes one thing at a time.
func TestDocumentMustSayWhatItsCertificateSays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	cert := issued(t, b)
	other := issued(t, b)
	entry := resourceAt
	for name, change := range map[string]func(map[string]any){
		"type":                  func(d map[string]any) { d["type"] = "collection" },
		"resource":              func(d map[string]any) { d["resourceType"] = "Patient" },
		"timestamp":             func(d map[string]any) { d["timestamp"] = "2026-11-21T09:30:01Z" },
		"no timestamp":          func(d map[string]any) { delete(d, "timestamp") },
		"HCID":                  func(d map[string]any) { d["link"] = []any{map[string]any{"url": "urn:HCID:OTHER"}} },
		"no link":               func(d map[string]any) { delete(d, "link") },
		"signed already":        func(d map[string]any) { d["signature"] = map[string]any{} },
		"signature null":        func(d map[string]any) { d["signature"] = nil },
		"Composition not first": func(d map[string]any) { entry(d, 0)["resourceType"] = "Basic" },
		"name":                  func(d map[string]any) { entry(d, 1)["name"] = []any{map[string]any{"text": "Other Specimen"}} },
		"birth date":            func(d map[string]any) { entry(d, 1)["birthDate"] = "1987-04-13" },
		"no birth date":         func(d map[string]any) { delete(entry(d, 1), "birthDate") },
		"two patients":          func(d map[string]any) { entry(d, 0)["resourceType"] = "Patient" },
		"lot":                   func(d map[string]any) { entry(d, 2)["lotNumber"] = "LOT-8" },
		"date":                  func(d map[string]any) { entry(d, 2)["occurrenceDateTime"] = "2026-10-02" },
		"dose": func(d map[string]any) {
			entry(d, 2)["protocolApplied"] = []any{map[string]any{"doseNumberPositiveInt": 2}}
		},
		"no vaccine":        func(d map[string]any) { delete(entry(d, 2), "vaccineCode") },
		"no event":          func(d map[string]any) { entry(d, 2)["resourceType"] = "Basic" },
		"no certificate":    func(d map[string]any) { entry(d, 3)["content"] = []any{} },
		"other certificate": func(d map[string]any) { d["entry"].([]any)[3] = documentOf(t, other)["entry"].([]any)[3] },
		"no entries":        func(d map[string]any) { d["entry"] = map[string]any{} },
		"retracted":         func(d map[string]any) { entry(d, 0)["status"] = "entered-in-error" },
		"not done":          func(d map[string]any) { entry(d, 2)["status"] = "not-done" },
		"second name": func(d map[string]any) {
			entry(d, 1)["name"] = append(entry(d, 1)["name"].([]any), map[string]any{"text": "Other"})
		},
		"other authority":  func(d map[string]any) { entry(d, 4)["identifier"] = []any{map[string]any{"value": "elsewhere"}} },
		"second authority": func(d map[string]any) { add(d, map[string]any{"resourceType": "Organization"}) },
		"other finding":    func(d map[string]any) { add(d, map[string]any{"resourceType": "Observation"}) },
		"modifier":         func(d map[string]any) { entry(d, 2)["modifierExtension"] = []any{map[string]any{}} },
		"contained":        func(d map[string]any) { entry(d, 1)["contained"] = []any{} },
		"brand":            func(d map[string]any) { extensionAt(entry(d, 2), 0)["valueCoding"].(map[string]any)["code"] = "XM3DT5" },
		"holder":           func(d map[string]any) { extensionAt(entry(d, 2), 1)["valueCoding"].(map[string]any)["code"] = "ORG-2" },
		"country":          func(d map[string]any) { extensionAt(entry(d, 2), 2)["valueCode"] = "CHE" },
		"manufacturer":     func(d map[string]any) { entry(d, 2)["manufacturer"] = map[string]any{"display": "Somebody"} },
		"centre":           func(d map[string]any) { entry(d, 2)["location"] = map[string]any{"display": "Elsewhere"} },
		"series": func(d map[string]any) {
			entry(d, 2)["protocolApplied"].([]any)[0].(map[string]any)["seriesDosesPositiveInt"] = 3
		},
		"second code": func(d map[string]any) {
			codes := entry(d, 2)["vaccineCode"].(map[string]any)
			codes["coding"] = append(codes["coding"].([]any), map[string]any{"code": "XM3DT5"})
		},
		"vaccine text": func(d map[string]any) { entry(d, 2)["vaccineCode"].(map[string]any)["text"] = "Another vaccine" },
		"second disease": func(d map[string]any) {
			entry(d, 2)["protocolApplied"].([]any)[0].(map[string]any)["targetDisease"] = []any{nil, map[string]any{"coding": []any{map[string]any{"code": "1D47"}}}}
		},
		"second country": func(d map[string]any) {
			extend(entry(d, 2), "http://elsewhere.example/DDCCCountryOfEvent", "valueCode", "FRA")
		},
		"country twice": func(d map[string]any) { extend(entry(d, 2), base+"DDCCCountryOfEvent", "valueCode", "FRA") },
		"older country": func(d map[string]any) { extend(entry(d, 2), base+"DDCCCountryOfVaccination", "valueCode", "DEU") },
		"older brand": func(d map[string]any) {
			extend(entry(d, 2), base+"DDCCVaccineBrand", "valueCoding", map[string]any{"code": "XM4YL8"})
		},
		"valid from":      func(d map[string]any) { extend(entry(d, 2), base+"DDCCVaccineValidFrom", "valueDate", "2020-01-01") },
		"two values":      func(d map[string]any) { extensionAt(entry(d, 2), 2)["valueDate"] = "2020-01-01" },
		"other extension": func(d map[string]any) { extend(entry(d, 2), base+"DDCCReaction", "valueCode", "x") },
		"name in parts":   func(d map[string]any) { entry(d, 1)["name"].([]any)[0].(map[string]any)["family"] = "Else" },
		"second event": func(d map[string]any) {
			entry(d, 0)["event"] = []any{map[string]any{}, map[string]any{"period": map[string]any{"end": "2090-01-01"}}}
		},
		"note":            func(d map[string]any) { entry(d, 2)["note"] = []any{map[string]any{"text": "another vaccine, too"}} },
		"subpotent":       func(d map[string]any) { entry(d, 2)["isSubpotent"] = true },
		"expired vaccine": func(d map[string]any) { entry(d, 2)["expirationDate"] = "2020-01-01" },
		"reaction":        func(d map[string]any) { entry(d, 2)["reaction"] = []any{} },
		"title":           func(d map[string]any) { entry(d, 0)["title"] = "Certificate of recovery" },
		"category": func(d map[string]any) {
			entry(d, 0)["category"] = []any{map[string]any{"coding": []any{map[string]any{"code": "ddcc-tr"}}}}
		},
		"section title":   func(d map[string]any) { entry(d, 0)["section"] = []any{map[string]any{"title": "Recovery"}} },
		"second section":  func(d map[string]any) { entry(d, 0)["section"] = []any{map[string]any{}, map[string]any{}} },
		"additional text": func(d map[string]any) { entry(d, 0)["text"] = map[string]any{"status": "additional"} },
		"free text":       func(d map[string]any) { entry(d, 0)["text"] = map[string]any{"div": "<div>Recovered</div>"} },
		"other label":     func(d map[string]any) { entry(d, 0)["text"] = narrated("Recovered: yes") },
		"other name":      func(d map[string]any) { entry(d, 0)["text"] = narrated("Name: Other Specimen") },
		"name twice": func(d map[string]any) {
			entry(d, 0)["text"] = narrated("Name: Adaeze Specimen", "Name: Adaeze Specimen")
		},
		"markup": func(d map[string]any) { entry(d, 0)["text"] = narrated("Issued by: <b>x</b>") },
		"other patient": func(d map[string]any) {
			entry(d, 2)["patient"] = map[string]any{"reference": "https://elsewhere.example/Patient/1"}
		},
		"not the patient": func(d map[string]any) {
			d["entry"].([]any)[4].(map[string]any)["fullUrl"] = "urn:uuid:4"
			entry(d, 2)["patient"] = map[string]any{"reference": "urn:uuid:4"}
		},
		"absent otherwise": func(d map[string]any) {
			entry(d, 1)["_birthDate"] = map[string]any{"extension": []any{map[string]any{"url": "http://elsewhere.example", "valueCode": "x"}}}
		},
		"value as element": func(d map[string]any) { entry(d, 1)["gender"] = map[string]any{"text": "x"} },
		"element as value": func(d map[string]any) { entry(d, 0)["custodian"] = "x" },
		"other picture": func(d map[string]any) {
			entry(d, 3)["content"].([]any)[0].(map[string]any)["attachment"].(map[string]any)["data"] = "AAAA"
		},
		"second text": func(d map[string]any) {
			contents := entry(d, 3)["content"].([]any)
			entry(d, 3)["content"] = append(contents, contents[1])
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := documentOf(t, cert)
			change(doc)
			_, err := b.SignDocument(context.Background(), caller, signing.DocumentIntent{ID: cert.ID, Document: marshal(t, doc)})
			if f := fault.From(err); err == nil || f.Kind != fault.Rule || len(f.Issues) == 0 {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestDocumentRefusals(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	cert := issued(t, b)
	good := marshal(t, documentOf(t, cert))
	cancelled := issued(t, b)
	if _, err := b.Cancel(context.Background(), caller, cancelled.ID); err != nil {
		t.Fatal(err)
	}
	before := b.signatures()
	for name, tc := range map[string]struct {
		caller string
		in     signing.DocumentIntent
		want   fault.Kind
	}{
		"stranger":   {"urn:test:stranger", signing.DocumentIntent{ID: cert.ID, Document: good}, fault.Forbidden},
		"no id":      {caller, signing.DocumentIntent{Document: good}, fault.Malformed},
		"unknown id": {caller, signing.DocumentIntent{ID: uuid.NewString(), Document: good}, fault.NotFound},
		"cancelled":  {caller, signing.DocumentIntent{ID: cancelled.ID, Document: good}, fault.Conflict},
		"no JSON":    {caller, signing.DocumentIntent{ID: cert.ID, Document: []byte("x")}, fault.Malformed},
		"twice":      {caller, signing.DocumentIntent{ID: cert.ID, Document: []byte(`{"a":1,"a":2}`)}, fault.Malformed},
		"too large":  {caller, signing.DocumentIntent{ID: cert.ID, Document: []byte(`"` + strings.Repeat("x", MaxDocument) + `"`)}, fault.TooLarge},
	} {
		if _, err := b.SignDocument(context.Background(), tc.caller, tc.in); fault.KindOf(err) != tc.want || err == nil {
			t.Errorf("%s: %v, want kind %d", name, err, tc.want)
		}
	}
	b.audit.failOn = actionDocumentIntent
	if _, err := b.SignDocument(context.Background(), caller, signing.DocumentIntent{ID: cert.ID, Document: good}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("no audit, yet: %v", err)
	}
	if n := b.signatures() - before; n != 0 {
		t.Errorf("the key was used %d times for refused documents", n)
	}
	b.audit.failOn = actionDocument
	if out, err := b.SignDocument(context.Background(), caller, signing.DocumentIntent{ID: cert.ID, Document: good}); fault.KindOf(err) != fault.Unavailable || out.JWS != "" {
		t.Errorf("the receipt was not audited, yet the signature was released: %v", err)
	}
}

// TestDocumentKeyAway: every audited intent has an end on record, and the same document is
// signed once the key is back.
func TestDocumentKeyAway(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	cert := issued(t, b)
	in := signing.DocumentIntent{ID: cert.ID, Document: marshal(t, documentOf(t, cert))}
	b.store.Wrap(func(keystore.Ref, keystore.Digest, func() (keystore.Signature, error)) (keystore.Signature, error) {
		return keystore.Signature{}, keystore.ErrUnavailable
	})
	_, err := b.SignDocument(context.Background(), caller, in)
	if f := fault.From(err); f.Kind != fault.Unavailable || f.RetryAfter == 0 {
		t.Errorf("got %v, want 503 with Retry-After", err)
	}
	b.store.Wrap(nil)
	if _, err := b.SignDocument(context.Background(), caller, in); err != nil {
		t.Errorf("when it is back: %v", err)
	}
	want := []string{actionIntent, actionSigned, actionDocumentIntent, actionDocumentFailed, actionDocumentIntent, actionDocument}
	if got := b.audit.actions(); !slices.Equal(got, want) {
		t.Errorf("audit %v", got)
	}
}

// FuzzCompareDocument: whatever stands in a document, comparing it ends, and only the
// document of the certificate passes.
func FuzzCompareDocument(f *testing.F) {
	f.Add([]byte(`{"resourceType":"Bundle","type":"document","entry":[{"resource":{"resourceType":"Patient","name":[]}}]}`))
	f.Add([]byte(`{"entry":[null,1,[],{"resource":[]}]}`))
	f.Add([]byte(`{"entry":[{"resource":{"resourceType":"Composition","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><ul><li>Name: </ul></div>"},"section":[{"entry":[1]}]}}]}`))
	f.Add([]byte(`{"entry":[{"resource":{"resourceType":"Device","property":[{"type":{"text":"brand"}}],"_manufacturer":{"extension":[[]]}}}]}`))
	b := newBench(f)
	cert, err := b.Issue(context.Background(), caller, intent())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		doc, err := docsig.Parse(raw)
		if err != nil {
			return
		}
		issues, err := compareDocument(cert, 3, []picture{{"who", cert.Text}}, doc.Canonical)
		if err == nil && len(issues) == 0 && !strings.Contains(string(raw), "text/plain") {
			t.Error("a document without the certificate passes")
		}
	})
}
