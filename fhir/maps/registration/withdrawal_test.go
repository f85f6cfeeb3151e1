package registration_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// registered is a withdrawal of what a server has after Provide: it has replaced the names of
// the transaction by addresses.
func registered(t testing.TB) registration.Withdrawal {
	t.Helper()
	all := entries(t, provided(t, folder(t, emptyFolder)))
	asStored := func(raw string) []byte {
		for _, e := range all {
			raw = strings.ReplaceAll(raw, e.FullURL, e.Request.URL)
		}
		return []byte(raw)
	}
	w := registration.Withdrawal{CertificateID: certificateID, Recipient: "national", At: at.Add(1000 * time.Second)}
	w.Set = asStored(string(find(t, all, "List/"+registration.SubmissionSetID(certificateID)).Resource))
	ids, err := registration.Listed(w.Set)
	if err != nil {
		t.Fatal(err)
	}
	if want := newRegistration(t).References(); !slices.Equal(ids, want) {
		t.Fatalf("listed %q, want %q", ids, want)
	}
	for _, id := range ids {
		w.References = append(w.References, registration.Registered{ID: id, Version: "1", Raw: asStored(string(find(t, all, "DocumentReference/"+id).Resource))})
	}
	return w
}

func withdrawnFrom(t testing.TB, w registration.Withdrawal) []byte {
	t.Helper()
	raw, err := w.Transaction(folder(t, emptyFolder))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestWithdrawalDeletesTheContent: everything that Provide wrote with medical content, and
// what refers to it.
func TestWithdrawalDeletesTheContent(t *testing.T) {
	t.Parallel()
	all := entries(t, withdrawnFrom(t, registered(t)))
	var deleted []string
	for _, e := range all {
		if e.Request.Method == "DELETE" {
			deleted = append(deleted, e.Request.URL)
		}
	}
	for _, e := range entries(t, provided(t, folder(t, emptyFolder))) {
		typ, _, _ := strings.Cut(e.Request.URL, "/")
		wanted := typ == "Bundle" || typ == "Binary" || typ == "Provenance"
		if slices.Contains(deleted, e.Request.URL) != wanted {
			t.Errorf("%s: deleted is %v", e.Request.URL, !wanted)
		}
	}
	if len(deleted) != 5 {
		t.Errorf("%q", deleted)
	}
	for _, id := range newRegistration(t).References() {
		e := find(t, all, "DocumentReference/"+id)
		if got := tree(t, e.Resource)["status"]; got != "entered-in-error" || e.Request.IfMatch != `W/"1"` {
			t.Errorf("status %q, %+v", got, e.Request)
		}
	}
}

func TestWithdrawalIsDoneOnce(t *testing.T) {
	t.Parallel()
	w, f := registered(t), folder(t, emptyFolder)
	if w.Done(f) {
		t.Error("done before it began")
	}
	all := entries(t, withdrawnFrom(t, w))
	for i, r := range w.References {
		w.References[i].Raw = find(t, all, "DocumentReference/"+r.ID).Resource
	}
	if !w.Done(f) || !w.Done(nil) {
		t.Error("not done")
	}
	holding := folder(t, `{"resourceType":"List","entry":[{"item":{"reference":"DocumentReference/`+w.References[0].ID+`"}}]}`)
	if w.Done(holding) {
		t.Error("done while the folder has it")
	}
	nothing := registration.Withdrawal{CertificateID: certificateID, Recipient: "n", At: at}
	if nothing.Done(f) || !nothing.Done(nil) {
		t.Error("of what is not registered the folder's version must change, where there is one")
	}
}

func TestWithdrawalWithoutFolderOrReference(t *testing.T) {
	t.Parallel()
	w := registered(t)
	w.References[1].Raw = nil // somebody deleted it
	raw, err := w.Transaction(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries(t, raw) {
		if strings.HasPrefix(e.Request.URL, "List/") || e.Request.URL == "DocumentReference/"+w.References[1].ID {
			t.Errorf("%+v", e.Request)
		}
	}
}

func TestUnusableRegistrations(t *testing.T) {
	t.Parallel()
	for _, set := range []string{"", "[]", `{"resourceType":"List"}`, `{"resourceType":"Patient"}`, `{"resourceType":"List","entry":[{"item":{"reference":"Patient/1"}}]}`} {
		if _, err := registration.Listed([]byte(set)); err == nil || fault.KindOf(err) != fault.Upstream {
			t.Errorf("%s: %v", set, err)
		}
	}
	for name, change := range map[string]func(*registration.Withdrawal){
		"no patient": func(w *registration.Withdrawal) {
			w.Set = []byte(strings.ReplaceAll(string(w.Set), "Patient/", "Group/"))
		},
		"no source": func(w *registration.Withdrawal) {
			w.Set = []byte(strings.ReplaceAll(string(w.Set), "ihe-sourceId", "x"))
		},
		"no version":   func(w *registration.Withdrawal) { w.References[0].Version = "" },
		"no reference": func(w *registration.Withdrawal) { w.References[0].Raw = []byte(`{"resourceType":"Patient"}`) },
	} {
		w := registered(t)
		change(&w)
		if _, err := w.Transaction(folder(t, emptyFolder)); err == nil || fault.KindOf(err) != fault.Upstream {
			t.Errorf("%s: %v", name, err)
		}
	}
}
