package client_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// FuzzAnswer gives every reader of the package an answer of anything. What passes as a
// success has to be what was asked for, every failure is a fault, and nothing is asked of
// another host.
func FuzzAnswer(f *testing.F) {
	f.Add(200, `{"resourceType":"Patient","id":"x","meta":{"versionId":"1","lastUpdated":"2026-11-21T08:00:00Z"}}`, "Patient/x/_history/1", `W/"1"`)
	f.Add(200, `{"resourceType":"Bundle","type":"transaction-response","entry":[{"response":{"status":"201 Created","location":"Patient/7/_history/1"}}]}`, "", "")
	f.Add(200, `{"resourceType":"Bundle","type":"searchset","link":[{"relation":"next","url":"?page=2"}],"entry":[{"resource":{"resourceType":"Patient","id":"x"}}]}`, "", "")
	f.Add(200, `{"resourceType":"Bundle","type":"searchset","link":[{"relation":"next","url":"//elsewhere/base"}]}`, "", "")
	f.Add(200, `{"resourceType":"Bundle","type":"history","entry":[{"request":{"method":"DELETE","url":"Patient/x"},"response":{"status":"204","etag":"W/\"2\""}}]}`, "", "")
	f.Add(422, refusal, "", "")
	f.Add(429, ``, "99999999999999999999", "")
	f.Add(201, ``, "https://inner.example/fhir/Patient/x/_history/1", "")
	f.Fuzz(func(t *testing.T, status int, body, location, tag string) {
		if status < 100 || status > 999 {
			return
		}
		c, err := client.New(client.Options{
			Base: "https://fhir.example/base", Attempts: 2, MaxPages: 3, MaxMatches: 50, Sleep: noPause,
			Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				if r.URL.Host != "fhir.example" {
					t.Errorf("a request to another host")
				}
				return reply(status, body, "Location", location, "ETag", tag, "Retry-After", location, "Last-Modified", tag), nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		readAnything(t, c)
		writeAnything(t, c)
	})
}

func mustFault(t *testing.T, err error) {
	t.Helper()
	if err != nil && fault.KindOf(err) == fault.Internal {
		t.Errorf("%v is no fault", err)
	}
}

func readAnything(t *testing.T, c *client.Client) {
	ctx := context.Background()
	r, err := c.Read(ctx, "Patient", "x")
	mustFault(t, err)
	if err == nil && (r.Type != "Patient" || r.ID != "x") {
		t.Errorf("read %s/%s", r.Type, r.ID)
	}
	for m, err := range c.Search(ctx, "Patient", url.Values{"_id": {"x"}}) {
		mustFault(t, err)
		if err == nil && (!client.ValidType(m.Type) || !client.ValidID(m.ID) || !m.Include && m.Type != "Patient") {
			t.Errorf("found %s/%s", m.Type, m.ID)
		}
	}
	for v, err := range c.History(ctx, "Patient", "x") {
		mustFault(t, err)
		if err == nil && (v.Type != "Patient" || v.ID != "x") {
			t.Errorf("history of %s/%s", v.Type, v.ID)
		}
	}
	_, err = c.Capability(ctx)
	mustFault(t, err)
	_, err = c.Operation(ctx, http.MethodGet, "Patient/x/$everything", nil, nil)
	mustFault(t, err)
}

func writeAnything(t *testing.T, c *client.Client) {
	ctx := context.Background()
	r, _, err := c.Create(ctx, "Patient", patient("x"), condition("x"))
	mustFault(t, err)
	if err == nil && (r.Type != "Patient" || !client.ValidID(r.ID)) {
		t.Errorf("created %s/%s", r.Type, r.ID)
	}
	r, _, err = c.Update(ctx, "Patient", "x", patient("x"), "")
	mustFault(t, err)
	if err == nil && (r.Type != "Patient" || r.ID != "x") {
		t.Errorf("updated %s/%s", r.Type, r.ID)
	}
	r, _, err = c.ConditionalUpdate(ctx, "Patient", condition("x"), patient("x"))
	mustFault(t, err)
	if err == nil && (r.Type != "Patient" || !client.ValidID(r.ID)) {
		t.Errorf("updated %s/%s", r.Type, r.ID)
	}
	mustFault(t, c.Delete(ctx, "Patient", "x", ""))
}
