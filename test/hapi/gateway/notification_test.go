package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/test/hapi"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

const (
	notifications = "/ddcc/notifications/:type/:id" // the route
	hcidSystem    = "urn:specimen:hcid"
	lot           = "SPEC-1"
	otherLot      = "SPEC-2"
	lateLot       = "LATE-1"
	latestVersion = "http://hapifhir.io/fhir/StructureDefinition/subscription-resthook-deliver-latest-version"
)

// agree makes the demo issuer the FHIR server.
func agree(t *testing.T, i devinstall.Installation) {
	t.Helper()
	var policy map[string]any
	raw, err := os.ReadFile(i.Path("issuers.json"))
	if err == nil {
		err = json.Unmarshal(raw, &policy)
	}
	if err != nil {
		t.Fatal(err)
	}
	issuer := policy["issuers"].([]any)[0].(map[string]any)
	issuer["fhir"] = server
	issuer["complete"] = map[string]any{"authority": devinstall.Authority.ID, "country": "XXA", "hcidSystem": hcidSystem}
	write(t, i.Path("issuers.json"), harness.JSON(t, policy))
}

// registry is the landscape of a FHIR server that notifies.
type registry struct {
	*landscape
	seen int // transactions of notifications that a test has looked at
}

// newRegistry starts everything. Doses whose lot is late's are notified through late.
func newRegistry(t *testing.T, late *ingress) *registry {
	t.Helper()
	r := &registry{landscape: newLandscape(t, func(i devinstall.Installation) { agree(t, i) })}
	tls := func(name string) string { return r.Install.Path("tls", name) }
	options := append(hapi.Identity(t, tls("issuer.pem"), tls("issuer.key"), tls("ca.pem")), hapi.Subscriptions)
	r.hapi = hapi.New(t, options...)
	r.startHAPI(t)
	r.subscribe(t, "gateway", r.url, "Immunization?lot-number="+lot+","+otherLot)
	r.subscribe(t, "late", "https://"+late.address, "Immunization?lot-number="+lateLot)
	for _, id := range []string{"gateway", "late"} {
		wait(t, "the Subscription", time.Minute, func() bool {
			var s struct{ Status string }
			r.read(t, "Subscription/"+id, &s)
			return s.Status == "active"
		})
	}
	return r
}

func (r *registry) subscribe(t *testing.T, id, base, criteria string) {
	t.Helper()
	r.put(t, "Subscription/"+id, map[string]any{
		"status": "requested", "reason": "certificates", "criteria": criteria,
		"channel": map[string]any{
			"type": "rest-hook", "endpoint": base + "/ddcc/notifications", "payload": fhirJSON,
			"extension": []any{map[string]any{"url": latestVersion, "valueBoolean": true}},
		},
	})
}

// put stores a resource in HAPI.
func (r *registry) put(t *testing.T, path string, members map[string]any) {
	t.Helper()
	resource := maps.Clone(members)
	resource["resourceType"], resource["id"], _ = strings.Cut(path, "/")
	if status, raw := r.ask(t, http.MethodPut, path, resource); status != http.StatusOK && status != http.StatusCreated {
		t.Fatalf("%s: %d %s", path, status, raw)
	}
}

func person(id string) map[string]any {
	return map[string]any{
		"identifier": []any{map[string]any{"system": hcidSystem, "value": strings.ToUpper(id)}},
		"name":       []any{map[string]any{"text": "Ada Specimen"}}, "birthDate": "1980-02-03",
	}
}

// dose is a vaccination of the patient of the same id, as general care keeps it.
func dose(id string) map[string]any {
	return map[string]any{
		"status": "completed", "patient": map[string]any{"reference": "Patient/" + id},
		"vaccineCode":        map[string]any{"coding": []any{map[string]any{"system": "http://hl7.org/fhir/sid/cvx", "code": "208"}}},
		"occurrenceDateTime": time.Now().UTC().AddDate(0, 0, -20).Format(time.DateOnly),
		"lotNumber":          lot, "manufacturer": map[string]any{"display": "Specimen Maker"},
		"protocolApplied": []any{map[string]any{"doseNumberPositiveInt": 1}},
	}
}

