package clienttest

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func transactionOf(entries ...any) []byte { return bundleOf("transaction", entries) }

func bundleOf(kind string, entries []any) []byte {
	return encode(object{"resourceType": "Bundle", "type": kind, "entry": entries})
}

// doc is a DocumentReference about the patient of the same transaction.
func doc(id string) object {
	return object{
		"resourceType": "DocumentReference", "id": id, "status": "current", "subject": object{"reference": urnPatient},
		"content": []any{object{"attachment": object{"contentType": "text/plain", "title": "specimen"}}},
	}
}

func entryOf(method, url, fullURL string, resource any) object {
	e := object{"request": object{"method": method, "url": url}}
	if fullURL != "" {
		e["fullUrl"] = fullURL
	}
	if resource != nil {
		e["resource"] = resource
	}
	return e
}

func decoded(t *testing.T, raw []byte) object {
	t.Helper()
	o, err := decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// newPatient is an entry that creates a Patient with a condition on its identifier.
func newPatient(t *testing.T, value string) object {
	t.Helper()
	e := entryOf(http.MethodPost, "Patient", urnPatient, decoded(t, patient("", value, "Specimen")))
	e["request"].(object)["ifNoneExist"] = identifiedBy(value).Encode()
	return e
}

const (
	urnPatient  = "urn:uuid:0b6f4b0e-0f0e-4a53-8d6f-3b5b1f9a7c01"
	urnDocument = "urn:uuid:0b6f4b0e-0f0e-4a53-8d6f-3b5b1f9a7c02"
)

// subject reads the reference of a DocumentReference.
func subject(t *testing.T, c *client.Client, id string) string {
	t.Helper()
	r, err := c.Read(t.Context(), "DocumentReference", id)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := decoded(t, r.Raw)["subject"].(object)
	return text(s, "reference")
}

func transactionReferences(t *testing.T, c *client.Client) {
	value, id := unique(), "suite-"+unique()
	out, err := c.Transaction(t.Context(), transactionOf( // the reference comes before what it refers to
		entryOf(http.MethodPut, "DocumentReference/"+id, urnDocument, doc(id)),
		newPatient(t, value),
	))
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != 2 || out[0].Type != "DocumentReference" || out[0].ID != id || out[1].Type != "Patient" || out[1].Status != http.StatusCreated || out[1].ID == "" {
		t.Fatalf("answers %+v", out)
	}
	if got := subject(t, c, id); got != "Patient/"+out[1].ID {
		t.Errorf("the document refers to %q", got)
	}
	// The same patient, found by its identifier this time.
	again, err := c.Transaction(t.Context(), transactionOf(
		newPatient(t, value), entryOf(http.MethodPut, "DocumentReference/"+id+"-b", "", doc(id+"-b")),
	))
	if err != nil || again[0].Status != http.StatusOK {
		t.Fatalf("%+v: %v", again, err)
	}
	if got := subject(t, c, id+"-b"); got != "Patient/"+out[1].ID {
		t.Errorf("the second document refers to %q", got)
	}
}

func transactionRollback(t *testing.T, c *client.Client) {
	value, id := unique(), "suite-"+unique()
	for range 2 {
		if _, _, err := c.Create(t.Context(), "Patient", patient("", value, "Specimen"), ""); err != nil {
			t.Fatal(err)
		}
	}
	awaitPatients(t, c, identifiedBy(value), 2)
	_, err := c.Transaction(t.Context(), transactionOf(
		entryOf(http.MethodPut, "Patient/"+id, "", decoded(t, patient(id, id, "Specimen"))),
		newPatient(t, value), // finds two: refused
	))
	mustBe(t, "a transaction with an ambiguous entry", err, fault.PreconditionFailed)
	_, err = c.Read(t.Context(), "Patient", id)
	mustBe(t, "a resource of the refused transaction", err, fault.NotFound)
}

func transactionRepeated(t *testing.T, c *client.Client) {
	value, id := unique(), "suite-"+unique()
	raw := transactionOf(
		newPatient(t, value), entryOf(http.MethodPut, "DocumentReference/"+id, urnDocument, doc(id)),
	)
	var first string
	for n := range 3 {
		out, err := c.Transaction(t.Context(), raw)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			first = out[0].ID
		}
		if out[0].ID != first || out[1].ID != id {
			t.Errorf("repeat %d made %s and %s", n, out[0].ID, out[1].ID)
		}
	}
	awaitPatients(t, c, identifiedBy(value), 1)
}

func transactionIfMatch(t *testing.T, c *client.Client) {
	id := "suite-" + unique()
	first, _, err := c.Update(t.Context(), "Patient", id, patient(id, id, "First"), "")
	if err != nil {
		t.Fatal(err)
	}
	e := entryOf(http.MethodPut, "Patient/"+id, "", decoded(t, patient(id, id, "Second")))
	e["request"].(object)["ifMatch"] = `W/"` + first.VersionID + `"`
	if _, err := c.Transaction(t.Context(), transactionOf(e)); err != nil {
		t.Fatal(err)
	}
	_, err = c.Transaction(t.Context(), transactionOf(e))
	mustBe(t, "a transaction for an old version", err, fault.PreconditionFailed)
}

func racingTransactions(t *testing.T, c *client.Client) {
	value, id := unique(), "suite-"+unique()
	raw := transactionOf(
		newPatient(t, value), entryOf(http.MethodPut, "DocumentReference/"+id, urnDocument, doc(id)),
	)
	won := race(t, 6, func(ctx context.Context, _ int) error {
		_, err := c.Transaction(ctx, raw)
		return err
	}, fault.Conflict, fault.PreconditionFailed)
	if won == 0 {
		t.Error("no transaction succeeded")
	}
	got := awaitPatients(t, c, identifiedBy(value), 1)
	if s := subject(t, c, id); s != "Patient/"+got[0].ID {
		t.Errorf("the document refers to %q", s)
	}
}

func batchEntries(t *testing.T, c *client.Client) {
	id := "suite-" + unique()
	out, err := c.Batch(t.Context(), bundleOf("batch", []any{
		entryOf(http.MethodPut, "Patient/"+id, "", decoded(t, patient(id, id, "Specimen"))),
		entryOf(http.MethodGet, "Patient/"+id+"-never", "", nil),
	}))
	if err != nil || len(out) != 2 {
		t.Fatalf("%+v: %v", out, err)
	}
	if out[0].Err != nil || out[0].Status != http.StatusCreated || out[0].ID != id {
		t.Errorf("first entry %+v", out[0])
	}
	mustBe(t, "second entry", out[1].Err, fault.NotFound)
	if got, err := c.Read(t.Context(), "Patient", id); err != nil || !strings.Contains(string(got.Raw), "Specimen") {
		t.Errorf("the good entry was not done: %v", err)
	}
}
