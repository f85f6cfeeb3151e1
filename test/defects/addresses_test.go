package defects

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// trap is an address that counts who comes.
type trap struct {
	base   string
	visits atomic.Int64
}

func newTrap(t *testing.T) *trap {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	bait := &trap{base: "http://" + listener.Addr().String()}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			bait.visits.Add(1)
			_ = c.Close()
		}
	}()
	return bait
}

// untouched insists that nobody came, and will not.
func (b *trap) untouched(t *testing.T) {
	t.Helper()
	time.Sleep(200 * time.Millisecond)
	if n := b.visits.Load(); n != 0 {
		t.Errorf("an address was visited %d times", n)
	}
}

func addressesAreNotFetched(t *testing.T, s *harness.System) {
	bait := newTrap(t)
	address := bait.base + "/Bundle/1"
	bundle := map[string]any{
		"resourceType": "Bundle", "type": "collection", "link": []any{map[string]any{"relation": "publication", "url": address}},
		"entry": []any{
			map[string]any{"fullUrl": address, "resource": map[string]any{"resourceType": "DocumentReference", "content": []any{map[string]any{"attachment": map[string]any{"contentType": "application/fhir", "url": address}}}}},
			map[string]any{"resource": map[string]any{"resourceType": "Immunization", "patient": map[string]any{"reference": address}}},
		},
	}
	post(t, s, fromResource, harness.JSON(t, bundle))
	post(t, s, generate, harness.VS(t, hcid(t), harness.Items{"hw": {"valueString": address}}))
	bait.untouched(t)
}

// serverAddressesAreNotFetched: addresses in what is posted for certificates that are delivered,
// and in what the FHIR server answers, lead nowhere.
func serverAddressesAreNotFetched(t *testing.T, l *landscape) {
	l.settle(t)
	bait := newTrap(t)
	l.baitPosted(t, bait)
	l.baitRecords(t, bait)
	first := l.baitAnswers(t, bait)
	l.baitRedirects(t, bait, first.folder)
	l.baitWithdrawal(t, bait, first)
	bait.untouched(t)
}

// baited is a vaccination that refers to other hosts wherever it can.
func baited(bait *trap, lot string) map[string]any {
	event := shot(lot, 1)
	reference := func(path string) map[string]any { return map[string]any{"reference": bait.base + "/" + path} }
	event["meta"] = map[string]any{"source": bait.base, "profile": []any{bait.base + "/StructureDefinition/1"}}
	event["text"] = map[string]any{"status": "generated", "div": `<div xmlns="http://www.w3.org/1999/xhtml"><img src="` + bait.base + `/1.png" alt=""/></div>`}
	event["encounter"] = reference("Encounter/1")
	event["performer"] = []any{map[string]any{"actor": reference("Practitioner/1")}}
	event["reasonReference"], event["reportOrigin"] = []any{reference("Condition/1")}, map[string]any{"text": bait.base}
	event["education"] = []any{map[string]any{"reference": bait.base + "/leaflet"}}
	return event
}

// baitPosted: the events that are certified are delivered.
func (l *landscape) baitPosted(t *testing.T, bait *trap) {
	t.Helper()
	patient := map[string]any{
		"resourceType": "Patient", "name": []any{map[string]any{"text": "Ngozi Specimen"}}, "birthDate": "1979-03-08",
		"managingOrganization": map[string]any{"reference": bait.base + "/Organization/1"}, "photo": []any{map[string]any{"url": bait.base + "/1.png"}},
	}
	bundle := func(kind, name string) []byte {
		entry := func(fullURL, typ string, resource any) map[string]any {
			return map[string]any{"fullUrl": fullURL, "resource": resource, "request": map[string]any{"method": "POST", "url": typ}}
		}
		return harness.JSON(t, map[string]any{
			"resourceType": "Bundle", "type": kind,
			"link": []any{
				map[string]any{"relation": "publication", "url": "urn:HCID:" + hcid(t) + name},
				map[string]any{"relation": "next", "url": bait.base + "/next"},
			},
			"entry": []any{
				entry("urn:uuid:5a9dc1e1-9f0f-4b0c-8f8a-000000000000", "Patient", patient), entry(bait.base+"/Immunization/1", "Immunization", baited(bait, "SPECLOT7")),
				entry(bait.base+"/DocumentReference/1", "DocumentReference", map[string]any{
					"resourceType": "DocumentReference", "status": "current",
					"content": []any{map[string]any{"attachment": map[string]any{"contentType": "application/fhir+json", "url": bait.base + "/Binary/1"}}},
				}),
			},
		})
	}
	before := signatures(t, l.System)
	for name, a := range map[string]harness.Answer{
		"event":       post(t, l.System, fromResource, bundle("collection", "-EVENT")),
		"folder":      post(t, l.System, "/ddcc/Bundle/$generateHealthFolder", bundle("collection", "-FOLDER")),
		"transaction": post(t, l.System, "/ddcc", bundle("transaction", "-TRANSACTION")),
	} {
		if a.Status >= 500 {
			t.Errorf("%s: %d %.300s", name, a.Status, a.Body)
		}
	}
	if signatures(t, l.System) == before {
		t.Error("nothing was certified")
	}
	l.settle(t)
}

