package defects

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// content reads the payload of a certificate.
func content(t *testing.T, text string) (map[string]any, *reader.Message) {
	t.Helper()
	m, err := reader.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range []int64{3, 4} {
		if c, ok := m.Claims.SubClaims[sub].(map[string]any); ok {
			return c, m
		}
	}
	t.Fatal("the certificate has no DDCC content")
	return nil, nil
}

func publishedKeysVerify(t *testing.T, s *harness.System) {
	c := issue(t, s, harness.VS(t, hcid(t)))
	list := s.TrustList()
	verifier := verification.Verifier{List: list}
	if r := verifier.VerifyText(c.Text); !r.Valid {
		t.Errorf("the published list does not verify: %s", r.Reason)
	}
	if n := len(list.Entries()); n < 7 {
		t.Errorf("%d keys on the list, want those of vaccination, test, recovery, card, seal, document and trust list", n)
	}
	want := map[any]bool{} // a JWKS is for certificates: the other keys are on the list alone
	for _, e := range list.Entries() {
		if e.Allows(trust.UsageVaccination) || e.Allows(trust.UsageTest) || e.Allows(trust.UsageRecovery) {
			want[base64.StdEncoding.EncodeToString(e.KID)] = true
		}
	}
	a := as(t, s, "", "/trust/jwks.json")
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(a.Body, &set); err != nil || len(set.Keys) < 3 || len(set.Keys) != len(want) {
		t.Fatalf("JWKS: %v, %d keys, want %d", err, len(set.Keys), len(want))
	}
	for _, k := range set.Keys {
		if !want[k["kid"]] || k["x"] == nil || k["d"] != nil {
			t.Errorf("key %v", k["kid"])
		}
	}
}

func claimsAreComplete(t *testing.T, s *harness.System) {
	_, m := content(t, issue(t, s, harness.VS(t, hcid(t))).Text)
	if m.Claims.Issuer != "XX" || m.Claims.IssuedAt.IsZero() || m.Claims.ExpiresAt.IsZero() || !m.KIDProtected {
		t.Errorf("claims %+v", m.Claims)
	}
	if year := m.Claims.ExpiresAt.Sub(m.Claims.IssuedAt); year > 366*24*time.Hour {
		t.Errorf("valid for %v", year)
	}
	entries := s.TrustList().Lookup(m.KID)
	if len(entries) != 1 {
		t.Fatal("the kid is not in the list")
	}
	sum := sha256.Sum256(entries[0].DSC.Raw)
	if !bytes.Equal(m.KID, sum[:8]) {
		t.Error("the kid is not the hash of the DSC")
	}
}

func nothingInvented(t *testing.T, s *harness.System) {
	body := harness.VS(t, hcid(t), harness.Items{"total_doses": nil, "disease": nil, "name": {"valueString": "Single"}})
	c, _ := content(t, issue(t, s, body).Text)
	shot, _ := c["vaccination"].(map[string]any)
	for _, key := range []string{"totalDoses", "disease", "validFrom", "maholder"} {
		if v, there := shot[key]; there {
			t.Errorf("%s was invented: %v", key, v)
		}
	}
	if c["name"] != "Single" {
		t.Errorf("name became %v", c["name"])
	}
	if country, _ := shot["country"].(map[string]any); country["code"] != "XXA" {
		t.Errorf("country became %v", country)
	}
	t.Run("beside", func(t *testing.T) { nothingInventedBeside(t, s) })
}

func payloadIsMinimal(t *testing.T, s *harness.System) {
	c, _ := content(t, issue(t, s, harness.VS(t, hcid(t))).Text)
	flat := fmt.Sprint(c)
	for _, word := range []string{"sex", "female", "NID-SPECIMEN", "HW-SPECIMEN", "resourceType", "identifier", "practitioner", "nextDose"} {
		if strings.Contains(flat, word) {
			t.Errorf("the QR content holds %s", word)
		}
	}
}

