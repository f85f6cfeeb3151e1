package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Match is one resource of a search.
type Match struct {
	Resource
	Include bool // it did not match itself, a match brought it along
}

// Version is one version of a resource in its history.
type Version struct {
	Resource
	Method  string // how it came to be: POST, PUT, DELETE; empty: the server does not say
	Deleted bool   // Raw is nil then
}

const formType = "application/x-www-form-urlencoded"

var errSearchSize = fault.New(fault.Upstream, "fhir-search-size", "The FHIR server finds more than the gateway reads of one search.")

// Search gives what q finds among the resources of type typ, page by page as the loop asks
// for more; an error ends it. The parameters go into a body, so that no log of addresses has
// them; a server's links to further pages are its own business.
func (c *Client) Search(ctx context.Context, typ string, q url.Values) iter.Seq2[Match, error] {
	return func(yield func(Match, error) bool) {
		if err := checkType(typ); err != nil {
			yield(Match{}, err)
			return
		}
		first := request{method: http.MethodPost, path: "/" + typ + "/_search", contentType: formType, body: []byte(q.Encode()), prefer: strictly, repeatable: true}
		for e, err := range c.entries(ctx, first, searchset) {
			if err != nil {
				yield(Match{}, err)
				return
			}
			m, skip, err := e.match(typ)
			if skip {
				continue
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// match reads an entry of a searchset; skip: it is a remark.
func (e entry) match(typ string) (m Match, skip bool, err error) {
	h, failed := readHead(e.Resource)
	switch {
	case failed != nil:
		return Match{}, false, nonsense(answer{status: http.StatusOK}, false, "an entry of a search has no resource").fault()
	case h.ResourceType == outcomeType:
		o := readOutcome(e.Resource)
		if o == nil || o.failed() {
			return Match{}, false, nonsense(answer{status: http.StatusOK}, false, "the search failed in part").fault()
		}
		return Match{}, true, nil
	case !ValidID(h.ID), h.ResourceType != typ && e.Search.Mode == "match":
		return Match{}, false, nonsense(answer{status: http.StatusOK}, false, "a match is of another type or has no id").fault()
	}
	include := e.Search.Mode == "include" || h.ResourceType != typ
	return Match{Resource: h.resource(e.Resource), Include: include}, false, nil
}

// History gives the versions of a resource, newest first.
func (c *Client) History(ctx context.Context, typ, id string) iter.Seq2[Version, error] {
	return func(yield func(Version, error) bool) {
		if err := checkName(typ, id); err != nil {
			yield(Version{}, err)
			return
		}
		first := request{method: http.MethodGet, path: "/" + typ + "/" + id + "/_history", repeatable: true}
		for e, err := range c.entries(ctx, first, history) {
			if err != nil {
				yield(Version{}, err)
				return
			}
			v, ok := e.version(typ, id)
			if !ok {
				yield(Version{}, nonsense(answer{status: http.StatusOK}, false, "the history holds another resource").fault())
				return
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}

// version reads an entry of a history of typ/id.
func (e entry) version(typ, id string) (Version, bool) {
	v := Version{Method: e.Request.Method}
	if len(e.Resource) == 0 {
		v.Deleted = true
		v.Resource = e.response().Resource
		if v.ID == "" {
			v.Resource, _ = located(e.Request.URL)
		}
		if v.ID == "" {
			v.Resource, _ = located(e.FullURL)
		}
		if v.VersionID == "" {
			v.VersionID = etagVersion(e.Response.ETag)
		}
		return v, v.Type == typ && v.ID == id
	}
	h, err := readHead(e.Resource)
	if err != nil || h.ResourceType != typ || h.ID != id {
		return Version{}, false
	}
	v.Resource = h.resource(e.Resource)
	return v, true
}

// entries gives the entries of a Bundle of the wanted type and of the pages that follow it.
func (c *Client) entries(ctx context.Context, r request, wanted string) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		seen, count := map[string]bool{}, 0
		for page := 1; ; page++ {
			b, err := c.page(ctx, r, wanted)
			if err == nil && count+len(b.Entry) > c.o.MaxMatches {
				err = errSearchSize
			}
			if err != nil {
				yield(entry{}, err)
				return
			}
			count += len(b.Entry)
			for _, e := range b.Entry {
				if !yield(e, nil) {
					return
				}
			}
			next, err := c.next(b)
			switch {
			case err == nil && next == "":
				return
			case err == nil && seen[next]:
				err = nonsense(answer{status: http.StatusOK}, false, "the pages of the search lead in a circle").fault()
			case err == nil && page >= c.o.MaxPages:
				err = errSearchSize
			}
			if err != nil {
				yield(entry{}, err)
				return
			}
			seen[next] = true
			r = request{method: http.MethodGet, path: next, repeatable: true}
		}
	}
}

func (c *Client) page(ctx context.Context, r request, wanted string) (bundle, error) {
	a, err := c.do(ctx, r)
	if err != nil {
		return bundle{}, err
	}
	var b bundle
	if a.status != http.StatusOK || json.Unmarshal(a.body, &b) != nil || b.ResourceType != bundleType || b.Type != wanted {
		return bundle{}, nonsense(a, false, "the answer is not a Bundle of type "+wanted).fault()
	}
	return b, nil
}

// next gives the path and query of the following page, relative to the base; empty: this
// page is the last.
func (c *Client) next(b bundle) (string, error) {
	for _, l := range b.Link {
		if l.Relation != "next" {
			continue
		}
		under := *c.base
		under.Path += "/"
		u, err := under.Parse(l.URL)
		if err != nil || !c.below(u) {
			return "", nonsense(answer{status: http.StatusOK}, false, "the next page is not below the base").fault()
		}
		path := strings.TrimPrefix(u.EscapedPath(), c.base.EscapedPath())
		if u.RawQuery != "" {
			path += "?" + u.RawQuery
		}
		return path, nil
	}
	return "", nil
}

// below reports whether u is an address of this server.
func (c *Client) below(u *url.URL) bool {
	if u.Scheme != c.base.Scheme || !strings.EqualFold(u.Host, c.base.Host) || u.User != nil || u.RawPath != "" {
		return false
	}
	for s := range strings.SplitSeq(u.Path, "/") {
		if s == "." || s == ".." {
			return false
		}
	}
	return u.Path == c.base.Path || strings.HasPrefix(u.Path, c.base.Path+"/")
}