// vaccinate stores a person and a dose.
func (r *registry) vaccinate(t *testing.T, id string) {
	t.Helper()
	r.put(t, "Patient/"+id, person(id))
	r.put(t, "Immunization/"+id, dose(id))
}

// change stores the dose with other members.
func (r *registry) change(t *testing.T, id string, members map[string]any) {
	t.Helper()
	d := dose(id)
	maps.Copy(d, members)
	r.put(t, "Immunization/"+id, d)
}

// notified waits for the next notification.
func (r *registry) notified(t *testing.T) transaction {
	t.Helper()
	var all []transaction
	wait(t, "a notification", 40*time.Second, func() bool {
		all = r.transactions(t, "route="+notifications)
		return len(all) > r.seen
	})
	r.seen++
	return all[len(all)-r.seen]
}

// certificates counts those in the folder of a person, as HAPI has it by now.
func (r *registry) certificates(t *testing.T, id string) int {
	t.Helper()
	return len(r.folder(t, strings.ToUpper(id))) / 2 // a document and a QR code each
}

// TestNotifications: HAPI notifies the gateway, which certifies and delivers the certificate
// to HAPI. The numbers are those of docs/notifications.md.
func TestNotifications(t *testing.T) {
	t.Parallel()
	late := newIngress(t)
	r := newRegistry(t, late)
	late.to = strings.TrimPrefix(r.url, "https://")
	for _, id := range []string{"ella", "fay"} {
		r.put(t, "Patient/"+id, person(id))
		r.change(t, id, map[string]any{"lotNumber": lateLot})
	}
	certified := r.certifiedOnce(t, "ada")
	r.sameEvent(t, "ada", certified)
	r.didNotTakePlace(t, "bea")
	r.postedFirst(t, "gil")
	r.shortOutage(t, "dora", "hal")
	r.corrected(t, "cleo")
	late.abandoned(t)
	r.caughtUp(t, late)
	r.restarted(t, late)
	if strings.Contains(r.Logs(), "Specimen") || strings.Contains(r.Logs(), `"ADA"`) {
		t.Error("the logs have personal data")
	}
}

// certifiedOnce: with the patient read from HAPI, and delivered to HAPI, which is no reason
// to notify again. What does not matter to the certificate changes nothing.
func (r *registry) certifiedOnce(t *testing.T, id string) (certificate string) {
	t.Helper()
	began := time.Now()
	r.vaccinate(t, id)
	first := r.notified(t)
	t.Logf("notified after %v", time.Since(began).Round(100*time.Millisecond))
	if first.Status != http.StatusOK || first.Client != "demo-clinic" || len(first.Certificates) != 1 || first.Replayed {
		t.Fatalf("%+v\n%s", first, r.Logs())
	}
	var one transaction
	r.operator(t, "/transactions/"+first.ID, &one)
	if len(one.Calls) != 2 || one.Calls[0].Peer != "fhir" || one.Calls[0].Legs[0].Name != "read Patient" || one.Calls[1].Peer != "signer" {
		t.Errorf("%+v", one.Calls)
	}
	wait(t, "the certificate in HAPI", time.Minute, func() bool { return r.certificates(t, id) == 1 })
	r.change(t, id, map[string]any{"note": []any{map[string]any{"text": "left arm"}}})
	again := r.notified(t)
	if again.Status != http.StatusOK || len(again.Certificates) != 1 || again.Certificates[0] != first.Certificates[0] || !again.Replayed {
		t.Errorf("%+v", again)
	}
	return first.Certificates[0]
}

// didNotTakePlace: nothing is certified.
func (r *registry) didNotTakePlace(t *testing.T, id string) {
	t.Helper()
	r.put(t, "Patient/"+id, person(id))
	r.change(t, id, map[string]any{"status": "entered-in-error"})
	if got := r.notified(t); got.Status != http.StatusOK || len(got.Certificates) != 0 {
		t.Errorf("%+v", got)
	}
}

