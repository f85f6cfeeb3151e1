package clienttest

import (
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
)

// specialIdentifiers looks for values that are special in searches, addresses and JSON.
func specialIdentifiers(t *testing.T, c *client.Client) {
	identifiers(t, c, []string{
		"a,b", "a|b", "a$b", `a\b`, "a b", "a+b", "a%2Cb", "a&identifier=b", "a#b", "a/b?c=d", `a"b`, "ä ö ß", "अदा", "𝄞", "a'b;--", "..",
	})
}

// escapedSeparators differ from a,b and a|b only if the server undoes the escapes once.
func escapedSeparators(t *testing.T, c *client.Client) {
	identifiers(t, c, []string{"a,b", `a\,b`, "a|b", `a\|b`, `a\\`})
}

// identifiers makes a patient for each value and finds each again, alone.
func identifiers(t *testing.T, c *client.Client, values []string) {
	t.Helper()
	run := unique()
	for n, v := range values {
		v = run + v
		if _, _, err := c.Create(t.Context(), "Patient", patient("", v, "Specimen "+strconv.Itoa(n)), identifiedBy(v).Encode()); err != nil {
			t.Errorf("value %d: %v", n, err)
		}
	}
	for n, v := range values {
		got := awaitPatients(t, c, identifiedBy(run+v), 1)
		if family(t, got[0].Raw) != "Specimen "+strconv.Itoa(n) {
			t.Errorf("value %d finds another patient", n)
		}
		again, created, err := c.Create(t.Context(), "Patient", patient("", run+v, "Twice"), identifiedBy(run+v).Encode())
		if err != nil || created || again.ID != got[0].ID {
			t.Errorf("value %d was created twice, or: %v", n, err)
		}
	}
	both := identifiedBy(run+values[0]).Get("identifier") + "," + identifiedBy(run+values[2]).Get("identifier")
	awaitPatients(t, c, url.Values{"identifier": {both}}, 2)
}

func searchByTime(t *testing.T, c *client.Client) {
	ctx, value := t.Context(), unique()
	var made []client.Resource
	for range 2 {
		r, _, err := c.Create(ctx, "Patient", patient("", value, "Specimen"), "")
		if err != nil {
			t.Fatal(err)
		}
		if r, err = c.Read(ctx, "Patient", r.ID); err != nil {
			t.Fatal(err)
		}
		made = append(made, r)
		time.Sleep(50 * time.Millisecond) // servers keep milliseconds
	}
	awaitPatients(t, c, identifiedBy(value), 2)
	at := made[1].LastModified.Format("2006-01-02T15:04:05.000Z")
	for prefix, want := range map[string]int{"ge": 1, "lt": 1, "le": 2, "gt": 0} {
		q := identifiedBy(value)
		q.Set("_lastUpdated", prefix+at)
		if got, err := found(ctx, c, q); err != nil || len(got) != want {
			t.Errorf("%s finds %d, not %d: %v", prefix, len(got), want, err)
		}
	}
	if got, err := found(ctx, c, url.Values{"_id": {made[0].ID}}); err != nil || len(got) != 1 || got[0].ID != made[0].ID {
		t.Errorf("_id finds %d: %v", len(got), err)
	}
}

func searchPages(t *testing.T, c *client.Client) {
	const patients = 23
	value := unique()
	var entries []any
	var want []string
	for n := range patients {
		id := "suite-" + value + "-" + strconv.Itoa(n)
		want = append(want, id)
		entries = append(entries, entryOf("PUT", "Patient/"+id, "", decoded(t, patient(id, value, "Specimen"))))
	}
	if _, err := c.Transaction(t.Context(), transactionOf(entries...)); err != nil {
		t.Fatal(err)
	}
	awaitPatients(t, c, identifiedBy(value), patients)
	for _, size := range []int{1, 5, 23, 50} {
		q := identifiedBy(value)
		q.Set("_count", strconv.Itoa(size))
		q.Set("_sort", "_id")
		got, err := found(t.Context(), c, q)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, m := range got {
			ids = append(ids, m.ID)
		}
		slices.Sort(want)
		if !slices.Equal(ids, want) {
			t.Errorf("pages of %d give %d resources, or in another order", size, len(ids))
		}
	}
	// Who stops early asks for no more.
	q := identifiedBy(value)
	q.Set("_count", "5")
	for _, err := range c.Search(t.Context(), "Patient", q) {
		if err != nil {
			t.Error(err)
		}
		break
	}
}

func searchDeleted(t *testing.T, c *client.Client) {
	value := unique()
	r, _, err := c.Create(t.Context(), "Patient", patient("", value, "Specimen"), "")
	if err != nil {
		t.Fatal(err)
	}
	awaitPatients(t, c, identifiedBy(value), 1)
	if err := c.Delete(t.Context(), "Patient", r.ID, ""); err != nil {
		t.Fatal(err)
	}
	awaitPatients(t, c, identifiedBy(value), 0)
	if _, created, err := c.Create(t.Context(), "Patient", patient("", value, "Specimen"), identifiedBy(value).Encode()); err != nil || !created {
		t.Errorf("a deleted resource stands in the way of a conditional create: %v", err)
	}
}
