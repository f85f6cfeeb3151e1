package defects

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// foldersAreWholeOnTheServer: doses of several holders at once. Between each reading of one
// holder's folder and the write that follows somebody else writes into it; the folders of the
// others are made by another gateway just before.
func foldersAreWholeOnTheServer(t *testing.T, l *landscape) {
	const before, holders, doses = 12, 5, 6
	l.eventually(t, "the doses before do not arrive", func() bool { return len(l.items(t, ofHolder(hcid(t)))) == 2*before })
	holder := func(h int) string { return fmt.Sprintf("%s-MANY-%d", hcid(t), h) }
	first := l.issue(t, holder(0), dose(doses))
	l.arrive(t, first)
	others, undo := l.writesBetween(t, holder(0), first.folder)
	defer undo()
	made, undo := l.fhir.change(makesFolder(hcid(t)+"-MANY-"), twice)
	defer undo()
	all := make([][]delivery, holders)
	all[0] = append(all[0], first)
	var mu sync.Mutex
	var racing sync.WaitGroup
	for h := range holders {
		for n := range doses {
			if h == 0 && n+1 == doses {
				continue
			}
			racing.Go(func() {
				a, err := l.Post(generate, harness.VS(t, holder(h), dose(n+1)))
				if err != nil || a.Status != http.StatusCreated {
					t.Errorf("%v, %d %.200s", err, a.Status, a.Body)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				all[h] = append(all[h], certified(t, a))
			})
		}
	}
	racing.Wait()
	for h, issued := range all {
		l.arrive(t, issued...)
		items, want := l.items(t, ofHolder(holder(h))), 2*doses
		if h == 0 {
			want += int(others.Load())
		}
		slices.Sort(items)
		if len(items) != want || len(slices.Compact(items)) != want || len(issued) != doses {
			t.Errorf("holder %d: the folder lists %d, want %d", h, len(items), want)
		}
	}
	l.met(t, "making folders", made)
	if others.Load() < doses-1 {
		t.Errorf("somebody else wrote %d times", others.Load())
	}
	if n := l.oneFolderEach(t); n < holders+1 {
		t.Errorf("only %d folders were looked at", n)
	}
}

// writesBetween has another system add an entry to a folder ahead of every second transaction
// that writes it, and counts.
func (l *landscape) writesBetween(t *testing.T, hcid, folder string) (entries *atomic.Int32, undo func()) {
	entries = &atomic.Int32{}
	transactions := 0 // one at a time, as they are about one folder
	_, undo = l.fhir.change(transacts(hcid), func(_ request, work func() answer) answer {
		if transactions++; transactions%2 == 1 {
			l.addEntry(t, folder, int(entries.Add(1)))
		}
		return work()
	})
	return entries, undo
}

func (l *landscape) addEntry(t *testing.T, folder string, n int) {
	for m, err := range l.fhir.records.Search(t.Context(), "List", registration.FolderQuery(folder)) {
		var list map[string]any
		if err != nil || json.Unmarshal(m.Raw, &list) != nil {
			t.Errorf("the folder cannot be read: %v", err)
			return
		}
		entry, _ := list["entry"].([]any)
		list["entry"] = append(entry, map[string]any{"item": map[string]any{"reference": "DocumentReference/other-" + itoa(n)}})
		if _, _, err := l.fhir.records.Update(t.Context(), "List", m.ID, harness.JSON(t, list), m.VersionID); err != nil {
			t.Error(err)
		}
	}
}

// makesFolder finds the transactions that make folders.
func makesFolder(mark string) func(request) bool {
	return func(r request) bool { return transacts(mark)(r) && bytes.Contains(r.body, []byte(`"url":"List"`)) }
}

// twice is what two that do the same do.
func twice(_ request, work func() answer) answer {
	work()
	return work()
}

// oneFolderEach looks at all folders that the FHIR server has, and counts them.
func (l *landscape) oneFolderEach(t *testing.T) int {
	t.Helper()
	seen, folders := map[string]bool{}, l.search(t, "List", url.Values{"code": {"folder"}})
	for _, raw := range folders {
		var list struct{ Identifier []struct{ Use, Value string } }
		if err := json.Unmarshal(raw, &list); err != nil {
			t.Fatal(err)
		}
		for _, id := range list.Identifier {
			if seen[id.Value] {
				t.Error("two folders have one identifier")
			}
			seen[id.Value] = true
		}
	}
	return len(folders)
}

// syntax are values that mean something in a URL, in a search or in a path.
var syntax = []string{
	"A&identifier=B", "A&_id=B", "A=B", "A%3DB", "A%26B", "A#B", "A?B", "A|B", "urn:x|B", "A,B", `A\,B`, "A$B", `A\B`, "A+B", "A/../B", "../B", "A;B", "A'B", `A"B`,
	"Ä-Ö", "李明", "محمد", "A\u00a0B", "😀",
}

// hcidIsOneValueOnTheServer: an HCID is refused or arrives as what it is; in an address it is one
// value, and where it need not be in one it is not. The raw requests are looked at.
func hcidIsOneValueOnTheServer(t *testing.T, l *landscape) {
	l.settle(t)
	for n, id := range append(slices.Clone(syntax), "A:B/C._-9", "..", "A//B", strings.Repeat("A", 64)) {
		before := len(l.fhir.seen(0))
		a := post(t, l.System, generate, harness.VS(t, id))
		if a.Status == http.StatusCreated {
			l.arrive(t, certified(t, a))
			if items := l.items(t, ofHolder(id)); len(items) != 2 {
				t.Errorf("value %d: the folder lists %d", n, len(items))
			}
			for _, r := range l.fhir.seen(before) {
				if strings.Contains(r.uri, id) || len(r.uri) > 128 {
					t.Errorf("value %d is in an address", n)
				}
			}
			continue
		}
		refused(t, a, http.StatusUnprocessableEntity)
		if n := len(l.fhir.seen(before)); n != 0 {
			t.Errorf("value %d: %d requests about what was refused", n, n)
		}
	}
	l.admissions(t)
	l.plainAddresses(t)
}

// plainAddresses looks at all requests that it has not looked at.
func (l *landscape) plainAddresses(t *testing.T) {
	t.Helper()
	for _, r := range l.fhir.seen(l.looked) {
		plain(t, r)
		l.looked++
	}
}

// admissions have the HCID of a patient in the address of a conditional update.
func (l *landscape) admissions(t *testing.T) {
	t.Helper()
	escape := strings.NewReplacer(`\`, `\E\`, `|`, `\F\`, `&`, `\T\`, `^`, `\S\`, `~`, `\R\`)
	for n, id := range syntax {
		message := []byte(strings.Join([]string{
			`MSH|^~\&|ADT1|SPECHOSP|GW|MOH|20261112083000+0100||ADT^A28|` + itoa(n) + "|P|2.5.1||||||UNICODE UTF-8",
			"PID|1||" + escape.Replace(id) + "^^^SPECHOSP^HC||Specimen^Ngozi^^^^^L||19790308|F",
			"PV1|1|N",
		}, "\r") + "\r")
		before := len(l.fhir.seen(0))
		for range 2 {
			a := post(t, l.System, "/ddcc/$hl7v2", message, "Content-Type", "application/hl7-v2")
			if a.Status != http.StatusOK || !strings.Contains(string(a.Body), "MSA|AA") {
				t.Fatalf("value %d: %d %q", n, a.Status, a.Body)
			}
		}
		asked := l.fhir.seen(before)
		if len(asked) != 2 {
			t.Fatalf("value %d: %d requests", n, len(asked))
		}
		for _, r := range asked {
			token := plain(t, r)
			if len(token) != 1 || token[0].value != id {
				t.Errorf("value %d became %+v", n, token)
			}
		}
		system := strings.TrimSuffix(plain(t, asked[0])[0].system, "|")
		found := 0
		for _, raw := range l.search(t, "Patient", url.Values{"identifier": {system + "|"}}) {
			var p struct{ Identifier []struct{ Value string } }
			if err := json.Unmarshal(raw, &p); err != nil || len(p.Identifier) != 1 {
				t.Fatalf("%v: %s", err, raw)
			}
			if p.Identifier[0].Value == id {
				found++
			}
		}
		if found != 1 {
			t.Errorf("value %d: %d patients have it", n, found)
		}
	}
}

// token is the value of an identifier parameter (FHIR R4 search, token).
type token struct{ system, value string }

var (
	plainPath = regexp.MustCompile(`^/fhir(/[A-Z][A-Za-z]+(/_search|/[A-Za-z0-9.-]{1,64})?)?$`)
	plainURL  = regexp.MustCompile(`^[A-Z][A-Za-z]+(/[A-Za-z0-9.-]{1,64})?$`)
	byUUID    = regexp.MustCompile(`^urn:uuid:[0-9a-f-]{36}$`)
)

// plain insists that the addresses of a request, those inside of a transaction too, have no
// parameter but one identifier, and gives the identifiers of patients.
func plain(t *testing.T, r request) (patients []token) {
	t.Helper()
	if !plainPath.MatchString(r.uri) || r.header.Get("If-None-Exist") != "" || r.header.Get("Authorization") != "Bearer "+serverToken {
		t.Errorf("%s %.60s with %q", r.method, r.uri, r.header)
	}
	if strings.HasSuffix(r.uri, "/_search") {
		identified(t, string(r.body), true)
		return nil
	}
	var b struct {
		ResourceType, Type string
		Entry              []struct {
			Request struct{ Method, URL, IfNoneExist string }
		}
	}
	if r.method != http.MethodPost || r.uri != "/fhir" {
		return nil
	}
	if err := json.Unmarshal(r.body, &b); err != nil || b.Type != "transaction" {
		t.Fatalf("%v: no transaction", err)
	}
	for _, e := range b.Entry {
		path, query, conditional := strings.Cut(e.Request.URL, "?")
		if !plainURL.MatchString(path) || conditional && (path != "Patient" || e.Request.Method != http.MethodPut) {
			t.Errorf("an entry goes to %.60s", e.Request.URL)
		}
		if conditional {
			patients = append(patients, identified(t, query, false))
		}
		if e.Request.IfNoneExist != "" {
			identified(t, e.Request.IfNoneExist, true)
		}
	}
	return patients
}

// identified reads a query that must be one identifier; own: a folder's, which is ours.
func identified(t *testing.T, query string, own bool) token {
	t.Helper()
	q, err := url.ParseQuery(query)
	if err != nil || len(q) != 1 || len(q["identifier"]) != 1 {
		t.Errorf("%v: a query is not one identifier: %d parameters", err, len(q))
		return token{}
	}
	parts := unescaped(q.Get("identifier"))
	if len(parts) != 2 || own && !byUUID.MatchString(parts[1]) {
		t.Errorf("an identifier is %d parts", len(parts))
		return token{}
	}
	return token{parts[0], parts[1]}
}

// unescaped splits a token at | and , that are not escaped (FHIR R4 search, escaping).
func unescaped(s string) []string {
	parts, escaped := []string{""}, false
	for _, c := range s {
		last := len(parts) - 1
		switch {
		case escaped:
			parts[last], escaped = parts[last]+string(c), false
		case c == '\\':
			escaped = true
		case c == '|' || c == ',' || c == '$':
			parts = append(parts, "")
		default:
			parts[last] += string(c)
		}
	}
	return parts
}
