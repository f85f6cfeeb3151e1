package clienttest

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func life(t *testing.T, c *client.Client) {
	ctx, start := t.Context(), time.Now()
	made, created, err := c.Create(ctx, "Patient", patient("", unique(), "Specimen"), "")
	if err != nil || !created || made.Type != "Patient" || made.ID == "" || made.VersionID == "" {
		t.Fatalf("created %+v %v: %v", made, created, err)
	}
	got, err := c.Read(ctx, "Patient", made.ID)
	if err != nil || got.VersionID != made.VersionID || family(t, got.Raw) != "Specimen" {
		t.Fatalf("read %s: %v", got.VersionID, err)
	}
	if age := got.LastModified.Sub(start); age < -2*time.Second || age > time.Minute {
		t.Errorf("last modified %v after the start of the test", age)
	}
	changed, created, err := c.Update(ctx, "Patient", made.ID, patient(made.ID, unique(), "Changed"), "")
	if err != nil || created || changed.ID != made.ID || changed.VersionID == made.VersionID || changed.VersionID == "" {
		t.Fatalf("updated %+v %v: %v", changed, created, err)
	}
	if err := c.Delete(ctx, "Patient", made.ID, ""); err != nil {
		t.Fatal(err)
	}
	_, err = c.Read(ctx, "Patient", made.ID)
	mustBe(t, "read of a deleted resource", err, fault.NotFound)
	if client.IsTemporary(err) {
		t.Error("a deleted resource is called a temporary failure")
	}
	if err := c.Delete(ctx, "Patient", made.ID, ""); err != nil {
		t.Errorf("second delete: %v", err)
	}
}

func updateCreates(t *testing.T, c *client.Client) {
	id := "suite-" + unique()
	for n, want := range []bool{true, false} {
		r, created, err := c.Update(t.Context(), "Patient", id, patient(id, id, "Specimen "+strconv.Itoa(n)), "")
		if err != nil || created != want || r.ID != id {
			t.Fatalf("update %d: %+v, created %v: %v", n, r, created, err)
		}
	}
	if err := c.Delete(t.Context(), "Patient", id, ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Update(t.Context(), "Patient", id, patient(id, id, "Specimen"), ""); err != nil {
		t.Errorf("a deleted resource cannot be written again: %v", err)
	}
}

func absent(t *testing.T, c *client.Client) {
	_, err := c.Read(t.Context(), "Patient", "suite-never-"+unique())
	mustBe(t, "read", err, fault.NotFound)
	_, err = c.VRead(t.Context(), "Patient", "suite-never-"+unique(), "1")
	mustBe(t, "vread", err, fault.NotFound)
	for _, err := range c.History(t.Context(), "Patient", "suite-never-"+unique()) {
		mustBe(t, "history", err, fault.NotFound)
	}
}

func versions(t *testing.T, c *client.Client) {
	ctx, id := t.Context(), "suite-"+unique()
	var made []string
	for n := range 3 {
		r, _, err := c.Update(ctx, "Patient", id, patient(id, id, "Specimen "+strconv.Itoa(n)), "")
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, r.VersionID)
	}
	for n, version := range made {
		if r, err := c.VRead(ctx, "Patient", id, version); err != nil || family(t, r.Raw) != "Specimen "+strconv.Itoa(n) {
			t.Errorf("version %s is not what was written as %d: %v", version, n, err)
		}
	}
	_, err := c.VRead(ctx, "Patient", id, "4711")
	mustBe(t, "a version that never was", err, fault.NotFound)
	if err := c.Delete(ctx, "Patient", id, ""); err != nil {
		t.Fatal(err)
	}
	var seen []string
	for v, err := range c.History(ctx, "Patient", id) {
		if err != nil {
			t.Fatal(err)
		}
		if v.Deleted != (len(seen) == 0) {
			t.Errorf("version %s deleted: %v", v.VersionID, v.Deleted)
		}
		seen = append(seen, v.VersionID)
	}
	if len(seen) != 4 {
		t.Fatalf("%d versions in the history", len(seen))
	}
	slices.Reverse(made)
	if diff := cmp.Diff(made, seen[1:]); diff != "" {
		t.Error(diff)
	}
}