// corrected: another lot is refused, as nobody but the issuer knows which is right, until the
// certificate is revoked. HAPI repeats what was refused like any failure.
func (r *registry) corrected(t *testing.T, id string) {
	t.Helper()
	r.vaccinate(t, id)
	first := r.notified(t)
	if first.Status != http.StatusOK || len(first.Certificates) != 1 {
		t.Fatalf("%+v", first)
	}
	r.change(t, id, map[string]any{"lotNumber": otherLot})
	for range 3 {
		if got := r.notified(t); got.Status != http.StatusConflict || len(got.Certificates) != 0 {
			t.Errorf("%+v", got)
		}
	}
	if n := r.certificates(t, id); n != 1 {
		t.Errorf("%d certificates of one event", n)
	}
	r.revoke(t, first.Certificates[0])
	var corrected transaction
	wait(t, "the corrected event", 40*time.Second, func() bool {
		corrected = r.notified(t)
		return corrected.Status == http.StatusOK
	})
	if len(corrected.Certificates) != 1 || corrected.Certificates[0] == first.Certificates[0] || corrected.Replayed {
		t.Errorf("%+v", corrected)
	}
	want := r.registeredLater(t, corrected.Certificates[0])
	wait(t, "the corrected certificate in the folder", time.Minute, func() bool { return slices.Equal(r.folder(t, strings.ToUpper(id)), want) })
}

// shortOutage: of less than a minute. HAPI itself repeats, with what it has by then: of an
// event that turned out not to have taken place there is no certificate.
func (r *registry) shortOutage(t *testing.T, id, mistaken string) {
	t.Helper()
	harness.Kill(r.Gateway)
	r.vaccinate(t, id)
	r.vaccinate(t, mistaken)
	time.Sleep(8 * time.Second) // HAPI looks every 5 s what to notify of
	r.change(t, mistaken, map[string]any{"status": "entered-in-error"})
	r.StartGateway()
	began := time.Now()
	certificates := 0
	for n := range 3 { // the two, and the change
		got := r.notified(t)
		if n == 0 {
			t.Logf("notified %v after the gateway was back", time.Since(began).Round(100*time.Millisecond))
		}
		if got.Status != http.StatusOK || got.Replayed {
			t.Errorf("%+v", got)
		}
		certificates += len(got.Certificates)
	}
	if certificates != 1 || r.certificates(t, mistaken) != 0 {
		t.Errorf("%d certificates, %d of what did not take place", certificates, r.certificates(t, mistaken))
	}
}

// caughtUp: what HAPI gave up is sent by an operator, or anew by HAPI's own operation. Nothing
// is certified twice.
func (r *registry) caughtUp(t *testing.T, late *ingress) {
	t.Helper()
	if n := r.certificates(t, "ella") + r.certificates(t, "fay"); n != 0 {
		t.Errorf("%d certificates of what was never notified", n)
	}
	late.up.Store(true)
	a, err := r.send(http.MethodPut, "/ddcc/notifications/Immunization/ella", r.read(t, "Immunization/ella", nil))
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("%d %s %v", a.Status, a.Body, err)
	}
	r.trigger(t)
	wait(t, "the certificates in HAPI", time.Minute, func() bool { return r.certificates(t, "ella") > 0 && r.certificates(t, "fay") > 0 })
	wait(t, "both notifications", time.Minute, func() bool { return late.passed.Load() >= 2 })
	for _, id := range []string{"ella", "fay"} {
		if n := r.certificates(t, id); n != 1 {
			t.Errorf("%d certificates of one event", n)
		}
	}
	for _, x := range r.transactions(t, "route="+notifications) {
		if x.Status != http.StatusOK && x.Status != http.StatusConflict {
			t.Errorf("%+v", x)
		}
	}
}

// trigger has HAPI notify of everything that is late.
func (r *registry) trigger(t *testing.T) {
	t.Helper()
	since := time.Now().UTC().Add(-time.Hour).Format("2006-01-02T15:04:05Z")
	status, answer := r.ask(t, http.MethodPost, "Subscription/late/$trigger-subscription", map[string]any{
		"resourceType": "Parameters", "parameter": []any{
			map[string]any{"name": "searchUrl", "valueString": "Immunization?lot-number=" + lateLot + "&_lastUpdated=gt" + since},
		},
	})
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
}