// baitRecords: the FHIR server notifies of doses that refer to other hosts.
func (l *landscape) baitRecords(t *testing.T, bait *trap) {
	t.Helper()
	for n, patient := range []string{"Patient/b24-1", bait.base + "/Patient/b24-1"} {
		id := "b24-" + itoa(n+1)
		path, _ := l.vaccinated(t, id, hcid(t)+"-RECORD-"+itoa(n))
		event := baited(bait, "SPECLOT7")
		event["id"], event["patient"] = id, map[string]any{"reference": patient}
		l.keep(t, event)
		if n == 0 {
			l.arrive(t, l.notified(t, path, event))
		} else if a := l.put(t, path, event); a.Status != http.StatusUnprocessableEntity {
			t.Errorf("a patient elsewhere: %d %.300s", a.Status, a.Body)
		}
	}
}

// baitAnswers: everything in the answers leads elsewhere while a certificate is registered.
func (l *landscape) baitAnswers(t *testing.T, bait *trap) delivery {
	t.Helper()
	met, undo := l.fhir.change(everything, func(_ request, work func() answer) answer { return bait.everywhere(work()) })
	defer undo()
	d := l.issue(t, hcid(t)+"-ANSWERS")
	l.met(t, "answers", met)
	l.arrive(t, d)
	return d
}

// everywhere changes the addresses of an answer.
func (b *trap) everywhere(a answer) answer {
	for _, name := range []string{"Location", "Content-Location"} {
		if was := a.header.Get(name); was != "" {
			_, path, _ := strings.Cut(was, "/fhir/")
			a.header.Set(name, b.base+"/"+path)
		}
	}
	a.header.Set("Link", "<"+b.base+"/next>; rel=next")
	var tree any
	if json.Unmarshal(a.body, &tree) != nil {
		return a
	}
	body, err := json.Marshal(b.lead(tree))
	if err != nil {
		return answer{status: http.StatusBadGateway}
	}
	a.body = body
	return a
}

// relative are addresses below the base, and those at it.
var relative = regexp.MustCompile(`^(?:https://127\.0\.0\.1:[0-9]+/fhir/)?([A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}.*)$`)

func (b *trap) lead(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			text, _ := member.(string)
			if m := relative.FindStringSubmatch(text); m != nil && (name == "fullUrl" || name == "location" || name == "reference" || name == "url") {
				v[name] = b.base + "/" + m[1]
				continue
			}
			v[name] = b.lead(member)
		}
		if v["resourceType"] == "Bundle" {
			v["link"] = []any{
				map[string]any{"relation": "self", "url": b.base + "/self"}, map[string]any{"relation": "alternate", "url": b.base + "/alternate"},
				map[string]any{"relation": "previous", "url": b.base + "/previous"},
			}
		}
		if meta, ok := v["meta"].(map[string]any); ok {
			meta["source"] = b.base
		}
	case []any:
		for i := range v {
			v[i] = b.lead(v[i])
		}
	}
	return v
}

// baitRedirects: redirects at each step, and a page of a search that is elsewhere, are not
// followed; the certificates arrive when the server is itself again.
func (l *landscape) baitRedirects(t *testing.T, bait *trap, folder string) {
	t.Helper()
	id := hcid(t) + "-ANSWERS"
	redirect := func(status int) func(request, func() answer) answer {
		return instead(answer{status: status, header: http.Header{"Location": {bait.base + "/fhir"}}})
	}
	next := func(_ request, work func() answer) answer {
		a := work()
		a.body = bytes.Replace(a.body, []byte(`"resourceType":"Bundle"`), []byte(`"resourceType":"Bundle","link":[{"relation":"next","url":"`+bait.base+`/next"}]`), 1)
		return a
	}
	for n, wrong := range []struct {
		to   func(request) bool
		with func(request, func() answer) answer
	}{
		{finds(folder), redirect(http.StatusTemporaryRedirect)}, {transacts(id), redirect(http.StatusPermanentRedirect)},
		{stores(id), redirect(http.StatusSeeOther)}, {finds(folder), next},
	} {
		failed := l.deliveries(t, "failed")
		met, undo := l.fhir.change(wrong.to, wrong.with)
		d := l.issue(t, id, dose(n+2))
		l.met(t, "redirect", met)
		l.failed(t, d, failed)
		undo()
		l.arrive(t, d)
	}
}

// baitWithdrawal: what is read to take a certificate back leads elsewhere.
func (l *landscape) baitWithdrawal(t *testing.T, bait *trap, d delivery) {
	t.Helper()
	_, undo := l.fhir.change(everything, func(_ request, work func() answer) answer { return bait.everywhere(work()) })
	defer undo()
	l.revoke(t, d)
	l.eventually(t, "the revoked document stays", func() bool { return l.stored(d.ID) == nil })
	marked, err := l.fhir.records.Read(t.Context(), "DocumentReference", d.ReferenceID)
	if err != nil || !bytes.Contains(marked.Raw, []byte(bait.base+"/Binary/")) {
		t.Errorf("the gateway read no address that leads elsewhere: %v", err)
	}
}
