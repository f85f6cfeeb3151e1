package registration_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/formats/docsig"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var indented bytes.Buffer
	if err := json.Indent(&indented, got, "", " "); err != nil {
		t.Fatal(err)
	}
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, indented.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(indented.Bytes(), want) {
		t.Errorf("%s differs; see what -update changes", name)
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	golden(t, "provide.json", provided(t, folder(t, emptyFolder)))
	create, err := newRegistration(t).CreateFolder()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "folder.json", create)
	golden(t, "withdraw.json", withdrawnFrom(t, registered(t)))
}

func TestSameInputSameBytes(t *testing.T) {
	t.Parallel()
	first := provided(t, folder(t, emptyFolder))
	for range 5 {
		if again := provided(t, folder(t, emptyFolder)); !bytes.Equal(first, again) {
			t.Fatal("two transactions of one input differ")
		}
	}
}

func TestDocumentIsSentAsItWasSigned(t *testing.T) {
	t.Parallel()
	id, raw := newRegistration(t).Document()
	if document := signed(t); !bytes.Equal(raw, document) || id != certificateID {
		t.Error("it is not the bytes of the document")
	}
	place := find(t, entries(t, provided(t, folder(t, emptyFolder))), "Bundle/"+id)
	if !registration.Stored(raw) || registration.Stored(place.Resource) || registration.Stored(nil) {
		t.Error("the document and its place cannot be told apart")
	}
}