// contentSurvives sends what is easily lost: decimals' digits, extensions of primitives,
// letters of other scripts, markup.
func contentSurvives(t *testing.T, c *client.Client) {
	id := "suite-" + unique()
	raw := []byte(`{"resourceType":"Observation","id":"` + id + `","status":"final","code":{"text":"Größe <b> & „Maß“ \u0905\u0926\u093e 𝄞"},` +
		`"_status":{"extension":[{"url":"urn:example:why","valueString":"said so"}]},` +
		`"valueQuantity":{"value":1.10,"unit":"m"},"note":[{"text":"line one\nline two"}]}`)
	if _, _, err := c.Update(t.Context(), "Observation", id, raw, ""); err != nil {
		t.Fatal(err)
	}
	got, err := c.Read(t.Context(), "Observation", id)
	if err != nil {
		t.Fatal(err)
	}
	want, have := exact(t, raw), exact(t, got.Raw)
	delete(have, "meta")
	delete(have, "text") // a server may add a narrative
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
}

// exact decodes with numbers as they are written.
func exact(t *testing.T, raw []byte) object {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var o object
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	return o
}

func refusesNonsense(t *testing.T, c *client.Client) {
	id := "suite-" + unique()
	// The client would not let this through as an update: the transaction carries it.
	_, err := c.Transaction(t.Context(), transactionOf(object{
		"resource": object{"resourceType": "NoSuchType", "id": id}, "request": object{"method": "PUT", "url": "NoSuchType/" + id},
	}))
	if kind := fault.KindOf(err); err == nil || kind != fault.Malformed && kind != fault.Rule && kind != fault.NotFound || client.IsTemporary(err) {
		t.Errorf("a resource of an unknown type: %v", err)
	}
	_, err = c.Read(t.Context(), "NoSuchType", id)
	mustBe(t, "a read of an unknown type", err, fault.NotFound)
}

func createOnce(t *testing.T, c *client.Client) {
	ctx, value := t.Context(), unique()
	condition := identifiedBy(value).Encode()
	first, created, err := c.Create(ctx, "Patient", patient("", value, "Specimen"), condition)
	if err != nil || !created {
		t.Fatalf("created %v: %v", created, err)
	}
	again, created, err := c.Create(ctx, "Patient", patient("", value, "Other"), condition)
	if err != nil || created || again.ID != first.ID || again.VersionID != first.VersionID {
		t.Errorf("second create gives %+v, created %v: %v", again, created, err)
	}
}

func racingCreates(t *testing.T, c *client.Client) {
	value := unique()
	won := race(t, 12, func(ctx context.Context, _ int) error {
		_, _, err := c.Create(ctx, "Patient", patient("", value, "Specimen"), identifiedBy(value).Encode())
		return err
	}, fault.Conflict, fault.PreconditionFailed)
	if won == 0 {
		t.Error("no create succeeded")
	}
	awaitPatients(t, c, identifiedBy(value), 1)
}

func severalMatches(t *testing.T, c *client.Client) {
	value := unique()
	for range 2 {
		if _, _, err := c.Create(t.Context(), "Patient", patient("", value, "Specimen"), ""); err != nil {
			t.Fatal(err)
		}
	}
	awaitPatients(t, c, identifiedBy(value), 2)
	_, _, err := c.Create(t.Context(), "Patient", patient("", value, "Specimen"), identifiedBy(value).Encode())
	mustBe(t, "a create with two matches", err, fault.PreconditionFailed)
	_, _, err = c.ConditionalUpdate(t.Context(), "Patient", identifiedBy(value).Encode(), patient("", value, "Specimen"))
	mustBe(t, "a conditional update with two matches", err, fault.PreconditionFailed)
}

