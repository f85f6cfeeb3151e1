package registration_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// items lists what the folder of a transaction refers to.
func items(t testing.TB, raw []byte) []string {
	t.Helper()
	var l struct {
		Entry []struct{ Item struct{ Reference string } }
	}
	if err := json.Unmarshal(find(t, entries(t, raw), "List/4711").Resource, &l); err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, e := range l.Entry {
		refs = append(refs, e.Item.Reference)
	}
	return refs
}

// TestOthersEntriesStay: what others wrote into a folder is kept byte for byte, whatever it is.
func TestOthersEntriesStay(t *testing.T) {
	t.Parallel()
	const entry1 = `{"id":"x","item":{"reference":"DocumentReference/others","display":"by \u003cothers>"},"date":"2020"}`
	const entry2 = `{"item":{"reference":"https://elsewhere.example/fhir/DocumentReference/more/_history/2"}}`
	const own = `{"resourceType":"List","id":"4711","meta":{"source":"#7"},"text":{"status":"empty","div":"<div/>"},"note":[{"text":"1.10"}],"title":"kept","entry":[` +
		entry1 + `,` + entry2 + `]}`
	raw := provided(t, folder(t, own))
	list := string(find(t, entries(t, raw), "List/4711").Resource)
	for _, kept := range []string{entry1, entry2, `"meta":{"source":"#7"}`, `"div":"<div/>"`, `"note":[{"text":"1.10"}]`, `"title":"kept"`} {
		if !strings.Contains(list, kept) {
			t.Errorf("%s is gone from %s", kept, list)
		}
	}
	if got := items(t, raw); len(got) != 5 || got[0] != "DocumentReference/others" {
		t.Errorf("%q", got)
	}
}