// TestReferencesResolve: what our resources refer to is in the transaction, or contained; and
// no name of an entry is one of the document.
func TestReferencesResolve(t *testing.T) {
	t.Parallel()
	all := entries(t, provided(t, folder(t, emptyFolder)))
	document := string(signed(t))
	known := map[string]bool{"#authority": true}
	for _, e := range all {
		if known[e.FullURL] || !strings.HasPrefix(e.FullURL, "urn:uuid:") {
			t.Errorf("fullUrl %q", e.FullURL)
		}
		if strings.Contains(document, e.FullURL) {
			t.Errorf("%s occurs in the document", e.FullURL)
		}
		known[e.FullURL] = true
	}
	found := 0
	for _, e := range all {
		if strings.HasPrefix(e.Request.URL, "Bundle/") {
			continue
		}
		for _, m := range regexp.MustCompile(`"reference":\s*"([^"]*)"`).FindAllSubmatch(e.Resource, -1) {
			found++
			if !known[string(m[1])] {
				t.Errorf("%s refers to %s", e.Request.URL, m[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d references", found)
	}
}

// TestAttachmentsPointAtWhatIsSent: relative addresses of resources of the same transaction.
func TestAttachmentsPointAtWhatIsSent(t *testing.T) {
	t.Parallel()
	all := entries(t, provided(t, folder(t, emptyFolder)))
	var urls []string
	for _, e := range all {
		urls = append(urls, e.Request.URL)
	}
	n := 0
	for _, e := range all {
		if !strings.HasPrefix(e.Request.URL, "DocumentReference/") {
			continue
		}
		n++
		content := tree(t, e.Resource)["content"].([]any)
		attachment := content[0].(map[string]any)["attachment"].(map[string]any)
		if len(content) != 1 || !slices.Contains(urls, attachment["url"].(string)) || attachment["data"] != nil {
			t.Errorf("%v", attachment)
		}
		var file struct {
			ContentType string
			Data        []byte
		}
		if err := json.Unmarshal(find(t, all, attachment["url"].(string)).Resource, &file); err != nil {
			t.Fatal(err)
		}
		sum := sha1.Sum(file.Data)
		if attachment["contentType"] != file.ContentType || attachment["size"] != float64(len(file.Data)) || attachment["hash"] != base64.StdEncoding.EncodeToString(sum[:]) {
			t.Errorf("%v is not of what is sent", attachment)
		}
		if n == 1 && !bytes.Equal(file.Data, signed(t)) {
			t.Error("the first is not the document")
		}
	}
	if n != 3 {
		t.Errorf("%d references", n)
	}
}

// TestRestore: a server has left out what the fullUrls state, as HAPI does.
func TestRestore(t *testing.T) {
	t.Parallel()
	whole, err := docsig.Parse(signed(t))
	if err != nil {
		t.Fatal(err)
	}
	bundle := tree(t, signed(t))
	for _, e := range bundle["entry"].([]any) {
		delete(e.(map[string]any)["resource"].(map[string]any), "id")
	}
	stripped, err := json.Marshal(bundle)
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{"stripped": stripped, "whole": signed(t)} {
		restored, err := registration.Restore(raw)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := docsig.Parse(restored); err != nil || !bytes.Equal(again.Canonical, whole.Canonical) {
			t.Errorf("%s: something else was signed, %v", name, err)
		}
	}
	for _, raw := range []string{"", "[]", "{}", `{"entry":[1]}`, `{"entry":[{}]}`, `{"entry":[{"resource":null}]}`} {
		if _, err := registration.Restore([]byte(raw)); fault.KindOf(err) != fault.Malformed || err == nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	other, err := registration.Restore([]byte(`{"entry":[{"fullUrl":"https://x.example/Patient/1","resource":{}},{"fullUrl":"urn:uuid:no","resource":{}}]}`))
	if err != nil || strings.Contains(string(other), `"id"`) {
		t.Errorf("%s, %v", other, err)
	}
}

// TestWhoLearnsWhat: names, dates and codes are in the patient, the document and the texts of
// the QR codes, the HCID in the folder and the document, and nowhere else.
func TestWhoLearnsWhat(t *testing.T) {
	t.Parallel()
	create, err := newRegistration(t).CreateFolder()
	if err != nil {
		t.Fatal(err)
	}
	all := append(entries(t, provided(t, folder(t, emptyFolder))), entries(t, create)...)
	all = append(all, entries(t, withdrawnFrom(t, registered(t)))...)
	for _, e := range all {
		typ, _, _ := strings.Cut(e.Request.URL, "/")
		for secret, allowed := range map[string]string{
			"Adaeze": "Patient Bundle", "1987": "Patient Bundle", "LOT-1": "Bundle", "XM0GQ8": "Bundle", hcid: "Bundle List", "SFDMTpT": "Bundle Binary",
		} {
			if strings.Contains(string(e.Resource), secret) && !strings.Contains(allowed, typ) {
				t.Errorf("%s says %s", e.Request.URL, secret)
			}
		}
		if strings.Contains(e.Request.URL+e.Request.IfNoneExist, hcid) {
			t.Error("an address holds the HCID")
		}
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	for _, e := range entries(t, provided(t, folder(t, emptyFolder))) {
		wantMatch := ""
		if e.Request.URL == "List/4711" {
			wantMatch = `W/"3"`
		}
		if e.Request.Method != "PUT" || e.Request.IfMatch != wantMatch || e.Request.IfNoneExist != "" {
			t.Errorf("%+v", e.Request)
		}
		if own := tree(t, e.Resource); own["resourceType"].(string)+"/"+own["id"].(string) != e.Request.URL {
			t.Errorf("%s is written to %s", own["id"], e.Request.URL)
		}
	}
	create, err := newRegistration(t).CreateFolder()
	if err != nil {
		t.Fatal(err)
	}
	made := find(t, entries(t, create), "List")
	condition, err := url.ParseQuery(made.Request.IfNoneExist)
	if err != nil || made.Request.Method != "POST" || condition.Get("identifier") != "urn:ietf:rfc:3986|urn:uuid:"+folderID {
		t.Errorf("%+v, %v", made.Request, err)
	}
	if q := registration.FolderQuery(folderID); q.Encode() != made.Request.IfNoneExist {
		t.Errorf("it is looked for with %q", q.Encode())
	}
}

func TestOneCertificateHasItsOwnIDs(t *testing.T) {
	t.Parallel()
	other, err := registration.New(registration.Input{
		Document: bytes.ReplaceAll(signed(t), []byte(certificateID), []byte("018f3b5e-7c1a-7b2d-8e4f-0123456789ff")),
		FolderID: folderID, Recipient: "national", At: at,
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := other.Provide(*folder(t, emptyFolder), nil)
	if err != nil {
		t.Fatal(err)
	}
	shared := 0
	first := entries(t, provided(t, folder(t, emptyFolder)))
	for _, e := range entries(t, raw) {
		if slices.ContainsFunc(first, func(f entry) bool { return f.Request.URL == e.Request.URL }) {
			shared++
		}
	}
	// Patient, folder; and the QR codes, whose ids the test did not change.
	if shared != 2+4 {
		t.Errorf("%d addresses are written by both", shared)
	}
}

func TestRefusesWhatIsNoDocumentOfOurs(t *testing.T) {
	t.Parallel()
	good := string(signed(t))
	for name, raw := range map[string]string{
		"nothing": "", "no object": "[]", "a patient": `{"resourceType":"Patient"}`,
		"unsigned":      strings.Replace(good, `"signature"`, `"signaturE_"`, 1),
		"no collection": strings.Replace(good, `"type":"document"`, `"type":"collection"`, 1),
		"no UUID":       strings.Replace(good, `"id":"`+certificateID, `"id":"1`, 1),
		"no HCID":       strings.Replace(good, "urn:HCID:", "urn:hcid-", 1),
		"no patient":    strings.Replace(good, `"resourceType":"Patient"`, `"resourceType":"Basic"`, 1),
		"no authority":  strings.Replace(good, `"resourceType":"Organization"`, `"resourceType":"Basic"`, 1),
		"no type":       strings.Replace(good, `"resourceType":"Composition"`, `"resourceType":"Basic"`, 1),
		"no text":       strings.ReplaceAll(good, `"text/plain"`, `"text/html"`),
		"no time":       strings.Replace(good, `"timestamp"`, `"timestamP_"`, 1),
	} {
		_, err := registration.New(registration.Input{Document: []byte(raw), FolderID: folderID, Recipient: "n", At: at})
		if err == nil || fault.KindOf(err) != fault.Internal || !strings.HasPrefix(fault.From(err).Code, "registration-") {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "Adaeze") {
			t.Errorf("%s: the error repeats a value", name)
		}
	}
	for name, in := range map[string]registration.Input{
		"no folder":    {Document: []byte(good), Recipient: "n", At: at},
		"no recipient": {Document: []byte(good), FolderID: folderID, At: at},
		"no time":      {Document: []byte(good), FolderID: folderID, Recipient: "n"},
	} {
		if _, err := registration.New(in); fault.KindOf(err) != fault.Internal || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
