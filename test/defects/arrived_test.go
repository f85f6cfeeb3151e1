package defects

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// stored gives the document of a certificate as the FHIR server has it, nil for none.
func (l *landscape) stored(id string) []byte {
	raw := l.fhir.store.Get("Bundle", id)
	if !registration.Stored(raw) {
		return nil
	}
	return raw
}

// arrive waits for certificates at the FHIR server, and looks whether they are what was
// issued: each once, and listed in its folder.
func (l *landscape) arrive(t *testing.T, all ...delivery) {
	t.Helper()
	verifier := &verification.Verifier{List: l.TrustList(), Clock: time.Now}
	for _, d := range all {
		l.eventually(t, "a certificate does not arrive", func() bool { return l.stored(d.ID) != nil })
		there := l.stored(d.ID)
		if r := verifier.VerifyDocument(there); !r.Valid || signatureOf(t, there) != signatureOf(t, d.document) {
			t.Errorf("what arrived is not what was issued: %s %s", r.Reason, r.Detail)
		}
		if n := l.fhir.store.Versions("Bundle", d.ID); n != 2 { // its place, and the document
			t.Errorf("the document was written %d times", n-1)
		}
		set := registration.SubmissionSetID(d.ID)
		if n := l.fhir.store.Versions("List", set); n != 1 {
			t.Errorf("registered %d times", n)
		}
		listed, err := registration.Listed(l.fhir.store.Get("List", set))
		if err != nil {
			t.Fatal(err)
		}
		folder := l.items(t, registration.FolderQuery(d.folder))
		for _, id := range listed {
			if n := count(folder, "DocumentReference/"+id); n != 1 {
				t.Errorf("the folder lists %d of the reference", n)
			}
		}
	}
}

// signatureOf is the signature of a document.
func signatureOf(t *testing.T, document []byte) string {
	t.Helper()
	var signed struct{ Signature struct{ Data string } }
	if err := json.Unmarshal(document, &signed); err != nil || signed.Signature.Data == "" {
		t.Fatalf("no signature: %v", err)
	}
	return signed.Signature.Data
}

func count(all []string, one string) int {
	return len(slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s != one }))
}

// items are the references in the one folder that a search finds, none before it is there.
func (l *landscape) items(t *testing.T, q url.Values) []string {
	t.Helper()
	folders := l.search(t, "List", q)
	if len(folders) > 1 {
		t.Fatalf("%d folders", len(folders))
	}
	if len(folders) == 0 {
		return nil
	}
	var list struct {
		Entry []struct{ Item struct{ Reference string } }
	}
	if err := json.Unmarshal(folders[0], &list); err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, e := range list.Entry {
		refs = append(refs, e.Item.Reference)
	}
	return refs
}

// ofHolder is the search for the folder of a HCID.
func ofHolder(hcid string) url.Values {
	return url.Values{"identifier": {fhir.Base + "Folder|" + hcid}}
}

// search gives what the FHIR server finds.
func (l *landscape) search(t *testing.T, typ string, q url.Values) [][]byte {
	t.Helper()
	var all [][]byte
	for m, err := range l.fhir.records.Search(t.Context(), typ, q) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m.Raw)
	}
	return all
}

// everythingIsOnTheServer: what all proofs together had certified is on the FHIR server, once
// and as it was issued, or was revoked and is not.
func everythingIsOnTheServer(t *testing.T, l *landscape) {
	l.settle(t)
	verifier := &verification.Verifier{List: l.TrustList(), Clock: time.Now}
	standing, revoked := 0, 0
	for _, id := range l.certificates(t) {
		a, there := l.get(t, "/ddcc/Bundle/"+id), l.stored(id)
		if a.Status == http.StatusNotFound {
			revoked++
			if there != nil {
				t.Error("a revoked document is on the FHIR server")
			}
			continue
		}
		standing++
		if there == nil || !verifier.VerifyDocument(there).Valid || signatureOf(t, there) != signatureOf(t, a.Body) || l.fhir.store.Versions("Bundle", id) != 2 {
			t.Error("a document is not on the FHIR server once, as it was issued")
		}
	}
	if n := l.deliveries(t, "delivered"); standing+2*revoked < n { // a revoked one was registered before
		t.Errorf("%d were delivered, %d certificates and %d revoked ones looked at", n, standing, revoked)
	}
	l.oneFolderEach(t)
	l.plainAddresses(t)
}