func documentIsWellFormed(t *testing.T, s *harness.System) {
	for _, body := range [][]byte{harness.VS(t, hcid(t)), harness.TR(t, hcid(t)+"-T")} {
		raw := post(t, s, generate, body).Body
		var doc struct {
			Identifier map[string]any
			Timestamp  string
			Entry      []struct {
				FullURL  string `json:"fullUrl"`
				Resource map[string]any
				Request  map[string]any
			}
		}
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatalf("%v: %.300s", err, raw)
		}
		if doc.Identifier["value"] == nil || doc.Identifier["system"] == nil || doc.Timestamp == "" {
			t.Error("identifier object or timestamp is missing")
		}
		if doc.Entry[0].Resource["resourceType"] != "Composition" {
			t.Error("the first entry is not the Composition")
		}
		known, kinds := map[string]bool{}, map[any]int{}
		for _, e := range doc.Entry {
			known[e.FullURL] = true
			kinds[e.Resource["resourceType"]]++
			if e.Request != nil {
				t.Error("an entry of a document has a request")
			}
		}
		if kinds["Organization"] != 1 || kinds["Patient"] != 1 || kinds["QuestionnaireResponse"] != 0 {
			t.Errorf("resources %v", kinds)
		}
		for _, e := range doc.Entry {
			checkReferences(t, e.Resource, known)
		}
		composition := doc.Entry[0].Resource
		for _, element := range []string{"status", "date", "attester", "identifier", "author", "title"} {
			if composition[element] == nil {
				t.Errorf("Composition.%s is missing", element)
			}
		}
	}
}

// checkReferences insists that every reference inside resolves in the document.
func checkReferences(t *testing.T, v any, known map[string]bool) {
	t.Helper()
	switch x := v.(type) {
	case map[string]any:
		if ref, ok := x["reference"].(string); ok && !known[ref] {
			t.Errorf("reference %s does not resolve", ref)
		}
		for _, member := range x {
			checkReferences(t, member, known)
		}
	case []any:
		for _, member := range x {
			checkReferences(t, member, known)
		}
	}
}

func signatureSurvivesStorage(t *testing.T, s *harness.System) {
	raw := post(t, s, generate, harness.VS(t, hcid(t))).Body
	verifier := verification.Verifier{List: s.TrustList()}
	if r := verifier.VerifyDocument(raw); !r.Valid {
		t.Fatalf("the document does not verify: %s %s", r.Reason, r.Detail)
	}
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	// What a FHIR server does: its own id, its own meta, another order of members.
	doc["id"], doc["meta"] = "server-1", map[string]any{"versionId": "3", "lastUpdated": "2026-11-21T00:00:00Z"}
	stored, err := json.MarshalIndent(doc, "", "   ")
	if err != nil {
		t.Fatal(err)
	}
	if r := verifier.VerifyDocument(stored); !r.Valid {
		t.Errorf("after storage by a server: %s %s", r.Reason, r.Detail)
	}
	if r := verifier.VerifyDocument(bytes.Replace(raw, []byte("SPECLOT7"), []byte("SPECLOT8"), 1)); r.Valid {
		t.Error("a changed lot verifies")
	}
	if r := verifier.VerifyDocument(bytes.Replace(raw, []byte("Ngozi"), []byte("Bgozi"), 1)); r.Valid {
		t.Error("a changed name verifies")
	}
}

// onlyLintedDocumentsAreSigned: the signer refuses to sign what is not the document of a
// certificate it made, whoever asks.
func onlyLintedDocumentsAreSigned(t *testing.T, s *harness.System) {
	c := issue(t, s, harness.VS(t, hcid(t)))
	client := s.Client("gateway")
	for name, document := range map[string]string{
		"outcome":        `{"resourceType":"OperationOutcome","issue":[]}`,
		"empty":          `{}`,
		"empty document": `{"resourceType":"Bundle","type":"document"}`,
	} {
		body := fmt.Sprintf(`{"id":%q,"document":%s}`, c.ID, document)
		req, err := http.NewRequest(http.MethodPost, "https://"+s.SignerAddress+"/v1/documents", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		a, err := harness.Do(client, req)
		if err != nil || a.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d, %v: %s", name, a.Status, err, a.Body)
		}
	}
}

