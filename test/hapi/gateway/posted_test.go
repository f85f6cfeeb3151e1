package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

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