// TestFolderProperties: whatever is in a folder, a registration adds each reference of its own
// once and keeps the order of the rest; once more adds nothing; a withdrawal takes its own out
// and nothing else.
func TestFolderProperties(t *testing.T) {
	t.Parallel()
	registering := newRegistration(t)
	ids := registering.References()
	rapid.Check(t, func(r *rapid.T) {
		others := rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,5}`), 0, 8).Draw(r, "others")
		var parts []string
		for _, id := range others {
			parts = append(parts, fmt.Sprintf(`{"item":{"reference":"DocumentReference/%s"}}`, id))
		}
		before := fmt.Sprintf(`{"resourceType":"List","date":"2026-11-21T%02d:00:00Z","entry":[%s]}`, rapid.IntRange(0, 23).Draw(r, "hour"), strings.Join(parts, ","))
		f := folder(t, before)
		raw, err := registering.Provide(*f, []string{"018f3b5e-7c1a-7b2d-8e4f-000000000001"})
		if err != nil {
			r.Fatal(err)
		}
		got := items(t, raw)
		if len(got) != len(others)+len(ids) {
			r.Fatalf("%d entries of %d and %d", len(got), len(others), len(ids))
		}
		for i, id := range others {
			if got[i] != "DocumentReference/"+id {
				r.Fatalf("entry %d is %s", i, got[i])
			}
		}
		// As a server has it afterwards.
		stored := string(find(t, entries(t, raw), "List/4711").Resource)
		for i, full := range got[len(others):] {
			stored = strings.ReplaceAll(stored, full, "DocumentReference/"+ids[i])
		}
		if stored == before {
			r.Fatal("nothing changed")
		}
		after := folder(t, stored)
		if !after.Holds(certificateID) || f.Holds(certificateID) {
			r.Fatal("the folder does not say what it holds")
		}
		again, err := registering.Provide(*after, nil)
		if err != nil || len(items(t, again)) != len(got) {
			r.Fatalf("once more there are %d entries, %v", len(items(t, again)), err)
		}
		w := registration.Withdrawal{CertificateID: certificateID, Recipient: "n", At: at}
		for _, id := range ids {
			w.References = append(w.References, registration.Registered{ID: id})
		}
		gone, err := w.Transaction(after)
		if err != nil {
			r.Fatal(err)
		}
		left := items(t, gone)
		if !slices.EqualFunc(left, others, func(ref, id string) bool { return ref == "DocumentReference/"+id }) {
			r.Fatalf("left: %q of %q", left, others)
		}
		if string(find(t, entries(t, gone), "List/4711").Resource) == stored {
			r.Fatal("the version would not change")
		}
	})
}

// TestOrderOfIssue: a certificate that is late takes its place.
func TestOrderOfIssue(t *testing.T) {
	t.Parallel()
	const youngerCertificate = "018f3b5e-7c1a-7b2d-8e4f-0123456789ff"
	younger, err := registration.New(registration.Input{
		Document: []byte(strings.ReplaceAll(string(signed(t)), certificateID, youngerCertificate)), FolderID: folderID, Recipient: "n", At: at,
	})
	if err != nil {
		t.Fatal(err)
	}
	f := folder(t, `{"resourceType":"List","entry":[{"item":{"reference":"DocumentReference/older"}},{"item":{"reference":"DocumentReference/`+younger.References()[0]+`"}}]}`)
	if got := items(t, provided(t, f, youngerCertificate)); got[0] != "DocumentReference/older" || got[4] != "DocumentReference/"+younger.References()[0] {
		t.Errorf("%q", got)
	}
}

// TestTheVersionAlwaysChanges: who read the folder before cannot write it.
func TestTheVersionAlwaysChanges(t *testing.T) {
	t.Parallel()
	for was, want := range map[string]string{
		"2026-11-21T09:00:00Z": "2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z": "2026-11-21T10:00:01Z",
		"2026-11-21T12:00:00+01:00": "2026-11-21T11:00:01Z", "2026": "2026-11-21T10:00:00Z", "nonsense": "2026-11-21T10:00:00Z",
	} {
		raw, err := registration.Withdrawal{CertificateID: certificateID, Recipient: "n", At: at}.Transaction(folder(t, `{"resourceType":"List","date":"`+was+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := tree(t, find(t, entries(t, raw), "List/4711").Resource)["date"]; got != want {
			t.Errorf("%s becomes %s, want %s", was, got, want)
		}
	}
}

func TestUnusableFolders(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "[]", `{"resourceType":"Patient"}`, `{"resourceType":"List","entry":{}}`, `{"resourceType":"List","entry":[1]}`, `{"resourceType":"List","entry":[{"item":1}]}`} {
		if _, err := registration.ReadFolder("1", "1", []byte(raw)); err == nil || fault.KindOf(err) != fault.Upstream {
			t.Errorf("%s: %v", raw, err)
		}
	}
	for _, name := range [][2]string{{"", "1"}, {"1", ""}, {"../1", "1"}, {"1", `1"`}} {
		if _, err := registration.ReadFolder(name[0], name[1], []byte(emptyFolder)); err == nil {
			t.Errorf("%q", name)
		}
	}
}

func FuzzFolder(f *testing.F) {
	f.Add([]byte(emptyFolder))
	f.Add([]byte(`{"resourceType":"List","date":"2026","entry":[{"item":{"reference":"DocumentReference/a/_history/1"}},{"item":{}}]}`))
	f.Add([]byte(`{"resourceType":"List","emptyReason":{"text":"x"},"entry":[]}`))
	registering := newRegistration(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, err := registration.ReadFolder("4711", "3", raw)
		if err != nil {
			return
		}
		out, err := registering.Provide(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(out) {
			t.Fatal("what is written is no JSON")
		}
		refs := items(t, out)
		for _, id := range registering.References() {
			n := 0
			for _, ref := range refs {
				if strings.Contains(ref, id) {
					n++
				}
			}
			if n > 1 && !in.Holds(certificateID) {
				t.Fatal("a reference is there twice")
			}
		}
	})
}
