package gateway

import (
	"net/http"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

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