// answerComesAfterTheRecord: what was answered can be fetched at once.
func answerComesAfterTheRecord(t *testing.T, s *harness.System) {
	a := post(t, s, generate, harness.VS(t, hcid(t)))
	got, err := s.Get(a.Header.Get("Location"))
	if err != nil || got.Status != http.StatusOK || !bytes.Equal(got.Body, a.Body) {
		t.Errorf("Location %s: %v, status %d", a.Header.Get("Location"), err, got.Status)
	}
	again, err := s.Get(a.Header.Get("Location"), "If-None-Match", got.Header.Get("ETag"))
	if err != nil || again.Status != http.StatusNotModified || len(again.Body) != 0 {
		t.Errorf("conditional read: %v, status %d", err, again.Status)
	}
}

func foldersLoseNothing(t *testing.T, s *harness.System) {
	id := hcid(t)
	const doses = 12
	var folder string
	var mu sync.Mutex
	var wg sync.WaitGroup
	for n := range doses {
		wg.Go(func() {
			a, err := s.Post(generate, harness.VS(t, id, harness.Items{"dose": {"valueInteger": n + 1}, "total_doses": nil}))
			if err != nil || a.Status != http.StatusCreated {
				t.Errorf("dose %d: %v, status %d %.200s", n+1, err, a.Status, a.Body)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			link, _, _ := strings.Cut(a.Header.Get("Link"), ">")
			link = strings.TrimPrefix(link, "<")
			if folder != "" && folder != link {
				t.Errorf("two folders for one HCID: %s and %s", folder, link)
			}
			folder = link
		})
	}
	wg.Wait()
	a, err := s.Get(folder)
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Entry []struct{ Item struct{ Reference string } }
	}
	if err := json.Unmarshal(a.Body, &list); err != nil || len(list.Entry) != doses {
		t.Errorf("folder holds %d of %d doses, %v: %.200s", len(list.Entry), doses, err, a.Body)
	}
}

func holdersAreNotMixedUp(t *testing.T, s *harness.System) {
	base := hcid(t)
	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() {
			id, name := fmt.Sprintf("%s-%d", base, n), fmt.Sprintf("Holder Specimen %d", n)
			a, err := s.Post(generate, harness.VS(t, id, harness.Items{"name": {"valueString": name}}))
			if err != nil || a.Status != http.StatusCreated {
				t.Errorf("%v, status %d", err, a.Status)
				return
			}
			c := harness.ReadCertificate(t, a.Body)
			got, _ := content(t, harness.DecodeQR(t, c.Image))
			certificate, _ := got["certificate"].(map[string]any)
			if got["name"] != name || certificate["hcid"] != id {
				t.Errorf("holder %d got somebody else's QR code", n)
			}
		})
	}
	wg.Wait()
}

func hcidBelongsToOnePerson(t *testing.T, s *harness.System) {
	id := hcid(t)
	issue(t, s, harness.VS(t, id))
	for _, change := range []harness.Items{
		{"name": {"valueString": "Somebody Else"}}, {"birthDate": {"valueDate": "1979-03-09"}},
	} {
		refused(t, post(t, s, generate, harness.VS(t, id, change)), http.StatusConflict)
	}
}

func hcidIsNotSyntax(t *testing.T, s *harness.System) {
	for _, id := range []string{"A&identifier=B", "A|B", "A?x", "../A", "A B", "A'--", "A\"", "A\n", strings.Repeat("A", 200)} {
		a := post(t, s, generate, harness.VS(t, id))
		if a.Status == http.StatusCreated {
			c, _ := content(t, harness.ReadCertificate(t, a.Body).Text)
			certificate, _ := c["certificate"].(map[string]any)
			if certificate["hcid"] != strings.TrimSpace(id) { // white space at the ends is dropped, with a warning
				t.Errorf("HCID %.20q became another one", id)
			}
			continue
		}
		refused(t, a, http.StatusUnprocessableEntity)
	}
}

