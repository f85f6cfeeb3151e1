package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"strconv"
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

func newRegistry(t *testing.T) *registry {
	t.Helper()
	r := &registry{landscape: newLandscape(t, func(i devinstall.Installation) { agree(t, i) })}
	tls := func(name string) string { return r.Install.Path("tls", name) }
	options := append(hapi.Identity(t, tls("issuer.pem"), tls("issuer.key"), tls("ca.pem")), hapi.Subscriptions)
	r.hapi = hapi.New(t, options...)
	r.startHAPI(t)
	r.put(t, "Subscription/gateway", map[string]any{
		"status": "requested", "reason": "certificates", "criteria": "Immunization?",
		"channel": map[string]any{
			"type": "rest-hook", "endpoint": r.url + "/ddcc/notifications", "payload": fhirJSON,
			"extension": []any{map[string]any{"url": latestVersion, "valueBoolean": true}},
		},
	})
	wait(t, "the Subscription", time.Minute, func() bool {
		var s struct{ Status string }
		r.read(t, "Subscription/gateway", &s)
		return s.Status == "active"
	})
	return r
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
		"lotNumber":          "SPEC-1", "manufacturer": map[string]any{"display": "Specimen Maker"},
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

// quiet is longer than HAPI takes to pass on what happened: it looks every 5 s.
const quiet = 8 * time.Second

// TestNotifications: HAPI notifies the gateway, which certifies and delivers the certificate
// to HAPI. The numbers are those of docs/notifications.md.
func TestNotifications(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	certified := r.certifiedOnce(t, "ada")
	r.sameEvent(t, "ada", certified)
	r.didNotTakePlace(t, "bea")
	r.corrected(t, "cleo")
	r.shortOutage(t, "dora")
	r.longOutage(t, "ella")
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

// corrected: another lot is refused, as nobody but the issuer knows which is right. HAPI
// repeats what was refused like any failure.
func (r *registry) corrected(t *testing.T, id string) {
	t.Helper()
	r.vaccinate(t, id)
	first := r.notified(t)
	if first.Status != http.StatusOK {
		t.Fatalf("%+v", first)
	}
	r.change(t, id, map[string]any{"lotNumber": "SPEC-2"})
	for range 3 {
		if got := r.notified(t); got.Status != http.StatusConflict || len(got.Certificates) != 0 {
			t.Errorf("%+v", got)
		}
	}
	r.change(t, id, nil)
	wait(t, "the end of the refusals", 20*time.Second, func() bool {
		got := r.notified(t)
		return got.Status == http.StatusOK && len(got.Certificates) == 1 && got.Certificates[0] == first.Certificates[0]
	})
	r.settle(t)
	wait(t, "the certificate in HAPI", time.Minute, func() bool { return r.certificates(t, id) > 0 })
	if n := r.certificates(t, id); n != 1 {
		t.Errorf("%d certificates of one event", n)
	}
}

// settle takes note of notifications until none come any more.
func (r *registry) settle(t *testing.T) {
	t.Helper()
	for last := time.Now(); time.Since(last) < quiet; time.Sleep(500 * time.Millisecond) {
		if n := len(r.transactions(t, "route="+notifications)); n > r.seen {
			r.seen, last = n, time.Now()
		}
	}
}

// shortOutage: of up to a minute. HAPI itself repeats.
func (r *registry) shortOutage(t *testing.T, id string) {
	t.Helper()
	harness.Kill(r.Gateway)
	r.vaccinate(t, id)
	wait(t, "an attempt of HAPI", time.Minute, func() bool { return attempts(r.hapi.Log()) >= 2 })
	r.StartGateway()
	began := time.Now()
	if got := r.notified(t); got.Status != http.StatusOK || len(got.Certificates) != 1 {
		t.Errorf("%+v", got)
	}
	t.Logf("notified %v after the gateway was back", time.Since(began).Round(100*time.Millisecond))
	r.settle(t)
}

var failure = regexp.MustCompile(`Failure (\d+) processing message in channel\[subscription-delivery`)

// attempts is the number of the last attempt in HAPI's log.
func attempts(log string) int {
	all := failure.FindAllStringSubmatch(log, -1)
	if len(all) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(all[len(all)-1][1])
	return n
}

// longOutage: HAPI gives up after a minute; what it did not get through is had with its
// operation $trigger-subscription, or sent by an operator. Nothing is certified twice.
func (r *registry) longOutage(t *testing.T, id string) {
	t.Helper()
	harness.Kill(r.Gateway)
	r.vaccinate(t, id)
	began, last, changed := time.Now(), 0, time.Now()
	wait(t, "HAPI to give up", 2*time.Minute, func() bool {
		if n := attempts(r.hapi.Log()); n != last {
			last, changed = n, time.Now()
		}
		return last > 5 && time.Since(changed) > 12*time.Second // longer than its longest pause
	})
	t.Logf("HAPI gave up after %d attempts in %v", last, changed.Sub(began).Round(time.Second))
	r.StartGateway()
	time.Sleep(quiet)
	if all := r.transactions(t, "route="+notifications); len(all) > r.seen {
		t.Errorf("HAPI notified after all: %+v", all[0])
	}
	if n := r.certificates(t, id); n != 0 {
		t.Errorf("%d certificates", n)
	}
	r.caughtUp(t, id)
}

// caughtUp: what an operator does about it, in all ways.
func (r *registry) caughtUp(t *testing.T, id string) {
	t.Helper()
	raw := r.read(t, "Immunization/"+id, nil)
	a, err := r.send(http.MethodPut, "/ddcc/notifications/Immunization/"+id, raw)
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("%d %s %v", a.Status, a.Body, err)
	}
	var want string
	wait(t, "the record", 10*time.Second, func() bool {
		all := r.transactions(t, "route="+notifications)
		if len(all) > r.seen {
			want = all[0].Certificates[0]
		}
		return want != ""
	})
	r.seen++
	before := r.seen
	status, answer := r.ask(t, http.MethodPost, "Subscription/gateway/$trigger-subscription", map[string]any{
		"resourceType": "Parameters", "parameter": []any{
			map[string]any{"name": "searchUrl", "valueString": "Immunization?status=completed&_lastUpdated=gt" + time.Now().UTC().Add(-time.Hour).Format("2006-01-02T15:04:05Z")},
		},
	})
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	wait(t, "HAPI to notify of all", time.Minute, func() bool { return len(r.transactions(t, "route="+notifications)) >= before+4 })
	r.settle(t)
	for _, x := range r.transactions(t, "route="+notifications)[:r.seen-before] {
		if x.Status != http.StatusOK || !x.Replayed {
			t.Errorf("%+v", x)
		}
	}
	wait(t, "the certificate in HAPI", time.Minute, func() bool { return r.certificates(t, id) > 0 })
	if n := r.certificates(t, id); n != 1 {
		t.Errorf("%d certificates of one event", n)
	}
}

// sameEvent: a client posts a transaction with what was notified. Under the key of the
// notification it is the same event. Without one it is known by its content alone, and then
// gets a certificate of its own: docs/notifications.md says so.
func (r *registry) sameEvent(t *testing.T, id, certificate string) {
	t.Helper()
	post := func(want int, header ...string) string {
		t.Helper()
		a, err := r.send(http.MethodPost, "/ddcc", r.posted(t, id), header...)
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
		return answer.Location
	}
	if at := post(http.StatusOK, "Idempotency-Key", "fhir/"+server+"/Immunization/"+id); !strings.Contains(at, certificate) {
		t.Errorf("under the key of the notification: %s, want %s", at, certificate)
	}
	without := post(http.StatusCreated)
	if strings.Contains(without, certificate) {
		t.Error("the gateway knows the event by now: say so in docs/notifications.md")
	}
	if again := post(http.StatusOK); again != without {
		t.Errorf("%s, then %s", without, again)
	}
}

// posted is the transaction of a client with a person and a dose as HAPI has them.
func (r *registry) posted(t *testing.T, id string) []byte {
	t.Helper()
	var entries []any
	for _, path := range []string{"Patient/" + id, "Immunization/" + id} {
		entries = append(entries, map[string]any{
			"fullUrl": r.direct + "/" + path, "resource": json.RawMessage(r.read(t, path, nil)),
			"request": map[string]any{"method": "PUT", "url": path},
		})
	}
	return harness.JSON(t, map[string]any{"resourceType": "Bundle", "type": "transaction", "entry": entries})
}
