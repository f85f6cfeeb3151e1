package index_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
	"github.com/trustedparty/ddcc-gateway/fhir/server/index"
)

// follow reads all pages, and does something between them.
func (s *store) follow(t tb, text string, between func()) []string {
	t.Helper()
	q := parse(t, text)
	var found []string
	for pages := 0; ; pages++ {
		if pages > 1000 {
			t.Fatal("the pages do not end")
		}
		page := s.find(t, q)
		names := s.names(t, page, index.ModeMatch)
		if len(names) > q.Count {
			t.Fatalf("%d on a page of %d", len(names), q.Count)
		}
		found = append(found, names...)
		if page.Next == "" {
			return found
		}
		between()
		q.Cursor = page.Next
	}
}

func number(n int) string {
	return fmt.Sprintf(`{"resourceType":"Observation","id":"n%d","status":"final"}`, n)
}

func TestPagesAreStableWhileOthersWrite(t *testing.T) {
	t.Parallel()
	s := open(t)
	for i := range 20 {
		s.put(t, number(i))
	}
	next := 20
	found := s.follow(t, "Observation?status=final&_count=3", func() {
		s.put(t, number(next)) // new: may come on a later page
		s.put(t, number(1))    // updated: keeps its place
		if next == 20 {
			s.remove(t, "Observation", "n2") // the resource the cursor stands at
		}
		next++
	})
	for i := range 20 {
		name := fmt.Sprintf("Observation/n%d", i)
		if n := count(found, name); n != 1 {
			t.Errorf("%s was found %d times", name, n)
		}
	}
}

func count(all []string, one string) int {
	n := 0
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// TestSortedPagesAreTheOrder: whatever the keys and the page size, the pages are one sorted
// list of everything, ties in order of creation and resources without a value last.
func TestSortedPagesAreTheOrder(t *testing.T) {
	t.Parallel()
	s := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		if _, err := s.db.Exec(`DELETE FROM resources`); err != nil {
			rt.Fatal(err)
		}
		values := rapid.SampledFrom([]string{"", "a", "b", "c"})
		type item struct {
			name   string
			family string
			birth  string
		}
		var items []item
		for i := range rapid.IntRange(0, 12).Draw(rt, "n") {
			it := item{name: fmt.Sprintf("Patient/s%d", i), family: values.Draw(rt, "family")}
			if year := rapid.IntRange(1990, 1993).Draw(rt, "birth"); year > 1990 {
				it.birth = fmt.Sprint(year)
			}
			raw := fmt.Sprintf(`{"resourceType":"Patient","id":"s%d"`, i)
			if it.family != "" {
				raw += fmt.Sprintf(`,"name":[{"family":%q}]`, it.family)
			}
			if it.birth != "" {
				raw += fmt.Sprintf(`,"birthDate":%q`, it.birth)
			}
			s.put(rt, raw+"}")
			items = append(items, it)
		}
		down := rapid.Bool().Draw(rt, "descending")
		query := fmt.Sprintf("Patient?_sort=family,birthdate&_count=%d", rapid.IntRange(1, 5).Draw(rt, "count"))
		if down {
			query = strings.Replace(query, "family,", "-family,", 1)
		}
		slices.SortStableFunc(items, func(a, b item) int {
			if c := compare(a.family, b.family, down); c != 0 {
				return c
			}
			return compare(a.birth, b.birth, false)
		})
		want := []string{}
		for _, it := range items {
			want = append(want, it.name)
		}
		if got := s.follow(rt, query, func() {}); strings.Join(got, " ") != strings.Join(want, " ") {
			rt.Fatalf("%s = %v, want %v", query, got, want)
		}
	})
}

// compare orders, what is empty last.
func compare(a, b string, down bool) int {
	switch {
	case a == b:
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	case down:
		return strings.Compare(b, a)
	default:
		return strings.Compare(a, b)
	}
}

func TestSortByWhatTheServerGives(t *testing.T) {
	t.Parallel()
	s := populated(t)
	for query, want := range map[string]string{
		"Patient?_sort=_id":                           "anna bob cleo",
		"Patient?_sort=-_id":                          "cleo bob anna",
		"Patient?_sort=-_lastUpdated":                 "cleo bob anna",
		"Patient?_sort=gender,-birthdate":             "cleo anna bob",
		"Patient?_sort=organization":                  "anna bob cleo",
		"Observation?_sort=-value-quantity":           "w2 w1 bp",
		"Observation?_sort=code,date":                 "w2 w1 bp",
		"ValueSet?_sort=-url":                         "v11 v1",
		"RiskAssessment?_sort=-probability&_count=50": "r2 r1",
	} {
		found := s.names(t, s.find(t, parse(t, query)), index.ModeMatch)
		for i := range found {
			_, found[i], _ = strings.Cut(found[i], "/")
		}
		if got := strings.Join(found, " "); got != want {
			t.Errorf("%s = %q, want %q", query, got, want)
		}
	}
}

func TestCursorsOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	s := populated(t)
	q := parse(t, "Patient?_sort=family&_count=1")
	good := s.find(t, q).Next
	find := func(text, cursor string) error {
		q := parse(t, text)
		q.Cursor = cursor
		_, err := index.Find(context.Background(), s.db, q)
		return err
	}
	for name, tc := range map[string]struct {
		query, cursor string
		want          error
	}{
		"its own":         {"Patient?_sort=family&_count=1", good, nil},
		"another count":   {"Patient?_sort=family&_count=2&_total=none", good, nil},
		"another order":   {"Patient?_sort=birthdate&_count=1", good, index.ErrCursor},
		"another type":    {"Organization?_sort=name&_count=1", good, index.ErrCursor},
		"cut":             {"Patient?_sort=family&_count=1", good[:len(good)-2], index.ErrCursor},
		"longer":          {"Patient?_sort=family&_count=1", good + "AA", index.ErrCursor},
		"no base64":       {"Patient?_sort=family&_count=1", "%%%", index.ErrCursor},
		"only the digest": {"Patient?_sort=family&_count=1", good[:11], index.ErrCursor},
	} {
		if err := find(tc.query, tc.cursor); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	first := s.names(t, s.find(t, q), index.ModeMatch)[0]
	for _, raw := range people {
		if strings.Contains(raw, `"id":"`+strings.TrimPrefix(first, "Patient/")+`"`) {
			s.put(t, raw)
		}
	}
	if err := find("Patient?_sort=family&_count=1", good); !errors.Is(err, index.ErrPageGone) {
		t.Errorf("after an update of the place: %v", err)
	}
}

func TestTotals(t *testing.T) {
	t.Parallel()
	s := populated(t)
	for query, want := range map[string]int{
		"Patient?_count=1":                            3,
		"Patient?gender=female&_count=1":              2,
		"Patient?gender=female&_summary=count":        2,
		"Patient?_count=0":                            3,
		"Patient?_total=none":                         -1,
		"Patient?_total=accurate&gender=male":         1,
		"Patient?_include=Patient:organization":       3,
		"Patient?_total=none&_summary=count":          3,
		"Patient?gender=male&gender=female":           0,
		"?_type=Patient,Organization&_total=estimate": 5,
	} {
		page := s.find(t, parse(t, query))
		got := -1
		if page.Total != nil {
			got = *page.Total
		}
		if got != want {
			t.Errorf("%s has total %d, want %d", query, got, want)
		}
		if strings.Contains(query, "=count") && len(page.Matches) > 0 {
			t.Errorf("%s has entries", query)
		}
	}
}

func TestReplacedAndRemoved(t *testing.T) {
	t.Parallel()
	s := populated(t)
	s.put(t, `{"resourceType":"Patient","id":"anna","gender":"other"}`)
	s.remove(t, "Patient", "bob")
	for query, want := range map[string]string{
		"Patient?gender=female":                              "cleo",
		"Patient?gender=other":                               "anna",
		"Patient?name=bob":                                   "",
		"Patient?name:missing=true":                          "anna",
		"Observation?subject.gender=male":                    "",
		"Observation?subject=Patient/bob":                    "w2",
		"Patient?gender:not=female":                          "anna",
		"Organization?_has:Patient:organization:gender=male": "",
	} {
		if got := strings.Join(s.ids(t, query), " "); got != want {
			t.Errorf("%s = %q, want %q", query, got, want)
		}
	}
	for _, table := range []string{"token", "reference", "string", "date", "quantity", "uri"} {
		var left int
		err := s.db.QueryRow(`SELECT count(*) FROM search_` + table + ` v JOIN resources r ON r.rowid = v.res WHERE r.id = 'bob'`).Scan(&left)
		if err != nil || left > 0 {
			t.Errorf("%d rows of a removed resource in %s, %v", left, table, err)
		}
	}
}

func TestIncludesAreBounded(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.put(t, `{"resourceType":"Patient","id":"p"}`)
	for i := range index.MaxIncluded + 5 {
		s.put(t, fmt.Sprintf(`{"resourceType":"Observation","id":"n%d","subject":{"reference":"Patient/p"}}`, i))
	}
	page := s.find(t, parse(t, "Patient?_revinclude=Observation:subject"))
	if len(page.Matches) != index.MaxIncluded+1 || !page.Truncated {
		t.Errorf("%d hits, truncated %v", len(page.Matches), page.Truncated)
	}
	page = s.find(t, parse(t, "Observation?_count=1000&_include=Observation:subject"))
	if len(page.Matches) != 1001 || page.Truncated {
		t.Errorf("%d hits, truncated %v", len(page.Matches), page.Truncated)
	}
}

func TestWriteRefusesWhatHasNoTable(t *testing.T) {
	t.Parallel()
	s := open(t)
	tx, err := s.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := index.Write(t.Context(), tx, 1, []search.Value{{Kind: search.KindComposite}}); err == nil {
		t.Error("a composite was stored as such")
	}
}