func racingUpdates(t *testing.T, c *client.Client) {
	id := "suite-" + unique()
	first, _, err := c.Update(t.Context(), "Patient", id, patient(id, id, "First"), "")
	if err != nil {
		t.Fatal(err)
	}
	won := race(t, 12, func(ctx context.Context, n int) error {
		_, _, err := c.Update(ctx, "Patient", id, patient(id, id, "Racer "+strconv.Itoa(n)), first.VersionID)
		return err
	}, fault.PreconditionFailed)
	if won != 1 {
		t.Errorf("%d writers won", won)
	}
	_, _, err = c.Update(t.Context(), "Patient", id, patient(id, id, "Late"), first.VersionID)
	mustBe(t, "an update of an old version", err, fault.PreconditionFailed)
	if client.MaybeDone(err) {
		t.Error("a refused update is called perhaps done")
	}
}

// racingAppends is how folders are kept: read, append, write if nobody else did.
func racingAppends(t *testing.T, c *client.Client) {
	const writers = 8
	id := "suite-" + unique()
	list := object{"resourceType": "List", "id": id, "status": "current", "mode": "working", "title": "Folder"}
	if _, _, err := c.Update(t.Context(), "List", id, encode(list), ""); err != nil {
		t.Fatal(err)
	}
	won := race(t, writers, func(ctx context.Context, n int) error {
		for {
			r, err := c.Read(ctx, "List", id)
			if err != nil {
				return err
			}
			content, err := decode(r.Raw)
			if err != nil {
				return err
			}
			content["entry"] = append(entriesOf(content["entry"]), object{"item": object{"display": "entry " + strconv.Itoa(n)}})
			_, _, err = c.Update(ctx, "List", id, encode(content), r.VersionID)
			if err == nil || fault.KindOf(err) != fault.PreconditionFailed {
				return err
			}
		}
	})
	r, err := c.Read(t.Context(), "List", id)
	if err != nil || won != writers {
		t.Fatalf("%d of %d writers done: %v", won, writers, err)
	}
	seen := map[string]int{}
	for _, e := range entriesOf(exact(t, r.Raw)["entry"]) {
		item, _ := e.(object)["item"].(object)
		seen[text(item, "display")]++
	}
	for n := range writers {
		if name := "entry " + strconv.Itoa(n); seen[name] != 1 {
			t.Errorf("%s is there %d times", name, seen[name])
		}
	}
}

func entriesOf(v any) []any {
	l, _ := v.([]any)
	return l
}

func deleteMatches(t *testing.T, c *client.Client) {
	ctx, id := t.Context(), "suite-"+unique()
	first, _, err := c.Update(ctx, "Patient", id, patient(id, id, "First"), "")
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := c.Update(ctx, "Patient", id, patient(id, id, "Second"), "")
	if err != nil {
		t.Fatal(err)
	}
	mustBe(t, "delete of an old version", c.Delete(ctx, "Patient", id, first.VersionID), fault.PreconditionFailed)
	if _, err := c.Read(ctx, "Patient", id); err != nil {
		t.Errorf("the refused delete deleted: %v", err)
	}
	if err := c.Delete(ctx, "Patient", id, second.VersionID); err != nil {
		t.Errorf("delete of the current version: %v", err)
	}
}

func conditionalUpdate(t *testing.T, c *client.Client) {
	ctx, value := t.Context(), unique()
	condition := identifiedBy(value).Encode()
	first, created, err := c.ConditionalUpdate(ctx, "Patient", condition, patient("", value, "First"))
	if err != nil || !created || first.ID == "" {
		t.Fatalf("%+v, created %v: %v", first, created, err)
	}
	second, created, err := c.ConditionalUpdate(ctx, "Patient", condition, patient("", value, "Second"))
	if err != nil || created || second.ID != first.ID || second.VersionID == first.VersionID {
		t.Fatalf("%+v, created %v: %v", second, created, err)
	}
	if r, err := c.Read(ctx, "Patient", first.ID); err != nil || family(t, r.Raw) != "Second" {
		t.Errorf("not updated: %v", err)
	}
}
