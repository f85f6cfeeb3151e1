package gateway

import (
	"encoding/json"
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
	seen map[string]bool // transactions of notifications that a test has looked at
}

// newRegistry starts everything. Doses whose lot is late's are notified through late.
func newRegistry(t *testing.T, late *ingress) *registry {
	t.Helper()
	r := &registry{landscape: newLandscape(t, func(i devinstall.Installation) { agree(t, i) }), seen: map[string]bool{}}
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

// notified waits for a notification that no test has looked at, the oldest first.
func (r *registry) notified(t *testing.T) transaction {
	t.Helper()
	var found transaction
	wait(t, "a notification", 40*time.Second, func() bool {
		for _, x := range slices.Backward(r.transactions(t, "route="+notifications)) {
			if !r.seen[x.ID] { // what took longer than others may stand behind them
				found, r.seen[x.ID] = x, true
				return true
			}
		}
		return false
	})
	return found
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
	if len(one.Calls) != 2 || one.Calls[0].Peer != "fhir" || len(one.Calls[0].Legs) != 2 || one.Calls[0].Legs[0].Name != "read Immunization" ||
		one.Calls[0].Legs[1].Name != "read Patient" || one.Calls[1].Peer != "signer" {
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
