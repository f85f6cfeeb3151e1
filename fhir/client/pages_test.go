package client_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// pages serves numbered pages of a search and counts the requests.
func pages(t *testing.T, change func(*client.Options), page func(n int) string) (*client.Client, *int) {
	t.Helper()
	count := 0
	o := client.Options{Base: "https://fhir.example/base", Sleep: noPause, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != "fhir.example" || !strings.HasPrefix(r.URL.Path, "/base") {
			t.Errorf("a request goes elsewhere")
		}
		count++
		return reply(200, page(count)), nil
	})}
	if change != nil {
		change(&o)
	}
	return mustNew(t, o), &count
}

func searchset(next string, ids ...string) string {
	var entries []string
	for _, id := range ids {
		entries = append(entries, `{"resource":{"resourceType":"Patient","id":"`+id+`"},"search":{"mode":"match"}}`)
	}
	return `{"resourceType":"Bundle","type":"searchset","link":[{"relation":"self","url":"https://elsewhere.example"},{"relation":"next","url":"` + next + `"}],"entry":[` + strings.Join(entries, ",") + `]}`
}

// all collects a search.
func all(ctx context.Context, c *client.Client) (ids []string, err error) {
	for m, err := range c.Search(ctx, "Patient", url.Values{}) {
		if err != nil {
			return ids, err
		}
		ids = append(ids, m.ID)
	}
	return ids, nil
}

func TestPagesStayBelowTheBase(t *testing.T) {
	t.Parallel()
	for next, ok := range map[string]bool{
		"https://fhir.example/base?page=2":         true,
		"https://fhir.example/base/Patient?page=2": true,
		"https://FHIR.example/base?page=2":         true,
		"Patient?page=2":                           true,
		"?page=2":                                  true,
		"":                                         true, // the page after the last is the base itself
		"https://elsewhere.example/base?page=2":    false,
		"//elsewhere.example/base?page=2":          false,
		"http://fhir.example/base?page=2":          false,
		"https://fhir.example:444/base?page=2":     false,
		"https://fhir.example/basement?page=2":     false,
		"https://fhir.example/base/../admin":       false,
		"../admin":                                 false,
		"/admin":                                   false,
		"https://fhir.example/base/%2e%2e/admin":   false,
		"https://fhir.example/base/a%2f..%2fadmin": false,
		"https://user@fhir.example/base?page=2":    false,
		"https://fhir.example.elsewhere.example/":  false,
		"file:///etc/passwd":                       false,
		"https://fhir.example\\@elsewhere/base":    false,
		"::":                                       false,
	} {
		c, count := pages(t, nil, func(n int) string {
			if n == 1 {
				return searchset(strings.ReplaceAll(next, `\`, `\\`), "one")
			}
			return `{"resourceType":"Bundle","type":"searchset"}`
		})
		ids, err := all(t.Context(), c)
		if ok && (err != nil || *count != 2) || !ok && (fault.KindOf(err) != fault.Upstream || err == nil || *count != 1) || len(ids) != 1 {
			t.Errorf("%q: %d requests, %v", next, *count, err)
		}
	}
}

func TestPagesEnd(t *testing.T) {
	t.Parallel()
	page := func(n int) string { return searchset("?page="+strconv.Itoa(n), "p"+strconv.Itoa(n)) }
	c, count := pages(t, func(o *client.Options) { o.MaxPages = 7 }, page)
	if ids, err := all(t.Context(), c); fault.From(err).Code != "fhir-search-size" || *count != 7 || len(ids) != 7 {
		t.Errorf("endless pages: %d requests, %v", *count, err)
	}
	c, count = pages(t, func(o *client.Options) { o.MaxMatches = 4 }, page)
	if _, err := all(t.Context(), c); fault.From(err).Code != "fhir-search-size" || *count != 5 {
		t.Errorf("endless matches: %d requests, %v", *count, err)
	}
	c, count = pages(t, nil, func(n int) string { return searchset("?page="+strconv.Itoa(n%3), "p") })
	if _, err := all(t.Context(), c); fault.KindOf(err) != fault.Upstream || *count != 4 {
		t.Errorf("circle: %d requests, %v", *count, err)
	}
	c, count = pages(t, nil, page)
	for range c.Search(t.Context(), "Patient", nil) {
		break
	}
	if *count != 1 {
		t.Errorf("%d requests for the first match", *count)
	}
}

func TestSearchEntries(t *testing.T) {
	t.Parallel()
	entry := func(resource, mode string) string {
		return `{"resourceType":"Bundle","type":"searchset","entry":[{"resource":` + resource + `,"search":{"mode":"` + mode + `"}}]}`
	}
	included := `{"resourceType":"Organization","id":"o"}`
	for m, err := range answering(t, 200, entry(included, "include")).Search(t.Context(), "Patient", nil) {
		if err != nil || !m.Include || m.Type != "Organization" {
			t.Errorf("%+v, %v", m, err)
		}
	}
	remark := `{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"not-supported"}]}`
	if ids, err := all(t.Context(), answering(t, 200, entry(remark, "outcome"))); err != nil || len(ids) != 0 {
		t.Errorf("a remark: %v, %v", ids, err)
	}
	for name, bad := range map[string]string{
		"error in part":    entry(refusal, "outcome"),
		"match of no type": entry(included, "match"),
		"no id":            entry(`{"resourceType":"Patient"}`, "match"),
		"dots for an id":   entry(`{"resourceType":"Patient","id":".."}`, "match"),
		"no resource":      `{"resourceType":"Bundle","type":"searchset","entry":[{"fullUrl":"x"}]}`,
		"other bundle":     `{"resourceType":"Bundle","type":"collection"}`,
	} {
		if _, err := all(t.Context(), answering(t, 200, bad)); fault.KindOf(err) != fault.Upstream || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