// restarted: HAPI is killed while it repeats. It forgets that; what it had not looked at yet
// it notifies of.
func (r *registry) restarted(t *testing.T, late *ingress) {
	t.Helper()
	late.up.Store(false)
	tried := late.count()
	for _, id := range []string{"ida", "jon"} {
		r.put(t, "Patient/"+id, person(id))
	}
	r.change(t, "ida", map[string]any{"lotNumber": lateLot})
	wait(t, "attempts of HAPI", time.Minute, func() bool { return late.count() > tried })
	r.change(t, "jon", map[string]any{"lotNumber": lateLot})
	r.hapi.Kill()
	r.startHAPI(t)
	late.up.Store(true)
	wait(t, "what was not looked at", time.Minute, func() bool { return r.certificates(t, "jon") == 1 })
	if n := r.certificates(t, "ida"); n != 0 {
		t.Errorf("HAPI has learnt it: %d certificates of what it repeated; say so in docs/notifications.md", n)
	}
	r.trigger(t)
	wait(t, "the certificate in HAPI", time.Minute, func() bool { return r.certificates(t, "ida") == 1 })
}

// sameEvent: a client posts a transaction with what was notified: it is the same event, known
// by its content. A key of the client's own makes it a request of its own: docs/notifications.md
// says so.
func (r *registry) sameEvent(t *testing.T, id, certificate string) {
	t.Helper()
	body := r.posted(t, id)
	if got := r.post(t, http.StatusOK, body); got != certificate {
		t.Errorf("posted: %s, notified: %s", got, certificate)
	}
	if got := r.post(t, http.StatusCreated, body, "Idempotency-Key", "visit-1"); got == certificate {
		t.Error("the gateway knows the event under a key by now: say so in docs/notifications.md")
	} else {
		r.revoke(t, got)
	}
}

// postedFirst: the other way round.
func (r *registry) postedFirst(t *testing.T, id string) {
	t.Helper()
	r.put(t, "Patient/"+id, person(id))
	resource := dose(id)
	resource["resourceType"], resource["id"] = "Immunization", id
	certificate := r.post(t, http.StatusCreated, r.transaction(t, id, harness.JSON(t, resource)))
	r.put(t, "Immunization/"+id, dose(id))
	if got := r.notified(t); got.Status != http.StatusOK || len(got.Certificates) != 1 || got.Certificates[0] != certificate || !got.Replayed {
		t.Errorf("%+v, want %s", got, certificate)
	}
}

// post sends a transaction of a person and a dose, and gives the certificate.
func (r *registry) post(t *testing.T, want int, body []byte, header ...string) string {
	t.Helper()
	a, err := r.send(http.MethodPost, "/ddcc", body, header...)
	var b struct {
		Entry []struct {
			Response struct{ Status, Location string }
		}
	}
	if err != nil || a.Status != http.StatusOK || json.Unmarshal(a.Body, &b) != nil || len(b.Entry) != 2 {
		t.Fatalf("%d %s %v", a.Status, a.Body, err)
	}
	answer := b.Entry[1].Response
	if !strings.HasPrefix(answer.Status, fmt.Sprint(want)) {
		t.Errorf("%+v, want %d", answer, want)
	}
	return strings.TrimPrefix(answer.Location, "Bundle/")
}

// posted is a transaction with a person and a dose as HAPI has them.
func (r *registry) posted(t *testing.T, id string) []byte {
	t.Helper()
	return r.transaction(t, id, r.read(t, "Immunization/"+id, nil))
}

func (r *registry) transaction(t *testing.T, id string, immunization []byte) []byte {
	t.Helper()
	var entries []any
	for _, one := range []struct {
		path string
		raw  []byte
	}{{"Patient/" + id, r.read(t, "Patient/"+id, nil)}, {"Immunization/" + id, immunization}} {
		entries = append(entries, map[string]any{
			"fullUrl": r.direct + "/" + one.path, "resource": json.RawMessage(one.raw), "request": map[string]any{"method": "PUT", "url": one.path},
		})
	}
	return harness.JSON(t, map[string]any{"resourceType": "Bundle", "type": "transaction", "entry": entries})
}