func resubmissionIsIdempotent(t *testing.T, s *harness.System) {
	body := harness.VS(t, hcid(t))
	texts := make([]string, 200)
	fresh := 0
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range texts {
		wg.Go(func() {
			a, err := s.Post(generate, body)
			if err != nil || (a.Status != http.StatusCreated && a.Status != http.StatusOK) {
				t.Errorf("%v, status %d: %.200s", err, a.Status, a.Body)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			texts[i] = harness.ReadCertificate(t, a.Body).Text
			if a.Status == http.StatusCreated {
				fresh++
			}
		})
	}
	wg.Wait()
	for _, text := range texts {
		if text != texts[0] {
			t.Fatal("200 identical submissions gave several certificates")
		}
	}
	if fresh != 1 {
		t.Errorf("%d answers of 201, want 1", fresh)
	}
	refused(t, post(t, s, generate, body, "If-None-Match", "*"), http.StatusPreconditionFailed)
}

func testsMetadataAndVersions(t *testing.T, s *harness.System) {
	c, m := content(t, issue(t, s, harness.TR(t, hcid(t))).Text)
	if _, ok := m.Claims.SubClaims[4]; !ok || c["test"] == nil {
		t.Error("a test result is not a DDCC TR certificate")
	}
	if r := (&verification.Verifier{List: s.TrustList()}).VerifyText(issue(t, s, harness.TR(t, hcid(t)+"-2")).Text); !r.Valid || r.Profile != "who-ddcc-tr" {
		t.Errorf("verification says %s %s", r.Reason, r.Profile)
	}
	for i, base := range []string{
		"http://smart.who.int/ddcc/", "https://smart.who.int/ddcc/", "http://worldhealthorganization.github.io/ddcc/",
		"https://WorldHealthOrganization.github.io/ddcc/",
	} {
		q := base + "DDCCVSCoreDataSetQuestionnaire|0.1.0"
		issue(t, s, harness.JSON(t, harness.Response(q, harness.Vaccination(fmt.Sprintf("%s-Q%d", hcid(t), i)))))
	}
	a := as(t, s, "", "/ddcc/metadata")
	if a.Status != 200 || !bytes.Contains(a.Body, []byte(`"resourceType":"CapabilityStatement"`)) {
		t.Errorf("metadata: %d %.100s", a.Status, a.Body)
	}
	t.Run("operations", func(t *testing.T) { revokedAndFolder(t, s) })
	t.Run("convert", func(t *testing.T) { convertRefusesWithoutRight(t, s) })
}

func anyDoseAnyScript(t *testing.T, s *harness.System) {
	for i, name := range []string{"محمد علي", "李明", "ኃይሌ ገብረ", "कमला देवी", "José Ñandú", "X Æ A-12", "O’Brien <b>&amp;</b>", "😀 Specimen"} {
		body := harness.VS(t, fmt.Sprintf("%s-%d", hcid(t), i), harness.Items{"name": {"valueString": name}, "dose": {"valueInteger": 3 + i}, "total_doses": nil})
		c := issue(t, s, body)
		got, _ := content(t, c.Text)
		patient := c.Resources["Patient"][0]
		names, _ := patient["name"].([]any)
		official, _ := names[0].(map[string]any)
		if got["name"] != name || official["text"] != name {
			t.Errorf("name %d did not survive", i)
		}
	}
	t.Run("card", func(t *testing.T) { cardHasEverything(t, s) })
}

func documentsHoldNoInternals(t *testing.T, s *harness.System) {
	raw := post(t, s, generate, harness.VS(t, hcid(t))).Body
	for _, word := range []string{"127.0.0.1", "localhost", "8443", "worldhealthorgnaization"} {
		if bytes.Contains(raw, []byte(word)) {
			t.Errorf("the document shows %s", word)
		}
	}
	var doc any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	checkIdentifiers(t, doc)
}

// checkIdentifiers insists that every identifier has a value.
func checkIdentifiers(t *testing.T, v any) {
	t.Helper()
	switch x := v.(type) {
	case map[string]any:
		for key, member := range x {
			if key == "identifier" || key == "masterIdentifier" || key == "valueIdentifier" {
				list, ok := member.([]any)
				if !ok {
					list = []any{member}
				}
				for _, id := range list {
					if m, _ := id.(map[string]any); m["value"] == nil || m["value"] == "" {
						t.Errorf("an identifier without value: %v", id)
					}
				}
			}
			checkIdentifiers(t, member)
		}
	case []any:
		for _, member := range x {
			checkIdentifiers(t, member)
		}
	}
}
